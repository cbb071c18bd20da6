/* SPDX-License-Identifier: ISC */
/*
 * Demotion by named causes: of the whole engine, and of one virtual host.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

static const struct carp_demotion none;

static void
tell(struct carp_engine *e, struct carp_host *h, int sum, uint64_t now)
{
	struct carp_event ev = {
		.what = CARP_EV_DEMOTION, .host = h, .value = sum, .at = now
	};

	if (h != NULL)
		memcpy(ev.ifname, h->iface->name, sizeof(ev.ifname));
	events_push(e, &ev);
}

void
demote_apply(struct carp_host *h, uint64_t now)
{
	int sum = carp_demotion_sum(&h->iface->engine->demotion) +
		  carp_demotion_sum(carp_host_demotion(h));

	if (sum == h->demoted)
		return;
	h->demoted = sum;
	(void)carp_demote(h->carp, sum, now); /* nothing pends */
	engine_carry(h, now);
}

void
demote_apply_all(struct carp_engine *e, uint64_t now)
{
	for (struct carp_host *h = e->hosts; h != NULL; h = h->next)
		demote_apply(h, now);
}

int
demote_set(struct carp_engine *e, const char *cause, int amount, uint64_t until,
    uint64_t now)
{
	int before = carp_demotion_sum(&e->demotion), sum, rc;

	rc = carp_demotion_set(&e->demotion, cause, amount, until);
	if (rc != 0)
		return rc;
	engine_chores_by(e, carp_demotion_deadline(&e->demotion));
	if ((sum = carp_demotion_sum(&e->demotion)) == before)
		return 0;
	tell(e, NULL, sum, now);
	demote_apply_all(e, now);
	return 0;
}

void
demote_for_iface(struct iface *i, const char *why, bool on, uint64_t now)
{
	char cause[CARP_CAUSE_NAME_MAX];

	if (i->engine->ngroups > 0) {
		group_review(i->engine, now);
		return;
	}
	(void)snprintf(cause, sizeof(cause), "%s %s", why, i->name);
	/* With a full table enough demotes us already. */
	(void)demote_set(i->engine, cause, on ? i->engine->link_demotion : 0,
	    CARP_NEVER, now);
}

static void
expire_host(struct carp_host *h, uint64_t now)
{
	if (h->demotion == NULL)
		return;
	if (carp_demotion_expire(h->demotion, now)) {
		demote_apply(h, now);
		group_vouch(h->iface->engine, h, now);
		tell(h->iface->engine, h, h->demoted, now);
	}
	engine_chores_by(h->iface->engine, carp_demotion_deadline(h->demotion));
}

void
demote_expire(struct carp_engine *e, uint64_t now)
{
	if (carp_demotion_expire(&e->demotion, now)) {
		tell(e, NULL, carp_demotion_sum(&e->demotion), now);
		demote_apply_all(e, now);
	}
	engine_chores_by(e, carp_demotion_deadline(&e->demotion));
	for (struct carp_host *h = e->hosts; h != NULL; h = h->next)
		expire_host(h, now);
}

int
carp_engine_demote(struct carp_engine *e, const char *cause, int amount,
    uint64_t until, uint64_t now)
{
	int rc;

	if (e == NULL || cause == NULL)
		return -EINVAL;
	rc = demote_set(e, cause, amount, until, now);
	engine_settle(e, now);
	return rc;
}

int
carp_host_demote(struct carp_host *h, const char *cause, int amount,
    uint64_t until, uint64_t now)
{
	int before, rc;

	if (h == NULL || cause == NULL)
		return -EINVAL;
	if (h->demotion == NULL) {
		h->demotion = calloc(1, sizeof(*h->demotion));
		if (h->demotion == NULL)
			return -ENOMEM;
	}
	before = h->demoted;
	rc = carp_demotion_set(h->demotion, cause, amount, until);
	if (rc != 0)
		return rc;
	engine_chores_by(h->iface->engine, carp_demotion_deadline(h->demotion));
	demote_apply(h, now);
	if (h->demoted != before) {
		group_vouch(h->iface->engine, h, now);
		tell(h->iface->engine, h, h->demoted, now);
	}
	engine_settle(h->iface->engine, now);
	return 0;
}

int
carp_engine_set_link_demotion(struct carp_engine *e, int amount, uint64_t now)
{
	if (e == NULL || amount < 0 || amount > 65535)
		return -EINVAL;
	e->link_demotion = amount;
	for (struct iface *i = e->ifaces; i != NULL; i = i->next) {
		if (!i->usable)
			demote_for_iface(i, "link", true, now);
		if (i->bad)
			demote_for_iface(i, "send", true, now);
	}
	engine_settle(e, now);
	return 0;
}

const struct carp_demotion *
carp_engine_demotion(const struct carp_engine *e)
{
	return e != NULL ? &e->demotion : &none;
}

const struct carp_demotion *
carp_host_demotion(const struct carp_host *h)
{
	return h != NULL && h->demotion != NULL ? h->demotion : &none;
}
