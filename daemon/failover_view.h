/* SPDX-License-Identifier: ISC */
/* What the elections of all virtual hosts are for the role machine. */
#ifndef CARPD_FAILOVER_VIEW_H
#define CARPD_FAILOVER_VIEW_H

#include "failover.h"

/* Of the hosts on critical interfaces, or of all if none is critical. */
struct group_result failover_view(const struct failover *);

/*
 * Whoever is on his way or there hears of a loss, the others of a win.  False:
 * there is nothing to tell.
 */
bool failover_translate(
    const struct failover *, enum group_view, enum role_event *ret);

#endif
