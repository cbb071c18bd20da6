/* SPDX-License-Identifier: ISC */
/* Between the engine, which decides, and the resources of failover mode. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <carp/engine.h>

#include "keeper.h"
#include "log.h"

#define ABANDON_MIN_MS 1000
#define ABANDON_MAX_MS 2000
#define STOP_GRACE_MS  5000 /* for the manager, beyond what we need */

/*
 * To the engine.
 */

static void
on_report(void *arg, const struct resource_report *r)
{
	struct ipc_msg m = { .type = IPC_REPORT, .report = *r };
	struct supervisor *s = arg;

	/* The engine may count them in another way already: told later. */
	if (s->next == NULL)
		watch_send(s->watch, &m, -1);
}

static void
on_done(void *arg, const struct resource_done *d)
{
	struct ipc_msg m = { .type = IPC_DONE, .done = *d };
	struct supervisor *s = arg;

	watch_send(s->watch, &m, -1);
}

static void
on_resort(void *arg, const char *reason)
{
	struct ipc_msg m = { .type = IPC_RESORT };
	struct supervisor *s = arg;

	(void)snprintf(m.text, sizeof(m.text), "%s", reason);
	watch_send(s->watch, &m, -1);
}

static void
configure(struct supervisor *s)
{
	int rc = resource_configure(s->resources, s->conf);

	s->want_resources = rc == -EBUSY;
	if (rc < 0 && rc != -EBUSY)
		log_line(
		    LOG_ERR, "resources: not configured: %s", strerror(-rc));
}

static void
on_idle(void *arg)
{
	struct supervisor *s = arg;

	if (s->want_resources)
		keeper_configure(s);
	keeper_idle(s);
}

void
keeper_send_resort(struct supervisor *s)
{
	const char *reason = resource_resorted(s->resources);

	if (reason != NULL)
		on_resort(s, reason);
}

/* A new engine is told what there is, and what the one before remembered. */
void
keeper_send_store(struct supervisor *s)
{
	struct ipc_msg m = { .type = IPC_STORE };
	const char *text;
	size_t len;
	int fd;

	text = saver_remembered(&s->saver, &len);
	if (text == NULL)
		return;
	fd = ipc_wrap(text, len);
	if (fd < 0) {
		log_line(LOG_ERR, "engine: not told what is remembered: %s",
		    strerror(-fd));
		return;
	}
	watch_send(s->watch, &m, fd);
	(void)close(fd);
}

/*
 * From the engine.
 */

static void
on_secret(struct supervisor *s, const struct ipc_msg *m, int fd)
{
	const char *name = m->text[0] != '\0' ? m->text : NULL;
	void *p = NULL;
	size_t len = 0;
	int rc = 0;

	if (m->on)
		rc = ipc_unwrap(fd, &p, &len);
	else if (fd != -1)
		(void)close(fd);
	if (rc == 0)
		rc = resource_secret(s->resources, name, p, len);
	if (rc < 0)
		log_line(LOG_ERR, "passphrase%s%s: not taken: %s",
		    name != NULL ? " of " : "", m->text, strerror(-rc));
	if (p != NULL)
		explicit_bzero(p, len);
	free(p);
}

static void
on_remember(struct supervisor *s, int fd)
{
	void *text = NULL;
	size_t len = 0;
	int rc;

	rc = ipc_unwrap(fd, &text, &len);
	if (rc == 0)
		saver_remember(&s->saver, text, len);
	else
		log_line(
		    LOG_ERR, "engine: nothing to remember: %s", strerror(-rc));
	free(text);
}

bool
keeper_resource_message(struct supervisor *s, const struct ipc_msg *m, int fd)
{
	switch (m->type) {
	case IPC_SECRET:
		on_secret(s, m, fd);
		return true;
	case IPC_REMEMBER:
		on_remember(s, fd);
		return true;
	case IPC_ORDER:
		resource_order(s->resources, &m->order);
		break;
	case IPC_HARD:
		resource_resort(s->resources, m->text);
		break;
	default:
		return false;
	}
	if (fd != -1)
		(void)close(fd);
	return true;
}

/*
 * Without an engine.
 */

/* Sooner than a peer that hears nothing any more may take over. */
static unsigned
abandon_ms(const struct conf *conf)
{
	const struct conf_host *h = conf_hosts(conf);
	unsigned ms = ABANDON_MAX_MS;

	for (uint32_t i = 0; i < conf->nhosts; i++)
		if (h[i].carp.advbase * 3000U < ms)
			ms = h[i].carp.advbase * 3000U;
	return ms < ABANDON_MIN_MS ? ABANDON_MIN_MS : ms;
}

static void
on_abandoned(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;

	(void)fd, (void)what;
	resource_abandon(s->resources, "there is no engine");
}

void
keeper_engine_gone(struct supervisor *s)
{
	unsigned ms = abandon_ms(s->conf);
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	resource_orphan(s->resources);
	if (resource_any(s->resources) &&
	    !event_pending(s->abandoned, EV_TIMEOUT, NULL))
		(void)event_add(s->abandoned, &tv);
}

void
keeper_engine_there(struct supervisor *s)
{
	(void)event_del(s->abandoned);
}

/*
 * The configuration, the beginning and the end.
 */

void
keeper_configure(struct supervisor *s)
{
	configure(s);
	resource_tell(s->resources);
}

/* The directory of the control socket has the places of resources, too. */
static int
find_places(struct supervisor *s, struct resource_places *places)
{
	const struct supervisor_options *o = s->opt;
	const char *socket = o->socket != NULL ? o->socket : "/run/carpd/";
	const char *slash = strrchr(socket, '/');

	if (asprintf(&s->places, "%.*s/resources",
		slash == NULL ? 1 : (int)(slash - socket),
		slash == NULL ? "." : socket) == -1) {
		s->places = NULL;
		return -ENOMEM;
	}
	places->state = s->places;
	places->hooks[0] = conf_hook_dirs[0];
	places->hooks[1] = conf_hook_dirs[1];
	return 0;
}

int
keeper_make_resources(struct supervisor *s)
{
	static const struct resource_ops ops = { on_report, on_done, on_resort,
		on_idle };
	struct resource_places places;
	int rc;

	s->abandoned = evtimer_new(s->base, on_abandoned, s);
	if (s->abandoned == NULL)
		return -ENOMEM;
	(void)event_priority_set(s->abandoned, 0);
	rc = find_places(s, &places);
	if (rc == 0)
		rc = resource_new(&s->resources, s->base, &places, &ops, s);
	return rc;
}

void
keeper_free_resources(struct supervisor *s)
{
	resource_free(s->resources);
	if (s->abandoned != NULL)
		event_free(s->abandoned);
	free(s->places);
}

/* How long all may need to go down, ms; the service manager is told. */
unsigned
keeper_down_ms(const struct supervisor *s)
{
	unsigned ms = resource_down_ms(s->resources);
	char text[64];

	if (ms == 0)
		return 0;
	(void)snprintf(text, sizeof(text), "EXTEND_TIMEOUT_USEC=%llu",
	    (ms + STOP_GRACE_MS) * 1000ULL);
	(void)sdnotify_send(&s->sd, text);
	return ms;
}
