/* SPDX-License-Identifier: ISC */
/* Why a digest does not fit: the address sets that people get wrong. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"

#define ALONE_MAX   255	 /* addresses tried alone */
#define WITHOUT_MAX 4096 /* addresses hashed, one left out each */

struct attempt {
	const struct carp_packet *pkt;
	const uint8_t *key, *lladdr;
	const struct carp_addr *all;
	size_t n;
	struct carp_addr *addrs; /* room for n */
	bool *used;		 /* room for n */
};

/* Does the digest fit over the addresses that are marked in used? */
static bool
fits(struct attempt *t, const uint8_t *lladdr)
{
	struct digest *d;
	size_t n = 0;
	bool yes;

	for (size_t i = 0; i < t->n; i++)
		if (t->used[i])
			t->addrs[n++] = t->all[i];
	if (digest_new(&d, t->key, t->pkt->vhid, t->addrs, n, CARP_ANY_DIGEST,
		lladdr) != 0)
		return false;
	yes = digest_fits(d, t->pkt->md, t->pkt->counter);
	digest_free(d);
	return yes;
}

static void
mark(struct attempt *t, bool on)
{
	for (size_t i = 0; i < t->n; i++)
		t->used[i] = on;
}

static bool
fits_family(struct attempt *t, uint8_t family)
{
	for (size_t i = 0; i < t->n; i++)
		t->used[i] = t->all[i].family == family;
	return fits(t, t->lladdr);
}

/* One alone (on), or all but one (off). */
static bool
fits_single(struct attempt *t, bool on)
{
	size_t most = on ? ALONE_MAX : WITHOUT_MAX / (t->n + 1);

	if (most > t->n)
		most = t->n;
	for (size_t i = 0; i < most; i++) {
		mark(t, !on);
		t->used[i] = on;
		if (fits(t, t->lladdr))
			return true;
	}
	return false;
}

static enum carp_mismatch
diagnose(struct attempt *t)
{
	mark(t, true);
	if (fits(t, t->lladdr))
		return CARP_MATCH;
	if (t->lladdr && fits(t, NULL))
		return CARP_OTHER_LLADDR;
	if (fits_family(t, 4) || fits_family(t, 6) || fits_single(t, true) ||
	    fits_single(t, false))
		return CARP_OTHER_ADDRS;
	mark(t, false);
	return fits(t, t->lladdr) ? CARP_OTHER_ADDRS : CARP_OTHER_KEY;
}

enum carp_mismatch
carp_diagnose(const struct carp_packet *pkt, const uint8_t key[CARP_KEY_LEN],
    const struct carp_addr *addrs, size_t n, const uint8_t *lladdr, bool *used)
{
	struct attempt t = { pkt, key, lladdr, addrs, n, NULL, NULL };
	enum carp_mismatch why = CARP_OTHER_KEY;

	t.addrs = calloc(n + 1, sizeof(*t.addrs));
	t.used = calloc(n + 1, sizeof(*t.used));
	if (t.addrs && t.used)
		why = diagnose(&t);
	if (used && t.used)
		memcpy(used, t.used, n * sizeof(*used));
	free(t.addrs);
	free(t.used);
	return why;
}
