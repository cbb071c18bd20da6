/* SPDX-License-Identifier: ISC */
/* Models of FreeBSD, NetBSD, OpenBSD and ucarp. */
#include <string.h>

#include "peers.h"

#define SKEW(n) ((uint64_t)(n)*CARP_SEC / 256)

/* FreeBSD clamps at 240 always; NetBSD and ucarp know suppressed or not. */
static int
sent_skew(const struct peer *p)
{
	int skew = p->skew + p->demotion;

	switch (p->kind) {
	case PEER_OPENBSD:
		return p->skew;
	case PEER_FREEBSD:
		return skew < 0 ? 0 : skew > 240 ? 240 : skew;
	default:
		return p->demotion > 0 && p->skew <= 240 ? 240 : p->skew;
	}
}

static int
sent_demote(const struct peer *p)
{
	if (p->kind != PEER_OPENBSD || p->demotion < 0)
		return 0;
	return p->demotion > 255 ? 255 : p->demotion;
}

uint64_t
peer_interval(const struct peer *p)
{
	if (p->base == 0 && sent_skew(p) == 0)
		return SKEW(1);
	return p->base * CARP_SEC + SKEW(sent_skew(p));
}

uint64_t
peer_timeout(const struct peer *p)
{
	if (p->kind == PEER_OPENBSD && p->base == 0)
		return 3 * SKEW(p->skew == 0 ? 1 : p->skew);
	return 3 * p->base * CARP_SEC + SKEW(p->skew) * (p->triple ? 3 : 1);
}

uint64_t
peer_deadline(const struct peer *p)
{
	uint64_t first = CARP_NEVER;

	if (!p->up)
		return CARP_NEVER;
	if (p->master)
		return p->advert_at;
	for (int f = 0; f < 2; f++)
		if ((p->families & 1u << f) && p->down_at[f] < first)
			first = p->down_at[f];
	return first;
}

/* OpenBSD keeps one counter for life; the others walk from the peer's. */
static uint64_t
next_counter(struct peer *p)
{
	if (p->kind == PEER_OPENBSD) {
		if (p->counter == 0)
			p->counter = rng_next(p->rng) | 1;
	} else if (p->synced) {
		p->counter++;
	} else {
		p->counter = rng_next(p->rng);
	}
	return p->counter;
}

static void
send_advert(struct peer *p, bool bowout)
{
	for (int f = 0; f < 2; f++) {
		struct carp_packet *a = &p->send[p->nsend];

		if (!(p->families & 1u << f) || p->nsend == PEER_SEND_MAX)
			continue;
		memset(a, 0, sizeof(*a));
		a->dst.family = f == 0 ? 4 : 6;
		a->vhid = p->vhid;
		a->advbase = bowout ? 255 : p->base;
		a->advskew = bowout ? 255 : (uint8_t)sent_skew(p);
		a->demote = (uint8_t)sent_demote(p);
		a->counter = next_counter(p);
		(void)carp_digest(a->md, p->key, p->vhid, p->addrs, p->naddrs,
		    CARP_ORIG, NULL, a->counter);
		p->nsend++;
	}
}

static void
become_backup(struct peer *p, uint64_t now)
{
	p->master = false;
	p->down_at[0] = p->down_at[1] = now + peer_timeout(p);
}

static void
become_master(struct peer *p, uint64_t now)
{
	p->master = true;
	p->masters++;
	send_advert(p, false);
	p->advert_at = now + peer_interval(p);
}

void
peer_start(struct peer *p, uint64_t now)
{
	p->nsend = 0;
	p->up = true;
	become_backup(p, now);
}

void
peer_down(struct peer *p)
{
	p->nsend = 0;
	p->up = p->master = false;
}

/* FreeBSD and ucarp leave without a word. */
void
peer_stop(struct peer *p, uint64_t now)
{
	bool says = p->kind == PEER_OPENBSD || p->kind == PEER_NETBSD;

	(void)now;
	p->nsend = 0;
	if (p->up && p->master && says)
		send_advert(p, true);
	p->up = p->master = false;
}

void
peer_timer(struct peer *p, uint64_t now)
{
	p->nsend = 0;
	if (now < peer_deadline(p))
		return;
	if (!p->master) {
		become_master(p, now);
		return;
	}
	send_advert(p, false);
	p->advert_at = now + peer_interval(p);
}

void
peer_demote(struct peer *p, int demotion, uint64_t now)
{
	p->nsend = 0;
	if (p->demotion == demotion)
		return;
	p->demotion = demotion;
	if (p->up && p->master) {
		send_advert(p, false);
		p->advert_at = now + peer_interval(p);
	}
}

/* An authentic one, of this vhid? */
static bool
accept(struct peer *p, const struct carp_packet *a)
{
	static const unsigned forms[] = { CARP_ORIG, CARP_NOV6LL };
	uint8_t md[CARP_MD_LEN];
	unsigned n = p->kind == PEER_OPENBSD ? 2 : 1;

	if (a->vhid != p->vhid || a->ttl != 255)
		return false;
	if (!(p->families & (a->src.family == 4 ? 1 : 2)))
		return false;
	for (unsigned i = 0; i < n; i++) {
		(void)carp_digest(md, p->key, p->vhid, p->addrs, p->naddrs,
		    forms[i], NULL, a->counter);
		if (memcmp(md, a->md, sizeof(md)) == 0)
			return p->kind != PEER_OPENBSD ||
			       a->counter != p->counter;
	}
	return false;
}

/* ucarp compares raw integers: on little-endian the last octet weighs most. */
static bool
is_lower(const struct carp_addr *a, const struct carp_addr *b)
{
	for (int i = 3; i >= 0; i--)
		if (a->ip[i] != b->ip[i])
			return a->ip[i] < b->ip[i];
	return false;
}

static void
hear_as_master(
    struct peer *p, const struct carp_packet *a, int order, uint64_t now)
{
	int own = sent_demote(p);

	switch (p->kind) {
	case PEER_OPENBSD:
		if ((order <= 0 && a->demote <= own) || a->demote < own)
			become_backup(p, now);
		return;
	case PEER_UCARP:
		if (order > 0 || (order == 0 && !is_lower(&a->src, &p->ip)))
			return;
		send_advert(p, false); /* once more, while it yields */
		become_backup(p, now);
		return;
	default:
		if (order <= 0)
			become_backup(p, now);
	}
}

static void
hear_as_backup(
    struct peer *p, const struct carp_packet *a, int order, uint64_t now)
{
	uint64_t theirs = a->advbase * CARP_SEC + SKEW(a->advskew);
	uint64_t limit = 3 * p->base * CARP_SEC + SKEW(p->skew);
	int own = sent_demote(p);
	bool more = p->kind == PEER_OPENBSD && a->demote > own;
	bool less = p->kind == PEER_OPENBSD && a->demote < own;

	if (more || (p->preempt && order > 0 && !less) ||
	    (limit < theirs && (p->kind != PEER_OPENBSD || p->base != 0))) {
		become_master(p, now);
		return;
	}
	p->down_at[a->src.family == 6] = now + peer_timeout(p);
}

void
peer_packet(struct peer *p, const struct carp_packet *a, uint64_t now)
{
	int order;

	p->nsend = 0;
	if (!p->up || !accept(p, a))
		return;
	if (p->kind != PEER_OPENBSD) {
		p->counter = a->counter;
		p->synced = true;
	}
	order = (a->advbase - p->base) * 256 + a->advskew - sent_skew(p);
	if (p->master)
		hear_as_master(p, a, order, now);
	else
		hear_as_backup(p, a, order, now);
}
