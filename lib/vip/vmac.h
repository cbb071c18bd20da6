/* SPDX-License-Identifier: ISC */
/* The virtual MAC: a macvlan beside the interface, with ARP kept apart. */
#ifndef VIP_VMAC_H
#define VIP_VMAC_H

#include <stdbool.h>
#include <stdint.h>

struct mon_link;
struct nl_batch;
struct vip_set;

/*
 * Makes the link of the set, down; one that a dead process left goes, with all
 * that is on it.  Needs the interface; uses the batch of the vip.  Sets
 * s->vmac.
 */
int vmac_make(struct vip_set *);

/*
 * Removes the link, unless another set has it, too, and puts the interface's
 * ARP settings back.
 */
void vmac_drop(struct vip_set *);
bool vmac_is_shared(const struct vip_set *);

/* The interface has vanished: nothing to put back. */
void vmac_forget(struct vip_set *);

/* Was this link made here, by whatever process? */
bool vmac_is_ours(const struct mon_link *);

/* Adds to a batch: the removal of such a link, and of what it changed. */
void vmac_put_delete(struct nl_batch *, const struct mon_link *);
void vmac_put_restore(struct nl_batch *, const struct mon_link *);

/* Adds to a batch: the link goes up or down. */
void vmac_put_state(struct nl_batch *, unsigned ifindex, bool up);

/* Adds to a batch: IPv4 settings of an interface, ends with id 0. */
struct vmac_setting {
	int id; /* IPV4_DEVCONF_... */
	uint32_t value;
};

void vmac_put_settings(struct nl_batch *, unsigned ifindex, const char *name,
    const struct vmac_setting *);

#endif
