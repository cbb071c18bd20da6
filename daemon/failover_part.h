/* SPDX-License-Identifier: ISC */
/*
 * What the files behind failover.h share.
 *
 *	failover.c	    its life, events into the role machine, settings
 *	failover_act.c	    what the role machine wants, carried out
 *	failover_demote.c   by how much the hosts are demoted, and why
 *	failover_resource.c what the supervisor tells of resources
 *	failover_order.c    orders of people
 *
 * Those with a header of their own:
 *
 *	failover_view.h	    what the elections are for the role machine
 *	failover_claim.h    hosts that are not where the services are
 *	failover_store.h    what is kept over a restart
 *	failover_events.h   what subscribers are told
 */
#ifndef CARPD_FAILOVER_PART_H
#define CARPD_FAILOVER_PART_H

#include "failover.h"

#define FAILOVER_MAINTENANCE "maintenance" /* as a cause */

/* failover.c: an event for the role machine, and all that follows from it. */
void failover_step(struct failover *, enum role_event,
    const struct role_detail *, uint64_t now);
void failover_hear_elections(struct failover *, uint64_t now);
struct role_config failover_role_settings(const struct failover *);
void failover_remember(struct failover *); /* failover.json */
bool failover_peer_is_heard(const struct failover *);

/* failover_act.c */
void failover_act(struct failover *, const struct role_action *, uint64_t now);
void failover_install(struct failover *, uint64_t now); /* of new masters */
void failover_speak(struct failover *, uint64_t now); /* hosts are others now */

/* failover_demote.c: each sets what it is named for to what holds now. */
void failover_demote_serving(struct failover *, uint64_t now);
void failover_demote_maintenance(struct failover *, uint64_t now);
void failover_demote_failed(struct failover *, bool on, uint64_t now);
void failover_demote_sick(struct failover *, uint32_t index, uint64_t now);
bool failover_preempts(const struct failover *);

/* failover_resource.c */
void failover_check_known(struct failover *, uint64_t now);
void failover_recall_losses(struct failover *, uint64_t now);
/* Something is configured that was not, or is something else now. */
bool failover_has_more(const struct conf *was, const struct conf *is);

#endif
