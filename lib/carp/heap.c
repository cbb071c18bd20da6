/* SPDX-License-Identifier: ISC */
/*
 * A binary heap of deadlines: the earliest is known at once, each can change.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "heap.h"

static void
put(struct heap *h, size_t pos, struct heap_node *x)
{
	h->node[pos] = x;
	x->pos = pos;
}

static void
rise(struct heap *h, struct heap_node *x)
{
	size_t pos = x->pos;

	for (; pos > 1 && x->at < h->node[pos / 2]->at; pos /= 2)
		put(h, pos, h->node[pos / 2]);
	put(h, pos, x);
}

static void
sink(struct heap *h, struct heap_node *x)
{
	size_t pos = x->pos, child;

	for (; (child = 2 * pos) <= h->n; pos = child) {
		if (child < h->n && h->node[child + 1]->at < h->node[child]->at)
			child++;
		if (x->at <= h->node[child]->at)
			break;
		put(h, pos, h->node[child]);
	}
	put(h, pos, x);
}

int
heap_reserve(struct heap *h, size_t n)
{
	struct heap_node **node;
	size_t room = h->room > 0 ? h->room : 8;

	if (n <= h->room)
		return 0;
	while (room < n)
		room *= 2;
	node = realloc(h->node, (room + 1) * sizeof(*node));
	if (node == NULL)
		return -ENOMEM;
	h->node = node;
	h->room = room;
	return 0;
}

void
heap_free(struct heap *h)
{
	free(h->node);
	*h = (struct heap){ 0 };
}

void
heap_add(struct heap *h, struct heap_node *x, uint64_t at)
{
	assert(h->n < h->room && x->pos == 0);
	x->at = at;
	put(h, ++h->n, x);
	rise(h, x);
}

void
heap_set(struct heap *h, struct heap_node *x, uint64_t at)
{
	assert(x->pos >= 1 && x->pos <= h->n);
	if (x->at == at)
		return;
	x->at = at;
	rise(h, x);
	sink(h, x);
}

void
heap_remove(struct heap *h, struct heap_node *x)
{
	struct heap_node *last;

	assert(x->pos >= 1 && x->pos <= h->n);
	last = h->node[h->n--];
	if (last != x) {
		put(h, x->pos, last);
		rise(h, last);
		sink(h, last);
	}
	x->pos = 0;
}

struct heap_node *
heap_first(const struct heap *h)
{
	return h->n > 0 ? h->node[1] : NULL;
}
