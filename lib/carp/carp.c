/* SPDX-License-Identifier: ISC */
/* The public functions of one virtual host. */
#include <openssl/crypto.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fsm.h"

#define GRACE (60 * CARP_SEC)
#define EARLY 64 /* of its interval an advertisement may come before time */

/* Sizes grow by new members at the end, and zero is the old behaviour. */
_Static_assert(sizeof(struct carp_config) == 64, "no padding");
#define CONFIG_MIN 64 /* of the first version */

static int
read_config(struct carp_config *ret, const struct carp_config *cfg)
{
	size_t size = cfg->size;

	if (size < CONFIG_MIN)
		return -EINVAL;
	for (size_t i = sizeof(*ret); i < size; i++)
		if (((const uint8_t *)cfg)[i] != 0)
			return -E2BIG;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret, cfg, size < sizeof(*ret) ? size : sizeof(*ret));
	ret->size = sizeof(*ret);
	if (ret->vhid == 0 || ret->advbase == 255 || ret->advskew == 255 ||
	    (ret->digests & ~CARP_ANY_DIGEST) != 0 || ret->together > 1 ||
	    ret->fast_start > 1 || (ret->fast_start && !ret->preempt))
		return -EINVAL;
	if (ret->digests == 0)
		ret->digests = CARP_ANY_DIGEST;
	if (ret->grace == 0)
		ret->grace = GRACE;
	return 0;
}

static int
read_addrs(const struct carp_addr *addrs, size_t n, uint8_t *families)
{
	*families = 0;
	for (size_t i = 0; i < n; i++) {
		if (addrs[i].family != 4 && addrs[i].family != 6)
			return -EINVAL;
		*families |= addrs[i].family == 4 ? 1 : 2;
	}
	return 0;
}

static int
prepare(struct digest **ret, const struct carp_config *cfg,
    const struct carp_addr *addrs, size_t n)
{
	static const uint8_t none[6];
	const uint8_t *lladdr = cfg->lladdr;

	if (memcmp(lladdr, none, sizeof(none)) == 0)
		lladdr = NULL;
	return digest_new(
	    ret, cfg->key, cfg->vhid, addrs, n, cfg->digests, lladdr);
}

int
carp_new(struct carp **ret, const struct carp_config *cfg,
    const struct carp_addr *addrs, size_t n)
{
	struct carp *c;
	int rc;

	if (cfg == NULL || (addrs == NULL && n > 0))
		return -EINVAL;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	rc = read_config(&c->cfg, cfg);
	if (rc == 0)
		rc = read_addrs(addrs, n, &c->families);
	if (rc == 0)
		rc = prepare(&c->now, &c->cfg, addrs, n);
	if (rc != 0) {
		carp_free(c);
		return rc;
	}
	fsm_seed(c);
	*ret = c;
	return 0;
}

void
carp_free(struct carp *c)
{
	if (c == NULL)
		return;
	digest_free(c->now);
	digest_free(c->before);
	OPENSSL_cleanse(c, sizeof(*c)); /* keys */
	free(c);
}

static bool
busy(const struct carp *c)
{
	return c->taken < c->nout;
}

/* The first address may come, or the last one go. */
static void
families_changed(struct carp *c, uint8_t before, uint64_t now)
{
	uint8_t added = c->families & (uint8_t)~before;

	for (int f = 0; f < 2; f++)
		if (added & 1u << f)
			c->armed[f] = now;
	if (c->families == 0)
		fsm_step(c, EV_DOWN, CARP_CAUSE_STOPPED, now);
	else if (before == 0 && c->link)
		fsm_step(c, EV_UP, CARP_CAUSE_LINK_UP, now);
	else if (added != 0)
		fsm_step(c, EV_TOUCH, c->cause, now);
}

int
carp_change(struct carp *c, const struct carp_config *cfg,
    const struct carp_addr *addrs, size_t n, uint64_t now)
{
	struct carp_config next;
	struct digest *d = NULL;
	uint8_t families, before = c->families;
	int rc;

	if (busy(c))
		return -EBUSY;
	if (cfg == NULL || (addrs == NULL && n > 0))
		return -EINVAL;
	rc = read_config(&next, cfg);
	if (rc == 0 && next.vhid != c->cfg.vhid)
		rc = -EINVAL;
	if (rc == 0)
		rc = read_addrs(addrs, n, &families);
	if (rc == 0)
		rc = prepare(&d, &next, addrs, n);
	if (rc != 0)
		return rc;
	if (!digest_same(d, c->now)) {
		digest_free(c->before);
		c->before = c->now;
		c->before_until = now + next.grace;
		c->now = d;
	} else {
		digest_free(d);
	}
	c->cfg = next;
	c->families = families;
	if (c->state == CARP_MASTER && c->advert_at > now + fsm_interval(c))
		c->advert_at = now + fsm_interval(c);
	families_changed(c, before, now);
	return 0;
}

int
carp_link(struct carp *c, bool up, uint64_t now)
{
	if (busy(c))
		return -EBUSY;
	c->link = up;
	if (!up)
		fsm_step(c, EV_DOWN, CARP_CAUSE_LINK_DOWN, now);
	else if (c->families != 0)
		fsm_step(c, EV_UP, CARP_CAUSE_LINK_UP, now);
	return 0;
}

int
carp_timer(struct carp *c, uint64_t now)
{
	if (busy(c))
		return -EBUSY;
	if (now >= fsm_deadline(c))
		fsm_step(c, EV_TIMER, fsm_timer_cause(c, now), now);
	return 0;
}

int
carp_early(struct carp *c, uint64_t now)
{
	if (busy(c))
		return -EBUSY;
	if (c->state != CARP_MASTER ||
	    c->advert_at > now + fsm_interval(c) / EARLY)
		return 0;
	if (c->advert_at > now)
		c->advert_at = now;
	fsm_step(c, EV_TIMER, fsm_timer_cause(c, now), now);
	return 1;
}

static bool
is_authentic(const struct carp *c, const struct carp_packet *pkt, uint64_t now)
{
	if (digest_fits(c->now, pkt->md, pkt->counter))
		return true;
	return now < c->before_until &&
	       digest_fits(c->before, pkt->md, pkt->counter);
}

static enum carp_verdict
check(const struct carp *c, const struct carp_packet *pkt, uint64_t now)
{
	if (pkt->vhid != c->cfg.vhid)
		return CARP_BADVHID;
	if (!is_authentic(c, pkt, now))
		return CARP_BADAUTH;
	if (fsm_sent_lately(c, pkt->counter, UINT64_MAX))
		return CARP_OWN;
	return CARP_OK;
}

/* Counts it, and remembers it if it is good. */
static enum carp_verdict
note(struct carp *c, const struct carp_packet *pkt, uint64_t now)
{
	enum carp_verdict v;

	if (pkt->src.family == 6)
		c->stats.ipackets6++;
	else
		c->stats.ipackets++;
	v = check(c, pkt, now);
	c->stats.drops[v]++;
	if (v == CARP_OK) {
		c->fell = follow_fell(c, pkt, now);
		c->heard = true;
		c->peer = *pkt;
		c->peer_at = now;
	}
	return v;
}

int
carp_packet(struct carp *c, const struct carp_packet *pkt,
    enum carp_verdict *ret, uint64_t now)
{
	enum carp_cause cause;
	enum fsm_event ev;

	if (busy(c))
		return -EBUSY;
	*ret = note(c, pkt, now);
	if (*ret != CARP_OK || c->state == CARP_INIT)
		return 0;
	ev = fsm_judge(c, pkt, &cause, now);
	fsm_step(c, ev, cause, now);
	return 0;
}

int
carp_packet_late(struct carp *c, const struct carp_packet *pkt,
    enum carp_verdict *ret, uint64_t at, uint64_t now)
{
	enum carp_cause cause;
	enum fsm_event ev;

	if (busy(c))
		return -EBUSY;
	*ret = note(c, pkt, now);
	if (*ret != CARP_OK || c->state == CARP_INIT)
		return 0;
	ev = fsm_judge(c, pkt, &cause, now);
	fsm_step_late(c, ev, cause, at, now);
	return 0;
}

int
carp_demote(struct carp *c, int demotion, uint64_t now)
{
	if (busy(c))
		return -EBUSY;
	if (demotion == c->demotion)
		return 0;
	c->demotion = demotion;
	fsm_step(c, EV_TOUCH, c->cause, now);
	return 0;
}

int
carp_force(struct carp *c, enum carp_state state, uint64_t now)
{
	if (busy(c))
		return -EBUSY;
	if (state != CARP_MASTER && state != CARP_BACKUP)
		return -EINVAL;
	if (c->state == CARP_INIT)
		return -ENETDOWN;
	fsm_step(c, state == CARP_MASTER ? EV_TO_MASTER : EV_TO_BACKUP,
	    CARP_CAUSE_FORCED, now);
	return 0;
}

int
carp_standby(struct carp *c, bool on, uint64_t now)
{
	if (busy(c))
		return -EBUSY;
	if (c->standby && !on && c->state == CARP_BACKUP)
		fsm_step(c, EV_TO_BACKUP, c->cause, now); /* waits anew */
	c->standby = on;
	return 0;
}

int
carp_resume(struct carp *c, bool go_on, uint64_t now)
{
	if (busy(c))
		return -EBUSY;
	if (c->state == CARP_BACKUP)
		fsm_step(c, go_on ? EV_TO_MASTER : EV_BOW_OUT,
		    CARP_CAUSE_RESUMED, now);
	return 0;
}

int
carp_advertise(struct carp *c, uint64_t now)
{
	if (busy(c))
		return -EBUSY;
	fsm_step(c, EV_TOUCH, c->cause, now);
	return 0;
}

int
carp_stop(struct carp *c, uint64_t now)
{
	if (busy(c))
		return -EBUSY;
	c->link = false;
	fsm_step(c, EV_STOP, CARP_CAUSE_STOPPED, now);
	return 0;
}

/*
 * A bow-out carries the greatest demotion: an OpenBSD backup then takes over
 * also without preempt, and a demoted OpenBSD master does not yield to it.
 */
static void
make_advert(struct carp *c, uint8_t ret[CARP_LEN], const struct pending *p)
{
	bool bowout = p->bowout;
	struct carp_packet pkt = {
		.vhid = c->cfg.vhid,
		.advbase = bowout ? 255 : c->cfg.advbase,
		.advskew = bowout ? 255 : fsm_skew(c),
		.demote = bowout ? 255 : fsm_demote(c),
		.counter = fsm_next_counter(c),
	};

	digest_make(p->before ? c->before : c->now, pkt.md, pkt.counter);
	carp_encode(ret, &pkt);
}

bool
carp_next(struct carp *c, struct carp_action *ret)
{
	const struct pending *p;

	if (!busy(c))
		return false;
	p = &c->out[c->taken++];
	memset(ret, 0, sizeof(*ret));
	ret->what = p->what;
	ret->from = p->from;
	ret->to = p->to;
	ret->cause = p->cause;
	ret->family = p->family;
	ret->bowout = p->bowout;
	if (p->what == CARP_DO_SEND) {
		make_advert(c, ret->advert, p);
		if (p->family == 6)
			c->stats.opackets6++;
		else
			c->stats.opackets++;
	}
	return true;
}

uint64_t
carp_deadline(const struct carp *c)
{
	return fsm_deadline(c);
}

enum carp_state
carp_state(const struct carp *c)
{
	return c->state;
}

void
carp_get_info(const struct carp *c, struct carp_info *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->state = c->state;
	ret->cause = c->cause;
	ret->since = c->since;
	ret->vhid = c->cfg.vhid;
	ret->advbase = c->cfg.advbase;
	ret->advskew = c->cfg.advskew;
	ret->skew_sent = fsm_skew(c);
	ret->preempt = c->cfg.preempt;
	ret->openbsd = c->cfg.openbsd;
	ret->families = c->families;
	ret->demotion = c->demotion;
	ret->interval = fsm_interval(c);
	ret->timeout = fsm_timeout(c);
	ret->deadline = fsm_deadline(c);
	ret->sent = c->sent;
	ret->heard = c->heard;
	ret->peer = c->peer;
	ret->peer_at = c->peer_at;
	ret->stats = c->stats;
	ret->standby = c->standby;
}
