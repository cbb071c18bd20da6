/* SPDX-License-Identifier: ISC */
/* The election: what an advertisement means. */
#include "fsm.h"

#define ANSWERS 4  /* of our last adverts may be answered */
#define CONTEST 10 /* intervals in which a second one decides */

/*
 * A master that was not running for so long that a peer had to take over.
 * Who does not preempt does not take it back.
 */
static bool
has_slept(const struct carp *c, uint64_t now)
{
	return now - c->sent > fsm_soonest_takeover(c);
}

/*
 * Two equal masters: BSD yields at once, but ucarp sends once more in the act
 * of yielding, up to a second later.  Were we to yield to the first equal
 * advert, both would be silent for a whole time-out, again and again.  So the
 * first one starts a contest: our next advert comes soon, at a random moment.
 * Whoever hears the other for the second time (of one family: they come in
 * pairs) yields.  An answer (its counter is one of ours plus one: ucarp,
 * yielding) is let pass once.
 */
static enum fsm_event
judge_equal(struct carp *c, const struct carp_packet *pkt, uint64_t now)
{
	if (has_slept(c, now))
		return EV_BETTER;
	if (c->tied == 0 || now - c->tied >= CONTEST * fsm_interval(c)) {
		c->tied = now;
		c->tied_family = pkt->src.family;
		c->answered = false;
		return EV_EQUAL;
	}
	if (pkt->src.family != c->tied_family)
		return EV_EQUAL;
	if (!c->answered && fsm_sent_lately(c, pkt->counter - 1, ANSWERS)) {
		c->answered = true;
		return EV_WORSE;
	}
	return EV_BETTER;
}

/* In units of 1/256 s: below 0 if the peer is faster than we are. */
static int
compare(const struct carp *c, const struct carp_packet *pkt)
{
	return (pkt->advbase - c->cfg.advbase) * 256 + pkt->advskew -
	       fsm_skew(c);
}

static enum fsm_event
judge_as_master(struct carp *c, const struct carp_packet *pkt,
    enum carp_cause *ret, uint64_t now)
{
	int order = compare(c, pkt);

	if (c->cfg.openbsd && pkt->demote != fsm_demote(c)) {
		*ret = CARP_CAUSE_DEMOTED;
		return pkt->demote < fsm_demote(c) ? EV_BETTER : EV_WORSE;
	}
	if (order < 0) {
		*ret = CARP_CAUSE_FASTER;
		return EV_BETTER;
	}
	if (order == 0) {
		*ret = CARP_CAUSE_EQUAL;
		return judge_equal(c, pkt, now);
	}
	if (!c->cfg.preempt && has_slept(c, now)) {
		*ret = CARP_CAUSE_PAUSED;
		return EV_BETTER;
	}
	return EV_WORSE;
}

bool
fsm_is_demoted(const struct carp_packet *pkt)
{
	return pkt->advskew >= CARP_DEMOTED && !carp_packet_is_bowout(pkt);
}

static enum fsm_event
judge_as_backup(
    const struct carp *c, const struct carp_packet *pkt, enum carp_cause *ret)
{
	int demote = c->cfg.openbsd ? pkt->demote - fsm_demote(c) : 0;

	if (demote > 0) {
		*ret = CARP_CAUSE_DEMOTED;
		return EV_WORSE;
	}
	if (c->cfg.preempt && demote == 0 && compare(c, pkt) > 0) {
		*ret = CARP_CAUSE_SLOWER;
		return EV_WORSE;
	}
	/* Not preemption: all hosts of that node are to move, see carp.h. */
	if (c->cfg.together && demote == 0 && fsm_is_demoted(pkt) &&
	    fsm_skew(c) < CARP_DEMOTED && compare(c, pkt) > 0) {
		*ret = CARP_CAUSE_DEMOTED;
		return EV_WORSE;
	}
	/* Its next advert would come after our time-out. */
	if (c->cfg.advbase != 0 &&
	    fsm_timeout(c) < carp_interval(pkt->advbase, pkt->advskew)) {
		*ret = CARP_CAUSE_FADING;
		return EV_WORSE;
	}
	return EV_BETTER;
}

enum fsm_event
fsm_judge(struct carp *c, const struct carp_packet *pkt, enum carp_cause *ret,
    uint64_t now)
{
	enum fsm_event ev;

	*ret = CARP_CAUSE_BOWOUT;
	if (c->state == CARP_BACKUP && c->standby)
		return EV_BETTER;
	if (carp_packet_is_bowout(pkt))
		return EV_BOWOUT;
	if (c->state == CARP_MASTER)
		return judge_as_master(c, pkt, ret, now);
	ev = judge_as_backup(c, pkt, ret);
	if (ev == EV_WORSE && c->cause == CARP_CAUSE_EQUAL) {
		c->preempt_cause = *ret;
		return EV_RIVALS;
	}
	return ev;
}
