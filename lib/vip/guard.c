/* SPDX-License-Identifier: ISC */
/*
 * The lease that is a packet filter: which address belongs to which lease.
 *
 * A map says of each address that is installed which lease it has; a packet
 * to it or from it, or ARP for it, is dropped unless that lease is alive.  To
 * renew one is one small transaction, however many addresses it has.
 */
#include <linux/netlink.h>
#include <net/if.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "guard.h"
#include "guard_rules.h"
#include "plan.h"
#include "state.h"

#define ROUNDS	4		       /* what was not known is asked once */
#define PER_TRY 4096		       /* requests of one transaction, about */
#define TICKS	2		       /* that a lease may end early */
#define PARTING (50 * CARP_SEC / 1000) /* that a link stays up, silent */

uint32_t
guard_shortest(void)
{
	struct timespec ts = { .tv_nsec = 10000000 };

	(void)clock_getres(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint32_t)(TICKS * ts.tv_nsec / 1000000) + 1;
}

static int
make_tables(struct vip *v)
{
	struct nl_batch *b = &v->guard.batch;
	int rc;

	rules_begin(b);
	rules_put_tables(b);
	rules_end(b);
	rc = nl_transact(&v->guard.nl, b);
	nl_reset(b);
	return rc == -EEXIST ? 0 : rc; /* another process has made them */
}

static int
open_socket(struct guard *g)
{
	int rc;

	if (g->nl.sock != NULL)
		return 0;
	if ((rc = nl_open(&g->nl, NETLINK_NETFILTER)) < 0 ||
	    (rc = nl_reserve(&g->batch, PER_TRY + 64)) < 0)
		return rc;
	g->what = calloc(g->batch.max, sizeof(void *));
	return g->what == NULL ? -ENOMEM : 0;
}

int
guard_open(struct vip *v)
{
	int rc;

	if (v->guard.open)
		return 0;
	if ((rc = open_socket(&v->guard)) == 0)
		rc = make_tables(v);
	v->guard.open = rc == 0;
	return rc;
}

bool
guard_has(const struct vip *v, const struct carp_addr *a)
{
	const struct vip_want *w = set_find(v, a);

	while (w != NULL && !(w->guarded && carp_addr_cmp(&w->addr, a) == 0))
		w = w->chain;
	return w != NULL;
}

/* The last one that was put is for this want. */
static void
note(struct guard *g, struct vip_want *w)
{
	g->what[g->batch.n - 1] = w;
}

static void
put_owner(struct vip *v, struct vip_want *w, bool add)
{
	struct guard *g = &v->guard;

	for (int arp = 0; arp < (w->addr.family == 4 ? 2 : 1); arp++) {
		rules_put_owner(
		    &g->batch, arp, &w->addr, add ? &w->set->guard_id : NULL);
		note(g, w);
	}
}

static bool
is_full(const struct guard *g)
{
	return g->batch.n >= PER_TRY;
}

/*
 * Its addresses wait on a link that is down: nothing is to be silenced, and
 * what goes through this machine to the other node shall pass.
 */
static bool
waits(const struct vip_set *s)
{
	const struct mon_link *l = mon_link(&s->v->mon, s->vmac);

	return !s->up && plan_holds(s) && l != NULL && !(l->flags & IFF_UP);
}

/*
 * It has to give its addresses away.  To bring the link down takes the kernel
 * 10 ms and more, and nobody else gets at its links meanwhile, which the next
 * owner may want, if it is a container on this machine.  So it is silenced
 * only, and its link goes down when the others have been told.
 */
static bool
parts(const struct vip_set *s)
{
	return s->leased && !s->silent && !s->held && !s->going &&
	       plan_parts(s);
}

static bool
is_concerned(const struct vip_set *s)
{
	return s->cfg.lease == VIP_LEASE_GUARD &&
	       (s->up || waits(s) || parts(s));
}

/* What the set needs.  True: there is more, for another transaction. */
static bool
plan_set(struct vip *v, struct vip_set *s)
{
	struct guard *g = &v->guard;
	bool news = false;
	size_t i;

	if (parts(s)) {
		rules_put_dead(&g->batch, s->guard_id);
		s->renewing = true;
		return false;
	}
	for (i = 0; i < s->nwants && !is_full(g); i++) {
		struct vip_want *w = &s->wants[i];

		if (w->guarded || !plan_is_wanted(w) || guard_has(v, &w->addr))
			continue;
		if (!news && !s->leased)
			rules_put_lease(&g->batch, s->guard_id);
		if (w->clash)
			put_owner(v, w, false);
		put_owner(v, w, true);
		w->claims = true;
		news = true;
	}
	if (waits(s) ? news || !s->held
		     : news || s->renew || s->held || s->silent)
		rules_put_alive(
		    &g->batch, s->guard_id, waits(s) ? 0 : s->cfg.lease_ms);
	s->renewing = true;
	return i < s->nwants;
}

/* 0: done.  -EAGAIN: once more, for something was learned. */
static int
learn(struct vip *v, int rc)
{
	struct guard *g = &v->guard;
	bool lost = false, learned = false;

	for (unsigned i = 1; i + 1 < g->batch.n; i++) {
		struct vip_want *w = g->what[i];
		int e = g->batch.rc[i];

		if (e == -ENOENT && w == NULL)
			lost = true;
		else if (w != NULL && (e == -EBUSY || e == -EEXIST))
			learned = w->clash = true;
		else if (w != NULL && e == -ENOENT && w->clash) {
			w->clash = false;
			learned = true;
		}
	}
	if (lost) /* somebody has flushed all tables */
		return -ESTALE;
	return learned ? -EAGAIN : rc;
}

static void
settle(struct vip *v, int rc)
{
	struct guard *g = &v->guard;

	for (unsigned i = 1; i + 1 < g->batch.n; i++) {
		struct vip_want *w = g->what[i];

		if (w == NULL || !w->claims)
			continue;
		w->claims = false;
		if (rc == 0) {
			w->guarded = true;
			w->set->leased = true;
			w->clash = false;
		}
	}
}

static void
begin(struct guard *g)
{
	memset(g->what, 0, g->batch.max * sizeof(void *));
	rules_begin(&g->batch);
}

static int
commit(struct vip *v)
{
	struct guard *g = &v->guard;
	int rc;

	rules_end(&g->batch);
	rc = nl_transact(&g->nl, &g->batch);
	return rc < 0 ? learn(v, rc) : 0;
}

/* The tables are gone, and with them all that was in them. */
static int
rebuild(struct vip *v)
{
	struct vip_set *s;

	TAILQ_FOREACH(s, &v->all, all)
	{
		for (size_t i = 0; i < s->nwants; i++)
			s->wants[i].guarded = false;
		s->leased = false;
		s->held = false;
		s->silent = false;
		s->part = CARP_NEVER;
		if (is_concerned(s))
			set_queue(s);
	}
	return make_tables(v);
}

/* One transaction for all sets, if it can hold them. */
static int
try_all(struct vip *v, bool *more)
{
	struct guard *g = &v->guard;
	struct vip_set *s;
	int rc = 0;

	*more = false;
	begin(g);
	TAILQ_FOREACH(s, &v->todo, todo)
	if (is_concerned(s))
		*more = is_full(g) || plan_set(v, s) || *more;
	if (g->batch.n > 1) {
		rc = commit(v);
		settle(v, rc);
	}
	TAILQ_FOREACH(s, &v->todo, todo)
	{
		if (s->renewing && rc == 0) {
			s->renew = false;
			s->silent = parts(s);
			s->part =
			    s->silent ? vip_clock() + PARTING : CARP_NEVER;
			s->held = waits(s);
		}
		s->renewing = false;
	}
	nl_reset(&g->batch);
	return rc;
}

int
guard_before(struct vip *v)
{
	bool more = true;
	int rc = 0;

	if (!v->guard.open)
		return 0;
	for (int failed = 0; more && failed < ROUNDS;) {
		rc = try_all(v, &more);
		if (rc == 0)
			continue;
		failed++;
		more = true;
		if (rc == -ESTALE)
			rc = rebuild(v);
		else if (rc != -EAGAIN)
			break;
	}
	return rc;
}

static bool
is_over(const struct vip_want *w)
{
	return w->guarded && (w->set->cfg.lease != VIP_LEASE_GUARD ||
				 (w->at == 0 && !plan_is_wanted(w)));
}

/* Another set may want it, with a lease of its own. */
static void
forget(struct vip *v, struct vip_want *w)
{
	w->guarded = false;
	for (struct vip_want *o = set_find(v, &w->addr); o != NULL;
	     o = o->chain)
		if (o != w && carp_addr_cmp(&o->addr, &w->addr) == 0)
			set_queue(o->set);
}

/* True: again, for not all of it was done. */
static bool
drop_some(struct vip *v, struct vip_set *s, bool all)
{
	struct guard *g = &v->guard;
	bool more;
	size_t i;
	int rc;

	begin(g);
	for (i = 0; i < s->nwants && !is_full(g); i++)
		if (all ? s->wants[i].guarded : is_over(&s->wants[i]))
			put_owner(v, &s->wants[i], false);
	more = i < s->nwants;
	if (g->batch.n > 1) {
		rules_end(&g->batch);
		rc = nl_transact(&g->nl, &g->batch);
		for (unsigned k = 1; k + 1 < g->batch.n; k++) {
			struct vip_want *w = g->what[k];

			if (rc == 0 || g->batch.rc[k] == -ENOENT)
				forget(v, w);
		}
		more = more || rc != 0;
	}
	nl_reset(&g->batch);
	return more;
}

static void
drop(struct vip *v, struct vip_set *s, bool all)
{
	bool more = v->guard.open;

	for (size_t i = 0; more && i < ROUNDS + s->nwants / PER_TRY; i++)
		more = drop_some(v, s, all);
}

void
guard_after(struct vip *v)
{
	struct vip_set *s;

	/* what it queues comes behind, and has nothing to drop */
	TAILQ_FOREACH(s, &v->todo, todo)
	drop(v, s, false);
	TAILQ_FOREACH(s, &v->todo, todo)
	if (is_concerned(s)) {
		(void)guard_before(v);
		return;
	}
}

void
guard_forget(struct vip_set *s)
{
	struct guard *g = &s->v->guard;

	drop(s->v, s, true);
	if (!s->leased || !g->open)
		return;
	begin(g);
	rules_put_dead(&g->batch, s->guard_id);
	rules_put_lease_end(&g->batch, s->guard_id);
	rules_end(&g->batch);
	/* whoever leaves last takes away what stays here */
	s->leased = nl_transact(&g->nl, &g->batch) != 0;
	nl_reset(&g->batch);
}

/*
 * What others have left.
 */
struct found {
	struct vip *v;
	bool (*may)(const void *, const struct carp_addr *);
	const void *arg;
	struct carp_addr *addrs; /* that go */
	size_t n, stay;
	int error;
};

static void
see(void *arg, const struct carp_addr *a)
{
	struct found *f = arg;
	struct carp_addr *p;

	if (guard_has(f->v, a) || (f->may != NULL && !f->may(f->arg, a))) {
		f->stay++;
		return;
	}
	p = realloc(f->addrs, (f->n + 1) * sizeof(*p));
	if (p == NULL) {
		f->error = -ENOMEM;
		return;
	}
	f->addrs = p;
	f->addrs[f->n++] = *a;
}

static int
take(struct vip *v, const struct found *f)
{
	struct guard *g = &v->guard;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < f->n;) {
		begin(g);
		for (; i < f->n && !is_full(g); i++)
			for (int arp = 0;
			     arp < (f->addrs[i].family == 4 ? 2 : 1); arp++)
				rules_put_owner(
				    &g->batch, arp, &f->addrs[i], NULL);
		rules_end(&g->batch);
		rc = nl_transact(&g->nl, &g->batch);
	}
	nl_reset(&g->batch);
	return rc;
}

int
guard_sweep(struct vip *v,
    bool (*may)(const void *arg, const struct carp_addr *), const void *arg)
{
	struct found f = { .v = v, .may = may, .arg = arg };
	struct guard *g = &v->guard;
	int rc;

	if ((rc = open_socket(g)) < 0)
		return rc == -EPROTONOSUPPORT ? 0 : rc;
	rc = rules_owners(&g->nl, &g->batch, see, &f);
	if (rc == 0)
		rc = f.error;
	if (rc == 0)
		rc = take(v, &f);
	if (rc == 0 && f.stay == 0 && !g->open) {
		rules_begin(&g->batch);
		rules_put_removal(&g->batch);
		rules_end(&g->batch);
		rc = nl_transact(&g->nl, &g->batch);
		nl_reset(&g->batch);
	}
	free(f.addrs);
	return rc == -ENOENT || rc == -EOPNOTSUPP ? 0 : rc; /* no tables */
}

static bool
none(const void *arg, const struct carp_addr *a)
{
	(void)arg, (void)a;
	return false;
}

void
guard_close(struct vip *v)
{
	struct guard *g = &v->guard;

	if (g->open) {
		g->open = false;
		(void)guard_sweep(v, none, NULL); /* the next one, else */
	}
	nl_release(&g->batch);
	nl_shut(&g->nl);
	free(g->what);
}
