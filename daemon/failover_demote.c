/* SPDX-License-Identifier: ISC */
/* By how much the hosts of a node in failover mode are demoted, and why. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "failover_part.h"
#include "log.h"

#define NOT_SERVING "not serving"
#define NOT_AMOUNT  120 /* a node that serves is preferred to one that */
#define BELOW	    239 /* does not; but that is not `demoted' */
#define SICK_AMOUNT 10	/* of a resource that is not critical */

static void
demote(struct failover *f, const char *cause, int amount, uint64_t now)
{
	int rc = carp_engine_demote(f->engine, cause, amount, CARP_NEVER, now);

	if (rc < 0 && rc != -ENOENT)
		log_line(LOG_ERR, "demotion \"%s\": %s", cause, strerror(-rc));
}

/* By how much all hosts can be demoted without being `demoted'. */
static int
most(const struct failover *f)
{
	const struct conf_host *h = conf_hosts(f->conf);
	int skew = 0;

	for (uint32_t i = 0; i < f->conf->nhosts; i++)
		if (h[i].carp.advskew > skew)
			skew = h[i].carp.advskew;
	return skew < BELOW ? BELOW - skew : 0;
}

bool
failover_preempts(const struct failover *f)
{
	const struct conf_host *h = conf_hosts(f->conf);

	for (uint32_t i = 0; i < f->conf->nhosts; i++)
		if (h[i].carp.preempt)
			return true;
	return false;
}

static bool
serves(const struct failover *f)
{
	enum role_at at = f->role.at;

	/* WAKING: an engine before this one may have served. */
	return !f->importing &&
	       (at == AT_WAKING || at == AT_MASTER || at == AT_SHAKEN ||
		   (at >= AT_DOWN_SERVICE && at != AT_ERROR));
}

/*
 * Who does not serve is demoted from the start, so that his first word after
 * he has won says so: two nodes that win at once do not both yield.  Where the
 * preferred node fails back by itself, it is preferred while it does so, too;
 * but not after it was told to be passive.
 */
void
failover_demote_serving(struct failover *f, uint64_t now)
{
	int amount = 0;

	if (f->passive && f->role.at == AT_BACKUP)
		amount = most(f);
	else if (!serves(f) && !failover_preempts(f))
		amount = most(f) < NOT_AMOUNT ? most(f) : NOT_AMOUNT;
	demote(f, NOT_SERVING, amount, now);
}

/* A node that serves gives its services away first, and is demoted then. */
void
failover_demote_maintenance(struct failover *f, uint64_t now)
{
	bool may = !role_busy(&f->role) && f->role.at != AT_MASTER;

	if (f->maintenance == f->demoted || (f->maintenance && !may))
		return;
	f->demoted = f->maintenance;
	demote(f, FAILOVER_MAINTENANCE, f->demoted ? CARP_DEMOTED : 0, now);
}

void
failover_demote_failed(struct failover *f, bool on, uint64_t now)
{
	if (f->failed[0] != '\0')
		demote(f, f->failed, 0, now);
	f->failed[0] = '\0';
	if (!on)
		return;
	(void)snprintf(f->failed, sizeof(f->failed), "failed %.39s",
	    f->culprit[0] != '\0' ? f->culprit : "takeover");
	demote(f, f->failed, CARP_DEMOTED, now);
}

void
failover_demote_sick(struct failover *f, uint32_t index, uint64_t now)
{
	const struct conf_resource *r = &conf_resources(f->conf)[index];
	bool bad = f->res[index].state == RES_SICK ||
		   f->res[index].state == RES_FAILED;
	char cause[CARP_CAUSE_NAME_MAX];

	bad = bad && !r->critical && f->role.addresses;
	if (bad == f->res[index].demotes)
		return;
	f->res[index].demotes = bad;
	(void)snprintf(cause, sizeof(cause), "resource %.30s", r->name);
	demote(f, cause, bad ? SICK_AMOUNT : 0, now);
}
