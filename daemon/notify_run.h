/* SPDX-License-Identifier: ISC */
/* One run of one hook: its process, its output, its time limit. */
#ifndef CARPD_NOTIFY_RUN_H
#define CARPD_NOTIFY_RUN_H

#include <sys/types.h>

#include <event2/event.h>

struct notify_run;

struct notify_run_args {
	const char *path;  /* of the hook */
	const char *label; /* begins each log line */
	char *const *argv, *const *env;
	unsigned limit; /* seconds */
};

/* On failure a negative errno; nothing runs then, and nothing was logged. */
int notify_run_start(struct notify_run **ret, struct event_base *,
    const struct notify_run_args *);

pid_t notify_run_pid(const struct notify_run *);

/* SIGKILL to its process group.  It is reaped as always. */
void notify_run_kill(struct notify_run *);

/* It was reaped: logs how it ended and frees. */
void notify_run_end(struct notify_run *, int status);

#endif
