/* SPDX-License-Identifier: ISC */
/*
 * CARP: wire format, keyed digest and election of one virtual host.
 *
 * Nothing here opens, waits, logs or reads a clock.  Events go in with the
 * time now, actions come out, and there is one deadline:
 *
 *	struct carp_config cfg = CARP_CONFIG_INIT;
 *	struct carp_action a;
 *	struct carp *c;
 *
 *	cfg.vhid = 10;
 *	memcpy(cfg.key, "s3cret", 6);
 *	cfg.counter = random64();
 *	cfg.seed = random64();
 *	rc = carp_new(&c, &cfg, addrs, naddrs);
 *	carp_link(c, true, now);
 *	for (;;) {
 *		while (carp_next(c, &a))
 *			carry_out(&a);
 *		... wait for a packet, or until carp_deadline(c) ...
 *		carp_packet(c, &pkt, now)  or  carp_timer(c, now)
 *	}
 *	carp_stop(c, now);			(then carp_next: the bow-out)
 *	carp_free(c);
 *
 * Who wants sockets, links and addresses done as well uses <carp/engine.h>.
 *
 * Time is nanoseconds since an arbitrary start (CLOCK_MONOTONIC, or a virtual
 * clock).  Functions that can fail return 0 or a negative errno.  No function
 * may be called for one object by two threads at once.
 */
#ifndef CARP_CARP_H
#define CARP_CARP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CARP_PROTO	112		/* IP protocol, shared with VRRP */
#define CARP_LEN	36		/* bytes of an advertisement */
#define CARP_KEY_LEN	20		/* bytes of a key, zero padded */
#define CARP_PASS_MAX	19		/* bytes of a passphrase (BSD) */
#define CARP_MD_LEN	20		/* bytes of a digest (HMAC-SHA1) */
#define CARP_TTL	255		/* TTL and hop limit */
#define CARP_SKEW_MAX	254		/* 255 only in a bow-out */
#define CARP_DEMOTED	240		/* skew of a demoted host, at most */
#define CARP_IP_MAX	(40 + CARP_LEN)	/* IP header and advertisement */
#define CARP_SEC	UINT64_C(1000000000)
#define CARP_NEVER	UINT64_MAX

struct carp;				/* one virtual host */

/*
 * Addresses.
 */

/* An IPv4 or IPv6 address with prefix length.  No padding. */
struct carp_addr {
	uint8_t	family;			/* 4 or 6; 0: none */
	uint8_t	prefix;			/* 0..32 or 0..128 */
	uint8_t	ip[16];			/* network order; IPv4: the first 4 */
};

#define CARP_ADDR_STRLEN 52		/* longest text, prefix and NUL */

/*
 * "192.0.2.1/24", "2001:db8::1"; without a prefix length it is that of a
 * host.  -EINVAL if it is not an address.
 */
int	 carp_addr_parse(struct carp_addr *ret, const char *text);

/* Writes "192.0.2.1/24", or without the prefix length; returns buf. */
char	*carp_addr_print(char buf[CARP_ADDR_STRLEN],
	    const struct carp_addr *, bool prefix);

/* By family, then numerically; the prefix length does not count. */
int	 carp_addr_cmp(const struct carp_addr *, const struct carp_addr *);

/* fe80::/10. */
bool	 carp_addr_is_linklocal(const struct carp_addr *);

/* Is the address inside the net (same family, same leading bits)? */
bool	 carp_addr_in_net(const struct carp_addr *,
	    const struct carp_addr *net);

/*
 * The wire format.
 */

/* What becomes of a received packet.  The names are those of BSD carpstats. */
enum carp_verdict {
	CARP_OK,
	CARP_HDROPS,			/* shorter than its IP header says */
	CARP_BADLEN,			/* shorter than an advertisement */
	CARP_BADVER,			/* neither CARP 2 nor VRRP */
	CARP_BADTTL,			/* multicast with TTL below 255 */
	CARP_BADSUM,			/* checksum over the 36 bytes */
	CARP_BADVHID,			/* no such virtual host here */
	CARP_BADADDR,			/* unicast, not from a known peer */
	CARP_BADAUTH,			/* digest fits no accepted form */
	CARP_OWN,			/* one of ours came back */
	CARP_VRRP,			/* VRRP version 2 or 3: not for us */
	CARP_NVERDICTS
};

/* "ok", "badsum", ...: the words that carpctl prints. */
const char *carp_verdict_name(enum carp_verdict);

/* An advertisement with what the IP header says of it.  Host order. */
struct carp_packet {
	struct carp_addr src, dst;	/* prefix 32 or 128 */
	uint8_t		 ttl;		/* or hop limit */
	uint8_t		 version;	/* 2 */
	uint8_t		 type;		/* 1; any is accepted, as BSD does */
	uint8_t		 vhid;
	uint8_t		 advskew;
	uint8_t		 authlen;	/* 7; any is accepted */
	uint8_t		 demote;	/* OpenBSD; others send 0 */
	uint8_t		 advbase;
	uint16_t	 checksum;
	uint64_t	 counter;
	uint8_t		 md[CARP_MD_LEN];
};

/* advbase and advskew 255: the sender leaves. */
bool	 carp_packet_is_bowout(const struct carp_packet *);

/*
 * Reads an IPv4 or IPv6 packet that starts at its IP header.  *ret is always
 * written: as many members as could be read, the rest zero.  Never CARP_OK
 * unless length, version, TTL (for a multicast destination) and checksum are
 * good.  Does not look at vhid or digest: carp_packet() does.
 */
enum carp_verdict carp_decode(struct carp_packet *ret, const void *ip,
	    size_t len);

/*
 * Writes the 36 bytes for what stands in the packet: version, type, authlen
 * and checksum are filled in by the function, the digest is copied.
 */
void	 carp_encode(uint8_t ret[CARP_LEN], const struct carp_packet *);

/*
 * Puts an IPv4 or IPv6 header (TTL 255, DF, low delay) before an
 * advertisement.  Returns the length: 56 or 76.  Both addresses are of one
 * family.
 */
size_t	 carp_ip_encode(uint8_t ret[CARP_IP_MAX], const struct carp_addr *src,
	    const struct carp_addr *dst, const uint8_t advert[CARP_LEN]);

/* 224.0.0.18 for family 4, ff02::12 for family 6. */
struct carp_addr carp_group(uint8_t family);

/* 00:00:5e:00:01:VHID, for both families. */
void	 carp_vmac(uint8_t ret[6], uint8_t vhid);

/*
 * The digest.
 */

/*
 * Which addresses enter the digest.  Implementations differ; see
 * libcarp(3).  All of them sort and drop duplicates.
 */
#define CARP_NOV6LL	0x01	/* no link-local ones: OpenBSD, and we */
#define CARP_ORIG	0x02	/* all: FreeBSD, NetBSD, old OpenBSD */
#define CARP_AUTOLL	0x04	/* and the link-local one of the virtual MAC */
#define CARP_ANY_DIGEST	(CARP_NOV6LL | CARP_ORIG | CARP_AUTOLL)

/*
 * HMAC-SHA1 over what one form says.  lladdr is NULL, or the 6 bytes that
 * OpenBSD adds where lladdr was set by hand.  -ENOMEM, -EINVAL.
 */
int	 carp_digest(uint8_t ret[CARP_MD_LEN], const uint8_t key[CARP_KEY_LEN],
	    uint8_t vhid, const struct carp_addr *, size_t n, unsigned form,
	    const uint8_t *lladdr, uint64_t counter);

/* Why a digest does not fit, as far as it can be known. */
enum carp_mismatch {
	CARP_MATCH,			/* it does fit */
	CARP_OTHER_KEY,			/* or an address set out of our reach */
	CARP_OTHER_ADDRS,		/* the key is right: see `used` */
	CARP_OTHER_LLADDR		/* OpenBSD with lladdr by hand */
};

/*
 * Tries the address sets that people get wrong: one of the list alone, all
 * but one, one family only, none.  Its cost is bounded: of a long list only
 * the first 255 are tried alone, and of more than 63 not all are left out in
 * turn.  used[i] says whether address i is in the set that fits; may be NULL.
 */
enum carp_mismatch carp_diagnose(const struct carp_packet *,
	    const uint8_t key[CARP_KEY_LEN], const struct carp_addr *,
	    size_t n, const uint8_t *lladdr, bool *used);

/*
 * The election.
 */

enum carp_state { CARP_INIT, CARP_BACKUP, CARP_MASTER };

/* Why the state is what it is. */
enum carp_cause {
	CARP_CAUSE_NEW,			/* never started */
	CARP_CAUSE_LINK_UP,
	CARP_CAUSE_LINK_DOWN,
	CARP_CAUSE_SILENCE,		/* no master was heard long enough */
	CARP_CAUSE_BOWOUT,		/* the master said that it leaves */
	CARP_CAUSE_SLOWER,		/* preempt: the master is slower */
	CARP_CAUSE_DEMOTED,		/* the master is more demoted */
	CARP_CAUSE_FADING,		/* the master sends too seldom for us */
	CARP_CAUSE_FASTER,		/* yielded to a faster master */
	CARP_CAUSE_EQUAL,		/* yielded to an equal one */
	CARP_CAUSE_PAUSED,		/* slept, and another took over */
	CARP_CAUSE_FORCED,		/* told to */
	CARP_CAUSE_STOPPED,		/* told to stop */
	CARP_CAUSE_RESUMED,		/* a master's successor goes on */
	CARP_CAUSE_ORPHANED,		/* the master is demoted, silent here */
	CARP_NCAUSES
};

/* "INIT", "BACKUP", "MASTER". */
const char *carp_state_name(enum carp_state);

/* "no master heard", "master left (bow-out)", ...: ends a log line. */
const char *carp_cause_text(enum carp_cause);

/* Fill with CARP_CONFIG_INIT, then set what differs.  No padding. */
struct carp_config {
	uint32_t size;			/* sizeof(struct carp_config) */
	uint8_t	 vhid;			/* 1..255 */
	uint8_t	 advbase;		/* seconds between adverts, 0..254 */
	uint8_t	 advskew;		/* added 1/256 seconds, 0..254 */
	uint8_t	 preempt;		/* take over from a slower master */
	uint8_t	 key[CARP_KEY_LEN];	/* zero padded */
	uint8_t	 openbsd;		/* peers are OpenBSD: `demote` */
	uint8_t	 strict_family;		/* BSD: each family its own timeout */
	uint8_t	 triple_skew;		/* timeout 3*(base+skew): OpenBSD 7.8 */
	uint8_t	 digests;		/* accepted forms; 0: all */
	uint8_t	 lladdr[6];		/* OpenBSD lladdr by hand; 0: none */
	uint8_t	 together;		/* see carp_follow() */
	uint8_t	 fast_start;		/* with preempt: master after one
					   interval if none is heard first */
	uint64_t counter;		/* first counter, a random number */
	uint64_t seed;			/* of the jitter, a random number */
	uint64_t grace;			/* ns that old keys and addresses stay
					   valid; 0: 60 s */
};

#define CARP_CONFIG_INIT						\
	{ sizeof(struct carp_config), 0, 1, 0, 0, { 0 }, 0, 0, 0, 0,	\
	  { 0 }, 0, 0, 0, 0, 0 }

/*
 * The addresses are those of the digest, also what families are spoken: one
 * advertisement for each.  They are copied; order and duplicates do not
 * matter.  n may be 0: then the host stays in INIT.
 * -EINVAL: a member is out of range.  -E2BIG: size.  -ENOMEM.
 * On failure *ret is untouched.  carp_free(NULL) does nothing.
 */
int	 carp_new(struct carp **ret, const struct carp_config *,
	    const struct carp_addr *, size_t n);
void	 carp_free(struct carp *);

/*
 * Changes, without leaving the state.  The vhid cannot change (-EINVAL);
 * counter and seed are not looked at.  What was the key or the address list
 * stays valid for `grace`: on receipt, and each advertisement is sent with the
 * former digest as well, so that a peer which is changed later hears it.
 * Nothing is sent at once, unless an address family was added.  On failure
 * nothing has changed.
 */
int	 carp_change(struct carp *, const struct carp_config *,
	    const struct carp_addr *, size_t n, uint64_t now);

/*
 * Events.  Each returns -EBUSY, and does nothing, while actions of the last
 * event wait in carp_next().
 */

/* The interface works, or does not.  Starts the election. */
int	 carp_link(struct carp *, bool up, uint64_t now);

/* The deadline has come.  Calling early, or for no reason, is harmless. */
int	 carp_timer(struct carp *, uint64_t now);

/*
 * For whoever has many virtual hosts and is awake: a master whose advertisement
 * is due within 1/64 of its interval sends it now, and the next one an interval
 * later.  So hosts come to speak at once, and none ever later than it should.
 * 1: it does; 0: nothing is due so soon.
 */
int	 carp_early(struct carp *, uint64_t now);

/*
 * A packet that carp_decode() found CARP_OK.  *ret is CARP_OK, or CARP_BADVHID,
 * CARP_BADAUTH, CARP_OWN, with nothing else changed than a counter.
 */
int	 carp_packet(struct carp *, const struct carp_packet *,
	    enum carp_verdict *ret, uint64_t now);

/*
 * The same for one that came at `at` and has waited until now.  A takeover
 * that it leads to is not carried out but due, so that what waits behind it is
 * heard before carp_timer().  A bow-out older than an advertisement interval
 * is no reason any more: silence counts from now.
 */
int	 carp_packet_late(struct carp *, const struct carp_packet *,
	    enum carp_verdict *ret, uint64_t at, uint64_t now);

/*
 * The sum of all demotion causes of this host; may be negative.  It goes out
 * in the skew (up to 240) and, with `openbsd`, in OpenBSD's byte.  A master
 * that is changed advertises at once.
 */
int	 carp_demote(struct carp *, int demotion, uint64_t now);

/*
 * To CARP_MASTER or CARP_BACKUP by order.  -EINVAL: another state.
 * -ENETDOWN: in INIT.  The election goes on from there: with a faster master
 * on the wire, force demotion instead.
 */
int	 carp_force(struct carp *, enum carp_state, uint64_t now);

/*
 * On standby a backup listens, and does not become master: neither by silence
 * nor by a bow-out or a slower master; only carp_force() and carp_resume() make
 * it one.  Silence counts anew from the end of it.  A master is not concerned
 * until it is backup.
 */
int	 carp_standby(struct carp *, bool on, uint64_t now);

/*
 * For the successor of a process that ended as master without a word.  Soon
 * enough, that nobody can have taken over: go_on as master.  Otherwise, or if
 * it ended more than once: bow out in its name, so that nobody waits.  Does
 * nothing but in BACKUP.
 */
int	 carp_resume(struct carp *, bool go_on, uint64_t now);

/*
 * Hosts that move together: those of a node, all with `together`, on several
 * segments.  A master that sends a skew of CARP_DEMOTED or more is taken over
 * also without `preempt`, by who is not as demoted.  Where that master has lost
 * its link it cannot say so: but who has just heard it on another segment, and
 * took over there as soon as it was (carp_took_demoted), need not wait for the
 * time-out.
 * carp_follow() is for each of his other hosts then: if its master is the same
 * node, and stays silent for some milliseconds, it takes over.  What is heard
 * meanwhile ends that.
 *
 * That it is the same node is told by the counters: those of hosts of a node
 * are chosen near each other by carp_counter_near(), which no others are.
 */
bool	 carp_took_demoted(const struct carp *);
int	 carp_follow(struct carp *, const struct carp *taken, uint64_t now);

/* A first counter of a host, from one random number each of node and host. */
uint64_t carp_counter_near(uint64_t node, uint64_t host);

/* A master advertises at once: it works, whatever its other hosts say. */
int	 carp_advertise(struct carp *, uint64_t now);

/* A master bows out.  Goes to INIT; carp_link() starts again. */
int	 carp_stop(struct carp *, uint64_t now);

/*
 * Actions, in the order in which to carry them out.
 */
enum carp_do {
	CARP_DO_STATE,			/* the state has changed */
	CARP_DO_SEND,			/* send this advertisement */
	CARP_DO_ANNOUNCE		/* gratuitous ARP and unsolicited NA */
};

struct carp_action {
	enum carp_do	what;
	enum carp_state from, to;	/* STATE */
	enum carp_cause cause;		/* STATE */
	uint8_t		family;		/* SEND: 4 or 6 */
	uint8_t		bowout;		/* SEND: it is the last one */
	uint8_t		advert[CARP_LEN]; /* SEND */
};

/* False: none left, and *ret is untouched. */
bool	 carp_next(struct carp *, struct carp_action *ret);

/* When carp_timer() is wanted, or CARP_NEVER. */
uint64_t carp_deadline(const struct carp *);

enum carp_state carp_state(const struct carp *);

/* How long an interval in ns is on the wire: base + skew/256 s. */
uint64_t carp_interval(uint8_t advbase, uint8_t advskew);

/* Counted for each virtual host; those before it is known, by the engine. */
struct carp_stats {
	uint64_t ipackets, ipackets6;	/* received, good or bad */
	uint64_t opackets, opackets6;	/* sent */
	uint64_t drops[CARP_NVERDICTS];	/* by verdict; CARP_OK: accepted */
	uint64_t oerrors;		/* could not be sent (BSD: onomem) */
	uint64_t preempt;		/* times that it became master */
};

/* All that is to be known of a virtual host.  For people, not for speed. */
struct carp_info {
	enum carp_state	state;
	enum carp_cause	cause;		/* of the last change */
	uint64_t since;			/* when, ns; 0: never */
	uint8_t	 vhid, advbase, advskew;
	uint8_t	 skew_sent;		/* with demotion */
	uint8_t	 preempt, openbsd;
	uint8_t	 families;		/* bit 0: IPv4, bit 1: IPv6 */
	int	 demotion;
	uint64_t interval;		/* between advertisements now, ns */
	uint64_t timeout;		/* of a silent master, ns */
	uint64_t deadline;		/* ns, or CARP_NEVER */
	uint64_t sent;			/* the last advert, ns; 0: never */
	bool	 heard;			/* a valid advert, ever; then: */
	struct carp_packet peer;	/* the last one */
	uint64_t peer_at;		/* its time, ns */
	struct carp_stats stats;
	bool	 standby;		/* see carp_standby() */
};

void	 carp_get_info(const struct carp *, struct carp_info *ret);

/*
 * Demotion with named causes: a small table, whose sum goes to carp_demote().
 */
#define CARP_CAUSES_MAX		16
#define CARP_CAUSE_NAME_MAX	48	/* with NUL */

struct carp_demotion {			/* zero it to start */
	struct {
		char	 name[CARP_CAUSE_NAME_MAX];
		int	 amount;
		uint64_t until;		/* ns, or CARP_NEVER */
	} cause[CARP_CAUSES_MAX];
	unsigned n;			/* <= CARP_CAUSES_MAX, oldest first */
};

/*
 * Sets what a cause amounts to; 0 removes it.  until is when it ends by
 * itself, or CARP_NEVER.  -ENAMETOOLONG, -ENOSPC, -EINVAL (empty name, or
 * amount beyond +-65535).
 */
int	 carp_demotion_set(struct carp_demotion *, const char *name,
	    int amount, uint64_t until);

/* Drops what has ended.  True if anything did. */
bool	 carp_demotion_expire(struct carp_demotion *, uint64_t now);

int	 carp_demotion_sum(const struct carp_demotion *);
uint64_t carp_demotion_deadline(const struct carp_demotion *);

#ifdef __cplusplus
}
#endif
#endif
