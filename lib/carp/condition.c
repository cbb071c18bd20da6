/* SPDX-License-Identifier: ISC */
/*
 * Conditions: what is seen and is wrong, in words, until it is over.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

#define LIFE_MIN      (10 * CARP_SEC) /* how long one lasts, at least */
#define LIFE_TIMEOUTS 3

static const char *const names[CARP_NCONDS] = {
	[CARP_COND_OTHER_KEY] = "other-key",
	[CARP_COND_OTHER_ADDRS] = "other-addrs",
	[CARP_COND_OTHER_LLADDR] = "other-lladdr",
	[CARP_COND_OTHER_VERSION] = "other-version",
	[CARP_COND_VRRP] = "vrrp",
	[CARP_COND_TTL] = "ttl",
	[CARP_COND_UNKNOWN_PEER] = "unknown-peer",
	[CARP_COND_LOOP] = "loop",
	[CARP_COND_TWO_MASTERS] = "two-masters",
	[CARP_COND_NO_INTERFACE] = "no-interface",
	[CARP_COND_NOT_ETHERNET] = "not-ethernet",
	[CARP_COND_LINK_DOWN] = "link-down",
	[CARP_COND_SEND] = "send",
	[CARP_COND_RECEIVE] = "receive",
	[CARP_COND_ADDRESS] = "address",
	[CARP_COND_FOREIGN_ADDRESS] = "foreign-address",
};

const char *
carp_condition_name(enum carp_condition c)
{
	return (unsigned)c < CARP_NCONDS ? names[c] : "unknown";
}

struct condition *
condition_find(struct condition *list, enum carp_condition kind)
{
	while (list != NULL && list->kind != kind)
		list = list->next;
	return list;
}

void
condition_free(struct condition *list)
{
	while (list != NULL) {
		struct condition *c = list;

		list = c->next;
		free(c);
	}
}

static void
tell(struct iface *i, struct carp_host *h, const struct condition *c, bool on,
    uint64_t now)
{
	struct carp_event ev = { .what = CARP_EV_COND,
		.cond = c->kind,
		.on = on,
		.at = now,
		.host = h,
		.addr = c->info.peer };

	memcpy(ev.ifname, i->name, sizeof(ev.ifname));
	events_push(i->engine, &ev);
}

/*
 * Notes one sighting.  The sentence is written again when it can have changed;
 * *begun says whether it is news.  NULL: no memory, and so nothing to tell.
 */
static struct condition *
sight(struct condition **list, enum carp_condition kind,
    const struct carp_addr *peer, uint64_t now, bool *begun)
{
	struct condition *c = condition_find(*list, kind);

	*begun = c == NULL;
	if (c == NULL) {
		if ((c = calloc(1, sizeof(*c))) == NULL)
			return NULL;
		c->kind = kind;
		c->info.since = now;
		c->next = *list;
		*list = c;
	}
	c->info.last = now;
	c->info.count++;
	if (peer != NULL)
		c->info.peer = *peer;
	return c;
}

static uint64_t
life(const struct carp_host *h)
{
	struct carp_info info;

	carp_get_info(h->carp, &info);
	if (info.timeout > CARP_NEVER / 16)
		return LIFE_MIN;
	return info.timeout * LIFE_TIMEOUTS > LIFE_MIN
		   ? info.timeout * LIFE_TIMEOUTS
		   : LIFE_MIN;
}

void
condition_host(struct carp_host *h, enum carp_condition kind,
    const struct carp_addr *peer, uint64_t now, const char *fmt, ...)
{
	struct condition *c;
	bool begun;
	va_list ap;

	if ((c = sight(&h->conds, kind, peer, now, &begun)) == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(c->info.text, sizeof(c->info.text), fmt, ap);
	va_end(ap);
	if (begun) {
		tell(h->iface, h, c, true, now);
		engine_chores_by(h->iface->engine, now + life(h));
	}
}

void
condition_iface(struct iface *i, enum carp_condition kind, uint64_t now,
    const char *fmt, ...)
{
	struct condition *c;
	bool begun;
	va_list ap;

	if ((c = sight(&i->conds, kind, NULL, now, &begun)) == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(c->info.text, sizeof(c->info.text), fmt, ap);
	va_end(ap);
	if (begun)
		tell(i, NULL, c, true, now);
}

static void
end(struct condition **at, struct iface *i, struct carp_host *h, uint64_t now)
{
	struct condition *c = *at;

	*at = c->next;
	tell(i, h, c, false, now);
	free(c);
}

static struct condition **
place(struct condition **list, enum carp_condition kind)
{
	while (*list != NULL && (*list)->kind != kind)
		list = &(*list)->next;
	return *list != NULL ? list : NULL;
}

void
condition_host_end(struct carp_host *h, enum carp_condition kind, uint64_t now)
{
	struct condition **at = place(&h->conds, kind);

	if (at != NULL)
		end(at, h->iface, h, now);
}

void
condition_iface_end(struct iface *i, enum carp_condition kind, uint64_t now)
{
	struct condition **at = place(&i->conds, kind);

	if (at != NULL)
		end(at, i, NULL, now);
}

/* Does the kernel say that it is still so?  Then no news is bad news. */
static bool
lasts(const struct carp_host *h, enum carp_condition kind)
{
	struct vip_set_info info;

	if (kind != CARP_COND_ADDRESS && kind != CARP_COND_FOREIGN_ADDRESS)
		return false;
	vip_set_get_info(h->set, &info);
	return kind == CARP_COND_ADDRESS ? info.failed > 0 : info.foreign > 0;
}

void
condition_expire(struct carp_host *h, uint64_t now)
{
	struct condition **at = &h->conds;
	uint64_t span;

	if (h->conds == NULL)
		return;
	span = life(h);
	while (*at != NULL) {
		struct condition *c = *at;

		if (lasts(h, c->kind))
			c->info.last = now;
		if (now >= c->info.last && now - c->info.last >= span) {
			end(at, h->iface, h, now);
			continue;
		}
		engine_chores_by(h->iface->engine, c->info.last + span);
		at = &c->next;
	}
}

bool
carp_host_condition(const struct carp_host *h, enum carp_condition kind,
    struct carp_condition_info *ret)
{
	const struct condition *c;

	if (h == NULL)
		return false;
	if ((c = condition_find(h->conds, kind)) == NULL)
		c = condition_find(h->iface->conds, kind);
	if (c != NULL && ret != NULL)
		*ret = c->info;
	return c != NULL;
}
