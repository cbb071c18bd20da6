/* SPDX-License-Identifier: ISC */
/* What is remembered: written whole, read back, and kept aside when broken. */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../daemon/kept.h"
#include "../../daemon/state.h"
#include "suite.h"

static char top[32], dir[64], file[96], bad[96];

static void
setup(void)
{
	(void)snprintf(top, sizeof(top), "/tmp/carp-state-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	(void)snprintf(dir, sizeof(dir), "%s/state", top);
	(void)snprintf(file, sizeof(file), "%s/state.json", dir);
	(void)snprintf(bad, sizeof(bad), "%s/state.json.bad", dir);
}

static void
teardown(void)
{
	(void)unlink(file);
	(void)unlink(bad);
	(void)unlink(dir);
	(void)rmdir(dir);
	(void)rmdir(top);
}

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

static int
state_save(const struct state *s, const char *where)
{
	char text[128];
	size_t len = state_text(text, sizeof(text), s);

	return kept_write(where, STATE_FILE, text, len);
}

START_TEST(nothing_there_is_the_default)
{
	struct state s = { true };
	char why[256];

	ck_assert_int_eq(state_load(&s, dir, why, sizeof(why)), 0);
	ck_assert(!s.maintenance);
	ck_assert_int_eq(mkdir(dir, 0755), 0);
	s.maintenance = true;
	ck_assert_int_eq(state_load(&s, dir, why, sizeof(why)), 0);
	ck_assert(!s.maintenance);
}
END_TEST

START_TEST(what_is_saved_is_loaded)
{
	char why[256];

	for (int i = 0; i < 4; i++) {
		struct state s = { i % 2 == 0 }, back = { i % 2 != 0 };

		ck_assert_int_eq(state_save(&s, dir), 0);
		ck_assert_int_eq(state_load(&back, dir, why, sizeof(why)), 0);
		ck_assert_int_eq(back.maintenance, s.maintenance);
	}
}
END_TEST

static const struct row {
	const char *text, *why;
} rows[] = {
	{ "", "line 1" },
	{ "{", "line 1" },
	{ "[]", "Expected object" },
	{ "{\"version\": 1, \"maintenance\": tru", "line 1" },
	{ "{}", "version" },
	{ "{\"maintenance\": true}", "version" },
	{ "{\"version\": \"1\", \"maintenance\": true}", "Expected integer" },
	{ "{\"version\": 2, \"maintenance\": true}", "version 2" },
	{ "{\"version\": 1}", "maintenance" },
	{ "{\"version\": 1, \"maintenance\": 1}", "Expected true or false" },
	{ "{\"version\": 1, \"maintenance\": true, \"x\": 1}", "x" },
	{ "{\"version\": 1, \"maintenance\": true, \"maintenance\": false}",
	    "duplicate" },
};

START_TEST(what_is_broken_is_kept_aside)
{
	const struct row *r = &rows[_i];
	struct state s = { true };
	struct stat st;
	char why[256];

	ck_assert_int_eq(mkdir(dir, 0755), 0);
	write_file(file, r->text);
	ck_assert_int_lt(state_load(&s, dir, why, sizeof(why)), 0);
	ck_assert(!s.maintenance);
	ck_assert_msg(
	    strstr(why, r->why) != NULL, "\"%s\" in: %s", r->why, why);
	ck_assert_msg(strstr(why, "kept as state.json.bad") != NULL, "%s", why);
	ck_assert_int_eq(stat(bad, &st), 0);
	ck_assert_int_eq(st.st_size, (off_t)strlen(r->text));
	ck_assert_int_eq(access(file, F_OK), -1);
	ck_assert_int_eq(state_load(&s, dir, why, sizeof(why)), 0);
}
END_TEST

START_TEST(a_huge_file_is_broken)
{
	struct state s;
	char why[256];

	ck_assert_int_eq(mkdir(dir, 0755), 0);
	write_file(file, "{");
	ck_assert_int_eq(truncate(file, 1 << 20), 0);
	ck_assert_int_eq(state_load(&s, dir, why, sizeof(why)), -EFBIG);
	ck_assert_int_eq(access(bad, F_OK), 0);
}
END_TEST

START_TEST(a_failure_to_save_is_told)
{
	struct state s = { true };
	char why[256];

	write_file(dir, "in the way");
	ck_assert_int_eq(state_save(&s, dir), -ENOTDIR);
	ck_assert_int_eq(state_load(&s, dir, why, sizeof(why)), -ENOTDIR);
	ck_assert(!s.maintenance);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("state");
	TCase *t = tcase_create("file");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, nothing_there_is_the_default);
	tcase_add_test(t, what_is_saved_is_loaded);
	add_rows(t, what_is_broken_is_kept_aside, rows);
	tcase_add_test(t, a_huge_file_is_broken);
	tcase_add_test(t, a_failure_to_save_is_told);
	suite_add_tcase(s, t);
	return suite_run(s);
}
