/* SPDX-License-Identifier: ISC */
/* What the engine process runs: its life, its turns and what it knows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "instance_part.h"
#include "log.h"
#include "status_json.h"
#include "why.h"

#define LINES_MAX  64		  /* log lines in one breath */
#define SILENT_MAX (CARP_SEC / 5) /* ns: then events are told anyway */

int
instance_new(struct instance **ret, const struct instance_ops *ops, void *arg,
    bool maintenance, const char *store)
{
	struct instance *in;
	int rc;

	if ((in = calloc(1, sizeof(*in))) == NULL)
		return -ENOMEM;
	in->ops = *ops;
	in->arg = arg;
	in->started = carp_now();
	in->wake = CARP_NEVER;
	if (store != NULL && (in->store = strdup(store)) == NULL) {
		rc = -ENOMEM;
		goto fail;
	}
	if ((rc = carp_engine_new(&in->engine)) < 0)
		goto fail;
	if (maintenance &&
	    (rc = carp_engine_demote(in->engine, INSTANCE_MAINTENANCE,
		 CARP_DEMOTED, CARP_NEVER, in->started)) < 0)
		goto fail;
	in->maintenance = maintenance;
	*ret = in;
	return 0;
fail:
	instance_free(in);
	return rc;
}

void
instance_free(struct instance *in)
{
	struct carp_host *host = NULL;

	if (in == NULL)
		return;
	while (in->engine != NULL &&
	       (host = carp_host_each(in->engine, host)) != NULL) {
		free(carp_host_user(host));
		carp_host_set_user(host, NULL);
	}
	failover_free(in->failover);
	carp_engine_free(in->engine);
	free(in->store);
	free(in->conf);
	free(in);
}

/*
 * Own deadlines: hosts that maintenance forces to step down, log lines that
 * were left out.
 */

void
instance_wake_at(struct instance *in, uint64_t when)
{
	if (when < in->wake)
		in->wake = when;
}

static void
run_deadlines(struct instance *in, uint64_t now)
{
	struct carp_host *host = NULL;
	struct member *m;

	if (now < in->wake)
		return;
	in->wake = CARP_NEVER;
	while ((host = carp_host_each(in->engine, host)) != NULL) {
		m = carp_host_user(host);
		if (m->step_down <= now)
			instance_step_down_host(host, m, now);
		instance_wake_at(in, m->step_down);
		instance_wake_at(in, report_flush(&m->told, host, now));
	}
}

int
instance_fd(const struct instance *in)
{
	return carp_engine_fd(in->engine);
}

uint64_t
instance_deadline(const struct instance *in)
{
	uint64_t at = in->wake;

	if (in->more)
		return 0;
	if (in->failover != NULL && failover_deadline(in->failover) < at)
		at = failover_deadline(in->failover);
	return at;
}

/*
 * While hosts are due, telling waits: when thousands take over, none shall
 * wait for the log lines and notes of the others.
 */
static bool
must_hurry(struct instance *in, uint64_t now)
{
	uint64_t then = carp_now();

	if (carp_engine_deadline(in->engine) > then) {
		in->silent = 0;
		return false;
	}
	if (in->silent == 0)
		in->silent = now;
	if (then - in->silent < SILENT_MAX)
		return true;
	in->silent = 0;
	return false;
}

void
instance_process(struct instance *in, uint64_t now)
{
	int rc = carp_engine_process(in->engine, now);

	if (rc < 0 && rc != in->last_error)
		log_line(LOG_ERR, "engine: %s; going on", strerror(-rc));
	in->last_error = rc;
	run_deadlines(in, now);
	if (must_hurry(in, now))
		in->more = true;
	else
		instance_tell(in, now);
	if (in->failover == NULL)
		return;
	failover_process(in->failover, now);
	if (in->failover->role.addresses != in->served) {
		in->served = in->failover->role.addresses;
		instance_notify_all(in);
	}
}

void
instance_breathe(struct instance *in)
{
	/* An error comes again in instance_process(), which tells it. */
	(void)carp_engine_process(in->engine, carp_now());
	in->more = true;
}

void
instance_resume(struct instance *in, const char *ifname, uint8_t vhid,
    bool go_on, uint64_t at, uint64_t now)
{
	struct carp_host *h = carp_host_find(in->engine, ifname, vhid);
	struct carp_host_info info;

	if (h == NULL)
		return;
	/* Who holds storage has more to give back than addresses. */
	if (in->failover != NULL && !go_on)
		return;
	carp_host_get_info(h, &info);
	if (now - at < 3 * info.carp.advbase * CARP_SEC)
		(void)carp_host_resume(h, go_on, now); /* or not: no harm */
}

bool
instance_step_down(struct instance *in, uint64_t now)
{
	if (in->failover == NULL || in->conf == NULL)
		return false;
	failover_stop(in->failover, now);
	return true;
}

void
instance_stop(struct instance *in, uint64_t now)
{
	int rc = carp_engine_stop(in->engine, now);

	if (rc < 0)
		log_line(
		    LOG_ERR, "engine: cannot stop cleanly: %s", strerror(-rc));
	do
		instance_tell(in, now);
	while (in->more);
}

/*
 * What it knows.
 */

struct carp_engine *
instance_engine(struct instance *in)
{
	return in->engine;
}

const struct conf *
instance_conf(const struct instance *in)
{
	return in->conf;
}

uint64_t
instance_started(const struct instance *in)
{
	return in->started;
}

struct failover *
instance_failover(const struct instance *in)
{
	return in->failover;
}

int
instance_secret(
    struct instance *in, const char *resource, const void *p, size_t len)
{
	if (in->failover == NULL || in->ops.secret == NULL)
		return -EOPNOTSUPP;
	return in->ops.secret(in->arg, resource, p, len);
}

void
instance_set_live(struct instance *in, bool live)
{
	in->live = live;
}

int
instance_reload(struct instance *in)
{
	return in->ops.reload != NULL ? in->ops.reload(in->arg) : -EOPNOTSUPP;
}

void
instance_log_status(struct instance *in, uint64_t now)
{
	struct carp_condition_info trouble;
	struct carp_host *host = NULL;
	struct carp_host_info i;
	char why[WHY_LEN];
	unsigned n = 0;

	log_line(LOG_INFO, "status: demotion %d, maintenance %s",
	    carp_demotion_sum(carp_engine_demotion(in->engine)),
	    in->maintenance ? "on" : "off");
	while ((host = carp_host_each(in->engine, host)) != NULL) {
		carp_host_get_info(host, &i);
		(void)why_sentence(why, &i,
		    status_trouble(&trouble, host) ? trouble.text : NULL, now);
		log_line(LOG_INFO, "vhid %u %s: %s; %zu of %zu addresses",
		    i.carp.vhid, i.ifname, why, i.vip.installed, i.naddrs);
		if (++n % LINES_MAX == 0)
			instance_breathe(in);
	}
}
