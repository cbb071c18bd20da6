/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as a packet: decoded, written again, and given to virtual hosts.
 *
 * The first byte of the input chooses the state and the options of the host,
 * the second whether the checksum is made good first; the rest is the IP
 * packet.  With AUTHENTIC the digest is made good, so that what lies behind it
 * is reached as well.
 */
#include <stdlib.h>
#include <string.h>

#include <carp/carp.h>

#define MUST(cond)                                                             \
	do {                                                                   \
		if (!(cond))                                                   \
			abort();                                               \
	} while (0)

enum {
	MASTER = 0x01,
	AUTHENTIC = 0x02,
	PREEMPT = 0x04,
	OPENBSD = 0x08,
	STRICT = 0x10,
	BASE0 = 0x20,
	MIXED = 0x40,
	CHANGED = 0x80 /* a former key is valid as well */
};

#define START (1000 * CARP_SEC)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
addresses(struct carp_addr a[2], unsigned options)
{
	MUST(carp_addr_parse(&a[0], "192.0.2.1") == 0);
	MUST(carp_addr_parse(&a[1], "2001:db8::1") == 0);
	return options & MIXED ? 2 : 1;
}

/* All actions of one event; each advertisement can be read again. */
static unsigned
collect(struct carp *c, uint8_t vhid)
{
	uint8_t ip[CARP_IP_MAX];
	struct carp_action a;
	struct carp_packet p;
	struct carp_addr to;
	unsigned n = 0;

	while (carp_next(c, &a)) {
		MUST(++n <= 8);
		if (a.what != CARP_DO_SEND)
			continue;
		to = carp_group(a.family);
		MUST(carp_decode(&p, ip,
			 carp_ip_encode(ip, &to, &to, a.advert)) == CARP_OK);
		MUST(p.vhid == vhid && p.counter != 0);
		MUST(carp_packet_is_bowout(&p) == (a.bowout != 0));
	}
	return n;
}

static struct carp *
host(unsigned options, uint8_t vhid)
{
	struct carp_config cfg = CARP_CONFIG_INIT;
	struct carp_addr a[2];
	struct carp *c;
	size_t n;

	cfg.vhid = vhid;
	cfg.advbase = options & BASE0 ? 0 : 1;
	cfg.advskew = 100;
	cfg.preempt = (options & PREEMPT) != 0;
	cfg.openbsd = (options & OPENBSD) != 0;
	cfg.strict_family = (options & STRICT) != 0;
	cfg.counter = 77;
	memcpy(cfg.key, "fuzz", 4);
	n = addresses(a, options);
	MUST(carp_new(&c, &cfg, a, n) == 0);
	MUST(carp_link(c, true, START) == 0);
	collect(c, vhid);
	if (options & MASTER) {
		MUST(carp_timer(c, carp_deadline(c)) == 0);
		collect(c, vhid);
		MUST(carp_state(c) == CARP_MASTER);
	}
	if (options & CHANGED) {
		cfg.key[5] = 1;
		MUST(carp_change(c, &cfg, a, n, START) == 0);
		collect(c, vhid);
	}
	return c;
}

/* What must hold of a host after any event. */
static void
check(const struct carp *c, const struct carp_info *before, bool valid)
{
	struct carp_info after;

	carp_get_info(c, &after);
	if (!valid) {
		after.stats = before->stats;
		MUST(memcmp(&after, before, sizeof(after)) == 0);
		return;
	}
	MUST(after.state == CARP_BACKUP || after.state == CARP_MASTER);
	MUST(after.deadline != CARP_NEVER);
	MUST(after.interval > 0 && after.timeout > 0);
	MUST(after.interval <= 256 * CARP_SEC);
}

static void
hear(unsigned options, struct carp_packet *p)
{
	uint8_t key[CARP_KEY_LEN] = "fuzz", vhid = p->vhid ? p->vhid : 1;
	struct carp *c = host(options, vhid);
	struct carp_info before;
	struct carp_addr a[2];
	enum carp_verdict v;
	uint64_t now = START + 5 * CARP_SEC;
	size_t n = addresses(a, options);

	if (options & AUTHENTIC)
		MUST(carp_digest(p->md, key, p->vhid, a, n, CARP_ORIG, NULL,
			 p->counter) == 0);
	for (int i = 0; i < 3; i++, now += CARP_SEC) {
		carp_get_info(c, &before);
		MUST(carp_packet(c, p, &v, now) == 0);
		MUST(v == CARP_OK || v == CARP_BADVHID || v == CARP_BADAUTH ||
		     v == CARP_OWN);
		if (v != CARP_OK)
			MUST(carp_deadline(c) == before.deadline);
		MUST(collect(c, vhid) == 0 || v == CARP_OK);
		check(c, &before, v == CARP_OK);
		MUST(carp_timer(c, now) == 0);
		collect(c, vhid);
	}
	carp_free(c);
}

/* What was read is written as it was, but for what others may choose. */
static void
write_again(const struct carp_packet *p)
{
	uint8_t ip[CARP_IP_MAX], advert[CARP_LEN];
	struct carp_packet q;
	size_t len;

	carp_encode(advert, p);
	len = carp_ip_encode(ip, &p->src, &p->dst, advert);
	MUST(len == (p->src.family == 4 ? 56u : 76u));
	MUST(carp_decode(&q, ip, len) == CARP_OK);
	MUST(q.type == 1 && q.authlen == 7 && q.version == 2);
	if (p->type == 1 && p->authlen == 7)
		MUST(q.checksum == p->checksum ||
		     (uint16_t)~q.checksum == p->checksum);
	q.type = p->type;
	q.authlen = p->authlen;
	q.checksum = p->checksum;
	q.ttl = p->ttl;
	MUST(memcmp(&q, p, sizeof(q)) == 0);
}

/* Over the 36 bytes behind the IP header, where there are as many. */
static void
seal(uint8_t *ip, size_t len)
{
	size_t head = len > 0 && ip[0] >> 4 == 4 ? (ip[0] & 15u) * 4 : 40;
	uint32_t sum = 0;

	if (len < head + CARP_LEN)
		return;
	ip += head;
	ip[6] = ip[7] = 0;
	for (int i = 0; i < CARP_LEN; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	ip[6] = (uint8_t)(~sum >> 8);
	ip[7] = (uint8_t)~sum;
}

/* A copy of the exact size, so that a read beyond it is noticed. */
static enum carp_verdict
decode(struct carp_packet *ret, const uint8_t *data, size_t size, bool sealed)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);
	enum carp_verdict v;

	MUST(copy != NULL);
	memcpy(copy, data, size);
	if (sealed)
		seal(copy, size);
	memset(ret, 0x55, sizeof(*ret));
	v = carp_decode(ret, copy, size);
	free(copy);
	return v;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct carp_packet p;
	enum carp_verdict v;
	struct carp_addr a[2];
	uint8_t key[CARP_KEY_LEN] = "fuzz";
	bool used[2];

	if (size < 2)
		return 0;
	v = decode(&p, data + 2, size - 2, data[1] & 1);
	MUST(v < CARP_NVERDICTS && carp_verdict_name(v) != NULL);
	if (v != CARP_OK)
		return 0;
	MUST(p.version == 2 && size - 2 >= 56);
	write_again(&p);
	(void)carp_diagnose(&p, key, a, addresses(a, data[0]), NULL, used);
	hear(data[0], &p);
	return 0;
}
