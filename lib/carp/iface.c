/* SPDX-License-Identifier: ISC */
/*
 * Interfaces with virtual hosts, as they come, go, and change.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

#define RETRY CARP_SEC /* to listen, after failing */

struct iface *
iface_find(const struct carp_engine *e, const char *name)
{
	struct iface *i = e->ifaces;

	while (i != NULL && strcmp(i->name, name) != 0)
		i = i->next;
	return i;
}

int
iface_get(struct iface **ret, struct carp_engine *e, const char *name)
{
	struct iface *i = iface_find(e, name);

	if (i == NULL) {
		if ((i = calloc(1, sizeof(*i))) == NULL)
			return -ENOMEM;
		memcpy(i->name, name, strlen(name) + 1);
		i->engine = e;
		i->capture = i->igmp = i->mld = -1;
		i->retry = CARP_NEVER;
		i->next = e->ifaces;
		e->ifaces = i;
	}
	*ret = i;
	return 0;
}

void
iface_free(struct iface *i)
{
	struct iface **at = &i->engine->ifaces;

	while (*at != i)
		at = &(*at)->next;
	*at = i->next;
	listen_close(i);
	condition_free(i->conds);
	free(i);
}

/* What the state of a link is called; CARP_NCONDS: nothing is wrong. */
static void
set_condition(struct iface *i, enum carp_condition now_is, int rc, uint64_t now)
{
	static const enum carp_condition all[] = { CARP_COND_NO_INTERFACE,
		CARP_COND_NOT_ETHERNET, CARP_COND_LINK_DOWN,
		CARP_COND_RECEIVE };

	for (size_t n = 0; n < sizeof(all) / sizeof(all[0]); n++)
		if (all[n] != now_is)
			condition_iface_end(i, all[n], now);
	if (now_is == CARP_COND_NO_INTERFACE)
		condition_iface(i, now_is, now,
		    "there is no interface %s: "
		    "waiting for it to appear",
		    i->name);
	else if (now_is == CARP_COND_NOT_ETHERNET)
		condition_iface(i, now_is, now,
		    "%s is not Ethernet: it "
		    "cannot carry CARP; use another interface",
		    i->name);
	else if (now_is == CARP_COND_LINK_DOWN)
		condition_iface(i, now_is, now,
		    "%s is down or has no "
		    "carrier: check cable and switch, or set it up",
		    i->name);
	else if (now_is == CARP_COND_RECEIVE)
		condition_iface(i, now_is, now,
		    "cannot listen on %s: %s; "
		    "taking no part, trying again each second",
		    i->name, strerror(-rc));
}

static void
set_usable(struct iface *i, bool usable, uint64_t now)
{
	struct carp_event ev = {
		.what = CARP_EV_LINK, .on = usable, .at = now
	};

	if (i->usable == usable)
		return;
	i->usable = usable;
	memcpy(ev.ifname, i->name, sizeof(ev.ifname));
	events_push(i->engine, &ev);
	now = engine_listening_since(now);
	if (usable)
		demote_for_iface(i, "link", false, now);
	else
		transmit_forget(i, now);
	for (unsigned v = 1; v < 256; v++) {
		struct carp_host *h = i->host[v];

		if (h == NULL || h->stopped)
			continue;
		(void)carp_link(h->carp, usable, now); /* nothing pends */
		engine_carry(h, now);
	}
}

/* Listens if it can; says what prevents it. */
static enum carp_condition
try_to_listen(struct iface *i, int *rc, uint64_t now)
{
	i->retry = CARP_NEVER;
	*rc = 0;
	if (i->link.ifindex == 0)
		return CARP_COND_NO_INTERFACE;
	if (!i->link.ethernet)
		return CARP_COND_NOT_ETHERNET;
	if (!i->link.up)
		return CARP_COND_LINK_DOWN;
	if (i->capture >= 0) {
		if (!i->usable)
			listen_rejoin(i);
		return CARP_NCONDS;
	}
	if ((*rc = listen_open(i)) == 0)
		return CARP_NCONDS;
	i->retry = now + RETRY;
	engine_chores_by(i->engine, i->retry);
	return CARP_COND_RECEIVE;
}

void
iface_update(struct iface *i, uint64_t now)
{
	enum carp_condition cond;
	struct vip_link l = { 0 };
	size_t n;
	int rc;

	if (vip_link_get(i->engine->vip, i->name, &l) != 0)
		l.ifindex = 0;
	/* Without carrier the capture goes on: there is nothing to hear. */
	if (l.ifindex != i->link.ifindex || !l.ethernet)
		listen_close(i);
	if (l.ifindex != i->link.ifindex || !l.up || !l.ethernet)
		set_usable(i, false, now);
	i->link = l;
	n = vip_link_addrs(i->engine->vip, i->name, i->own, OWN_MAX);
	i->nown = n > OWN_MAX ? OWN_MAX : n;
	cond = try_to_listen(i, &rc, now);
	set_condition(i, cond, rc, now);
	set_usable(i, cond == CARP_NCONDS, now);
	if (!i->usable)
		demote_for_iface(i, "link", true, now);
}

/* name: NULL for all. */
void
iface_update_all(struct carp_engine *e, const char *name, uint64_t now)
{
	for (struct iface *i = e->ifaces; i != NULL; i = i->next)
		if (name == NULL || strcmp(i->name, name) == 0)
			iface_update(i, now);
}

void
iface_retry(struct iface *i, uint64_t now)
{
	if (i->retry == CARP_NEVER)
		return;
	if (now >= i->retry)
		iface_update(i, now);
	else
		engine_chores_by(i->engine, i->retry);
}

/*
 * The address that a peer knows us by: for a group the first one (link-local
 * for IPv6); for a peer one of its subnet, or else of its scope.
 */
struct carp_addr
iface_source(const struct iface *i, const struct carp_addr *to)
{
	const struct carp_addr *src =
	    to->family == 4 ? &i->link.src4 : &i->link.src6;
	const struct carp_addr *best = NULL;
	bool local = carp_addr_is_linklocal(to);

	if (to->family == 4 ? to->ip[0] >> 4 == 0xe : to->ip[0] == 0xff)
		return *src;
	for (size_t n = 0; n < i->nown; n++) {
		const struct carp_addr *a = &i->own[n];

		if (a->family != to->family ||
		    carp_addr_is_linklocal(a) != local)
			continue;
		if (carp_addr_in_net(to, a))
			return *a;
		if (best == NULL)
			best = a;
	}
	return best != NULL ? *best : *src;
}
