/* SPDX-License-Identifier: ISC */
/*
 * The queue of events of an engine: bounded, and honest about its bound.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

/*
 * Enough for each host to change its state and two conditions between two
 * calls of carp_engine_next().
 */
#define ROOM_BASE 256
#define ROOM_HOST 4

int
events_reserve(struct carp_engine *e, size_t nhosts)
{
	size_t room = ROOM_BASE + ROOM_HOST * nhosts;
	struct carp_event *ring;

	if (room <= e->room)
		return 0;
	room += room / 2;
	if ((ring = calloc(room, sizeof(*ring))) == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < e->queued; i++)
		ring[i] = e->ring[(e->first + i) % e->room];
	free(e->ring);
	e->ring = ring;
	e->room = room;
	e->first = 0;
	return 0;
}

/* Once something was lost, the rest is lost too, until that was told. */
void
events_push(struct carp_engine *e, const struct carp_event *ev)
{
	if (e->dropped > 0 || e->queued == e->room) {
		e->dropped++;
		return;
	}
	e->ring[(e->first + e->queued++) % e->room] = *ev;
}

void
events_forget(struct carp_engine *e, const struct carp_host *h)
{
	size_t kept = 0;

	for (size_t i = 0; i < e->queued; i++) {
		struct carp_event *ev = &e->ring[(e->first + i) % e->room];

		if (ev->host != h)
			e->ring[(e->first + kept++) % e->room] = *ev;
	}
	e->queued = kept;
}

bool
carp_engine_next(struct carp_engine *e, struct carp_event *ret)
{
	if (e == NULL || ret == NULL)
		return false;
	if (e->queued > 0) {
		*ret = e->ring[e->first];
		e->first = (e->first + 1) % e->room;
		if (--e->queued == 0)
			e->first = 0; /* not all of it comes into memory */
		return true;
	}
	if (e->dropped == 0)
		return false;
	*ret = (struct carp_event){
		.what = CARP_EV_LOST, .value = (int)e->dropped, .at = carp_now()
	};
	e->dropped = 0;
	return true;
}
