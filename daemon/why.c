/* SPDX-License-Identifier: ISC */
/* One sentence that says why a virtual host is master, backup or neither. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "why.h"

/* Text that grows to the end of its buffer and then stays as it is. */
struct text {
	char *p;
	size_t left; /* with room for NUL */
};

static void say(struct text *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static void
say(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->p, t->left, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= t->left)
		n = (int)t->left - 1;
	t->p += n;
	t->left -= (size_t)n;
}

char *
why_span(char ret[WHY_SPAN_LEN], uint64_t ns)
{
	uint64_t s = ns / CARP_SEC;

	if (ns < 10 * CARP_SEC)
		(void)snprintf(ret, WHY_SPAN_LEN, "%.2f s", (double)ns / 1e9);
	else if (s < 60)
		(void)snprintf(ret, WHY_SPAN_LEN, "%" PRIu64 " s", s);
	else if (s < 3600)
		(void)snprintf(ret, WHY_SPAN_LEN,
		    "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
	else if (s < 86400)
		(void)snprintf(ret, WHY_SPAN_LEN,
		    "%" PRIu64 " h %" PRIu64 " min", s / 3600, s / 60 % 60);
	else
		(void)snprintf(ret, WHY_SPAN_LEN, "%" PRIu64 " d %" PRIu64 " h",
		    s / 86400, s / 3600 % 24);
	return ret;
}

static uint64_t
ago(uint64_t then, uint64_t now)
{
	return now > then ? now - then : 0;
}

bool
why_hears_master(const struct carp_info *i, uint64_t now)
{
	return i->heard && !carp_packet_is_bowout(&i->peer) &&
	       ago(i->peer_at, now) <= i->timeout;
}

/* What the peer says of itself: advbase only where it differs from ours. */
static void
say_pace(struct text *t, const struct carp_info *i)
{
	if (i->peer.advbase != i->advbase)
		say(t, "advbase %u, ", i->peer.advbase);
	say(t, "advskew %u", i->peer.advskew);
	if (i->openbsd && i->peer.demote != 0)
		say(t, ", demotion %u", i->peer.demote);
}

/* What this node says of itself, and what that consists of. */
static void
say_own(struct text *t, const struct carp_info *i)
{
	if (i->peer.advbase != i->advbase)
		say(t, "advbase %u, advskew ", i->advbase);
	say(t, "%u", i->skew_sent);
	if (i->demotion != 0)
		say(t, " (advskew %u and demotion %d)", i->advskew,
		    i->demotion);
}

static void
say_heard(struct text *t, const struct carp_info *i, uint64_t now)
{
	char addr[CARP_ADDR_STRLEN], span[WHY_SPAN_LEN];

	say(t, "%s is master with ",
	    carp_addr_print(addr, &i->peer.src, false));
	say_pace(t, i);
	say(t, ", this node has ");
	say_own(t, i);
	if (carp_interval(i->peer.advbase, i->peer.advskew) < i->interval)
		say(t, " and is slower");
	else if (i->openbsd && i->peer.demote < i->demotion)
		say(t, " and is more demoted");
	else if (!i->preempt)
		say(t, " and does not preempt");
	else if (carp_interval(i->peer.advbase, i->peer.advskew) == i->interval)
		say(t, " and is not faster");
	else
		say(t, " and is about to preempt");
	say(t, "; it would take over after %s of silence",
	    why_span(span, i->timeout));
	say(t, ", last heard %s ago", why_span(span, ago(i->peer_at, now)));
}

static void
say_backup(struct text *t, const struct carp_info *i, uint64_t now)
{
	char addr[CARP_ADDR_STRLEN], span[WHY_SPAN_LEN];

	say(t, "backup: ");
	if (why_hears_master(i, now)) {
		say_heard(t, i, now);
	} else {
		say(t, "no master is heard");
		if (i->heard)
			say(t, ", the last word of %s was %s%s ago",
			    carp_addr_print(addr, &i->peer.src, false),
			    carp_packet_is_bowout(&i->peer) ? "a bow-out " : "",
			    why_span(span, ago(i->peer_at, now)));
		if (i->deadline != CARP_NEVER)
			say(t, "; it takes over in %s unless one is heard",
			    why_span(span, ago(now, i->deadline)));
	}
	if (i->cause == CARP_CAUSE_FORCED && i->since != 0)
		say(t, "; it was told to be backup %s ago",
		    why_span(span, ago(i->since, now)));
}

static const char *
why_master(enum carp_cause cause)
{
	switch (cause) {
	case CARP_CAUSE_SILENCE:
		return "no other one was heard when it took over";
	case CARP_CAUSE_BOWOUT:
		return "the one before it left with a bow-out";
	case CARP_CAUSE_SLOWER:
		return "it preempts, and took over from a slower one";
	case CARP_CAUSE_DEMOTED:
		return "it took over from one that was more demoted";
	case CARP_CAUSE_FADING:
		return "it took over from one that sent too seldom";
	case CARP_CAUSE_FORCED:
		return "it was told to be";
	default:
		return carp_cause_text(cause);
	}
}

/* Who else was heard since this node is master. */
static void
say_rivals(struct text *t, const struct carp_info *i, uint64_t now)
{
	char addr[CARP_ADDR_STRLEN], span[WHY_SPAN_LEN];
	uint64_t interval;

	if (!i->heard || i->peer_at <= i->since ||
	    carp_packet_is_bowout(&i->peer)) {
		say(t, "; no other master was heard since");
		return;
	}
	interval = carp_interval(i->peer.advbase, i->peer.advskew);
	say(t, "; %s advertises too, with ",
	    carp_addr_print(addr, &i->peer.src, false));
	say_pace(t, i);
	say(t, ", which is %s, last heard %s ago",
	    interval > i->interval   ? "slower"
	    : interval < i->interval ? "faster"
				     : "equal",
	    why_span(span, ago(i->peer_at, now)));
}

static void
say_master(struct text *t, const struct carp_info *i, uint64_t now)
{
	char span[WHY_SPAN_LEN];

	say(t, "master: %s", why_master(i->cause));
	if (i->since != 0)
		say(t, " %s ago", why_span(span, ago(i->since, now)));
	say_rivals(t, i, now);
	say(t, "; it advertises every %s with advskew ",
	    why_span(span, i->interval));
	say(t, "%u", i->skew_sent);
	if (i->demotion != 0)
		say(t, " (%u and demotion %d)", i->advskew, i->demotion);
}

static void
say_init(struct text *t, const struct carp_host_info *h, const char *trouble,
    uint64_t now)
{
	const struct carp_info *i = &h->carp;
	char span[WHY_SPAN_LEN];

	say(t, "init: ");
	if (trouble != NULL)
		say(t, "%s", trouble);
	else if (!h->link)
		say(t, "interface %s does not work", h->ifname);
	else if (h->naddrs == 0)
		say(t, "it has no addresses");
	else
		say(t, "%s", carp_cause_text(i->cause));
	if (i->since != 0)
		say(t, ", since %s", why_span(span, ago(i->since, now)));
}

char *
why_sentence(char ret[WHY_LEN], const struct carp_host_info *h,
    const char *trouble, uint64_t now)
{
	struct text t = { ret, WHY_LEN };

	switch (h->carp.state) {
	case CARP_MASTER:
		say_master(&t, &h->carp, now);
		break;
	case CARP_BACKUP:
		say_backup(&t, &h->carp, now);
		break;
	case CARP_INIT:
		say_init(&t, h, trouble, now);
		break;
	}
	return ret;
}
