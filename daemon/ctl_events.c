/* SPDX-License-Identifier: ISC */
/* carpctl events: what happens, as it happens; or how things are now. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctl_rpc.h"
#include "ctl_term.h"

/* As carpd writes the time of an event: UTC, milliseconds. */
static void
print_utc(char *buf, size_t size, double ago)
{
	struct timespec now;
	struct tm tm;
	double t;
	time_t s;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	t = (double)now.tv_sec + (double)now.tv_nsec / 1e9 - ago;
	s = (time_t)t;
	(void)gmtime_r(&s, &tm);
	(void)snprintf(buf, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec, (int)((t - (double)s) * 1000));
}

/* The present state of a host in the form of an event. */
static json_t *
state_event(const json_t *host)
{
	char when[64];

	print_utc(when, sizeof(when), rpc_real(host, "since"));
	return json_pack("{s:s, s:s, s:s, s:I, s:n, s:s, s:s}", "time", when,
	    "event", "state", "interface", rpc_text(host, "interface"), "vhid",
	    (json_int_t)rpc_int(host, "vhid"), "from", "to",
	    rpc_text(host, "state"), "cause", rpc_text(host, "cause"));
}

static void
print_state(const json_t *e)
{
	const char *to = rpc_text(e, "to"), *from = rpc_text(e, "from");

	if (*from != '\0')
		term_print(TERM_PLAIN, "%s -> ", from);
	term_print(term_state_colour(to), "%s", to);
	term_print(TERM_PLAIN, ": %s", rpc_text(e, "cause"));
}

static void
print_condition(const json_t *e)
{
	bool on = rpc_true(e, "on"), alarm = on && rpc_true(e, "alarm");

	term_print(alarm ? TERM_RED
		   : on	 ? TERM_YELLOW
			 : TERM_PLAIN,
	    "%s%s %s", alarm ? "ALARM " : "", rpc_text(e, "name"),
	    on ? "began" : "ended");
	if (*rpc_text(e, "text") != '\0')
		term_print(TERM_PLAIN, ": %s", rpc_text(e, "text"));
}

static void
print_what(const json_t *e)
{
	const char *event = rpc_text(e, "event");
	bool up = rpc_true(e, "up");

	if (strcmp(event, "state") == 0)
		print_state(e);
	else if (strcmp(event, "condition") == 0)
		print_condition(e);
	else if (strcmp(event, "link") == 0)
		term_print(up ? TERM_PLAIN : TERM_YELLOW, "link is %s",
		    up ? "up" : "down");
	else if (strcmp(event, "demotion") == 0)
		term_print(
		    TERM_PLAIN, "demotion is %lld", rpc_int(e, "demotion"));
	else if (strcmp(event, "repaired") == 0)
		term_print(TERM_YELLOW, "somebody removed %s; it is back",
		    rpc_text(e, "address"));
	else if (strcmp(event, "lost") == 0)
		term_print(
		    TERM_YELLOW, "%lld events were lost", rpc_int(e, "count"));
	else
		term_print(TERM_YELLOW, "%s: %s", event, rpc_text(e, "text"));
}

static void
print_event(const struct ctl *c, const json_t *e)
{
	if (c->json) {
		term_json_line(e);
	} else {
		term_print(TERM_GREY, "%s ", rpc_text(e, "time"));
		if (json_object_get(e, "vhid") != NULL &&
		    rpc_int(e, "vhid") > 0)
			term_print(
			    TERM_PLAIN, "vhid %lld ", rpc_int(e, "vhid"));
		if (*rpc_text(e, "interface") != '\0')
			term_print(
			    TERM_PLAIN, "%s: ", rpc_text(e, "interface"));
		print_what(e);
		term_print(TERM_PLAIN, "\n");
	}
	(void)fflush(stdout);
}

static enum ctl_exit
print_now(const struct ctl *c)
{
	json_t *status = NULL, *host, *e;
	enum ctl_exit rc;
	size_t i;

	rc = rpc_once(c, "carp.status", NULL, &status);
	if (rc != CTL_OK)
		return rc;
	json_array_foreach(json_object_get(status, "hosts"), i, host)
	{
		e = state_event(host);
		print_event(c, e);
		json_decref(e);
	}
	json_decref(status);
	return CTL_OK;
}

static enum ctl_exit
follow(const struct ctl *c, struct rpc *r)
{
	json_t *e = NULL;
	enum ctl_exit rc;

	rc = rpc_call(r, "carp.subscribe", NULL, &e);
	json_decref(e);
	for (unsigned long n = 0; rc == CTL_OK; n++) {
		if (n > 0 && n == c->count)
			break;
		rc = rpc_event(r, &e);
		if (rc != CTL_OK || e == NULL)
			break;
		print_event(c, e);
		json_decref(e);
		if (ferror(stdout))
			break;
	}
	return rc;
}

enum ctl_exit
ctl_events(const struct ctl *c)
{
	struct rpc *r = NULL;
	enum ctl_exit rc;

	if (!c->follow && c->count == 0)
		return print_now(c);
	rc = rpc_open(&r, c->socket);
	if (rc == CTL_OK)
		rc = follow(c, r);
	rpc_close(r);
	return rc;
}
