/* SPDX-License-Identifier: ISC */
/* Orders of people in failover mode. */
#include <errno.h>

#include "failover_part.h"

static bool
has_fence(const struct failover *f)
{
	const struct conf_resource *r = conf_resources(f->conf);

	for (uint32_t i = 0; i < f->conf->failover.nresources; i++)
		if (r[i].phase == PHASE_FENCE && !r[i].none)
			return true;
	return false;
}

int
failover_force_master(struct failover *f, uint64_t now)
{
	/* What it is called here says nothing of the other node. */
	if (failover_peer_is_heard(f) && !has_fence(f) &&
	    f->role.at != AT_MASTER && f->role.at != AT_SHAKEN)
		return -EACCES;
	if (f->role.at == AT_MASTER || f->role.at == AT_SHAKEN)
		return -EALREADY;
	if (f->role.at == AT_GONE || f->role.at == AT_ENDED)
		return -ENOTCONN;
	failover_step(f, ROLE_EV_FORCE, NULL, now);
	return 0;
}

int
failover_become_passive(struct failover *f, bool hard, uint64_t now)
{
	bool active = f->role.at >= AT_HOLD && f->role.at <= AT_SHAKEN;

	if (!active && !(hard && role_busy(&f->role)))
		return -EALREADY;
	f->passive = failover_preempts(f);
	failover_step(f, hard ? ROLE_EV_HARD : ROLE_EV_PASSIVE, NULL, now);
	return 0;
}

int
failover_update(
    struct failover *f, int disabled, int timeout_s, int master, uint64_t now)
{
	struct role_config c;
	bool was = f->store.disabled;

	if (timeout_s > 120)
		return -EINVAL;
	if (disabled != -1)
		f->store.disabled = disabled != 0;
	if (timeout_s != -1)
		f->store.timeout_s = timeout_s;
	if (master != -1)
		f->store.master = master;
	failover_remember(f);
	f->passive = f->passive && disabled == -1 && master != 1;
	c = failover_role_settings(f);
	role_configure(&f->role, &c, now);
	if (master != -1) {
		f->ops.hosts(f->arg);
		failover_speak(f, now);
	}
	if (f->store.disabled != was)
		failover_step(
		    f, was ? ROLE_EV_ENABLE : ROLE_EV_DISABLE, NULL, now);
	if (was && !f->store.disabled)
		failover_recall_losses(f, now);
	return 0;
}

void
failover_set_maintenance(struct failover *f, bool on, uint64_t now)
{
	struct role_detail d = { .text = FAILOVER_MAINTENANCE };

	f->maintenance = on;
	if (on)
		failover_step(f, ROLE_EV_PASSIVE, &d, now);
	else
		failover_demote_maintenance(f, now);
}
