/* SPDX-License-Identifier: ISC */
/*
 * What is done next to which resource: orders, `after', limits of trust, the
 * meaning of what hooks answer.  Pure: events in, actions out.
 *
 *	resource_rule.c	  who has a part in an order; may it be carried out?
 *	resource_plan.c	  orders and what follows from them
 *	resource_result.c what the end of a hook means
 */
#ifndef CARPD_RESOURCE_PLAN_H
#define CARPD_RESOURCE_PLAN_H

#include "resource.h"

/* How far a resource is in the order that runs. */
enum plan_step {
	STEP_NONE, /* has no part in it */
	STEP_TODO,
	STEP_RUNNING, /* its start or stop */
	STEP_VERIFY,  /* stopped, to be shown to be gone */
	STEP_VERIFYING,
	STEP_DONE,
	STEP_FAILED
};

struct plan_item {
	/* From the configuration. */
	char name[CONF_RESOURCE_LEN];
	enum conf_phase phase;
	bool none, critical;
	uint64_t after;
	/* What is known. */
	enum resource_state state;
	bool taken;   /* storage that may be here because of us */
	bool proved;  /* a fence whose start succeeded, and that was not lost */
	bool refused; /* wrong parameters: not started before a reload */
	bool lost;    /* was told to be */
	bool hanging; /* a killed start of it has not ended */
	unsigned fails;	   /* of status, one after the other */
	bool check, shown; /* status (verify) is due: what is here? */
	bool due;	   /* status is due: is it still here? */
	bool suspect;	   /* one answer will do */
	/* The hook that runs. */
	bool running, killed, ordered;
	enum resource_verb verb;
	enum resource_mode mode;
	uint32_t order; /* id of it; 0: none */
	/* In the order that runs. */
	enum plan_step step;
	enum resource_state before; /* the start of it */
	bool was_taken;
	char why[RESOURCE_TEXT]; /* its stop failed */
};

struct plan {
	struct plan_item item[CONF_RESOURCE_MAX];
	unsigned n;
	struct resource_order order;
	bool active, begun; /* begun: what was before it has ended */
	bool internal;	    /* nobody is to be answered */
	bool abandon;	    /* the next phase follows */
	bool give_up;	    /* what is critical has failed */
	bool failed, peer_alive;
	uint64_t set;  /* who has a part in it */
	uint64_t only; /* 0: all, or just those that leave */
	char text[RESOURCE_TEXT];
	bool answer; /* the one before is to be answered */
	struct resource_done replaced;
	bool last; /* the last resort is due: text in reason */
	bool hard; /* it was called */
	char reason[RESOURCE_TEXT];
};

enum plan_what {
	PLAN_NOTHING,
	PLAN_RUN,   /* a hook: index, verb, mode */
	PLAN_KILL,  /* what runs of index; `text' says why */
	PLAN_TELL,  /* report */
	PLAN_DONE,  /* done; internal: only for the log */
	PLAN_RESORT /* for the reason in text */
};

struct plan_action {
	enum plan_what what;
	unsigned index;
	enum resource_verb verb;
	enum resource_mode mode;
	bool internal;
	struct resource_report report;
	struct resource_done done;
	char text[RESOURCE_TEXT];
};

/* The next action; false: nothing, until something else happens. */
bool plan_next(struct plan *, struct plan_action *ret);

void plan_order(struct plan *, const struct resource_order *);

/* All phases down, forced. */
void plan_abandon(struct plan *, const char *cause);

/* Some of all phases down, planned: they leave the configuration. */
void plan_leave(struct plan *, uint64_t set, const char *cause);

/* Who gave the order is gone: it goes on, but nobody is answered. */
void plan_orphan(struct plan *);

/* The last resort, from outside. */
void plan_hard(struct plan *, const char *reason);

/* Status of all is to be asked. */
void plan_check(struct plan *);

/* Time for status; suspect: something says that it is gone. */
void plan_due(struct plan *, unsigned i, bool suspect);

/*
 * A hook has ended, or (stuck) cannot be ended.  exit: enum resource_exit, or
 * another exit status.  True: *ret is to be told, but for began and took.
 */
bool plan_ended(struct plan *, unsigned i, unsigned exit, bool stuck,
    const char *text, struct resource_report *ret);

/* A hook that was stuck has ended. */
void plan_unstuck(struct plan *, unsigned i);

/* A report of how things are. */
void plan_state(const struct plan *, unsigned i, struct resource_report *ret);

/* Is this to be looked at from time to time? */
bool plan_watched(const struct plan *, unsigned i);

/* For `order': those of its phase that it means, and who is tied to them. */
uint64_t plan_members(const struct plan *);

/* A text of ours: what is too long is cut off. */
void plan_text(char ret[RESOURCE_TEXT], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A fence that is not `none' has proved itself. */
bool plan_fenced(const struct plan *);

/* Why the order may not be carried out, in text; or false. */
bool plan_forbidden(const struct plan *, char text[RESOURCE_TEXT]);

bool plan_idle(const struct plan *);
bool plan_any(const struct plan *);

#endif
