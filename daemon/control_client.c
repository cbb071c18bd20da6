/* SPDX-License-Identifier: ISC */
/* One client of the control socket: his lines, his turns, his answers. */
#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control_client.h"
#include "log.h"

#define LINE_S	    30		 /* for a line to become complete */
#define READ_S	    30		 /* for a client to read something */
#define OUTPUT_MAX  (256 * 1024) /* unread bytes; then no more turns */
#define EVENT_ROOM  512		 /* more, for each virtual host */
#define BREATH_MAX  16384	 /* bytes of JSON in one breath */

/*
 * Turns.  Their time is paid from a purse that fills with a quarter of the
 * time that passes, so that the election has the rest.
 */
#define TURNS_MAX   32 /* in one go */
#define PURSE_MAX   (CARP_SEC / 50)
#define PURSE_SHARE 4 /* one part in so many */

void
client_free(struct client *cl)
{
	struct control *ctl = cl->ctl;

	control_forget(cl);
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

bool
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
	size_t written;
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
	struct sink s = { bufferevent_get_output(cl->bev), cl->ctl->instance,
		0 };

	if (json_dump_callback(v, put_text, &s, CONTROL_JSON) < 0)
		return -ENOMEM;
	return evbuffer_add(s.buf, "\n", 1) < 0 ? -ENOMEM : 0;
}

void
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

/* How much a subscriber may leave unread: one event of each host, and more. */
static size_t
event_room(const struct client *cl)
{
	const struct conf *conf = instance_conf(cl->ctl->instance);
	size_t room = conf != NULL ? (size_t)conf->nhosts * EVENT_ROOM : 0;

	return room + cl->output_max;
}

void
client_event(struct client *cl, const char *text, size_t len)
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

/*
 * Turns: one line of one client at a time.
 */

static int
peer_subscribe(void *arg)
{
	struct client *cl = arg;

	if (!cl->subscribed)
		cl->ctl->nsubscribed++;
	cl->subscribed = true;
	return 0;
}

static int
peer_reload(void *arg, json_t *id)
{
	return control_wait(arg, id);
}

static void
client_request(struct client *cl, const char *line, size_t len)
{
	struct rpc_peer peer = { cl->cred.uid, cl->cred.pid, cl->is_root, cl,
		peer_subscribe, peer_reload };
	json_t *answer;

	if (len == 0 || (len == 1 && line[0] == '\r'))
		return;
	answer =
	    rpc_handle_line(cl->ctl->instance, &peer, line, len, carp_now());
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
	char *line;

	/* Who does not read gets no more to read: on_written() goes on. */
	if (cl->closing || unread(cl) >= OUTPUT_MAX)
		return;
	end = evbuffer_search_eol(in, NULL, NULL, EVBUFFER_EOL_LF);
	if (end.pos < 0 || end.pos > RPC_LINE_MAX) {
		await_line(cl, evbuffer_get_length(in));
		return;
	}
	(void)event_del(cl->late);
	line = (char *)evbuffer_pullup(in, end.pos + 1);
	if (line == NULL) {
		client_error(cl, RPC_FAILED, "out of memory");
		return;
	}
	client_request(cl, line, (size_t)end.pos);
	explicit_bzero(line, (size_t)end.pos); /* it may be a passphrase */
	(void)evbuffer_drain(in, (size_t)end.pos + 1);
	client_ready(cl);
}

/* The first time it becomes full. */
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

void
client_turns(struct control *ctl)
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

/*
 * What libevent says of a client.
 */

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct client *cl = arg;
	struct control *ctl = cl->ctl;

	(void)bev;
	client_ready(cl);
	client_turns(ctl);
}

static void
on_written(struct bufferevent *bev, void *arg)
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
on_event(struct bufferevent *bev, short what, void *arg)
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
	client_turns(cl->ctl);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
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

void
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
	cl->is_root =
	    cred->uid == 0 || (ctl->user_ns && cred->uid == geteuid());
	cl->output_max = OUTPUT_MAX;
	TAILQ_INSERT_TAIL(&ctl->clients, cl, link);
	ctl->nclients++;
	ctl->nother += !cl->is_root;
	cl->late = evtimer_new(ctl->base, on_late, cl);
	cl->bev = bufferevent_socket_new(ctl->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (cl->bev == NULL)
		(void)close(fd);
	if (cl->late == NULL || cl->bev == NULL ||
	    bufferevent_set_timeouts(cl->bev, NULL, &limit) < 0)
		goto fail;
	/* The election comes first, where the loop knows priorities. */
	(void)bufferevent_priority_set(cl->bev, ctl->priority);
	bufferevent_setwatermark(cl->bev, EV_READ, 0, RPC_LINE_MAX + 1);
	bufferevent_setwatermark(cl->bev, EV_WRITE, OUTPUT_MAX / 2, 0);
	bufferevent_setcb(cl->bev, on_read, on_written, on_event, cl);
	if (bufferevent_enable(cl->bev, EV_READ | EV_WRITE) == 0)
		return;
fail:
	client_free(cl);
}
