/* SPDX-License-Identifier: ISC */
/* Advertisements of other implementations, read and written to the byte. */
#include <jansson.h>
#include <pcap/pcap.h>

#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <carp/carp.h>

#include "suite.h"

#define MAXADDRS 8

static json_t *doc, *list;

static void
load(const char *name, const char *member)
{
	json_error_t err;
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", TEST_DATA, name);
	doc = json_load_file(path, 0, &err);
	ck_assert_msg(doc != NULL, "%s: %s", path, err.text);
	list = member != NULL ? json_object_get(doc, member) : doc;
	ck_assert(json_is_array(list));
}

static const char *
text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	ck_assert_msg(s != NULL, "no %s", name);
	return s;
}

static uint8_t
number(const json_t *o, const char *name)
{
	ck_assert_msg(json_is_integer(json_object_get(o, name)), "no %s", name);
	return (uint8_t)json_integer_value(json_object_get(o, name));
}

/* Two digits a byte; a colon between bytes is skipped. */
static void
unhex(uint8_t *ret, size_t n, const char *hex)
{
	unsigned byte;

	for (size_t i = 0; i < n; i++) {
		hex += *hex == ':';
		ck_assert_int_eq(sscanf(hex, "%2x", &byte), 1);
		ret[i] = (uint8_t)byte;
		hex += 2;
	}
	ck_assert_int_eq(*hex, '\0');
}

static size_t
addresses(struct carp_addr *ret, const json_t *vips)
{
	size_t n = json_array_size(vips);

	ck_assert_uint_le(n, MAXADDRS);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(
		    carp_addr_parse(
			&ret[i], json_string_value(json_array_get(vips, i))),
		    0);
	return n;
}

/* One vector of vectors.json. */
struct vector {
	const char *name, *variant;
	uint8_t key[CARP_KEY_LEN], md[CARP_MD_LEN], advert[CARP_LEN];
	uint8_t mac[6], *lladdr; /* lladdr: mac or NULL */
	uint8_t vhid, advbase, advskew, demote;
	uint16_t cksum;
	uint64_t counter;
	struct carp_addr addrs[MAXADDRS];
	size_t n;
};

static void
get_vector(struct vector *v, int which)
{
	const json_t *o = json_array_get(list, (size_t)which);

	memset(v, 0, sizeof(*v));
	v->name = text(o, "name");
	v->variant = text(o, "variant");
	unhex(v->key, sizeof(v->key), text(o, "key_hex"));
	unhex(v->md, sizeof(v->md), text(o, "md"));
	unhex(v->advert, sizeof(v->advert), text(o, "advert"));
	if (json_is_string(json_object_get(o, "lladdr"))) {
		unhex(v->mac, sizeof(v->mac), text(o, "lladdr"));
		v->lladdr = v->mac;
	}
	v->vhid = number(o, "vhid");
	v->advbase = number(o, "advbase");
	v->advskew = number(o, "advskew");
	v->demote = number(o, "demote");
	v->cksum = (uint16_t)strtoul(text(o, "cksum"), NULL, 16);
	v->counter = strtoull(text(o, "counter"), NULL, 16);
	v->n = addresses(v->addrs, json_object_get(o, "vips"));
}

/*
 * The form of a variant.  DragonFly does not sort IPv6 addresses: no form is
 * that, and 0 is returned.
 */
static unsigned
form_of(const char *variant)
{
	static const struct {
		const char *variant;
		unsigned form;
	} forms[] = {
		{ "openbsd-nov6ll", CARP_NOV6LL },
		{ "openbsd-orig", CARP_ORIG },
		{ "freebsd", CARP_ORIG },
		{ "netbsd", CARP_ORIG },
		{ "ucarp", CARP_NOV6LL },
		{ "dragonfly", 0 },
	};

	for (int i = 0; i < NROWS(forms); i++)
		if (strcmp(forms[i].variant, variant) == 0)
			return forms[i].form;
	ck_abort_msg("variant %s", variant);
}

static enum carp_verdict
decode(struct carp_packet *ret, const uint8_t advert[CARP_LEN], int family)
{
	uint8_t ip[CARP_IP_MAX];
	struct carp_addr src, dst = carp_group((uint8_t)family);

	ck_assert_int_eq(
	    carp_addr_parse(&src, family == 4 ? "192.0.2.7" : "2001:db8::7"),
	    0);
	return carp_decode(ret, ip, carp_ip_encode(ip, &src, &dst, advert));
}

START_TEST(a_vector_is_read)
{
	struct carp_packet p;
	struct vector v;

	get_vector(&v, _i);
	for (int family = 4; family <= 6; family += 2) {
		ck_assert_msg(
		    decode(&p, v.advert, family) == CARP_OK, "%s", v.name);
		ck_assert_uint_eq(p.version, 2);
		ck_assert_uint_eq(p.type, 1);
		ck_assert_uint_eq(p.authlen, 7);
		ck_assert_uint_eq(p.vhid, v.vhid);
		ck_assert_uint_eq(p.advbase, v.advbase);
		ck_assert_uint_eq(p.advskew, v.advskew);
		ck_assert_uint_eq(p.demote, v.demote);
		ck_assert_uint_eq(p.counter, v.counter);
		ck_assert_uint_eq(p.checksum, v.cksum);
		ck_assert_mem_eq(p.md, v.md, CARP_MD_LEN);
		ck_assert(carp_packet_is_bowout(&p) ==
			  (v.advbase == 255 && v.advskew == 255));
	}
}
END_TEST

START_TEST(a_vector_is_written)
{
	uint8_t out[CARP_LEN];
	struct carp_packet p;
	struct vector v;

	get_vector(&v, _i);
	memset(&p, 0, sizeof(p));
	p.vhid = v.vhid;
	p.advbase = v.advbase;
	p.advskew = v.advskew;
	p.demote = v.demote;
	p.counter = v.counter;
	memcpy(p.md, v.md, sizeof(p.md));
	carp_encode(out, &p);
	ck_assert_msg(memcmp(out, v.advert, CARP_LEN) == 0, "%s", v.name);
}
END_TEST

START_TEST(the_digest_of_a_vector)
{
	static const unsigned all[] = { CARP_NOV6LL, CARP_ORIG, CARP_AUTOLL };
	uint8_t md[CARP_MD_LEN];
	struct vector v;
	unsigned form;

	get_vector(&v, _i);
	form = form_of(v.variant);
	for (int i = 0; i < NROWS(all); i++) {
		if (form != 0 && form != all[i])
			continue;
		ck_assert_int_eq(carp_digest(md, v.key, v.vhid, v.addrs, v.n,
				     all[i], v.lladdr, v.counter),
		    0);
		/* form 0: unsorted; it must fit none of ours */
		ck_assert_msg(
		    (memcmp(md, v.md, sizeof(md)) == 0) == (form != 0), "%s",
		    v.name);
	}
}
END_TEST

/* A host with the key and addresses of the vector. */
static struct carp *
host(const struct vector *v, uint8_t base, uint8_t skew, uint64_t counter,
    uint8_t digests)
{
	struct carp_config cfg = CARP_CONFIG_INIT;
	struct carp *c;

	cfg.vhid = v->vhid;
	cfg.advbase = base;
	cfg.advskew = skew;
	cfg.counter = counter;
	cfg.digests = digests;
	cfg.openbsd = v->demote != 0;
	memcpy(cfg.key, v->key, sizeof(cfg.key));
	memcpy(cfg.lladdr, v->mac, sizeof(cfg.lladdr));
	ck_assert_int_eq(carp_new(&c, &cfg, v->addrs, v->n), 0);
	return c;
}

START_TEST(a_host_accepts_a_vector)
{
	static const uint8_t sets[] = { 0, CARP_ANY_DIGEST, CARP_NOV6LL,
		CARP_ORIG };
	enum carp_verdict verdict;
	struct carp_action a;
	struct carp_packet p;
	struct vector v;
	struct carp *c;
	unsigned form;
	bool scoped = false;

	get_vector(&v, _i);
	form = form_of(v.variant);
	for (size_t i = 0; i < v.n; i++)
		scoped = scoped || carp_addr_is_linklocal(&v.addrs[i]);
	ck_assert_int_eq(decode(&p, v.advert, 4), CARP_OK);
	for (int i = 0; i < NROWS(sets); i++) {
		bool want = form != 0 &&
			    (sets[i] == 0 || (sets[i] & form) != 0 || !scoped);

		c = host(&v, 1, 100, 99, sets[i]);
		ck_assert_int_eq(carp_link(c, true, CARP_SEC), 0);
		while (carp_next(c, &a))
			continue;
		ck_assert_int_eq(carp_packet(c, &p, &verdict, CARP_SEC), 0);
		ck_assert_msg(verdict == (want ? CARP_OK : CARP_BADAUTH),
		    "%s, set %u: %s", v.name, sets[i],
		    carp_verdict_name(verdict));
		carp_free(c);
	}
}
END_TEST

/* Runs a host until it sends; false if it does not. */
static bool
first_advert(struct carp *c, uint8_t ret[CARP_LEN], uint64_t now)
{
	struct carp_action a;
	bool sent = false;

	while (carp_next(c, &a))
		continue;
	ck_assert_int_eq(carp_timer(c, now), 0);
	while (carp_next(c, &a))
		if (a.what == CARP_DO_SEND && !sent) {
			memcpy(ret, a.advert, CARP_LEN);
			sent = true;
		}
	return sent;
}

START_TEST(a_host_sends_a_vector)
{
	uint8_t out[CARP_LEN], base, skew;
	struct carp_action a;
	struct vector v;
	struct carp *c;
	bool bowout, scoped = false;

	get_vector(&v, _i);
	for (size_t i = 0; i < v.n; i++)
		scoped = scoped || carp_addr_is_linklocal(&v.addrs[i]);
	/* We send one form only, and a skew of 240 without being demoted. */
	if (form_of(v.variant) == 0 ||
	    (form_of(v.variant) == CARP_ORIG && scoped))
		return;
	bowout = v.advbase == 255;
	base = bowout ? 1 : v.advbase;
	skew = bowout || v.demote != 0 ? 0 : v.advskew;
	c = host(&v, base, skew, v.counter, 0);
	ck_assert_int_eq(carp_link(c, true, 0), 0);
	while (carp_next(c, &a))
		continue;
	ck_assert_int_eq(carp_demote(c, v.demote, 0), 0);
	ck_assert(first_advert(c, out, 1000 * CARP_SEC));
	if (bowout) {
		/* Its counter is not the first: give it that of the vector. */
		struct carp_packet p;

		ck_assert_int_eq(carp_stop(c, 1001 * CARP_SEC), 0);
		while (carp_next(c, &a))
			if (a.what == CARP_DO_SEND)
				memcpy(out, a.advert, CARP_LEN);
		ck_assert_int_eq(decode(&p, out, 4), CARP_OK);
		ck_assert_int_eq(carp_digest(p.md, v.key, v.vhid, v.addrs, v.n,
				     CARP_NOV6LL, NULL, p.counter),
		    0);
		ck_assert_mem_eq(p.md, out + 16, CARP_MD_LEN);
		p.counter = v.counter;
		memcpy(p.md, v.md, CARP_MD_LEN);
		carp_encode(out, &p);
	}
	/*
	 * Two things are ours alone: demotion stands in the skew as well as in
	 * OpenBSD's byte, and a bow-out has the greatest demotion.
	 */
	if (v.demote != 0 || bowout) {
		struct carp_packet p;

		ck_assert_int_eq(decode(&p, out, 4), CARP_OK);
		ck_assert_uint_eq(p.demote, bowout ? 255 : v.demote);
		ck_assert_uint_eq(p.advskew, bowout ? 255 : v.demote);
		ck_assert_uint_eq(p.advbase, v.advbase);
		p.demote = v.demote;
		p.advskew = v.advskew;
		carp_encode(out, &p);
	}
	ck_assert_msg(memcmp(out, v.advert, CARP_LEN) == 0, "%s", v.name);
	carp_free(c);
}
END_TEST

/*
 * Captures.
 */

struct capture {
	char path[PATH_MAX];
	uint8_t key[CARP_KEY_LEN], vhid;
	struct carp_addr addrs[MAXADDRS];
	size_t n;
	unsigned form;
	unsigned want[2]; /* adverts: IPv4, IPv6 */
	bool fixed_id;	  /* the IP ID is 0, as ours */
};

/* The 36 bytes, and for a BSD the header before them, come out again. */
static void
write_again(
    const struct capture *c, const struct carp_packet *p, const uint8_t *ip)
{
	uint8_t out[CARP_IP_MAX], advert[CARP_LEN];
	size_t head = p->src.family == 4 ? 20 : 40;

	carp_encode(advert, p);
	ck_assert_mem_eq(advert, ip + head, CARP_LEN);
	ck_assert_uint_eq(
	    carp_ip_encode(out, &p->src, &p->dst, advert), head + CARP_LEN);
	if (p->src.family == 4 && !c->fixed_id) {
		ck_assert_mem_eq(out, ip, 4);
		ck_assert_mem_eq(out + 6, ip + 6, 4);
		ck_assert_mem_eq(out + 12, ip + 12, 8);
	} else {
		ck_assert_mem_eq(out, ip, head);
	}
}

static void
check_advert(const struct capture *c, const uint8_t *ip, size_t len)
{
	struct carp_config cfg = CARP_CONFIG_INIT;
	uint8_t md[CARP_MD_LEN];
	enum carp_verdict verdict;
	struct carp_action a;
	struct carp_packet p;
	struct carp *host;

	ck_assert_int_eq(carp_decode(&p, ip, len), CARP_OK);
	ck_assert_uint_eq(p.vhid, c->vhid);
	ck_assert_int_eq(carp_digest(md, c->key, c->vhid, c->addrs, c->n,
			     c->form, NULL, p.counter),
	    0);
	ck_assert_mem_eq(md, p.md, sizeof(md));
	write_again(c, &p, ip);

	cfg.vhid = c->vhid;
	cfg.counter = 1;
	memcpy(cfg.key, c->key, sizeof(cfg.key));
	ck_assert_int_eq(carp_new(&host, &cfg, c->addrs, c->n), 0);
	ck_assert_int_eq(carp_link(host, true, 0), 0);
	while (carp_next(host, &a))
		continue;
	ck_assert_int_eq(carp_packet(host, &p, &verdict, 0), 0);
	ck_assert_int_eq(verdict, CARP_OK);
	carp_free(host);
}

static void
check_capture(const struct capture *c)
{
	char err[PCAP_ERRBUF_SIZE];
	const unsigned char *frame;
	struct pcap_pkthdr *h;
	unsigned got[2] = { 0, 0 };
	pcap_t *p;

	p = pcap_open_offline(c->path, err);
	ck_assert_msg(p != NULL, "%s: %s", c->path, err);
	ck_assert_int_eq(pcap_datalink(p), DLT_EN10MB);
	while (pcap_next_ex(p, &h, &frame) == 1) {
		unsigned type = (unsigned)frame[12] << 8 | frame[13];

		if ((type == 0x0800 && frame[14 + 9] == CARP_PROTO) ||
		    (type == 0x86dd && frame[14 + 6] == CARP_PROTO)) {
			check_advert(c, frame + 14, h->caplen - 14);
			got[type == 0x86dd]++;
		}
	}
	pcap_close(p);
	ck_assert_uint_eq(got[0], c->want[0]);
	ck_assert_uint_eq(got[1], c->want[1]);
}

START_TEST(what_netbsd_sent)
{
	const json_t *o = json_array_get(list, (size_t)_i), *adverts;
	struct capture c;

	memset(&c, 0, sizeof(c));
	(void)snprintf(
	    c.path, sizeof(c.path), "%s/netbsd/%s", TEST_DATA, text(o, "file"));
	unhex(c.key, sizeof(c.key), text(o, "key_hex"));
	c.vhid = number(o, "vhid");
	c.n = addresses(c.addrs, json_object_get(o, "vips"));
	c.form = CARP_ORIG;
	c.fixed_id = true;
	adverts = json_object_get(o, "adverts");
	for (size_t i = 0; i < json_array_size(adverts); i++) {
		const json_t *ad = json_array_get(adverts, i);

		c.want[number(ad, "family") == 6] += number(ad, "count");
	}
	check_capture(&c);
}
END_TEST

START_TEST(what_ucarp_sent)
{
	struct capture c;

	memset(&c, 0, sizeof(c));
	(void)snprintf(
	    c.path, sizeof(c.path), "%s/ucarp-single.pcap", TEST_DATA);
	memcpy(c.key, "s3cret", 6);
	c.vhid = 42;
	c.n = 1;
	ck_assert_int_eq(carp_addr_parse(&c.addrs[0], "10.77.0.100"), 0);
	c.form = CARP_NOV6LL;
	c.want[0] = 8;
	check_capture(&c);
}
END_TEST

static void
load_vectors(void)
{
	load("vectors.json", "vectors");
	ck_assert_uint_eq(json_array_size(list), 21);
}

static void
load_captures(void)
{
	load("netbsd/index.json", NULL);
	ck_assert_uint_eq(json_array_size(list), 10);
}

static void
unload(void)
{
	json_decref(doc);
}

int
main(void)
{
	Suite *s = suite_create("vectors");
	TCase *t = tcase_create("vectors"), *u = tcase_create("captures");

	tcase_add_checked_fixture(t, load_vectors, unload);
	tcase_add_loop_test(t, a_vector_is_read, 0, 21);
	tcase_add_loop_test(t, a_vector_is_written, 0, 21);
	tcase_add_loop_test(t, the_digest_of_a_vector, 0, 21);
	tcase_add_loop_test(t, a_host_accepts_a_vector, 0, 21);
	tcase_add_loop_test(t, a_host_sends_a_vector, 0, 21);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(u, load_captures, unload);
	tcase_add_loop_test(u, what_netbsd_sent, 0, 10);
	tcase_add_test(u, what_ucarp_sent);
	suite_add_tcase(s, u);
	return suite_run(s);
}
