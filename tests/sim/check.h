/* SPDX-License-Identifier: ISC */
/* What must always hold in a run. */
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include "world.h"

/* S1, after each moment: who holds the address together with whom. */
void check_overlaps(struct world *);

/* S1, when time has passed: for how long. */
void check_bounds(struct world *);

/* S6: around a forged packet. */
void check_unmoved(struct world *, const struct node *,
    const struct carp_info *before, const struct carp_info *after,
    enum carp_verdict);

/* After the run: one master in each part, and the best one. */
void check_settled(struct world *);

/* Would it be so now? */
bool check_is_settled(struct world *);

/* No node has sent more than its timers and the script explain. */
void check_storms(
    struct world *, uint64_t length, unsigned families, unsigned events);

#endif
