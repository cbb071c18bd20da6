/* SPDX-License-Identifier: ISC */
/* Who has a disk, and the next step to have it or to leave it: pure. */
#include <inttypes.h>
#include <stdio.h>

#include "fence_view.h"

uint64_t
fence_key(uint32_t id, uint32_t counter)
{
	return (uint64_t)id << 32 | counter;
}

/* The counter comes round; the node stays. */
uint64_t
fence_key_next(uint64_t key)
{
	return fence_key((uint32_t)(key >> 32), (uint32_t)key + 1);
}

bool
fence_key_of(uint64_t key, uint32_t id)
{
	return key >> 32 == id;
}

bool
fence_has(const struct fence_view *v, uint64_t key)
{
	for (uint32_t i = 0; i < v->nkeys; i++) {
		if (v->keys[i] == key)
			return true;
	}
	return false;
}

uint64_t
fence_find(const struct fence_view *v, uint32_t id)
{
	for (uint32_t i = 0; i < v->nkeys; i++) {
		if (fence_key_of(v->keys[i], id))
			return v->keys[i];
	}
	return 0;
}

uint64_t
fence_foreign_key(const struct fence_view *v, uint32_t id)
{
	for (uint32_t i = 0; i < v->nkeys; i++) {
		if (!fence_key_of(v->keys[i], id))
			return v->keys[i];
	}
	return 0;
}

unsigned
fence_foreign(const struct fence_view *v, uint32_t id)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < v->nkeys; i++)
		n += !fence_key_of(v->keys[i], id);
	return n;
}

bool
fence_moved(const struct fence_view *before, const struct fence_view *after,
    uint32_t id, bool own)
{
	/* Keys are read first: the holder may have moved in between. */
	if (after->reserved && after->type < FENCE_ALL_REGISTRANTS &&
	    (!own || fence_key_of(after->holder, id)) &&
	    !fence_has(before, after->holder))
		return true;
	for (uint32_t i = 0; i < after->nkeys; i++) {
		if (own && !fence_key_of(after->keys[i], id))
			continue;
		if (!fence_has(before, after->keys[i]))
			return true;
	}
	return false;
}

/* Every registrant holds it, and the key that is told is 0. */
static bool
for_all(const struct fence_view *v)
{
	return v->reserved && v->type >= FENCE_ALL_REGISTRANTS;
}

static bool
right_type(const struct fence_view *v)
{
	return v->type == FENCE_WRITE_EXCLUSIVE_RO && v->scope == 0;
}

enum fence_verdict
fence_judge(const struct fence_view *v, uint32_t id)
{
	if (fence_find(v, id) == 0)
		return FENCE_NOT_REGISTERED;
	if (!v->reserved)
		return FENCE_OPEN;
	if (for_all(v))
		return FENCE_WRONG_TYPE;
	if (!fence_key_of(v->holder, id))
		return FENCE_TAKEN;
	return right_type(v) ? FENCE_HELD : FENCE_WRONG_TYPE;
}

void
fence_say(char *ret, size_t len, const struct fence_view *v, uint32_t id)
{
	char who[64] = "nobody holds a reservation";

	if (for_all(v))
		(void)snprintf(who, sizeof(who), "all registrants hold it");
	else if (v->reserved)
		(void)snprintf(who, sizeof(who),
		    "key 0x%016" PRIx64 " holds it", v->holder);
	switch (fence_judge(v, id)) {
	case FENCE_HELD:
		(void)snprintf(ret, len, "ours");
		break;
	case FENCE_NOT_REGISTERED:
		(void)snprintf(ret, len, "our key is not there, %s", who);
		break;
	case FENCE_OPEN:
		(void)snprintf(ret, len, "our key is there, but %s", who);
		break;
	case FENCE_TAKEN:
		(void)snprintf(ret, len, "taken by another node: %s", who);
		break;
	case FENCE_WRONG_TYPE:
		(void)snprintf(ret, len,
		    "the reservation has type %u, scope %u instead of %u, 0",
		    v->type, v->scope, (unsigned)FENCE_WRITE_EXCLUSIVE_RO);
		break;
	}
}

/* Somebody else who is registered; 0: nobody. */
static uint64_t
other_than(const struct fence_view *v, uint64_t key, bool spare)
{
	for (uint32_t i = 0; i < v->nkeys; i++) {
		if (spare && fence_key_of(v->keys[i], (uint32_t)(key >> 32)))
			continue;
		if (v->keys[i] != key)
			return v->keys[i];
	}
	return 0;
}

/* Was it there when we looked first? */
static bool
known(const struct fence_view *seen, uint64_t key, enum fence_others others)
{
	if (others == FENCE_COMING)
		return fence_find(seen, (uint32_t)(key >> 32)) != 0;
	return fence_has(seen, key);
}

/*
 * Somebody who was not there when we looked first, and to whom we give way:
 * whoever has the reservation already, or else, of two that start at the same
 * time, the one with the lower key.
 */
static uint64_t
rival(const struct fence_view *v, const struct fence_view *seen, uint64_t key,
    enum fence_others others)
{
	bool equal = fence_has(v, key) && !for_all(v);
	uint64_t k;

	if (others == FENCE_NOBODY || (v->reserved && v->holder == key))
		return 0;
	if (v->reserved && !for_all(v) && !known(seen, v->holder, others))
		return v->holder;
	for (uint32_t i = 0; i < v->nkeys; i++) {
		k = v->keys[i];
		if (k == key || known(seen, k, others))
			continue;
		if (!equal || k < key)
			return k;
	}
	return 0;
}

struct fence_step
fence_take(const struct fence_view *v, const struct fence_view *seen,
    uint64_t key, enum fence_others others)
{
	uint64_t other = rival(v, seen, key, others);

	if (other != 0)
		return (struct fence_step){ FENCE_ALIVE, other, 0 };
	if (!fence_has(v, key))
		return (struct fence_step){ FENCE_REGISTER, key, 0 };
	/* Preempting 0 takes it from all who hold it together. */
	if (v->reserved && v->holder != key)
		return (struct fence_step){ FENCE_PREEMPT,
			for_all(v) ? 0 : v->holder, 0 };
	/* Of two that are registered only one can do this. */
	if (!v->reserved)
		return (struct fence_step){ FENCE_RESERVE, key, 0 };
	other = other_than(v, key, others == FENCE_SPARED);
	if (other != 0)
		return (struct fence_step){ FENCE_PREEMPT, other, 0 };
	/* Preempting oneself changes the type without a gap. */
	if (!right_type(v))
		return (struct fence_step){ FENCE_PREEMPT, key, 0 };
	return (struct fence_step){ FENCE_DONE, key, 0 };
}

/*
 * What another session of this node has registered can only be removed by a
 * registrant; so we become one, and leave last.
 */
struct fence_step
fence_leave(const struct fence_view *v, uint64_t key)
{
	uint32_t id = (uint32_t)(key >> 32);

	if (fence_find(v, id) == 0)
		return (struct fence_step){ FENCE_DONE, 0, 0 };
	if (!fence_has(v, key))
		return (struct fence_step){ FENCE_REGISTER, key, 0 };
	for (uint32_t i = 0; i < v->nkeys; i++) {
		if (fence_key_of(v->keys[i], id) && v->keys[i] != key)
			return (
			    struct fence_step){ FENCE_PREEMPT, v->keys[i], 0 };
	}
	if (v->reserved && v->holder == key)
		return (struct fence_step){ FENCE_RELEASE, key, v->type };
	return (struct fence_step){ FENCE_UNREGISTER, key, 0 };
}
