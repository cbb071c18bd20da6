/* SPDX-License-Identifier: ISC */
/* What must always hold in a run. */
#include <string.h>

#include "check.h"

#define LEASE_LATE (40 * MS)

static uint64_t
most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The longest interval of a node in this run. */
static uint64_t
longest_interval(const struct world *w, const struct node *n)
{
	uint8_t base = n->kind == OURS ? n->cfg.advbase : n->peer.base;
	uint8_t skew = n->kind == OURS ? n->cfg.advskew : n->peer.skew;

	if (w->demotes && skew < CARP_DEMOTED)
		skew = CARP_DEMOTED;
	return carp_interval(base, skew);
}

/* How long the kernel may keep the address of one that does not run. */
static uint64_t
outlives(const struct world *w, const struct node *n)
{
	if (n->lease != CARP_NEVER)
		return n->lease + LEASE_LATE;
	return n->kind == OURS ? FREEZE * longest_interval(w, n) : 0;
}

/*
 * S1.  Two nodes hold the address, and each hears the other.  That ends when
 * the worse one reads an advertisement of the better one.  At most max_lost
 * in a row are lost, so after max_lost + 1 of the longer interval I one is
 * delivered, late by delay, jitter and late_by, and its sender was late by
 * the latency of a deadline:
 *
 *	(max_lost + 1) * I + delay + jitter + late_by + latency
 *
 * With max_lost = 2 the first term is the detection time, 3 * I.  Of two equal
 * ones the second advertisement decides, so there the first term counts twice.
 * Added are: I where there are others than ours, since an equal advertisement
 * that may be the answer of ucarp as it yields is let pass once; a second for
 * ucarp, which reads its packets once a second; and for a node that did not run
 * meanwhile its lease.  With base 0 there is no such lease yet; then the script
 * freezes a node for no longer than FREEZE of its intervals.
 */
static uint64_t
bound(const struct world *w, unsigned i, unsigned j)
{
	const struct node *a = &w->node[i], *b = &w->node[j];
	uint64_t interval =
	    most(longest_interval(w, a), longest_interval(w, b));
	uint64_t late = w->delay + w->jitter + w->latency + MS;
	uint64_t t;

	if (w->late > 0)
		late += w->late_by;
	if (node_is_ucarp(a) || node_is_ucarp(b))
		late += CARP_SEC;
	t = (w->max_lost + 1) * interval + late;
	if (w->demotes || longest_interval(w, a) == longest_interval(w, b))
		t += (w->max_lost + 1) * interval;
	if (a->kind != OURS || b->kind != OURS)
		t += interval + late;
	if (w->stood[i][j])
		t += outlives(w, a);
	if (w->stood[j][i])
		t += outlives(w, b);
	return t;
}

static bool
stands(const struct node *n)
{
	return n->paused || !n->alive;
}

static void
check_pair(struct world *w, unsigned i, unsigned j)
{
	if (!w->node[i].held || !w->node[j].held || !world_carries(w, i, j) ||
	    !world_carries(w, j, i)) {
		w->both[i][j] = CARP_NEVER;
		return;
	}
	if (w->both[i][j] == CARP_NEVER) {
		w->both[i][j] = w->now;
		w->stood[i][j] = w->stood[j][i] = false;
	}
	w->stood[i][j] = w->stood[i][j] || stands(&w->node[i]);
	w->stood[j][i] = w->stood[j][i] || stands(&w->node[j]);
}

void
check_overlaps(struct world *w)
{
	for (unsigned i = 0; i < w->nnodes; i++)
		for (unsigned j = i + 1; j < w->nnodes; j++)
			check_pair(w, i, j);
}

void
check_bounds(struct world *w)
{
	for (unsigned i = 0; i < w->nnodes; i++)
		for (unsigned j = i + 1; j < w->nnodes; j++) {
			uint64_t limit, t;

			if (w->both[i][j] == CARP_NEVER)
				continue;
			t = w->now - w->both[i][j];
			w->longest = most(w->longest, t);
			limit = bound(w, i, j);
			if (t > limit)
				world_fail(w, "S1",
				    "nodes %u and %u hold the address for "
				    "more than %.3f s",
				    i, j, (double)limit / 1e9);
		}
}

void
check_unmoved(struct world *w, const struct node *n,
    const struct carp_info *before, const struct carp_info *after,
    enum carp_verdict v)
{
	struct carp_info same = *after;

	same.stats = before->stats;
	if (v == CARP_OK || memcmp(before, &same, sizeof(same)) != 0 ||
	    after->stats.opackets != before->stats.opackets ||
	    after->stats.opackets6 != before->stats.opackets6)
		world_fail(w, "S6", "a forged packet (%s) moved node %u",
		    carp_verdict_name(v), n->id);
}

static bool
always_preempts(const struct node *n)
{
	return n->kind == OURS ? n->cfg.preempt : n->peer.preempt;
}

/*
 * Two equal ones among the others tie for ever if their timers are that exact
 * and the wire that slow: they have no jitter.  No promise of ours is broken.
 */
static bool
others_tie(const struct world *w)
{
	for (unsigned i = 0; i < w->nnodes; i++)
		for (unsigned j = i + 1; j < w->nnodes; j++)
			if (w->node[i].kind == MODEL &&
			    w->node[j].kind == MODEL &&
			    node_interval(&w->node[i]) ==
				node_interval(&w->node[j]))
				return true;
	return false;
}

/* All nodes of the part in which `first` is. */
static void
check_part(struct world *w, unsigned first, bool seen[MAX_NODES])
{
	unsigned masters = 0, master = 0, best = UINT32_MAX;
	bool preempt = true;

	for (unsigned i = 0; i < w->nnodes; i++) {
		struct node *n = &w->node[i];

		if (i != first && !world_carries(w, first, i))
			continue;
		seen[i] = true;
		if (node_is_master(n)) {
			masters++;
			master = i;
		}
		if (n->held != node_is_master(n))
			world_fail(w, "address", "node %u: %s, but %s", i,
			    node_is_master(n) ? "master" : "no master",
			    n->held ? "holds" : "does not hold");
		if (node_rank(n) < best)
			best = node_rank(n);
		preempt = preempt && always_preempts(n);
	}
	if (masters == 0 && others_tie(w))
		return;
	if (masters != 1)
		world_fail(w, "liveness", "%u masters in the part of node %u",
		    masters, first);
	else if (preempt && w->ranked && node_rank(&w->node[master]) != best)
		world_fail(w, "liveness", "node %u is master, but not the best",
		    master);
}

void
check_settled(struct world *w)
{
	bool seen[MAX_NODES] = { false };

	for (unsigned i = 0; i < w->nnodes && w->broken == NULL; i++)
		if (!seen[i])
			check_part(w, i, seen);
}

bool
check_is_settled(struct world *w)
{
	struct world now = *w;

	now.verbose = false;
	check_settled(&now);
	return now.broken == NULL;
}

/*
 * One train in an interval; one more in answer to a worse master, at most one
 * an interval; one for each time that it became master, and for each thing
 * that the script did to it, each with a bow-out.  A train is an
 * advertisement by families and forms.
 */
void
check_storms(
    struct world *w, uint64_t length, unsigned families, unsigned events)
{
	for (unsigned i = 0; i < w->nnodes; i++) {
		const struct node *n = &w->node[i];
		uint64_t least, trains, masters;

		if (n->kind != OURS)
			continue;
		least = carp_interval(
		    n->cfg.advbase, w->demotes && n->cfg.advskew < CARP_DEMOTED
					? 0
					: n->cfg.advskew);
		trains =
		    2 * (length / least) + 3 * n->masters + 2 * n->pushed + 8;
		masters = length / (3 * least) + 4 * events + 8;
		if (n->sent > trains * families)
			world_fail(
			    w, "storm", "node %u sent %u adverts", i, n->sent);
		if (n->masters > masters)
			world_fail(w, "flapping",
			    "node %u became master %u times", i, n->masters);
	}
}
