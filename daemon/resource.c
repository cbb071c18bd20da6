/* SPDX-License-Identifier: ISC */
/* The resources of failover mode: actions of the plan, carried out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "resource_part.h"

#define SLACK_MS 1000 /* for a step of a way down to begin and to be reaped */

int
resource_new(struct resources **ret, struct event_base *base,
    const struct resource_places *places, const struct resource_ops *ops,
    void *arg)
{
	struct resources *r;

	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return -ENOMEM;
	r->part = calloc(CONF_RESOURCE_MAX, sizeof(*r->part));
	if (r->part == NULL) {
		free(r);
		return -ENOMEM;
	}
	r->base = base;
	r->places = *places;
	r->ops = *ops;
	r->arg = arg;
	*ret = r;
	return 0;
}

void
resource_free(struct resources *r)
{
	if (r == NULL)
		return;
	for (unsigned i = 0; i < r->plan.n; i++)
		part_clear(&r->part[i]);
	(void)secret_set(&r->secret, NULL, 0);
	free(r->part);
	free(r->conf);
	free(r->pending);
	free(r);
}

/*
 * Actions.
 */

void
resource_report_end(struct resources *r, struct part *t, unsigned exit,
    bool stuck, const struct hook_result *result)
{
	const char *text = result->last;
	struct resource_report report;

	if (text[0] == '\0' && t->told[0] != '\0')
		text = t->told;
	if (!plan_ended(&r->plan, t->index, exit, stuck, text, &report))
		return;
	report.began = result->began;
	report.took = result->took;
	r->ops.report(r->arg, &report);
}

static void
tell_done(struct resources *r, const struct plan_action *a)
{
	if (!a->internal)
		r->ops.done(r->arg, &a->done);
	else if (!a->done.ok)
		log_line(LOG_ERR, "resources: %s", a->done.text);
}

static void
carry_out(struct resources *r, const struct plan_action *a)
{
	switch (a->what) {
	case PLAN_RUN:
		exec_begin(r, a);
		break;
	case PLAN_KILL:
		exec_kill(&r->part[a->index], a->text);
		break;
	case PLAN_TELL:
		r->ops.report(r->arg, &a->report);
		break;
	case PLAN_DONE:
		tell_done(r, a);
		break;
	case PLAN_RESORT:
		resort_call(r->last_resort, a->text);
		r->ops.resort(r->arg, a->text);
		break;
	default:
		break;
	}
}

/* What ops call in turn comes back here: it is done by the first call. */
void
resource_pump(struct resources *r)
{
	struct plan_action a;
	bool idle;

	if (r->pumping)
		return;
	r->pumping = true;
	do {
		while (plan_next(&r->plan, &a))
			carry_out(r, &a);
		conf_pending(r);
	} while (plan_next(&r->plan, &a) && (carry_out(r, &a), true));
	r->pumping = false;
	for (unsigned i = 0; i < r->plan.n; i++)
		part_arm(&r->part[i]);
	idle = resource_idle(r);
	if (idle && r->busy) {
		r->busy = false;
		r->ops.idle(r->arg);
	} else {
		r->busy = !idle;
	}
}

/*
 * What others want.
 */

int
resource_configure(struct resources *r, const struct conf *conf)
{
	int rc = conf_take(r, conf);

	resource_pump(r);
	return rc;
}

static void
answer_held(struct resources *r)
{
	struct resource_done done = { .order = r->held.id };

	done.hard = r->plan.hard;
	plan_text(done.text, "replaced by a newer order");
	r->has_held = false;
	r->ops.done(r->arg, &done);
}

void
resource_order(struct resources *r, const struct resource_order *o)
{
	r->busy = true;
	if (r->pending != NULL && !r->plan.hard) {
		if (r->has_held)
			answer_held(r);
		r->held = *o;
		r->has_held = true;
	} else {
		plan_order(&r->plan, o);
	}
	resource_pump(r);
}

void
resource_orphan(struct resources *r)
{
	r->has_held = false;
	plan_orphan(&r->plan);
}

void
resource_resort(struct resources *r, const char *reason)
{
	plan_hard(&r->plan, reason);
	resource_pump(r);
}

void
resource_abandon(struct resources *r, const char *cause)
{
	if (!plan_any(&r->plan) || r->plan.hard)
		return;
	log_line(LOG_WARNING, "resources: all go down: %s", cause);
	if (r->has_held)
		answer_held(r);
	r->busy = true;
	plan_abandon(&r->plan, cause);
	resource_pump(r);
}

int
resource_secret(
    struct resources *r, const char *name, const void *p, size_t len)
{
	if (name == NULL) {
		for (unsigned i = 0; i < r->plan.n; i++)
			(void)secret_set(&r->part[i].secret, NULL, 0);
		return secret_set(&r->secret, p, len);
	}
	for (unsigned i = 0; i < r->plan.n; i++)
		if (strcmp(r->plan.item[i].name, name) == 0)
			return secret_set(&r->part[i].secret, p, len);
	return -ENOENT;
}

bool
resource_reaped(struct resources *r, pid_t pid, int status)
{
	if (!exec_reaped(r, pid, status))
		return false;
	resource_pump(r);
	return true;
}

void
resource_tell(struct resources *r)
{
	struct resource_report report;

	for (unsigned i = 0; i < r->plan.n; i++) {
		plan_state(&r->plan, i, &report);
		r->ops.report(r->arg, &report);
	}
}

bool
resource_idle(const struct resources *r)
{
	return plan_idle(&r->plan) && (r->pending == NULL || r->plan.hard);
}

const char *
resource_resorted(const struct resources *r)
{
	return r->plan.hard ? r->plan.reason : NULL;
}

bool
resource_any(const struct resources *r)
{
	return plan_any(&r->plan);
}

/* As if all were stopped one after the other. */
unsigned
resource_down_ms(const struct resources *r)
{
	uint64_t ms = 0;

	for (unsigned i = 0; i < r->plan.n; i++) {
		const struct plan_item *it = &r->plan.item[i];

		if (it->none || it->state == RES_DOWN)
			continue;
		ms += r->part[i].limit_ms[VERB_STOP] + SLACK_MS;
		if (it->phase == PHASE_STORAGE)
			ms += r->part[i].limit_ms[VERB_VERIFY] + SLACK_MS;
	}
	return ms > UINT32_MAX / 2 ? UINT32_MAX / 2 : (unsigned)ms;
}
