/* SPDX-License-Identifier: ISC */
/* Links and addresses of the kernel, kept up to date by its notifications. */
#include <linux/filter.h>
#include <linux/if_addr.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

#define MON_BUFFER  (8 * 1024 * 1024) /* of notifications, that we ask for */
#define MON_AT_ONCE 20000	      /* messages: then others have a turn */
#define MON_TRIES   5		      /* of a dump that is disturbed */

static const int groups[] = {
	RTNLGRP_LINK,
	RTNLGRP_IPV4_IFADDR,
	RTNLGRP_IPV6_IFADDR,
	RTNLGRP_IPV6_NETCONF,
};

struct mon_link *
mon_link(const struct mon *m, unsigned ifindex)
{
	struct mon_link *l = m->bucket[ifindex % MON_BUCKETS];

	while (l != NULL && l->ifindex != ifindex)
		l = l->next;
	return l;
}

struct mon_link *
mon_each(const struct mon *m, const struct mon_link *after)
{
	unsigned i = 0;

	if (after != NULL && after->next != NULL)
		return after->next;
	if (after != NULL)
		i = after->ifindex % MON_BUCKETS + 1;
	while (i < MON_BUCKETS && m->bucket[i] == NULL)
		i++;
	return i < MON_BUCKETS ? m->bucket[i] : NULL;
}

struct mon_link *
mon_link_named(const struct mon *m, const char *name)
{
	struct mon_link *l = mon_each(m, NULL);

	while (l != NULL && strcmp(l->name, name) != 0)
		l = mon_each(m, l);
	return l;
}

bool
mon_is_up(const struct mon_link *l)
{
	enum { OPER_UNKNOWN = 0, OPER_UP = 6 }; /* RFC 2863 */

	return (l->flags & IFF_UP) && (l->flags & IFF_RUNNING) &&
	       (l->operstate == OPER_UP || l->operstate == OPER_UNKNOWN);
}

const struct mon_addr *
mon_source(const struct mon_link *l, uint8_t family)
{
	const uint32_t unusable =
	    family == 6 ? IFA_F_TENTATIVE | IFA_F_DADFAILED : 0;
	const struct mon_addr *first = NULL;

	for (const struct mon_addr *a = l->own; a != NULL; a = a->next) {
		if (a->addr.family != family || (a->flags & unusable))
			continue;
		if (family == 4 || carp_addr_is_linklocal(&a->addr))
			return a;
		first = first != NULL ? first : a;
	}
	return first;
}

static void
free_link(struct mon_link *l)
{
	struct mon_addr *a;

	while ((a = l->own) != NULL) {
		l->own = a->next;
		free(a);
	}
	free(l);
}

/* What the users of a link can see of it. */
static bool
differ(const struct mon_link *a, const struct mon_link *b)
{
	return strcmp(a->name, b->name) != 0 || mon_is_up(a) != mon_is_up(b) ||
	       (a->flags & IFF_UP) != (b->flags & IFF_UP) ||
	       a->type != b->type || a->forwarding != b->forwarding ||
	       memcmp(a->mac, b->mac, sizeof(a->mac)) != 0;
}

static void
link_new(struct vip *v, const struct nlmsghdr *h)
{
	struct mon_link now = { .next = NULL }, *l, old;
	const struct ifinfomsg *m = nlmsg_data(h);

	if ((l = mon_link(&v->mon, (unsigned)m->ifi_index)) != NULL)
		now = *l;
	if (!parse_link(&now, h))
		return;
	now.seen = true;
	if (l != NULL) {
		old = *l;
		*l = now;
		if (differ(&old, l)) {
			if (strcmp(old.name, l->name) != 0)
				heard_link(v, &old, true);
			heard_link(v, l, false);
		}
		return;
	}
	if ((l = malloc(sizeof(*l))) == NULL) {
		v->mon.error = -ENOBUFS;
		return;
	}
	now.next = v->mon.bucket[now.ifindex % MON_BUCKETS];
	*l = now;
	v->mon.bucket[now.ifindex % MON_BUCKETS] = l;
	heard_link(v, l, false);
}

static void
link_remove(struct vip *v, unsigned ifindex)
{
	struct mon_link **p = &v->mon.bucket[ifindex % MON_BUCKETS], *l;

	while (*p != NULL && (*p)->ifindex != ifindex)
		p = &(*p)->next;
	if ((l = *p) == NULL)
		return;
	*p = l->next;
	heard_link(v, l, true);
	free_link(l);
}

static void
link_del(struct vip *v, const struct nlmsghdr *h)
{
	struct mon_link l = { .next = NULL };

	if (parse_link(&l, h))
		link_remove(v, l.ifindex);
}

/* IPv6 forwarding was switched. */
static void
netconf(struct vip *v, const struct nlmsghdr *h)
{
	const struct netconfmsg *m = nlmsg_data(h);
	struct nlattr *tb[NETCONFA_FORWARDING + 1];
	struct mon_link *l;
	bool on;

	if (nlmsg_parse((struct nlmsghdr *)h, sizeof(*m), tb,
		NETCONFA_FORWARDING, NULL) < 0 ||
	    m->ncm_family != AF_INET6 || tb[NETCONFA_IFINDEX] == NULL ||
	    tb[NETCONFA_FORWARDING] == NULL)
		return;
	l = mon_link(&v->mon, nla_get_u32(tb[NETCONFA_IFINDEX]));
	on = nla_get_u32(tb[NETCONFA_FORWARDING]) != 0;
	if (l != NULL && l->forwarding != on) {
		l->forwarding = on;
		heard_link(v, l, false);
	}
}

static struct mon_addr **
find_own(struct mon_link *l, const struct mon_addr_msg *a)
{
	struct mon_addr **p = &l->own;

	while (*p != NULL && (carp_addr_cmp(&(*p)->addr, &a->addr) != 0 ||
				 (*p)->addr.prefix != a->addr.prefix))
		p = &(*p)->next;
	return p;
}

static void
own_remove(struct vip *v, struct mon_link *l, struct mon_addr **p)
{
	struct mon_addr *a = *p;

	*p = a->next;
	free(a);
	heard_own(v, l->ifindex);
}

static void
own_new(struct vip *v, struct mon_link *l, const struct mon_addr_msg *a)
{
	struct mon_addr **p = find_own(l, a);
	bool changed =
	    *p == NULL || ((*p)->flags ^ a->flags) & ~IFA_F_PERMANENT;

	if (*p == NULL && (*p = calloc(1, sizeof(**p))) == NULL) {
		v->mon.error = -ENOBUFS;
		return;
	}
	(*p)->addr = a->addr;
	(*p)->net = a->net;
	(*p)->flags = a->flags;
	(*p)->seen = true;
	if (changed)
		heard_own(v, l->ifindex);
}

/* Is it one of those that we added, though the kernel does not say so? */
static bool
hidden_tag(const struct vip *v, const struct mon_addr_msg *a)
{
	const struct vip_want *w = set_find(v, &a->addr);

	for (; v->mon.tags != TAGS_SHOWN && w != NULL; w = w->chain)
		if (carp_addr_cmp(&w->addr, &a->addr) == 0 &&
		    w->at == a->ifindex && w->at_prefix == a->addr.prefix)
			return true;
	return false;
}

/*
 * Lets the kernel drop what it would tell us of addresses that we added or
 * renewed ourselves: the answer to the request has said it, and renewals are
 * many.
 */
static bool
mute_own(const struct mon *m, uint32_t portid)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS,
		    offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWADDR), 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct nlmsghdr, nlmsg_pid)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(portid), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog prog = {
		.len = sizeof(code) / sizeof(code[0]),
		.filter = code,
	};

	return setsockopt(mon_fd(m), SOL_SOCKET, SO_ATTACH_FILTER, &prog,
		   sizeof(prog)) == 0;
}

static void
learn_tags(struct vip *v, bool shown)
{
	if (v->mon.tags == TAGS_UNKNOWN)
		v->mon.tags = shown ? TAGS_SHOWN : TAGS_HIDDEN;
	if (v->mon.tags == TAGS_SHOWN && !v->mon.muted)
		v->mon.muted = mute_own(&v->mon, v->nl.portid);
}

static void
addr_new(struct vip *v, const struct nlmsghdr *h)
{
	struct mon_addr_msg a;
	struct mon_addr **p;
	struct mon_link *l;

	if (!parse_addr(&a, h) || (l = mon_link(&v->mon, a.ifindex)) == NULL)
		return;
	if (a.told)
		learn_tags(v, true);
	if (a.tagged) {
		if (*(p = find_own(l, &a)) != NULL)
			own_remove(v, l, p);
	} else if (hidden_tag(v, &a)) {
		learn_tags(v, false);
		a.tagged = true;
	} else {
		own_new(v, l, &a);
	}
	heard_new(v, &a);
}

static void
addr_del(struct vip *v, const struct nlmsghdr *h)
{
	struct mon_addr_msg a;
	struct mon_addr **p;
	struct mon_link *l;

	if (!parse_addr(&a, h) || (l = mon_link(&v->mon, a.ifindex)) == NULL)
		return;
	if (*(p = find_own(l, &a)) != NULL)
		own_remove(v, l, p);
	else
		heard_del(v, &a);
}

static void
message(void *arg, const struct nlmsghdr *h)
{
	static const struct {
		uint16_t type;
		uint16_t head;
		void (*fn)(struct vip *, const struct nlmsghdr *);
	} kinds[] = {
		{ RTM_NEWADDR, sizeof(struct ifaddrmsg), addr_new },
		{ RTM_DELADDR, sizeof(struct ifaddrmsg), addr_del },
		{ RTM_NEWLINK, sizeof(struct ifinfomsg), link_new },
		{ RTM_DELLINK, sizeof(struct ifinfomsg), link_del },
		{ RTM_NEWNETCONF, sizeof(struct netconfmsg), netconf },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (h->nlmsg_type == kinds[i].type &&
		    nlmsg_datalen(h) >= kinds[i].head)
			kinds[i].fn(arg, h);
}

static int
received(struct nl_msg *msg, void *arg)
{
	message(arg, nlmsg_hdr(msg));
	return NL_OK;
}

int
mon_read(struct vip *v)
{
	int rc = 0;

	v->mon.error = 0;
	for (int i = 0; rc >= 0 && i < MON_AT_ONCE; i++)
		rc = nl_recvmsgs_default(v->mon.sock);
	if (rc == -NLE_NOMEM) /* libnl's word for ENOBUFS, too */
		return -ENOBUFS;
	if (rc < 0 && rc != -NLE_AGAIN && rc != -NLE_INTR)
		return -EIO;
	return v->mon.error;
}

static int
dump(struct vip *v, uint16_t type, size_t head)
{
	int rc = -EINTR;

	for (int i = 0; rc == -EINTR && i < MON_TRIES; i++) {
		nl_reset(&v->batch);
		(void)nl_begin(&v->batch, type, NLM_F_DUMP, head);
		rc = nl_query(&v->nl, &v->batch, message, v);
	}
	nl_reset(&v->batch);
	return rc;
}

static void
forget_unseen(struct vip *v)
{
	struct mon_link *l = mon_each(&v->mon, NULL), *next;

	for (; l != NULL; l = next) {
		next = mon_each(&v->mon, l);
		if (!l->seen) {
			link_remove(v, l->ifindex);
			continue;
		}
		for (struct mon_addr **p = &l->own; *p != NULL;) {
			if (!(*p)->seen)
				own_remove(v, l, p);
			else
				p = &(*p)->next;
		}
	}
}

static void
unsee_all(struct vip *v)
{
	struct mon_link *l = NULL;
	struct vip_set *s;

	while ((l = mon_each(&v->mon, l)) != NULL) {
		l->seen = false;
		for (struct mon_addr *a = l->own; a != NULL; a = a->next)
			a->seen = false;
	}
	TAILQ_FOREACH(s, &v->all, all)
	for (size_t i = 0; i < s->nwants; i++)
		s->wants[i].seen = false;
}

int
mon_reread(struct vip *v)
{
	struct vip_set *s;
	int rc;

	v->mon.error = 0;
	v->mon.rereading = true;
	unsee_all(v);
	if ((rc = dump(v, RTM_GETLINK, sizeof(struct ifinfomsg))) < 0 ||
	    (rc = dump(v, RTM_GETADDR, sizeof(struct ifaddrmsg))) < 0 ||
	    (rc = v->mon.error) < 0)
		goto out;
	forget_unseen(v);
	TAILQ_FOREACH(s, &v->all, all)
	for (size_t i = 0; i < s->nwants; i++)
		if (s->wants[i].at != 0 && !s->wants[i].seen)
			set_taken(&s->wants[i]);
out:
	v->mon.rereading = false;
	return rc;
}

int
mon_fd(const struct mon *m)
{
	return nl_socket_get_fd(m->sock);
}

int
mon_open(struct vip *v)
{
	const int size = MON_BUFFER;
	struct mon *m = &v->mon;

	if ((m->sock = nl_socket_alloc()) == NULL)
		return -ENOMEM;
	nl_socket_disable_seq_check(m->sock);
	nl_socket_disable_msg_peek(m->sock);
	if (nl_socket_set_msg_buf_size(m->sock, 65536) < 0 ||
	    nl_socket_modify_cb(
		m->sock, NL_CB_VALID, NL_CB_CUSTOM, received, v) < 0)
		return -ENOMEM;
	if (nl_connect(m->sock, NETLINK_ROUTE) < 0)
		return -errno;
	if (setsockopt(mon_fd(m), SOL_SOCKET, SO_RCVBUFFORCE, &size,
		sizeof(size)) == -1)
		(void)setsockopt(
		    mon_fd(m), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (nl_socket_add_memberships(m->sock, groups[i], 0) < 0 &&
		    groups[i] != RTNLGRP_IPV6_NETCONF)
			return -errno;
	if (nl_socket_set_nonblocking(m->sock) < 0)
		return -errno;
	return mon_reread(v);
}

void
mon_close(struct vip *v)
{
	for (size_t i = 0; i < MON_BUCKETS; i++)
		while (v->mon.bucket[i] != NULL) {
			struct mon_link *l = v->mon.bucket[i];

			v->mon.bucket[i] = l->next;
			free_link(l);
		}
	if (v->mon.sock != NULL)
		nl_socket_free(v->mon.sock);
	v->mon.sock = NULL;
}
