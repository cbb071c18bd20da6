/* SPDX-License-Identifier: ISC */
/* What subscribers are told of failover mode. */
#ifndef CARPD_FAILOVER_EVENTS_H
#define CARPD_FAILOVER_EVENTS_H

#include "failover.h"

/* A status or reasons that have changed since they were told. */
void failover_tell(struct failover *, uint64_t now);

/* A hook has run. */
void failover_tell_run(
    struct failover *, const struct resource_report *, uint64_t now);

/* Role, phase and all resources; new reference or NULL. */
json_t *failover_progress(const struct failover *);

/* The same with what carp.status adds: switches, reasons, what is risked. */
json_t *failover_summary(const struct failover *);

#endif
