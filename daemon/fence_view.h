/* SPDX-License-Identifier: ISC */
/*
 * What a disk tells of its persistent reservation, and what follows from it:
 * no input, output or clock.
 *
 * A key has the identity of its node in the high half, and in the low half a
 * counter that moves as long as the node lives.  The words are those of SPC:
 * who has registered a key is a registrant; one of them holds the reservation.
 */
#ifndef CARPD_FENCE_VIEW_H
#define CARPD_FENCE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FENCE_KEYS_MAX 512

/* Types of a reservation as SCSI numbers them. */
enum {
	FENCE_WRITE_EXCLUSIVE_RO = 5, /* registrants only: the one we use */
	FENCE_ALL_REGISTRANTS = 7     /* and 8: every registrant holds it */
};

struct fence_view {
	uint32_t generation;
	uint32_t nkeys; /* <= FENCE_KEYS_MAX */
	uint64_t keys[FENCE_KEYS_MAX];
	uint64_t holder; /* the rest is valid if reserved */
	bool reserved;
	uint8_t scope, type;
};

/* Keys. */
uint64_t fence_key(uint32_t id, uint32_t counter);
uint64_t fence_key_next(uint64_t key);
bool fence_key_of(uint64_t key, uint32_t id);

/* The first key of a node, 0 if it has none; the first of any other. */
uint64_t fence_find(const struct fence_view *, uint32_t id);
uint64_t fence_foreign_key(const struct fence_view *, uint32_t id);
bool fence_has(const struct fence_view *, uint64_t key);
unsigned fence_foreign(const struct fence_view *, uint32_t id);

/*
 * There is a key that was not there before: its node lives.  Only
 * keys of the node id count if own is true.
 */
bool fence_moved(const struct fence_view *before,
    const struct fence_view *after, uint32_t id, bool own);

/* Is the disk ours?  Keys are compared by node, for the counter moves. */
enum fence_verdict {
	FENCE_HELD,
	FENCE_NOT_REGISTERED,
	FENCE_TAKEN, /* somebody else holds it */
	FENCE_OPEN,  /* nobody holds it */
	FENCE_WRONG_TYPE
};
enum fence_verdict fence_judge(const struct fence_view *, uint32_t id);

/* A sentence on a verdict, without the name of the disk. */
void fence_say(char *ret, size_t len, const struct fence_view *, uint32_t id);

/* What to do next, so that in the end the disk is ours alone, or free of us. */
struct fence_step {
	enum fence_todo {
		FENCE_DONE,
		FENCE_REGISTER, /* whatever was registered for us before */
		FENCE_PREEMPT,	/* key */
		FENCE_RESERVE,
		FENCE_RELEASE, /* the reservation, which is of this type */
		FENCE_UNREGISTER,
		FENCE_ALIVE /* key has not been there before: leave it */
	} todo;
	uint64_t key;
	uint8_t type;
};

/* Who else is registered. */
enum fence_others {
	FENCE_LIVING, /* who is not in seen lives, and wins if quicker */
	FENCE_COMING, /* the same, but nodes that are in seen lose it */
	FENCE_NOBODY, /* all lose it */
	FENCE_SPARED  /* as the first; and other keys of our node stay unless
		       * one holds the reservation: programs of its own */
};

/* key is ours from now on. */
struct fence_step fence_take(const struct fence_view *,
    const struct fence_view *seen, uint64_t key, enum fence_others);

/* All keys of the node of this key go, others stay. */
struct fence_step fence_leave(const struct fence_view *, uint64_t key);

#endif
