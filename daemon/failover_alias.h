/* SPDX-License-Identifier: ISC */
/* What people see with ip-link(8): CriticalGroup1, Interlink. */
#ifndef CARPD_FAILOVER_ALIAS_H
#define CARPD_FAILOVER_ALIAS_H

#include "failover.h"

/* What the interface of a host is called, or "". */
void failover_alias(char ret[VIP_ALIAS], const struct conf_host *);

/* All interfaces that are there and have no name by somebody else. */
void failover_name_interfaces(struct failover *);

/* Those of another configuration before, which this one has not. */
void failover_unname_interfaces(struct failover *, const struct conf *was);

#endif
