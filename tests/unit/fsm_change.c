/* SPDX-License-Identifier: ISC */
/* Configuration of a virtual host: what is refused, and change in place. */
#include <errno.h>
#include <stdlib.h>

#include "one_host.h"
#include "suite.h"

static void
change(void)
{
	ck_assert_int_eq(carp_change(h.c, &h.cfg, h.addrs, h.n, h.now), 0);
	host_collect(&h);
}

/* Members of a configuration by offset, so that rows can set them. */
#define AT(member) offsetof(struct carp_config, member)

static const struct {
	const char *why;
	size_t at;
	uint8_t value;
	int want;
} members[] = {
	{ "vhid 0 is none", AT(vhid), 0, -EINVAL },
	{ "vhid 255 is one", AT(vhid), 255, 0 },
	{ "advbase 0", AT(advbase), 0, 0 },
	{ "advbase 254", AT(advbase), 254, 0 },
	{ "advbase 255 is a bow-out", AT(advbase), 255, -EINVAL },
	{ "advskew 254", AT(advskew), 254, 0 },
	{ "advskew 255 is a bow-out", AT(advskew), 255, -EINVAL },
	{ "forms of digest: any set", AT(digests), CARP_ANY_DIGEST, 0 },
	{ "a form that nobody knows", AT(digests), 0x08, -EINVAL },
	{ "together is a switch", AT(together), 1, 0 },
	{ "and no number", AT(together), 2, -EINVAL },
	{ "a fast start takes preempt", AT(fast_start), 1, -EINVAL },
	{ "and is on or off", AT(fast_start), 2, -EINVAL },
	{ "no size", AT(size), 0, -EINVAL },
	{ "a size too small", AT(size), 8, -EINVAL },
};

START_TEST(members_are_checked)
{
	struct carp *mark = (struct carp *)&h, *c = mark;
	uint8_t before;
	int rc;

	memcpy(&before, (uint8_t *)&h.cfg + members[_i].at, 1);
	memcpy((uint8_t *)&h.cfg + members[_i].at, &members[_i].value, 1);
	rc = carp_new(&c, &h.cfg, h.addrs, h.n);
	ck_assert_msg(rc == members[_i].want, "%s: %d", members[_i].why, rc);
	if (rc == 0)
		carp_free(c);
	else
		ck_assert_msg(c == mark, "%s: untouched", members[_i].why);

	/* The same for a change, which then changes nothing. */
	if (rc != 0) {
		struct carp_info one, two;
		struct carp_config bad = h.cfg;

		memcpy((uint8_t *)&h.cfg + members[_i].at, &before, 1);
		become(CARP_MASTER);
		host_info(&h, &one);
		ck_assert_int_eq(
		    carp_change(h.c, &bad, h.addrs, h.n, h.now), rc);
		host_collect(&h);
		ck_assert_uint_eq(h.nact, 0);
		host_info(&h, &two);
		ck_assert_mem_eq(&one, &two, sizeof(one));
	}
}
END_TEST

START_TEST(a_larger_size_is_for_zeros_only)
{
	struct {
		struct carp_config cfg;
		uint8_t more[16];
	} big;

	memset(&big, 0, sizeof(big));
	big.cfg = h.cfg;
	big.cfg.size = sizeof(big);
	ck_assert_int_eq(carp_new(&h.c, &big.cfg, h.addrs, h.n), 0);
	host_free(&h);
	big.more[15] = 1;
	ck_assert_int_eq(carp_new(&h.c, &big.cfg, h.addrs, h.n), -E2BIG);
	ck_assert_ptr_null(h.c);
}
END_TEST

START_TEST(null_is_refused_or_harmless)
{
	carp_free(NULL);
	ck_assert_int_eq(carp_new(&h.c, NULL, h.addrs, h.n), -EINVAL);
	ck_assert_int_eq(carp_new(&h.c, &h.cfg, NULL, 1), -EINVAL);
	ck_assert_int_eq(carp_new(&h.c, &h.cfg, NULL, 0), 0);
	ck_assert_int_eq(carp_change(h.c, NULL, h.addrs, h.n, h.now), -EINVAL);
	ck_assert_int_eq(carp_change(h.c, &h.cfg, NULL, 1, h.now), -EINVAL);
}
END_TEST

START_TEST(an_address_without_family_is_refused)
{
	h.addrs[0].family = 5;
	ck_assert_int_eq(carp_new(&h.c, &h.cfg, h.addrs, 1), -EINVAL);
	ck_assert_ptr_null(h.c);
}
END_TEST

START_TEST(the_vhid_cannot_change)
{
	become(CARP_BACKUP);
	h.cfg.vhid++;
	ck_assert_int_eq(
	    carp_change(h.c, &h.cfg, h.addrs, h.n, h.now), -EINVAL);
}
END_TEST

START_TEST(a_change_keeps_the_state_and_is_silent)
{
	enum carp_state state = (enum carp_state)_i;

	become(state);
	h.now += 100 * MS;
	change();
	ck_assert_uint_eq(h.nact, 0);
	h.cfg.advskew = 77;
	h.cfg.preempt = true;
	h.cfg.key[0] ^= 1;
	host_addrs(&h, "192.0.2.1", "192.0.2.2");
	change();
	ck_assert_uint_eq(h.nact, 0);
	ck_assert_int_eq(carp_state(h.c), state);
}
END_TEST

START_TEST(an_empty_change_moves_no_deadline)
{
	uint64_t deadline;

	become(_i == 0 ? CARP_BACKUP : CARP_MASTER);
	deadline = carp_deadline(h.c);
	h.now += 100 * MS;
	change();
	ck_assert_uint_eq(carp_deadline(h.c), deadline);
}
END_TEST

START_TEST(a_faster_interval_holds_at_once)
{
	h.cfg.advbase = 60;
	become(_i == 0 ? CARP_BACKUP : CARP_MASTER);
	h.now += 100 * MS;
	h.cfg.advbase = 1;
	change();
	ck_assert_uint_le(
	    carp_deadline(h.c), h.now + (_i == 0 ? 3 : 1) * CARP_SEC);
}
END_TEST

START_TEST(new_values_are_sent_with_the_next_advertisement)
{
	struct carp_packet p;

	become(CARP_MASTER);
	h.cfg.advskew = 77;
	host_addrs(&h, "192.0.2.1", "192.0.2.2");
	change();
	host_until_deadline(&h);
	host_advert(&h, &p, 0); /* checks the digest over both */
	ck_assert_uint_eq(p.advskew, 77);
}
END_TEST

START_TEST(a_family_that_is_added_is_spoken)
{
	h.cfg.grace = 1; /* none */
	become(CARP_MASTER);
	h.now += 100 * MS;
	host_addrs(&h, "192.0.2.1", "2001:db8::1");
	change();
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
	ck_assert_uint_ge(host_count(&h, CARP_DO_SEND), 1);
	host_until_deadline(&h);
	ck_assert_uint_eq(host_count(&h, CARP_DO_SEND), 2);
	host_addrs(&h, "2001:db8::1", NULL);
	change();
	ck_assert_uint_eq(h.nact, 0);
	host_until_deadline(&h);
	ck_assert_uint_eq(host_count(&h, CARP_DO_SEND), 1);
	ck_assert_uint_eq(host_find(&h, CARP_DO_SEND)->family, 6);
}
END_TEST

START_TEST(strictly_an_added_family_gets_its_time)
{
	h.cfg.strict_family = true;
	become(CARP_BACKUP);
	for (int i = 0; i < 20; i++) {
		host_wait(&h, CARP_SEC);
		host_hear(&h, 1, 0);
	}
	host_addrs(&h, "192.0.2.1", "2001:db8::1");
	change();
	ck_assert_uint_ge(carp_deadline(h.c), h.now + 3 * CARP_SEC);
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
}
END_TEST

START_TEST(the_first_address_starts_and_the_last_one_stops)
{
	h.n = 0;
	host_new(&h);
	host_link(&h, true);
	ck_assert_int_eq(carp_state(h.c), CARP_INIT);
	host_addrs(&h, "192.0.2.1", NULL);
	change();
	host_changed(&h, "first", CARP_INIT, CARP_BACKUP, CARP_CAUSE_LINK_UP);
	host_until_deadline(&h);
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
	h.n = 0;
	change();
	ck_assert_int_eq(carp_state(h.c), CARP_INIT);
	ck_assert_uint_eq(carp_deadline(h.c), CARP_NEVER);
}
END_TEST

START_TEST(an_address_does_not_start_what_is_down)
{
	h.n = 0;
	host_new(&h);
	if (_i == 1) {
		host_link(&h, true);
		host_link(&h, false);
	}
	host_addrs(&h, "192.0.2.1", NULL);
	change();
	ck_assert_uint_eq(h.nact, 0);
	ck_assert_int_eq(carp_state(h.c), CARP_INIT);
}
END_TEST

/*
 * Grace.  `what` changes: 1 the key, 2 the addresses, 3 both.
 */
static const struct {
	uint64_t grace, limit;
} graces[] = {
	{ 0, 60 * CARP_SEC },
	{ 5 * CARP_SEC, 5 * CARP_SEC },
	{ 1, 1 },
};

START_TEST(what_was_valid_stays_so_for_a_while)
{
	for (int what = 1; what <= 3; what++) {
		struct host old;
		struct carp_packet p;

		host_defaults(&h);
		h.cfg.grace = graces[_i].grace;
		become(CARP_BACKUP);
		old = h;
		if (what & 1)
			h.cfg.key[0] ^= 1;
		if (what & 2)
			host_addrs(&h, "192.0.2.1", "192.0.2.2");
		change();
		/* Old and new are good now, */
		host_peer(&old, &p, (struct said){ .base = 1 });
		ck_assert_int_eq(host_packet(&h, &p), CARP_OK);
		host_hear(&h, 1, 0);
		/* to the end of the grace, */
		h.now += graces[_i].limit - 1;
		host_peer(&old, &p, (struct said){ .base = 1 });
		ck_assert_int_eq(host_packet(&h, &p), CARP_OK);
		/* and then only the new. */
		h.now += 2;
		host_peer(&old, &p, (struct said){ .base = 1 });
		ck_assert_int_eq(host_packet(&h, &p), CARP_BADAUTH);
		host_hear(&h, 1, 0);
		host_free(&h);
	}
}
END_TEST

START_TEST(a_change_of_other_things_does_not_end_the_grace)
{
	struct host old;
	struct carp_packet p;

	become(CARP_BACKUP);
	old = h;
	host_addrs(&h, "192.0.2.1", "192.0.2.2");
	change();
	h.cfg.advskew = 5;
	h.now += CARP_SEC;
	change();
	host_peer(&old, &p, (struct said){ .base = 1 });
	ck_assert_int_eq(host_packet(&h, &p), CARP_OK);
}
END_TEST

START_TEST(never_valid_before_is_never_valid)
{
	struct host other;
	struct carp_packet p;

	become(CARP_BACKUP);
	other = h;
	other.cfg.key[3] ^= 4;
	host_addrs(&h, "192.0.2.1", "192.0.2.2");
	change();
	host_peer(&other, &p, (struct said){ .base = 1 });
	ck_assert_int_eq(host_packet(&h, &p), CARP_BADAUTH);
}
END_TEST

/*
 * Two nodes are edited one after the other, the master first.  The other one
 * does not know the new list yet: it must hear the master all the same.
 */
START_TEST(the_master_may_be_edited_first)
{
	struct host backup;
	struct carp_packet p;
	unsigned heard = 0;

	become(CARP_MASTER);
	backup = h;
	backup.cfg.counter++;
	backup.cfg.advskew = 100;
	host_new(&backup);
	host_become(&backup, CARP_BACKUP);
	host_addrs(&h, "192.0.2.1", "192.0.2.2");
	change();
	for (int i = 0; i < 20; i++) {
		host_until_deadline(&h);
		backup.now = h.now;
		for (unsigned k = 0; k < h.nact; k++) {
			uint8_t ip[CARP_IP_MAX];
			struct carp_addr to = carp_group(4);

			if (h.act[k].what != CARP_DO_SEND)
				continue;
			carp_decode(&p, ip,
			    carp_ip_encode(
				ip, &h.addrs[0], &to, h.act[k].advert));
			heard += host_packet(&backup, &p) == CARP_OK;
		}
	}
	ck_assert_msg(heard == 20, "the backup heard %u of 20", heard);
	ck_assert_int_eq(carp_state(backup.c), CARP_BACKUP);
	host_free(&backup);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fsm_change");
	TCase *t = tcase_create("change");

	tcase_add_checked_fixture(t, setup, teardown);
	add_rows(t, members_are_checked, members);
	tcase_add_test(t, a_larger_size_is_for_zeros_only);
	tcase_add_test(t, null_is_refused_or_harmless);
	tcase_add_test(t, an_address_without_family_is_refused);
	tcase_add_test(t, the_vhid_cannot_change);
	tcase_add_loop_test(t, a_change_keeps_the_state_and_is_silent, 0, 3);
	tcase_add_loop_test(t, an_empty_change_moves_no_deadline, 0, 2);
	tcase_add_loop_test(t, a_faster_interval_holds_at_once, 0, 2);
	tcase_add_test(t, new_values_are_sent_with_the_next_advertisement);
	tcase_add_test(t, a_family_that_is_added_is_spoken);
	tcase_add_test(t, strictly_an_added_family_gets_its_time);
	tcase_add_test(t, the_first_address_starts_and_the_last_one_stops);
	tcase_add_loop_test(t, an_address_does_not_start_what_is_down, 0, 2);
	add_rows(t, what_was_valid_stays_so_for_a_while, graces);
	tcase_add_test(t, a_change_of_other_things_does_not_end_the_grace);
	tcase_add_test(t, never_valid_before_is_never_valid);
	tcase_add_test(t, the_master_may_be_edited_first);
	suite_add_tcase(s, t);
	return suite_run(s);
}
