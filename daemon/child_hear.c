/* SPDX-License-Identifier: ISC */
/* What the engine process does of what the supervisor says. */
#include <event2/event.h>

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child_part.h"
#include "log.h"

static int
begin(struct child *c, bool maintenance, char *why, size_t len)
{
	int rc;

	rc = instance_new(&c->instance, &child_ops, c, maintenance, c->store);
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
		child_set_beat(c, ipc_beat_ms(conf));
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
	child_say(c, &answer);
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

void
child_log_status(const struct child *c)
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
void
child_on_stop(struct child *c)
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

void
child_on_ipc(evutil_socket_t fd, short what, void *arg)
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
			child_log_status(c);
		else if (m.type == IPC_STORE)
			on_store(c, attached);
		else if (m.type == IPC_STOP)
			child_on_stop(c);
		else
			on_failover(c, &m);
	}
}
