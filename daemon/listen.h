/* SPDX-License-Identifier: ISC */
/* The control socket's place in the file system, and the lock beside it. */
#ifndef CARPD_LISTEN_H
#define CARPD_LISTEN_H

#include <sys/types.h>

#include <stddef.h>

/*
 * Takes PATH.lock, so that only one carpd runs for a socket.  Who finds it
 * held by a carpd that is leaving waits a moment for it.  Returns a
 * descriptor, or a negative errno and a sentence in why.
 */
int listen_lock(const char *path, char *why, size_t len);

/*
 * A listening socket 0660 root:group.  What stood there is removed: the
 * caller holds the lock.
 */
int listen_open(const char *path, gid_t group, char *why, size_t len);

#endif
