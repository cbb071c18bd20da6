/* SPDX-License-Identifier: ISC */
/* Why failover would not work now: what each reason comes from, and says. */
#include <stdio.h>
#include <string.h>

#include "conf_draft.h"
#include "failover_view.h"
#include "interlink.h"
#include "reasons.h"
#include "suite.h"

#define ALL ((1u << NREASONS) - 1)

enum { DISKS, TANK, WEB, NRESOURCES };

static struct failover f;
static struct conf *conf;
static struct conf_host *hosts;
static struct conf_resource *resources;
static bool two, heard, lost;
static struct interlink interlink;
static const uint64_t now = 100 * CARP_SEC;

/*
 * What the node knows from elsewhere: hosts, election, kernel.
 */

uint64_t
carp_now(void)
{
	return now;
}

struct carp_host *
carp_host_each(const struct carp_engine *e, const struct carp_host *h)
{
	static char one;

	(void)e;
	return h == NULL ? (struct carp_host *)&one : NULL;
}

void
carp_host_get_info(const struct carp_host *h, struct carp_host_info *ret)
{
	(void)h;
	memset(ret, 0, sizeof(*ret));
	ret->carp.vhid = 10;
	ret->link = !lost;
}

struct carp_host *
carp_host_find(const struct carp_engine *e, const char *ifname, uint8_t vhid)
{
	(void)ifname, (void)vhid;
	return carp_host_each(e, NULL);
}

struct group_result
failover_view(const struct failover *fo)
{
	(void)fo;
	return (struct group_result){ .lost = lost };
}

bool
carp_host_condition(const struct carp_host *h, enum carp_condition c,
    struct carp_condition_info *ret)
{
	(void)h, (void)ret;
	return c == CARP_COND_TWO_MASTERS && two;
}

const struct carp_demotion *
carp_engine_demotion(const struct carp_engine *e)
{
	(void)e;
	return NULL;
}

enum role_status
failover_status(const struct failover *fo)
{
	return role_status(&fo->role, heard);
}

bool
failover_disabled(const struct failover *fo)
{
	return fo->store.disabled;
}

void
interlink_look(struct interlink *ret, const char *ifname)
{
	ck_assert_str_eq(ifname, "heart0");
	*ret = interlink;
}

/*
 * A node that serves, with all that it takes.
 */

static void
name(struct conf_resource *r, const char *text, enum conf_phase phase)
{
	(void)snprintf(r->name, sizeof(r->name), "%s", text);
	r->phase = (uint8_t)phase;
}

static void
setup(void)
{
	conf = conf_block_new(NRESOURCES, 2, 0, 0);
	ck_assert_ptr_nonnull(conf);
	hosts = conf_block_hosts(conf);
	hosts[0].critical = 1;
	hosts[0].naddrs = hosts[1].naddrs = 1;
	resources = conf_block_resources(conf);
	name(&resources[DISKS], "disks", PHASE_FENCE);
	name(&resources[TANK], "tank", PHASE_STORAGE);
	name(&resources[WEB], "web", PHASE_SERVICE);
	(void)snprintf(conf->failover.interlink,
	    sizeof(conf->failover.interlink), "heart0");
	memset(&f, 0, sizeof(f));
	f.conf = conf;
	f.known = true;
	f.role.at = AT_MASTER;
	f.role.cfg.detect = 4 * CARP_SEC;
	for (unsigned i = 0; i < NRESOURCES; i++)
		f.res[i].state = RES_UP;
	interlink = (struct interlink){ .exists = true, .carrier = true };
	two = lost = false;
	heard = true;
}

static void
teardown(void)
{
	free(conf);
}

static void
is(unsigned i, enum resource_state state, const char *reason)
{
	f.res[i].state = state;
	(void)snprintf(f.res[i].reason, sizeof(f.res[i].reason), "%s", reason);
}

/* A backup: nothing of its own is up, and somebody else is master. */
static void
rest(void)
{
	f.role.at = AT_BACKUP;
	for (unsigned i = 0; i < NRESOURCES; i++)
		f.res[i].state = RES_DOWN;
}

/*
 * What is not as it should be.
 */

static void
none_critical(void)
{
	hosts[0].critical = 0;
}

static void
no_address(void)
{
	hosts[0].naddrs = 0;
}

static void
no_storage_section(void)
{
	rest();
	resources[TANK].phase = PHASE_SERVICE;
}

static void
not_imported(void)
{
	is(TANK, RES_DOWN, "exported");
}

static void
not_well(void)
{
	is(TANK, RES_SICK, "2 of 4 disks");
}

static void
no_fence(void)
{
	is(DISKS, RES_DOWN, "");
}

static void
no_fence_of_a_backup(void)
{
	rest();
	is(TANK, RES_UP, "");
	is(DISKS, RES_FAILED, "");
}

static void
disabled(void)
{
	f.store.disabled = true;
}

static void
under_way(void)
{
	rest();
	f.role.at = AT_STORAGE;
	(void)snprintf(f.role.cause, sizeof(f.role.cause), "force_master");
}

static void
two_masters(void)
{
	two = true;
}

static void
no_master(void)
{
	rest();
	heard = false;
	f.role.since = now - f.role.cfg.detect - 1;
}

static void
no_link(void)
{
	rest();
	(void)snprintf(hosts[0].ifname, sizeof(hosts[0].ifname), "eth0");
	lost = true;
}

static void
no_interlink(void)
{
	interlink.exists = interlink.carrier = false;
}

static void
no_carrier(void)
{
	interlink.carrier = false;
}

static const struct row {
	void (*cause)(void);
	enum reason reason;
	const char *code, *text, *detail;
} rows[] = {
	{ none_critical, NO_CRITICAL_INTERFACES, "NO_CRITICAL_INTERFACES",
	    "no interface is marked critical: no lost link moves the node",
	    "" },
	{ no_address, NO_VIP, "NO_VIP",
	    "the critical interfaces have no virtual address", "" },
	{ no_storage_section, NO_VOLUME, "NO_VOLUME",
	    "there is no storage to serve, or it is not well",
	    "no storage section is configured" },
	{ not_imported, NO_VOLUME, "NO_VOLUME",
	    "there is no storage to serve, or it is not well",
	    "tank is not imported" },
	{ not_well, NO_VOLUME, "NO_VOLUME",
	    "there is no storage to serve, or it is not well",
	    "tank: 2 of 4 disks" },
	{ no_fence, NO_FENCED, "NO_FENCED",
	    "storage is imported, but its fence does not hold", "disks" },
	{ no_fence_of_a_backup, NO_FENCED, "NO_FENCED",
	    "storage is imported, but its fence does not hold", "disks" },
	{ disabled, NO_FAILOVER, "NO_FAILOVER", "failover is disabled",
	    "carpctl failover control action=ENABLE" },
	{ under_way, LOC_FAILOVER_ONGOING, "LOC_FAILOVER_ONGOING",
	    "a transition runs on this node", "storage: force_master" },
	{ two_masters, DISAGREE_VIP, "DISAGREE_VIP",
	    "the nodes do not agree who holds the virtual addresses",
	    "vhid 10 has two masters" },
	{ no_master, DISAGREE_VIP, "DISAGREE_VIP",
	    "the nodes do not agree who holds the virtual addresses",
	    "nobody is master" },
	{ no_link, DISAGREE_VIP, "DISAGREE_VIP",
	    "the nodes do not agree who holds the virtual addresses",
	    "eth0 has no link here" },
	{ no_interlink, NO_HEARTBEAT_IFACE, "NO_HEARTBEAT_IFACE",
	    "the interlink does not exist", "heart0" },
	{ no_carrier, NO_CARRIER_ON_HEARTBEAT, "NO_CARRIER_ON_HEARTBEAT",
	    "the interlink has no carrier", "heart0" },
};

static void
says(const json_t *o, const char *key, const char *want)
{
	const char *is_there = json_string_value(json_object_get(o, key));

	ck_assert_msg(is_there != NULL && strcmp(is_there, want) == 0,
	    "%s: \"%s\" instead of \"%s\"", key,
	    is_there != NULL ? is_there : "(none)", want);
}

/* This and no other, in all forms in which it is told. */
START_TEST(each_has_its_cause)
{
	const struct row *r = &rows[_i];
	json_t *list;

	r->cause();
	ck_assert_msg(reasons_now(&f) == 1u << r->reason, "%s: 0x%x", r->code,
	    (unsigned)reasons_now(&f));
	ck_assert_str_eq(reason_code(r->reason), r->code);

	list = reasons_json(&f, reasons_now(&f), true);
	ck_assert_uint_eq(json_array_size(list), 1);
	says(json_array_get(list, 0), "code", r->code);
	says(json_array_get(list, 0), "text", r->text);
	says(json_array_get(list, 0), "detail", r->detail);
	json_decref(list);

	list = reasons_json(&f, reasons_now(&f), false);
	ck_assert_uint_eq(json_array_size(list), 1);
	ck_assert_str_eq(json_string_value(json_array_get(list, 0)), r->code);
	json_decref(list);
}
END_TEST

/*
 * What is no reason.
 */

static void
nothing(void)
{
}

static void
plain_interface(void)
{
	hosts[1].naddrs = 0;
}

static void
sick_service(void)
{
	is(WEB, RES_SICK, "slow");
}

static void
fence_none(void)
{
	resources[DISKS].none = 1;
	is(DISKS, RES_UNKNOWN, "");
}

static void
no_interlink_wanted(void)
{
	conf->failover.interlink[0] = '\0';
	no_interlink();
}

static void
just_started(void)
{
	no_master();
	f.role.since++;
}

static void
not_known_yet(void)
{
	no_master();
	f.known = false;
}

static const struct fine {
	const char *why;
	void (*how)(void);
} fine[] = {
	{ "all is well", nothing },
	{ "a backup has nothing up", rest },
	{ "an address is missing where it moves nothing", plain_interface },
	{ "a service is not storage", sick_service },
	{ "`fence none' cannot be up", fence_none },
	{ "no interlink is configured, and none is there",
	    no_interlink_wanted },
	{ "the election has its time", just_started },
	{ "nobody knows yet what is up", not_known_yet },
};

START_TEST(these_are_none)
{
	json_t *list;

	fine[_i].how();
	ck_assert_msg(reasons_now(&f) == 0, "%s: 0x%x", fine[_i].why,
	    (unsigned)reasons_now(&f));
	list = reasons_json(&f, reasons_now(&f), true);
	ck_assert_ptr_nonnull(list);
	ck_assert_uint_eq(json_array_size(list), 0);
	json_decref(list);
}
END_TEST

/* A master whose network is away is one, and on its way. */
START_TEST(a_shaken_master_serves)
{
	not_imported();
	f.role.at = AT_SHAKEN;
	ck_assert_uint_eq(
	    reasons_now(&f), 1u << NO_VOLUME | 1u << LOC_FAILOVER_ONGOING);
}
END_TEST

/* An interlink that is gone has no carrier either: told once. */
START_TEST(they_come_together_in_order)
{
	static const char *const want[] = { "NO_CRITICAL_INTERFACES",
		"NO_VOLUME", "NO_FENCED", "NO_FAILOVER", "DISAGREE_VIP",
		"NO_HEARTBEAT_IFACE" };
	json_t *list;

	no_interlink();
	two_masters();
	disabled();
	no_fence();
	not_well();
	none_critical();
	list = reasons_json(&f, reasons_now(&f), false);
	ck_assert_uint_eq(json_array_size(list), NROWS(want));
	for (int i = 0; i < NROWS(want); i++)
		ck_assert_str_eq(
		    json_string_value(json_array_get(list, (size_t)i)),
		    want[i]);
	json_decref(list);
}
END_TEST

/* Those that were told are asked for later: their cause may be gone. */
START_TEST(what_was_told_is_told_again)
{
	json_t *list = reasons_json(&f, ALL | 1u << NREASONS, true);

	ck_assert_uint_eq(json_array_size(list), NREASONS);
	for (unsigned i = 0; i < NREASONS; i++)
		says(json_array_get(list, i), "code",
		    reason_code((enum reason)i));
	says(json_array_get(list, NO_FENCED), "detail", "");
	json_decref(list);
	ck_assert_str_eq(reason_code(NREASONS), "?");
}
END_TEST

static void
detail_is(enum reason r, const char *want)
{
	json_t *list = reasons_json(&f, 1u << r, true);

	says(json_array_get(list, 0), "detail", want);
	json_decref(list);
}

/* As long as a name and a text can be: nothing is cut off. */
START_TEST(long_texts_are_whole)
{
	char text[RESOURCE_TEXT], want[2 * RESOURCE_TEXT];
	char longest[CONF_RESOURCE_LEN];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	memset(longest, 'n', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	name(&resources[TANK], longest, PHASE_STORAGE);
	is(TANK, RES_SICK, text);
	(void)snprintf(want, sizeof(want), "%s: %s", longest, text);
	detail_is(NO_VOLUME, want);

	f.role.at = AT_CRITICAL;
	memcpy(f.role.cause, text, sizeof(text));
	(void)snprintf(want, sizeof(want), "critical services: %s", text);
	detail_is(LOC_FAILOVER_ONGOING, want);
}
END_TEST

/* A hook may have said anything. */
START_TEST(bytes_that_are_no_text_do_no_harm)
{
	is(TANK, RES_SICK, "disk \xff");
	detail_is(NO_VOLUME, "tank: disk ?");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("reasons");
	TCase *t = tcase_create("reasons");

	tcase_add_checked_fixture(t, setup, teardown);
	add_rows(t, each_has_its_cause, rows);
	add_rows(t, these_are_none, fine);
	tcase_add_test(t, a_shaken_master_serves);
	tcase_add_test(t, they_come_together_in_order);
	tcase_add_test(t, what_was_told_is_told_again);
	tcase_add_test(t, long_texts_are_whole);
	tcase_add_test(t, bytes_that_are_no_text_do_no_harm);
	suite_add_tcase(s, t);
	return suite_run(s);
}
