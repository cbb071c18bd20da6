/* SPDX-License-Identifier: ISC */
/* Virtual time: frames arrive, deadlines come, leases end. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "world.h"

void
world_init(struct world *w, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	w->rng.state = seed * UINT64_C(0xd1342543de82ef95) + 1;
	w->now = 1000 * CARP_SEC;
	w->spare = calloc(MAX_FRAMES, sizeof(*w->spare));
	for (unsigned i = 0; i < MAX_NODES; i++) {
		w->node[i].queue = calloc(MAX_QUEUE, sizeof(struct frame));
		for (unsigned j = 0; j < MAX_NODES; j++)
			w->both[i][j] = CARP_NEVER;
	}
	for (unsigned i = 0; i < MAX_FRAMES; i++)
		w->frame[i] = &w->spare[i];
}

void
world_free(struct world *w)
{
	for (unsigned i = 0; i < MAX_NODES; i++) {
		carp_free(w->node[i].carp);
		free(w->node[i].queue);
	}
	free(w->spare);
}

void
world_say(const struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (!w->verbose)
		return;
	printf("%12.6f  ", (double)(w->now - 1000 * CARP_SEC) / 1e9);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void
world_fail(struct world *w, const char *what, const char *fmt, ...)
{
	va_list ap;

	if (w->broken != NULL)
		return;
	w->broken = what;
	va_start(ap, fmt);
	(void)vsnprintf(w->text, sizeof(w->text), fmt, ap);
	va_end(ap);
	world_say(w, "BROKEN %s: %s", what, w->text);
}

/*
 * Frames: frame[0..nframes-1] is a heap, the rest are free.
 */
static bool
sooner(const struct frame *a, const struct frame *b)
{
	return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

static void
swap(struct world *w, unsigned i, unsigned j)
{
	struct frame *f = w->frame[i];

	w->frame[i] = w->frame[j];
	w->frame[j] = f;
}

static void
push(struct world *w, const struct frame *f)
{
	unsigned i = w->nframes;

	if (w->nframes == MAX_FRAMES) {
		world_fail(w, "storm", "%u frames on their way", MAX_FRAMES);
		return;
	}
	*w->frame[w->nframes++] = *f;
	for (; i > 0 && sooner(w->frame[i], w->frame[(i - 1) / 2]);
	     i = (i - 1) / 2)
		swap(w, i, (i - 1) / 2);
}

static void
pop(struct world *w, struct frame *ret)
{
	unsigned i = 0, child;

	*ret = *w->frame[0];
	swap(w, 0, --w->nframes);
	for (; (child = 2 * i + 1) < w->nframes; i = child) {
		if (child + 1 < w->nframes &&
		    sooner(w->frame[child + 1], w->frame[child]))
			child++;
		if (!sooner(w->frame[child], w->frame[i]))
			break;
		swap(w, i, child);
	}
}

/*
 * Links.
 */
bool
world_carries(const struct world *w, unsigned from, unsigned to)
{
	return from != to && w->block[from][to] == 0 && w->node[from].nic &&
	       w->node[to].nic;
}

/*
 * Loss is by train: all that a node sends at one moment.  No more than
 * max_lost trains in a row are hit, so that bounds can be exact.  Of a train
 * that is hit the first frame is lost, and others may be.
 */
static bool
loses(struct world *w, unsigned from, unsigned to)
{
	if (w->train[from][to] != w->now) {
		w->train[from][to] = w->now;
		w->hit[from][to] = w->lost[from][to] < w->max_lost &&
				   rng_percent(&w->rng, w->loss);
		w->lost[from][to] =
		    w->hit[from][to] ? w->lost[from][to] + 1 : 0;
		return w->hit[from][to];
	}
	return w->hit[from][to] && rng_percent(&w->rng, 50);
}

static void
transmit(struct world *w, unsigned to, struct frame *f)
{
	f->to = (uint8_t)to;
	f->seq = w->seq++;
	f->at = w->now + w->delay + rng_below(&w->rng, w->jitter + 1);
	if (rng_percent(&w->rng, w->late))
		f->at += rng_below(&w->rng, w->late_by + 1);
	push(w, f);
}

void
world_send(struct world *w, struct node *n, const uint8_t *ip, size_t len)
{
	struct frame f = { .from = (uint8_t)n->id, .len = (uint8_t)len };

	memcpy(f.ip, ip, len);
	n->sent++;
	w->old[w->nold++ % OLD_FRAMES] = f;
	for (unsigned to = 0; to < w->nnodes; to++) {
		if (!world_carries(w, n->id, to) || loses(w, n->id, to))
			continue;
		transmit(w, to, &f);
		if (rng_percent(&w->rng, w->dup))
			transmit(w, to, &f);
	}
}

void
world_inject(struct world *w, unsigned to, const struct frame *f)
{
	struct frame copy = *f;

	transmit(w, to, &copy);
}

/*
 * Time.
 */
static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t
next_moment(struct world *w)
{
	uint64_t t = w->nframes > 0 ? w->frame[0]->at : CARP_NEVER;

	for (unsigned i = 0; i < w->nnodes; i++) {
		struct node *n = &w->node[i];

		if (n->held)
			t = least(t, n->lease_end);
		t = least(t, n->read_at);
		t = least(t, node_deadline(w, n));
	}
	return t;
}

/* At one moment: leases end, frames are read, and only then deadlines. */
static void
moment(struct world *w)
{
	struct frame f;

	for (unsigned i = 0; i < w->nnodes; i++)
		if (w->node[i].held && w->node[i].lease_end <= w->now)
			node_lease_ends(w, &w->node[i]);
	while (
	    w->nframes > 0 && w->frame[0]->at <= w->now && w->broken == NULL) {
		pop(w, &f);
		node_frame(w, &w->node[f.to], &f);
	}
	for (unsigned i = 0; i < w->nnodes; i++) {
		struct node *n = &w->node[i];

		if (n->read_at <= w->now)
			node_read(w, n);
		if (node_deadline(w, n) <= w->now)
			node_timer(w, n);
	}
}

void
world_run(struct world *w, uint64_t until)
{
	uint64_t t;

	while (w->broken == NULL) {
		check_overlaps(w);
		t = next_moment(w);
		if (t > until)
			break;
		if (t > w->now)
			w->now = t;
		check_bounds(w);
		moment(w);
	}
	if (w->broken == NULL) {
		w->now = until;
		check_bounds(w);
	}
}
