/* SPDX-License-Identifier: ISC */
/* The election: hosts that move together. */
#include <errno.h>

#include "host.h"
#include "suite.h"

#define NODE	UINT64_C(0x1234567890abcdef)
#define ANOTHER UINT64_C(0x9999999990abcdef)

static struct host one, two; /* of a backup, on two segments */

static void
setup(void)
{
	host_defaults(&one);
	host_defaults(&two);
	one.cfg.together = two.cfg.together = 1;
	one.cfg.advskew = two.cfg.advskew = 100;
}

/* The master of it is a node of ours, whose counters are some way on. */
static void
hear(struct host *h, uint64_t node, uint8_t base, uint8_t skew)
{
	static uint64_t n = 0x123456789abcdef;

	h->peer_counter = carp_counter_near(node, n++ * 7919);
	host_hear(h, base, skew);
}

static void
teardown(void)
{
	host_free(&one);
	host_free(&two);
}

/* Both are backups, and have heard their master. */
static void
begin(void)
{
	host_new(&one);
	host_new(&two);
	host_become(&one, CARP_BACKUP);
	host_become(&two, CARP_BACKUP);
	hear(&one, NODE, 1, 0);
	hear(&two, NODE, 1, 0);
	one.now = two.now += CARP_SEC / 2;
}

static void
follow(void)
{
	ck_assert_int_eq(carp_follow(two.c, one.c, two.now), 0);
}

static const struct {
	const char *why;
	bool preempt;
	enum carp_cause cause;
} ways[] = {
	{ "with preempt", true, CARP_CAUSE_SLOWER },
	{ "without", false, CARP_CAUSE_DEMOTED },
};

START_TEST(a_demoted_node_is_taken_over_and_followed)
{
	one.cfg.preempt = two.cfg.preempt = ways[_i].preempt;
	begin();
	hear(&one, NODE, 1, CARP_DEMOTED);
	host_changed(
	    &one, ways[_i].why, CARP_BACKUP, CARP_MASTER, ways[_i].cause);
	ck_assert(carp_took_demoted(one.c));
	follow();
	ck_assert_uint_le(carp_deadline(two.c), two.now + 10 * MS);
	ck_assert_uint_ge(carp_deadline(two.c), two.now + 2 * MS);
	host_until_deadline(&two);
	host_changed(
	    &two, ways[_i].why, CARP_BACKUP, CARP_MASTER, CARP_CAUSE_ORPHANED);
	ck_assert_uint_eq(host_count(&two, CARP_DO_SEND), 1);
	ck_assert_uint_eq(host_count(&two, CARP_DO_ANNOUNCE), 1);
	ck_assert(!carp_took_demoted(two.c));
}
END_TEST

/* As an engine does it: what has waited is due, not done. */
START_TEST(so_is_one_that_is_heard_late)
{
	enum carp_verdict v = CARP_NVERDICTS;
	struct carp_packet p;

	begin();
	one.peer_counter = carp_counter_near(NODE, 7);
	host_peer(&one, &p, (struct said){ .base = 1, .skew = CARP_DEMOTED });
	ck_assert_int_eq(carp_packet_late(one.c, &p, &v, one.now, one.now), 0);
	ck_assert_int_eq(v, CARP_OK);
	ck_assert(!carp_took_demoted(one.c));
	host_timer(&one);
	ck_assert(carp_took_demoted(one.c));
	follow();
	ck_assert_uint_le(carp_deadline(two.c), two.now + 10 * MS);
}
END_TEST

/* Each ends the wait, or does not let it begin. */
START_TEST(whatever_is_heard_ends_it)
{
	begin();
	hear(&one, NODE, 1, CARP_DEMOTED);
	follow();
	hear(&two, NODE, 1, 0);
	ck_assert_uint_gt(carp_deadline(two.c), two.now + CARP_SEC);
	ck_assert_int_eq(carp_state(two.c), CARP_BACKUP);
}
END_TEST

/* In one go with the other, which came first. */
START_TEST(what_was_heard_just_before_counts)
{
	begin();
	hear(&two, NODE, 1, 0);
	two.now = one.now += _i * MS;
	hear(&one, NODE, 1, CARP_DEMOTED);
	follow();
	ck_assert_int_eq(carp_deadline(two.c) > two.now + CARP_SEC, _i < 2);
}
END_TEST

START_TEST(a_third_node_is_left_alone)
{
	begin();
	hear(&two, ANOTHER, 1, 0);
	hear(&one, NODE, 1, CARP_DEMOTED);
	follow();
	ck_assert_uint_gt(carp_deadline(two.c), two.now + CARP_SEC);
}
END_TEST

START_TEST(who_has_said_that_it_is_demoted_here_is_not_silent)
{
	begin();
	hear(&two, NODE, 1, CARP_DEMOTED); /* and we took over on that */
	ck_assert_int_eq(host_force(&two, CARP_BACKUP), 0);
	one.now = two.now += CARP_SEC / 2;
	hear(&one, NODE, 1, CARP_DEMOTED);
	follow();
	ck_assert_uint_gt(carp_deadline(two.c), two.now + CARP_SEC);
}
END_TEST

static const struct {
	const char *why;
	bool together;
	int demotion; /* ours */
	uint8_t base, skew;
	bool takes;
} others[] = {
	{ "as demoted as can be", true, 0, 1, 240, true },
	{ "and more by its configuration", true, 0, 1, 254, true },
	{ "demoted a little", true, 0, 1, 239, false },
	{ "not together", false, 0, 1, 240, false },
	{ "we are as demoted", true, 240, 1, 240, false },
	{ "it is better, demoted as it is", true, 0, 0, 240, false },
	{ "a bow-out is another matter", true, 0, 255, 255, false },
};

START_TEST(what_is_taken_over_without_preempt)
{
	one.cfg.together = others[_i].together;
	begin();
	host_demote(&one, others[_i].demotion);
	hear(&one, NODE, others[_i].base, others[_i].skew);
	ck_assert_msg(
	    carp_took_demoted(one.c) == others[_i].takes, "%s", others[_i].why);
	follow();
	ck_assert_msg(
	    (carp_deadline(two.c) < two.now + CARP_SEC) == others[_i].takes,
	    "%s: followed", others[_i].why);
}
END_TEST

START_TEST(who_is_demoted_does_not_follow)
{
	begin();
	host_demote(&two, 240);
	hear(&one, NODE, 1, CARP_DEMOTED);
	follow();
	ck_assert_uint_gt(carp_deadline(two.c), two.now + CARP_SEC);
}
END_TEST

START_TEST(a_master_vouches_for_itself)
{
	struct carp_packet p;

	begin();
	ck_assert_int_eq(carp_advertise(one.c, one.now), 0);
	ck_assert(!carp_next(one.c, one.act)); /* a backup says nothing */
	host_until_deadline(&one);
	one.now += MS;
	ck_assert_int_eq(carp_advertise(one.c, one.now), 0);
	ck_assert_int_eq(carp_advertise(one.c, one.now), -EBUSY);
	host_collect(&one);
	host_advert(&one, &p, 0);
	ck_assert_uint_eq(p.advskew, 100);
}
END_TEST

/* Whatever is drawn, near is near, and our own are told from each other. */
START_TEST(counters_of_a_node)
{
	uint64_t z = 88172645463325252u;

	begin();
	hear(&one, NODE, 1, CARP_DEMOTED);
	for (int i = 0; i < 1000; i++) {
		z ^= z << 13, z ^= z >> 7, z ^= z << 17;
		hear(&two, i % 2 ? NODE : z, 1, 0);
		two.now += 2 * MS;
		follow();
		ck_assert_int_eq(
		    carp_deadline(two.c) < two.now + CARP_SEC, i % 2);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fsm_follow");
	TCase *t = tcase_create("follow");

	tcase_add_checked_fixture(t, setup, teardown);
	add_rows(t, a_demoted_node_is_taken_over_and_followed, ways);
	tcase_add_test(t, so_is_one_that_is_heard_late);
	tcase_add_test(t, whatever_is_heard_ends_it);
	tcase_add_loop_test(t, what_was_heard_just_before_counts, 0, 4);
	tcase_add_test(t, a_third_node_is_left_alone);
	tcase_add_test(t, who_has_said_that_it_is_demoted_here_is_not_silent);
	add_rows(t, what_is_taken_over_without_preempt, others);
	tcase_add_test(t, who_is_demoted_does_not_follow);
	tcase_add_test(t, a_master_vouches_for_itself);
	tcase_add_test(t, counters_of_a_node);
	suite_add_tcase(s, t);
	return suite_run(s);
}
