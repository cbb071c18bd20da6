/* SPDX-License-Identifier: ISC */
/* What the engine process tells the supervisor, and what waits for room. */
#include <event2/event.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child_part.h"
#include "log.h"

#define QUEUE_MAX 65536 /* messages; more than hosts there can be */

/* A change of a host that waits already gives way to the newer one. */
static bool
replace_note(struct child *c, const struct ipc_msg *m)
{
	if (m->type != IPC_NOTE)
		return false;
	for (size_t i = 0; i < c->nqueue; i++) {
		struct ipc_msg *q = &c->queue[i];

		if (q->type == IPC_NOTE && q->note.vhid == m->note.vhid &&
		    strcmp(q->note.ifname, m->note.ifname) == 0) {
			*q = *m;
			return true;
		}
	}
	return false;
}

/*
 * A supervisor that misses an order never answers it.  The next engine finds
 * what there is, and begins anew.
 */
static void
lose(struct child *c, const struct ipc_msg *m)
{
	log_line(LOG_ERR, "supervisor: message lost: %s", strerror(ENOMEM));
	if (m->type != IPC_ORDER && m->type != IPC_HARD)
		return;
	c->stopping = c->abandoned = true;
	c->status = EXIT_FAILURE;
}

static void
enqueue(struct child *c, const struct ipc_msg *m)
{
	size_t room = c->room == 0 ? 64 : c->room * 2;
	struct ipc_msg *q;

	if (replace_note(c, m))
		return;
	if (c->nqueue == c->room) {
		q = room > QUEUE_MAX ? NULL
				     : realloc(c->queue, room * sizeof(*q));
		if (q == NULL) {
			lose(c, m);
			return;
		}
		c->queue = q;
		c->room = room;
	}
	c->queue[c->nqueue++] = *m;
	(void)event_add(c->on_room, NULL);
}

/* The other end lives, but the kernel has no room for a message now. */
static bool
is_full(int rc)
{
	return rc == -EAGAIN || rc == -ENOBUFS || rc == -ENOMEM ||
	       rc == -EINTR || rc == -ETOOMANYREFS;
}

int
child_say_wrapped(
    struct child *c, const struct ipc_msg *m, const void *p, size_t len)
{
	int rc, fd = ipc_wrap(p, len);

	if (fd < 0)
		return fd;
	rc = ipc_send(c->ipc, m, fd);
	(void)close(fd);
	return rc;
}

void
child_save(struct child *c)
{
	const struct ipc_msg m = { .type = IPC_REMEMBER };
	int rc;

	if (c->unsaved == NULL)
		return;
	rc = child_say_wrapped(c, &m, c->unsaved, strlen(c->unsaved));
	if (is_full(rc)) {
		(void)event_add(c->on_room, NULL);
		return;
	}
	if (rc < 0)
		log_line(
		    LOG_ERR, "failover.json: not saved: %s", strerror(-rc));
	free(c->unsaved);
	c->unsaved = NULL;
}

/* What the queue has, as far as there is room. */
void
child_flush(struct child *c)
{
	size_t n = 0;
	int rc = 0;

	while (n < c->nqueue && rc == 0)
		if ((rc = ipc_send(c->ipc, &c->queue[n], -1)) == 0)
			n++;
	if (rc != 0 && !is_full(rc))
		n = c->nqueue; /* it is gone; its end is seen elsewhere */
	c->nqueue -= n;
	if (n > 0 && c->nqueue > 0)
		memmove(c->queue, c->queue + n, c->nqueue * sizeof(*c->queue));
	if (c->nqueue > 0) {
		(void)event_add(c->on_room, NULL);
	} else {
		free(c->queue);
		c->queue = NULL;
		c->room = 0;
		child_save(c);
	}
}

void
child_say(struct child *c, const struct ipc_msg *m)
{
	if (c->nqueue > 0 || is_full(ipc_send(c->ipc, m, -1)))
		enqueue(c, m);
}

void
child_on_room(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	child_flush(arg);
}

void
child_on_beat(evutil_socket_t fd, short what, void *arg)
{
	const struct ipc_msg m = { .type = IPC_ALIVE };
	struct child *c = arg;

	(void)fd, (void)what;
	if (c->nqueue == 0) /* a supervisor that sleeps needs no more */
		(void)ipc_send(c->ipc, &m, -1);
}

void
child_set_beat(struct child *c, unsigned ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	(void)event_add(c->beat, &tv);
}
