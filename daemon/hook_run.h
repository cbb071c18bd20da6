/* SPDX-License-Identifier: ISC */
/* One run of one hook: its process, its output, its time limit. */
#ifndef CARPD_HOOK_RUN_H
#define CARPD_HOOK_RUN_H

#include <sys/types.h>

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "hook_become.h"
#include "hook_spare.h"

#define HOOK_LAST_MAX 384 /* bytes of its last line, with NUL */

struct hook_run;

struct hook_run_args {
	const char *path;  /* of the hook */
	const char *label; /* begins each log line */
	char *const *argv, *const *env;
	unsigned limit_ms;
	/* To be used if nothing is passed and orphan is 0.  NULL: none. */
	struct hook_spare *spare;
	/* What it finds at 3, 4, ...; -1: nothing. */
	int pass[HOOK_PASSED];
	int orphan; /* signal for it when carpd is gone; 0: none */
	int fine;   /* an exit status that is no trouble, beside 0 */
	bool quiet; /* what is no trouble is logged with -d only */
	/*
	 * It was killed, but the kernel does not let it go.  It may be reaped
	 * much later.  NULL: nobody cares.
	 */
	void (*stuck)(void *arg);
	/* For hook_run_lingers(): nothing is left of it now. */
	void (*gone)(void *arg, pid_t, int status);
	void *arg;
};

/* How it went. */
struct hook_result {
	int status;		  /* as from waitpid() */
	bool killed;		  /* by us; */
	bool late;		  /* at its limit */
	uint64_t began, took;	  /* CLOCK_MONOTONIC, ns */
	char last[HOOK_LAST_MAX]; /* line of its output */
};

/* On failure a negative errno; nothing runs then, and nothing was logged. */
int hook_run_start(
    struct hook_run **ret, struct event_base *, const struct hook_run_args *);

pid_t hook_run_pid(const struct hook_run *);

/* SIGKILL to its process group.  It is reaped as always.  why: for the log. */
void hook_run_kill(struct hook_run *, const char *why);

/* How it went until now, for a hook that is stuck. */
void hook_run_look(struct hook_run *, struct hook_result *ret);

/*
 * It was reaped, was killed before, and some of its group has not ended: what
 * it had begun may still happen.  Then stuck() or gone() tells how it goes on,
 * and it is not to be ended now.
 */
bool hook_run_lingers(struct hook_run *, int status);

/* It was reaped: logs how it ended and frees.  ret may be NULL. */
void hook_run_end(struct hook_run *, int status, struct hook_result *ret);

/* Nobody waits for it any more: killed, and forgotten without a word. */
void hook_run_free(struct hook_run *);

#endif
