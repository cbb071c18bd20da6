/* SPDX-License-Identifier: ISC */
/*
 * What the supervisor does about its engine: start it, take its addresses
 * away when it ends, start it again, hand it a new configuration.
 */
#ifndef CARPD_KEEPER_H
#define CARPD_KEEPER_H

#include <event2/event.h>
#include "notify.h"
#include "privilege.h"
#include "saver.h"
#include "sdnotify.h"
#include "supervisor.h"
#include "watch.h"

#define KEEPER_RETRY_MS 100 /* before the first restart */

enum phase {
	STARTING, /* the first engine is not ready */
	RUNNING,
	STOPPING, /* the engine bows out */
	KILLING,  /* it was too slow */
	ENDING	  /* it is gone; hooks still run */
};

struct supervisor {
	const struct supervisor_options *opt;
	enum phase phase;
	enum conf_result result;
	struct conf *conf;	    /* what the engine has applied */
	struct conf *next;	    /* sent in a reload; NULL: none */
	bool want_reload;	    /* when the engine is free */
	uint8_t want_asked;	    /* an IPC_RELOAD waits for it */
	struct ipc_master *masters; /* of the engine that ended, */
	size_t nmasters;	    /* until the next one is ready */
	uint64_t ended_at;	    /* ns */
	bool ended_well;	    /* it had run for some time */
	bool ready;		    /* this engine has applied conf */
	uint64_t ready_at;	    /* ns */
	unsigned retry_ms;	    /* before the next start */
	struct vip *vip;	   /* opened before it is needed; only sweeps */
	int lock, listen, signals; /* -1: none */
	struct account account;
	struct sdnotify sd;
	struct saver saver;
	struct event_base *base;
	struct watch *watch;
	struct notify *notify;
	struct event *on_signal, *retry, *limit, *watchdog;
	struct resources *resources;
	char *places;		 /* where they have their directories */
	bool want_resources;	 /* conf is not theirs yet: they are busy */
	struct event *abandoned; /* they have had no engine for too long */
};

/* What watch.h calls. */
extern const struct watch_ops keeper_ops;

/* The first start.  Later ones happen by themselves. */
int keeper_start(struct supervisor *);

/* Addresses that an engine left are taken away. */
void keeper_sweep(struct supervisor *);

/* Now, or as soon as the engine is free.  asked: the engine wants to know. */
void keeper_reload(struct supervisor *, uint8_t asked);

/* The timer `retry` has come. */
void keeper_retry(evutil_socket_t, short, void *);

/* The engine is gone: the end, as soon as nothing else runs. */
void keeper_finish(struct supervisor *);

/*
 * keeper_resource.c: between the engine and the resources.
 */

int keeper_make_resources(struct supervisor *);
void keeper_free_resources(struct supervisor *);

/* s->conf is to be theirs; the engine is told about all of them. */
void keeper_configure(struct supervisor *);

/* True: the message was about resources; fd is taken. */
bool keeper_resource_message(
    struct supervisor *, const struct ipc_msg *, int fd);

/* Before its first configuration, an engine gets what was remembered. */
void keeper_send_store(struct supervisor *);

/* And after it, that the last resort was called for the one before. */
void keeper_send_resort(struct supervisor *);

/* Resources go down when there is no engine for some time. */
void keeper_engine_gone(struct supervisor *);
void keeper_engine_there(struct supervisor *);

/* How long all may need to go down, ms; 0: nothing is up. */
unsigned keeper_down_ms(const struct supervisor *);

/* Something has ended: was it the last that was waited for? */
void keeper_idle(void *supervisor);

#endif
