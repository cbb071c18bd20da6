/* SPDX-License-Identifier: ISC */
/* The sentence that says why a host is what it is, case by case. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/why.h"

#define NOW   (1000 * CARP_SEC)
#define MS(n) ((n) * (CARP_SEC / 1000))

static struct carp_host_info h;

static void
setup(void)
{
	struct carp_info *i = &h.carp;

	memset(&h, 0, sizeof(h));
	h.ifname = "eth0";
	h.link = true;
	h.naddrs = 1;
	i->vhid = 10;
	i->advbase = 1;
	i->advskew = i->skew_sent = 100;
	i->since = NOW - MS(5000);
	i->interval = carp_interval(1, 100);
	i->timeout = 3 * CARP_SEC + 100 * CARP_SEC / 256;
	i->deadline = NOW + MS(2990);
	i->state = CARP_BACKUP;
	i->cause = CARP_CAUSE_LINK_UP;
}

static void
hear(uint8_t advbase, uint8_t advskew, uint64_t ago)
{
	struct carp_info *i = &h.carp;

	i->heard = true;
	i->peer_at = NOW - ago;
	ck_assert_int_eq(carp_addr_parse(&i->peer.src, "192.0.2.2"), 0);
	i->peer.advbase = advbase;
	i->peer.advskew = advskew;
}

static void
says(const char *want)
{
	char why[WHY_LEN];

	ck_assert_str_eq(why_sentence(why, &h, NULL, NOW), want);
}

START_TEST(backup_of_a_faster_master)
{
	hear(1, 0, MS(400));
	says("backup: 192.0.2.2 is master with advskew 0, this node has 100 "
	     "and is slower; it would take over after 3.39 s of silence, last "
	     "heard 0.40 s ago");
}
END_TEST

START_TEST(backup_that_does_not_preempt)
{
	hear(1, 200, MS(400));
	says("backup: 192.0.2.2 is master with advskew 200, this node has 100 "
	     "and does not preempt; it would take over after 3.39 s of "
	     "silence, last heard 0.40 s ago");
}
END_TEST

START_TEST(backup_by_demotion)
{
	hear(1, 200, MS(400));
	h.carp.preempt = 1;
	h.carp.demotion = 240;
	h.carp.skew_sent = 240;
	h.carp.interval = carp_interval(1, 240);
	says("backup: 192.0.2.2 is master with advskew 200, this node has 240 "
	     "(advskew 100 and demotion 240) and is slower; it would take over "
	     "after 3.39 s of silence, last heard 0.40 s ago");
}
END_TEST

START_TEST(backup_of_another_advbase)
{
	hear(2, 0, MS(400));
	says("backup: 192.0.2.2 is master with advbase 2, advskew 0, this node "
	     "has advbase 1, advskew 100 and does not preempt; it would take "
	     "over after 3.39 s of silence, last heard 0.40 s ago");
}
END_TEST

START_TEST(backup_that_hears_nobody)
{
	says("backup: no master is heard; it takes over in 2.99 s unless one "
	     "is heard");
}
END_TEST

START_TEST(backup_after_a_bowout)
{
	hear(255, 255, MS(20));
	says("backup: no master is heard, the last word of 192.0.2.2 was "
	     "a bow-out 0.02 s ago; it takes over in 2.99 s unless one is "
	     "heard");
}
END_TEST

START_TEST(backup_by_order)
{
	hear(1, 0, MS(400));
	h.carp.cause = CARP_CAUSE_FORCED;
	says("backup: 192.0.2.2 is master with advskew 0, this node has 100 "
	     "and is slower; it would take over after 3.39 s of silence, last "
	     "heard 0.40 s ago; it was told to be backup 5.00 s ago");
}
END_TEST

START_TEST(master_alone)
{
	h.carp.state = CARP_MASTER;
	h.carp.cause = CARP_CAUSE_SILENCE;
	hear(1, 0, MS(9000));
	says("master: no other one was heard when it took over 5.00 s ago; no "
	     "other master was heard since; it advertises every 1.39 s with "
	     "advskew 100");
}
END_TEST

START_TEST(master_beside_another)
{
	h.carp.state = CARP_MASTER;
	h.carp.cause = CARP_CAUSE_SLOWER;
	hear(1, 200, MS(100));
	says(
	    "master: it preempts, and took over from a slower one 5.00 s "
	    "ago; 192.0.2.2 advertises too, with advskew 200, which is slower, "
	    "last heard 0.10 s ago; it advertises every 1.39 s with advskew "
	    "100");
}
END_TEST

START_TEST(init_names_the_trouble)
{
	char why[WHY_LEN];

	h.carp.state = CARP_INIT;
	ck_assert_str_eq(why_sentence(why, &h, "eth0 does not exist", NOW),
	    "init: eth0 does not exist, since 5.00 s");
	h.link = false;
	says("init: interface eth0 does not work, since 5.00 s");
	h.link = true;
	h.naddrs = 0;
	says("init: it has no addresses, since 5.00 s");
}
END_TEST

START_TEST(a_sentence_never_leaves_its_buffer)
{
	char why[WHY_LEN + 1], trouble[WHY_LEN * 2];

	memset(trouble, 'x', sizeof(trouble));
	trouble[sizeof(trouble) - 1] = '\0';
	why[WHY_LEN] = '!';
	h.carp.state = CARP_INIT;
	(void)why_sentence(why, &h, trouble, NOW);
	ck_assert_uint_eq(strlen(why), WHY_LEN - 1);
	ck_assert_int_eq(why[WHY_LEN], '!');
}
END_TEST

static const struct span_row {
	uint64_t ns;
	const char *want;
} spans[] = {
	{ 0, "0.00 s" },
	{ MS(380), "0.38 s" },
	{ 12 * CARP_SEC, "12 s" },
	{ 185 * CARP_SEC, "3 min 5 s" },
	{ 7620 * CARP_SEC, "2 h 7 min" },
	{ 792000 * CARP_SEC, "9 d 4 h" },
};

START_TEST(spans_are_for_people)
{
	char text[WHY_SPAN_LEN];

	ck_assert_str_eq(why_span(text, spans[_i].ns), spans[_i].want);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("why");
	TCase *t = tcase_create("why");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, backup_of_a_faster_master);
	tcase_add_test(t, backup_that_does_not_preempt);
	tcase_add_test(t, backup_by_demotion);
	tcase_add_test(t, backup_of_another_advbase);
	tcase_add_test(t, backup_that_hears_nobody);
	tcase_add_test(t, backup_after_a_bowout);
	tcase_add_test(t, backup_by_order);
	tcase_add_test(t, master_alone);
	tcase_add_test(t, master_beside_another);
	tcase_add_test(t, init_names_the_trouble);
	tcase_add_test(t, a_sentence_never_leaves_its_buffer);
	tcase_add_loop_test(
	    t, spans_are_for_people, 0, sizeof(spans) / sizeof(spans[0]));
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
