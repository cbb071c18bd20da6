/* SPDX-License-Identifier: ISC */
/* The process that waits to become a hook: what it can become, and when not. */
#include <sys/wait.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../daemon/hook_spare.h"
#include "suite.h"

#define WAIT_MS 10000

static struct event_base *base;
static struct hook_spare *spare;

/* It is two directories above this test. */
static void
setup(void)
{
	char here[512], program[1024];
	ssize_t n;

	n = readlink("/proc/self/exe", here, sizeof(here) - 1);
	ck_assert_int_gt(n, 0);
	here[n] = '\0';
	(void)strcpy(strrchr(here, '/'), "/..");
	hook_spare_program(program, sizeof(program), here);
	ck_assert_int_eq(access(program, X_OK), 0);
	(void)signal(SIGPIPE, SIG_IGN); /* as carpd does */
	base = event_base_new();
	ck_assert_ptr_nonnull(base);
	ck_assert_int_eq(hook_spare_new(&spare, base, program), 0);
}

static void
teardown(void)
{
	hook_spare_free(spare);
	event_base_free(base);
}

/* The timer that makes it is all that there is in the loop. */
static void
make(void)
{
	hook_spare_want(spare, true);
	(void)event_base_dispatch(base);
}

static char *const none[] = { NULL };

static pid_t
use(char *const *argv, char *const *env, int *out)
{
	return hook_spare_use(spare, argv[0], argv, env, out);
}

/* All that it writes, and its end. */
static int
outcome(pid_t pid, int fd, char *text, size_t len)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	size_t have = 0;
	ssize_t n;
	int status;

	do {
		ck_assert_int_eq(poll(&pfd, 1, WAIT_MS), 1);
		n = read(fd, text + have, len - 1 - have);
		ck_assert_int_ge(n, 0);
		have += (size_t)n;
	} while (n > 0);
	text[have] = '\0';
	(void)close(fd);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

START_TEST(becomes_what_it_is_told)
{
	static char sh[] = "/bin/sh", c[] = "-c", me[] = "me", two[] = "a b\nc",
		    text[] = "echo \"$0|$1|$WHO|$#\"; env | wc -l; exit 7",
		    who[] = "WHO=x=y z", path[] = "PATH=/usr/bin:/bin";
	char *const argv[] = { sh, c, text, me, two, NULL };
	char *const env[] = { who, path, NULL };
	char out[256];
	int fd, status;
	pid_t pid;

	make();
	pid = use(argv, env, &fd);
	ck_assert_int_gt(pid, 0);
	ck_assert(!hook_spare_reaped(spare, pid)); /* it is a hook now */
	status = outcome(pid, fd, out, sizeof(out));
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 7);
	/* The shell adds PWD. */
	ck_assert_str_eq(out, "me|a b\nc|x=y z|1\n3\n");
}
END_TEST

START_TEST(says_what_cannot_be_run)
{
	static char path[] = "/nonexistent/hook";
	char *const argv[] = { path, NULL };
	char out[256];
	int fd, status;
	pid_t pid;

	make();
	pid = use(argv, none, &fd);
	ck_assert_int_gt(pid, 0);
	status = outcome(pid, fd, out, sizeof(out));
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 127);
	ck_assert_str_eq(out, "cannot be run: No such file or directory\n");
}
END_TEST

START_TEST(does_without_a_program)
{
	static char path[] = "/bin/true";
	char *const argv[] = { path, NULL };
	int fd;

	hook_spare_free(spare);
	ck_assert_int_eq(
	    hook_spare_new(&spare, base, "/nonexistent/carp-spare"), 0);
	make();
	ck_assert_int_eq(use(argv, none, &fd), -1);
}
END_TEST

START_TEST(there_is_none_before_it_is_wanted)
{
	static char path[] = "/bin/true";
	char *const argv[] = { path, NULL };
	int fd = -2;

	ck_assert_int_eq(use(argv, none, &fd), -1);
	ck_assert_int_eq(fd, -2);
	ck_assert_int_eq(
	    event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 0);
}
END_TEST

/* What does not go through the pipe whole is left to be started otherwise. */
START_TEST(refuses_what_it_cannot_be_told)
{
	static char path[] = "/bin/true", empty[] = "", longest[8192];
	char *const with_empty[] = { path, empty, NULL };
	char *const with_long[] = { path, longest, NULL };
	char *many[64], *const argv[] = { path, NULL };
	char out[64];
	int fd;
	pid_t pid;

	memset(longest, 'x', sizeof(longest) - 1);
	for (size_t i = 0; i < 63; i++)
		many[i] = path;
	many[63] = NULL;
	make();
	ck_assert_int_eq(use(with_empty, none, &fd), -1);
	ck_assert_int_eq(use(with_long, none, &fd), -1);
	ck_assert_int_eq(use(many, none, &fd), -1);
	ck_assert_int_eq(use(argv, with_long, &fd), -1);
	ck_assert_int_eq(use(argv, many, &fd), -1);
	pid = use(argv, none, &fd);
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(outcome(pid, fd, out, sizeof(out)), 0);
}
END_TEST

/* Of this process; there is but one. */
static pid_t
child(void)
{
	char path[64];
	int pid = 0;
	FILE *f;

	(void)snprintf(
	    path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%d", &pid), 1);
	(void)fclose(f);
	return pid;
}

static void
ends(pid_t pid)
{
	siginfo_t si;

	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT), 0);
}

START_TEST(another_follows_one_that_was_killed)
{
	static char path[] = "/bin/true";
	char *const argv[] = { path, NULL };
	char out[64];
	int fd;
	pid_t pid;

	make();
	pid = child();
	(void)kill(pid, SIGKILL);
	ends(pid);
	/* Nobody has reaped it yet, but it is not used. */
	ck_assert_int_eq(use(argv, none, &fd), -1);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert(!hook_spare_reaped(spare, pid + 1));
	ck_assert(hook_spare_reaped(spare, pid));
	ck_assert(!hook_spare_reaped(spare, pid));
	ck_assert_int_eq(use(argv, none, &fd), -1);
	(void)event_base_dispatch(base);
	ck_assert_int_ne(child(), pid);
	pid = use(argv, none, &fd);
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(outcome(pid, fd, out, sizeof(out)), 0);
}
END_TEST

START_TEST(ends_when_it_is_not_wanted)
{
	pid_t pid;
	int status;

	make();
	pid = child();
	hook_spare_want(spare, false);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert(!hook_spare_reaped(spare, pid));
	/* It was about to be made. */
	hook_spare_want(spare, true);
	hook_spare_want(spare, false);
	ck_assert_int_eq(
	    event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("hook_spare");
	TCase *t = tcase_create("process");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, becomes_what_it_is_told);
	tcase_add_test(t, says_what_cannot_be_run);
	tcase_add_test(t, does_without_a_program);
	tcase_add_test(t, there_is_none_before_it_is_wanted);
	tcase_add_test(t, refuses_what_it_cannot_be_told);
	tcase_add_test(t, another_follows_one_that_was_killed);
	tcase_add_test(t, ends_when_it_is_not_wanted);
	suite_add_tcase(s, t);
	return suite_run(s);
}
