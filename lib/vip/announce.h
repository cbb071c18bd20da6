/* SPDX-License-Identifier: ISC */
/* Tells the neighbours where an address is: gratuitous ARP, unsolicited NA. */
#ifndef VIP_ANNOUNCE_H
#define VIP_ANNOUNCE_H

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <stdbool.h>
#include <stdint.h>

#include <carp/carp.h>

#define ANN_BURST 512	    /* frames at once */
#define ANN_BATCH ANN_BURST /* in one system call */
#define ANN_FRAME 86	    /* Ethernet, IPv6, NA, one option */

struct vip;

struct announcer {
	int fd;		 /* -1: not open */
	unsigned n;	 /* waiting to be sent */
	unsigned tokens; /* frames that may be sent at once */
	uint64_t filled; /* when there were so many */
	struct mmsghdr *msg;
	struct iovec *iov;
	struct sockaddr_ll *to;
	uint8_t (*frame)[ANN_FRAME];
};

/* -EPERM without CAP_NET_RAW.  Does nothing when it is open already. */
int announce_open(struct announcer *);
void announce_close(struct announcer *);

/*
 * Sends what the queued sets want announced and is there; what finds no room,
 * or comes in too large a crowd, waits.
 */
void announce_all(struct vip *);

#endif
