/* SPDX-License-Identifier: ISC */
/* The commands that change something, and those that only pass on. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl_rpc.h"
#include "ctl_term.h"

/* Calls, and prints the result with --json or, if it is good, what is so. */
static enum ctl_exit
change(
    const struct ctl *c, const char *method, json_t *params, const char *done)
{
	json_t *result = NULL;
	enum ctl_exit rc;

	rc = rpc_once(c, method, params, &result);
	if (rc == CTL_OK && c->json)
		term_json(result);
	else if (rc == CTL_OK)
		(void)puts(done);
	json_decref(result);
	return rc;
}

/* "90", "90s", "5m", "2h", "1d". */
static bool
parse_duration(long *ret, const char *text)
{
	static const struct {
		char unit;
		long seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	char number[16];
	size_t len = strlen(text);
	long n, factor = 1;

	for (size_t i = 0; len > 0 && i < 4; i++) {
		if (text[len - 1] == units[i].unit) {
			factor = units[i].seconds;
			len--;
			break;
		}
	}
	if (len == 0 || len >= sizeof(number))
		return false;
	memcpy(number, text, len);
	number[len] = '\0';
	if (!ctl_number(&n, number, 1, 365 * 86400L / factor))
		return false;
	*ret = n * factor;
	return true;
}

enum ctl_exit
ctl_demote(const struct ctl *c)
{
	json_t *params;
	long amount, seconds = 0;
	char done[256], period[TERM_DURATION];

	if (!ctl_number(&amount, c->args[2], -65535, 65535)) {
		warnx("the amount must be a number from -65535 to 65535 (0 "
		      "ends the cause), not \"%s\"",
		    c->args[2]);
		return CTL_USAGE;
	}
	if (c->duration && !parse_duration(&seconds, c->duration)) {
		warnx("--for wants a time like 10s, 5m, 2h or 1d (at most a "
		      "year), not \"%s\"",
		    c->duration);
		return CTL_USAGE;
	}
	params = json_pack(
	    "{s:s, s:I}", "cause", c->args[1], "amount", (json_int_t)amount);
	if (params == NULL) {
		warnx("the cause must be text in UTF-8");
		return CTL_USAGE;
	}
	if (seconds > 0)
		(void)json_object_set_new(
		    params, "seconds", json_integer(seconds));
	if (amount == 0)
		(void)snprintf(
		    done, sizeof(done), "\"%s\" demotes no longer", c->args[1]);
	else
		(void)snprintf(done, sizeof(done),
		    "\"%s\" demotes this node by %ld%s%s", c->args[1], amount,
		    seconds > 0 ? " for " : "",
		    seconds > 0 ? term_duration(period, (double)seconds) : "");
	return change(c, "carp.demote", params, done);
}

enum ctl_exit
ctl_maintenance(const struct ctl *c)
{
	bool on = strcmp(c->args[1], "on") == 0;

	if (!on && strcmp(c->args[1], "off") != 0) {
		warnx(
		    "maintenance is \"on\" or \"off\", not \"%s\"", c->args[1]);
		return CTL_USAGE;
	}
	return change(c, "carp.maintenance", json_pack("{s:b}", "on", on),
	    on ? "maintenance is on: other nodes take over, until "
		 "\"carpctl maintenance off\""
	       : "maintenance is off");
}

enum ctl_exit
ctl_force(const struct ctl *c)
{
	const char *state = c->args[0]; /* the command is the state */
	enum ctl_exit rc;
	json_t *params;
	char done[128];

	if ((rc = ctl_host_params(c, &params)) != CTL_OK)
		return rc;
	(void)json_object_set_new(params, "state", json_string(state));
	(void)snprintf(done, sizeof(done), "vhid %s was told to become %s",
	    c->args[1], state);
	return change(c, "carp.force", params, done);
}

enum ctl_exit
ctl_reload(const struct ctl *c)
{
	json_t *params = c->live ? json_pack("{s:b}", "live", 1) : NULL;

	return change(
	    c, "carp.reload", params, "the configuration was reloaded");
}

enum ctl_exit
ctl_version(const struct ctl *c)
{
	json_t *result = NULL;
	enum ctl_exit rc;

	if (!c->json)
		(void)puts("carpctl " CARP_VERSION);
	rc = rpc_once(c, "carp.version", NULL, &result);
	if (rc == CTL_OK && c->json)
		term_json(result);
	else if (rc == CTL_OK)
		term_print(TERM_PLAIN, "carpd %s on node %s\n",
		    rpc_text(result, "version"), rpc_text(result, "node"));
	json_decref(result);
	return rc;
}

enum ctl_exit
ctl_call(const struct ctl *c)
{
	json_t *params = NULL, *result = NULL;
	enum ctl_exit rc;
	json_error_t e;

	if (c->nargs > 2) {
		if (strcmp(c->args[2], "-") == 0)
			params = json_loadf(stdin, JSON_REJECT_DUPLICATES, &e);
		else
			params =
			    json_loads(c->args[2], JSON_REJECT_DUPLICATES, &e);
		if (params == NULL) {
			warnx("the parameters are not JSON: line %d, column "
			      "%d: %s",
			    e.line, e.column, e.text);
			return CTL_USAGE;
		}
	}
	rc = rpc_once(c, c->args[1], params, &result);
	if (rc == CTL_OK)
		term_json(result);
	json_decref(result);
	return rc;
}
