/* SPDX-License-Identifier: ISC */
/* A file of STATEDIR: read whole, replaced whole, kept aside when broken. */
#ifndef CARPD_KEPT_H
#define CARPD_KEPT_H

#include <stddef.h>

/*
 * *ret ends with a NUL and is for free().  -ENOENT: it is not there, nor need
 * the directory be.  -EFBIG: limit bytes or more.
 */
int kept_read(
    char **ret, size_t *len, const char *dir, const char *name, size_t limit);

/*
 * Replaced as a whole and brought to the disk, or not at all.  The directory
 * is made if it is not there.  May wait for the disk.
 */
int kept_write(const char *dir, const char *name, const char *text, size_t len);

/* As NAME.bad; a sentence is added to why. */
void kept_aside(const char *dir, const char *name, char *why, size_t len);

#endif
