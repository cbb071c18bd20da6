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

/*
 * S1.  Two nodes hold the address, and each hears the other.  That ends when
 * the worse one reads an advertisement of the better one.  At most max_lost
 * in a row are lost, so after max_lost + 1 of the longer interval I one is
 * delivered, late by delay, jitter and late_by, and its sender was late by
 * the latency of a deadline:
 *
 *	(max_lost + 1) * I + delay + jitter + late_by + latency
 *
 * With max_lost = 2 the first term is the detection time, 3 * I.  Two things
 * are added.  An equal advertisement that may be the answer of ucarp as it
 * yields is let pass once: I more where there are others than ours.  ucarp
 * reads its packets once a second.  A node that does not run cannot hear: its
 * address is ended by the lease, which is counted from its last
 * advertisement.
 */
static uint64_t
bound(const struct world *w, const struct node *a, const struct node *b)
{
	uint64_t interval =
	    most(longest_interval(w, a), longest_interval(w, b));
	uint64_t late = w->delay + w->jitter + w->latency + MS;
	uint64_t t, lease = 0;

	if (w->late > 0)
		late += w->late_by;
	if (node_is_ucarp(a) || node_is_ucarp(b))
		late += CARP_SEC;
	t = (w->max_lost + 1) * interval + late;
	if (a->kind != OURS || b->kind != OURS)
		t += interval + late;
	if (a->lease != CARP_NEVER)
		lease = a->lease;
	if (b->lease != CARP_NEVER)
		lease = most(lease, b->lease);
	return most(t, lease + LEASE_LATE + late);
}

void
check_overlaps(struct world *w)
{
	for (unsigned i = 0; i < w->nnodes; i++)
		for (unsigned j = i + 1; j < w->nnodes; j++) {
			bool both = w->node[i].held && w->node[j].held &&
				    world_carries(w, i, j) &&
				    world_carries(w, j, i);

			if (!both)
				w->both[i][j] = CARP_NEVER;
			else if (w->both[i][j] == CARP_NEVER)
				w->both[i][j] = w->now;
		}
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
			limit = bound(w, &w->node[i], &w->node[j]);
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
