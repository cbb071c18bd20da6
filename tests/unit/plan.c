/* SPDX-License-Identifier: ISC */
/* What is added, changed and removed between two configurations. */
#include <check.h>
#include <string.h>

#include "../../daemon/plan.h"
#include "block.h"

#define HOSTS_MAX 4

static const struct row {
	const char *why;
	struct block_host was[HOSTS_MAX], is[HOSTS_MAX];
	const char *want; /* + added - removed ! changed = kept */
} rows[] = {
	{ "nothing ran", { { 0 } }, { { "a", 1, 0 }, { "a", 2, 0 } }, "++" },
	{ "nothing is left", { { "a", 1, 0 } }, { { 0 } }, "-" },
	{ "nothing differs", { { "a", 1, 0 }, { "b", 1, 9 } },
	    { { "a", 1, 0 }, { "b", 1, 9 } }, "==" },
	{ "order does not count", { { "b", 1, 0 }, { "a", 2, 0 } },
	    { { "a", 2, 0 }, { "b", 1, 0 } }, "==" },
	{ "one changes", { { "a", 1, 0 }, { "a", 2, 0 }, { "a", 3, 0 } },
	    { { "a", 1, 0 }, { "a", 2, 5 }, { "a", 3, 0 } }, "=!=" },
	{ "one comes in the middle", { { "a", 1, 0 }, { "a", 3, 0 } },
	    { { "a", 1, 0 }, { "a", 2, 0 }, { "a", 3, 0 } }, "=+=" },
	{ "one goes in the middle",
	    { { "a", 1, 0 }, { "a", 2, 0 }, { "a", 3, 0 } },
	    { { "a", 1, 0 }, { "a", 3, 0 } }, "=-=" },
	{ "another interface is another host", { { "a", 1, 0 } },
	    { { "b", 1, 0 } }, "-+" },
	{ "all at once", { { "a", 1, 0 }, { "b", 2, 0 }, { "c", 3, 0 } },
	    { { "b", 2, 0 }, { "c", 3, 7 }, { "d", 4, 0 } }, "-=!+" },
};

static struct conf *
conf_of(const struct block_host *h)
{
	uint32_t n = 0;

	while (n < HOSTS_MAX && h[n].ifname != NULL)
		n++;
	return block_new(h, n);
}

START_TEST(steps)
{
	static const char letter[] = { [PLAN_KEEP] = '=',
		[PLAN_CHANGE] = '!',
		[PLAN_ADD] = '+',
		[PLAN_REMOVE] = '-' };
	const struct row *r = &rows[_i];
	struct conf *was = conf_of(r->was), *is = conf_of(r->is);
	struct plan *p;
	char got[2 * HOSTS_MAX + 1] = "";

	ck_assert_int_eq(plan_new(&p, _i == 0 ? NULL : was, is), 0);
	for (uint32_t i = 0; i < p->n; i++)
		got[i] = letter[p->step[i].what];
	ck_assert_msg(
	    strcmp(got, r->want) == 0, "%s: %s, not %s", r->why, got, r->want);
	free(p);
	free(was);
	free(is);
}
END_TEST

START_TEST(each_part_of_a_host_counts)
{
	struct block_host h = { "a", 1, 0 };
	struct conf *was = block_new(&h, 1), *is = block_new(&h, 1);
	struct conf_host *host = (struct conf_host *)(is + 1);
	struct plan *p;

	switch (_i) {
	case 0:
		host->vmac = 1;
		break;
	case 1:
		host->lease = VIP_LEASE_OFF;
		break;
	case 2:
		host->carp.key[19] = 1;
		break;
	case 3:
		host->ndigest = 1;
		break;
	case 4:
		host->npeers = 1;
		break;
	case 5:
		host->naddrs = 0;
		break;
	case 6:
		((struct carp_addr *)(host + 1))->ip[3]++;
		break;
	case 7:
		host->carp.grace = 1;
		break;
	}
	ck_assert_int_eq(plan_new(&p, was, is), 0);
	ck_assert_uint_eq(p->count[PLAN_CHANGE], 1);
	free(p);
	/* The place in the file does not. */
	memcpy(is, was, was->size);
	host->line = 77;
	ck_assert_int_eq(plan_new(&p, was, is), 0);
	ck_assert_uint_eq(p->count[PLAN_KEEP], 1);
	free(p);
	free(was);
	free(is);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("plan");
	TCase *t = tcase_create("plan");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, steps, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(t, each_part_of_a_host_counts, 0, 8);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
