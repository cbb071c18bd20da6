/* SPDX-License-Identifier: ISC */
/* Events of the engine, told: as log lines, and as JSON for subscribers. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "report.h"
#include "status_json.h"
#include "why.h"

/* How many lines at once, and how often one more. */
static const struct rate {
	unsigned burst;
	uint64_t period;
} changes = { 20, 3 * CARP_SEC }, others = { 10, 6 * CARP_SEC },
  nodewide = { 100, CARP_SEC };

static uint64_t
may_write_at(const struct report_limit *l, const struct rate *r)
{
	uint64_t ahead = (r->burst - 1) * r->period;

	return l->full > ahead ? l->full - ahead : 0;
}

static bool
may_write(struct report_limit *l, const struct rate *r, uint64_t now)
{
	if (now < may_write_at(l, r)) {
		l->dropped++;
		return false;
	}
	if (l->full < now)
		l->full = now;
	l->full += r->period;
	return true;
}

/* Begins a line: "vhid 10 eth0", "eth0" or "engine". */
static const char *
subject(char ret[64], const struct carp_event *ev)
{
	struct carp_host_info i;

	if (ev->host != NULL) {
		carp_host_get_info(ev->host, &i);
		(void)snprintf(ret, 64, "vhid %u %s", i.carp.vhid, i.ifname);
	} else {
		(void)snprintf(
		    ret, 64, "%s", ev->ifname[0] != '\0' ? ev->ifname : "node");
	}
	return ret;
}

/* What is to be added to the cause: for how long, or who it was. */
static void
cause_detail(char *ret, size_t len, const struct carp_event *ev,
    const struct report_host *rh)
{
	char span[WHY_SPAN_LEN], addr[CARP_ADDR_STRLEN];
	struct carp_host_info i;
	uint64_t since = rh->since;

	ret[0] = '\0';
	carp_host_get_info(ev->host, &i);
	switch (ev->cause) {
	case CARP_CAUSE_SILENCE:
		if (i.carp.heard && i.carp.peer_at > since &&
		    i.carp.peer_at < ev->at)
			since = i.carp.peer_at;
		if (since != 0 && since < ev->at)
			(void)snprintf(ret, len, " for %s",
			    why_span(span, ev->at - since));
		break;
	case CARP_CAUSE_BOWOUT:
	case CARP_CAUSE_SLOWER:
	case CARP_CAUSE_DEMOTED:
	case CARP_CAUSE_FADING:
	case CARP_CAUSE_FASTER:
	case CARP_CAUSE_EQUAL:
	case CARP_CAUSE_PAUSED:
		if (i.carp.heard)
			(void)snprintf(ret, len, ": %s, advbase %u advskew %u",
			    carp_addr_print(addr, &i.carp.peer.src, false),
			    i.carp.peer.advbase, i.carp.peer.advskew);
		break;
	default:
		break;
	}
}

static void
log_state(struct report_host *rh, const struct carp_event *ev)
{
	char who[64], detail[128];

	if (!may_write(&rh->changes, &changes, ev->at))
		return;
	cause_detail(detail, sizeof(detail), ev, rh);
	log_line(ev->to == CARP_INIT ? LOG_WARNING : LOG_NOTICE,
	    "%s: %s -> %s: %s%s", subject(who, ev), carp_state_name(ev->from),
	    carp_state_name(ev->to), carp_cause_text(ev->cause), detail);
}

static void
log_condition(const struct carp_event *ev, const char *text)
{
	char who[64];
	int priority = LOG_WARNING;

	if (ev->cond == CARP_COND_TWO_MASTERS)
		priority = LOG_ALERT;
	if (text == NULL)
		log_line(LOG_NOTICE, "%s: %s: is over", subject(who, ev),
		    carp_condition_name(ev->cond));
	else
		log_line(priority, "%s: %s: %s", subject(who, ev),
		    carp_condition_name(ev->cond), text);
}

static void
log_other(const struct carp_event *ev, const char *text)
{
	char who[64], addr[CARP_ADDR_STRLEN];

	(void)subject(who, ev);
	switch (ev->what) {
	case CARP_EV_COND:
		log_condition(ev, text);
		break;
	case CARP_EV_LINK:
		log_line(ev->on ? LOG_NOTICE : LOG_WARNING, "%s: link is %s",
		    ev->ifname, ev->on ? "up" : "down");
		break;
	case CARP_EV_DEMOTION:
		log_line(LOG_NOTICE, "%s: demotion is now %d", who, ev->value);
		break;
	case CARP_EV_REPAIRED:
		log_line(LOG_WARNING, "%s: somebody removed %s; it is back",
		    who, carp_addr_print(addr, &ev->addr, true));
		break;
	case CARP_EV_ERROR:
		log_line(LOG_ERR, "%s: %s", who, strerror(-ev->value));
		break;
	case CARP_EV_LOST:
		log_line(LOG_WARNING,
		    "%s: %d events were lost; states are "
		    "read again",
		    who, ev->value);
		break;
	case CARP_EV_STATE:
		break;
	}
}

void
report_log(struct report_limit *node, struct report_host *rh,
    const struct carp_event *ev, const char *text)
{
	/* That has an event, and so a line, of its own. */
	if (ev->what == CARP_EV_COND && ev->cond == CARP_COND_LINK_DOWN)
		return;
	if (ev->what == CARP_EV_STATE)
		log_state(rh, ev);
	else if (rh != NULL ? may_write(&rh->others, &others, ev->at)
			    : may_write(node, &nodewide, ev->at))
		log_other(ev, text);
	if (rh == NULL && node->dropped > 0 &&
	    ev->at >= may_write_at(node, &nodewide)) {
		log_line(
		    LOG_WARNING, "node: %u lines were left out", node->dropped);
		node->dropped = 0;
	}
}

uint64_t
report_flush(struct report_host *rh, const struct carp_host *host, uint64_t now)
{
	unsigned n = rh->changes.dropped + rh->others.dropped;
	struct carp_host_info i;
	uint64_t at;

	if (n == 0)
		return CARP_NEVER;
	at = may_write_at(rh->changes.dropped > 0 ? &rh->changes : &rh->others,
	    rh->changes.dropped > 0 ? &changes : &others);
	if (now < at)
		return at;
	carp_host_get_info(host, &i);
	log_line(LOG_WARNING,
	    "vhid %u %s: %u lines were left out; "
	    "it is %s now",
	    i.carp.vhid, i.ifname, n, carp_state_name(i.carp.state));
	rh->changes.dropped = rh->others.dropped = 0;
	return CARP_NEVER;
}

/* Wall-clock time of an instant of CLOCK_MONOTONIC, RFC 3339, in UTC. */
json_t *
report_time(uint64_t at, uint64_t now)
{
	struct timespec ts;
	struct tm tm;
	char text[40], ret[48];
	int64_t ns;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	ns = (int64_t)ts.tv_sec * (int64_t)CARP_SEC + ts.tv_nsec;
	ns -= now > at ? (int64_t)(now - at) : 0;
	ts.tv_sec = ns / (int64_t)CARP_SEC;
	if (gmtime_r(&ts.tv_sec, &tm) == NULL)
		return json_null();
	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(ret, sizeof(ret), "%s.%03dZ", text,
	    (int)(ns % (int64_t)CARP_SEC / 1000000));
	return json_string(ret);
}

static void
json_detail(json_t *o, const struct carp_event *ev, const char *text)
{
	char addr[CARP_ADDR_STRLEN];

	switch (ev->what) {
	case CARP_EV_STATE:
		status_put_text(o, "from", carp_state_name(ev->from));
		status_put_text(o, "to", carp_state_name(ev->to));
		status_put_text(o, "cause", carp_cause_text(ev->cause));
		break;
	case CARP_EV_COND:
		status_put_text(o, "name", carp_condition_name(ev->cond));
		status_put(o, "on", json_boolean(ev->on));
		status_put(o, "alarm",
		    json_boolean(ev->cond == CARP_COND_TWO_MASTERS));
		if (text != NULL)
			status_put_text(o, "text", text);
		break;
	case CARP_EV_LINK:
		status_put(o, "up", json_boolean(ev->on));
		break;
	case CARP_EV_DEMOTION:
		status_put(o, "demotion", json_integer(ev->value));
		break;
	case CARP_EV_REPAIRED:
		status_put_text(
		    o, "address", carp_addr_print(addr, &ev->addr, true));
		break;
	case CARP_EV_ERROR:
		status_put_text(o, "text", strerror(-ev->value));
		break;
	case CARP_EV_LOST:
		status_put(o, "count", json_integer(ev->value));
		break;
	}
}

json_t *
report_json(const struct carp_event *ev, const char *text, uint64_t now)
{
	static const char *const name[] = {
		[CARP_EV_STATE] = "state",
		[CARP_EV_COND] = "condition",
		[CARP_EV_LINK] = "link",
		[CARP_EV_DEMOTION] = "demotion",
		[CARP_EV_REPAIRED] = "repaired",
		[CARP_EV_ERROR] = "error",
		[CARP_EV_LOST] = "lost",
	};
	struct carp_host_info i;
	json_t *o;

	if ((o = json_object()) == NULL)
		return NULL;
	status_put(o, "time", report_time(ev->at, now));
	status_put_text(o, "event", name[ev->what]);
	if (ev->host != NULL) {
		carp_host_get_info(ev->host, &i);
		status_put_text(o, "interface", i.ifname);
		status_put(o, "vhid", json_integer(i.carp.vhid));
	} else if (ev->ifname[0] != '\0') {
		status_put_text(o, "interface", ev->ifname);
	}
	json_detail(o, ev, text);
	return o;
}
