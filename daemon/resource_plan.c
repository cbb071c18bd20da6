/* SPDX-License-Identifier: ISC */
/* What is done next to which resource, by orders. */
#include <stdio.h>
#include <string.h>

#include "resource_plan.h"

#define BIT(i) (UINT64_C(1) << (i))

static bool
settled(const struct plan_item *it)
{
	return it->step == STEP_NONE || it->step == STEP_DONE ||
	       it->step == STEP_FAILED;
}

static bool
member(const struct plan *p, unsigned i)
{
	return (p->set & BIT(i)) != 0;
}

/* The first reason is the one that is told. */
static void
fail(struct plan *p, const char *name, const char *what)
{
	if (!p->failed)
		plan_text(p->text, "%s: %s", name, what);
	p->failed = true;
}

static void
set_order(struct plan *p, const struct resource_order *o)
{
	for (unsigned i = 0; i < p->n; i++)
		p->item[i].step = STEP_NONE;
	p->order = *o;
	p->active = true;
	p->begun = p->failed = p->peer_alive = p->give_up = false;
	p->text[0] = '\0';
	p->set = plan_members(p);
	if (p->only != 0)
		p->set &= p->only;
}

static void
fill_done(const struct plan *p, struct resource_done *d)
{
	memset(d, 0, sizeof(*d));
	d->order = p->order.id;
	d->ok = !p->failed;
	d->peer_alive = p->peer_alive;
	d->fenced = plan_fenced(p);
	d->hard = p->hard;
	memcpy(d->text, p->text, sizeof(d->text));
}

/* It will not be carried out any further. */
static void
replace(struct plan *p)
{
	if (!p->active)
		return;
	if (!p->internal) {
		fill_done(p, &p->replaced);
		p->replaced.ok = false;
		if (p->replaced.text[0] == '\0')
			plan_text(
			    p->replaced.text, "replaced by a newer order");
		p->answer = true;
	}
	p->active = false;
}

void
plan_order(struct plan *p, const struct resource_order *o)
{
	replace(p);
	p->internal = p->abandon = false;
	p->only = 0;
	set_order(p, o);
}

static void
abandon_phase(
    struct plan *p, enum conf_phase phase, uint8_t mode, const char *cause)
{
	struct resource_order o = { .phase = (uint8_t)phase, .mode = mode };

	plan_text(o.cause, "%s", cause);
	set_order(p, &o);
}

static void
all_down(struct plan *p, uint8_t mode, const char *cause)
{
	replace(p);
	p->internal = p->abandon = true;
	abandon_phase(p, PHASE_SERVICE, mode, cause);
}

void
plan_abandon(struct plan *p, const char *cause)
{
	p->only = 0;
	all_down(p, MODE_FORCED, cause);
}

void
plan_leave(struct plan *p, uint64_t set, const char *cause)
{
	p->only = set;
	all_down(p, MODE_PLANNED, cause);
}

void
plan_orphan(struct plan *p)
{
	p->answer = false;
	p->internal = true;
	p->order.id = 0;
	for (unsigned i = 0; i < p->n; i++)
		p->item[i].order = 0;
}

void
plan_hard(struct plan *p, const char *reason)
{
	if (p->last || p->hard)
		return;
	p->last = true;
	plan_text(p->reason, "%s", reason);
}

/*
 * The beginning of an order.
 */

static void
first_step(struct plan *p, struct plan_item *it)
{
	bool up = p->order.up;

	it->step = STEP_TODO;
	it->why[0] = '\0';
	if (!up && it->state == RES_DOWN)
		it->step = STEP_DONE;
	/* A fence has to prove itself each time. */
	if (up && it->state == RES_UP && it->phase != PHASE_FENCE)
		it->step = STEP_DONE;
	if (it->step != STEP_TODO || !up)
		return;
	if (it->refused || it->hanging) {
		it->step = STEP_FAILED;
		fail(p, it->name,
		    it->refused ? "its parameters are wrong: see the log, "
				  "correct the configuration and reload"
				: "a killed start of it has not ended");
		p->give_up = p->give_up || it->critical;
	}
}

/* What an order before left running, unless it is what is wanted now. */
static bool
left_over(const struct plan *p, unsigned i)
{
	const struct plan_item *it = &p->item[i];

	return it->running && it->ordered && it->step == STEP_NONE;
}

/* Ends it where the way down is forced.  True: there is an action. */
static bool
clear_way(struct plan *p, struct plan_action *ret, bool *clear)
{
	*clear = true;
	for (unsigned i = 0; i < p->n; i++) {
		struct plan_item *it = &p->item[i];

		if (!left_over(p, i))
			continue;
		*clear = false;
		if (p->order.up || p->order.mode != MODE_FORCED || it->killed ||
		    (it->verb == VERB_STOP && member(p, i)))
			continue;
		it->killed = true;
		ret->what = PLAN_KILL;
		ret->index = i;
		plan_text(ret->text, "a forced way down does not wait");
		return true;
	}
	return false;
}

static void
begin(struct plan *p)
{
	p->begun = true;
	if (plan_forbidden(p, p->text)) {
		p->failed = true;
		p->set = 0;
	}
	for (unsigned i = 0; i < p->n; i++)
		if (member(p, i))
			first_step(p, &p->item[i]);
}

/*
 * While it runs.
 */

enum turn { TURN_WAIT, TURN_NOW, TURN_NEVER };

static enum turn
turn_up(const struct plan *p, unsigned i)
{
	enum turn turn = TURN_NOW;

	if (p->give_up)
		return TURN_NEVER;
	for (unsigned k = 0; k < p->n; k++) {
		if (!(p->item[i].after & BIT(k)) || !member(p, k))
			continue;
		if (p->item[k].step == STEP_FAILED ||
		    (p->item[k].step == STEP_DONE &&
			p->item[k].state != RES_UP && !p->item[k].none))
			return TURN_NEVER; /* or it was lost meanwhile */
		if (p->item[k].step != STEP_DONE)
			turn = TURN_WAIT;
	}
	return turn;
}

static enum turn
turn_down(const struct plan *p, unsigned i)
{
	for (unsigned k = 0; k < p->n; k++)
		if ((p->item[k].after & BIT(i)) && !settled(&p->item[k]))
			return TURN_WAIT;
	return TURN_NOW;
}

static void
run(struct plan *p, unsigned i, enum resource_verb verb,
    enum resource_mode mode, struct plan_action *ret)
{
	struct plan_item *it = &p->item[i];

	it->running = true;
	it->killed = false;
	it->verb = verb;
	it->mode = mode;
	it->ordered = mode <= MODE_FORCED;
	it->order = it->ordered && !p->internal ? p->order.id : 0;
	ret->what = PLAN_RUN;
	ret->index = i;
	ret->verb = verb;
	ret->mode = mode;
}

static void
start_or_stop(struct plan *p, unsigned i, struct plan_action *ret)
{
	struct plan_item *it = &p->item[i];
	bool up = p->order.up;

	it->step = STEP_RUNNING;
	it->due = it->suspect = it->check = it->shown = false;
	it->proved = false;
	it->fails = 0;
	if (up) {
		it->before = it->state;
		it->was_taken = it->taken;
		it->taken = it->phase == PHASE_STORAGE;
	}
	it->state = up ? RES_STARTING : RES_STOPPING;
	run(p, i, up ? VERB_START : VERB_STOP, p->order.mode, ret);
}

/* `fence none': nothing runs. */
static void
pretend(struct plan *p, unsigned i, struct plan_action *ret)
{
	struct plan_item *it = &p->item[i];

	it->step = STEP_DONE;
	it->state = p->order.up ? RES_UP : RES_DOWN;
	it->check = false;
	ret->what = PLAN_TELL;
	ret->index = i;
	plan_state(p, i, &ret->report);
	ret->report.order = p->internal ? 0 : p->order.id;
}

/* Its turn has come.  False: a look at it must end first. */
static bool
take_turn(struct plan *p, unsigned i, struct plan_action *ret)
{
	struct plan_item *it = &p->item[i];

	if (it->none) {
		pretend(p, i, ret);
	} else if (!it->running) {
		start_or_stop(p, i, ret);
	} else if (!it->killed) {
		it->killed = true;
		ret->what = PLAN_KILL;
		ret->index = i;
		plan_text(ret->text, "there is an order for %s", it->name);
	} else {
		return false;
	}
	return true;
}

/* A fence may be lost between two starts. */
static void
keep_fenced(struct plan *p)
{
	char text[RESOURCE_TEXT];

	if (!p->order.up || p->give_up || !plan_forbidden(p, text))
		return;
	if (!p->failed)
		memcpy(p->text, text, sizeof(p->text));
	p->failed = p->give_up = true;
}

/* Those that cannot be started any more, and those after them. */
static void
give_up_hopeless(struct plan *p)
{
	bool more = p->order.up;

	while (more) {
		more = false;
		for (unsigned i = 0; i < p->n; i++) {
			if (p->item[i].step != STEP_TODO ||
			    turn_up(p, i) != TURN_NEVER)
				continue;
			p->item[i].step = STEP_FAILED;
			fail(p, p->item[i].name,
			    "not started: another one has failed");
			more = true;
		}
	}
}

/* One more action of the order, if there is one now. */
static bool
advance(struct plan *p, struct plan_action *ret)
{
	bool up = p->order.up;

	keep_fenced(p);
	give_up_hopeless(p);
	for (unsigned i = 0; i < p->n; i++) {
		struct plan_item *it = &p->item[i];

		if (it->step == STEP_VERIFY && !it->running) {
			it->step = STEP_VERIFYING;
			run(p, i, VERB_VERIFY, p->order.mode, ret);
			return true;
		}
		if (it->step == STEP_TODO &&
		    (up ? turn_up(p, i) : turn_down(p, i)) == TURN_NOW &&
		    take_turn(p, i, ret))
			return true;
	}
	return false;
}

/* A circle of `after' that got past the configuration: break it. */
static bool
unlock(struct plan *p, struct plan_action *ret)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->item[i].running || p->item[i].step == STEP_RUNNING)
			return false;
	for (unsigned i = 0; i < p->n; i++)
		if (p->item[i].step == STEP_TODO)
			return take_turn(p, i, ret);
	return false;
}

static bool
all_settled(const struct plan *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (!settled(&p->item[i]))
			return false;
	return true;
}

static void
finish(struct plan *p, struct plan_action *ret)
{
	enum resource_state want = p->order.up ? RES_UP : RES_DOWN;

	for (unsigned i = 0; i < p->n; i++) {
		const struct plan_item *it = &p->item[i];

		if (member(p, i) && !it->none && it->state != want)
			fail(p, it->name, resource_state_name(it->state));
	}
	if (p->hard)
		fail(p, "last resort", p->reason);
	fill_done(p, &ret->done);
	ret->what = PLAN_DONE;
	ret->internal = p->internal;
	p->active = false;
	for (unsigned i = 0; i < p->n; i++)
		p->item[i].step = STEP_NONE;
	if (p->abandon && !p->hard && p->order.phase != PHASE_FENCE) {
		struct resource_order was = p->order;

		abandon_phase(
		    p, (enum conf_phase)(was.phase - 1), was.mode, was.cause);
	}
}

static bool
go_on(struct plan *p, struct plan_action *ret)
{
	bool clear;

	if (!p->begun) {
		if (clear_way(p, ret, &clear))
			return true;
		if (!clear)
			return false;
		begin(p);
	}
	if (advance(p, ret))
		return true;
	if (all_settled(p)) {
		finish(p, ret);
		return true;
	}
	return unlock(p, ret);
}

/*
 * Looks at what is here, beside orders.
 */

static bool
look(struct plan *p, unsigned i, struct plan_action *ret)
{
	struct plan_item *it = &p->item[i];

	if (it->running || it->none || !settled(it))
		return false;
	if (it->check || it->shown) {
		run(p, i, it->check ? VERB_STATUS : VERB_VERIFY, MODE_CHECK,
		    ret);
		it->check = it->shown = false;
		return true;
	}
	if (!it->due)
		return false;
	it->due = false;
	if (!plan_watched(p, i))
		return false;
	run(p, i, VERB_STATUS, MODE_MONITOR, ret);
	return true;
}

bool
plan_next(struct plan *p, struct plan_action *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (p->answer) {
		p->answer = false;
		ret->what = PLAN_DONE;
		ret->done = p->replaced;
		return true;
	}
	if (p->last && !p->hard) {
		p->hard = true;
		ret->what = PLAN_RESORT;
		memcpy(ret->text, p->reason, sizeof(ret->text));
		return true;
	}
	if (p->hard) {
		if (!p->active)
			return false;
		finish(p, ret);
		return true;
	}
	if (p->active && go_on(p, ret))
		return true;
	for (unsigned i = 0; i < p->n; i++)
		if (look(p, i, ret))
			return true;
	return false;
}
