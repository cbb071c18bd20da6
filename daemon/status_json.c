/* SPDX-License-Identifier: ISC */
/* Virtual hosts, interfaces and demotion as JSON, for carp.status. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "status_json.h"
#include "why.h"

#define PEERS_MAX 64 /* told by carp.show */
#define HOSTS_MAX 64 /* told in one breath */

void
status_put(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new_nocheck(object, key, value);
}

json_t *
status_text(const char *text)
{
	json_t *v = json_string(text);
	char *copy;

	if (v != NULL || (copy = strdup(text)) == NULL)
		return v;
	for (char *p = copy; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x7f || (unsigned char)*p < 0x20)
			*p = '?';
	v = json_string(copy);
	free(copy);
	return v;
}

void
status_put_text(json_t *object, const char *key, const char *text)
{
	status_put(object, key, status_text(text));
}

static void
put_int(json_t *object, const char *key, uint64_t value)
{
	status_put(object, key, json_integer((json_int_t)value));
}

static void
put_bool(json_t *object, const char *key, bool value)
{
	status_put(object, key, json_boolean(value));
}

/* A span of ns in seconds, to the microsecond. */
static json_t *
seconds(uint64_t ns)
{
	return json_real((double)(ns / 1000) / 1e6);
}

/* Seconds since an instant; null if it never was. */
static json_t *
ago(uint64_t then, uint64_t now)
{
	if (then == 0)
		return json_null();
	return seconds(now > then ? now - then : 0);
}

/* Seconds until an instant; null if it never comes. */
static json_t *
left(uint64_t until, uint64_t now)
{
	if (until == CARP_NEVER)
		return json_null();
	return seconds(until > now ? until - now : 0);
}

static json_t *
addr_list(const struct carp_addr *addr, size_t n, bool prefix)
{
	char text[CARP_ADDR_STRLEN];
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(
		    list, json_string_nocheck(
			      carp_addr_print(text, &addr[i], prefix)));
	return list;
}

static void
append_condition(json_t *list, const struct carp_host *host,
    enum carp_condition cond, uint64_t now)
{
	struct carp_condition_info i;
	json_t *o;

	if (!carp_host_condition(host, cond, &i))
		return;
	o = json_object();
	status_put_text(o, "name", carp_condition_name(cond));
	status_put_text(o, "text", i.text);
	status_put(o, "since", ago(i.since, now));
	put_int(o, "count", i.count);
	put_bool(o, "alarm", cond == CARP_COND_TWO_MASTERS);
	(void)json_array_append_new(list, o);
}

static json_t *
conditions(const struct carp_host *host, uint64_t now)
{
	json_t *list = json_array();

	for (int c = 0; c < CARP_NCONDS; c++)
		append_condition(list, host, (enum carp_condition)c, now);
	return list;
}

/* Who is master as far as this host knows. */
static json_t *
master(const struct carp_info *i, uint64_t now)
{
	char text[CARP_ADDR_STRLEN];

	if (i->state == CARP_MASTER)
		return json_string_nocheck("self");
	if (i->state != CARP_BACKUP || !why_hears_master(i, now))
		return json_null();
	return json_string_nocheck(carp_addr_print(text, &i->peer.src, false));
}

static json_t *
one_host(
    const struct carp_host *host, const struct carp_host_info *h, uint64_t now)
{
	const struct carp_info *i = &h->carp;
	json_t *o = json_object();

	status_put_text(o, "interface", h->ifname);
	put_int(o, "vhid", i->vhid);
	status_put_text(o, "state", carp_state_name(i->state));
	status_put_text(o, "cause", carp_cause_text(i->cause));
	status_put(o, "since", ago(i->since, now));
	put_int(o, "advbase", i->advbase);
	put_int(o, "advskew", i->advskew);
	put_int(o, "skew_sent", i->skew_sent);
	put_bool(o, "preempt", i->preempt);
	status_put(o, "demotion", json_integer(i->demotion));
	status_put(o, "addresses", addr_list(h->addrs, h->naddrs, true));
	put_int(o, "installed", h->vip.installed);
	put_int(o, "ready", h->vip.ready);
	put_bool(o, "virtual_mac", h->vmac);
	status_put(o, "master", master(i, now));
	status_put(o, "conditions", conditions(host, now));
	return o;
}

json_t *
status_hosts(struct instance *in, uint64_t now)
{
	struct carp_host *host = NULL;
	struct carp_host_info h;
	json_t *list = json_array();

	while ((host = carp_host_each(instance_engine(in), host)) != NULL) {
		carp_host_get_info(host, &h);
		(void)json_array_append_new(list, one_host(host, &h, now));
		if (json_array_size(list) % HOSTS_MAX == 0)
			instance_breathe(in);
	}
	return list;
}

static json_t *
counters(const struct carp_stats *s, bool of_host)
{
	json_t *o = json_object();

	put_int(o, "ipackets", s->ipackets);
	put_int(o, "ipackets6", s->ipackets6);
	put_int(o, "opackets", s->opackets);
	put_int(o, "opackets6", s->opackets6);
	for (int v = 0; v < CARP_NVERDICTS; v++)
		put_int(
		    o, carp_verdict_name((enum carp_verdict)v), s->drops[v]);
	if (of_host) {
		put_int(o, "oerrors", s->oerrors);
		put_int(o, "preempt", s->preempt);
	}
	return o;
}

static int
cmp_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Name of the interface of each host, in order; *n counts. */
static const char **
interface_names(const struct carp_engine *engine, size_t *n)
{
	struct carp_host *host = NULL;
	struct carp_host_info h;
	const char **name;

	for (*n = 0; (host = carp_host_each(engine, host)) != NULL; ++*n)
		;
	if ((name = calloc(*n + 1, sizeof(*name))) == NULL)
		return NULL;
	for (size_t i = 0; i < *n; i++) {
		host = carp_host_each(engine, host);
		carp_host_get_info(host, &h);
		name[i] = h.ifname;
	}
	qsort(name, *n, sizeof(*name), cmp_name);
	return name;
}

static json_t *
one_interface(struct carp_engine *engine, const char *name, size_t nhosts)
{
	struct carp_stats stats;
	struct vip_link link;
	json_t *o = json_object();
	char mac[18];
	bool exists;

	exists = vip_link_get(carp_engine_vip(engine), name, &link) == 0;
	status_put_text(o, "name", name);
	put_bool(o, "exists", exists);
	put_bool(o, "up", exists && link.up);
	status_put_text(o, "alias", exists ? link.alias : "");
	if (exists && link.ethernet) {
		(void)snprintf(mac, sizeof(mac),
		    "%02x:%02x:%02x:%02x:%02x:%02x", link.mac[0], link.mac[1],
		    link.mac[2], link.mac[3], link.mac[4], link.mac[5]);
		status_put(o, "mac", json_string_nocheck(mac));
	} else {
		status_put(o, "mac", json_null());
	}
	put_int(o, "hosts", nhosts);
	if (carp_engine_link_stats(engine, name, &stats) < 0)
		memset(&stats, 0, sizeof(stats));
	status_put(o, "stats", counters(&stats, false));
	return o;
}

json_t *
status_interfaces(struct carp_engine *engine)
{
	const char **name;
	json_t *list;
	size_t n, same;

	if ((name = interface_names(engine, &n)) == NULL)
		return NULL;
	list = json_array();
	for (size_t i = 0; i < n; i += same) {
		for (same = 1; i + same < n; same++)
			if (strcmp(name[i], name[i + same]) != 0)
				break;
		(void)json_array_append_new(
		    list, one_interface(engine, name[i], same));
	}
	free(name);
	return list;
}

static void
append_causes(
    json_t *list, const struct carp_demotion *d, const char *of, uint64_t now)
{
	json_t *o;

	for (unsigned i = 0; i < d->n; i++) {
		o = json_object();
		status_put_text(o, "cause", d->cause[i].name);
		status_put(o, "amount", json_integer(d->cause[i].amount));
		status_put(o, "remaining", left(d->cause[i].until, now));
		if (of != NULL)
			status_put_text(o, "of", of);
		(void)json_array_append_new(list, o);
	}
}

json_t *
status_demotion(const struct carp_demotion *d, uint64_t now)
{
	json_t *list = json_array();

	append_causes(list, d, NULL, now);
	return list;
}

static json_t *
peers(const struct carp_host *host, uint64_t now)
{
	struct carp_peer peer[PEERS_MAX];
	char text[CARP_ADDR_STRLEN];
	json_t *list = json_array(), *o;
	size_t n = carp_host_peers(host, peer, PEERS_MAX);

	for (size_t i = 0; i < n; i++) {
		o = json_object();
		status_put_text(
		    o, "address", carp_addr_print(text, &peer[i].addr, false));
		put_int(o, "advbase", peer[i].advbase);
		put_int(o, "advskew", peer[i].advskew);
		put_int(o, "demote", peer[i].demote);
		status_put(o, "last", ago(peer[i].last, now));
		put_int(o, "count", peer[i].count);
		put_bool(o, "bowout", peer[i].bowout);
		(void)json_array_append_new(list, o);
	}
	return list;
}

static json_t *
timers(const struct carp_info *i, uint64_t now)
{
	json_t *o = json_object();

	status_put(o, "interval", seconds(i->interval));
	status_put(o, "timeout", seconds(i->timeout));
	status_put(o, "deadline", left(i->deadline, now));
	return o;
}

static json_t *
lease(const struct carp_host_info *h)
{
	json_t *o = json_object();
	uint64_t length = 0;

	switch ((enum vip_lease)h->lease) {
	case VIP_LEASE_ADDRESS:
		status_put_text(o, "kind", "address");
		put_int(o, "seconds", h->lease_s);
		return o;
	case VIP_LEASE_GUARD:
		status_put_text(o, "kind", "guard");
		length = h->lease_ms * (CARP_SEC / 1000);
		break;
	case VIP_LEASE_OFF:
		status_put_text(o, "kind", "off");
		break;
	}
	status_put(o, "seconds", seconds(length));
	return o;
}

bool
status_trouble(struct carp_condition_info *ret, const struct carp_host *host)
{
	static const enum carp_condition which[] = { CARP_COND_NO_INTERFACE,
		CARP_COND_NOT_ETHERNET, CARP_COND_LINK_DOWN,
		CARP_COND_RECEIVE };

	for (size_t i = 0; i < sizeof(which) / sizeof(which[0]); i++)
		if (carp_host_condition(host, which[i], ret))
			return true;
	return false;
}

json_t *
status_show(const struct carp_engine *engine, const struct carp_host *host,
    uint64_t now)
{
	struct carp_condition_info trouble;
	struct carp_host_info h;
	json_t *o, *causes;
	char why[WHY_LEN];

	carp_host_get_info(host, &h);
	if ((o = one_host(host, &h, now)) == NULL)
		return NULL;
	status_put_text(o, "why",
	    why_sentence(why, &h,
		status_trouble(&trouble, host) ? trouble.text : NULL, now));
	status_put(o, "timers", timers(&h.carp, now));
	status_put(o, "digest_addresses",
	    h.ndigest != 0 ? addr_list(h.digest, h.ndigest, false)
			   : addr_list(h.addrs, h.naddrs, false));
	status_put(o, "peers_configured", addr_list(h.peers, h.npeers, false));
	status_put(o, "peers", peers(host, now));
	status_put(o, "counters", counters(&h.carp.stats, true));
	causes = json_array();
	append_causes(causes, carp_engine_demotion(engine), "node", now);
	append_causes(causes, carp_host_demotion(host), "host", now);
	status_put(o, "demotion_causes", causes);
	status_put(o, "lease", lease(&h));
	return o;
}
