/* SPDX-License-Identifier: ISC */
/* Tells the neighbours where an address is: gratuitous ARP, unsolicited NA. */
#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "announce.h"
#include "state.h"

#define ANN_BUFFER (4 * 1024 * 1024) /* of frames on their way */
#define RESEND	   (10 * CARP_SEC / 1000)
#define PER_FRAME  (8 * CARP_SEC / 1000000)
#define NEXT_BURST (2 * CARP_SEC / 1000)
#define SEND_TRIES 50 /* without any frame getting out */

/* RFC 826, RFC 5227: a request for the address by its owner. */
enum {
	ARP_LEN = 28,
	ARP_SHA = 8,
	ARP_SPA = 14,
	ARP_TPA = 24,
};

/* RFC 8200, RFC 4861 section 4.4. */
enum {
	IP6_LEN = 40,
	IP6_SRC = 8,
	IP6_DST = 24,
	NA_LEN = 32, /* with one option */
	NA_SUM = 2,
	NA_FLAGS = 4,
	NA_TARGET = 8,
	NA_OPT = 24,
	NA_TYPE = 136,
	NA_ROUTER = 0x80,
	NA_OVERRIDE = 0x20,
	OPT_TARGET_LLADDR = 2,
	NEXT_ICMP6 = 58,
};

int
announce_open(struct announcer *a)
{
	const int size = ANN_BUFFER;
	int rc;

	if (a->fd != -1)
		return 0;
	a->msg = calloc(ANN_BATCH, sizeof(*a->msg));
	a->iov = calloc(ANN_BATCH, sizeof(*a->iov));
	a->to = calloc(ANN_BATCH, sizeof(*a->to));
	a->frame = calloc(ANN_BATCH, sizeof(*a->frame));
	if (a->msg == NULL || a->iov == NULL || a->to == NULL ||
	    a->frame == NULL) {
		announce_close(a);
		return -ENOMEM;
	}
	/* protocol 0: receives nothing */
	a->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->fd == -1) {
		rc = -errno;
		announce_close(a);
		return rc;
	}
	if (setsockopt(
		a->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) == -1)
		(void)setsockopt(
		    a->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}

void
announce_close(struct announcer *a)
{
	if (a->fd != -1)
		(void)close(a->fd); /* nothing is lost with it */
	free(a->msg);
	free(a->iov);
	free(a->to);
	free(a->frame);
	memset(a, 0, sizeof(*a));
	a->fd = -1;
}

static size_t
put_arp(uint8_t *frame, const uint8_t mac[6], const struct carp_addr *addr)
{
	static const uint8_t head[ARP_SHA] = { 0, 1, 8, 0, 6, 4, 0, 1 };
	uint8_t *p = frame + ETHER_HDR_LEN;

	memset(frame, 0xff, ETHER_ADDR_LEN);
	memset(p, 0, ARP_LEN);
	memcpy(p, head, sizeof(head));
	memcpy(p + ARP_SHA, mac, 6);
	memcpy(p + ARP_SPA, addr->ip, 4);
	memcpy(p + ARP_TPA, addr->ip, 4);
	return ETHER_HDR_LEN + ARP_LEN;
}

static uint32_t
sum16(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	return sum;
}

/* Over both addresses, length, next header and message. */
static void
put_icmp6_sum(uint8_t *ip, uint8_t *na)
{
	uint32_t sum =
	    sum16(ip + IP6_SRC, 32) + NA_LEN + NEXT_ICMP6 + sum16(na, NA_LEN);

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	na[NA_SUM] = (uint8_t)(~sum >> 8);
	na[NA_SUM + 1] = (uint8_t)~sum;
}

static size_t
put_na(uint8_t *frame, const uint8_t mac[6], bool router,
    const struct carp_addr *addr)
{
	static const uint8_t to[ETHER_ADDR_LEN] = { 0x33, 0x33, 0, 0, 0, 1 };
	static const uint8_t head[IP6_SRC] = { 0x60, 0, 0, 0, 0, NA_LEN,
		NEXT_ICMP6, CARP_TTL };
	uint8_t *ip = frame + ETHER_HDR_LEN, *na = ip + IP6_LEN;

	memcpy(frame, to, sizeof(to));
	memset(ip, 0, IP6_LEN + NA_LEN);
	memcpy(ip, head, sizeof(head));
	memcpy(ip + IP6_SRC, addr->ip, 16);
	ip[IP6_DST] = 0xff; /* ff02::1 */
	ip[IP6_DST + 1] = 0x02;
	ip[IP6_DST + 15] = 0x01;
	na[0] = NA_TYPE;
	na[NA_FLAGS] = NA_OVERRIDE | (router ? NA_ROUTER : 0);
	memcpy(na + NA_TARGET, addr->ip, 16);
	na[NA_OPT] = OPT_TARGET_LLADDR;
	na[NA_OPT + 1] = 1; /* times 8 bytes */
	memcpy(na + NA_OPT + 2, mac, 6);
	put_icmp6_sum(ip, na);
	return ETHER_HDR_LEN + IP6_LEN + NA_LEN;
}

/* Full when n is ANN_BATCH.  router: the node forwards IPv6. */
static void
add(struct announcer *a, unsigned ifindex, const uint8_t mac[6], bool router,
    const struct carp_addr *addr)
{
	uint16_t type =
	    htons(addr->family == 4 ? ETHERTYPE_ARP : ETHERTYPE_IPV6);
	unsigned i = a->n++;
	uint8_t *frame = a->frame[i];
	size_t len = addr->family == 4 ? put_arp(frame, mac, addr)
				       : put_na(frame, mac, router, addr);

	memcpy(frame + ETHER_ADDR_LEN, mac, 6);
	memcpy(frame + 2 * ETHER_ADDR_LEN, &type, sizeof(type));
	memset(&a->to[i], 0, sizeof(a->to[i]));
	a->to[i].sll_family = AF_PACKET;
	a->to[i].sll_protocol = type;
	a->to[i].sll_ifindex = (int)ifindex;
	a->to[i].sll_halen = ETHER_ADDR_LEN;
	memcpy(a->to[i].sll_addr, frame, ETHER_ADDR_LEN);
	a->iov[i].iov_base = frame;
	a->iov[i].iov_len = len;
	memset(&a->msg[i], 0, sizeof(a->msg[i]));
	a->msg[i].msg_hdr.msg_name = &a->to[i];
	a->msg[i].msg_hdr.msg_namelen = sizeof(a->to[i]);
	a->msg[i].msg_hdr.msg_iov = &a->iov[i];
	a->msg[i].msg_hdr.msg_iovlen = 1;
}

/* Returns how many were sent, or the error of the first. */
static int
send_from(struct announcer *a, unsigned from)
{
	int n;

	do
		n = sendmmsg(a->fd, a->msg + from, a->n - from, 0);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -errno : n;
}

/* Sends what is in the announcer, of the sets that `who` names. */
static bool
flush(struct vip *v, struct vip_want **who)
{
	struct announcer *a = &v->ann;
	bool room = true;
	unsigned i = 0;

	while (i < a->n && room) {
		int n = send_from(a, i);

		room = n != -ENOBUFS && n != -EAGAIN;
		for (int k = 0; k < n; k++) {
			who[i]->announce = false;
			who[i]->set->announced++;
			who[i++]->set->tries = 0;
		}
		/* the link is down: when it returns, the caller tells */
		if (n < 0 && room)
			who[i++]->announce = false;
	}
	a->n = 0;
	return room;
}

/*
 * A burst at once, and then no more than queues on the way take in: the first
 * thousand frames fill the receive queue of a processor, and are more than a
 * busy client or the processor of a switch may have time for.
 */
static void
refill(struct announcer *a, uint64_t now)
{
	uint64_t n = (now - a->filled) / PER_FRAME;

	if (n == 0)
		return;
	a->tokens =
	    n < ANN_BURST - a->tokens ? a->tokens + (unsigned)n : ANN_BURST;
	a->filled = now;
}

/* The link or the address is not there, or another node has it. */
static bool
is_pointless(const struct vip_want *w, const struct mon_link *l)
{
	const struct vip_set *s = w->set;
	const struct mon_link *base = mon_link(&s->v->mon, s->ifindex);

	return !s->up || l == NULL || base == NULL ||
	       (w->at != l->ifindex && w->reach != l->ifindex) ||
	       l->type != ARPHRD_ETHER || !(base->flags & IFF_UP);
}

/* It will be added, and is announced then. */
static bool
is_awaited(const struct vip_want *w)
{
	const struct vip_set *s = w->set;

	return s->up && w->at == 0 && w->reach == 0 &&
	       (size_t)(w - s->wants) >= s->planned;
}

/* False: what is left has to wait. */
static bool
announce_set(struct vip_set *s, struct vip_want **who)
{
	struct announcer *a = &s->v->ann;
	const struct mon_link *l = mon_link(&s->v->mon, set_device(s));

	for (size_t i = 0; i < s->nwants; i++) {
		struct vip_want *w = &s->wants[i];

		if (!w->announce || is_awaited(w))
			continue;
		if (is_pointless(w, l)) {
			w->announce = false;
			continue;
		}
		if (a->tokens == 0)
			return false;
		a->tokens--;
		who[a->n] = w;
		add(a, l->ifindex, l->mac, l->forwarding, &w->addr);
		if (a->n == ANN_BATCH && !flush(s->v, who))
			return false;
	}
	return true;
}

/* What found no room: soon again, but not for ever. */
static void
put_off(struct vip_set *s, bool full, uint64_t now)
{
	bool waits = false;

	for (size_t i = 0; i < s->nwants; i++) {
		struct vip_want *w = &s->wants[i];

		if (w->announce && full && s->tries >= SEND_TRIES)
			w->announce = false;
		waits = waits || (w->announce && !is_awaited(w));
	}
	if (waits) {
		s->tries += full;
		s->resend = now + (full ? RESEND : NEXT_BURST);
	}
}

void
announce_all(struct vip *v)
{
	struct vip_want *who[ANN_BATCH];
	uint64_t now = vip_clock();
	struct vip_set *s;
	bool room = true, full;

	refill(&v->ann, now);
	TAILQ_FOREACH(s, &v->todo, todo)
	if (room)
		room = announce_set(s, who);
	full = !flush(v, who) || (!room && v->ann.tokens > 0);
	if (room && !full)
		return;
	TAILQ_FOREACH(s, &v->todo, todo)
	put_off(s, full, now);
}
