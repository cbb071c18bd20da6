/* SPDX-License-Identifier: ISC */
/* Events of the engine as log lines, notifications and control events. */
#include <stdio.h>
#include <string.h>

#include "instance_part.h"

#define EVENTS_MAX 128 /* told in one go */

/*
 * The notification hooks.  In failover mode a host that has won the election
 * is not master for them before it has its addresses.
 */
static void
notify(struct instance *in, struct carp_host *host, enum carp_state to,
    enum carp_cause cause)
{
	struct member *m = carp_host_user(host);
	struct instance_note note;
	struct carp_host_info i;

	carp_host_get_info(host, &i);
	if (in->failover != NULL && to == CARP_MASTER && !i.vip.up)
		to = CARP_BACKUP;
	if (in->ops.notify == NULL || m->noted == to)
		return;
	memset(&note, 0, sizeof(note));
	(void)snprintf(note.ifname, sizeof(note.ifname), "%s", i.ifname);
	note.vhid = i.carp.vhid;
	note.from = m->noted;
	note.to = m->noted = to;
	note.cause = cause;
	in->ops.notify(in->arg, &note);
}

/* After the addresses have come or gone. */
void
instance_notify_all(struct instance *in)
{
	struct carp_host *host = NULL;
	struct carp_host_info i;

	while ((host = carp_host_each(in->engine, host)) != NULL) {
		carp_host_get_info(host, &i);
		notify(in, host, i.carp.state, i.carp.cause);
	}
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
	/* Hooks first: their way is long. */
	if (ev->what == CARP_EV_STATE)
		notify(in, ev->host, ev->to, ev->cause);
	report_log(&in->limit, m != NULL ? &m->told : NULL, ev, text);
	if (m != NULL)
		instance_wake_at(in, report_flush(&m->told, ev->host, now));
	if (in->ops.event != NULL &&
	    (in->ops.listens == NULL || in->ops.listens(in->arg)) &&
	    (event = report_json(ev, text, now)) != NULL) {
		in->ops.event(in->arg, event);
		json_decref(event);
	}
	if (ev->what != CARP_EV_STATE)
		return;
	m->told.state = ev->to;
	m->told.since = ev->at;
	if (ev->to != CARP_MASTER)
		m->step_down = CARP_NEVER;
}

/* A change of state that the engine did not tell, or cannot tell any more. */
void
instance_tell_state(struct instance *in, struct carp_host *host,
    enum carp_state to, enum carp_cause cause, uint64_t now)
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
		instance_tell_state(in, host, i.carp.state, i.carp.cause, now);
	}
}

/* Not all of many, so that the engine is not kept from its packets. */
void
instance_tell(struct instance *in, uint64_t now)
{
	struct carp_event ev;
	bool lost = false;
	unsigned n;

	for (n = 0; n < EVENTS_MAX && carp_engine_next(in->engine, &ev); n++) {
		tell(in, &ev, now);
		lost |= ev.what == CARP_EV_LOST;
	}
	in->more = n == EVENTS_MAX;
	if (lost)
		tell_lost(in, now);
}
