/* SPDX-License-Identifier: ISC */
/* Why failover would not work now. */
#include <stdio.h>
#include <string.h>

#include "interlink.h"
#include "reasons.h"
#include "status_json.h"

#define DETAIL_LEN 512

static const struct {
	const char *code, *text;
} known[NREASONS] = {
	[NO_CRITICAL_INTERFACES] = { "NO_CRITICAL_INTERFACES",
	    "no interface is marked critical: no lost link moves the node" },
	[NO_VIP] = { "NO_VIP",
	    "the critical interfaces have no virtual address" },
	[NO_VOLUME] = { "NO_VOLUME",
	    "there is no storage to serve, or it is not well" },
	[NO_FENCED] = { "NO_FENCED",
	    "storage is imported, but its fence does not hold" },
	[NO_FAILOVER] = { "NO_FAILOVER", "failover is disabled" },
	[LOC_FAILOVER_ONGOING] = { "LOC_FAILOVER_ONGOING",
	    "a transition runs on this node" },
	[DISAGREE_VIP] = { "DISAGREE_VIP",
	    "the nodes do not agree who holds the virtual addresses" },
	[NO_HEARTBEAT_IFACE] = { "NO_HEARTBEAT_IFACE",
	    "the interlink does not exist" },
	[NO_CARRIER_ON_HEARTBEAT] = { "NO_CARRIER_ON_HEARTBEAT",
	    "the interlink has no carrier" },
};

/* Any of a phase that is in this state. */
static bool
any(const struct failover *f, enum conf_phase phase, enum resource_state state)
{
	const struct conf_resource *r = conf_resources(f->conf);

	for (uint32_t i = 0; i < f->conf->failover.nresources; i++)
		if (r[i].phase == phase && !r[i].none &&
		    f->res[i].state == state)
			return true;
	return false;
}

/* The first resource of a phase that is not up and well, or -1. */
static int
first_bad(const struct failover *f, enum conf_phase phase)
{
	const struct conf_resource *r = conf_resources(f->conf);

	for (uint32_t i = 0; i < f->conf->failover.nresources; i++)
		if (r[i].phase == phase && !r[i].none &&
		    f->res[i].state != RES_UP)
			return (int)i;
	return -1;
}

static bool
any_configured(const struct failover *f, enum conf_phase phase)
{
	const struct conf_resource *r = conf_resources(f->conf);

	for (uint32_t i = 0; i < f->conf->failover.nresources; i++)
		if (r[i].phase == phase && !r[i].none)
			return true;
	return false;
}

static uint32_t
of_interfaces(const struct failover *f)
{
	const struct conf_host *h = conf_hosts(f->conf);
	bool critical = false, vip = false;

	for (uint32_t i = 0; i < f->conf->nhosts; i++) {
		critical |= h[i].critical != 0;
		vip |= h[i].critical != 0 && h[i].naddrs > 0;
	}
	if (!critical)
		return 1u << NO_CRITICAL_INTERFACES;
	return vip ? 0 : 1u << NO_VIP;
}

static uint32_t
of_storage(const struct failover *f)
{
	bool active = f->role.at == AT_MASTER || f->role.at == AT_SHAKEN;
	bool well = any(f, PHASE_STORAGE, RES_UP);
	bool here = well || any(f, PHASE_STORAGE, RES_SICK);
	uint32_t r = 0;

	if (!any_configured(f, PHASE_STORAGE) || (active && !well))
		r |= 1u << NO_VOLUME;
	if (here && first_bad(f, PHASE_FENCE) != -1)
		r |= 1u << NO_FENCED;
	return r;
}

/* The vhid where two are master, or 0. */
static unsigned
two_masters(const struct failover *f)
{
	struct carp_condition_info c;
	struct carp_host *h = NULL;
	struct carp_host_info i;

	while ((h = carp_host_each(f->engine, h)) != NULL)
		if (carp_host_condition(h, CARP_COND_TWO_MASTERS, &c)) {
			carp_host_get_info(h, &i);
			return i.carp.vhid;
		}
	return 0;
}

/* After the time that an election takes, somebody must be master. */
static bool
nobody(const struct failover *f)
{
	return failover_status(f) == ROLE_UNKNOWN && f->known &&
	       carp_now() - f->role.since > f->role.cfg.detect;
}

static uint32_t
of_interlink(const struct failover *f)
{
	struct interlink l;

	if (f->conf->failover.interlink[0] == '\0')
		return 0;
	interlink_look(&l, f->conf->failover.interlink);
	if (!l.exists)
		return 1u << NO_HEARTBEAT_IFACE;
	return l.carrier ? 0 : 1u << NO_CARRIER_ON_HEARTBEAT;
}

uint32_t
reasons_now(const struct failover *f)
{
	uint32_t r = of_interfaces(f) | of_storage(f) | of_interlink(f);

	if (failover_disabled(f))
		r |= 1u << NO_FAILOVER;
	if (role_busy(&f->role))
		r |= 1u << LOC_FAILOVER_ONGOING;
	if (two_masters(f) != 0 || nobody(f))
		r |= 1u << DISAGREE_VIP;
	return r;
}

const char *
reason_code(enum reason r)
{
	return (unsigned)r < NREASONS ? known[r].code : "?";
}

/* "tank: 2 of 4 disks" */
static void
detail_of_volume(char ret[DETAIL_LEN], const struct failover *f)
{
	int i = first_bad(f, PHASE_STORAGE);

	if (i == -1)
		(void)snprintf(
		    ret, DETAIL_LEN, "no storage section is configured");
	else if (f->res[i].state == RES_SICK && f->res[i].reason[0] != '\0')
		(void)snprintf(ret, DETAIL_LEN, "%s: %s",
		    conf_resources(f->conf)[i].name, f->res[i].reason);
	else
		(void)snprintf(ret, DETAIL_LEN, "%s is not imported",
		    conf_resources(f->conf)[i].name);
}

static void
detail_of(char ret[DETAIL_LEN], const struct failover *f, enum reason r)
{
	const char *link = f->conf->failover.interlink;
	int down;

	ret[0] = '\0';
	switch (r) {
	case NO_VOLUME:
		detail_of_volume(ret, f);
		break;
	case NO_FENCED:
		down = first_bad(f, PHASE_FENCE);
		if (down != -1)
			(void)snprintf(ret, DETAIL_LEN, "%s",
			    conf_resources(f->conf)[down].name);
		break;
	case NO_FAILOVER:
		(void)snprintf(
		    ret, DETAIL_LEN, "carpctl failover control action=ENABLE");
		break;
	case LOC_FAILOVER_ONGOING:
		(void)snprintf(ret, DETAIL_LEN, "%s: %s",
		    role_at_name(f->role.at), f->role.cause);
		break;
	case DISAGREE_VIP:
		if (two_masters(f) != 0)
			(void)snprintf(ret, DETAIL_LEN,
			    "vhid %u has two masters", two_masters(f));
		else
			(void)snprintf(ret, DETAIL_LEN, "nobody is master");
		break;
	case NO_HEARTBEAT_IFACE:
	case NO_CARRIER_ON_HEARTBEAT:
		(void)snprintf(ret, DETAIL_LEN, "%s", link);
		break;
	default:
		break;
	}
}

static json_t *
one(const struct failover *f, enum reason r)
{
	char text[DETAIL_LEN];
	json_t *o = json_object();

	detail_of(text, f, r);
	status_put_text(o, "code", known[r].code);
	status_put_text(o, "text", known[r].text);
	status_put_text(o, "detail", text);
	return o;
}

json_t *
reasons_json(const struct failover *f, uint32_t reasons, bool detail)
{
	json_t *list = json_array();

	for (unsigned r = 0; r < NREASONS; r++)
		if (reasons & 1u << r)
			(void)json_array_append_new(
			    list, detail ? one(f, (enum reason)r)
					 : json_string(known[r].code));
	return list;
}
