/* SPDX-License-Identifier: ISC */
/* The programs that a configuration names, on this machine. */
#ifndef CARPD_CONF_HOOKS_H
#define CARPD_CONF_HOOKS_H

#include "conf.h"

/* They are there, executable, and nobody's but root's: or CONF_MACHINE. */
enum conf_result conf_check_hooks(
    const struct conf *, const char *const dirs[2], FILE *errors);

#endif
