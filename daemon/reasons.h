/* SPDX-License-Identifier: ISC */
/*
 * Why failover would not work now: the codes of failover.disabled.reasons,
 * those that one node can know.  Those that take the link to the other node
 * come with it.
 */
#ifndef CARPD_REASONS_H
#define CARPD_REASONS_H

#include <jansson.h>
#include "failover.h"

enum reason {
	NO_CRITICAL_INTERFACES,
	NO_VIP,
	NO_VOLUME,
	NO_FENCED,
	NO_FAILOVER,
	LOC_FAILOVER_ONGOING,
	DISAGREE_VIP,
	NO_HEARTBEAT_IFACE,
	NO_CARRIER_ON_HEARTBEAT,
	NREASONS
};

/* By bit, 1 << enum reason. */
uint32_t reasons_now(const struct failover *);

/* Both nodes are master, or none is: they do not take turns. */
bool reasons_same_state(const struct failover *);

const char *reason_code(enum reason);

/* New references or NULL.  detail: objects with code, text and detail. */
json_t *reasons_json(const struct failover *, uint32_t reasons, bool detail);

#endif
