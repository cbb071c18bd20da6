/* SPDX-License-Identifier: ISC */
/* One virtual host on a virtual clock, and a peer that speaks to it. */
#ifndef TESTS_UNIT_HOST_H
#define TESTS_UNIT_HOST_H

#include <check.h>
#include <stdbool.h>
#include <string.h>

#include <carp/carp.h>

#define MS	     (CARP_SEC / 1000)
#define HOST_ADDRS   4
#define HOST_ACTIONS 16
#define START	     (1000 * CARP_SEC)

struct host {
	struct carp *c;
	struct carp_config cfg;
	struct carp_addr addrs[HOST_ADDRS];
	size_t n;
	uint64_t now;
	uint64_t peer_counter; /* of the next advertisement that is heard */
	struct carp_action act[HOST_ACTIONS]; /* of the last event */
	unsigned nact;
};

/* What a peer says. */
struct said {
	uint8_t base, skew, demote, family;
	uint64_t counter; /* 0: the next one of the peer */
};

static inline void
host_addrs(struct host *h, const char *one, const char *two)
{
	h->n = 0;
	if (one != NULL)
		ck_assert_int_eq(carp_addr_parse(&h->addrs[h->n++], one), 0);
	if (two != NULL)
		ck_assert_int_eq(carp_addr_parse(&h->addrs[h->n++], two), 0);
}

/* A configuration that tests change before host_new(). */
static inline void
host_defaults(struct host *h)
{
	struct carp_config cfg = CARP_CONFIG_INIT;

	memset(h, 0, sizeof(*h));
	h->cfg = cfg;
	h->cfg.vhid = 10;
	h->cfg.counter = UINT64_C(0x0123456789abcdef);
	h->cfg.seed = 42;
	memcpy(h->cfg.key, "s3cret", 6);
	h->now = START;
	h->peer_counter = UINT64_C(0x7777000000000000);
	host_addrs(h, "192.0.2.1/24", NULL);
}

static inline void
host_new(struct host *h)
{
	ck_assert_int_eq(carp_new(&h->c, &h->cfg, h->addrs, h->n), 0);
}

static inline void
host_free(struct host *h)
{
	carp_free(h->c);
	h->c = NULL;
}

/* Takes all actions of the event just given. */
static inline void
host_collect(struct host *h)
{
	for (h->nact = 0; h->nact < HOST_ACTIONS; h->nact++)
		if (!carp_next(h->c, &h->act[h->nact]))
			return;
	ck_abort_msg("more than %d actions", HOST_ACTIONS);
}

static inline unsigned
host_count(const struct host *h, enum carp_do what)
{
	unsigned n = 0;

	for (unsigned i = 0; i < h->nact; i++)
		n += h->act[i].what == what;
	return n;
}

static inline const struct carp_action *
host_find(const struct host *h, enum carp_do what)
{
	for (unsigned i = 0; i < h->nact; i++)
		if (h->act[i].what == what)
			return &h->act[i];
	return NULL;
}

static inline void
host_link(struct host *h, bool up)
{
	ck_assert_int_eq(carp_link(h->c, up, h->now), 0);
	host_collect(h);
}

static inline void
host_timer(struct host *h)
{
	ck_assert_int_eq(carp_timer(h->c, h->now), 0);
	host_collect(h);
}

static inline void
host_demote(struct host *h, int demotion)
{
	ck_assert_int_eq(carp_demote(h->c, demotion, h->now), 0);
	host_collect(h);
}

static inline int
host_force(struct host *h, enum carp_state state)
{
	int rc = carp_force(h->c, state, h->now);

	host_collect(h);
	return rc;
}

static inline void
host_stop(struct host *h)
{
	ck_assert_int_eq(carp_stop(h->c, h->now), 0);
	host_collect(h);
}

/* Time passes; the timer is called at each deadline.  Actions: of the last. */
static inline void
host_wait(struct host *h, uint64_t ns)
{
	uint64_t end = h->now + ns;

	h->nact = 0;
	for (int i = 0; carp_deadline(h->c) <= end; i++) {
		ck_assert_msg(i < 100000, "the deadline does not move");
		if (carp_deadline(h->c) > h->now)
			h->now = carp_deadline(h->c);
		host_timer(h);
	}
	h->now = end;
}

static inline void
host_until_deadline(struct host *h)
{
	ck_assert_uint_ne(carp_deadline(h->c), CARP_NEVER);
	ck_assert_uint_ge(carp_deadline(h->c), h->now);
	h->now = carp_deadline(h->c);
	host_timer(h);
}

/* An authentic advertisement of a peer with the same key and addresses. */
static inline void
host_peer(struct host *h, struct carp_packet *p, struct said s)
{
	static const uint8_t none[6];
	uint8_t ip[CARP_IP_MAX], advert[CARP_LEN];
	struct carp_addr src, dst;

	memset(p, 0, sizeof(*p));
	p->vhid = h->cfg.vhid;
	p->advbase = s.base;
	p->advskew = s.skew;
	p->demote = s.demote;
	p->counter = s.counter != 0 ? s.counter : h->peer_counter++;
	ck_assert_int_eq(
	    carp_digest(p->md, h->cfg.key, p->vhid, h->addrs, h->n, CARP_NOV6LL,
		memcmp(h->cfg.lladdr, none, 6) ? h->cfg.lladdr : NULL,
		p->counter),
	    0);
	carp_encode(advert, p);
	ck_assert_int_eq(
	    carp_addr_parse(&src, s.family == 6 ? "fe80::7" : "192.0.2.7"), 0);
	dst = carp_group(s.family == 6 ? 6 : 4);
	ck_assert_int_eq(
	    carp_decode(p, ip, carp_ip_encode(ip, &src, &dst, advert)),
	    CARP_OK);
}

static inline enum carp_verdict
host_packet(struct host *h, const struct carp_packet *p)
{
	enum carp_verdict verdict = CARP_NVERDICTS;

	ck_assert_int_eq(carp_packet(h->c, p, &verdict, h->now), 0);
	host_collect(h);
	return verdict;
}

static inline enum carp_verdict
host_said(struct host *h, struct said s)
{
	struct carp_packet p;

	host_peer(h, &p, s);
	return host_packet(h, &p);
}

static inline void
host_hear(struct host *h, uint8_t base, uint8_t skew)
{
	ck_assert_int_eq(
	    host_said(h, (struct said){ .base = base, .skew = skew }), CARP_OK);
}

static inline void
host_info(const struct host *h, struct carp_info *ret)
{
	carp_get_info(h->c, ret);
}

/* The advertisement that was sent last, read back and checked. */
static inline void
host_advert(const struct host *h, struct carp_packet *ret, unsigned which)
{
	static const uint8_t none[6];
	uint8_t ip[CARP_IP_MAX], md[CARP_MD_LEN];
	struct carp_addr src, dst;

	for (unsigned i = 0; i < h->nact; i++) {
		const struct carp_action *a = &h->act[i];

		if (a->what != CARP_DO_SEND || which-- != 0)
			continue;
		ck_assert(a->family == 4 || a->family == 6);
		dst = carp_group(a->family);
		src = dst;
		ck_assert_int_eq(carp_decode(ret, ip,
				     carp_ip_encode(ip, &src, &dst, a->advert)),
		    CARP_OK);
		ck_assert_int_eq(
		    carp_digest(md, h->cfg.key, h->cfg.vhid, h->addrs, h->n,
			CARP_NOV6LL,
			memcmp(h->cfg.lladdr, none, 6) ? h->cfg.lladdr : NULL,
			ret->counter),
		    0);
		ck_assert_mem_eq(md, ret->md, CARP_MD_LEN);
		ck_assert_uint_ne(ret->counter, 0);
		ck_assert_uint_eq(ret->vhid, h->cfg.vhid);
		ck_assert(a->bowout == carp_packet_is_bowout(ret));
		return;
	}
	ck_abort_msg("nothing was sent");
}

static inline void
host_become(struct host *h, enum carp_state state)
{
	host_link(h, state != CARP_INIT);
	if (state == CARP_MASTER)
		host_until_deadline(h);
	ck_assert_int_eq(carp_state(h->c), state);
}

/* Exactly one change of state, to this one, for this reason, or none. */
static inline void
host_changed(const struct host *h, const char *why, enum carp_state from,
    enum carp_state to, enum carp_cause cause)
{
	const struct carp_action *a = host_find(h, CARP_DO_STATE);
	struct carp_info info;

	host_info(h, &info);
	ck_assert_msg(carp_state(h->c) == to, "%s: is %s", why,
	    carp_state_name(carp_state(h->c)));
	if (from == to) {
		ck_assert_msg(a == NULL, "%s: no change to tell", why);
		return;
	}
	ck_assert_msg(host_count(h, CARP_DO_STATE) == 1, "%s: one change", why);
	ck_assert_msg(a->from == from && a->to == to, "%s: %s to %s", why,
	    carp_state_name(a->from), carp_state_name(a->to));
	ck_assert_msg(a->cause == cause && info.cause == cause, "%s: %s", why,
	    carp_cause_text(a->cause));
	ck_assert_msg(info.since == h->now, "%s: since", why);
}

#endif
