/* SPDX-License-Identifier: ISC */
/* What the elections of all virtual hosts are for the role machine. */
#include <string.h>

#include "failover_view.h"

static uint32_t
group_of(const struct conf *conf, const char *ifname, uint32_t group)
{
	const struct conf_host *h = conf_hosts(conf);
	uint32_t first = 0;

	if (group != 0)
		return group;
	/* An interface without a number is a group of its own. */
	while (strcmp(h[first].ifname, ifname) != 0)
		first++;
	return UINT32_MAX - first;
}

static bool
any_critical(const struct conf *conf)
{
	const struct conf_host *h = conf_hosts(conf);

	for (uint32_t i = 0; i < conf->nhosts; i++)
		if (h[i].critical)
			return true;
	return false;
}

static struct group_member
member(const struct conf *conf, const struct conf_host *h,
    const struct carp_host_info *i)
{
	struct group_member m = {
		.group = group_of(conf, h->ifname, h->group),
		.link = i->link,
		.state = i->carp.state,
		.cause = i->carp.cause,
	};

	m.heard = i->carp.heard && i->carp.peer_at > i->carp.since &&
		  !carp_packet_is_bowout(&i->carp.peer);
	return m;
}

struct group_result
failover_view(const struct failover *f)
{
	const struct conf_host *h = conf_hosts(f->conf);
	bool all = !any_critical(f->conf);
	const struct carp_host *host;
	struct carp_host_info i;
	size_t n = 0;

	for (uint32_t k = 0; k < f->conf->nhosts; k++) {
		if (!h[k].critical && !all)
			continue;
		host = carp_host_find(f->engine, h[k].ifname, h[k].carp.vhid);
		if (host == NULL)
			continue;
		carp_host_get_info(host, &i);
		f->voter[n++] = member(f->conf, &h[k], &i);
	}
	return group_view(f->voter, n);
}

bool
failover_translate(
    const struct failover *f, enum group_view v, enum role_event *ret)
{
	bool idle = f->role.at == AT_STANDBY || f->role.at == AT_BACKUP ||
		    f->role.at == AT_ERROR || f->role.at == AT_WAKING;

	switch (v) {
	case VIEW_WON:
		*ret = ROLE_EV_WON;
		return true;
	case VIEW_PEER:
		*ret = ROLE_EV_LOST_PEER;
		return true;
	case VIEW_LINK:
		*ret = ROLE_EV_LOST_LINK;
		return true;
	case VIEW_HELD:
		*ret = idle ? ROLE_EV_LOST_PEER : ROLE_EV_WON;
		return true;
	case VIEW_WAITING:
		*ret = idle ? ROLE_EV_LOST_PEER : ROLE_EV_LINK_BACK;
		return idle || f->said == ROLE_EV_LOST_LINK;
	default:
		return false;
	}
}
