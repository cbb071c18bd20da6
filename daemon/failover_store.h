/* SPDX-License-Identifier: ISC */
/*
 * What failover mode remembers over restarts, as text of failover.json:
 * switches, the transition that runs, and those that ended.
 */
#ifndef CARPD_FAILOVER_STORE_H
#define CARPD_FAILOVER_STORE_H

#include <jansson.h>
#include "conf.h"
#include "resource.h"

#define STORE_HISTORY  100	 /* transitions kept */
#define STORE_TEXT_MAX (1 << 20) /* bytes; saver.h takes no more */

struct store {
	bool disabled;
	int timeout_s; /* -1: as in the configuration */
	int master;    /* preferred node; -1: as in the configuration */
	json_int_t next_id;
	json_t *history; /* array, oldest first; the last may run */
	json_t *current; /* member of it, borrowed; NULL: none runs */
	json_t *phase;	 /* of current, borrowed; NULL: none */
	uint64_t began;	 /* of current, ns */
	uint64_t phase_began;
	char boot_id[40];
};

/*
 * text may be NULL.  What cannot be understood is logged and begins anew.  A
 * transition that ran when the text was written was interrupted: that is
 * written into the history.  -ENOMEM.
 */
int store_init(struct store *, const char *text);
void store_free(struct store *);

/* For free(), or NULL. */
char *store_text(struct store *);

/*
 * The record of a transition.
 */
void store_begin(
    struct store *, const char *from, bool up, const char *cause, uint64_t now);
void store_order(struct store *, const struct resource_order *, uint64_t now);
void store_run(
    struct store *, const struct conf *, const struct resource_report *);
void store_done(struct store *, const struct resource_done *, uint64_t now);
/* A step without a hook: "addresses". */
void store_mark(struct store *, const char *what, bool on, uint64_t now);
void store_end(
    struct store *, const char *to, bool ok, const char *reason, uint64_t now);

/* The last n, oldest first; new reference or NULL. */
json_t *store_history(const struct store *, size_t n);

const char *store_phase_name(enum conf_phase);

#endif
