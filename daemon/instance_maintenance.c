/* SPDX-License-Identifier: ISC */
/*
 * Maintenance: all of the node is demoted.  A peer that does not preempt does
 * not take over from that alone, so who is still master after the next
 * advertisement steps down with a bow-out.
 */
#include <string.h>

#include "instance_part.h"
#include "log.h"

#define STEP_DOWN_SLACK (CARP_SEC / 10) /* beyond one advertisement */

void
instance_step_down_host(struct carp_host *host, struct member *m, uint64_t now)
{
	struct carp_host_info i;
	int rc;

	m->step_down = CARP_NEVER;
	carp_host_get_info(host, &i);
	if (i.carp.state != CARP_MASTER)
		return;
	if ((rc = carp_host_force(host, CARP_BACKUP, now)) < 0)
		log_line(LOG_ERR,
		    "vhid %u %s: cannot step down for "
		    "maintenance: %s",
		    i.carp.vhid, i.ifname, strerror(-rc));
}

bool
instance_maintenance(const struct instance *in)
{
	return in->maintenance;
}

static void
plan_step_down(struct instance *in, bool on, uint64_t now)
{
	struct carp_host *host = NULL;
	struct carp_host_info i;
	struct member *m;

	while ((host = carp_host_each(in->engine, host)) != NULL) {
		m = carp_host_user(host);
		m->step_down = CARP_NEVER;
		carp_host_get_info(host, &i);
		if (!on || i.carp.state != CARP_MASTER)
			continue;
		m->step_down = now + i.carp.interval + STEP_DOWN_SLACK;
		instance_wake_at(in, m->step_down);
	}
}

int
instance_set_maintenance(struct instance *in, bool on, uint64_t now)
{
	int rc;

	if (on == in->maintenance)
		return 0;
	if (in->failover != NULL) {
		in->maintenance = on;
		failover_set_maintenance(in->failover, on, now);
	} else {
		rc = carp_engine_demote(in->engine, INSTANCE_MAINTENANCE,
		    on ? CARP_DEMOTED : 0, CARP_NEVER, now);
		if (rc < 0)
			return rc;
		in->maintenance = on;
		plan_step_down(in, on, now);
	}
	log_line(LOG_NOTICE, "maintenance is %s", on ? "on" : "off");
	if (in->ops.save_maintenance != NULL)
		in->ops.save_maintenance(in->arg, on);
	return 0;
}
