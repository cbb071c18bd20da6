/* SPDX-License-Identifier: ISC */
/* Addresses: text in and out, order, membership of nets. */
#include <check.h>
#include <errno.h>
#include <string.h>

#include <carp/carp.h>

#include "suite.h"

static struct carp_addr
addr(const char *text)
{
	struct carp_addr a;

	ck_assert_msg(carp_addr_parse(&a, text) == 0, "%s", text);
	return a;
}

static const struct {
	const char *text, *with, *without;
} good[] = {
	{ "192.0.2.1/24", "192.0.2.1/24", "192.0.2.1" },
	{ "192.0.2.1", "192.0.2.1/32", "192.0.2.1" },
	{ "0.0.0.0/0", "0.0.0.0/0", "0.0.0.0" },
	{ "255.255.255.255", "255.255.255.255/32", "255.255.255.255" },
	{ "2001:db8::1", "2001:db8::1/128", "2001:db8::1" },
	{ "2001:DB8:0:0::1/64", "2001:db8::1/64", "2001:db8::1" },
	{ "::/0", "::/0", "::" },
	{ "fe80::200:5eff:fe00:10a/10", "fe80::200:5eff:fe00:10a/10",
	    "fe80::200:5eff:fe00:10a" },
	{ "fe80:3::1", "fe80:3::1/128", "fe80:3::1" },
	{ "::ffff:192.0.2.1", "::ffff:192.0.2.1/128", "::ffff:192.0.2.1" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/127",
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/127",
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
};

START_TEST(text_goes_in_and_comes_out)
{
	char buf[CARP_ADDR_STRLEN];
	struct carp_addr a, b;

	a = addr(good[_i].text);
	ck_assert_ptr_eq(carp_addr_print(buf, &a, true), buf);
	ck_assert_str_eq(buf, good[_i].with);
	ck_assert(carp_addr_parse(&b, buf) == 0);
	ck_assert_mem_eq(&a, &b, sizeof(a));
	carp_addr_print(buf, &a, false);
	ck_assert_str_eq(buf, good[_i].without);
}
END_TEST

static const char *const bad[] = {
	"",
	"/",
	"/24",
	"192.0.2.1/",
	"192.0.2.1/33",
	"192.0.2.1/-1",
	"192.0.2.1/+1",
	"192.0.2.1/ 1",
	"192.0.2.1/24 ",
	"192.0.2.1/24x",
	"192.0.2.1/024000000000000000000000000000000024",
	"192.0.2.1/4294967320",
	"192.0.2.1/255.255.255.0",
	"192.0.2.1/24/24",
	" 192.0.2.1",
	"192.0.2.1 ",
	"192.0.2",
	"192.0.2.256",
	"192.0.2.1.1",
	"0x7f.1",
	"2130706433",
	"2001:db8::1/129",
	"2001:db8::1::2",
	"2001:db8:::1",
	"12345::",
	"1:2:3:4:5:6:7:8:9",
	"fe80::1%eth0",
	"fe80::1%1/64",
	"[::1]",
	"localhost",
	"eth0",
	"192.0.2.1\n",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};

START_TEST(what_is_no_address_is_refused)
{
	struct carp_addr a;

	ck_assert_msg(
	    carp_addr_parse(&a, bad[_i]) == -EINVAL, "\"%s\"", bad[_i]);
}
END_TEST

START_TEST(the_longest_text_fits)
{
	static const char *const text[] = {
		"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128",
		"fe80:1111:2222:3333:4444:5555:6666:7777/128",
	};
	char buf[CARP_ADDR_STRLEN + 1];
	struct carp_addr a;

	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		a = addr(text[i]);
		buf[CARP_ADDR_STRLEN] = 0x55;
		carp_addr_print(buf, &a, true);
		ck_assert_uint_lt(strlen(buf), CARP_ADDR_STRLEN);
		ck_assert_int_eq(buf[CARP_ADDR_STRLEN], 0x55);
	}
}
END_TEST

START_TEST(an_address_without_family_prints_something)
{
	struct carp_addr a = { 0, 0, { 0 } };
	char buf[CARP_ADDR_STRLEN];

	memset(buf, 0x55, sizeof(buf));
	carp_addr_print(buf, &a, true);
	ck_assert_ptr_nonnull(memchr(buf, 0, sizeof(buf)));
}
END_TEST

static const struct {
	const char *why, *a, *b;
	int want;
} order[] = {
	{ "equal", "192.0.2.1", "192.0.2.1", 0 },
	{ "the prefix length does not count", "192.0.2.1/8", "192.0.2.1/24",
	    0 },
	{ "the prefix length of IPv6 neither", "::1/8", "::1/64", 0 },
	{ "numerically, not as text", "9.0.0.0", "10.0.0.0", -1 },
	{ "unsigned", "127.0.0.1", "128.0.0.1", -1 },
	{ "the first byte weighs most", "1.0.0.2", "2.0.0.1", -1 },
	{ "IPv4 before IPv6", "255.255.255.255", "::", -1 },
	{ "IPv6 by bytes", "2001:db8::ff", "2001:db8::100", -1 },
	{ "link-local after global", "2001:db8::1", "fe80::1", -1 },
	{ "the last byte counts", "2001:db8::1", "2001:db8::2", -1 },
};

START_TEST(order_is_by_family_and_number)
{
	struct carp_addr a = addr(order[_i].a), b = addr(order[_i].b);
	int ab = carp_addr_cmp(&a, &b), ba = carp_addr_cmp(&b, &a);

	ck_assert_msg(
	    (ab > 0) - (ab < 0) == order[_i].want, "%s", order[_i].why);
	ck_assert_msg((ba > 0) - (ba < 0) == -order[_i].want, "%s, turned",
	    order[_i].why);
}
END_TEST

START_TEST(bytes_beyond_an_ipv4_address_do_not_count)
{
	struct carp_addr a = addr("192.0.2.1/24"), b = a, net;

	memset(b.ip + 4, 0xff, sizeof(b.ip) - 4);
	ck_assert_int_eq(carp_addr_cmp(&a, &b), 0);
	net = addr("192.0.2.0/24");
	ck_assert(carp_addr_in_net(&b, &net));
}
END_TEST

static const struct {
	const char *text;
	bool want;
} linklocal[] = {
	{ "fe80::1", true }, { "fe80:3::1", true }, { "febf:ffff::1", true },
	{ "fec0::1", false }, { "fe7f::1", false }, { "ff02::12", false },
	{ "2001:db8::1", false }, { "169.254.1.1", false },
	{ "254.128.0.1", false }, /* fe 80 00 01, but IPv4 */
};

START_TEST(linklocal_is_fe80_10)
{
	struct carp_addr a = addr(linklocal[_i].text);

	ck_assert_msg(carp_addr_is_linklocal(&a) == linklocal[_i].want, "%s",
	    linklocal[_i].text);
}
END_TEST

static const struct {
	const char *a, *net;
	bool want;
} nets[] = {
	{ "192.0.2.1", "192.0.2.0/24", true },
	{ "192.0.2.1", "192.0.2.77/24", true },
	{ "192.0.3.1", "192.0.2.0/24", false },
	{ "192.0.3.1", "192.0.2.0/23", true },
	{ "192.0.4.1", "192.0.2.0/23", false },
	{ "192.0.2.129", "192.0.2.128/25", true },
	{ "192.0.2.127", "192.0.2.128/25", false },
	{ "192.0.2.1", "192.0.2.1/32", true },
	{ "192.0.2.2", "192.0.2.1/32", false },
	{ "8.8.8.8", "0.0.0.0/0", true },
	{ "2001:db8::1", "::/0", true },
	{ "8.8.8.8", "::/0", false },
	{ "2001:db8::1", "0.0.0.0/0", false },
	{ "2001:db8::1", "2001:db8::/64", true },
	{ "2001:db8:0:1::1", "2001:db8::/64", false },
	{ "2001:db8:0:1::1", "2001:db8::/63", true },
	{ "2001:db8:0:2::1", "2001:db8::/63", false },
	{ "2001:db8::1", "2001:db8::1/128", true },
	{ "2001:db8::2", "2001:db8::1/128", false },
	{ "2001:db8::3", "2001:db8::2/127", true },
};

START_TEST(a_net_holds_what_shares_its_bits)
{
	struct carp_addr a = addr(nets[_i].a), net = addr(nets[_i].net);

	ck_assert_msg(carp_addr_in_net(&a, &net) == nets[_i].want, "%s in %s",
	    nets[_i].a, nets[_i].net);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("addr");
	TCase *t = tcase_create("addr");

	add_rows(t, text_goes_in_and_comes_out, good);
	add_rows(t, what_is_no_address_is_refused, bad);
	tcase_add_test(t, the_longest_text_fits);
	tcase_add_test(t, an_address_without_family_prints_something);
	add_rows(t, order_is_by_family_and_number, order);
	tcase_add_test(t, bytes_beyond_an_ipv4_address_do_not_count);
	add_rows(t, linklocal_is_fe80_10, linklocal);
	add_rows(t, a_net_holds_what_shares_its_bits, nets);
	suite_add_tcase(s, t);
	return suite_run(s);
}
