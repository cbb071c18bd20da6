/* SPDX-License-Identifier: ISC */
/* Which files of a directory are notification hooks that may be run. */
#ifndef CARPD_NOTIFY_DIR_H
#define CARPD_NOTIFY_DIR_H

#include <stddef.h>

struct notify_dir {   /* zero it to start */
	char **names; /* in order */
	size_t n;
};

/*
 * Reads it.  What is refused, or cannot be read, is told to complain: a
 * sentence with the path first.  A directory that is not there has no hooks.
 */
void notify_dir_read(struct notify_dir *ret, const char *path,
    void (*complain)(void *arg, const char *sentence), void *arg);
void notify_dir_clear(struct notify_dir *);

#endif
