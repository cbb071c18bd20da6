/* SPDX-License-Identifier: ISC */
/*
 * The role machine: what is ordered after which events, word by word, and the
 * safety rules S2 to S4 over thirty thousand random lives.
 */
#include <string.h>

#include <carp/carp.h>

#include "role.h"
#include "suite.h"

static struct role r;
static uint64_t now;
static char trace[4096];

static const struct role_config plain = {
	.timeout = 0, .fence_wait = 15 * CARP_SEC, .detect = 4 * CARP_SEC
};

static void
note(const char *word)
{
	size_t n = strlen(trace);

	ck_assert(n + strlen(word) + 2 < sizeof(trace));
	if (n > 0)
		trace[n++] = ' ';
	memcpy(trace + n, word, strlen(word) + 1);
}

static void
note_order(const struct resource_order *o)
{
	static const char *const phase[] = { "fence", "storage", "service" };
	static const char *const part[] = { "", "critical", "other" };
	char word[64];

	(void)snprintf(word, sizeof(word), "%s%s%s",
	    o->critical != 0 ? part[o->critical] : phase[o->phase],
	    o->up		     ? "+"
	    : o->mode == MODE_FORCED ? "--"
				     : "-",
	    o->up && o->phase == PHASE_FENCE && o->peer == PEER_PASSIVE
		? "(passive)"
	    : o->up && o->phase == PHASE_FENCE && o->peer == PEER_DEAD
		? "(dead)"
		: "");
	note(word);
}

static void
note_actions(void)
{
	struct role_action a;

	while (role_next(&r, &a))
		switch (a.what) {
		case ROLE_DO_BEGIN:
			note("[");
			break;
		case ROLE_DO_END:
			note(a.ok ? "]" : "!]");
			break;
		case ROLE_DO_ORDER:
			note_order(&a.order);
			break;
		case ROLE_DO_ADDRESSES:
			note(a.on ? "addr+" : "addr-");
			break;
		case ROLE_DO_TAKE:
			note("take");
			break;
		case ROLE_DO_BOW_OUT:
			note("bow");
			break;
		case ROLE_DO_STANDBY:
			note(a.on ? "standby+" : "standby-");
			break;
		case ROLE_DO_IMPORTING:
			break; /* in the random lives */
		case ROLE_DO_FAILED:
			note(a.on ? "failed+" : "failed-");
			break;
		case ROLE_DO_HARD:
			note("HARD");
			break;
		case ROLE_DO_EXIT:
			note("exit");
			break;
		}
}

static void
step(enum role_event ev, const struct role_detail *d)
{
	role_step(&r, ev, d, now);
	note_actions();
}

static void
answer(bool ok, bool alive, bool resort)
{
	struct resource_done done = { .order = r.order,
		.ok = ok,
		.peer_alive = alive,
		.fenced = 1,
		.hard = resort,
		.text = "it would not" };
	struct role_detail d = { .done = &done };

	step(ROLE_EV_DONE, &d);
}

/* An event by its word; "ok5" is five times "ok". */
static void
happen(const char *word)
{
	struct role_detail d = { .text = "broken" };
	static const struct {
		const char *word;
		enum role_event ev;
	} simple[] = { { "peer", ROLE_EV_LOST_PEER },
		{ "link", ROLE_EV_LOST_LINK }, { "back", ROLE_EV_LINK_BACK },
		{ "force", ROLE_EV_FORCE }, { "passive", ROLE_EV_PASSIVE },
		{ "hard", ROLE_EV_HARD }, { "disable", ROLE_EV_DISABLE },
		{ "enable", ROLE_EV_ENABLE }, { "sick", ROLE_EV_SICK },
		{ "unfenced", ROLE_EV_FENCE_LOST }, { "stop", ROLE_EV_STOP },
		{ "grown", ROLE_EV_GROWN } };

	if (strncmp(word, "ok", 2) == 0) {
		for (int n = word[2] != '\0' ? word[2] - '0' : 1; n > 0; n--)
			answer(true, false, false);
		return;
	}
	if (strcmp(word, "fail") == 0) {
		answer(false, false, false);
	} else if (strcmp(word, "alive") == 0) {
		answer(false, true, false);
	} else if (strcmp(word, "resort") == 0) {
		answer(false, false, true);
	} else if (strcmp(word, "called") == 0) {
		step(ROLE_EV_RESORT, &d);
	} else if (strcmp(word, "known") == 0) {
		step(ROLE_EV_KNOWN, &d);
	} else if (strcmp(word, "some-up") == 0) {
		d.any = true;
		step(ROLE_EV_KNOWN, &d);
	} else if (strcmp(word, "all-up") == 0) {
		d.any = d.whole = true;
		step(ROLE_EV_KNOWN, &d);
	} else if (strcmp(word, "won") == 0) {
		step(ROLE_EV_WON, &d);
	} else if (strcmp(word, "won-passive") == 0) {
		d.peer = PEER_PASSIVE;
		step(ROLE_EV_WON, &d);
	} else if (strcmp(word, "time") == 0) {
		ck_assert_msg(r.deadline != CARP_NEVER, "no deadline");
		now = r.deadline;
		step(ROLE_EV_TIMER, NULL);
	} else {
		for (size_t i = 0; i < sizeof(simple) / sizeof(*simple); i++)
			if (strcmp(word, simple[i].word) == 0) {
				step(simple[i].ev, &d);
				return;
			}
		ck_abort_msg("no such event: %s", word);
	}
}

static void
live(const char *events)
{
	char buf[512], *word, *rest = NULL;

	(void)snprintf(buf, sizeof(buf), "%s", events);
	for (word = strtok_r(buf, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		now += CARP_SEC / 1000;
		happen(word);
	}
}

static void
start(const struct role_config *cfg)
{
	now = CARP_SEC;
	trace[0] = '\0';
	role_init(&r, cfg);
}

#define UP   "fence+ storage+ critical+ other+ addr+ ]"
#define DOWN "service- storage- fence- bow addr-"

static const struct row {
	const char *why, *events, *want;
	enum role_at at;
	enum role_status status;
} rows[] = {
	{ "an idle node waits", "known", "standby-", AT_BACKUP, ROLE_UNKNOWN },
	{ "the order of the way up", "known won ok4", "standby- [ " UP,
	    AT_MASTER, ROLE_MASTER },
	{ "a peer that bowed out is not watched", "known won-passive",
	    "standby- [ fence+(passive)", AT_FENCE, ROLE_ELECTING },
	{ "who won before resources were known", "won known",
	    "standby- [ fence+", AT_FENCE, ROLE_ELECTING },
	{ "while storage comes", "known won ok", "standby- [ fence+ storage+",
	    AT_STORAGE, ROLE_IMPORTING },
	{ "the planned way down", "known won ok4 passive ok3",
	    "standby- [ " UP " [ " DOWN " ]", AT_BACKUP, ROLE_UNKNOWN },
	{ "on its way down it still holds storage", "known won ok4 passive ok",
	    "standby- [ " UP " [ service- storage-", AT_DOWN_STORAGE,
	    ROLE_MASTER },
	{ "the forced way down: addresses first", "known won ok4 peer ok3",
	    "standby- [ " UP " [ addr- service-- storage-- fence-- ]",
	    AT_BACKUP, ROLE_UNKNOWN },
	{ "planned becomes forced", "known won ok4 passive peer ok3",
	    "standby- [ " UP " [ service- addr- service-- storage-- fence-- ]",
	    AT_BACKUP, ROLE_UNKNOWN },
	{ "the fence fails: nothing is imported", "known won fail ok3",
	    "standby- [ fence+ service- storage- fence- bow failed+ standby+ "
	    "!]",
	    AT_ERROR, ROLE_ERROR },
	{ "storage fails", "known won ok fail ok3",
	    "standby- [ fence+ storage+ service- storage- fence- bow failed+ "
	    "standby+ !]",
	    AT_ERROR, ROLE_ERROR },
	{ "a critical service fails", "known won ok2 fail ok3",
	    "standby- [ fence+ storage+ critical+ service- storage- fence- bow "
	    "failed+ standby+ !]",
	    AT_ERROR, ROLE_ERROR },
	{ "another service may fail", "known won ok3 fail", "standby- [ " UP,
	    AT_MASTER, ROLE_MASTER },
	{ "after an error it takes part again", "known won fail ok3 time",
	    "standby- [ fence+ service- storage- fence- bow failed+ standby+ "
	    "!] standby-",
	    AT_BACKUP, ROLE_ERROR },
	{ "and recovers", "known won fail ok3 time won ok4",
	    "standby- [ fence+ service- storage- fence- bow failed+ standby+ "
	    "!] standby- [ fence+ storage+ critical+ other+ addr+ failed- ]",
	    AT_MASTER, ROLE_MASTER },
	{ "a living peer is asked again", "known won alive time ok",
	    "standby- [ fence+ fence+ storage+", AT_STORAGE, ROLE_IMPORTING },
	{ "force_master declares it dead", "known won alive force ok",
	    "standby- [ fence+ take fence+(dead) storage+", AT_STORAGE,
	    ROLE_IMPORTING },
	{ "services that do not stop", "known won ok4 passive fail ok2",
	    "standby- [ " UP " [ " DOWN " ]", AT_BACKUP, ROLE_UNKNOWN },
	{ "storage that cannot be asked for: the fence is held",
	    "known won ok fail ok fail",
	    "standby- [ fence+ storage+ service- storage- bow failed+ standby+ "
	    "!]",
	    AT_ERROR, ROLE_ERROR },
	{ "storage that stays: the supervisor has called the last resort",
	    "known won ok4 passive ok resort",
	    "standby- [ " UP " [ service- storage- addr- !]", AT_GONE,
	    ROLE_ERROR },
	{ "a fence that stays is no reason", "known won ok4 passive ok2 fail",
	    "standby- [ " UP " [ " DOWN " ]", AT_BACKUP, ROLE_UNKNOWN },
	{ "a lost fence is the last resort", "known won ok4 unfenced",
	    "standby- [ " UP " addr- [ HARD !]", AT_GONE, ROLE_ERROR },
	{ "something critical fails", "known won ok4 sick ok3",
	    "standby- [ " UP " [ service- storage- fence- bow addr- failed+ "
	    "standby+ !]",
	    AT_ERROR, ROLE_ERROR },
	{ "the network is lost", "known won ok4 link ok3",
	    "standby- [ " UP " [ addr- service-- storage-- fence-- ]",
	    AT_BACKUP, ROLE_UNKNOWN },
	{ "the peer wins while storage comes", "known won ok peer ok3",
	    "standby- [ fence+ storage+ service-- storage-- fence-- !]",
	    AT_BACKUP, ROLE_UNKNOWN },
	{ "S4: it wins again while it goes down",
	    "known won ok4 peer ok won ok2",
	    "standby- [ " UP " [ addr- service-- storage-- fence-- ] [ fence+",
	    AT_FENCE, ROLE_ELECTING },
	{ "S4: wins, loses: the newest counts",
	    "known won ok4 peer ok won peer ok2",
	    "standby- [ " UP " [ addr- service-- storage-- fence-- ]",
	    AT_BACKUP, ROLE_UNKNOWN },
	{ "S4: force_master waits for its turn", "known won ok4 peer force ok3",
	    "standby- [ " UP " [ addr- service-- storage-- fence-- ] [ take "
	    "fence+(dead)",
	    AT_FENCE, ROLE_ELECTING },
	{ "S4: become_passive ends a force_master that waits",
	    "known won ok4 peer force passive ok3",
	    "standby- [ " UP " [ addr- service-- storage-- fence-- ]",
	    AT_BACKUP, ROLE_UNKNOWN },
	{ "an answer to an older order is none", "known won ok4 passive",
	    "standby- [ " UP " [ service-", AT_DOWN_SERVICE, ROLE_MASTER },
	{ "disabled while backup", "known disable won", "standby- bow standby+",
	    AT_STANDBY, ROLE_UNKNOWN },
	{ "disabled while master: stays", "known won ok4 disable link sick",
	    "standby- [ " UP, AT_MASTER, ROLE_MASTER },
	{ "but never beside another", "known won ok4 disable peer ok3",
	    "standby- [ " UP " [ addr- service-- storage-- fence-- bow "
	    "standby+ ]",
	    AT_STANDBY, ROLE_UNKNOWN },
	{ "what happened meanwhile counts when enabled",
	    "known won ok4 disable link enable",
	    "standby- [ " UP " [ addr- service--", AT_DOWN_SERVICE,
	    ROLE_MASTER },
	{ "enabled again", "known disable enable won",
	    "standby- bow standby+ standby- [ fence+", AT_FENCE,
	    ROLE_ELECTING },
	{ "enabling ends an error", "known won fail ok3 enable",
	    "standby- [ fence+ service- storage- fence- bow failed+ standby+ "
	    "!] failed- standby-",
	    AT_BACKUP, ROLE_UNKNOWN },
	{ "force_master while disabled", "known disable force ok4",
	    "standby- bow standby+ [ standby- take fence+(dead) storage+ "
	    "critical+ other+ addr+ ]",
	    AT_MASTER, ROLE_MASTER },
	{ "left behind by a crash, not elected", "some-up ok3",
	    "[ service-- storage-- fence-- standby- ]", AT_BACKUP,
	    ROLE_UNKNOWN },
	{ "adopted by the next engine", "won all-up", "[ standby- addr+ ]",
	    AT_MASTER, ROLE_MASTER },
	{ "half of it is not adopted", "won some-up ok3",
	    "[ service-- storage-- fence-- standby- ] [ fence+", AT_FENCE,
	    ROLE_ELECTING },
	{ "the daemon stops", "known won ok4 stop ok3",
	    "standby- [ " UP " [ service- storage- fence- bow addr- standby+ ] "
	    "exit",
	    AT_ENDED, ROLE_UNKNOWN },
	{ "idle, it stops at once", "known stop", "standby- exit", AT_ENDED,
	    ROLE_UNKNOWN },
	{ "hard, by order", "known won ok4 hard",
	    "standby- [ " UP " addr- [ HARD !]", AT_GONE, ROLE_ERROR },
	{ "disabled while it failed: takes no part any more",
	    "known won disable fail ok3 time",
	    "standby- [ fence+ service- storage- fence- bow failed+ standby+ "
	    "!]",
	    AT_STANDBY, ROLE_ERROR },
	{ "on standby nobody advertises: forced, won, disabled",
	    "known won ok4 link ok won disable ok2",
	    "standby- [ " UP " [ addr- service-- storage-- fence-- bow "
	    "standby+ ]",
	    AT_STANDBY, ROLE_UNKNOWN },
	{ "nor after an error on a hurried way down",
	    "known won ok4 sick peer ok won ok2",
	    "standby- [ " UP " [ service- addr- service-- storage-- fence-- "
	    "bow failed+ standby+ !]",
	    AT_ERROR, ROLE_ERROR },
	{ "nor who was resumed and then does not serve",
	    "disable won some-up ok3", "[ service-- storage-- fence-- bow ]",
	    AT_STANDBY, ROLE_UNKNOWN },
	{ "nor with nothing at all", "disable won known", "bow", AT_STANDBY,
	    ROLE_UNKNOWN },
	{ "S4: to stop outlives a lost fence",
	    "known won fail stop unfenced ok3",
	    "standby- [ fence+ service- service- storage- fence- bow standby+ "
	    "!] exit",
	    AT_ENDED, ROLE_UNKNOWN },
	{ "who stops early may have storage", "stop unfenced",
	    "[ service- HARD !]", AT_GONE, ROLE_ERROR },
	{ "S4: become_passive on the way down",
	    "known won ok4 link ok won passive ok2",
	    "standby- [ " UP " [ addr- service-- storage-- fence-- ] bow",
	    AT_BACKUP, ROLE_UNKNOWN },
	{ "S4: force_master after it",
	    "known won ok4 link won passive force "
	    "ok3",
	    "standby- [ " UP " [ addr- service-- storage-- fence-- ] [ take "
	    "fence+(dead)",
	    AT_FENCE, ROLE_ELECTING },
	{ "S4: become_passive before resources are known",
	    "won passive all-up ok3", "[ standby- addr+ ] [ " DOWN " ]",
	    AT_BACKUP, ROLE_UNKNOWN },
	{ "S4: hard before resources are known", "hard", "[ HARD !]", AT_GONE,
	    ROLE_ERROR },
	{ "S4: hard while the fence goes", "known won ok4 passive ok2 hard",
	    "standby- [ " UP " [ service- storage- fence- addr- HARD !]",
	    AT_GONE, ROLE_ERROR },
	{ "the last resort of the supervisor, while master",
	    "known won ok4 called", "standby- [ " UP " addr- [ !]", AT_GONE,
	    ROLE_ERROR },
	{ "and before resources are known: nothing is adopted",
	    "won called all-up", "[ !]", AT_GONE, ROLE_ERROR },
	{ "a peer that wins is not waited for", "known won ok passive peer ok3",
	    "standby- [ fence+ storage+ service- service-- storage-- fence-- "
	    "!]",
	    AT_BACKUP, ROLE_UNKNOWN },
	{ "what is undone never served", "known won ok fail",
	    "standby- [ fence+ storage+ service-", AT_DOWN_SERVICE,
	    ROLE_IMPORTING },
	{ "also when it has to hurry", "known won ok fail peer ok",
	    "standby- [ fence+ storage+ service- service-- storage--",
	    AT_DOWN_STORAGE, ROLE_IMPORTING },
	{ "but the next time it does", "known won ok passive ok3 won ok4 link",
	    "standby- [ fence+ storage+ service- storage- fence- bow !] [ " UP
	    " [ addr- service--",
	    AT_DOWN_SERVICE, ROLE_MASTER },
	{ "new resources are started beside the others",
	    "known won ok4 grown ok2",
	    "standby- [ " UP " [ storage+ service+ ]", AT_MASTER, ROLE_MASTER },
	{ "new storage that does not come is no reason to move",
	    "known won ok4 grown fail", "standby- [ " UP " [ storage+ !]",
	    AT_MASTER, ROLE_MASTER },
	{ "nor is a new service", "known won ok4 grown ok fail",
	    "standby- [ " UP " [ storage+ service+ !]", AT_MASTER,
	    ROLE_MASTER },
	{ "where nothing runs they come with the others", "known grown won ok4",
	    "standby- [ " UP, AT_MASTER, ROLE_MASTER },
	{ "S4: they come while others are started", "known won ok3 grown ok3",
	    "standby- [ " UP " [ storage+ service+ ]", AT_MASTER, ROLE_MASTER },
	{ "a peer that wins does not wait for them",
	    "known won ok4 grown peer ok3",
	    "standby- [ " UP " [ storage+ addr- service-- storage-- fence-- "
	    "!]",
	    AT_BACKUP, ROLE_UNKNOWN },
	{ "nor does who is asked to step down",
	    "known won ok4 grown ok passive ok3",
	    "standby- [ " UP " [ storage+ service+ " DOWN " !]", AT_BACKUP,
	    ROLE_UNKNOWN },
	{ "after the last resort nothing happens",
	    "known won ok4 hard won force passive stop",
	    "standby- [ " UP " addr- [ HARD !]", AT_GONE, ROLE_ERROR },
};

START_TEST(orders)
{
	const struct row *row = &rows[_i];

	start(&plain);
	live(row->events);
	ck_assert_msg(strcmp(trace, row->want) == 0,
	    "%s:\nevents %s\ngot    %s\nwant   %s", row->why, row->events,
	    trace, row->want);
	ck_assert_msg(
	    r.at == row->at, "%s: at %s", row->why, role_at_name(r.at));
	ck_assert_msg(role_status(&r, false) == row->status, "%s: %s", row->why,
	    role_status_name(role_status(&r, false)));
}
END_TEST

static const struct row held[] = {
	{ "who wins by silence waits first", "known won", "standby- [", AT_HOLD,
	    ROLE_ELECTING },
	{ "then goes on", "known won time ok4", "standby- [ " UP, AT_MASTER,
	    ROLE_MASTER },
	{ "the other is back in time", "known won peer", "standby- [ !]",
	    AT_BACKUP, ROLE_UNKNOWN },
	{ "a bow-out is not waited for", "known won-passive",
	    "standby- [ fence+(passive)", AT_FENCE, ROLE_ELECTING },
	{ "counted once: not again at the fence",
	    "known won time alive time ok4", "standby- [ fence+ " UP, AT_MASTER,
	    ROLE_MASTER },
	{ "a lost link is borne", "known won-passive ok4 link won",
	    "standby- [ fence+(passive) storage+ critical+ other+ addr+ ]",
	    AT_MASTER, ROLE_MASTER },
	{ "not for ever", "known won-passive ok4 link time",
	    "standby- [ fence+(passive) storage+ critical+ other+ addr+ ] [ "
	    "addr- service--",
	    AT_DOWN_SERVICE, ROLE_MASTER },
	{ "one that is back is taken at once, before the other node may",
	    "known won-passive ok4 link back won",
	    "standby- [ fence+(passive) storage+ critical+ other+ addr+ ] take",
	    AT_MASTER, ROLE_MASTER },
	{ "a link that is back has an election to win",
	    "known won-passive ok4 link back time",
	    "standby- [ fence+(passive) storage+ critical+ other+ addr+ ] take "
	    "[ addr- service--",
	    AT_DOWN_SERVICE, ROLE_MASTER },
	{ "a peer that won meanwhile does not wait",
	    "known won-passive ok4 link peer",
	    "standby- [ fence+(passive) storage+ critical+ other+ addr+ ] [ "
	    "addr- service--",
	    AT_DOWN_SERVICE, ROLE_MASTER },
	{ "become_passive ends the wait", "known won passive",
	    "standby- [ bow !]", AT_BACKUP, ROLE_UNKNOWN },
	{ "so does disabling", "known won disable",
	    "standby- [ bow standby+ !]", AT_STANDBY, ROLE_UNKNOWN },
};

START_TEST(hold_down)
{
	const struct row *row = &held[_i];
	struct role_config cfg = plain;

	cfg.timeout = 5 * CARP_SEC;
	start(&cfg);
	live(row->events);
	ck_assert_msg(strcmp(trace, row->want) == 0,
	    "%s:\nevents %s\ngot    %s\nwant   %s", row->why, row->events,
	    trace, row->want);
	ck_assert_msg(
	    r.at == row->at, "%s: at %s", row->why, role_at_name(r.at));
}
END_TEST

START_TEST(a_flapping_link_does_not_extend_the_wait)
{
	struct role_config cfg = plain;
	uint64_t lost;

	cfg.timeout = 5 * CARP_SEC;
	start(&cfg);
	live("known won-passive ok4 link");
	lost = now;
	for (int i = 0; i < 20; i++)
		live("back link");
	ck_assert_uint_eq(r.deadline, lost + cfg.timeout + cfg.detect);
}
END_TEST

START_TEST(a_new_timeout_counts_at_once)
{
	struct role_config cfg = plain;

	cfg.timeout = 5 * CARP_SEC;
	start(&cfg);
	live("known won");
	cfg.timeout = 2 * CARP_SEC;
	role_configure(&r, &cfg, now);
	ck_assert_uint_eq(role_deadline(&r), r.since + 2 * CARP_SEC);
}
END_TEST

START_TEST(nor_does_it_shorten_the_election)
{
	struct role_config cfg = plain;

	cfg.timeout = 5 * CARP_SEC;
	start(&cfg);
	live("known won time ok4 link back");
	role_configure(&r, &cfg, now);
	ck_assert_uint_eq(role_deadline(&r), r.since + 9 * CARP_SEC);
	live("disable");
	ck_assert_msg(r.at == AT_MASTER && role_deadline(&r) == CARP_NEVER,
	    "disabled: nothing is to be lost any more");
}
END_TEST

START_TEST(addresses_before_services)
{
	struct role_config cfg = plain;

	cfg.addresses_first = true;
	start(&cfg);
	live("known won ok4");
	ck_assert_str_eq(
	    trace, "standby- [ fence+ storage+ addr+ critical+ other+ ]");
}
END_TEST

START_TEST(disabled_from_the_start)
{
	struct role_config cfg = plain;

	cfg.disabled = true;
	start(&cfg);
	live("known won peer won");
	ck_assert_str_eq(trace, "bow");
	ck_assert(r.at == AT_STANDBY);
}
END_TEST

/* A peer that lives is waited for, but not for ever. */
START_TEST(a_living_peer_ends_the_takeover)
{
	uint64_t began;

	start(&plain);
	live("known won");
	began = now;
	for (int i = 0; r.at == AT_FENCE && i < 1000; i++) {
		live("alive");
		if (r.at == AT_RETRY)
			live("time");
	}
	ck_assert(now - began <= plain.fence_wait);
	ck_assert(now - began > plain.fence_wait * 9 / 10);
}
END_TEST

/* Two broken nodes: the waits between attempts double, up to a bound. */
START_TEST(failures_are_bounded)
{
	uint64_t wait = 0, last = 0, at;

	start(&plain);
	live("known");
	for (int i = 0; i < 10; i++) {
		live("won fail ok3");
		ck_assert(r.at == AT_ERROR);
		at = now;
		live("peer time");
		wait = now - at;
		ck_assert(wait >= last);
		ck_assert(i > 4 || last == 0 || wait > last * 3 / 2);
		last = wait;
	}
	ck_assert(wait >= 300 * CARP_SEC && wait <= 400 * CARP_SEC);
}
END_TEST

/*
 * Random lives.
 */
static uint64_t seed;

static unsigned
draw(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static struct {
	bool fence, storage, services, addr, standby, importing, begun;
	bool failed, gone, exited;
	bool pending;
	struct resource_order order;
} w;

static void
obey_order(const struct resource_order *o)
{
	ck_assert_msg(!w.gone, "ordered after the last resort");
	if (o->up && o->phase == PHASE_STORAGE)
		ck_assert_msg(w.fence, "S2: storage without a fence");
	if (o->up && o->phase == PHASE_SERVICE)
		ck_assert_msg(w.storage, "a service without storage");
	if (!o->up && o->phase == PHASE_FENCE)
		ck_assert_msg(!w.storage, "S3: a fence released early");
	if (!o->up && o->mode == MODE_FORCED)
		ck_assert_msg(!w.addr, "forced, and the addresses stay");
	/* A replaced order may have done part of its work. */
	if (w.pending && w.order.up && draw(2) == 0) {
		w.fence |= w.order.phase == PHASE_FENCE;
		w.storage |= w.order.phase == PHASE_STORAGE;
		w.services |= w.order.phase == PHASE_SERVICE;
	}
	w.order = *o;
	w.pending = true;
}

static void
obey(void)
{
	struct role_action a;

	while (role_next(&r, &a))
		switch (a.what) {
		case ROLE_DO_BEGIN:
			ck_assert(!w.begun);
			w.begun = true;
			break;
		case ROLE_DO_END:
			ck_assert(w.begun);
			w.begun = false;
			break;
		case ROLE_DO_ORDER:
			obey_order(&a.order);
			break;
		case ROLE_DO_ADDRESSES:
			ck_assert(a.on != w.addr);
			ck_assert_msg(!a.on || (w.fence && w.storage),
			    "addresses before storage");
			w.addr = a.on;
			break;
		case ROLE_DO_STANDBY:
			ck_assert(a.on != w.standby);
			w.standby = a.on;
			break;
		case ROLE_DO_IMPORTING:
			w.importing = a.on;
			break;
		case ROLE_DO_FAILED:
			w.failed = a.on;
			break;
		case ROLE_DO_BOW_OUT:
			ck_assert_msg(!w.storage, "a bow-out with storage");
			break;
		case ROLE_DO_HARD:
			w.gone = true;
			break;
		case ROLE_DO_EXIT:
			ck_assert(!w.storage && !w.addr);
			w.exited = true;
			break;
		case ROLE_DO_TAKE:
			break;
		}
}

static void
finish_order(bool well)
{
	struct resource_done done = { .order = w.order.id, .fenced = 1 };
	struct role_detail d = { .done = &done };
	unsigned luck = well ? 0 : draw(12);

	w.pending = false;
	done.ok = luck < 8;
	(void)snprintf(done.text, sizeof(done.text), "bad luck");
	if (w.order.up && w.order.phase == PHASE_FENCE) {
		w.fence = done.ok || draw(2) == 0;
		done.peer_alive = luck > 9;
	} else if (w.order.up && w.order.phase == PHASE_STORAGE) {
		w.storage |= done.ok || draw(2) == 0;
	} else if (w.order.up) {
		w.services = true;
	} else if (w.order.phase == PHASE_STORAGE) {
		/* What was here and stays is the end; else it is unclear. */
		done.hard = !done.ok && w.storage;
		w.storage = done.hard;
		w.gone |= done.hard;
	} else if (w.order.phase == PHASE_FENCE) {
		w.fence = !done.ok;
	} else {
		w.services = !done.ok;
	}
	role_step(&r, ROLE_EV_DONE, &d, now);
	obey();
}

static enum role_event last_view;

static void
random_event(void)
{
	static const enum role_event any[] = { ROLE_EV_WON, ROLE_EV_WON,
		ROLE_EV_LOST_PEER, ROLE_EV_LOST_LINK, ROLE_EV_LINK_BACK,
		ROLE_EV_FORCE, ROLE_EV_PASSIVE, ROLE_EV_DISABLE, ROLE_EV_ENABLE,
		ROLE_EV_SICK, ROLE_EV_GROWN };
	struct role_detail d = { .peer = (enum resource_peer)draw(2),
		.text = "sick" };
	enum role_event ev = any[draw(sizeof(any) / sizeof(*any))];

	/* A host on standby wins nothing. */
	if (ev == ROLE_EV_WON && w.standby)
		return;
	if (draw(100) == 0)
		ev = draw(2) == 0 ? ROLE_EV_FENCE_LOST : ROLE_EV_HARD;
	if (ev == ROLE_EV_WON || ev == ROLE_EV_LOST_PEER ||
	    ev == ROLE_EV_LOST_LINK)
		last_view = ev;
	role_step(&r, ev, &d, now);
	obey();
}

static void
tick(void)
{
	now = r.deadline != CARP_NEVER ? r.deadline : now + CARP_SEC;
	role_step(&r, ROLE_EV_TIMER, NULL, now);
	obey();
}

/* Everything goes well from here: it must come to serve, or be gone. */
static void
come_to_rest(void)
{
	struct role_detail d = { .peer = PEER_UNCLEAR };

	role_step(&r, ROLE_EV_ENABLE, NULL, now);
	obey();
	for (int i = 0;
	     i < 100 && r.at != AT_GONE && (r.at != AT_MASTER || w.begun);
	     i++) {
		if (w.pending)
			finish_order(true);
		else
			tick();
		if (!w.standby && r.view != ROLE_EV_WON) {
			role_step(&r, ROLE_EV_WON, &d, now);
			obey();
		}
	}
	ck_assert_msg(r.at == AT_MASTER || r.at == AT_GONE, "S4: stuck at %s",
	    role_at_name(r.at));
	ck_assert(r.at == AT_GONE || (w.addr && w.storage && !w.importing &&
					 !w.begun && !w.failed));
}

START_TEST(random_lives)
{
	const struct role_detail none = { 0 };
	struct role_config cfg = plain;
	unsigned gone = 0, served = 0;

	for (unsigned life = 0; life < 30000; life++) {
		seed = life;
		(void)draw(1);
		memset(&w, 0, sizeof(w));
		w.standby = true;
		cfg.timeout = draw(2) * 5 * CARP_SEC;
		cfg.addresses_first = draw(2) != 0;
		cfg.disabled = draw(8) == 0;
		now = CARP_SEC;
		role_init(&r, &cfg);
		role_step(&r, ROLE_EV_KNOWN, &none, now);
		obey();
		for (unsigned n = draw(40); n > 0 && !w.gone; n--) {
			now += CARP_SEC / 10;
			if (w.pending && draw(2) == 0)
				finish_order(false);
			else if (draw(4) == 0)
				tick();
			else
				random_event();
		}
		come_to_rest();
		gone += r.at == AT_GONE;
		served += r.at == AT_MASTER;
	}
	ck_assert_msg(served > 15000 && gone > 300,
	    "the lives show nothing: %u served, %u gone", served, gone);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("role");
	TCase *t = tcase_create("role");

	tcase_set_timeout(t, 60);
	add_rows(t, orders, rows);
	add_rows(t, hold_down, held);
	tcase_add_test(t, a_flapping_link_does_not_extend_the_wait);
	tcase_add_test(t, a_new_timeout_counts_at_once);
	tcase_add_test(t, nor_does_it_shorten_the_election);
	tcase_add_test(t, addresses_before_services);
	tcase_add_test(t, disabled_from_the_start);
	tcase_add_test(t, a_living_peer_ends_the_takeover);
	tcase_add_test(t, failures_are_bounded);
	tcase_add_test(t, random_lives);
	suite_add_tcase(s, t);
	return suite_run(s);
}
