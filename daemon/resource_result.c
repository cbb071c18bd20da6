/* SPDX-License-Identifier: ISC */
/* What the end of a hook means for its resource and for the order. */
#include <string.h>

#include "resource_plan.h"

#define MANY_FAILURES 2 /* of status, one after the other: it is lost */

const char *
resource_state_name(enum resource_state state)
{
	static const char *const names[] = { "unknown", "down", "starting",
		"up", "sick", "stopping", "failed" };

	return state <= RES_FAILED ? names[state] : "?";
}

const char *
resource_verb_name(enum resource_verb verb)
{
	static const char *const names[] = { "start", "stop", "status",
		"verify" };

	return verb <= VERB_VERIFY ? names[verb] : "?";
}

static const char *
words_of(unsigned exit)
{
	switch (exit) {
	case HOOK_OK:
		return "done";
	case HOOK_FAILED:
		return "failed";
	case HOOK_PARAMETERS:
		return "its parameters are wrong";
	case HOOK_ABSENT:
		return "it is not there";
	case HOOK_UNKNOWN:
		return "that cannot be known";
	case HOOK_MISSING:
		return "what its hook needs is not installed";
	case HOOK_PEER_ALIVE:
		return "the peer is alive";
	case HOOK_TIMEOUT:
		return "not done within its limit";
	case HOOK_SIGNAL:
		return "its hook was killed";
	case HOOK_NOT_RUN:
		return "its hook cannot be run";
	default:
		return "failed with an unknown exit status";
	}
}

/* "start: reason", and it counts for the order if it has a part in it. */
static void
fail_order(struct plan *p, struct plan_item *it, enum resource_verb verb,
    unsigned exit, const char *text)
{
	it->step = STEP_FAILED;
	p->give_up = p->give_up || it->critical;
	if (p->failed)
		return;
	p->failed = true;
	plan_text(p->text, "%s: %s: %s", it->name, resource_verb_name(verb),
	    text[0] != '\0' ? text : words_of(exit));
}

/* Nothing was begun: all is as it was. */
static bool
was_harmless(unsigned exit)
{
	return exit == HOOK_PARAMETERS || exit == HOOK_MISSING ||
	       exit == HOOK_NOT_RUN;
}

static void
started(struct plan *p, struct plan_item *it, unsigned exit, const char *text)
{
	bool part = it->step == STEP_RUNNING;

	it->lost = false;
	if (exit == HOOK_OK ||
	    (exit == HOOK_WEAK && it->phase == PHASE_FENCE)) {
		it->state = RES_UP;
		it->proved = it->phase == PHASE_FENCE && exit == HOOK_OK;
		it->step = part ? STEP_DONE : STEP_NONE;
		return;
	}
	it->state = RES_FAILED;
	if (was_harmless(exit) ||
	    (exit == HOOK_PEER_ALIVE && it->phase == PHASE_FENCE)) {
		it->state = it->before;
		it->taken = it->was_taken;
	}
	if (exit == HOOK_PARAMETERS)
		it->refused = true;
	if (!part)
		return;
	if (exit == HOOK_PEER_ALIVE && it->phase == PHASE_FENCE)
		p->peer_alive = true;
	fail_order(p, it, VERB_START, exit, text);
}

static void
stopped(struct plan *p, struct plan_item *it, unsigned exit, const char *text)
{
	bool part = it->step == STEP_RUNNING;

	if (it->phase == PHASE_STORAGE) {
		/* What stop believes is not asked. */
		it->step = part ? STEP_VERIFY : STEP_NONE;
		it->state = part ? RES_STOPPING : RES_UNKNOWN;
		if (exit != HOOK_OK)
			plan_text(it->why, "%s",
			    text[0] != '\0' ? text : words_of(exit));
	} else if (exit == HOOK_OK) {
		it->state = RES_DOWN;
		it->lost = false;
		it->step = part ? STEP_DONE : STEP_NONE;
	} else {
		it->state = RES_FAILED;
		if (part)
			fail_order(p, it, VERB_STOP, exit, text);
	}
}

/* S3: what was here and is not shown to be gone, takes the node down. */
static void
not_shown_gone(
    struct plan *p, struct plan_item *it, unsigned exit, const char *text)
{
	char reason[RESOURCE_TEXT];

	it->state = RES_FAILED;
	if (it->hanging)
		text = "a killed start of it has not ended";
	plan_text(reason, "storage %s is not shown to be gone: %s%s%s",
	    it->name, text[0] != '\0' ? text : words_of(exit),
	    it->why[0] != '\0' ? "; stop: " : "", it->why);
	fail_order(p, it, VERB_VERIFY, exit, text);
	if (it->taken)
		plan_hard(p, reason);
}

static void
verified(struct plan *p, struct plan_item *it, unsigned exit, const char *text)
{
	bool part = it->step == STEP_VERIFYING;

	if (exit == HOOK_OK && !it->hanging) {
		it->state = RES_DOWN;
		it->taken = it->lost = false;
		it->step = part ? STEP_DONE : STEP_NONE;
	} else if (part) {
		not_shown_gone(p, it, exit, text);
	} else {
		it->state = RES_UNKNOWN;
	}
}

/* What is here, at the beginning. */
static void
found(struct plan_item *it, unsigned exit)
{
	it->lost = false;
	it->fails = 0;
	if (exit == HOOK_OK || exit == HOOK_FAILED) {
		it->state = exit == HOOK_OK ? RES_UP : RES_SICK;
		it->taken = it->phase == PHASE_STORAGE;
	} else if (exit != HOOK_ABSENT) {
		it->state = RES_UNKNOWN;
	} else if (it->taken) {
		it->state = RES_UNKNOWN;
		it->shown = true; /* it is believed when verify says so, too */
	} else {
		it->state = RES_DOWN;
	}
}

/* Is it still here?  True: that is news. */
static bool
watched(struct plan_item *it, unsigned exit, bool *lost)
{
	enum resource_state was = it->state;
	bool sure = it->phase == PHASE_FENCE || it->suspect;

	it->suspect = false;
	if (exit == HOOK_OK) {
		it->state = RES_UP;
		it->fails = 0;
		it->lost = false;
		return was != RES_UP;
	}
	it->fails++;
	it->state = RES_SICK;
	if ((!sure && it->fails < MANY_FAILURES) || it->lost)
		return was != it->state;
	it->proved = false;
	it->lost = *lost = true;
	if (exit == HOOK_ABSENT && it->phase != PHASE_STORAGE)
		it->state = RES_DOWN;
	return true;
}

void
plan_state(const struct plan *p, unsigned i, struct resource_report *ret)
{
	const struct plan_item *it = &p->item[i];

	memset(ret, 0, sizeof(*ret));
	memcpy(ret->name, it->name, sizeof(ret->name));
	ret->phase = (uint8_t)it->phase;
	ret->index = (uint16_t)i;
	ret->verb = it->running ? it->verb : VERB_STATUS;
	ret->state = it->state;
	ret->lost = it->lost;
}

bool
plan_ended(struct plan *p, unsigned i, unsigned exit, bool stuck,
    const char *text, struct resource_report *ret)
{
	struct plan_item *it = &p->item[i];
	bool tell = true, lost = false, ignored = false;

	it->running = false;
	if (it->verb == VERB_START && stuck)
		it->hanging = true;
	if (it->verb == VERB_START)
		started(p, it, exit, text);
	else if (it->verb == VERB_STOP)
		stopped(p, it, exit, text);
	else if (it->killed && !it->ordered)
		ignored = true;
	else if (it->verb == VERB_VERIFY)
		verified(p, it, exit, text);
	else if (it->mode == MODE_CHECK)
		found(it, exit);
	else
		tell = watched(it, exit, &lost);
	plan_state(p, i, ret);
	ret->order = it->order;
	ret->verb = it->verb;
	ret->exit = exit;
	ret->lost = lost;
	plan_text(ret->text, "%s", text);
	return tell && !ignored;
}

void
plan_unstuck(struct plan *p, unsigned i)
{
	p->item[i].hanging = false;
}

void
plan_check(struct plan *p)
{
	for (unsigned i = 0; i < p->n; i++) {
		p->item[i].check = !p->item[i].none;
		if (p->item[i].none)
			p->item[i].state = RES_DOWN;
	}
}

bool
plan_watched(const struct plan *p, unsigned i)
{
	const struct plan_item *it = &p->item[i];

	return !it->none && (it->state == RES_UP || it->state == RES_SICK);
}

void
plan_due(struct plan *p, unsigned i, bool suspect)
{
	struct plan_item *it = &p->item[i];

	if (!plan_watched(p, i) && it->state != RES_STARTING)
		return;
	it->due = true;
	it->suspect = it->suspect || suspect;
}
