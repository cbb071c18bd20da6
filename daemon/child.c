/* SPDX-License-Identifier: ISC */
/* The engine process: one loop over engine, control socket and supervisor. */
#include <sys/signalfd.h>
#include <sys/time.h>

#include <event2/event.h>

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "control.h"
#include "ipc.h"
#include "log.h"

#define FIRST_BEAT_MS 200
#define BOUND_US      2000 /* packets wait no longer for other work, */
#define BOUND_CALLS   8	   /* nor for more of it than this */
#define PARTING_MS    100
#define LAST_WORDS_MS 500
#define QUEUE_MAX     65536 /* messages; more than hosts there can be */

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
	size_t nqueue, room;   /* nqueue <= room <= QUEUE_MAX */
};

/*
 * To the supervisor.
 */

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

static int say_wrapped(
    struct child *, const struct ipc_msg *, const void *, size_t len);

static void
save(struct child *c)
{
	const struct ipc_msg m = { .type = IPC_REMEMBER };
	int rc;

	if (c->unsaved == NULL)
		return;
	rc = say_wrapped(c, &m, c->unsaved, strlen(c->unsaved));
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
static void
flush(struct child *c)
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
		save(c);
	}
}

static void
say(struct child *c, const struct ipc_msg *m)
{
	if (c->nqueue > 0 || is_full(ipc_send(c->ipc, m, -1)))
		enqueue(c, m);
}

static void
on_room(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	flush(arg);
}

static void
on_beat(evutil_socket_t fd, short what, void *arg)
{
	const struct ipc_msg m = { .type = IPC_ALIVE };
	struct child *c = arg;

	(void)fd, (void)what;
	if (c->nqueue == 0) /* a supervisor that sleeps needs no more */
		(void)ipc_send(c->ipc, &m, -1);
}

static void
set_beat(struct child *c, unsigned ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	(void)event_add(c->beat, &tv);
}

/*
 * What the instance asks for.
 */

static void
do_notify(void *arg, const struct instance_note *note)
{
	struct ipc_msg m = { .type = IPC_NOTE };

	m.note = *note;
	say(arg, &m);
}

static void
do_save_maintenance(void *arg, bool on)
{
	const struct ipc_msg m = { .type = IPC_MAINTENANCE, .on = on };

	say(arg, &m);
}

static void
do_event(void *arg, json_t *event)
{
	const struct child *c = arg;

	if (c->control != NULL)
		control_event(c->control, event);
}

static bool
do_listens(void *arg)
{
	const struct child *c = arg;

	return c->control != NULL && control_subscribed(c->control);
}

static int
do_reload(void *arg)
{
	const struct ipc_msg m = { .type = IPC_RELOAD };
	struct child *c = arg;

	if (!c->from_file)
		return -EOPNOTSUPP;
	say(c, &m);
	return 0;
}

/*
 * What failover mode asks for.
 */

static void
do_order(void *arg, const struct resource_order *o)
{
	struct ipc_msg m = { .type = IPC_ORDER };

	m.order = *o;
	say(arg, &m);
}

static void
do_hard(void *arg, const char *reason)
{
	struct ipc_msg m = { .type = IPC_HARD };

	(void)snprintf(m.text, sizeof(m.text), "%s", reason);
	say(arg, &m);
}

/* Bytes with a message; without room now they are lost: -EAGAIN. */
static int
say_wrapped(struct child *c, const struct ipc_msg *m, const void *p, size_t len)
{
	int rc, fd = ipc_wrap(p, len);

	if (fd < 0)
		return fd;
	rc = ipc_send(c->ipc, m, fd);
	(void)close(fd);
	return rc;
}

/* Without room it waits; only the newest counts. */
static void
do_remember(void *arg, const char *text, size_t len)
{
	struct child *c = arg;
	char *copy = strndup(text, len);

	if (copy == NULL) {
		log_line(
		    LOG_ERR, "failover.json: not saved: %s", strerror(ENOMEM));
		return;
	}
	free(c->unsaved);
	c->unsaved = copy;
	save(c);
}

static int
do_secret(void *arg, const char *resource, const void *p, size_t len)
{
	struct ipc_msg m = { .type = IPC_SECRET, .on = len > 0 };

	(void)snprintf(m.text, sizeof(m.text), "%s", resource);
	return say_wrapped(arg, &m, p, len);
}

static void
do_ended(void *arg)
{
	struct child *c = arg;

	c->stopping = c->ended = true;
}

/*
 * From the supervisor.
 */

static int
begin(struct child *c, bool maintenance, char *why, size_t len)
{
	const struct instance_ops ops = { do_notify, do_save_maintenance,
		do_event, do_reload, do_listens, do_order, do_hard, do_remember,
		do_secret, do_ended };
	int rc;

	rc = instance_new(&c->instance, &ops, c, maintenance, c->store);
	if (rc < 0) {
		(void)snprintf(why, len, "%s", strerror(-rc));
		return rc;
	}
	(void)event_assign(c->on_instance, c->base, instance_fd(c->instance),
	    EV_READ | EV_PERSIST, event_get_callback(c->on_instance), c);
	(void)event_priority_set(c->on_instance, 0);
	if (event_add(c->on_instance, NULL) == -1)
		return -ENOMEM;
	if (c->listen == -1)
		return 0;
	rc = control_new(&c->control, c->base, c->listen, c->instance);
	if (rc < 0)
		(void)snprintf(why, len, "control socket: %s", strerror(-rc));
	return rc;
}

static int
apply(struct child *c, const struct ipc_msg *m, int fd, char *why, size_t len)
{
	struct conf *conf = NULL;
	void *block = NULL;
	size_t size = 0;
	int rc;

	(void)snprintf(why, len, "a broken configuration came");
	rc = ipc_unwrap(fd, &block, &size);
	conf = block;
	if (rc == 0)
		rc = conf_verify(conf, size);
	if (rc == 0 && c->instance == NULL)
		rc = begin(c, m->on, why, len);
	if (rc == 0)
		rc = instance_apply(c->instance, conf, carp_now(), why, len);
	if (rc == 0) {
		c->from_file = conf->file[0] != '\0';
		set_beat(c, ipc_beat_ms(conf));
	}
	free(block);
	(void)malloc_trim(0); /* tables that have grown leave holes */
	return rc;
}

static void
reload_done(struct child *c, const struct ipc_msg *m, int rc, const char *why)
{
	if (m->asked && c->control != NULL)
		control_reload_done(c->control, rc, why);
}

static void
on_conf(struct child *c, const struct ipc_msg *m, int fd)
{
	struct ipc_msg answer = { .type = IPC_APPLIED };
	bool first = c->instance == NULL;

	answer.rc = apply(c, m, fd, answer.text, sizeof(answer.text));
	if (answer.rc == 0)
		answer.text[0] = '\0';
	say(c, &answer);
	if (first && answer.rc < 0) {
		c->status = EXIT_FAILURE;
		c->stopping = true;
	}
	reload_done(c, m, answer.rc, answer.text);
}

static void
on_reload_done(struct child *c, const struct ipc_msg *m, int fd)
{
	void *text = NULL;
	size_t len;

	if (ipc_unwrap(fd, &text, &len) == 0)
		reload_done(c, m, m->rc, text);
	else
		reload_done(c, m, m->rc, "see the log");
	if (c->instance != NULL)
		instance_set_live(c->instance, false);
	free(text);
}

/* For SIGUSR1. */
static void
log_status(const struct child *c)
{
	if (c->instance != NULL)
		instance_log_status(c->instance, carp_now());
}

static void
on_resume(struct child *c, const struct ipc_msg *m, int fd)
{
	struct ipc_master *list = NULL;
	void *block = NULL;
	size_t len = 0;

	if (ipc_unwrap(fd, &block, &len) != 0)
		return;
	list = block;
	for (size_t i = 0; c->instance != NULL && i < len / sizeof(*list); i++)
		instance_resume(c->instance, list[i].ifname, list[i].vhid,
		    m->on, m->at, carp_now());
	free(block);
}

static void
on_store(struct child *c, int fd)
{
	void *text = NULL;
	size_t len;

	if (ipc_unwrap(fd, &text, &len) != 0)
		return;
	free(c->store);
	c->store = text;
}

/* In failover mode everything comes down first. */
static void
on_stop(struct child *c)
{
	if (c->instance == NULL || !instance_step_down(c->instance, carp_now()))
		c->stopping = true;
}

static void
on_failover(struct child *c, const struct ipc_msg *m)
{
	struct failover *f =
	    c->instance != NULL ? instance_failover(c->instance) : NULL;

	if (f == NULL)
		return;
	if (m->type == IPC_REPORT)
		failover_report(f, &m->report, carp_now());
	else if (m->type == IPC_DONE)
		failover_done(f, &m->done, carp_now());
	else
		failover_resort(f, m->text, carp_now());
}

static void
on_ipc(evutil_socket_t fd, short what, void *arg)
{
	struct child *c = arg;
	struct ipc_msg m;
	int rc, attached;

	(void)what;
	while (!c->stopping && (rc = ipc_recv(fd, &m, &attached)) != -EAGAIN) {
		if (rc == -EPROTO)
			continue;
		if (rc <= 0) {
			log_line(LOG_ERR, "the supervisor is gone: stopping");
			c->stopping = true;
			c->abandoned = c->instance != NULL &&
				       instance_failover(c->instance) != NULL;
			break;
		}
		if (m.type == IPC_CONF)
			on_conf(c, &m, attached);
		else if (m.type == IPC_RESUME)
			on_resume(c, &m, attached);
		else if (m.type == IPC_RELOAD_DONE)
			on_reload_done(c, &m, attached);
		else if (m.type == IPC_STATUS)
			log_status(c);
		else if (m.type == IPC_STORE)
			on_store(c, attached);
		else if (m.type == IPC_STOP)
			on_stop(c);
		else
			on_failover(c, &m);
	}
}

/*
 * The loop.
 */

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct signalfd_siginfo si;
	struct child *c = arg;

	(void)what;
	while (read(fd, &si, sizeof(si)) == sizeof(si))
		if (si.ssi_signo == SIGUSR1)
			log_status(c);
		else
			on_stop(c);
}

/* Ready, or its deadline has come: what to do is the same. */
static void
on_instance(evutil_socket_t fd, short what, void *arg)
{
	const struct child *c = arg;

	(void)fd, (void)what;
	instance_process(c->instance, carp_now());
}

static void
arm(struct child *c)
{
	uint64_t now, at = instance_deadline(c->instance);
	struct timeval tv = { 0, 0 };

	if (at == c->armed && event_pending(c->deadline, EV_TIMEOUT, NULL))
		return;
	c->armed = at;
	if (at == CARP_NEVER) {
		(void)event_del(c->deadline);
		return;
	}
	now = carp_now();
	if (at > now) {
		tv.tv_sec = (time_t)((at - now) / CARP_SEC);
		tv.tv_usec = (suseconds_t)((at - now) % CARP_SEC / 1000 + 1);
	}
	(void)event_add(c->deadline, &tv);
}

static void
loop(struct child *c)
{
	while (!c->stopping && event_base_loop(c->base, EVLOOP_ONCE) != -1) {
		if (c->instance == NULL)
			continue;
		/* Orders from the control socket may have led to events. */
		instance_process(c->instance, carp_now());
		arm(c);
	}
}

/* Links of virtual MACs go down when the peer has had time to take over. */
static void
part(struct carp_engine *e)
{
	uint64_t end = carp_now() + PARTING_MS * (CARP_SEC / 1000);
	struct timespec ts;
	uint64_t at;

	while ((at = carp_engine_deadline(e)) <= end && carp_now() < end) {
		ts.tv_sec = (time_t)(at / CARP_SEC);
		ts.tv_nsec = (long)(at % CARP_SEC);
		(void)clock_nanosleep(
		    CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
		/* What fails here, leaving tries again. */
		(void)carp_engine_process(e, carp_now());
	}
}

/* Bows out first; then tells what the supervisor may still want to know. */
static void
stop(struct child *c)
{
	struct pollfd pfd = { .fd = c->ipc, .events = POLLOUT };
	uint64_t end = carp_now() + LAST_WORDS_MS * (CARP_SEC / 1000);
	bool says = c->instance != NULL && !c->abandoned &&
		    (c->ended || instance_failover(c->instance) == NULL);

	/*
	 * Nobody is left who could give storage back: the peer must not think
	 * so, and hears nothing.  The addresses go with the engine.
	 */
	if (says) {
		instance_process(c->instance, carp_now());
		instance_stop(c->instance, carp_now());
	}
	flush(c);
	while ((c->nqueue > 0 || c->unsaved != NULL) && carp_now() < end) {
		(void)poll(&pfd, 1, LAST_WORDS_MS);
		flush(c);
	}
	if (says)
		part(instance_engine(c->instance));
}

static int
make_base(struct child *c)
{
	const struct timeval bound = { 0, BOUND_US };
	struct event_config *cfg;

	cfg = event_config_new();
	if (cfg == NULL)
		return -ENOMEM;
	(void)event_config_set_flag(cfg, EVENT_BASE_FLAG_PRECISE_TIMER);
	(void)event_config_set_max_dispatch_interval(
	    cfg, &bound, BOUND_CALLS, 1);
	c->base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	if (c->base == NULL || event_base_priority_init(c->base, 2) == -1)
		return -ENOMEM;
	return 0;
}

static int
catch_signals(struct child *c)
{
	sigset_t set;

	/* SIGHUP stays blocked: whoever meant carpd has told the supervisor. */
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGUSR1);
	c->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return c->signals == -1 ? -errno : 0;
}

static int
make_events(struct child *c)
{
	if (make_base(c) < 0 || catch_signals(c) < 0)
		return -ENOMEM;
	c->on_ipc = event_new(c->base, c->ipc, EV_READ | EV_PERSIST, on_ipc, c);
	c->on_room = event_new(c->base, c->ipc, EV_WRITE, on_room, c);
	c->on_signal =
	    event_new(c->base, c->signals, EV_READ | EV_PERSIST, on_signal, c);
	c->on_instance = event_new(c->base, -1, 0, on_instance, c);
	c->deadline = evtimer_new(c->base, on_instance, c);
	c->beat = event_new(c->base, -1, EV_PERSIST, on_beat, c);
	if (c->on_ipc == NULL || c->on_room == NULL || c->on_signal == NULL ||
	    c->on_instance == NULL || c->deadline == NULL || c->beat == NULL)
		return -ENOMEM;
	(void)event_priority_set(c->on_ipc, 0);
	(void)event_priority_set(c->on_room, 0);
	(void)event_priority_set(c->on_signal, 0);
	(void)event_priority_set(c->deadline, 0);
	(void)event_priority_set(c->beat, 0);
	if (event_add(c->on_ipc, NULL) == -1 ||
	    event_add(c->on_signal, NULL) == -1)
		return -ENOMEM;
	set_beat(c, FIRST_BEAT_MS);
	return 0;
}

static void
clean_up(struct child *c)
{
	struct event *const ev[] = { c->on_ipc, c->on_room, c->on_signal,
		c->on_instance, c->deadline, c->beat };

	control_free(c->control);
	instance_free(c->instance);
	for (size_t i = 0; i < sizeof(ev) / sizeof(*ev); i++)
		if (ev[i] != NULL)
			event_free(ev[i]);
	if (c->base != NULL)
		event_base_free(c->base);
	if (c->signals != -1)
		(void)close(c->signals);
	free(c->queue);
	free(c->unsaved);
	free(c->store);
}

/* What clients say may be a passphrase: no copy of it stays behind. */
static void
wipe_and_free(void *p)
{
	if (p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

int
child_run(int ipc, int listen_fd)
{
	struct child c = { .ipc = ipc, .listen = listen_fd, .signals = -1 };

	c.armed = CARP_NEVER;
	json_set_alloc_funcs(malloc, wipe_and_free);
	event_set_mem_functions(malloc, realloc, wipe_and_free);
	if (make_events(&c) < 0) {
		log_line(LOG_ERR, "cannot make an event loop");
		c.status = EXIT_FAILURE;
	} else {
		loop(&c);
		stop(&c);
	}
	clean_up(&c);
	return c.status; /* ipc closes last: its end is ours */
}
