/* SPDX-License-Identifier: ISC */
/* Members of a virtual host as carpd tells them, as words for people. */
#include <stdio.h>
#include <string.h>

#include "ctl_host.h"
#include "ctl_rpc.h"

const char *
host_since(char buf[HOST_TEXT], const json_t *host)
{
	char ago[TERM_DURATION];

	if (!json_is_number(json_object_get(host, "since")))
		return "never";
	(void)snprintf(buf, HOST_TEXT, "%s ago",
	    term_duration(ago, rpc_real(host, "since")));
	return buf;
}

const char *
host_master(const json_t *host)
{
	const char *master = rpc_text(host, "master");

	if (strcmp(master, "self") == 0)
		return "this node";
	return *master ? master : "-";
}

const char *
host_list(char buf[HOST_TEXT], const json_t *array, const char *between)
{
	size_t i, used = 0;
	json_t *item;
	int n;

	json_array_foreach(array, i, item)
	{
		n = snprintf(buf + used, HOST_TEXT - used, "%s%s",
		    i > 0 ? between : "", json_string_value(item));
		if (n < 0 || (size_t)n >= HOST_TEXT - used)
			return buf;
		used += (size_t)n;
	}
	return used > 0 ? buf : "-";
}

const char *
host_condition(char buf[HOST_TEXT], const json_t *condition)
{
	char since[TERM_DURATION], times[40] = "";
	long long n = rpc_int(condition, "count");

	if (n > 1)
		(void)snprintf(times, sizeof(times), ", %lld times", n);
	(void)snprintf(buf, HOST_TEXT, "! %s%s: %s (for %s%s)",
	    rpc_true(condition, "alarm") ? "ALARM " : "",
	    rpc_text(condition, "name"), rpc_text(condition, "text"),
	    term_duration(since, rpc_real(condition, "since")), times);
	return buf;
}

enum term_colour
host_condition_colour(const json_t *condition)
{
	return rpc_true(condition, "alarm") ? TERM_RED : TERM_YELLOW;
}

void
host_print_causes(const json_t *causes)
{
	char left[TERM_DURATION];
	const json_t *cause;
	size_t i;

	json_array_foreach(causes, i, cause)
	{
		term_print(TERM_PLAIN, "%s%s %lld", i > 0 ? ", " : "",
		    rpc_text(cause, "cause"), rpc_int(cause, "amount"));
		if (json_is_number(json_object_get(cause, "remaining")))
			term_print(TERM_PLAIN, " (%s left)",
			    term_duration(left, rpc_real(cause, "remaining")));
	}
	term_print(TERM_PLAIN, "%s\n", i == 0 ? "none" : "");
}
