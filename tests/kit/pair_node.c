/* SPDX-License-Identifier: ISC */
/*
 * A modelled machine: its supervisor with the real plan of resources, its
 * hooks, and what they do to the disk that both nodes can reach.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"

#define WATCH	 (2200 * MS) /* a key that may live is watched for so long */
#define KEEP	 (500 * MS)
#define MONITOR	 (2000 * MS)
#define LIMIT	 (5000 * MS) /* of start */
#define LIMIT_DN (4000 * MS) /* of stop */
#define ABANDON	 (2000 * MS)
#define STEADY	 (10 * CARP_SEC)

void
talk(struct talks *q, const struct talk *t)
{
	uint64_t last = q->n > 0 ? q->t[q->n - 1].at : 0;

	if (q->n == QUEUE) {
		pair_wrong("a queue is full");
		return;
	}
	q->t[q->n] = *t;
	q->t[q->n].at = pair.now + pair_draw(2000) * (MS / 1000);
	if (q->t[q->n].at < last)
		q->t[q->n].at = last;
	q->n++;
}

static bool
next_talk(struct talks *q, struct talk *ret, bool due)
{
	if (q->n == 0 || (due && q->t[0].at > pair.now))
		return false;
	*ret = q->t[0];
	memmove(q->t, q->t + 1, --q->n * sizeof(q->t[0]));
	return true;
}

/*
 * The disk.
 */

static uint64_t
other_key(const struct carp_engine *e)
{
	return pair.disk.key[1 - e->id];
}

static bool
holds(const struct carp_engine *e)
{
	return pair.disk.key[e->id] != 0 && pair.disk.holder == (int)e->id;
}

static unsigned
take_disk(struct carp_engine *e, const struct hook *h)
{
	bool moved = other_key(e) != 0 && other_key(e) != h->saw_key;
	bool came = pair.disk.holder == 1 - (int)e->id &&
		    h->saw_holder != pair.disk.holder;

	if (h->peer == PEER_UNCLEAR && (moved || came))
		return HOOK_PEER_ALIVE;
	if (!pair.unfenced)
		pair.disk.key[1 - e->id] = 0;
	pair.disk.key[e->id] = ++pair.disk.count;
	pair.disk.holder = (int)e->id;
	pair_say("node %u: has the disk", e->id);
	return HOOK_OK;
}

static void
leave_disk(struct carp_engine *e)
{
	pair.disk.key[e->id] = 0;
	if (pair.disk.holder == (int)e->id)
		pair.disk.holder = -1;
	e->keeper = false;
}

static void
keep(struct carp_engine *e)
{
	e->keep_at = pair.now + KEEP;
	if (!e->keeper)
		return;
	if (holds(e)) {
		pair.disk.key[e->id] = ++pair.disk.count;
		return;
	}
	e->keeper = false;
	if (e->supervised)
		plan_due(&e->plan, FENCE, true);
}

/*
 * Hooks.
 */

static uint64_t
takes(const struct carp_engine *e, unsigned i, enum resource_verb verb,
    enum resource_peer peer)
{
	(void)e;
	if (verb >= VERB_STATUS)
		return MS + pair_draw(20) * MS;
	if (i == FENCE && verb == VERB_START && peer == PEER_UNCLEAR)
		return WATCH;
	if (i == TANK && verb == VERB_START)
		return 50 * MS + pair_draw(2000) * MS;
	return 10 * MS + pair_draw(200) * MS;
}

static void
begin_hook(struct carp_engine *e, const struct plan_action *a)
{
	struct hook *h = &e->hook[a->index];
	struct resource_report r;

	memset(h, 0, sizeof(*h));
	h->on = true;
	h->verb = a->verb;
	h->peer = (enum resource_peer)e->plan.order.peer;
	h->began = pair.now;
	h->saw_key = other_key(e);
	h->saw_holder = pair.disk.holder;
	h->end = pair.now + takes(e, a->index, a->verb, h->peer);
	if (!pair.calm && a->verb <= VERB_STOP && a->index != FENCE) {
		h->hangs = pair_draw(100) < 3;
		h->fails = pair_draw(100) < 5;
	}
	h->fails |= pair.broken && a->index == TANK && a->verb == VERB_START;
	if (h->hangs)
		h->end = pair.now + (a->verb == VERB_START ? LIMIT : LIMIT_DN);
	if (a->verb > VERB_STOP)
		return;
	plan_state(&e->plan, a->index, &r);
	r.order = e->plan.item[a->index].order;
	node_report(e, &r);
}

/* What it does; *exit is what it says. */
static unsigned
act(struct carp_engine *e, unsigned i, const struct hook *h)
{
	bool fence = i == FENCE;

	switch (h->verb) {
	case VERB_START:
		if (fence) {
			unsigned rc = take_disk(e, h);

			e->keeper = e->keeper || rc == HOOK_OK;
			return rc;
		}
		if (h->fails || (i == TANK && pair.disk.key[e->id] == 0))
			return HOOK_FAILED;
		e->here[i] = true;
		return HOOK_OK;
	case VERB_STOP:
		if (fence)
			leave_disk(e);
		else if (!h->fails)
			e->here[i] = false;
		return h->fails ? HOOK_FAILED : HOOK_OK;
	case VERB_STATUS:
		if (fence)
			return !e->keeper ? HOOK_ABSENT
			       : holds(e) ? HOOK_OK
					  : HOOK_FAILED;
		return e->here[i] ? HOOK_OK : HOOK_ABSENT;
	default:
		return e->here[i] ? HOOK_FAILED : HOOK_OK;
	}
}

static void pump(struct carp_engine *e);

/* Killed, it may have come as far as that. */
static void
end_hook(struct carp_engine *e, unsigned i)
{
	struct hook h = e->hook[i];
	unsigned code = HOOK_SIGNAL;
	struct resource_report r;

	e->hook[i].on = false;
	if (h.killed || h.hangs) {
		if (pair_draw(2) == 0)
			(void)act(e, i, &h);
		if (h.hangs && !h.killed)
			code = HOOK_TIMEOUT;
	} else {
		code = act(e, i, &h);
	}
	if (!plan_ended(&e->plan, i, code, false, "", &r)) {
		pump(e);
		return;
	}
	r.began = h.began;
	r.took = pair.now - h.began + 1;
	node_report(e, &r);
	pump(e);
}

static void
last_resort(struct carp_engine *e, const char *reason)
{
	pair_say("node %u: last resort: %s", e->id, reason);
	if (e->resorted)
		pair_wrong("node %u: the last resort is called again", e->id);
	e->resorted = true;
	pair.resorts++;
}

/*
 * The supervisor.
 */

void
node_report(struct carp_engine *e, const struct resource_report *r)
{
	struct talk t = { .type = TALK_REPORT, .report = *r };

	if (e->f != NULL)
		talk(&e->to_engine, &t);
}

static void
tell(struct carp_engine *e, enum talk_type type, const struct plan_action *a)
{
	struct talk t = { .type = type, .done = a->done };

	memcpy(t.text, a->text, sizeof(t.text));
	if (e->f != NULL)
		talk(&e->to_engine, &t);
}

static void
carry_out(struct carp_engine *e, const struct plan_action *a)
{
	switch (a->what) {
	case PLAN_RUN:
		begin_hook(e, a);
		break;
	case PLAN_KILL:
		e->plan.item[a->index].killed = true;
		e->hook[a->index].killed = true;
		e->hook[a->index].end = pair.now + MS;
		break;
	case PLAN_TELL:
		node_report(e, &a->report);
		break;
	case PLAN_DONE:
		if (!a->internal)
			tell(e, TALK_DONE, a);
		break;
	case PLAN_RESORT:
		last_resort(e, a->text);
		tell(e, TALK_RESORT, a);
		break;
	default:
		break;
	}
}

static void
pump(struct carp_engine *e)
{
	struct plan_action a;

	if (e->plan_pumps || !e->supervised)
		return;
	e->plan_pumps = true;
	while (plan_next(&e->plan, &a))
		carry_out(e, &a);
	e->noted = e->plan.item[TANK].taken;
	e->plan_pumps = false;
}

static void
tell_all(struct carp_engine *e)
{
	struct resource_report r;

	for (unsigned i = 0; i < NITEMS; i++) {
		plan_state(&e->plan, i, &r);
		node_report(e, &r);
	}
}

static void
begin_engine(struct carp_engine *e)
{
	bool well = e->ended_at - e->ready_at >= STEADY;

	engine_start(e);
	if (e->was_master && well && pair.now - e->ended_at < 3 * CARP_SEC) {
		(void)carp_resume(e->host.carp, true, pair.now);
		pair_say("node %u: resumes", e->id);
	}
	tell_all(e);
	if (e->plan.hard) {
		struct plan_action a = { .what = PLAN_RESORT };

		memcpy(a.text, e->plan.reason, sizeof(a.text));
		tell(e, TALK_RESORT, &a);
	}
}

static void
begin_supervisor(struct carp_engine *e)
{
	const struct conf_resource *r = conf_resources(e->conf);

	pair_say("node %u: carpd starts", e->id);
	e->supervised = true;
	memset(&e->plan, 0, sizeof(e->plan));
	e->plan.n = NITEMS;
	for (unsigned i = 0; i < NITEMS; i++) {
		struct plan_item *it = &e->plan.item[i];

		memcpy(it->name, r[i].name, sizeof(it->name));
		it->phase = (enum conf_phase)r[i].phase;
		it->critical = r[i].critical != 0;
		it->after = r[i].after;
	}
	e->plan.item[TANK].taken = e->noted;
	plan_check(&e->plan);
	pump(e);
	e->was_master = false;
	begin_engine(e);
}

static void
engine_gone(struct carp_engine *e)
{
	struct talk t;

	while (next_talk(&e->to_supervisor, &t, false)) /* its last words */
		if (t.type == TALK_ORDER)
			plan_order(&e->plan, &t.order);
	e->ended_at = pair.now;
	plan_orphan(&e->plan);
	if (plan_any(&e->plan) && e->abandon_at == 0)
		e->abandon_at = pair.now + ABANDON;
	pump(e);
}

void
node_kill_engine(struct carp_engine *e)
{
	if (e->f == NULL)
		return;
	pair_say("node %u: the engine is killed", e->id);
	engine_end(e);
	engine_gone(e);
	if (e->ended_at - e->ready_at >= STEADY)
		e->retry = 0;
	e->start_at = pair.now + e->retry + MS;
	e->retry = e->retry == 0 ? 100 * MS : e->retry * 2;
	if (e->retry > 5000 * MS)
		e->retry = 5000 * MS;
}

/* What it had begun ends: ways up at once, ways down as they would have. */
static void
orphan_hooks(struct carp_engine *e)
{
	for (unsigned i = 0; i < NITEMS; i++) {
		struct hook *h = &e->hook[i];

		if (h->on && h->verb <= VERB_STOP && pair_draw(2) == 0)
			(void)act(e, i, h);
		h->on = false;
	}
}

void
node_kill_supervisor(struct carp_engine *e)
{
	if (!e->supervised)
		return;
	pair_say("node %u: the supervisor is killed", e->id);
	engine_end(e);
	e->to_supervisor.n = 0;
	orphan_hooks(e);
	e->supervised = false;
	e->abandon_at = e->start_at = 0;
	e->supervise_at = pair.now + CARP_SEC;
}

void
node_power(struct carp_engine *e, bool on)
{
	pair_say("node %u: power %s", e->id, on ? "on" : "off");
	engine_end(e);
	e->to_supervisor.n = 0;
	memset(e->hook, 0, sizeof(e->hook));
	memset(e->here, 0, sizeof(e->here));
	e->keeper = e->noted = e->supervised = e->resorted = false;
	e->abandon_at = e->start_at = e->supervise_at = 0;
	e->retry = 100 * MS;
	e->powered = on;
	if (on)
		begin_supervisor(e);
	else
		e->power_at = pair.now + (5 + pair_draw(25)) * CARP_SEC;
}

void
node_stop(struct carp_engine *e)
{
	if (e->f == NULL)
		return;
	pair_say("node %u: SIGTERM", e->id);
	failover_stop(e->f, pair.now);
}

static void
supervisor_hear(struct carp_engine *e, const struct talk *t)
{
	switch (t->type) {
	case TALK_APPLIED:
		e->abandon_at = 0;
		e->ready_at = pair.now;
		break;
	case TALK_ORDER:
		plan_order(&e->plan, &t->order);
		break;
	case TALK_HARD:
		plan_hard(&e->plan, t->text);
		break;
	default:
		break;
	}
	pump(e);
}

/* All is down, or so it says: the daemon ends, and is started again. */
static void
leave(struct carp_engine *e)
{
	if (e->here[TANK])
		pair_wrong("node %u: ends with storage", e->id);
	engine_end(e);
	orphan_hooks(e);
	e->supervised = false;
	e->to_supervisor.n = 0;
	e->abandon_at = e->start_at = 0;
	e->supervise_at = pair.now + 2 * CARP_SEC;
}

static void
run_timers(struct carp_engine *e)
{
	if (e->abandon_at != 0 && pair.now >= e->abandon_at) {
		e->abandon_at = 0;
		if (plan_any(&e->plan) && !e->plan.hard)
			plan_abandon(&e->plan, "there is no engine");
		pump(e);
	}
	if (e->start_at != 0 && pair.now >= e->start_at) {
		e->start_at = 0;
		begin_engine(e);
	}
	if (pair.now >= e->monitor_at) {
		e->monitor_at = pair.now + MONITOR;
		for (unsigned i = 0; i < NITEMS; i++)
			plan_due(&e->plan, i, false);
		pump(e);
	}
}

void
node_work(struct carp_engine *e)
{
	struct talk t;

	if (!e->powered && pair.now >= e->power_at)
		node_power(e, true);
	if (!e->powered)
		return;
	if (e->supervise_at != 0 && pair.now >= e->supervise_at) {
		e->supervise_at = 0;
		begin_supervisor(e);
	}
	if (pair.now >= e->keep_at) {
		keep(e);
		pump(e);
	}
	if (!e->supervised)
		return;
	while (next_talk(&e->to_supervisor, &t, true))
		supervisor_hear(e, &t);
	for (unsigned i = 0; i < NITEMS; i++)
		if (e->hook[i].on && pair.now >= e->hook[i].end)
			end_hook(e, i);
	run_timers(e);
	while (e->f != NULL && next_talk(&e->to_engine, &t, true))
		engine_hear(e, &t);
	engine_work(e);
	if (e->leaving && e->f != NULL)
		leave(e);
	if (e->resorted)
		node_power(e, false);
}

static void
sooner(uint64_t *at, uint64_t then)
{
	if (then != 0 && then < *at)
		*at = then;
}

uint64_t
node_deadline(const struct carp_engine *e)
{
	uint64_t at = CARP_NEVER;

	if (!e->powered)
		return e->power_at;
	sooner(&at, e->supervise_at);
	sooner(&at, e->keep_at);
	if (!e->supervised)
		return at;
	sooner(&at, e->monitor_at);
	sooner(&at, e->abandon_at);
	sooner(&at, e->start_at);
	for (unsigned i = 0; i < NITEMS; i++)
		if (e->hook[i].on)
			sooner(&at, e->hook[i].end);
	if (e->to_engine.n > 0 && e->f != NULL)
		sooner(&at, e->to_engine.t[0].at);
	if (e->to_supervisor.n > 0)
		sooner(&at, e->to_supervisor.t[0].at);
	sooner(&at, engine_deadline(e));
	return at;
}
