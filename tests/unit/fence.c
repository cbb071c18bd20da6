/* SPDX-License-Identifier: ISC */
/* Fencing: whose disk it is, the next step, and what the node is told. */
#include <linux/pr.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "../../daemon/fence_conf.h"
#include "../../daemon/fence_request.h"
#include "../../daemon/fence_view.h"
#include "suite.h"

enum { US = 0xaaaaaaaau, PEER = 0xbbbbbbbbu };
#define A(n) ((uint64_t)US << 32 | (n))
#define B(n) ((uint64_t)PEER << 32 | (n))

START_TEST(the_counter_moves_and_the_node_stays)
{
	ck_assert_uint_eq(fence_key(US, 7), A(7));
	ck_assert_uint_eq(fence_key_next(A(7)), A(8));
	ck_assert_uint_eq(fence_key_next(A(UINT32_MAX)), A(0));
	ck_assert(fence_key_of(A(0), US) && !fence_key_of(A(0), PEER));
}
END_TEST

/* What is on a disk, and what is thought of it; keys end with 0. */
static const struct row {
	const char *why;
	uint64_t keys[4], holder;
	uint8_t type, scope; /* type 0: no reservation */
	enum fence_verdict verdict;
	enum fence_todo take; /* key A(9), everybody seen */
	uint64_t victim;
	enum fence_todo leave; /* key A(9) */
} rows[] = {
	{ "an empty disk", { 0 }, 0, 0, 0, FENCE_NOT_REGISTERED, FENCE_REGISTER,
	    A(9), FENCE_DONE },
	{ "the peer's", { B(1) }, B(1), 5, 0, FENCE_NOT_REGISTERED,
	    FENCE_REGISTER, A(9), FENCE_DONE },
	{ "the peer's, and we are there", { A(9), B(1) }, B(1), 5, 0,
	    FENCE_TAKEN, FENCE_PREEMPT, B(1), FENCE_UNREGISTER },
	{ "registered only", { A(9) }, 0, 0, 0, FENCE_OPEN, FENCE_RESERVE, A(9),
	    FENCE_UNREGISTER },
	{ "two registered, none holds it", { B(3), A(9) }, 0, 0, 0, FENCE_OPEN,
	    FENCE_RESERVE, A(9), FENCE_UNREGISTER },
	{ "ours", { A(9) }, A(9), 5, 0, FENCE_HELD, FENCE_DONE, A(9),
	    FENCE_RELEASE },
	{ "ours, the peer may write", { A(9), B(1) }, A(9), 5, 0, FENCE_HELD,
	    FENCE_PREEMPT, B(1), FENCE_RELEASE },
	{ "ours from before", { A(1) }, A(1), 5, 0, FENCE_HELD, FENCE_REGISTER,
	    A(9), FENCE_REGISTER },
	{ "ours from before, and we are there", { A(1), A(9) }, A(1), 5, 0,
	    FENCE_HELD, FENCE_PREEMPT, A(1), FENCE_PREEMPT },
	{ "Write Exclusive", { A(9) }, A(9), 1, 0, FENCE_WRONG_TYPE,
	    FENCE_PREEMPT, A(9), FENCE_RELEASE },
	{ "another scope", { A(9) }, A(9), 5, 2, FENCE_WRONG_TYPE,
	    FENCE_PREEMPT, A(9), FENCE_RELEASE },
	{ "held by all", { A(9), B(1) }, 0, 7, 0, FENCE_WRONG_TYPE,
	    FENCE_PREEMPT, 0, FENCE_UNREGISTER },
	{ "held by nobody knows whom", { A(9) }, 0, 5, 0, FENCE_TAKEN,
	    FENCE_PREEMPT, 0, FENCE_UNREGISTER },
	{ "held by all, we are not there", { B(1), B(2) }, 0, 8, 0,
	    FENCE_NOT_REGISTERED, FENCE_REGISTER, A(9), FENCE_DONE },
};

static struct fence_view
view(const struct row *r)
{
	struct fence_view v = { 0 };

	while (v.nkeys < 4 && r->keys[v.nkeys] != 0) {
		v.keys[v.nkeys] = r->keys[v.nkeys];
		v.nkeys++;
	}
	v.reserved = r->type != 0;
	v.holder = r->holder;
	v.type = r->type;
	v.scope = r->scope;
	return v;
}

START_TEST(a_disk_is_judged)
{
	const struct row *r = &rows[_i];
	struct fence_view v = view(r);
	char why[128] = "";

	ck_assert_msg(fence_judge(&v, US) == r->verdict, "%s", r->why);
	fence_say(why, sizeof(why), &v, US);
	ck_assert_str_ne(why, "");
	ck_assert_int_eq(strcmp(why, "ours") == 0, r->verdict == FENCE_HELD);
}
END_TEST

START_TEST(the_next_step_is_known)
{
	const struct row *r = &rows[_i];
	struct fence_view v = view(r);
	struct fence_step s = fence_take(&v, NULL, A(9), FENCE_NOBODY);

	ck_assert_msg(s.todo == r->take, "%s: take", r->why);
	ck_assert_msg(s.key == r->victim, "%s: key", r->why);
	s = fence_take(&v, &v, A(9), FENCE_LIVING);
	ck_assert_msg(s.todo == r->take, "%s: take, all seen", r->why);
	s = fence_leave(&v, A(9));
	ck_assert_msg(s.todo == r->leave, "%s: leave", r->why);
	if (s.todo == FENCE_RELEASE)
		ck_assert_uint_eq(s.type, r->type);
}
END_TEST

/* The disk itself, as far as it matters here: carries a step out. */
static void
obey(struct fence_view *v, const struct fence_step *s, uint64_t us)
{
	struct fence_view old = *v;

	v->nkeys = 0;
	for (uint32_t i = 0; i < old.nkeys; i++) {
		if (s->todo == FENCE_PREEMPT && old.keys[i] != us &&
		    (old.keys[i] == s->key || s->key == 0))
			continue;
		if (s->todo == FENCE_UNREGISTER && old.keys[i] == us)
			continue;
		v->keys[v->nkeys++] = old.keys[i];
	}
	if (s->todo == FENCE_REGISTER)
		v->keys[v->nkeys++] = us;
	if (s->todo == FENCE_RESERVE ||
	    (s->todo == FENCE_PREEMPT &&
		(s->key == 0 || s->key == old.holder))) {
		v->reserved = true;
		v->holder = us;
		v->type = 5;
		v->scope = 0;
	}
	if (s->todo == FENCE_RELEASE)
		v->reserved = false;
}

/* From every state the steps come to an end, and it is the right one. */
START_TEST(steps_lead_there)
{
	struct fence_view v = view(&rows[_i]), before = v;
	struct fence_step s = { FENCE_REGISTER, 0, 0 };

	for (int i = 0; s.todo != FENCE_DONE; i++) {
		ck_assert_int_lt(i, 10);
		s = fence_take(&v, NULL, A(9), FENCE_NOBODY);
		obey(&v, &s, A(9));
	}
	ck_assert(fence_judge(&v, US) == FENCE_HELD);
	ck_assert_uint_eq(v.nkeys, 1);
	s.todo = FENCE_REGISTER;
	for (int i = 0; s.todo != FENCE_DONE; i++) {
		ck_assert_int_lt(i, 10);
		s = fence_leave(&v, A(9));
		obey(&v, &s, A(9));
	}
	ck_assert_uint_eq(v.nkeys, 0);
	ck_assert(!v.reserved);
	/* Leaving what others use: they stay. */
	s.todo = FENCE_REGISTER;
	for (int i = 0; s.todo != FENCE_DONE; i++) {
		ck_assert_int_lt(i, 10);
		s = fence_leave(&before, A(9));
		ck_assert(s.todo != FENCE_PREEMPT || fence_key_of(s.key, US));
		obey(&before, &s, A(9));
	}
	ck_assert_uint_eq(fence_find(&before, US), 0);
}
END_TEST

/* B(1) was there when we looked first; A(9) is ours. */
static const struct {
	const char *why;
	struct row now;
	enum fence_todo todo;
	uint64_t key;
} starts[] = {
	{ "its key has moved", { .keys = { B(2) }, .holder = B(2), .type = 5 },
	    FENCE_ALIVE, B(2) },
	{ "it moved while we registered",
	    { .keys = { A(9), B(2) }, .holder = B(2), .type = 5 }, FENCE_ALIVE,
	    B(2) },
	{ "it moved while the disk was read",
	    { .keys = { A(9), B(1) }, .holder = B(2), .type = 5 }, FENCE_ALIVE,
	    B(2) },
	{ "it stands still",
	    { .keys = { A(9), B(1) }, .holder = B(1), .type = 5 },
	    FENCE_PREEMPT, B(1) },
	{ "a third comes before we register", { .keys = { B(1), B(7) } },
	    FENCE_ALIVE, B(7) },
	{ "a third comes at the same time: the lower key wins",
	    { .keys = { A(9), B(7) } }, FENCE_RESERVE, A(9) },
	{ "the higher one loses", { .keys = { A(9), A(7) } }, FENCE_ALIVE,
	    A(7) },
	{ "unless it was quicker",
	    { .keys = { A(9), A(7) }, .holder = A(9), .type = 5 },
	    FENCE_PREEMPT, A(7) },
	{ "the lower one loses if it was slower",
	    { .keys = { A(9), B(7) }, .holder = B(7), .type = 5 }, FENCE_ALIVE,
	    B(7) },
	{ "both find a dead one",
	    { .keys = { B(1), A(9), B(7) }, .holder = B(1), .type = 5 },
	    FENCE_PREEMPT, B(1) },
	{ "all hold it, and a third comes",
	    { .keys = { B(1), A(9), B(7) }, .type = 7 }, FENCE_ALIVE, B(7) },
};

START_TEST(who_appears_lives)
{
	struct fence_view seen = view(&(struct row){ .keys = { B(1) } });
	struct fence_view v = view(&starts[_i].now);
	struct fence_step s = fence_take(&v, &seen, A(9), FENCE_LIVING);

	ck_assert_msg(s.todo == starts[_i].todo, "%s", starts[_i].why);
	ck_assert_msg(s.key == starts[_i].key, "%s", starts[_i].why);
}
END_TEST

/* The same, and B is said to be dead: then what it does does not count. */
#define C(n) ((uint64_t)0xcccccccc << 32 | (n))
#define D(n) ((uint64_t)0x11111111 << 32 | (n))
static const struct {
	const char *why;
	struct row now;
	enum fence_todo todo;
	uint64_t key;
} dead[] = {
	{ "its key moves",
	    { .keys = { A(9), B(2) }, .holder = B(2), .type = 5 },
	    FENCE_PREEMPT, B(2) },
	{ "it takes the disk again", { .keys = { B(7) } }, FENCE_REGISTER,
	    A(9) },
	{ "another comes and is quicker",
	    { .keys = { A(9), C(7) }, .holder = C(7), .type = 5 }, FENCE_ALIVE,
	    C(7) },
	{ "another comes at the same time: the lower key wins",
	    { .keys = { A(9), C(7) } }, FENCE_RESERVE, A(9) },
	{ "the higher one loses", { .keys = { A(9), D(7) } }, FENCE_ALIVE,
	    D(7) },
	{ "both find the dead one",
	    { .keys = { B(1), A(9), C(7) }, .holder = B(1), .type = 5 },
	    FENCE_PREEMPT, B(1) },
};

START_TEST(who_is_dead_loses_and_who_comes_may_win)
{
	struct fence_view seen = view(&(struct row){ .keys = { B(1) } });
	struct fence_view v = view(&dead[_i].now);
	struct fence_step s = fence_take(&v, &seen, A(9), FENCE_COMING);

	ck_assert_msg(s.todo == dead[_i].todo, "%s", dead[_i].why);
	ck_assert_msg(s.key == dead[_i].key, "%s", dead[_i].why);
}
END_TEST

START_TEST(own_sessions_are_spared)
{
	struct fence_view v = view(&(struct row){
	    .keys = { A(1), A(2), B(1) }, .holder = A(1), .type = 5 });
	struct fence_step s;

	v.keys[v.nkeys++] = A(9);
	s = fence_take(&v, &v, A(9), FENCE_SPARED);
	ck_assert_uint_eq(s.key, A(1)); /* holds it: our former session */
	obey(&v, &s, A(9));
	s = fence_take(&v, &v, A(9), FENCE_SPARED);
	ck_assert_uint_eq(s.key, B(1));
	obey(&v, &s, A(9));
	s = fence_take(&v, &v, A(9), FENCE_SPARED);
	ck_assert_int_eq(s.todo, FENCE_DONE);
	ck_assert(fence_has(&v, A(2)));
}
END_TEST

static const struct {
	const char *why;
	uint64_t before[4], after[4];
	bool moved, moved_own;
} moves[] = {
	{ "nobody", { 0 }, { 0 }, false, false },
	{ "it stands still", { B(1) }, { B(1) }, false, false },
	{ "it moves", { B(1) }, { B(2) }, true, false },
	{ "it moves backwards", { B(2) }, { B(1) }, true, false },
	{ "somebody comes", { 0 }, { B(1) }, true, false },
	{ "somebody goes", { B(1), A(1) }, { A(1) }, false, false },
	{ "order does not count", { B(1), A(1) }, { A(1), B(1) }, false,
	    false },
	{ "ours moves", { A(1), B(1) }, { A(2), B(1) }, true, true },
};

START_TEST(movement_is_life)
{
	struct row b = { .why = "" }, a = { .why = "" };
	struct fence_view before, after;

	memcpy(b.keys, moves[_i].before, sizeof(b.keys));
	memcpy(a.keys, moves[_i].after, sizeof(a.keys));
	before = view(&b);
	after = view(&a);
	ck_assert_msg(
	    fence_moved(&before, &after, US, false) == moves[_i].moved, "%s",
	    moves[_i].why);
	ck_assert_msg(
	    fence_moved(&before, &after, US, true) == moves[_i].moved_own, "%s",
	    moves[_i].why);
}
END_TEST

/* The kernel's structures and numbers; they were never run on a real disk. */
START_TEST(requests_of_the_kernel)
{
	struct fence_request r;

	fence_request(&r, FENCE_OUT_REGISTER, 1, 2, 0);
	ck_assert_uint_eq(r.number, IOC_PR_REGISTER);
	ck_assert_uint_eq(r.arg.registration.old_key, 1);
	ck_assert_uint_eq(r.arg.registration.new_key, 2);
	ck_assert_uint_eq(r.arg.registration.flags, 0);
	fence_request(&r, FENCE_OUT_REGISTER_IGNORE, 0, 2, 0);
	ck_assert_uint_eq(r.number, IOC_PR_REGISTER);
	ck_assert_uint_eq(r.arg.registration.old_key, 0);
	ck_assert_uint_eq(r.arg.registration.new_key, 2);
	ck_assert_uint_eq(r.arg.registration.flags, PR_FL_IGNORE_KEY);
	fence_request(&r, FENCE_OUT_REGISTER_IGNORE, 1, 2, 0);
	ck_assert_uint_eq(r.arg.registration.old_key, 1);
	ck_assert_uint_eq(r.arg.registration.flags, PR_FL_IGNORE_KEY);
	fence_request(&r, FENCE_OUT_RESERVE, 1, 0, 5);
	ck_assert_uint_eq(r.number, IOC_PR_RESERVE);
	ck_assert_uint_eq(r.arg.reservation.key, 1);
	ck_assert_uint_eq(r.arg.reservation.type, PR_WRITE_EXCLUSIVE_REG_ONLY);
	fence_request(&r, FENCE_OUT_RELEASE, 1, 0, 8);
	ck_assert_uint_eq(r.number, IOC_PR_RELEASE);
	ck_assert_uint_eq(r.arg.reservation.type, PR_EXCLUSIVE_ACCESS_ALL_REGS);
	fence_request(&r, FENCE_OUT_PREEMPT_ABORT, 1, 2, 5);
	ck_assert_uint_eq(r.number, IOC_PR_PREEMPT_ABORT);
	/* What is called old is sent as our own key: sd_pr_preempt(). */
	ck_assert_uint_eq(r.arg.preempt.old_key, 1);
	ck_assert_uint_eq(r.arg.preempt.new_key, 2);
	ck_assert_uint_eq(r.arg.preempt.type, PR_WRITE_EXCLUSIVE_REG_ONLY);
	fence_request(&r, FENCE_OUT_PREEMPT, 1, 2, 5);
	ck_assert_uint_eq(r.number, IOC_PR_PREEMPT);
	fence_request(&r, FENCE_OUT_CLEAR, 1, 0, 0);
	ck_assert_uint_eq(r.number, IOC_PR_CLEAR);
	ck_assert_uint_eq(r.arg.clear.key, 1);
	/* As include/uapi/linux/pr.h of Linux 7.0 gives them. */
	ck_assert_uint_eq(FENCE_READ_KEYS & 0xffffu, 'p' << 8 | 206);
	ck_assert_uint_eq(FENCE_READ_RESERVATION & 0xffffu, 'p' << 8 | 207);
}
END_TEST

static const struct {
	const char *text;
	int rc;
	uint64_t ns;
} times[] = {
	{ "0.25", 0, 250000000 },
	{ "1", 0, 1000000000 },
	{ ".5", 0, 500000000 },
	{ "3600", 0, UINT64_C(3600000000000) },
	{ "3601", -EINVAL, 0 },
	{ "-1", -EINVAL, 0 },
	{ "1s", -EINVAL, 0 },
	{ "", -EINVAL, 0 },
	{ "nan", -EINVAL, 0 },
	{ " 1", -EINVAL, 0 },
};

START_TEST(seconds_are_read)
{
	uint64_t ns = 0;

	ck_assert_int_eq(fence_conf_seconds(&ns, times[_i].text), times[_i].rc);
	ck_assert_uint_eq(ns, times[_i].ns);
}
END_TEST

static const struct {
	const char *text;
	int rc;
	uint32_t id;
} ids[] = {
	{ "1a2b3c4d", 0, 0x1a2b3c4d },
	{ "0x1A2B", 0, 0x1a2b },
	{ "00000000", -EINVAL, 0 },
	{ "0", -EINVAL, 0 },
	{ "", -EINVAL, 0 },
	{ "0x", -EINVAL, 0 },
	{ "123456789", -EINVAL, 0 },
	{ "12g4", -EINVAL, 0 },
	{ "-1", -EINVAL, 0 },
};

START_TEST(identities_are_read)
{
	uint32_t id = 0;

	ck_assert_int_eq(fence_conf_id(&id, ids[_i].text), ids[_i].rc);
	ck_assert_uint_eq(id, ids[_i].id);
}
END_TEST

static const struct {
	const char *name, *label;
} labels[] = {
	{ "/dev/sda", "/dev/sda" },
	{ "/dev/disk/by-path/a@b", "/dev/disk/by-path/a@b" },
	{ "iscsi://h/iqn.2000-01.x:t/1", "iscsi://h/iqn.2000-01.x:t/1" },
	{ "iscsi://u%p@h:3260/t/1", "iscsi://h:3260/t/1" },
	{ "iscsi://[2001:db8::1]:3260/t/1", "iscsi://[2001:db8::1]:3260/t/1" },
	{ "iscsi://u%p@[2001:db8::1]/t/1", "iscsi://[2001:db8::1]/t/1" },
	{ "iscsi://u%pass/word@h/t/1", "iscsi://h/t/1" },
	{ "iscsi://u%pass@word@h/t/1", "iscsi://h/t/1" },
	{ "iscsi://u:p@h/t/1", "iscsi://h/t/1" },
	{ "iscsi://h/t/1?target_user=u&target_password=p", "iscsi://h/t/1" },
	{ "iscsi://h/t/1?target_password=p@q", "iscsi://..." },
	{ "iscsi://u%p?q@h/t/1", "iscsi://..." },
	{ "iscsi:/u%p@h/t/1", "h/t/1" },
};

START_TEST(passwords_are_not_shown)
{
	char label[128];

	fence_conf_label(label, sizeof(label), labels[_i].name);
	ck_assert_str_eq(label, labels[_i].label);
}
END_TEST

static const struct {
	const char *a, *b;
	bool same;
} units[] = {
	{ "iscsi://h/iqn.x:t/1", "iscsi://h:3260/iqn.x:t/1", true },
	{ "iscsi://192.0.2.1/iqn.x:t/1", "iscsi://192.0.2.2/iqn.x:t/1", true },
	{ "iscsi://[2001:db8::1]/iqn.x:t/1", "iscsi://h/IQN.x:t/01", true },
	{ "iscsi://u%a/b@h/iqn.x:t/1", "iscsi://h/iqn.x:t/1?a=b", true },
	{ "iscsi://h/iqn.x:t/1", "iscsi://h/iqn.x:t/2", false },
	{ "iscsi://h/iqn.x:t/1", "iscsi://h/iqn.x:tt/1", false },
	{ "iscsi://h/iqn.x:t/1", "iscsi://h/iqn.x:t", false },
	{ "iscsi://h", "iscsi://h", false },
	{ "/dev/sda", "/dev/sda", false },
};

START_TEST(units_are_told_apart)
{
	ck_assert_int_eq(
	    fence_conf_same_unit(units[_i].a, units[_i].b), units[_i].same);
	ck_assert_int_eq(
	    fence_conf_same_unit(units[_i].b, units[_i].a), units[_i].same);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fence");
	TCase *t = tcase_create("fence");

	tcase_add_test(t, the_counter_moves_and_the_node_stays);
	add_rows(t, a_disk_is_judged, rows);
	add_rows(t, the_next_step_is_known, rows);
	add_rows(t, steps_lead_there, rows);
	add_rows(t, who_appears_lives, starts);
	add_rows(t, who_is_dead_loses_and_who_comes_may_win, dead);
	tcase_add_test(t, own_sessions_are_spared);
	add_rows(t, movement_is_life, moves);
	tcase_add_test(t, requests_of_the_kernel);
	add_rows(t, seconds_are_read, times);
	add_rows(t, identities_are_read, ids);
	add_rows(t, passwords_are_not_shown, labels);
	add_rows(t, units_are_told_apart, units);
	suite_add_tcase(s, t);
	return suite_run(s);
}
