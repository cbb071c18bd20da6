/* SPDX-License-Identifier: ISC */
/*
 * Hosts that move together: one is taken over because its master has said of
 * itself, elsewhere, that it is not well, and is silent here.
 */
#include <errno.h>

#include "fsm.h"

/*
 * In steps of the stride, the counters of a node's hosts start within 2^44 of
 * each other, and none takes that many steps.  With two random ones it happens
 * once in 2^18 pairs.  They do not start at the same, lest what one host sends
 * seems to be what another has sent.
 */
#define NEAR_STEP  (UINT64_C(1) << 24)
#define NEAR_STEPS (UINT64_C(1) << 20)

uint64_t
carp_counter_near(uint64_t node, uint64_t host)
{
	return node + STRIDE * (host % NEAR_STEPS * NEAR_STEP);
}

static bool
is_near(uint64_t a, uint64_t b)
{
	uint64_t steps = (a - b) * STRIDE_INVERSE;

	if (steps > UINT64_MAX / 2)
		steps = -steps;
	return steps < 2 * NEAR_STEP * NEAR_STEPS;
}

/*
 * A node that has lost a link can tell of it on its other segments only, by
 * demotion.  Who hears it there takes over there, and the host on the segment
 * that was lost would come seconds later.  So it is taken over as soon as its
 * master, known to be the same node, is seen to be silent.  What can go wrong:
 *
 * - The master is not silent at all: its demoted advertisement was lost, or is
 *   late.  It has been demoted all the same, so it yields to our first one, and
 *   we would have taken over with its next one.
 * - Only one of its hosts was demoted, by order.  Then its engine makes all the
 *   others advertise at once: they are heard, just before or after, and nothing
 *   follows.  (An advertisement that came just before the link was lost looks
 *   the same: then the time-out has to do.)  Should that be lost, the master is
 *   better than we are and reclaims with the next round trip, which is the
 *   bound of S1 for a lost packet anyway.
 * - It is better than we are, demoted as it is: then we have not taken over the
 *   first host, and nothing begins.  One that is as demoted as it can be, we,
 *   does not begin either: two nodes that lost the same link stay as they are.
 * - The master here is a third node, which is well and has no reason to say
 *   anything: its counters are not near, and it is left alone.
 * - Two backups hear it: the one with less skew is sooner, and the other then
 *   hears him.  If not, they settle as after any takeover.
 * - The link returns: the node hears us, as a backup, and takes all back if it
 *   preempts, each host on hearing us, or none.
 */
#define SILENT	    (CARP_SEC / 250)   /* 4 ms: one batch may take so long */
#define JUST	    (CARP_SEC / 500)   /* 2 ms: of one moment */
#define SILENT_SKEW (CARP_SEC / 50000) /* 20 us for each unit of our skew */

bool
carp_took_demoted(const struct carp *c)
{
	return c->state == CARP_MASTER && c->cfg.together && c->heard &&
	       fsm_is_demoted(&c->peer) && c->since == c->peer_at &&
	       (c->cause == CARP_CAUSE_SLOWER ||
		   c->cause == CARP_CAUSE_DEMOTED ||
		   c->cause == CARP_CAUSE_FADING);
}

static bool
is_left_by(const struct carp *c, const struct carp *taken, uint64_t now)
{
	return c->state == CARP_BACKUP && c->cfg.together && c->heard &&
	       c->preempt_at == 0 && now - c->peer_at >= JUST &&
	       fsm_skew(c) < CARP_DEMOTED && c->peer.advskew < CARP_DEMOTED &&
	       is_near(c->peer.counter, taken->peer.counter);
}

int
carp_follow(struct carp *c, const struct carp *taken, uint64_t now)
{
	if (c->taken < c->nout)
		return -EBUSY;
	if (c != taken && carp_took_demoted(taken) && is_left_by(c, taken, now))
		c->orphan_at = now + SILENT + fsm_skew(c) * SILENT_SKEW;
	return 0;
}
