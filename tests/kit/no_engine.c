/* SPDX-License-Identifier: ISC */
/*
 * Functions of libcarp's engine and of the instance that objects of the daemon
 * name, for tests that have neither: nothing here needs what they answer.
 */
#include <stddef.h>

#include "instance.h"

struct carp_engine *
instance_engine(struct instance *in)
{
	(void)in;
	return NULL;
}

void
instance_breathe(struct instance *in)
{
	(void)in;
}

int
vip_link_get(const struct vip *v, const char *ifname, struct vip_link *ret)
{
	(void)v, (void)ifname, (void)ret;
	return -1;
}

struct vip *
carp_engine_vip(struct carp_engine *e)
{
	(void)e;
	return NULL;
}

int
carp_engine_link_stats(
    const struct carp_engine *e, const char *ifname, struct carp_stats *ret)
{
	(void)e, (void)ifname, (void)ret;
	return -1;
}

size_t
carp_host_peers(const struct carp_host *h, struct carp_peer *ret, size_t n)
{
	(void)h, (void)ret, (void)n;
	return 0;
}

const struct carp_demotion *
carp_host_demotion(const struct carp_host *h)
{
	(void)h;
	return NULL;
}

const char *
carp_condition_name(enum carp_condition c)
{
	(void)c;
	return "";
}
