/* SPDX-License-Identifier: ISC */
/*
 * What the files behind role.h share.
 *
 *	role.c		the table: which event leads where; names
 *	role_move.h	the cells of the table
 *	role_up.c	those of the way up
 *	role_down.c	those of the ways down
 *	role_move.c	those of a node that rests
 *	role_act.c	the actions they are made of
 */
#ifndef CARPD_ROLE_PART_H
#define CARPD_ROLE_PART_H

#include <carp/carp.h>

#include "role_move.h"

/* role_act.c */
struct role_action *act_push(struct role *, enum role_do, bool on);
void act_copy(char to[RESOURCE_TEXT], const char *from);
void act_standby(struct role *, bool on);
void act_order(struct role *, enum conf_phase, bool up, unsigned critical);
void act_addresses(struct role *, bool on);
void act_bow_out(struct role *);
void act_begin(struct role *, bool up, const char *cause);
void act_end(struct role *, bool ok);
void act_go(struct role *, enum role_at, uint64_t now); /* no deadline yet */

/* role_up.c */
void up_arrive(struct role *, uint64_t now);
void up_fence_done(struct role *, const struct resource_done *, uint64_t now);
void up_done(struct role *, const struct resource_done *, uint64_t now);
void up_grow(struct role *);
void up_grown(struct role *, const struct resource_done *);

/* role_down.c */
void down_begin(struct role *, enum resource_mode, enum role_at after,
    const char *cause, uint64_t now);
void down_fail(struct role *, const char *reason, uint64_t now);
void down_gone(struct role *, const char *reason, uint64_t now);
void down_done(struct role *, const struct resource_done *, uint64_t now);

#endif
