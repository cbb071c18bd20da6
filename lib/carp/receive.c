/* SPDX-License-Identifier: ISC */
/*
 * From received frames to the virtual hosts that they are for.
 */
#include <linux/if_ether.h>
#include <sys/epoll.h>

#include <errno.h>
#include <string.h>

#include "engine.h"

#define MOST   128 /* batches of an interface in one go: more than wait */
#define READY  64  /* descriptors in one look */
#define VID(t) ((t)&0x0fff)

/* A frame, with what the kernel says of it. */
struct received {
	const uint8_t *data;
	size_t len;
	uint64_t at; /* when it came; <= now */
	uint64_t now;
};

/* Ties together what stays tied. */
void
receive_open(struct carp_engine *e)
{
	struct inbox *in = &e->in;

	for (unsigned n = 0; n < RECV_BATCH; n++) {
		in->iov[n].iov_base = in->data[n];
		in->iov[n].iov_len = SNAPLEN;
		in->msg[n].msg_hdr.msg_iov = &in->iov[n];
		in->msg[n].msg_hdr.msg_iovlen = 1;
		in->msg[n].msg_hdr.msg_name = &in->from[n];
		in->msg[n].msg_hdr.msg_control = &in->control[n];
	}
}

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
take(
    struct carp_host *h, const struct carp_packet *p, uint64_t at, uint64_t now)
{
	enum carp_verdict v;

	if (carp_packet_late(h->carp, p, &v, at, now) != 0)
		return; /* cannot be: nothing pends */
	if (v == CARP_OK) {
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
read_packet(struct iface *i, const struct received *r, size_t from)
{
	struct carp_packet p;
	enum carp_verdict v = carp_decode(&p, r->data + from, r->len - from);
	struct carp_host *h = i->host[p.vhid]; /* [0] is never used */

	if (v == CARP_OK && h == NULL)
		v = CARP_BADVHID;
	else if (v == CARP_OK && !is_admitted(h, &p))
		v = CARP_BADADDR;
	if (v == CARP_OK)
		take(h, &p, r->at, r->now);
	else
		refuse(i, &p, v, r->now);
}

static void
read_frame(struct iface *i, const struct received *r)
{
	unsigned type;

	if (r->len < ETHER_LEN + 4)
		return;
	if ((r->data[0] & 1) == 0 && memcmp(r->data, i->link.mac, 6) != 0)
		return; /* for another station: somebody is promiscuous */
	type = (unsigned)r->data[12] << 8 | r->data[13];
	if (type == ETH_P_IP || type == ETH_P_IPV6)
		read_packet(i, r, ETHER_LEN);
}

/* ns on the wall clock, which stamps packets. */
static int64_t
wall_ns(const struct timespec *ts)
{
	return (int64_t)ts->tv_sec * (int64_t)CARP_SEC + ts->tv_nsec;
}

/*
 * When it came, by our clock: `wall` is what the wall clock shows now.  A
 * packet from its future, as it was set back, has come just now.
 */
static uint64_t
came_at(const struct cmsghdr *c, int64_t wall, uint64_t now)
{
	struct timespec ts;
	int64_t age;

	memcpy(&ts, CMSG_DATA(c), sizeof(ts));
	age = wall - wall_ns(&ts);
	if (age < 0)
		return now;
	return (uint64_t)age < now ? now - (uint64_t)age : 0;
}

/*
 * Reads what stands beside a frame.  False: it is not for this interface.  One
 * with a VLAN tag is another interface's, unless the tag only carries a
 * priority.
 */
static bool
is_ours(struct msghdr *m, const struct sockaddr_ll *from, int64_t wall,
    struct received *r)
{
	struct tpacket_auxdata aux;

	if (from->sll_pkttype == PACKET_OUTGOING)
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL;
	     c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == SOL_SOCKET &&
		    c->cmsg_type == SCM_TIMESTAMPNS &&
		    c->cmsg_len == CMSG_LEN(sizeof(struct timespec)))
			r->at = came_at(c, wall, r->now);
		if (c->cmsg_level != SOL_PACKET ||
		    c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if ((aux.tp_status & TP_STATUS_VLAN_VALID) &&
		    VID(aux.tp_vlan_tci) != 0)
			return false;
	}
	return true;
}

/* Returns how many were read, or a negative errno. */
static int
read_batch(struct iface *i, uint64_t now)
{
	struct inbox *in = &i->engine->in;
	struct timespec wall;
	int n;

	for (unsigned k = 0; k < RECV_BATCH; k++) {
		in->msg[k].msg_hdr.msg_namelen = sizeof(in->from[k]);
		in->msg[k].msg_hdr.msg_controllen = sizeof(in->control[k]);
	}
	n = recvmmsg(i->capture, in->msg, RECV_BATCH, MSG_DONTWAIT, NULL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	(void)clock_gettime(CLOCK_REALTIME, &wall); /* cannot fail */
	for (int k = 0; k < n; k++) {
		struct received r = { in->data[k], in->msg[k].msg_len, now,
			now };

		if (is_ours(
			&in->msg[k].msg_hdr, &in->from[k], wall_ns(&wall), &r))
			read_frame(i, &r);
	}
	return n;
}

/* All of it: what came last may say that nothing is to be done. */
static void
read_iface(struct iface *i, uint64_t now)
{
	int n = RECV_BATCH;

	i->ready = false;
	for (int k = 0; k < MOST && n == RECV_BATCH; k++)
		n = read_batch(i, now);
	if (n >= 0)
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
	e->news = e->news || n == READY;
	for (int k = 0; k < n; k++)
		if (ev[k].data.ptr == e)
			e->news = true;
		else if (ev[k].data.ptr != NULL)
			((struct iface *)ev[k].data.ptr)->ready = true;
	for (struct iface *i = e->ifaces; i != NULL; i = i->next)
		if (i->capture >= 0 && (i->ready || n == READY))
			read_iface(i, now);
}
