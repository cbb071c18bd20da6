/* SPDX-License-Identifier: ISC */
/* The inside of a virtual host, shared by fsm*.c, follow.c and carp.c. */
#ifndef CARP_FSM_H
#define CARP_FSM_H

#include "digest.h"

/* STATE, an advertisement by two families and two digests, ANNOUNCE. */
#define FSM_ACTIONS    6

/*
 * Counters advance by an odd stride, not by one.  No receiver asks for an
 * order, but FreeBSD, NetBSD and ucarp send what they heard last plus one: so
 * theirs never equals one of ours, and ours can be known by arithmetic.
 */
#define STRIDE	       UINT64_C(0x9e3779b97f4a7c15)
#define STRIDE_INVERSE UINT64_C(0xf1de83e19937733d)
_Static_assert(STRIDE *STRIDE_INVERSE == 1, "inverse modulo 2^64");

enum fsm_event {
	EV_UP,	      /* the interface works */
	EV_DOWN,      /* it does not */
	EV_TIMER,     /* the deadline of this state */
	EV_BETTER,    /* a master that we obey */
	EV_WORSE,     /* one that we do not */
	EV_RIVALS,    /* nor others, who may be our equals */
	EV_EQUAL,     /* an equal, heard for the first time */
	EV_BOWOUT,    /* one that leaves */
	EV_TO_MASTER, /* by order */
	EV_TO_BACKUP,
	EV_BOW_OUT, /* in the name of a dead master */
	EV_TOUCH,   /* what we send has changed */
	EV_STOP,
	EV_DUE,	  /* after all that waits: to take over */
	EV_STALE, /* a bow-out that is no news */
	FSM_NEVENTS
};

struct pending {
	uint8_t what;		 /* enum carp_do */
	uint8_t from, to, cause; /* STATE */
	uint8_t family, bowout;	 /* SEND */
	uint8_t before;		 /* SEND: with the former digest */
};

struct carp {
	struct carp_config cfg;
	enum carp_state state;
	enum carp_cause cause; /* of the last change */
	uint64_t since;	       /* of the last change; 0: none yet */
	int demotion;
	uint8_t families; /* bit 0: IPv4, bit 1: IPv6 */
	bool link;	  /* carp_link() said up */
	bool standby;	  /* does not take part */
	bool started;	  /* has listened before */

	uint64_t advert_at;	       /* MASTER: the next one is due */
	uint64_t sent;		       /* the last one; 0: none yet */
	uint64_t armed[2];	       /* BACKUP: silence counts from then, by
					   family; with jitter after a tie */
	uint64_t jitter;	       /* of the last tie */
	uint64_t preempt_at;	       /* BACKUP: not sooner; 0: not planned */
	enum carp_cause preempt_cause; /* and why then */
	uint64_t orphan_at;	       /* BACKUP: see follow.c; 0: - */
	bool fell;		       /* the last one heard, see follow.c */
	uint64_t heard_interval;       /* of the master obeyed; 0: none */
	uint64_t reclaimed;	       /* answered a worse master; 0: - */
	uint64_t tied;		       /* a contest began; 0: never */
	uint8_t tied_family;	       /* by an advert of this family */
	bool answered;		       /* in it, an answer was let pass */
	unsigned announce_in;	       /* adverts until announcing; 0: - */
	bool contested;		       /* announces once more after that */

	uint64_t counter; /* last one sent */
	uint64_t nsent;	  /* how many, since the start */
	uint64_t random;  /* state of the jitter's generator */

	struct digest *now, *before; /* before: NULL if never changed */
	uint64_t before_until;	     /* `before` is good as well; 0: not */

	struct pending out[FSM_ACTIONS];
	unsigned nout, taken; /* taken <= nout <= FSM_ACTIONS */

	bool heard; /* then: */
	struct carp_packet peer;
	uint64_t peer_at;
	struct carp_stats stats;
};

/* Nothing may be pending.  cause: why, where the event changes the state. */
void fsm_step(struct carp *, enum fsm_event, enum carp_cause, uint64_t now);

/*
 * The same for what an advertisement means that came at `at` and waited: a
 * backup does not take over before it has heard what came after.
 */
void fsm_step_late(
    struct carp *, enum fsm_event, enum carp_cause, uint64_t at, uint64_t now);

/* What an authentic advertisement means; see EV_BETTER, WORSE, BOWOUT. */
enum fsm_event fsm_judge(struct carp *, const struct carp_packet *,
    enum carp_cause *ret, uint64_t now);

uint64_t fsm_deadline(const struct carp *);

/* Why the deadline that has come leads to what it does. */
enum carp_cause fsm_timer_cause(const struct carp *, uint64_t now);

/* Does its sender begin to be demoted?  For a packet not yet noted. */
bool follow_fell(const struct carp *, const struct carp_packet *, uint64_t now);

/* As much as it can be, and it does not leave. */
bool fsm_is_demoted(const struct carp_packet *);

/* Skew with demotion, as sent. */
uint8_t fsm_skew(const struct carp *);

/* OpenBSD's byte. */
uint8_t fsm_demote(const struct carp *);

/* How long silence lasts until we take over, ns, without jitter. */
uint64_t fsm_timeout(const struct carp *);

/* Between our own advertisements. */
uint64_t fsm_interval(const struct carp *);

/*
 * The soonest that any peer with our advbase may take over from us.  With base
 * 0 it knows our interval, see fsm_timeout().
 */
uint64_t fsm_soonest_takeover(const struct carp *);

/* Was this counter among the last n that we sent? */
bool fsm_sent_lately(const struct carp *, uint64_t counter, uint64_t n);

/* Counter and jitter start as the configuration says. */
void fsm_seed(struct carp *);

/* The next counter, never 0. */
uint64_t fsm_next_counter(struct carp *);

#endif
