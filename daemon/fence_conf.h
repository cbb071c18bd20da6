/* SPDX-License-Identifier: ISC */
/* What carp-fence is told: environment of a hook, or arguments. */
#ifndef CARPD_FENCE_CONF_H
#define CARPD_FENCE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FENCE_DISKS_MAX 256
#define FENCE_STATE	"/run/carp-fence" /* used by hand */

struct fence_conf {
	uint32_t id;				 /* of this node: not 0 */
	uint64_t interval, watch, loss, timeout; /* ns */
	uint64_t deadline; /* of all that is done before we return */
	uint64_t grace;	   /* ns after it, to undo what was begun */
	unsigned missing;  /* so many disks may be absent */
	bool forced;	   /* the peer is known not to use the disks */
	int alive;	   /* CARPD_ALIVE_FD, or -1 */
	int parent;	   /* where the exit code goes */
	const char *state; /* directory */
	const char *node;
	char initiator[256];
	char **disks; /* sorted, each once */
	unsigned ndisks;
	char why[768];
};

/*
 * All but the disks.  Returns 0 or an exit code of the contract, with a
 * sentence in why.
 */
int fence_conf_read(struct fence_conf *);

/*
 * Words are paths, patterns and URLs, separated by spaces.  A pattern without
 * a match is an error of 1.
 */
int fence_conf_add(struct fence_conf *, const char *words);

/* After the last disk: order, and whether missing is a minority. */
int fence_conf_check(struct fence_conf *);
void fence_conf_free(struct fence_conf *);

/* Those from the first of kept on are among those before, or an error of 1. */
int fence_conf_missing(struct fence_conf *, unsigned kept);

/* Pure: "0.25" as ns; hexadecimal digits as an identity. */
int fence_conf_seconds(uint64_t *ret, const char *text);
int fence_conf_id(uint32_t *ret, const char *text);

/* A URL without user and passwords. */
void fence_conf_label(char *ret, size_t len, const char *name);

/* Two URLs of one logical unit, by one portal or two. */
bool fence_conf_same_unit(const char *a, const char *b);

#endif
