/* SPDX-License-Identifier: ISC */
/*
 * What the files behind child.h share.
 *
 *	child.c		the loop: its parts, its turns and its end
 *	child_say.c	what the supervisor is told, and what waits for room
 *	child_hear.c	what the supervisor says, and what is done then
 *	child_ops.c	what the instance asks for
 */
#ifndef CARPD_CHILD_PART_H
#define CARPD_CHILD_PART_H

#include <event2/util.h>

#include "control.h"
#include "instance.h"
#include "ipc.h"

struct child {
	struct event_base *base;
	int ipc, listen;
	struct event *on_ipc, *on_room, *on_signal, *on_instance;
	struct event *deadline, *beat;
	uint64_t armed; /* what deadline is set to, ns */
	int signals;
	struct instance *instance; /* NULL until there is a configuration */
	struct control *control;   /* NULL: no socket */
	bool stopping;
	int status;
	bool from_file;	       /* there is something to reload */
	bool abandoned;	       /* the supervisor is gone: not a word */
	bool ended;	       /* failover mode: all is down */
	char *store;	       /* text of failover.json; NULL: none */
	char *unsaved;	       /* the newest for it, not sent yet; or NULL */
	struct ipc_msg *queue; /* what had no room in the socket */
	size_t nqueue, room;   /* nqueue <= room */
};

/* child_say.c */
void child_say(struct child *, const struct ipc_msg *);
/* Bytes with a message; without room now they are lost: -EAGAIN. */
int child_say_wrapped(
    struct child *, const struct ipc_msg *, const void *, size_t len);
void child_save(struct child *);  /* what is unsaved; it may have to wait */
void child_flush(struct child *); /* what waits, as far as there is room */
void child_set_beat(struct child *, unsigned ms);
void child_on_room(evutil_socket_t, short, void *);
void child_on_beat(evutil_socket_t, short, void *);

/* child_hear.c */
void child_on_ipc(evutil_socket_t, short, void *);
void child_on_stop(struct child *);
void child_log_status(const struct child *); /* for SIGUSR1 */

/* child_ops.c */
extern const struct instance_ops child_ops; /* with the child as argument */

#endif
