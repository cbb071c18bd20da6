/* SPDX-License-Identifier: ISC */
/* What survives a restart: STATEDIR/state.json. */
#ifndef CARPD_STATE_H
#define CARPD_STATE_H

#include <stdbool.h>
#include <stddef.h>

#define STATE_FILE "state.json"

struct state {
	bool maintenance;
};

/*
 * *ret is always written.  A missing file is the default state and 0.  One
 * that cannot be used is a negative errno and a sentence in why, the default
 * state, and is kept aside as state.json.bad.
 */
int state_load(struct state *ret, const char *dir, char *why, size_t len);

/* What stands in the file; returns its length. */
size_t state_text(char *ret, size_t size, const struct state *);

#endif
