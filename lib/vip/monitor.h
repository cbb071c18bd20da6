/* SPDX-License-Identifier: ISC */
/* Links and addresses of the kernel, kept up to date by its notifications. */
#ifndef VIP_MONITOR_H
#define VIP_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

#include <carp/vip.h>

#define MON_BUCKETS 256
#define MON_ALIAS   64

struct nl_sock;
struct nlmsghdr;
struct vip;

/* An address of the interface that is not ours.  In the kernel's order. */
struct mon_addr {
	struct mon_addr *next;
	struct carp_addr addr; /* with the prefix length */
	struct carp_addr net;  /* its subnet, or that of its peer */
	uint32_t flags;	       /* IFA_F_... */
	bool seen;
};

struct mon_link {
	struct mon_link *next;
	char name[VIP_IFNAMSIZ];
	char alias[MON_ALIAS];
	unsigned ifindex, parent; /* parent: ifindex, 0: none */
	unsigned flags;		  /* IFF_... */
	uint16_t type;		  /* ARPHRD_... */
	uint8_t operstate;
	uint8_t mac[6]; /* zero unless Ethernet */
	bool macvlan, forwarding, seen;
	bool no_vmac;	/* of a kind that cannot carry another MAC */
	unsigned vrf;	/* ifindex of that it belongs to; 0: none */
	uint32_t table; /* of the routes to its own addresses */
	uint32_t arp_ignore, arp_announce; /* when it was last read */
	struct mon_addr *own;
};

/* An address in a message. */
struct mon_addr_msg {
	struct carp_addr addr, net;
	unsigned ifindex;
	uint32_t flags, portid, seq;
	uint32_t table; /* of a route */
	bool told;	/* the kernel says who made an address */
	bool tagged;	/* and this one is ours */
};

struct mon {
	struct nl_sock *sock;
	struct mon_link *bucket[MON_BUCKETS];
	enum { TAGS_UNKNOWN, TAGS_SHOWN, TAGS_HIDDEN } tags;
	bool muted;	/* our own additions are not told */
	bool rereading; /* messages are of a dump */
	int error;	/* of a message that was being read */
};

int mon_open(struct vip *);
void mon_close(struct vip *);
int mon_fd(const struct mon *);

/* Reads what has come.  -ENOBUFS: something was lost, read all again. */
int mon_read(struct vip *);
int mon_reread(struct vip *);

struct mon_link *mon_link(const struct mon *, unsigned ifindex);
struct mon_link *mon_link_named(const struct mon *, const char *name);

/* Goes through all: NULL starts and ends. */
struct mon_link *mon_each(const struct mon *, const struct mon_link *after);

/* Up, with carrier. */
bool mon_is_up(const struct mon_link *);

/* The first one that can be used as a source. */
const struct mon_addr *mon_source(const struct mon_link *, uint8_t family);

/* parse.c.  What a message does not say of a link stays as it was. */
bool parse_addr(struct mon_addr_msg *ret, const struct nlmsghdr *);
bool parse_link(struct mon_link *ret, const struct nlmsghdr *);

/* True: one of ours, of an IPv6 address to itself. */
bool parse_route(struct mon_addr_msg *ret, const struct nlmsghdr *);

#endif
