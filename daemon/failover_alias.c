/* SPDX-License-Identifier: ISC */
/* What people see with ip-link(8): CriticalGroup1, Interlink. */
#include <stdio.h>
#include <string.h>

#include "failover_alias.h"
#include "log.h"

/* A name that somebody else gave stays. */
static bool
is_ours(const char *alias)
{
	return alias[0] == '\0' ||
	       strncmp(alias, "CriticalGroup", strlen("CriticalGroup")) == 0 ||
	       strcmp(alias, "Critical") == 0 ||
	       strcmp(alias, "Interlink") == 0;
}

static void
name_interface(struct failover *f, const char *ifname, const char *alias)
{
	struct vip *v = carp_engine_vip(f->engine);
	struct vip_link l;
	int rc;

	if (vip_link_get(v, ifname, &l) < 0 || !is_ours(l.alias) ||
	    strcmp(l.alias, alias) == 0)
		return;
	if ((rc = vip_link_set_alias(v, ifname, alias)) < 0)
		log_line(LOG_WARNING, "%s: cannot be called %s: %s", ifname,
		    alias, strerror(-rc));
}

void
failover_alias(char ret[VIP_ALIAS], const struct conf_host *h)
{
	if (!h->critical)
		ret[0] = '\0';
	else if (h->group == 0)
		(void)snprintf(ret, VIP_ALIAS, "Critical");
	else
		(void)snprintf(ret, VIP_ALIAS, "CriticalGroup%u", h->group);
}

void
failover_name_interfaces(struct failover *f)
{
	const struct conf_host *h = conf_hosts(f->conf);
	char alias[VIP_ALIAS];

	for (uint32_t i = 0; i < f->conf->nhosts; i++) {
		if (i > 0 && strcmp(h[i].ifname, h[i - 1].ifname) == 0)
			continue;
		failover_alias(alias, &h[i]);
		name_interface(f, h[i].ifname, alias);
	}
	if (f->conf->failover.interlink[0] != '\0')
		name_interface(f, f->conf->failover.interlink, "Interlink");
}

static bool
has_interface(const struct conf *c, const char *ifname)
{
	const struct conf_host *h = conf_hosts(c);

	for (uint32_t i = 0; i < c->nhosts; i++)
		if (strcmp(h[i].ifname, ifname) == 0)
			return true;
	return strcmp(c->failover.interlink, ifname) == 0;
}

void
failover_unname_interfaces(struct failover *f, const struct conf *was)
{
	const struct conf_host *h = conf_hosts(was);
	const char *link = was->failover.interlink;

	for (uint32_t i = 0; i < was->nhosts; i++)
		if (!has_interface(f->conf, h[i].ifname))
			name_interface(f, h[i].ifname, "");
	if (link[0] != '\0' && !has_interface(f->conf, link))
		name_interface(f, link, "");
}
