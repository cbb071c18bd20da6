/* SPDX-License-Identifier: ISC */
/*
 * The engine of a modelled node: real failover mode on real elections.  Here
 * are the functions of libcarp's engine that it calls, without sockets.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failover_alias.h"
#include "log.h"
#include "pair.h"

void
log_line(int priority, const char *fmt, ...)
{
	va_list ap;

	(void)priority;
	if (getenv("PAIR_VERBOSE") == NULL)
		return;
	va_start(ap, fmt);
	(void)fprintf(stderr, "%9.3f   log: ", (double)pair.now / CARP_SEC);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputc('\n', stderr);
	va_end(ap);
}

void
failover_name_interfaces(struct failover *f)
{
	(void)f;
}

void
failover_unname_interfaces(struct failover *f, const struct conf *was)
{
	(void)f, (void)was;
}

const struct carp_demotion *
carp_engine_demotion(const struct carp_engine *e)
{
	return &e->demotion;
}

bool
carp_host_condition(const struct carp_host *h, enum carp_condition c,
    struct carp_condition_info *ret)
{
	(void)h, (void)c, (void)ret;
	return false;
}

uint64_t
carp_now(void)
{
	return pair.now;
}

/*
 * The election.
 */

static void
carry(struct carp_host *h)
{
	struct carp_addr src, dst = carp_group(4);
	struct carp_action a;
	struct frame *f;

	(void)carp_addr_parse(&src, h->id == 0 ? "192.0.2.2" : "192.0.2.3");
	while (carp_next(h->carp, &a)) {
		if (a.what == CARP_DO_STATE) {
			pair_say("node %u: %s to %s", h->id,
			    carp_state_name(a.from), carp_state_name(a.to));
			h->installed = h->installed && a.to == CARP_MASTER;
		}
		if (a.what != CARP_DO_SEND || pair.nwire == WIRE || pair.cut ||
		    pair_draw(100) < pair.loss)
			continue;
		f = &pair.wire[pair.nwire++];
		f->at = pair.now + MS / 10 + pair_draw(MS);
		f->to = 1 - h->id;
		f->len = carp_ip_encode(f->ip, &src, &dst, a.advert);
	}
}

struct carp_host *
carp_host_each(const struct carp_engine *e, const struct carp_host *h)
{
	if (h != NULL || e->host.carp == NULL)
		return NULL;
	return (struct carp_host *)(uintptr_t)&e->host;
}

struct carp_host *
carp_host_find(const struct carp_engine *e, const char *ifname, uint8_t vhid)
{
	(void)ifname, (void)vhid;
	return (struct carp_host *)(uintptr_t)&e->host;
}

void
carp_host_get_info(const struct carp_host *h, struct carp_host_info *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->ifname = "eth0";
	ret->link = pair.node[h->id].link;
	ret->manual = true;
	ret->vip.up = h->installed;
	carp_get_info(h->carp, &ret->carp);
}

int
carp_host_install(struct carp_host *h, bool on, uint64_t now)
{
	(void)now;
	if (on && carp_state(h->carp) != CARP_MASTER)
		return -1;
	h->installed = on;
	pair_say("node %u: addresses %s", h->id, on ? "on" : "off");
	return 0;
}

int
carp_host_force(struct carp_host *h, enum carp_state state, uint64_t now)
{
	int rc = carp_force(h->carp, state, now);

	carry(h);
	return rc;
}

int
carp_host_standby(struct carp_host *h, bool on, uint64_t now)
{
	int rc = carp_standby(h->carp, on, now);

	carry(h);
	return rc;
}

int
carp_engine_demote(struct carp_engine *e, const char *cause, int amount,
    uint64_t until, uint64_t now)
{
	int rc = carp_demotion_set(&e->demotion, cause, amount, until);

	if (e->host.carp == NULL)
		return rc;
	(void)carp_demote(e->host.carp, carp_demotion_sum(&e->demotion), now);
	carry(&e->host);
	return rc;
}

void
engine_link(struct carp_engine *e, bool up)
{
	pair_say("node %u: link %s", e->id, up ? "up" : "down");
	e->link = up;
	if (e->host.carp == NULL)
		return;
	(void)carp_link(e->host.carp, up, pair.now);
	carry(&e->host);
}

/*
 * What failover mode asks for.
 */

static void
do_order(void *arg, const struct resource_order *o)
{
	struct talk t = { .type = TALK_ORDER, .order = *o };
	struct carp_engine *e = arg;

	talk(&e->to_supervisor, &t);
}

static void
do_hard(void *arg, const char *reason)
{
	struct talk t = { .type = TALK_HARD };
	struct carp_engine *e = arg;

	(void)snprintf(t.text, sizeof(t.text), "%s", reason);
	talk(&e->to_supervisor, &t);
}

static void
do_remember(void *arg, const char *text, size_t len)
{
	struct carp_engine *e = arg;

	free(e->store);
	e->store = strndup(text, len);
	e->begins++;
}

static void
do_event(void *arg, json_t *event)
{
	(void)arg, (void)event;
}

static void
do_ended(void *arg)
{
	struct carp_engine *e = arg;

	e->leaving = true;
}

static void
do_hosts(void *arg)
{
	(void)arg;
}

/*
 * Its life.
 */

static void
make_host(struct carp_engine *e)
{
	struct carp_host_config c = { .carp = conf_hosts(e->conf)->carp };

	failover_host_config(e->f, &c);
	c.carp.counter = (uint64_t)pair_draw(1u << 30) << 33 | e->id;
	c.carp.seed = pair_draw(1u << 30);
	memcpy(c.carp.key, "s3cret", 6);
	if (carp_new(&e->host.carp, &c.carp, conf_pool(e->conf), 1) != 0)
		abort();
	(void)carp_demote(
	    e->host.carp, carp_demotion_sum(&e->demotion), pair.now);
	(void)carp_standby(e->host.carp, c.standby, pair.now);
	if (e->link)
		(void)carp_link(e->host.carp, true, pair.now);
	carry(&e->host);
}

void
engine_start(struct carp_engine *e)
{
	static const struct failover_ops ops = { do_order, do_hard, do_remember,
		do_event, do_ended, do_hosts };
	struct talk t = { .type = TALK_APPLIED };

	pair_say("node %u: engine starts", e->id);
	e->leaving = false;
	memset(&e->demotion, 0, sizeof(e->demotion));
	if (e->maintenance)
		(void)carp_demotion_set(
		    &e->demotion, "maintenance", CARP_DEMOTED, CARP_NEVER);
	if (failover_new(&e->f, e, &ops, e, e->store, e->maintenance) != 0)
		abort();
	make_host(e);
	if (failover_configure(e->f, e->conf, pair.now) != 0)
		abort();
	talk(&e->to_supervisor, &t);
}

/* Without a word. */
void
engine_end(struct carp_engine *e)
{
	if (e->f == NULL)
		return;
	e->was_master = carp_state(e->host.carp) == CARP_MASTER;
	carp_free(e->host.carp);
	e->host.carp = NULL;
	e->host.installed = false; /* swept, or gone with their lease */
	failover_free(e->f);
	e->f = NULL;
	e->to_engine.n = 0;
}

void
engine_hear(struct carp_engine *e, const struct talk *t)
{
	if (t->type == TALK_REPORT)
		failover_report(e->f, &t->report, pair.now);
	else if (t->type == TALK_DONE)
		failover_done(e->f, &t->done, pair.now);
	else
		failover_resort(e->f, t->text, pair.now);
}

static void
receive(struct carp_engine *e, const struct frame *f)
{
	struct carp_packet p;
	enum carp_verdict v;

	if (e->f == NULL || !e->link || pair.cut)
		return;
	if (carp_decode(&p, f->ip, f->len) == CARP_OK)
		(void)carp_packet(e->host.carp, &p, &v, pair.now);
	carry(&e->host);
}

void
engine_work(struct carp_engine *e)
{
	struct frame f;

	for (unsigned i = 0; i < pair.nwire;) {
		f = pair.wire[i];
		if (f.to != e->id || f.at > pair.now) {
			i++;
			continue;
		}
		pair.wire[i] = pair.wire[--pair.nwire];
		receive(e, &f);
	}
	if (e->f == NULL)
		return;
	(void)carp_timer(e->host.carp, pair.now);
	carry(&e->host);
	failover_process(e->f, pair.now);
}

uint64_t
engine_deadline(const struct carp_engine *e)
{
	uint64_t at = CARP_NEVER;

	if (e->f != NULL) {
		at = failover_deadline(e->f);
		if (carp_deadline(e->host.carp) < at)
			at = carp_deadline(e->host.carp);
	}
	for (unsigned i = 0; i < pair.nwire; i++)
		if (pair.wire[i].to == e->id && pair.wire[i].at < at)
			at = pair.wire[i].at;
	return at;
}
