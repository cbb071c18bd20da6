/* SPDX-License-Identifier: ISC */
/* carpctl dump: decodes CARP packets and says what is wrong with them. */
#include <carp/carp.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl_capture.h"
#include "ctl_term.h"
#include "key.h"

#define WHY_MAX 1024

/* What the digests are checked with. */
struct check {
	bool on; /* a key was given */
	bool has_lladdr;
	uint8_t key[CARP_KEY_LEN];
	uint8_t lladdr[6];
	long vhid; /* only this one; 0: all */
	struct carp_addr *addr;
	size_t naddrs;
};

/* What was found out about one packet. */
struct finding {
	struct carp_packet pkt;
	enum carp_verdict verdict;
	const char *digest; /* "ok", "bad", "unchecked" */
	char why[WHY_MAX];  /* "" if nothing is wrong */
};

static enum ctl_exit
parse_mac(uint8_t ret[6], const char *text)
{
	unsigned b[6];
	int end = -1;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2],
		&b[3], &b[4], &b[5], &end) != 6 ||
	    text[end] != '\0') {
		warnx("--lladdr wants an address like 02:11:22:33:44:55, not "
		      "\"%s\"",
		    text);
		return CTL_USAGE;
	}
	for (int i = 0; i < 6; i++)
		ret[i] = (uint8_t)b[i];
	return CTL_OK;
}

/* One -a: ADDR[,ADDR...]; a prefix length does not count. */
static enum ctl_exit
parse_addrs(struct check *k, const char *list)
{
	char text[CARP_ADDR_STRLEN];
	struct carp_addr *all;
	const char *end;
	size_t len;

	for (; list != NULL; list = *end == ',' ? end + 1 : NULL) {
		end = strchrnul(list, ',');
		len = (size_t)(end - list);
		all = reallocarray(k->addr, k->naddrs + 1, sizeof(*all));
		if (all == NULL) {
			warn("reallocarray");
			return CTL_FAILED;
		}
		k->addr = all;
		(void)snprintf(text, sizeof(text), "%.*s", (int)len, list);
		if (len >= sizeof(text) ||
		    carp_addr_parse(&all[k->naddrs], text) != 0) {
			warnx("-a wants addresses like 192.0.2.1,2001:db8::1, "
			      "not \"%.*s\"",
			    (int)len, list);
			return CTL_USAGE;
		}
		k->naddrs++;
	}
	return CTL_OK;
}

/* What does not go together, or is too little. */
static enum ctl_exit
check_options(const struct ctl *c)
{
	bool key = c->keyfile != NULL || c->keyhex != NULL;
	const char *wrong = NULL;

	if (c->ifname == NULL && c->file == NULL)
		wrong = "dump wants -i IFACE or -r FILE";
	else if (c->ifname != NULL && c->file != NULL)
		wrong = "-i and -r exclude each other";
	else if (c->keyfile != NULL && c->keyhex != NULL)
		wrong = "-k and --key-hex exclude each other";
	else if (key && c->naddrs == 0)
		wrong = "a key alone cannot verify anything: the digest is "
			"also over the virtual addresses; name them with -a";
	else if (!key && c->naddrs > 0)
		wrong = "-a is of use only with a key: -k KEYFILE or "
			"--key-hex HEX";
	else if (!key && c->lladdr != NULL)
		wrong = "--lladdr is of use only with a key: -k KEYFILE or "
			"--key-hex HEX";
	if (wrong == NULL)
		return CTL_OK;
	warnx("%s", wrong);
	return CTL_USAGE;
}

static enum ctl_exit
read_key(struct check *k, const struct ctl *c)
{
	char why[256] = "";
	int rc;

	if (c->keyhex != NULL) {
		if (key_from_hex(k->key, c->keyhex, why, sizeof(why)) == 0)
			return CTL_OK;
		warnx("--key-hex: %s", why);
		return CTL_USAGE;
	}
	rc = key_from_file(k->key, c->keyfile, why, sizeof(why));
	if (rc == 0)
		return CTL_OK;
	warnx("%s: %s", c->keyfile, why);
	return rc == -EACCES ? CTL_DENIED : CTL_FAILED;
}

static enum ctl_exit
make_check(struct check *k, const struct ctl *c)
{
	enum ctl_exit rc;

	if ((rc = check_options(c)) != CTL_OK)
		return rc;
	if (c->vhid != NULL && !ctl_number(&k->vhid, c->vhid, 1, 255)) {
		warnx("a VHID is a number from 1 to 255, not \"%s\"", c->vhid);
		return CTL_USAGE;
	}
	for (unsigned i = 0; rc == CTL_OK && i < c->naddrs; i++)
		rc = parse_addrs(k, c->addrs[i]);
	if (rc == CTL_OK && c->lladdr != NULL)
		rc = parse_mac(k->lladdr, c->lladdr);
	k->has_lladdr = c->lladdr != NULL;
	k->on = c->keyfile != NULL || c->keyhex != NULL;
	if (rc == CTL_OK && k->on)
		rc = read_key(k, c);
	return rc;
}

/* The addresses that the sender's digest is over, of those we know. */
static void
say_addrs(struct finding *f, const struct check *k, const bool *used)
{
	char text[CARP_ADDR_STRLEN];
	unsigned n = 0;
	size_t len;

	(void)snprintf(f->why, WHY_MAX, "other addresses: the digest is over");
	for (size_t i = 0; i < k->naddrs; i++) {
		if (!used[i])
			continue;
		len = strlen(f->why);
		(void)snprintf(f->why + len, WHY_MAX - len, "%s%s",
		    n++ > 0 ? ", " : " ",
		    carp_addr_print(text, &k->addr[i], false));
	}
	len = strlen(f->why);
	(void)snprintf(f->why + len, WHY_MAX - len, n ? " only" : " none");
}

/* OpenBSD puts what its `lladdr' says into the digest and on the frame. */
static bool
fits_ether(const struct finding *f, const struct check *k, const uint8_t *ether)
{
	return ether != NULL && !k->has_lladdr &&
	       carp_diagnose(&f->pkt, k->key, k->addr, k->naddrs, ether,
		   NULL) == CARP_MATCH;
}

static void
check_digest(struct finding *f, const struct check *k, const uint8_t *ether)
{
	const uint8_t *lladdr = k->has_lladdr ? k->lladdr : NULL;
	enum carp_mismatch m;
	bool *used = calloc(k->naddrs, sizeof(*used));

	if (used == NULL)
		err(CTL_FAILED, "calloc");
	m = carp_diagnose(&f->pkt, k->key, k->addr, k->naddrs, lladdr, used);
	f->digest = m == CARP_MATCH ? "ok" : "bad";
	if (m != CARP_MATCH && f->verdict == CARP_OK) {
		f->verdict = CARP_BADAUTH;
		if (m == CARP_OTHER_LLADDR)
			(void)snprintf(f->why, WHY_MAX,
			    "other lladdr: the digest is without one");
		else if (fits_ether(f, k, ether))
			(void)snprintf(f->why, WHY_MAX,
			    "other lladdr: the "
			    "digest is with %02x:%02x:%02x:%02x:%02x:%02x, as "
			    "OpenBSD does where lladdr is set by hand",
			    ether[0], ether[1], ether[2], ether[3], ether[4],
			    ether[5]);
		else if (m == CARP_OTHER_ADDRS)
			say_addrs(f, k, used);
		else
			(void)snprintf(f->why, WHY_MAX,
			    "other key, or "
			    "addresses that were not named");
	}
	free(used);
}

static void
say_why(struct finding *f, const struct capture_packet *p)
{
	const struct carp_packet *pkt = &f->pkt;
	const char *text = "";

	switch (f->verdict) {
	case CARP_HDROPS:
		text = p->wire > p->len
			   ? "cut short by who captured it"
			   : "not whole: a fragment, or shorter than its "
			     "IP header says";
		break;
	case CARP_BADLEN:
		text = "shorter than an advertisement";
		break;
	case CARP_BADSUM:
		text = "the checksum does not fit the contents";
		break;
	case CARP_BADVER:
		(void)snprintf(
		    f->why, WHY_MAX, "version %u; CARP is 2", pkt->version);
		return;
	case CARP_BADTTL:
		(void)snprintf(f->why, WHY_MAX,
		    "TTL %u instead of 255: it "
		    "came through a router, or is forged",
		    pkt->ttl);
		return;
	case CARP_VRRP:
		(void)snprintf(
		    f->why, WHY_MAX, "VRRP version %u, not CARP", pkt->version);
		return;
	default:
		break;
	}
	(void)snprintf(f->why, WHY_MAX, "%s", text);
}

static void
examine(
    struct finding *f, const struct check *k, const struct capture_packet *p)
{
	f->verdict = carp_decode(&f->pkt, p->ip, p->len);
	f->digest = "unchecked";
	say_why(f, p);
	if (k->on && (f->verdict == CARP_OK || f->verdict == CARP_BADSUM ||
			 f->verdict == CARP_BADTTL))
		check_digest(f, k, p->ether);
}

/* Were all fields of an advertisement there? */
static bool
is_whole(const struct finding *f)
{
	return f->verdict != CARP_HDROPS && f->verdict != CARP_BADLEN &&
	       f->verdict != CARP_BADVER && f->verdict != CARP_VRRP;
}

static json_t *
number(bool known, unsigned n)
{
	return known ? json_integer((json_int_t)n) : json_null();
}

static json_t *
address(const struct carp_addr *a)
{
	char text[CARP_ADDR_STRLEN];

	return a->family ? json_string(carp_addr_print(text, a, false))
			 : json_null();
}

static void
print_json(const struct finding *f, const struct capture_packet *p)
{
	const struct carp_packet *pkt = &f->pkt;
	bool whole = is_whole(f);
	char date[32], when[64], counter[20];
	struct tm tm;
	json_t *o;

	(void)gmtime_r(&p->time.tv_sec, &tm);
	(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(
	    when, sizeof(when), "%s.%06ldZ", date, (long)p->time.tv_usec);
	(void)snprintf(counter, sizeof(counter), "%016" PRIx64, pkt->counter);
	o = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:s, "
		      "s:s?, s:o, s:b, s:I, s:o}",
	    "time", when, "src", address(&pkt->src), "dst", address(&pkt->dst),
	    "vhid", number(pkt->vhid != 0, pkt->vhid), "advbase",
	    number(whole, pkt->advbase), "advskew", number(whole, pkt->advskew),
	    "demote", number(whole, pkt->demote), "counter",
	    whole ? json_string(counter) : json_null(), "verdict",
	    carp_verdict_name(f->verdict), "digest", f->digest, "why",
	    *f->why ? f->why : NULL, "ttl",
	    number(pkt->src.family != 0, pkt->ttl), "bowout",
	    whole && carp_packet_is_bowout(pkt), "length", (json_int_t)p->wire,
	    "vlan", number(p->vlan >= 0, (unsigned)p->vlan));
	if (o == NULL)
		errx(CTL_FAILED, "out of memory");
	term_json_line(o);
	json_decref(o);
}

static void
print_text(const struct finding *f, const struct capture_packet *p)
{
	const struct carp_packet *pkt = &f->pkt;
	char date[32], src[CARP_ADDR_STRLEN], dst[CARP_ADDR_STRLEN];
	bool ok = f->verdict == CARP_OK;
	struct tm tm;

	(void)localtime_r(&p->time.tv_sec, &tm);
	(void)strftime(date, sizeof(date), "%H:%M:%S", &tm);
	term_print(TERM_PLAIN, "%s.%06ld %s > %s", date, (long)p->time.tv_usec,
	    carp_addr_print(src, &pkt->src, false),
	    carp_addr_print(dst, &pkt->dst, false));
	if (p->vlan >= 0)
		term_print(TERM_PLAIN, " vlan %d", p->vlan);
	if (pkt->vhid != 0)
		term_print(TERM_PLAIN, " %s %u",
		    f->verdict == CARP_VRRP ? "vrid" : "vhid", pkt->vhid);
	if (is_whole(f))
		term_print(TERM_PLAIN,
		    " advbase %u advskew %u demote %u "
		    "counter %016" PRIx64,
		    pkt->advbase, pkt->advskew, pkt->demote, pkt->counter);
	if (is_whole(f) && carp_packet_is_bowout(pkt))
		term_print(TERM_YELLOW, " bow-out");
	term_print(
	    ok ? TERM_GREEN : TERM_RED, " %s", carp_verdict_name(f->verdict));
	if (ok && strcmp(f->digest, "unchecked") == 0)
		term_print(TERM_PLAIN, " (digest unchecked)");
	if (*f->why)
		term_print(TERM_PLAIN, ": %s", f->why);
	term_print(TERM_PLAIN, "\n");
}

static enum ctl_exit
dump(const struct ctl *c, const struct check *k, struct capture *cap)
{
	struct capture_packet p;
	struct finding f;
	enum ctl_exit rc;
	unsigned long n = 0;

	while (c->count == 0 || n < c->count) {
		rc = capture_next(cap, &p);
		if (rc != CTL_OK || p.ip == NULL)
			return rc;
		memset(&f, 0, sizeof(f));
		examine(&f, k, &p);
		if (k->vhid != 0 && f.pkt.vhid != 0 && f.pkt.vhid != k->vhid)
			continue;
		if (c->json)
			print_json(&f, &p);
		else
			print_text(&f, &p);
		if (fflush(stdout) == EOF)
			return CTL_OK; /* told at the end */
		n++;
	}
	return CTL_OK;
}

enum ctl_exit
ctl_dump(const struct ctl *c)
{
	struct capture *cap = NULL;
	struct check k = { 0 };
	enum ctl_exit rc;

	rc = make_check(&k, c);
	if (rc == CTL_OK)
		rc = capture_open(&cap, c);
	if (rc == CTL_OK)
		rc = dump(c, &k, cap);
	capture_close(cap);
	free(k.addr);
	explicit_bzero(k.key, sizeof(k.key));
	return rc;
}
