/* SPDX-License-Identifier: ISC */
/* Which files may be run as hooks: by their names, and by who wrote them. */
#ifndef CARPD_HOOK_FILE_H
#define CARPD_HOOK_FILE_H

#include <sys/stat.h>

#include <stdbool.h>
#include <stddef.h>

/* Is this a name of a hook, not of a backup copy or a hidden file? */
bool hook_file_name_ok(const char *name);

/* NULL, or why nobody but root may be trusted to have written this. */
const char *hook_file_unsafe(const struct stat *);

/* NULL, or why this file is not run: the above, or it is no program. */
const char *hook_file_wrong(const struct stat *);

/*
 * 0 if nobody but root can put something else where the path leads: each
 * directory on the way there, and each link, is root's, and writable by nobody
 * else unless it is sticky.  Otherwise -EACCES, and in why which one is not;
 * or another negative errno.  The file at the end is not looked at.
 */
int hook_file_way(const char *path, char *why, size_t len);

/*
 * The path of the hook `name` in the first of the directories that has it.  A
 * directory that cannot be trusted is no reason to look into the next one, and
 * neither is a file.  On failure a negative errno, and a sentence in why.
 */
int hook_file_find(char *ret, size_t size, const char *const *dirs,
    size_t ndirs, const char *name, char *why, size_t len);

#endif
