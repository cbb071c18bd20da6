/* SPDX-License-Identifier: ISC */
/* The election: packets that have waited, and the start. */
#include <errno.h>

#include "one_host.h"
#include "suite.h"

static void
slow(void)
{
	setup();
	h.cfg.advskew = 100;
}

/* An authentic one that came `age` ns ago and is read now. */
static void
hear_late(uint8_t base, uint8_t skew, uint64_t age)
{
	enum carp_verdict v = CARP_NVERDICTS;
	struct carp_packet p;

	host_peer(&h, &p, (struct said){ .base = base, .skew = skew });
	ck_assert_int_eq(carp_packet_late(h.c, &p, &v, h.now - age, h.now), 0);
	ck_assert_int_eq(v, CARP_OK);
	host_collect(&h);
}

static void
bowout_late(uint64_t age)
{
	hear_late(255, 255, age);
}

static void
backup(void)
{
	host_new(&h);
	host_become(&h, CARP_BACKUP);
	host_hear(&h, 1, 0);
	host_wait(&h, CARP_SEC);
}

START_TEST(what_is_heard_late_is_due_and_not_done)
{
	backup();
	bowout_late(MS);
	ck_assert_uint_eq(h.nact, 0);
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
	ck_assert_uint_eq(carp_deadline(h.c), h.now);
	host_timer(&h);
	host_changed(&h, "then it takes over", CARP_BACKUP, CARP_MASTER,
	    CARP_CAUSE_BOWOUT);
}
END_TEST

START_TEST(an_advertisement_behind_a_bowout_makes_it_void)
{
	backup();
	bowout_late(10 * MS);
	hear_late(1, 50, 5 * MS);
	host_timer(&h);
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
	ck_assert_uint_eq(
	    carp_deadline(h.c), h.now + 3 * CARP_SEC + 100 * CARP_SEC / 256);
}
END_TEST

START_TEST(a_bowout_behind_an_advertisement_counts)
{
	backup();
	hear_late(1, 50, 10 * MS);
	bowout_late(5 * MS);
	host_timer(&h);
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
}
END_TEST

/* Of a process that slept: others have taken over, and were not heard. */
START_TEST(an_old_bowout_is_no_reason)
{
	backup();
	h.now += 10 * CARP_SEC;
	bowout_late(8 * CARP_SEC);
	host_timer(&h);
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
	ck_assert_uint_eq(
	    carp_deadline(h.c), h.now + 3 * CARP_SEC + 100 * CARP_SEC / 256);
	host_until_deadline(&h);
	host_changed(&h, "nobody is there", CARP_BACKUP, CARP_MASTER,
	    CARP_CAUSE_SILENCE);
}
END_TEST

START_TEST(a_slower_master_is_preempted_unless_a_faster_one_follows)
{
	h.cfg.preempt = true;
	backup();
	hear_late(1, 200, 10 * MS);
	if (_i == 1)
		hear_late(1, 0, 5 * MS);
	host_timer(&h);
	ck_assert_int_eq(carp_state(h.c), _i == 1 ? CARP_BACKUP : CARP_MASTER);
}
END_TEST

START_TEST(a_master_hears_late_as_in_time)
{
	host_new(&h);
	host_become(&h, CARP_MASTER);
	host_wait(&h, 5 * MS);
	hear_late(1, 0, 4 * MS);
	host_changed(&h, "it yields at once", CARP_MASTER, CARP_BACKUP,
	    CARP_CAUSE_FASTER);
}
END_TEST

/*
 * The start.
 */
static void
fast(void)
{
	h.cfg.preempt = true;
	h.cfg.fast_start = 1;
	host_new(&h);
	host_link(&h, true);
}

START_TEST(one_interval_is_enough_at_the_start)
{
	uint64_t begun = h.now;

	fast();
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
	host_until_deadline(&h);
	host_changed(&h, "nobody was heard", CARP_BACKUP, CARP_MASTER,
	    CARP_CAUSE_SILENCE);
	ck_assert_uint_eq(h.now - begun, carp_interval(1, 100));
}
END_TEST

START_TEST(a_master_that_is_heard_has_its_time)
{
	fast();
	host_wait(&h, CARP_SEC);
	host_hear(&h, 1, 50);
	ck_assert_uint_eq(
	    carp_deadline(h.c), h.now + 3 * CARP_SEC + 100 * CARP_SEC / 256);
}
END_TEST

START_TEST(only_the_first_start_is_fast)
{
	fast();
	host_link(&h, false);
	host_link(&h, true);
	ck_assert_uint_eq(
	    carp_deadline(h.c), h.now + 3 * CARP_SEC + 100 * CARP_SEC / 256);
}
END_TEST

/* The one advertisement of a master was lost, then the next is heard. */
START_TEST(a_better_master_that_was_missed_gets_it_back_at_once)
{
	fast();
	host_until_deadline(&h);
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
	host_hear(&h, 1, 0);
	host_changed(
	    &h, "it yields", CARP_MASTER, CARP_BACKUP, CARP_CAUSE_FASTER);
}
END_TEST

START_TEST(it_needs_preempt)
{
	struct carp *c = NULL;

	h.cfg.fast_start = 1;
	ck_assert_int_eq(carp_new(&c, &h.cfg, h.addrs, h.n), -EINVAL);
	h.cfg.preempt = true;
	h.cfg.fast_start = 2;
	ck_assert_int_eq(carp_new(&c, &h.cfg, h.addrs, h.n), -EINVAL);
	ck_assert_ptr_null(c);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fsm_late");
	TCase *t = tcase_create("late");

	tcase_add_checked_fixture(t, slow, teardown);
	tcase_add_test(t, what_is_heard_late_is_due_and_not_done);
	tcase_add_test(t, an_advertisement_behind_a_bowout_makes_it_void);
	tcase_add_test(t, a_bowout_behind_an_advertisement_counts);
	tcase_add_test(t, an_old_bowout_is_no_reason);
	tcase_add_loop_test(
	    t, a_slower_master_is_preempted_unless_a_faster_one_follows, 0, 2);
	tcase_add_test(t, a_master_hears_late_as_in_time);
	tcase_add_test(t, one_interval_is_enough_at_the_start);
	tcase_add_test(t, a_master_that_is_heard_has_its_time);
	tcase_add_test(t, only_the_first_start_is_fast);
	tcase_add_test(t, a_better_master_that_was_missed_gets_it_back_at_once);
	tcase_add_test(t, it_needs_preempt);
	suite_add_tcase(s, t);
	return suite_run(s);
}
