/* SPDX-License-Identifier: ISC */
/* A process that no other work delays. */
#ifndef CARPD_REALTIME_H
#define CARPD_REALTIME_H

#include <stdbool.h>
#include <stddef.h>

/*
 * This process runs before all that has no real-time priority, and its memory
 * stays in memory; not so its children.  Needs rights that the engine gives
 * up afterwards; *keep_lock: but for CAP_IPC_LOCK, for want of a limit.  On
 * failure a sentence in why.
 */
int realtime_enter(bool *keep_lock, char *why, size_t len);

#endif
