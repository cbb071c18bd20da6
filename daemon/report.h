/* SPDX-License-Identifier: ISC */
/* Events of the engine, told: as log lines, and as JSON for subscribers. */
#ifndef CARPD_REPORT_H
#define CARPD_REPORT_H

#include <carp/engine.h>
#include <jansson.h>

/* How many lines of one kind may still be written; zero it to start. */
struct report_limit {
	uint64_t full;	  /* ns: when all that was spent is back */
	unsigned dropped; /* lines left out since the last one */
};

/* What is remembered of a virtual host from one event to the next. */
struct report_host {
	enum carp_state state; /* the last one told */
	uint64_t since;	       /* ns: of that; 0: never */
	struct report_limit changes, others;
};

/*
 * One line, unless there were too many of its kind lately.  node limits
 * what is of no host; host is NULL for such.  text is that of a condition
 * that began, otherwise NULL.
 */
void report_log(struct report_limit *node, struct report_host *host,
    const struct carp_event *, const char *text);

/* Params of carp.event; NULL without memory. */
json_t *report_json(const struct carp_event *, const char *text, uint64_t now);

/*
 * Tells how many lines were left out, once lines may be written again.
 * Returns when to call this again, or CARP_NEVER.
 */
uint64_t report_flush(
    struct report_host *, const struct carp_host *, uint64_t now);

/* A moment of CLOCK_MONOTONIC as wall-clock time in UTC, for people. */
json_t *report_time(uint64_t at, uint64_t now);

#endif
