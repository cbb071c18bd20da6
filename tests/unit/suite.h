/* SPDX-License-Identifier: ISC */
/* How a unit test adds its rows and runs. */
#ifndef TESTS_UNIT_SUITE_H
#define TESTS_UNIT_SUITE_H

#include <check.h>
#include <stdlib.h>

#define NROWS(rows)		((int)(sizeof(rows) / sizeof((rows)[0])))

/* The test is run once for each row, with its number in _i. */
#define add_rows(t, test, rows) tcase_add_loop_test(t, test, 0, NROWS(rows))

static inline int
suite_run(Suite *s)
{
	SRunner *r = srunner_create(s);
	int failed;

	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
