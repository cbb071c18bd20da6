/* SPDX-License-Identifier: ISC */
/* A new configuration for the engine process, in plain or failover mode. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "instance_part.h"
#include "log.h"

#define STEPS_MAX 16 /* hosts removed in one breath */

/*
 * What failover mode asks for.
 */

static void
do_event(void *arg, json_t *event)
{
	const struct instance *in = arg;

	if (in->ops.event != NULL)
		in->ops.event(in->arg, event);
}

static void
do_order(void *arg, const struct resource_order *o)
{
	const struct instance *in = arg;

	in->ops.order(in->arg, o);
}

static void
do_hard(void *arg, const char *reason)
{
	const struct instance *in = arg;

	in->ops.hard(in->arg, reason);
}

static void
do_remember(void *arg, const char *text, size_t len)
{
	const struct instance *in = arg;

	in->ops.remember(in->arg, text, len);
}

static void
do_ended(void *arg)
{
	const struct instance *in = arg;

	in->ops.ended(in->arg);
}

static void
do_hosts(void *arg)
{
	struct instance *in = arg;
	int rc = apply_hosts(in, carp_now());

	if (rc < 0)
		log_line(LOG_ERR, "virtual hosts: %s", strerror(-rc));
}

/*
 * Configurations.
 */

/* What cannot be changed while it runs is refused with the way to do it. */
static int
check_mode(struct instance *in, const struct conf *conf, char *why, size_t len)
{
	bool live = in->live;

	in->live = false;
	if (in->conf == NULL)
		return 0;
	if (in->conf->failover.on != conf->failover.on) {
		(void)snprintf(why, len,
		    "failover mode cannot be switched %s by a reload: restart "
		    "carpd",
		    conf->failover.on ? "on" : "off");
		return -EOPNOTSUPP;
	}
	if (conf->failover.on && !live && !failover_disabled(in->failover) &&
	    !conf_same_network(in->conf, conf)) {
		(void)snprintf(why, len,
		    "interfaces or virtual hosts change while failover is "
		    "enabled: disable it (carpctl failover control "
		    "action=DISABLE), reload, enable it again, or use carpctl "
		    "reload --live");
		return -EBUSY;
	}
	return 0;
}

static int
prepare_mode(struct instance *in, const struct conf *conf)
{
	const struct failover_ops ops = { do_order, do_hard, do_remember,
		do_event, do_ended, do_hosts };

	if (!conf->failover.on || in->failover != NULL)
		return 0;
	return failover_new(
	    &in->failover, in->engine, &ops, in, in->store, in->maintenance);
}

static void
remove_host(struct instance *in, const struct conf_host *h, uint64_t now)
{
	struct carp_host *host;
	void *m;

	host = carp_host_find(in->engine, h->ifname, h->carp.vhid);
	if (host == NULL)
		return;
	/* Events of a host that is gone are dropped, so this comes before. */
	instance_tell_state(in, host, CARP_INIT, CARP_CAUSE_STOPPED, now);
	m = carp_host_user(host);
	carp_host_remove(host, now);
	free(m);
}

int
instance_apply(struct instance *in, const struct conf *conf, uint64_t now,
    char *why, size_t len)
{
	struct plan *p = NULL;
	struct conf *copy;
	int rc;

	if ((rc = check_mode(in, conf, why, len)) < 0)
		return rc;
	if ((rc = prepare_mode(in, conf)) < 0) {
		(void)snprintf(why, len, "failover: %s", strerror(-rc));
		return rc;
	}
	if ((copy = malloc(conf->size)) == NULL ||
	    plan_new(&p, in->conf, conf) < 0) {
		(void)snprintf(why, len, "out of memory");
		free(copy);
		return -ENOMEM;
	}
	memcpy(copy, conf, conf->size);
	if ((rc = apply_plan(in, p, conf, why, len, now)) < 0) {
		free(copy);
		goto out;
	}
	/* What happened before belongs before the news of what is removed. */
	instance_tell(in, now);
	for (uint32_t i = 0; i < p->n; i++) {
		if (p->step[i].what == PLAN_REMOVE)
			remove_host(in, p->step[i].was, now);
		if (i % STEPS_MAX == STEPS_MAX - 1)
			instance_breathe(in);
	}
	log_line(LOG_NOTICE,
	    "configuration: virtual hosts: %u added, "
	    "%u changed, %u removed, %u as before",
	    p->count[PLAN_ADD], p->count[PLAN_CHANGE], p->count[PLAN_REMOVE],
	    p->count[PLAN_KEEP]);
	if (in->failover != NULL)
		rc = failover_configure(in->failover, copy, now);
	free(in->conf);
	in->conf = copy;
out:
	free(p);
	return rc;
}
