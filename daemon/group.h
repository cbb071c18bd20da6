/* SPDX-License-Identifier: ISC */
/*
 * Failover groups: what the elections of all virtual hosts together mean for
 * the node.  Pure.
 *
 * Hosts on interfaces of one group are alternatives.  Those without a link do
 * not vote.  A node wins when in every group that votes all members are master;
 * it has lost when another node is master in all of a group.
 */
#ifndef CARPD_GROUP_H
#define CARPD_GROUP_H

#include <carp/carp.h>
#include <stdbool.h>

struct group_member {
	uint32_t group; /* the same number: alternatives */
	bool link;
	enum carp_state state;
	enum carp_cause cause;
	bool heard; /* BACKUP: somebody was heard as master since */
};

enum group_view {
	VIEW_NONE,    /* no member at all */
	VIEW_WAITING, /* the elections are not over */
	VIEW_WON,
	VIEW_HELD, /* master in a part of it; nobody else is in the rest */
	VIEW_PEER, /* another node is master */
	VIEW_LINK  /* no member has a link */
};

struct group_result {
	enum group_view view;
	bool passive; /* WON: the master before had bowed out */
	bool slower;  /* WON: the master before is there, and less fit */
	bool lost;    /* a whole group has no link */
};

/*
 * Of n members.  Their order does not matter.  n * groups steps.
 */
struct group_result group_view(const struct group_member *, size_t n);

const char *group_view_name(enum group_view);

#endif
