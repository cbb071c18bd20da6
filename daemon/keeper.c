/* SPDX-License-Identifier: ISC */
/* What the supervisor does about its engine. */
#include <sys/time.h>
#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <carp/engine.h>

#include "keeper.h"
#include "log.h"
#include "reload.h"

#define RETRY_MAX_MS 5000
#define STEADY_NS    (10 * CARP_SEC) /* who ran so long is started at once */

static void
after(struct event *timer, unsigned ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	(void)event_add(timer, &tv);
}

/*
 * Addresses.
 */

/* What an engine left, at once.  Without a file only what we were given. */
void
keeper_sweep(struct supervisor *s)
{
	const struct conf_host *h = conf_hosts(s->conf);
	const struct carp_addr *only = NULL;
	unsigned removed = 0;
	size_t n = 0;
	int rc;

	if (s->opt->file == NULL && s->conf->nhosts > 0) {
		only = conf_pool(s->conf) + h->addrs;
		n = h->naddrs;
	}
	rc = vip_sweep(s->vip, only, n, &removed);
	if (rc < 0)
		log_line(LOG_ERR, "cannot take away left addresses: %s",
		    strerror(-rc));
	if (removed > 0)
		log_line(LOG_NOTICE, "%u left address%s taken away", removed,
		    removed == 1 ? "" : "es");
}

/*
 * The engine.
 */

static void
send_conf(struct supervisor *s, const struct conf *conf, uint8_t asked)
{
	struct ipc_msg m = { .type = IPC_CONF, .asked = asked };
	int fd;

	m.on = s->saver.state.maintenance;
	fd = ipc_wrap(conf, conf->size);
	if (fd < 0) {
		log_line(LOG_ERR, "engine: no configuration for it: %s",
		    strerror(-fd));
		watch_kill(s->watch);
		return;
	}
	watch_expect(s->watch, ipc_beat_ms(s->conf), true);
	watch_send(s->watch, &m, fd);
	(void)close(fd);
}

/*
 * Whoever was master when the engine ended.  A successor that is quick goes on
 * for them, and clients notice little.  Not after a short life: what made it
 * end may do so again, and then another node had better take over.
 */
static void
remember_masters(struct supervisor *s)
{
	size_t n = notify_masters(s->notify, NULL, 0);

	s->ended_at = carp_now();
	s->ended_well = s->ended_at - s->ready_at >= STEADY_NS;
	free(s->masters);
	s->nmasters = 0;
	s->masters = calloc(n + 1, sizeof(*s->masters));
	if (s->masters != NULL)
		s->nmasters = notify_masters(s->notify, s->masters, n);
}

static void
send_masters(struct supervisor *s)
{
	struct ipc_msg m = {
		.type = IPC_RESUME, .on = s->ended_well, .at = s->ended_at
	};
	int fd;

	if (s->nmasters == 0)
		return;
	fd = ipc_wrap(s->masters, s->nmasters * sizeof(*s->masters));
	if (fd < 0)
		return; /* they wait like any other */
	watch_send(s->watch, &m, fd);
	(void)close(fd);
}

static void
start_again(struct supervisor *s)
{
	log_line(LOG_NOTICE, "engine: starting again in %.1f s",
	    s->retry_ms / 1000.0);
	after(s->retry, s->retry_ms);
	s->retry_ms = s->retry_ms == 0 ? KEEPER_RETRY_MS : s->retry_ms * 2;
	if (s->retry_ms > RETRY_MAX_MS)
		s->retry_ms = RETRY_MAX_MS;
}

int
keeper_start(struct supervisor *s)
{
	struct watch_child c = { &s->account, s->listen, s->lock,
		s->conf->realtime };
	int rc;

	s->ready = false;
	rc = watch_start(s->watch, &c);
	if (rc == 0) {
		keeper_send_store(s);
		send_conf(s, s->conf, 0);
		send_masters(s);
		keeper_send_resort(s);
		resource_tell(s->resources);
	} else
		log_line(
		    LOG_ERR, "engine: cannot be started: %s", strerror(-rc));
	return rc;
}

void
keeper_retry(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;

	(void)fd, (void)what;
	if (keeper_start(s) < 0)
		start_again(s);
}

static void
tell_manager(const struct supervisor *s)
{
	char summary[64], text[128];

	(void)snprintf(text, sizeof(text), "READY=1\nSTATUS=%s",
	    supervisor_summary(summary, sizeof(summary), s->conf));
	(void)sdnotify_send(&s->sd, text);
}

static void
engine_ready(struct supervisor *s)
{
	char summary[64];

	keeper_engine_there(s);
	s->ready = true;
	s->ready_at = carp_now();
	s->nmasters = 0;
	watch_expect(s->watch, ipc_beat_ms(s->conf), false);
	log_line(LOG_INFO, "engine runs: %s",
	    supervisor_summary(summary, sizeof(summary), s->conf));
	tell_manager(s);
	if (s->phase == STARTING) {
		s->phase = RUNNING;
		s->result = CONF_OK;
	}
	if (s->want_reload)
		keeper_reload(s, s->want_asked);
}

/* What is up, of a carpd before, does not stay up without one. */
static void
give_up(struct supervisor *s)
{
	if (resource_any(s->resources))
		keeper_finish(s);
	else
		(void)event_base_loopbreak(s->base);
}

/* It exits by itself. */
static void
engine_refused(struct supervisor *s, const char *text)
{
	log_line(LOG_ERR, "engine: cannot start: %s", text);
	if (s->phase == STARTING)
		give_up(s);
}

/*
 * A new configuration.
 */

static void
reload_over(struct supervisor *s)
{
	tell_manager(s);
	if (s->want_reload && s->ready)
		keeper_reload(s, s->want_asked);
}

/* There is nothing for the engine to apply: rc 0, or the reasons. */
static void
answer_reload(struct supervisor *s, uint8_t asked, int rc, const char *text)
{
	struct ipc_msg m = { .type = IPC_RELOAD_DONE, .rc = rc };
	int fd;

	log_text(rc == 0 ? LOG_INFO : LOG_ERR, text);
	if (rc != 0)
		log_line(LOG_ERR, "reload failed: the configuration that runs "
				  "goes on unchanged");
	m.asked = asked;
	fd = ipc_wrap(text, strlen(text));
	watch_send(s->watch, &m, fd < 0 ? -1 : fd);
	if (fd >= 0)
		(void)close(fd);
}

/* 1, or why their part of it cannot be applied now. */
static int
resources_allow(
    const struct supervisor *s, const struct conf *conf, char **text)
{
	char why[256];
	int rc;

	rc = resource_may_configure(s->resources, conf, why, sizeof(why));
	if (rc == 0)
		return 1;
	free(*text);
	*text = strdup(why);
	return rc;
}

void
keeper_reload(struct supervisor *s, uint8_t asked)
{
	struct conf *conf = NULL;
	char *text = NULL;
	int rc;

	if (!s->ready || s->next != NULL) {
		s->want_asked = asked | (s->want_reload ? s->want_asked : 0);
		s->want_reload = true;
		return;
	}
	s->want_reload = false;
	(void)sdnotify_reloading(&s->sd);
	rc = reload_read(&conf, &text, s->opt->file, s->conf);
	if (rc == 1)
		rc = resources_allow(s, conf, &text);
	if (rc < 0)
		free(conf);
	if (rc == 1) {
		log_text(LOG_WARNING, text);
		s->next = conf;
		send_conf(s, conf, asked);
	} else {
		answer_reload(s, asked, rc, text != NULL ? text : "no memory");
		tell_manager(s);
	}
	free(text);
}

static void
reload_applied(struct supervisor *s, const struct ipc_msg *m)
{
	char summary[64];

	if (m->rc == 0) {
		free(s->conf);
		s->conf = s->next;
		s->next = NULL;
		notify_configure(s->notify, s->conf);
		keeper_configure(s);
		log_line(LOG_INFO, "reloaded: %s",
		    supervisor_summary(summary, sizeof(summary), s->conf));
	} else {
		free(s->next);
		s->next = NULL;
		resource_tell(s->resources);
		log_line(LOG_ERR,
		    "reload failed: %s; the configuration that "
		    "runs goes on unchanged",
		    m->text);
	}
	watch_expect(s->watch, ipc_beat_ms(s->conf), false);
	reload_over(s);
}

/*
 * What the engine says.
 */

static void
on_note(struct supervisor *s, const struct instance_note *n)
{
	/* The name becomes a word of a hook: it must be one that we know. */
	if (notify_configured(s->conf, n->ifname, n->vhid) ||
	    (s->next != NULL && notify_configured(s->next, n->ifname, n->vhid)))
		notify_change(s->notify, n->ifname, n->vhid, n->from, n->to,
		    carp_cause_text(n->cause));
}

static void
on_message(void *arg, const struct ipc_msg *m, int fd)
{
	struct supervisor *s = arg;

	if (keeper_resource_message(s, m, fd))
		return;
	if (fd != -1)
		(void)close(fd);
	switch (m->type) {
	case IPC_APPLIED:
		if (s->ready && s->next != NULL)
			reload_applied(s, m);
		else if (!s->ready && m->rc == 0)
			engine_ready(s);
		else if (!s->ready)
			engine_refused(s, m->text);
		break;
	case IPC_RELOAD:
		if (s->phase == RUNNING)
			keeper_reload(s, 1);
		break;
	case IPC_NOTE:
		on_note(s, &m->note);
		break;
	case IPC_MAINTENANCE:
		s->saver.state.maintenance = m->on;
		saver_save(&s->saver);
		break;
	default:
		break;
	}
}

static void
on_lost(void *arg)
{
	keeper_sweep(arg);
	keeper_engine_gone(arg);
}

static void
log_death(int status)
{
	if (WIFSIGNALED(status))
		log_line(LOG_ERR, "engine: killed by signal %d (%s)",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		log_line(WEXITSTATUS(status) == 0 ? LOG_NOTICE : LOG_ERR,
		    "engine: exit status %d", WEXITSTATUS(status));
}

void
keeper_idle(void *arg)
{
	struct supervisor *s = arg;

	if (s->phase == ENDING && notify_idle(s->notify) &&
	    saver_idle(&s->saver) && resource_idle(s->resources))
		(void)event_base_loopbreak(s->base);
}

void
keeper_finish(struct supervisor *s)
{
	unsigned hooks = s->conf->notify_timeout * 1000 + 500;
	unsigned down = keeper_down_ms(s);

	if (s->phase == ENDING)
		return;
	s->phase = ENDING;
	keeper_engine_there(s);
	after(s->limit, hooks > down ? hooks : down);
	resource_abandon(s->resources, "carpd stops");
	keeper_idle(s);
}

static void
on_ended(void *arg, int status)
{
	struct supervisor *s = arg;

	keeper_sweep(s);
	keeper_engine_gone(s);
	if (s->ready)
		remember_masters(s);
	if (s->phase < STOPPING || status != 0)
		log_death(status);
	notify_lost(s->notify, "the engine has ended");
	if (s->next != NULL) {
		free(s->next);
		s->next = NULL;
		log_line(LOG_ERR, "reload failed: the engine has ended");
	}
	if (s->ready && s->ended_well)
		s->retry_ms = 0;
	s->ready = false;
	if (s->phase == STARTING)
		give_up(s);
	else if (s->phase == RUNNING)
		start_again(s);
	else
		keeper_finish(s);
}

const struct watch_ops keeper_ops = { on_message, on_lost, on_ended };
