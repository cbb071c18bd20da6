/* SPDX-License-Identifier: ISC */
/* What failover mode remembers: what is written is read, bounded, checked. */
#include <stdio.h>
#include <string.h>

#include <carp/carp.h>

#include "conf_draft.h"
#include "failover_store.h"
#include "suite.h"

static struct store s;
static void
setup(void)
{
	ck_assert_int_eq(store_init(&s, NULL), 0);
}

static void
teardown(void)
{
	store_free(&s);
}

/* As after a restart. */
static void
again(void)
{
	char *text = store_text(&s);

	ck_assert_ptr_nonnull(text);
	store_free(&s);
	ck_assert_int_eq(store_init(&s, text), 0);
	free(text);
}

static const char *
last(const char *member)
{
	size_t n = json_array_size(s.history);
	const char *v = json_string_value(
	    json_object_get(json_array_get(s.history, n - 1), member));

	return v != NULL ? v : "(none)";
}

static void
one_transition(uint64_t now)
{
	store_begin(&s, "BACKUP", true, "elected", now);
	store_end(&s, "MASTER", true, "", now + CARP_SEC);
}

START_TEST(nothing_is_the_default)
{
	ck_assert(!s.disabled);
	ck_assert_int_eq(s.timeout_s, -1);
	ck_assert_int_eq(s.master, -1);
	ck_assert_uint_eq(json_array_size(s.history), 0);
	ck_assert_ptr_null(s.current);
	again();
	ck_assert(!s.disabled);
	ck_assert_int_eq(s.timeout_s, -1);
	ck_assert_int_eq(s.master, -1);
}
END_TEST

START_TEST(switches_are_kept)
{
	s.disabled = true;
	s.timeout_s = 120;
	s.master = 0;
	again();
	ck_assert(s.disabled);
	ck_assert_int_eq(s.timeout_s, 120);
	ck_assert_int_eq(s.master, 0);
}
END_TEST

START_TEST(a_hundred_transitions_are_kept)
{
	json_t *few;

	for (unsigned i = 0; i < 250; i++) {
		one_transition(i * CARP_SEC);
		ck_assert_uint_le(json_array_size(s.history), STORE_HISTORY);
	}
	again();
	ck_assert_uint_eq(json_array_size(s.history), STORE_HISTORY);
	ck_assert_int_eq(json_integer_value(json_object_get(
			     json_array_get(s.history, 0), "id")),
	    151);
	one_transition(0);
	ck_assert_int_eq(json_integer_value(json_object_get(
			     json_array_get(s.history, 99), "id")),
	    251);
	few = store_history(&s, 3);
	ck_assert_uint_eq(json_array_size(few), 3);
	ck_assert_int_eq(
	    json_integer_value(json_object_get(json_array_get(few, 2), "id")),
	    251);
	json_decref(few);
}
END_TEST

START_TEST(one_that_ended_is_as_it_was)
{
	store_begin(&s, "MASTER", false, "become_passive", 5 * CARP_SEC);
	store_end(&s, "ERROR", false, "no such pool", 7 * CARP_SEC);
	again();
	ck_assert_str_eq(last("result"), "failed");
	ck_assert_str_eq(last("reason"), "no such pool");
	ck_assert_str_eq(last("from"), "MASTER");
	ck_assert_str_eq(last("to"), "ERROR");
	ck_assert_str_eq(last("direction"), "down");
	ck_assert_str_eq(last("cause"), "become_passive");
	ck_assert_double_eq(json_number_value(json_object_get(
				json_array_get(s.history, 0), "took_ms")),
	    2000);
}
END_TEST

START_TEST(one_that_ran_was_interrupted)
{
	one_transition(0);
	store_begin(&s, "BACKUP", true, "elected", 0);
	again();
	ck_assert_str_eq(last("result"), "interrupted");
	ck_assert_str_eq(last("reason"), "carpd was restarted");
	ck_assert_ptr_null(s.current);
	store_end(&s, "MASTER", true, "", 1); /* of nothing: no harm */
	ck_assert_str_eq(last("result"), "interrupted");
	again();
	ck_assert_str_eq(last("reason"), "carpd was restarted");
}
END_TEST

START_TEST(by_a_reboot)
{
	store_begin(&s, "BACKUP", true, "elected", 0);
	(void)snprintf(s.boot_id, sizeof(s.boot_id), "of another boot");
	again();
	ck_assert_str_eq(last("result"), "interrupted");
	ck_assert_str_eq(last("reason"), "the node was rebooted");
	ck_assert_str_ne(s.boot_id, "of another boot");
}
END_TEST

START_TEST(a_long_history_does_not_cost_the_switches)
{
	struct resource_order o = { .phase = PHASE_STORAGE, .up = 1 };
	struct resource_report r = { .exit = 1, .took = 1 };
	struct conf *conf = conf_block_new(1, 0, 0, 1);
	char *text;

	ck_assert_ptr_nonnull(conf);
	memset(r.text, 'x', sizeof(r.text) - 1);
	s.disabled = true;
	for (int i = 0; i < STORE_HISTORY; i++) {
		store_begin(&s, "BACKUP", true, "elected", 0);
		store_order(&s, &o, 0);
		for (int k = 0; k < 300; k++)
			store_run(&s, conf, &r);
		store_end(&s, "ERROR", false, "x", 1);
	}
	free(conf);
	text = store_text(&s);
	ck_assert_uint_lt(strlen(text), STORE_TEXT);
	ck_assert_uint_gt(strlen(text), STORE_TEXT / 4);
	free(text);
	again();
	ck_assert(s.disabled);
	ck_assert_uint_ge(json_array_size(s.history), 1);
	ck_assert_int_eq(
	    json_integer_value(json_object_get(
		json_array_get(s.history, json_array_size(s.history) - 1),
		"id")),
	    STORE_HISTORY);
}
END_TEST

START_TEST(steps_without_a_hook_are_told)
{
	json_t *phases, *p;

	store_begin(&s, "IMPORTING", true, "elected", CARP_SEC);
	store_mark(&s, "addresses", true, 2 * CARP_SEC);
	store_end(&s, "MASTER", true, "", 3 * CARP_SEC);
	phases = json_object_get(json_array_get(s.history, 0), "phases");
	p = json_array_get(phases, 0);
	ck_assert_str_eq(
	    json_string_value(json_object_get(p, "phase")), "addresses");
	ck_assert_double_eq(
	    json_number_value(json_object_get(p, "at_ms")), 1000);
	store_mark(&s, "addresses", false, 0); /* none runs: no harm */
	ck_assert_uint_eq(json_array_size(phases), 1);
}
END_TEST

#define HEAD "{\"version\": 1, \"boot_id\": \"x\", \"disabled\": true, "
#define GOOD HEAD "\"timeout\": 5, \"master\": 1, \"next_id\": 7, "

static const char *const bad[] = {
	"",
	"{",
	"[]",
	"{}",
	GOOD "\"history\": []",
	GOOD "\"history\": {}}",
	GOOD "\"history\": [1]}",
	GOOD "\"history\": null}",
	HEAD
	"\"timeout\": 121, \"master\": 1, \"next_id\": 7, \"history\": []}",
	HEAD "\"timeout\": -2, \"master\": 1, \"next_id\": 7, \"history\": []}",
	HEAD "\"timeout\": 5, \"master\": 2, \"next_id\": 7, \"history\": []}",
	HEAD "\"timeout\": 5, \"master\": -2, \"next_id\": 7, \"history\": []}",
	HEAD "\"timeout\": 5, \"master\": 1, \"next_id\": 0, \"history\": []}",
	HEAD "\"timeout\": 5, \"master\": 1, \"next_id\": 9223372036854775807, "
	     "\"history\": []}",
	HEAD "\"timeout\": \"5\", \"master\": 1, \"next_id\": 7, "
	     "\"history\": []}",
	GOOD "\"history\": [], \"timeout\": 6}",
	"{\"version\": 2, \"disabled\": true, \"timeout\": 5, \"master\": 1, "
	"\"next_id\": 7, \"history\": []}",
};

START_TEST(what_is_bad_begins_anew)
{
	store_free(&s);
	ck_assert_int_eq(store_init(&s, bad[_i]), 0);
	ck_assert_msg(!s.disabled && s.timeout_s == -1 && s.master == -1 &&
			  s.next_id == 1 && json_array_size(s.history) == 0,
	    "%s", bad[_i]);
	one_transition(0);
	again();
	ck_assert_str_eq(last("result"), "ok");
}
END_TEST

START_TEST(what_is_good_is_taken)
{
	store_free(&s);
	ck_assert_int_eq(
	    store_init(&s, GOOD "\"history\": [{\"result\": null}]}"), 0);
	ck_assert(s.disabled);
	ck_assert_int_eq(s.timeout_s, 5);
	ck_assert_int_eq(s.master, 1);
	ck_assert_int_eq(s.next_id, 7);
	ck_assert_str_eq(last("result"), "interrupted");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("failover_store");
	TCase *t = tcase_create("store");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, nothing_is_the_default);
	tcase_add_test(t, switches_are_kept);
	tcase_add_test(t, a_hundred_transitions_are_kept);
	tcase_add_test(t, one_that_ended_is_as_it_was);
	tcase_add_test(t, one_that_ran_was_interrupted);
	tcase_add_test(t, by_a_reboot);
	tcase_add_test(t, a_long_history_does_not_cost_the_switches);
	tcase_add_test(t, steps_without_a_hook_are_told);
	add_rows(t, what_is_bad_begins_anew, bad);
	tcase_add_test(t, what_is_good_is_taken);
	suite_add_tcase(suite, t);
	return suite_run(suite);
}
