/* SPDX-License-Identifier: ISC */
/* The election: what each event does in each state. */
#include <errno.h>

#include "one_host.h"
#include "suite.h"

/*
 * An advertisement is heard.
 */
static const struct {
	const char *why;
	uint8_t base, skew; /* ours */
	bool preempt;
	enum carp_state state;
	uint8_t pbase, pskew; /* the peer's */
	enum carp_state want;
	enum carp_cause cause; /* if the state changes */
} heard[] = {
	{ "INIT ignores a faster one", 1, 100, true, CARP_INIT, 1, 0, CARP_INIT,
	    0 },
	{ "INIT ignores a slower one", 1, 100, true, CARP_INIT, 1, 200,
	    CARP_INIT, 0 },
	{ "INIT ignores a bow-out", 1, 100, true, CARP_INIT, 255, 255,
	    CARP_INIT, 0 },

	{ "a master yields to a faster one", 1, 100, false, CARP_MASTER, 1, 99,
	    CARP_BACKUP, CARP_CAUSE_FASTER },
	{ "a master yields to a faster one also with preempt", 1, 100, true,
	    CARP_MASTER, 1, 99, CARP_BACKUP, CARP_CAUSE_FASTER },
	{ "the first of an equal one is contested", 1, 100, false, CARP_MASTER,
	    1, 100, CARP_MASTER, 0 },
	{ "the first of an equal one is contested also with preempt", 1, 100,
	    true, CARP_MASTER, 1, 100, CARP_MASTER, 0 },
	{ "a slower one by one step is ignored", 1, 100, false, CARP_MASTER, 1,
	    101, CARP_MASTER, 0 },
	{ "the base weighs more than the skew", 1, 254, false, CARP_MASTER, 2,
	    0, CARP_MASTER, 0 },
	{ "a smaller base wins over any skew", 2, 0, false, CARP_MASTER, 1, 254,
	    CARP_BACKUP, CARP_CAUSE_FASTER },
	{ "a base of 0 is the fastest", 1, 0, false, CARP_MASTER, 0, 254,
	    CARP_BACKUP, CARP_CAUSE_FASTER },
	{ "0/0 is not beaten by 0/1", 0, 0, false, CARP_MASTER, 0, 1,
	    CARP_MASTER, 0 },
	{ "0/1 is beaten by 0/0", 0, 1, false, CARP_MASTER, 0, 0, CARP_BACKUP,
	    CARP_CAUSE_FASTER },
	{ "two of 0/0 are equal", 0, 0, false, CARP_MASTER, 0, 0, CARP_MASTER,
	    0 },
	{ "a skew of 255, as ucarp may send, is slower than 254", 1, 254, false,
	    CARP_MASTER, 1, 255, CARP_MASTER, 0 },
	{ "a master ignores a bow-out", 1, 0, false, CARP_MASTER, 255, 255,
	    CARP_MASTER, 0 },
	{ "a slow master ignores a bow-out", 254, 254, false, CARP_MASTER, 255,
	    255, CARP_MASTER, 0 },
	{ "a master with preempt ignores a bow-out", 1, 0, true, CARP_MASTER,
	    255, 255, CARP_MASTER, 0 },

	{ "a backup waits for a faster one", 1, 100, false, CARP_BACKUP, 1, 0,
	    CARP_BACKUP, 0 },
	{ "a backup with preempt waits for a faster one", 1, 100, true,
	    CARP_BACKUP, 1, 99, CARP_BACKUP, 0 },
	{ "a backup with preempt waits for an equal one", 1, 100, true,
	    CARP_BACKUP, 1, 100, CARP_BACKUP, 0 },
	{ "a backup with preempt takes over from a slower one", 1, 100, true,
	    CARP_BACKUP, 1, 101, CARP_MASTER, CARP_CAUSE_SLOWER },
	{ "a backup without preempt leaves a slower one", 1, 0, false,
	    CARP_BACKUP, 1, 254, CARP_BACKUP, 0 },
	{ "a slower base is left too", 1, 0, false, CARP_BACKUP, 2, 254,
	    CARP_BACKUP, 0 },
	{ "a backup takes over at once from one that leaves", 1, 100, false,
	    CARP_BACKUP, 255, 255, CARP_MASTER, CARP_CAUSE_BOWOUT },
	{ "with preempt the cause is the bow-out too", 1, 100, true,
	    CARP_BACKUP, 255, 255, CARP_MASTER, CARP_CAUSE_BOWOUT },
	{ "a bow-out is honoured with base 0", 0, 100, false, CARP_BACKUP, 255,
	    255, CARP_MASTER, CARP_CAUSE_BOWOUT },
	{ "a bow-out is honoured with base 85", 85, 0, false, CARP_BACKUP, 255,
	    255, CARP_MASTER, CARP_CAUSE_BOWOUT },
	{ "a bow-out is honoured with base 86", 86, 0, false, CARP_BACKUP, 255,
	    255, CARP_MASTER, CARP_CAUSE_BOWOUT },
	{ "a bow-out is honoured with base 254", 254, 254, false, CARP_BACKUP,
	    255, 255, CARP_MASTER, CARP_CAUSE_BOWOUT },

	{ "one just within our time-out is waited for (NetBSD: 99)", 1, 100,
	    false, CARP_BACKUP, 3, 99, CARP_BACKUP, 0 },
	{ "one exactly at our time-out is waited for (NetBSD: 100)", 1, 100,
	    false, CARP_BACKUP, 3, 100, CARP_BACKUP, 0 },
	{ "one that sends too seldom fades (NetBSD: 101)", 1, 100, false,
	    CARP_BACKUP, 3, 101, CARP_MASTER, CARP_CAUSE_FADING },
	{ "fading, by far", 1, 0, false, CARP_BACKUP, 4, 0, CARP_MASTER,
	    CARP_CAUSE_FADING },
	{ "255/254 is no bow-out, it fades", 1, 0, false, CARP_BACKUP, 255, 254,
	    CARP_MASTER, CARP_CAUSE_FADING },
	{ "with base 0 nothing fades (OpenBSD)", 0, 10, false, CARP_BACKUP, 1,
	    0, CARP_BACKUP, 0 },
	{ "with base 0 and preempt a slower one is slower", 0, 10, true,
	    CARP_BACKUP, 1, 0, CARP_MASTER, CARP_CAUSE_SLOWER },
};

START_TEST(an_advertisement_is_heard)
{
	start(
	    heard[_i].base, heard[_i].skew, heard[_i].preempt, heard[_i].state);
	h.now += MS;
	host_hear(&h, heard[_i].pbase, heard[_i].pskew);
	host_changed(&h, heard[_i].why, heard[_i].state, heard[_i].want,
	    heard[_i].cause);
	/* Whoever yields or waits is quiet. */
	if (heard[_i].want != CARP_MASTER)
		ck_assert_uint_eq(
		    h.nact, heard[_i].want == heard[_i].state ? 0 : 1);
}
END_TEST

/*
 * With OpenBSD peers their byte is obeyed.
 */
static const struct {
	const char *why;
	bool openbsd, preempt;
	enum carp_state state;
	int demotion; /* ours; our skew is 100 */
	uint8_t pskew, pdemote;
	enum carp_state want;
	enum carp_cause cause;
} demoted[] = {
	{ "the byte of others is not looked at", false, false, CARP_BACKUP, 0,
	    0, 5, CARP_BACKUP, 0 },
	{ "nor by a master", false, false, CARP_MASTER, 0, 0, 5, CARP_BACKUP,
	    CARP_CAUSE_FASTER },
	{ "a backup takes over from a more demoted one, without preempt", true,
	    false, CARP_BACKUP, 0, 0, 1, CARP_MASTER, CARP_CAUSE_DEMOTED },
	{ "a backup that is demoted itself waits", true, false, CARP_BACKUP, 5,
	    0, 5, CARP_BACKUP, 0 },
	{ "preempt does not help a more demoted backup", true, true,
	    CARP_BACKUP, 6, 200, 5, CARP_BACKUP, 0 },
	{ "preempt among equally demoted", true, true, CARP_BACKUP, 5, 200, 5,
	    CARP_MASTER, CARP_CAUSE_SLOWER },
	{ "a master yields to a less demoted slower one", true, false,
	    CARP_MASTER, 1, 254, 0, CARP_BACKUP, CARP_CAUSE_DEMOTED },
	{ "a master stays against a faster, more demoted one", true, false,
	    CARP_MASTER, 0, 0, 1, CARP_MASTER, 0 },
	{ "a master yields to a faster, equally demoted one", true, false,
	    CARP_MASTER, 3, 0, 3, CARP_BACKUP, CARP_CAUSE_FASTER },
	{ "the first of an equal, equally demoted one is contested", true,
	    false, CARP_MASTER, 3, 103, 3, CARP_MASTER, 0 },
	{ "a master stays against a slower, equally demoted one", true, false,
	    CARP_MASTER, 3, 200, 3, CARP_MASTER, 0 },
	{ "the byte ends at 255: ours beyond is no more demoted", true, false,
	    CARP_BACKUP, 300, 0, 255, CARP_BACKUP, 0 },
	{ "a negative demotion counts as none", true, false, CARP_BACKUP, -5, 0,
	    0, CARP_BACKUP, 0 },
};

START_TEST(the_demotion_of_openbsd_is_heard)
{
	h.cfg.openbsd = demoted[_i].openbsd;
	start(1, 100, demoted[_i].preempt, demoted[_i].state);
	h.now += MS;
	host_demote(&h, demoted[_i].demotion);
	host_said(&h, (struct said){ .base = 1,
			  .skew = demoted[_i].pskew,
			  .demote = demoted[_i].pdemote });
	host_changed(&h, demoted[_i].why, demoted[_i].state, demoted[_i].want,
	    demoted[_i].cause);
}
END_TEST

START_TEST(a_demoted_master_does_not_yield_to_a_leaver)
{
	h.cfg.openbsd = true;
	start(1, 0, false, CARP_MASTER);
	host_demote(&h, 50);
	host_said(&h, (struct said){ .base = 255, .skew = 255 });
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
}
END_TEST

/*
 * Other events.
 */
START_TEST(a_new_host_does_nothing)
{
	host_new(&h);
	host_collect(&h);
	ck_assert_uint_eq(h.nact, 0);
	ck_assert_int_eq(carp_state(h.c), CARP_INIT);
	ck_assert_uint_eq(carp_deadline(h.c), CARP_NEVER);
	h.now += 3600 * CARP_SEC;
	host_timer(&h);
	ck_assert_uint_eq(h.nact, 0);
	ck_assert_int_eq(host_force(&h, CARP_MASTER), -ENETDOWN);
	ck_assert_int_eq(host_force(&h, CARP_BACKUP), -ENETDOWN);
	host_stop(&h);
	ck_assert_uint_eq(h.nact, 0);
	host_link(&h, false);
	ck_assert_uint_eq(h.nact, 0);
	ck_assert_int_eq(carp_state(h.c), CARP_INIT);
}
END_TEST

START_TEST(a_link_starts_the_election_as_backup)
{
	h.cfg.preempt = true;
	host_new(&h);
	host_link(&h, true);
	host_changed(&h, "link", CARP_INIT, CARP_BACKUP, CARP_CAUSE_LINK_UP);
	ck_assert_uint_eq(h.nact, 1);
	h.now += MS;
	host_link(&h, true);
	ck_assert_uint_eq(h.nact, 0);
	ck_assert_uint_eq(carp_deadline(h.c), h.now - MS + 3 * CARP_SEC);
}
END_TEST

START_TEST(without_an_address_it_stays_in_init)
{
	h.n = 0;
	host_new(&h);
	host_link(&h, true);
	ck_assert_uint_eq(h.nact, 0);
	ck_assert_int_eq(carp_state(h.c), CARP_INIT);
	ck_assert_uint_eq(carp_deadline(h.c), CARP_NEVER);
}
END_TEST

START_TEST(silence_makes_a_master)
{
	struct carp_packet p;

	start(1, 0, false, CARP_BACKUP);
	host_until_deadline(&h);
	host_changed(
	    &h, "silence", CARP_BACKUP, CARP_MASTER, CARP_CAUSE_SILENCE);
	/* The address first, then the others hear of it. */
	ck_assert_uint_eq(h.nact, 3);
	ck_assert_int_eq(h.act[0].what, CARP_DO_STATE);
	ck_assert_int_eq(h.act[1].what, CARP_DO_ANNOUNCE);
	ck_assert_int_eq(h.act[2].what, CARP_DO_SEND);
	host_advert(&h, &p, 0);
	ck_assert_uint_eq(p.advbase, 1);
	ck_assert_uint_eq(p.advskew, 0);
}
END_TEST

START_TEST(a_lost_link_is_silent)
{
	start(1, 0, false, _i == 0 ? CARP_BACKUP : CARP_MASTER);
	h.now += MS;
	host_link(&h, false);
	host_changed(&h, "link down", _i == 0 ? CARP_BACKUP : CARP_MASTER,
	    CARP_INIT, CARP_CAUSE_LINK_DOWN);
	ck_assert_uint_eq(h.nact, 1);
	ck_assert_uint_eq(carp_deadline(h.c), CARP_NEVER);
	h.now += MS;
	host_hear(&h, 1, 0);
	host_timer(&h);
	ck_assert_int_eq(carp_state(h.c), CARP_INIT);
	host_link(&h, true);
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
	ck_assert_uint_eq(carp_deadline(h.c), h.now + 3 * CARP_SEC);
}
END_TEST

START_TEST(a_master_that_stops_bows_out)
{
	struct carp_packet p;

	host_addrs(&h, "192.0.2.1", "2001:db8::1");
	start(1, 7, false, CARP_MASTER);
	h.now += MS;
	host_stop(&h);
	host_changed(&h, "stop", CARP_MASTER, CARP_INIT, CARP_CAUSE_STOPPED);
	ck_assert_uint_eq(host_count(&h, CARP_DO_SEND), 2);
	ck_assert_uint_eq(host_count(&h, CARP_DO_ANNOUNCE), 0);
	for (unsigned i = 0; i < 2; i++) {
		host_advert(&h, &p, i);
		ck_assert(carp_packet_is_bowout(&p));
	}
	ck_assert_uint_eq(carp_deadline(h.c), CARP_NEVER);
	host_wait(&h, 100 * CARP_SEC);
	ck_assert_uint_eq(h.nact, 0);
	host_link(&h, true);
	ck_assert_int_eq(carp_state(h.c), CARP_BACKUP);
}
END_TEST

START_TEST(a_backup_that_stops_is_silent)
{
	start(1, 0, false, CARP_BACKUP);
	host_stop(&h);
	host_changed(&h, "stop", CARP_BACKUP, CARP_INIT, CARP_CAUSE_STOPPED);
	ck_assert_uint_eq(h.nact, 1);
}
END_TEST

START_TEST(an_order_makes_a_master)
{
	start(1, 0, false, CARP_BACKUP);
	h.now += MS;
	ck_assert_int_eq(host_force(&h, CARP_MASTER), 0);
	host_changed(&h, "force", CARP_BACKUP, CARP_MASTER, CARP_CAUSE_FORCED);
	ck_assert_uint_eq(host_count(&h, CARP_DO_SEND), 1);
	ck_assert_uint_eq(host_count(&h, CARP_DO_ANNOUNCE), 1);
	h.now += MS;
	ck_assert_int_eq(host_force(&h, CARP_MASTER), 0);
	host_changed(&h, "again", CARP_MASTER, CARP_MASTER, 0);
	/* FreeBSD's test "switch": this must not crash a lone node. */
	ck_assert_int_eq(host_force(&h, CARP_BACKUP), 0);
	ck_assert_int_eq(host_force(&h, CARP_MASTER), 0);
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
}
END_TEST

START_TEST(an_order_makes_a_backup_that_said_goodbye)
{
	start(1, 10, false, CARP_MASTER);
	h.now += MS;
	ck_assert_int_eq(host_force(&h, CARP_BACKUP), 0);
	host_changed(&h, "force", CARP_MASTER, CARP_BACKUP, CARP_CAUSE_FORCED);
	ck_assert_uint_eq(host_count(&h, CARP_DO_SEND), 1);
	ck_assert(host_find(&h, CARP_DO_SEND)->bowout);
	ck_assert_uint_eq(
	    carp_deadline(h.c), h.now + 3 * CARP_SEC + 10 * CARP_SEC / 256);
	/* Alone, it comes back by itself. */
	host_until_deadline(&h);
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
}
END_TEST

START_TEST(a_successor_goes_on)
{
	start(1, 0, false, CARP_BACKUP);
	h.now += MS;
	ck_assert_int_eq(carp_resume(h.c, true, h.now), 0);
	host_collect(&h);
	host_changed(
	    &h, "resume", CARP_BACKUP, CARP_MASTER, CARP_CAUSE_RESUMED);
	ck_assert_uint_eq(host_count(&h, CARP_DO_SEND), 1);
	ck_assert(!host_find(&h, CARP_DO_SEND)->bowout);
	ck_assert_uint_eq(host_count(&h, CARP_DO_ANNOUNCE), 1);
	ck_assert_int_eq(carp_resume(h.c, true, h.now), 0);
	host_collect(&h);
	ck_assert_uint_eq(h.nact, 0);
}
END_TEST

START_TEST(a_successor_says_goodbye_for_the_former_one)
{
	start(1, 0, false, CARP_BACKUP);
	h.now += MS;
	ck_assert_int_eq(carp_resume(h.c, false, h.now), 0);
	host_collect(&h);
	host_changed(&h, "bow-out", CARP_BACKUP, CARP_BACKUP, 0);
	ck_assert_uint_eq(h.nact, 1);
	ck_assert(h.act[0].what == CARP_DO_SEND && h.act[0].bowout);
	ck_assert_uint_eq(carp_deadline(h.c), h.now + 3 * CARP_SEC);
}
END_TEST

START_TEST(nothing_is_resumed_in_init)
{
	host_new(&h);
	ck_assert_int_eq(carp_resume(h.c, _i == 0, h.now), 0);
	host_collect(&h);
	ck_assert_uint_eq(h.nact, 0);
	ck_assert_int_eq(carp_state(h.c), CARP_INIT);
}
END_TEST

START_TEST(other_states_cannot_be_ordered)
{
	start(1, 0, false, CARP_MASTER);
	ck_assert_int_eq(host_force(&h, CARP_INIT), -EINVAL);
	ck_assert_int_eq(host_force(&h, (enum carp_state)7), -EINVAL);
	ck_assert_int_eq(carp_state(h.c), CARP_MASTER);
}
END_TEST

START_TEST(a_mixed_host_speaks_both_families)
{
	struct carp_packet p;
	struct carp_info info;

	host_addrs(&h, "192.0.2.1", "2001:db8::1");
	start(1, 0, false, CARP_MASTER);
	ck_assert_uint_eq(host_count(&h, CARP_DO_SEND), 2);
	host_advert(&h, &p, 0);
	ck_assert_uint_eq(p.dst.family, 4);
	host_advert(&h, &p, 1);
	ck_assert_uint_eq(p.dst.family, 6);
	host_info(&h, &info);
	ck_assert_uint_eq(info.families, 3);
	ck_assert_uint_eq(info.stats.opackets, 1);
	ck_assert_uint_eq(info.stats.opackets6, 1);
	host_until_deadline(&h);
	ck_assert_uint_eq(host_count(&h, CARP_DO_SEND), 2);
}
END_TEST

START_TEST(what_was_heard_is_known)
{
	struct carp_info info;

	start(1, 100, false, CARP_BACKUP);
	host_info(&h, &info);
	ck_assert(!info.heard);
	h.now += MS;
	host_said(&h, (struct said){ .base = 1, .skew = 3, .demote = 9 });
	host_info(&h, &info);
	ck_assert(info.heard);
	ck_assert_uint_eq(info.peer.advskew, 3);
	ck_assert_uint_eq(info.peer.demote, 9);
	ck_assert_uint_eq(info.peer_at, h.now);
	ck_assert_uint_eq(info.stats.ipackets, 1);
	ck_assert_uint_eq(info.stats.drops[CARP_OK], 1);
	host_said(&h, (struct said){ .base = 1, .skew = 3, .family = 6 });
	host_info(&h, &info);
	ck_assert_uint_eq(info.stats.ipackets6, 1);
}
END_TEST

START_TEST(becoming_master_is_counted)
{
	struct carp_info info;

	start(1, 100, false, CARP_MASTER);
	h.now += MS;
	host_hear(&h, 1, 0);
	host_until_deadline(&h);
	host_info(&h, &info);
	ck_assert_uint_eq(info.stats.preempt, 2);
	ck_assert_int_eq(info.state, CARP_MASTER);
}
END_TEST

START_TEST(nothing_happens_while_actions_wait)
{
	struct carp_info before, after;
	enum carp_verdict verdict = CARP_NVERDICTS;
	struct carp_packet p;

	start(1, 100, false, CARP_BACKUP);
	host_peer(&h, &p, (struct said){ .base = 1, .skew = 0 });
	h.now = carp_deadline(h.c);
	ck_assert_int_eq(carp_timer(h.c, h.now), 0);
	ck_assert(carp_next(h.c, &h.act[0]));
	host_info(&h, &before);
	ck_assert_int_eq(carp_link(h.c, false, h.now), -EBUSY);
	ck_assert_int_eq(carp_timer(h.c, h.now), -EBUSY);
	ck_assert_int_eq(carp_packet(h.c, &p, &verdict, h.now), -EBUSY);
	ck_assert_int_eq(verdict, CARP_NVERDICTS);
	ck_assert_int_eq(carp_demote(h.c, 7, h.now), -EBUSY);
	ck_assert_int_eq(carp_force(h.c, CARP_BACKUP, h.now), -EBUSY);
	ck_assert_int_eq(carp_resume(h.c, true, h.now), -EBUSY);
	ck_assert_int_eq(carp_standby(h.c, true, h.now), -EBUSY);
	ck_assert_int_eq(carp_stop(h.c, h.now), -EBUSY);
	ck_assert_int_eq(carp_change(h.c, &h.cfg, h.addrs, h.n, h.now), -EBUSY);
	host_info(&h, &after);
	ck_assert_mem_eq(&before, &after, sizeof(before));
	host_collect(&h);
	ck_assert_uint_eq(h.nact, 2);
	ck_assert_int_eq(carp_link(h.c, false, h.now), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fsm");
	TCase *t = tcase_create("fsm");

	tcase_add_checked_fixture(t, setup, teardown);
	add_rows(t, an_advertisement_is_heard, heard);
	add_rows(t, the_demotion_of_openbsd_is_heard, demoted);
	tcase_add_test(t, a_demoted_master_does_not_yield_to_a_leaver);
	tcase_add_test(t, a_new_host_does_nothing);
	tcase_add_test(t, a_link_starts_the_election_as_backup);
	tcase_add_test(t, without_an_address_it_stays_in_init);
	tcase_add_test(t, silence_makes_a_master);
	tcase_add_loop_test(t, a_lost_link_is_silent, 0, 2);
	tcase_add_test(t, a_master_that_stops_bows_out);
	tcase_add_test(t, a_backup_that_stops_is_silent);
	tcase_add_test(t, an_order_makes_a_master);
	tcase_add_test(t, an_order_makes_a_backup_that_said_goodbye);
	tcase_add_test(t, a_successor_goes_on);
	tcase_add_test(t, a_successor_says_goodbye_for_the_former_one);
	tcase_add_loop_test(t, nothing_is_resumed_in_init, 0, 2);
	tcase_add_test(t, other_states_cannot_be_ordered);
	tcase_add_test(t, a_mixed_host_speaks_both_families);
	tcase_add_test(t, what_was_heard_is_known);
	tcase_add_test(t, becoming_master_is_counted);
	tcase_add_test(t, nothing_happens_while_actions_wait);
	suite_add_tcase(s, t);
	return suite_run(s);
}
