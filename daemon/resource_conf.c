/* SPDX-License-Identifier: ISC */
/*
 * A new configuration of the resources, while some of them are up: what stays
 * keeps its state, what goes is stopped first, by what it was started with.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "resource_part.h"

#define LIMIT_MIN_MS 1

static bool
same(const struct plan_item *it, const struct part *t, const struct conf *conf,
    const struct conf_resource *cr)
{
	return it->phase == (enum conf_phase)cr->phase &&
	       it->none == (cr->none != 0) && strcmp(it->name, cr->name) == 0 &&
	       strcmp(t->hook, conf_text(conf, cr->hook)) == 0;
}

static const struct conf_resource *
find_new(const struct resources *r, unsigned i, const struct conf *conf)
{
	const struct conf_resource *cr = conf_resources(conf);

	for (uint32_t k = 0; k < conf->failover.nresources; k++)
		if (same(&r->plan.item[i], &r->part[i], conf, &cr[k]))
			return &cr[k];
	return NULL;
}

/* Those of before that are up and have no place any more. */
static uint64_t
leaving(const struct resources *r, const struct conf *conf)
{
	uint64_t set = 0;

	for (unsigned i = 0; i < r->plan.n; i++)
		if (r->plan.item[i].state != RES_DOWN &&
		    find_new(r, i, conf) == NULL)
			set |= UINT64_C(1) << i;
	return set;
}

static int
may_go(
    const struct resources *r, const struct conf *conf, char *why, size_t len)
{
	uint64_t set = r->conf == NULL ? 0 : leaving(r, conf);

	if (r->plan.active || r->pending != NULL) {
		(void)snprintf(why, len,
		    "resources are being started or "
		    "stopped: try again when that has ended");
		return -EBUSY;
	}
	for (unsigned i = 0; i < r->plan.n; i++) {
		const struct plan_item *it = &r->plan.item[i];

		if (!(set & (UINT64_C(1) << i)) || it->phase != PHASE_FENCE)
			continue;
		for (unsigned k = 0; k < r->plan.n; k++)
			if (r->plan.item[k].phase == PHASE_STORAGE &&
			    r->plan.item[k].state != RES_DOWN &&
			    !(set & (UINT64_C(1) << k))) {
				(void)snprintf(why, len,
				    "fence %s cannot go while storage %s "
				    "is %s: fail over first",
				    it->name, r->plan.item[k].name,
				    resource_state_name(r->plan.item[k].state));
				return -EPERM;
			}
	}
	return 0;
}

/* One that comes would hold for what is here, and was never taken. */
static const struct conf_resource *
late_fence(const struct resources *r, const struct conf *conf)
{
	const struct conf_resource *cr = conf_resources(conf);

	for (uint32_t k = 0; k < conf->failover.nresources; k++) {
		bool had = cr[k].phase != PHASE_FENCE || cr[k].none;

		for (unsigned i = 0; i < r->plan.n && !had; i++)
			had = same(&r->plan.item[i], &r->part[i], conf, &cr[k]);
		if (!had)
			return &cr[k];
	}
	return NULL;
}

static bool
has_storage(const struct resources *r)
{
	for (unsigned i = 0; i < r->plan.n; i++)
		if (r->plan.item[i].phase == PHASE_STORAGE &&
		    (r->plan.item[i].state == RES_UP ||
			r->plan.item[i].state == RES_SICK))
			return true;
	return false;
}

int
resource_may_configure(
    const struct resources *r, const struct conf *conf, char *why, size_t len)
{
	const struct conf_resource *late;
	int rc = may_go(r, conf, why, len);

	if (rc < 0)
		return rc;
	late = has_storage(r) ? late_fence(r, conf) : NULL;
	if (late != NULL) {
		(void)snprintf(why, len,
		    "fence %s cannot come while storage is up: reload where "
		    "it is not, fail over, and reload here",
		    late->name);
		return -EPERM;
	}
	return 0;
}

/*
 * One resource.
 */

static size_t
settings_size(const char *p, unsigned n)
{
	const char *end = p;

	for (unsigned i = 0; i < n; i++)
		end += strlen(end) + 1;
	return (size_t)(end - p);
}

static int
settings_copy(struct settings *ret, const struct conf *conf,
    const struct conf_resource *cr)
{
	const char *p = conf_text(conf, cr->set);

	ret->size = settings_size(p, cr->nset);
	ret->n = cr->nset;
	ret->text = malloc(ret->size + 1);
	if (ret->text == NULL)
		return -ENOMEM;
	memcpy(ret->text, p, ret->size);
	ret->text[ret->size] = '\0';
	return 0;
}

static void
settings_clear(struct settings *s)
{
	free(s->text);
	memset(s, 0, sizeof(*s));
}

void
part_clear(struct part *t)
{
	struct hook_run **run[] = { &t->run, &t->stuck, &t->stuck_look };

	for (size_t i = 0; i < sizeof(run) / sizeof(*run); i++)
		if (*run[i] != NULL)
			hook_run_free(*run[i]);
	if (t->timer != NULL)
		event_free(t->timer);
	alive_close(&t->alive);
	alive_close(&t->fresh);
	(void)secret_set(&t->secret, NULL, 0);
	settings_clear(&t->set);
	settings_clear(&t->next);
	memset(t, 0, sizeof(*t));
	t->alive.fd = t->fresh.fd = -1;
}

static unsigned
limit(uint32_t ms)
{
	return ms < LIMIT_MIN_MS ? LIMIT_MIN_MS : ms;
}

/* What may change at any time. */
static void
configure_item(
    struct plan_item *it, struct part *t, const struct conf_resource *cr)
{
	it->phase = (enum conf_phase)cr->phase;
	it->none = cr->none != 0;
	it->critical = cr->critical != 0 || cr->phase != PHASE_SERVICE;
	it->after = cr->after;
	it->refused = false;
	t->limit_ms[VERB_START] = limit(cr->start_ms);
	t->limit_ms[VERB_STOP] = limit(cr->stop_ms);
	t->limit_ms[VERB_STATUS] = limit(cr->status_ms);
	t->limit_ms[VERB_VERIFY] = limit(cr->verify_ms);
	t->monitor_ms = cr->monitor_ms;
}

/* What is up is stopped by what it was started with. */
static void
take_settings(
    struct part *t, const struct plan_item *it, struct settings *fresh)
{
	bool differs = t->set.text != NULL &&
		       (t->set.size != fresh->size ||
			   memcmp(t->set.text, fresh->text, fresh->size) != 0);

	settings_clear(&t->next);
	t->has_next = false;
	if (it->state == RES_DOWN || !differs) {
		settings_clear(&t->set);
		t->set = *fresh;
		return;
	}
	t->next = *fresh;
	t->has_next = true;
	log_line(LOG_NOTICE,
	    "%s %s: what is set for it counts from its next "
	    "start on",
	    words_phase(it->phase), it->name);
}

/*
 * All of them.
 */

struct fresh { /* until nothing can fail any more */
	struct plan_item item[CONF_RESOURCE_MAX];
	struct part part[CONF_RESOURCE_MAX];
	struct settings set[CONF_RESOURCE_MAX];
	struct event *timer[CONF_RESOURCE_MAX];
	int from[CONF_RESOURCE_MAX]; /* where it was; -1: nowhere */
};

static int
gather(struct fresh *f, struct resources *r, const struct conf *conf)
{
	const struct conf_resource *cr = conf_resources(conf);
	int rc = 0;

	for (uint32_t k = 0; k < conf->failover.nresources && rc == 0; k++) {
		f->from[k] = -1;
		for (unsigned i = 0; i < r->plan.n; i++)
			if (same(&r->plan.item[i], &r->part[i], conf, &cr[k]))
				f->from[k] = (int)i;
		rc = settings_copy(&f->set[k], conf, &cr[k]);
		f->timer[k] = evtimer_new(r->base, part_timer, &r->part[k]);
		if (f->timer[k] == NULL)
			rc = -ENOMEM;
	}
	return rc;
}

static void
ungather(struct fresh *f)
{
	for (size_t k = 0; k < CONF_RESOURCE_MAX; k++) {
		settings_clear(&f->set[k]);
		if (f->timer[k] != NULL)
			event_free(f->timer[k]);
	}
	free(f);
}

/* Descriptors are watched for the place in the array. */
static void
rewatch(struct alive *a, struct part *t)
{
	event_callback_fn call;

	if (a->ev == NULL)
		return;
	call = event_get_callback(a->ev);
	(void)event_del(a->ev);
	(void)event_assign(
	    a->ev, t->all->base, a->fd, EV_READ | EV_PERSIST, call, t);
	if (!a->closed)
		(void)event_add(a->ev, NULL);
}

/* The plan's copy of one resource, from where it was or from nothing. */
static void
settle(
    struct fresh *f, struct resources *r, const struct conf *conf, unsigned k)
{
	const struct conf_resource *cr = &conf_resources(conf)[k];
	struct plan_item *it = &r->plan.item[k];
	struct part *t = &r->part[k];

	*it = f->item[k];
	*t = f->part[k];
	t->all = r;
	t->index = k;
	t->timer = f->timer[k];
	f->timer[k] = NULL;
	if (f->from[k] < 0) {
		t->alive.fd = t->fresh.fd = -1;
		(void)snprintf(it->name, sizeof(it->name), "%s", cr->name);
		(void)snprintf(
		    t->hook, sizeof(t->hook), "%s", conf_text(conf, cr->hook));
		it->state = cr->none ? RES_DOWN : RES_UNKNOWN;
		it->check = !cr->none;
	}
	configure_item(it, t, cr);
	take_settings(t, it, &f->set[k]);
	memset(&f->set[k], 0, sizeof(f->set[k]));
	rewatch(&t->alive, t);
	if (f->from[k] < 0)
		place_recall(t);
}

/* A look that runs is asked again: it would be told of another index. */
static void
end_looks(struct resources *r)
{
	for (unsigned i = 0; i < r->plan.n; i++) {
		struct plan_item *it = &r->plan.item[i];
		struct part *t = &r->part[i];

		if (t->run != NULL && !it->ordered) {
			hook_run_free(t->run);
			t->run = NULL;
			it->running = false;
			it->check = it->mode == MODE_CHECK;
			it->due = it->mode == MODE_MONITOR;
		}
		if (t->timer != NULL)
			event_free(t->timer);
		t->timer = NULL;
	}
}

static int
apply(struct resources *r, const struct conf *conf)
{
	struct fresh *f = calloc(1, sizeof(*f));
	struct conf *copy = malloc(conf->size);
	int rc;

	rc = f == NULL || copy == NULL ? -ENOMEM : gather(f, r, conf);
	if (rc < 0) {
		if (f != NULL)
			ungather(f);
		free(copy);
		return rc;
	}
	memcpy(copy, conf, conf->size);
	end_looks(r);
	for (unsigned k = 0; k < conf->failover.nresources; k++) {
		int i = f->from[k];

		if (i < 0)
			continue;
		f->item[k] = r->plan.item[i];
		f->part[k] = r->part[i];
		memset(&r->part[i], 0, sizeof(r->part[i]));
		r->part[i].alive.fd = r->part[i].fresh.fd = -1;
	}
	for (unsigned i = 0; i < r->plan.n; i++)
		part_clear(&r->part[i]);
	r->plan.n = conf->failover.nresources;
	for (unsigned k = 0; k < r->plan.n; k++)
		settle(f, r, conf, k);
	free(r->conf);
	r->conf = copy;
	(void)snprintf(r->last_resort, sizeof(r->last_resort), "%s",
	    conf_text(conf, conf->failover.last_resort));
	(void)snprintf(r->node, sizeof(r->node), "%s", conf->name);
	ungather(f);
	return 0;
}

static int
keep_pending(struct resources *r, const struct conf *conf, uint64_t set)
{
	r->pending = malloc(conf->size);
	if (r->pending == NULL)
		return -ENOMEM;
	memcpy(r->pending, conf, conf->size);
	log_line(LOG_NOTICE, "resources: what is not configured any more is "
			     "stopped");
	plan_leave(&r->plan, set, "not configured any more");
	return 0;
}

int
conf_take(struct resources *r, const struct conf *conf)
{
	char why[256];
	uint64_t set;
	int rc;

	if (conf->failover.nresources > CONF_RESOURCE_MAX)
		return -EINVAL;
	rc = may_go(r, conf, why, sizeof(why));
	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < r->plan.n; i++)
		if (r->plan.item[i].running && r->plan.item[i].ordered)
			return -EBUSY;
	set = r->conf == NULL ? 0 : leaving(r, conf);
	return set != 0 ? keep_pending(r, conf, set) : apply(r, conf);
}

/* Those that leave have been stopped, or the node goes down. */
void
conf_pending(struct resources *r)
{
	struct conf *conf = r->pending;
	int rc;

	if (conf == NULL || r->plan.active || r->plan.hard)
		return;
	for (unsigned i = 0; i < r->plan.n; i++)
		if (r->plan.item[i].running && r->plan.item[i].ordered)
			return;
	r->pending = NULL;
	rc = apply(r, conf);
	if (rc < 0)
		log_line(
		    LOG_ERR, "resources: not configured: %s", strerror(-rc));
	free(conf);
	resource_tell(r);
	if (r->has_held) {
		r->has_held = false;
		plan_order(&r->plan, &r->held);
	}
}
