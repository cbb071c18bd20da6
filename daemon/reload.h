/* SPDX-License-Identifier: ISC */
/* Reading the configuration again: whole, checked, and only if it changed. */
#ifndef CARPD_RELOAD_H
#define CARPD_RELOAD_H

#include "conf.h"

/*
 * 1: *ret is to be applied instead of `running`; *text has warnings.  0:
 * nothing has changed.  Else a negative errno.  *text is lines for people;
 * it is for free(), and may be NULL.
 */
int reload_read(struct conf **ret, char **text, const char *file,
    const struct conf *running);

#endif
