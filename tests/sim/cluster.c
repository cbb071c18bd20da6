/* SPDX-License-Identifier: ISC */
/* Draws a cluster: who is in it, how fast, on what wires. */
#include <stdlib.h>
#include <string.h>

#include "cluster.h"

#define VHID 10

void
cluster_parse(struct carp_addr *ret, const char *text)
{
	if (carp_addr_parse(ret, text) != 0)
		abort();
}

static void
give_addresses(const struct cluster *k, struct carp_addr *addrs, unsigned *n)
{
	*n = 0;
	cluster_parse(&addrs[(*n)++], "192.0.2.100");
	if (k->mixed)
		cluster_parse(&addrs[(*n)++], "2001:db8::100");
}

static void
make_ours(const struct cluster *k, struct node *n, uint8_t base, uint8_t skew)
{
	struct carp_config cfg = CARP_CONFIG_INIT;

	n->kind = OURS;
	cfg.vhid = VHID;
	cfg.advbase = base;
	cfg.advskew = skew;
	memcpy(cfg.key, "simulated", 9);
	n->cfg = cfg;
	give_addresses(k, n->addrs, &n->naddrs);
	/* What the engine does: 3 * base - 1 s, at least 2. */
	n->lease = CARP_NEVER;
	if (base > 0)
		n->lease = (base == 1 ? 2 : 3 * base - 1) * CARP_SEC;
}

static void
make_model(struct world *w, const struct cluster *k, struct node *n,
    enum peer_kind kind, uint8_t base, uint8_t skew)
{
	struct peer *p = &n->peer;

	n->kind = MODEL;
	n->lease = CARP_NEVER;
	p->kind = kind;
	p->vhid = VHID;
	p->base = base;
	p->skew = skew;
	p->triple = kind == PEER_OPENBSD && rng_percent(&w->rng, 50);
	memcpy(p->key, "simulated", 9);
	give_addresses(k, p->addrs, &p->naddrs);
	p->families = k->mixed ? 3 : 1;
	p->ip = n->ip[0];
	p->rng = &w->rng;
}

/* How fast a cluster is, and how good its wires. */
struct pace {
	uint8_t base[2], skew_max, step;
	uint64_t delay, jitter;
};

static const struct pace paces[] = {
	{ { 1, 1 }, 254, 1, 50 * MS, 50 * MS },
	{ { 1, 1 }, 100, 50, MS, MS },	    /* many ties */
	{ { 1, 2 }, 200, 20, MS, 20 * MS }, /* two bases */
	{ { 3, 3 }, 254, 10, 100 * MS, 200 * MS },
	{ { 0, 0 }, 60, 1, MS / 5, MS / 5 },
	{ { 0, 0 }, 8, 4, MS / 10, MS / 10 },
};

static void
make_wires(struct world *w, const struct pace *pace)
{
	w->delay = rng_below(&w->rng, pace->delay + 1);
	w->jitter = rng_below(&w->rng, pace->jitter + 1);
	w->latency = pace->base[0] == 0 ? MS / 5 : 3 * MS;
	w->loss =
	    rng_percent(&w->rng, 50) ? 0 : (unsigned)rng_range(&w->rng, 1, 40);
	w->max_lost = 2;
	w->dup = rng_percent(&w->rng, 50) ? 0 : 10;
	w->late = rng_percent(&w->rng, 70) ? 0 : 5;
}

static void
make_node(struct world *w, const struct cluster *k, unsigned i,
    const struct pace *pace, unsigned preempt)
{
	struct node *n = &w->node[i];
	uint8_t base = pace->base[rng_below(&w->rng, 2)];
	uint8_t skew =
	    (uint8_t)(pace->step *
		      rng_below(&w->rng, pace->skew_max / pace->step + 1u));
	bool takes = preempt == 2 ? rng_percent(&w->rng, 50) : preempt == 1;

	n->id = i;
	n->nic = true;
	n->read_at = n->timer_for = n->timer_at = CARP_NEVER;
	n->lease_end = CARP_NEVER;
	cluster_parse(&n->ip[0], "192.0.2.0");
	n->ip[0].ip[3] = (uint8_t)(1 + 5 * rng_below(&w->rng, 40) + i);
	cluster_parse(&n->ip[1], "fe80::0");
	n->ip[1].ip[15] = (uint8_t)(1 + i);
	if (k->models && i > 0 && rng_percent(&w->rng, i == 1 ? 100 : 50)) {
		static const enum peer_kind kinds[] = { PEER_FREEBSD,
			PEER_NETBSD, PEER_OPENBSD, PEER_UCARP };

		make_model(w, k, n, kinds[rng_below(&w->rng, k->mixed ? 3 : 4)],
		    base, skew);
		n->peer.preempt = takes;
	} else {
		make_ours(k, n, base, skew);
		n->cfg.preempt = takes;
		n->cfg.triple_skew = rng_percent(&w->rng, 10);
		n->cfg.strict_family = rng_percent(&w->rng, 10);
		n->cfg.fast_start = takes && rng_percent(&w->rng, 25);
	}
}

void
cluster_make(struct cluster *k, struct world *w)
{
	const struct pace *pace;
	bool openbsd = false, told = rng_percent(&w->rng, 50);
	unsigned preempt = (unsigned)rng_below(&w->rng, 3);

	k->models = rng_percent(&w->rng, 35);
	k->mixed = rng_percent(&w->rng, 20);
	/* Others than ours have time-outs that do not fit base 0 of peers. */
	pace = &paces[rng_below(&w->rng, k->models ? 3 : 6)];
	k->fast = pace->base[0] == 0;
	k->changes =
	    !k->models && pace->base[0] > 0 && rng_percent(&w->rng, 25);
	w->nnodes = (unsigned)rng_range(&w->rng, 2, MAX_NODES);
	make_wires(w, pace);
	for (unsigned i = 0; i < w->nnodes; i++) {
		make_node(w, k, i, pace, preempt);
		if (w->node[i].kind == MODEL)
			openbsd =
			    openbsd || w->node[i].peer.kind == PEER_OPENBSD;
	}
	for (unsigned i = 0; i < w->nnodes; i++) {
		struct node *n = &w->node[i];
		uint64_t t;

		n->cfg.openbsd = openbsd && told;
		t = node_timeout(n) + node_interval(n);
		k->unit = t > k->unit ? t : k->unit;
	}
	/*
	 * S1 holds whether we were told that peers are OpenBSD, or not.  Not
	 * told, we yield to a demoted one that yields to us.
	 */
	k->misled = openbsd && !told;
	w->ranked = !openbsd;
	w->late_by = k->unit / 3;
}
