/* SPDX-License-Identifier: ISC */
/* Nodes with several segments, whose hosts move together. */
#ifndef SIM_MOVE_H
#define SIM_MOVE_H

#include <stdbool.h>
#include <stdint.h>

/* True: all held.  flaw: all nodes look like one, which must be noticed. */
bool move_run(uint64_t seed, bool flaw, bool verbose);

#endif
