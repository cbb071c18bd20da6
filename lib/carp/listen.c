/* SPDX-License-Identifier: ISC */
/*
 * Listening on an interface: a filtered capture, and membership of the groups
 * so that its multicast filter and the switches let the packets through.
 */
#include <linux/if_ether.h>
#include <net/if.h>
#include <sys/epoll.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"

#define FILTER	"ip proto 112 or ip6 proto 112"
#define SNAPLEN 256
#define BUFFER	(256 * 1024) /* some 600 packets */

static const uint8_t group_mac[2][6] = {
	{ 0x01, 0x00, 0x5e, 0x00, 0x00, 0x12 },
	{ 0x33, 0x33, 0x00, 0x00, 0x00, 0x12 },
};

int
listen_filter(struct bpf_program *ret)
{
	pcap_t *p = pcap_open_dead(DLT_EN10MB, SNAPLEN);
	int rc = 0;

	if (p == NULL)
		return -ENOMEM;
	if (pcap_compile(p, ret, FILTER, 1, PCAP_NETMASK_UNKNOWN) != 0)
		rc = -EINVAL;
	pcap_close(p);
	return rc;
}

static int
pcap_errno(int rc)
{
	switch (rc) {
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return -EPERM;
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return -ENODEV;
	case PCAP_ERROR_IFACE_NOT_UP:
		return -ENETDOWN;
	default:
		return -EIO;
	}
}

static int
activate(pcap_t *p, struct bpf_program *filter)
{
	char why[PCAP_ERRBUF_SIZE];
	int rc, on = 1;

	(void)pcap_set_snaplen(p, SNAPLEN); /* fail only when active */
	(void)pcap_set_promisc(p, 0);
	(void)pcap_set_immediate_mode(p, 1);
	(void)pcap_set_buffer_size(p, BUFFER);
	if ((rc = pcap_activate(p)) < 0)
		return pcap_errno(rc);
	if (pcap_datalink(p) != DLT_EN10MB)
		return -EPROTONOSUPPORT;
	if (pcap_setnonblock(p, 1, why) != 0 ||
	    pcap_setdirection(p, PCAP_D_IN) != 0 ||
	    pcap_setfilter(p, filter) != 0)
		return -EIO;
	/* Saves a wake-up for all that we send; the direction is enough. */
	(void)setsockopt(pcap_fileno(p), SOL_PACKET, PACKET_IGNORE_OUTGOING,
	    &on, sizeof(on));
	return 0;
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
	char why[PCAP_ERRBUF_SIZE];
	int rc;

	if ((i->pcap = pcap_create(i->name, why)) == NULL)
		return -ENOMEM;
	rc = activate(i->pcap, &i->engine->filter);
	if (rc == 0 && epoll_ctl(i->engine->epoll, EPOLL_CTL_ADD,
			   pcap_get_selectable_fd(i->pcap), &ev) != 0)
		rc = -errno;
	if (rc != 0) {
		pcap_close(i->pcap);
		i->pcap = NULL;
		return rc;
	}
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

	if (i->pcap == NULL)
		return;
	(void)epoll_ctl(
	    e->epoll, EPOLL_CTL_DEL, pcap_get_selectable_fd(i->pcap), NULL);
	if (e->nclosing == CLOSING_MAX)
		listen_reap(e);
	e->closing[e->nclosing++] = i->pcap;
	i->pcap = NULL;
	i->ready = false;
	set_mac_filter(i, PACKET_DROP_MEMBERSHIP); /* gone with a dead one */
	leave(i);
}

void
listen_reap(struct carp_engine *e)
{
	while (e->nclosing > 0)
		pcap_close(e->closing[--e->nclosing]);
}
