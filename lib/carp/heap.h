/* SPDX-License-Identifier: ISC */
/*
 * A binary heap of deadlines, whose members know where they stand in it.
 */
#ifndef LIB_CARP_HEAP_H
#define LIB_CARP_HEAP_H

#include <stddef.h>
#include <stdint.h>

/* Part of whatever has a deadline.  Zero it to start. */
struct heap_node {
	uint64_t at; /* ns; CARP_NEVER is later than all others */
	size_t pos;  /* 1..n while in a heap; 0: in none */
};

struct heap {			 /* zero it to start */
	struct heap_node **node; /* node[1..n]; node[1] is first */
	size_t n, room;		 /* n <= room */
};

/* Room for n nodes: after that nothing fails.  -ENOMEM. */
int heap_reserve(struct heap *, size_t n);
void heap_free(struct heap *);

/* There must be room. */
void heap_add(struct heap *, struct heap_node *, uint64_t at);
void heap_set(struct heap *, struct heap_node *, uint64_t at);
void heap_remove(struct heap *, struct heap_node *);

/* The earliest one, or NULL. */
struct heap_node *heap_first(const struct heap *);

#endif
