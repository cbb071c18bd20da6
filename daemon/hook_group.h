/* SPDX-License-Identifier: ISC */
/* The processes of a hook's group, found in /proc. */
#ifndef CARPD_HOOK_GROUP_H
#define CARPD_HOOK_GROUP_H

#include <sys/types.h>

#include <stdbool.h>

/* Of the process with that name in /proc; -1: it has ended. */
pid_t hook_group_of(const char *pid);

/* Does any process of the group live?  One that nobody has reaped does not. */
bool hook_group_lives(pid_t group);

#endif
