/* SPDX-License-Identifier: ISC */
/*
 * The engine process as the supervisor sees it: started, spoken to, and
 * killed when it shows no sign of life.
 */
#ifndef CARPD_WATCH_H
#define CARPD_WATCH_H

#include <event2/event.h>
#include "ipc.h"
#include "privilege.h"

struct watch;

struct watch_ops {
	/* A message; fd is the callee's, or -1. */
	void (*message)(void *arg, const struct ipc_msg *, int fd);
	/* It dies, or was killed for its silence.  ended() follows. */
	void (*lost)(void *arg);
	/* The process is gone; status as from waitpid(). */
	void (*ended)(void *arg, int status);
};

int watch_new(struct watch **ret, struct event_base *, const struct watch_ops *,
    void *arg);
void watch_free(struct watch *);

/* How it is started. */
struct watch_child {
	const struct account *account;
	int listen_fd, lock_fd; /* -1: none */
	bool realtime;
};

/* Forks.  Its first IPC_APPLIED says whether it could start. */
int watch_start(struct watch *, const struct watch_child *);

bool watch_running(const struct watch *);

/* How often it reports, and whether it is busy with a configuration. */
void watch_expect(struct watch *, unsigned beat_ms, bool busy);

/* It runs and was heard lately. */
bool watch_healthy(const struct watch *);

/* A failure to send is fatal for the engine: it is killed. */
void watch_send(struct watch *, const struct ipc_msg *, int attach);

void watch_kill(struct watch *);

/* Kills it and reaps it, when there is no loop any more to do so. */
void watch_end(struct watch *);

/* A process was reaped: true if it was this one, after ops->ended(). */
bool watch_reaped(struct watch *, pid_t, int status);

#endif
