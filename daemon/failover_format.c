/* SPDX-License-Identifier: ISC */
/* Is this a failover.json that this version can read? */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include "failover_format.h"

#define TIMEOUT_MAX 120 /* seconds */

static bool
is_history(const json_t *list)
{
	json_t *o;
	size_t i;

	json_array_foreach(list, i, o) if (!json_is_object(o)) return false;
	return json_is_array(list);
}

int
failover_format_read(
    struct failover_format *ret, json_t *root, char *why, size_t len)
{
	struct failover_format f = { 0 };
	json_error_t e;

	if (json_unpack_ex(root, &e, 0, "{s:i, s:b, s:i, s:i, s:I, s:o}",
		"version", &f.version, "disabled", &f.disabled, "timeout",
		&f.timeout, "master", &f.master, "next_id", &f.next_id,
		"history", &f.history) != 0)
		(void)snprintf(why, len, "%s", e.text);
	else if (f.version != FAILOVER_FORMAT)
		(void)snprintf(why, len,
		    "version %d is not known here, only %d", f.version,
		    FAILOVER_FORMAT);
	else if (f.timeout < -1 || f.timeout > TIMEOUT_MAX)
		(void)snprintf(
		    why, len, "timeout is not -1 to %d", TIMEOUT_MAX);
	else if (f.master < -1 || f.master > 1)
		(void)snprintf(why, len, "master is not -1 to 1");
	else if (f.next_id < 1 || f.next_id == INT64_MAX)
		(void)snprintf(why, len, "next_id is not a number above 0");
	else if (!is_history(f.history))
		(void)snprintf(why, len, "history is not a list of objects");
	else {
		*ret = f;
		return 0;
	}
	return -EBADMSG;
}
