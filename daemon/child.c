/* SPDX-License-Identifier: ISC */
/* The engine process: one loop over engine, control socket and supervisor. */
#include <sys/signalfd.h>
#include <sys/time.h>

#include <event2/event.h>

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "child_part.h"
#include "log.h"

#define FIRST_BEAT_MS 200
#define BOUND_US      2000 /* packets wait no longer for other work, */
#define BOUND_CALLS   8	   /* nor for more of it than this */
#define PARTING_MS    100
#define LAST_WORDS_MS 500

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
			child_log_status(c);
		else
			child_on_stop(c);
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

/*
 * Its end.
 */

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
	child_flush(c);
	while ((c->nqueue > 0 || c->unsaved != NULL) && carp_now() < end) {
		(void)poll(&pfd, 1, LAST_WORDS_MS);
		child_flush(c);
	}
	if (says)
		part(instance_engine(c->instance));
}

/*
 * Its parts.
 */

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
	c->on_ipc =
	    event_new(c->base, c->ipc, EV_READ | EV_PERSIST, child_on_ipc, c);
	c->on_room = event_new(c->base, c->ipc, EV_WRITE, child_on_room, c);
	c->on_signal =
	    event_new(c->base, c->signals, EV_READ | EV_PERSIST, on_signal, c);
	c->on_instance = event_new(c->base, -1, 0, on_instance, c);
	c->deadline = evtimer_new(c->base, on_instance, c);
	c->beat = event_new(c->base, -1, EV_PERSIST, child_on_beat, c);
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
	child_set_beat(c, FIRST_BEAT_MS);
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
