/* SPDX-License-Identifier: ISC */
/* carpctl failover: which commands there are, and those that need few words. */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "ctl_ask.h"
#include "ctl_failover.h"

static const struct failover_key no_keys[] = { { .name = NULL } };

static const struct failover_key update_keys[] = {
	{ "disabled", KEY_BOOL, 0, 0 },
	{ "timeout", KEY_NUMBER, 0, 120 },
	{ "master", KEY_BOOL, 0, 0 },
	{ .name = NULL },
};

static const struct failover_key control_keys[] = {
	{ "action", KEY_ACTION, 0, 0 },
	{ "options.active", KEY_BOOL, 0, 0 },
	{ .name = NULL },
};

static const struct failover_key passive_keys[] = {
	{ "hard", KEY_BOOL, 0, 0 },
	{ .name = NULL },
};

static const struct failover_key sync_keys[] = {
	{ "reboot", KEY_BOOL, 0, 0 },
	{ .name = NULL },
};

/*
 * What is asked before it is done.
 */

static enum ctl_exit
ask_force_master(const struct ctl *c, const json_t *params)
{
	(void)params;
	return ask_first(c,
	    "force_master takes the role from the other node, whatever that "
	    "one does: clients are interrupted");
}

static enum ctl_exit
ask_become_passive(const struct ctl *c, const json_t *params)
{
	return ask_first(
	    c, rpc_true(params, "hard")
		   ? "become_passive hard=true takes this node down at once, "
		     "without stopping services or exporting storage"
		   : "become_passive stops the services of this node and hands "
		     "its storage and addresses over: clients are interrupted");
}

/* The preferred node, where it is not the active one, may become that. */
static enum ctl_exit
ask_role(const struct ctl *c, bool preferred)
{
	json_t *result = NULL;
	const char *status;
	enum ctl_exit rc;
	bool moves;

	rc = rpc_once(c, "failover.status", NULL, &result);
	if (rc != CTL_OK)
		return rc;
	status = json_is_string(result) ? json_string_value(result) : "";
	/* SINGLE: there is no role that could move, and carpd will say so. */
	moves = strcmp(status, "SINGLE") != 0 &&
		preferred != (strcmp(status, "MASTER") == 0);
	json_decref(result);
	if (!moves)
		return CTL_OK;
	return ask_first(c,
	    preferred ? "this node is then the preferred one, and it is not "
			"MASTER: it may take over, and clients be interrupted"
		      : "this node is MASTER, and then not the preferred one: "
			"the other one may take over, and clients be "
			"interrupted");
}

/*
 * Who is preferred matters when it is said, and when failover is enabled
 * again.  NULL: not said.
 */
static enum ctl_exit
ask_change(const struct ctl *c, bool enables, const json_t *preferred)
{
	json_t *config = NULL;
	bool again, here;
	enum ctl_exit rc;

	if (preferred != NULL)
		return ask_role(c, json_is_true(preferred));
	if (!enables)
		return CTL_OK;
	rc = rpc_once(c, "failover.config", NULL, &config);
	if (rc != CTL_OK)
		return rc;
	again = rpc_true(config, "disabled");
	here = rpc_true(config, "master");
	json_decref(config);
	return again ? ask_role(c, here) : CTL_OK;
}

static enum ctl_exit
ask_control(const struct ctl *c, const json_t *params)
{
	const char *action = rpc_text(params, "action");

	if (*action == '\0') {
		warnx("failover control wants action=ENABLE or action=DISABLE");
		return CTL_USAGE;
	}
	return ask_change(c, strcmp(action, "ENABLE") == 0,
	    json_object_get(json_object_get(params, "options"), "active"));
}

static enum ctl_exit
ask_update(const struct ctl *c, const json_t *params)
{
	if (json_object_size(params) == 0) {
		warnx("failover update wants disabled=, timeout= or master=");
		return CTL_USAGE;
	}
	return ask_change(c, json_is_false(json_object_get(params, "disabled")),
	    json_object_get(params, "master"));
}

/*
 * Results as plain words.
 */

static void
print_word(const json_t *v)
{
	if (json_is_string(v))
		term_print(TERM_PLAIN, "%s\n", json_string_value(v));
	else if (json_is_boolean(v))
		(void)puts(json_is_true(v) ? "true" : "false");
	else if (!json_is_null(v))
		term_json_line(v);
}

static void
print_role(const json_t *v)
{
	const char *role = json_is_string(v) ? json_string_value(v) : "UNKNOWN";

	term_print(failover_colour(role), "%s", role);
	(void)putchar('\n');
}

static void
print_lines(const json_t *list)
{
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		print_word(v);
	}
}

/* False: it was so already. */
static void
print_changed(const json_t *v)
{
	(void)puts(json_is_false(v) ? "false" : "true");
}

static void
print_passive(const json_t *v)
{
	(void)v;
	(void)puts("this node steps down");
}

static void
print_done(const json_t *v)
{
	if (json_is_null(v))
		(void)puts("done");
	else
		print_word(v);
}

/*
 * reboot: of this node there is something to be told, the other one can be
 * told to.
 */
static void
print_boot(const char *which, const json_t *node)
{
	const json_t *reason;
	size_t i;

	if (!json_is_object(node)) {
		term_print(TERM_PLAIN, "%s: not known\n", which);
		return;
	}
	term_print(
	    TERM_PLAIN, "%s: boot %s\n", which, rpc_text(node, "boot_id"));
	json_array_foreach(json_object_get(node, "reasons"), i, reason)
	{
		term_print(TERM_YELLOW, "%s: should reboot: %s\n", which,
		    json_is_string(reason) ? json_string_value(reason)
					   : rpc_text(reason, "text"));
	}
}

static enum ctl_exit
reboot(const struct ctl *c)
{
	bool info = c->nargs > 2 && strcmp(c->args[2], "info") == 0;
	json_t *result = NULL;
	enum ctl_exit rc;

	if (c->nargs < 3 || (!info && strcmp(c->args[2], "other_node") != 0)) {
		warnx("failover reboot wants other_node or info");
		return CTL_USAGE;
	}
	rc = rpc_once(c,
	    info ? "failover.reboot.info" : "failover.reboot.other_node", NULL,
	    &result);
	if (rc == CTL_OK && c->json)
		term_json(result);
	else if (rc == CTL_OK && info) {
		print_boot("this node", json_object_get(result, "this_node"));
		print_boot("other node", json_object_get(result, "other_node"));
	} else if (rc == CTL_OK)
		print_done(result);
	json_decref(result);
	return rc;
}

/*
 * Commands.
 */

static const struct failover_command {
	const char *name, *args, *text;
	const char *method; /* without "failover."; NULL: run does it all */
	const struct failover_key *keys;
	enum ctl_exit (*ask)(const struct ctl *, const json_t *params);
	void (*print)(const json_t *result);
	enum ctl_exit (*run)(const struct ctl *);
} commands[] = {
	{ "status", "", "the role of this node, one word", "status", no_keys,
	    NULL, print_role, NULL },
	{ "config", "", "id, disabled, timeout, master", "config", no_keys,
	    NULL, failover_print_config, NULL },
	{ "update", "[disabled=BOOL] [timeout=SECONDS] [master=BOOL]",
	    "change it", "update", update_keys, ask_update,
	    failover_print_config, NULL },
	{ "control", "action=ENABLE|DISABLE [options.active=BOOL]",
	    "enable or disable failover", "control", control_keys, ask_control,
	    print_changed, NULL },
	{ "disabled", "[reasons]", "why failover is not possible now", NULL,
	    NULL, NULL, NULL, failover_reasons },
	{ "force_master", "", "become MASTER, whatever the other node does",
	    "force_master", no_keys, ask_force_master, print_word, NULL },
	{ "become_passive", "[hard=BOOL]", "step down, or go down hard",
	    "become_passive", passive_keys, ask_become_passive, print_passive,
	    NULL },
	{ "in_progress", "", "is a transition running?", "in_progress", no_keys,
	    NULL, print_word, NULL },
	{ "watch", "[-c COUNT]", "follow transitions", NULL, NULL, NULL, NULL,
	    failover_watch },
	{ "history", "[limit=N] [detail=BOOL]", "transitions, newest last",
	    NULL, NULL, NULL, NULL, failover_history },
	{ "node", "", "A or B", "node", no_keys, NULL, print_word, NULL },
	{ "licensed", "", "is there a pair?", "licensed", no_keys, NULL,
	    print_word, NULL },
	{ "get_ips", "", "URLs of the virtual addresses", "get_ips", no_keys,
	    NULL, print_lines, NULL },
	{ "hardware", "", "kind of the interlink", "hardware", no_keys, NULL,
	    print_word, NULL },
	{ "unlock", "[RESOURCE]", "hand a passphrase to hooks", NULL, NULL,
	    NULL, NULL, failover_unlock },
	{ "reboot", "other_node|info", "reboot the other node", NULL, NULL,
	    NULL, NULL, reboot },
	{ "sync_to_peer", "[reboot=BOOL]", "configuration to the other node",
	    "sync_to_peer", sync_keys, NULL, print_done, NULL },
	{ "sync_from_peer", "", "configuration from the other node",
	    "sync_from_peer", no_keys, NULL, print_done, NULL },
	{ "upgrade_pending", "", "is an upgrade to be finished?",
	    "upgrade_pending", no_keys, NULL, print_word, NULL },
	{ "upgrade_finish", "", "finish it", "upgrade_finish", no_keys, NULL,
	    print_done, NULL },
};
#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
usage(FILE *to)
{
	(void)fputs("usage: carpctl failover COMMAND [KEY=VALUE ...] "
		    "[--yes]\n\n",
	    to);
	for (size_t i = 0; i < NCOMMANDS; i++) {
		const char *args = commands[i].args;

		(void)fprintf(to, "  %-16s%s%s%s\n", commands[i].name,
		    commands[i].text, *args != '\0' ? "; takes " : "", args);
	}
}

static const struct failover_command *
find(const char *name)
{
	const struct failover_command *near = NULL;
	unsigned best = 3, n;

	for (size_t i = 0; i < NCOMMANDS; i++) {
		n = ctl_distance(commands[i].name, name);
		if (n < best) {
			best = n;
			near = &commands[i];
		}
	}
	if (best == 0)
		return near;
	if (near != NULL)
		warnx("unknown command \"failover %s\"; did you mean \"%s\"?",
		    name, near->name);
	else
		warnx("unknown command \"failover %s\"; \"carpctl failover "
		      "help\" lists them",
		    name);
	return NULL;
}

static enum ctl_exit
call(const struct ctl *c, const struct failover_command *cmd)
{
	json_t *params, *result = NULL;
	enum ctl_exit rc;
	char method[64];

	if ((rc = failover_params(c, cmd->keys, &params)) != CTL_OK)
		return rc;
	if (cmd->ask != NULL && (rc = cmd->ask(c, params)) != CTL_OK) {
		json_decref(params);
		return rc;
	}
	(void)snprintf(method, sizeof(method), "failover.%s", cmd->method);
	rc = rpc_once(c, method, params, &result);
	if (rc == CTL_OK && c->json)
		term_json(result);
	else if (rc == CTL_OK)
		cmd->print(result);
	json_decref(result);
	return rc;
}

enum ctl_exit
ctl_failover(const struct ctl *c)
{
	const struct failover_command *cmd;

	if (c->nargs < 2) {
		usage(stderr);
		return CTL_USAGE;
	}
	if (strcmp(c->args[1], "help") == 0) {
		usage(stdout);
		return CTL_OK;
	}
	if ((cmd = find(c->args[1])) == NULL)
		return CTL_USAGE;
	if (c->count > 0 && strcmp(cmd->name, "watch") != 0) {
		warnx("failover %s does not take --count", cmd->name);
		return CTL_USAGE;
	}
	if (cmd->method != NULL)
		return call(c, cmd);
	/* Those that look at their words take one at most, or keys. */
	if (cmd->run != failover_history && c->nargs > 3) {
		warnx("failover %s: \"%s\" is too much", cmd->name, c->args[3]);
		return CTL_USAGE;
	}
	return cmd->run(c);
}
