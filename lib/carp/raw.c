/* SPDX-License-Identifier: ISC */
/*
 * Raw sockets for unicast peers: the kernel routes, and finds the neighbour.
 */
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "raw.h"

#define PRIORITY 7 /* TC_PRIO_CONTROL */

/* What it receives goes nowhere: the captures receive. */
static int
set_options(int fd, uint8_t family)
{
	struct sock_filter drop = { BPF_RET | BPF_K, 0, 0, 0 };
	const struct sock_fprog prog = { 1, &drop };
	int on = 1, prio = PRIORITY, rc;

	(void)setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &prio, sizeof(prio));
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) !=
	    0)
		return -errno;
	if (family == 4)
		rc = setsockopt(fd, IPPROTO_IP, IP_HDRINCL, &on, sizeof(on));
	else
		rc =
		    setsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, &on, sizeof(on));
	return rc != 0 ? -errno : 0;
}

int
raw_open(uint8_t family)
{
	int fd, rc;

	fd = socket(family == 4 ? AF_INET : AF_INET6,
	    SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, CARP_PROTO);
	if (fd < 0)
		return -errno;
	if ((rc = set_options(fd, family)) != 0) {
		(void)close(fd);
		return rc;
	}
	return fd;
}

/* Which interface to leave by; for link-local peers also which link. */
static void
choose_interface(struct msghdr *m, uint8_t family, unsigned ifindex)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	if (family == 4) {
		struct in_pktinfo info = { .ipi_ifindex = (int)ifindex };

		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		m->msg_controllen = CMSG_SPACE(sizeof(info));
	} else {
		struct in6_pktinfo info = { .ipi6_ifindex = ifindex };

		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		m->msg_controllen = CMSG_SPACE(sizeof(info));
	}
}

int
raw_send(int fd, unsigned ifindex, const struct carp_addr *to,
    const uint8_t *ip, size_t len)
{
	union {
		struct cmsghdr align;
		uint8_t buf[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control = { 0 };
	struct sockaddr_in to4 = { .sin_family = AF_INET };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };
	union {
		const uint8_t *in;
		void *out;
	} data = { .in = ip }; /* sendmsg() only reads */
	struct iovec iov = { data.out, len };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };

	if (fd < 0)
		return -EAFNOSUPPORT;
	if (to->family == 4) {
		memcpy(&to4.sin_addr, to->ip, 4);
		m.msg_name = &to4;
		m.msg_namelen = sizeof(to4);
	} else {
		memcpy(&to6.sin6_addr, to->ip, 16);
		if (carp_addr_is_linklocal(to))
			to6.sin6_scope_id = ifindex;
		m.msg_name = &to6;
		m.msg_namelen = sizeof(to6);
	}
	choose_interface(&m, to->family, ifindex);
	return sendmsg(fd, &m, 0) < 0 ? -errno : 0;
}
