/* SPDX-License-Identifier: ISC */
/*
 * Hosts that move together: which links demote all of them, and what follows
 * when the hosts of another node are seen to move.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

static bool
works(
    const struct carp_engine *e, const struct carp_link_group *g, bool *exists)
{
	const struct iface *i = iface_find(e, g->ifname);

	*exists = i != NULL && i->nhosts > 0;
	return *exists && i->usable && !i->bad;
}

/* One without a link that has hosts is not lost: there is nothing to lose. */
static bool
is_lost(const struct carp_engine *e, const struct carp_link_group *g)
{
	bool exists, lost = false;

	if (g->group == 0)
		return !works(e, g, &exists) && exists;
	for (size_t n = 0; n < e->ngroups; n++) {
		if (e->group[n].group != g->group)
			continue;
		if (works(e, &e->group[n], &exists))
			return false;
		lost |= exists;
	}
	return lost;
}

static void
set_cause(const struct carp_link_group *g, struct carp_engine *e, bool lost,
    uint64_t now)
{
	char cause[CARP_CAUSE_NAME_MAX];

	if (g->group == 0)
		(void)snprintf(cause, sizeof(cause), "link %s", g->ifname);
	else
		(void)snprintf(
		    cause, sizeof(cause), "group %lu", (unsigned long)g->group);
	/* With a full table enough demotes us already. */
	(void)demote_set(
	    e, cause, lost ? e->link_demotion : 0, CARP_NEVER, now);
}

void
group_review(struct carp_engine *e, uint64_t now)
{
	for (size_t n = 0; n < e->ngroups; n++)
		set_cause(&e->group[n], e, is_lost(e, &e->group[n]), now);
}

/* Without groups: each link, and each that cannot send. */
static void
review_links(struct carp_engine *e, bool on, uint64_t now)
{
	for (struct iface *i = e->ifaces; i != NULL; i = i->next) {
		demote_for_iface(i, "link", on && !i->usable, now);
		demote_for_iface(i, "send", on && i->bad, now);
	}
}

static bool
are_good(const struct carp_link_group *g, size_t n)
{
	if (g == NULL && n > 0)
		return false;
	for (size_t k = 0; k < n; k++) {
		size_t len = strnlen(g[k].ifname, sizeof(g[k].ifname));

		if (len == 0 || len == sizeof(g[k].ifname))
			return false;
		for (size_t j = 0; j < k; j++)
			if (strcmp(g[j].ifname, g[k].ifname) == 0)
				return false;
	}
	return true;
}

/* New causes come before old ones go: who is demoted stays so in between. */
int
carp_engine_set_groups(struct carp_engine *e,
    const struct carp_link_group *groups, size_t n, uint64_t now)
{
	struct carp_link_group *was, *next = NULL;
	size_t nwas;

	if (e == NULL || !are_good(groups, n))
		return -EINVAL;
	if (n > 0 && (next = calloc(n, sizeof(*next))) == NULL)
		return -ENOMEM;
	if (n > 0)
		memcpy(next, groups, n * sizeof(*next));
	was = e->group;
	nwas = e->ngroups;
	e->group = next;
	e->ngroups = n;
	if (n == nwas && (n == 0 || memcmp(was, next, n * sizeof(*was)) == 0)) {
		free(was);
		return 0;
	}
	e->ngroups = 0; /* of links: not by way of groups */
	review_links(e, n == 0, now);
	e->ngroups = n;
	for (size_t k = 0; k < nwas; k++)
		set_cause(&was[k], e, false, now);
	group_review(e, now);
	engine_settle(e, now);
	free(was);
	return 0;
}

void
group_follow(struct carp_engine *e, uint64_t now)
{
	const struct carp *taken = e->taken->carp;

	e->taken = NULL;
	for (struct carp_host *h = e->hosts; h != NULL; h = h->next) {
		(void)carp_follow(h->carp, taken, now); /* nothing pends */
		heap_set(&e->heap, &h->timer, carp_deadline(h->carp));
	}
}

/* See follow.c: silence would be taken for the loss of the link. */
void
group_vouch(
    struct carp_engine *e, const struct carp_host *demoted, uint64_t now)
{
	if (e->ngroups == 0)
		return;
	for (struct carp_host *h = e->hosts; h != NULL; h = h->next) {
		if (h == demoted)
			continue;
		(void)carp_advertise(h->carp, now); /* nothing pends */
		engine_carry(h, now);
	}
}
