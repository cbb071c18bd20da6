/* SPDX-License-Identifier: ISC */
/* S6: what is forged or malformed changes no state. */
#include "one_host.h"
#include "suite.h"

static uint64_t rnd;

static void
strict(void)
{
	setup();
	h.cfg.preempt = true;
	h.cfg.openbsd = true;
	rnd = 88172645463325252u;
}

static uint64_t
draw(void)
{
	rnd ^= rnd << 13;
	rnd ^= rnd >> 7;
	rnd ^= rnd << 17;
	return rnd;
}

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

static void
fix_checksum(uint8_t advert[CARP_LEN])
{
	uint16_t s;

	advert[6] = advert[7] = 0;
	s = sum(advert, CARP_LEN);
	advert[6] = (uint8_t)(s >> 8);
	advert[7] = (uint8_t)s;
}

static size_t
valid(uint8_t ip[CARP_IP_MAX], struct said s)
{
	struct carp_packet p;
	uint8_t advert[CARP_LEN];

	host_peer(&h, &p, s);
	carp_encode(advert, &p);
	return carp_ip_encode(ip, &p.src, &p.dst, advert);
}

/* Gives bytes to the host as the engine would.  Nothing but counters moves. */
static enum carp_verdict
unmoved(const uint8_t *ip, size_t len)
{
	struct carp_info before, after;
	enum carp_verdict v;
	struct carp_packet p;

	host_info(&h, &before);
	v = carp_decode(&p, ip, len);
	if (v == CARP_OK)
		v = host_packet(&h, &p);
	else
		h.nact = 0;
	host_info(&h, &after);
	ck_assert_uint_eq(h.nact, 0);
	after.stats = before.stats;
	ck_assert_mem_eq(&before, &after, sizeof(before));
	return v;
}

/* The three states, one after the other. */
static void
be(int state)
{
	become((enum carp_state)state);
	h.now += MS;
}

/* An advertisement that would change this state if it were authentic. */
static struct said
tempting(int state)
{
	if (state == CARP_MASTER)
		return (struct said){ .base = 0, .skew = 1 };
	return (struct said){ .base = 255, .skew = 255 };
}

START_TEST(random_bytes)
{
	uint8_t ip[CARP_IP_MAX + 24];

	be(_i);
	for (int n = 0; n < 5000; n++) {
		for (size_t i = 0; i < sizeof(ip); i++)
			ip[i] = (uint8_t)(draw() >> 32);
		unmoved(ip, draw() % (sizeof(ip) + 1));
	}
}
END_TEST

START_TEST(random_advertisements_behind_a_good_header)
{
	uint8_t ip[CARP_IP_MAX];
	size_t len;

	be(_i);
	for (int n = 0; n < 5000; n++) {
		len = valid(ip, (struct said){ .family = n % 2 ? 4 : 6 });
		for (size_t i = 0; i < CARP_LEN; i++)
			ip[len - 1 - i] = (uint8_t)(draw() >> 32);
		ip[len - 36] = 0x21;
		ip[len - 35] = h.cfg.vhid;
		ip[len - 33] = 7; /* 5 would be VRRP with 5 addresses */
		fix_checksum(ip + len - CARP_LEN);
		ck_assert_int_eq(unmoved(ip, len), CARP_BADAUTH);
	}
}
END_TEST

START_TEST(every_truncation)
{
	uint8_t ip[CARP_IP_MAX];
	size_t len;

	be(_i);
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct said s = tempting(_i);

		s.family = family;
		len = valid(ip, s);
		for (size_t n = 0; n < len; n++)
			ck_assert_int_ne(unmoved(ip, n), CARP_OK);
	}
}
END_TEST

/* Every single bit: the checksum finds all of them. */
START_TEST(every_bit_flipped_in_the_advertisement)
{
	uint8_t ip[CARP_IP_MAX];
	size_t len;

	be(_i);
	len = valid(ip, tempting(_i));
	for (size_t bit = 0; bit < CARP_LEN * 8; bit++) {
		ip[len - CARP_LEN + bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_ne(unmoved(ip, len), CARP_OK);
		ip[len - CARP_LEN + bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}
END_TEST

/*
 * Every single bit with a checksum that fits again.  advskew, authlen, the
 * demotion byte and advbase are not covered by the digest of this protocol,
 * nor is the type: who is on the path can change them.
 */
START_TEST(every_bit_flipped_under_a_good_checksum)
{
	uint8_t ip[CARP_IP_MAX], *advert;
	size_t len;

	be(_i);
	len = valid(ip, tempting(_i));
	advert = ip + len - CARP_LEN;
	for (size_t bit = 0; bit < CARP_LEN * 8; bit++) {
		size_t byte = bit / 8;

		if ((byte == 0 && bit % 8 < 4) || (byte >= 2 && byte < 8))
			continue;
		advert[byte] ^= (uint8_t)(1 << bit % 8);
		fix_checksum(advert);
		ck_assert_int_ne(unmoved(ip, len), CARP_OK);
		advert[byte] ^= (uint8_t)(1 << bit % 8);
	}
}
END_TEST

START_TEST(other_keys_and_addresses)
{
	struct carp_addr addrs[HOST_ADDRS];
	uint8_t ip[CARP_IP_MAX];
	size_t n = h.n, len;

	be(_i);
	memcpy(addrs, h.addrs, sizeof(addrs));
	for (int bit = 0; bit < CARP_KEY_LEN * 8; bit++) {
		h.cfg.key[bit / 8] ^= (uint8_t)(1 << bit % 8);
		len = valid(ip, tempting(_i));
		h.cfg.key[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(unmoved(ip, len), CARP_BADAUTH);
	}
	host_addrs(&h, "192.0.2.1", "192.0.2.2");
	len = valid(ip, tempting(_i));
	ck_assert_int_eq(unmoved(ip, len), CARP_BADAUTH);
	host_addrs(&h, "192.0.2.2", NULL);
	len = valid(ip, tempting(_i));
	ck_assert_int_eq(unmoved(ip, len), CARP_BADAUTH);
	h.n = 0;
	len = valid(ip, tempting(_i));
	ck_assert_int_eq(unmoved(ip, len), CARP_BADAUTH);
	memcpy(h.addrs, addrs, sizeof(addrs));
	h.n = n;
}
END_TEST

START_TEST(other_vhids)
{
	uint8_t ip[CARP_IP_MAX], vhid = h.cfg.vhid;
	size_t len;

	be(_i);
	for (int v = 0; v < 256; v++) {
		if (v == vhid)
			continue;
		h.cfg.vhid = (uint8_t)v;
		len = valid(ip, tempting(_i));
		h.cfg.vhid = vhid;
		ck_assert_int_eq(unmoved(ip, len), CARP_BADVHID);
	}
}
END_TEST

/* A digest that is not accepted by configuration is a wrong one. */
START_TEST(forms_that_are_not_accepted)
{
	struct carp_packet p;

	host_addrs(&h, "192.0.2.1", "fe80::1");
	h.cfg.digests = CARP_ORIG;
	be(_i);
	host_peer(&h, &p, tempting(_i)); /* NOV6LL */
	ck_assert_int_eq(host_packet(&h, &p), CARP_BADAUTH);
	ck_assert_int_eq(carp_state(h.c), _i);
}
END_TEST

START_TEST(drops_are_counted_by_name)
{
	struct carp_packet p;
	struct carp_info info;

	be(CARP_BACKUP);
	host_peer(&h, &p, (struct said){ .base = 1 });
	p.md[19] ^= 0x80;
	host_packet(&h, &p);
	host_packet(&h, &p);
	p.vhid++;
	host_packet(&h, &p);
	host_info(&h, &info);
	ck_assert_uint_eq(info.stats.drops[CARP_BADAUTH], 2);
	ck_assert_uint_eq(info.stats.drops[CARP_BADVHID], 1);
	ck_assert_uint_eq(info.stats.drops[CARP_OK], 0);
	ck_assert_uint_eq(info.stats.ipackets, 3);
	ck_assert(!info.heard);
}
END_TEST

/* _i is the state. */
#define add_states(t, test) tcase_add_loop_test(t, test, 0, 3)

int
main(void)
{
	Suite *s = suite_create("fsm_forged");
	TCase *t = tcase_create("forged");

	tcase_add_checked_fixture(t, strict, teardown);
	add_states(t, random_bytes);
	add_states(t, random_advertisements_behind_a_good_header);
	add_states(t, every_truncation);
	add_states(t, every_bit_flipped_in_the_advertisement);
	add_states(t, every_bit_flipped_under_a_good_checksum);
	add_states(t, other_keys_and_addresses);
	add_states(t, other_vhids);
	add_states(t, forms_that_are_not_accepted);
	tcase_add_test(t, drops_are_counted_by_name);
	suite_add_tcase(s, t);
	return suite_run(s);
}
