/* SPDX-License-Identifier: ISC */
/* Takes away what a dead process has left. */
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"
#include "vmac.h"

#define TRIES 5 /* of a dump that is disturbed */

/* What the kernel has of ours, from dumps of this moment. */
struct found_addr {
	struct mon_addr_msg msg;
	bool goes;
};

struct found_link {
	struct mon_link link;
	bool goes;
};

struct found {
	struct vip *v;
	const struct carp_addr *only; /* what may be taken; NULL: all */
	size_t nonly;
	struct found_addr *addrs;
	struct found_link *links;
	struct mon_addr_msg *routes; /* that go */
	size_t naddrs, nlinks, nroutes;
	int error;
};

/* A set of this object has it, or will. */
static bool
is_wanted(const struct vip *v, const struct mon_addr_msg *a)
{
	const struct vip_want *w = set_find(v, &a->addr);

	for (; w != NULL; w = w->chain)
		if (carp_addr_cmp(&w->addr, &a->addr) == 0 &&
		    (w->at == a->ifindex ||
			(w->set->up && !w->leaving &&
			    set_device(w->set) == a->ifindex)))
			return true;
	return false;
}

static bool
may_take(const struct found *f, const struct carp_addr *addr)
{
	if (f->only == NULL)
		return true;
	for (size_t i = 0; i < f->nonly; i++)
		if (carp_addr_cmp(&f->only[i], addr) == 0)
			return true;
	return false;
}

static bool
may_silence(const void *arg, const struct carp_addr *addr)
{
	return may_take(arg, addr);
}

static void
see_addr(void *arg, const struct nlmsghdr *h)
{
	struct found *f = arg;
	struct found_addr *p;
	struct mon_addr_msg a;

	if (h->nlmsg_type != RTM_NEWADDR || !parse_addr(&a, h) || !a.tagged)
		return;
	p = realloc(f->addrs, (f->naddrs + 1) * sizeof(*p));
	if (p == NULL) {
		f->error = -ENOMEM;
		return;
	}
	f->addrs = p;
	f->addrs[f->naddrs++] = (struct found_addr){
		.msg = a,
		.goes = may_take(f, &a.addr) && !is_wanted(f->v, &a),
	};
}

/*
 * Without a list every link of ours goes that no set uses.  With one, a link
 * goes whose addresses all do: others may be another process's.
 */
static bool
link_goes(const struct found *f, unsigned ifindex)
{
	const struct vip_set *s;
	bool any = f->only == NULL;

	TAILQ_FOREACH(s, &f->v->all, all)
	if (s->vmac == ifindex)
		return false;
	for (size_t i = 0; i < f->naddrs; i++) {
		if (f->addrs[i].msg.ifindex != ifindex)
			continue;
		if (!f->addrs[i].goes)
			return false;
		any = true;
	}
	return any;
}

static void
see_link(void *arg, const struct nlmsghdr *h)
{
	struct mon_link l = { .next = NULL };
	struct found *f = arg;
	struct found_link *p;

	if (h->nlmsg_type != RTM_NEWLINK || !parse_link(&l, h) ||
	    !vmac_is_ours(&l))
		return;
	p = realloc(f->links, (f->nlinks + 1) * sizeof(*p));
	if (p == NULL) {
		f->error = -ENOMEM;
		return;
	}
	f->links = p;
	f->links[f->nlinks++] = (struct found_link){
		.link = l,
		.goes = link_goes(f, l.ifindex),
	};
}

static void
see_route(void *arg, const struct nlmsghdr *h)
{
	struct found *f = arg;
	struct mon_addr_msg r, *p;

	if (h->nlmsg_type != RTM_NEWROUTE || !parse_route(&r, h) ||
	    !may_take(f, &r.addr) || is_wanted(f->v, &r))
		return;
	p = realloc(f->routes, (f->nroutes + 1) * sizeof(*p));
	if (p == NULL) {
		f->error = -ENOMEM;
		return;
	}
	f->routes = p;
	f->routes[f->nroutes++] = r;
}

static int
ask(struct found *f, uint16_t type, const void *head, size_t len, size_t *count,
    void (*fn)(void *, const struct nlmsghdr *))
{
	struct nl_batch *b = &f->v->batch;
	int rc = -EINTR;

	for (int i = 0; rc == -EINTR && i < TRIES; i++) {
		*count = 0;
		nl_reset(b);
		memcpy(nl_begin(b, type, NLM_F_DUMP, len), head, len);
		rc = nl_query(&f->v->nl, b, fn, f);
	}
	nl_reset(b);
	/* Better what was seen while others changed it than nothing. */
	return rc < 0 && rc != -EINTR ? rc : f->error;
}

/* The interface has no other virtual MAC that stays. */
static bool
frees_parent(const struct found *f, const struct mon_link *l)
{
	for (size_t i = 0; i < f->nlinks; i++)
		if (f->links[i].link.parent == l->parent && !f->links[i].goes)
			return false;
	return true;
}

/* Returns how many requests at the start of the batch remove something. */
static unsigned
put_all(const struct found *f, struct nl_batch *b)
{
	unsigned n;

	for (size_t i = 0; i < f->naddrs; i++) {
		const struct mon_addr_msg *m = &f->addrs[i].msg;
		const struct nl_ifaddr a = {
			.ifindex = m->ifindex,
			.addr = &m->addr,
			.prefix = m->addr.prefix,
		};

		if (f->addrs[i].goes)
			nl_del_addr(b, &a);
	}
	for (size_t i = 0; i < f->nlinks; i++)
		if (f->links[i].goes)
			vmac_put_delete(b, &f->links[i].link);
	n = b->n;
	for (size_t i = 0; i < f->nlinks; i++)
		if (f->links[i].goes && frees_parent(f, &f->links[i].link))
			vmac_put_restore(b, &f->links[i].link);
	return n;
}

static int
take(const struct found *f, unsigned *removed)
{
	struct nl_batch b = { .buf = NULL };
	unsigned n;
	int rc;

	rc = nl_reserve(&b, (unsigned)(f->naddrs + 2 * f->nlinks) + 1);
	if (rc < 0)
		return rc;
	n = put_all(f, &b);
	if (b.n > 0)
		rc = nl_commit(&f->v->nl, &b);
	for (unsigned i = 0; i < n; i++) {
		if (b.rc[i] == 0)
			++*removed;
		else if (b.rc[i] != -EADDRNOTAVAIL && b.rc[i] != -ENODEV)
			rc = rc != 0 ? rc : b.rc[i];
	}
	nl_release(&b);
	return rc;
}

/*
 * Of IPv6 addresses to themselves: see plan_reach().  They end by themselves,
 * so that it does not matter if the kernel does not tell, as one without IPv6.
 */
static int
take_routes(struct found *f)
{
	const struct rtmsg head = { .rtm_family = AF_INET6,
		.rtm_protocol = VIP_PROTO };
	struct nl_batch b = { .buf = NULL };
	int rc;

	(void)ask(f, RTM_GETROUTE, &head, sizeof(head), &f->nroutes, see_route);
	if (f->nroutes == 0 || f->error < 0)
		return f->error;
	if ((rc = nl_reserve(&b, (unsigned)f->nroutes)) < 0)
		return rc;
	for (size_t i = 0; i < f->nroutes; i++) {
		const struct nl_ifaddr a = {
			.ifindex = f->routes[i].ifindex,
			.addr = &f->routes[i].addr,
			.table = f->routes[i].table,
		};

		nl_del_local(&b, &a);
	}
	rc = nl_commit(&f->v->nl, &b); /* or gone: each has an end */
	nl_release(&b);
	return rc;
}

int
vip_sweep(
    struct vip *v, const struct carp_addr *only, size_t n, unsigned *removed)
{
	const struct ifaddrmsg addr = { .ifa_family = AF_UNSPEC };
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct found f = { .v = v, .only = only, .nonly = n };
	unsigned count = 0;
	int rc;

	if (v == NULL)
		return -EINVAL;
	rc = ask(&f, RTM_GETADDR, &addr, sizeof(addr), &f.naddrs, see_addr);
	if (rc == 0)
		rc = ask(
		    &f, RTM_GETLINK, &link, sizeof(link), &f.nlinks, see_link);
	if (rc == 0)
		rc = take(&f, &count);
	if (rc == 0)
		rc = take_routes(&f);
	if (rc == 0)
		rc = guard_sweep(v, only != NULL ? may_silence : NULL, &f);
	if (removed != NULL)
		*removed = count;
	free(f.addrs);
	free(f.links);
	free(f.routes);
	return rc;
}
