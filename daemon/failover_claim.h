/* SPDX-License-Identifier: ISC */
/* Virtual hosts that are not where the services are, and how they get there. */
#ifndef CARPD_FAILOVER_CLAIM_H
#define CARPD_FAILOVER_CLAIM_H

#include "failover.h"

/*
 * A node that serves takes hosts of which another one is master that does not:
 * an alternative that this one had lost, or one that is not critical.  It does
 * so without `preempt' too: nothing moves but what nobody served.
 */
void failover_claim(struct failover *, uint64_t now);

#endif
