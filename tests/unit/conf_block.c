/* SPDX-License-Identifier: ISC */
/* Configurations as blocks of memory: compared, and checked for damage. */
#include <errno.h>

#include "conf_file.h"
#include "suite.h"

#define HEAD "interface eth0 {\n vhid 10 {\n  key-hex = 01\n"
#define TAIL " }\n}\n"
#define ADDR "  address = { 192.0.2.10/24, 192.0.2.11/24 }\n"

/* Whether a text means the same as HEAD ADDR TAIL. */
static const struct same_row {
	bool same;
	const char *text;
} texts[] = {
	{ true, HEAD ADDR TAIL },
	{ true, "# other lines\n\n" HEAD ADDR "# none\n" TAIL "\n" },
	{ true, HEAD ADDR
	    " advbase = 1\n advskew = 0\n preempt = no\n"
	    " grace = 60\n lease = address\n virtual-mac = off\n" TAIL },
	{ true, HEAD ADDR " accept-digest = { all, no-link-local,"
			  " auto-link-local }\n" TAIL },
	{ true, "node { }\n" HEAD ADDR TAIL },
	{ false, "node { name = another-name }\n" HEAD ADDR TAIL },
	{ false, "node { user = nobody }\n" HEAD ADDR TAIL },
	{ false, "node { group = nobody }\n" HEAD ADDR TAIL },
	{ false, "node { preempt = true }\n" HEAD ADDR TAIL },
	{ false, "node { link-demotion = 1 }\n" HEAD ADDR TAIL },
	{ false, "node { realtime = on }\n" HEAD ADDR TAIL },
	{ true, "node { realtime = off }\n" HEAD ADDR TAIL },
	{ false, "node { notify-timeout = 1 }\n" HEAD ADDR TAIL },
	{ false, "node { notify-dir = /x }\n" HEAD ADDR TAIL },
	{ false, HEAD ADDR " advskew = 1\n" TAIL },
	{ false, HEAD ADDR " grace = 0\n" TAIL },
	{ false, HEAD ADDR " lease = off\n" TAIL },
	{ false, HEAD ADDR " lease = guard\n" TAIL },
	{ false, HEAD ADDR " virtual-mac = on\n" TAIL },
	{ false, HEAD ADDR " allow-foreign-subnet = on\n" TAIL },
	{ false, HEAD ADDR " peer = 192.0.2.2\n" TAIL },
	{ false, HEAD ADDR " digest-address = 192.0.2.10\n" TAIL },
	{ false, HEAD " address = 192.0.2.10/24\n" TAIL },
	{ false, HEAD " address = { 192.0.2.10/24, 192.0.2.11/25 }\n" TAIL },
	{ false, "interface eth1 { vhid 10 { key-hex = 01\n" ADDR TAIL },
	{ false, "interface eth0 { vhid 11 { key-hex = 01\n" ADDR TAIL },
	{ false, "interface eth0 { vhid 10 { key-hex = 02\n" ADDR TAIL },
};

#define NODE "node { name = A }\n"
#define FAIL "failover {\n fence f { hook = h }\n"
#define STORE                                                                  \
	" storage s1 { hook = h set = { A=1, B=2 } }\n"                        \
	" storage s2 { hook = h after = s1 }\n"
#define FULL NODE FAIL STORE "}\n" HEAD ADDR TAIL

/* Whether a text means the same as FULL; the network always does. */
static const struct same_row failovers[] = {
	{ true, FULL },
	{ true, HEAD ADDR TAIL NODE "\n\n" FAIL STORE "}\n" },
	{ true, NODE FAIL STORE " timeout = 0 addresses = after-services\n"
				" fence-wait = 15 url-schemes = { https, http "
				"}\n}\n" HEAD ADDR TAIL },
	{ true, NODE FAIL
	    " storage s1 { hook = h set = { \"A=1\", B='2' }\n"
	    " start-timeout = 60 stop-timeout = 4.000 status-timeout = 5\n"
	    " verify-timeout = 2.0 monitor = 10 }\n"
	    " storage s2 { hook = h after = { s1 } }\n}\n" HEAD ADDR TAIL },
	{ false, NODE HEAD ADDR TAIL },
	{ false, NODE "failover { }\n" HEAD ADDR TAIL },
	{ false, NODE FAIL "}\n" HEAD ADDR TAIL },
	{ false, "node { name = B }\n" FAIL STORE "}\n" HEAD ADDR TAIL },
#define MORE(x)                                                                \
	{                                                                      \
		false, NODE FAIL STORE x "}\n" HEAD ADDR TAIL                  \
	}
	MORE(" timeout = 1\n"),
	MORE(" addresses = before-services\n"),
	MORE(" fence-wait = 15.001\n"),
	MORE(" last-resort = /bin/x\n"),
	MORE(" url-schemes = https\n"),
	MORE(" url-schemes = { http, https }\n"),
	MORE(" interlink eth1 { peer = 10.0.0.2 }\n"),
	MORE(" service s3 { hook = h }\n"),
	MORE(" fence g { hook = h }\n"),
#undef MORE
#define OTHER(s1, s2)                                                          \
	{                                                                      \
		false, NODE FAIL " storage " s1 " }\n storage " s2             \
				 " }\n}\n" HEAD ADDR TAIL                      \
	}
	OTHER("t1 { hook = h set = { A=1, B=2 }", "s2 { hook = h after = t1"),
	OTHER("s1 { hook = i set = { A=1, B=2 }", "s2 { hook = h after = s1"),
	OTHER("s1 { hook = h set = { A=1, B=3 }", "s2 { hook = h after = s1"),
	OTHER("s1 { hook = h set = { A=1 }", "s2 { hook = h after = s1"),
	OTHER("s1 { hook = h set = { B=2, A=1 }", "s2 { hook = h after = s1"),
	OTHER("s1 { hook = h set = { A=1, B=2 }", "s2 { hook = h"),
	OTHER("s1 { hook = h set = { A=1, B=2 } start-timeout = 9",
	    "s2 { hook = h after = s1"),
	OTHER("s1 { hook = h set = { A=1, B=2 } stop-timeout = 9",
	    "s2 { hook = h after = s1"),
	OTHER("s1 { hook = h set = { A=1, B=2 } status-timeout = 9",
	    "s2 { hook = h after = s1"),
	OTHER("s1 { hook = h set = { A=1, B=2 } verify-timeout = 9",
	    "s2 { hook = h after = s1"),
	OTHER("s1 { hook = h set = { A=1, B=2 } monitor = 0",
	    "s2 { hook = h after = s1"),
#undef OTHER
};

START_TEST(failovers_that_mean_the_same)
{
	const struct same_row *r = &failovers[_i];
	struct conf *a = NULL, *b = NULL;

	ck_assert_msg(from_text(&a, FULL) == CONF_OK, "%s", said);
	ck_assert_msg(from_text(&b, r->text) == CONF_OK, "%s", said);
	ck_assert_msg(conf_equal(a, b) == r->same, "%s", r->text);
	ck_assert_msg(conf_equal(b, a) == r->same, "%s", r->text);
	ck_assert_msg(conf_same_network(a, b), "%s", r->text);
	ck_assert_int_eq(conf_verify(b, b->size), 0);
	free(a);
	free(b);
}
END_TEST

/* Whether the interfaces and virtual hosts of a text are those of FULL. */
static const struct same_row networks[] = {
	{ true, NODE HEAD ADDR TAIL },
	{ true, "node { name = B notify-timeout = 9 }\n" HEAD ADDR TAIL },
	{ false, NODE HEAD ADDR " advskew = 1\n" TAIL },
	{ false, NODE HEAD " address = 192.0.2.10/24\n" TAIL },
	{ false, NODE HEAD ADDR " virtual-mac = on\n" TAIL },
	{ false, NODE "interface eth1 { vhid 10 { key-hex = 01\n" ADDR TAIL },
	{ false, NODE "interface eth0 { vhid 9 { key-hex = 01\n" ADDR TAIL },
	{ false, NODE HEAD ADDR TAIL
	    "interface eth1 { vhid 10 { key-hex = 01 address = "
	    "10.0.0.1/8 } }\n" },
};

START_TEST(the_same_network)
{
	const struct same_row *r = &networks[_i];
	struct conf *a = NULL, *b = NULL;

	ck_assert_msg(from_text(&a, FULL) == CONF_OK, "%s", said);
	ck_assert_msg(from_text(&b, r->text) == CONF_OK, "%s", said);
	ck_assert_msg(conf_same_network(a, b) == r->same, "%s", r->text);
	ck_assert_msg(conf_same_network(b, a) == r->same, "%s", r->text);
	free(a);
	free(b);
}
END_TEST

START_TEST(texts_of_a_block)
{
	const struct conf_resource *r;
	struct conf *c = NULL;
	const char *set;

	ck_assert_msg(from_text(&c, FULL) == CONF_OK, "%s", said);
	ck_assert_str_eq(conf_text(c, 0), "");
	ck_assert_str_eq(conf_text(c, c->failover.last_resort), "");
	ck_assert_str_eq(conf_text(c, c->failover.schemes), "https http");
	ck_assert_str_eq(conf_text(c, UINT32_MAX), "");
	ck_assert_uint_eq(c->failover.nresources, 3);
	r = conf_resources(c);
	ck_assert_str_eq(r[1].name, "s1");
	ck_assert_str_eq(conf_text(c, r[1].hook), "h");
	ck_assert_uint_eq(r[1].nset, 2);
	set = conf_text(c, r[1].set);
	ck_assert_str_eq(set, "A=1");
	ck_assert_str_eq(set + strlen(set) + 1, "B=2");
	ck_assert_uint_eq(r[2].after, 2);
	free(c);
}
END_TEST

START_TEST(blocks_that_mean_the_same)
{
	const struct same_row *r = &texts[_i];
	struct conf *a = NULL, *b = NULL;

	ck_assert_int_eq(from_text(&a, HEAD ADDR TAIL), CONF_OK);
	ck_assert_msg(from_text(&b, r->text) == CONF_OK, "%s", said);
	ck_assert_msg(conf_equal(a, b) == r->same, "%s", r->text);
	ck_assert_msg(conf_equal(b, a) == r->same, "%s", r->text);
	free(a);
	free(b);
}
END_TEST

/* Ways to damage a block on its way between processes. */
enum damage {
	NOTHING,
	SHORTER,
	SIZE,
	FILE_NAME,
	NODE_NAME_END,
	NHOSTS,
	NADDRS,
	MANY_HOSTS,
	IFNAME,
	EMPTY_IFNAME,
	VHID,
	CARP_SIZE,
	LEASE,
	FIRST_ADDR,
	NADDR,
	PEERS,
	FAMILY,
	PREFIX,
	TEXT_SIZE,
	TEXT_BEGIN,
	TEXT_END,
	FAILOVER_OFF,
	FAILOVER_ON,
	ADDRESSES_FIRST,
	TIMEOUT,
	LAST_RESORT,
	SCHEMES,
	INTERLINK,
	INTERLINK_PEER,
	NRESOURCES,
	MANY_RESOURCES,
	RESOURCE_NAME,
	RESOURCE_NO_NAME,
	RESOURCE_PHASE,
	RESOURCE_CRITICAL,
	RESOURCE_NONE,
	NO_HOOK,
	HOOK_BEHIND,
	SET_ZERO,
	SET_BEHIND,
	SET_MANY,
	AFTER_ITSELF,
	AFTER_PHASE,
	AFTER_BEHIND,
	NDAMAGES
};

static void
damage_failover(struct conf *c, enum damage d)
{
	struct conf_failover *f = &c->failover;
	struct conf_resource *r = (struct conf_resource *)(c + 1) + 1;
	char *text = (char *)c + c->size - c->ntext;

	switch (d) {
	case TEXT_SIZE:
		c->ntext++;
		break;
	case TEXT_BEGIN:
		text[0] = 'x';
		break;
	case TEXT_END:
		text[c->ntext - 1] = 'x';
		break;
	case FAILOVER_OFF:
		f->on = 0;
		break;
	case FAILOVER_ON:
		f->on = 2;
		break;
	case ADDRESSES_FIRST:
		f->addresses_first = 2;
		break;
	case TIMEOUT:
		f->timeout_s = 121;
		break;
	case LAST_RESORT:
		f->last_resort = c->ntext;
		break;
	case SCHEMES:
		f->schemes = UINT32_MAX;
		break;
	case INTERLINK:
		memset(f->interlink, 'x', sizeof(f->interlink));
		break;
	case INTERLINK_PEER:
		f->interlink_peer.family = 5;
		break;
	case NRESOURCES:
		f->nresources--;
		break;
	case MANY_RESOURCES:
		f->nresources = CONF_RESOURCE_MAX + 1;
		break;
	case RESOURCE_NAME:
		memset(r->name, 'x', sizeof(r->name));
		break;
	case RESOURCE_NO_NAME:
		r->name[0] = '\0';
		break;
	case RESOURCE_PHASE:
		r->phase = NPHASES;
		break;
	case RESOURCE_CRITICAL:
		r->critical = 2;
		break;
	case RESOURCE_NONE:
		r->none = 1;
		break;
	case NO_HOOK:
		r->hook = 0;
		break;
	case HOOK_BEHIND:
		r->hook = c->ntext;
		break;
	case SET_ZERO:
		r->set = 0;
		break;
	case SET_BEHIND:
		r->set = UINT32_MAX;
		break;
	case SET_MANY:
		r->nset = UINT32_MAX;
		break;
	case AFTER_ITSELF:
		r->after = 2;
		break;
	case AFTER_PHASE:
		r->after = 1;
		break;
	case AFTER_BEHIND:
		r->after = UINT64_C(1) << 63;
		break;
	default:
		break;
	}
}

static size_t
damage(struct conf *c, enum damage d)
{
	struct conf_host *h = (struct conf_host *)conf_hosts(c);
	struct carp_addr *a = (struct carp_addr *)(h + c->nhosts);
	size_t size = c->size;

	switch (d) {
	case SHORTER:
		return size - 1;
	case SIZE:
		c->size++;
		break;
	case FILE_NAME:
		memset(c->file, 'x', sizeof(c->file));
		break;
	case NODE_NAME_END:
		memset(c->name, 'x', sizeof(c->name));
		break;
	case NHOSTS:
		c->nhosts++;
		break;
	case NADDRS:
		c->naddrs--;
		break;
	case MANY_HOSTS:
		c->nhosts = UINT32_MAX;
		break;
	case IFNAME:
		memset(h->ifname, 'x', sizeof(h->ifname));
		break;
	case EMPTY_IFNAME:
		h->ifname[0] = '\0';
		break;
	case VHID:
		h->carp.vhid = 0;
		break;
	case CARP_SIZE:
		h->carp.size = 0;
		break;
	case LEASE:
		h->lease = 99;
		break;
	case FIRST_ADDR:
		h->addrs = UINT32_MAX;
		break;
	case NADDR:
		h->naddrs = 3;
		break;
	case PEERS:
		h->npeers = UINT32_MAX;
		break;
	case FAMILY:
		a->family = 5;
		break;
	case PREFIX:
		a->prefix = 33;
		break;
	default:
		damage_failover(c, d);
		break;
	}
	return size;
}

START_TEST(a_damaged_block_is_refused)
{
	struct conf *c = NULL;
	size_t size;

	ck_assert_msg(from_text(&c, FULL) == CONF_OK, "%s", said);
	size = damage(c, (enum damage)_i);
	ck_assert_int_eq(conf_verify(c, size), _i == NOTHING ? 0 : -EINVAL);
	ck_assert_int_eq(conf_verify(c, 0), -EINVAL);
	free(c);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("conf_block");
	TCase *t = tcase_create("conf_block");

	tcase_add_checked_fixture(t, make_file, remove_file);
	add_rows(t, blocks_that_mean_the_same, texts);
	add_rows(t, failovers_that_mean_the_same, failovers);
	add_rows(t, the_same_network, networks);
	tcase_add_test(t, texts_of_a_block);
	tcase_add_loop_test(t, a_damaged_block_is_refused, 0, NDAMAGES);
	suite_add_tcase(s, t);
	return suite_run(s);
}
