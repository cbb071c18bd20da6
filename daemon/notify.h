/* SPDX-License-Identifier: ISC */
/*
 * Notification hooks: who is told of which state change, in the supervisor's
 * event loop.  Nothing here waits.  See carp-hooks(7).
 */
#ifndef CARPD_NOTIFY_H
#define CARPD_NOTIFY_H

#include <sys/types.h>

#include <event2/event.h>
#include "conf.h"
#include "ipc.h"

struct notify;

/* idle is called when all has been told that there was to tell. */
int notify_new(struct notify **ret, struct event_base *,
    void (*idle)(void *arg), void *arg);

/* Kills what runs. */
void notify_free(struct notify *);

/*
 * Directory, limit and name of the node come from here.  Hosts that are not
 * in it any more are told to be in INIT.
 */
void notify_configure(struct notify *, const struct conf *);

/* cause: the end of a log line. */
void notify_change(struct notify *, const char *ifname, uint8_t vhid,
    enum carp_state from, enum carp_state to, const char *cause);

/* Every host that is not in INIT has gone there. */
void notify_lost(struct notify *, const char *cause);

/* Who is MASTER; at most max are written.  Returns how many there are. */
size_t notify_masters(
    const struct notify *, struct ipc_master *ret, size_t max);

/* A process was reaped: true if it was one of ours. */
bool notify_reaped(struct notify *, pid_t, int status);

/* Is it a host of the configuration? */
bool notify_configured(const struct conf *, const char *ifname, uint8_t vhid);

/* Nothing runs and nothing waits. */
bool notify_idle(const struct notify *);

#endif
