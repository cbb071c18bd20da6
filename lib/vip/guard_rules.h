/* SPDX-License-Identifier: ISC */
/* The packet filter of lib/vip in the kernel's language. */
#ifndef VIP_GUARD_RULES_H
#define VIP_GUARD_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "nl.h"

struct carp_addr;

/* A transaction: all of it, or nothing. */
void rules_begin(struct nl_batch *);
void rules_end(struct nl_batch *);

/* Both tables with all that is in them; -EEXIST: they are there. */
void rules_put_tables(struct nl_batch *);
void rules_put_removal(struct nl_batch *);

/* A lease that addresses can have; and its end, when none has it. */
void rules_put_lease(struct nl_batch *, uint32_t id);
void rules_put_lease_end(struct nl_batch *, uint32_t id);

/* An address has this lease, or (NULL) none. */
void rules_put_owner(
    struct nl_batch *, bool arp, const struct carp_addr *, const uint32_t *id);

/* The lease begins anew; ms 0: it has no end.  And: it ends now. */
void rules_put_alive(struct nl_batch *, uint32_t id, uint32_t ms);
void rules_put_dead(struct nl_batch *, uint32_t id);

/* All addresses that have a lease; uses the batch.  -ENOENT: no tables. */
int rules_owners(struct nl *, struct nl_batch *,
    void (*fn)(void *arg, const struct carp_addr *), void *arg);

#endif
