/* SPDX-License-Identifier: ISC */
/*
 * Virtual hosts of an engine: made, changed, asked, and removed.
 */
#include <openssl/crypto.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

/* Out of all lists, addresses go; what is only half made is fine too. */
void
host_free(struct carp_host *h)
{
	struct iface *i = h->iface;
	struct carp_engine *e = i->engine;
	struct carp_host **at;

	vip_set_free(h->set);
	carp_free(h->carp);
	condition_free(h->conds);
	free(h->demotion);
	free(h->heard);
	free(h->list);
	if (h->timer.pos != 0) {
		heap_remove(&e->heap, &h->timer);
		for (at = &e->hosts; *at != h; at = &(*at)->next)
			;
		*at = h->next;
		if (e->last == &h->next)
			e->last = at;
		e->nhosts--;
		i->host[h->vhid] = NULL;
		i->nhosts--;
	}
	OPENSSL_cleanse(h, sizeof(*h)); /* keys */
	free(h);
}

/* Does what can fail, and shows nothing to the engine yet. */
static int
make(
    struct carp_host **ret, struct iface *i, const struct carp_host_config *cfg)
{
	const struct carp_addr *digest = cfg->digest;
	size_t n = cfg->digest != NULL ? cfg->ndigest : cfg->naddrs;
	struct vip_set_config vc;
	struct carp_host *h;
	int rc;

	if ((h = calloc(1, sizeof(*h))) == NULL)
		return -ENOMEM;
	h->iface = i;
	if (digest == NULL)
		digest = cfg->addrs;
	host_config_vip(&vc, cfg);
	if ((rc = host_config_copy(h, cfg)) != 0 ||
	    (rc = carp_new(&h->carp, &cfg->carp, digest, n)) != 0 ||
	    (rc = vip_set_new(&h->set, i->engine->vip, &vc)) != 0 ||
	    (rc = vip_set_addrs(h->set, cfg->addrs, cfg->naddrs)) != 0 ||
	    (rc = transmit_open_raw(i->engine, cfg->peers, cfg->npeers)) != 0 ||
	    (rc = heap_reserve(&i->engine->heap, i->engine->nhosts + 1)) != 0 ||
	    (rc = events_reserve(i->engine, i->engine->nhosts + 1)) != 0) {
		host_free(h);
		return rc;
	}
	*ret = h;
	return 0;
}

/* From here on nothing fails. */
static void
enlist(struct carp_host *h, uint64_t now)
{
	struct iface *i = h->iface;
	struct carp_engine *e = i->engine;

	*e->last = h;
	e->last = &h->next;
	e->nhosts++;
	i->host[h->vhid] = h;
	i->nhosts++;
	heap_add(&e->heap, &h->timer, CARP_NEVER);
	if (i->nhosts == 1)
		iface_update(i, now);
	demote_apply(h, now);
	(void)carp_standby(h->carp, h->standby, now); /* nothing pends */
	if (i->usable) {
		now = engine_listening_since(now);
		(void)carp_link(h->carp, true, now); /* nothing pends */
		engine_carry(h, now);
	}
	engine_settle(e, now);
}

int
carp_host_add(struct carp_engine *e, struct carp_host **ret,
    const struct carp_host_config *config, uint64_t now)
{
	struct carp_host_config cfg;
	struct carp_host *h;
	struct iface *i;
	int rc;

	if (e == NULL || ret == NULL)
		return -EINVAL;
	if ((rc = host_config_read(&cfg, config)) != 0 ||
	    (rc = iface_get(&i, e, cfg.ifname)) != 0)
		return rc;
	if (i->host[cfg.carp.vhid] != NULL)
		return -EEXIST;
	if (config->carp.counter == 0)
		cfg.carp.counter =
		    carp_counter_near(e->counter, cfg.carp.counter);
	if ((rc = make(&h, i, &cfg)) != 0) {
		if (i->nhosts == 0)
			iface_free(i);
		return rc;
	}
	enlist(h, now);
	*ret = h;
	return 0;
}

/* Out of service: a bow-out if it was master, no addresses. */
void
host_stop(struct carp_host *h, uint64_t now)
{
	h->stopped = true;
	(void)carp_stop(h->carp, now); /* nothing pends */
	engine_carry(h, now);
	vip_set_up(h->set, false);
}

void
carp_host_remove(struct carp_host *h, uint64_t now)
{
	struct carp_engine *e;
	struct iface *i;

	if (h == NULL)
		return;
	i = h->iface;
	e = i->engine;
	host_stop(h, now);
	engine_settle(e, now);
	events_forget(e, h);
	if (i->nhosts == 1) { /* nobody is concerned by it any more */
		demote_for_iface(i, "link", false, now);
		transmit_forget(i, now);
	}
	host_free(h);
	if (i->nhosts == 0)
		iface_free(i);
	group_review(e, now);
	engine_settle(e, now);
}

void
carp_host_set_user(struct carp_host *h, void *user)
{
	if (h != NULL)
		h->user = user;
}

void *
carp_host_user(const struct carp_host *h)
{
	return h != NULL ? h->user : NULL;
}

struct carp_host *
carp_host_each(const struct carp_engine *e, const struct carp_host *after)
{
	if (e == NULL)
		return NULL;
	return after != NULL ? after->next : e->hosts;
}

struct carp_host *
carp_host_find(const struct carp_engine *e, const char *ifname, uint8_t vhid)
{
	struct iface *i;

	if (e == NULL || ifname == NULL || (i = iface_find(e, ifname)) == NULL)
		return NULL;
	return i->host[vhid];
}

/* What an order led to is carried out at once. */
static int
carried(struct carp_host *h, int rc, uint64_t now)
{
	if (rc != 0)
		return rc;
	engine_carry(h, now);
	engine_settle(h->iface->engine, now);
	return 0;
}

int
carp_host_force(struct carp_host *h, enum carp_state state, uint64_t now)
{
	if (h == NULL)
		return -EINVAL;
	return carried(h, carp_force(h->carp, state, now), now);
}

int
carp_host_resume(struct carp_host *h, bool go_on, uint64_t now)
{
	if (h == NULL)
		return -EINVAL;
	return carried(h, carp_resume(h->carp, go_on, now), now);
}

int
carp_host_standby(struct carp_host *h, bool on, uint64_t now)
{
	if (h == NULL)
		return -EINVAL;
	return carried(h, carp_standby(h->carp, on, now), now);
}

int
carp_host_install(struct carp_host *h, bool install, uint64_t now)
{
	if (h == NULL || !h->manual ||
	    (install && carp_state(h->carp) != CARP_MASTER))
		return -EINVAL;
	vip_set_up(h->set, install);
	if (install)
		vip_set_announce(h->set);
	engine_settle(h->iface->engine, now);
	return 0;
}

void
carp_host_get_info(const struct carp_host *h, struct carp_host_info *ret)
{
	struct carp_stats *s;

	if (ret == NULL)
		return;
	memset(ret, 0, sizeof(*ret));
	if (h == NULL)
		return;
	s = &ret->carp.stats;
	ret->ifname = h->iface->name;
	ret->link = h->iface->usable;
	ret->vmac = h->vmac;
	ret->manual = h->manual;
	ret->lease = h->lease;
	ret->lease_s = h->lease_s;
	ret->lease_ms = h->lease_ms;
	ret->own_demotion = carp_demotion_sum(carp_host_demotion(h));
	ret->addrs = h->list;
	ret->digest = host_config_digest(h);
	ret->peers = host_config_peers(h);
	ret->naddrs = h->naddrs;
	ret->ndigest = h->ndigest;
	ret->npeers = h->npeers;
	carp_get_info(h->carp, &ret->carp);
	vip_set_get_info(h->set, &ret->vip);
	s->ipackets += h->refused[0];
	s->ipackets6 += h->refused[1];
	s->drops[CARP_BADTTL] += h->badttl;
	s->drops[CARP_BADADDR] += h->badaddr;
	s->oerrors += h->oerrors;
}

int
carp_engine_link_stats(
    const struct carp_engine *e, const char *ifname, struct carp_stats *ret)
{
	const struct iface *i;

	if (e == NULL || ifname == NULL || ret == NULL)
		return -EINVAL;
	if ((i = iface_find(e, ifname)) == NULL)
		return -ENODEV;
	*ret = i->stats;
	return 0;
}
