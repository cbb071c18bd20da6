/* SPDX-License-Identifier: ISC */
/* A configuration as one block of memory: made, checked, compared. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf_draft.h"

/* More hosts or addresses than any file can have: no sum overflows. */
#define MANY (UINT32_C(1) << 22)

/* The parts follow each other without gaps that need care. */
static_assert(sizeof(struct conf) % _Alignof(struct conf_resource) == 0, "1");
static_assert(
    sizeof(struct conf_resource) % _Alignof(struct conf_host) == 0, "2");
static_assert(_Alignof(struct carp_addr) == 1, "addresses");

static size_t
block_size(const struct conf *c)
{
	return sizeof(*c) +
	       c->failover.nresources * sizeof(struct conf_resource) +
	       c->nhosts * sizeof(struct conf_host) +
	       c->naddrs * sizeof(struct carp_addr) + c->ntext;
}

struct conf *
conf_block_new(
    unsigned nresources, unsigned nhosts, unsigned naddrs, size_t text)
{
	struct conf need = { .nhosts = nhosts, .naddrs = naddrs }, *c;

	if (nresources > MANY || nhosts > MANY || naddrs > MANY || text > MANY)
		return NULL;
	need.failover.nresources = nresources;
	need.ntext = 1;
	if ((c = calloc(1, block_size(&need) + text)) == NULL)
		return NULL;
	*c = need;
	c->size = block_size(c);
	return c;
}

struct conf_resource *
conf_block_resources(struct conf *c)
{
	return (struct conf_resource *)(c + 1);
}

struct conf_host *
conf_block_hosts(struct conf *c)
{
	return (struct conf_host *)(conf_block_resources(c) +
				    c->failover.nresources);
}

struct carp_addr *
conf_block_pool(struct conf *c)
{
	return (struct carp_addr *)(conf_block_hosts(c) + c->nhosts);
}

uint32_t
conf_block_text(struct conf *c, const char *text)
{
	char *texts = (char *)(conf_block_pool(c) + c->naddrs);
	uint32_t at = c->ntext;
	size_t n = strlen(text) + 1;

	memcpy(texts + at, text, n);
	c->ntext += (uint32_t)n;
	c->size = block_size(c);
	return at;
}

const struct conf_resource *
conf_resources(const struct conf *c)
{
	return (const struct conf_resource *)(c + 1);
}

const struct conf_host *
conf_hosts(const struct conf *c)
{
	return (const struct conf_host *)(conf_resources(c) +
					  c->failover.nresources);
}

const struct carp_addr *
conf_pool(const struct conf *c)
{
	return (const struct carp_addr *)(conf_hosts(c) + c->nhosts);
}

const char *
conf_text(const struct conf *c, uint32_t offset)
{
	const char *texts = (const char *)(conf_pool(c) + c->naddrs);

	return offset < c->ntext ? texts + offset : "";
}

static bool
same_addrs(const struct carp_addr *a, const struct carp_addr *b, uint32_t n)
{
	return memcmp(a, b, n * sizeof(*a)) == 0;
}

/* Order counts: another order is shown in another order. */
static bool
same_host(const struct conf *ca, const struct conf_host *a,
    const struct conf *cb, const struct conf_host *b)
{
	const struct carp_addr *pa = conf_pool(ca), *pb = conf_pool(cb);

	return strcmp(a->ifname, b->ifname) == 0 &&
	       memcmp(&a->carp, &b->carp, sizeof(a->carp)) == 0 &&
	       a->vmac == b->vmac && a->lease == b->lease &&
	       a->allow_foreign_subnet == b->allow_foreign_subnet &&
	       a->critical == b->critical && a->group == b->group &&
	       a->naddrs == b->naddrs && a->ndigest == b->ndigest &&
	       a->npeers == b->npeers &&
	       same_addrs(pa + a->addrs, pb + b->addrs, a->naddrs) &&
	       same_addrs(pa + a->digest, pb + b->digest, a->ndigest) &&
	       same_addrs(pa + a->peers, pb + b->peers, a->npeers);
}

bool
conf_same_network(const struct conf *a, const struct conf *b)
{
	uint32_t i;

	if (a->nhosts != b->nhosts)
		return false;
	for (i = 0; i < a->nhosts; i++)
		if (!same_host(a, &conf_hosts(a)[i], b, &conf_hosts(b)[i]))
			return false;
	return true;
}

static bool
same_text(const struct conf *ca, uint32_t a, const struct conf *cb, uint32_t b)
{
	return strcmp(conf_text(ca, a), conf_text(cb, b)) == 0;
}

static bool
same_set(const struct conf *ca, const struct conf_resource *a,
    const struct conf *cb, const struct conf_resource *b)
{
	uint32_t i, ta = a->set, tb = b->set;

	if (a->nset != b->nset)
		return false;
	for (i = 0; i < a->nset; i++) {
		if (!same_text(ca, ta, cb, tb))
			return false;
		ta += (uint32_t)strlen(conf_text(ca, ta)) + 1;
		tb += (uint32_t)strlen(conf_text(cb, tb)) + 1;
	}
	return true;
}

static bool
same_resource(const struct conf *ca, const struct conf_resource *a,
    const struct conf *cb, const struct conf_resource *b)
{
	return strcmp(a->name, b->name) == 0 && a->phase == b->phase &&
	       a->critical == b->critical && a->none == b->none &&
	       same_text(ca, a->hook, cb, b->hook) && same_set(ca, a, cb, b) &&
	       a->start_ms == b->start_ms && a->stop_ms == b->stop_ms &&
	       a->status_ms == b->status_ms && a->verify_ms == b->verify_ms &&
	       a->monitor_ms == b->monitor_ms && a->after == b->after;
}

static bool
same_failover(const struct conf *ca, const struct conf *cb)
{
	const struct conf_failover *a = &ca->failover, *b = &cb->failover;
	uint32_t i;

	if (a->on != b->on || a->addresses_first != b->addresses_first ||
	    a->timeout_s != b->timeout_s ||
	    a->fence_wait_ms != b->fence_wait_ms ||
	    !same_text(ca, a->last_resort, cb, b->last_resort) ||
	    !same_text(ca, a->schemes, cb, b->schemes) ||
	    a->nresources != b->nresources ||
	    strcmp(a->interlink, b->interlink) != 0 ||
	    !same_addrs(&a->interlink_peer, &b->interlink_peer, 1))
		return false;
	for (i = 0; i < a->nresources; i++)
		if (!same_resource(
			ca, &conf_resources(ca)[i], cb, &conf_resources(cb)[i]))
			return false;
	return true;
}

bool
conf_equal(const struct conf *a, const struct conf *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->user, b->user) == 0 &&
	       strcmp(a->group, b->group) == 0 &&
	       strcmp(a->notify_dir, b->notify_dir) == 0 &&
	       a->notify_timeout == b->notify_timeout &&
	       a->link_demotion == b->link_demotion &&
	       a->realtime == b->realtime && conf_same_network(a, b) &&
	       same_failover(a, b);
}

static bool
ends(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

static bool
in_pool(const struct conf *c, uint32_t first, uint32_t n)
{
	return n <= c->naddrs && first <= c->naddrs - n;
}

static bool
verify_host(const struct conf *c, const struct conf_host *h)
{
	return ends(h->ifname, sizeof(h->ifname)) && h->ifname[0] != '\0' &&
	       h->carp.size == sizeof(h->carp) && h->carp.vhid != 0 &&
	       h->lease <= VIP_LEASE_GUARD && h->critical <= 1 &&
	       in_pool(c, h->addrs, h->naddrs) &&
	       in_pool(c, h->digest, h->ndigest) &&
	       in_pool(c, h->peers, h->npeers);
}

static bool
verify_addr(const struct carp_addr *a)
{
	return (a->family == 4 && a->prefix <= 32) ||
	       (a->family == 6 && a->prefix <= 128);
}

static bool
verify_texts(const struct conf *c)
{
	const char *texts = (const char *)(conf_pool(c) + c->naddrs);

	return c->ntext == 0 ||
	       (texts[0] == '\0' && texts[c->ntext - 1] == '\0');
}

/* n texts, one after the other. */
static bool
has_texts(const struct conf *c, uint32_t at, uint32_t n)
{
	for (; n > 0; n--) {
		if (at == 0 || at >= c->ntext)
			return false;
		at += (uint32_t)strlen(conf_text(c, at)) + 1;
	}
	return true;
}

static bool
verify_resource(const struct conf *c, uint32_t nth)
{
	const struct conf_resource *all = conf_resources(c), *r = &all[nth];
	uint32_t i;

	if (!ends(r->name, sizeof(r->name)) || r->name[0] == '\0' ||
	    r->phase >= NPHASES || r->critical > 1 || r->none > 1 ||
	    (r->none == 1 && r->phase != PHASE_FENCE) ||
	    (r->none == 0 && conf_text(c, r->hook)[0] == '\0') ||
	    !has_texts(c, r->set, r->nset))
		return false;
	for (i = 0; i < CONF_RESOURCE_MAX; i++)
		if ((r->after >> i & 1) != 0 &&
		    (i >= c->failover.nresources || i == nth ||
			all[i].phase != r->phase))
			return false;
	return true;
}

static bool
verify_failover(const struct conf *c)
{
	const struct conf_failover *f = &c->failover;
	const struct carp_addr *peer = &f->interlink_peer;
	uint32_t i;

	if (f->on > 1 || f->addresses_first > 1 ||
	    (f->on == 0 && f->nresources > 0) || f->timeout_s > 120 ||
	    !ends(f->interlink, sizeof(f->interlink)) ||
	    (f->last_resort != 0 && f->last_resort >= c->ntext) ||
	    (f->schemes != 0 && f->schemes >= c->ntext) ||
	    (peer->family != 0 && !verify_addr(peer)))
		return false;
	for (i = 0; i < f->nresources; i++)
		if (!verify_resource(c, i))
			return false;
	return true;
}

int
conf_verify(const struct conf *c, size_t size)
{
	uint32_t i;

	if (size < sizeof(*c) || c->size != size || c->nhosts > MANY ||
	    c->naddrs > MANY || c->ntext > MANY || c->realtime > 1 ||
	    c->failover.nresources > CONF_RESOURCE_MAX ||
	    block_size(c) != size || !verify_texts(c) ||
	    !ends(c->file, sizeof(c->file)) ||
	    !ends(c->name, sizeof(c->name)) ||
	    !ends(c->user, sizeof(c->user)) ||
	    !ends(c->group, sizeof(c->group)) ||
	    !ends(c->notify_dir, sizeof(c->notify_dir)) || !verify_failover(c))
		return -EINVAL;
	for (i = 0; i < c->nhosts; i++)
		if (!verify_host(c, &conf_hosts(c)[i]))
			return -EINVAL;
	for (i = 0; i < c->naddrs; i++)
		if (!verify_addr(&conf_pool(c)[i]))
			return -EINVAL;
	return 0;
}
