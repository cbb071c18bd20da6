/* SPDX-License-Identifier: ISC */
/* The keyed digest of one key and address list, prepared for many packets. */
#ifndef CARP_DIGEST_H
#define CARP_DIGEST_H

#include <carp/carp.h>
#include <openssl/sha.h>

#define DIGEST_FORMS 3 /* CARP_NOV6LL, ORIG, AUTOLL */

/*
 * HMAC-SHA1 up to the point where the counter enters: a packet costs a copy
 * and two or three SHA-1 blocks, and no memory.  OpenSSL's one-call HMAC
 * would allocate for each packet and for each host.
 */
struct digest {
	SHA_CTX outer;
	SHA_CTX inner[DIGEST_FORMS]; /* [0] is NOV6LL: what is sent */
	unsigned n;		     /* forms that differ, 1..DIGEST_FORMS */
	unsigned first;		     /* that is accepted: 0, or 1 */
};

/*
 * Addresses in any order.  lladdr may be NULL.  forms is a set of CARP_NOV6LL
 * and so on; NOV6LL is always prepared, for sending, but is accepted only if
 * it, or one that is the same here, is in the set.  -ENOMEM.
 */
int digest_init(struct digest *, const uint8_t key[CARP_KEY_LEN], uint8_t vhid,
    const struct carp_addr *, size_t n, unsigned forms, const uint8_t *lladdr);

/* As sent. */
void digest_make(
    const struct digest *, uint8_t ret[CARP_MD_LEN], uint64_t counter);

/* Does one of the prepared forms fit?  In constant time for each. */
bool digest_fits(
    const struct digest *, const uint8_t md[CARP_MD_LEN], uint64_t counter);

/*
 * Sorted, without duplicates, scope cleared, without what no implementation
 * hashes; ret has room for n.  Returns how many are left.
 */
size_t digest_sort(struct carp_addr *ret, const struct carp_addr *, size_t n);

#endif
