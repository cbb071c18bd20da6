/* SPDX-License-Identifier: ISC */
/*
 * Listening on an interface: a packet socket with a filter in the kernel, and
 * membership of the groups so that its multicast filter and the switches let
 * the packets through.
 *
 * A queue of the kernel's own rather than a ring that is mapped (libpcap): it
 * costs memory only while packets wait, and is open in microseconds, where the
 * kernel takes 8 ms to put a ring in place.  Silence counts only from then on.
 */
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <sys/epoll.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"

#define QUEUE (2 * 1024 * 1024) /* some 5000 packets: 10 s of 255 hosts */

static const uint8_t group_mac[2][6] = {
	{ 0x01, 0x00, 0x5e, 0x00, 0x00, 0x12 },
	{ 0x33, 0x33, 0x00, 0x00, 0x00, 0x12 },
};

/* "ip proto 112 or ip6 proto 112", as pcap-filter(7) says it. */
static int
set_filter(int fd)
{
	enum { TYPE = 12, V4_PROTO = 23, V6_NEXT = 20, FRAGMENT_NEXT = 54 };
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, TYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 2),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, V4_PROTO),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CARP_PROTO, 6, 5),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 4),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, V6_NEXT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CARP_PROTO, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_FRAGMENT, 0, 1),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FRAGMENT_NEXT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CARP_PROTO, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	return setsockopt(
		   fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) != 0
		   ? -errno
		   : 0;
}

static int
set_options(int fd)
{
	int on = 1, size = QUEUE;

	/* Longer bursts survive; without, the kernel's default has to do. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) !=
	    0)
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	/* Saves a wake-up for all that we send; an old kernel delivers it. */
	(void)setsockopt(
	    fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	/* When it came, and on which VLAN. */
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) != 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) != 0)
		return -errno;
	return set_filter(fd);
}

/* Until it is bound it receives nothing: so all that comes was filtered. */
static int
open_socket(const struct iface *i)
{
	struct sockaddr_ll sll = { .sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)i->link.ifindex };
	int fd, rc;

	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	rc = set_options(fd);
	if (rc == 0 && bind(fd, (struct sockaddr *)&sll, sizeof(sll)) != 0)
		rc = -errno;
	if (rc == 0)
		return fd;
	(void)close(fd);
	return rc;
}

/* Best effort: the interface may filter nothing. */
static void
set_mac_filter(const struct iface *i, int what)
{
	struct packet_mreq m = { .mr_ifindex = (int)i->link.ifindex,
		.mr_type = PACKET_MR_MULTICAST,
		.mr_alen = 6 };

	for (int f = 0; f < 2; f++) {
		memcpy(m.mr_address, group_mac[f], 6);
		(void)setsockopt(
		    i->engine->packet, SOL_PACKET, what, &m, sizeof(m));
	}
}

/* Best effort: a family may be switched off. */
static void
join(struct iface *i)
{
	struct carp_addr g4 = carp_group(4), g6 = carp_group(6);
	struct ip_mreqn m4 = { .imr_ifindex = (int)i->link.ifindex };
	struct ipv6_mreq m6 = { .ipv6mr_interface = i->link.ifindex };

	memcpy(&m4.imr_multiaddr, g4.ip, 4);
	memcpy(&m6.ipv6mr_multiaddr, g6.ip, 16);
	i->igmp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (i->igmp >= 0)
		(void)setsockopt(
		    i->igmp, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m4, sizeof(m4));
	i->mld = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (i->mld >= 0)
		(void)setsockopt(
		    i->mld, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m6, sizeof(m6));
}

static void
leave(struct iface *i)
{
	if (i->igmp >= 0)
		(void)close(i->igmp);
	if (i->mld >= 0)
		(void)close(i->mld);
	i->igmp = i->mld = -1;
}

void
listen_rejoin(struct iface *i)
{
	leave(i);
	join(i);
}

int
listen_open(struct iface *i)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = i };
	int fd = open_socket(i), rc;

	if (fd < 0)
		return fd;
	if (epoll_ctl(i->engine->epoll, EPOLL_CTL_ADD, fd, &ev) != 0) {
		rc = -errno;
		(void)close(fd);
		return rc;
	}
	i->capture = fd;
	set_mac_filter(i, PACKET_ADD_MEMBERSHIP);
	join(i);
	return 0;
}

/*
 * The kernel takes some 20 ms to close a capture.  So it is only put aside:
 * what the loss of the interface leads to comes first.
 */
void
listen_close(struct iface *i)
{
	struct carp_engine *e = i->engine;

	if (i->capture < 0)
		return;
	(void)epoll_ctl(e->epoll, EPOLL_CTL_DEL, i->capture, NULL);
	if (e->nclosing == CLOSING_MAX)
		listen_reap(e);
	e->closing[e->nclosing++] = i->capture;
	i->capture = -1;
	i->ready = false;
	set_mac_filter(i, PACKET_DROP_MEMBERSHIP); /* gone with a dead one */
	leave(i);
}

void
listen_reap(struct carp_engine *e)
{
	while (e->nclosing > 0)
		(void)close(e->closing[--e->nclosing]);
}
