/* SPDX-License-Identifier: ISC */
/* The virtual MAC: a macvlan beside the interface, with ARP kept apart. */
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state.h"
#include "vmac.h"

/*
 * What marks a link as made here.  The last two numbers are the ARP settings
 * of the interface before: whoever removes the link puts them back, even if
 * the process that made it is dead.
 */
#define ALIAS_PRINT "carp vhid %u on %s, arp %u %u"
#define ALIAS_SCAN  "carp vhid %u on %15[^,], arp %u %u%n"
#define ALIAS_START "carp vhid "

enum {
	ARP_IGNORE = 1,	  /* answer for own addresses only */
	ARP_ANNOUNCE = 2, /* never ask in the name of others */
	RP_LOOSE = 2,	  /* see vmac_make() */
};

static void
link_name(char ret[VIP_IFNAMSIZ], const struct vip_set *s)
{
	(void)snprintf(ret, VIP_IFNAMSIZ, "carp%u.%u", s->cfg.vhid, s->ifindex);
}

static bool
read_alias(const struct mon_link *l, uint32_t *ignore, uint32_t *announce)
{
	char ifname[VIP_IFNAMSIZ];
	unsigned vhid;
	int end = -1;

	return sscanf(l->alias, ALIAS_SCAN, &vhid, ifname, ignore, announce,
		   &end) == 4 &&
	       l->alias[end] == '\0';
}

bool
vmac_is_ours(const struct mon_link *l)
{
	return l->macvlan &&
	       strncmp(l->alias, ALIAS_START, strlen(ALIAS_START)) == 0;
}

/* A request about a link, by index or else by name. */
static struct ifinfomsg *
begin_link(struct nl_batch *b, uint16_t type, uint16_t flags, unsigned ifindex,
    const char *name)
{
	struct ifinfomsg *m = nl_begin(b, type, flags, sizeof(*m));

	m->ifi_family = AF_UNSPEC;
	m->ifi_index = (int)ifindex;
	if (name != NULL)
		nl_put(b, IFLA_IFNAME, name, strlen(name) + 1);
	return m;
}

void
vmac_put_state(struct nl_batch *b, unsigned ifindex, bool up)
{
	struct ifinfomsg *m = begin_link(b, RTM_NEWLINK, 0, ifindex, NULL);

	m->ifi_flags = up ? IFF_UP : 0;
	m->ifi_change = IFF_UP;
}

void
vmac_put_settings(struct nl_batch *b, unsigned ifindex, const char *name,
    const struct vmac_setting *set)
{
	size_t spec, af, conf;

	(void)begin_link(b, RTM_SETLINK, 0, ifindex, name);
	spec = nl_nest(b, IFLA_AF_SPEC);
	af = nl_nest(b, AF_INET);
	conf = nl_nest(b, IFLA_INET_CONF);
	for (; set->id != 0; set++)
		nl_put_u32(b, (uint16_t)set->id, set->value);
	nl_unnest(b, conf);
	nl_unnest(b, af);
	nl_unnest(b, spec);
}

static void
put_arp(
    struct nl_batch *b, unsigned ifindex, uint32_t ignore, uint32_t announce)
{
	const struct vmac_setting set[] = {
		{ IPV4_DEVCONF_ARP_IGNORE, ignore },
		{ IPV4_DEVCONF_ARP_ANNOUNCE, announce },
		{ 0, 0 },
	};

	vmac_put_settings(b, ifindex, NULL, set);
}

void
vmac_put_delete(struct nl_batch *b, const struct mon_link *l)
{
	(void)begin_link(b, RTM_DELLINK, 0, l->ifindex, NULL);
}

void
vmac_put_restore(struct nl_batch *b, const struct mon_link *l)
{
	uint32_t ignore, announce;

	if (l->parent != 0 && read_alias(l, &ignore, &announce))
		put_arp(b, l->parent, ignore, announce);
}

static void
put_create(struct nl_batch *b, const struct vip_set *s, const char *name)
{
	const struct mon_link *base = mon_link(&s->v->mon, s->ifindex);
	uint8_t mac[6];
	size_t info, data;

	carp_vmac(mac, s->cfg.vhid);
	(void)begin_link(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, name);
	nl_put_u32(b, IFLA_LINK, s->ifindex);
	if (base != NULL && base->vrf != 0)
		nl_put_u32(b, IFLA_MASTER, base->vrf);
	nl_put(b, IFLA_ADDRESS, mac, sizeof(mac));
	info = nl_nest(b, IFLA_LINKINFO);
	nl_put(b, IFLA_INFO_KIND, "macvlan", sizeof("macvlan"));
	data = nl_nest(b, IFLA_INFO_DATA);
	/*
	 * In private mode a frame of a peer, which comes from the same MAC,
	 * would be kept from the interface; and neighbours on macvlans of the
	 * same interface could not reach the address.
	 */
	nl_put_u32(b, IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE);
	nl_unnest(b, data);
	nl_unnest(b, info);
}

/* Fails where there is no IPv6, which is no matter. */
static void
put_no_linklocal(struct nl_batch *b, const char *name)
{
	const uint8_t none = IN6_ADDR_GEN_MODE_NONE;
	size_t spec, af;

	(void)begin_link(b, RTM_SETLINK, 0, 0, name);
	spec = nl_nest(b, IFLA_AF_SPEC);
	af = nl_nest(b, AF_INET6);
	nl_put(b, IFLA_INET6_ADDR_GEN_MODE, &none, sizeof(none));
	nl_unnest(b, af);
	nl_unnest(b, spec);
}

static bool
write_setting(const char *link, const char *name, char value)
{
	char path[96];
	bool done;
	int fd;

	(void)snprintf(
	    path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", link, name);
	if ((fd = open(path, O_WRONLY | O_CLOEXEC)) == -1)
		return false;
	done = write(fd, &value, 1) == 1;
	(void)close(fd);
	return done;
}

/*
 * Settings that are not to be had through netlink.  Router advertisements
 * would give the link addresses and routes of its own; where /proc/sys cannot
 * be written, the administrator has to refuse them.  The others let IPv6
 * addresses wait: they stay when the link goes down, and are of use as soon as
 * it is up.  True if that is so.
 */
static bool
tell_ipv6(const char *link)
{
	static const struct {
		const char *name;
		char value;
	} waits[] = {
		{ "keep_addr_on_down", '1' },
		{ "accept_dad", '1' }, /* tentative while it is down */
		{ "dad_transmits", '0' },
		{ "router_solicitation_delay", '0' },
	};
	bool all = true;

	(void)write_setting(link, "accept_ra", '0');
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
		all = write_setting(link, waits[i].name, waits[i].value) && all;
	return all;
}

static void
read_link(void *arg, const struct nlmsghdr *h)
{
	if (h->nlmsg_type == RTM_NEWLINK)
		(void)parse_link(arg, h);
}

/* What the interface has now, unless a link that was left behind knows. */
static int
read_parent(struct vip *v, struct vip_parent *p)
{
	struct mon_link now = { .next = NULL }, *l = NULL;
	int rc;

	while ((l = mon_each(&v->mon, l)) != NULL)
		if (l->parent == p->ifindex && vmac_is_ours(l) &&
		    read_alias(l, &p->ignore, &p->announce))
			return 0;
	nl_reset(&v->batch);
	(void)begin_link(&v->batch, RTM_GETLINK, 0, p->ifindex, NULL);
	rc = nl_query(&v->nl, &v->batch, read_link, &now);
	nl_reset(&v->batch);
	p->ignore = now.arp_ignore;
	p->announce = now.arp_announce;
	return rc;
}

static int
use_parent(struct vip_set *s)
{
	struct vip *v = s->v;
	struct vip_parent *p = v->parents;
	int rc;

	if (s->parent != NULL)
		return 0;
	while (p != NULL && p->ifindex != s->ifindex)
		p = p->next;
	if (p == NULL) {
		if ((p = calloc(1, sizeof(*p))) == NULL)
			return -ENOMEM;
		p->ifindex = s->ifindex;
		if ((rc = read_parent(v, p)) < 0) {
			free(p);
			return rc;
		}
		p->next = v->parents;
		v->parents = p;
	}
	p->users++;
	s->parent = p;
	return 0;
}

void
vmac_forget(struct vip_set *s)
{
	struct vip_parent **p = &s->v->parents, *gone = s->parent;

	s->parent = NULL;
	if (gone == NULL || --gone->users > 0)
		return;
	while (*p != gone)
		p = &(*p)->next;
	*p = gone->next;
	free(gone);
}

static struct mon_link *
find_link(struct vip *v, const struct vip_set *s, const char *name)
{
	struct mon_link *l = mon_link_named(&v->mon, name);

	return l != NULL && l->parent == s->ifindex ? l : NULL;
}

static uint32_t
at_least(uint32_t have, uint32_t need)
{
	return have > need ? have : need;
}

/*
 * Creates and configures in one batch.  The address is a host's, so the way
 * back to a client leads through the interface itself: a strict reverse path
 * filter would drop what comes in.  The kernel takes the greater of this
 * setting and that for `all`, so the loose one also wins against a strict
 * `all`, where 0 would not.
 */
static int
create(struct vip *v, struct vip_set *s, const char *name)
{
	const struct vmac_setting set[] = {
		{ IPV4_DEVCONF_ARP_IGNORE, ARP_IGNORE },
		{ IPV4_DEVCONF_ARP_ANNOUNCE, ARP_ANNOUNCE },
		{ IPV4_DEVCONF_RP_FILTER, RP_LOOSE },
		{ 0, 0 },
	};
	const struct vip_parent *p = s->parent;
	struct nl_batch *b = &v->batch;
	const struct mon_link *left;
	char alias[MON_ALIAS];
	int rc;

	(void)snprintf(alias, sizeof(alias), ALIAS_PRINT, s->cfg.vhid,
	    s->cfg.ifname, p->ignore, p->announce);
	nl_reset(b);
	if ((left = find_link(v, s, name)) != NULL)
		vmac_put_delete(b, left);
	put_create(b, s, name);
	vmac_put_settings(b, 0, name, set);
	(void)begin_link(b, RTM_SETLINK, 0, 0, name);
	nl_put(b, IFLA_IFALIAS, alias, strlen(alias));
	put_arp(b, s->ifindex, at_least(p->ignore, ARP_IGNORE),
	    at_least(p->announce, ARP_ANNOUNCE));
	put_no_linklocal(b, name);
	rc = nl_commit(&v->nl, b);
	for (unsigned i = 0; rc == 0 && i + 1 < b->n; i++)
		rc = b->rc[i];
	nl_reset(b);
	return rc;
}

/* Another set that has this link. */
static struct vip_set *
link_user(const struct vip_set *s, unsigned ifindex)
{
	struct vip_set *o;

	TAILQ_FOREACH(o, &s->v->all, all)
	if (o != s && o->vmac == ifindex)
		return o;
	return NULL;
}

bool
vmac_is_shared(const struct vip_set *s)
{
	return s->vmac != 0 && link_user(s, s->vmac) != NULL;
}

int
vmac_make(struct vip_set *s)
{
	char name[VIP_IFNAMSIZ];
	struct vip *v = s->v;
	struct vip_set *o;
	struct mon_link *l;
	uint8_t mac[6];
	int rc;

	link_name(name, s);
	carp_vmac(mac, s->cfg.vhid);
	if ((rc = mon_read(v)) < 0 && (rc = mon_reread(v)) < 0)
		return rc;
	if ((l = mon_link(&v->mon, s->ifindex)) == NULL)
		return -ENODEV;
	if (l->no_vmac)
		return -EOPNOTSUPP;
	l = mon_link_named(&v->mon, name);
	if (l != NULL && (!vmac_is_ours(l) || l->parent != s->ifindex ||
			     memcmp(l->mac, mac, sizeof(mac)) != 0))
		return -EEXIST;
	if ((rc = use_parent(s)) < 0)
		goto fail;
	if (l != NULL && (o = link_user(s, l->ifindex)) != NULL) {
		s->keeps6 = o->keeps6;
		s->vmac = l->ifindex;
		return 0;
	}
	if ((rc = create(v, s, name)) < 0)
		goto fail;
	s->keeps6 = tell_ipv6(name);
	/* The notification of what was made is already there. */
	if ((rc = mon_read(v)) < 0 && (rc = mon_reread(v)) < 0)
		goto fail;
	if ((l = find_link(v, s, name)) == NULL) {
		rc = -ENODEV;
		goto fail;
	}
	s->vmac = l->ifindex;
	return 0;
fail:
	vmac_drop(s);
	return rc;
}

void
vmac_drop(struct vip_set *s)
{
	struct nl_batch *b = &s->v->batch;
	struct vip_parent *p = s->parent;

	nl_reset(b);
	if (s->vmac != 0 && !vmac_is_shared(s))
		(void)begin_link(b, RTM_DELLINK, 0, s->vmac, NULL);
	if (p != NULL && p->users == 1 && p->ifindex == s->ifindex)
		put_arp(b, p->ifindex, p->ignore, p->announce);
	if (b->n > 0)
		(void)nl_commit(&s->v->nl, b); /* the sweep does the rest */
	nl_reset(b);
	s->vmac = 0;
	vmac_forget(s);
}
