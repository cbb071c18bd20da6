/* SPDX-License-Identifier: ISC */
/* The process that keeps the disks after carp-fence start has returned. */
#ifndef CARPD_FENCE_KEEPER_H
#define CARPD_FENCE_KEEPER_H

#include <sys/types.h>

#include "fence_conf.h"

/*
 * Takes the disks and becomes their keeper; that they are taken is written to
 * the descriptor parent as an exit code of one byte.  It returns only if they
 * are not: an exit code.
 */
int fence_keeper_start(const struct fence_conf *, int parent);

/* Asks it to leave the disks and end; kills it at the deadline. */
int fence_keeper_stop(const struct fence_conf *, pid_t, uint64_t deadline);

#endif
