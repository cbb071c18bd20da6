/* SPDX-License-Identifier: ISC */
/*
 * Which state change the hooks hear of next: one at a time for each virtual
 * host, and when they lag only the newest.  Pure.
 */
#ifndef CARPD_NOTIFY_QUEUE_H
#define CARPD_NOTIFY_QUEUE_H

#include <sys/queue.h>

#include <carp/carp.h>
#include <carp/vip.h>

struct notify_change {
	char ifname[VIP_IFNAMSIZ];
	uint8_t vhid;
	enum carp_state from, to;
	char cause[64];
};

struct notify_host {
	LIST_ENTRY(notify_host) all, same; /* same: of the same vhid */
	TAILQ_ENTRY(notify_host) turn;	   /* only while waiting && !running */
	struct notify_change now;	   /* while running */
	struct notify_change newest;	   /* the last one pushed */
	bool running, waiting;
};

LIST_HEAD(notify_all, notify_host);
TAILQ_HEAD(notify_turns, notify_host);

struct notify_queue {
	struct notify_all all, vhid[256];
	struct notify_turns turns;
};

void notify_queue_init(struct notify_queue *);
void notify_queue_clear(struct notify_queue *);

/*
 * Copies.  1: *skipped waited for its turn and will not be told.  0, or
 * -ENOMEM.
 */
int notify_queue_push(struct notify_queue *, const struct notify_change *,
    struct notify_change *skipped);

/* Whose turn it is: its `now` is to be told.  NULL: nobody's. */
struct notify_host *notify_queue_take(struct notify_queue *);

/* All of `now` that will be told has been.  The pointer may be gone after. */
void notify_queue_done(struct notify_queue *, struct notify_host *);

/* Nothing runs and nothing waits. */
bool notify_queue_idle(const struct notify_queue *);

#endif
