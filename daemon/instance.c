/* SPDX-License-Identifier: ISC */
/*
 * What the engine process runs: the virtual hosts of a configuration, their
 * events turned into log lines, notifications and control events.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "instance.h"
#include "apply.h"
#include "log.h"
#include "status_json.h"
#include "why.h"

#define MAINTENANCE	"maintenance"	/* cause of demotion */
#define STEP_DOWN_SLACK (CARP_SEC / 10) /* beyond one advertisement */
#define EVENTS_MAX	128		/* told in one go */
#define LINES_MAX	64		/* log lines in one breath */
#define STEPS_MAX	16		/* hosts removed in one breath */
#define SILENT_MAX	(CARP_SEC / 5)	/* ns: then events are told anyway */

struct instance {
	struct carp_engine *engine;
	struct instance_ops ops;
	void *arg;
	struct conf *conf;	   /* what runs; NULL: nothing yet */
	struct report_limit limit; /* of lines that are of no host */
	uint64_t started;
	uint64_t wake;		   /* own deadline; CARP_NEVER */
	uint64_t silent;	   /* events have not been told since; 0: - */
	struct failover *failover; /* NULL: plain mode */
	char *store;		   /* for it, until it is made */
	bool live; /* the next configuration may change the network */
	bool maintenance;
	bool more;	/* events wait in the engine */
	int last_error; /* of carp_engine_process() */
};

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
	if (maintenance && (rc = carp_engine_demote(in->engine, MAINTENANCE,
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
 * Events.
 */

static void
wake_at(struct instance *in, uint64_t when)
{
	if (when < in->wake)
		in->wake = when;
}

static void
notify(struct instance *in, const struct carp_event *ev)
{
	struct instance_note note;
	struct carp_host_info i;

	if (in->ops.notify == NULL)
		return;
	memset(&note, 0, sizeof(note));
	carp_host_get_info(ev->host, &i);
	(void)snprintf(note.ifname, sizeof(note.ifname), "%s", i.ifname);
	note.vhid = i.carp.vhid;
	note.from = ev->from;
	note.to = ev->to;
	note.cause = ev->cause;
	in->ops.notify(in->arg, &note);
}

/*
 * The sentence of a condition that began.  One of an interface has no host:
 * any host there knows it.
 */
static const char *
condition_text(struct carp_condition_info *ret, const struct instance *in,
    const struct carp_event *ev)
{
	struct carp_host *host = NULL;
	struct carp_host_info i;

	if (ev->what != CARP_EV_COND || !ev->on)
		return NULL;
	if (ev->host != NULL)
		return carp_host_condition(ev->host, ev->cond, ret) ? ret->text
								    : NULL;
	while ((host = carp_host_each(in->engine, host)) != NULL) {
		carp_host_get_info(host, &i);
		if (strcmp(i.ifname, ev->ifname) == 0 &&
		    carp_host_condition(host, ev->cond, ret))
			return ret->text;
	}
	return NULL;
}

static void
tell(struct instance *in, const struct carp_event *ev, uint64_t now)
{
	struct carp_condition_info cond;
	struct member *m = NULL;
	const char *text;
	json_t *event;

	if (ev->host != NULL && (m = carp_host_user(ev->host)) == NULL)
		return;
	text = condition_text(&cond, in, ev);
	/* What is over by now, or was of a host that is gone, is no news. */
	if (ev->what == CARP_EV_COND && ev->on && text == NULL)
		return;
	report_log(&in->limit, m != NULL ? &m->told : NULL, ev, text);
	if (m != NULL)
		wake_at(in, report_flush(&m->told, ev->host, now));
	if (in->ops.event != NULL &&
	    (in->ops.listens == NULL || in->ops.listens(in->arg)) &&
	    (event = report_json(ev, text, now)) != NULL) {
		in->ops.event(in->arg, event);
		json_decref(event);
	}
	if (ev->what != CARP_EV_STATE)
		return;
	notify(in, ev);
	m->told.state = ev->to;
	m->told.since = ev->at;
	if (ev->to != CARP_MASTER)
		m->step_down = CARP_NEVER;
}

/* A change of state that the engine did not tell, or cannot tell any more. */
static void
tell_state(struct instance *in, struct carp_host *host, enum carp_state to,
    enum carp_cause cause, uint64_t now)
{
	const struct member *m = carp_host_user(host);
	struct carp_event ev;

	if (m->told.state == to)
		return;
	memset(&ev, 0, sizeof(ev));
	ev.what = CARP_EV_STATE;
	ev.host = host;
	ev.from = m->told.state;
	ev.to = to;
	ev.cause = cause;
	ev.at = now;
	tell(in, &ev, now);
}

/* After events were lost: what nobody was told of. */
static void
tell_lost(struct instance *in, uint64_t now)
{
	struct carp_host *host = NULL;
	struct carp_host_info i;

	while ((host = carp_host_each(in->engine, host)) != NULL) {
		carp_host_get_info(host, &i);
		tell_state(in, host, i.carp.state, i.carp.cause, now);
	}
}

/* At most max events, so that the engine is not kept from its packets. */
static void
drain(struct instance *in, unsigned max, uint64_t now)
{
	struct carp_event ev;
	bool lost = false;
	unsigned n;

	for (n = 0; n < max && carp_engine_next(in->engine, &ev); n++) {
		tell(in, &ev, now);
		lost |= ev.what == CARP_EV_LOST;
	}
	in->more = n == max;
	if (lost)
		tell_lost(in, now);
}

/*
 * Own deadlines: hosts that maintenance forces to step down, log lines that
 * were left out.
 */

static void
step_down(struct carp_host *host, struct member *m, uint64_t now)
{
	struct carp_host_info i;
	int rc;

	m->step_down = CARP_NEVER;
	carp_host_get_info(host, &i);
	if (i.carp.state != CARP_MASTER)
		return;
	if ((rc = carp_host_force(host, CARP_BACKUP, now)) < 0)
		log_line(LOG_ERR,
		    "vhid %u %s: cannot step down for "
		    "maintenance: %s",
		    i.carp.vhid, i.ifname, strerror(-rc));
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
			step_down(host, m, now);
		wake_at(in, m->step_down);
		wake_at(in, report_flush(&m->told, host, now));
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
		drain(in, EVENTS_MAX, now);
	if (in->failover != NULL)
		failover_process(in->failover, now);
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
		drain(in, EVENTS_MAX, now);
	while (in->more);
}

/*
 * Configurations.
 */

static void
remove_host(struct instance *in, const struct conf_host *h, uint64_t now)
{
	struct carp_host *host;
	void *m;

	host = carp_host_find(in->engine, h->ifname, h->carp.vhid);
	if (host == NULL)
		return;
	/* Events of a host that is gone are dropped, so this comes before. */
	tell_state(in, host, CARP_INIT, CARP_CAUSE_STOPPED, now);
	m = carp_host_user(host);
	carp_host_remove(host, now);
	free(m);
}

/*
 * Failover mode.
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
	drain(in, EVENTS_MAX, now);
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

/*
 * Maintenance: all of the node is demoted.  A peer that does not preempt does
 * not take over from that alone, so who is still master after the next
 * advertisement steps down with a bow-out.
 */

bool
instance_maintenance(const struct instance *in)
{
	return in->maintenance;
}

static void
plan_step_down(struct instance *in, bool on, uint64_t now)
{
	struct carp_host *host = NULL;
	struct carp_host_info i;
	struct member *m;

	while ((host = carp_host_each(in->engine, host)) != NULL) {
		m = carp_host_user(host);
		m->step_down = CARP_NEVER;
		carp_host_get_info(host, &i);
		if (!on || i.carp.state != CARP_MASTER)
			continue;
		m->step_down = now + i.carp.interval + STEP_DOWN_SLACK;
		wake_at(in, m->step_down);
	}
}

int
instance_set_maintenance(struct instance *in, bool on, uint64_t now)
{
	int rc;

	if (on == in->maintenance)
		return 0;
	if (in->failover != NULL) {
		in->maintenance = on;
		failover_set_maintenance(in->failover, on, now);
	} else {
		rc = carp_engine_demote(in->engine, MAINTENANCE,
		    on ? CARP_DEMOTED : 0, CARP_NEVER, now);
		if (rc < 0)
			return rc;
		in->maintenance = on;
		plan_step_down(in, on, now);
	}
	log_line(LOG_NOTICE, "maintenance is %s", on ? "on" : "off");
	if (in->ops.save_maintenance != NULL)
		in->ops.save_maintenance(in->arg, on);
	return 0;
}
