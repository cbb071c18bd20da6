/* SPDX-License-Identifier: ISC */
/* Tells the neighbours where an address is: gratuitous ARP, unsolicited NA. */
#ifndef VIP_ANNOUNCE_H
#define VIP_ANNOUNCE_H

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <stdbool.h>
#include <stdint.h>

#include <carp/carp.h>

#define ANN_BATCH 256 /* frames in one system call */
#define ANN_FRAME 86  /* Ethernet, IPv6, NA, one option */

struct announcer {
	int fd;	    /* -1: not open */
	unsigned n; /* waiting to be sent */
	struct mmsghdr *msg;
	struct iovec *iov;
	struct sockaddr_ll *to;
	uint8_t (*frame)[ANN_FRAME];
};

/* -EPERM without CAP_NET_RAW.  Does nothing when it is open already. */
int announce_open(struct announcer *);
void announce_close(struct announcer *);

/* Full when n is ANN_BATCH.  router: the node forwards IPv6. */
void announce_add(struct announcer *, unsigned ifindex, const uint8_t mac[6],
    bool router, const struct carp_addr *);

/*
 * Sends from frame `from` on; returns how many were sent, or the error of
 * the first.
 */
int announce_send(struct announcer *, unsigned from);

#endif
