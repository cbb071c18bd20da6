/* SPDX-License-Identifier: ISC */
/* What failover mode remembers: never more than can be kept. */
#include <stdio.h>
#include <string.h>

#include <carp/carp.h>

#include "../../daemon/failover_store.h"
#include "suite.h"

static struct store s;

static void
fill(unsigned transitions, unsigned phases)
{
	struct resource_order o = { .phase = PHASE_FENCE, .up = 1 };
	struct resource_done d = { .ok = 0 };
	uint64_t now = CARP_SEC;

	/* Each of these takes six bytes. */
	memset(d.text, 1, sizeof(d.text) - 1);
	for (unsigned t = 0; t < transitions; t++) {
		store_begin(&s, "BACKUP", true, d.text, now);
		for (unsigned p = 0; p < phases; p++) {
			store_order(&s, &o, now);
			store_done(&s, &d, now);
		}
		if (t + 1 < transitions)
			store_end(&s, "ERROR", false, d.text, now);
	}
}

static const struct row {
	const char *why;
	unsigned transitions, phases;
} rows[] = {
	{ "little", 1, 3 },
	{ "many long ones", STORE_HISTORY, 60 },
	{ "one that never ends", 1, 5000 },
};

/* Else nothing is saved any more, not even that failover is disabled. */
START_TEST(it_is_never_too_long)
{
	const struct row *r = &rows[_i];
	struct store back;
	char *text;

	ck_assert_int_eq(store_init(&s, NULL), 0);
	s.disabled = true;
	fill(r->transitions, r->phases);
	text = store_text(&s);
	ck_assert_ptr_nonnull(text);
	ck_assert_msg(strlen(text) < STORE_TEXT_MAX, "%s: %zu bytes", r->why,
	    strlen(text));
	ck_assert_int_eq(store_init(&back, text), 0);
	ck_assert(back.disabled && back.next_id == s.next_id);
	ck_assert_uint_ge(json_array_size(back.history), 1);
	store_free(&back);
	/* And goes on. */
	fill(2, 2);
	store_free(&s);
	free(text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("failover_store");
	TCase *t = tcase_create("store");

	add_rows(t, it_is_never_too_long, rows);
	suite_add_tcase(suite, t);
	return suite_run(suite);
}
