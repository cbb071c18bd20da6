/* SPDX-License-Identifier: ISC */
/* What is done to all disks at once, and what the whole of it means. */
#ifndef CARPD_FENCE_ALL_H
#define CARPD_FENCE_ALL_H

#include "fence_crew.h"

/*
 * All return an exit code and leave a sentence in why.  Disks that cannot be
 * reached are left out, as many as MISSING allows.
 */

/* Ours, or as it was before. */
int fence_all_take(struct fence_crew *, char *why, size_t len);

/* EXIT_OK: all are ours; EXIT_FAILED: not all; EXIT_UNKNOWN: not known. */
int fence_all_check(struct fence_crew *, char *why, size_t len);

/* Nothing of this node is left: done, or only looked at. */
int fence_all_leave(struct fence_crew *, char *why, size_t len);
/* Whoever failed could not even be read. */
bool fence_all_unreached(struct fence_crew *);
int fence_all_gone(struct fence_crew *, char *why, size_t len);

/*
 * Keeps all that was taken, and moves its keys, until stop or until a disk is
 * lost (which is written to crew->wake).  To be called from time to time.
 */
void fence_all_hold(struct fence_crew *);

/* A disk that is lost, or too many from which nothing was heard for LOSS. */
bool fence_all_lost(struct fence_crew *, char *why, size_t len);

#endif
