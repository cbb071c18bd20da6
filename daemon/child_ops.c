/* SPDX-License-Identifier: ISC */
/* What the instance and failover mode ask of the engine process. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child_part.h"
#include "log.h"

static void
do_notify(void *arg, const struct instance_note *note)
{
	struct ipc_msg m = { .type = IPC_NOTE };

	m.note = *note;
	child_say(arg, &m);
}

static void
do_save_maintenance(void *arg, bool on)
{
	const struct ipc_msg m = { .type = IPC_MAINTENANCE, .on = on };

	child_say(arg, &m);
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
	child_say(c, &m);
	return 0;
}

/*
 * For failover mode.
 */

static void
do_order(void *arg, const struct resource_order *o)
{
	struct ipc_msg m = { .type = IPC_ORDER };

	m.order = *o;
	child_say(arg, &m);
}

static void
do_hard(void *arg, const char *reason)
{
	struct ipc_msg m = { .type = IPC_HARD };

	(void)snprintf(m.text, sizeof(m.text), "%s", reason);
	child_say(arg, &m);
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
	child_save(c);
}

static int
do_secret(void *arg, const char *resource, const void *p, size_t len)
{
	struct ipc_msg m = { .type = IPC_SECRET, .on = len > 0 };

	(void)snprintf(m.text, sizeof(m.text), "%s", resource);
	return child_say_wrapped(arg, &m, p, len);
}

static void
do_ended(void *arg)
{
	struct child *c = arg;

	c->stopping = c->ended = true;
}

const struct instance_ops child_ops = {
	.notify = do_notify,
	.save_maintenance = do_save_maintenance,
	.event = do_event,
	.reload = do_reload,
	.listens = do_listens,
	.order = do_order,
	.hard = do_hard,
	.remember = do_remember,
	.secret = do_secret,
	.ended = do_ended,
};
