/* SPDX-License-Identifier: ISC */
/*
 * The resources of failover mode, in the supervisor: what is started and
 * stopped by hooks, phase by phase.  See carp-hooks(7), RESOURCE HOOKS.
 *
 * The engine decides and orders one phase at a time; what happens is told
 * with ops.  Whoever stays without an engine steps down by himself:
 * resource_abandon().  Nothing here waits.
 */
#ifndef CARPD_RESOURCE_H
#define CARPD_RESOURCE_H

#include <sys/types.h>

#include <event2/event.h>
#include "conf.h"

/* The last argument of a hook. */
enum resource_verb { VERB_START, VERB_STOP, VERB_STATUS, VERB_VERIFY };

/* CARPD_MODE. */
enum resource_mode {
	MODE_UP,
	MODE_PLANNED,
	MODE_FORCED,
	MODE_MONITOR,
	MODE_CHECK
};

/* CARPD_PEER: what is known of the other node. */
enum resource_peer { PEER_UNCLEAR, PEER_PASSIVE, PEER_DEAD };

/* Exit codes of hooks; beyond them, how a run can end. */
enum resource_exit {
	HOOK_OK = 0,
	HOOK_FAILED = 1,
	HOOK_PARAMETERS = 2,
	HOOK_ABSENT = 3,
	HOOK_UNKNOWN = 4,
	HOOK_MISSING = 5,
	HOOK_PEER_ALIVE = 6,
	HOOK_WEAK = 7,	    /* a fence: is up, but keeps nobody out */
	HOOK_TIMEOUT = 256, /* killed at its limit */
	HOOK_SIGNAL,	    /* killed by somebody else */
	HOOK_NOT_RUN	    /* no such hook, fork failed, ... */
};

/* What is known of a resource here. */
enum resource_state {
	RES_UNKNOWN, /* not looked yet */
	RES_DOWN,    /* not here; storage: shown to be gone */
	RES_STARTING,
	RES_UP,
	RES_SICK, /* runs, but its status fails */
	RES_STOPPING,
	RES_FAILED /* could not be started, or not be stopped */
};

#define RESOURCE_TEXT 384 /* bytes of a reason, with NUL */

/* An order: all resources of a phase up, or down. */
struct resource_order {
	uint32_t id;	  /* comes back with the answer */
	uint8_t phase;	  /* enum conf_phase */
	uint8_t up;	  /* otherwise down */
	uint8_t mode;	  /* MODE_UP, MODE_PLANNED or MODE_FORCED */
	uint8_t peer;	  /* enum resource_peer */
	uint8_t critical; /* services: 1 critical ones only, 2 the others
			     only, 0 all */
	uint8_t reserved[3];
	char cause[RESOURCE_TEXT]; /* CARPD_CAUSE */
};

/* One run of a hook that has ended, or a state that changed without one. */
struct resource_report {
	/* After a reload the two sides may count in different ways. */
	char name[CONF_RESOURCE_LEN];
	uint32_t order; /* id of the order it belongs to; 0: none */
	uint16_t index; /* in conf_resources() of the supervisor */
	uint8_t verb;	/* enum resource_verb */
	uint8_t state;	/* enum resource_state, now */
	uint32_t exit;	/* enum resource_exit */
	uint8_t lost;	/* its state ended without an order: a fence whose
			    keeper is gone and that status does not confirm,
			    a monitored resource that fails */
	uint8_t phase;	/* enum conf_phase */
	uint8_t reserved[2];
	uint64_t began, took;	  /* CLOCK_MONOTONIC, ns; took 0: nothing ran */
	char text[RESOURCE_TEXT]; /* reason, last line of its output */
};

/* An order is carried out. */
struct resource_done {
	uint32_t order;
	uint8_t ok;		  /* down: also shown to be gone */
	uint8_t peer_alive;	  /* a fence found the peer alive */
	uint8_t fenced;		  /* a fence that is not `none' holds */
	uint8_t hard;		  /* the last resort was called */
	char text[RESOURCE_TEXT]; /* of the first that failed */
};

struct resource_ops {
	void (*report)(void *arg, const struct resource_report *);
	void (*done)(void *arg, const struct resource_done *);
	/* The last resort is called for this reason; the log has it, too. */
	void (*resort)(void *arg, const char *reason);
	/* Nothing runs any more. */
	void (*idle)(void *arg);
};

struct resources;

/* Where things are; the strings stay the caller's. */
struct resource_places {
	const char *state;    /* each has a directory in here */
	const char *hooks[2]; /* are looked for here, then there */
};

int resource_new(struct resources **ret, struct event_base *,
    const struct resource_places *, const struct resource_ops *, void *arg);

/* Kills what runs; resources stay as they are. */
void resource_free(struct resources *);

/*
 * The resources of a configuration, copied.  Those with the same name and
 * hook keep their state; what is gone from it while up is stopped first
 * (-EBUSY while an order runs).  On first use the status of all is asked
 * (MODE_CHECK) and reported.
 */
int resource_configure(struct resources *, const struct conf *);

/*
 * Would that go now?  0; -EBUSY: an order runs; -EPERM: a fence would go while
 * its storage stays.  What is wrong is a sentence in why.
 */
int resource_may_configure(
    const struct resources *, const struct conf *, char *why, size_t len);

/*
 * Carries an order out: answered by done(), always, once.  A newer order
 * replaces one that runs: what was begun of it is ended (its hook is waited
 * for up to its limit, or killed if the order is a forced way down), and it is
 * answered with ok = 0 first.
 *
 * Up: all of the phase at once, but for `after'.  Down: the other way round;
 * PHASE_STORAGE down stops, then verifies each; what is not shown to be gone
 * within its limits leads to the last resort, from here, whether or not there
 * is an engine.  PHASE_STORAGE up is refused unless every fence is RES_UP or
 * `none' (S2).  PHASE_FENCE down is refused unless all storage is RES_DOWN.
 */
void resource_order(struct resources *, const struct resource_order *);

/* Who gave the orders is gone: they go on, and nobody is answered. */
void resource_orphan(struct resources *);

/* The last resort, now. */
void resource_resort(struct resources *, const char *reason);

/* No engine for too long, or it cannot know: services, storage, fences down. */
void resource_abandon(struct resources *, const char *cause);

/*
 * A passphrase for the hooks of a resource (name; NULL: all), locked in memory
 * and wiped when replaced, dropped or freed.  len 0 drops it.
 */
int resource_secret(
    struct resources *, const char *name, const void *, size_t len);

/* A process was reaped: true if it was one of ours. */
bool resource_reaped(struct resources *, pid_t, int status);

/* Every resource again as reports: for an engine that has just started. */
void resource_tell(struct resources *);

bool resource_idle(const struct resources *);

/* Why the last resort was called; NULL: it was not. */
const char *resource_resorted(const struct resources *);

/* How long it may take until all is down, ms. */
unsigned resource_down_ms(const struct resources *);

/* Something is up, starting, stopping or not known to be down. */
bool resource_any(const struct resources *);

const char *resource_state_name(enum resource_state);
const char *resource_verb_name(enum resource_verb);

#endif
