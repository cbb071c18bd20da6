/* SPDX-License-Identifier: ISC */
/* Failover mode in the engine process: events in, actions carried out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failover.h"
#include "failover_alias.h"
#include "failover_claim.h"
#include "failover_events.h"
#include "failover_view.h"
#include "log.h"

#define MAINTENANCE "maintenance"
#define NOT_SERVING "not serving"
#define NOT_AMOUNT  120 /* a node that serves is preferred to one that */
#define BELOW	    239 /* does not; but that is not `demoted' */
#define SICK_AMOUNT 10	/* of a resource that is not critical */
#define KNOWN_WAIT  (15 * CARP_SEC) /* for the first word of resources */
#define LOOK	    (CARP_SEC)	    /* between looks at the reasons */

int
failover_new(struct failover **ret, struct carp_engine *engine,
    const struct failover_ops *ops, void *arg, const char *store,
    bool maintenance)
{
	const struct role_config none = { .disabled = false };
	struct failover *f;
	int rc;

	if ((f = calloc(1, sizeof(*f))) == NULL)
		return -ENOMEM;
	f->engine = engine;
	f->ops = *ops;
	f->arg = arg;
	f->maintenance = f->demoted = maintenance;
	f->said = ROLE_EV_LOST_PEER;
	f->told = ROLE_UNKNOWN;
	role_init(&f->role, &none);
	if ((rc = store_init(&f->store, store)) < 0) {
		failover_free(f);
		return rc;
	}
	*ret = f;
	return 0;
}

void
failover_free(struct failover *f)
{
	if (f == NULL)
		return;
	store_free(&f->store);
	free(f->voter);
	free(f);
}

static void
remember(struct failover *f)
{
	char *text = store_text(&f->store);

	if (text != NULL)
		f->ops.remember(f->arg, text, strlen(text));
	free(text);
}

/*
 * Virtual hosts.
 */

static void
each(struct failover *f, bool on, uint64_t now,
    void (*act)(
	struct carp_host *, const struct carp_host_info *, bool, uint64_t))
{
	struct carp_host *h = NULL;
	struct carp_host_info i;

	while ((h = carp_host_each(f->engine, h)) != NULL) {
		carp_host_get_info(h, &i);
		act(h, &i, on, now);
	}
}

static void
install(
    struct carp_host *h, const struct carp_host_info *i, bool on, uint64_t now)
{
	int rc;

	if (i->vip.up == on || (on && i->carp.state != CARP_MASTER))
		return;
	if ((rc = carp_host_install(h, on, now)) < 0)
		log_line(LOG_ERR, "vhid %u %s: addresses: %s", i->carp.vhid,
		    i->ifname, strerror(-rc));
}

static void
take(struct carp_host *h, const struct carp_host_info *i, bool on, uint64_t now)
{
	(void)on;
	if (i->carp.state == CARP_BACKUP)
		(void)carp_host_force(h, CARP_MASTER, now); /* it has a link */
}

static void
bow_out(
    struct carp_host *h, const struct carp_host_info *i, bool on, uint64_t now)
{
	(void)on;
	if (i->carp.state == CARP_MASTER)
		(void)carp_host_force(h, CARP_BACKUP, now);
}

/* Who is master says at once what it is now. */
static void
speak(
    struct carp_host *h, const struct carp_host_info *i, bool on, uint64_t now)
{
	(void)on;
	if (i->carp.state == CARP_MASTER)
		(void)carp_host_force(h, CARP_MASTER, now); /* it is so */
}

static void
stand_by(
    struct carp_host *h, const struct carp_host_info *i, bool on, uint64_t now)
{
	(void)i;
	(void)carp_host_standby(h, on, now); /* nothing pends */
}

static void
demote(struct failover *f, const char *cause, int amount, uint64_t now)
{
	int rc = carp_engine_demote(f->engine, cause, amount, CARP_NEVER, now);

	if (rc < 0 && rc != -ENOENT)
		log_line(LOG_ERR, "demotion \"%s\": %s", cause, strerror(-rc));
}

/* By how much all hosts can be demoted without being `demoted'. */
static int
most(const struct failover *f)
{
	const struct conf_host *h = conf_hosts(f->conf);
	int skew = 0;

	for (uint32_t i = 0; i < f->conf->nhosts; i++)
		if (h[i].carp.advskew > skew)
			skew = h[i].carp.advskew;
	return skew < BELOW ? BELOW - skew : 0;
}

static bool
preempts(const struct failover *f)
{
	const struct conf_host *h = conf_hosts(f->conf);

	for (uint32_t i = 0; i < f->conf->nhosts; i++)
		if (h[i].carp.preempt)
			return true;
	return false;
}

static bool
serves(const struct failover *f)
{
	enum role_at at = f->role.at;

	/* WAKING: an engine before this one may have served. */
	return !f->importing &&
	       (at == AT_WAKING || at == AT_MASTER || at == AT_SHAKEN ||
		   (at >= AT_DOWN_SERVICE && at != AT_ERROR));
}

/*
 * Who does not serve is demoted from the start, so that his first word after
 * he has won says so: two nodes that win at once do not both yield.  Where the
 * preferred node fails back by itself, it is preferred while it does so, too;
 * but not after it was told to be passive.
 */
static void
apply_serving(struct failover *f, uint64_t now)
{
	int amount = 0;

	if (f->passive && f->role.at == AT_BACKUP)
		amount = most(f);
	else if (!serves(f) && !preempts(f))
		amount = most(f) < NOT_AMOUNT ? most(f) : NOT_AMOUNT;
	demote(f, NOT_SERVING, amount, now);
}

/*
 * Actions of the role machine.
 */

static void
set_failed(struct failover *f, bool on, uint64_t now)
{
	if (f->failed[0] != '\0')
		demote(f, f->failed, 0, now);
	f->failed[0] = '\0';
	if (!on)
		return;
	(void)snprintf(f->failed, sizeof(f->failed), "failed %.39s",
	    f->culprit[0] != '\0' ? f->culprit : "takeover");
	demote(f, f->failed, CARP_DEMOTED, now);
}

static void
begin(struct failover *f, const struct role_action *a, uint64_t now)
{
	log_line(LOG_NOTICE, "failover: %s: %s",
	    a->up ? "becoming active" : "stepping down", a->text);
	f->culprit[0] = '\0';
	f->passive = f->passive && !a->up;
	store_begin(&f->store, role_status_name(f->told), a->up, a->text, now);
	remember(f);
}

static void
end(struct failover *f, const struct role_action *a, uint64_t now)
{
	const char *to = role_status_name(role_status(&f->role, true));

	if (a->ok)
		log_line(LOG_NOTICE, "failover: %s after %.3f s", to,
		    (double)(now - f->store.began) / CARP_SEC);
	else
		log_line(LOG_ERR, "failover: %s: %s", to, a->text);
	store_end(&f->store, to, a->ok, a->text, now);
	remember(f);
}

static void
carry_out(struct failover *f, const struct role_action *a, uint64_t now)
{
	switch (a->what) {
	case ROLE_DO_BEGIN:
		begin(f, a, now);
		break;
	case ROLE_DO_END:
		end(f, a, now);
		break;
	case ROLE_DO_ORDER:
		store_order(&f->store, &a->order, now);
		f->ops.order(f->arg, &a->order);
		break;
	case ROLE_DO_ADDRESSES:
		each(f, a->on, now, install);
		store_mark(&f->store, "addresses", a->on, now);
		break;
	case ROLE_DO_TAKE:
		if (f->role.view == ROLE_EV_WON)
			f->said = ROLE_EV_WON; /* it knows already */
		each(f, true, now, take);
		break;
	case ROLE_DO_BOW_OUT:
		f->said = ROLE_EV_LOST_PEER;
		each(f, true, now, bow_out);
		store_mark(&f->store, "bow-out", true, now);
		break;
	case ROLE_DO_STANDBY:
		each(f, a->on, now, stand_by);
		break;
	case ROLE_DO_IMPORTING:
		f->importing = a->on;
		apply_serving(f, now);
		break;
	case ROLE_DO_FAILED:
		set_failed(f, a->on, now);
		break;
	case ROLE_DO_HARD:
		log_line(LOG_CRIT, "failover: last resort: %s", a->text);
		f->ops.hard(f->arg, a->text);
		break;
	case ROLE_DO_EXIT:
		f->ops.ended(f->arg);
		break;
	}
}

/* A node that serves gives its services away first, and is demoted then. */
static void
apply_maintenance(struct failover *f, uint64_t now)
{
	bool may = !role_busy(&f->role) && f->role.at != AT_MASTER;

	if (f->maintenance == f->demoted || (f->maintenance && !may))
		return;
	f->demoted = f->maintenance;
	demote(f, MAINTENANCE, f->demoted ? CARP_DEMOTED : 0, now);
}

static void
step(struct failover *f, enum role_event ev, const struct role_detail *d,
    uint64_t now)
{
	struct role_action a;

	role_step(&f->role, ev, d, now);
	while (role_next(&f->role, &a))
		carry_out(f, &a, now);
	apply_serving(f, now);
	apply_maintenance(f, now);
	failover_tell(f, now);
}

/*
 * The elections.
 */

static void
hear_elections(struct failover *f, uint64_t now)
{
	struct group_result g = failover_view(f);
	struct role_detail d = { .peer =
				     g.passive ? PEER_PASSIVE : PEER_UNCLEAR };
	enum role_event ev;

	if (!failover_translate(f, g.view, &ev) || ev == f->said)
		return;
	f->said = ev;
	if (g.slower)
		d.text = "elected: the other node is slower or demoted";
	step(f, ev, &d, now);
}

/*
 * Resources.
 */

/* One that cannot be asked is known, too: to be unclear. */
static bool
is_answer(const struct resource_report *r)
{
	return r->state != RES_UNKNOWN ||
	       (r->took != 0 && r->exit != HOOK_ABSENT);
}

static void
check_known(struct failover *f, uint64_t now)
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
	hear_elections(f, now);
	step(f, ROLE_EV_KNOWN, &d, now);
}

/* Only when they are known to be down are they to be started. */
static void
check_grown(struct failover *f, uint64_t now)
{
	for (uint32_t i = 0; i < f->conf->failover.nresources; i++)
		if (!f->res[i].known)
			return;
	f->grown = false;
	step(f, ROLE_EV_GROWN, NULL, now);
}

static void
weigh(struct failover *f, uint32_t index, uint64_t now)
{
	const struct conf_resource *r = &conf_resources(f->conf)[index];
	bool bad = f->res[index].state == RES_SICK ||
		   f->res[index].state == RES_FAILED;
	char cause[CARP_CAUSE_NAME_MAX];

	bad = bad && !r->critical && f->role.addresses;
	if (bad == f->res[index].demotes)
		return;
	f->res[index].demotes = bad;
	(void)snprintf(cause, sizeof(cause), "resource %.30s", r->name);
	demote(f, cause, bad ? SICK_AMOUNT : 0, now);
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
	(void)snprintf(text, sizeof(text), "%s: %.150s", res->name,
	    why[0] != '\0' ? why : "is not running any more");
	d.text = text;
	step(f, res->phase == PHASE_FENCE ? ROLE_EV_FENCE_LOST : ROLE_EV_SICK,
	    &d, now);
}

/* What was lost while nobody wanted a failover. */
static void
recall_losses(struct failover *f, uint64_t now)
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
	weigh(f, r->index, now);
	if (!f->known)
		check_known(f, now);
	else if (r->lost || goes_unasked(f, r, was))
		lose(f, r->index, now);
	if (f->known && f->grown)
		check_grown(f, now);
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
	step(f, ROLE_EV_DONE, &d, now);
}

void
failover_resort(struct failover *f, const char *reason, uint64_t now)
{
	struct role_detail d = { .text = reason };

	if (f->conf != NULL)
		step(f, ROLE_EV_RESORT, &d, now);
}

void
failover_process(struct failover *f, uint64_t now)
{
	if (f->conf == NULL)
		return;
	if (!f->known && now >= f->known_by)
		check_known(f, now);
	hear_elections(f, now);
	if (failover_status(f) != f->told)
		failover_tell(f, now);
	if (f->role.addresses)
		each(f, true, now, install);
	if (now >= role_deadline(&f->role))
		step(f, ROLE_EV_TIMER, NULL, now);
	if (now >= f->look_at) {
		f->look_at = now + LOOK;
		failover_claim(f, now);
		failover_name_interfaces(f); /* those that came, too */
		failover_tell(f, now);
	}
}

uint64_t
failover_deadline(const struct failover *f)
{
	uint64_t at = role_deadline(&f->role);

	return at < f->look_at ? at : f->look_at;
}

void
failover_stop(struct failover *f, uint64_t now)
{
	step(f, ROLE_EV_STOP, NULL, now);
}

/*
 * Configuration.
 */

static struct role_config
role_settings(const struct failover *f)
{
	const struct conf_host *h = conf_hosts(f->conf);
	struct role_config c = {
		.timeout = failover_timeout_s(f) * CARP_SEC,
		.fence_wait = f->conf->failover.fence_wait_ms * CARP_SEC / 1000,
		.addresses_first = f->conf->failover.addresses_first != 0,
		.disabled = f->store.disabled,
	};

	for (uint32_t i = 0; i < f->conf->nhosts; i++) {
		uint64_t t =
		    3 * carp_interval(h[i].carp.advbase, h[i].carp.advskew) +
		    CARP_SEC;

		if (t > c.detect)
			c.detect = t;
	}
	return c;
}

/* Something is configured that was not, or is something else now. */
static bool
has_more(const struct conf *was, const struct conf *is)
{
	const struct conf_resource *a = conf_resources(was),
				   *b = conf_resources(is);
	uint32_t i, k, n = was->failover.nresources;

	for (i = 0; i < is->failover.nresources; i++) {
		for (k = 0; k < n; k++)
			if (a[k].phase == b[i].phase &&
			    strcmp(a[k].name, b[i].name) == 0 &&
			    strcmp(conf_text(was, a[k].hook),
				conf_text(is, b[i].hook)) == 0)
				break;
		if (k == n)
			return true;
	}
	return false;
}

/* Indices may mean other resources now: the supervisor tells of all again. */
int
failover_configure(struct failover *f, const struct conf *conf, uint64_t now)
{
	struct group_member *voter = calloc(conf->nhosts + 1, sizeof(*voter));
	bool first = f->conf == NULL;
	struct role_config c;

	if (voter == NULL)
		return -ENOMEM;
	free(f->voter);
	f->voter = voter;
	f->grown |= !first && has_more(f->conf, conf);
	f->conf = conf;
	c = role_settings(f);
	memset(f->res, 0, sizeof(f->res));
	if (first) {
		role_init(&f->role, &c);
		f->known_by = now + KNOWN_WAIT;
	} else {
		role_configure(&f->role, &c, now);
	}
	if (first && conf->failover.nresources == 0)
		check_known(f, now);
	return 0;
}

void
failover_host_config(const struct failover *f, struct carp_host_config *c)
{
	c->manual = 1;
	c->standby = f->role.standby;
	c->carp.together = 1; /* also relieves a demoted master */
	if (f->store.master == 1)
		c->carp.advskew = 0;
	else if (f->store.master == 0 && c->carp.advskew < 100)
		c->carp.advskew = 100;
}

/*
 * Orders.
 */

static bool
peer_is_heard(const struct failover *f)
{
	struct carp_host *h = NULL;
	struct carp_host_info i;
	bool heard = false;

	while (!heard && (h = carp_host_each(f->engine, h)) != NULL) {
		carp_host_get_info(h, &i);
		heard = i.carp.heard && !carp_packet_is_bowout(&i.carp.peer) &&
			carp_now() - i.carp.peer_at < i.carp.timeout + CARP_SEC;
	}
	return heard;
}

static bool
has_fence(const struct failover *f)
{
	const struct conf_resource *r = conf_resources(f->conf);

	for (uint32_t i = 0; i < f->conf->failover.nresources; i++)
		if (r[i].phase == PHASE_FENCE && !r[i].none)
			return true;
	return false;
}

int
failover_force_master(struct failover *f, uint64_t now)
{
	/* What it is called here says nothing of the other node. */
	if (peer_is_heard(f) && !has_fence(f) && f->role.at != AT_MASTER &&
	    f->role.at != AT_SHAKEN)
		return -EACCES;
	if (f->role.at == AT_MASTER || f->role.at == AT_SHAKEN)
		return -EALREADY;
	if (f->role.at == AT_GONE || f->role.at == AT_ENDED)
		return -ENOTCONN;
	step(f, ROLE_EV_FORCE, NULL, now);
	return 0;
}

int
failover_become_passive(struct failover *f, bool hard, uint64_t now)
{
	bool active = f->role.at >= AT_HOLD && f->role.at <= AT_SHAKEN;

	if (!active && !(hard && role_busy(&f->role)))
		return -EALREADY;
	f->passive = preempts(f);
	step(f, hard ? ROLE_EV_HARD : ROLE_EV_PASSIVE, NULL, now);
	return 0;
}

int
failover_update(
    struct failover *f, int disabled, int timeout_s, int master, uint64_t now)
{
	struct role_config c;
	bool was = f->store.disabled;

	if (timeout_s > 120)
		return -EINVAL;
	if (disabled != -1)
		f->store.disabled = disabled != 0;
	if (timeout_s != -1)
		f->store.timeout_s = timeout_s;
	if (master != -1)
		f->store.master = master;
	remember(f);
	f->passive = f->passive && disabled == -1 && master != 1;
	c = role_settings(f);
	role_configure(&f->role, &c, now);
	if (master != -1) {
		f->ops.hosts(f->arg);
		each(f, true, now, speak);
	}
	if (f->store.disabled != was)
		step(f, was ? ROLE_EV_ENABLE : ROLE_EV_DISABLE, NULL, now);
	if (was && !f->store.disabled)
		recall_losses(f, now);
	return 0;
}

void
failover_set_maintenance(struct failover *f, bool on, uint64_t now)
{
	struct role_detail d = { .text = MAINTENANCE };

	f->maintenance = on;
	if (on)
		step(f, ROLE_EV_PASSIVE, &d, now);
	else
		apply_maintenance(f, now);
}

enum role_status
failover_status(const struct failover *f)
{
	return role_status(&f->role, peer_is_heard(f));
}

bool
failover_disabled(const struct failover *f)
{
	return f->store.disabled;
}

uint32_t
failover_timeout_s(const struct failover *f)
{
	if (f->store.timeout_s >= 0)
		return (uint32_t)f->store.timeout_s;
	return f->conf->failover.timeout_s;
}

/* By default whoever has a smaller skew than the usual 100 of the other. */
bool
failover_preferred(const struct failover *f)
{
	if (f->store.master != -1)
		return f->store.master == 1;
	return f->conf->nhosts > 0 && conf_hosts(f->conf)->carp.advskew < 100;
}
