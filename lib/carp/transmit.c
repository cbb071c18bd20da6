/* SPDX-License-Identifier: ISC */
/*
 * Advertisements: collected, sent in one go, and watched for failure.
 */
#include <linux/if_ether.h>

#include <errno.h>
#include <string.h>

#include "engine.h"
#include "raw.h"

#define SNDBUF	 (4 * 1024 * 1024) /* a burst of thousands */
#define PRIORITY 7		   /* TC_PRIO_CONTROL */
#define MANY	 3		   /* failures, or successes, in a row */
#define FORGIVEN (10 * CARP_SEC)   /* failures, if nothing is sent */
#define TYPE_AT	 12		   /* of an Ethernet header */

/* Of an address family: what stands before its packets. */
static const struct ether {
	uint8_t group[6];
	uint16_t type;
} ethers[2] = {
	{ { 0x01, 0x00, 0x5e, 0x00, 0x00, 0x12 }, ETH_P_IP },
	{ { 0x33, 0x33, 0x00, 0x00, 0x00, 0x12 }, ETH_P_IPV6 },
};

/* Ties together what stays tied. */
static void
prepare(struct outbox *o)
{
	for (unsigned n = 0; n < SEND_BATCH; n++) {
		struct msghdr *m = &o->msg[n].msg_hdr;

		o->iov[n].iov_base = o->frame[n].data;
		m->msg_iov = &o->iov[n];
		m->msg_iovlen = 1;
		m->msg_name = &o->to[n];
		m->msg_namelen = sizeof(o->to[n]);
		o->to[n].sll_family = AF_PACKET;
		o->to[n].sll_halen = 6;
	}
}

int
transmit_open(struct carp_engine *e)
{
	int size = SNDBUF, prio = PRIORITY;

	e->packet =
	    socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (e->packet < 0)
		return -errno;
	/* Both make bursts safer, and are not needed for few hosts. */
	(void)setsockopt(
	    e->packet, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	(void)setsockopt(
	    e->packet, SOL_SOCKET, SO_PRIORITY, &prio, sizeof(prio));
	prepare(&e->early);
	prepare(&e->late);
	return 0;
}

/* For the families of these peers, once. */
int
transmit_open_raw(
    struct carp_engine *e, const struct carp_addr *peers, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		int *fd = peers[k].family == 4 ? &e->raw4 : &e->raw6;
		int rc = *fd >= 0 ? *fd : raw_open(peers[k].family);

		if (rc < 0)
			return rc;
		*fd = rc;
	}
	return 0;
}

/* The lease follows the interval, and that what demotes us. */
static void
renew(struct carp_host *h)
{
	struct carp_info info;
	uint32_t ms;

	if (h->lease == VIP_LEASE_GUARD) {
		carp_get_info(h->carp, &info);
		ms = host_config_guard_ms(info.advbase, info.interval);
		if (ms != h->lease_ms &&
		    vip_set_lease(h->set, VIP_LEASE_GUARD, ms) == 0)
			h->lease_ms = ms;
	}
	if (h->lease != VIP_LEASE_OFF)
		vip_set_renew(h->set);
}

/* Only notes: acting could send, and this is in the midst of sending. */
static void
note_result(struct carp_host *h, bool bowout, int rc, uint64_t now)
{
	struct iface *i = h->iface;

	i->tried = now;
	if (rc == 0) {
		i->worked++;
		i->failed = 0;
		if (!bowout)
			renew(h);
		return;
	}
	h->oerrors++;
	i->failed++;
	i->worked = 0;
	i->error = rc;
}

static void
send_to_peers(const struct frame *f, uint64_t now)
{
	const struct carp_addr *peer = host_config_peers(f->host);
	struct iface *i = f->host->iface;
	int fd = f->family == 4 ? i->engine->raw4 : i->engine->raw6;

	for (size_t n = 0; n < f->host->npeers; n++) {
		struct carp_addr from;
		uint8_t ip[CARP_IP_MAX];
		size_t len;

		if (peer[n].family != f->family)
			continue;
		from = iface_source(i, &peer[n]);
		from.family = f->family; /* there may be none: zero */
		len = carp_ip_encode(ip, &from, &peer[n], f->data);
		note_result(f->host, f->bowout,
		    raw_send(fd, i->link.ifindex, &peer[n], ip, len), now);
	}
}

/* As many as one call takes; an error is that of the first one. */
static unsigned
send_frames(int fd, struct outbox *o, unsigned first, uint64_t now)
{
	unsigned end = first;
	int n, rc;

	while (end < o->n && !o->frame[end].unicast)
		end++;
	n = sendmmsg(fd, &o->msg[first], end - first, 0);
	rc = n > 0 ? 0 : n < 0 ? -errno : -EIO;
	if (rc == -EINTR)
		return 0;
	end = first + (rc == 0 ? (unsigned)n : 1);
	for (unsigned k = first; k < end; k++)
		note_result(o->frame[k].host, o->frame[k].bowout, rc, now);
	return end - first;
}

void
transmit_flush(struct carp_engine *e, struct outbox *o, uint64_t now)
{
	unsigned done = 0;

	while (done < o->n) {
		if (o->frame[done].unicast)
			send_to_peers(&o->frame[done++], now);
		else
			done += send_frames(e->packet, o, done, now);
	}
	o->n = 0;
}

static void
write_frame(struct outbox *o, const struct carp_action *a)
{
	const struct ether *ether = &ethers[a->family == 6];
	struct frame *f = &o->frame[o->n];
	struct sockaddr_ll *sll = &o->to[o->n];
	struct iface *i = f->host->iface;
	struct carp_addr to = carp_group(a->family);
	struct carp_addr from = iface_source(i, &to);

	from.family = a->family; /* there may be none: zero */
	memcpy(f->data, ether->group, 6);
	carp_vmac(f->data + 6, f->host->vhid);
	f->data[TYPE_AT] = (uint8_t)(ether->type >> 8);
	f->data[TYPE_AT + 1] = (uint8_t)ether->type;
	o->iov[o->n].iov_len = ETHER_LEN + carp_ip_encode(f->data + ETHER_LEN,
					       &from, &to, a->advert);
	sll->sll_ifindex = (int)i->link.ifindex;
	sll->sll_protocol = htons(ether->type);
	memcpy(sll->sll_addr, ether->group, 6);
}

void
transmit_queue(
    struct carp_host *h, const struct carp_action *a, bool late, uint64_t now)
{
	struct carp_engine *e = h->iface->engine;
	struct outbox *o = late ? &e->late : &e->early;
	struct frame *f;

	if (o->n == SEND_BATCH) {
		if (late) /* its error is seen again with the next one */
			(void)vip_commit(e->vip, now);
		transmit_flush(e, o, now);
	}
	f = &o->frame[o->n];
	f->host = h;
	f->family = a->family;
	f->bowout = a->bowout;
	f->unicast = h->npeers > 0;
	if (f->unicast)
		memcpy(f->data, a->advert, CARP_LEN);
	else
		write_frame(o, a);
	o->n++;
}

void
transmit_review(struct iface *i, uint64_t now)
{
	if (!i->bad && i->failed >= MANY) {
		i->bad = true;
		condition_iface(i, CARP_COND_SEND, now,
		    "cannot send on %s: "
		    "%s; demoted until it works again",
		    i->name, strerror(-i->error));
		demote_for_iface(i, "send", true, now);
	} else if (i->bad &&
		   (i->worked >= MANY || now - i->tried >= FORGIVEN)) {
		transmit_forget(i, now);
	}
	if (i->bad)
		engine_chores_by(i->engine, i->tried + FORGIVEN);
}

void
transmit_forget(struct iface *i, uint64_t now)
{
	i->failed = i->worked = 0;
	if (!i->bad)
		return;
	i->bad = false;
	condition_iface_end(i, CARP_COND_SEND, now);
	demote_for_iface(i, "send", false, now);
}
