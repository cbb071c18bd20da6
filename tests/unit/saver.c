/* SPDX-License-Identifier: ISC */
/* What is remembered of failover mode: saved by another process, read back. */
#include <sys/wait.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../daemon/kept.h"
#include "../../daemon/saver.h"
#include "suite.h"

static char dir[32], command[64];
static struct saver s;

static void
setup(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/carp-saver-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	saver_open(&s, dir);
}

static void
teardown(void)
{
	saver_close(&s);
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	(void)!system(command);
}

static void
finish(void)
{
	int status;
	pid_t pid;

	while (!saver_idle(&s)) {
		pid = waitpid(-1, &status, 0);
		ck_assert_int_gt(pid, 0);
		ck_assert_int_eq(status, 0);
		ck_assert(saver_reaped(&s, pid, status));
	}
}

static void
again(void)
{
	saver_close(&s);
	saver_open(&s, dir);
}

static const char *
known(void)
{
	size_t len;
	const char *text = saver_remembered(&s, &len);

	if (text != NULL)
		ck_assert_uint_eq(len, strlen(text));
	return text;
}

/* As the engine would write it; n tells one from another. */
static const char *
text_of(int n)
{
	static char text[4][128];
	char *t = text[n % 4];

	(void)snprintf(t, sizeof(text[0]),
	    "{\"version\": 1, \"disabled\": false, \"timeout\": %d, "
	    "\"master\": -1, \"next_id\": 1, \"history\": []}",
	    n);
	return t;
}

static void
remember(int n)
{
	saver_remember(&s, text_of(n), strlen(text_of(n)));
}

START_TEST(it_is_read_back)
{
	ck_assert_ptr_null(known());
	remember(1);
	/* While that is written: only the newest counts. */
	remember(2);
	remember(3);
	s.state.maintenance = true;
	saver_save(&s);
	finish();
	ck_assert_str_eq(known(), text_of(3));
	again();
	ck_assert_str_eq(known(), text_of(3));
	ck_assert(s.state.maintenance);
}
END_TEST

START_TEST(what_is_no_object_is_not_saved)
{
	static const char *const texts[] = { "", "[]", "{", "1", "{}" };

	remember(1);
	finish();
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		saver_remember(&s, texts[i], strlen(texts[i]));
		ck_assert(saver_idle(&s));
	}
	again();
	ck_assert_str_eq(known(), text_of(1));
}
END_TEST

START_TEST(a_broken_file_is_kept_aside)
{
	static const char *const texts[] = { "", "[]", "{\"a\": 1", "{}",
		"{\"version\": 2}" };
	char *text = NULL, *big;
	size_t len;

	ck_assert_int_eq(
	    kept_write(dir, FAILOVER_FILE, texts[_i], strlen(texts[_i])), 0);
	again();
	ck_assert_ptr_nonnull(strstr(known(), "\"disabled\": true"));
	finish(); /* that is kept, for the next start */
	ck_assert_int_eq(
	    kept_read(&text, &len, dir, FAILOVER_FILE ".bad", 100), 0);
	ck_assert_str_eq(text, texts[_i]);
	free(text);
	big = malloc(FAILOVER_MAX);
	ck_assert_ptr_nonnull(big);
	memset(big, ' ', FAILOVER_MAX);
	memcpy(big, text_of(1), strlen(text_of(1)));
	ck_assert_int_eq(kept_write(dir, FAILOVER_FILE, big, FAILOVER_MAX), 0);
	again();
	ck_assert_ptr_nonnull(strstr(known(), "\"disabled\": true"));
	finish();
	ck_assert_int_eq(
	    kept_write(dir, FAILOVER_FILE, big, FAILOVER_MAX - 1), 0);
	again();
	ck_assert_ptr_nonnull(strstr(known(), "\"disabled\": false"));
	free(big);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("saver");
	TCase *t = tcase_create("files");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, it_is_read_back);
	tcase_add_test(t, what_is_no_object_is_not_saved);
	tcase_add_loop_test(t, a_broken_file_is_kept_aside, 0, 5);
	suite_add_tcase(suite, t);
	return suite_run(suite);
}
