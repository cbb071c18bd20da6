/* SPDX-License-Identifier: ISC */
/* The keyed digest of one key and address list, prepared for many packets. */
#ifndef CARP_DIGEST_H
#define CARP_DIGEST_H

#include <carp/carp.h>
#include <openssl/sha.h>

/*
 * HMAC-SHA1 up to the point where the counter enters: a packet costs a copy
 * and two or three SHA-1 blocks, and no memory.  OpenSSL's one-call HMAC
 * would allocate for each packet and for each host.
 */
struct digest {
	SHA_CTX outer;
	unsigned n;	 /* forms that differ, 1..3 */
	unsigned first;	 /* that is accepted: 0, or 1 */
	SHA_CTX inner[]; /* [0] is NOV6LL: what is sent */
};

/*
 * Addresses in any order.  lladdr may be NULL.  forms is a set of CARP_NOV6LL
 * and so on; NOV6LL is always prepared, for sending, but is accepted only if
 * it, or one that is the same here, is in the set.  -ENOMEM.
 */
int digest_new(struct digest **ret, const uint8_t key[CARP_KEY_LEN],
    uint8_t vhid, const struct carp_addr *, size_t n, unsigned forms,
    const uint8_t *lladdr);

void digest_free(struct digest *);

bool digest_same(const struct digest *, const struct digest *);

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
