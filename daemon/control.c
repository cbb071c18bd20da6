/* SPDX-License-Identifier: ISC */
/* The control socket: who connects, who waits for what, who may what. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control_client.h"
#include "log.h"

#define CLIENTS_MAX    64
#define CLIENTS_ROOT   8  /* of these, kept for root */
#define ACCEPTS_MAX    16 /* in one go */
#define ACCEPT_PAUSE_S 1  /* after running out of descriptors */
#define RELOADS_MAX    8  /* waited for by one client */

/*
 * Reloads.  Whoever asks while one runs gets the next one: the file may have
 * changed since the running one has read it.
 */

int
control_wait(struct client *cl, json_t *id)
{
	struct control *ctl = cl->ctl;
	struct waiter *w;
	int rc;

	if (cl->nwaiting >= RELOADS_MAX)
		return -EBUSY;
	if (!ctl->reloading && (rc = instance_reload(ctl->instance)) < 0)
		return rc;
	if ((w = calloc(1, sizeof(*w))) == NULL)
		return -ENOMEM;
	w->client = cl;
	w->id = id != NULL ? json_incref(id) : NULL;
	cl->nwaiting++;
	LIST_INSERT_HEAD(ctl->reloading ? &ctl->next : &ctl->now, w, link);
	ctl->reloading = true;
	return 0;
}

static void
answer_waiter(struct waiter *w, int rc, const char *text)
{
	struct client *cl = w->client;

	cl->nwaiting--;
	if (w->id != NULL && !cl->closing)
		client_answer(cl, rc == 0 ? rpc_result(w->id, json_true())
					  : rpc_error(w->id, RPC_FAILED, text));
	json_decref(w->id);
	free(w);
	(void)client_finish(cl);
}

static void
answer_waiters(struct control *ctl, int rc, const char *text)
{
	struct waiter *w;

	while ((w = LIST_FIRST(&ctl->now)) != NULL) {
		LIST_REMOVE(w, link);
		answer_waiter(w, rc, text);
	}
}

void
control_reload_done(struct control *ctl, int rc, const char *text)
{
	struct waiter *w;

	if (text == NULL || text[0] == '\0')
		text = strerror(rc < 0 ? -rc : EIO);
	answer_waiters(ctl, rc, text);
	ctl->reloading = false;
	while ((w = LIST_FIRST(&ctl->next)) != NULL) {
		LIST_REMOVE(w, link);
		LIST_INSERT_HEAD(&ctl->now, w, link);
	}
	if (LIST_EMPTY(&ctl->now))
		return;
	if ((rc = instance_reload(ctl->instance)) < 0)
		answer_waiters(ctl, rc, strerror(-rc));
	else
		ctl->reloading = true;
}

static void
drop_waiters(struct waiters *list, const struct client *cl)
{
	struct waiter *w, *next;

	for (w = LIST_FIRST(list); w != NULL; w = next) {
		next = LIST_NEXT(w, link);
		if (w->client != cl)
			continue;
		LIST_REMOVE(w, link);
		json_decref(w->id);
		free(w);
	}
}

void
control_forget(const struct client *cl)
{
	drop_waiters(&cl->ctl->now, cl);
	drop_waiters(&cl->ctl->next, cl);
}

/*
 * Events.
 */

bool
control_subscribed(const struct control *ctl)
{
	return ctl->nsubscribed > 0;
}

void
control_event(struct control *ctl, json_t *event)
{
	struct client *cl;
	json_t *message;
	char *text;
	size_t len;

	if (ctl->nsubscribed == 0)
		return;
	message = json_pack("{s:s,s:s,s:O}", "jsonrpc", "2.0", "method",
	    "carp.event", "params", event);
	text = message == NULL ? NULL : json_dumps(message, CONTROL_JSON);
	json_decref(message);
	if (text == NULL)
		return;
	len = strlen(text);
	text[len++] = '\n'; /* in place of the NUL */
	TAILQ_FOREACH(cl, &ctl->clients, link)
	if (cl->subscribed && !cl->closing)
		client_event(cl, text, len);
	free(text);
}

/*
 * New clients.
 */

static void
refuse(int fd)
{
	static const char text[] =
	    "{\"jsonrpc\":\"2.0\",\"id\":null,"
	    "\"error\":{\"code\":-32003,\"message\":\"too many clients\"}}\n";

	/* It fits into the empty buffer of a new socket, or is not read. */
	(void)send(fd, text, sizeof(text) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)close(fd);
}

static bool
is_full(const struct control *ctl, const struct ucred *cred)
{
	return ctl->nclients >= CLIENTS_MAX ||
	       (cred->uid != 0 && ctl->nother >= CLIENTS_MAX - CLIENTS_ROOT);
}

static void
take_client(struct control *ctl, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0) {
		(void)close(fd);
		return;
	}
	if (is_full(ctl, &cred))
		refuse(fd);
	else
		client_new(ctl, fd, &cred);
}

/* False: no more for now. */
static bool
accept_one(struct control *ctl, int listen_fd)
{
	static const struct timeval pause = { ACCEPT_PAUSE_S, 0 };
	int fd;

	fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		take_client(ctl, fd);
		return true;
	}
	if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
		return false;
	log_line(LOG_WARNING,
	    "control: cannot accept: %s; trying again in "
	    "%d s",
	    strerror(errno), ACCEPT_PAUSE_S);
	(void)event_del(ctl->listener);
	(void)event_add(ctl->accept_again, &pause);
	return false;
}

static void
on_accept(evutil_socket_t listen_fd, short what, void *arg)
{
	(void)what;
	for (int n = 0; n < ACCEPTS_MAX; n++)
		if (!accept_one(arg, listen_fd))
			break;
}

static void
on_accept_again(evutil_socket_t fd, short what, void *arg)
{
	struct control *ctl = arg;

	(void)fd;
	(void)what;
	(void)event_add(ctl->listener, NULL);
}

static void
on_turns(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	client_turns(arg);
}

/*
 * In a user namespace that is not the first one there may be no root: there,
 * who runs carpd may also change it.
 */
static bool
in_user_ns(void)
{
	unsigned long inside, outside, n;
	FILE *f = fopen("/proc/self/uid_map", "re");
	bool whole;

	if (f == NULL)
		return false;
	whole = fscanf(f, "%lu %lu %lu", &inside, &outside, &n) == 3 &&
		inside == 0 && outside == 0 && n == 4294967295UL;
	(void)fclose(f);
	return !whole;
}

int
control_new(struct control **ret, struct event_base *base, int listen_fd,
    struct instance *instance)
{
	struct control *ctl;

	if ((ctl = calloc(1, sizeof(*ctl))) == NULL)
		return -ENOMEM;
	ctl->base = base;
	ctl->instance = instance;
	ctl->user_ns = in_user_ns();
	TAILQ_INIT(&ctl->clients);
	TAILQ_INIT(&ctl->ready);
	LIST_INIT(&ctl->now);
	LIST_INIT(&ctl->next);
	ctl->listener =
	    event_new(base, listen_fd, EV_READ | EV_PERSIST, on_accept, ctl);
	ctl->accept_again = evtimer_new(base, on_accept_again, ctl);
	ctl->turns = evtimer_new(base, on_turns, ctl);
	ctl->priority = event_base_get_npriorities(base) - 1;
	if (ctl->listener == NULL || ctl->accept_again == NULL ||
	    ctl->turns == NULL ||
	    event_priority_set(ctl->listener, ctl->priority) < 0 ||
	    event_priority_set(ctl->turns, ctl->priority) < 0 ||
	    event_add(ctl->listener, NULL) < 0)
		goto fail;
	*ret = ctl;
	return 0;
fail:
	control_free(ctl);
	return -ENOMEM;
}

void
control_free(struct control *ctl)
{
	struct client *cl;

	if (ctl == NULL)
		return;
	while ((cl = TAILQ_FIRST(&ctl->clients)) != NULL)
		client_free(cl);
	if (ctl->listener != NULL)
		event_free(ctl->listener);
	if (ctl->accept_again != NULL)
		event_free(ctl->accept_again);
	if (ctl->turns != NULL)
		event_free(ctl->turns);
	free(ctl);
}
