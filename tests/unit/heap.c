/* SPDX-License-Identifier: ISC */
/* The heap of deadlines: the first is always the earliest. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/carp/heap.h"

#define N 2000

static struct heap heap;
static struct heap_node node[N];
static uint32_t seed;

static uint32_t
draw(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static void
start(void)
{
	memset(&heap, 0, sizeof(heap));
	memset(node, 0, sizeof(node));
	seed = 1;
	ck_assert_int_eq(heap_reserve(&heap, N), 0);
}

static void
stop(void)
{
	heap_free(&heap);
}

static uint64_t
earliest(void)
{
	uint64_t at = UINT64_MAX;

	for (int i = 0; i < N; i++)
		if (node[i].pos != 0 && node[i].at < at)
			at = node[i].at;
	return at;
}

static void
holds(void)
{
	for (size_t pos = 1; pos <= heap.n; pos++) {
		ck_assert_uint_eq(heap.node[pos]->pos, pos);
		if (pos > 1)
			ck_assert(heap.node[pos / 2]->at <= heap.node[pos]->at);
	}
}

START_TEST(empty_has_no_first)
{
	ck_assert_ptr_null(heap_first(&heap));
}
END_TEST

START_TEST(comes_out_in_order)
{
	uint64_t last = 0;

	for (int i = 0; i < N; i++)
		heap_add(&heap, &node[i], draw() % 500);
	holds();
	for (int i = 0; i < N; i++) {
		struct heap_node *first = heap_first(&heap);

		ck_assert(first->at >= last);
		last = first->at;
		heap_remove(&heap, first);
		ck_assert_uint_eq(first->pos, 0);
	}
	ck_assert_ptr_null(heap_first(&heap));
}
END_TEST

START_TEST(any_can_change_or_leave)
{
	for (int round = 0; round < 20000; round++) {
		struct heap_node *x = &node[draw() % N];
		uint64_t at = draw() % 7 == 0 ? UINT64_MAX : draw() % 100;

		if (x->pos == 0)
			heap_add(&heap, x, at);
		else if (draw() % 3 == 0)
			heap_remove(&heap, x);
		else
			heap_set(&heap, x, at);
		if (heap_first(&heap) != NULL)
			ck_assert_uint_eq(heap_first(&heap)->at, earliest());
		if (round % 500 == 0)
			holds();
	}
}
END_TEST

START_TEST(the_last_one_can_leave)
{
	heap_add(&heap, &node[0], 5);
	heap_add(&heap, &node[1], 7);
	heap_remove(&heap, &node[1]);
	ck_assert_ptr_eq(heap_first(&heap), &node[0]);
	heap_remove(&heap, &node[0]);
	ck_assert_ptr_null(heap_first(&heap));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("heap");
	TCase *tc = tcase_create("heap");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_test(tc, empty_has_no_first);
	tcase_add_test(tc, comes_out_in_order);
	tcase_add_test(tc, any_can_change_or_leave);
	tcase_add_test(tc, the_last_one_can_leave);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
