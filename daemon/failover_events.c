/* SPDX-License-Identifier: ISC */
/* What subscribers are told of failover mode. */
#include "failover_events.h"
#include "reasons.h"
#include "report.h"
#include "status_json.h"

static void
publish(struct failover *f, json_t *o, const char *event, uint64_t now)
{
	if (o == NULL)
		return;
	status_put(o, "time", report_time(now, now));
	status_put_text(o, "event", event);
	f->ops.event(f->arg, o);
	json_decref(o);
}

void
failover_tell(struct failover *f, uint64_t now)
{
	enum role_status status;
	uint32_t reasons;
	json_t *o;

	if (f->conf == NULL)
		return;
	status = failover_status(f);
	if (status != f->told) {
		f->told = status;
		o = json_object();
		status_put_text(o, "status", role_status_name(status));
		status_put_text(o, "cause", f->role.cause);
		publish(f, o, "failover.status", now);
	}
	reasons = reasons_now(f);
	if (reasons != f->reasons) {
		f->reasons = reasons;
		o = json_object();
		status_put(o, "reasons", reasons_json(f, reasons, false));
		publish(f, o, "failover.disabled.reasons", now);
	}
}

static json_t *
resource(const struct failover *f, uint32_t i)
{
	const struct conf_resource *r = &conf_resources(f->conf)[i];
	json_t *o = json_object();

	status_put_text(o, "name", r->name);
	status_put_text(
	    o, "phase", store_phase_name((enum conf_phase)r->phase));
	status_put_text(
	    o, "hook", r->none ? "none" : conf_text(f->conf, r->hook));
	status_put_text(o, "state", resource_state_name(f->res[i].state));
	status_put(o, "critical", json_boolean(r->critical));
	status_put_text(o, "reason", f->res[i].reason);
	return o;
}

/* Whether the way leads up, or down; NULL: the node rests. */
static const char *
direction(const struct failover *f)
{
	if (!role_busy(&f->role))
		return NULL;
	return f->role.at >= AT_DOWN_SERVICE ? "down" : "up";
}

json_t *
failover_progress(const struct failover *f)
{
	const char *way = direction(f);
	json_t *o = json_object(), *list = json_array();

	status_put_text(o, "role", role_status_name(failover_status(f)));
	status_put_text(o, "phase", role_at_name(f->role.at));
	status_put(
	    o, "direction", way != NULL ? json_string(way) : json_null());
	status_put_text(o, "cause", f->role.cause);
	status_put_text(o, "reason", f->role.reason);
	for (uint32_t i = 0; i < f->conf->failover.nresources; i++)
		(void)json_array_append_new(list, resource(f, i));
	status_put(o, "resources", list);
	return o;
}

void
failover_tell_run(
    struct failover *f, const struct resource_report *r, uint64_t now)
{
	json_t *o = failover_progress(f), *run = json_object();

	status_put_text(
	    run, "resource", conf_resources(f->conf)[r->index].name);
	status_put_text(
	    run, "verb", resource_verb_name((enum resource_verb)r->verb));
	status_put(run, "exit", json_integer(r->exit));
	status_put(run, "took_ms", json_real((double)(r->took / 1000) / 1000));
	status_put(o, "run", run);
	publish(f, o, "failover.progress", now);
}

/* Without a fence nothing but the election keeps two nodes from one disk. */
static const char *
risk(const struct failover *f)
{
	const struct conf_resource *r = conf_resources(f->conf);

	for (uint32_t i = 0; i < f->conf->failover.nresources; i++)
		if (r[i].none)
			return "fence none: when both nodes believe to be "
			       "active, both write to the storage and "
			       "destroy it";
	return "";
}

json_t *
failover_summary(const struct failover *f)
{
	json_t *o = failover_progress(f);

	status_put(o, "disabled", json_boolean(failover_disabled(f)));
	status_put(o, "timeout", json_integer(failover_timeout_s(f)));
	status_put(o, "reasons", reasons_json(f, f->reasons, true));
	status_put_text(o, "risk", risk(f));
	return o;
}
