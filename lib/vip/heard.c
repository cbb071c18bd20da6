/* SPDX-License-Identifier: ISC */
/* What the kernel's notifications mean for the sets. */
#include <net/if.h>

#include <stdlib.h>
#include <string.h>

#include "plan.h"
#include "state.h"
#include "vmac.h"

/* VIP_LINK is to be told, once for all that has changed. */
static void
tell_link(struct vip *v, const char *name)
{
	size_t max = v->maxlinks > 0 ? 2 * v->maxlinks : 64;
	char(*links)[VIP_IFNAMSIZ];

	for (size_t i = v->nlinks; i-- > 0;)
		if (strcmp(v->links[i], name) == 0)
			return;
	if (v->nlinks == v->maxlinks) {
		if ((links = realloc(v->links, max * sizeof(*links))) == NULL) {
			v->overrun = true; /* says: look at all of them */
			return;
		}
		v->links = links;
		v->maxlinks = max;
	}
	memcpy(v->links[v->nlinks++], name, VIP_IFNAMSIZ);
}

void
heard_locate(struct vip_set *s, const struct mon_link *l)
{
	bool up = mon_is_up(l);

	if (s->ifindex != l->ifindex) {
		s->ifindex = l->ifindex;
		s->promoted = 0;
		set_forgive(s);
	}
	if (up && !s->link_up && s->up)
		vip_set_announce(s); /* the neighbours may be others */
	s->link_up = up;
	set_queue(s);
}

/* The kernel has dropped everything that was there. */
static void
forget_at(struct vip_set *s, unsigned ifindex)
{
	for (size_t i = 0; i < s->nwants; i++)
		if (s->wants[i].at == ifindex) {
			s->wants[i].at = 0;
			s->wants[i].taken = true;
		}
}

static void
lost(struct vip_set *s, const struct mon_link *l, bool exists)
{
	if (!exists)
		forget_at(s, l->ifindex);
	if (s->vmac == l->ifindex && !exists)
		s->vmac = 0;
	if (s->ifindex == l->ifindex) {
		vmac_forget(s);
		s->ifindex = 0;
		s->vmac = 0;
		s->link_up = false;
	}
	set_queue(s);
}

/* gone: it does not exist any more, or not by this name. */
void
heard_link(struct vip *v, const struct mon_link *l, bool gone)
{
	bool exists = mon_link(&v->mon, l->ifindex) != NULL;
	struct vip_set *s;

	tell_link(v, l->name);
	TAILQ_FOREACH(s, &v->all, all)
	{
		bool concerned =
		    s->ifindex == l->ifindex || s->vmac == l->ifindex;

		if (gone && concerned)
			lost(s, l, exists);
		else if (!gone && strcmp(s->cfg.ifname, l->name) == 0)
			heard_locate(s, l);
		else if (concerned)
			set_queue(s);
	}
}

/* The interface's own addresses have changed: subnets, foreign ones. */
void
heard_own(struct vip *v, unsigned ifindex)
{
	const struct mon_link *l = mon_link(&v->mon, ifindex);
	struct vip_set *s;

	if (l != NULL)
		tell_link(v, l->name);
	TAILQ_FOREACH(s, &v->all, all)
	if (s->ifindex == ifindex || s->vmac == ifindex)
		set_queue(s);
}

static bool
same(const struct vip_want *w, const struct mon_addr_msg *a)
{
	return carp_addr_cmp(&w->addr, &a->addr) == 0 && w->at == a->ifindex &&
	       w->at_prefix == a->addr.prefix;
}

/* Found in a dump, by us: it was left behind, or is the other set's. */
static void
adopt(struct vip_want *w, const struct mon_addr_msg *a)
{
	struct vip_set *s = w->set;

	if (carp_addr_cmp(&w->addr, &a->addr) != 0 || w->at != 0 ||
	    !plan_holds(s) || w->leaving || set_device(s) != a->ifindex)
		return;
	w->at = a->ifindex;
	w->at_prefix = a->addr.prefix;
	w->local = true;
	w->seen = true;
	w->announce = w->announce || !w->fresh;
	vip_set_renew(s);
}

void
heard_new(struct vip *v, const struct mon_addr_msg *a)
{
	struct vip_want *w = set_find(v, &a->addr);

	for (; w != NULL; w = w->chain) {
		if (!same(w, a)) {
			if (a->tagged && v->mon.rereading)
				adopt(w, a);
			continue;
		}
		w->seen = true;
		if (!a->tagged) {
			w->at = 0; /* somebody has made it his own */
			set_queue(w->set);
		}
	}
}

void
heard_del(struct vip *v, const struct mon_addr_msg *a)
{
	struct vip_want *w = set_find(v, &a->addr);

	for (; w != NULL; w = w->chain) {
		/* by ourselves, before we asked for it again */
		if (a->portid == v->nl.portid && (int32_t)(a->seq - w->seq) < 0)
			continue;
		if (same(w, a))
			set_taken(w);
	}
}

/*
 * Tells of what was taken while its interface stayed.  An interface that goes
 * down or away takes addresses along: that is no deed of somebody.
 */
void
heard_taken(struct vip *v)
{
	struct vip_set *s;

	TAILQ_FOREACH(s, &v->todo, todo)
	{
		const struct mon_link *l = mon_link(&v->mon, s->ifindex);
		bool there = s->up && l != NULL && (l->flags & IFF_UP);

		for (size_t i = 0; i < s->nwants; i++) {
			struct vip_want *w = &s->wants[i];

			if (!w->taken)
				continue;
			w->taken = false;
			w->fresh = false;
			if (there && !w->leaving) {
				s->repaired++;
				set_tell(w, VIP_TAKEN);
			}
		}
	}
}
