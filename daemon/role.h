/* SPDX-License-Identifier: ISC */
/*
 * The role of a node in failover mode: who holds storage, services and
 * addresses, and in which order they come and go.
 *
 * Pure, like the election: events go in with the time now, actions come out,
 * and there is one deadline.
 *
 *	role_init(&r, &cfg);
 *	role_step(&r, ROLE_EV_KNOWN, NULL, now);
 *	for (;;) {
 *		while (role_next(&r, &a))
 *			carry_out(&a);
 *		... wait for an event, or until role_deadline(&r) ...
 *		role_step(&r, event, detail, now);
 *	}
 *
 * What must hold (S2 to S4 of the design):
 *  - storage is ordered up only after the fences are, and fences are ordered
 *    down only after storage was shown to be gone;
 *  - addresses are on only while all that precedes them is up; on the planned
 *    way down they go last, on the forced one first;
 *  - whoever wins or loses while an order runs is remembered, and acted upon:
 *    a loss at once, the rest when the node has come to rest, newest first.
 */
#ifndef CARPD_ROLE_H
#define CARPD_ROLE_H

#include <stdbool.h>
#include "resource.h"

/* What people are told: the words of failover.status. */
enum role_status {
	ROLE_SINGLE,
	ROLE_ELECTING,
	ROLE_IMPORTING,
	ROLE_MASTER,
	ROLE_BACKUP,
	ROLE_ERROR,
	ROLE_UNKNOWN
};

/* Where the node is.  Stable ones: STANDBY, BACKUP, MASTER, ERROR. */
enum role_at {
	AT_WAKING,	 /* what of the resources is up is not known yet */
	AT_STANDBY,	 /* disabled: does not take part */
	AT_BACKUP,	 /* takes part, has not won */
	AT_HOLD,	 /* has won; waits whether that lasts (timeout) */
	AT_FENCE,	 /* fences are being taken */
	AT_RETRY,	 /* the peer was alive; they are tried again */
	AT_STORAGE,	 /* storage is being imported */
	AT_CRITICAL,	 /* critical services are being started */
	AT_SERVICE,	 /* the other services */
	AT_MASTER,	 /* all is up */
	AT_SHAKEN,	 /* as MASTER, but the network is away (timeout) */
	AT_DOWN_SERVICE, /* services are being stopped */
	AT_DOWN_STORAGE, /* storage is being exported */
	AT_DOWN_FENCE,	 /* fences are being released */
	AT_ERROR,	 /* a takeover failed; sits out for some time */
	AT_GONE,	 /* the last resort was called */
	AT_ENDED,	 /* all is down, and the daemon may end */
	ROLE_NAT
};

enum role_event {
	ROLE_EV_KNOWN,	    /* detail: up, whole, won */
	ROLE_EV_WON,	    /* the election; detail: peer, text: how */
	ROLE_EV_LOST_PEER,  /* another node is master */
	ROLE_EV_LOST_LINK,  /* no working path is left */
	ROLE_EV_LINK_BACK,  /* one is there again; the election runs */
	ROLE_EV_DONE,	    /* detail: done */
	ROLE_EV_TIMER,	    /* the deadline has come; harmless if early */
	ROLE_EV_FORCE,	    /* force_master */
	ROLE_EV_PASSIVE,    /* become_passive, planned */
	ROLE_EV_HARD,	    /* become_passive, hard; detail: text */
	ROLE_EV_DISABLE,    /* from now on: takes no part */
	ROLE_EV_ENABLE,	    /* does again */
	ROLE_EV_SICK,	    /* something critical has failed; detail: text */
	ROLE_EV_FENCE_LOST, /* detail: text */
	ROLE_EV_STOP,	    /* the daemon is to end */
	ROLE_EV_RESORT,	    /* the last resort was called; detail: text */
	ROLE_EV_GROWN,	    /* there are resources that were not before */
	ROLE_NEVENTS
};

struct role_detail {
	bool any, whole;	 /* KNOWN: something is up, all is up */
	enum resource_peer peer; /* WON */
	const struct resource_done *done;
	const char *text; /* NULL: none */
};

enum role_do {
	ROLE_DO_BEGIN,	   /* a transition begins; up, text: its cause */
	ROLE_DO_END,	   /* it is over; ok, text: why not */
	ROLE_DO_ORDER,	   /* order */
	ROLE_DO_ADDRESSES, /* on: on every host that is master; or nowhere */
	ROLE_DO_TAKE,	   /* every host with a link becomes master now */
	ROLE_DO_BOW_OUT,   /* every host that is master bows out */
	ROLE_DO_STANDBY,   /* on: hosts listen, and take no part */
	ROLE_DO_IMPORTING, /* on: demotion of one that does not serve yet */
	ROLE_DO_FAILED,	   /* on: demotion of one that has failed; text */
	ROLE_DO_HARD,	   /* the last resort; text */
	ROLE_DO_EXIT	   /* the daemon may end */
};

struct role_action {
	enum role_do what;
	bool on, up, ok;
	struct resource_order order;
	char text[RESOURCE_TEXT];
};

struct role_config {
	uint64_t timeout;    /* hold-down, ns */
	uint64_t fence_wait; /* a living peer is waited for so long, ns */
	uint64_t detect;     /* how long the election takes at most, ns */
	bool addresses_first;
	bool disabled;
};

#define ROLE_ACTIONS 16

struct role {
	struct role_config cfg;
	enum role_at at;
	enum role_at after;	     /* where a way down ends */
	enum resource_mode mode;     /* of the way down */
	enum resource_peer peer;     /* of the transition */
	enum resource_peer won_from; /* of the newest WON */
	enum role_event view;	     /* newest of WON, LOST_PEER, LOST_LINK;
				    LOST_PEER also: none yet */
	bool addresses;		     /* they are on */
	bool standby;		     /* hosts take no part */
	bool storage;		     /* something of it may be up */
	bool fenced;		     /* a real fence holds */
	bool force;		     /* force_master waits for its turn */
	bool passive;		     /* and so does become_passive */
	bool back;		     /* SHAKEN: the link is there again */
	bool failed;		     /* the last takeover went wrong */
	bool half;		     /* on the way down before it was MASTER */
	bool grown;		     /* new resources wait to be started */
	bool growing;		     /* MASTER: they are */
	bool begun;		     /* a transition is being recorded */
	unsigned failures;	     /* in a row */
	uint32_t order; /* id of the last; answers to others are old */
	uint64_t deadline, retry_until, since;
	char cause[RESOURCE_TEXT];  /* of the transition */
	char reason[RESOURCE_TEXT]; /* of the failure */
	struct role_action out[ROLE_ACTIONS];
	unsigned nout, taken; /* taken <= nout <= ROLE_ACTIONS */
};

void role_init(struct role *, const struct role_config *);

/* Takes effect at once, also on a hold-down that runs. */
void role_configure(struct role *, const struct role_config *, uint64_t now);

/* All actions of the last event must have been taken. */
void role_step(
    struct role *, enum role_event, const struct role_detail *, uint64_t now);

/* False: none left. */
bool role_next(struct role *, struct role_action *ret);

uint64_t role_deadline(const struct role *); /* or CARP_NEVER */

/* heard: somebody is master, here or elsewhere.  Never SINGLE. */
enum role_status role_status(const struct role *, bool heard);

/* A transition runs. */
bool role_busy(const struct role *);

const char *role_status_name(enum role_status);
const char *role_at_name(enum role_at);

#endif
