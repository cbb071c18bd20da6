/* SPDX-License-Identifier: ISC */
/* The carp.* methods of the control socket: docs in carpd-rpc(7). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "failover_events.h"
#include "rpc.h"
#include "status_json.h"

#define SECONDS_MAX 31536000 /* a year */

/* In the order of the tables below. */
enum { SHOW_VHID, SHOW_INTERFACE };
enum { DEMOTE_CAUSE, DEMOTE_AMOUNT, DEMOTE_SECONDS };
enum { MAINTENANCE_ON };
enum { RELOAD_LIVE };
enum { FORCE_VHID, FORCE_INTERFACE, FORCE_STATE };

static const struct rpc_param show_params[] = { [SHOW_VHID] = { "vhid", RPC_INT,
						    true, 1, 255 },
	[SHOW_INTERFACE] = { "interface", RPC_TEXT, false, 1,
	    VIP_IFNAMSIZ - 1 },
	{ NULL, RPC_INT, false, 0, 0 } };

static const struct rpc_param demote_params[] = { [DEMOTE_CAUSE] = { "cause",
						      RPC_TEXT, true, 1,
						      CARP_CAUSE_NAME_MAX - 1 },
	[DEMOTE_AMOUNT] = { "amount", RPC_INT, true, -65535, 65535 },
	[DEMOTE_SECONDS] = { "seconds", RPC_INT, false, 1, SECONDS_MAX },
	{ NULL, RPC_INT, false, 0, 0 } };

static const struct rpc_param maintenance_params[] = {
	[MAINTENANCE_ON] = { "on", RPC_BOOL, true, 0, 0 },
	{ NULL, RPC_INT, false, 0, 0 }
};

static const struct rpc_param reload_params[] = { [RELOAD_LIVE] = { "live",
						      RPC_BOOL, false, 0, 0 },
	{ NULL, RPC_INT, false, 0, 0 } };

static const struct rpc_param force_params[] = { [FORCE_VHID] = { "vhid",
						     RPC_INT, true, 1, 255 },
	[FORCE_INTERFACE] = { "interface", RPC_TEXT, false, 1,
	    VIP_IFNAMSIZ - 1 },
	[FORCE_STATE] = { "state", RPC_TEXT, true, 1, 16 },
	{ NULL, RPC_INT, false, 0, 0 } };

static json_t *
node_name(const struct rpc_call *call)
{
	const struct conf *conf = instance_conf(call->instance);

	return conf != NULL ? status_text(conf->name) : json_null();
}

static json_t *
version(struct rpc_call *call)
{
	json_t *o = json_object();

	status_put_text(o, "version", CARP_VERSION);
	status_put(o, "node", node_name(call));
	return o;
}

static json_t *
status(struct rpc_call *call)
{
	struct carp_engine *engine = instance_engine(call->instance);
	const struct failover *f = instance_failover(call->instance);
	uint64_t age = call->now - instance_started(call->instance);
	json_t *o = json_object();

	status_put(o, "node", node_name(call));
	status_put_text(o, "version", CARP_VERSION);
	status_put(o, "pid", json_integer(getpid()));
	status_put(o, "uptime", json_integer((json_int_t)(age / CARP_SEC)));
	status_put(o, "maintenance",
	    json_boolean(instance_maintenance(call->instance)));
	status_put(o, "demotion",
	    status_demotion(carp_engine_demotion(engine), call->now));
	if (f != NULL && f->conf != NULL)
		status_put(o, "failover", failover_summary(f));
	status_put(o, "interfaces", status_interfaces(engine));
	status_put(o, "hosts", status_hosts(call->instance, call->now));
	return o;
}

/*
 * The hosts with this vhid, or all for vhid 0, into a text, as far as there
 * is room.  Returns how many there are; *ret is the last one.
 */
static unsigned
list_hosts(struct rpc_call *call, unsigned vhid, struct carp_host **ret,
    char *text, size_t len)
{
	struct carp_host *host = NULL;
	struct carp_host_info i;
	unsigned n = 0;
	size_t used = 0;

	text[0] = '\0';
	while ((host = carp_host_each(instance_engine(call->instance), host)) !=
	       NULL) {
		carp_host_get_info(host, &i);
		if (vhid != 0 && i.carp.vhid != vhid)
			continue;
		*ret = host;
		if (used < len)
			used += (size_t)snprintf(text + used, len - used,
			    "%s%u on %s", n > 0 ? ", " : "", i.carp.vhid,
			    i.ifname);
		n++;
	}
	return n;
}

/* The host that is meant; NULL: the call has failed. */
static struct carp_host *
find_host(struct rpc_call *call, const struct rpc_arg *vhid,
    const struct rpc_arg *ifname)
{
	struct carp_host *host = NULL;
	char text[RPC_TEXT_LEN / 2];
	unsigned n;

	if (ifname->given) {
		host = carp_host_find(instance_engine(call->instance),
		    ifname->s, (uint8_t)vhid->i);
		if (host != NULL)
			return host;
	}
	n = list_hosts(call, (unsigned)vhid->i, &host, text, sizeof(text));
	if (n == 1 && !ifname->given)
		return host;
	if (n > 0 && ifname->given)
		(void)rpc_fail(call, RPC_PARAMS,
		    "vhid %d is not on %s; there "
		    "is %s",
		    (int)vhid->i, ifname->s, text);
	else if (n > 0)
		(void)rpc_fail(call, RPC_PARAMS,
		    "vhid %d is on several "
		    "interfaces, name one: %s",
		    (int)vhid->i, text);
	else if (list_hosts(call, 0, &host, text, sizeof(text)) > 0)
		(void)rpc_fail(call, RPC_PARAMS,
		    "there is no vhid %d; there "
		    "is %s",
		    (int)vhid->i, text);
	else
		(void)rpc_fail(call, RPC_PARAMS,
		    "there is no vhid %d, nor "
		    "any other",
		    (int)vhid->i);
	return NULL;
}

static json_t *
show(struct rpc_call *call)
{
	struct carp_host *host =
	    find_host(call, &call->arg[SHOW_VHID], &call->arg[SHOW_INTERFACE]);

	return host == NULL ? NULL
			    : status_show(instance_engine(call->instance), host,
				  call->now);
}

static bool
is_reserved(const char *cause)
{
	return strcmp(cause, "maintenance") == 0 ||
	       strcmp(cause, "not serving") == 0 ||
	       strncmp(cause, "failed ", 7) == 0 ||
	       strncmp(cause, "resource ", 9) == 0 ||
	       strncmp(cause, "link ", 5) == 0 ||
	       strncmp(cause, "send ", 5) == 0;
}

static json_t *
demote(struct rpc_call *call)
{
	const struct rpc_arg *seconds = &call->arg[DEMOTE_SECONDS];
	const char *cause = call->arg[DEMOTE_CAUSE].s;
	uint64_t until = CARP_NEVER;
	int rc;

	for (const char *p = cause; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			return rpc_fail(call, RPC_PARAMS,
			    "carp.demote: "
			    "params.cause must be printable ASCII");
	if (is_reserved(cause))
		return rpc_fail(call, RPC_PARAMS,
		    "carp.demote: params.cause: "
		    "\"maintenance\", \"not serving\" and what begins with "
		    "\"link \", \"send \", \"failed \" or \"resource \" are set "
		    "by carpd itself; use another name");
	if (seconds->given)
		until = call->now + (uint64_t)seconds->i * CARP_SEC;
	rc = carp_engine_demote(instance_engine(call->instance), cause,
	    (int)call->arg[DEMOTE_AMOUNT].i, until, call->now);
	if (rc == -ENOSPC)
		return rpc_fail(call, RPC_FAILED,
		    "carp.demote: there are %d "
		    "causes already; end one with amount 0",
		    CARP_CAUSES_MAX);
	if (rc < 0)
		return rpc_fail(
		    call, RPC_FAILED, "carp.demote: %s", strerror(-rc));
	return json_true();
}

static json_t *
maintenance(struct rpc_call *call)
{
	int rc = instance_set_maintenance(
	    call->instance, call->arg[MAINTENANCE_ON].i != 0, call->now);

	if (rc < 0)
		return rpc_fail(
		    call, RPC_FAILED, "carp.maintenance: %s", strerror(-rc));
	return json_true();
}

static json_t *
force(struct rpc_call *call)
{
	const char *name = call->arg[FORCE_STATE].s;
	struct carp_condition_info trouble;
	struct carp_host_info i;
	struct carp_host *host;
	enum carp_state state;
	int rc;

	if (strcmp(name, "master") == 0)
		state = CARP_MASTER;
	else if (strcmp(name, "backup") == 0)
		state = CARP_BACKUP;
	else
		return rpc_fail(call, RPC_PARAMS,
		    "carp.force: params.state "
		    "must be \"master\" or \"backup\"");
	host = find_host(
	    call, &call->arg[FORCE_VHID], &call->arg[FORCE_INTERFACE]);
	if (host == NULL)
		return NULL;
	if (instance_failover(call->instance) != NULL)
		return rpc_fail(call, RPC_FAILED,
		    "carp.force: in failover mode the whole node moves: use "
		    "failover.force_master or failover.become_passive");
	carp_host_get_info(host, &i);
	rc = carp_host_force(host, state, call->now);
	if (rc == -ENETDOWN)
		return rpc_fail(call, RPC_FAILED,
		    "carp.force: vhid %d %s "
		    "takes no part: %s",
		    i.carp.vhid, i.ifname,
		    status_trouble(&trouble, host)
			? trouble.text
			: carp_cause_text(i.carp.cause));
	if (rc < 0)
		return rpc_fail(call, RPC_FAILED, "carp.force: vhid %d %s: %s",
		    i.carp.vhid, i.ifname, strerror(-rc));
	return json_true();
}

static json_t *
reload(struct rpc_call *call)
{
	int rc;

	instance_set_live(call->instance, call->arg[RELOAD_LIVE].i != 0);
	rc = call->peer->reload(call->peer->arg, call->id);
	call->later = rc == 0;
	if (rc == -EOPNOTSUPP)
		return rpc_fail(call, RPC_FAILED,
		    "carp.reload: carpd runs "
		    "without a configuration file");
	if (rc < 0)
		return rpc_fail(
		    call, RPC_FAILED, "carp.reload: %s", strerror(-rc));
	return NULL;
}

static json_t *
subscribe(struct rpc_call *call)
{
	int rc = call->peer->subscribe(call->peer->arg);

	if (rc < 0)
		return rpc_fail(
		    call, RPC_FAILED, "carp.subscribe: %s", strerror(-rc));
	return json_true();
}

const struct rpc_method rpc_carp_methods[] = {
	{ "carp.status", false, "state of the node and of all virtual hosts",
	    NULL, status, false },
	{ "carp.show", false, "all that is known of one virtual host",
	    show_params, show, false },
	{ "carp.subscribe", false, "send events from now on", NULL, subscribe,
	    false },
	{ "carp.version", false, "version of carpd, name of the node", NULL,
	    version, false },
	{ "carp.demote", true, "set what a cause of demotion amounts to",
	    demote_params, demote, false },
	{ "carp.maintenance", true, "give all virtual hosts away, or end that",
	    maintenance_params, maintenance, false },
	{ "carp.force", true, "make one virtual host master or backup",
	    force_params, force, false },
	{ "carp.reload", true, "read the configuration again", reload_params,
	    reload, false },
	{ NULL, false, NULL, NULL, NULL, false }
};
