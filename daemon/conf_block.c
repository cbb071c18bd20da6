/* SPDX-License-Identifier: ISC */
/* A configuration as one block of memory: made, checked, compared. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf_draft.h"

/* More hosts or addresses than any file can have: no sum overflows. */
#define MANY (UINT32_C(1) << 22)

/* The three parts follow each other without gaps that need care. */
static_assert(sizeof(struct conf) % _Alignof(struct conf_host) == 0, "hosts");
static_assert(_Alignof(struct carp_addr) == 1, "addresses");

static size_t
block_size(uint32_t nhosts, uint32_t naddrs)
{
	return sizeof(struct conf) + nhosts * sizeof(struct conf_host) +
	       naddrs * sizeof(struct carp_addr);
}

struct conf *
conf_block_new(unsigned nhosts, unsigned naddrs)
{
	struct conf *c;
	size_t size;

	if (nhosts > MANY || naddrs > MANY)
		return NULL;
	size = block_size(nhosts, naddrs);
	if ((c = calloc(1, size)) == NULL)
		return NULL;
	c->size = size;
	c->nhosts = nhosts;
	c->naddrs = naddrs;
	return c;
}

struct conf_host *
conf_block_hosts(struct conf *c)
{
	return (struct conf_host *)(c + 1);
}

struct carp_addr *
conf_block_pool(struct conf *c)
{
	return (struct carp_addr *)(conf_block_hosts(c) + c->nhosts);
}

const struct conf_host *
conf_hosts(const struct conf *c)
{
	return (const struct conf_host *)(c + 1);
}

const struct carp_addr *
conf_pool(const struct conf *c)
{
	return (const struct carp_addr *)(conf_hosts(c) + c->nhosts);
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
conf_equal(const struct conf *a, const struct conf *b)
{
	uint32_t i;

	if (a->nhosts != b->nhosts || strcmp(a->name, b->name) != 0 ||
	    strcmp(a->user, b->user) != 0 || strcmp(a->group, b->group) != 0 ||
	    strcmp(a->notify_dir, b->notify_dir) != 0 ||
	    a->notify_timeout != b->notify_timeout ||
	    a->link_demotion != b->link_demotion || a->realtime != b->realtime)
		return false;
	for (i = 0; i < a->nhosts; i++)
		if (!same_host(a, &conf_hosts(a)[i], b, &conf_hosts(b)[i]))
			return false;
	return true;
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

int
conf_verify(const struct conf *c, size_t size)
{
	uint32_t i;

	if (size < sizeof(*c) || c->size != size || c->nhosts > MANY ||
	    c->naddrs > MANY || c->realtime > 1 ||
	    block_size(c->nhosts, c->naddrs) != size ||
	    !ends(c->file, sizeof(c->file)) ||
	    !ends(c->name, sizeof(c->name)) ||
	    !ends(c->user, sizeof(c->user)) ||
	    !ends(c->group, sizeof(c->group)) ||
	    !ends(c->notify_dir, sizeof(c->notify_dir)))
		return -EINVAL;
	for (i = 0; i < c->nhosts; i++)
		if (!verify_host(c, &conf_hosts(c)[i]))
			return -EINVAL;
	for (i = 0; i < c->naddrs; i++)
		if (!verify_addr(&conf_pool(c)[i]))
			return -EINVAL;
	return 0;
}
