/* SPDX-License-Identifier: ISC */
/* Wishes carried out: the kernel compared with them, and changed. */
#include <net/if.h>

#include <errno.h>
#include <stdlib.h>

#include "commit.h"
#include "plan.h"
#include "state.h"
#include "vmac.h"

#define ROUNDS	   3 /* what was not known is asked once */

/* What additions shall take in one turn, in ns. */
#define FIRST_TURN (2 * CARP_SEC / 1000)
#define NEXT_TURN4 (100 * CARP_SEC / 1000)
#define NEXT_TURN6 (10 * CARP_SEC / 1000)
#define SAMPLE	   16		    /* of fewer one learns nothing */
#define COST_MAX   (CARP_SEC / 100) /* that an address is thought to have */

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

static void
installed(struct vip_want *w, const struct vip_op *op)
{
	if (w->at == 0 && !w->fresh)
		w->announce = true;
	w->at = op->ifindex;
	w->at_prefix = op->prefix;
	w->error = 0;
	w->fresh = false;
	w->local = true;
}

static bool
is_gone(int rc)
{
	return rc == 0 || rc == -EADDRNOTAVAIL || rc == -ENOENT ||
	       rc == -ENODEV || rc == -ESRCH;
}

static int
settle_link(const struct vip_op *op, int rc, uint64_t now)
{
	struct vip_set *s = op->set;
	struct mon_link *l = mon_link(&s->v->mon, op->ifindex);

	if (rc != 0) {
		s->promoted = 0;
		s->retry = now + VIP_RETRY;
	} else if (op->kind == OP_STATE && l != NULL) {
		/* its notification comes later */
		l->flags &= ~(unsigned)IFF_UP;
		l->flags |= op->prefix != 0 ? IFF_UP : 0;
	}
	return rc == -ENODEV ? 0 : rc;
}

static int
settle_going(const struct vip_op *op, int rc, uint64_t now)
{
	struct vip_want *w = op->w;

	if (!is_gone(rc)) {
		plan_refused(w, rc, now);
		return rc;
	}
	if (op->kind == OP_UNROUTE)
		w->local = false;
	else if (w->at == op->ifindex && w->at_prefix == op->prefix)
		w->at = 0;
	return 0;
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
	case OP_REACH:
		w->reaching = false;
		/* there already: its end was put off */
		if (rc == 0 || rc == -EEXIST)
			w->reach = op->ifindex;
		return 0; /* the kernel will make its own */
	case OP_UNREACH:
		w->reach = 0;
		return 0;
	case OP_ROUTE:
		w->set->v->looks = rc == 0;
		w->local = w->local || rc == 0;
		return 0;
	case OP_DEL:
	case OP_UNROUTE:
		return settle_going(op, rc, now);
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
		plan_refused(w, rc, now);
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
			plan_refused(&s->wants[i], rc, now);
	}
	return first;
}

static int
carry_out(struct vip *v, uint64_t now, bool *again)
{
	int first, rc;

	if (v->batch.n == 0)
		return 0;
	first = nl_commit(&v->nl, &v->batch);
	for (unsigned i = 0; i < v->batch.n; i++) {
		rc = settle(&v->ops[i], v->batch.rc[i], now, again);
		first = first != 0 ? first : rc;
	}
	nl_reset(&v->batch);
	return first;
}

/* False: there are no more. */
static bool
plan_all_news(struct vip *v, struct plan_turn *t, uint64_t now)
{
	struct vip_set *s;

	TAILQ_FOREACH(s, &v->todo, todo)
	plan_routes(s, t, now);
	TAILQ_FOREACH(s, &v->todo, todo)
	if (plan_is_full(t) || plan_news(s, t, now))
		return true;
	return false;
}

static void
learn_cost(struct vip *v, const struct plan_turn *t, uint64_t took)
{
	for (int f = 0; f < 2 && t->n >= SAMPLE; f++) {
		uint64_t was = took * t->cost[f] / (t->time + t->ahead);

		v->cost[f] = (t->cost[f] + was) / 2 + 1;
		if (v->cost[f] > COST_MAX)
			v->cost[f] = COST_MAX;
	}
}

/*
 * The kernel takes 10 to 30 us for an IPv4 address, and on a link that is up
 * more than 1 ms for the thousandth of IPv6.  So additions are done in turns,
 * and the caller calls again: after the first one soon, to advertise, and then
 * so that nobody has to wait too long.  A turn costs something, too, mostly the
 * news of what was done: so those of IPv4 are as large as a burst of
 * announcements.
 */
static int
add_some(struct vip *v, uint64_t now, bool *again)
{
	struct plan_turn t = {
		.cost = { v->cost[0], v->cost[1] },
		.limit = { v->unfinished ? NEXT_TURN4 : FIRST_TURN,
		    v->unfinished ? NEXT_TURN6 : FIRST_TURN },
		.most = ANN_BURST,
	};
	uint64_t start = vip_clock();
	int rc;

	v->unfinished = plan_all_news(v, &t, now);
	rc = carry_out(v, now, again);
	learn_cost(v, &t, vip_clock() - start);
	return rc;
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
		plan_changes(s, now);
		rc = add_some(v, now, &again);
		first = first != 0 ? first : rc;
		/* Somebody's address, or one left behind: see which. */
		if (again && (rc = mon_reread(v)) < 0)
			return first != 0 ? first : rc;
	}
	return first;
}

/* Forgets what has left. */
static void
compact(struct vip_set *s)
{
	for (size_t i = 0; i < s->nwants;) {
		if (s->wants[i].leaving && !set_holds(&s->wants[i]))
			set_remove(s, i);
		else
			i++;
	}
}

static uint64_t
deadline(const struct vip_set *s)
{
	uint64_t at = s->retry < s->resend ? s->retry : s->resend;

	return s->part < at ? s->part : at;
}

static void
note_deadline(struct vip_set *s)
{
	if (deadline(s) < s->v->retry)
		s->v->retry = deadline(s);
}

/* Where it goes on the next time, or when. */
static void
finish_set(struct vip_set *s, uint64_t now)
{
	struct vip *v = s->v;

	s->renew = false;
	s->other = false;
	if (s->retry <= now)
		s->retry = CARP_NEVER;
	if (s->resend <= now)
		s->resend = CARP_NEVER;
	compact(s);
	note_deadline(s);
	if (v->unfinished && s->planned < s->nwants) {
		v->retry = now;
		return;
	}
	TAILQ_REMOVE(&v->todo, s, todo);
	s->queued = false;
}

/* Sets that wait are found again by their deadline. */
static void
finish(struct vip *v, uint64_t now)
{
	struct vip_set *s, *next;

	heard_taken(v);
	for (s = TAILQ_FIRST(&v->todo); s != NULL; s = next) {
		next = TAILQ_NEXT(s, todo);
		finish_set(s, now);
	}
}

static void
queue_due(struct vip *v, uint64_t now)
{
	struct vip_set *s;

	v->retry = CARP_NEVER;
	TAILQ_FOREACH(s, &v->all, all)
	{
		if (deadline(s) <= now)
			set_queue(s);
		else
			note_deadline(s);
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
	v->now = now;
	v->guard_error = guard_before(v);
	rc = reconcile(v, now);
	guard_after(v);
	announce_all(v);
	finish(v, now);
	return rc != 0 ? rc : v->guard_error;
}

void
commit_set(struct vip_set *s)
{
	struct vip *v = s->v;

	s->going = true;
	v->now = CARP_NEVER - 1;
	nl_reset(&v->batch);
	plan_changes(s, v->now);
	if (v->batch.n > 0)
		(void)nl_commit(&v->nl, &v->batch); /* the lease, else */
	nl_reset(&v->batch);
	guard_forget(s);
}
