/* SPDX-License-Identifier: ISC */
/* Resources that are lost, and that do not go. */
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../kit/resource_kit.h"

#define SYSRQ "/proc/sysrq-trigger"

static bool
is_lost(unsigned i)
{
	for (unsigned k = 0; k < kit.nreports; k++)
		if (kit.report[k].index == i && kit.report[k].lost)
			return true;
	return false;
}

/*
 * What does not go.
 */

static const struct stay_row {
	const char *stop, *verify, *reason;
} stays[] = {
	{ "exit 0", "echo /mnt is still mounted; exit 1",
	    "storage tank is not shown to be gone: /mnt is still mounted" },
	{ "echo busy; exit 1", "exit 4",
	    "storage tank is not shown to be gone: that cannot be known; "
	    "stop: busy" },
	{ "await never", "exit 1",
	    "storage tank is not shown to be gone: failed; "
	    "stop: not done within its limit" },
	{ "exit 0", "await never",
	    "storage tank is not shown to be gone: not done within its limit" },
};

START_TEST(storage_that_does_not_go)
{
	const struct stay_row *row = &stays[_i];
	const struct resource_done *d;

	(void)kit_add(PHASE_FENCE, "disks");
	kit_add(PHASE_STORAGE, "tank")->stop_ms = 200;
	kit_set("DO_STOP=%s", row->stop);
	kit_set("DO_VERIFY=%s", row->verify);
	kit_last_added()->verify_ms = 200;
	kit_both_up();
	d = kit_do(PHASE_STORAGE, false, MODE_PLANNED);
	ck_assert(!d->ok && d->hard);
	ck_assert_uint_eq(kit.nresorts, 1);
	ck_assert_str_eq(kit.reason, row->reason);
	kit_wait(kit_count("resort: ") == 1);
	ck_assert_msg(strstr(kit_out(), row->reason) != NULL, "%s", kit_out());
	/* Nothing is released, nothing is begun, once is enough. */
	d = kit_do(PHASE_FENCE, false, MODE_FORCED);
	ck_assert(!d->ok && d->hard);
	d = kit_do(PHASE_STORAGE, false, MODE_FORCED);
	ck_assert(!d->ok && d->hard);
	resource_resort(kit.r, "again");
	resource_abandon(kit.r, "again");
	kit_wait(resource_idle(kit.r));
	ck_assert_uint_eq(kit_count("disks stop"), 0);
	ck_assert_uint_eq(kit_count("tank stop begins"), 1);
	ck_assert_uint_eq(kit_count("resort: "), 1);
	ck_assert_uint_eq(kit.nresorts, 1);
	ck_assert_int_eq(kit_state(0), RES_UP);
}
END_TEST

/* Verify has the last word. */
START_TEST(a_stop_that_fails_is_no_harm_if_it_is_gone)
{
	(void)kit_add(PHASE_FENCE, "disks");
	kit_add(PHASE_STORAGE, "tank")->stop_ms = 200;
	kit_set("DO_STOP=await never");
	kit_both_up();
	ck_assert(kit_do(PHASE_STORAGE, false, MODE_FORCED)->ok);
	ck_assert(kit_do(PHASE_FENCE, false, MODE_FORCED)->ok);
	ck_assert_uint_eq(kit.nresorts, 0);
}
END_TEST

/* A node must not restart for ever for a package that is missing. */
START_TEST(what_never_was_here_does_not_lead_there)
{
	const struct resource_done *d;

	(void)kit_add(PHASE_FENCE, "disks");
	(void)kit_add(PHASE_STORAGE, "tank");
	kit_set("DO_STATUS=exit 5");
	kit_set("DO_START=exit 5");
	kit_set("DO_STOP=exit 5");
	kit_set("DO_VERIFY=exit 5");
	kit_configure();
	ck_assert_int_eq(kit_state(1), RES_UNKNOWN);
	ck_assert(kit_do(PHASE_FENCE, true, MODE_UP)->ok);
	ck_assert(!kit_do(PHASE_STORAGE, true, MODE_UP)->ok);
	d = kit_do(PHASE_STORAGE, false, MODE_PLANNED);
	ck_assert(!d->ok && !d->hard);
	ck_assert_uint_eq(kit.nresorts, 0);
	ck_assert(!kit_do(PHASE_FENCE, false, MODE_PLANNED)->ok);
}
END_TEST

START_TEST(by_order)
{
	kit_fence_and_storage();
	kit_both_up();
	resource_resort(kit.r, "the fence is gone");
	kit_wait(kit_count("resort: the fence is gone") == 1);
	ck_assert_uint_eq(kit.nresorts, 1);
	ck_assert(kit_do(PHASE_STORAGE, false, MODE_FORCED)->hard);
}
END_TEST

#define BY_HANGUP 100

/* Process 1 of a space of its own: its way to end. */
static int
resort_as_first(const char *sysrq)
{
	int status = 0;
	pid_t pid;

	if (unshare(CLONE_NEWNS | CLONE_NEWPID) == -1 || (pid = fork()) == -1)
		return 7;
	if (pid == 0) {
		if (sysrq != NULL &&
		    mount(sysrq, SYSRQ, NULL, MS_BIND, NULL) == -1)
			_exit(9);
		kit_configure();
		resource_resort(kit.r, "a test");
		_exit(sysrq != NULL ? 0 : 8);
	}
	if (waitpid(pid, &status, 0) != pid)
		return 6;
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGHUP ? BY_HANGUP : 5;
	return WEXITSTATUS(status);
}

/*
 * Without a program the machine is restarted.  Only where that cannot be:
 * process 1 of a space of its own ends in its place, by SIGHUP.
 */
START_TEST(without_a_program)
{
	char path[160], text[2] = "";
	int status = 0, fd;
	pid_t pid;
	bool sysrq = access(SYSRQ, F_OK) == 0;

	if (geteuid() != 0)
		return;
	(void)snprintf(path, sizeof(path), "%s/sysrq", kit.top);
	kit_touch("sysrq");
	kit_no_program();
	kit_fence_and_storage();
	kit_set("DO_VERIFY=exit 1");
	/* Whose first process has ended, that cannot fork any more. */
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		_exit(resort_as_first(sysrq ? path : NULL));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), sysrq ? 0 : BY_HANGUP);
	if (!sysrq)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(read(fd, text, 1), 1);
	(void)close(fd);
	ck_assert_str_eq(text, "b");
}
END_TEST

START_TEST(abandoned)
{
	(void)kit_add(PHASE_FENCE, "disks");
	(void)kit_add(PHASE_STORAGE, "tank");
	(void)kit_add(PHASE_SERVICE, "nfs");
	kit_set("DO_STOP=exit 1");
	kit_both_up();
	ck_assert(kit_do(PHASE_SERVICE, true, MODE_UP)->ok);
	kit.ndone = 0;
	resource_abandon(kit.r, "no engine");
	ck_assert(!resource_idle(kit.r));
	kit_wait(resource_idle(kit.r));
	ck_assert_int_ge(kit_line("nfs stop begins forced"), 0);
	ck_assert_int_gt(kit_line("tank stop begins forced"),
	    kit_line("nfs stop begins forced"));
	ck_assert_int_gt(
	    kit_line("disks stop begins forced"), kit_line("tank verify ends"));
	ck_assert_uint_eq(kit.ndone, 0);
	ck_assert_int_eq(kit_state(0), RES_DOWN);
	ck_assert_int_eq(kit_state(1), RES_DOWN);
	ck_assert_int_eq(kit_state(2), RES_FAILED);
}
END_TEST

START_TEST(abandoned_and_not_gone)
{
	kit_fence_and_storage();
	kit_set("DO_VERIFY=exit 1");
	kit_both_up();
	resource_abandon(kit.r, "no engine");
	kit_wait(kit.nresorts == 1);
	kit_wait(resource_idle(kit.r));
	ck_assert_uint_eq(kit_count("disks stop"), 0);
}
END_TEST

/* The order of an engine that has died goes on, and nobody hears of it. */
START_TEST(orphaned)
{
	(void)kit_add(PHASE_SERVICE, "a");
	kit_set("DO_START=: > $TOP/began; await go");
	kit_configure();
	(void)kit_order(PHASE_SERVICE, true, MODE_UP);
	kit_wait(kit_file("began"));
	resource_orphan(kit.r);
	kit.nreports = 0;
	resource_tell(kit.r);
	ck_assert_uint_eq(kit.nreports, 1);
	ck_assert_int_eq(kit_state(0), RES_STARTING);
	kit_touch("go");
	kit_wait(kit_state(0) == RES_UP);
	kit_wait(resource_idle(kit.r));
	ck_assert_uint_eq(kit.ndone, 0);
	ck_assert_uint_eq(kit_last(0, VERB_START)->order, 0);
}
END_TEST

/*
 * What is lost.
 */

START_TEST(a_service_fails_twice)
{
	kit_add(PHASE_SERVICE, "a")->monitor_ms = 20;
	kit_set("DO_STATUS=[ ! -e $TOP/once ] || { rm $TOP/once; exit 1; }; "
		"[ ! -e $TOP/bad ] || { echo it hangs; exit 1; }; "
		"[ ! -e $TOP/gone ] || exit 3");
	kit_configure();
	ck_assert_int_eq(kit_state(0), RES_UP);
	kit_touch("once");
	kit_wait(kit_state(0) == RES_SICK);
	kit_wait(kit_state(0) == RES_UP);
	ck_assert(!is_lost(0));
	kit_touch("bad");
	kit_wait(is_lost(0));
	ck_assert_int_eq(kit_state(0), RES_SICK);
	ck_assert_str_eq(kit.report[kit.nreports - 1].text, "it hangs");
	kit.nreports = 0;
	(void)unlink(kit_path("bad"));
	kit_wait(kit_state(0) == RES_UP);
	kit_touch("gone");
	kit_wait(is_lost(0));
	ck_assert_int_eq(kit_state(0), RES_DOWN);
}
END_TEST

START_TEST(a_fence_fails_once)
{
	kit_add(PHASE_FENCE, "disks")->monitor_ms = 20;
	kit_set("DO_STATUS=[ -e $TOP/up ] || exit 3; : > $TOP/seen; "
		"[ ! -e $TOP/bad ] || exit 1");
	kit_set("DO_START=: > $TOP/up");
	(void)kit_add(PHASE_STORAGE, "tank");
	kit_both_up();
	kit_wait(kit_file("seen"));
	kit_touch("bad");
	kit_wait(is_lost(0));
	ck_assert_int_eq(kit_state(0), RES_SICK);
	/* And then storage is not started. */
	ck_assert(kit_do(PHASE_STORAGE, false, MODE_FORCED)->ok);
	ck_assert(!kit_do(PHASE_STORAGE, true, MODE_UP)->ok);
}
END_TEST

/* A status that runs is cut short, and none begins while a stop runs. */
START_TEST(a_stop_is_not_watched)
{
	unsigned n;

	kit_add(PHASE_SERVICE, "a")->monitor_ms = 10;
	kit_set("DO_STATUS=[ -e $TOP/up ] || exit 3; : > $TOP/seen; "
		"[ ! -e $TOP/slow ] || { say slow; await never; }");
	kit_set("DO_START=: > $TOP/up");
	kit_set("DO_STOP=: > $TOP/stopping; await go; rm $TOP/up");
	kit_configure();
	ck_assert(kit_do(PHASE_SERVICE, true, MODE_UP)->ok);
	kit_touch("slow");
	kit_wait(kit_line("slow") >= 0);
	(void)kit_order(PHASE_SERVICE, false, MODE_PLANNED);
	kit_wait(kit_file("stopping"));
	n = kit_count("a status begins");
	for (int i = 0; i < 20; i++) /* ten intervals */
		kit_turn();
	ck_assert_uint_eq(kit_count("a status begins"), n);
	ck_assert(!is_lost(0));
	kit_touch("go");
	kit_wait(kit.ndone == 2);
	ck_assert(kit.done[1].ok);
}
END_TEST

/* Its keeper holds the descriptor: its end is news, and its last words. */
#define KEEPER                                                                 \
	"setsid sh -c 'sleep 1000 3>&- 4>&- & "                                \
	"trap \"kill $!; echo the key was taken >&4; exit\" TERM; "            \
	"echo $$ > '$TOP'/keeper.new; mv '$TOP'/keeper.new '$TOP'/keeper; "    \
	"wait' </dev/null >/dev/null 2>&1 & await keeper"

static const struct keeper_row {
	enum conf_phase phase;
	bool gone; /* status says so, too */
} keepers[] = {
	{ PHASE_FENCE, true },
	{ PHASE_FENCE, false },
	{ PHASE_SERVICE, true },
	{ PHASE_SERVICE, false },
};

/* One look is enough, and what it says is believed. */
START_TEST(a_keeper_ends)
{
	const struct keeper_row *row = &keepers[_i];
	pid_t keeper;

	(void)kit_add(row->phase, "x");
	kit_set("DO_START=" KEEPER);
	kit_set("DO_STATUS=[ -e $TOP/keeper ] || exit 3; [ ! -e $TOP/gone ]");
	kit_configure();
	ck_assert(kit_do(row->phase, true, MODE_UP)->ok);
	keeper = (pid_t)kit_number("keeper");
	ck_assert_int_gt(keeper, 1);
	if (row->gone)
		kit_touch("gone");
	kit.nreports = 0;
	ck_assert_int_eq(kill(keeper, SIGTERM), 0);
	kit_wait(kit_count("x status ends") == 1);
	kit_wait(resource_idle(kit.r));
	ck_assert_int_eq(is_lost(0), row->gone);
	if (row->gone)
		ck_assert_str_eq(
		    kit.report[kit.nreports - 1].text, "the key was taken");
}
END_TEST

START_TEST(a_keeper_ends_by_order)
{
	(void)kit_add(PHASE_FENCE, "disks");
	kit_set("DO_START=" KEEPER);
	kit_set("DO_STOP=kill $(cat $TOP/keeper); "
		"while kill -0 $(cat $TOP/keeper) 2>/dev/null && "
		"! grep -q '^State:.Z' /proc/$(cat $TOP/keeper)/status; do "
		"sleep 0.01; done");
	kit_configure();
	ck_assert(kit_do(PHASE_FENCE, true, MODE_UP)->ok);
	kit.nreports = 0;
	ck_assert(kit_do(PHASE_FENCE, false, MODE_PLANNED)->ok);
	kit_wait(resource_idle(kit.r));
	ck_assert(!is_lost(0));
	ck_assert_uint_eq(kit_count("disks status"), 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("resource_loss");
	TCase *t = tcase_create("loss");

	kit_cage();
	tcase_set_timeout(t, 40);
	tcase_add_checked_fixture(t, kit_setup, kit_teardown);
	add_rows(t, storage_that_does_not_go, stays);
	tcase_add_test(t, a_stop_that_fails_is_no_harm_if_it_is_gone);
	tcase_add_test(t, what_never_was_here_does_not_lead_there);
	tcase_add_test(t, by_order);
	tcase_add_test(t, without_a_program);
	tcase_add_test(t, abandoned);
	tcase_add_test(t, abandoned_and_not_gone);
	tcase_add_test(t, orphaned);
	tcase_add_test(t, a_service_fails_twice);
	tcase_add_test(t, a_fence_fails_once);
	tcase_add_test(t, a_stop_is_not_watched);
	add_rows(t, a_keeper_ends, keepers);
	tcase_add_test(t, a_keeper_ends_by_order);
	suite_add_tcase(s, t);
	return suite_run(s);
}
