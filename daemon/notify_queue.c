/* SPDX-License-Identifier: ISC */
/* Which state change the notification hooks hear of next. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "notify_queue.h"

void
notify_queue_init(struct notify_queue *q)
{
	LIST_INIT(&q->all);
	for (int i = 0; i < 256; i++)
		LIST_INIT(&q->vhid[i]);
	TAILQ_INIT(&q->turns);
}

void
notify_queue_clear(struct notify_queue *q)
{
	struct notify_host *h;

	while ((h = LIST_FIRST(&q->all)) != NULL) {
		LIST_REMOVE(h, all);
		LIST_REMOVE(h, same);
		free(h);
	}
	TAILQ_INIT(&q->turns);
}

static struct notify_host *
find(const struct notify_queue *q, const struct notify_change *c)
{
	struct notify_host *h;

	LIST_FOREACH(h, &q->vhid[c->vhid], same)
	if (strcmp(h->newest.ifname, c->ifname) == 0)
		return h;
	return NULL;
}

int
notify_queue_push(struct notify_queue *q, const struct notify_change *c,
    struct notify_change *skipped)
{
	struct notify_host *h = find(q, c);
	bool lags;

	if (h == NULL) {
		h = calloc(1, sizeof(*h));
		if (h == NULL)
			return -ENOMEM;
		LIST_INSERT_HEAD(&q->all, h, all);
		LIST_INSERT_HEAD(&q->vhid[c->vhid], h, same);
	}
	lags = h->waiting;
	if (lags)
		*skipped = h->newest;
	else if (!h->running)
		TAILQ_INSERT_TAIL(&q->turns, h, turn);
	h->newest = *c;
	h->waiting = true;
	return lags;
}

struct notify_host *
notify_queue_take(struct notify_queue *q)
{
	struct notify_host *h = TAILQ_FIRST(&q->turns);

	if (h == NULL)
		return NULL;
	TAILQ_REMOVE(&q->turns, h, turn);
	h->waiting = false;
	h->running = true;
	h->now = h->newest;
	return h;
}

void
notify_queue_done(struct notify_queue *q, struct notify_host *h)
{
	h->running = false;
	if (h->waiting) {
		TAILQ_INSERT_TAIL(&q->turns, h, turn);
	} else if (h->newest.to == CARP_INIT) {
		LIST_REMOVE(h, same);
		LIST_REMOVE(h, all); /* perhaps it was removed: forget it */
		free(h);
	}
}

bool
notify_queue_idle(const struct notify_queue *q)
{
	const struct notify_host *h;

	LIST_FOREACH(h, &q->all, all)
	if (h->running || h->waiting)
		return false;
	return true;
}
