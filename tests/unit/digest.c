/* SPDX-License-Identifier: ISC */
/* The keyed digest: what enters it, in what order, and why one fails. */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <carp/carp.h>

#include "suite.h"

#define COUNTER	 UINT64_C(0x1122334455667788)
#define COUNTER8 "1122334455667788"
#define VHID	 7

static const uint8_t key[CARP_KEY_LEN] = "foobar";
static const uint8_t lladdr[6] = { 2, 0x11, 0x22, 0x33, 0x44, 0x55 };

/* A list of addresses in one string. */
static size_t
list(struct carp_addr *ret, const char *text)
{
	char copy[512], *s, *save;
	size_t n = 0;

	ck_assert_uint_lt(strlen(text), sizeof(copy));
	strcpy(copy, text);
	for (s = strtok_r(copy, " ", &save); s != NULL;
	     s = strtok_r(NULL, " ", &save))
		ck_assert_int_eq(carp_addr_parse(&ret[n++], s), 0);
	return n;
}

/* HMAC-SHA1 over bytes given in hexadecimal. */
static void
hmac(uint8_t ret[CARP_MD_LEN], const char *hex)
{
	uint8_t msg[512];
	unsigned n = 0, mdlen = CARP_MD_LEN;

	for (; *hex != '\0'; hex += 2) {
		char two[3] = { hex[0], hex[1], '\0' };

		msg[n++] = (uint8_t)strtoul(two, NULL, 16);
	}
	ck_assert_ptr_nonnull(
	    HMAC(EVP_sha1(), key, CARP_KEY_LEN, msg, n, ret, &mdlen));
}

static const struct {
	const char *why, *addrs;
	unsigned form;
	bool lladdr;
	const char *message; /* without the counter */
} rows[] = {
	{ "one address", "192.0.2.1", CARP_NOV6LL, false, "020107c0000201" },
	{ "one address, all forms alike", "192.0.2.1", CARP_ORIG, false,
	    "020107c0000201" },
	{ "sorted as unsigned numbers", "200.0.0.1 9.0.0.1 127.0.0.1",
	    CARP_NOV6LL, false,
	    "02010709000001"
	    "7f000001c8000001" },
	{ "duplicates collapse", "10.0.0.2 10.0.0.1 10.0.0.2", CARP_NOV6LL,
	    false, "0201070a0000010a000002" },
	{ "duplicates with other prefix lengths collapse",
	    "10.0.0.2/8 10.0.0.2/24", CARP_ORIG, false, "0201070a000002" },
	{ "IPv4 first, then IPv6", "2001:db8::1 192.0.2.1", CARP_NOV6LL, false,
	    "020107c000020120010db8000000000000000000000001" },
	{ "IPv6 sorted by bytes", "2001:db8::100 2001:db8::ff", CARP_NOV6LL,
	    false,
	    "02010720010db80000000000000000000000ff"
	    "20010db8000000000000000000000100" },
	{ "link-local ones are left out", "fe80::1 2001:db8::1", CARP_NOV6LL,
	    false, "02010720010db8000000000000000000000001" },
	{ "link-local ones enter", "fe80::1 2001:db8::1", CARP_ORIG, false,
	    "02010720010db8000000000000000000000001"
	    "fe800000000000000000000000000001" },
	{ "an embedded scope is cleared", "fe80:3::1", CARP_ORIG, false,
	    "020107fe800000000000000000000000000001" },
	{ "and cleared before sorting and collapsing",
	    "fe80:9::1 fe80:3::2 fe80:3::1", CARP_ORIG, false,
	    "020107fe800000000000000000000000000001"
	    "fe800000000000000000000000000002" },
	{ "the automatic one is added", "192.0.2.1", CARP_AUTOLL, false,
	    "020107c0000201fe8000000000000002005efffe000107" },
	{ "the automatic one is sorted in",
	    "fe80::1 fe80::ffff:0:0:1 2001:db8::1", CARP_AUTOLL, false,
	    "02010720010db8000000000000000000000001"
	    "fe800000000000000000000000000001"
	    "fe8000000000000002005efffe000107"
	    "fe80000000000000ffff000000000001" },
	{ "the automatic one is not doubled", "fe80::200:5eff:fe00:107",
	    CARP_AUTOLL, false, "020107fe8000000000000002005efffe000107" },
	{ "nothing but link-local ones", "fe80::1", CARP_NOV6LL, false,
	    "020107" },
	{ "no address at all", "", CARP_ORIG, false, "020107" },
	{ "the sentinels of the BSD loops never enter",
	    "0.0.0.0 255.255.255.255 192.0.2.1", CARP_ORIG, false,
	    "020107c0000201" },
	{ "nor those of IPv6",
	    ":: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 2001:db8::1", CARP_ORIG,
	    false, "02010720010db8000000000000000000000001" },
	{ "OpenBSD leaves interface-local groups out too",
	    "ff01::1 ff12::1 2001:db8::1", CARP_NOV6LL, false,
	    "02010720010db8000000000000000000000001" },
	{ "a lladdr by hand stands before the vhid", "192.0.2.1", CARP_NOV6LL,
	    true, "020102112233445507c0000201" },
	{ "a lladdr by hand in the older form", "192.0.2.1 fe80::1", CARP_ORIG,
	    true,
	    "020102112233445507c0000201"
	    "fe800000000000000000000000000001" },
};

START_TEST(what_enters_in_what_order)
{
	uint8_t want[CARP_MD_LEN], got[CARP_MD_LEN];
	struct carp_addr a[16];
	char hex[600] = "";
	size_t n;

	n = list(a, rows[_i].addrs);
	strcat(hex, rows[_i].message);
	strcat(hex, COUNTER8);
	hmac(want, hex);
	ck_assert_int_eq(carp_digest(got, key, VHID, a, n, rows[_i].form,
			     rows[_i].lladdr ? lladdr : NULL, COUNTER),
	    0);
	ck_assert_msg(memcmp(got, want, CARP_MD_LEN) == 0, "%s", rows[_i].why);
}
END_TEST

START_TEST(many_addresses)
{
	uint8_t one[CARP_MD_LEN], two[CARP_MD_LEN];
	static struct carp_addr a[2000], b[2000];
	size_t n = sizeof(a) / sizeof(a[0]);

	for (size_t i = 0; i < n; i++) {
		memset(&a[i], 0, sizeof(a[i]));
		a[i].family = i % 2 == 0 ? 4 : 6;
		a[i].ip[0] = 32;
		a[i].ip[2] = (uint8_t)(i >> 8);
		a[i].ip[3] = (uint8_t)i;
		b[n - 1 - i] = a[i];
	}
	ck_assert_int_eq(
	    carp_digest(one, key, VHID, a, n, CARP_ORIG, NULL, 1), 0);
	ck_assert_int_eq(
	    carp_digest(two, key, VHID, b, n, CARP_ORIG, NULL, 1), 0);
	ck_assert_mem_eq(one, two, CARP_MD_LEN);
}
END_TEST

START_TEST(arguments_are_checked)
{
	uint8_t md[CARP_MD_LEN];
	struct carp_addr a[1];

	list(a, "192.0.2.1");
	ck_assert_int_eq(carp_digest(md, key, VHID, a, 1, 0, NULL, 1), -EINVAL);
	ck_assert_int_eq(
	    carp_digest(md, key, VHID, a, 1, 0x40, NULL, 1), -EINVAL);
	a[0].family = 5;
	ck_assert_int_eq(
	    carp_digest(md, key, VHID, a, 1, CARP_ORIG, NULL, 1), -EINVAL);
}
END_TEST

static const struct {
	const char *why, *mine, *theirs;
	unsigned form;
	bool otherkey, lladdr;
	enum carp_mismatch want;
	const char *used;
} mistakes[] = {
	{ "all is well", "192.0.2.1 192.0.2.2", "192.0.2.2 192.0.2.1",
	    CARP_NOV6LL, false, false, CARP_MATCH, "11" },
	{ "another form is no mistake", "192.0.2.1 fe80::1",
	    "fe80::1 192.0.2.1", CARP_ORIG, false, false, CARP_MATCH, NULL },
	{ "ucarp hashes one of our two", "192.0.2.1 192.0.2.2", "192.0.2.2",
	    CARP_NOV6LL, false, false, CARP_OTHER_ADDRS, "01" },
	{ "the peer lacks the one that we added",
	    "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4",
	    "192.0.2.1 192.0.2.2 192.0.2.4", CARP_NOV6LL, false, false,
	    CARP_OTHER_ADDRS, "1101" },
	{ "the peer knows only IPv4",
	    "192.0.2.1 2001:db8::1 192.0.2.2 2001:db8::2",
	    "192.0.2.1 192.0.2.2", CARP_NOV6LL, false, false, CARP_OTHER_ADDRS,
	    "1010" },
	{ "the peer knows only IPv6",
	    "192.0.2.1 2001:db8::1 192.0.2.2 2001:db8::2",
	    "2001:db8::1 2001:db8::2", CARP_NOV6LL, false, false,
	    CARP_OTHER_ADDRS, "0101" },
	{ "the peer has none", "192.0.2.1 192.0.2.2 192.0.2.3", "", CARP_NOV6LL,
	    false, false, CARP_OTHER_ADDRS, "000" },
	{ "another key", "192.0.2.1 192.0.2.2", "192.0.2.1 192.0.2.2",
	    CARP_NOV6LL, true, false, CARP_OTHER_KEY, NULL },
	{ "an address that we cannot guess", "192.0.2.1", "192.0.2.99",
	    CARP_NOV6LL, false, false, CARP_OTHER_KEY, NULL },
};

START_TEST(a_mistake_is_recognised)
{
	uint8_t other[CARP_KEY_LEN] = "foobaz";
	struct carp_addr mine[8], theirs[8];
	struct carp_packet p = { .version = 2,
		.type = 1,
		.vhid = VHID,
		.advbase = 1,
		.authlen = 7,
		.counter = COUNTER };
	size_t n, m;
	bool used[8];

	n = list(mine, mistakes[_i].mine);
	m = list(theirs, mistakes[_i].theirs);
	ck_assert_int_eq(carp_digest(p.md, mistakes[_i].otherkey ? other : key,
			     VHID, theirs, m, mistakes[_i].form, NULL, COUNTER),
	    0);
	memset(used, 0, sizeof(used));
	ck_assert_msg(
	    carp_diagnose(&p, key, mine, n, NULL, used) == mistakes[_i].want,
	    "%s", mistakes[_i].why);
	for (size_t i = 0; mistakes[_i].used != NULL && i < n; i++)
		ck_assert_msg(used[i] == (mistakes[_i].used[i] == '1'),
		    "%s: address %zu", mistakes[_i].why, i);
	ck_assert_int_eq(
	    carp_diagnose(&p, key, mine, n, NULL, NULL), mistakes[_i].want);
}
END_TEST

START_TEST(a_lladdr_that_only_we_have_is_recognised)
{
	struct carp_packet p = { .version = 2,
		.type = 1,
		.vhid = VHID,
		.advbase = 1,
		.authlen = 7,
		.counter = COUNTER };
	struct carp_addr a[1];

	list(a, "192.0.2.1");
	ck_assert_int_eq(
	    carp_digest(p.md, key, VHID, a, 1, CARP_NOV6LL, NULL, COUNTER), 0);
	ck_assert_int_eq(
	    carp_diagnose(&p, key, a, 1, lladdr, NULL), CARP_OTHER_LLADDR);
	ck_assert_int_eq(
	    carp_digest(p.md, key, VHID, a, 1, CARP_NOV6LL, lladdr, COUNTER),
	    0);
	ck_assert_int_eq(
	    carp_diagnose(&p, key, a, 1, lladdr, NULL), CARP_MATCH);
}
END_TEST

START_TEST(the_diagnosis_of_a_long_list_is_bounded)
{
	static struct carp_addr a[3000];
	static bool used[3000];
	size_t n = sizeof(a) / sizeof(a[0]);
	struct carp_packet p = { .version = 2, .vhid = VHID };

	for (size_t i = 0; i < n; i++) {
		a[i].family = 4;
		a[i].ip[0] = 10;
		a[i].ip[2] = (uint8_t)(i >> 8);
		a[i].ip[3] = (uint8_t)i;
	}
	ck_assert_int_eq(
	    carp_diagnose(&p, key, a, n, NULL, used), CARP_OTHER_KEY);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("digest");
	TCase *t = tcase_create("digest");

	add_rows(t, what_enters_in_what_order, rows);
	tcase_add_test(t, many_addresses);
	tcase_add_test(t, arguments_are_checked);
	add_rows(t, a_mistake_is_recognised, mistakes);
	tcase_add_test(t, a_lladdr_that_only_we_have_is_recognised);
	tcase_add_test(t, the_diagnosis_of_a_long_list_is_bounded);
	suite_add_tcase(s, t);
	return suite_run(s);
}
