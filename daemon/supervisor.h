/* SPDX-License-Identifier: ISC */
/*
 * The process that keeps root: it starts the engine, takes our addresses
 * away the moment the engine ends, and starts it again.
 */
#ifndef CARPD_SUPERVISOR_H
#define CARPD_SUPERVISOR_H

#include "conf.h"

struct supervisor_options {
	const char *file;     /* NULL: command-line mode */
	const char *socket;   /* NULL: no control socket */
	const char *statedir; /* NULL: nothing is remembered */
};

/*
 * Runs until it is told to stop.  Takes conf and vip over.  Returns the exit
 * code: CONF_OK or CONF_FAILED.
 */
enum conf_result supervisor_run(
    const struct supervisor_options *, struct conf *, struct vip *);

/* "2 virtual hosts on 1 interface"; returns buf. */
const char *supervisor_summary(char *buf, size_t len, const struct conf *);

#endif
