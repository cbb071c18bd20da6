/* SPDX-License-Identifier: ISC */
/* Sets: what is wanted of the addresses of one virtual host. */
#include <sys/random.h>

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "commit.h"
#include "state.h"
#include "vmac.h"

#define MIN_BUCKETS 64
#define FIRST_SIZE  offsetof(struct vip_set_config, lease_ms)
#define LEASE_MIN   2 /* seconds that the kernel keeps */

void
set_queue(struct vip_set *s)
{
	if (!s->queued)
		TAILQ_INSERT_TAIL(&s->v->todo, s, todo);
	s->queued = true;
}

void
set_tell(struct vip_want *w, enum vip_what what)
{
	struct vip_set *s = w->set;

	w->events |= (uint8_t)(1U << what);
	if (!s->tells)
		TAILQ_INSERT_TAIL(&s->v->telling, s, telling);
	s->tells = true;
}

/* What was refused before is tried as if for the first time. */
void
set_forgive(struct vip_set *s)
{
	s->retry = CARP_NEVER;
	for (size_t i = 0; i < s->nwants; i++)
		s->wants[i].error = 0;
}

void
set_taken(struct vip_want *w)
{
	w->at = 0;
	w->taken = true;
	set_queue(w->set);
}

/* The kernel has something for it. */
bool
set_holds(const struct vip_want *w)
{
	return w->at != 0 || w->reach != 0 || w->guarded;
}

static size_t
bucket(const struct vip *v, const struct carp_addr *a)
{
	uint32_t h = UINT32_C(2166136261); /* FNV-1a */

	for (size_t i = 0; i < ip_len(a->family); i++)
		h = (h ^ a->ip[i]) * UINT32_C(16777619);
	return (h ^ h >> 16) & (v->nbuckets - 1);
}

/* Others with the same address follow in the chain, among different ones. */
struct vip_want *
set_find(const struct vip *v, const struct carp_addr *a)
{
	return v->nbuckets > 0 ? v->buckets[bucket(v, a)] : NULL;
}

static void
insert(struct vip *v, struct vip_want *w)
{
	struct vip_want **head = &v->buckets[bucket(v, &w->addr)];

	w->chain = *head;
	*head = w;
}

static void
unlink_want(struct vip *v, struct vip_want *w)
{
	struct vip_want **p = &v->buckets[bucket(v, &w->addr)];

	while (*p != w)
		p = &(*p)->chain;
	*p = w->chain;
}

static void
remove_all(struct vip_set *s)
{
	for (size_t i = 0; i < s->nwants; i++)
		unlink_want(s->v, &s->wants[i]);
	s->v->nwants -= s->nwants;
}

/* Forgets one; the last takes its place. */
void
set_remove(struct vip_set *s, size_t i)
{
	struct vip_want *last = &s->wants[--s->nwants];

	unlink_want(s->v, &s->wants[i]);
	if (last != &s->wants[i]) {
		unlink_want(s->v, last);
		s->wants[i] = *last;
		insert(s->v, &s->wants[i]);
	}
	s->v->nwants--;
}

/* Room for so many wants in all: in the table and in the batch. */
static int
reserve(struct vip *v, size_t total)
{
	size_t n = v->nbuckets > 0 ? v->nbuckets : MIN_BUCKETS;
	struct vip_want **buckets;
	struct vip_set *s;

	while (n < total)
		n *= 2;
	if (n == v->nbuckets)
		return 0;
	if (n > UINT32_MAX / 8)
		return -E2BIG;
	/* moving takes two requests, routes two; and a few for each set */
	if (commit_reserve(v, (unsigned)n * 5) < 0 ||
	    (buckets = calloc(n, sizeof(struct vip_want *))) == NULL)
		return -ENOMEM;
	free(v->buckets);
	v->buckets = buckets;
	v->nbuckets = n;
	TAILQ_FOREACH(s, &v->all, all)
	for (size_t i = 0; i < s->nwants; i++)
		insert(v, &s->wants[i]);
	return 0;
}

static bool
good_lease(uint32_t lease, uint32_t lease_s)
{
	if (lease == VIP_LEASE_GUARD)
		return lease_s >= guard_shortest();
	return lease == VIP_LEASE_OFF ||
	       (lease == VIP_LEASE_ADDRESS && lease_s >= LEASE_MIN &&
		   lease_s < UINT32_MAX);
}

static int
check_config(struct vip_set_config *ret, const struct vip_set_config *cfg)
{
	const uint8_t *p = (const uint8_t *)cfg;

	if (cfg == NULL || cfg->size < FIRST_SIZE)
		return -EINVAL;
	for (size_t i = sizeof(*cfg); i < cfg->size; i++)
		if (p[i] != 0)
			return -E2BIG;
	if (cfg->vhid == 0 || cfg->vmac > 1 || cfg->reserved != 0 ||
	    cfg->ifname[0] == '\0' ||
	    memchr(cfg->ifname, '\0', sizeof(cfg->ifname)) == NULL)
		return -EINVAL;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret, cfg, cfg->size < sizeof(*ret) ? cfg->size : sizeof(*ret));
	if (!good_lease(ret->lease,
		ret->lease == VIP_LEASE_GUARD ? ret->lease_ms : ret->lease_s))
		return -EINVAL;
	return 0;
}

int
vip_set_new(
    struct vip_set **ret, struct vip *v, const struct vip_set_config *cfg)
{
	const struct mon_link *l;
	struct vip_set *s;
	int rc;

	if (ret == NULL || v == NULL)
		return -EINVAL;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return -ENOMEM;
	if ((rc = check_config(&s->cfg, cfg)) < 0)
		goto fail;
	if (getrandom(&s->guard_id, sizeof(s->guard_id), 0) !=
	    sizeof(s->guard_id)) {
		rc = -errno;
		goto fail;
	}
	s->v = v;
	s->retry = CARP_NEVER;
	s->resend = CARP_NEVER;
	s->part = CARP_NEVER;
	TAILQ_INSERT_TAIL(&v->all, s, all);
	v->nsets++;
	if ((s->cfg.lease == VIP_LEASE_GUARD && (rc = guard_open(v)) < 0) ||
	    (rc = reserve(v, v->nwants + v->nsets)) < 0 ||
	    (rc = announce_open(&v->ann)) < 0)
		goto fail;
	if ((l = mon_link_named(&v->mon, s->cfg.ifname)) != NULL)
		heard_locate(s, l);
	if (s->cfg.vmac && s->ifindex != 0 && (rc = vmac_make(s)) < 0)
		goto fail;
	*ret = s;
	return 0;
fail:
	vip_set_free(s);
	return rc;
}

/* Takes what is there of the addresses away, then all that is known. */
void
vip_set_free(struct vip_set *s)
{
	struct vip *v;

	if (s == NULL)
		return;
	if ((v = s->v) != NULL) {
		vip_set_up(s, false);
		commit_set(s);
		vmac_drop(s);
		remove_all(s);
		TAILQ_REMOVE(&v->all, s, all);
		v->nsets--;
		if (s->queued)
			TAILQ_REMOVE(&v->todo, s, todo);
		if (s->tells)
			TAILQ_REMOVE(&v->telling, s, telling);
	}
	free(s->wants);
	free(s);
}

static struct vip_want *
find_of_set(const struct vip_set *s, const struct carp_addr *a)
{
	struct vip_want *w = set_find(s->v, a);

	while (w != NULL && (w->set != s || carp_addr_cmp(&w->addr, a) != 0))
		w = w->chain;
	return w;
}

/* Without what may stand behind an IPv4 address. */
static struct carp_addr
clean(const struct carp_addr *a)
{
	struct carp_addr ret = { .family = a->family, .prefix = a->prefix };

	memcpy(ret.ip, a->ip, ip_len(a->family));
	return ret;
}

/* In place of the old array, which goes: its wants are copied first. */
static void
swap_wants(struct vip_set *s, struct vip_want *wants, size_t n)
{
	struct vip_want *old = s->wants;
	size_t nold = s->nwants, k = 0;

	remove_all(s);
	s->wants = wants;
	for (size_t i = 0; i < n; i++) {
		if (find_of_set(s, &wants[i].addr) != NULL)
			continue; /* twice in the list */
		wants[k] = wants[i];
		insert(s->v, &wants[k++]);
	}
	for (size_t i = 0; i < nold; i++) {
		if (old[i].seen || !set_holds(&old[i]))
			continue;
		wants[k] = old[i];
		wants[k].leaving = true;
		insert(s->v, &wants[k++]);
	}
	s->nwants = k;
	s->v->nwants += k;
	free(old);
}

int
vip_set_addrs(struct vip_set *s, const struct carp_addr *addrs, size_t n)
{
	struct vip_want *wants, *w;
	int rc;

	if (s == NULL || (addrs == NULL && n > 0))
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if ((addrs[i].family != 4 && addrs[i].family != 6) ||
		    addrs[i].prefix > host_prefix(addrs[i].family))
			return -EINVAL;
	if ((rc = reserve(s->v, s->v->nwants + n + s->v->nsets)) < 0)
		return rc;
	if (n + s->nwants == 0)
		return 0;
	if ((wants = calloc(n + s->nwants, sizeof(*wants))) == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < s->nwants; i++)
		s->wants[i].seen = false;
	for (size_t i = 0; i < n; i++) {
		if ((w = find_of_set(s, &addrs[i])) != NULL) {
			w->seen = true;
			wants[i] = *w;
		}
		wants[i].set = s;
		wants[i].leaving = false;
		wants[i].addr = clean(&addrs[i]);
	}
	swap_wants(s, wants, n);
	set_queue(s);
	return 0;
}

int
vip_set_lease(struct vip_set *s, enum vip_lease lease, uint32_t length)
{
	int rc;

	if (s == NULL || !good_lease(lease, length))
		return -EINVAL;
	if (lease == VIP_LEASE_GUARD && (rc = guard_open(s->v)) < 0)
		return rc;
	if (lease != s->cfg.lease) {
		s->other = true;
		if (s->cfg.vmac && !s->up)
			set_queue(s); /* what waits may have to go */
	}
	s->cfg.lease = (uint8_t)lease;
	s->cfg.lease_s = lease == VIP_LEASE_GUARD ? 0 : length;
	s->cfg.lease_ms = lease == VIP_LEASE_GUARD ? length : 0;
	return 0;
}

void
vip_set_up(struct vip_set *s, bool up)
{
	if (s->up == up)
		return;
	s->up = up;
	s->resend = CARP_NEVER;
	set_forgive(s);
	for (size_t i = 0; i < s->nwants; i++) {
		s->wants[i].fresh = true;
		s->wants[i].announce = false;
		s->wants[i].foreign = false;
	}
	set_queue(s);
}

void
vip_set_renew(struct vip_set *s)
{
	s->renew = true;
	set_queue(s);
}

void
vip_set_announce(struct vip_set *s)
{
	for (size_t i = 0; i < s->nwants; i++)
		s->wants[i].announce = true;
	s->tries = 0;
	set_queue(s);
}

void
vip_set_get_info(const struct vip_set *s, struct vip_set_info *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->up = s->up;
	ret->ifindex = set_device(s);
	ret->repaired = s->repaired;
	ret->announced = s->announced;
	for (size_t i = 0; i < s->nwants; i++) {
		const struct vip_want *w = &s->wants[i];

		ret->naddrs += !w->leaving;
		ret->installed += s->up && w->at != 0;
		ret->ready += !s->up && w->at != 0;
		ret->foreign += w->foreign;
		ret->failed += w->error != 0;
	}
}
