/* SPDX-License-Identifier: ISC */
/*
 * Raw sockets for unicast peers: the kernel routes, and finds the neighbour.
 */
#ifndef LIB_CARP_RAW_H
#define LIB_CARP_RAW_H

#include <carp/carp.h>

/*
 * A descriptor, or a negative errno.  It also stands for the protocol: without
 * it the kernel answers each advertisement with an ICMP error.
 */
int raw_open(uint8_t family);

/* Sends a packet with its header, through this interface.  Never blocks. */
int raw_send(int fd, unsigned ifindex, const struct carp_addr *to,
    const uint8_t *ip, size_t len);

#endif
