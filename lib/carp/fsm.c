/* SPDX-License-Identifier: ISC */
/*
 * The election: states, events and what follows from them.  What an
 * advertisement means is in fsm_judge.c, how long things take in fsm_time.c.
 *
 * The rules are those of the BSD implementations (ip_carp.c); where they
 * differ, or fail, the comment says what we do and why.
 */
#include <assert.h>
#include <string.h>

#include "fsm.h"

#define ANNOUNCE_AGAIN 2 /* with this following advert (OpenBSD) */

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
	if (c->announce_in > 0 && --c->announce_in == 0) {
		announce(c);
		if (c->contested)
			c->announce_in = ANNOUNCE_AGAIN;
		c->contested = false;
	}
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
	c->contested = false;
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
	c->contested = false;
	advertise_now(c, now);
	announce(c);
	c->announce_in = ANNOUNCE_AGAIN;
}

/*
 * Soon, at a random moment.  Who is first remains, and the other has told the
 * neighbours that they find the address there: they are told otherwise.
 */
static void
contest(struct carp *c, uint64_t now)
{
	uint64_t at = now + draw(c) % (fsm_interval(c) / 2);

	if (at < c->advert_at)
		c->advert_at = at;
	c->announce_in = 1;
	c->contested = true;
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
