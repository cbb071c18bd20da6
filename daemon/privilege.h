/* SPDX-License-Identifier: ISC */
/* What the engine process may do, and which account it runs as. */
#ifndef CARPD_PRIVILEGE_H
#define CARPD_PRIVILEGE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

struct account {
	uid_t uid;
	gid_t gid;
};

/* -ENOENT: no such user.  In each failure a sentence in why. */
int privilege_user(
    struct account *ret, const char *user, char *why, size_t len);
int privilege_group(gid_t *ret, const char *group, char *why, size_t len);

/* May this process do what carpd needs at all?  Else a sentence in why. */
int privilege_check(char *why, size_t len);

/*
 * Becomes the account, with CAP_NET_ADMIN and CAP_NET_RAW only, and without a
 * way back.  keep_lock: and CAP_IPC_LOCK.
 */
int privilege_drop(
    const struct account *, bool keep_lock, char *why, size_t len);

#endif
