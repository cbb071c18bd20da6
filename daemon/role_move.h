/* SPDX-License-Identifier: ISC */
/* What the events of the role machine lead to: the cells of its table. */
#ifndef CARPD_ROLE_MOVE_H
#define CARPD_ROLE_MOVE_H

#include "role.h"

typedef void move_fn(struct role *, const struct role_detail *, uint64_t now);

move_fn move_known;
move_fn move_force_later;
move_fn move_stop_down;
move_fn move_forced;
move_fn move_enable;
move_fn move_stop_now;
move_fn move_elected;
move_fn move_disable;
move_fn move_hold_lost;
move_fn move_hold_over;
move_fn move_hold_passive;
move_fn move_hold_disabled;
move_fn move_lost_peer;
move_fn move_lost_link;
move_fn move_done;
move_fn move_passive;
move_fn move_hard_ordered;
move_fn move_sick;
move_fn move_fence_lost;
move_fn move_shake;
move_fn move_steady;
move_fn move_back;
move_fn move_hurry;
move_fn move_hurry_services;
move_fn move_resort;
move_fn move_stop_soon;
move_fn move_again;

/* After every event: what came while the node was busy. */
void move_catch_up(struct role *, uint64_t now);

#endif
