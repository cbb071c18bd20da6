/* SPDX-License-Identifier: ISC */
/* carpctl show: all that is to be known of one virtual host. */
#include <stdio.h>
#include <string.h>

#include "ctl_host.h"
#include "ctl_rpc.h"
#include "ctl_term.h"

static void
label(const char *text)
{
	term_print(TERM_GREY, "%-15s", text);
}

static void
print_state(const json_t *h)
{
	const char *state = rpc_text(h, "state");
	const json_t *conditions = json_object_get(h, "conditions"), *cond;
	char buf[HOST_TEXT];
	size_t i;

	term_print(term_state_colour(state),
	    "vhid %lld on %s: ", rpc_int(h, "vhid"), rpc_text(h, "interface"));
	term_print(TERM_PLAIN, "%s\n", rpc_text(h, "why"));
	json_array_foreach(conditions, i, cond) term_print(
	    host_condition_colour(cond), "%s\n", host_condition(buf, cond));
	term_print(TERM_PLAIN, "\n");
	label("state");
	term_print(TERM_PLAIN, "%s, changed %s: %s\n", state,
	    host_since(buf, h), rpc_text(h, "cause"));
	label("master");
	term_print(TERM_PLAIN, "%s\n", host_master(h));
}

static void
print_addresses(const json_t *h)
{
	const json_t *addrs = json_object_get(h, "addresses"),
		     *peers = json_object_get(h, "peers_configured"),
		     *lease = json_object_get(h, "lease");
	char buf[HOST_TEXT];

	label("addresses");
	term_print(TERM_PLAIN, "%s (%lld of %zu installed",
	    host_list(buf, addrs, ", "), rpc_int(h, "installed"),
	    json_array_size(addrs));
	if (rpc_int(h, "ready") > 0)
		term_print(TERM_PLAIN, ", %lld ready", rpc_int(h, "ready"));
	term_print(TERM_PLAIN, ")\n");
	label("digest over");
	term_print(TERM_PLAIN, "%s\n",
	    host_list(buf, json_object_get(h, "digest_addresses"), ", "));
	label("sent to");
	term_print(TERM_PLAIN, "%s\n",
	    json_array_size(peers) > 0 ? host_list(buf, peers, ", ")
				       : "everybody (multicast)");
	label("virtual MAC");
	term_print(
	    TERM_PLAIN, "%s\n", rpc_true(h, "virtual_mac") ? "yes" : "no");
	label("lease");
	term_print(TERM_PLAIN, "%s", rpc_text(lease, "kind"));
	if (json_number_value(json_object_get(lease, "seconds")) > 0)
		term_print(TERM_PLAIN, ", %g s",
		    json_number_value(json_object_get(lease, "seconds")));
	term_print(TERM_PLAIN, "\n");
}

static void
print_election(const json_t *h)
{
	const json_t *timers = json_object_get(h, "timers"),
		     *causes = json_object_get(h, "demotion_causes");

	label("election");
	term_print(TERM_PLAIN, "advbase %lld, advskew %lld",
	    rpc_int(h, "advbase"), rpc_int(h, "advskew"));
	if (rpc_int(h, "skew_sent") != rpc_int(h, "advskew"))
		term_print(
		    TERM_YELLOW, " (%lld is sent)", rpc_int(h, "skew_sent"));
	term_print(TERM_PLAIN, ", preempt %s\n",
	    rpc_true(h, "preempt") ? "on" : "off");
	label("demotion");
	term_print(TERM_PLAIN, "%lld", rpc_int(h, "demotion"));
	term_print(TERM_PLAIN, json_array_size(causes) > 0 ? ": " : "\n");
	if (json_array_size(causes) > 0)
		host_print_causes(causes);
	label("timers");
	term_print(TERM_PLAIN,
	    "as master it sends every %.3g s; a silent master is replaced "
	    "after %.4g s",
	    rpc_real(timers, "interval"), rpc_real(timers, "timeout"));
	if (json_is_number(json_object_get(timers, "deadline")))
		term_print(TERM_PLAIN, "; next step in %.3g s",
		    rpc_real(timers, "deadline"));
	term_print(TERM_PLAIN, "\n");
}

static void
print_peers(const json_t *h)
{
	static const char *const titles[] = { "PEER", "ADVBASE", "ADVSKEW",
		"DEMOTE", "HEARD", "ADVERTISEMENTS" };
	const json_t *peers = json_object_get(h, "peers"), *peer;
	struct term_table *t;
	char ago[TERM_DURATION];
	size_t i;

	if (json_array_size(peers) == 0) {
		term_print(TERM_PLAIN, "\nno peers were heard\n");
		return;
	}
	t = term_table_new(6);
	for (i = 0; i < 6; i++)
		term_cell(t, TERM_BOLD, "%s", titles[i]);
	for (i = 1; i < 6; i++)
		term_column_right(t, (unsigned)i);
	json_array_foreach(peers, i, peer)
	{
		term_cell(t, TERM_PLAIN, "%s", rpc_text(peer, "address"));
		term_cell(t, TERM_PLAIN, "%lld", rpc_int(peer, "advbase"));
		term_cell(t, TERM_PLAIN, "%lld", rpc_int(peer, "advskew"));
		term_cell(t, TERM_PLAIN, "%lld", rpc_int(peer, "demote"));
		term_cell(t, TERM_PLAIN, "%s ago",
		    term_duration(ago, rpc_real(peer, "last")));
		term_cell(t, TERM_PLAIN, "%lld", rpc_int(peer, "count"));
		if (rpc_true(peer, "bowout"))
			term_note(t, TERM_YELLOW, "  has left (bow-out)");
	}
	term_print(TERM_PLAIN, "\n");
	term_table_print(t);
	term_table_free(t);
}

/* In the order of the daemon, three in a row. */
static void
print_counters(const json_t *h)
{
	json_t *counters = json_object_get(h, "counters"), *value;
	struct term_table *t;
	const char *name;

	if (json_object_size(counters) == 0)
		return;
	t = term_table_new(6);
	json_object_foreach(counters, name, value)
	{
		term_cell(t, TERM_GREY, "%s", name);
		term_cell(t, TERM_PLAIN, "%.0f", json_number_value(value));
	}
	for (unsigned i = 1; i < 6; i += 2)
		term_column_right(t, i);
	term_print(TERM_PLAIN, "\n");
	term_table_print(t);
	term_table_free(t);
}

enum ctl_exit
ctl_show(const struct ctl *c)
{
	json_t *params, *host = NULL;
	enum ctl_exit rc;

	if ((rc = ctl_host_params(c, &params)) != CTL_OK)
		return rc;
	rc = rpc_once(c, "carp.show", params, &host);
	if (rc != CTL_OK)
		return rc;
	if (c->json) {
		term_json(host);
	} else {
		print_state(host);
		print_addresses(host);
		print_election(host);
		print_peers(host);
		print_counters(host);
	}
	json_decref(host);
	return CTL_OK;
}
