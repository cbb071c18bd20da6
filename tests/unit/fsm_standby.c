/* SPDX-License-Identifier: ISC */
/* A host that takes no part. */
#include "one_host.h"
#include "suite.h"

static void
standby(bool on)
{
	ck_assert_int_eq(carp_standby(h.c, on, h.now), 0);
	host_collect(&h);
	ck_assert_uint_eq(h.nact, 0);
}

START_TEST(who_stands_by_is_never_master_by_itself)
{
	start(1, 0, true, CARP_BACKUP);
	standby(true);
	ck_assert(carp_deadline(h.c) == CARP_NEVER);
	h.now += 100 * CARP_SEC;
	host_timer(&h);
	host_hear(&h, 1, 200);
	host_hear(&h, 255, 255);
	host_link(&h, false);
	host_link(&h, true);
	ck_assert(carp_deadline(h.c) == CARP_NEVER);
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
}
END_TEST

START_TEST(it_hears_who_is_master)
{
	struct carp_info i;

	start(1, 0, false, CARP_BACKUP);
	standby(true);
	host_hear(&h, 1, 7);
	carp_get_info(h.c, &i);
	ck_assert(i.heard && i.standby);
	ck_assert_uint_eq(i.peer.advskew, 7);
}
END_TEST

START_TEST(silence_counts_from_its_end)
{
	start(1, 0, false, CARP_BACKUP);
	standby(true);
	h.now += 100 * CARP_SEC;
	standby(false);
	ck_assert_uint_eq(carp_deadline(h.c), h.now + 3 * CARP_SEC);
}
END_TEST

START_TEST(it_can_be_forced)
{
	start(1, 0, false, CARP_BACKUP);
	standby(true);
	ck_assert_int_eq(carp_force(h.c, CARP_MASTER, h.now), 0);
	host_collect(&h);
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
}
END_TEST

START_TEST(a_master_is_concerned_when_it_is_backup)
{
	start(1, 0, false, CARP_BACKUP);
	h.now = carp_deadline(h.c);
	host_timer(&h);
	standby(true);
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
	ck_assert(carp_deadline(h.c) != CARP_NEVER);
	ck_assert_int_eq(carp_force(h.c, CARP_BACKUP, h.now), 0);
	host_collect(&h);
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
	ck_assert(carp_deadline(h.c) == CARP_NEVER);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fsm_standby");
	TCase *t = tcase_create("fsm_standby");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, who_stands_by_is_never_master_by_itself);
	tcase_add_test(t, it_hears_who_is_master);
	tcase_add_test(t, silence_counts_from_its_end);
	tcase_add_test(t, it_can_be_forced);
	tcase_add_test(t, a_master_is_concerned_when_it_is_backup);
	suite_add_tcase(s, t);
	return suite_run(s);
}
