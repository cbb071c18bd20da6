/* SPDX-License-Identifier: ISC */
/* The failover.* methods of the control socket: docs in carpd-rpc(7). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "failover_events.h"
#include "interlink.h"
#include "reasons.h"
#include "rpc.h"
#include "status_json.h"

#define TIMEOUT_MAX 120 /* seconds */
#define SECRET_MAX  4096

enum { UPDATE_DISABLED, UPDATE_TIMEOUT, UPDATE_MASTER };
enum { CONTROL_ACTION, CONTROL_OPTIONS };
enum { REASONS_DETAIL };
enum { PASSIVE_HARD };
enum { HISTORY_LIMIT };
enum { UNLOCK_PASSPHRASE, UNLOCK_RESOURCE };

/* clang-format off */
static const struct rpc_param update_params[] = {
	[UPDATE_DISABLED] = { "disabled", RPC_BOOL, false, 0, 0 },
	[UPDATE_TIMEOUT] = { "timeout", RPC_INT, false, 0, TIMEOUT_MAX },
	[UPDATE_MASTER] = { "master", RPC_BOOL, false, 0, 0 },
	{ NULL, RPC_INT, false, 0, 0 }
};
static const struct rpc_param control_params[] = {
	[CONTROL_ACTION] = { "action", RPC_TEXT, true, 1, 16 },
	[CONTROL_OPTIONS] = { "options", RPC_OBJECT, false, 0, 0 },
	{ NULL, RPC_INT, false, 0, 0 }
};
static const struct rpc_param reasons_params[] = {
	[REASONS_DETAIL] = { "detail", RPC_BOOL, false, 0, 0 },
	{ NULL, RPC_INT, false, 0, 0 }
};
static const struct rpc_param passive_params[] = {
	[PASSIVE_HARD] = { "hard", RPC_BOOL, false, 0, 0 },
	{ NULL, RPC_INT, false, 0, 0 }
};
static const struct rpc_param history_params[] = {
	[HISTORY_LIMIT] = { "limit", RPC_INT, false, 1, STORE_HISTORY },
	{ NULL, RPC_INT, false, 0, 0 }
};
static const struct rpc_param unlock_params[] = {
	[UNLOCK_PASSPHRASE] = { "passphrase", RPC_TEXT, true, 0, SECRET_MAX },
	[UNLOCK_RESOURCE] = { "resource", RPC_TEXT, false, 1,
	    CONF_RESOURCE_LEN - 1 },
	{ NULL, RPC_INT, false, 0, 0 }
};
static const struct rpc_param peer_params[] = {
	{ "reboot", RPC_BOOL, false, 0, 0 },
	{ "graceful", RPC_BOOL, false, 0, 0 },
	{ "reason", RPC_TEXT, false, 0, 256 },
	{ NULL, RPC_INT, false, 0, 0 }
};
/* clang-format on */

/* NULL: plain mode, and the call has failed. */
static struct failover *
need(struct rpc_call *call)
{
	struct failover *f = instance_failover(call->instance);

	if (f == NULL || f->conf == NULL) {
		(void)rpc_fail(call, RPC_FAILED,
		    "this node runs in plain mode: write a failover section "
		    "into the configuration, see carpd.conf(5)");
		return NULL;
	}
	return f;
}

/*
 * Questions.
 */

static json_t *
status(struct rpc_call *call)
{
	const struct failover *f = instance_failover(call->instance);
	enum role_status s = ROLE_SINGLE;

	if (f != NULL && f->conf != NULL && !(reasons_now(f) & 1u << NO_VIP))
		s = failover_status(f);
	return json_string(role_status_name(s));
}

static json_t *
node(struct rpc_call *call)
{
	const struct failover *f = instance_failover(call->instance);

	return status_text(
	    f != NULL && f->conf != NULL ? f->conf->name : "MANUAL");
}

/* Enrolment comes with the link to the other node. */
static json_t *
licensed(struct rpc_call *call)
{
	(void)call;
	return json_false();
}

static json_t *
in_progress(struct rpc_call *call)
{
	const struct failover *f = instance_failover(call->instance);

	return json_boolean(f != NULL && role_busy(&f->role));
}

static json_t *
entry(const struct failover *f)
{
	json_t *o = json_object();

	status_put(o, "id", json_integer(1));
	status_put(o, "disabled", json_boolean(failover_disabled(f)));
	status_put(o, "timeout", json_integer(failover_timeout_s(f)));
	status_put(o, "master", json_boolean(failover_preferred(f)));
	return o;
}

static json_t *
config(struct rpc_call *call)
{
	const struct failover *f = need(call);

	return f == NULL ? NULL : entry(f);
}

static json_t *
disabled_reasons(struct rpc_call *call)
{
	const struct failover *f = instance_failover(call->instance);

	if (f == NULL || f->conf == NULL) /* as nothing would fail over */
		return json_array();
	return reasons_json(
	    f, reasons_now(f), call->arg[REASONS_DETAIL].i != 0);
}

static void
append_urls(json_t *list, const char *schemes, const struct carp_addr *a)
{
	char addr[CARP_ADDR_STRLEN], url[96], copy[256], *word, *rest = NULL;

	(void)carp_addr_print(addr, a, false);
	(void)snprintf(copy, sizeof(copy), "%s", schemes);
	for (word = strtok_r(copy, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		(void)snprintf(url, sizeof(url),
		    a->family == 6 ? "%.31s://[%s]" : "%.31s://%s", word, addr);
		(void)json_array_append_new(list, json_string(url));
	}
}

static json_t *
get_ips(struct rpc_call *call)
{
	const struct failover *f = need(call);
	const struct conf_host *h;
	json_t *list;

	if (f == NULL)
		return NULL;
	list = json_array();
	h = conf_hosts(f->conf);
	for (uint32_t i = 0; i < f->conf->nhosts; i++)
		for (uint32_t k = 0; k < h[i].naddrs; k++)
			append_urls(list,
			    conf_text(f->conf, f->conf->failover.schemes),
			    conf_pool(f->conf) + h[i].addrs + k);
	return list;
}

static json_t *
hardware(struct rpc_call *call)
{
	const struct failover *f = instance_failover(call->instance);
	struct interlink l;

	if (f == NULL || f->conf == NULL ||
	    f->conf->failover.interlink[0] == '\0')
		return json_string(interlink_kind(NULL));
	interlink_look(&l, f->conf->failover.interlink);
	return json_string(interlink_kind(&l));
}

/* Whoever called the last resort, and is still there, is not to be trusted. */
static json_t *
reboot_reasons(const struct failover *f)
{
	json_t *list = json_array(), *o;

	if (f->role.at != AT_GONE)
		return list;
	o = json_object();
	status_put_text(o, "code", "LAST_RESORT");
	status_put_text(o, "text", f->role.reason);
	(void)json_array_append_new(list, o);
	return list;
}

static json_t *
reboot_info(struct rpc_call *call)
{
	const struct failover *f = need(call);
	json_t *o, *here;

	if (f == NULL)
		return NULL;
	o = json_object();
	here = json_object();
	status_put_text(here, "boot_id", f->store.boot_id);
	status_put(here, "reasons", reboot_reasons(f));
	status_put(o, "this_node", here);
	status_put(o, "other_node", json_null());
	return o;
}

static json_t *
history(struct rpc_call *call)
{
	const struct failover *f = need(call);
	const struct rpc_arg *limit = &call->arg[HISTORY_LIMIT];

	if (f == NULL)
		return NULL;
	return store_history(
	    &f->store, limit->given ? (size_t)limit->i : STORE_HISTORY);
}

static json_t *
progress(struct rpc_call *call)
{
	const struct failover *f = need(call);

	return f == NULL ? NULL : failover_progress(f);
}

/*
 * Orders.
 */

static int
given(const struct rpc_arg *a)
{
	return a->given ? a->i != 0 : -1;
}

static bool
may_enable(struct rpc_call *call, const struct failover *f)
{
	if (!(reasons_now(f) & 1u << NO_CRITICAL_INTERFACES))
		return true;
	(void)rpc_fail(call, RPC_FAILED,
	    "failover cannot be enabled: at least one interface must be "
	    "critical = true (NO_CRITICAL_INTERFACES)");
	return false;
}

static json_t *
update(struct rpc_call *call)
{
	const struct rpc_arg *a = call->arg;
	struct failover *f = need(call);
	int rc;

	if (f == NULL)
		return NULL;
	if (a[UPDATE_DISABLED].given && a[UPDATE_DISABLED].i == 0 &&
	    failover_disabled(f) && !may_enable(call, f))
		return NULL;
	rc = failover_update(f, given(&a[UPDATE_DISABLED]),
	    a[UPDATE_TIMEOUT].given ? (int)a[UPDATE_TIMEOUT].i : -1,
	    given(&a[UPDATE_MASTER]), call->now);
	if (rc < 0)
		return rpc_fail(
		    call, RPC_FAILED, "failover.update: %s", strerror(-rc));
	return entry(f);
}

/* options.active: -1 not given, -2 wrong. */
static int
active_option(const json_t *options)
{
	const json_t *v = json_object_get(options, "active");

	if (options == NULL || (v == NULL && json_object_size(options) == 0))
		return -1;
	if (json_object_size(options) != 1 || !json_is_boolean(v))
		return -2;
	return json_is_true(v);
}

static json_t *
control(struct rpc_call *call)
{
	const char *action = call->arg[CONTROL_ACTION].s;
	int active = active_option(call->arg[CONTROL_OPTIONS].o);
	bool disable = strcmp(action, "DISABLE") == 0;
	struct failover *f = need(call);

	if (f == NULL)
		return NULL;
	if (!disable && strcmp(action, "ENABLE") != 0)
		return rpc_fail(call, RPC_PARAMS,
		    "failover.control: params.action must be \"ENABLE\" or "
		    "\"DISABLE\"");
	if (active == -2)
		return rpc_fail(call, RPC_PARAMS,
		    "failover.control: params.options takes \"active\", true "
		    "or false");
	if (!disable && failover_disabled(f) && !may_enable(call, f))
		return NULL;
	if (disable == failover_disabled(f) &&
	    (active == -1 || (active == 1) == failover_preferred(f)))
		return json_false();
	(void)failover_update(f, disable, -1, active, call->now);
	return json_true();
}

static json_t *
force_master(struct rpc_call *call)
{
	struct failover *f = need(call);
	int rc;

	if (f == NULL)
		return NULL;
	rc = failover_force_master(f, call->now);
	if (rc == -EACCES)
		return rpc_fail(call, RPC_FAILED,
		    "failover.force_master: the other node is master, and "
		    "without a fence both would write: step down there "
		    "(carpctl failover become_passive), or switch it off");
	if (rc == -EALREADY)
		return json_false();
	if (rc < 0)
		return rpc_fail(call, RPC_FAILED,
		    "failover.force_master: the last resort was called here: "
		    "reboot this node");
	return json_true();
}

static json_t *
become_passive(struct rpc_call *call)
{
	bool hard = call->arg[PASSIVE_HARD].i != 0;
	struct failover *f = need(call);

	if (f == NULL)
		return NULL;
	if (failover_disabled(f))
		return rpc_fail(call, RPC_FAILED,
		    "failover.become_passive: failover is disabled "
		    "(NO_FAILOVER): the other node would not take over");
	if (!hard && reasons_same_state(f))
		return rpc_fail(call, RPC_FAILED,
		    "failover.become_passive: both nodes are in the same state "
		    "(DISAGREE_VIP): see carpctl failover disabled reasons");
	if (failover_become_passive(f, hard, call->now) == -EALREADY)
		return rpc_fail(call, RPC_FAILED,
		    "failover.become_passive: this node is not active: it is "
		    "%s",
		    role_status_name(failover_status(f)));
	return json_null();
}

static bool
is_resource(const struct failover *f, const char *name)
{
	const struct conf_resource *r = conf_resources(f->conf);

	for (uint32_t i = 0; i < f->conf->failover.nresources; i++)
		if (strcmp(r[i].name, name) == 0)
			return true;
	return false;
}

/* What is left of it here is overwritten. */
static json_t *
unlock(struct rpc_call *call)
{
	const struct rpc_arg *secret = &call->arg[UNLOCK_PASSPHRASE];
	const struct rpc_arg *name = &call->arg[UNLOCK_RESOURCE];
	struct failover *f = need(call);
	int rc;

	if (f == NULL)
		return NULL;
	if (name->given && !is_resource(f, name->s))
		return rpc_fail(call, RPC_PARAMS,
		    "failover.unlock: there is no resource \"%.31s\"", name->s);
	if (strchr(secret->s, '\n') != NULL) {
		explicit_bzero((void *)(uintptr_t)secret->s, strlen(secret->s));
		return rpc_fail(call, RPC_PARAMS,
		    "failover.unlock: params.passphrase must be one line");
	}
	rc = instance_secret(call->instance, name->given ? name->s : "",
	    secret->s, strlen(secret->s));
	explicit_bzero((void *)(uintptr_t)secret->s, strlen(secret->s));
	if (rc < 0)
		return rpc_fail(
		    call, RPC_FAILED, "failover.unlock: %s", strerror(-rc));
	return json_null();
}

static json_t *
no_peer(struct rpc_call *call)
{
	return rpc_fail(call, RPC_FAILED, "no peer link configured (NO_PONG)");
}

const struct rpc_method rpc_failover_methods[] = {
	{ "failover.status", false,
	    "MASTER, BACKUP, SINGLE, ELECTING, IMPORTING, ERROR or UNKNOWN",
	    NULL, status, false },
	{ "failover.node", false, "A or B; MANUAL in plain mode", NULL, node,
	    false },
	{ "failover.licensed", false, "is this node enrolled in a pair", NULL,
	    licensed, false },
	{ "failover.in_progress", false, "does a transition run", NULL,
	    in_progress, false },
	{ "failover.config", false, "id, disabled, timeout, master", NULL,
	    config, false },
	{ "failover.disabled.reasons", false, "why failover would not work",
	    reasons_params, disabled_reasons, false },
	{ "failover.get_ips", false, "URLs of the virtual addresses", NULL,
	    get_ips, false },
	{ "failover.hardware", false, "the kind of the interlink", NULL,
	    hardware, false },
	{ "failover.reboot.info", false, "boot id, reasons for a reboot", NULL,
	    reboot_info, false },
	{ "failover.history", false, "transitions, the newest last",
	    history_params, history, false },
	{ "failover.progress", false, "role, phase and all resources", NULL,
	    progress, false },
	{ "failover.update", true, "change disabled, timeout or master",
	    update_params, update, false },
	{ "failover.control", true, "enable or disable failover",
	    control_params, control, false },
	{ "failover.force_master", true, "take over now", NULL, force_master,
	    false },
	{ "failover.become_passive", true, "give everything to the other node",
	    passive_params, become_passive, false },
	{ "failover.unlock", true, "a passphrase for the hooks", unlock_params,
	    unlock, true },
	{ "failover.sync_to_peer", true, "takes the peer link", peer_params,
	    no_peer, false },
	{ "failover.sync_from_peer", true, "takes the peer link", NULL, no_peer,
	    false },
	{ "failover.upgrade_pending", false, "takes the peer link", NULL,
	    no_peer, false },
	{ "failover.upgrade_finish", true, "takes the peer link", NULL, no_peer,
	    false },
	{ "failover.reboot.other_node", true, "takes the peer link",
	    peer_params, no_peer, false },
	{ NULL, false, NULL, NULL, NULL, false }
};
