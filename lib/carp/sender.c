/* SPDX-License-Identifier: ISC */
/*
 * What received packets say about their senders: peers, rivals, and mistakes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

#define GRACE	 CARP_SEC	 /* for a new master to be heard */
#define PACE	 CARP_SEC	 /* between diagnoses of an interface */
#define STALE	 (30 * CARP_SEC) /* then a diagnosis is made again */
#define LIST_LEN 72		 /* of addresses in a sentence */

/*
 * Peers.
 */
static struct carp_peer *
peer_slot(struct carp_host *h, const struct carp_addr *addr)
{
	struct carp_peer *oldest = h->heard;

	for (unsigned n = 0; n < h->nheard; n++) {
		if (carp_addr_cmp(&h->heard[n].addr, addr) == 0)
			return &h->heard[n];
		if (h->heard[n].last < oldest->last)
			oldest = &h->heard[n];
	}
	if (h->nheard < HEARD_MAX) {
		struct carp_peer *more =
		    realloc(h->heard, (h->nheard + 1) * sizeof(*more));

		if (more == NULL)
			return NULL;
		h->heard = more;
		oldest = &more[h->nheard++];
	}
	*oldest = (struct carp_peer){ .addr = *addr };
	return oldest;
}

void
sender_peer(struct carp_host *h, const struct carp_packet *p, uint64_t now)
{
	struct carp_peer *peer = peer_slot(h, &p->src);

	if (peer == NULL)
		return;
	if (peer->count++ == 0)
		peer->first = now;
	peer->last = now;
	peer->bowout = carp_packet_is_bowout(p);
	if (!peer->bowout) {
		peer->advbase = p->advbase;
		peer->advskew = p->advskew;
	}
	peer->demote = p->demote;
}

static int
newer(const void *a, const void *b)
{
	const struct carp_peer *x = a, *y = b;

	return (x->last < y->last) - (x->last > y->last);
}

size_t
carp_host_peers(const struct carp_host *h, struct carp_peer *ret, size_t max)
{
	struct carp_peer sorted[HEARD_MAX];

	if (h == NULL || ret == NULL || h->nheard == 0)
		return 0;
	memcpy(sorted, h->heard, h->nheard * sizeof(sorted[0]));
	qsort(sorted, h->nheard, sizeof(sorted[0]), newer);
	if (max > h->nheard)
		max = h->nheard;
	memcpy(ret, sorted, max * sizeof(sorted[0]));
	return max;
}

/*
 * Another master that goes on although it has had time to hear us.
 */
void
sender_rival(struct carp_host *h, const struct carp_packet *p, uint64_t now)
{
	char who[CARP_ADDR_STRLEN];
	struct carp_info info;
	uint64_t pause;

	if (carp_state(h->carp) != CARP_MASTER || carp_packet_is_bowout(p))
		return;
	carp_get_info(h->carp, &info);
	if (now - h->since <= info.interval + GRACE)
		return;
	pause = 3 * carp_interval(p->advbase, p->advskew);
	if (pause < info.timeout)
		pause = info.timeout;
	if (h->rival_last == 0 || now - h->rival_last > pause)
		h->rival_since = now;
	h->rival_last = now;
	if (now - h->rival_since > info.interval)
		condition_host(h, CARP_COND_TWO_MASTERS, &p->src, now,
		    "%s is master of vhid %d as well: it does not hear us; "
		    "check the way from here to there",
		    carp_addr_print(who, &p->src, false), h->vhid);
}

/*
 * Packets that fit no rule.
 */
static void
name_peer_mode(struct carp_host *h, const struct carp_packet *p, uint64_t now)
{
	char who[CARP_ADDR_STRLEN];
	struct carp_addr group = carp_group(p->dst.family);

	(void)carp_addr_print(who, &p->src, false);
	if (carp_addr_cmp(&p->dst, &group) == 0)
		sender_stranger(h, p, now);
	else if (h->npeers > 0)
		condition_host(h, CARP_COND_UNKNOWN_PEER, &p->src, now,
		    "%s sends vhid %d by unicast and is not among the peers: "
		    "add it, or stop it",
		    who, h->vhid);
	else
		condition_host(h, CARP_COND_UNKNOWN_PEER, &p->src, now,
		    "%s sends vhid %d by unicast, here multicast is used: "
		    "set peers on both sides, or on none",
		    who, h->vhid);
}

void
sender_misfit(struct carp_host *h, const struct carp_packet *p,
    enum carp_verdict v, uint64_t now)
{
	char who[CARP_ADDR_STRLEN];

	(void)carp_addr_print(who, &p->src, false);
	switch (v) {
	case CARP_VRRP:
		condition_host(h, CARP_COND_VRRP, &p->src, now,
		    "%s speaks VRRP with id %d on %s: the virtual MAC is the "
		    "same; give one of them another number",
		    who, h->vhid, h->iface->name);
		break;
	case CARP_BADVER:
		condition_host(h, CARP_COND_OTHER_VERSION, &p->src, now,
		    "%s advertises vhid %d in version %d, not 2: it takes no "
		    "part here; update it",
		    who, h->vhid, p->version);
		break;
	case CARP_BADTTL:
		condition_host(h, CARP_COND_TTL, &p->src, now,
		    "%s advertises vhid %d with TTL %d, not 255: it was "
		    "routed, or forged; it is not obeyed",
		    who, h->vhid, p->ttl);
		break;
	case CARP_OWN:
		condition_host(h, CARP_COND_LOOP, &p->src, now,
		    "our own advertisements of vhid %d come back on %s: look "
		    "for a loop, or a virtual switch that reflects",
		    h->vhid, h->iface->name);
		break;
	case CARP_BADADDR:
		name_peer_mode(h, p, now);
		break;
	default: /* counted, no more: anything may stand in it */
		break;
	}
}

/*
 * Digests that do not fit.  Finding out why costs many digests, so it is done
 * once a second for an interface; meanwhile a sender is taken to be as it was.
 */
static const enum carp_condition of_auth[] = { CARP_COND_OTHER_KEY,
	CARP_COND_OTHER_ADDRS, CARP_COND_OTHER_LLADDR };
#define NAUTH (sizeof(of_auth) / sizeof(of_auth[0]))

static bool
may_diagnose(struct iface *i, uint64_t now)
{
	if (i->diagnosed != 0 && now - i->diagnosed < PACE)
		return false;
	i->diagnosed = now;
	return true;
}

/*
 * After a change a peer sends the old form as well for a while, in case that
 * others do not know the new one.  Who knows it has nothing to complain of.
 */
static bool
is_heard_well(
    const struct carp_host *h, const struct carp_packet *p, uint64_t now)
{
	uint64_t span = 2 * carp_interval(p->advbase, p->advskew) + GRACE;

	for (unsigned n = 0; n < h->nheard; n++)
		if (carp_addr_cmp(&h->heard[n].addr, &p->src) == 0)
			return now - h->heard[n].last < span;
	return false;
}

static struct condition *
known_as(struct carp_host *h, const struct carp_addr *who)
{
	for (size_t n = 0; n < NAUTH; n++) {
		struct condition *c = condition_find(h->conds, of_auth[n]);

		if (c != NULL && carp_addr_cmp(&c->info.peer, who) == 0)
			return c;
	}
	return NULL;
}

static const uint8_t *
own_lladdr(const struct carp_host *h)
{
	static const uint8_t none[6];

	return memcmp(h->lladdr, none, 6) != 0 ? h->lladdr : NULL;
}

/* "192.0.2.1, 192.0.2.2, ...", as far as there is room. */
static void
print_list(char ret[LIST_LEN], const struct carp_host *h, const bool *used)
{
	const struct carp_addr *a = host_config_digest(h);
	char text[CARP_ADDR_STRLEN];
	size_t len = 0;

	ret[0] = '\0';
	for (size_t n = 0; n < h->ndigest; n++) {
		if (!used[n])
			continue;
		(void)carp_addr_print(text, &a[n], false);
		if (len + strlen(text) + 7 > LIST_LEN) {
			(void)snprintf(ret + len, LIST_LEN - len, ", ...");
			return;
		}
		len += (size_t)snprintf(ret + len, LIST_LEN - len, "%s%s",
		    len > 0 ? ", " : "", text);
	}
	if (len == 0)
		(void)snprintf(ret, LIST_LEN, "none");
}

static void
say_mismatch(struct carp_host *h, const struct carp_packet *p,
    enum carp_mismatch why, const bool *used, uint64_t now)
{
	char who[CARP_ADDR_STRLEN], list[LIST_LEN];
	bool master = carp_state(h->carp) == CARP_MASTER;
	const char *two = master ? " (two masters now)" : "";

	(void)carp_addr_print(who, &p->src, false);
	switch (why) {
	case CARP_OTHER_KEY:
		condition_host(h, CARP_COND_OTHER_KEY, &p->src, now,
		    "%s advertises vhid %d with another key%s: compare "
		    "passphrases, then the address lists",
		    who, h->vhid, two);
		break;
	case CARP_OTHER_ADDRS:
		print_list(list, h, used);
		condition_host(h, CARP_COND_OTHER_ADDRS, &p->src, now,
		    "%s advertises vhid %d over other addresses%s; of ours "
		    "only: %s; make the lists equal",
		    who, h->vhid, two, list);
		break;
	case CARP_OTHER_LLADDR:
		condition_host(h, CARP_COND_OTHER_LLADDR, &p->src, now,
		    "%s advertises vhid %d without our lladdr%s: set the same "
		    "on both, or none",
		    who, h->vhid, two);
		break;
	case CARP_MATCH:
		condition_host(h, CARP_COND_OTHER_ADDRS, &p->src, now,
		    "%s advertises vhid %d with a form of digest that is not "
		    "accepted here%s: accept it, or drop link-local addresses",
		    who, h->vhid, two);
		break;
	}
}

void
sender_badauth(struct carp_host *h, const struct carp_packet *p, uint64_t now)
{
	struct condition *c = known_as(h, &p->src);
	enum carp_mismatch why;
	bool *used;

	if (is_heard_well(h, p, now))
		return;
	if (c != NULL &&
	    (now - c->checked < STALE || !may_diagnose(h->iface, now))) {
		c->info.last = now;
		c->info.count++;
		return;
	}
	if (c == NULL && !may_diagnose(h->iface, now))
		return;
	if ((used = calloc(h->ndigest + 1, sizeof(*used))) == NULL)
		return;
	why = carp_diagnose(
	    p, h->key, host_config_digest(h), h->ndigest, own_lladdr(h), used);
	say_mismatch(h, p, why, used, now);
	free(used);
	if ((c = known_as(h, &p->src)) != NULL)
		c->checked = now;
}

/*
 * Somebody else's multicast where we have peers is his right, and no fault:
 * unless it has our key.
 */
void
sender_stranger(struct carp_host *h, const struct carp_packet *p, uint64_t now)
{
	char who[CARP_ADDR_STRLEN];

	if (!may_diagnose(h->iface, now) ||
	    carp_diagnose(p, h->key, host_config_digest(h), h->ndigest,
		own_lladdr(h), NULL) != CARP_MATCH)
		return;
	condition_host(h, CARP_COND_UNKNOWN_PEER, &p->src, now,
	    "%s sends vhid %d by multicast, here peers are set: set peers on "
	    "both sides, or on none",
	    carp_addr_print(who, &p->src, false), h->vhid);
}
