/* SPDX-License-Identifier: ISC */
/* Failover groups: what all elections together mean for the node. */
#include "group.h"

/* Yielded to somebody, or hears him. */
static bool
has_master(const struct group_member *m)
{
	switch (m->cause) {
	case CARP_CAUSE_FASTER:
	case CARP_CAUSE_EQUAL:
	case CARP_CAUSE_PAUSED:
	case CARP_CAUSE_DEMOTED:
		return true;
	default:
		return m->heard;
	}
}

/* Of the group to which member `first` belongs. */
static enum group_view
view_of(const struct group_member *m, size_t n, size_t first)
{
	bool voted = false, master = false, other = false, open = false;

	for (size_t i = first; i < n; i++) {
		if (m[i].group != m[first].group || !m[i].link)
			continue;
		voted = true;
		if (m[i].state == CARP_MASTER)
			master = true;
		else if (m[i].state == CARP_BACKUP && has_master(&m[i]))
			other = true;
		else
			open = true;
	}
	if (!voted)
		return VIEW_LINK;
	if (master)
		return other || open ? VIEW_HELD : VIEW_WON;
	return other ? VIEW_PEER : VIEW_WAITING;
}

/* Took over from one that was heard. */
static bool
was_fitter(const struct group_member *m)
{
	return m->link && m->state == CARP_MASTER &&
	       (m->cause == CARP_CAUSE_SLOWER ||
		   m->cause == CARP_CAUSE_DEMOTED ||
		   m->cause == CARP_CAUSE_FADING);
}

static bool
is_first(const struct group_member *m, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (m[k].group == m[i].group)
			return false;
	return true;
}

struct group_result
group_view(const struct group_member *m, size_t n)
{
	struct group_result r = { VIEW_NONE, true, false, false };
	unsigned count[VIEW_LINK + 1] = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (is_first(m, i))
			count[view_of(m, n, i)]++;
		if (m[i].link && m[i].state == CARP_MASTER &&
		    m[i].cause != CARP_CAUSE_BOWOUT)
			r.passive = false;
		r.slower |= was_fitter(&m[i]);
	}
	if (count[VIEW_PEER] > 0)
		r.view = VIEW_PEER;
	else if (count[VIEW_HELD] > 0)
		r.view = VIEW_HELD;
	else if (count[VIEW_WAITING] > 0)
		r.view = count[VIEW_WON] > 0 ? VIEW_HELD : VIEW_WAITING;
	else if (count[VIEW_WON] > 0)
		r.view = VIEW_WON;
	else if (count[VIEW_LINK] > 0)
		r.view = VIEW_LINK;
	r.passive = r.passive && r.view == VIEW_WON;
	r.slower = r.slower && r.view == VIEW_WON;
	r.lost = count[VIEW_LINK] > 0;
	return r;
}

const char *
group_view_name(enum group_view v)
{
	static const char *const name[] = { "none", "waiting", "won", "held",
		"peer", "link" };

	return (unsigned)v < sizeof(name) / sizeof(*name) ? name[v] : "?";
}
