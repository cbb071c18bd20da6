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

/* It is to be, and nobody else has it. */
bool plan_is_wanted(const struct vip_want *);

/*
 * What must not wait: links up or down, and all changes of addresses that are
 * there.  Adds to the batch.
 */
void plan_changes(struct vip_set *, uint64_t now);

/*
 * What may come little by little: at most max addresses that are not there.
 * Goes on where it stopped in the set; false: the set has no more.
 */
bool plan_news(struct vip_set *, unsigned max, uint64_t now);

/* The kernel, or a filter, does not want it. */
void plan_refused(struct vip_want *, int error, uint64_t now);

#endif
