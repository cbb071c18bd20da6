/* SPDX-License-Identifier: ISC */
/* The wire format: what is refused, why, and what is written. */
#include <check.h>
#include <string.h>

#include <carp/carp.h>

#include "suite.h"

static uint8_t pkt[256];
static size_t len;

/* Internet checksum, written here once more. */
static uint16_t
sum(const uint8_t *p, size_t n)
{
	uint32_t s = 0;

	for (size_t i = 0; i < n; i++)
		s += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (s > 0xffff)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static struct carp_addr
addr(const char *text)
{
	struct carp_addr a;

	ck_assert_int_eq(carp_addr_parse(&a, text), 0);
	return a;
}

/* A good packet, made by hand: nothing of the library writes it. */
static void
make(int family, bool group)
{
	static const uint8_t ip4[20] = { 0x45, 0x10, 0, 56, 0, 0, 0x40, 0, 255,
		112, 0, 0, 192, 0, 2, 1, 224, 0, 0, 18 };
	static const uint8_t ip6[40] = { 0x60, 0, 0, 0, 0, 36, 112, 255, 0x20,
		1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 2, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12 };
	uint8_t *p;

	memset(pkt, 0, sizeof(pkt));
	if (family == 4) {
		memcpy(pkt, ip4, sizeof(ip4));
		if (!group)
			memcpy(pkt + 16, pkt + 12, 4);
		p = pkt + 20;
	} else {
		memcpy(pkt, ip6, sizeof(ip6));
		if (!group)
			memcpy(pkt + 24, pkt + 8, 16);
		p = pkt + 40;
	}
	len = (size_t)(p - pkt) + 36;
	p[0] = 0x21;
	p[1] = 7;
	p[2] = 100;
	p[3] = 7;
	p[4] = 129;
	p[5] = 3;
	for (int i = 8; i < 36; i++)
		p[i] = (uint8_t)(i * 7);
}

static uint8_t *
advert(void)
{
	return pkt + (pkt[0] >> 4 == 4 ? (size_t)(pkt[0] & 15) * 4 : 40);
}

/* Both checksums as they are to be. */
static void
seal(void)
{
	uint16_t s;

	advert()[6] = advert()[7] = 0;
	s = sum(advert(), 36);
	advert()[6] = (uint8_t)(s >> 8);
	advert()[7] = (uint8_t)s;
	if (pkt[0] >> 4 == 4) {
		pkt[10] = pkt[11] = 0;
		s = sum(pkt, (size_t)(pkt[0] & 15) * 4);
		pkt[10] = (uint8_t)(s >> 8);
		pkt[11] = (uint8_t)s;
	}
}

static enum carp_verdict
decode(struct carp_packet *p)
{
	static uint8_t *copy;
	enum carp_verdict v;

	/* On the heap and of the exact size, for the address sanitizer. */
	copy = malloc(len > 0 ? len : 1);
	memcpy(copy, pkt, len);
	memset(p, 0x55, sizeof(*p));
	v = carp_decode(p, copy, len);
	free(copy);
	return v;
}

START_TEST(every_member_is_read)
{
	struct carp_packet p;
	struct carp_addr src, dst;

	make(_i, true);
	seal();
	ck_assert_int_eq(decode(&p), CARP_OK);
	src = addr(_i == 4 ? "192.0.2.1" : "2001:db8::1");
	dst = addr(_i == 4 ? "224.0.0.18" : "ff02::12");
	ck_assert_mem_eq(&p.src, &src, sizeof(src));
	ck_assert_mem_eq(&p.dst, &dst, sizeof(dst));
	ck_assert_uint_eq(p.ttl, 255);
	ck_assert_uint_eq(p.version, 2);
	ck_assert_uint_eq(p.type, 1);
	ck_assert_uint_eq(p.vhid, 7);
	ck_assert_uint_eq(p.advskew, 100);
	ck_assert_uint_eq(p.authlen, 7);
	ck_assert_uint_eq(p.demote, 129);
	ck_assert_uint_eq(p.advbase, 3);
	ck_assert_uint_eq(p.checksum, advert()[6] << 8 | advert()[7]);
	ck_assert_uint_eq(p.counter, UINT64_C(0x383f464d545b6269));
	ck_assert_mem_eq(p.md, advert() + 16, CARP_MD_LEN);
	ck_assert(!carp_packet_is_bowout(&p));
}
END_TEST

/* One byte of the advertisement changed; sealed: the checksum fits again. */
static const struct {
	const char *why;
	int at, value;
	bool sealed;
	enum carp_verdict want;
} bytes[] = {
	{ "another type is accepted, as BSD does", 0, 0x2f, true, CARP_OK },
	{ "type 0 is accepted", 0, 0x20, true, CARP_OK },
	{ "another authlen is accepted", 3, 0, true, CARP_OK },
	{ "vhid is not looked at", 1, 0, true, CARP_OK },
	{ "advbase and advskew of any value", 5, 255, true, CARP_OK },
	{ "version 3 is VRRP", 0, 0x31, true, CARP_VRRP },
	{ "version 1 is nobody's", 0, 0x11, true, CARP_BADVER },
	{ "version 0", 0, 0x01, true, CARP_BADVER },
	{ "version 4", 0, 0x41, true, CARP_BADVER },
	{ "version 15", 0, 0xf1, true, CARP_BADVER },
	{ "a changed byte does not fit the checksum", 35, 0, false,
	    CARP_BADSUM },
	{ "a changed checksum", 7, 0x5a, false, CARP_BADSUM },
};

START_TEST(bytes_of_the_advertisement)
{
	struct carp_packet p;

	for (int family = 4; family <= 6; family += 2) {
		make(family, true);
		seal();
		advert()[bytes[_i].at] = (uint8_t)bytes[_i].value;
		if (bytes[_i].sealed)
			seal();
		ck_assert_msg(decode(&p) == bytes[_i].want, "IPv%d: %s", family,
		    bytes[_i].why);
	}
}
END_TEST

START_TEST(a_hop_limit_below_255_is_refused_on_multicast_only)
{
	static const uint8_t ttls[] = { 0, 1, 64, 254 };
	struct carp_packet p;

	for (size_t i = 0; i < sizeof(ttls); i++) {
		make(_i, true);
		pkt[_i == 4 ? 8 : 7] = ttls[i];
		seal();
		ck_assert_int_eq(decode(&p), CARP_BADTTL);
		ck_assert_uint_eq(p.ttl, ttls[i]);
		make(_i, false);
		pkt[_i == 4 ? 8 : 7] = ttls[i];
		seal();
		ck_assert_int_eq(decode(&p), CARP_OK);
	}
}
END_TEST

START_TEST(a_unicast_address_that_ends_like_a_group_is_unicast)
{
	struct carp_packet p;

	make(4, false);
	pkt[19] = 224;
	pkt[8] = 64;
	seal();
	ck_assert_int_eq(decode(&p), CARP_OK);
}
END_TEST

START_TEST(other_groups_need_the_full_ttl_too)
{
	struct carp_packet p;

	make(4, true);
	memcpy(pkt + 16, "\357\1\2\3", 4); /* 239.1.2.3 */
	seal();
	ck_assert_int_eq(decode(&p), CARP_OK);
	pkt[8] = 1;
	seal();
	ck_assert_int_eq(decode(&p), CARP_BADTTL);
}
END_TEST

START_TEST(every_truncation_has_a_verdict_and_it_is_not_ok)
{
	struct carp_packet p;
	size_t full;

	make(_i, true);
	seal();
	full = len;
	for (len = 0; len < full; len++) {
		enum carp_verdict v = decode(&p);

		ck_assert_msg(v == CARP_HDROPS || v == CARP_BADLEN,
		    "%zu of %zu bytes: %s", len, full, carp_verdict_name(v));
	}
}
END_TEST

START_TEST(a_shorter_advertisement_is_badlen)
{
	struct carp_packet p;

	for (size_t n = 0; n < 36; n++) {
		make(_i, true);
		seal();
		/* The IP header says how short it is; the frame is padded. */
		if (_i == 4)
			pkt[3] = (uint8_t)(20 + n);
		else
			pkt[5] = (uint8_t)n;
		if (n == 20) /* looks like VRRP 2 with one address */
			continue;
		ck_assert_msg(decode(&p) == CARP_BADLEN, "%zu bytes: %s", n,
		    carp_verdict_name(decode(&p)));
	}
}
END_TEST

START_TEST(trailing_bytes_are_ignored)
{
	struct carp_packet p;

	make(_i, true);
	seal();
	memset(pkt + len, 0xee, 40);
	len += 40; /* behind what the IP header says */
	ck_assert_int_eq(decode(&p), CARP_OK);
	pkt[_i == 4 ? 3 : 5] = (uint8_t)(pkt[_i == 4 ? 3 : 5] + 40);
	seal(); /* and within it */
	ck_assert_int_eq(decode(&p), CARP_OK);
}
END_TEST

START_TEST(ip_options_are_skipped)
{
	struct carp_packet p;

	for (int words = 6; words <= 15; words++) {
		size_t head = (size_t)words * 4;

		make(4, true);
		memmove(pkt + head, pkt + 20, 36);
		memset(pkt + 20, 1, head - 20);
		pkt[0] = (uint8_t)(0x40 | words);
		pkt[3] = (uint8_t)(head + 36);
		len = head + 36;
		seal();
		ck_assert_int_eq(decode(&p), CARP_OK);
		ck_assert_uint_eq(p.vhid, 7);
	}
}
END_TEST

static const struct {
	const char *why;
	int family, at, value;
} ip[] = {
	{ "a header length below 5 words", 4, 0, 0x44 },
	{ "a header length of 0", 4, 0, 0x40 },
	{ "a header longer than the packet", 4, 0, 0x4f },
	{ "a total length below the header", 4, 3, 19 },
	{ "a total length of 0", 4, 3, 0 },
	{ "a total length beyond the packet", 4, 2, 0x10 },
	{ "IP version 5", 4, 0, 0x55 },
	{ "IP version 0", 4, 0, 0x05 },
	{ "an IPv6 version nibble over IPv4", 4, 0, 0x60 },
	{ "another protocol", 4, 9, 17 },
	{ "a first fragment", 4, 6, 0x20 },
	{ "a later fragment", 4, 7, 1 },
	{ "a payload beyond the packet", 6, 5, 37 },
	{ "a payload of 0", 6, 5, 0 },
	{ "another next header", 6, 6, 58 },
	{ "an IPv4 version nibble over IPv6", 6, 0, 0x45 },
};

START_TEST(a_wrong_ip_header_is_never_ok)
{
	struct carp_packet p;

	make(ip[_i].family, true);
	seal();
	pkt[ip[_i].at] = (uint8_t)ip[_i].value;
	ck_assert_msg(decode(&p) != CARP_OK, "%s", ip[_i].why);
}
END_TEST

START_TEST(vrrp_2_of_20_bytes_is_vrrp)
{
	struct carp_packet p;

	make(4, true);
	pkt[3] = 40;
	advert()[3] = 1; /* one address, where CARP has authlen */
	seal();
	len = 40;
	ck_assert_int_eq(decode(&p), CARP_VRRP);
	len = 46; /* padded to the shortest Ethernet frame */
	ck_assert_int_eq(decode(&p), CARP_VRRP);
}
END_TEST

START_TEST(vrrp_3_is_vrrp_however_short)
{
	static const uint8_t v3[12] = { 0x31, 7, 100, 1, 0, 100, 0, 0, 192, 0,
		2, 1 };
	struct carp_packet p;

	make(_i, true);
	memcpy(advert(), v3, sizeof(v3));
	pkt[_i == 4 ? 3 : 5] = (uint8_t)((_i == 4 ? 20 : 0) + sizeof(v3));
	len = (size_t)(advert() - pkt) + sizeof(v3);
	ck_assert_int_eq(decode(&p), CARP_VRRP);
	ck_assert_uint_eq(p.version, 3);
	ck_assert_uint_eq(p.vhid, 7);
}
END_TEST

START_TEST(what_could_be_read_is_there_and_the_rest_is_zero)
{
	struct carp_packet p, zero;

	memset(&zero, 0, sizeof(zero));
	len = 0;
	ck_assert_int_ne(decode(&p), CARP_OK);
	ck_assert_uint_eq(p.vhid, 0);
	ck_assert_uint_eq(p.src.family, 0);
	ck_assert_uint_eq(p.counter, 0);
	ck_assert_mem_eq(p.md, zero.md, sizeof(p.md));
	make(4, true);
	seal();
	len = 20;
	ck_assert_int_ne(decode(&p), CARP_OK);
	ck_assert_uint_eq(p.src.family, 4);
	ck_assert_uint_eq(p.vhid, 0);
	ck_assert_uint_eq(p.advbase, 0);
	make(4, true);
	seal();
	advert()[35] ^= 1;
	ck_assert_int_eq(decode(&p), CARP_BADSUM);
	ck_assert_uint_eq(p.vhid, 7);
	ck_assert_uint_eq(p.advskew, 100);
}
END_TEST

START_TEST(random_bytes_are_never_ok)
{
	uint64_t x = 88172645463325252u + (unsigned)_i;
	struct carp_packet p;

	for (int n = 0; n < 20000; n++) {
		for (size_t i = 0; i < 100; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			pkt[i] = (uint8_t)(x >> 24);
		}
		len = (size_t)(x % 101);
		if (_i == 1) /* a fair IP header, noise behind */
			memcpy(pkt,
			    "\x45\0\0\x38\0\0\0\0\xff\x70\0\0\1\1\1\1"
			    "\xe0\0\0\x12",
			    20),
			    len = 56;
		if (decode(&p) == CARP_OK) {
			ck_assert_uint_eq(p.version, 2);
			ck_assert_uint_eq(sum(advert(), 36), 0);
		}
	}
}
END_TEST

START_TEST(an_advertisement_is_written)
{
	static const uint8_t want[16] = { 0x21, 200, 0xfe, 7, 9, 0x11, 0, 0,
		0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };
	uint8_t out[CARP_LEN + 1];
	struct carp_packet p;

	memset(&p, 0xaa, sizeof(p));
	p.vhid = 200;
	p.advskew = 254;
	p.advbase = 17;
	p.demote = 9;
	p.counter = UINT64_C(0x0123456789abcdef);
	memset(p.md, 0x42, sizeof(p.md));
	out[CARP_LEN] = 0x55;
	carp_encode(out, &p);
	ck_assert_int_eq(out[CARP_LEN], 0x55);
	ck_assert_mem_eq(out, want, 6);
	ck_assert_mem_eq(out + 8, want + 8, 8);
	ck_assert_mem_eq(out + 16, p.md, CARP_MD_LEN);
	ck_assert_uint_eq(sum(out, 36), 0);
}
END_TEST

START_TEST(an_ip_header_is_written)
{
	static const uint8_t ip4[20] = { 0x45, 0x10, 0, 56, 0, 0, 0x40, 0, 255,
		112, 0, 0, 192, 0, 2, 1, 224, 0, 0, 18 };
	uint8_t out[CARP_IP_MAX], body[CARP_LEN];
	struct carp_addr src, dst;
	struct carp_packet p;

	make(_i, true);
	seal();
	memcpy(body, advert(), CARP_LEN);
	src = addr(_i == 4 ? "192.0.2.1" : "2001:db8::1");
	dst = carp_group((uint8_t)_i);
	memset(out, 0x55, sizeof(out));
	len = carp_ip_encode(out, &src, &dst, body);
	ck_assert_uint_eq(len, _i == 4 ? 56 : 76);
	memcpy(pkt, out, len);
	ck_assert_int_eq(decode(&p), CARP_OK);
	ck_assert_int_eq(carp_addr_cmp(&p.src, &src), 0);
	ck_assert_int_eq(carp_addr_cmp(&p.dst, &dst), 0);
	ck_assert_mem_eq(advert(), body, CARP_LEN);
	if (_i == 4) {
		ck_assert_uint_eq(sum(out, 20), 0);
		out[4] = out[5] = out[10] = out[11] = 0; /* ID, checksum */
		ck_assert_mem_eq(out, ip4, sizeof(ip4));
	} else {
		make(6, true);
		ck_assert_uint_eq(out[0] >> 4, 6);
		ck_assert_mem_eq(out + 4, pkt + 4, 36);
	}
}
END_TEST

START_TEST(names_that_everybody_knows)
{
	static const uint8_t mac[6] = { 0, 0, 0x5e, 0, 1, 0xaf };
	struct carp_addr a;
	uint8_t got[6];

	carp_vmac(got, 0xaf);
	ck_assert_mem_eq(got, mac, 6);
	a = carp_group(4);
	ck_assert_int_eq(a.prefix, 32);
	ck_assert_mem_eq(a.ip, "\340\0\0\22", 4);
	a = carp_group(6);
	ck_assert_int_eq(a.prefix, 128);
	ck_assert_mem_eq(a.ip, "\377\2\0\0\0\0\0\0\0\0\0\0\0\0\0\22", 16);
	for (int v = 0; v < CARP_NVERDICTS; v++) {
		ck_assert_ptr_nonnull(carp_verdict_name(v));
		for (int w = 0; w < v; w++)
			ck_assert_str_ne(
			    carp_verdict_name(v), carp_verdict_name(w));
	}
	ck_assert_str_eq(carp_verdict_name(CARP_OK), "ok");
	ck_assert_str_eq(carp_verdict_name(CARP_BADSUM), "badsum");
	ck_assert_str_eq(carp_verdict_name(CARP_BADAUTH), "badauth");
	ck_assert_str_eq(carp_verdict_name(CARP_BADLEN), "badlen");
	ck_assert_str_eq(carp_verdict_name(CARP_BADVER), "badver");
	ck_assert_str_eq(carp_verdict_name(CARP_BADTTL), "badttl");
	ck_assert_str_eq(carp_state_name(CARP_MASTER), "MASTER");
	ck_assert_str_eq(carp_state_name(CARP_BACKUP), "BACKUP");
	ck_assert_str_eq(carp_state_name(CARP_INIT), "INIT");
	for (int i = 0; i < CARP_NCAUSES; i++)
		ck_assert_ptr_nonnull(carp_cause_text(i));
}
END_TEST

static const struct {
	const char *why;
	uint8_t base, skew;
	bool want;
} bowouts[] = {
	{ "both 255", 255, 255, true },
	{ "a base of 255 alone is a slow master", 255, 254, false },
	{ "a skew of 255 alone too: ucarp can send it", 1, 255, false },
	{ "a usual one", 1, 0, false },
};

START_TEST(a_bowout_is_255_twice)
{
	struct carp_packet p = { .advbase = bowouts[_i].base,
		.advskew = bowouts[_i].skew };

	ck_assert_msg(carp_packet_is_bowout(&p) == bowouts[_i].want, "%s",
	    bowouts[_i].why);
}
END_TEST

/* _i is the family. */
#define add_families(t, test)                                                  \
	do {                                                                   \
		tcase_add_loop_test(t, test, 4, 5);                            \
		tcase_add_loop_test(t, test, 6, 7);                            \
	} while (0)

int
main(void)
{
	Suite *s = suite_create("wire");
	TCase *t = tcase_create("wire");

	add_families(t, every_member_is_read);
	add_rows(t, bytes_of_the_advertisement, bytes);
	add_families(t, a_hop_limit_below_255_is_refused_on_multicast_only);
	tcase_add_test(t, a_unicast_address_that_ends_like_a_group_is_unicast);
	tcase_add_test(t, other_groups_need_the_full_ttl_too);
	add_families(t, every_truncation_has_a_verdict_and_it_is_not_ok);
	add_families(t, a_shorter_advertisement_is_badlen);
	add_families(t, trailing_bytes_are_ignored);
	tcase_add_test(t, ip_options_are_skipped);
	add_rows(t, a_wrong_ip_header_is_never_ok, ip);
	tcase_add_test(t, vrrp_2_of_20_bytes_is_vrrp);
	add_families(t, vrrp_3_is_vrrp_however_short);
	tcase_add_test(t, what_could_be_read_is_there_and_the_rest_is_zero);
	tcase_add_loop_test(t, random_bytes_are_never_ok, 0, 2);
	tcase_add_test(t, an_advertisement_is_written);
	add_families(t, an_ip_header_is_written);
	tcase_add_test(t, names_that_everybody_knows);
	add_rows(t, a_bowout_is_255_twice, bowouts);
	suite_add_tcase(s, t);
	return suite_run(s);
}
