/* SPDX-License-Identifier: ISC */
/* The virtual host of a test that has one only: made before, freed after. */
#ifndef TESTS_UNIT_ONE_HOST_H
#define TESTS_UNIT_ONE_HOST_H

#include "host.h"

static struct host h;

static void
setup(void)
{
	host_defaults(&h);
}

static void
teardown(void)
{
	host_free(&h);
}

/* As it is configured by now. */
static inline void
become(enum carp_state state)
{
	host_new(&h);
	host_become(&h, state);
}

static inline void
start(uint8_t base, uint8_t skew, bool preempt, enum carp_state state)
{
	h.cfg.advbase = base;
	h.cfg.advskew = skew;
	h.cfg.preempt = preempt;
	become(state);
}

#endif
