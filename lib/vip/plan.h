/* SPDX-License-Identifier: ISC */
/* What the kernel is to be asked for, so that it has what the sets wish. */
#ifndef VIP_PLAN_H
#define VIP_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vip_set;
struct vip_want;

/* Its addresses are to be on its link, be that up or down. */
bool plan_holds(const struct vip_set *);

/* Its macvlan is up, and has to go down. */
bool plan_parts(const struct vip_set *);

/* It is to be, and nobody else has it. */
bool plan_is_wanted(const struct vip_want *);

/*
 * What must not wait: links up or down, and all changes of addresses that are
 * there.  Adds to the batch.
 */
void plan_changes(struct vip_set *, uint64_t now);

/* Additions that are done in one go.  The arrays: of IPv4, of IPv6. */
struct plan_turn {
	uint64_t cost[2];  /* that one address is thought to have, ns */
	uint64_t limit[2]; /* if the turn has one family only, ns */
	unsigned n, most;  /* addresses; at most */
	uint64_t time;	   /* what they cost */
	uint64_t share;	   /* of the turn that is taken; or PLAN_FULL */
	uint64_t ahead;	   /* what routes of ours cost, ns */
};

#define PLAN_FULL (UINT64_C(1) << 20)

bool plan_is_full(const struct plan_turn *);

/* Routes of ours for addresses whose turn may come later. */
void plan_routes(struct vip_set *, struct plan_turn *, uint64_t now);

/*
 * What may come little by little: addresses that are not there, up to a full
 * turn.  Goes on where it stopped in the set; false: the set has no more.
 */
bool plan_news(struct vip_set *, struct plan_turn *, uint64_t now);

/* The kernel, or a filter, does not want it. */
void plan_refused(struct vip_want *, int error, uint64_t now);

#endif
