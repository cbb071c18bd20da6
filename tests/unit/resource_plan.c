/* SPDX-License-Identifier: ISC */
/*
 * The plan of resources under orders and results that come at random: what
 * must always hold.  The seed of a walk is told when it fails.
 */
#include <stdio.h>
#include <string.h>

#include "../../daemon/resource_plan.h"
#include "suite.h"

#define WALKS	1500
#define STEPS	300
#define ACTIONS 1000 /* after one event; more is a circle */

static struct walk {
	struct plan p;
	uint64_t random;
	unsigned seed;
	bool circles;
	bool running[CONF_RESOURCE_MAX];
	bool here[CONF_RESOURCE_MAX]; /* storage that may be */
	bool was_here[CONF_RESOURCE_MAX], hung[CONF_RESOURCE_MAX];
	enum resource_verb verb[CONF_RESOURCE_MAX];
	uint32_t ids, asked; /* asked: an answer is owed; 0: none */
	bool storage_down;   /* that is what it asks */
	unsigned resorts, starts, stops, answers;
} w;

#define hold(condition, ...)                                                   \
	ck_assert_msg(                                                         \
	    condition, "seed %u: %s: %s", w.seed, #condition, __VA_ARGS__)

static unsigned
any(unsigned n)
{
	w.random = w.random * UINT64_C(6364136223846793005) +
		   UINT64_C(1442695040888963407);
	return (unsigned)(w.random >> 33) % n;
}

static void
make_items(void)
{
	w.p.n = 1 + any(10);
	for (unsigned i = 0; i < w.p.n; i++) {
		struct plan_item *it = &w.p.item[i];

		(void)snprintf(it->name, sizeof(it->name), "r%u", i);
		it->phase = (enum conf_phase)any(NPHASES);
		it->none = it->phase == PHASE_FENCE && any(4) == 0;
		it->critical = it->phase != PHASE_SERVICE || any(2) == 0;
		for (unsigned k = 0; k < (w.circles ? w.p.n : i); k++)
			if (k != i && w.p.item[k].phase == it->phase &&
			    any(3) == 0)
				it->after |= UINT64_C(1) << k;
	}
	plan_check(&w.p);
}

/*
 * What must hold when a hook is run.
 */

static void
check_start(const struct plan_item *it)
{
	bool fence = false;

	w.starts++;
	for (unsigned k = 0; k < w.p.n; k++) {
		const struct plan_item *o = &w.p.item[k];

		if (!w.circles && (it->after & (UINT64_C(1) << k)))
			hold(o->state == RES_UP, "not after the one before it");
		if (it->phase != PHASE_STORAGE || o->phase != PHASE_FENCE)
			continue;
		fence = true;
		hold(o->none || o->state == RES_UP, "S2: a fence is not up");
	}
	hold(it->phase != PHASE_STORAGE || fence, "S2: no fence");
}

static void
check_stop(unsigned i, const struct plan_item *it)
{
	w.stops++;
	for (unsigned k = 0; k < w.p.n; k++) {
		const struct plan_item *o = &w.p.item[k];

		if (!w.circles && (o->after & (UINT64_C(1) << i)))
			hold(o->state == RES_DOWN || o->state == RES_FAILED,
			    "before the one after it");
		if (it->phase == PHASE_FENCE && o->phase == PHASE_STORAGE)
			hold(!w.here[k], "S3: the fence is released");
	}
}

static void
on_run(const struct plan_action *a)
{
	const struct plan_item *it = &w.p.item[a->index];
	unsigned i = a->index;

	hold(!w.running[i], "two hooks of one resource");
	hold(!it->none, "it has no hook");
	hold(!w.p.hard, "S3: the last resort was called");
	w.running[i] = true;
	w.verb[i] = a->verb;
	if (a->verb == VERB_STOP)
		check_stop(i, it);
	if (a->verb != VERB_START)
		return;
	check_start(it);
	w.was_here[i] = w.here[i];
	w.here[i] = it->phase == PHASE_STORAGE;
}

static void
on_done(const struct plan_action *a)
{
	if (a->internal)
		return;
	w.answers++;
	hold(a->done.order == w.asked, "answered twice, or never asked");
	hold(!a->done.ok || !a->done.hard, "what is hard is not done");
	for (unsigned i = 0; i < w.p.n; i++)
		hold(!a->done.ok || !w.storage_down || !w.here[i],
		    "S3: not shown to be gone");
	w.asked = 0;
}

static void
pump(void)
{
	struct plan_action a;
	unsigned n = 0;

	while (plan_next(&w.p, &a)) {
		hold(++n < ACTIONS, "it goes round in circles");
		if (a.what == PLAN_RUN)
			on_run(&a);
		else if (a.what == PLAN_DONE)
			on_done(&a);
		else if (a.what == PLAN_KILL)
			hold(w.running[a.index], "nothing to kill");
		else if (a.what == PLAN_RESORT)
			hold(w.resorts++ == 0, "twice");
	}
}

/*
 * What may happen.
 */

static void
order(void)
{
	struct resource_order o = { .id = ++w.ids,
		.phase = (uint8_t)any(NPHASES),
		.up = any(2) == 0,
		.mode = (uint8_t)any(3),
		.critical = (uint8_t)any(3) };

	if (any(3) != 0) { /* mostly what makes sense */
		o.critical = 0;
		o.phase = o.up ? (uint8_t)(w.ids % NPHASES) : o.phase;
	}
	plan_order(&w.p, &o);
	if (w.asked != 0) { /* at once, before the new one */
		struct plan_action a;

		hold(plan_next(&w.p, &a) && a.what == PLAN_DONE &&
			 a.done.order == w.asked && !a.done.ok,
		    "the one before is not answered");
		w.answers++;
	}
	w.asked = o.id;
	w.storage_down = !o.up && o.phase == PHASE_STORAGE;
	pump();
}

static void
end(unsigned i, unsigned exit, bool stuck)
{
	struct resource_report r;
	const struct plan_item *it = &w.p.item[i];
	bool looked = w.verb[i] == VERB_STATUS && it->phase == PHASE_STORAGE &&
		      !it->killed && exit <= HOOK_FAILED;

	if (w.verb[i] == VERB_START && stuck)
		w.hung[i] = true;
	if (w.verb[i] == VERB_START &&
	    (exit == HOOK_PARAMETERS || exit == HOOK_MISSING ||
		exit == HOOK_NOT_RUN))
		w.here[i] = w.was_here[i];
	if (w.verb[i] == VERB_VERIFY && exit == HOOK_OK && !w.hung[i])
		w.here[i] = false;
	if (looked && it->mode == MODE_CHECK)
		w.here[i] = true;
	w.running[i] = false;
	(void)plan_ended(&w.p, i, exit, stuck, "", &r);
	hold(r.index == i && r.verb == w.verb[i], "another report");
	pump();
}

/* Mostly good. */
static void
end_at_random(unsigned i)
{
	static const unsigned exits[] = { HOOK_OK, HOOK_OK, HOOK_OK, HOOK_OK,
		HOOK_OK, HOOK_OK, HOOK_OK, HOOK_OK, HOOK_FAILED,
		HOOK_PARAMETERS, HOOK_ABSENT, HOOK_UNKNOWN, HOOK_MISSING,
		HOOK_PEER_ALIVE, HOOK_TIMEOUT, HOOK_SIGNAL, HOOK_NOT_RUN, 77 };
	unsigned exit = exits[any(sizeof(exits) / sizeof(*exits))];

	if (w.verb[i] == VERB_STATUS && any(2) == 0)
		exit = any(2) == 0 ? HOOK_ABSENT : HOOK_OK;
	end(i, exit, exit == HOOK_TIMEOUT && any(3) == 0);
}

static void
happen(void)
{
	unsigned i = any(w.p.n);

	switch (any(24)) {
	case 0:
	case 1:
		order();
		break;
	case 2:
		plan_due(&w.p, i, any(2) == 0);
		break;
	case 3:
		if (w.hung[i] && any(2) == 0) {
			w.hung[i] = false;
			plan_unstuck(&w.p, i);
		}
		break;
	case 4:
		if (any(10) != 0)
			break;
		plan_orphan(&w.p);
		w.asked = 0;
		break;
	case 5:
		if (any(10) == 0)
			plan_abandon(&w.p, "a test");
		break;
	default:
		if (w.running[i])
			end_at_random(i);
	}
	pump();
}

static bool
someone_runs(unsigned *ret)
{
	for (unsigned i = 0; i < w.p.n; i++)
		if (w.running[i]) {
			*ret = i;
			return true;
		}
	return false;
}

static void
walk(unsigned seed, bool circles)
{
	unsigned starts = w.starts, stops = w.stops, answers = w.answers;
	unsigned i, n = 0;

	memset(&w, 0, sizeof(w));
	w.seed = seed;
	w.random = seed;
	w.circles = circles;
	w.starts = starts;
	w.stops = stops;
	w.answers = answers;
	make_items();
	pump();
	for (unsigned k = 0; k < STEPS; k++)
		happen();
	/* When all hooks end, so does all else. */
	while (someone_runs(&i)) {
		hold(++n < ACTIONS, "it does not come to an end");
		end(i, HOOK_OK, false);
	}
	hold(w.asked == 0, "an order was not answered");
	hold(plan_idle(&w.p), "it waits for nothing");
}

START_TEST(whatever_happens)
{
	unsigned resorts = 0;

	for (unsigned seed = 1; seed <= WALKS; seed++) {
		walk(seed, _i == 1);
		resorts += w.resorts;
	}
	printf("%u walks: %u starts, %u stops, %u answers, %u last resorts\n",
	    WALKS, w.starts, w.stops, w.answers, resorts);
	/* Otherwise it has shown nothing. */
	ck_assert_uint_gt(w.starts, WALKS);
	ck_assert_uint_gt(w.stops, WALKS);
	ck_assert_uint_gt(w.answers, WALKS);
	ck_assert_uint_gt(resorts, WALKS / 20);
	ck_assert_uint_lt(resorts, WALKS);
}
END_TEST

/*
 * Who has a part.
 */

static struct plan p;

static void
services(void)
{
	memset(&p, 0, sizeof(p));
	p.n = 4;
	for (unsigned i = 0; i < p.n; i++) {
		p.item[i].phase = PHASE_SERVICE;
		p.item[i].critical = i < 2;
	}
	/* 1 (critical) after 2 (not) after 3 (not). */
	p.item[1].after = UINT64_C(1) << 2;
	p.item[2].after = UINT64_C(1) << 3;
}

static const struct part_row {
	const char *why;
	bool up;
	uint8_t critical;
	uint64_t want;
} parts[] = {
	{ "all", true, 0, 0xf },
	{ "critical ones, and what they need", true, 1, 0xf },
	{ "the others", true, 2, 0xc },
	{ "down: all", false, 0, 0xf },
	{ "down: critical ones; nobody needs them", false, 1, 0x3 },
	{ "down: the others, and who needs them", false, 2, 0xe },
};

START_TEST(who_has_a_part)
{
	const struct part_row *r = &parts[_i];

	services();
	p.order.phase = PHASE_SERVICE;
	p.order.up = r->up;
	p.order.critical = r->critical;
	ck_assert_msg(plan_members(&p) == r->want, "%s: %#llx", r->why,
	    (unsigned long long)plan_members(&p));
	p.order.phase = PHASE_STORAGE;
	ck_assert_uint_eq(plan_members(&p), 0);
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(resource_state_name(RES_UP), "up");
	ck_assert_str_eq(resource_state_name(RES_FAILED), "failed");
	ck_assert_str_eq(resource_verb_name(VERB_VERIFY), "verify");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("resource_plan");
	TCase *t = tcase_create("plan");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, whatever_happens, 0, 2);
	add_rows(t, who_has_a_part, parts);
	tcase_add_test(t, names);
	suite_add_tcase(s, t);
	return suite_run(s);
}
