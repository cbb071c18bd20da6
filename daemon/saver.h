/* SPDX-License-Identifier: ISC */
/*
 * The remembered state, written by a process of its own: a disk may hang for
 * minutes, and the supervisor must not.
 */
#ifndef CARPD_SAVER_H
#define CARPD_SAVER_H

#include <sys/types.h>

#include "state.h"

struct saver {
	const char *dir; /* NULL: nothing is remembered */
	struct state state;
	pid_t pid;  /* who writes; 0: nobody */
	bool again; /* the state has changed meanwhile */
};

/* Reads what was remembered; trouble is logged. */
void saver_open(struct saver *, const char *dir);

/* The state has changed. */
void saver_save(struct saver *);

/* A process was reaped: true if it was the writer. */
bool saver_reaped(struct saver *, pid_t, int status);

#endif
