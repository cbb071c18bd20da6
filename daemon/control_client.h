/* SPDX-License-Identifier: ISC */
/* What control.c and control_client.c share: the server and its clients. */
#ifndef CARPD_CONTROL_CLIENT_H
#define CARPD_CONTROL_CLIENT_H

#include <sys/queue.h>
#include <sys/socket.h>

#include <event2/bufferevent.h>

#include "control.h"
#include "rpc.h"

#define CONTROL_JSON (JSON_COMPACT | JSON_REAL_PRECISION(15))

struct client;
TAILQ_HEAD(clients, client);

struct waiter {
	LIST_ENTRY(waiter) link;
	struct client *client;
	json_t *id; /* NULL: no answer wanted */
};
LIST_HEAD(waiters, waiter);

struct control {
	struct event_base *base;
	struct instance *instance;
	struct event *listener;
	struct event *accept_again;
	struct event *turns; /* when the next turns may be taken */
	struct clients clients, ready;
	struct waiters now, next; /* for this reload, for one more */
	bool reloading;
	unsigned nclients, nsubscribed, nother; /* nother: not of root */
	int64_t purse;				/* ns; <= PURSE_MAX */
	uint64_t purse_at;
	bool user_ns; /* own uid counts as root */
	int priority; /* of all events here */
};

struct client {
	TAILQ_ENTRY(client) link, ready;
	struct control *ctl;
	struct bufferevent *bev;
	struct event *late; /* the line is not complete in time */
	struct ucred cred;
	unsigned nwaiting; /* reloads; <= RELOADS_MAX */
	size_t output_max; /* for events */
	bool is_root;
	bool is_ready; /* in `ready`: may have a line */
	bool subscribed;
	bool eof;     /* will send nothing more */
	bool closing; /* once all is written */
	bool dead;    /* without that */
};

/* Takes the descriptor; without memory it is closed. */
void client_new(struct control *, int fd, const struct ucred *);
void client_free(struct client *);

/* Steals the answer.  A client that cannot be answered is closed. */
void client_answer(struct client *, json_t *answer);

/* A line that is no answer.  A client who reads too little is closed. */
void client_event(struct client *, const char *text, size_t len);

/* True, and the client is gone, if there is nothing left to do for him. */
bool client_finish(struct client *);

/* Lines of clients who wait, as far as the purse goes. */
void client_turns(struct control *);

/* Reloads: 0, and control_reload_done() answers, or a negative errno. */
int control_wait(struct client *, json_t *id);
void control_forget(const struct client *); /* he waits no more */

#endif
