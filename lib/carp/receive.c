/* SPDX-License-Identifier: ISC */
/*
 * From received frames to the virtual hosts that they are for.
 */
#include <linux/if_ether.h>
#include <sys/epoll.h>

#include <errno.h>
#include <string.h>

#include "engine.h"

#define MOST   1024 /* frames of an interface in one go: more than wait */
#define READY  64   /* descriptors in one look */
#define VID(t) ((t)&0x0fff)

struct reading {
	struct iface *i;
	uint64_t now;
};

static bool
is_multicast(const struct carp_addr *a)
{
	static const uint8_t broadcast[4] = { 255, 255, 255, 255 };

	if (a->family == 6)
		return a->ip[0] == 0xff;
	return a->ip[0] >> 4 == 0xe || memcmp(a->ip, broadcast, 4) == 0;
}

/* With peers: from these and to us; without: to the group. */
static bool
is_admitted(const struct carp_host *h, const struct carp_packet *p)
{
	const struct carp_addr *peer = host_config_peers(h);

	if (is_multicast(&p->dst))
		return h->npeers == 0;
	for (size_t n = 0; n < h->npeers; n++)
		if (carp_addr_cmp(&peer[n], &p->src) == 0)
			return true;
	return false;
}

/* What the state machine never sees is counted here. */
static void
refuse(struct iface *i, const struct carp_packet *p, enum carp_verdict v,
    uint64_t now)
{
	struct carp_host *h = i->host[p->vhid];
	bool v6 = p->src.family == 6;

	if (h != NULL && (v == CARP_BADTTL || v == CARP_BADADDR)) {
		h->refused[v6]++;
		*(v == CARP_BADTTL ? &h->badttl : &h->badaddr) += 1;
	} else {
		*(v6 ? &i->stats.ipackets6 : &i->stats.ipackets) += 1;
		i->stats.drops[v]++;
	}
	if (h != NULL)
		sender_misfit(h, p, v, now);
}

static void
take(struct carp_host *h, const struct carp_packet *p, uint64_t now)
{
	enum carp_verdict v;

	if (carp_packet(h->carp, p, &v, now) != 0)
		return; /* cannot be: nothing pends */
	if (v == CARP_OK) {
		if (carp_took_demoted(h->carp))
			h->iface->engine->taken = h;
		sender_peer(h, p, now);
		engine_carry(h, now);
		sender_rival(h, p, now);
	} else if (v == CARP_BADAUTH) {
		sender_badauth(h, p, now);
	} else if (v == CARP_OWN) {
		sender_misfit(h, p, v, now);
	}
}

static void
read_packet(struct iface *i, const uint8_t *ip, size_t len, uint64_t now)
{
	struct carp_packet p;
	enum carp_verdict v = carp_decode(&p, ip, len);
	struct carp_host *h = i->host[p.vhid]; /* [0] is never used */

	if (v == CARP_OK && h == NULL)
		v = CARP_BADVHID;
	else if (v == CARP_OK && !is_admitted(h, &p))
		v = CARP_BADADDR;
	if (v == CARP_OK)
		take(h, &p, now);
	else
		refuse(i, &p, v, now);
}

/*
 * libpcap puts a VLAN tag back that the kernel took off: those frames are
 * another interface's, unless the tag only carries a priority.
 */
static void
read_frame(uint8_t *arg, const struct pcap_pkthdr *hdr, const uint8_t *data)
{
	struct reading *r = (struct reading *)(void *)arg;
	size_t len = hdr->caplen, at = ETHER_LEN;
	unsigned type;

	if (len < ETHER_LEN + 4)
		return;
	if ((data[0] & 1) == 0 && memcmp(data, r->i->link.mac, 6) != 0)
		return; /* for another station: somebody is promiscuous */
	type = (unsigned)data[12] << 8 | data[13];
	if (type == ETH_P_8021Q) {
		if (VID((unsigned)data[14] << 8 | data[15]) != 0)
			return;
		type = (unsigned)data[16] << 8 | data[17];
		at += 4;
	}
	if (type == ETH_P_IP || type == ETH_P_IPV6)
		read_packet(r->i, data + at, len - at, r->now);
}

static void
read_iface(struct iface *i, uint64_t now)
{
	struct reading r = { i, now };

	i->ready = false;
	if (pcap_dispatch(i->pcap, MOST, read_frame, (uint8_t *)&r) >= 0)
		return;
	/* It went down or away; if not, it is opened again. */
	listen_close(i);
	i->retry = now;
	engine_chores_by(i->engine, now);
}

void
receive_all(struct carp_engine *e, uint64_t now)
{
	struct epoll_event ev[READY];
	int n = epoll_wait(e->epoll, ev, READY, 0);

	if (n < 0 && errno != EINTR)
		engine_error(e, -errno, now);
	for (int k = 0; k < n; k++)
		if (ev[k].data.ptr != NULL)
			((struct iface *)ev[k].data.ptr)->ready = true;
	for (struct iface *i = e->ifaces; i != NULL; i = i->next)
		if (i->pcap != NULL && (i->ready || n == READY))
			read_iface(i, now);
}
