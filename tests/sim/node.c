/* SPDX-License-Identifier: ISC */
/* A node: one of ours around the core, or a model; and its kernel. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "world.h"

#define LEASE_LATE (40 * MS) /* Linux ends an address that much late */
#define UCARP_READ CARP_SEC  /* its packet capture returns once a second */

const char *
node_name(const struct node *n)
{
	static const char *const models[] = { "freebsd", "netbsd", "openbsd",
		"ucarp" };

	return n->kind == OURS ? "carpd" : models[n->peer.kind];
}

bool
node_is_ucarp(const struct node *n)
{
	return n->kind == MODEL && n->peer.kind == PEER_UCARP;
}

bool
node_is_master(const struct node *n)
{
	if (n->kind == MODEL)
		return n->alive && n->peer.master;
	return n->alive && carp_state(n->carp) == CARP_MASTER;
}

static void
info(const struct node *n, struct carp_info *ret)
{
	carp_get_info(n->carp, ret);
}

uint64_t
node_interval(const struct node *n)
{
	struct carp_info i;

	if (n->kind == MODEL)
		return peer_interval(&n->peer);
	if (n->carp == NULL)
		return carp_interval(n->cfg.advbase, n->cfg.advskew);
	info(n, &i);
	return i.interval;
}

uint64_t
node_timeout(const struct node *n)
{
	struct carp_info i;

	if (n->kind == MODEL)
		return peer_timeout(&n->peer);
	if (n->carp == NULL)
		return 3 * carp_interval(n->cfg.advbase, n->cfg.advskew);
	info(n, &i);
	return i.timeout;
}

/* By what it says on the wire. */
unsigned
node_rank(const struct node *n)
{
	struct carp_info i;

	if (n->kind == MODEL)
		return (unsigned)(peer_interval(&n->peer) * 256 / CARP_SEC);
	info(n, &i);
	return i.advbase * 256u + i.skew_sent;
}

/*
 * The kernel.
 */
static void
hold(struct world *w, struct node *n, bool held)
{
	if (n->held != held)
		world_say(w, "node %u %s the address", n->id,
		    held ? "holds" : "drops");
	n->held = held;
	n->lease_end = CARP_NEVER;
	if (held && n->lease != CARP_NEVER && w->flaw != FLAW_LEASE)
		n->lease_end = w->now + n->lease + LEASE_LATE;
}

void
node_lease_ends(struct world *w, struct node *n)
{
	world_say(w, "node %u: the lease ends", n->id);
	hold(w, n, false);
}

static void
send_advert(struct world *w, struct node *n, uint8_t family,
    const uint8_t advert[CARP_LEN])
{
	struct carp_addr dst = carp_group(family);
	uint8_t ip[CARP_IP_MAX];
	size_t len;

	len = carp_ip_encode(ip, &n->ip[family == 6], &dst, advert);
	for (int i = w->flaw == FLAW_STORM ? 200 : 1; i > 0; i--)
		world_send(w, n, ip, len);
}

/* Carries out what the core wants. */
static void
act(struct world *w, struct node *n)
{
	uint64_t nth[2] = { 0, 0 };
	struct carp_action a;

	while (carp_next(n->carp, &a)) {
		switch (a.what) {
		case CARP_DO_STATE:
			world_say(w, "node %u: %s -> %s: %s", n->id,
			    carp_state_name(a.from), carp_state_name(a.to),
			    carp_cause_text(a.cause));
			n->masters += a.to == CARP_MASTER;
			hold(w, n, a.to == CARP_MASTER);
			break;
		case CARP_DO_SEND:
			/* The second one of a family is the former form. */
			if (nth[a.family == 6]++ == 1 && w->flaw == FLAW_SILENT)
				break;
			send_advert(w, n, a.family, a.advert);
			/* A lease is renewed with each advertisement. */
			if (!a.bowout && carp_state(n->carp) == CARP_MASTER)
				hold(w, n, true);
			break;
		case CARP_DO_ANNOUNCE:
			break;
		}
	}
}

static void
act_model(struct world *w, struct node *n, bool was)
{
	uint8_t advert[CARP_LEN];

	for (unsigned i = 0; i < n->peer.nsend; i++) {
		carp_encode(advert, &n->peer.send[i]);
		send_advert(w, n, n->peer.send[i].dst.family, advert);
	}
	n->peer.nsend = 0;
	if (was != n->peer.master)
		world_say(w, "node %u: %s", n->id,
		    n->peer.master ? "MASTER" : "BACKUP or INIT");
	n->masters = n->peer.masters;
	if (n->held != n->peer.master)
		hold(w, n, n->peer.master);
}

/*
 * Life.
 */
static void
forget(struct node *n)
{
	n->nqueue = 0;
	n->read_at = CARP_NEVER;
	n->timer_for = n->timer_at = CARP_NEVER;
	n->paused = false;
}

/*
 * The successor of a master that was killed: it goes on if nobody can have
 * taken over yet, or tells the others that the former one is gone.
 */
static void
succeed(struct world *w, struct node *n)
{
	uint64_t soonest = 3 * carp_interval(n->cfg.advbase, 0);

	(void)carp_resume(n->carp, w->now - n->died < soonest / 2, w->now);
	act(w, n);
	n->died = 0;
}

void
node_start(struct world *w, struct node *n)
{
	world_say(w, "node %u (%s) starts", n->id, node_name(n));
	forget(n);
	n->alive = true;
	if (n->kind == MODEL) {
		if (n->nic)
			peer_start(&n->peer, w->now);
		act_model(w, n, false);
		return;
	}
	hold(w, n, false); /* what a former one left */
	n->cfg.counter = rng_next(&w->rng);
	n->cfg.seed = rng_next(&w->rng);
	if (carp_new(&n->carp, &n->cfg, n->addrs, n->naddrs) != 0)
		abort();
	if (n->demotion != 0)
		(void)carp_demote(n->carp, n->demotion, w->now);
	if (n->nic)
		(void)carp_link(n->carp, true, w->now);
	act(w, n);
	if (n->died != 0)
		succeed(w, n);
}

static void
gone(struct node *n)
{
	forget(n);
	n->alive = false;
	if (n->kind == MODEL)
		peer_down(&n->peer);
	carp_free(n->carp);
	n->carp = NULL;
}

void
node_kill(struct world *w, struct node *n)
{
	world_say(w, "node %u is killed", n->id);
	n->died = n->kind == OURS && node_is_master(n) ? w->now : 0;
	gone(n);
	/* Without a lease the supervisor removes the addresses at once. */
	if (n->lease == CARP_NEVER)
		hold(w, n, false);
}

void
node_crash(struct world *w, struct node *n)
{
	world_say(w, "node %u crashes", n->id);
	n->died = 0;
	gone(n);
	hold(w, n, false);
}

void
node_stop(struct world *w, struct node *n)
{
	bool was = node_is_master(n);

	world_say(w, "node %u is stopped", n->id);
	if (n->kind == MODEL) {
		peer_stop(&n->peer, w->now);
		act_model(w, n, was);
	} else {
		(void)carp_stop(n->carp, w->now);
		act(w, n);
	}
	gone(n);
}

void
node_nic(struct world *w, struct node *n, bool up)
{
	bool was = node_is_master(n);

	world_say(w, "node %u: link %s", n->id, up ? "up" : "down");
	n->nic = up;
	if (!n->alive || n->paused)
		return;
	if (n->kind == OURS) {
		(void)carp_link(n->carp, up, w->now);
		act(w, n);
		return;
	}
	if (up)
		peer_start(&n->peer, w->now);
	else
		peer_down(&n->peer);
	act_model(w, n, was);
}

void
node_pause(struct world *w, struct node *n)
{
	world_say(w, "node %u is frozen", n->id);
	n->paused = true;
}

/*
 * Packets first, then the link, then deadlines: a process that wakes up late
 * hears the master before it takes over.
 */
void
node_wake(struct world *w, struct node *n)
{
	bool backup = carp_state(n->carp) == CARP_BACKUP;
	struct carp_info before, after, last;

	world_say(w, "node %u wakes, %u frames wait", n->id, n->nqueue);
	n->paused = false;
	if (w->flaw == FLAW_EAGER)
		node_timer(w, n);
	info(n, &before);
	node_read(w, n);
	info(n, &after);
	(void)carp_link(n->carp, n->nic, w->now);
	act(w, n);
	if (n->edited)
		node_change(w, n);
	if (carp_deadline(n->carp) <= w->now)
		node_timer(w, n);
	info(n, &last);
	/* A bow-out counts if it was the last word, and is no old one. */
	if (backup && last.state == CARP_MASTER &&
	    last.cause == CARP_CAUSE_BOWOUT &&
	    (!carp_packet_is_bowout(&last.peer) ||
		w->now - n->bowout_at > before.interval))
		world_fail(w, "late",
		    "node %u became master by a bow-out that was over", n->id);
	/* Strictly, the silence of the other family alone is enough. */
	if (backup && !n->cfg.strict_family && last.state == CARP_MASTER &&
	    last.cause == CARP_CAUSE_SILENCE &&
	    after.stats.drops[CARP_OK] > before.stats.drops[CARP_OK])
		world_fail(w, "late", "node %u became master by waking up late",
		    n->id);
	if (backup && before.state == CARP_MASTER && n->nqueue == 0 &&
	    after.stats.drops[CARP_OK] > before.stats.drops[CARP_OK])
		world_fail(w, "late",
		    "node %u became master before it listened", n->id);
}

void
node_demote(struct world *w, struct node *n, int demotion)
{
	bool was = node_is_master(n);

	world_say(w, "node %u: demotion %d", n->id, demotion);
	n->demotion = demotion;
	if (n->kind == MODEL) {
		peer_demote(&n->peer, demotion, w->now);
		act_model(w, n, was);
	} else if (n->alive) {
		(void)carp_demote(n->carp, demotion, w->now);
		act(w, n);
	}
}

void
node_force(struct world *w, struct node *n, enum carp_state state)
{
	world_say(w, "node %u: forced to %s", n->id, carp_state_name(state));
	(void)carp_force(n->carp, state, w->now);
	act(w, n);
}

void
node_change(struct world *w, struct node *n)
{
	world_say(w, "node %u: %u addresses", n->id, n->naddrs);
	n->edited = false;
	if (carp_change(n->carp, &n->cfg, n->addrs, n->naddrs, w->now) != 0)
		abort();
	act(w, n);
}

/*
 * What comes in.
 */
static void
hear_ours(struct world *w, struct node *n, const struct frame *f)
{
	struct carp_info before, after;
	enum carp_verdict v;
	struct carp_packet p;
	bool master = carp_state(n->carp) == CARP_MASTER;

	if (f->forged)
		info(n, &before);
	v = carp_decode(&p, f->ip, f->len);
	if (v == CARP_OK && w->flaw == FLAW_TRUST && f->forged)
		(void)carp_digest(p.md, n->cfg.key, p.vhid, n->addrs, n->naddrs,
		    CARP_NOV6LL, NULL, p.counter);
	if (w->flaw == FLAW_DEAF && master &&
	    p.advbase * 256u + p.advskew <= node_rank(n))
		return;
	if (v == CARP_OK && w->flaw == FLAW_STALE)
		(void)carp_packet(n->carp, &p, &v, w->now);
	else if (v == CARP_OK)
		(void)carp_packet_late(n->carp, &p, &v, f->at, w->now);
	if (v == CARP_OK && carp_packet_is_bowout(&p))
		n->bowout_at = f->at;
	act(w, n);
	if (f->forged) {
		info(n, &after);
		check_unmoved(w, n, &before, &after, v);
	}
}

static void
hear(struct world *w, struct node *n, const struct frame *f)
{
	bool was = node_is_master(n);
	struct carp_packet p;

	if (!n->nic)
		return;
	if (n->kind == OURS) {
		hear_ours(w, n, f);
	} else if (carp_decode(&p, f->ip, f->len) == CARP_OK) {
		peer_packet(&n->peer, &p, w->now);
		act_model(w, n, was);
	}
}

/* Into the queue of a frozen or slow reader, or straight in. */
void
node_frame(struct world *w, struct node *n, const struct frame *f)
{
	if (!n->alive || !n->nic)
		return;
	if (!n->paused && !node_is_ucarp(n)) {
		hear(w, n, f);
		/* Nothing waits behind it, so what is due is done at once. */
		if (n->kind == OURS && carp_deadline(n->carp) <= w->now)
			node_timer(w, n);
		return;
	}
	if (n->nqueue < MAX_QUEUE)
		n->queue[n->nqueue++] = *f;
	if (node_is_ucarp(n) && n->read_at == CARP_NEVER)
		n->read_at = w->now + rng_below(&w->rng, UCARP_READ);
}

void
node_read(struct world *w, struct node *n)
{
	for (unsigned i = 0; i < n->nqueue; i++)
		hear(w, n, &n->queue[i]);
	n->nqueue = 0;
	n->read_at = CARP_NEVER;
	/* Another host of this node is due, and awake it looks at this one. */
	if (n->kind == OURS && rng_percent(&w->rng, 20)) {
		(void)carp_early(n->carp, w->now);
		act(w, n);
	}
}

void
node_timer(struct world *w, struct node *n)
{
	bool was = node_is_master(n);

	n->timer_for = CARP_NEVER;
	if (n->kind == MODEL) {
		peer_timer(&n->peer, w->now);
		act_model(w, n, was);
		return;
	}
	if (w->flaw == FLAW_STEADY && !was) {
		/* As if the master had been heard. */
		(void)carp_link(n->carp, false, w->now);
		act(w, n);
		(void)carp_link(n->carp, true, w->now);
	} else {
		(void)carp_timer(n->carp, w->now);
	}
	act(w, n);
}

/* A deadline is noticed a little late, not always by the same. */
uint64_t
node_deadline(struct world *w, struct node *n)
{
	uint64_t t;

	if (!n->alive || n->paused)
		return CARP_NEVER;
	t = n->kind == OURS ? carp_deadline(n->carp) : peer_deadline(&n->peer);
	if (t == CARP_NEVER)
		return t;
	if (t != n->timer_for) {
		n->timer_for = t;
		n->timer_at = t + rng_below(&w->rng, w->latency + 1);
	}
	return n->timer_at;
}
