/* SPDX-License-Identifier: ISC */
/*
 * A virtual host takes another configuration, and stays what it is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

static bool
is_in(const struct carp_addr *a, const struct carp_addr *list, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (carp_addr_cmp(&list[k], a) == 0)
			return true;
	return false;
}

static bool
has_new_address(const struct carp_host *h, const struct carp_host_config *cfg)
{
	for (size_t k = 0; k < cfg->naddrs; k++)
		if (!is_in(&cfg->addrs[k], h->list, h->naddrs))
			return true;
	return false;
}

static bool
has_same_addresses(
    const struct carp_host *h, const struct carp_host_config *cfg)
{
	return h->naddrs == cfg->naddrs &&
	       (h->naddrs == 0 || memcmp(h->list, cfg->addrs,
				      h->naddrs * sizeof(*h->list)) == 0);
}

/* A virtual MAC comes or goes: another set, which takes the place of ours. */
static int
make_set(struct vip_set **ret, const struct carp_host *h,
    const struct carp_host_config *cfg)
{
	struct vip_set_config vc;
	struct vip_set *set;
	int rc;

	host_config_vip(&vc, cfg);
	if ((rc = vip_set_new(&set, h->iface->engine->vip, &vc)) != 0)
		return rc;
	if ((rc = vip_set_addrs(set, cfg->addrs, cfg->naddrs)) != 0) {
		vip_set_free(set);
		return rc;
	}
	*ret = set;
	return 0;
}

/* All that can fail.  What was done is undone if the next thing fails. */
static int
prepare(struct carp_host *h, const struct carp_host_config *cfg,
    struct carp_host *next, uint64_t now)
{
	bool same = has_same_addresses(h, cfg);
	struct vip_set *set = NULL;
	int rc;

	if ((rc = host_config_copy(next, cfg)) != 0 ||
	    (rc = transmit_open_raw(
		 h->iface->engine, cfg->peers, cfg->npeers)) != 0)
		return rc;
	if (cfg->vmac != h->vmac ||
	    (cfg->lease == VIP_LEASE_GUARD && h->lease != VIP_LEASE_GUARD))
		rc = make_set(&set, h, cfg);
	else if (!same)
		rc = vip_set_addrs(h->set, cfg->addrs, cfg->naddrs);
	if (rc != 0)
		return rc;
	rc = carp_change(
	    h->carp, &cfg->carp, host_config_digest(next), next->ndigest, now);
	if (rc == 0) {
		next->set = set;
		return 0;
	}
	vip_set_free(set);
	if (set == NULL && !same) /* they had room before */
		(void)vip_set_addrs(h->set, h->list, h->naddrs);
	return rc;
}

static void
replace_set(struct carp_host *h, struct vip_set *set)
{
	struct vip_set_info info;

	vip_set_get_info(h->set, &info);
	vip_set_up(set, info.up);
	if (info.up)
		vip_set_announce(set);
	vip_set_free(h->set);
	h->set = set;
}

static void
take_over(struct carp_host *h, struct carp_host *next)
{
	free(h->list);
	h->list = next->list;
	h->naddrs = next->naddrs;
	h->ndigest = next->ndigest;
	h->npeers = next->npeers;
	h->shared = next->shared;
	h->vmac = next->vmac;
	h->lease = next->lease;
	h->lease_s = next->lease_s;
	h->lease_ms = next->lease_ms;
	h->manual = next->manual;
	memcpy(h->key, next->key, sizeof(h->key));
	memcpy(h->lladdr, next->lladdr, sizeof(h->lladdr));
}

int
carp_host_change(
    struct carp_host *h, const struct carp_host_config *config, uint64_t now)
{
	struct carp_host next = { 0 };
	struct carp_host_config cfg;
	bool news, automatic, lease;
	int rc;

	if (h == NULL)
		return -EINVAL;
	if ((rc = host_config_read(&cfg, config)) != 0)
		return rc;
	if (strcmp(cfg.ifname, h->iface->name) != 0 || cfg.carp.vhid != h->vhid)
		return -EINVAL;
	if ((rc = prepare(h, &cfg, &next, now)) != 0) {
		free(next.list);
		return rc;
	}
	news = has_new_address(h, &cfg);
	automatic = h->manual && !cfg.manual;
	lease = h->lease != next.lease || h->lease_s != next.lease_s ||
		h->lease_ms != next.lease_ms;
	take_over(h, &next);
	if (next.set != NULL)
		replace_set(h, next.set);
	else if (news && carp_state(h->carp) == CARP_MASTER)
		vip_set_announce(h->set);
	if (lease) {
		/* What it is was checked; without one it is never renewed. */
		(void)vip_set_lease(h->set, h->lease,
		    h->lease == VIP_LEASE_GUARD ? h->lease_ms : h->lease_s);
		vip_set_renew(h->set);
	}
	if (automatic)
		vip_set_up(h->set, carp_state(h->carp) == CARP_MASTER);
	engine_carry(h, now);
	engine_settle(h->iface->engine, now);
	return 0;
}
