/* SPDX-License-Identifier: ISC */
/* The process that keeps root: its beginning, its signals and its end. */
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keeper.h"
#include "listen.h"
#include "log.h"

#define STOP_MS 2000 /* for the engine to bow out */
#define NICE	-10

const char *
supervisor_summary(char *buf, size_t len, const struct conf *conf)
{
	const struct conf_host *h = conf_hosts(conf);
	unsigned interfaces = 0;
	uint32_t i, k;

	for (i = 0; i < conf->nhosts; i++) {
		for (k = 0; k < i; k++)
			if (strcmp(h[i].ifname, h[k].ifname) == 0)
				break;
		interfaces += k == i;
	}
	(void)snprintf(buf, len, "%u virtual host%s on %u interface%s",
	    conf->nhosts, conf->nhosts == 1 ? "" : "s", interfaces,
	    interfaces == 1 ? "" : "s");
	return buf;
}

/*
 * Signals and limits.
 */

static void
set_limit(struct supervisor *s, unsigned more_ms)
{
	unsigned ms = STOP_MS + more_ms;
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	(void)event_add(s->limit, &tv);
}

static void
kill_engine(struct supervisor *s)
{
	s->phase = KILLING;
	watch_kill(s->watch);
	keeper_sweep(s);
	set_limit(s, 0);
}

/* Told twice: without grace.  But what is up is not left up. */
static void
stop_now(struct supervisor *s)
{
	if (!resource_any(s->resources))
		(void)event_base_loopbreak(s->base);
	else if (watch_running(s->watch))
		kill_engine(s);
	else
		keeper_finish(s);
}

static void
stop(struct supervisor *s, uint32_t sig)
{
	struct ipc_msg m = { .type = IPC_STOP };

	s->result = CONF_OK;
	if (s->phase != RUNNING) {
		stop_now(s);
		return;
	}
	log_line(LOG_INFO, "stopping: %s", strsignal((int)sig));
	(void)sdnotify_send(&s->sd, "STOPPING=1");
	s->phase = STOPPING;
	(void)event_del(s->retry);
	if (!watch_running(s->watch)) {
		keeper_finish(s);
		return;
	}
	watch_send(s->watch, &m, -1);
	set_limit(s, keeper_down_ms(s)); /* it orders all down first */
}

static void
on_limit(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;

	(void)fd, (void)what;
	if (s->phase != STOPPING) {
		(void)event_base_loopbreak(s->base);
		return;
	}
	log_line(LOG_ERR, "engine: does not stop: killing it");
	kill_engine(s);
}

static void
reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	/* Also the children of others, should we be process 1. */
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (!watch_reaped(s->watch, pid, status) &&
		    !saver_reaped(&s->saver, pid, status) &&
		    !resource_reaped(s->resources, pid, status))
			(void)notify_reaped(s->notify, pid, status);
	keeper_idle(s);
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct ipc_msg status = { .type = IPC_STATUS };
	struct supervisor *s = arg;
	struct signalfd_siginfo si;

	(void)what;
	while (read(fd, &si, sizeof(si)) == sizeof(si))
		switch (si.ssi_signo) {
		case SIGCHLD:
			reap(s);
			break;
		case SIGHUP:
			if (s->opt->file == NULL)
				log_line(LOG_NOTICE,
				    "nothing to reload: there "
				    "is no configuration file");
			else if (s->phase <= RUNNING)
				keeper_reload(s, 0);
			break;
		case SIGUSR1:
			watch_send(s->watch, &status, -1);
			break;
		default:
			stop(s, si.ssi_signo);
		}
}

static void
on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;

	(void)fd, (void)what;
	if (s->phase != RUNNING || watch_healthy(s->watch))
		(void)sdnotify_send(&s->sd, "WATCHDOG=1");
}

/*
 * The beginning and the end.
 */

static int
catch_signals(struct supervisor *s)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	s->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return s->signals == -1 ? -errno : 0;
}

static int
make_events(struct supervisor *s)
{
	uint64_t ns = s->sd.watchdog;
	struct timeval dog;
	int rc;

	s->base = event_base_new();
	if (s->base == NULL || event_base_priority_init(s->base, 2) == -1)
		return -ENOMEM;
	if ((rc = watch_new(&s->watch, s->base, &keeper_ops, s)) < 0 ||
	    (rc = notify_new(&s->notify, s->base, keeper_idle, s)) < 0 ||
	    (rc = keeper_make_resources(s)) < 0 || (rc = catch_signals(s)) < 0)
		return rc;
	s->on_signal =
	    event_new(s->base, s->signals, EV_READ | EV_PERSIST, on_signal, s);
	s->retry = evtimer_new(s->base, keeper_retry, s);
	s->limit = evtimer_new(s->base, on_limit, s);
	s->watchdog = event_new(s->base, -1, EV_PERSIST, on_watchdog, s);
	if (s->on_signal == NULL || s->retry == NULL || s->limit == NULL ||
	    s->watchdog == NULL)
		return -ENOMEM;
	/* Hooks have the lower one: they come in thousands. */
	(void)event_priority_set(s->on_signal, 0);
	(void)event_priority_set(s->retry, 0);
	(void)event_priority_set(s->limit, 0);
	(void)event_priority_set(s->watchdog, 0);
	dog.tv_sec = (time_t)(ns / CARP_SEC);
	dog.tv_usec = (suseconds_t)(ns % CARP_SEC / 1000);
	if (event_add(s->on_signal, NULL) == -1 ||
	    (ns != 0 && event_add(s->watchdog, &dog) == -1))
		return -ENOMEM;
	return 0;
}

/* The file system: lock, socket, state. */
static int
take_places(struct supervisor *s, char *why, size_t len)
{
	const struct supervisor_options *o = s->opt;
	gid_t group = 0;
	int rc;

	rc = privilege_user(&s->account, s->conf->user, why, len);
	if (rc < 0)
		return rc;
	if (o->socket != NULL) {
		rc = privilege_group(&group, s->conf->group, why, len);
		if (rc < 0 && o->file != NULL)
			return rc;
		s->lock = listen_lock(o->socket, why, len);
		if (s->lock < 0)
			return s->lock;
		s->listen = listen_open(o->socket, group, why, len);
		if (s->listen < 0)
			return s->listen;
	}
	saver_open(&s->saver, o->statedir);
	return 0;
}

static void
clean_up(struct supervisor *s)
{
	struct event *const ev[] = { s->on_signal, s->retry, s->limit,
		s->watchdog };

	if (s->watch != NULL && watch_running(s->watch)) {
		watch_end(s->watch);
		keeper_sweep(s);
	}
	keeper_free_resources(s);
	notify_free(s->notify);
	watch_free(s->watch);
	for (size_t i = 0; i < sizeof(ev) / sizeof(*ev); i++)
		if (ev[i] != NULL)
			event_free(ev[i]);
	if (s->base != NULL)
		event_base_free(s->base);
	if (s->listen >= 0)
		(void)unlink(s->opt->socket);
	if (s->listen >= 0)
		(void)close(s->listen);
	if (s->lock >= 0)
		(void)close(s->lock);
	if (s->signals >= 0)
		(void)close(s->signals);
	sdnotify_close(&s->sd);
	saver_close(&s->saver);
	vip_free(s->vip);
	free(s->masters);
	free(s->next);
	free(s->conf);
}

enum conf_result
supervisor_run(
    const struct supervisor_options *opt, struct conf *conf, struct vip *vip)
{
	struct supervisor s = { .opt = opt, .conf = conf, .vip = vip };
	char why[512];
	int rc;

	/* On a busy machine both processes go first; hooks do not. */
	if (getpriority(PRIO_PROCESS, 0) > NICE)
		(void)setpriority(PRIO_PROCESS, 0, NICE);
	s.lock = s.listen = s.signals = -1;
	s.retry_ms = KEEPER_RETRY_MS;
	s.result = CONF_FAILED;
	rc = sdnotify_open(&s.sd);
	if (rc < 0)
		log_line(LOG_WARNING, "NOTIFY_SOCKET: %s", strerror(-rc));
	rc = take_places(&s, why, sizeof(why));
	if (rc < 0) {
		log_line(LOG_ERR, "%s", why);
	} else if ((rc = make_events(&s)) < 0) {
		log_line(LOG_ERR, "cannot start: %s", strerror(-rc));
	} else {
		keeper_sweep(&s);
		notify_configure(s.notify, conf);
		keeper_configure(&s);
		if (keeper_start(&s) == 0)
			(void)event_base_dispatch(s.base);
	}
	clean_up(&s);
	return s.result;
}
