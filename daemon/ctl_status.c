/* SPDX-License-Identifier: ISC */
/* carpctl status: the node and a table of its virtual hosts. */
#include <string.h>

#include "ctl_host.h"
#include "ctl_rpc.h"
#include "ctl_term.h"

static void
print_node(const json_t *status)
{
	const json_t *causes = json_object_get(status, "demotion");
	char up[TERM_DURATION];

	term_print(TERM_PLAIN, "node ");
	term_print(TERM_BOLD, "%s", rpc_text(status, "node"));
	term_print(TERM_PLAIN, ", carpd %s, process %lld, up %s\n",
	    rpc_text(status, "version"), rpc_int(status, "pid"),
	    term_duration(up, rpc_real(status, "uptime")));
	if (rpc_true(status, "maintenance")) {
		term_print(TERM_YELLOW,
		    "maintenance is on: other nodes take over; \"carpctl "
		    "maintenance off\" ends it");
		term_print(TERM_PLAIN, "\n");
	}
	if (json_array_size(causes) > 0) {
		term_print(TERM_YELLOW, "this node is demoted: ");
		host_print_causes(causes);
	}
}

static void
add_resource(struct term_table *t, const json_t *r)
{
	const char *state = rpc_text(r, "state");
	bool bad = strcmp(state, "failed") == 0 || strcmp(state, "sick") == 0;

	term_cell(t, TERM_PLAIN, "%s", rpc_text(r, "phase"));
	term_cell(t, TERM_PLAIN, "%s", rpc_text(r, "name"));
	term_cell(t, TERM_PLAIN, "%s", rpc_text(r, "hook"));
	term_cell(t, bad ? TERM_RED : TERM_PLAIN, "%s", state);
	term_cell(t, TERM_PLAIN, "%s", rpc_text(r, "reason"));
}

static void
print_resources(const json_t *list)
{
	static const char *const titles[] = { "PHASE", "RESOURCE", "HOOK",
		"STATE", "REASON" };
	struct term_table *t;
	const json_t *r;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	t = term_table_new(5);
	for (i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		term_cell(t, TERM_BOLD, "%s", titles[i]);
	json_array_foreach(list, i, r) add_resource(t, r);
	term_print(TERM_PLAIN, "\n");
	term_table_print(t);
	term_table_free(t);
}

static void
print_failover(const json_t *f)
{
	const char *role = rpc_text(f, "role");
	const json_t *reason;
	size_t i;

	if (f == NULL)
		return;
	term_print(TERM_PLAIN, "failover: ");
	term_print(term_state_colour(role), "%s", role);
	if (rpc_text(f, "direction")[0] != '\0')
		term_print(TERM_YELLOW, ", %s: %s", rpc_text(f, "phase"),
		    rpc_text(f, "cause"));
	term_print(TERM_PLAIN, "\n");
	json_array_foreach(json_object_get(f, "reasons"), i, reason)
	{
		term_print(TERM_YELLOW, "  %s", rpc_text(reason, "code"));
		term_print(TERM_PLAIN, ": %s%s%s\n", rpc_text(reason, "text"),
		    rpc_text(reason, "detail")[0] != '\0' ? ": " : "",
		    rpc_text(reason, "detail"));
	}
	if (rpc_text(f, "risk")[0] != '\0') {
		term_print(TERM_RED, "  %s", rpc_text(f, "risk"));
		term_print(TERM_PLAIN, "\n");
	}
	print_resources(json_object_get(f, "resources"));
}

static void
add_titles(struct term_table *t)
{
	static const char *const titles[] = { "INTERFACE", "VHID", "STATE",
		"SINCE", "MASTER", "DEMOTION", "ADDRESSES" };

	for (unsigned i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		term_cell(t, TERM_BOLD, "%s", titles[i]);
	term_column_right(t, 1);
	term_column_right(t, 5);
}

/* "eth0", or with what it is called: "eth0 CriticalGroup1". */
static void
add_interface(struct term_table *t, const json_t *status, const char *name)
{
	const json_t *list = json_object_get(status, "interfaces"), *i;
	const char *alias = "";
	size_t n;

	json_array_foreach(list, n, i)
	{
		if (strcmp(rpc_text(i, "name"), name) == 0)
			alias = rpc_text(i, "alias");
	}
	term_cell(
	    t, TERM_PLAIN, "%s%s%s", name, alias[0] != '\0' ? " " : "", alias);
}

static void
add_host(struct term_table *t, const json_t *status, const json_t *host)
{
	const char *state = rpc_text(host, "state");
	const json_t *conditions = json_object_get(host, "conditions"), *cond;
	char buf[HOST_TEXT];
	size_t i;

	add_interface(t, status, rpc_text(host, "interface"));
	term_cell(t, TERM_PLAIN, "%lld", rpc_int(host, "vhid"));
	term_cell(t, term_state_colour(state), "%s", state);
	term_cell(t, TERM_PLAIN, "%s", host_since(buf, host));
	term_cell(t, TERM_PLAIN, "%s", host_master(host));
	term_cell(t, rpc_int(host, "demotion") ? TERM_YELLOW : TERM_PLAIN,
	    "%lld", rpc_int(host, "demotion"));
	term_cell(t, TERM_PLAIN, "%s",
	    host_list(buf, json_object_get(host, "addresses"), " "));
	json_array_foreach(conditions, i, cond) term_note(
	    t, host_condition_colour(cond), "  %s", host_condition(buf, cond));
}

enum ctl_exit
ctl_status(const struct ctl *c)
{
	json_t *status = NULL;
	const json_t *hosts, *host;
	struct term_table *t;
	enum ctl_exit rc;
	size_t i;

	rc = rpc_once(c, "carp.status", NULL, &status);
	if (rc != CTL_OK)
		return rc;
	if (c->json) {
		term_json(status);
		json_decref(status);
		return CTL_OK;
	}
	print_node(status);
	print_failover(json_object_get(status, "failover"));
	hosts = json_object_get(status, "hosts");
	if (json_array_size(hosts) == 0) {
		term_print(TERM_PLAIN, "no virtual hosts are configured\n");
	} else {
		t = term_table_new(7);
		add_titles(t);
		json_array_foreach(hosts, i, host) add_host(t, status, host);
		term_print(TERM_PLAIN, "\n");
		term_table_print(t);
		term_table_free(t);
	}
	json_decref(status);
	return CTL_OK;
}
