/* SPDX-License-Identifier: ISC */
/*
 * The configuration of a virtual host: checked, completed, and copied.
 */
#include <sys/random.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine.h"

#define LEASE_MIN    2	   /* seconds; IPv6 has kept 1 for too long */
#define GUARD_MARGIN 100   /* ms, before a peer takes over */
#define MANY	     65535 /* addresses of a list */

/* Grows by new members at the end, and zero is the old behaviour. */
#define FIRST_SIZE   sizeof(struct carp_host_config)
_Static_assert(sizeof(struct carp_host_config) ==
		   4 + 4 + VIP_IFNAMSIZ + sizeof(struct carp_config) +
		       3 * sizeof(void *) + 3 * sizeof(size_t),
    "no padding");

static bool
list_is_good(const struct carp_addr *a, size_t n)
{
	if ((a == NULL && n > 0) || n > MANY)
		return false;
	for (size_t k = 0; k < n; k++)
		if ((a[k].family != 4 && a[k].family != 6) ||
		    a[k].prefix > (a[k].family == 4 ? 32 : 128))
			return false;
	return true;
}

/* Neither unspecified nor of a group. */
static bool
is_unicast(const struct carp_addr *a, size_t n)
{
	static const uint8_t zero[16];

	for (size_t k = 0; k < n; k++) {
		bool v4 = a[k].family == 4;

		if (v4 ? a[k].ip[0] >= 0xe0 : a[k].ip[0] == 0xff)
			return false;
		if (memcmp(a[k].ip, zero, v4 ? 4 : 16) == 0)
			return false;
	}
	return true;
}

static bool
is_good(const struct carp_host_config *c)
{
	size_t len = strnlen(c->ifname, sizeof(c->ifname));

	return len > 0 && len < sizeof(c->ifname) && c->vmac <= 1 &&
	       c->manual <= 1 && c->lease <= VIP_LEASE_GUARD &&
	       c->standby <= 1 && c->carp.size == sizeof(c->carp) &&
	       list_is_good(c->addrs, c->naddrs) &&
	       list_is_good(c->digest, c->ndigest) &&
	       list_is_good(c->peers, c->npeers) &&
	       is_unicast(c->addrs, c->naddrs) &&
	       is_unicast(c->peers, c->npeers);
}

static int
draw(uint64_t *ret)
{
	while (*ret == 0)
		if (getrandom(ret, sizeof(*ret), 0) != sizeof(*ret))
			return -errno;
	return 0;
}

/* The kernel may end a lease two ticks of its clock before its time. */
static bool
guard_lasts(const struct carp_host_config *c)
{
	uint64_t interval = carp_interval(c->carp.advbase, c->carp.advskew);
	struct timespec tick = { .tv_nsec = 10000000 };

	(void)clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	return c->lease != VIP_LEASE_GUARD || c->carp.advbase > 0 ||
	       interval * 3 / 2 >= 2 * (uint64_t)tick.tv_nsec;
}

int
host_config_read(
    struct carp_host_config *ret, const struct carp_host_config *cfg)
{
	int rc;

	if (cfg == NULL || cfg->size < FIRST_SIZE)
		return -EINVAL;
	for (size_t n = sizeof(*ret); n < cfg->size; n++)
		if (((const uint8_t *)cfg)[n] != 0)
			return -E2BIG;
	*ret = *cfg;
	ret->size = sizeof(*ret);
	if (!is_good(ret))
		return -EINVAL;
	if (!guard_lasts(ret))
		return -ERANGE;
	if (ret->ndigest == 0)
		ret->digest = NULL;
	if ((rc = draw(&ret->carp.counter)) != 0)
		return rc;
	return draw(&ret->carp.seed);
}

/* The kernel ends it no later than a peer may take over. */
static uint32_t
lease_seconds(uint8_t advbase)
{
	uint32_t s = 3u * advbase;

	return s > LEASE_MIN ? s - 1 : LEASE_MIN;
}

/*
 * Shorter than the three intervals for which a peer waits: with an advbase of
 * 0 it knows the interval, else only the advbase is sure.
 */
uint32_t
host_config_guard_ms(uint8_t advbase, uint64_t interval)
{
	if (advbase > 0)
		return 3000u * advbase - GUARD_MARGIN;
	return (uint32_t)(interval * 5 / 2 / (CARP_SEC / 1000));
}

int
host_config_copy(struct carp_host *ret, const struct carp_host_config *cfg)
{
	size_t nown = cfg->digest != NULL ? cfg->ndigest : 0;
	struct carp_addr *a;

	a = calloc(cfg->naddrs + nown + cfg->npeers + 1, sizeof(*a));
	if (a == NULL)
		return -ENOMEM;
	ret->list = a;
	ret->naddrs = cfg->naddrs;
	ret->npeers = cfg->npeers;
	ret->shared = cfg->digest == NULL;
	ret->ndigest = ret->shared ? cfg->naddrs : nown;
	if (cfg->naddrs > 0)
		memcpy(a, cfg->addrs, cfg->naddrs * sizeof(*a));
	if (nown > 0)
		memcpy(a + cfg->naddrs, cfg->digest, nown * sizeof(*a));
	if (cfg->npeers > 0)
		memcpy(a + cfg->naddrs + nown, cfg->peers,
		    cfg->npeers * sizeof(*a));
	ret->vhid = cfg->carp.vhid;
	ret->vmac = cfg->vmac;
	ret->lease = cfg->lease;
	ret->lease_s = lease_seconds(cfg->carp.advbase);
	ret->lease_ms = host_config_guard_ms(cfg->carp.advbase,
	    carp_interval(cfg->carp.advbase, cfg->carp.advskew));
	ret->manual = cfg->manual;
	ret->standby = cfg->standby;
	memcpy(ret->key, cfg->carp.key, sizeof(ret->key));
	memcpy(ret->lladdr, cfg->carp.lladdr, sizeof(ret->lladdr));
	return 0;
}

const struct carp_addr *
host_config_digest(const struct carp_host *h)
{
	return h->shared ? h->list : h->list + h->naddrs;
}

const struct carp_addr *
host_config_peers(const struct carp_host *h)
{
	return h->list + h->naddrs + (h->shared ? 0 : h->ndigest);
}

void
host_config_vip(struct vip_set_config *ret, const struct carp_host_config *cfg)
{
	*ret = (struct vip_set_config){ .size = sizeof(*ret),
		.vhid = cfg->carp.vhid,
		.vmac = cfg->vmac,
		.lease = cfg->lease,
		.lease_s = lease_seconds(cfg->carp.advbase),
		.lease_ms = host_config_guard_ms(cfg->carp.advbase,
		    carp_interval(cfg->carp.advbase, cfg->carp.advskew)) };
	memcpy(ret->ifname, cfg->ifname, sizeof(ret->ifname));
}
