/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as reservation data of a disk; what follows from what was read.
 *
 * The first byte chooses what the rest is read as.
 */
#include <stdlib.h>
#include <string.h>

#include "fence_parse.h"

#define MUST(cond)                                                             \
	do {                                                                   \
		if (!(cond))                                                   \
			abort();                                               \
	} while (0)

#define US UINT64_C(0xaaaaaaaa00000009)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Steps are of keys that are there, and none is undecided. */
static void
decide(const struct fence_view *v)
{
	struct fence_step s = fence_take(v, NULL, US, FENCE_NOBODY);
	/* Or else it has moved between the reading of keys and holder. */
	bool whole = !v->reserved || v->type >= FENCE_ALL_REGISTRANTS ||
		     fence_has(v, v->holder);
	char why[256] = "";

	MUST(v->nkeys <= FENCE_KEYS_MAX);
	MUST(s.todo != FENCE_ALIVE);
	MUST((s.todo == FENCE_REGISTER) == !fence_has(v, US));
	if (s.todo == FENCE_DONE)
		MUST(fence_judge(v, 0xaaaaaaaa) == FENCE_HELD);
	s = fence_take(v, v, US, FENCE_SPARED);
	MUST(s.todo != FENCE_ALIVE || !whole);
	s = fence_leave(v, US);
	MUST((s.todo == FENCE_DONE) == (fence_find(v, 0xaaaaaaaa) == 0));
	if (s.todo == FENCE_PREEMPT)
		MUST(fence_key_of(s.key, 0xaaaaaaaa) && fence_has(v, s.key));
	MUST(fence_moved(v, v, 0xaaaaaaaa, false) == !whole);
	fence_say(why, sizeof(why), v, 0xaaaaaaaa);
	MUST(why[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fence_view v;
	uint8_t *copy;
	bool lasts;
	int rc = 0;

	if (size < 1)
		return 0;
	memset(&v, 0, sizeof(v));
	/* A copy of the exact size, so that a read beyond it is noticed. */
	copy = malloc(size);
	MUST(copy != NULL);
	memcpy(copy, data + 1, size - 1);
	switch (data[0] % 5) {
	case 0:
		rc = fence_parse_keys(&v, copy, size - 1);
		break;
	case 1:
		v.nkeys = 1;
		v.keys[0] = US;
		rc = fence_parse_reservation(&v, copy, size - 1);
		break;
	case 2:
		rc = fence_parse_capabilities(&lasts, copy, size - 1);
		break;
	case 3:
	case 4:
		rc = fence_parse_nvme(&v, copy, size - 1, data[0] % 5 == 3);
		break;
	}
	if (rc == 0)
		decide(&v);
	free(copy);
	return 0;
}
