/* SPDX-License-Identifier: ISC */
/* Failover groups: who votes, who has won, who has lost. */
#include "group.h"
#include "suite.h"

#define M    CARP_MASTER, CARP_CAUSE_SILENCE, false
#define MB   CARP_MASTER, CARP_CAUSE_BOWOUT, false
#define MS   CARP_MASTER, CARP_CAUSE_SLOWER, false
#define B    CARP_BACKUP, CARP_CAUSE_LINK_UP, false
#define BH   CARP_BACKUP, CARP_CAUSE_LINK_UP, true
#define BY   CARP_BACKUP, CARP_CAUSE_FASTER, false
#define DOWN CARP_INIT, CARP_CAUSE_LINK_DOWN, false

static const struct row {
	const char *why;
	struct group_member m[4];
	size_t n;
	enum group_view want;
	bool passive, slower, lost;
} rows[] = {
	{ "nobody", { { 0 } }, 0, VIEW_NONE, false, false, false },
	{ "one waits", { { 1, true, B } }, 1, VIEW_WAITING, false, false,
	    false },
	{ "one has won", { { 1, true, M } }, 1, VIEW_WON, false, false, false },
	{ "by a bow-out", { { 1, true, MB } }, 1, VIEW_WON, true, false,
	    false },
	{ "by a bow-out and by silence: not sure",
	    { { 1, true, MB }, { 2, true, M } }, 2, VIEW_WON, false, false,
	    false },
	{ "from a slower one", { { 1, true, MS } }, 1, VIEW_WON, false, true,
	    false },
	{ "from a slower one, in a part", { { 1, true, MS }, { 2, true, BH } },
	    2, VIEW_PEER, false, false, false },
	{ "another is heard", { { 1, true, BH } }, 1, VIEW_PEER, false, false,
	    false },
	{ "it was yielded to", { { 1, true, BY } }, 1, VIEW_PEER, false, false,
	    false },
	{ "no link", { { 1, false, DOWN } }, 1, VIEW_LINK, false, false, true },
	{ "one without a link does not vote",
	    { { 1, true, M }, { 1, false, DOWN } }, 2, VIEW_WON, false, false,
	    false },
	{ "nor a group without links", { { 1, true, M }, { 2, false, DOWN } },
	    2, VIEW_WON, false, false, true },
	{ "an alternative that another holds is no loss",
	    { { 1, true, M }, { 1, true, BH } }, 2, VIEW_HELD, false, false,
	    false },
	{ "a whole group is", { { 1, true, M }, { 2, true, BH } }, 2, VIEW_PEER,
	    false, false, false },
	{ "all links are away", { { 1, false, DOWN }, { 2, false, DOWN } }, 2,
	    VIEW_LINK, false, false, true },
	{ "one group waits while another has won",
	    { { 1, true, M }, { 2, true, B } }, 2, VIEW_HELD, false, false,
	    false },
	{ "members need not stand together",
	    { { 1, true, M }, { 2, true, BH }, { 1, true, M }, { 2, true, M } },
	    4, VIEW_HELD, false, false, false },
	{ "all of two groups",
	    { { 1, true, M }, { 2, true, M }, { 1, true, M }, { 2, true, M } },
	    4, VIEW_WON, false, false, false },
};

START_TEST(views)
{
	const struct row *r = &rows[_i];
	struct group_result got = group_view(r->m, r->n);

	ck_assert_msg(
	    got.view == r->want, "%s: %s", r->why, group_view_name(got.view));
	ck_assert_msg(got.passive == r->passive, "%s: passive", r->why);
	ck_assert_msg(got.slower == r->slower, "%s: slower", r->why);
	ck_assert_msg(got.lost == r->lost, "%s: lost", r->why);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("group");
	TCase *t = tcase_create("group");

	add_rows(t, views, rows);
	suite_add_tcase(s, t);
	return suite_run(s);
}
