/* SPDX-License-Identifier: ISC */
/* Virtual hosts that are not where the services are, and how they get there. */
#ifndef CARPD_FAILOVER_CLAIM_H
#define CARPD_FAILOVER_CLAIM_H

#include "failover.h"

/*
 * This node is master of a host while another one serves: an alternative that
 * the other one had lost, or one that is not critical.  It gives no address.
 */
bool failover_is_beside(const struct failover *);

/*
 * A node that serves takes hosts that such a node has.  It does so without
 * `preempt' too: nothing moves but what nobody served.
 */
void failover_claim(struct failover *, uint64_t now);

#endif
