/* SPDX-License-Identifier: ISC */
/*
 * Lives of two nodes with one disk: engines, supervisors and machines end at
 * any moment, links and packets are lost, people give orders; then nothing
 * goes wrong any more, and one of them must come to serve.  At no time may
 * both write.  The seed of a life is told when it fails:
 *	PAIR_SEED=n PAIR_VERBOSE=1 build/tests/unit/role_pair
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <carp/carp.h>

#include "../kit/pair.h"
#include "conf_draft.h"
#include "suite.h"

#define LIVES	   400
#define CHAOS	   (60 * CARP_SEC)
#define REST	   (900 * CARP_SEC) /* the longest backoff, and a takeover */
#define STABLE	   (20 * CARP_SEC)
#define TWO_OWNERS (4 * CARP_SEC)  /* detection time, and some */
#define CUT_OFF	   (12 * CARP_SEC) /* supervisor away, stop and verify hang */

struct pair pair;

unsigned
pair_draw(unsigned n)
{
	pair.random = pair.random * UINT64_C(6364136223846793005) +
		      UINT64_C(1442695040888963407);
	return (unsigned)(pair.random >> 33) % n;
}

void
pair_say(const char *fmt, ...)
{
	va_list ap;

	if (getenv("PAIR_VERBOSE") == NULL)
		return;
	va_start(ap, fmt);
	(void)fprintf(stderr, "%9.3f ", (double)pair.now / CARP_SEC);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputc('\n', stderr);
	va_end(ap);
}

void
pair_wrong(const char *fmt, ...)
{
	va_list ap;

	if (pair.wrong[0] != '\0')
		return;
	va_start(ap, fmt);
	(void)vsnprintf(pair.wrong, sizeof(pair.wrong), fmt, ap);
	va_end(ap);
	pair_say("WRONG: %s", pair.wrong);
}

/* One host, one fence, one storage, two services. */
static struct conf *
make_conf(unsigned id)
{
	static const struct {
		const char *name;
		enum conf_phase phase;
		bool critical;
	} res[NITEMS] = { { "disks", PHASE_FENCE, true },
		{ "tank", PHASE_STORAGE, true }, { "web", PHASE_SERVICE, true },
		{ "mail", PHASE_SERVICE, false } };
	struct carp_config cfg = CARP_CONFIG_INIT;
	struct conf *conf = conf_block_new(NITEMS, 1, 1, 0);
	struct conf_resource *r;
	struct conf_host *h;

	ck_assert_ptr_nonnull(conf);
	r = conf_block_resources(conf);
	h = conf_block_hosts(conf);
	conf->failover.on = 1;
	conf->failover.fence_wait_ms = 15000;
	for (unsigned i = 0; i < NITEMS; i++) {
		(void)snprintf(r[i].name, sizeof(r[i].name), "%s", res[i].name);
		r[i].phase = (uint8_t)res[i].phase;
		r[i].critical = res[i].critical;
	}
	(void)snprintf(h->ifname, sizeof(h->ifname), "eth0");
	h->critical = 1;
	h->carp = cfg;
	h->carp.vhid = 10;
	h->carp.advskew = id == 0 ? 0 : 100;
	h->naddrs = 1;
	ck_assert_int_eq(
	    carp_addr_parse(conf_block_pool(conf), "192.0.2.10/24"), 0);
	return conf;
}

void
pair_begin(uint64_t seed)
{
	memset(&pair, 0, sizeof(pair));
	pair.seed = seed;
	pair.random = seed * UINT64_C(0x9e3779b97f4a7c15);
	pair.now = 100 * CARP_SEC;
	pair.disk.holder = -1;
	for (unsigned i = 0; i < 2; i++) {
		pair.node[i].id = pair.node[i].host.id = i;
		pair.node[i].conf = make_conf(i);
		pair.node[i].link = true;
		node_power(&pair.node[i], true);
	}
}

void
pair_end(void)
{
	for (unsigned i = 0; i < 2; i++) {
		engine_end(&pair.node[i]);
		free(pair.node[i].conf);
		free(pair.node[i].store);
	}
}

/*
 * What must hold at any time.
 */

static bool
writes(const struct carp_engine *e)
{
	return e->here[TANK] && pair.disk.key[e->id] != 0;
}

/* On the planned way down the addresses go last. */
static bool
goes_down(const struct carp_engine *e)
{
	return e->f->role.at >= AT_DOWN_SERVICE &&
	       e->f->role.at <= AT_DOWN_FENCE;
}

static void
check_node(struct carp_engine *e)
{
	if (e->host.installed && !e->here[TANK] && !goes_down(e))
		pair_wrong("node %u: addresses without storage", e->id);
	if (!e->here[TANK] || writes(e))
		e->cut_since = 0;
	else if (e->cut_since == 0)
		e->cut_since = pair.now;
	else if (pair.now - e->cut_since > CUT_OFF)
		pair_wrong("node %u: keeps storage without its fence", e->id);
}

static void
check(void)
{
	const struct carp_engine *a = &pair.node[0], *b = &pair.node[1];

	if (writes(a) && writes(b))
		pair_wrong("both write");
	for (unsigned i = 0; i < 2; i++)
		check_node(&pair.node[i]);
	if (!a->host.installed || !b->host.installed || pair.cut ||
	    pair.loss > 0 || !a->link || !b->link)
		pair.both_since = 0;
	else if (pair.both_since == 0)
		pair.both_since = pair.now;
	else if (pair.now - pair.both_since > TWO_OWNERS)
		pair_wrong("S1: both have the address");
}

void
pair_run(uint64_t until)
{
	unsigned turns = 0;
	uint64_t at, other;

	while (pair.now < until && pair.wrong[0] == '\0') {
		at = node_deadline(&pair.node[0]);
		other = node_deadline(&pair.node[1]);
		if (other < at)
			at = other;
		if (at > until)
			at = until;
		turns = at > pair.now ? 0 : turns + 1;
		if (turns > 1000)
			pair_wrong("time stands still");
		if (at > pair.now)
			pair.now = at;
		for (unsigned i = 0; i < 2; i++)
			node_work(&pair.node[i]);
		check();
	}
}

/*
 * What may happen.
 */

static void
order(struct carp_engine *e, unsigned what)
{
	static const char *const name[] = { "force_master", "become_passive",
		"disable", "enable", "maintenance on", "maintenance off",
		"timeout 5", "timeout 0", "hard" };

	if (e->f == NULL)
		return;
	pair_say("node %u: order: %s", e->id, name[what]);
	switch (what) {
	case 0:
		e->forced = true;
		(void)failover_force_master(e->f, pair.now);
		break;
	case 1:
		(void)failover_become_passive(e->f, false, pair.now);
		break;
	case 2:
	case 3:
		(void)failover_update(e->f, what == 2, -1, -1, pair.now);
		break;
	case 4:
	case 5:
		e->forced = e->forced && what != 4;
		e->maintenance = what == 4;
		failover_set_maintenance(e->f, what == 4, pair.now);
		break;
	case 6:
	case 7:
		(void)failover_update(
		    e->f, -1, what == 6 ? 5 : 0, -1, pair.now);
		break;
	default:
		(void)failover_become_passive(e->f, true, pair.now);
	}
}

static void
mischief(void)
{
	struct carp_engine *e = &pair.node[pair_draw(2)];
	unsigned what = pair_draw(100);

	if (what < 18)
		node_kill_engine(e);
	else if (what < 24)
		node_kill_supervisor(e);
	else if (what < 28 && e->powered)
		node_power(e, false);
	else if (what < 40)
		engine_link(e, !e->link);
	else if (what < 46)
		pair.cut = !pair.cut;
	else if (what < 50)
		pair.loss = pair_draw(3) * 20;
	else if (what < 56)
		e->here[WEB + pair_draw(2)] = false; /* it has crashed */
	else if (what < 60)
		node_stop(e);
	else if (what < 62)
		order(e, 8);
	else
		order(e, pair_draw(8));
}

static void
chaos(void)
{
	uint64_t end = pair.now + CHAOS;

	while (pair.now < end && pair.wrong[0] == '\0') {
		pair_run(pair.now + 1 + pair_draw(2000) * pair_draw(3) * MS);
		mischief();
	}
}

/*
 * The end of a life.
 */

static bool
serves(const struct carp_engine *e)
{
	return e->f != NULL && e->f->role.at == AT_MASTER &&
	       e->host.installed && writes(e) && e->here[WEB] &&
	       carp_state(e->host.carp) == CARP_MASTER;
}

static bool
waits(const struct carp_engine *e)
{
	return e->f != NULL && !e->here[TANK] && !e->host.installed &&
	       (e->f->role.at == AT_BACKUP || e->f->role.at == AT_ERROR);
}

static bool
settled(void)
{
	const struct carp_engine *n = pair.node;

	return (serves(&n[0]) && waits(&n[1])) ||
	       (serves(&n[1]) && waits(&n[0]));
}

static void
calm_down(void)
{
	pair_say("calm");
	pair.calm = true;
	pair.cut = false;
	pair.loss = 0;
	for (unsigned i = 0; i < 2; i++) {
		struct carp_engine *e = &pair.node[i];

		if (!e->link)
			engine_link(e, true);
		e->begins = 0;
	}
}

/*
 * Orders of people count until they say otherwise.
 */

static bool
sits_out(const struct carp_engine *e)
{
	return e->maintenance || (e->f != NULL && failover_disabled(e->f));
}

static bool
is_up(const struct carp_engine *e)
{
	return e->f != NULL && e->f->role.at == AT_MASTER;
}

/* Who is disabled and does not serve takes over from nobody. */
static void
check_disabled(const bool was_up[2])
{
	for (unsigned i = 0; i < 2; i++) {
		const struct carp_engine *e = &pair.node[i];

		if (e->f != NULL && failover_disabled(e->f) && !was_up[i] &&
		    is_up(e))
			pair_wrong("node %u: disabled, and takes over", i);
	}
}

/* Somebody may: then somebody does, and not the one in maintenance. */
static void
obey_orders(void)
{
	struct carp_engine *n = pair.node;
	bool was_up[2];

	pair_run(pair.now + 60 * CARP_SEC);
	for (unsigned i = 0; i < 2; i++)
		was_up[i] = n[i].f != NULL && n[i].f->role.at != AT_STANDBY;
	pair_run(pair.now + 400 * CARP_SEC);
	check_disabled(was_up);
	for (unsigned i = 0; i < 2; i++) {
		if (sits_out(&n[i]) || n[i].f == NULL)
			continue;
		/* Of a disabled master services may be gone. */
		if (!serves(&n[i]) && !is_up(&n[1 - i]))
			pair_wrong("node %u may serve, and nobody does", i);
		/* Two that are both demoted: whoever came first. */
		if (!n[i].f->role.failed && n[1 - i].maintenance &&
		    !n[1 - i].forced && n[1 - i].f != NULL &&
		    !failover_disabled(n[1 - i].f) && !serves(&n[i]))
			pair_wrong(
			    "node %u: in maintenance, and serves", 1 - i);
	}
}

/* Whoever restarts in the middle has to be told again. */
static void
allow_all(void)
{
	for (unsigned i = 0; i < 2; i++) {
		struct carp_engine *e = &pair.node[i];

		if (e->f == NULL)
			continue;
		if (failover_disabled(e->f))
			order(e, 3);
		if (e->maintenance)
			order(e, 5);
	}
}

static void
come_to_rest(void)
{
	uint64_t end, since = 0;

	calm_down();
	if (sits_out(&pair.node[0]) || sits_out(&pair.node[1]))
		obey_orders();
	end = pair.now + REST;
	while (pair.now < end && pair.wrong[0] == '\0') {
		allow_all();
		pair_run(pair.now + CARP_SEC);
		if (!settled())
			since = 0;
		else if (since == 0)
			since = pair.now;
		else if (pair.now - since >= STABLE)
			break;
	}
	if (since == 0)
		pair_wrong("S4: nobody serves: %s, %s",
		    pair.node[0].f != NULL
			? role_at_name(pair.node[0].f->role.at)
			: "no engine",
		    pair.node[1].f != NULL
			? role_at_name(pair.node[1].f->role.at)
			: "no engine");
	for (unsigned i = 0; i < 2; i++)
		if (pair.node[i].begins > 60)
			pair_wrong("node %u: %u changes without a cause", i,
			    pair.node[i].begins);
}

static unsigned resorts;

static void
live(uint64_t seed)
{
	pair_begin(seed);
	chaos();
	come_to_rest();
	resorts += pair.resorts;
	pair_end();
}

START_TEST(lives)
{
	const char *one = getenv("PAIR_SEED"), *many = getenv("PAIR_LIVES");
	unsigned first = one != NULL ? (unsigned)strtoul(one, NULL, 10) : 1;
	unsigned n = one != NULL    ? 1
		     : many != NULL ? (unsigned)strtoul(many, NULL, 10)
				    : LIVES;

	for (unsigned seed = first; seed < first + n; seed++) {
		live(seed);
		ck_assert_msg(
		    pair.wrong[0] == '\0', "seed %u: %s", seed, pair.wrong);
	}
	ck_assert_msg(one != NULL || resorts > 0, "no last resort: too tame");
}
END_TEST

/* Without fences that fence, the same lives must show two who write. */
START_TEST(the_check_can_fail)
{
	bool seen = false;

	for (unsigned seed = 1; seed < 400 && !seen; seed++) {
		pair_begin(seed);
		pair.unfenced = true;
		chaos();
		seen = strcmp(pair.wrong, "both write") == 0;
		pair_end();
	}
	ck_assert_msg(seen, "two nodes without a fence never wrote both");
}
END_TEST

static struct carp_engine *
one_that_serves(void)
{
	pair_begin(3);
	pair.calm = true;
	pair_run(pair.now + 30 * CARP_SEC);
	ck_assert_str_eq(pair.wrong, "");
	ck_assert(serves(&pair.node[0]) || serves(&pair.node[1]));
	return &pair.node[serves(&pair.node[0]) ? 0 : 1];
}

/* The engine has a new configuration, the supervisor has not yet. */
START_TEST(reports_are_of_a_name)
{
	struct carp_engine *e = one_that_serves();
	struct conf *conf = make_conf(e->id);
	struct conf_resource *r = (struct conf_resource *)(conf + 1), was;

	was = r[FENCE];
	r[FENCE] = r[MAIL];
	r[MAIL] = was;
	ck_assert_int_eq(failover_configure(e->f, conf, pair.now), 0);
	pair.disk.key[e->id] = 0; /* somebody has removed it */
	pair_run(pair.now + 3 * CARP_SEC);
	ck_assert_msg(
	    pair.resorts == 1, "the loss of the fence was taken for another's");
	pair_end();
	free(conf);
}
END_TEST

/* Whatever this node calls itself meanwhile. */
START_TEST(without_a_fence_nothing_is_forced)
{
	struct carp_engine *e = one_that_serves();
	struct carp_engine *other = &pair.node[1 - e->id];
	struct conf *conf = make_conf(other->id);

	((struct conf_resource *)(conf + 1))[FENCE].none = 1;
	ck_assert_int_eq(failover_configure(other->f, conf, pair.now), 0);
	ck_assert_int_eq(failover_force_master(other->f, pair.now), -EACCES);
	other->f->role.failed = true;
	ck_assert_int_eq(failover_force_master(other->f, pair.now), -EACCES);
	node_power(e, false);
	pair_run(pair.now + 5 * CARP_SEC);
	ck_assert_int_ne(failover_force_master(other->f, pair.now), -EACCES);
	pair_end();
	free(conf);
}
END_TEST

/* Without an engine for too long; and then there is one, and adopts it. */
START_TEST(what_goes_down_by_itself_is_seen)
{
	struct carp_engine *e = one_that_serves();

	plan_abandon(&e->plan, "there is no engine");
	plan_due(&e->plan, WEB, false);
	pair_run(pair.now + 8 * CARP_SEC);
	ck_assert_msg(
	    e->f->role.at != AT_MASTER || serves(e), "a master of nothing");
	come_to_rest();
	ck_assert_str_eq(pair.wrong, "");
	pair_end();
}
END_TEST

/* Also when nothing happened but that another node was heard. */
START_TEST(the_status_is_told_at_once)
{
	struct carp_engine *e = one_that_serves();
	unsigned late = 0;

	ck_assert_int_eq(failover_become_passive(e->f, false, pair.now), 0);
	while (late < 50 && e->f->told != ROLE_BACKUP) {
		pair_run(pair.now + 10 * MS);
		late += failover_status(e->f) != e->f->told;
		ck_assert_str_eq(pair.wrong, "");
	}
	ck_assert_msg(late < 2, "told %u ms late", 10 * late);
	pair_end();
}
END_TEST

/* Two nodes that cannot import do not throw the role at each other. */
START_TEST(two_broken_nodes)
{
	pair_begin(7);
	pair.calm = pair.broken = true;
	pair_run(pair.now + 600 * CARP_SEC);
	ck_assert_str_eq(pair.wrong, "");
	for (unsigned i = 0; i < 2; i++)
		ck_assert_msg(pair.node[i].begins <= 24,
		    "node %u: %u changes in 600 s", i, pair.node[i].begins);
	pair.broken = false;
	come_to_rest();
	ck_assert_str_eq(pair.wrong, "");
	pair_end();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("role_pair");
	TCase *t = tcase_create("role_pair");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, lives);
	tcase_add_test(t, the_check_can_fail);
	tcase_add_test(t, reports_are_of_a_name);
	tcase_add_test(t, without_a_fence_nothing_is_forced);
	tcase_add_test(t, what_goes_down_by_itself_is_seen);
	tcase_add_test(t, the_status_is_told_at_once);
	tcase_add_test(t, two_broken_nodes);
	suite_add_tcase(s, t);
	return suite_run(s);
}
