/* SPDX-License-Identifier: ISC */
/* Resources up and down, by real hooks: orders, limits, what they are told. */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../kit/resource_kit.h"

/* A fence, storage and two services, the second after the first. */
static void
usual(void)
{
	(void)kit_add(PHASE_FENCE, "disks");
	(void)kit_add(PHASE_STORAGE, "tank");
	(void)kit_add(PHASE_SERVICE, "nfs");
	kit_add(PHASE_SERVICE, "smb")->after = UINT64_C(1) << 2;
}

static void
all_up(void)
{
	for (int p = PHASE_FENCE; p < NPHASES; p++)
		ck_assert_msg(kit_do((enum conf_phase)p, true, MODE_UP)->ok,
		    "%s", kit_out());
}

static void
assert_order(const char *first, const char *second)
{
	int a = kit_line(first), b = kit_line(second);

	ck_assert_msg(
	    a >= 0 && b > a, "%s, then %s, in:\n%s", first, second, kit_out());
}

START_TEST(the_way_up_and_down)
{
	const struct resource_done *d;

	usual();
	kit_configure();
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(kit_state(i), RES_DOWN);
	ck_assert(!resource_any(kit.r));
	d = kit_do(PHASE_FENCE, true, MODE_UP);
	ck_assert(d->ok && d->fenced && !d->hard && !d->peer_alive);
	ck_assert(kit_do(PHASE_STORAGE, true, MODE_UP)->ok);
	ck_assert(kit_do(PHASE_SERVICE, true, MODE_UP)->ok);
	assert_order("nfs start ends", "smb start begins up");
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(kit_state(i), RES_UP);
	ck_assert(kit_do(PHASE_SERVICE, false, MODE_PLANNED)->ok);
	assert_order("smb stop ends", "nfs stop begins planned");
	ck_assert(kit_do(PHASE_STORAGE, false, MODE_PLANNED)->ok);
	assert_order("tank stop ends", "tank verify begins planned");
	ck_assert(kit_do(PHASE_FENCE, false, MODE_PLANNED)->ok);
	ck_assert(!resource_any(kit.r) && resource_idle(kit.r));
	ck_assert_uint_gt(kit.nidle, 0);
	ck_assert_uint_eq(kit.nresorts, 0);
	/* What is down needs no hook. */
	ck_assert(kit_do(PHASE_STORAGE, false, MODE_FORCED)->ok);
	ck_assert_uint_eq(kit_count("tank stop begins"), 1);
}
END_TEST

/* Each waits until the other one has begun. */
START_TEST(a_phase_runs_in_parallel)
{
	(void)kit_add(PHASE_SERVICE, "a");
	kit_set("DO_START=: > $TOP/a; await b");
	kit_set("DO_STOP=: > $TOP/a2; await b2");
	(void)kit_add(PHASE_SERVICE, "b");
	kit_set("DO_START=: > $TOP/b; await a");
	kit_set("DO_STOP=: > $TOP/b2; await a2");
	kit_configure();
	ck_assert(kit_do(PHASE_SERVICE, true, MODE_UP)->ok);
	ck_assert(kit_do(PHASE_SERVICE, false, MODE_PLANNED)->ok);
}
END_TEST

START_TEST(storage_needs_its_fence)
{
	const struct resource_done *d;

	usual();
	kit_configure();
	d = kit_do(PHASE_STORAGE, true, MODE_UP);
	ck_assert(!d->ok);
	ck_assert_ptr_nonnull(strstr(d->text, "fence disks is down"));
	ck_assert_int_eq(kit_line("tank start begins up"), -1);
	all_up();
	d = kit_do(PHASE_FENCE, false, MODE_FORCED);
	ck_assert(!d->ok);
	ck_assert_ptr_nonnull(strstr(d->text, "storage tank is up"));
	ck_assert_int_eq(kit_line("disks stop begins forced"), -1);
	ck_assert_int_eq(kit_state(0), RES_UP);
}
END_TEST

/* Killed with all that it has started, and not before its limit. */
START_TEST(the_limit_kills_the_whole_group)
{
	const struct resource_report *r;
	const struct resource_done *d;
	long pid;

	kit_add(PHASE_SERVICE, "slow")->start_ms = 300;
	kit_set("DO_START=sleep 1000 & echo $! > $TOP/pid; echo waiting; wait");
	kit_configure();
	d = kit_do(PHASE_SERVICE, true, MODE_UP);
	ck_assert(!d->ok);
	ck_assert_str_eq(d->text, "slow: start: waiting");
	r = kit_last(0, VERB_START);
	ck_assert_uint_eq(r->exit, HOOK_TIMEOUT);
	ck_assert_uint_ge(r->took, 290000000);
	ck_assert_int_eq(r->state, RES_FAILED);
	pid = kit_number("pid");
	ck_assert_int_gt(pid, 1);
	kit_wait(kit_dead((pid_t)pid));
}
END_TEST

static const struct exit_row {
	enum conf_phase phase;
	const char *act;
	unsigned exit;
	enum resource_state state;
	const char *text;
} exits[] = {
	{ PHASE_FENCE, "exit 0", HOOK_OK, RES_UP, "" },
	{ PHASE_FENCE, "echo first; echo second: why >&2; exit 1", HOOK_FAILED,
	    RES_FAILED, "second: why" },
	{ PHASE_FENCE, "echo DISKS is missing; exit 2", HOOK_PARAMETERS,
	    RES_DOWN, "DISKS is missing" },
	{ PHASE_FENCE, "echo apt; exit 5", HOOK_MISSING, RES_DOWN, "apt" },
	{ PHASE_FENCE, "echo it moves; exit 6", HOOK_PEER_ALIVE, RES_DOWN,
	    "it moves" },
	{ PHASE_SERVICE, "echo odd; exit 6", HOOK_PEER_ALIVE, RES_FAILED,
	    "odd" },
	{ PHASE_FENCE, "exit 127", 127, RES_FAILED, "" },
	{ PHASE_FENCE, "printf 'no newline'; kill -TERM $$", HOOK_SIGNAL,
	    RES_FAILED, "no newline" },
};

START_TEST(how_a_start_can_end)
{
	const struct exit_row *row = &exits[_i];
	const struct resource_report *r;
	const struct resource_done *d;

	(void)kit_add(row->phase, "x");
	kit_set("DO_START=%s", row->act);
	kit_configure();
	d = kit_do(row->phase, true, MODE_UP);
	ck_assert_int_eq(d->ok, row->exit == HOOK_OK);
	ck_assert_int_eq(d->peer_alive,
	    row->exit == HOOK_PEER_ALIVE && row->phase == PHASE_FENCE);
	r = kit_last(0, VERB_START);
	ck_assert_uint_eq(r->exit, row->exit);
	ck_assert_uint_eq(r->state, row->state);
	ck_assert_str_eq(r->text, row->text);
	ck_assert_uint_eq(r->order, d->order);
	if (row->exit != HOOK_PARAMETERS)
		return;
	/* Not tried again, before a reload. */
	ck_assert(!kit_do(row->phase, true, MODE_UP)->ok);
	ck_assert_uint_eq(kit_count("x start begins"), 1);
	kit_configure();
	ck_assert(!kit_do(row->phase, true, MODE_UP)->ok);
	ck_assert_uint_eq(kit_count("x start begins"), 2);
}
END_TEST

START_TEST(what_a_hook_finds)
{
	usual();
	(void)kit_add(PHASE_SERVICE, "env");
	kit_set("B=two words");
	kit_set("DO_START=env | grep -v -e ^DO_ -e ^PWD -e ^_= -e ^SHLVL | "
		"sort >> $TOP/out; ls /proc/self/fd | wc -l >> $TOP/out; "
		"pwd >> $TOP/out; umask >> $TOP/out; "
		"readlink /proc/self/fd/0 >> $TOP/out; "
		"[ -d $CARPD_STATE ] && : > $CARPD_STATE/mine && say state");
	(void)umask(077);
	kit_configure();
	all_up();
	ck_assert_int_ge(kit_line("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), 0);
	ck_assert_int_ge(kit_line("LANG=C"), 0);
	ck_assert_int_ge(kit_line("CARPD_VERSION=1"), 0);
	ck_assert_int_ge(kit_line("CARPD_NODE=A"), 0);
	ck_assert_int_ge(kit_line("CARPD_RESOURCE=env"), 0);
	ck_assert_int_ge(kit_line("CARPD_PHASE=service"), 0);
	ck_assert_int_ge(kit_line("CARPD_ACTION=start"), 0);
	ck_assert_int_ge(kit_line("CARPD_MODE=up"), 0);
	ck_assert_int_ge(kit_line("CARPD_CAUSE=a test"), 0);
	ck_assert_int_ge(kit_line("CARPD_TIMEOUT=8.000"), 0);
	ck_assert_int_ge(kit_line("CARPD_PEER=unclear"), 0);
	ck_assert_int_ge(kit_line("CARPD_ALIVE_FD=4"), 0);
	ck_assert_int_ge(kit_line("B=two words"), 0);
	ck_assert_int_ge(kit_line("/dev/null"), 0);
	ck_assert_int_ge(kit_line("0022"), 0);
	ck_assert_int_ge(kit_line("/"), 0);
	ck_assert_int_ge(kit_line("5"), 0); /* 0 1 2 4, and that of ls */
	ck_assert_int_ge(kit_line("state"), 0);
	ck_assert(kit_file("state/env/mine"));
	ck_assert_int_eq(kit_line("CARPD_FENCED=yes"), -1);
	ck_assert_uint_eq(kit_count("CARPD_"), 11);
}
END_TEST

START_TEST(storage_hears_of_the_fence)
{
	if (_i == 1)
		kit_add(PHASE_FENCE, "none")->none = 1;
	else
		(void)kit_add(PHASE_FENCE, "disks");
	(void)kit_add(PHASE_STORAGE, "tank");
	kit_set("DO_START=say FENCED=$CARPD_FENCED");
	kit_configure();
	ck_assert_int_eq(kit_do(PHASE_FENCE, true, MODE_UP)->fenced, _i == 0);
	ck_assert(kit_do(PHASE_STORAGE, true, MODE_UP)->ok);
	ck_assert_int_ge(kit_line(_i == 1 ? "FENCED=no" : "FENCED=yes"), 0);
}
END_TEST

/* The sleeper would be found with its environment and its arguments. */
START_TEST(a_passphrase_goes_by_descriptor_only)
{
	static const char word[] = "correct horse";

	(void)kit_add(PHASE_FENCE, "disks");
	(void)kit_add(PHASE_STORAGE, "tank");
	kit_set("DO_START=[ -n \"${CARPD_SECRET_FD:-}\" ] || exit 1; "
		"say \"got $(cat <&$CARPD_SECRET_FD)\"; "
		"exec 3<&-; for p in $$ $PPID; do "
		"! tr '\\0' '\\n' < /proc/$p/environ | grep -q h[o]rse || "
		"say found; ! grep -q h[o]rse /proc/$p/cmdline || say found; "
		"done; [ ! -e /proc/$$/fd/3 ]");
	kit_set("DO_STOP=[ -z \"${CARPD_SECRET_FD:-}\" ]");
	(void)kit_add(PHASE_STORAGE, "other");
	kit_set("DO_START=[ -z \"${CARPD_SECRET_FD:-}\" ]");
	kit_configure();
	ck_assert_int_eq(
	    resource_secret(kit.r, "nobody", word, strlen(word)), -ENOENT);
	ck_assert_int_eq(resource_secret(kit.r, "tank", word, strlen(word)), 0);
	ck_assert(kit_do(PHASE_FENCE, true, MODE_UP)->ok);
	ck_assert(kit_do(PHASE_STORAGE, true, MODE_UP)->ok);
	ck_assert_int_ge(kit_line("got correct horse"), 0);
	ck_assert_int_eq(kit_line("found"), -1);
	ck_assert(kit_do(PHASE_STORAGE, false, MODE_PLANNED)->ok);
	ck_assert_int_eq(resource_secret(kit.r, "tank", NULL, 0), 0);
	ck_assert(!kit_do(PHASE_STORAGE, true, MODE_UP)->ok);
}
END_TEST

START_TEST(hooks_that_are_refused)
{
	const struct resource_done *d;
	char path[160];

	(void)kit_add(PHASE_SERVICE, "x");
	kit_configure();
	(void)snprintf(path, sizeof(path), "%s/sh", kit.hooks);
	if (_i == 0)
		ck_assert_int_eq(chmod(path, 0775), 0);
	else if (_i == 1)
		ck_assert_int_eq(chmod(kit.hooks, 0777), 0);
	else if (_i == 2)
		ck_assert_int_eq(unlink(path), 0);
	else if (geteuid() == 0)
		ck_assert_int_eq(chown(path, 12345, 0), 0);
	else
		return;
	d = kit_do(PHASE_SERVICE, true, MODE_UP);
	ck_assert(!d->ok);
	ck_assert_uint_eq(kit.report[kit.nreports - 1].exit, HOOK_NOT_RUN);
	ck_assert_int_eq(kit_line("x start begins up"), -1);
	ck_assert_msg(strstr(d->text,
			  _i == 2 ? "there is no hook sh" : "refused") != NULL,
	    "%s", d->text);
}
END_TEST

/* What depends on what has failed is not begun; what does not, goes on. */
START_TEST(one_fails)
{
	const struct resource_done *d;

	(void)kit_add(PHASE_SERVICE, "a");
	kit_set("DO_START=echo no way; exit 1");
	kit_add(PHASE_SERVICE, "b")->after = 1;
	kit_add(PHASE_SERVICE, "c")->critical = 0;
	kit_set("DO_START=await go");
	kit_configure();
	(void)kit_order(PHASE_SERVICE, true, MODE_UP);
	kit_wait(kit_last(0, VERB_START) != NULL);
	ck_assert_uint_eq(kit.ndone, 0);
	kit_touch("go");
	kit_wait(kit.ndone == 1);
	d = &kit.done[0];
	ck_assert(!d->ok);
	ck_assert_str_eq(d->text, "a: start: no way");
	ck_assert_int_eq(kit_line("b start begins up"), -1);
	ck_assert_int_eq(kit_state(2), RES_UP);
}
END_TEST

START_TEST(a_newer_order_waits_for_what_runs)
{
	uint32_t up, down;

	(void)kit_add(PHASE_SERVICE, "a");
	kit_set("DO_START=: > $TOP/began; await go");
	kit_add(PHASE_SERVICE, "b")->after = 1;
	kit_configure();
	up = kit_order(PHASE_SERVICE, true, MODE_UP);
	kit_wait(kit_file("began"));
	down = kit_order(PHASE_SERVICE, false, MODE_PLANNED);
	ck_assert_ptr_nonnull(kit_answer(up));
	ck_assert(!kit_answer(up)->ok);
	ck_assert_ptr_null(kit_answer(down));
	kit_touch("go");
	kit_wait(kit_answer(down) != NULL);
	ck_assert(kit_answer(down)->ok);
	assert_order("a start ends", "a stop begins planned");
	ck_assert_int_eq(kit_line("b start begins up"), -1);
}
END_TEST

START_TEST(a_forced_way_down_does_not)
{
	uint32_t up;

	(void)kit_add(PHASE_FENCE, "disks");
	(void)kit_add(PHASE_STORAGE, "tank");
	kit_set("DO_START=: > $TOP/began; await never");
	kit_configure();
	ck_assert(kit_do(PHASE_FENCE, true, MODE_UP)->ok);
	up = kit_order(PHASE_STORAGE, true, MODE_UP);
	kit_wait(kit_file("began"));
	ck_assert(kit_do(PHASE_STORAGE, false, MODE_FORCED)->ok);
	ck_assert(!kit_answer(up)->ok);
	ck_assert_uint_eq(kit_last(1, VERB_START)->exit, HOOK_SIGNAL);
	ck_assert_int_eq(kit_line("tank start ends"), -1);
	ck_assert_int_ge(kit_line("tank stop ends"), 0);
	ck_assert_int_eq(kit_state(1), RES_DOWN);
	ck_assert_uint_eq(kit.nresorts, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("resource");
	TCase *t = tcase_create("hooks");

	kit_cage();
	tcase_set_timeout(t, 40);
	tcase_add_checked_fixture(t, kit_setup, kit_teardown);
	tcase_add_test(t, the_way_up_and_down);
	tcase_add_test(t, a_phase_runs_in_parallel);
	tcase_add_test(t, storage_needs_its_fence);
	tcase_add_test(t, the_limit_kills_the_whole_group);
	add_rows(t, how_a_start_can_end, exits);
	tcase_add_test(t, what_a_hook_finds);
	tcase_add_loop_test(t, storage_hears_of_the_fence, 0, 2);
	tcase_add_test(t, a_passphrase_goes_by_descriptor_only);
	tcase_add_loop_test(t, hooks_that_are_refused, 0, 4);
	tcase_add_test(t, one_fails);
	tcase_add_test(t, a_newer_order_waits_for_what_runs);
	tcase_add_test(t, a_forced_way_down_does_not);
	suite_add_tcase(s, t);
	return suite_run(s);
}
