/* SPDX-License-Identifier: ISC */
/*
 * A process kept ready to become the next hook.  To copy carpd, and to take the
 * copy down again, takes half a millisecond: a third of the time from an
 * advertisement to the hook's first instruction.
 */
#ifndef CARPD_HOOK_SPARE_H
#define CARPD_HOOK_SPARE_H

#include <sys/types.h>

#include <event2/event.h>
#include <limits.h>
#include <stdbool.h>

/*
 * The process runs carp-spare.  It reads its job from descriptor HOOK_FIRST, in
 * one read: the path, the arguments and the variables, each with its NUL; an
 * empty word ends arguments and variables.  One that is replaced while carpd
 * runs must understand what carpd says: for another format take another name.
 */
#define HOOK_JOB_MAX   PIPE_BUF
#define HOOK_WORDS_MAX 24 /* with those that end the lists */

struct hook_spare;

/* Where carp-spare is: beside our own program, or above the shipped hooks. */
void hook_spare_program(char *ret, size_t size, const char *hooks);

/* There is no process until hook_spare_want(). */
int hook_spare_new(
    struct hook_spare **ret, struct event_base *, const char *program);

/* It goes. */
void hook_spare_free(struct hook_spare *);

/* From now on there is to be one, made when there is nothing else to do. */
void hook_spare_want(struct hook_spare *, bool wanted);

/*
 * It becomes that hook, and is the caller's.  Returns its process, and where
 * to read what it writes (nonblocking).  -1: there is none, or it cannot.
 */
pid_t hook_spare_use(struct hook_spare *, const char *path, char *const *argv,
    char *const *env, int *out);

/*
 * A process was reaped: true if it was the one that waited.  The next hook has
 * to do without.
 */
bool hook_spare_reaped(struct hook_spare *, pid_t);

#endif
