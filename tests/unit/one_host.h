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

#endif
