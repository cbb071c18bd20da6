/* SPDX-License-Identifier: ISC */
/* The object: its life, its events, and what is asked of links. */
#include <net/if.h>
#include <net/if_arp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commit.h"
#include "guard.h"
#include "state.h"

#define REREAD	    (CARP_SEC / 10) /* after a failure */
#define MIN_BATCH   64		    /* requests: without any set */
#define DRAIN_MAX   100		    /* losses in a row */
/* Of an address, before it is known, in ns. */
#define FIRST_COST4 (CARP_SEC / 30000)
#define FIRST_COST6 (CARP_SEC / 5000)

int
vip_new(struct vip **ret)
{
	struct vip *v;
	int rc;

	if (ret == NULL)
		return -EINVAL;
	if ((v = calloc(1, sizeof(*v))) == NULL)
		return -ENOMEM;
	TAILQ_INIT(&v->all);
	TAILQ_INIT(&v->todo);
	TAILQ_INIT(&v->telling);
	v->ann.fd = -1;
	v->retry = CARP_NEVER;
	v->reread = CARP_NEVER;
	v->cost[0] = FIRST_COST4;
	v->cost[1] = FIRST_COST6;
	if ((rc = nl_open(&v->nl, NETLINK_ROUTE)) < 0 ||
	    (rc = commit_reserve(v, MIN_BATCH)) < 0 || (rc = mon_open(v)) < 0)
		goto fail;
	v->nlinks = 0; /* whoever asks now sees them all */
	*ret = v;
	return 0;
fail:
	vip_free(v);
	return rc;
}

void
vip_free(struct vip *v)
{
	struct vip_set *s;

	if (v == NULL)
		return;
	TAILQ_FOREACH(s, &v->all, all)
	{
		vip_set_up(s, false);
		set_queue(s);
		s->going = true;
	}
	if (!TAILQ_EMPTY(&v->all))
		(void)vip_commit(v, 0); /* all in one batch */
	while ((s = TAILQ_FIRST(&v->all)) != NULL)
		vip_set_free(s);
	guard_close(v);
	mon_close(v);
	announce_close(&v->ann);
	nl_release(&v->batch);
	nl_shut(&v->nl);
	free(v->ops);
	free(v->buckets);
	free(v->links);
	free(v);
}

int
vip_fd(const struct vip *v)
{
	return v != NULL ? mon_fd(&v->mon) : -EINVAL;
}

uint64_t
vip_deadline(const struct vip *v)
{
	return v->retry < v->reread ? v->retry : v->reread;
}

int
vip_process(struct vip *v, uint64_t now)
{
	bool stale;
	int rc;

	if (v == NULL)
		return -EINVAL;
	stale = now >= v->reread;
	/* What is older than the loss must not be read after the dump. */
	for (int i = 0; (rc = mon_read(v)) == -ENOBUFS && i < DRAIN_MAX; i++)
		stale = true;
	if (stale) {
		v->overrun = true;
		v->reread = CARP_NEVER;
		if ((rc = mon_reread(v)) < 0)
			v->reread = now + REREAD;
	}
	heard_taken(v);
	return rc;
}

/* The next event of one set; false: it has none left. */
static bool
next_of_set(struct vip_set *s, struct vip_event *ret)
{
	for (size_t i = 0; i < s->nwants; i++) {
		struct vip_want *w = &s->wants[i];

		for (int what = VIP_TAKEN; what <= VIP_FAILED; what++) {
			if (!(w->events & 1U << what))
				continue;
			w->events &= (uint8_t) ~(1U << what);
			ret->what = (enum vip_what)what;
			ret->set = s;
			ret->addr = w->addr;
			ret->error = what == VIP_FAILED ? w->error : 0;
			memcpy(ret->ifname, s->cfg.ifname, VIP_IFNAMSIZ);
			return true;
		}
	}
	return false;
}

bool
vip_next(struct vip *v, struct vip_event *ret)
{
	struct vip_set *s;

	memset(ret, 0, sizeof(*ret));
	if (v->overrun) {
		v->overrun = false;
		ret->what = VIP_OVERRUN;
		return true;
	}
	if (v->nlinks > 0) {
		ret->what = VIP_LINK;
		memcpy(ret->ifname, v->links[--v->nlinks], VIP_IFNAMSIZ);
		return true;
	}
	while ((s = TAILQ_FIRST(&v->telling)) != NULL) {
		if (next_of_set(s, ret))
			return true;
		TAILQ_REMOVE(&v->telling, s, telling);
		s->tells = false;
	}
	return false;
}

int
vip_link_get(const struct vip *v, const char *name, struct vip_link *ret)
{
	const struct mon_addr *src4, *src6;
	const struct mon_link *l;

	if (v == NULL || name == NULL || ret == NULL)
		return -EINVAL;
	if ((l = mon_link_named(&v->mon, name)) == NULL)
		return -ENODEV;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->name, l->name, sizeof(ret->name));
	memcpy(ret->mac, l->mac, sizeof(ret->mac));
	ret->ifindex = l->ifindex;
	ret->up = mon_is_up(l);
	memcpy(ret->alias, l->alias, sizeof(ret->alias) - 1);
	ret->ethernet = l->type == ARPHRD_ETHER;
	ret->vmac = ret->ethernet && !l->no_vmac;
	ret->router = l->forwarding;
	if ((src4 = mon_source(l, 4)) != NULL)
		ret->src4 = src4->addr;
	if ((src6 = mon_source(l, 6)) != NULL)
		ret->src6 = src6->addr;
	return 0;
}

int
vip_link_addrs(
    const struct vip *v, const char *name, struct carp_addr *ret, size_t max)
{
	const struct mon_link *l;
	int n = 0;

	if (v == NULL || name == NULL || (ret == NULL && max > 0))
		return -EINVAL;
	if ((l = mon_link_named(&v->mon, name)) == NULL)
		return -ENODEV;
	for (const struct mon_addr *a = l->own; a != NULL; a = a->next, n++)
		if ((size_t)n < max)
			ret[n] = a->addr;
	return n;
}

bool
vip_addr_owner(
    const struct vip *v, const struct carp_addr *addr, char ret[VIP_IFNAMSIZ])
{
	const struct mon_link *l = NULL;

	while ((l = mon_each(&v->mon, l)) != NULL)
		for (const struct mon_addr *a = l->own; a != NULL; a = a->next)
			if (carp_addr_cmp(&a->addr, addr) == 0) {
				memcpy(ret, l->name, VIP_IFNAMSIZ);
				return true;
			}
	return false;
}
