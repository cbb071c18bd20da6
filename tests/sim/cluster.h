/* SPDX-License-Identifier: ISC */
/* A cluster, drawn from the seed of a world. */
#ifndef SIM_CLUSTER_H
#define SIM_CLUSTER_H

#include "world.h"

struct cluster {
	bool mixed;    /* both families */
	bool models;   /* others than ours */
	bool changes;  /* the address list is to change */
	bool misled;   /* not told that peers are OpenBSD */
	bool fast;     /* base 0 */
	uint64_t unit; /* the longest time-out: the measure of all times */
};

/* Fills w->node[] and the wires. */
void cluster_make(struct cluster *, struct world *);

/* Text that is an address. */
void cluster_parse(struct carp_addr *ret, const char *text);

#endif
