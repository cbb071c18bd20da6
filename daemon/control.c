/* SPDX-License-Identifier: ISC */
/* The control socket: clients, their lines, their turns, and who may what. */
#include <sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "log.h"
#include "rpc.h"

#define CLIENTS_MAX	64
#define CLIENTS_ROOT	8		/* of these, kept for root */
#define ACCEPTS_MAX	16		/* in one go */
#define ACCEPT_PAUSE_S	1		/* after running out of descriptors */
#define LINE_S		30		/* for a line to become complete */
#define READ_S		30		/* for a client to read something */
#define OUTPUT_MAX	(256 * 1024)	/* unread bytes; then no more turns */
#define EVENT_ROOM	512		/* more, for each virtual host */
#define RELOADS_MAX	8		/* waited for by one client */
#define BREATH_MAX	16384		/* bytes of JSON in one breath */
#define JSON_FLAGS	(JSON_COMPACT | JSON_REAL_PRECISION(15))

/*
 * Turns.  Their time is paid from a purse that fills with a quarter of the
 * time that passes, so that the election has the rest.
 */
#define TURNS_MAX	32		/* in one go */
#define PURSE_MAX	(CARP_SEC / 50)
#define PURSE_SHARE	4		/* one part in so many */

struct client;
TAILQ_HEAD(clients, client);

struct waiter {
	LIST_ENTRY(waiter) link;
	struct client *client;
	json_t	*id;			/* NULL: no answer wanted */
};
LIST_HEAD(waiters, waiter);

struct control {
	struct event_base *base;
	struct instance *instance;
	struct event *listener;
	struct event *accept_again;
	struct event *turns;		/* when the next turns may be taken */
	struct clients clients, ready;
	struct waiters now, next;	/* for this reload, for one more */
	bool	 reloading;
	unsigned nclients, nsubscribed, nother;	/* nother: not of root */
	int64_t	 purse;			/* ns; <= PURSE_MAX */
	uint64_t purse_at;
	bool	 user_ns;		/* own uid counts as root */
	int	 priority;		/* of all events here */
};

struct client {
	TAILQ_ENTRY(client) link, ready;
	struct control *ctl;
	struct bufferevent *bev;
	struct event *late;		/* the line is not complete in time */
	struct ucred cred;
	unsigned nwaiting;		/* reloads; <= RELOADS_MAX */
	size_t	 output_max;		/* for events */
	bool	 is_root;
	bool	 is_ready;		/* in `ready`: may have a line */
	bool	 subscribed;
	bool	 eof;			/* will send nothing more */
	bool	 closing;		/* once all is written */
	bool	 dead;			/* without that */
};

/*
 * Clients.
 */

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

static void
client_free(struct client *cl)
{
	struct control *ctl = cl->ctl;

	drop_waiters(&ctl->now, cl);
	drop_waiters(&ctl->next, cl);
	if (cl->is_ready)
		TAILQ_REMOVE(&ctl->ready, cl, ready);
	TAILQ_REMOVE(&ctl->clients, cl, link);
	ctl->nclients--;
	ctl->nother -= !cl->is_root;
	ctl->nsubscribed -= cl->subscribed;
	if (cl->late != NULL)
		event_free(cl->late);
	if (cl->bev != NULL)
		bufferevent_free(cl->bev);
	free(cl);
}

static size_t
unread(const struct client *cl)
{
	return evbuffer_get_length(bufferevent_get_output(cl->bev));
}

/* True, and the client is gone, if there is nothing left to do for him. */
static bool
client_finish(struct client *cl)
{
	if (cl->eof && !cl->is_ready && cl->nwaiting == 0 &&
	    unread(cl) < OUTPUT_MAX)
		cl->closing = true;
	if (!cl->closing || cl->dead || unread(cl) > 0)
		return false;
	client_free(cl);
	return true;
}

/* Writes what is queued, then closes. */
static void
client_close(struct client *cl)
{
	cl->closing = true;
	(void)bufferevent_disable(cl->bev, EV_READ);
	(void)event_del(cl->late);
}

/* Where JSON goes, and how much since the engine had its turn. */
struct sink {
	struct evbuffer *buf;
	struct instance *instance;
	size_t	 written;
};

static int
put_text(const char *text, size_t len, void *arg)
{
	struct sink *s = arg;

	s->written += len;
	if (s->written > BREATH_MAX) {
		s->written = 0;
		instance_breathe(s->instance);
	}
	return evbuffer_add(s->buf, text, len);
}

static int
put_json(struct client *cl, json_t *v)
{
	struct sink s = { bufferevent_get_output(cl->bev),
		cl->ctl->instance, 0 };

	if (json_dump_callback(v, put_text, &s, JSON_FLAGS) < 0)
		return -ENOMEM;
	return evbuffer_add(s.buf, "\n", 1) < 0 ? -ENOMEM : 0;
}

/* Steals the answer.  A client that cannot be answered is closed. */
static void
client_answer(struct client *cl, json_t *answer)
{
	if (answer == NULL || put_json(cl, answer) < 0) {
		log_line(LOG_WARNING, "control: out of memory for an answer");
		client_close(cl);
	}
	json_decref(answer);
	cl->output_max = unread(cl) + OUTPUT_MAX;
}

static void
client_error(struct client *cl, enum rpc_code code, const char *text)
{
	client_answer(cl, rpc_error(NULL, code, text));
	client_close(cl);
}

/*
 * Reloads.  Whoever asks while one runs gets the next one: the file may have
 * changed since the running one has read it.
 */

static int
wait_reload(struct client *cl, json_t *id)
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
		client_answer(cl, rc == 0 ? rpc_result(w->id, json_true()) :
		    rpc_error(w->id, RPC_FAILED, text));
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

/*
 * Events.
 */

static int
subscribe(struct client *cl)
{
	if (!cl->subscribed)
		cl->ctl->nsubscribed++;
	cl->subscribed = true;
	return 0;
}

/* How much a subscriber may leave unread: one event of each host, and more. */
static size_t
event_room(const struct client *cl)
{
	const struct conf *conf = instance_conf(cl->ctl->instance);
	size_t room = conf != NULL ? (size_t)conf->nhosts * EVENT_ROOM : 0;

	return room + cl->output_max;
}

static void
send_event(struct client *cl, const char *text, size_t len)
{
	if (unread(cl) + len <= event_room(cl) &&
	    bufferevent_write(cl->bev, text, len) == 0)
		return;
	log_line(LOG_DEBUG, "control: pid %d does not read its events; closed",
	    (int)cl->cred.pid);
	/* Not freed here: the event may come from a request of his own. */
	cl->dead = true;
	client_close(cl);
	event_active(cl->late, EV_TIMEOUT, 0);
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
	text = message == NULL ? NULL :
	    json_dumps(message, JSON_FLAGS);
	json_decref(message);
	if (text == NULL)
		return;
	len = strlen(text);
	text[len++] = '\n';		/* in place of the NUL */
	TAILQ_FOREACH(cl, &ctl->clients, link)
		if (cl->subscribed && !cl->closing)
			send_event(cl, text, len);
	free(text);
}

/*
 * Turns: one line of one client at a time.
 */

static int
peer_subscribe(void *arg)
{
	return subscribe(arg);
}

static int
peer_reload(void *arg, json_t *id)
{
	return wait_reload(arg, id);
}

static void
client_request(struct client *cl, const char *line, size_t len)
{
	struct rpc_peer peer = { cl->cred.uid, cl->cred.pid, cl->is_root, cl,
		peer_subscribe, peer_reload };
	json_t *answer;

	if (len == 0 || (len == 1 && line[0] == '\r'))
		return;
	answer = rpc_handle_line(cl->ctl->instance, &peer, line, len,
	    carp_now());
	if (answer != NULL)
		client_answer(cl, answer);
}

/* What is there is no line yet: the clock runs. */
static void
await_line(struct client *cl, size_t have)
{
	static const struct timeval limit = { LINE_S, 0 };
	char text[80];

	if (have > RPC_LINE_MAX) {
		(void)snprintf(text, sizeof(text),
		    "a line has at most %d bytes", RPC_LINE_MAX);
		client_error(cl, RPC_REQUEST, text);
	} else if (have > 0 && !event_pending(cl->late, EV_TIMEOUT, NULL)) {
		(void)event_add(cl->late, &limit);
	}
}

static void
client_ready(struct client *cl)
{
	if (cl->is_ready || cl->closing)
		return;
	cl->is_ready = true;
	TAILQ_INSERT_TAIL(&cl->ctl->ready, cl, ready);
}

static void
client_turn(struct client *cl)
{
	struct evbuffer *in = bufferevent_get_input(cl->bev);
	struct evbuffer_ptr end;
	const char *line;

	/* Who does not read gets no more to read: client_written() goes on. */
	if (cl->closing || unread(cl) >= OUTPUT_MAX)
		return;
	end = evbuffer_search_eol(in, NULL, NULL, EVBUFFER_EOL_LF);
	if (end.pos < 0 || end.pos > RPC_LINE_MAX) {
		await_line(cl, evbuffer_get_length(in));
		return;
	}
	(void)event_del(cl->late);
	line = (const char *)evbuffer_pullup(in, end.pos + 1);
	if (line == NULL) {
		client_error(cl, RPC_FAILED, "out of memory");
		return;
	}
	client_request(cl, line, (size_t)end.pos);
	(void)evbuffer_drain(in, (size_t)end.pos + 1);
	client_ready(cl);
}

static void
fill_purse(struct control *ctl, uint64_t now)
{
	uint64_t share = (now - ctl->purse_at) / PURSE_SHARE;

	ctl->purse_at = now;
	if (share > PURSE_MAX * 2)
		share = PURSE_MAX * 2;
	ctl->purse += (int64_t)share;
	if (ctl->purse > (int64_t)PURSE_MAX)
		ctl->purse = PURSE_MAX;
}

static void
pay(struct control *ctl, uint64_t start)
{
	uint64_t now = carp_now();

	fill_purse(ctl, now);
	ctl->purse -= (int64_t)(now - start);
}

static void
more_turns(struct control *ctl)
{
	struct timeval wait = { 0, 0 };
	int64_t ns = -ctl->purse * PURSE_SHARE;

	if (TAILQ_EMPTY(&ctl->ready) ||
	    event_pending(ctl->turns, EV_TIMEOUT, NULL))
		return;
	if (ns > 0) {
		wait.tv_sec = ns / (int64_t)CARP_SEC;
		wait.tv_usec = ns % (int64_t)CARP_SEC / 1000 + 1;
	}
	(void)event_add(ctl->turns, &wait);
}

static void
take_turns(struct control *ctl)
{
	uint64_t start = carp_now();
	struct client *cl;

	if (event_pending(ctl->turns, EV_TIMEOUT, NULL))
		return;
	fill_purse(ctl, start);
	for (int n = 0; n < TURNS_MAX && ctl->purse >= 0; n++) {
		if ((cl = TAILQ_FIRST(&ctl->ready)) == NULL)
			break;
		TAILQ_REMOVE(&ctl->ready, cl, ready);
		cl->is_ready = false;
		client_turn(cl);
		(void)client_finish(cl);
		pay(ctl, start);
		start = carp_now();
		/* What happened in the middle is told. */
		if (instance_deadline(ctl->instance) <= start)
			instance_process(ctl->instance, start);
	}
	more_turns(ctl);
}

static void
on_turns(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	take_turns(arg);
}

/*
 * What libevent says of a client.
 */

static void
client_read(struct bufferevent *bev, void *arg)
{
	struct client *cl = arg;
	struct control *ctl = cl->ctl;

	(void)bev;
	client_ready(cl);
	take_turns(ctl);
}

static void
client_written(struct bufferevent *bev, void *arg)
{
	struct client *cl = arg;
	struct control *ctl = cl->ctl;

	(void)bev;
	if (unread(cl) == 0)
		cl->output_max = OUTPUT_MAX;
	if (evbuffer_get_length(bufferevent_get_input(cl->bev)) > 0)
		client_ready(cl);
	(void)client_finish(cl);
	more_turns(ctl);
}

static void
client_event(struct bufferevent *bev, short what, void *arg)
{
	struct client *cl = arg;

	(void)bev;
	if (!(what & BEV_EVENT_EOF) || cl->subscribed || cl->closing) {
		client_free(cl);
		return;
	}
	/* He may have asked something, closed his side, and wait. */
	cl->eof = true;
	client_ready(cl);
	take_turns(cl->ctl);
}

static void
client_late(evutil_socket_t fd, short what, void *arg)
{
	struct client *cl = arg;

	(void)fd;
	(void)what;
	if (cl->dead) {
		client_free(cl);
		return;
	}
	client_error(cl, RPC_REQUEST, "the line was not finished in time");
	(void)client_finish(cl);
}

/*
 * New clients.
 */

static void
refuse(int fd)
{
	static const char text[] = "{\"jsonrpc\":\"2.0\",\"id\":null,"
	    "\"error\":{\"code\":-32003,\"message\":\"too many clients\"}}\n";

	/* It fits into the empty buffer of a new socket, or is not read. */
	(void)send(fd, text, sizeof(text) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)close(fd);
}

/* Takes the descriptor; without memory it is closed. */
static void
client_new(struct control *ctl, int fd, const struct ucred *cred)
{
	static const struct timeval limit = { READ_S, 0 };
	struct client *cl;

	if ((cl = calloc(1, sizeof(*cl))) == NULL) {
		(void)close(fd);
		return;
	}
	cl->ctl = ctl;
	cl->cred = *cred;
	cl->is_root = cred->uid == 0 ||
	    (ctl->user_ns && cred->uid == geteuid());
	cl->output_max = OUTPUT_MAX;
	TAILQ_INSERT_TAIL(&ctl->clients, cl, link);
	ctl->nclients++;
	ctl->nother += !cl->is_root;
	cl->late = evtimer_new(ctl->base, client_late, cl);
	cl->bev = bufferevent_socket_new(ctl->base, fd,
	    BEV_OPT_CLOSE_ON_FREE);
	if (cl->bev == NULL)
		(void)close(fd);
	if (cl->late == NULL || cl->bev == NULL ||
	    bufferevent_set_timeouts(cl->bev, NULL, &limit) < 0)
		goto fail;
	/* The election comes first, where the loop knows priorities. */
	(void)bufferevent_priority_set(cl->bev, ctl->priority);
	bufferevent_setwatermark(cl->bev, EV_READ, 0, RPC_LINE_MAX + 1);
	bufferevent_setwatermark(cl->bev, EV_WRITE, OUTPUT_MAX / 2, 0);
	bufferevent_setcb(cl->bev, client_read, client_written, client_event,
	    cl);
	if (bufferevent_enable(cl->bev, EV_READ | EV_WRITE) == 0)
		return;
fail:
	client_free(cl);
}

static bool
is_full(const struct control *ctl, const struct ucred *cred)
{
	return ctl->nclients >= CLIENTS_MAX || (cred->uid != 0 &&
	    ctl->nother >= CLIENTS_MAX - CLIENTS_ROOT);
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
	log_line(LOG_WARNING, "control: cannot accept: %s; trying again in "
	    "%d s", strerror(errno), ACCEPT_PAUSE_S);
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
	ctl->purse = PURSE_MAX;
	ctl->purse_at = carp_now();
	ctl->user_ns = in_user_ns();
	TAILQ_INIT(&ctl->clients);
	TAILQ_INIT(&ctl->ready);
	LIST_INIT(&ctl->now);
	LIST_INIT(&ctl->next);
	ctl->listener = event_new(base, listen_fd, EV_READ | EV_PERSIST,
	    on_accept, ctl);
	ctl->accept_again = evtimer_new(base, on_accept_again, ctl);
	ctl->turns = evtimer_new(base, on_turns, ctl);
	ctl->priority = event_base_get_npriorities(base) - 1;
	if (ctl->listener == NULL || ctl->accept_again == NULL ||
	    ctl->turns == NULL || event_priority_set(ctl->listener, ctl->priority) < 0 ||
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
