/* SPDX-License-Identifier: ISC */
/* Demotion with named causes. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <carp/carp.h>

#include "suite.h"

static struct carp_demotion d;

static void
empty(void)
{
	memset(&d, 0, sizeof(d));
}

START_TEST(nothing_amounts_to_nothing)
{
	ck_assert_int_eq(carp_demotion_sum(&d), 0);
	ck_assert_uint_eq(carp_demotion_deadline(&d), CARP_NEVER);
	ck_assert(!carp_demotion_expire(&d, CARP_SEC));
}
END_TEST

START_TEST(causes_add_up)
{
	ck_assert_int_eq(carp_demotion_set(&d, "link", 240, CARP_NEVER), 0);
	ck_assert_int_eq(carp_demotion_set(&d, "load", 10, CARP_NEVER), 0);
	ck_assert_int_eq(carp_demotion_sum(&d), 250);
	ck_assert_int_eq(carp_demotion_set(&d, "bonus", -300, CARP_NEVER), 0);
	ck_assert_int_eq(carp_demotion_sum(&d), -50);
	ck_assert_uint_eq(d.n, 3);
}
END_TEST

START_TEST(a_cause_set_again_is_replaced)
{
	carp_demotion_set(&d, "link", 240, CARP_NEVER);
	carp_demotion_set(&d, "load", 1, CARP_NEVER);
	ck_assert_int_eq(carp_demotion_set(&d, "link", 5, 7 * CARP_SEC), 0);
	ck_assert_uint_eq(d.n, 2);
	ck_assert_int_eq(carp_demotion_sum(&d), 6);
	ck_assert_uint_eq(carp_demotion_deadline(&d), 7 * CARP_SEC);
	ck_assert_int_eq(carp_demotion_set(&d, "link", 5, CARP_NEVER), 0);
	ck_assert_uint_eq(carp_demotion_deadline(&d), CARP_NEVER);
}
END_TEST

START_TEST(zero_removes_a_cause_and_keeps_the_order_of_age)
{
	carp_demotion_set(&d, "one", 1, CARP_NEVER);
	carp_demotion_set(&d, "two", 2, CARP_NEVER);
	carp_demotion_set(&d, "three", 4, CARP_NEVER);
	ck_assert_int_eq(carp_demotion_set(&d, "two", 0, CARP_NEVER), 0);
	ck_assert_uint_eq(d.n, 2);
	ck_assert_str_eq(d.cause[0].name, "one");
	ck_assert_str_eq(d.cause[1].name, "three");
	ck_assert_int_eq(carp_demotion_sum(&d), 5);
	ck_assert_int_eq(carp_demotion_set(&d, "not there", 0, CARP_NEVER), 0);
	ck_assert_uint_eq(d.n, 2);
}
END_TEST

START_TEST(a_cause_ends_by_itself)
{
	carp_demotion_set(&d, "a", 1, 10);
	carp_demotion_set(&d, "b", 2, 20);
	carp_demotion_set(&d, "c", 4, CARP_NEVER);
	carp_demotion_set(&d, "e", 8, 20);
	ck_assert_uint_eq(carp_demotion_deadline(&d), 10);
	ck_assert(!carp_demotion_expire(&d, 9));
	ck_assert_int_eq(carp_demotion_sum(&d), 15);
	ck_assert(carp_demotion_expire(&d, 10));
	ck_assert_int_eq(carp_demotion_sum(&d), 14);
	ck_assert_uint_eq(carp_demotion_deadline(&d), 20);
	ck_assert(carp_demotion_expire(&d, 1000));
	ck_assert_int_eq(carp_demotion_sum(&d), 4);
	ck_assert_uint_eq(d.n, 1);
	ck_assert_uint_eq(carp_demotion_deadline(&d), CARP_NEVER);
	ck_assert(!carp_demotion_expire(&d, CARP_NEVER - 1));
}
END_TEST

START_TEST(the_table_is_full_at_its_end)
{
	char name[CARP_CAUSE_NAME_MAX];

	for (int i = 0; i < CARP_CAUSES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "cause %d", i);
		ck_assert_int_eq(carp_demotion_set(&d, name, 1, CARP_NEVER), 0);
	}
	ck_assert_int_eq(
	    carp_demotion_set(&d, "too many", 1, CARP_NEVER), -ENOSPC);
	ck_assert_int_eq(carp_demotion_sum(&d), CARP_CAUSES_MAX);
	ck_assert_int_eq(carp_demotion_set(&d, "cause 3", 9, CARP_NEVER), 0);
	ck_assert_int_eq(carp_demotion_set(&d, "absent", 0, CARP_NEVER), 0);
	ck_assert_int_eq(carp_demotion_set(&d, "cause 0", 0, CARP_NEVER), 0);
	ck_assert_int_eq(carp_demotion_set(&d, "fits", 1, CARP_NEVER), 0);
	ck_assert_int_eq(carp_demotion_sum(&d), CARP_CAUSES_MAX + 8);
}
END_TEST

START_TEST(names_have_a_longest_length)
{
	char name[CARP_CAUSE_NAME_MAX + 1];

	memset(name, 'x', sizeof(name));
	name[CARP_CAUSE_NAME_MAX - 1] = 0;
	ck_assert_int_eq(carp_demotion_set(&d, name, 1, CARP_NEVER), 0);
	ck_assert_str_eq(d.cause[0].name, name);
	name[CARP_CAUSE_NAME_MAX - 1] = 'x';
	name[CARP_CAUSE_NAME_MAX] = 0;
	ck_assert_int_eq(
	    carp_demotion_set(&d, name, 1, CARP_NEVER), -ENAMETOOLONG);
	ck_assert_uint_eq(d.n, 1);
}
END_TEST

START_TEST(what_makes_no_sense_changes_nothing)
{
	carp_demotion_set(&d, "x", 1, CARP_NEVER);
	ck_assert_int_eq(carp_demotion_set(&d, "", 1, CARP_NEVER), -EINVAL);
	ck_assert_int_eq(
	    carp_demotion_set(&d, "x", 65536, CARP_NEVER), -EINVAL);
	ck_assert_int_eq(
	    carp_demotion_set(&d, "x", -65536, CARP_NEVER), -EINVAL);
	ck_assert_int_eq(carp_demotion_set(&d, "x", 65535, CARP_NEVER), 0);
	ck_assert_int_eq(carp_demotion_set(&d, "x", -65535, CARP_NEVER), 0);
	ck_assert_uint_eq(d.n, 1);
	ck_assert_int_eq(carp_demotion_sum(&d), -65535);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("demotion");
	TCase *t = tcase_create("demotion");

	tcase_add_checked_fixture(t, empty, NULL);
	tcase_add_test(t, nothing_amounts_to_nothing);
	tcase_add_test(t, causes_add_up);
	tcase_add_test(t, a_cause_set_again_is_replaced);
	tcase_add_test(t, zero_removes_a_cause_and_keeps_the_order_of_age);
	tcase_add_test(t, a_cause_ends_by_itself);
	tcase_add_test(t, the_table_is_full_at_its_end);
	tcase_add_test(t, names_have_a_longest_length);
	tcase_add_test(t, what_makes_no_sense_changes_nothing);
	suite_add_tcase(s, t);
	return suite_run(s);
}
