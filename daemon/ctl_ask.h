/* SPDX-License-Identifier: ISC */
/* Questions to whom sits at the terminal. */
#ifndef CARPD_CTL_ASK_H
#define CARPD_CTL_ASK_H

#include "ctl.h"

/*
 * What is about to happen, and whether it shall.  CTL_OK with --yes, or when
 * the answer is yes; otherwise it says that nothing was done.
 */
enum ctl_exit ask_first(const struct ctl *, const char *what);

#define SECRET_MAX 1024 /* bytes */

/*
 * A line that nobody shall see: without echo from a terminal, otherwise all of
 * standard input.  Wipe ret when it is of no more use.
 */
enum ctl_exit ask_secret(char ret[SECRET_MAX + 1], const char *prompt);

#endif
