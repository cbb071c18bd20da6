/* SPDX-License-Identifier: ISC */
/* The election: intervals, time-outs, demotion, counters, two families. */
#include <errno.h>

#include "one_host.h"
#include "suite.h"

#define UNIT(n) ((n)*CARP_SEC / 256)
#define LATE	(5 * MS / 2) /* with base 0: for late wake-ups */

/* Microseconds are what BSD counts in: it rounds down to them. */
static void
about(uint64_t got, uint64_t want, const char *why)
{
	uint64_t diff = got > want ? got - want : want - got;

	ck_assert_msg(diff < 1000, "%s: %ju ns, not %ju", why, (uintmax_t)got,
	    (uintmax_t)want);
}

static const struct {
	const char *why;
	uint8_t base, skew;
	bool triple;
	uint64_t interval, timeout;
} timers[] = {
	{ "the defaults", 1, 0, false, CARP_SEC, 3 * CARP_SEC },
	{ "skew is added once", 1, 100, false, CARP_SEC + UNIT(100),
	    3 * CARP_SEC + UNIT(100) },
	{ "OpenBSD of 2025 triples it", 1, 100, true, CARP_SEC + UNIT(100),
	    3 * CARP_SEC + 3 * UNIT(100) },
	{ "triple without skew", 1, 0, true, CARP_SEC, 3 * CARP_SEC },
	{ "the greatest skew", 1, 254, false, CARP_SEC + UNIT(254),
	    3 * CARP_SEC + UNIT(254) },
	{ "the greatest base", 254, 254, false, 254 * CARP_SEC + UNIT(254),
	    762 * CARP_SEC + UNIT(254) },
	{ "base 0: the skew alone", 0, 100, false, UNIT(100),
	    3 * UNIT(100) + LATE },
	{ "base 0, tripled or not", 0, 100, true, UNIT(100),
	    3 * UNIT(100) + LATE },
	{ "both 0: 1/256 s", 0, 0, false, UNIT(1), 3 * UNIT(1) + LATE },
	{ "0/1 is as fast", 0, 1, false, UNIT(1), 3 * UNIT(1) + LATE },
};

START_TEST(intervals_and_timeouts)
{
	struct carp_info info;
	uint64_t t;

	h.cfg.triple_skew = timers[_i].triple;
	start(timers[_i].base, timers[_i].skew, false, CARP_BACKUP);
	host_info(&h, &info);
	about(info.interval, timers[_i].interval, timers[_i].why);
	about(info.timeout, timers[_i].timeout, timers[_i].why);
	about(carp_deadline(h.c) - h.now, timers[_i].timeout, timers[_i].why);
	ck_assert_uint_eq(info.deadline, carp_deadline(h.c));
	host_until_deadline(&h);
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
	for (int i = 0; i < 5; i++) {
		t = h.now;
		about(carp_deadline(h.c) - t, timers[_i].interval,
		    timers[_i].why);
		host_until_deadline(&h);
		ck_assert_uint_eq(host_count(&h, CARP_DO_SEND), 1);
		host_info(&h, &info);
		ck_assert_uint_eq(info.sent, h.now);
	}
	if (timers[_i].base + timers[_i].skew > 0)
		about(carp_interval(timers[_i].base, timers[_i].skew),
		    timers[_i].interval, timers[_i].why);
}
END_TEST

START_TEST(each_advertisement_of_a_master_winds_the_timer)
{
	start(1, 100, false, CARP_BACKUP);
	for (int i = 0; i < 100; i++) {
		host_wait(&h, CARP_SEC);
		host_hear(&h, 1, 0);
		ck_assert_uint_eq(h.nact, 0);
		about(carp_deadline(h.c) - h.now, 3 * CARP_SEC + UNIT(100),
		    "wound");
	}
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
}
END_TEST

START_TEST(a_timer_called_early_does_nothing)
{
	struct carp_info before, after;

	start(1, 0, false, _i == 0 ? CARP_BACKUP : CARP_MASTER);
	h.now = carp_deadline(h.c) - 1;
	host_info(&h, &before);
	for (int i = 0; i < 10; i++) {
		host_timer(&h);
		ck_assert_uint_eq(h.nact, 0);
	}
	host_info(&h, &after);
	ck_assert_mem_eq(&before, &after, sizeof(before));
}
END_TEST

START_TEST(early_is_within_a_64th_of_the_interval)
{
	uint64_t due;

	start(1, 0, false, CARP_MASTER);
	due = carp_deadline(h.c);
	h.now = due - CARP_SEC / 64 - 1;
	ck_assert_int_eq(carp_early(h.c, h.now), 0);
	ck_assert_uint_eq(carp_deadline(h.c), due);
	h.now = due - CARP_SEC / 64;
	ck_assert_int_eq(carp_early(h.c, h.now), 1);
	ck_assert_int_eq(carp_early(h.c, h.now), -EBUSY);
	host_collect(&h);
	ck_assert_uint_eq(host_count(&h, CARP_DO_SEND), 1);
	ck_assert_uint_eq(carp_deadline(h.c), h.now + CARP_SEC);
	ck_assert_int_eq(carp_early(h.c, h.now), 0);
}
END_TEST

START_TEST(a_backup_is_never_early)
{
	start(1, 0, false, CARP_BACKUP);
	h.now = carp_deadline(h.c) - 1;
	ck_assert_int_eq(carp_early(h.c, h.now), 0);
	h.now++;
	ck_assert_int_eq(carp_early(h.c, h.now), 0);
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
}
END_TEST

START_TEST(a_late_timer_sends_once_and_goes_on)
{
	start(1, 0, false, CARP_MASTER);
	h.now += 50 * CARP_SEC;
	host_timer(&h);
	ck_assert_uint_eq(host_count(&h, CARP_DO_SEND), 1);
	ck_assert_uint_gt(carp_deadline(h.c), h.now);
	ck_assert_uint_le(carp_deadline(h.c), h.now + CARP_SEC);
	host_timer(&h);
	ck_assert_uint_eq(h.nact, 0);
}
END_TEST

START_TEST(small_delays_do_not_add_up)
{
	unsigned n = 0;
	uint64_t end;

	start(1, 0, false, CARP_MASTER);
	end = h.now + 1000 * CARP_SEC;
	while (carp_deadline(h.c) < end) {
		h.now = carp_deadline(h.c) + 7 * MS;
		host_timer(&h);
		n += host_count(&h, CARP_DO_SEND);
	}
	ck_assert_uint_ge(n, 998);
	ck_assert_uint_le(n, 1001);
}
END_TEST

START_TEST(a_backup_that_wakes_late_hears_before_it_acts)
{
	start(1, 0, false, CARP_BACKUP);
	h.now += 60 * CARP_SEC;
	/* The engine reads what waits before it acts on deadlines. */
	host_hear(&h, 1, 0);
	ck_assert_uint_gt(carp_deadline(h.c), h.now);
	host_timer(&h);
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
}
END_TEST

START_TEST(announced_again_with_the_second_advertisement)
{
	static const unsigned want[] = { 0, 1, 0, 0, 0, 0 };

	start(1, 0, false, CARP_MASTER);
	ck_assert_uint_eq(host_count(&h, CARP_DO_ANNOUNCE), 1);
	for (int i = 0; i < NROWS(want); i++) {
		host_until_deadline(&h);
		ck_assert_uint_eq(host_count(&h, CARP_DO_ANNOUNCE), want[i]);
		/* Before the advertisement that a peer may preempt on. */
		if (want[i] > 0)
			ck_assert_int_eq(h.act[0].what, CARP_DO_ANNOUNCE);
	}
}
END_TEST

START_TEST(a_backup_does_not_announce)
{
	start(1, 100, false, CARP_MASTER);
	h.now += MS;
	host_hear(&h, 1, 0);
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
	for (int i = 0; i < 5; i++) {
		host_wait(&h, CARP_SEC);
		ck_assert_uint_eq(h.nact, 0);
		host_hear(&h, 1, 0);
		ck_assert_uint_eq(h.nact, 0);
	}
}
END_TEST

/*
 * Demotion.
 */
static const struct {
	const char *why;
	uint8_t skew;
	int demotion;
	uint8_t sent, byte;
} clamps[] = {
	{ "none", 0, 0, 0, 0 },
	{ "added to the skew", 10, 5, 15, 5 },
	{ "240 and no more", 0, 240, 240, 240 },
	{ "240 and no more with a skew", 100, 200, 240, 200 },
	{ "the byte ends at 255", 0, 256, 240, 255 },
	{ "far beyond", 0, 65535, 240, 255 },
	{ "the greatest number", 254, INT32_MAX, 254, 255 },
	{ "239 and 1", 239, 1, 240, 1 },
	{ "240 and 1", 240, 1, 240, 1 },
	{ "241 is sent as configured (FreeBSD would say 240)", 241, 0, 241, 0 },
	{ "254 is sent as configured", 254, 0, 254, 0 },
	{ "demoted it is not made faster", 250, 1, 250, 1 },
	{ "demoted a lot it is not made faster", 254, 240, 254, 240 },
	{ "negative: faster", 100, -30, 70, 0 },
	{ "negative: 0 is the least", 100, -300, 0, 0 },
	{ "negative from 0", 0, -1, 0, 0 },
	{ "the least number", 0, INT32_MIN, 0, 0 },
	{ "negative from above 240", 254, -4, 250, 0 },
};

START_TEST(demotion_goes_out)
{
	struct carp_packet p;
	struct carp_info info;

	h.cfg.openbsd = true;
	start(1, clamps[_i].skew, false, CARP_BACKUP);
	host_demote(&h, clamps[_i].demotion);
	ck_assert_msg(h.nact == 0, "%s: a backup is quiet", clamps[_i].why);
	host_until_deadline(&h);
	host_advert(&h, &p, 0);
	ck_assert_msg(p.advskew == clamps[_i].sent, "%s: skew %u",
	    clamps[_i].why, p.advskew);
	ck_assert_msg(p.demote == clamps[_i].byte, "%s: byte %u",
	    clamps[_i].why, p.demote);
	host_info(&h, &info);
	ck_assert_uint_eq(info.skew_sent, clamps[_i].sent);
	ck_assert_int_eq(info.demotion, clamps[_i].demotion);
	about(info.interval, CARP_SEC + UNIT(clamps[_i].sent), clamps[_i].why);
	about(carp_deadline(h.c) - h.now, info.interval, clamps[_i].why);
	/* The time-out is that of the configured skew. */
	about(
	    info.timeout, 3 * CARP_SEC + UNIT(clamps[_i].skew), clamps[_i].why);
}
END_TEST

/*
 * A peer that is OpenBSD takes over from any byte that is above its own, and
 * does not yield to one; who does not obey it in turn must not send it.
 */
START_TEST(the_byte_of_openbsd_is_for_openbsd)
{
	struct carp_packet p;

	start(1, 0, false, CARP_MASTER);
	host_demote(&h, 100);
	host_advert(&h, &p, 0);
	ck_assert_uint_eq(p.advskew, 100);
	ck_assert_uint_eq(p.demote, 0);
}
END_TEST

START_TEST(a_demoted_master_says_so_at_once)
{
	struct carp_packet p;

	start(1, 0, false, CARP_MASTER);
	h.now += 300 * MS;
	host_demote(&h, 100);
	ck_assert_uint_eq(h.nact, 1);
	host_advert(&h, &p, 0);
	ck_assert_uint_eq(p.advskew, 100);
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
	h.now += MS;
	host_demote(&h, 100);
	ck_assert_uint_eq(h.nact, 0);
	host_demote(&h, 0);
	ck_assert_uint_eq(h.nact, 1);
	host_advert(&h, &p, 0);
	ck_assert_uint_eq(p.advskew, 0);
}
END_TEST

START_TEST(a_demoted_master_compares_with_what_it_says)
{
	start(1, 0, false, CARP_MASTER);
	host_demote(&h, 100);
	h.now += MS;
	host_hear(&h, 1, 101);
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
	host_hear(&h, 1, 99);
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
}
END_TEST

START_TEST(a_demoted_backup_does_not_preempt)
{
	start(1, 0, true, CARP_BACKUP);
	host_demote(&h, 240);
	host_hear(&h, 1, 100);
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
	host_demote(&h, 0);
	ck_assert_uint_eq(h.nact, 0);
	host_hear(&h, 1, 100);
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
}
END_TEST

/* FreeBSD's test negative_demotion: -1 must not make two masters of 0/100. */
START_TEST(a_negative_demotion_ties_with_nobody)
{
	struct carp_packet p;

	start(1, 0, true, CARP_MASTER);
	host_demote(&h, -1);
	host_until_deadline(&h);
	host_advert(&h, &p, 0);
	ck_assert_uint_eq(p.advskew, 0);
	host_hear(&h, 1, 100);
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
}
END_TEST

/*
 * Counters.
 */
static const uint64_t counters[] = { 0, 1, UINT64_MAX, UINT64_MAX - 1,
	UINT64_C(0x0123456789abcdef) };

START_TEST(no_counter_is_0_and_none_is_sent_twice)
{
	enum { N = 300 };
	uint64_t seen[N];
	struct carp_packet p;

	h.cfg.counter = counters[_i];
	start(1, 0, false, CARP_MASTER);
	for (int i = 0; i < N; i++) {
		host_advert(&h, &p, 0);
		seen[i] = p.counter;
		for (int j = 0; j < i; j++)
			ck_assert_uint_ne(seen[j], seen[i]);
		host_until_deadline(&h);
	}
	if (counters[_i] != 0)
		ck_assert_uint_eq(seen[0], counters[_i]);
}
END_TEST

START_TEST(counters_of_peers_need_no_order)
{
	static const uint64_t said[] = { 5, 5, 4, 0, UINT64_MAX, 1, 0, 5 };
	struct carp_info info;
	struct carp_packet p;

	start(1, 100, false, CARP_BACKUP);
	for (int i = 0; i < NROWS(said); i++) {
		h.now += CARP_SEC;
		host_peer(&h, &p, (struct said){ .base = 1, .counter = 1 });
		p.counter = said[i];
		ck_assert_int_eq(carp_digest(p.md, h.cfg.key, p.vhid, h.addrs,
				     h.n, CARP_NOV6LL, NULL, p.counter),
		    0);
		ck_assert_int_eq(host_packet(&h, &p), CARP_OK);
		host_info(&h, &info);
		ck_assert_uint_eq(info.peer_at, h.now);
	}
}
END_TEST

/* An OpenBSD master repeats one packet for ever. */
START_TEST(the_same_packet_again_and_again_keeps_a_backup)
{
	struct carp_packet p;

	start(1, 100, false, CARP_BACKUP);
	host_peer(&h, &p, (struct said){ .base = 1 });
	for (int i = 0; i < 20; i++) {
		host_wait(&h, CARP_SEC);
		ck_assert_int_eq(host_packet(&h, &p), CARP_OK);
	}
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
}
END_TEST

/*
 * Two families.
 */
static void
mixed(bool strict)
{
	h.cfg.strict_family = strict;
	host_addrs(&h, "192.0.2.1", "2001:db8::1");
	start(1, 100, false, CARP_BACKUP);
}

START_TEST(either_family_keeps_a_backup_quiet)
{
	uint8_t family = _i == 0 ? 4 : 6;

	mixed(false);
	for (int i = 0; i < 10; i++) {
		host_wait(&h, CARP_SEC);
		host_said(&h, (struct said){ .base = 1, .family = family });
	}
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
	about(carp_deadline(h.c) - h.now, 3 * CARP_SEC + UNIT(100), "both");
}
END_TEST

START_TEST(strictly_each_family_has_its_own_timeout)
{
	uint8_t family = _i == 0 ? 4 : 6;
	uint64_t begun;

	mixed(true);
	begun = h.now;
	for (int i = 0; i < 3; i++) {
		host_wait(&h, CARP_SEC);
		host_said(&h, (struct said){ .base = 1, .family = family });
		ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
		about(carp_deadline(h.c) - begun, 3 * CARP_SEC + UNIT(100),
		    "the silent family");
	}
	host_until_deadline(&h);
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
}
END_TEST

START_TEST(strictly_both_families_keep_it_quiet)
{
	mixed(true);
	for (int i = 0; i < 10; i++) {
		host_wait(&h, CARP_SEC);
		host_said(&h, (struct said){ .base = 1, .family = 4 });
		host_said(&h, (struct said){ .base = 1, .family = 6 });
	}
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
}
END_TEST

START_TEST(strictly_only_families_that_are_spoken_count)
{
	h.cfg.strict_family = true;
	if (_i == 1)
		host_addrs(&h, "2001:db8::1", NULL);
	start(1, 100, false, CARP_BACKUP);
	for (int i = 0; i < 10; i++) {
		host_wait(&h, CARP_SEC);
		host_said(
		    &h, (struct said){ .base = 1, .family = _i == 0 ? 4 : 6 });
	}
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fsm_timers");
	TCase *t = tcase_create("timers");

	tcase_add_checked_fixture(t, setup, teardown);
	add_rows(t, intervals_and_timeouts, timers);
	tcase_add_test(t, each_advertisement_of_a_master_winds_the_timer);
	tcase_add_loop_test(t, a_timer_called_early_does_nothing, 0, 2);
	tcase_add_test(t, early_is_within_a_64th_of_the_interval);
	tcase_add_test(t, a_backup_is_never_early);
	tcase_add_test(t, a_late_timer_sends_once_and_goes_on);
	tcase_add_test(t, small_delays_do_not_add_up);
	tcase_add_test(t, a_backup_that_wakes_late_hears_before_it_acts);
	tcase_add_test(t, announced_again_with_the_second_advertisement);
	tcase_add_test(t, a_backup_does_not_announce);
	add_rows(t, demotion_goes_out, clamps);
	tcase_add_test(t, the_byte_of_openbsd_is_for_openbsd);
	tcase_add_test(t, a_demoted_master_says_so_at_once);
	tcase_add_test(t, a_demoted_master_compares_with_what_it_says);
	tcase_add_test(t, a_demoted_backup_does_not_preempt);
	tcase_add_test(t, a_negative_demotion_ties_with_nobody);
	add_rows(t, no_counter_is_0_and_none_is_sent_twice, counters);
	tcase_add_test(t, counters_of_peers_need_no_order);
	tcase_add_test(t, the_same_packet_again_and_again_keeps_a_backup);
	tcase_add_loop_test(t, either_family_keeps_a_backup_quiet, 0, 2);
	tcase_add_loop_test(t, strictly_each_family_has_its_own_timeout, 0, 2);
	tcase_add_test(t, strictly_both_families_keep_it_quiet);
	tcase_add_loop_test(
	    t, strictly_only_families_that_are_spoken_count, 0, 2);
	suite_add_tcase(s, t);
	return suite_run(s);
}
