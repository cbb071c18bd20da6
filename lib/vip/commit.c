/* SPDX-License-Identifier: ISC */
/* Wishes carried out: the kernel compared with them, and changed. */
#include <linux/ip.h>
#include <net/if.h>

#include <errno.h>
#include <stdlib.h>

#include "commit.h"
#include "state.h"
#include "vmac.h"

#define ROUNDS 3 /* what was not known is asked once */

int
commit_reserve(struct vip *v, unsigned n)
{
	struct vip_op *ops;
	int rc;

	if (n <= v->batch.max)
		return 0;
	if ((ops = realloc(v->ops, n * sizeof(*ops))) == NULL)
		return -ENOMEM;
	v->ops = ops;
	if ((rc = nl_reserve(&v->batch, n)) < 0)
		return rc;
	return 0;
}

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

/* Where the set wants it: an ifindex, or 0. */
static unsigned
target(const struct vip_want *w)
{
	return w->set->up && !w->leaving ? set_device(w->set) : 0;
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
commit_is_wanted(const struct vip_want *w)
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
	};

	if (w->addr.family == 4 && prefix < 32)
		plan_promotion(w->set, dev);
	nl_add_addr(&v->batch, &a);
	note_op(w->set, exists ? OP_RENEW : OP_ADD, w, &a);
	w->adding = true;
	w->seq = nl_seq(&v->nl, v->batch.n - 1);
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
		}
		w->at = 0;
		/* the lease is that of the heir from now on */
		plan_add(o, o->at, o->at_prefix, true);
		return;
	}
	nl_del_addr(&w->set->v->batch, &a);
	note_op(w->set, OP_DEL, w, &a);
}

static void
refuse(struct vip_want *w, int error, uint64_t now)
{
	/* of an interface that has just vanished, its link event tells */
	if (w->error != error && error != -ENODEV)
		set_tell(w, VIP_FAILED);
	w->error = error;
	w->fresh = false;
	w->set->retry = now + VIP_RETRY;
}

/* In the kernel's list of addresses. */
static bool
must_renew(const struct vip_set *s)
{
	return s->other || (s->renew && s->cfg.lease != VIP_LEASE_GUARD);
}

static void
plan_want(struct vip_want *w, uint64_t now)
{
	unsigned dev = target(w);
	bool foreign = dev != 0 && is_foreign(w), moved;
	uint8_t prefix;

	if (foreign && !w->foreign)
		set_tell(w, VIP_FOREIGN);
	w->foreign = foreign;
	if (foreign)
		dev = 0;
	if (w->error != 0 && w->at == 0 && w->set->retry != CARP_NEVER &&
	    now < w->set->retry)
		return;
	if (dev != 0 && w->set->cfg.lease == VIP_LEASE_GUARD &&
	    !guard_has(w->set->v, &w->addr)) {
		refuse(w, w->set->v->guard_error, now);
		return;
	}
	prefix = dev != 0 ? choose_prefix(w) : 0;
	moved = w->at != 0 && (w->at != dev || w->at_prefix != prefix);
	if (!moved) {
		if (dev != 0 && (w->at == 0 || must_renew(w->set)))
			plan_add(w, dev, prefix, w->at != 0);
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

/* The macvlan is up first, and down first. */
static void
plan_set(struct vip_set *s, uint64_t now)
{
	const struct mon_link *l =
	    s->vmac != 0 ? mon_link(&s->v->mon, s->vmac) : NULL;

	if (l != NULL && s->up != !!(l->flags & IFF_UP)) {
		vmac_put_state(&s->v->batch, s->vmac, s->up);
		note_op(s, OP_STATE, NULL, NULL);
	}
	for (size_t i = 0; i < s->nwants; i++)
		plan_want(&s->wants[i], now);
}

static void
installed(struct vip_want *w, const struct vip_op *op)
{
	if (w->at == 0 && !w->fresh)
		w->announce = true;
	w->at = op->ifindex;
	w->at_prefix = op->prefix;
	w->error = 0;
	w->fresh = false;
}

static bool
is_gone(int rc)
{
	return rc == 0 || rc == -EADDRNOTAVAIL || rc == -ENOENT ||
	       rc == -ENODEV;
}

static int
settle_link(const struct vip_op *op, int rc, uint64_t now)
{
	struct vip_set *s = op->set;
	struct mon_link *l = mon_link(&s->v->mon, s->vmac);

	if (rc != 0) {
		s->promoted = 0;
		s->retry = now + VIP_RETRY;
	} else if (op->kind == OP_STATE && l != NULL) {
		/* its notification comes later */
		l->flags &= ~(unsigned)IFF_UP;
		l->flags |= s->up ? IFF_UP : 0;
	}
	return rc == -ENODEV ? 0 : rc;
}

/* Returns the error that the caller of vip_commit() is to know. */
static int
settle(const struct vip_op *op, int rc, uint64_t now, bool *again)
{
	struct vip_want *w = op->w;

	switch (op->kind) {
	case OP_STATE:
	case OP_SETTING:
		return settle_link(op, rc, now);
	case OP_DEL:
		if (!is_gone(rc)) {
			refuse(w, rc, now);
			return rc;
		}
		if (w->at == op->ifindex && w->at_prefix == op->prefix)
			w->at = 0;
		return 0;
	case OP_ADD:
	case OP_RENEW:
		w->adding = false;
		if (rc == 0) {
			installed(w, op);
			return 0;
		}
		if (rc == -EEXIST) {
			*again = true;
			return 0;
		}
		refuse(w, rc, now);
		return rc == -ENODEV ? 0 : rc;
	}
	return 0;
}

/* Links for virtual MACs whose interface has come, or come back. */
static int
make_links(struct vip *v, uint64_t now)
{
	struct vip_set *s;
	int first = 0, rc;

	TAILQ_FOREACH(s, &v->todo, todo)
	{
		if (!s->cfg.vmac || s->vmac != 0 || s->ifindex == 0 ||
		    (s->retry != CARP_NEVER && now < s->retry))
			continue;
		if ((rc = vmac_make(s)) == 0)
			continue;
		first = first != 0 ? first : rc;
		for (size_t i = 0; i < s->nwants; i++)
			refuse(&s->wants[i], rc, now);
	}
	return first;
}

static int
reconcile(struct vip *v, uint64_t now)
{
	int first = make_links(v, now), rc;
	bool again = true;

	for (int round = 0; again && round < ROUNDS; round++) {
		struct vip_set *s;

		again = false;
		nl_reset(&v->batch);
		TAILQ_FOREACH(s, &v->todo, todo)
		plan_set(s, now);
		if (v->batch.n == 0)
			break;
		rc = nl_commit(&v->nl, &v->batch);
		first = first != 0 ? first : rc;
		for (unsigned i = 0; i < v->batch.n; i++) {
			rc = settle(&v->ops[i], v->batch.rc[i], now, &again);
			first = first != 0 ? first : rc;
		}
		/* Somebody's address, or one left behind: see which. */
		if (again && (rc = mon_reread(v)) < 0)
			return first != 0 ? first : rc;
	}
	nl_reset(&v->batch);
	return first;
}

/* Forgets what has left. */
static void
compact(struct vip_set *s)
{
	for (size_t i = 0; i < s->nwants;) {
		if (s->wants[i].leaving && s->wants[i].at == 0 &&
		    !s->wants[i].guarded)
			set_remove(s, i);
		else
			i++;
	}
}

/* Sets that wait are found again by their deadline. */
static void
finish(struct vip *v, uint64_t now)
{
	struct vip_set *s;

	heard_taken(v);
	while ((s = TAILQ_FIRST(&v->todo)) != NULL) {
		TAILQ_REMOVE(&v->todo, s, todo);
		s->queued = false;
		s->renew = false;
		s->other = false;
		if (s->retry <= now)
			s->retry = CARP_NEVER;
		if (s->resend <= now)
			s->resend = CARP_NEVER;
		compact(s);
		v->retry = s->retry < v->retry ? s->retry : v->retry;
		v->retry = s->resend < v->retry ? s->resend : v->retry;
	}
}

static void
queue_due(struct vip *v, uint64_t now)
{
	struct vip_set *s;

	v->retry = CARP_NEVER;
	TAILQ_FOREACH(s, &v->all, all)
	{
		if (s->retry <= now || s->resend <= now) {
			set_queue(s);
			continue;
		}
		v->retry = s->retry < v->retry ? s->retry : v->retry;
		v->retry = s->resend < v->retry ? s->resend : v->retry;
	}
}

int
vip_commit(struct vip *v, uint64_t now)
{
	int rc;

	if (v == NULL)
		return -EINVAL;
	if (now >= v->retry)
		queue_due(v, now);
	if (TAILQ_EMPTY(&v->todo))
		return 0;
	v->guard_error = guard_before(v);
	rc = reconcile(v, now);
	guard_after(v);
	announce_all(v, now);
	finish(v, now);
	return rc != 0 ? rc : v->guard_error;
}

void
commit_set(struct vip_set *s)
{
	struct vip *v = s->v;

	nl_reset(&v->batch);
	plan_set(s, CARP_NEVER - 1);
	if (v->batch.n > 0)
		(void)nl_commit(&v->nl, &v->batch); /* the lease, else */
	nl_reset(&v->batch);
	guard_forget(s);
}
