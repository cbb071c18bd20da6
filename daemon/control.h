/* SPDX-License-Identifier: ISC */
/*
 * The control socket: clients of a listening Unix socket, their lines taken
 * to rpc.h, and events to those who want them.
 *
 * Nobody waits for a client: what is asked is answered in turns of bounded
 * work that together take at most a quarter of the time, what a client does
 * not read is bounded, and so is how long a line may stay unfinished.
 */
#ifndef CARPD_CONTROL_H
#define CARPD_CONTROL_H

#include <event2/event.h>

#include "instance.h"

struct control;

/*
 * listen_fd listens, does not block and stays the caller's.  The instance
 * outlives the object.  In a loop with priorities the events here have the
 * lowest.  On failure *ret is untouched.
 */
int control_new(struct control **ret, struct event_base *, int listen_fd,
    struct instance *);
void control_free(struct control *);

/* Has anybody? */
bool control_subscribed(const struct control *);

/* Params of carp.event, borrowed, to all who have subscribed. */
void control_event(struct control *, json_t *event);

/*
 * The reload that instance_reload() started has ended: rc is 0, or a negative
 * errno with the reasons in text.  All who waited for it are answered.  Not
 * from within instance_reload().
 */
void control_reload_done(struct control *, int rc, const char *text);

#endif
