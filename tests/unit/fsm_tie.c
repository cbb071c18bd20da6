/* SPDX-License-Identifier: ISC */
/* The election: equal masters, masters that slept, own packets. */
#include "one_host.h"
#include "suite.h"

/* An equal master is heard twice: the second time decides. */
static void
tie(uint8_t skew)
{
	h.now += MS;
	host_hear(&h, h.cfg.advbase, skew);
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
	h.now += MS;
	host_hear(&h, h.cfg.advbase, skew);
}

static uint64_t
last_counter(void)
{
	struct carp_packet p;

	host_advert(&h, &p, 0);
	return p.counter;
}

/*
 * ucarp yields to an equal master, and sends once more while it does: our
 * counter plus one.  Were we to yield to that, nobody would be left.
 */
START_TEST(the_answer_of_one_that_yields_is_let_pass)
{
	start(1, 0, _i == 1, CARP_MASTER);
	host_until_deadline(&h);
	host_said(
	    &h, (struct said){ .base = 1, .counter = last_counter() + 1 });
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
}
END_TEST

START_TEST(one_that_answers_and_stays_is_yielded_to)
{
	uint64_t counter;

	start(1, 0, _i == 1, CARP_MASTER);
	host_until_deadline(&h);
	counter = last_counter();
	h.now += MS;
	host_said(&h, (struct said){ .base = 1, .counter = counter + 1 });
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
	h.now += CARP_SEC - 10 * MS;
	host_said(&h, (struct said){ .base = 1, .counter = counter + 2 });
	host_changed(
	    &h, "the second one", CARP_MASTER, CARP_BACKUP, CARP_CAUSE_EQUAL);
}
END_TEST

/* It must not be let pass for ever, whatever counter it takes. */
START_TEST(one_that_answers_each_time_is_yielded_to)
{
	start(1, 0, false, CARP_MASTER);
	for (int i = 0; i < 3 && carp_state(h.c) == CARP_MASTER; i++) {
		uint64_t counter;

		host_until_deadline(&h);
		counter = last_counter();
		h.now += MS;
		host_said(
		    &h, (struct said){ .base = 1, .counter = counter + 1 });
	}
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
}
END_TEST

/* Also if two of three are lost. */
START_TEST(one_that_answers_now_and_then_is_yielded_to)
{
	uint64_t counter;

	start(1, 0, false, CARP_MASTER);
	for (int i = 0; i < 3; i++) {
		host_wait(&h, 2 * CARP_SEC);
		host_until_deadline(&h);
		counter = last_counter();
		h.now += MS;
		host_said(
		    &h, (struct said){ .base = 1, .counter = counter + 1 });
	}
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
}
END_TEST

START_TEST(a_faster_answer_is_no_answer)
{
	start(1, 5, false, CARP_MASTER);
	host_said(
	    &h, (struct said){
		    .base = 1, .skew = 4, .counter = last_counter() + 1 });
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
}
END_TEST

/* The next advert comes soon, and at a moment that differs. */
START_TEST(an_equal_one_is_contested)
{
	uint64_t wait, first = 0;
	bool differs = false;

	for (uint64_t i = 0; i < 8; i++) {
		host_free(&h);
		host_defaults(&h);
		h.cfg.seed = 1 + i;
		start(1, 0, false, CARP_MASTER);
		host_until_deadline(&h);
		h.now += MS;
		host_hear(&h, 1, 0);
		ck_assert_uint_eq(h.nact, 0);
		ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
		wait = carp_deadline(h.c) - h.now;
		ck_assert_uint_lt(wait, CARP_SEC / 2);
		differs = differs || (first != 0 && wait != first);
		first = wait;
	}
	ck_assert(differs);
	h.now += 600 * MS;
	host_hear(&h, 1, 0);
	host_changed(
	    &h, "the second one", CARP_MASTER, CARP_BACKUP, CARP_CAUSE_EQUAL);
}
END_TEST

/*
 * Whoever remains tells the neighbours that the address is here: the other has
 * told them that it is there.  And once more, should one of them not hear.
 */
START_TEST(who_wins_a_tie_announces)
{
	static const unsigned want[] = { 1, 0, 1, 0, 0, 0 };

	start(1, 0, false, CARP_MASTER);
	for (int i = 0; i < 5; i++)
		host_until_deadline(&h);
	ck_assert_uint_eq(host_count(&h, CARP_DO_ANNOUNCE), 0);
	h.now += MS;
	host_hear(&h, 1, 0);
	ck_assert_uint_eq(h.nact, 0);
	for (int i = 0; i < NROWS(want); i++) {
		host_until_deadline(&h);
		ck_assert_uint_eq(host_count(&h, CARP_DO_ANNOUNCE), want[i]);
		ck_assert_uint_ge(host_count(&h, CARP_DO_SEND), 1);
		/* The other yields on hearing the advertisement. */
		if (want[i] > 0)
			ck_assert_int_eq(h.act[0].what, CARP_DO_ANNOUNCE);
	}
}
END_TEST

START_TEST(who_loses_a_tie_does_not)
{
	static const unsigned after[] = { 0, 1, 0, 0, 0 };

	start(1, 0, false, CARP_MASTER);
	h.now += MS;
	tie(0);
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
	ck_assert_uint_eq(host_count(&h, CARP_DO_ANNOUNCE), 0);
	/* The contest is over: what follows is as after any takeover. */
	while (carp_state(h.c) == CARP_BACKUP)
		host_until_deadline(&h);
	ck_assert_uint_eq(host_count(&h, CARP_DO_ANNOUNCE), 1);
	for (int i = 0; i < NROWS(after); i++) {
		host_until_deadline(&h);
		ck_assert_uint_eq(host_count(&h, CARP_DO_ANNOUNCE), after[i]);
	}
}
END_TEST

/* IPv4 and IPv6 come in pairs: together they are one. */
START_TEST(the_other_family_does_not_decide)
{
	host_addrs(&h, "192.0.2.1", "2001:db8::1");
	start(1, 0, false, CARP_MASTER);
	h.now += MS;
	host_said(&h, (struct said){ .base = 1, .family = 4 });
	host_said(&h, (struct said){ .base = 1, .family = 6 });
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
	host_said(&h, (struct said){ .base = 1, .family = 4 });
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
}
END_TEST

START_TEST(a_contest_is_forgotten)
{
	start(1, 0, false, CARP_MASTER);
	h.now += MS;
	host_hear(&h, 1, 0);
	host_wait(&h, 10 * CARP_SEC);
	host_hear(&h, 1, 0);
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
	host_hear(&h, 1, 0);
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
}
END_TEST

/* An equal one has taken over meanwhile: there is nothing to contest. */
START_TEST(who_slept_yields_to_an_equal_one_at_once)
{
	start(1, 0, _i == 1, CARP_MASTER);
	h.now += 4 * CARP_SEC;
	host_hear(&h, 1, 0);
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
}
END_TEST

START_TEST(whoever_yields_is_silent)
{
	start(1, 0, false, CARP_MASTER);
	tie(0);
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
	ck_assert_uint_eq(h.nact, 1);
	host_wait(&h, 2990 * MS);
	ck_assert_uint_eq(h.nact, 0);
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
}
END_TEST

START_TEST(jitter_parts_two_equal_ones)
{
	enum { N = 32 };
	uint64_t wait[N];
	unsigned same = 0;

	for (int i = 0; i < N; i++) {
		host_free(&h);
		host_defaults(&h);
		h.cfg.seed = 1000 + (uint64_t)i;
		start(1, 50, false, CARP_MASTER);
		tie(50);
		wait[i] = carp_deadline(h.c) - h.now;
		/* Never sooner than BSD, and not much later. */
		ck_assert_uint_ge(
		    wait[i], 3 * CARP_SEC + 50 * CARP_SEC / 256 - 1000);
		ck_assert_uint_le(wait[i], 4 * CARP_SEC + CARP_SEC / 2);
		for (int j = 0; j < i; j++) {
			uint64_t a = wait[i], b = wait[j];

			same += (a > b ? a - b : b - a) < MS;
		}
	}
	/* 496 pairs; 2 of 500 would be within 1 ms by chance. */
	ck_assert_uint_lt(same, 15);
}
END_TEST

START_TEST(each_tie_is_another_throw)
{
	uint64_t first = 0, wait;
	bool differs = false;

	start(1, 0, false, CARP_MASTER);
	for (int i = 0; i < 5; i++) {
		tie(0);
		ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
		wait = carp_deadline(h.c) - h.now;
		if (i == 0)
			first = wait;
		differs = differs || wait != first;
		host_until_deadline(&h);
		ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
	}
	ck_assert(differs);
}
END_TEST

/*
 * Two equal ones that preempt hear the same slower master.  Were both to take
 * over at once they would tie again, and the slower one come back, for ever.
 */
START_TEST(after_a_tie_it_preempts_with_jitter)
{
	uint64_t wait, first = 0;
	bool differs = false;

	for (uint64_t i = 0; i < 8; i++) {
		host_free(&h);
		host_defaults(&h);
		h.cfg.seed = 1 + i;
		start(1, 0, true, CARP_MASTER);
		tie(0);
		h.now += 2 * CARP_SEC;
		host_hear(&h, 1, 200);
		ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
		wait = carp_deadline(h.c) - h.now;
		ck_assert_uint_lt(wait, CARP_SEC);
		differs = differs || (first != 0 && wait != first);
		first = wait;
		host_until_deadline(&h);
		host_changed(
		    &h, "soon", CARP_BACKUP, CARP_MASTER, CARP_CAUSE_SLOWER);
	}
	ck_assert(differs);
}
END_TEST

START_TEST(after_a_tie_it_leaves_it_to_an_equal_that_was_sooner)
{
	start(1, 0, true, CARP_MASTER);
	tie(0);
	h.now += 2 * CARP_SEC;
	host_hear(&h, 1, 200);
	host_hear(&h, 1, 0);
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
	ck_assert_uint_ge(carp_deadline(h.c), h.now + 3 * CARP_SEC);
}
END_TEST

START_TEST(no_jitter_after_a_faster_one)
{
	start(1, 50, false, CARP_MASTER);
	h.now += MS;
	host_hear(&h, 1, 0);
	ck_assert_uint_le(
	    carp_deadline(h.c) - h.now, 3 * CARP_SEC + 50 * CARP_SEC / 256);
}
END_TEST

/* What is heard on one family must not take it from the other. */
START_TEST(the_jitter_holds_for_each_family)
{
	uint64_t deadline;

	h.cfg.strict_family = true;
	host_addrs(&h, "192.0.2.1", "2001:db8::1");
	start(1, 0, false, CARP_MASTER);
	tie(0);
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
	deadline = carp_deadline(h.c);
	ck_assert_uint_gt(deadline, h.now + 3 * CARP_SEC);
	h.now += 3 * CARP_SEC;
	host_said(&h, (struct said){ .base = 1, .family = _i == 0 ? 4 : 6 });
	ck_assert_uint_eq(carp_deadline(h.c), deadline);
}
END_TEST

START_TEST(the_jitter_does_not_stay)
{
	start(1, 0, false, CARP_MASTER);
	tie(0);
	for (int i = 0; i < 3; i++) {
		host_wait(&h, CARP_SEC);
		host_hear(&h, 1, 0);
	}
	ck_assert_uint_eq(carp_deadline(h.c) - h.now, 3 * CARP_SEC);
}
END_TEST

/*
 * A master that was not running long enough for a peer to take over.
 */
static const struct {
	const char *why;
	uint8_t base, skew;
	bool preempt;
	uint64_t slept; /* since its last advertisement */
	uint8_t pbase, pskew;
	enum carp_state want;
	enum carp_cause cause;
} slept[] = {
	{ "it slept, and leaves it to the slower one", 1, 0, false,
	    10 * CARP_SEC, 1, 100, CARP_BACKUP, CARP_CAUSE_PAUSED },
	{ "with preempt it takes it back", 1, 0, true, 10 * CARP_SEC, 1, 100,
	    CARP_MASTER, 0 },
	{ "it slept, and yields to a faster one as always", 1, 100, false,
	    10 * CARP_SEC, 1, 0, CARP_BACKUP, CARP_CAUSE_FASTER },
	{ "a short sleep is none", 1, 0, false, 2900 * MS, 1, 100, CARP_MASTER,
	    0 },
	{ "with a greater base it takes longer", 10, 0, false, 20 * CARP_SEC,
	    10, 100, CARP_MASTER, 0 },
	{ "one that leaves is not left anything", 1, 0, false, 10 * CARP_SEC,
	    255, 255, CARP_MASTER, 0 },
	{ "between two of its advertisements it did not sleep, base 0", 0, 100,
	    false, 300 * MS, 0, 200, CARP_MASTER, 0 },
	{ "nor a little late, base 0", 0, 100, false, 500 * MS, 0, 200,
	    CARP_MASTER, 0 },
	{ "but here it did, base 0", 0, 100, false, 2 * CARP_SEC, 0, 200,
	    CARP_BACKUP, CARP_CAUSE_PAUSED },
	{ "nor between two with the greatest skew", 1, 254, false, 1900 * MS, 2,
	    0, CARP_MASTER, 0 },
};

START_TEST(a_master_that_slept)
{
	start(slept[_i].base, slept[_i].skew, slept[_i].preempt, CARP_MASTER);
	host_until_deadline(&h);
	h.now += slept[_i].slept;
	host_hear(&h, slept[_i].pbase, slept[_i].pskew);
	host_changed(
	    &h, slept[_i].why, CARP_MASTER, slept[_i].want, slept[_i].cause);
}
END_TEST

START_TEST(a_master_that_slept_alone_goes_on)
{
	start(1, 0, false, CARP_MASTER);
	h.now += 100 * CARP_SEC;
	host_timer(&h);
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
	ck_assert_uint_eq(host_count(&h, CARP_DO_SEND), 1);
	h.now += MS;
	host_hear(&h, 1, 100);
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
}
END_TEST

/*
 * Our own packets come back.
 */
START_TEST(own_packets_are_known)
{
	struct carp_packet mine[8];
	struct carp_info before, after;

	start(1, 100, false, CARP_MASTER);
	for (int i = 0; i < NROWS(mine); i++) {
		host_advert(&h, &mine[i], 0);
		host_until_deadline(&h);
	}
	for (int i = 0; i < NROWS(mine); i++) {
		host_info(&h, &before);
		ck_assert_int_eq(host_packet(&h, &mine[i]), CARP_OWN);
		ck_assert_uint_eq(h.nact, 0);
		host_info(&h, &after);
		ck_assert_uint_eq(after.stats.drops[CARP_OWN],
		    before.stats.drops[CARP_OWN] + 1);
		after.stats = before.stats;
		ck_assert_mem_eq(&before, &after, sizeof(before));
	}
}
END_TEST

/* A looped frame must not keep a backup waiting for itself. */
START_TEST(own_packets_do_not_wind_the_timer)
{
	struct carp_packet mine;
	uint64_t deadline;

	start(1, 100, false, CARP_MASTER);
	host_advert(&h, &mine, 0);
	h.now += MS;
	host_hear(&h, 1, 0);
	deadline = carp_deadline(h.c);
	h.now += CARP_SEC;
	ck_assert_int_eq(host_packet(&h, &mine), CARP_OWN);
	ck_assert_uint_eq(carp_deadline(h.c), deadline);
}
END_TEST

START_TEST(own_packets_of_both_families_are_known)
{
	struct carp_packet four, six;

	host_addrs(&h, "192.0.2.1", "2001:db8::1");
	start(1, 100, false, CARP_MASTER);
	host_advert(&h, &four, 0);
	host_advert(&h, &six, 1);
	ck_assert_int_eq(host_packet(&h, &four), CARP_OWN);
	ck_assert_int_eq(host_packet(&h, &six), CARP_OWN);
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
}
END_TEST

START_TEST(an_own_bowout_is_known)
{
	struct carp_packet mine;

	start(1, 100, false, CARP_MASTER);
	host_force(&h, CARP_BACKUP);
	host_advert(&h, &mine, 0);
	ck_assert(carp_packet_is_bowout(&mine));
	ck_assert_int_eq(host_packet(&h, &mine), CARP_OWN);
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
}
END_TEST

/* An own counter with a wrong digest is a forgery, and no more. */
START_TEST(an_own_counter_with_another_digest_is_forged)
{
	struct carp_packet mine;

	start(1, 100, false, CARP_MASTER);
	host_advert(&h, &mine, 0);
	mine.md[0] ^= 1;
	ck_assert_int_eq(host_packet(&h, &mine), CARP_BADAUTH);
}
END_TEST

/* A slower master is told, but cannot make us flood the segment. */
START_TEST(slower_adverts_do_not_make_a_storm)
{
	unsigned sent = 0;

	start(1, 0, false, CARP_MASTER);
	for (int i = 0; i < 10000; i++) {
		h.now += MS / 10;
		if (carp_deadline(h.c) <= h.now) {
			host_timer(&h);
			sent += host_count(&h, CARP_DO_SEND);
		}
		host_hear(&h, _i == 0 ? 1 : 255, _i == 0 ? 100 : 255);
		sent += host_count(&h, CARP_DO_SEND);
	}
	ck_assert_uint_le(sent, 4);
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fsm_tie");
	TCase *t = tcase_create("tie");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, the_answer_of_one_that_yields_is_let_pass, 0, 2);
	tcase_add_loop_test(t, one_that_answers_and_stays_is_yielded_to, 0, 2);
	tcase_add_test(t, one_that_answers_each_time_is_yielded_to);
	tcase_add_test(t, one_that_answers_now_and_then_is_yielded_to);
	tcase_add_test(t, a_faster_answer_is_no_answer);
	tcase_add_test(t, an_equal_one_is_contested);
	tcase_add_test(t, who_wins_a_tie_announces);
	tcase_add_test(t, who_loses_a_tie_does_not);
	tcase_add_test(t, the_other_family_does_not_decide);
	tcase_add_test(t, a_contest_is_forgotten);
	tcase_add_loop_test(t, who_slept_yields_to_an_equal_one_at_once, 0, 2);
	tcase_add_test(t, whoever_yields_is_silent);
	tcase_add_test(t, jitter_parts_two_equal_ones);
	tcase_add_test(t, each_tie_is_another_throw);
	tcase_add_test(t, after_a_tie_it_preempts_with_jitter);
	tcase_add_test(t, after_a_tie_it_leaves_it_to_an_equal_that_was_sooner);
	tcase_add_test(t, no_jitter_after_a_faster_one);
	tcase_add_loop_test(t, the_jitter_holds_for_each_family, 0, 2);
	tcase_add_test(t, the_jitter_does_not_stay);
	add_rows(t, a_master_that_slept, slept);
	tcase_add_test(t, a_master_that_slept_alone_goes_on);
	tcase_add_test(t, own_packets_are_known);
	tcase_add_test(t, own_packets_do_not_wind_the_timer);
	tcase_add_test(t, own_packets_of_both_families_are_known);
	tcase_add_test(t, an_own_bowout_is_known);
	tcase_add_test(t, an_own_counter_with_another_digest_is_forged);
	tcase_add_loop_test(t, slower_adverts_do_not_make_a_storm, 0, 2);
	suite_add_tcase(s, t);
	return suite_run(s);
}
