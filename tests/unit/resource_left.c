/* SPDX-License-Identifier: ISC */
/* Resources that a carpd left behind, and those of another configuration. */
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "../kit/resource_kit.h"

/*
 * After the end of a carpd.
 */

/* Runs until the file is there, and ends without a word. */
static void
life_and_death(enum conf_phase phase, bool up, const char *file)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		event_reinit(kit.base);
		kit_configure();
		if (phase == PHASE_STORAGE)
			ck_assert(kit_do(PHASE_FENCE, true, MODE_UP)->ok);
		if (!up)
			ck_assert(kit_do(phase, true, MODE_UP)->ok);
		(void)kit_order(phase, up, up ? MODE_UP : MODE_PLANNED);
		kit_wait(kit_file(file));
		(void)kill(getpid(), SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

#define MARK_GROUP "echo $$ > $TOP/group.new; mv $TOP/group.new $TOP/group; "

START_TEST(a_start_that_was_left)
{
	(void)kit_add(PHASE_FENCE, "disks");
	kit_set("DO_STATUS=exit 0");
	(void)kit_add(PHASE_STORAGE, "tank");
	/* The hook dies with its carpd; what it has called does not. */
	kit_set("DO_START=" MARK_GROUP "sh -c 'echo $$ > '$TOP'/child.new; mv "
		"'$TOP'/child.new '$TOP'/child; sleep 1000'; say late");
	life_and_death(PHASE_STORAGE, true, "child");
	kit_wait(kit_dead((pid_t)kit_number("group")));
	ck_assert(!kit_dead((pid_t)kit_number("child")));
	kit_configure();
	ck_assert(kit_dead((pid_t)kit_number("child")));
	ck_assert_int_eq(kit_line("late"), -1);
	/* It was begun: verify was asked, before it is called down. */
	ck_assert_int_eq(kit_state(1), RES_DOWN);
	ck_assert_int_ge(kit_line("tank verify begins check"), 0);
	ck_assert_int_eq(kit_state(0), RES_UP);
}
END_TEST

START_TEST(a_stop_that_was_left)
{
	uint32_t id;

	(void)kit_add(PHASE_FENCE, "disks");
	kit_set("DO_STATUS=exit 0");
	(void)kit_add(PHASE_STORAGE, "tank");
	kit_set("DO_STOP=[ ! -e $TOP/group ] || exit 0; " MARK_GROUP
		"await go; say gone");
	kit_set("DO_STATUS=exit 3");
	life_and_death(PHASE_STORAGE, false, "group");
	ck_assert(!kit_dead((pid_t)kit_number("group")));
	kit_start();
	/* It goes on, and what is ordered waits for it. */
	id = kit_order(PHASE_STORAGE, false, MODE_PLANNED);
	for (int i = 0; i < 20; i++)
		kit_turn();
	ck_assert(kit_answer(id) == NULL);
	ck_assert(!kit_dead((pid_t)kit_number("group")));
	kit_touch("go");
	kit_wait(kit_answer(id) != NULL);
	ck_assert(kit_answer(id)->ok);
	ck_assert_int_ge(kit_line("gone"), 0);
}
END_TEST

START_TEST(what_was_up_is_found)
{
	(void)kit_add(PHASE_FENCE, "disks");
	kit_set("DO_STATUS=exit 0");
	(void)kit_add(PHASE_STORAGE, "tank");
	kit_set("DO_START=: > $TOP/up");
	/* In another name space: nothing to see, but it is there. */
	kit_set("DO_STATUS=[ -e $TOP/up ] || exit 3; exit %d", _i == 0 ? 0 : 3);
	kit_set("DO_VERIFY=exit 1");
	life_and_death(PHASE_STORAGE, true, "up");
	kit_configure();
	ck_assert_int_eq(kit_state(0), RES_UP);
	ck_assert_int_eq(kit_state(1), _i == 0 ? RES_UP : RES_UNKNOWN);
	ck_assert(!kit_do(PHASE_FENCE, false, MODE_FORCED)->ok);
	ck_assert(kit_do(PHASE_STORAGE, false, MODE_FORCED)->hard);
	ck_assert_uint_eq(kit.nresorts, 1);
}
END_TEST

/*
 * A new configuration.
 */

START_TEST(what_is_not_configured_any_more_is_stopped)
{
	uint32_t id;

	(void)kit_add(PHASE_FENCE, "disks");
	(void)kit_add(PHASE_STORAGE, "old");
	(void)kit_add(PHASE_STORAGE, "tank");
	(void)kit_add(PHASE_SERVICE, "nfs");
	kit_set("DO_STOP=: > $TOP/stopping; await go");
	kit_both_up();
	ck_assert(kit_do(PHASE_SERVICE, true, MODE_UP)->ok);
	kit_clear();
	(void)kit_add(PHASE_STORAGE, "tank");
	kit_add(PHASE_FENCE, "disks")->monitor_ms = 0;
	(void)kit_add(PHASE_SERVICE, "smb");
	kit_start();
	kit_wait(kit_file("stopping"));
	/* An order means the new ones: it waits for them. */
	id = kit_order(PHASE_SERVICE, true, MODE_UP);
	ck_assert_ptr_null(kit_answer(id));
	kit_touch("go");
	kit_wait(kit_answer(id) != NULL);
	ck_assert(kit_answer(id)->ok);
	ck_assert_int_ge(kit_line("nfs stop ends"), 0);
	ck_assert_int_gt(
	    kit_line("old verify ends"), kit_line("nfs stop ends"));
	ck_assert_int_eq(kit_line("tank stop begins planned"), -1);
	kit.nreports = 0;
	resource_tell(kit.r);
	ck_assert_uint_eq(kit.nreports, 3);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(kit_state(i), RES_UP);
}
END_TEST

START_TEST(a_fence_does_not_go_before_its_storage)
{
	struct conf *c;
	char why[256];

	kit_fence_and_storage();
	kit_both_up();
	kit_clear();
	(void)kit_add(PHASE_FENCE, "others");
	(void)kit_add(PHASE_STORAGE, "tank");
	c = kit_conf();
	ck_assert_int_eq(
	    resource_may_configure(kit.r, c, why, sizeof(why)), -EPERM);
	ck_assert_ptr_nonnull(strstr(why, "fence disks"));
	ck_assert_int_eq(resource_configure(kit.r, c), -EPERM);
	free(c);
	ck_assert_uint_eq(kit_count("disks stop"), 0);
}
END_TEST

/* It would be taken for a storage that it never kept anybody from. */
START_TEST(nor_does_it_come_after_it)
{
	struct conf *c;
	char why[256];

	kit_fence_and_storage();
	kit_both_up();
	(void)kit_add(PHASE_FENCE, "others");
	c = kit_conf();
	ck_assert_int_eq(
	    resource_may_configure(kit.r, c, why, sizeof(why)), -EPERM);
	ck_assert_ptr_nonnull(strstr(why, "fence others"));
	ck_assert(kit_do(PHASE_STORAGE, false, MODE_PLANNED)->ok);
	ck_assert_int_eq(resource_may_configure(kit.r, c, why, sizeof(why)), 0);
	free(c);
}
END_TEST

START_TEST(what_is_up_is_stopped_by_its_old_settings)
{
	(void)kit_add(PHASE_SERVICE, "a");
	kit_set("POOL=old");
	kit_set("DO_START=say start $POOL");
	kit_set("DO_STOP=say stop $POOL");
	kit_configure();
	ck_assert(kit_do(PHASE_SERVICE, true, MODE_UP)->ok);
	kit_clear();
	(void)kit_add(PHASE_SERVICE, "a");
	kit_set("POOL=new");
	kit_set("DO_START=say start $POOL");
	kit_configure();
	ck_assert(kit_do(PHASE_SERVICE, false, MODE_PLANNED)->ok);
	ck_assert_int_ge(kit_line("stop old"), 0);
	ck_assert(kit_do(PHASE_SERVICE, true, MODE_UP)->ok);
	ck_assert_int_ge(kit_line("start new"), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("resource_left");
	TCase *t = tcase_create("left");

	kit_cage();
	tcase_set_timeout(t, 40);
	tcase_add_checked_fixture(t, kit_setup, kit_teardown);
	tcase_add_test(t, a_start_that_was_left);
	tcase_add_test(t, a_stop_that_was_left);
	tcase_add_loop_test(t, what_was_up_is_found, 0, 2);
	tcase_add_test(t, what_is_not_configured_any_more_is_stopped);
	tcase_add_test(t, a_fence_does_not_go_before_its_storage);
	tcase_add_test(t, nor_does_it_come_after_it);
	tcase_add_test(t, what_is_up_is_stopped_by_its_old_settings);
	suite_add_tcase(s, t);
	return suite_run(s);
}
