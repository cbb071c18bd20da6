/* SPDX-License-Identifier: ISC */
/* Which state change hooks hear of next: rows of a small script. */
#include <stdio.h>
#include <string.h>

#include "../../daemon/notify_queue.h"
#include "suite.h"

/*
 * +hS	host h has changed to S (I, B, M)	~S	S was skipped by that
 * ?hS	the next turn is that of h, with S	?-	nobody has a turn
 * !h	what h was told is done			=	idle	#	not idle
 */
static const struct row {
	const char *why, *script;
} rows[] = {
	{ "nothing happens", "= ?-" },
	{ "one change", "+aB # ?aB # ?- !a = ?-" },
	{ "one at a time for each host", "+aB ?aB +aM ?- !a ?aM !a =" },
	{ "newest wins while one runs",
	    "+aB ?aB +aM +aB ~M +aM ~B !a ?aM !a =" },
	{ "newest wins while one waits", "+aB +aM ~B ?aM ?- !a =" },
	{ "the same state again is told again",
	    "+aB ?aB +aM +aB ~M !a ?aB !a" },
	{ "hosts do not wait for each other",
	    "+aB +bB ?aB ?bB +aM !b ?- # !a ?aM" },
	{ "whoever came first has the first turn",
	    "+aB +bB +cB +aM ~B ?aM ?bB ?cB" },
	{ "who has just run goes to the end",
	    "+aB ?aB +aM +bB !a ?bB ?aM !a !b =" },
	{ "a host in INIT is forgotten",
	    "+aB ?aB !a +aI ?aI !a = +aB ?aB !a =" },
	{ "INIT is followed by something", "+aI ?aI +aB !a ?aB !a =" },
};

static struct notify_queue q;
static struct notify_host *running[3];

static enum carp_state
state_of(char c)
{
	return c == 'M' ? CARP_MASTER : c == 'B' ? CARP_BACKUP : CARP_INIT;
}

static void
push(const char *step, bool skips, char skipped)
{
	struct notify_change c = { .vhid = 1 }, was;
	int rc;

	(void)snprintf(c.ifname, sizeof(c.ifname), "%c", step[1]);
	c.to = state_of(step[2]);
	rc = notify_queue_push(&q, &c, &was);
	ck_assert_int_eq(rc, skips);
	if (skips)
		ck_assert_int_eq(was.to, state_of(skipped));
}

static void
take(const char *step)
{
	struct notify_host *h = notify_queue_take(&q);

	if (step[1] == '-') {
		ck_assert_ptr_null(h);
		return;
	}
	ck_assert_ptr_nonnull(h);
	ck_assert_int_eq(h->now.ifname[0], step[1]);
	ck_assert_int_eq(h->now.to, state_of(step[2]));
	running[step[1] - 'a'] = h;
}

START_TEST(script)
{
	const char *p = rows[_i].script;

	notify_queue_init(&q);
	for (; *p != '\0'; p += strcspn(p, " ") + (strchr(p, ' ') != NULL)) {
		const char *next = strchr(p, ' ');

		switch (*p) {
		case '+':
			push(p, next != NULL && next[1] == '~',
			    next != NULL ? next[2] : '\0');
			break;
		case '?':
			take(p);
			break;
		case '!':
			notify_queue_done(&q, running[p[1] - 'a']);
			break;
		case '=':
		case '#':
			ck_assert_int_eq(notify_queue_idle(&q), *p == '=');
			break;
		default:
			break;
		}
	}
	notify_queue_clear(&q);
	ck_assert_msg(notify_queue_take(&q) == NULL, "%s", rows[_i].why);
}
END_TEST

START_TEST(number_and_interface_are_the_name)
{
	struct notify_change c = { .ifname = "eth0", .vhid = 1 }, was;

	notify_queue_init(&q);
	ck_assert_int_eq(notify_queue_push(&q, &c, &was), 0);
	c.vhid = 2;
	ck_assert_int_eq(notify_queue_push(&q, &c, &was), 0);
	c.ifname[3] = '1';
	ck_assert_int_eq(notify_queue_push(&q, &c, &was), 0);
	ck_assert_int_eq(notify_queue_push(&q, &c, &was), 1);
	notify_queue_clear(&q);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("notify_queue");
	TCase *t = tcase_create("turns");

	add_rows(t, script, rows);
	tcase_add_test(t, number_and_interface_are_the_name);
	suite_add_tcase(s, t);
	return suite_run(s);
}
