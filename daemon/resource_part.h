/* SPDX-License-Identifier: ISC */
/*
 * What the files behind resource.h share.
 *
 *	resource.c	   what the header says; actions of the plan carried out
 *	resource_plan.h	   what is done next; pure
 *	resource_conf.c	   a new configuration, while some are up
 *	resource_exec.c	   one run of a hook: its beginning and its end
 *	resource_words.c   its arguments and environment
 *	resource_watch.c   looking at what is up: timers, CARPD_ALIVE_FD
 *	resource_place.c   CARPD_STATE; what a carpd that died has left running
 *	resource_secret.c  passphrases
 *	resource_resort.c  the last resort
 */
#ifndef CARPD_RESOURCE_PART_H
#define CARPD_RESOURCE_PART_H

#include "hook_run.h"
#include "resource_plan.h"

#define ALIVE_LINE_MAX RESOURCE_TEXT

/* Bytes that are never swapped, dumped or inherited. */
struct secret {
	void *p; /* NULL: none */
	size_t len;
};

/* The write end is kept open by a process that must live. */
struct alive {
	int fd; /* -1: none */
	struct event *ev;
	bool closed; /* by them */
	char line[ALIVE_LINE_MAX];
	size_t len;
};

/* K=V, each with its NUL. */
struct settings {
	char *text;
	size_t size;
	unsigned n;
};

struct part {
	struct resources *all;
	unsigned index;
	char hook[CONF_NAME_MAX];
	struct settings set, next; /* next: from its next start on */
	bool has_next;
	unsigned limit_ms[VERB_VERIFY + 1], monitor_ms;
	struct hook_run *run;	     /* NULL: nothing runs */
	struct hook_run *stuck;	     /* a start that cannot be ended, */
	struct hook_run *stuck_look; /* a status */
	struct alive alive;	     /* of what is up */
	struct alive fresh;	     /* of the start that runs */
	char told[ALIVE_LINE_MAX];   /* its last line */
	struct event *timer;	     /* status, or left is looked after */
	struct secret secret;
	pid_t left; /* a group of a carpd that died; 0: none */
	uint64_t left_until;
};

struct resources {
	struct event_base *base;
	struct resource_ops ops;
	void *arg;
	struct resource_places places;
	struct plan plan;
	struct part *part; /* CONF_RESOURCE_MAX; plan.n are in use */
	struct conf *conf; /* NULL: none yet */
	struct conf *pending;
	struct resource_order held; /* until pending has become conf */
	bool has_held;
	struct secret secret; /* for whoever has none of his own */
	char last_resort[CONF_PATH_MAX];
	char node[CONF_NAME_MAX];
	bool pumping, busy;
};

/* resource.c: whatever happened, what follows from it. */
void resource_pump(struct resources *);
void resource_report_end(struct resources *, struct part *, unsigned exit,
    bool stuck, const struct hook_result *);

/* resource_conf.c */
int conf_take(struct resources *, const struct conf *);
void conf_pending(struct resources *);
void part_clear(struct part *);

/* resource_exec.c */
void exec_begin(struct resources *, const struct plan_action *);
void exec_kill(struct part *, const char *why);
bool exec_reaped(struct resources *, pid_t, int status);

/* resource_words.c */
struct words {
	char *argv[3];
	char **env;
	size_t n, room;
	bool bad; /* no memory */
};
void words_make(struct words *, const struct part *, const char *path,
    enum resource_verb, enum resource_mode, bool has_secret);
void words_free(struct words *);
const char *words_phase(enum conf_phase);

/* Where a hook finds its descriptors. */
#define SECRET_FD 3
#define ALIVE_FD  4

/* resource_watch.c */
void part_arm(struct part *);
void part_timer(evutil_socket_t, short, void *);
int alive_open(struct part *); /* the end for the hook, or a negative errno */
void alive_started(struct part *, bool up);
void alive_close(struct alive *);

/* resource_place.c */
int place_state(char *ret, size_t size, const struct part *);
int place_make(const struct part *, char *why, size_t len);
int place_record(const struct part *);
void place_recall(struct part *);
bool place_left(const struct part *);

/* resource_secret.c */
int secret_set(struct secret *, const void *, size_t len);
int secret_pipe(const struct secret *); /* its read end */

/* resource_resort.c */
void resort_call(const char *program, const char *reason);

static inline struct plan_item *
part_item(const struct part *t)
{
	return &t->all->plan.item[t->index];
}

#endif
