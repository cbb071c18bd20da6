/* SPDX-License-Identifier: ISC */
/*
 * The election: states, events, timers.
 *
 * The rules are those of the BSD implementations (ip_carp.c); where they
 * differ, or fail, the comment says what we do and why.
 */
#include <assert.h>
#include <string.h>

#include "fsm.h"

#define UNIT	       (CARP_SEC / 256) /* of advskew, ns */
#define MISSED	       3  /* intervals of silence: master is dead */
#define ANNOUNCE_AGAIN 2  /* with this following advert (OpenBSD) */
#define ANSWERS	       4  /* of our last adverts may be answered */
#define CONTEST	       10 /* intervals in which a second one decides */
#define LATE	       (CARP_SEC / 400) /* 2.5 ms: wake-ups, with base 0 */

void
fsm_seed(struct carp *c)
{
	c->counter = c->cfg.counter - STRIDE;
	c->random = c->cfg.seed;
}

uint64_t
fsm_next_counter(struct carp *c)
{
	do {
		c->counter += STRIDE;
		c->nsent++;
	} while (c->counter == 0); /* OpenBSD takes 0 for its own */
	return c->counter;
}

bool
fsm_sent_lately(const struct carp *c, uint64_t counter, uint64_t n)
{
	uint64_t age = (c->counter - counter) * STRIDE_INVERSE;

	return age < n && age < c->nsent;
}

/* splitmix64: the jitter needs to differ between nodes, no more. */
static uint64_t
draw(struct carp *c)
{
	uint64_t z = c->random += STRIDE;

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

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

/*
 * The soonest that any peer with our advbase may take over from us.  With base
 * 0 it knows our interval, see fsm_timeout().
 */
static uint64_t
soonest_takeover(const struct carp *c)
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

/*
 * Actions.
 */
static void
push(struct carp *c, struct pending p)
{
	assert(c->nout < FSM_ACTIONS);
	c->out[c->nout++] = p;
}

/*
 * When the key or the addresses have changed, a peer may not know it yet: were
 * it not to hear us, it would become master beside us.  So both forms go out.
 */
static void
push_adverts(struct carp *c, bool bowout, uint64_t now)
{
	struct pending p = { .what = CARP_DO_SEND, .bowout = bowout };

	for (int f = 0; f < 2; f++) {
		if (!(c->families & 1u << f))
			continue;
		p.family = f == 0 ? 4 : 6;
		p.before = false;
		push(c, p);
		p.before = true;
		if (now < c->before_until)
			push(c, p);
	}
}

static void
announce(struct carp *c)
{
	push(c, (struct pending){ .what = CARP_DO_ANNOUNCE });
}

/*
 * On time, so that the period does not drift with every late wake-up.  Who
 * preempts does so on hearing this, and announces himself: that must come after
 * our announcement, or the neighbours would turn back to us.
 */
static void
advertise(struct carp *c, uint64_t now)
{
	if (c->announce_in > 0 && --c->announce_in == 0)
		announce(c);
	push_adverts(c, false, now);
	c->sent = now;
	c->advert_at += fsm_interval(c);
	if (c->advert_at <= now)
		c->advert_at = now + fsm_interval(c);
}

static void
advertise_now(struct carp *c, uint64_t now)
{
	push_adverts(c, false, now);
	c->sent = now;
	c->advert_at = now + fsm_interval(c);
}

static void
take_over(struct carp *c, uint64_t now)
{
	c->preempt_at = c->orphan_at = 0;
	c->heard_interval = 0;
	c->jitter = 0;
	c->reclaimed = 0;
	c->tied = 0;
	c->stats.preempt++;
	announce(c); /* before: see advertise() */
	advertise_now(c, now);
	c->announce_in = ANNOUNCE_AGAIN;
}

/*
 * Another master is there, or was: make it yield, and tell the neighbours
 * again who has the address.  Once an interval, whatever comes.
 */
static void
reclaim(struct carp *c, uint64_t now)
{
	if (c->reclaimed != 0 && now - c->reclaimed < fsm_interval(c))
		return;
	c->reclaimed = now;
	advertise_now(c, now);
	announce(c);
	c->announce_in = ANNOUNCE_AGAIN;
}

static void
contest(struct carp *c, uint64_t now)
{
	uint64_t at = now + draw(c) % (fsm_interval(c) / 2);

	if (at < c->advert_at)
		c->advert_at = at;
}

static void
wait_master(struct carp *c, uint64_t now)
{
	c->preempt_at = c->orphan_at = 0;
	c->armed[0] = c->armed[1] = now;
	c->heard_interval = 0;
	c->jitter = 0;
}

/*
 * With fast_start one interval is enough, but at the start only: after a cable
 * was plugged in, a switch may take longer to let a master be heard.
 */
static void
listen(struct carp *c, uint64_t now)
{
	wait_master(c, now);
	if (c->cfg.fast_start && !c->started) {
		c->preempt_at = now + fsm_interval(c);
		c->preempt_cause = CARP_CAUSE_SILENCE;
	}
	c->started = true;
}

/*
 * Two equal masters yield to each other, and their time-outs would end
 * together.  Jitter on ours makes one of them the first.
 */
static void
yield(struct carp *c, uint64_t now)
{
	wait_master(c, now);
	c->heard_interval = carp_interval(c->peer.advbase, c->peer.advskew);
	if (c->cause == CARP_CAUSE_EQUAL)
		c->jitter = draw(c) % (fsm_interval(c) / 2);
	c->armed[0] = c->armed[1] = now + c->jitter;
}

/* The jitter is for the time right after yielding only. */
static void
rearm(struct carp *c, uint64_t now)
{
	bool v6 = c->peer.src.family == 6;
	uint64_t since = now;

	if (now - c->since <= fsm_interval(c))
		since += c->jitter;
	if (!c->cfg.strict_family || !v6)
		c->armed[0] = since;
	if (!c->cfg.strict_family || v6)
		c->armed[1] = since;
	c->orphan_at = 0;
	c->heard_interval = carp_interval(c->peer.advbase, c->peer.advskew);
}

static void
keep_waiting(struct carp *c, uint64_t now)
{
	rearm(c, now);
	c->preempt_at = 0;
}

/*
 * We tied with an equal, and now hear a worse master.  Our equal hears it as
 * well: were both to preempt at once, they would tie again, for ever.
 */
static void
preempt_soon(struct carp *c, uint64_t now)
{
	rearm(c, now);
	if (c->preempt_at == 0)
		c->preempt_at = now + draw(c) % (fsm_interval(c) / 2);
}

/* By carp_timer(), unless something better is heard before. */
static void
take_over_next(struct carp *c, uint64_t now)
{
	c->preempt_at = now;
}

/* Whoever left is long replaced, or heard of by now. */
static void
wait_on(struct carp *c, uint64_t now)
{
	c->preempt_at = 0;
	c->armed[0] = c->armed[1] = now;
}

static void
stop(struct carp *c, uint64_t now)
{
	(void)now; /* fsm_deadline() is never in INIT */
	c->preempt_at = c->orphan_at = 0;
	c->heard_interval = 0;
	c->announce_in = 0;
}

/*
 * The table.  An empty cell: this event changes nothing here.
 */
/* clang-format off */
static const struct transition {
	void		(*act)(struct carp *, uint64_t now);
	enum carp_state	 next;
	bool		 bowout;	/* said when the state has changed */
} table[][FSM_NEVENTS] = {
	[CARP_INIT] = {
		[EV_UP]		= { listen,		CARP_BACKUP, false },
	},
	[CARP_BACKUP] = {
		[EV_DOWN]	= { stop,		CARP_INIT, false },
		[EV_TIMER]	= { take_over,		CARP_MASTER, false },
		[EV_BETTER]	= { keep_waiting,	CARP_BACKUP, false },
		[EV_WORSE]	= { take_over,		CARP_MASTER, false },
		[EV_RIVALS]	= { preempt_soon,	CARP_BACKUP, false },
		[EV_BOWOUT]	= { take_over,		CARP_MASTER, false },
		[EV_TO_MASTER]	= { take_over,		CARP_MASTER, false },
		[EV_TO_BACKUP]	= { wait_master,	CARP_BACKUP, false },
		[EV_BOW_OUT]	= { wait_master,	CARP_BACKUP, true },
		[EV_STOP]	= { stop,		CARP_INIT, false },
		[EV_DUE]	= { take_over_next,	CARP_BACKUP, false },
		[EV_STALE]	= { wait_on,		CARP_BACKUP, false },
	},
	[CARP_MASTER] = {
		[EV_DOWN]	= { stop,		CARP_INIT, false },
		[EV_TIMER]	= { advertise,		CARP_MASTER, false },
		[EV_BETTER]	= { yield,		CARP_BACKUP, false },
		[EV_WORSE]	= { reclaim,		CARP_MASTER, false },
		[EV_EQUAL]	= { contest,		CARP_MASTER, false },
		[EV_BOWOUT]	= { reclaim,		CARP_MASTER, false },
		[EV_TO_MASTER]	= { reclaim,		CARP_MASTER, false },
		[EV_TO_BACKUP]	= { wait_master,	CARP_BACKUP, true },
		[EV_TOUCH]	= { advertise_now,	CARP_MASTER, false },
		[EV_STOP]	= { stop,		CARP_INIT, true },
	},
};
/* clang-format on */

static void
enter(struct carp *c, enum carp_state next, enum carp_cause cause, uint64_t now)
{
	push(c, (struct pending){ .what = CARP_DO_STATE,
		    .from = (uint8_t)c->state,
		    .to = (uint8_t)next,
		    .cause = (uint8_t)cause });
	c->state = next;
	c->cause = cause;
	c->since = now;
}

void
fsm_step(struct carp *c, enum fsm_event ev, enum carp_cause cause, uint64_t now)
{
	const struct transition *t = &table[c->state][ev];

	assert(c->taken == c->nout);
	c->taken = c->nout = 0;
	if (t->act == NULL)
		return;
	if (t->next != c->state)
		enter(c, t->next, cause, now);
	if (t->bowout)
		push_adverts(c, true, now);
	t->act(c, now);
}

void
fsm_step_late(struct carp *c, enum fsm_event ev, enum carp_cause cause,
    uint64_t at, uint64_t now)
{
	bool backup = c->state == CARP_BACKUP;

	if (backup && ev == EV_BOWOUT && now - at > fsm_interval(c))
		ev = EV_STALE;
	else if (backup && (ev == EV_BOWOUT || ev == EV_WORSE))
		ev = EV_DUE;
	if (ev == EV_DUE)
		c->preempt_cause = cause;
	fsm_step(c, ev, cause, now);
}

/*
 * What an advertisement means.
 */

/*
 * A master that was not running for so long that a peer had to take over.
 * Who does not preempt does not take it back.
 */
static bool
has_slept(const struct carp *c, uint64_t now)
{
	return now - c->sent > soonest_takeover(c);
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
