/* SPDX-License-Identifier: ISC */
/* Virtual hosts that are not where the services are. */
#include "failover_claim.h"
#include "log.h"

/* Otherwise it would answer, and both would go on so. */
static bool
would_yield(const struct carp_info *c)
{
	return c->heard && c->peer_at > c->since &&
	       !carp_packet_is_bowout(&c->peer) &&
	       carp_interval(c->peer.advbase, c->peer.advskew) >
		   carp_interval(c->advbase, c->skew_sent);
}

void
failover_claim(struct failover *f, uint64_t now)
{
	struct carp_host *h = NULL;
	struct carp_host_info i;

	if (f->role.at != AT_MASTER)
		return;
	while ((h = carp_host_each(f->engine, h)) != NULL) {
		carp_host_get_info(h, &i);
		if (!i.link || i.carp.state != CARP_BACKUP ||
		    !would_yield(&i.carp))
			continue;
		log_line(LOG_NOTICE,
		    "vhid %u %s: the services are here: taken from a node that "
		    "does not serve",
		    i.carp.vhid, i.ifname);
		(void)carp_host_force(h, CARP_MASTER, now); /* it has a link */
	}
}
