/* SPDX-License-Identifier: ISC */
/* The only place that knows the offsets of an advertisement and its headers. */
#include <string.h>

#include <carp/carp.h>

#define VERSION	     2 /* high nibble of byte 0 */
#define TYPE_ADVERT  1 /* low nibble */
#define AUTHLEN	     7 /* counter and digest, 32-bit words */
#define VRRP_HEADER  8 /* bytes before its addresses */
#define VRRP2_AUTH   8 /* bytes after them, version 2 */
#define TOS_LOWDELAY 0x10
#define IP_DF	     0x4000
#define IP_FRAGMENT  0x3fff /* more fragments, or an offset */

/* Reads past the end yield 0 and stick in `bad`: test it once, at the end. */
struct reader {
	const uint8_t *p, *end;
	bool bad;
};

static void
get(struct reader *r, void *ret, size_t n)
{
	if ((size_t)(r->end - r->p) < n) {
		r->bad = true;
		r->p = r->end;
		memset(ret, 0, n);
		return;
	}
	memcpy(ret, r->p, n);
	r->p += n;
}

static uint8_t
get8(struct reader *r)
{
	uint8_t b;

	get(r, &b, sizeof(b));
	return b;
}

static uint16_t
get16(struct reader *r)
{
	uint8_t b[2];

	get(r, b, sizeof(b));
	return (uint16_t)(b[0] << 8 | b[1]);
}

static uint64_t
get64(struct reader *r)
{
	uint64_t n = 0;

	for (int i = 0; i < 8; i++)
		n = n << 8 | get8(r);
	return n;
}

static void
put16(uint8_t *p, uint16_t n)
{
	p[0] = (uint8_t)(n >> 8);
	p[1] = (uint8_t)n;
}

/* RFC 1071.  Over data that holds its own checksum the result is 0. */
static uint16_t
checksum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (len & 1)
		sum += (uint32_t)p[len - 1] << 8;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Leaves the reader at the payload, and its end where the header says. */
static bool
read_ipv4(struct reader *r, struct carp_packet *pkt)
{
	const uint8_t *start = r->p;
	size_t hlen, total;
	uint16_t offset;
	uint8_t proto;

	hlen = (get8(r) & 0x0fu) * 4;
	(void)get8(r); /* type of service */
	total = get16(r);
	(void)get16(r); /* identification */
	offset = get16(r);
	pkt->ttl = get8(r);
	proto = get8(r);
	(void)get16(r); /* checksum: the kernel's business */
	pkt->src.family = pkt->dst.family = 4;
	pkt->src.prefix = pkt->dst.prefix = 32;
	get(r, pkt->src.ip, 4);
	get(r, pkt->dst.ip, 4);
	if (r->bad || hlen < 20 || total < hlen || proto != CARP_PROTO ||
	    (offset & IP_FRAGMENT) != 0 || total > (size_t)(r->end - start))
		return false;
	r->p = start + hlen;
	r->end = start + total;
	return true;
}

static bool
read_ipv6(struct reader *r, struct carp_packet *pkt)
{
	size_t len;
	uint8_t proto;

	(void)get16(r);
	(void)get16(r); /* version, class, flow label */
	len = get16(r);
	proto = get8(r);
	pkt->ttl = get8(r);
	pkt->src.family = pkt->dst.family = 6;
	pkt->src.prefix = pkt->dst.prefix = 128;
	get(r, pkt->src.ip, 16);
	get(r, pkt->dst.ip, 16);
	if (r->bad || proto != CARP_PROTO || len > (size_t)(r->end - r->p))
		return false;
	r->end = r->p + len;
	return true;
}

static bool
read_ip(struct reader *r, struct carp_packet *pkt)
{
	if (r->p == r->end)
		return false;
	switch (*r->p >> 4) {
	case 4:
		return read_ipv4(r, pkt);
	case 6:
		return read_ipv6(r, pkt);
	default:
		return false;
	}
}

/* As many fields as there are. */
static void
read_advert(struct reader *r, struct carp_packet *pkt)
{
	uint8_t b = get8(r);

	pkt->version = b >> 4;
	pkt->type = b & 0x0f;
	pkt->vhid = get8(r);
	pkt->advskew = get8(r);
	pkt->authlen = get8(r);
	pkt->demote = get8(r);
	pkt->advbase = get8(r);
	pkt->checksum = get16(r);
	pkt->counter = get64(r);
	get(r, pkt->md, sizeof(pkt->md));
}

/*
 * VRRP shares protocol number, group and first bytes.  Version 3 says so.
 * Version 2 (RFC 3768) has the number of addresses where CARP has authlen,
 * and the length follows from it; with 7 addresses it is no CARP length.
 */
static bool
is_vrrp(const struct carp_packet *pkt, size_t len)
{
	if (len < VRRP_HEADER)
		return false;
	if (pkt->version == 3)
		return pkt->type == TYPE_ADVERT;
	return pkt->version == VERSION && pkt->type == TYPE_ADVERT &&
	       pkt->authlen > 0 &&
	       len == VRRP_HEADER + 4u * pkt->authlen + VRRP2_AUTH &&
	       (pkt->authlen != AUTHLEN || len != CARP_LEN);
}

static bool
is_multicast(const struct carp_addr *a)
{
	return a->family == 4 ? a->ip[0] >> 4 == 0xe : a->ip[0] == 0xff;
}

enum carp_verdict
carp_decode(struct carp_packet *ret, const void *ip, size_t len)
{
	struct reader r = { ip, (const uint8_t *)ip + len, false };
	const uint8_t *advert;
	size_t n;

	memset(ret, 0, sizeof(*ret));
	if (!read_ip(&r, ret))
		return CARP_HDROPS;
	advert = r.p;
	n = (size_t)(r.end - r.p);
	read_advert(&r, ret);
	if (is_vrrp(ret, n))
		return CARP_VRRP;
	if (n < CARP_LEN)
		return CARP_BADLEN;
	if (ret->version != VERSION)
		return CARP_BADVER;
	if (ret->ttl != CARP_TTL && is_multicast(&ret->dst))
		return CARP_BADTTL;
	if (checksum(advert, CARP_LEN) != 0)
		return CARP_BADSUM;
	return CARP_OK;
}

bool
carp_packet_is_bowout(const struct carp_packet *pkt)
{
	return pkt->advbase == 255 && pkt->advskew == 255;
}

void
carp_encode(uint8_t ret[CARP_LEN], const struct carp_packet *pkt)
{
	ret[0] = VERSION << 4 | TYPE_ADVERT;
	ret[1] = pkt->vhid;
	ret[2] = pkt->advskew;
	ret[3] = AUTHLEN;
	ret[4] = pkt->demote;
	ret[5] = pkt->advbase;
	put16(ret + 6, 0);
	for (int i = 0; i < 8; i++)
		ret[8 + i] = (uint8_t)(pkt->counter >> (56 - 8 * i));
	memcpy(ret + 16, pkt->md, CARP_MD_LEN);
	put16(ret + 6, checksum(ret, CARP_LEN));
}

static size_t
put_ipv4(uint8_t *p, const struct carp_addr *src, const struct carp_addr *dst)
{
	memset(p, 0, 20);
	p[0] = 0x45;
	p[1] = TOS_LOWDELAY;
	put16(p + 2, 20 + CARP_LEN);
	put16(p + 6, IP_DF);
	p[8] = CARP_TTL;
	p[9] = CARP_PROTO;
	memcpy(p + 12, src->ip, 4);
	memcpy(p + 16, dst->ip, 4);
	put16(p + 10, checksum(p, 20));
	return 20;
}

static size_t
put_ipv6(uint8_t *p, const struct carp_addr *src, const struct carp_addr *dst)
{
	memset(p, 0, 8);
	p[0] = 0x60;
	put16(p + 4, CARP_LEN);
	p[6] = CARP_PROTO;
	p[7] = CARP_TTL;
	memcpy(p + 8, src->ip, 16);
	memcpy(p + 24, dst->ip, 16);
	return 40;
}

size_t
carp_ip_encode(uint8_t ret[CARP_IP_MAX], const struct carp_addr *src,
    const struct carp_addr *dst, const uint8_t advert[CARP_LEN])
{
	size_t n = dst->family == 4 ? put_ipv4(ret, src, dst)
				    : put_ipv6(ret, src, dst);

	memcpy(ret + n, advert, CARP_LEN);
	return n + CARP_LEN;
}
