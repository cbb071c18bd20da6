/* SPDX-License-Identifier: ISC */
/*
 * Nodes with several segments, whose hosts move together: links are lost and
 * return, single hosts are demoted by order, messages get lost.  Each node is
 * what the engine does around the core.  It must always hold that nobody is
 * displaced who is well and is heard, and, some time after each event, that
 * there is one master in each segment, none of whom has lost a link while
 * another node has not.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <carp/carp.h>

#include "move.h"
#include "rng.h"

#define NODES	 3
#define SEGMENTS 3
#define FRAMES	 256
#define EVENTS	 12
#define MS	 (CARP_SEC / 1000)
#define SETTLE	 (9 * CARP_SEC)
#define SOON	 (16 * MS) /* a lost host is taken over by then */
#define BOTH	 (5 * MS)  /* two masters that hear each other */

struct frame {
	uint64_t at;
	unsigned to, seg;
	struct carp_packet p;
};

struct node {
	struct carp *c[SEGMENTS];
	bool nic[SEGMENTS];
	int order[SEGMENTS]; /* demotion of one host */
	uint64_t wake;	     /* reads what has come; CARP_NEVER */
};

struct moves {
	struct rng rng;
	uint64_t now, both[SEGMENTS];
	unsigned nnodes, nframes, loss;
	bool lossy; /* at some time */
	struct node node[NODES];
	struct frame frame[FRAMES];
	bool verbose, broken, flaw;
	uint64_t seed;
};

static void
fail(struct moves *m, const char *what, unsigned n, unsigned s)
{
	if (!m->broken && !m->flaw)
		printf("move: seed %" PRIu64 " at %.6f: %s (node %u, segment "
		       "%u)\n",
		    m->seed, (double)m->now / 1e9, what, n, s);
	m->broken = true;
}

static bool
has_lost(const struct node *n)
{
	for (unsigned s = 0; s < SEGMENTS; s++)
		if (!n->nic[s])
			return true;
	return false;
}

static bool
is_master(const struct moves *m, unsigned n, unsigned s)
{
	return m->node[n].nic[s] && carp_state(m->node[n].c[s]) == CARP_MASTER;
}

static void
broadcast(
    struct moves *m, unsigned from, unsigned seg, const struct carp_action *a)
{
	struct carp_addr src, dst = carp_group(4);
	uint8_t ip[CARP_IP_MAX];
	char text[32];
	size_t len;

	(void)snprintf(text, sizeof(text), "10.%u.0.%u", seg, from + 1);
	(void)carp_addr_parse(&src, text);
	len = carp_ip_encode(ip, &src, &dst, a->advert);
	for (unsigned to = 0; to < m->nnodes; to++) {
		struct frame *f = &m->frame[m->nframes];

		if (to == from || !m->node[to].nic[seg] ||
		    !m->node[from].nic[seg] || rng_percent(&m->rng, m->loss))
			continue;
		if (m->nframes == FRAMES) {
			fail(m, "storm", from, seg);
			return;
		}
		*f = (struct frame){ .to = to, .seg = seg };
		f->at = m->now + 50000 + rng_below(&m->rng, MS / 4);
		(void)carp_decode(&f->p, ip, len);
		m->nframes++;
	}
}

/* Somebody took over without having waited: from whom? */
static void
check_orphan(struct moves *m, unsigned n, unsigned s)
{
	for (unsigned k = 0; m->loss == 0 && k < m->nnodes; k++)
		if (k != n && is_master(m, k, s) && m->node[n].nic[s] &&
		    !has_lost(&m->node[k]) && m->node[k].order[s] == 0)
			fail(m, "displaced one that is well", k, s);
}

static void
act(struct moves *m, unsigned n, unsigned s)
{
	struct carp_action a;

	while (carp_next(m->node[n].c[s], &a)) {
		if (a.what == CARP_DO_SEND)
			broadcast(m, n, s, &a);
		if (a.what != CARP_DO_STATE)
			continue;
		if (m->verbose)
			printf("%12.6f  node %u segment %u: %s: %s\n",
			    (double)m->now / 1e9, n, s, carp_state_name(a.to),
			    carp_cause_text(a.cause));
		if (a.cause == CARP_CAUSE_ORPHANED)
			check_orphan(m, n, s);
	}
}

/*
 * What the engine does.
 */
static void
demote(struct moves *m, unsigned n)
{
	int sum = has_lost(&m->node[n]) ? CARP_DEMOTED : 0;

	for (unsigned s = 0; s < SEGMENTS; s++) {
		(void)carp_demote(
		    m->node[n].c[s], sum + m->node[n].order[s], m->now);
		act(m, n, s);
	}
}

static void
set_link(struct moves *m, unsigned n, unsigned s, bool up)
{
	if (m->verbose)
		printf("%12.6f  node %u segment %u: link %d\n",
		    (double)m->now / 1e9, n, s, up);
	m->node[n].nic[s] = up;
	if (up)
		demote(m, n);
	(void)carp_link(m->node[n].c[s], up, m->now);
	act(m, n, s);
	demote(m, n);
}

static void
order(struct moves *m, unsigned n, unsigned s, int amount)
{
	if (m->verbose)
		printf("%12.6f  node %u segment %u: demotion %d by order\n",
		    (double)m->now / 1e9, n, s, amount);
	m->node[n].order[s] = amount;
	demote(m, n);
	for (unsigned k = 0; k < SEGMENTS; k++) {
		if (k == s)
			continue;
		(void)carp_advertise(m->node[n].c[k], m->now);
		act(m, n, k);
	}
}

/* All that has come, segment by segment; then who is to be followed. */
static void
read_all(struct moves *m, unsigned n)
{
	unsigned taken = SEGMENTS;
	enum carp_verdict v;

	for (unsigned s = SEGMENTS; s-- > 0;) {
		for (unsigned k = 0; k < m->nframes;) {
			struct frame f = m->frame[k];

			if (f.to != n || f.seg != s || f.at > m->now) {
				k++;
				continue;
			}
			m->frame[k] = m->frame[--m->nframes];
			if (!m->node[n].nic[s])
				continue;
			(void)carp_packet(m->node[n].c[s], &f.p, &v, m->now);
			if (carp_took_demoted(m->node[n].c[s]))
				taken = s;
			act(m, n, s);
		}
	}
	for (unsigned s = 0; taken < SEGMENTS && s < SEGMENTS; s++)
		(void)carp_follow(m->node[n].c[s], m->node[n].c[taken], m->now);
}

/*
 * Time.
 */
static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t
next_moment(struct moves *m)
{
	uint64_t t = CARP_NEVER;

	for (unsigned k = 0; k < m->nframes; k++) {
		struct node *n = &m->node[m->frame[k].to];

		if (n->wake == CARP_NEVER)
			n->wake = m->frame[k].at + rng_below(&m->rng, MS / 2);
	}
	for (unsigned n = 0; n < m->nnodes; n++) {
		t = least(t, m->node[n].wake);
		for (unsigned s = 0; s < SEGMENTS; s++)
			t = least(t, carp_deadline(m->node[n].c[s]));
	}
	return t;
}

static void
check_both(struct moves *m)
{
	for (unsigned s = 0; s < SEGMENTS; s++) {
		unsigned masters = 0;

		for (unsigned n = 0; n < m->nnodes; n++)
			masters += is_master(m, n, s);
		if (masters < 2)
			m->both[s] = CARP_NEVER;
		else if (m->both[s] == CARP_NEVER)
			m->both[s] = m->now;
		else if (m->now - m->both[s] > BOTH && !m->lossy)
			fail(m, "two masters for too long", masters, s);
	}
}

static void
run_until(struct moves *m, uint64_t end)
{
	uint64_t t;

	while (!m->broken && (t = next_moment(m)) <= end) {
		m->now = t > m->now ? t : m->now;
		check_both(m);
		for (unsigned n = 0; n < m->nnodes; n++) {
			m->node[n].wake = CARP_NEVER;
			read_all(m, n);
			for (unsigned s = 0; s < SEGMENTS; s++) {
				(void)carp_timer(m->node[n].c[s], m->now);
				act(m, n, s);
			}
		}
	}
	m->now = end;
}

static void
check_settled(struct moves *m)
{
	bool fit = false;

	for (unsigned n = 0; n < m->nnodes; n++) {
		bool well = !has_lost(&m->node[n]);

		for (unsigned s = 0; s < SEGMENTS; s++)
			well = well && m->node[n].order[s] == 0;
		fit |= well;
	}
	for (unsigned s = 0; s < SEGMENTS; s++) {
		unsigned masters = 0, up = 0;

		for (unsigned n = 0; n < m->nnodes; n++) {
			up += m->node[n].nic[s];
			masters += is_master(m, n, s);
			if (fit && is_master(m, n, s) && has_lost(&m->node[n]))
				fail(m, "half a node has not moved", n, s);
		}
		if (masters != (up > 0))
			fail(m, "not one master", masters, s);
	}
}

/* A node that is well, and that has heard the other one last. */
static bool
may_follow(struct moves *m, unsigned k, unsigned n, unsigned s)
{
	struct carp_info info;

	carp_get_info(m->node[k].c[s], &info);
	return !has_lost(&m->node[k]) && m->node[k].order[0] == 0 &&
	       m->node[k].order[1] == 0 && m->node[k].order[2] == 0 &&
	       info.peer.src.ip[3] == n + 1;
}

/* The loss of one link of a node that is master of others as well. */
static void
lose(struct moves *m, unsigned n, unsigned s)
{
	bool told = false, heir = false, soon = false;
	struct carp_info info;

	carp_get_info(m->node[n].c[s], &info);
	for (unsigned k = 0; k < SEGMENTS; k++)
		told |=
		    k != s && is_master(m, n, k) && m->node[n].order[k] == 0;
	for (unsigned k = 0; k < m->nnodes; k++)
		heir |= k != n && may_follow(m, k, n, s);
	/* Of three, the one that is to follow may yield before it does. */
	told = told && heir && m->nnodes == 2 && m->loss == 0 &&
	       !has_lost(&m->node[n]) && m->node[n].order[s] == 0 &&
	       is_master(m, n, s) && m->now - info.sent > 4 * MS;
	set_link(m, n, s, false);
	run_until(m, m->now + SOON);
	for (unsigned k = 0; k < m->nnodes; k++)
		soon |= k != n && is_master(m, k, s);
	if (told && !soon)
		fail(m, "not taken over soon", n, s);
}

static void
make(struct moves *m, bool flaw)
{
	bool preempt = rng_percent(&m->rng, 50);
	uint64_t one = rng_next(&m->rng);
	struct carp_addr addr;

	for (unsigned n = 0; n < m->nnodes; n++) {
		uint64_t id = flaw ? one : rng_next(&m->rng);

		m->node[n].wake = CARP_NEVER;
		for (unsigned s = 0; s < SEGMENTS; s++) {
			struct carp_config cfg = CARP_CONFIG_INIT;

			cfg.vhid = (uint8_t)(10 + s);
			cfg.advskew = (uint8_t)(n * 60);
			cfg.preempt = preempt;
			cfg.together = 1;
			cfg.counter = carp_counter_near(id, rng_next(&m->rng));
			cfg.seed = rng_next(&m->rng);
			(void)carp_addr_parse(&addr, "10.0.0.100/24");
			if (carp_new(&m->node[n].c[s], &cfg, &addr, 1) != 0)
				abort();
			m->node[n].nic[s] = true;
			(void)carp_link(m->node[n].c[s], true, m->now);
			act(m, n, s);
		}
	}
}

bool
move_run(uint64_t seed, bool flaw, bool verbose)
{
	struct moves *m = calloc(1, sizeof(*m));
	bool good;

	if (m == NULL)
		abort();
	m->rng.state = seed * UINT64_C(0x9fb21c651e98df25) + 1;
	m->seed = seed;
	m->verbose = verbose;
	m->flaw = flaw;
	m->now = 1000 * CARP_SEC;
	m->nnodes = 2 + (unsigned)rng_below(&m->rng, NODES - 1);
	m->loss = rng_percent(&m->rng, 30) ? 10 : 0;
	m->lossy = m->loss > 0;
	for (unsigned s = 0; s < SEGMENTS; s++)
		m->both[s] = CARP_NEVER;
	make(m, flaw);
	run_until(m, m->now + SETTLE);
	for (unsigned k = 0; k < EVENTS && !m->broken; k++) {
		unsigned n = (unsigned)rng_below(&m->rng, m->nnodes);
		unsigned s = (unsigned)rng_below(&m->rng, SEGMENTS);

		if (!m->node[n].nic[s])
			set_link(m, n, s, true);
		else if (rng_percent(&m->rng, 60))
			lose(m, n, s);
		else
			order(m, n, s,
			    m->node[n].order[s] == 0 ? CARP_DEMOTED : 0);
		run_until(m, m->now + SETTLE + rng_below(&m->rng, CARP_SEC));
		if (m->loss == 0)
			check_settled(m);
	}
	m->loss = 0;
	run_until(m, m->now + SETTLE);
	check_settled(m);
	good = !m->broken;
	for (unsigned n = 0; n < m->nnodes; n++)
		for (unsigned s = 0; s < SEGMENTS; s++)
			carp_free(m->node[n].c[s]);
	free(m);
	return good;
}
