/* SPDX-License-Identifier: ISC */
/* Requests to the kernel's routing socket: many in one go, each answered. */
#ifndef VIP_NL_H
#define VIP_NL_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <carp/carp.h>

struct mnl_socket;

struct nl {
	struct mnl_socket *sock;
	char *reply;	      /* NL_REPLY bytes */
	uint32_t portid, seq; /* seq: of the last request sent */
	size_t max_bytes;     /* that one send may have */
	unsigned max_msgs;    /* whose answers fit the buffer */
};

/*
 * Requests that are collected, sent by nl_commit(), and answered in rc[].
 * Running out of room sticks and is reported by nl_commit().
 */
struct nl_batch {
	char *buf;
	int *rc;	      /* rc[i]: answer to request i */
	struct nlmsghdr *cur; /* being written */
	size_t size, len;     /* len <= size */
	unsigned max, n;      /* n <= max */
	bool overflow;
};

int nl_open(struct nl *, int bus); /* NETLINK_... */
void nl_shut(struct nl *);

/* Room for so many requests of the size of an address; never shrinks. */
int nl_reserve(struct nl_batch *, unsigned msgs);
void nl_release(struct nl_batch *);
void nl_reset(struct nl_batch *);

/* A request with a fixed head of len bytes, which is returned zeroed. */
void *nl_begin(struct nl_batch *, uint16_t type, uint16_t flags, size_t len);
void nl_put(struct nl_batch *, uint16_t type, const void *, size_t len);
void nl_put_u32(struct nl_batch *, uint16_t type, uint32_t);
size_t nl_nest(struct nl_batch *, uint16_t type);
void nl_unnest(struct nl_batch *, size_t nest);

/*
 * Sends all and waits for the answers.  0 if every request was answered,
 * whatever the answers are.
 */
int nl_commit(struct nl *, struct nl_batch *);

/*
 * The same for a transaction, of which the first and the last request are the
 * frame.  Returns the first error of all; then nothing was done.
 */
int nl_transact(struct nl *, struct nl_batch *);

/* The number that the kernel gives back with request i of this batch. */
uint32_t nl_seq(const struct nl *, unsigned i);

/*
 * Asks for one thing (flags 0) or for all of a kind (NLM_F_DUMP): the request
 * is the only one of the batch.  fn is called for each message.  -EINTR: what
 * was read is not of one moment, ask again.
 */
int nl_query(struct nl *, struct nl_batch *,
    void (*fn)(void *arg, const struct nlmsghdr *), void *arg);

/* A request to add (or to replace), or to delete an address. */
struct nl_ifaddr {
	unsigned ifindex;
	const struct carp_addr *addr; /* its prefix length is not used */
	uint8_t prefix;
	uint16_t flags; /* NLM_F_EXCL or NLM_F_REPLACE */
	uint32_t valid; /* seconds, UINT32_MAX for ever */
	uint32_t table; /* of its route to itself */
	bool tentative; /* IPv6: has no use before its link is up */
};

void nl_add_addr(struct nl_batch *, const struct nl_ifaddr *);
void nl_del_addr(struct nl_batch *, const struct nl_ifaddr *);

/*
 * A request to add, or delete, the route that an address has to itself: of IPv4
 * the kernel's own, of IPv6 one of ours beside it, which ends by itself after
 * a->valid seconds.
 */
void nl_add_local(struct nl_batch *, const struct nl_ifaddr *);
void nl_del_local(struct nl_batch *, const struct nl_ifaddr *);

/* Linux 5.18; the headers that build us may be older. */
#define NL_IFA_PROTO 11

#endif
