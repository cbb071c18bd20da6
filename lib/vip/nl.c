/* SPDX-License-Identifier: ISC */
/* Requests to the kernel's routing socket: many in one go, each answered. */
#include <linux/if_addr.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <libmnl/libmnl.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <carp/vip.h>

#include "nl.h"

#define NL_REPLY  65536		    /* bytes read at once */
#define NL_MSG	  128		    /* of one address request, at most */
#define NL_SLACK  4096		    /* for the few larger ones */
#define NL_ANSWER 1024		    /* kernel memory of one answer */
#define NL_BUFFER (8 * 1024 * 1024) /* that we ask for */

/* What the administrator allows, or more for the privileged. */
static size_t
grow_buffer(int fd, int force, int opt, int size)
{
	socklen_t len = sizeof(size);

	if (setsockopt(fd, SOL_SOCKET, force, &size, sizeof(size)) == -1)
		(void)setsockopt(fd, SOL_SOCKET, opt, &size, sizeof(size));
	size = 0;
	(void)getsockopt(fd, SOL_SOCKET, opt, &size, &len);
	return size > 65536 ? (size_t)size : 65536;
}

int
nl_open(struct nl *nl, int bus)
{
	const struct timeval limit = { .tv_sec = 1 };
	int fd, one = 1, rc;

	nl->reply = malloc(NL_REPLY);
	nl->sock = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (nl->reply == NULL || nl->sock == NULL ||
	    mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) == -1) {
		rc = -errno;
		nl_shut(nl);
		return rc;
	}
	nl->portid = mnl_socket_get_portid(nl->sock);
	fd = mnl_socket_get_fd(nl->sock);
	/*
	 * The kernel answers before send returns.  The limit only guards
	 * against an answer that was dropped.
	 */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	/* Without it an answer repeats the request; works as well. */
	(void)mnl_socket_setsockopt(
	    nl->sock, NETLINK_CAP_ACK, &one, sizeof(one));
	/* Of routes, only those that were asked for; Linux 4.20. */
	(void)mnl_socket_setsockopt(
	    nl->sock, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	nl->max_bytes =
	    grow_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, NL_BUFFER / 2) - 1024;
	nl->max_msgs =
	    (unsigned)(grow_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, NL_BUFFER) /
		       NL_ANSWER);
	return 0;
}

void
nl_shut(struct nl *nl)
{
	if (nl->sock != NULL)
		(void)mnl_socket_close(nl->sock); /* nothing is left in it */
	free(nl->reply);
	nl->sock = NULL;
	nl->reply = NULL;
}

int
nl_reserve(struct nl_batch *b, unsigned msgs)
{
	size_t size = (size_t)msgs * NL_MSG + NL_SLACK;
	char *buf;
	int *rc;

	if (msgs <= b->max)
		return 0;
	if ((buf = realloc(b->buf, size)) == NULL)
		return -ENOMEM;
	b->buf = buf;
	b->size = size;
	if ((rc = realloc(b->rc, msgs * sizeof(*rc))) == NULL)
		return -ENOMEM;
	b->rc = rc;
	b->max = msgs;
	return 0;
}

void
nl_release(struct nl_batch *b)
{
	free(b->buf);
	free(b->rc);
	memset(b, 0, sizeof(*b));
}

void
nl_reset(struct nl_batch *b)
{
	b->len = 0;
	b->n = 0;
	b->cur = NULL;
	b->overflow = false;
}

void *
nl_begin(struct nl_batch *b, uint16_t type, uint16_t flags, size_t len)
{
	if (b->n == b->max || b->size - b->len < NLMSG_SPACE(len)) {
		b->overflow = true;
		b->len = 0; /* nothing of this batch will be sent */
		b->n = 0;
	}
	b->cur = mnl_nlmsg_put_header(b->buf + b->len);
	b->cur->nlmsg_type = type;
	b->cur->nlmsg_flags = NLM_F_REQUEST | flags;
	b->len += NLMSG_SPACE(len);
	b->rc[b->n++] = 0;
	return mnl_nlmsg_put_extra_header(b->cur, len);
}

/* Room for an attribute, counted in. */
static bool
room(struct nl_batch *b, size_t len)
{
	if (b->overflow || b->size - b->len < MNL_ATTR_HDRLEN + MNL_ALIGN(len))
		b->overflow = true;
	else
		b->len += MNL_ATTR_HDRLEN + MNL_ALIGN(len);
	return !b->overflow;
}

void
nl_put(struct nl_batch *b, uint16_t type, const void *data, size_t len)
{
	if (room(b, len))
		mnl_attr_put(b->cur, type, len, data);
}

void
nl_put_u32(struct nl_batch *b, uint16_t type, uint32_t value)
{
	nl_put(b, type, &value, sizeof(value));
}

size_t
nl_nest(struct nl_batch *b, uint16_t type)
{
	size_t at = b->len;

	nl_put(b, type | NLA_F_NESTED, NULL, 0);
	return at;
}

void
nl_unnest(struct nl_batch *b, size_t nest)
{
	if (!b->overflow)
		((struct nlattr *)(void *)(b->buf + nest))->nla_len =
		    (uint16_t)(b->len - nest);
}

uint32_t
nl_seq(const struct nl *nl, unsigned i)
{
	return nl->seq + 1 + i;
}

/*
 * Reads answers until that to request `last` is there.  Requests that are
 * not answered by then have succeeded, for only the last one asks for an
 * answer in any case.
 */
static int
read_answers(struct nl *nl, struct nl_batch *b, uint32_t first, unsigned from,
    unsigned last)
{
	bool done = false, lost = false;

	while (!done) {
		ssize_t n = mnl_socket_recvfrom(nl->sock, nl->reply, NL_REPLY);
		int len = (int)n;

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == ENOBUFS) {
			lost = true;
			continue;
		}
		if (n == -1) {
			lost = true;
			break;
		}
		for (struct nlmsghdr *h = (void *)nl->reply;
		     mnl_nlmsg_ok(h, len); h = mnl_nlmsg_next(h, &len)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
			unsigned i = h->nlmsg_seq - first;

			if (h->nlmsg_type != NLMSG_ERROR || i < from ||
			    i > last)
				continue; /* late: of an earlier request */
			b->rc[i] = e->error;
			/* an error of the frame is the only answer */
			done = done || i == last ||
			       (i == 0 &&
				   b->cur->nlmsg_type == NFNL_MSG_BATCH_END);
		}
	}
	for (unsigned i = from; lost && i <= last; i++)
		if (b->rc[i] == 0)
			b->rc[i] = -ENOBUFS;
	return lost ? -ENOBUFS : 0;
}

/*
 * Numbers the requests that one send may carry, and asks for an answer to
 * the last.  Returns their bytes; *count is left to go before, and how many
 * they are after.
 */
static size_t
chunk(const struct nl *nl, char *p, uint32_t seq, unsigned *count)
{
	unsigned n = *count < nl->max_msgs ? *count : nl->max_msgs, i;
	struct nlmsghdr *h = NULL;
	size_t len = 0;

	for (i = 0; i < n; i++) {
		struct nlmsghdr *next = (void *)(p + len);

		if (i > 0 && len + next->nlmsg_len > nl->max_bytes)
			break;
		h = next;
		h->nlmsg_seq = seq + i;
		len += NLMSG_ALIGN(h->nlmsg_len);
	}
	if (h != NULL)
		h->nlmsg_flags |= NLM_F_ACK;
	*count = i;
	return len;
}

int
nl_commit(struct nl *nl, struct nl_batch *b)
{
	uint32_t first = nl_seq(nl, 0);
	size_t at = 0, len;
	int rc = 0, err;

	if (b->overflow)
		return -ENOBUFS;
	for (unsigned i = 0, n; i < b->n; i += n) {
		n = b->n - i;
		len = chunk(nl, b->buf + at, first + i, &n);
		if (mnl_socket_sendto(nl->sock, b->buf + at, len) < 0) {
			err = -errno;
			for (unsigned k = i; k < i + n; k++)
				b->rc[k] = err;
		} else {
			err = read_answers(nl, b, first, i, i + n - 1);
		}
		rc = rc != 0 ? rc : err;
		at += len;
	}
	nl->seq += b->n;
	return rc;
}

/* Past the first and the last one, which frame the others. */
int
nl_transact(struct nl *nl, struct nl_batch *b)
{
	uint32_t first = nl_seq(nl, 0);
	unsigned last = b->n - 2;
	char *p = b->buf;
	int rc = 0;

	if (b->overflow || b->n < 3)
		return -ENOBUFS;
	for (unsigned i = 0; i < b->n; i++) {
		struct nlmsghdr *h = (void *)p;

		h->nlmsg_seq = first + i;
		h->nlmsg_flags |= i == last ? NLM_F_ACK : 0;
		p += NLMSG_ALIGN(h->nlmsg_len);
	}
	nl->seq += b->n;
	if (mnl_socket_sendto(nl->sock, b->buf, b->len) < 0)
		return -errno;
	rc = read_answers(nl, b, first, 0, last);
	for (unsigned i = 0; i < b->n; i++)
		rc = rc != 0 ? rc : b->rc[i];
	return rc;
}

int
nl_query(struct nl *nl, struct nl_batch *b,
    void (*fn)(void *arg, const struct nlmsghdr *), void *arg)
{
	bool torn = false;

	if (b->overflow || b->n != 1)
		return -ENOBUFS;
	if (!(b->cur->nlmsg_flags & NLM_F_DUMP))
		b->cur->nlmsg_flags |= NLM_F_ACK;
	b->cur->nlmsg_seq = ++nl->seq;
	if (mnl_socket_sendto(nl->sock, b->buf, b->len) < 0)
		return -errno;
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(nl->sock, nl->reply, NL_REPLY);
		int len = (int)n;

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -errno;
		for (struct nlmsghdr *h = (void *)nl->reply;
		     mnl_nlmsg_ok(h, len); h = mnl_nlmsg_next(h, &len)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

			if (h->nlmsg_seq != nl->seq)
				continue;
			torn = torn || (h->nlmsg_flags & NLM_F_DUMP_INTR);
			if (h->nlmsg_type == NLMSG_DONE)
				return torn ? -EINTR : 0;
			if (h->nlmsg_type == NLMSG_ERROR)
				return e->error;
			fn(arg, h);
		}
	}
}

/* What adding and deleting have in common. */
static void
begin_addr(struct nl_batch *b, uint16_t type, uint16_t flags,
    const struct nl_ifaddr *a, uint8_t ifa_flags)
{
	size_t len = a->addr->family == 4 ? 4 : 16;
	struct ifaddrmsg *m = nl_begin(b, type, flags, sizeof(*m));

	m->ifa_family = a->addr->family == 4 ? AF_INET : AF_INET6;
	m->ifa_prefixlen = a->prefix;
	m->ifa_flags = ifa_flags;
	m->ifa_index = a->ifindex;
	nl_put(b, IFA_LOCAL, a->addr->ip, len);
	nl_put(b, IFA_ADDRESS, a->addr->ip, len);
}

void
nl_add_addr(struct nl_batch *b, const struct nl_ifaddr *a)
{
	const struct ifa_cacheinfo life = {
		.ifa_prefered = 0, /* no source for connections of the node */
		.ifa_valid = a->valid,
	};
	const uint8_t proto = VIP_PROTO;
	uint32_t flags = a->tentative ? 0 : IFA_F_NODAD;

	if (a->prefix == (a->addr->family == 4 ? 32 : 128))
		flags |= IFA_F_NOPREFIXROUTE;
	begin_addr(b, RTM_NEWADDR, NLM_F_CREATE | a->flags, a, (uint8_t)flags);
	nl_put_u32(b, IFA_FLAGS, flags);
	nl_put(b, IFA_CACHEINFO, &life, sizeof(life));
	nl_put(b, NL_IFA_PROTO, &proto, sizeof(proto));
}

void
nl_del_addr(struct nl_batch *b, const struct nl_ifaddr *a)
{
	begin_addr(b, RTM_DELADDR, 0, a, 0);
}

static void
begin_local(struct nl_batch *b, uint16_t type, uint16_t flags,
    const struct nl_ifaddr *a)
{
	bool v4 = a->addr->family == 4;
	size_t len = v4 ? 4 : 16;
	struct rtmsg *m = nl_begin(b, type, flags, sizeof(*m));

	m->rtm_family = v4 ? AF_INET : AF_INET6;
	m->rtm_dst_len = v4 ? 32 : 128;
	m->rtm_table = RT_TABLE_UNSPEC; /* it may be above 255 */
	m->rtm_protocol = v4 ? RTPROT_UNSPEC : VIP_PROTO;
	m->rtm_scope = RT_SCOPE_HOST;
	m->rtm_type = RTN_LOCAL;
	nl_put(b, RTA_DST, a->addr->ip, len);
	nl_put_u32(b, RTA_OIF, a->ifindex);
	nl_put_u32(b, RTA_TABLE, a->table);
}

void
nl_add_local(struct nl_batch *b, const struct nl_ifaddr *a)
{
	begin_local(b, RTM_NEWROUTE, NLM_F_CREATE, a);
	if (a->addr->family == 6)
		nl_put_u32(b, RTA_EXPIRES, a->valid);
}

void
nl_del_local(struct nl_batch *b, const struct nl_ifaddr *a)
{
	begin_local(b, RTM_DELROUTE, 0, a);
}
