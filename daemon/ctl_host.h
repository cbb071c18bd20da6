/* SPDX-License-Identifier: ISC */
/* Members of a virtual host as carpd tells them, as words for people. */
#ifndef CARPD_CTL_HOST_H
#define CARPD_CTL_HOST_H

#include <jansson.h>

#include "ctl_term.h"

#define HOST_TEXT 8192 /* 250 addresses are longer: cut */

/* "3 min 2 s ago", or "never". */
const char *host_since(char buf[HOST_TEXT], const json_t *host);

/* "this node", an address, or "-". */
const char *host_master(const json_t *host);

/* The strings of an array, or "-". */
const char *host_list(
    char buf[HOST_TEXT], const json_t *array, const char *between);

/* "! two-masters: what, who, what to do (for 12 s, 3 times)". */
const char *host_condition(char buf[HOST_TEXT], const json_t *condition);
enum term_colour host_condition_colour(const json_t *condition);

/* "maintenance 240, backup 100 (5 min left)" and the end of the line. */
void host_print_causes(const json_t *causes);

#endif
