/* SPDX-License-Identifier: ISC */
/* carpctl failover: configuration, reasons, history. */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl_failover.h"

enum term_colour
failover_colour(const char *role)
{
	if (strcmp(role, "MASTER") == 0)
		return TERM_GREEN;
	if (strcmp(role, "ERROR") == 0)
		return TERM_RED;
	if (strcmp(role, "ELECTING") == 0 || strcmp(role, "IMPORTING") == 0 ||
	    strcmp(role, "UNKNOWN") == 0)
		return TERM_YELLOW;
	return TERM_PLAIN;
}

/*
 * The configuration, in a frame.
 */

static void
put_value(char ret[32], const json_t *v)
{
	if (json_is_integer(v))
		(void)snprintf(
		    ret, 32, "%lld", (long long)json_number_value(v));
	else if (json_is_boolean(v))
		(void)snprintf(
		    ret, 32, "%s", json_is_true(v) ? "true" : "false");
	else if (json_is_string(v))
		(void)snprintf(ret, 32, "%.31s", json_string_value(v));
	else
		(void)snprintf(ret, 32, "null");
}

void
failover_print_config(const json_t *config)
{
	static const char *const names[] = { "id", "disabled", "timeout",
		"master" };
	enum { N = sizeof(names) / sizeof(names[0]) };
	static const char rule[] = "--------------------------------";
	char value[N][32];
	int name = 0, wide = 0, n;

	for (size_t i = 0; i < N; i++) {
		put_value(value[i], json_object_get(config, names[i]));
		if ((n = (int)strlen(names[i])) > name)
			name = n;
		if ((n = (int)strlen(value[i])) > wide)
			wide = n;
	}
	printf("+-%.*s-+-%.*s-+\n", name, rule, wide, rule);
	for (size_t i = 0; i < N; i++)
		term_print(TERM_PLAIN, "| %*s | %-*s |\n", name, names[i], wide,
		    value[i]);
	printf("+-%.*s-+-%.*s-+\n", name, rule, wide, rule);
}

/*
 * Reasons.
 */

static void
print_reasons(const json_t *reasons)
{
	struct term_table *t = term_table_new(2);
	const json_t *r;
	size_t i;

	json_array_foreach(reasons, i, r)
	{
		const char *detail = rpc_text(r, "detail");

		term_cell(t, TERM_YELLOW, "%s",
		    json_is_string(r) ? json_string_value(r)
				      : rpc_text(r, "code"));
		term_cell(t, TERM_PLAIN, "%s%s%s", rpc_text(r, "text"),
		    *detail != '\0' ? ": " : "", detail);
	}
	term_table_print(t);
	term_table_free(t);
	/* A script reads nothing, a person wants to be told. */
	if (json_array_size(reasons) == 0 && isatty(STDOUT_FILENO))
		(void)puts("none: failover is possible");
}

enum ctl_exit
failover_reasons(const struct ctl *c)
{
	json_t *params = NULL, *result = NULL;
	enum ctl_exit rc;

	if (c->nargs > 2 && strcmp(c->args[2], "reasons") != 0) {
		warnx("failover disabled takes the word reasons, or none, not "
		      "\"%s\"",
		    c->args[2]);
		return CTL_USAGE;
	}
	if (!c->json)
		params = json_pack("{s:b}", "detail", 1);
	rc = rpc_once(c, "failover.disabled.reasons", params, &result);
	if (rc == CTL_OK && c->json)
		term_json(result);
	else if (rc == CTL_OK)
		print_reasons(result);
	json_decref(result);
	return rc;
}

/*
 * History.
 */

/* An exit code alone says little; its reason, where it has one, is beside. */
static void
print_run(struct term_table *t, const json_t *run)
{
	const char *reason = rpc_text(run, "reason");
	long long code = rpc_int(run, "exit");

	term_cell(t, TERM_PLAIN, "    %s", rpc_text(run, "resource"));
	term_cell(t, TERM_PLAIN, "%s", rpc_text(run, "verb"));
	term_cell(t, TERM_GREY, "+%.3f s", rpc_real(run, "at_ms") / 1e3);
	term_cell(t, TERM_PLAIN, "%.3f s", rpc_real(run, "took_ms") / 1e3);
	term_cell(t, code == 0 ? TERM_PLAIN : TERM_RED, "%s %s%s%s",
	    rpc_text(run, "hook"), code == 0 ? "ok" : "failed",
	    *reason != '\0' ? ": " : "", reason);
}

static void
print_phases(const json_t *transition)
{
	struct term_table *t = term_table_new(5);
	const json_t *phase, *run;
	size_t i, k;

	term_column_right(t, 2);
	term_column_right(t, 3);
	json_array_foreach(json_object_get(transition, "phases"), i, phase)
	{
		bool ok = rpc_true(phase, "ok");

		term_cell(t, TERM_BOLD, "  %s", rpc_text(phase, "phase"));
		term_cell(t, TERM_PLAIN, "%s", rpc_text(phase, "direction"));
		term_cell(
		    t, TERM_GREY, "+%.3f s", rpc_real(phase, "at_ms") / 1e3);
		term_cell(
		    t, TERM_PLAIN, "%.3f s", rpc_real(phase, "took_ms") / 1e3);
		term_cell(t, ok ? TERM_GREEN : TERM_RED, ok ? "ok" : "failed");
		json_array_foreach(json_object_get(phase, "runs"), k, run)
		{
			print_run(t, run);
		}
	}
	term_table_print(t);
	term_table_free(t);
}

static void
add_transition(struct term_table *t, const json_t *h)
{
	const char *result = rpc_text(h, "result"), *to = rpc_text(h, "to");
	const char *reason = rpc_text(h, "reason");
	bool ok = strcmp(result, "ok") == 0;
	char id[32];

	put_value(id, json_object_get(h, "id"));
	term_cell(t, TERM_PLAIN, "%s", id);
	term_cell(t, TERM_GREY, "%s", rpc_text(h, "began"));
	term_cell(t, TERM_PLAIN, "%s", rpc_text(h, "from"));
	term_cell(t, failover_colour(to), "%s", to);
	term_cell(t, TERM_PLAIN, "%.3f s", rpc_real(h, "took_ms") / 1e3);
	if (*result == '\0')
		term_cell(t, TERM_YELLOW, "running");
	else
		term_cell(t, ok ? TERM_GREEN : TERM_RED, "%s", result);
	term_cell(t, TERM_PLAIN, "%s%s%s", rpc_text(h, "cause"),
	    *reason != '\0' ? "; " : "", reason);
}

static struct term_table *
new_history(void)
{
	static const char *const heads[] = { "ID", "BEGAN", "FROM", "TO",
		"TOOK", "RESULT", "CAUSE" };
	enum { N = sizeof(heads) / sizeof(heads[0]) };
	struct term_table *t = term_table_new(N);

	term_column_right(t, 0);
	term_column_right(t, 4);
	for (size_t i = 0; i < N; i++)
		term_cell(t, TERM_BOLD, "%s", heads[i]);
	return t;
}

static void
print_history(const json_t *history, bool detail)
{
	struct term_table *t = new_history();
	const json_t *h;
	size_t i;

	json_array_foreach(history, i, h)
	{
		if (detail && i > 0) {
			(void)putchar('\n');
			t = new_history();
		}
		add_transition(t, h);
		if (detail) {
			term_table_print(t);
			term_table_free(t);
			t = NULL;
			print_phases(h);
		}
	}
	if (t != NULL && json_array_size(history) > 0)
		term_table_print(t);
	else if (isatty(STDOUT_FILENO) && json_array_size(history) == 0)
		(void)puts("nothing has happened yet");
	term_table_free(t);
}

enum ctl_exit
failover_history(const struct ctl *c)
{
	static const struct failover_key keys[] = {
		{ "limit", KEY_NUMBER, 1, 100 },
		{ "detail", KEY_BOOL, 0, 0 },
		{ NULL, KEY_BOOL, 0, 0 },
	};
	json_t *params, *result = NULL;
	enum ctl_exit rc;
	bool detail;

	if ((rc = failover_params(c, keys, &params)) != CTL_OK)
		return rc;
	detail = rpc_true(params, "detail");
	(void)json_object_del(params, "detail"); /* it is for us */
	rc = rpc_once(c, "failover.history", params, &result);
	if (rc == CTL_OK && c->json)
		term_json(result);
	else if (rc == CTL_OK)
		print_history(result, detail);
	json_decref(result);
	return rc;
}
