/* SPDX-License-Identifier: ISC */
/* Telling the service manager how we are: sd_notify(3) without libsystemd. */
#ifndef CARPD_SDNOTIFY_H
#define CARPD_SDNOTIFY_H

#include <stdint.h>

struct sdnotify {
	int fd;		   /* -1: nobody wants to know */
	uint64_t watchdog; /* ns between WATCHDOG=1; 0: none */
};

/*
 * Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and takes them out of
 * the environment.  A socket that cannot be reached is a negative errno; the
 * object is then usable all the same, and silent.
 */
int sdnotify_open(struct sdnotify *ret);
void sdnotify_close(struct sdnotify *);

/* Lines as in sd_notify(3): "READY=1\nSTATUS=2 virtual hosts". */
int sdnotify_send(const struct sdnotify *, const char *lines);

/* "RELOADING=1" with the time that it needs beside it. */
int sdnotify_reloading(const struct sdnotify *);

#endif
