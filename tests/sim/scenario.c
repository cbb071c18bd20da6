/* SPDX-License-Identifier: ISC */
/* Draws a cluster and its troubles, lets them happen, and judges. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "cluster.h"
#include "scenario.h"

#define MAX_STEPS 64

enum what {
	PAUSE,
	WAKE,
	CRASH,
	KILL,
	STOP,
	START,
	NIC_DOWN,
	NIC_UP,
	CUT, /* a to b, one way */
	JOIN,
	SPLIT, /* by a set of nodes */
	HEAL,
	DEMOTE,
	FORCE,
	FORGE,
	REPLAY,
	CHANGE
};

struct step {
	uint64_t at;
	enum what what;
	unsigned a, b;
};

struct scenario {
	struct world w;
	struct step step[MAX_STEPS];
	unsigned nsteps, events;
	struct cluster k;
	uint64_t calm; /* when the troubles end */
};

/*
 * The script.
 */
static void
add(struct scenario *s, uint64_t at, enum what what, unsigned a, unsigned b)
{
	if (s->nsteps == MAX_STEPS)
		abort();
	s->step[s->nsteps++] = (struct step){ at, what, a, b };
}

/* A trouble and its end. */
static void
add_both(struct scenario *s, enum what what, enum what end, unsigned a,
    unsigned b, uint64_t longest)
{
	struct rng *r = &s->w.rng;
	uint64_t from = s->w.now + rng_below(r, s->calm - s->w.now);
	uint64_t until = from + 1 + rng_below(r, longest);

	add(s, from, what, a, b);
	add(s, until < s->calm ? until : s->calm, end, a, b);
}

static void
add_once(struct scenario *s, enum what what, unsigned a, unsigned b)
{
	add(s, s->w.now + rng_below(&s->w.rng, s->calm - s->w.now), what, a, b);
}

static void
add_trouble(struct scenario *s)
{
	struct world *w = &s->w;
	unsigned n = w->nnodes;
	unsigned a = (unsigned)rng_below(&w->rng, n);
	unsigned b = (a + 1 + (unsigned)rng_below(&w->rng, n - 1)) % n;
	uint64_t longest = 3 * s->k.unit;
	bool ours = w->node[a].kind == OURS;

	switch (rng_below(&w->rng, 10)) {
	case 0:
	case 1:
		if (!ours)
			return;
		/* Without a lease nothing ends the address of a frozen one. */
		if (w->node[a].lease == CARP_NEVER)
			longest = FREEZE * node_interval(&w->node[a]);
		else if (s->k.changes) /* all within the grace */
			longest = s->k.unit / 2;
		add_both(s, PAUSE, WAKE, a, 0, longest);
		return;
	case 2:
		if (!s->k.changes) /* the new one would know one list only */
			add_both(s,
			    ours && rng_percent(&w->rng, 50) ? KILL : CRASH,
			    START, a, 0, longest);
		return;
	case 3:
		if (!s->k.changes)
			add_both(s, STOP, START, a, 0, longest);
		return;
	case 4:
		add_both(s, NIC_DOWN, NIC_UP, a, 0, longest);
		return;
	case 5:
		add_both(s, CUT, JOIN, a, b, longest);
		return;
	case 6:
		add_both(s, SPLIT, HEAL,
		    (unsigned)rng_range(&w->rng, 1, (1u << n) - 2), 0, longest);
		return;
	case 7:
		if (!w->demotes)
			return;
		add_once(s, DEMOTE, a, (unsigned)rng_below(&w->rng, 8));
		return;
	case 8:
		if (ours)
			add_once(
			    s, FORCE, a, (unsigned)rng_range(&w->rng, 1, 2));
		return;
	default:
		add_once(s, rng_percent(&w->rng, 70) ? FORGE : REPLAY, a, b);
		return;
	}
}

static int
by_time(const void *a, const void *b)
{
	const struct step *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x > y) - (x < y);
}

/* One node after the other gets the new list, within the grace. */
static void
add_changes(struct scenario *s)
{
	uint64_t at = s->w.now + rng_below(&s->w.rng, s->k.unit);
	unsigned n = s->w.nnodes, first = (unsigned)rng_below(&s->w.rng, n);

	for (unsigned i = 0; i < n; i++) {
		add(s, at, CHANGE, (first + i) % n, 0);
		at += rng_below(&s->w.rng, 40 * CARP_SEC / n);
	}
	if (at > s->calm)
		s->calm = at;
}

static void
make_script(struct scenario *s)
{
	unsigned n = (unsigned)rng_range(&s->w.rng, 1, 24);

	s->w.demotes = rng_percent(&s->w.rng, 30);
	s->calm = s->w.now + s->k.unit * rng_range(&s->w.rng, 3, 25);
	s->k.unit = s->k.unit > 0 ? s->k.unit : 1;
	if (s->k.changes)
		add_changes(s);
	for (unsigned i = 0; i < n; i++)
		add_trouble(s);
	s->events = s->nsteps;
	qsort(s->step, s->nsteps, sizeof(s->step[0]), by_time);
}

/*
 * Carrying it out.
 */
static void
block(struct scenario *s, unsigned a, unsigned b, int by)
{
	s->w.block[a][b] = (uint8_t)(s->w.block[a][b] + by);
}

/* Between nodes in the set and the others. */
static void
split(struct scenario *s, unsigned set, int by)
{
	for (unsigned i = 0; i < s->w.nnodes; i++)
		for (unsigned j = 0; j < s->w.nnodes; j++)
			if ((set >> i & 1) != (set >> j & 1))
				block(s, i, j, by);
}

/* A frame that was once sent, changed so that it is not authentic. */
static void
forge(struct scenario *s, unsigned to)
{
	static const unsigned covered[] = { 1, 8, 15, 16, 35 };
	struct world *w = &s->w;
	struct frame f;
	struct carp_packet p;
	unsigned head;

	if (w->nold == 0 || w->node[to].kind != OURS)
		return;
	f = w->old[rng_below(
	    &w->rng, w->nold < OLD_FRAMES ? w->nold : OLD_FRAMES)];
	head = f.ip[0] >> 4 == 4 ? 20 : 40;
	f.forged = true;
	switch (rng_below(&w->rng, 4)) {
	case 0: /* a bit, the checksum as it was */
		f.ip[head + rng_below(&w->rng, CARP_LEN)] ^=
		    (uint8_t)(1 << rng_below(&w->rng, 8));
		break;
	case 1: /* a bit that the digest covers, under a good checksum */
		(void)carp_decode(&p, f.ip, f.len);
		f.ip[head + covered[rng_below(&w->rng, 5)]] ^=
		    (uint8_t)(1 << rng_below(&w->rng, 8));
		(void)carp_decode(&p, f.ip, f.len);
		carp_encode(f.ip + head, &p);
		break;
	case 2: /* another key, and tempting */
		(void)carp_decode(&p, f.ip, f.len);
		p.advbase = p.advskew = rng_percent(&w->rng, 50) ? 255 : 0;
		(void)carp_digest(p.md,
		    (const uint8_t *)"another key\0\0\0\0\0"
				     "\0\0\0\0",
		    p.vhid, w->node[to].addrs, w->node[to].naddrs, CARP_NOV6LL,
		    NULL, p.counter);
		carp_encode(f.ip + head, &p);
		break;
	default: /* cut off */
		f.len = (uint8_t)rng_below(&w->rng, f.len);
		break;
	}
	world_inject(w, to, &f);
}

/* What was sent before comes again: to its sender, or to another. */
static void
replay(struct scenario *s, unsigned to)
{
	struct world *w = &s->w;
	struct frame f;

	if (w->nold == 0)
		return;
	f = w->old[rng_below(
	    &w->rng, w->nold < OLD_FRAMES ? w->nold : OLD_FRAMES)];
	/* An own one that comes back is no more than a forgery. */
	f.forged = f.from == to && w->node[to].kind == OURS && s->events > 0 &&
		   w->node[to].alive && w->node[to].pushed == 0;
	world_inject(w, to, &f);
}

static void
change(struct scenario *s, struct node *n)
{
	cluster_parse(&n->addrs[n->naddrs++], "192.0.2.101");
	n->edited = true;
	if (!n->paused)
		node_change(&s->w, n);
}

static const int demotions[8] = { 0, 1, 10, 100, 240, 300, -1, -50 };

static void
do_step(struct scenario *s, const struct step *st)
{
	struct world *w = &s->w;
	struct node *n = &w->node[st->a % w->nnodes];
	bool runs = n->alive && !n->paused;

	switch (st->what) {
	case PAUSE:
		if (runs)
			node_pause(w, n);
		return;
	case WAKE:
		if (n->alive && n->paused)
			node_wake(w, n);
		return;
	case CRASH:
	case KILL:
		if (n->alive)
			(st->what == KILL ? node_kill : node_crash)(w, n);
		n->pushed++;
		return;
	case STOP:
		if (runs)
			node_stop(w, n);
		n->pushed++;
		return;
	case START:
		if (!n->alive)
			node_start(w, n);
		return;
	case NIC_DOWN:
	case NIC_UP:
		n->pushed++;
		node_nic(w, n, st->what == NIC_UP);
		return;
	case CUT:
	case JOIN:
		block(s, st->a, st->b, st->what == CUT ? 1 : -1);
		return;
	case SPLIT:
	case HEAL:
		world_say(
		    w, "%s %x", st->what == SPLIT ? "split" : "heal", st->a);
		split(s, st->a, st->what == SPLIT ? 1 : -1);
		return;
	case DEMOTE:
		n->pushed++;
		if (runs)
			node_demote(w, n, demotions[st->b]);
		return;
	case FORCE:
		n->pushed++;
		if (runs && n->nic)
			node_force(w, n, (enum carp_state)st->b);
		return;
	case FORGE:
		forge(s, st->a);
		return;
	case REPLAY:
		replay(s, st->a);
		return;
	case CHANGE:
		change(s, n);
		return;
	}
}

/* All troubles end: no loss, nobody frozen or down, every wire carries. */
static void
calm_down(struct scenario *s)
{
	struct world *w = &s->w;
	unsigned parts =
	    rng_percent(&w->rng, 20)
		? (unsigned)rng_range(&w->rng, 1, (1u << w->nnodes) - 2)
		: 0;

	world_say(w, "calm");
	w->loss = w->late = 0;
	memset(w->block, 0, sizeof(w->block));
	for (unsigned i = 0; i < w->nnodes; i++) {
		struct node *n = &w->node[i];

		if (!n->alive)
			node_start(w, n);
		if (!n->nic)
			node_nic(w, n, true);
		if (n->paused)
			node_wake(w, n);
	}
	if (parts != 0) {
		world_say(w, "for good: split %x", parts);
		split(s, parts, 1);
	}
}

/*
 * Ours settle in time.  Others have no jitter, and with intervals of a few ms
 * the jitter is not much longer than a wire: they may tie for a while.
 */
static void
settle(struct scenario *s)
{
	struct world *w = &s->w;

	for (int i = 0; i < 20 && (s->k.models || s->k.fast); i++) {
		if (check_is_settled(w))
			break;
		world_run(w, w->now + s->k.unit);
	}
	if (!s->k.misled || !w->demotes)
		check_settled(w);
}

void
scenario_run(struct outcome *ret, uint64_t seed, enum flaw flaw, bool verbose)
{
	static struct scenario s;
	struct world *w = &s.w;
	uint64_t begun;

	memset(&s, 0, sizeof(s));
	world_init(w, seed);
	w->flaw = flaw;
	w->verbose = verbose;
	begun = w->now;
	cluster_make(&s.k, w);
	make_script(&s);
	for (unsigned i = 0; i < w->nnodes; i++)
		node_start(w, &w->node[i]);
	for (unsigned i = 0; i < s.nsteps && w->broken == NULL; i++) {
		world_run(w, s.step[i].at);
		if (w->broken == NULL)
			do_step(&s, &s.step[i]);
	}
	world_run(w, s.calm);
	calm_down(&s);
	/*
	 * A time-out, a few ties, and time for a better one to take over.
	 * With base 0 it is the demoted master that we waited for.
	 */
	world_run(w,
	    w->now + 5 * s.k.unit + 2 * CARP_SEC * s.k.models +
		4 * carp_interval(0, CARP_DEMOTED) * (s.k.fast && w->demotes));
	settle(&s);
	check_storms(w, w->now - begun,
	    (s.k.mixed ? 2 : 1) * (s.k.changes ? 2 : 1), s.events);

	memset(ret, 0, sizeof(*ret));
	ret->broken = w->broken;
	memcpy(ret->text, w->text, sizeof(ret->text));
	ret->length = w->now - begun;
	ret->longest = w->longest;
	for (unsigned i = 0; i < w->nnodes; i++) {
		ret->adverts += w->node[i].sent;
		ret->masters += w->node[i].masters;
	}
	world_free(w);
}
