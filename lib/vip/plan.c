/* SPDX-License-Identifier: ISC */
/* What the kernel is to be asked for, so that it has what the sets wish. */
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <errno.h>

#include "commit.h"
#include "plan.h"
#include "state.h"
#include "vmac.h"

#define ADD_MIN	  8  /* in a turn, whatever they cost */
#define REACH_MAX 10 /* seconds that a route of ours may stay */
#define ROUTE_NS  8000

/* Seconds that the kernel may keep an address: what kind of lease it is. */
static uint32_t
lifetime(const struct vip_set *s)
{
	switch ((enum vip_lease)s->cfg.lease) {
	case VIP_LEASE_ADDRESS:
		return s->cfg.lease_s;
	case VIP_LEASE_OFF:
	case VIP_LEASE_GUARD:
		break;
	}
	return UINT32_MAX;
}

/*
 * While backup, addresses wait on a virtual MAC that is down, so that a
 * takeover has only to bring it up.  Not those with a lifetime: it would run
 * out, or it would have to be given to each of them at the takeover.
 */
bool
plan_holds(const struct vip_set *s)
{
	return s->up ||
	       (s->vmac != 0 && !s->going && s->cfg.lease != VIP_LEASE_ADDRESS);
}

/* Where the set wants it: an ifindex, or 0. */
static unsigned
target(const struct vip_want *w)
{
	const struct vip_set *s = w->set;

	if (w->leaving || !plan_holds(s) ||
	    (!s->up && w->addr.family == 6 && !s->keeps6))
		return 0;
	return set_device(s);
}

static bool
has_own(const struct mon_link *l, const struct carp_addr *addr)
{
	const struct mon_addr *a = l != NULL ? l->own : NULL;

	while (a != NULL && carp_addr_cmp(&a->addr, addr) != 0)
		a = a->next;
	return a != NULL;
}

static bool
is_foreign(const struct vip_want *w)
{
	const struct vip_set *s = w->set;
	const struct mon *m = &s->v->mon;

	return has_own(mon_link(m, s->ifindex), &w->addr) ||
	       (s->vmac != 0 && has_own(mon_link(m, s->vmac), &w->addr));
}

bool
plan_is_wanted(const struct vip_want *w)
{
	return target(w) != 0 && !is_foreign(w);
}

/*
 * That of a host where the interface has a subnet for it.  Else the longest
 * that the sets which want it there were given: IPv6 knows an address once.
 */
static uint8_t
choose_prefix(const struct vip_want *w)
{
	const struct mon_link *l = mon_link(&w->set->v->mon, w->set->ifindex);
	const struct mon_addr *a = l != NULL ? l->own : NULL;
	uint8_t prefix = w->addr.prefix;

	for (; a != NULL; a = a->next)
		if (a->net.prefix < host_prefix(a->net.family) &&
		    carp_addr_in_net(&w->addr, &a->net))
			return host_prefix(w->addr.family);
	for (const struct vip_want *o = set_find(w->set->v, &w->addr);
	     o != NULL; o = o->chain)
		if (carp_addr_cmp(&o->addr, &w->addr) == 0 &&
		    target(o) == target(w) && o->addr.prefix > prefix)
			prefix = o->addr.prefix;
	return prefix;
}

/* Another set that wants, and will have, what w has now. */
static struct vip_want *
heir(const struct vip_want *w)
{
	struct vip_want *o = set_find(w->set->v, &w->addr);

	while (o != NULL && (o == w || carp_addr_cmp(&o->addr, &w->addr) != 0 ||
				target(o) != w->at || is_foreign(o) ||
				choose_prefix(o) != w->at_prefix))
		o = o->chain;
	return o;
}

/* Has another set the same address, or asks for it in this batch? */
static bool
is_shared(const struct vip_want *w, unsigned dev, uint8_t prefix)
{
	const struct vip_want *o = set_find(w->set->v, &w->addr);

	while (o != NULL && (o == w || carp_addr_cmp(&o->addr, &w->addr) != 0 ||
				!((o->at == dev && o->at_prefix == prefix) ||
				    (o->adding && target(o) == dev))))
		o = o->chain;
	return o != NULL;
}

/* Local to this machine though its link is down. */
static bool
is_astray(const struct vip_want *w)
{
	return !w->set->up && w->local && w->addr.family == 4 &&
	       w->at == w->set->vmac;
}

static void
note_op(struct vip_set *s, enum vip_op_kind kind, struct vip_want *w,
    const struct nl_ifaddr *a)
{
	struct vip *v = s->v;

	assert(v->batch.n > 0 && v->batch.n <= v->batch.max);
	v->ops[v->batch.n - 1] = (struct vip_op){
		.kind = kind,
		.set = s,
		.w = w,
		.ifindex = a != NULL ? a->ifindex : 0,
		.prefix = a != NULL ? a->prefix : 0,
	};
}

/*
 * A network address of IPv4 takes the addresses after it along when it goes,
 * unless the interface promotes them.  Left on: the lease may end after us.
 */
static void
plan_promotion(struct vip_set *s, unsigned dev)
{
	const struct vmac_setting set[] = {
		{ IPV4_DEVCONF_PROMOTE_SECONDARIES, 1 },
		{ 0, 0 },
	};

	if (s->promoted == dev)
		return;
	vmac_put_settings(&s->v->batch, dev, NULL, set);
	note_op(s, OP_SETTING, NULL, NULL);
	s->promoted = dev;
}

static uint32_t
table_of(const struct vip *v, unsigned dev)
{
	const struct mon_link *l = mon_link(&v->mon, dev);

	return l != NULL ? l->table : RT_TABLE_LOCAL;
}

/*
 * The kernel takes packets for an IPv4 address of a link that is down; with
 * the link up it makes the route anew.  The other node shall be reached, even
 * from here.  An IPv6 address has none while it is tentative.
 *
 * What comes from an address that is on any link is no good to the kernel
 * either, unless it filters by the reverse path, or it has ever been given a
 * local route: then it looks whether there is one.
 */
static void
plan_unroute(struct vip_want *w, unsigned dev)
{
	struct vip *v = w->set->v;
	const struct nl_ifaddr a = {
		.ifindex = dev,
		.addr = &w->addr,
		.table = table_of(v, dev),
	};

	nl_del_local(&v->batch, &a);
	note_op(w->set, OP_UNROUTE, w, &a);
	if (v->looks)
		return;
	v->looks = true;
	nl_add_local(&v->batch, &a);
	note_op(w->set, OP_ROUTE, w, &a);
	nl_del_local(&v->batch, &a);
	note_op(w->set, OP_UNROUTE, w, &a);
}

/*
 * The kernel makes the route of an IPv6 address to itself when a thread of its
 * own gets round to it, which may be late on a busy machine; and it takes the
 * longer to add an address the more there are.  With a route of ours, which
 * takes it some microseconds, the address answers at once.  That route ends by
 * itself, not later than the address; the kernel's stands beside it.
 */
static void
plan_reach(struct vip_want *w, unsigned dev)
{
	uint32_t valid = lifetime(w->set);
	const struct nl_ifaddr a = {
		.ifindex = dev,
		.addr = &w->addr,
		.valid = valid < REACH_MAX ? valid : REACH_MAX,
		.table = table_of(w->set->v, dev),
	};

	if (w->reaching || w->addr.family != 6)
		return;
	nl_add_local(&w->set->v->batch, &a);
	note_op(w->set, OP_REACH, w, &a);
	w->reaching = true;
}

/* It has one, and the address is not to be there. */
static bool
reaches_vainly(const struct vip_want *w)
{
	return w->reach != 0 &&
	       (w->error != 0 || target(w) != w->reach || is_foreign(w));
}

static void
plan_unreach(struct vip_want *w)
{
	const struct nl_ifaddr a = {
		.ifindex = w->reach,
		.addr = &w->addr,
		.table = table_of(w->set->v, w->reach),
	};

	nl_del_local(&w->set->v->batch, &a);
	note_op(w->set, OP_UNREACH, w, &a);
}

static void
plan_add(struct vip_want *w, unsigned dev, uint8_t prefix, bool renew)
{
	struct vip *v = w->set->v;
	bool exists = renew || is_shared(w, dev, prefix);
	const struct nl_ifaddr a = {
		.ifindex = dev,
		.addr = &w->addr,
		.prefix = prefix,
		.flags = exists ? NLM_F_REPLACE : NLM_F_EXCL,
		.valid = lifetime(w->set),
		.tentative = !w->set->up,
	};

	if (w->addr.family == 4 && prefix < 32)
		plan_promotion(w->set, dev);
	if (w->set->up && !exists)
		plan_reach(w, dev);
	nl_add_addr(&v->batch, &a);
	note_op(w->set, exists ? OP_RENEW : OP_ADD, w, &a);
	w->adding = true;
	w->given = v->now;
	w->seq = nl_seq(&v->nl, v->batch.n - 1);
	if (!w->set->up && w->addr.family == 4)
		plan_unroute(w, dev);
}

static void
plan_del(struct vip_want *w)
{
	const struct nl_ifaddr a = {
		.ifindex = w->at,
		.addr = &w->addr,
		.prefix = w->at_prefix,
	};
	struct vip_want *o = heir(w);

	if (o != NULL) {
		if (o->at == 0) {
			o->at = w->at;
			o->at_prefix = w->at_prefix;
			o->local = w->local;
		}
		w->at = 0;
		/* the lease is that of the heir from now on */
		plan_add(o, o->at, o->at_prefix, true);
		return;
	}
	nl_del_addr(&w->set->v->batch, &a);
	note_op(w->set, OP_DEL, w, &a);
}

void
plan_refused(struct vip_want *w, int error, uint64_t now)
{
	/* of an interface that has just vanished, its link event tells */
	if (w->error != error && error != -ENODEV)
		set_tell(w, VIP_FAILED);
	w->error = error;
	w->fresh = false;
	w->set->retry = now + VIP_RETRY;
}

/*
 * In the kernel's list of addresses.  The advertisement of a takeover asks for
 * it as well, but the lease has just begun.
 */
static bool
must_renew(const struct vip_want *w)
{
	const struct vip_set *s = w->set;

	return s->other || (s->renew && s->cfg.lease != VIP_LEASE_GUARD &&
			       w->given != s->v->now);
}

/* Where it goes now, if somebody else's is not there; or 0. */
static unsigned
destination(struct vip_want *w)
{
	unsigned dev = target(w);
	bool foreign = dev != 0 && is_foreign(w);

	if (foreign && !w->foreign && w->set->up)
		set_tell(w, VIP_FOREIGN);
	w->foreign = foreign;
	return foreign ? 0 : dev;
}

static bool
waits_for_retry(const struct vip_want *w, uint64_t now)
{
	return w->error != 0 && w->set->retry != CARP_NEVER &&
	       now < w->set->retry;
}

static bool
is_guarded(const struct vip_want *w)
{
	return w->set->cfg.lease != VIP_LEASE_GUARD ||
	       guard_has(w->set->v, &w->addr);
}

/* Of an address that is there: it stays, goes, or moves. */
static void
plan_change(struct vip_want *w, uint64_t now)
{
	unsigned dev = destination(w);
	uint8_t prefix = dev != 0 ? choose_prefix(w) : 0;

	if (dev != 0 && !is_guarded(w)) {
		plan_refused(w, w->set->v->guard_error, now);
		return;
	}
	if (w->at == dev && w->at_prefix == prefix) {
		if (must_renew(w))
			plan_add(w, dev, prefix, true);
		else if (is_astray(w))
			plan_unroute(w, dev);
		return;
	}
	/*
	 * IPv6 cannot have an address with two prefix lengths at once.  With
	 * IPv4 there is no moment without it.
	 */
	if (w->at == dev && w->addr.family == 4) {
		plan_add(w, dev, prefix, false);
		plan_del(w);
	} else {
		plan_del(w);
		if (dev != 0)
			plan_add(w, dev, prefix, false);
	}
}

/* Two sets can have the same link while one replaces the other. */
static bool
wants_link_up(const struct vip_set *s)
{
	const struct vip_set *o;

	TAILQ_FOREACH(o, &s->v->all, all)
	if (o->vmac == s->vmac && o->up)
		return true;
	return false;
}

bool
plan_parts(const struct vip_set *s)
{
	const struct mon_link *l =
	    s->vmac != 0 ? mon_link(&s->v->mon, s->vmac) : NULL;

	return l != NULL && (l->flags & IFF_UP) && !wants_link_up(s);
}

/* The macvlan is up first, and down first. */
static void
plan_link(struct vip_set *s)
{
	const struct mon_link *l =
	    s->vmac != 0 ? mon_link(&s->v->mon, s->vmac) : NULL;
	bool up;

	if (l == NULL || (up = wants_link_up(s)) == !!(l->flags & IFF_UP))
		return;
	vmac_put_state(&s->v->batch, s->vmac, up);
	note_op(s, OP_STATE, NULL,
	    &(struct nl_ifaddr){ .ifindex = s->vmac, .prefix = up });
	for (size_t i = 0; i < s->nwants; i++) {
		s->wants[i].local = s->wants[i].at == s->vmac;
		if (up && s->wants[i].at == s->vmac)
			plan_reach(&s->wants[i], s->vmac);
	}
}

void
plan_changes(struct vip_set *s, uint64_t now)
{
	if (s->part != CARP_NEVER && now < s->part && !s->going) {
		s->planned = s->nwants;
		return;
	}
	s->part = CARP_NEVER;
	s->planned = 0;
	plan_link(s);
	if (s->going && s->vmac != 0 && !vmac_is_shared(s))
		return; /* they go with the link */
	for (size_t i = 0; i < s->nwants; i++) {
		if (s->wants[i].at != 0)
			plan_change(&s->wants[i], now);
		if (reaches_vainly(&s->wants[i]))
			plan_unreach(&s->wants[i]);
	}
}

bool
plan_is_full(const struct plan_turn *t)
{
	return t->n >= t->most || (t->n >= ADD_MIN && t->share >= PLAN_FULL);
}

static void
count(struct plan_turn *t, uint8_t family)
{
	unsigned f = family == 6;

	t->n++;
	t->time += t->cost[f];
	t->share += t->cost[f] * PLAN_FULL / t->limit[f];
}

/* Where a missing address goes now; 0: it has to wait. */
static unsigned
destination_now(struct vip_want *w, uint64_t now)
{
	unsigned dev = destination(w);

	if (dev == 0 || waits_for_retry(w, now))
		return 0;
	if (is_guarded(w))
		return dev;
	plan_refused(w, w->set->v->guard_error, now);
	return 0;
}

/* As long as the address is not there, its route has to be renewed as well. */
void
plan_routes(struct vip_set *s, struct plan_turn *t, uint64_t now)
{
	for (size_t i = 0; s->up && i < s->nwants; i++) {
		struct vip_want *w = &s->wants[i];
		unsigned dev;

		if (t->share >= PLAN_FULL)
			return;
		if (w->addr.family != 6 || w->at != 0 || w->adding ||
		    (w->reach != 0 && !s->renew) ||
		    (dev = destination_now(w, now)) == 0)
			continue;
		plan_reach(w, dev);
		t->ahead += ROUTE_NS;
		t->share += ROUTE_NS * PLAN_FULL / t->limit[1];
	}
}

bool
plan_news(struct vip_set *s, struct plan_turn *t, uint64_t now)
{
	for (; s->planned < s->nwants && !plan_is_full(t); s->planned++) {
		struct vip_want *w = &s->wants[s->planned];
		unsigned dev;

		if (w->at != 0 || w->adding ||
		    (dev = destination_now(w, now)) == 0)
			continue;
		plan_add(w, dev, choose_prefix(w), false);
		count(t, w->addr.family);
	}
	return s->planned < s->nwants;
}
