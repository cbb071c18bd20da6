/* SPDX-License-Identifier: ISC */
/* Is this a failover.json that this version can read? */
#ifndef CARPD_FAILOVER_FORMAT_H
#define CARPD_FAILOVER_FORMAT_H

#include <jansson.h>
#include <stdbool.h>

#define FAILOVER_FORMAT 1

struct failover_format {
	int version, disabled, timeout, master;
	json_int_t next_id;
	json_t *history; /* borrowed */
};

/* -EBADMSG and a sentence, or 0. */
int failover_format_read(
    struct failover_format *ret, json_t *root, char *why, size_t len);

#endif
