/* SPDX-License-Identifier: ISC */
/* What the supervisor tells of resources, and what it means for the node. */
#include <stdio.h>
#include <string.h>

#include "failover_events.h"
#include "failover_part.h"

/* One that cannot be asked is known, too: to be unclear. */
static bool
is_answer(const struct resource_report *r)
{
	return r->state != RES_UNKNOWN ||
	       (r->took != 0 && r->exit != HOOK_ABSENT);
}

void
failover_check_known(struct failover *f, uint64_t now)
{
	const struct conf_resource *r = conf_resources(f->conf);
	struct role_detail d = { .whole = true };

	for (uint32_t i = 0; i < f->conf->failover.nresources; i++) {
		bool up = f->res[i].state == RES_UP;

		if (!f->res[i].known && now < f->known_by)
			return;
		d.any |= f->res[i].state != RES_DOWN && !r[i].none;
		d.whole &= up || r[i].none || !r[i].critical;
	}
	d.whole &= d.any;
	f->known = true;
	failover_hear_elections(f, now);
	failover_step(f, ROLE_EV_KNOWN, &d, now);
}

static void
lose(struct failover *f, uint32_t index, uint64_t now)
{
	const struct conf_resource *res = &conf_resources(f->conf)[index];
	const char *why = f->res[index].reason;
	struct role_detail d = { .text = NULL };
	char text[RESOURCE_TEXT];

	if (res->phase == PHASE_SERVICE && !res->critical)
		return;
	(void)snprintf(text, sizeof(text), "%s: %.*s", res->name,
	    (int)(sizeof(text) - sizeof(res->name) - 2),
	    why[0] != '\0' ? why : "is not running any more");
	d.text = text;
	failover_step(f,
	    res->phase == PHASE_FENCE ? ROLE_EV_FENCE_LOST : ROLE_EV_SICK, &d,
	    now);
}

/* What was lost while nobody wanted a failover. */
void
failover_recall_losses(struct failover *f, uint64_t now)
{
	for (uint32_t i = 0; i < f->conf->failover.nresources; i++)
		if (f->res[i].lost && f->role.at == AT_MASTER)
			lose(f, i, now);
}

/* What is meant, as this side counts; false: it is not configured here. */
static bool
find_index(const struct failover *f, struct resource_report *r)
{
	const struct conf_resource *res = conf_resources(f->conf);

	for (uint32_t i = 0; i < f->conf->failover.nresources; i++)
		if (res[i].phase == r->phase &&
		    strcmp(res[i].name, r->name) == 0) {
			r->index = (uint16_t)i;
			return true;
		}
	return false;
}

/* A supervisor that had no engine for too long takes all down by itself. */
static bool
goes_unasked(const struct failover *f, const struct resource_report *r,
    enum resource_state was)
{
	bool up = was == RES_UP || was == RES_SICK;
	bool leaves = r->state == RES_DOWN || r->state == RES_STOPPING ||
		      r->state == RES_FAILED;

	return up && leaves && r->order == 0 &&
	       (f->role.at == AT_MASTER || f->role.at == AT_SHAKEN);
}

void
failover_report(
    struct failover *f, const struct resource_report *report, uint64_t now)
{
	struct resource_report copy = *report;
	const struct resource_report *r = &copy;
	struct failover_resource *res;
	enum resource_state was;

	if (f->conf == NULL || !find_index(f, &copy))
		return;
	res = &f->res[r->index];
	was = res->state;
	res->state = (enum resource_state)r->state;
	res->known = is_answer(r);
	if (r->lost || r->state == RES_UP)
		res->lost = r->lost != 0;
	memcpy(res->reason, r->text, sizeof(r->text));
	if (r->took != 0)
		store_run(&f->store, f->conf, r);
	if (r->state == RES_FAILED || r->state == RES_SICK)
		memcpy(f->culprit, r->name, sizeof(f->culprit));
	failover_tell_run(f, r, now);
	failover_demote_sick(f, r->index, now);
	if (!f->known)
		failover_check_known(f, now);
	else if (r->lost || goes_unasked(f, r, was))
		lose(f, r->index, now);
}

void
failover_done(
    struct failover *f, const struct resource_done *done, uint64_t now)
{
	struct role_detail d = { .done = done };

	if (f->conf == NULL)
		return;
	if (done->order == f->role.order)
		store_done(&f->store, done, now);
	failover_step(f, ROLE_EV_DONE, &d, now);
}

void
failover_resort(struct failover *f, const char *reason, uint64_t now)
{
	struct role_detail d = { .text = reason };

	if (f->conf != NULL)
		failover_step(f, ROLE_EV_RESORT, &d, now);
}
