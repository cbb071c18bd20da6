/* SPDX-License-Identifier: ISC */
/* Lines to the control protocol, and what is answered, on a real instance. */
#include <check.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/log.h"
#include "../../daemon/rpc.h"
#include "block.h"

static struct instance *in;
static int saved, reloads, reload_rc, subscriptions;
static json_t *reload_id;
static struct rpc_peer peer;

static void
save(void *arg, bool on)
{
	(void)arg;
	saved = on;
}

static int
subscribe(void *arg)
{
	(void)arg;
	subscriptions++;
	return 0;
}

static int
reload(void *arg, json_t *id)
{
	(void)arg;
	reloads++;
	reload_id = id;
	return reload_rc;
}

static void
apply(const struct block_host *h, uint32_t n)
{
	struct conf *conf = block_new(h, n);
	char why[256] = "";

	ck_assert_msg(
	    instance_apply(in, conf, carp_now(), why, sizeof(why)) == 0, "%s",
	    why);
	free(conf);
}

static const struct block_host hosts[] = { { "none0", 1, 0 },
	{ "none0", 7, 100 }, { "none1", 7, 0 } };

static void
setup(void)
{
	static const struct instance_ops ops = { .save_maintenance = save };

	saved = -1;
	reloads = reload_rc = subscriptions = 0;
	peer.may_change = true;
	peer.subscribe = subscribe;
	peer.reload = reload;
	ck_assert_int_eq(instance_new(&in, &ops, NULL, false, NULL), 0);
	apply(hosts, 3);
}

static void
teardown(void)
{
	instance_free(in);
}

/* The answer to a line as text; "" if there is none.  For free(). */
static char *
ask_len(const char *line, size_t len)
{
	json_t *answer = rpc_handle_line(in, &peer, line, len, carp_now());
	char *text;

	if (answer == NULL)
		return strdup("");
	text = json_dumps(answer, JSON_COMPACT);
	json_decref(answer);
	ck_assert_ptr_nonnull(text);
	return text;
}

static char *
ask(const char *line)
{
	return ask_len(line, strlen(line));
}

/* Calls a method with id 1 and returns its result; borrowed by nobody. */
static json_t *
call(const char *method, const char *params)
{
	char line[512], *text;
	json_t *answer, *result;

	(void)snprintf(line, sizeof(line),
	    "{\"jsonrpc\":\"2.0\",\"id\":1,"
	    "\"method\":\"%s\",\"params\":%s}",
	    method, params);
	text = ask(line);
	answer = json_loads(text, 0, NULL);
	ck_assert_ptr_nonnull(answer);
	result = json_object_get(answer, "result");
	ck_assert_msg(result != NULL, "%s", text);
	json_incref(result);
	json_decref(answer);
	free(text);
	return result;
}

#define R      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
#define SHOW   R "\"carp.show\",\"params\":"
#define DEMOTE R "\"carp.demote\",\"params\":"
#define FORCE  R "\"carp.force\",\"params\":"

static const struct row {
	const char *line;
	const char *want; /* part of the answer */
} rows[] = {
	/* No JSON. */
	{ "{", "-32700" },
	{ "hello", "-32700" },
	{ "\xff\xfe{}", "-32700" },
	{ "{\"a\":1,\"a\":2}", "duplicate object key" },
	{ R "\"carp.version\"} x", "-32700" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":99999999999999999999}", "-32700" },
	{ R "\"carp.ver\\u0000sion\"}", "-32700" },
	/* JSON, but no request. */
	{ "42", "\"id\":null,\"error\":{\"code\":-32600" },
	{ "null", "-32600" },
	{ "[]", "batches are not supported" },
	{ "[{}]", "batches are not supported" },
	{ "{}", "jsonrpc must be" },
	{ "{\"id\":5}", "\"id\":5,\"error\":{\"code\":-32600" },
	{ "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"carp.version\"}",
	    "jsonrpc must be" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1}", "method must be a string" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}",
	    "method must be a string" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":[],\"method\":\"carp.version\"}",
	    "\"id\":null,\"error\":{\"code\":-32600" },
	{ R "\"carp.version\",\"extra\":1}", "unknown member \\\"extra\\\"" },
	/* No such method. */
	{ R "\"carp.statsu\"}", "there is carp.status" },
	{ R "\"status\"}", "there is carp.status" },
	{ R "\"\"}", "-32601" },
	{ R "\"nothing.like.it\"}", "rpc.methods lists them" },
	{ R "\"carp.reload \"}", "there is carp.reload" },
	/* Wrong params. */
	{ R "\"carp.version\",\"params\":[]}", "params must be an object" },
	{ R "\"carp.version\",\"params\":null}", "params must be an object" },
	{ R "\"carp.version\",\"params\":{\"x\":1}}", "it takes none" },
	{ SHOW "{}}", "params.vhid is missing: an integer from 1 to 255" },
	{ SHOW "{\"vhid\":0}}", "params.vhid must be an integer from 1 to" },
	{ SHOW "{\"vhid\":256}}", "params.vhid must be an integer from 1 to" },
	{ SHOW "{\"vhid\":1.0}}", "params.vhid must be an integer from 1 to" },
	{ SHOW "{\"vhid\":\"1\"}}", "params.vhid must be an integer from 1" },
	{ SHOW "{\"vhid\":1,\"interface\":\"\"}}", "a string of 1 to 15" },
	{ SHOW "{\"vhid\":1,\"interface\":\"1234567890123456\"}}",
	    "a string of 1 to 15" },
	{ SHOW "{\"vhdi\":1}}", "\\\"vhdi\\\"; it takes vhid, interface" },
	{ SHOW "{\"vhid\":9}}", "there is no vhid 9; there is 1 on none0, 7 on "
				"none0, 7 on none1" },
	{ SHOW "{\"vhid\":7}}", "several interfaces, name one: 7 on none0, 7 "
				"on none1" },
	{ SHOW "{\"vhid\":1,\"interface\":\"none1\"}}",
	    "vhid 1 is not on none1; there is 1 on none0" },
	{ DEMOTE "{\"cause\":\"x\"}}", "params.amount is missing" },
	{ DEMOTE "{\"amount\":1}}", "params.cause is missing" },
	{ DEMOTE "{\"cause\":\"x\",\"amount\":65536}}",
	    "from -65535 to 65535" },
	{ DEMOTE "{\"cause\":\"x\",\"amount\":true}}", "-32602" },
	{ DEMOTE "{\"cause\":\"x\",\"amount\":1,\"seconds\":0}}",
	    "from 1 to 31536000" },
	{ DEMOTE "{\"cause\":\"\",\"amount\":1}}", "a string of 1 to 47" },
	{ DEMOTE "{\"cause\":\"a\\nb\",\"amount\":1}}", "printable ASCII" },
	{ DEMOTE "{\"cause\":\"\xc3\xa9\",\"amount\":1}}", "printable ASCII" },
	{ DEMOTE "{\"cause\":\"maintenance\",\"amount\":1}}",
	    "set by carpd itself" },
	{ DEMOTE "{\"cause\":\"link eth0\",\"amount\":1}}",
	    "set by carpd itself" },
	{ DEMOTE "{\"cause\":\"send eth0\",\"amount\":1}}",
	    "set by carpd itself" },
	{ R "\"carp.maintenance\",\"params\":{\"on\":1}}", "true or false" },
	{ R "\"carp.maintenance\"}", "params.on is missing" },
	{ FORCE "{\"vhid\":1,\"state\":\"init\"}}",
	    "must be \\\"master\\\" or \\\"backup\\\"" },
	/* Right, but it does not work. */
	{ FORCE "{\"vhid\":1,\"state\":\"master\"}}", "-32002" },
	/* Without params, and with id of each kind. */
	{ R "\"carp.version\"}", "\"id\":1,\"result\":{\"version\":" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"carp.version\"}",
	    "\"id\":\"x\",\"result\"" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"carp.version\"}\r",
	    "\"id\":null,\"result\"" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"carp.version\"}",
	    "\"id\":1.5,\"result\"" },
};

START_TEST(answers)
{
	const struct row *r = &rows[_i];
	char *got = ask(r->line);

	ck_assert_msg(strstr(got, r->want) != NULL, "%s\n-> %s\nwithout %s",
	    r->line, got, r->want);
	free(got);
}
END_TEST

static const char *const silent[] = {
	"{\"jsonrpc\":\"2.0\",\"method\":\"carp.version\"}",
	"{\"jsonrpc\":\"2.0\",\"method\":\"no.such\"}",
	"{\"jsonrpc\":\"2.0\",\"method\":\"carp.show\",\"params\":{}}",
	"{\"jsonrpc\":\"2.0\",\"method\":\"carp.reload\"}",
};

START_TEST(notifications_get_no_answer)
{
	char *got = ask(silent[_i]);

	ck_assert_str_eq(got, "");
	free(got);
}
END_TEST

START_TEST(notifications_are_carried_out)
{
	free(ask("{\"jsonrpc\":\"2.0\",\"method\":\"carp.maintenance\","
		 "\"params\":{\"on\":true}}"));
	ck_assert(instance_maintenance(in));
}
END_TEST

static const char *const changes[] = {
	DEMOTE "{\"cause\":\"x\",\"amount\":1}}",
	R "\"carp.maintenance\",\"params\":{\"on\":true}}",
	FORCE "{\"vhid\":1,\"state\":\"master\"}}",
	R "\"carp.reload\"}",
	/* Who may not change need not know what would be right. */
	DEMOTE "{\"nonsense\":1}}",
};

START_TEST(changes_are_for_root)
{
	char *got;

	peer.may_change = false;
	peer.uid = 1000;
	got = ask(changes[_i]);
	ck_assert_ptr_nonnull(strstr(got, "-32001"));
	ck_assert_ptr_nonnull(strstr(got, "uid 1000"));
	ck_assert_int_eq(saved, -1);
	ck_assert_int_eq(reloads, 0);
	ck_assert_uint_eq(carp_engine_demotion(instance_engine(in))->n, 0);
	free(got);
}
END_TEST

START_TEST(every_method_is_listed)
{
	json_t *list = call("rpc.methods", "{}"), *m;
	unsigned nchange = 0;
	size_t i;

	ck_assert_uint_eq(json_array_size(list), 30);
	json_array_foreach(list, i, m)
	{
		ck_assert(json_is_string(json_object_get(m, "name")));
		ck_assert(json_is_string(json_object_get(m, "text")));
		nchange += json_is_true(json_object_get(m, "change"));
	}
	ck_assert_uint_eq(nchange, 13);
	json_decref(list);
}
END_TEST

START_TEST(status_has_its_members)
{
	static const char *const of_node[] = { "node", "version", "pid",
		"uptime", "maintenance", "demotion", "interfaces", "hosts" };
	static const char *const of_host[] = { "interface", "vhid", "state",
		"cause", "since", "advbase", "advskew", "skew_sent", "preempt",
		"demotion", "addresses", "installed", "virtual_mac", "master",
		"conditions" };
	json_t *o = call("carp.status", "{}"), *host, *iface;

	for (size_t i = 0; i < sizeof(of_node) / sizeof(of_node[0]); i++)
		ck_assert_msg(
		    json_object_get(o, of_node[i]) != NULL, "%s", of_node[i]);
	ck_assert_str_eq(
	    json_string_value(json_object_get(o, "node")), "nodeA");
	ck_assert_uint_eq(json_array_size(json_object_get(o, "hosts")), 3);
	host = json_array_get(json_object_get(o, "hosts"), 0);
	for (size_t i = 0; i < sizeof(of_host) / sizeof(of_host[0]); i++)
		ck_assert_msg(json_object_get(host, of_host[i]) != NULL, "%s",
		    of_host[i]);
	ck_assert_uint_eq(json_array_size(json_object_get(o, "interfaces")), 2);
	iface = json_array_get(json_object_get(o, "interfaces"), 0);
	ck_assert(json_is_false(json_object_get(iface, "exists")));
	ck_assert_int_eq(
	    json_integer_value(json_object_get(iface, "hosts")), 2);
	json_decref(o);
}
END_TEST

START_TEST(show_has_its_members)
{
	static const char *const names[] = { "why", "timers",
		"digest_addresses", "peers_configured", "peers", "counters",
		"demotion_causes", "lease", "state" };
	json_t *o = call("carp.show", "{\"vhid\":7,\"interface\":\"none1\"}");
	const char *why;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_msg(
		    json_object_get(o, names[i]) != NULL, "%s", names[i]);
	why = json_string_value(json_object_get(o, "why"));
	ck_assert_msg(strncmp(why, "init: ", 6) == 0, "%s", why);
	json_decref(o);
}
END_TEST

START_TEST(demotion_comes_and_goes)
{
	const struct carp_demotion *d =
	    carp_engine_demotion(instance_engine(in));

	json_decref(call("carp.demote", "{\"cause\":\"disk\",\"amount\":50}"));
	json_decref(call("carp.demote",
	    "{\"cause\":\"net\",\"amount\":-1,\"seconds\":3600}"));
	ck_assert_int_eq(carp_demotion_sum(d), 49);
	ck_assert_uint_eq(d->n, 2);
	ck_assert_uint_ne(carp_demotion_deadline(d), CARP_NEVER);
	json_decref(call("carp.demote", "{\"cause\":\"disk\",\"amount\":0}"));
	ck_assert_int_eq(carp_demotion_sum(d), -1);
}
END_TEST

START_TEST(too_many_causes_are_refused)
{
	char line[200], *got;

	for (int i = 0; i < CARP_CAUSES_MAX + 1; i++) {
		(void)snprintf(line, sizeof(line),
		    DEMOTE "{\"cause\":\"c%d\",\"amount\":1}}", i);
		got = ask(line);
		ck_assert_msg(
		    strstr(got, i < CARP_CAUSES_MAX ? "\"result\":true"
						    : "-32002") != NULL,
		    "%s", got);
		free(got);
	}
}
END_TEST

START_TEST(maintenance_is_saved_once)
{
	json_decref(call("carp.maintenance", "{\"on\":true}"));
	ck_assert_int_eq(saved, 1);
	ck_assert_int_eq(
	    carp_demotion_sum(carp_engine_demotion(instance_engine(in))),
	    CARP_DEMOTED);
	saved = -1;
	json_decref(call("carp.maintenance", "{\"on\":true}"));
	ck_assert_int_eq(saved, -1);
	json_decref(call("carp.maintenance", "{\"on\":false}"));
	ck_assert_int_eq(saved, 0);
	ck_assert_int_eq(
	    carp_demotion_sum(carp_engine_demotion(instance_engine(in))), 0);
}
END_TEST

START_TEST(a_reload_is_answered_later)
{
	char *got = ask(R "\"carp.reload\"}");

	ck_assert_str_eq(got, "");
	ck_assert_int_eq(reloads, 1);
	free(got);
	reload_rc = -EOPNOTSUPP;
	got = ask(R "\"carp.reload\"}");
	ck_assert_ptr_nonnull(strstr(got, "without a configuration file"));
	free(got);
}
END_TEST

START_TEST(a_subscription_is_passed_on)
{
	json_decref(call("carp.subscribe", "{}"));
	ck_assert_int_eq(subscriptions, 1);
}
END_TEST

START_TEST(nesting_is_bounded)
{
	size_t len = RPC_LINE_MAX;
	char *line = malloc(len), *got;

	memset(line, '[', len);
	got = ask_len(line, len);
	ck_assert_ptr_nonnull(strstr(got, "-32700"));
	free(got);
	free(line);
}
END_TEST

START_TEST(a_long_name_is_cut)
{
	char line[4000], *got;

	memset(line, 'x', sizeof(line));
	memcpy(line, R "\"", sizeof(R));
	memcpy(line + sizeof(line) - 3, "\"}", 3);
	got = ask(line);
	ck_assert_ptr_nonnull(strstr(got, "-32601"));
	ck_assert_uint_lt(strlen(got), 300);
	free(got);
}
END_TEST

/*
 * Reloads.
 */

static unsigned
nhosts(void)
{
	struct carp_host *h = NULL;
	unsigned n = 0;

	while ((h = carp_host_each(instance_engine(in), h)) != NULL)
		n++;
	return n;
}

START_TEST(apply_adds_changes_removes)
{
	static const struct block_host other[] = { { "none0", 7, 50 },
		{ "none1", 7, 0 }, { "none2", 3, 0 } };
	struct carp_engine *e = instance_engine(in);
	struct carp_host *kept = carp_host_find(e, "none1", 7),
			 *changed = carp_host_find(e, "none0", 7);
	struct carp_host_info i;

	apply(other, 3);
	ck_assert_uint_eq(nhosts(), 3);
	ck_assert_ptr_eq(carp_host_find(e, "none1", 7), kept);
	ck_assert_ptr_eq(carp_host_find(e, "none0", 7), changed);
	carp_host_get_info(changed, &i);
	ck_assert_uint_eq(i.carp.advskew, 50);
	ck_assert_ptr_nonnull(carp_host_find(e, "none2", 3));
	ck_assert_ptr_null(carp_host_find(e, "none0", 1));
	apply(other, 0);
	ck_assert_uint_eq(nhosts(), 0);
}
END_TEST

/* Which host cannot be had: 0, a new one, 1, a changed one. */
START_TEST(apply_is_all_or_nothing)
{
	static const struct block_host bad[] = { { "none0", 1, 33 },
		{ "none0", 7, 44 }, { "none5", 1, 0 }, { "none5", 2, 0 } };
	struct conf *conf = block_new(bad, 4);
	struct conf_host *host = (struct conf_host *)(conf + 1);
	struct carp_host_info i;
	char why[256] = "";

	host[_i == 0 ? 3 : 1].carp.advskew = 255;
	ck_assert_int_lt(
	    instance_apply(in, conf, carp_now(), why, sizeof(why)), 0);
	ck_assert_msg(
	    strstr(why, _i == 0 ? "test.conf:4: vhid 2 none5: "
				: "test.conf:2: vhid 7 none0: ") == why,
	    "%s", why);
	free(conf);
	ck_assert_uint_eq(nhosts(), 3);
	carp_host_get_info(carp_host_find(instance_engine(in), "none0", 1), &i);
	ck_assert_uint_eq(i.carp.advskew, 0);
	ck_assert_uint_eq(instance_conf(in)->nhosts, 3);
	/* And what is right still works. */
	apply(hosts, 2);
	ck_assert_uint_eq(nhosts(), 2);
}
END_TEST

static void
add_tests(TCase *t)
{
	tcase_add_loop_test(t, answers, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(t, notifications_get_no_answer, 0,
	    sizeof(silent) / sizeof(silent[0]));
	tcase_add_test(t, notifications_are_carried_out);
	tcase_add_loop_test(
	    t, changes_are_for_root, 0, sizeof(changes) / sizeof(changes[0]));
	tcase_add_test(t, every_method_is_listed);
	tcase_add_test(t, status_has_its_members);
	tcase_add_test(t, show_has_its_members);
	tcase_add_test(t, demotion_comes_and_goes);
	tcase_add_test(t, too_many_causes_are_refused);
	tcase_add_test(t, maintenance_is_saved_once);
	tcase_add_test(t, a_reload_is_answered_later);
	tcase_add_test(t, a_subscription_is_passed_on);
	tcase_add_test(t, nesting_is_bounded);
	tcase_add_test(t, a_long_name_is_cut);
	tcase_add_test(t, apply_adds_changes_removes);
	tcase_add_loop_test(t, apply_is_all_or_nothing, 0, 2);
}

int
main(void)
{
	Suite *s = suite_create("rpc");
	TCase *t = tcase_create("rpc");
	SRunner *r;
	int failed;

	/* The engine needs a network namespace in which it may do things. */
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 &&
	    unshare(CLONE_NEWNET) < 0) {
		printf("no network namespace can be made here: %s\n",
		    strerror(errno));
		return 77;
	}
	log_open("rpc", 0);
	tcase_add_checked_fixture(t, setup, teardown);
	add_tests(t);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
