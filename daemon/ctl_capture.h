/* SPDX-License-Identifier: ISC */
/* CARP packets from an interface or a capture file, without link header. */
#ifndef CARPD_CTL_CAPTURE_H
#define CARPD_CTL_CAPTURE_H

#include <sys/time.h>

#include <stddef.h>
#include <stdint.h>

#include "ctl.h"

struct capture;

struct capture_packet {
	struct timeval time;  /* wall clock */
	const uint8_t *ip;    /* from the IP header on */
	size_t len;	      /* of what was captured */
	size_t wire;	      /* of what was sent; >= len */
	int vlan;	      /* the innermost tag, or -1 */
	const uint8_t *ether; /* source address, or NULL */
};

/*
 * From c->ifname or c->file.  They say on standard error what went wrong; of a
 * broken file the packets before the fault are given first.
 */
enum ctl_exit capture_open(struct capture **ret, const struct ctl *c);
void capture_close(struct capture *);

/*
 * The next packet of protocol 112, which lives until the next call.  ip is
 * NULL at the end: of the file, by a signal, or nobody reads the output.
 */
enum ctl_exit capture_next(struct capture *, struct capture_packet *ret);

#endif
