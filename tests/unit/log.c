/* SPDX-License-Identifier: ISC */
/* Log lines: their form, and that a reader who sleeps delays nobody. */
#include <sys/socket.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../daemon/log.h"
#include "suite.h"

/* Each test has a process of its own, and so a standard error of its own. */
static int out;
static char text[8192];

static void
to_pipe(void)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	(void)close(fds[1]);
	out = fds[0];
	(void)fcntl(out, F_SETFL, O_NONBLOCK);
	(void)signal(SIGPIPE, SIG_IGN);
}

/* What was written, once, and what can be read of it. */
static const char *
written(void)
{
	ssize_t n = read(out, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

/* Behind "2025-01-31T12:00:00.123+01:00 ". */
static const char *
behind_time(void)
{
	const char *line = written();
	int y, mon, d, h, m, s, ms, end = 0;

	if (*line == '\0')
		return line;
	ck_assert_msg(
	    sscanf(line, "%4d-%2d-%2dT%2d:%2d:%2d.%3d%*[+-]%*d:%*d %n", &y,
		&mon, &d, &h, &m, &s, &ms, &end) == 7 &&
		end == 30,
	    "no time: %s", line);
	return line + end;
}

START_TEST(for_a_person)
{
	to_pipe();
	log_open("carpd", 0);
	log_line(LOG_INFO, "vhid %d %s: text", 7, "eth0");
	ck_assert_str_eq(behind_time(), "carpd: vhid 7 eth0: text\n");
	ck_assert(!log_is_journal());
	log_open(NULL, 0);
	log_line(LOG_INFO, "text");
	ck_assert_str_eq(behind_time(), "text\n");
}
END_TEST

START_TEST(for_the_journal)
{
	struct stat st;
	char env[64];
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	out = fds[0];
	ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
	(void)snprintf(env, sizeof(env), "%llu:%llu",
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	ck_assert_int_eq(setenv("JOURNAL_STREAM", env, 1), 0);
	log_open("carpd", 0);
	ck_assert(log_is_journal());
	log_line(LOG_ERR, "text");
	ck_assert_str_eq(written(), "<3>text\n");
	log_text(LOG_INFO, "one\n\ntwo\nthree");
	ck_assert_str_eq(written(), "<6>one\n<6>two\n<6>three\n");
	ck_assert_int_eq(setenv("JOURNAL_STREAM", "1:1", 1), 0);
	log_open("carpd", 0);
	log_line(LOG_ERR, "text");
	ck_assert_str_eq(behind_time(), "carpd: text\n");
}
END_TEST

START_TEST(debug_lines_only_when_wanted)
{
	to_pipe();
	log_open(NULL, 0);
	log_line(LOG_DEBUG, "text");
	ck_assert_str_eq(written(), "");
	log_open(NULL, 1);
	log_open("who", -1);
	log_line(LOG_DEBUG, "text");
	ck_assert_str_eq(behind_time(), "who: text\n");
}
END_TEST

START_TEST(one_line_whatever_is_in_it)
{
	to_pipe();
	log_open(NULL, 0);
	log_line(LOG_INFO, "%s", "a\nb\r\033[31m\x7f\tc \xc3\xa4");
	ck_assert_str_eq(behind_time(), "a?b??[31m??c \xc3\xa4\n");
}
END_TEST

START_TEST(a_long_line_is_cut)
{
	char longer[5000];
	size_t n;

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	to_pipe();
	log_open(NULL, 0);
	log_line(LOG_INFO, "%s", longer);
	n = strlen(written());
	ck_assert_uint_eq(n, 2048);
	ck_assert_str_eq(text + n - 5, "x...\n");
}
END_TEST

/* The time limit of the test is what fails if a line waits. */
START_TEST(nobody_reads)
{
	unsigned long long lost = 0;
	const char *told;

	to_pipe();
	log_open(NULL, 0);
	for (int i = 0; i < 10000; i++)
		log_line(LOG_INFO, "a line of some length, number %d", i);
	while (*written() != '\0')
		continue;
	log_line(LOG_INFO, "the next one");
	told = behind_time();
	ck_assert_int_eq(sscanf(told, "log: %llu lines lost", &lost), 1);
	ck_assert_uint_gt(lost, 1000);
	ck_assert_uint_lt(lost, 10000);
	ck_assert_ptr_nonnull(strstr(told, " the next one\n"));
	log_line(LOG_INFO, "and one more");
	ck_assert_str_eq(behind_time(), "and one more\n");
}
END_TEST

START_TEST(who_shares_the_pipe_keeps_its_flags)
{
	int shared;

	to_pipe();
	shared = dup(STDERR_FILENO);
	log_open(NULL, 0);
	ck_assert_int_eq(fcntl(shared, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_ne(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
}
END_TEST

START_TEST(the_reader_is_gone)
{
	to_pipe();
	log_open(NULL, 0);
	(void)close(out);
	for (int i = 0; i < 100; i++)
		log_line(LOG_INFO, "text");
	(void)close(STDERR_FILENO);
	log_line(LOG_INFO, "text");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("log");
	TCase *t = tcase_create("lines");

	tcase_add_test(t, for_a_person);
	tcase_add_test(t, for_the_journal);
	tcase_add_test(t, debug_lines_only_when_wanted);
	tcase_add_test(t, one_line_whatever_is_in_it);
	tcase_add_test(t, a_long_line_is_cut);
	tcase_add_test(t, nobody_reads);
	tcase_add_test(t, who_shares_the_pipe_keeps_its_flags);
	tcase_add_test(t, the_reader_is_gone);
	suite_add_tcase(s, t);
	return suite_run(s);
}
