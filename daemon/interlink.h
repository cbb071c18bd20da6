/* SPDX-License-Identifier: ISC */
/* The interface that leads to the other node: is it there, what is it? */
#ifndef CARPD_INTERLINK_H
#define CARPD_INTERLINK_H

#include <stdbool.h>

struct interlink {
	bool exists, carrier;
	char driver[32]; /* of the kernel; "" if it does not say */
};

/* Asks the kernel; does not wait for anybody. */
void interlink_look(struct interlink *ret, const char *ifname);

/* "ETHERNET", "VETH", "BOND", ...; NULL: no interlink: "MANUAL". */
const char *interlink_kind(const struct interlink *);

#endif
