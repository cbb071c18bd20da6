/* SPDX-License-Identifier: ISC */
/* A plan carried out on the engine, as far as it can fail, or undone. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "log.h"

#define STEPS_MAX 16 /* hosts changed in one breath */

static void
host_config(struct carp_host_config *ret, struct instance *in,
    const struct conf *conf, const struct conf_host *h)
{
	const struct carp_addr *pool = conf_pool(conf);

	memset(ret, 0, sizeof(*ret));
	ret->size = sizeof(*ret);
	ret->vmac = h->vmac;
	ret->lease = h->lease;
	memcpy(ret->ifname, h->ifname, sizeof(ret->ifname));
	ret->carp = h->carp;
	ret->addrs = pool + h->addrs;
	ret->naddrs = h->naddrs;
	ret->digest = h->ndigest != 0 ? pool + h->digest : NULL;
	ret->ndigest = h->ndigest;
	ret->peers = h->npeers != 0 ? pool + h->peers : NULL;
	ret->npeers = h->npeers;
	if (instance_failover(in) != NULL)
		failover_host_config(instance_failover(in), ret);
}

static int
add_host(struct instance *in, const struct conf *conf,
    const struct conf_host *h, uint64_t now)
{
	struct carp_host_config cfg;
	struct carp_host *host;
	struct member *m;
	int rc;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return -ENOMEM;
	m->step_down = CARP_NEVER;
	host_config(&cfg, in, conf, h);
	if ((rc = carp_host_add(instance_engine(in), &host, &cfg, now)) < 0) {
		free(m);
		return rc;
	}
	carp_host_set_user(host, m);
	return 0;
}

static int
change_host(struct instance *in, const struct conf *conf,
    const struct conf_host *h, uint64_t now)
{
	struct carp_host_config cfg;
	struct carp_host *host;

	host = carp_host_find(instance_engine(in), h->ifname, h->carp.vhid);
	if (host == NULL)
		return -ENOENT;
	host_config(&cfg, in, conf, h);
	return carp_host_change(host, &cfg, now);
}

/* Which links move the node; none: as if nothing was said of it. */
static int
set_groups(struct instance *in, const struct conf *conf, uint64_t now)
{
	const struct conf_host *h = conf_hosts(conf);
	struct carp_link_group *g;
	size_t n = 0;
	int rc;

	if ((g = calloc(conf->nhosts + 1, sizeof(*g))) == NULL)
		return -ENOMEM;
	/* The hosts of an interface follow each other. */
	for (uint32_t i = 0; i < conf->nhosts; i++) {
		if (!h[i].critical ||
		    (n > 0 && strcmp(g[n - 1].ifname, h[i].ifname) == 0))
			continue;
		memcpy(g[n].ifname, h[i].ifname, sizeof(g[n].ifname));
		g[n++].group = h[i].group;
	}
	rc = carp_engine_set_groups(instance_engine(in), g, n, now);
	free(g);
	return rc;
}

/* Everything that can fail.  On failure *at is the step that did. */
static int
go_forward(struct instance *in, const struct plan *p, const struct conf *conf,
    uint32_t *at, enum plan_what what, uint64_t now)
{
	const struct plan_step *s;
	int rc;

	for (*at = 0; *at < p->n; ++*at) {
		s = &p->step[*at];
		if (s->what != what)
			continue;
		rc = what == PLAN_ADD ? add_host(in, conf, s->is, now)
				      : change_host(in, conf, s->is, now);
		if (rc < 0)
			return rc;
		if (*at % STEPS_MAX == STEPS_MAX - 1)
			instance_breathe(in);
	}
	return 0;
}

/* One that was just added: for everybody else it was never there. */
static void
take_back(struct instance *in, const struct conf_host *h, uint64_t now)
{
	struct carp_host *host;
	void *m;

	host = carp_host_find(instance_engine(in), h->ifname, h->carp.vhid);
	if (host == NULL)
		return;
	m = carp_host_user(host);
	carp_host_remove(host, now);
	free(m);
}

/* Undoes the steps before `end` that do `what`. */
static void
go_back(struct instance *in, const struct plan *p, uint32_t end,
    enum plan_what what, uint64_t now)
{
	const struct conf *was = instance_conf(in);
	const struct plan_step *s;
	int rc;

	for (uint32_t i = 0; i < end; i++) {
		s = &p->step[i];
		if (s->what != what)
			continue;
		if (what == PLAN_ADD) {
			take_back(in, s->is, now);
		} else if ((rc = change_host(in, was, s->was, now)) < 0) {
			log_line(LOG_ERR,
			    "vhid %u %s: cannot put back what "
			    "was configured: %s",
			    s->was->carp.vhid, s->was->ifname, strerror(-rc));
		}
	}
}

static void
say_failed(char *why, size_t len, const struct conf *conf,
    const struct conf_host *h, const char *what, int rc)
{
	bool no_filter = h->lease == VIP_LEASE_GUARD &&
			 (rc == -EOPNOTSUPP || rc == -EPROTONOSUPPORT);
	char line[16];

	(void)snprintf(line, sizeof(line), ":%u: ", h->line);
	(void)snprintf(why, len, "%s%svhid %u %s: cannot %s: %s", conf->file,
	    conf->file[0] != '\0' ? line : "", h->carp.vhid, h->ifname, what,
	    no_filter ? "this kernel has no nf_tables, which lease = guard "
			"takes; write another lease"
		      : strerror(-rc));
}

int
apply_plan(struct instance *in, const struct plan *p, const struct conf *conf,
    char *why, size_t len, uint64_t now)
{
	const struct conf *was = instance_conf(in);
	enum plan_what what = PLAN_ADD;
	uint32_t at = 0;
	int rc;

	rc = carp_engine_set_link_demotion(
	    instance_engine(in), conf->link_demotion, now);
	if (rc < 0) {
		(void)snprintf(why, len, "link-demotion: %s", strerror(-rc));
		return rc;
	}
	if ((rc = set_groups(in, conf, now)) < 0) {
		(void)snprintf(why, len, "group: %s", strerror(-rc));
		return rc;
	}
	if ((rc = go_forward(in, p, conf, &at, what, now)) < 0)
		goto fail;
	what = PLAN_CHANGE;
	if ((rc = go_forward(in, p, conf, &at, what, now)) < 0)
		goto fail;
	return 0;
fail:
	say_failed(why, len, conf, p->step[at].is,
	    what == PLAN_ADD ? "add it" : "change it", rc);
	if (what == PLAN_CHANGE)
		go_back(in, p, at, PLAN_CHANGE, now);
	go_back(in, p, what == PLAN_ADD ? at : p->n, PLAN_ADD, now);
	if (was != NULL) { /* it was so before */
		(void)carp_engine_set_link_demotion(
		    instance_engine(in), was->link_demotion, now);
		(void)set_groups(in, was, now);
	}
	return rc;
}

int
apply_hosts(struct instance *in, uint64_t now)
{
	const struct conf *conf = instance_conf(in);
	const struct conf_host *h = conf_hosts(conf);
	int rc, first = 0;

	for (uint32_t i = 0; i < conf->nhosts; i++) {
		rc = change_host(in, conf, &h[i], now);
		if (rc < 0 && first == 0)
			first = rc;
	}
	return first;
}
