/* SPDX-License-Identifier: ISC */
/* A cluster and what happens to it, all from one seed. */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "world.h"

struct outcome {
	const char *broken; /* NULL: all held */
	char text[256];
	uint64_t length;  /* virtual ns */
	uint64_t longest; /* overlap, ns */
	unsigned adverts, masters;
};

void scenario_run(
    struct outcome *ret, uint64_t seed, enum flaw flaw, bool verbose);

#endif
