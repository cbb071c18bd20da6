/* SPDX-License-Identifier: ISC */
/* The election: how often a master speaks, how long a backup waits. */
#include "fsm.h"

#define UNIT   (CARP_SEC / 256) /* of advskew, ns */
#define MISSED 3		/* intervals of silence: master is dead */
#define LATE   (CARP_SEC / 400) /* 2.5 ms: wake-ups, with base 0 */

uint64_t
carp_interval(uint8_t advbase, uint8_t advskew)
{
	if (advbase == 0 && advskew == 0)
		return UNIT; /* OpenBSD; the others cannot do it */
	return advbase * CARP_SEC + advskew * UNIT;
}

/*
 * FreeBSD adds demotion to the skew and clamps at 240.  It does so also to a
 * configured 241..254, which we leave as it was configured.
 */
uint8_t
fsm_skew(const struct carp *c)
{
	int64_t skew = (int64_t)c->cfg.advskew + c->demotion;
	int most =
	    c->cfg.advskew > CARP_DEMOTED ? c->cfg.advskew : CARP_DEMOTED;

	if (skew < 0)
		return 0;
	return (uint8_t)(skew < most ? skew : most);
}

uint8_t
fsm_demote(const struct carp *c)
{
	if (c->demotion < 0 || !c->cfg.openbsd)
		return 0;
	return (uint8_t)(c->demotion < 255 ? c->demotion : 255);
}

uint64_t
fsm_interval(const struct carp *c)
{
	return carp_interval(c->cfg.advbase, fsm_skew(c));
}

/*
 * 3 * base + skew, with the skew as configured.  With base 0 that would be
 * less than one interval of a master with a greater skew, so there it is three
 * intervals of the slower of the two, and some for a master that wakes up late:
 * later than a peer expects is safe.
 */
uint64_t
fsm_timeout(const struct carp *c)
{
	uint64_t own = carp_interval(c->cfg.advbase, c->cfg.advskew);

	if (c->cfg.advbase == 0)
		return MISSED *
			   (own > c->heard_interval ? own : c->heard_interval) +
		       LATE;
	if (c->cfg.triple_skew)
		return MISSED * own;
	return MISSED * c->cfg.advbase * CARP_SEC + c->cfg.advskew * UNIT;
}

uint64_t
fsm_soonest_takeover(const struct carp *c)
{
	if (c->cfg.advbase == 0)
		return MISSED * fsm_interval(c);
	return MISSED * c->cfg.advbase * CARP_SEC;
}

uint64_t
fsm_deadline(const struct carp *c)
{
	uint64_t first = CARP_NEVER;

	switch (c->state) {
	case CARP_MASTER:
		return c->advert_at;
	case CARP_BACKUP:
		if (c->standby)
			return CARP_NEVER;
		for (int f = 0; f < 2; f++)
			if ((c->families & 1u << f) && c->armed[f] < first)
				first = c->armed[f];
		if (first != CARP_NEVER)
			first += fsm_timeout(c);
		if (c->preempt_at != 0 && c->preempt_at < first)
			first = c->preempt_at;
		if (c->orphan_at != 0 && c->orphan_at < first)
			first = c->orphan_at;
		return first;
	default:
		return CARP_NEVER;
	}
}

enum carp_cause
fsm_timer_cause(const struct carp *c, uint64_t now)
{
	if (c->preempt_at != 0)
		return c->preempt_cause;
	if (c->orphan_at != 0 && c->orphan_at <= now)
		return CARP_CAUSE_ORPHANED;
	return CARP_CAUSE_SILENCE;
}
