/* SPDX-License-Identifier: ISC */
/* The keyed digest: HMAC-SHA1 over vhid, addresses and counter. */
#include <openssl/crypto.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"

#define BLOCK 64   /* of SHA-1, bytes */
#define IPAD  0x36 /* RFC 2104 */
#define OPAD  0x5c

/* fe80::/10, and multicast of interface and link scope (OpenBSD's rule). */
static bool
has_scope(const struct carp_addr *a)
{
	if (carp_addr_is_linklocal(a))
		return true;
	return a->family == 6 && a->ip[0] == 0xff &&
	       ((a->ip[1] & 0x0f) == 1 || (a->ip[1] & 0x0f) == 2);
}

/*
 * The BSD loops search for the next address strictly between all zeros and
 * all ones, so these two are never hashed.
 */
static bool
is_sentinel(const struct carp_addr *a)
{
	static const uint8_t zeros[16],
	    ones[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	size_t n = a->family == 4 ? 4 : 16;

	return memcmp(a->ip, zeros, n) == 0 || memcmp(a->ip, ones, n) == 0;
}

static int
compare(const void *a, const void *b)
{
	return carp_addr_cmp(a, b);
}

size_t
digest_sort(struct carp_addr *ret, const struct carp_addr *addrs, size_t n)
{
	size_t kept = 0, unique = 0;

	for (size_t i = 0; i < n; i++) {
		ret[kept] = addrs[i];
		if (has_scope(&ret[kept]))
			ret[kept].ip[2] = ret[kept].ip[3] = 0;
		if (!is_sentinel(&ret[kept]))
			kept++;
	}
	qsort(ret, kept, sizeof(*ret), compare);
	for (size_t i = 0; i < kept; i++)
		if (unique == 0 || carp_addr_cmp(&ret[i], &ret[unique - 1]))
			ret[unique++] = ret[i];
	return unique;
}

/* fe80::200:5eff:fe00:1VHID, what BSD derives from the virtual MAC. */
static struct carp_addr
auto_linklocal(uint8_t vhid)
{
	return (struct carp_addr){ 6, 128,
		{ 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x02, 0, 0x5e, 0xff, 0xfe, 0,
		    0x01, vhid } };
}

static void
pad_key(SHA_CTX *ctx, const uint8_t key[CARP_KEY_LEN], uint8_t pad)
{
	uint8_t block[BLOCK];

	memset(block, pad, sizeof(block));
	for (int i = 0; i < CARP_KEY_LEN; i++)
		block[i] ^= key[i];
	(void)SHA1_Init(ctx); /* these cannot fail */
	(void)SHA1_Update(ctx, block, sizeof(block));
	OPENSSL_cleanse(block, sizeof(block));
}

/* Addresses sorted; extra, if any, is put where it belongs. */
static void
hash_head(SHA_CTX *ctx, uint8_t vhid, const struct carp_addr *a, size_t n,
    bool linklocal, const struct carp_addr *extra, const uint8_t *lladdr)
{
	static const uint8_t version_type[2] = { 2, 1 };

	(void)SHA1_Update(ctx, version_type, sizeof(version_type));
	if (lladdr)
		(void)SHA1_Update(ctx, lladdr, 6);
	(void)SHA1_Update(ctx, &vhid, 1);
	for (size_t i = 0; i < n; i++) {
		int order = extra ? carp_addr_cmp(extra, &a[i]) : 1;

		if (extra && order <= 0) {
			(void)SHA1_Update(ctx, extra->ip, 16);
			extra = NULL;
			if (order == 0)
				continue;
		}
		if (linklocal || !has_scope(&a[i]))
			(void)SHA1_Update(
			    ctx, a[i].ip, a[i].family == 4 ? 4 : 16);
	}
	if (extra)
		(void)SHA1_Update(ctx, extra->ip, 16);
}

static void
be64(uint8_t ret[8], uint64_t n)
{
	for (int i = 0; i < 8; i++)
		ret[i] = (uint8_t)(n >> (56 - 8 * i));
}

static void
finish(uint8_t ret[CARP_MD_LEN], SHA_CTX inner, SHA_CTX outer, uint64_t counter)
{
	uint8_t tail[8], md[CARP_MD_LEN];

	be64(tail, counter);
	(void)SHA1_Update(&inner, tail, sizeof(tail));
	(void)SHA1_Final(md, &inner);
	(void)SHA1_Update(&outer, md, sizeof(md));
	(void)SHA1_Final(ret, &outer);
}

/* The forms that differ, for addresses that are sorted. */
static void
fill(struct digest *d, const uint8_t key[CARP_KEY_LEN], uint8_t vhid,
    const struct carp_addr *a, size_t n, unsigned forms, bool scoped,
    const uint8_t *lladdr)
{
	struct carp_addr autoll = auto_linklocal(vhid);
	SHA_CTX start;

	pad_key(&d->outer, key, OPAD);
	pad_key(&start, key, IPAD);
	d->inner[0] = start;
	hash_head(&d->inner[0], vhid, a, n, false, NULL, lladdr);
	d->n = 1;
	d->first =
	    (forms & CARP_NOV6LL) || ((forms & CARP_ORIG) && !scoped) ? 0 : 1;
	if ((forms & CARP_ORIG) && scoped) {
		d->inner[d->n] = start;
		hash_head(&d->inner[d->n++], vhid, a, n, true, NULL, lladdr);
	}
	if (forms & CARP_AUTOLL) {
		d->inner[d->n] = start;
		hash_head(&d->inner[d->n++], vhid, a, n, true, &autoll, lladdr);
	}
	OPENSSL_cleanse(&start, sizeof(start));
}

static size_t
size_of(unsigned forms)
{
	return sizeof(struct digest) + forms * sizeof(SHA_CTX);
}

int
digest_new(struct digest **ret, const uint8_t key[CARP_KEY_LEN], uint8_t vhid,
    const struct carp_addr *addrs, size_t n, unsigned forms,
    const uint8_t *lladdr)
{
	struct carp_addr *a = calloc(n + 1, sizeof(*a));
	struct digest *d = NULL;
	bool scoped = false;

	if (a == NULL)
		return -ENOMEM;
	n = digest_sort(a, addrs, n);
	for (size_t i = 0; i < n; i++)
		scoped = scoped || has_scope(&a[i]);
	/* Thousands are kept: none has room for forms that it has not. */
	d = calloc(1, size_of(1 + ((forms & CARP_ORIG) && scoped) +
			      !!(forms & CARP_AUTOLL)));
	if (d != NULL)
		fill(d, key, vhid, a, n, forms, scoped, lladdr);
	free(a);
	if (d == NULL)
		return -ENOMEM;
	*ret = d;
	return 0;
}

void
digest_free(struct digest *d)
{
	if (d == NULL)
		return;
	OPENSSL_cleanse(d, size_of(d->n)); /* of the key */
	free(d);
}

bool
digest_same(const struct digest *a, const struct digest *b)
{
	return a->n == b->n && memcmp(a, b, size_of(a->n)) == 0;
}

void
digest_make(const struct digest *d, uint8_t ret[CARP_MD_LEN], uint64_t counter)
{
	finish(ret, d->inner[0], d->outer, counter);
}

bool
digest_fits(
    const struct digest *d, const uint8_t md[CARP_MD_LEN], uint64_t counter)
{
	uint8_t want[CARP_MD_LEN];

	for (unsigned i = d->first; i < d->n; i++) {
		finish(want, d->inner[i], d->outer, counter);
		if (CRYPTO_memcmp(want, md, CARP_MD_LEN) == 0)
			return true;
	}
	return false;
}

int
carp_digest(uint8_t ret[CARP_MD_LEN], const uint8_t key[CARP_KEY_LEN],
    uint8_t vhid, const struct carp_addr *addrs, size_t n, unsigned form,
    const uint8_t *lladdr, uint64_t counter)
{
	struct digest *d;
	unsigned which;
	int rc;

	if (form != CARP_NOV6LL && form != CARP_ORIG && form != CARP_AUTOLL)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (addrs[i].family != 4 && addrs[i].family != 6)
			return -EINVAL;
	rc = digest_new(&d, key, vhid, addrs, n, form, lladdr);
	if (rc != 0)
		return rc;
	which = form == CARP_NOV6LL ? 0 : d->n - 1;
	finish(ret, d->inner[which], d->outer, counter);
	digest_free(d);
	return 0;
}
