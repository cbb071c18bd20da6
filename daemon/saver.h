/* SPDX-License-Identifier: ISC */
/*
 * What is remembered, written by processes of their own: a disk may hang for
 * minutes, and the supervisor must not.
 */
#ifndef CARPD_SAVER_H
#define CARPD_SAVER_H

#include <sys/types.h>

#include "state.h"

#define FAILOVER_FILE "failover.json"
#define FAILOVER_MAX  (1 << 20) /* bytes, as STORE_TEXT */

struct saver_file {
	const char *name, *loss; /* what its loss means */
	char *text;		 /* what it has, or is to have; NULL: none */
	size_t len;
	pid_t pid;  /* who writes; 0: nobody */
	bool again; /* the text has changed meanwhile */
};

struct saver {
	const char *dir; /* NULL: nothing is remembered */
	struct state state;
	struct saver_file file[2]; /* of state, of failover mode */
};

/* Reads what was remembered; trouble is logged. */
void saver_open(struct saver *, const char *dir);
void saver_close(struct saver *);

/* The state has changed. */
void saver_save(struct saver *);

/* What the engine wants to be remembered of failover mode: a JSON object. */
void saver_remember(struct saver *, const char *text, size_t len);

/* That, or NULL. */
const char *saver_remembered(const struct saver *, size_t *len);

/* A process was reaped: true if it was a writer. */
bool saver_reaped(struct saver *, pid_t, int status);

/* Nothing is being written. */
bool saver_idle(const struct saver *);

#endif
