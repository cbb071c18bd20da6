/* SPDX-License-Identifier: ISC */
/* The lease that is a packet filter: silence, unless it is renewed. */
#ifndef VIP_GUARD_H
#define VIP_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "nl.h"

struct carp_addr;
struct vip;
struct vip_set;

struct guard {
	struct nl nl;
	struct nl_batch batch;
	void **what; /* what[i]: the want of request i, or NULL */
	bool open;
};

/* The tables, made if they are not there.  What the kernel lacks: an error. */
int guard_open(struct vip *);

/* The tables go if nobody uses them any more. */
void guard_close(struct vip *);

/* Shortest lease in ms that is a lease: the kernel's clock ticks. */
uint32_t guard_shortest(void);

/* Before addresses come: theirs is put in place, and leases are renewed. */
int guard_before(struct vip *);

/* After addresses have gone: theirs goes. */
void guard_after(struct vip *);

/* All of this set goes, whatever it wishes. */
void guard_forget(struct vip_set *);

/* Does something of ours silence this address in time? */
bool guard_has(const struct vip *, const struct carp_addr *);

/* What a dead process has left; may() says what may be taken. */
int guard_sweep(struct vip *,
    bool (*may)(const void *arg, const struct carp_addr *), const void *arg);

#endif
