/* SPDX-License-Identifier: ISC */
/*
 * A segment in virtual time: nodes, the links between them, frames on their
 * way, and who holds the address.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <carp/carp.h>

#include "peers.h"
#include "rng.h"

#define MAX_NODES  5
#define MAX_FRAMES 2048 /* on their way */
#define MAX_QUEUE  512	/* waiting for one node */
#define OLD_FRAMES 32	/* remembered for replay */
#define MS	   (CARP_SEC / 1000)
#define FREEZE	   3 /* intervals, of a node without a lease */

enum kind { OURS, MODEL };

struct frame {
	uint64_t at, seq; /* when it arrives; order of sending */
	uint8_t from, to, len;
	bool forged; /* must change nothing */
	uint8_t ip[CARP_IP_MAX];
};

struct node {
	enum kind kind;
	unsigned id;
	struct carp *carp; /* OURS, while running */
	struct carp_config cfg;
	struct carp_addr addrs[4], ip[2]; /* digest; source of 4 and 6 */
	unsigned naddrs;
	bool edited; /* the list, and node_change() has not come yet */
	int demotion;
	struct peer peer; /* MODEL */

	uint64_t died;	     /* killed as master; 0: was not */
	bool alive;	     /* the process exists */
	bool paused, nic;    /* frozen; the link is up */
	struct frame *queue; /* what waits while it is frozen, or reads late */
	unsigned nqueue;
	uint64_t bowout_at; /* when the last one heard came */
	uint64_t read_at;   /* ucarp reads once a second; CARP_NEVER: empty */
	uint64_t timer_for, timer_at; /* a deadline, and when it is noticed */

	/* The kernel's: who has the address. */
	bool held;
	uint64_t lease; /* length, or CARP_NEVER: none */
	uint64_t lease_end;

	/* What it did. */
	uint64_t sent_at;
	unsigned trains;		/* moments at which it sent */
	unsigned sent, masters, pushed; /* pushed: by the script */
};

struct world {
	struct rng rng;
	uint64_t now;
	struct node node[MAX_NODES];
	unsigned nnodes;

	/* Frames: a heap by arrival. */
	struct frame *frame[MAX_FRAMES], *spare;
	unsigned nframes, nspare;
	uint64_t seq;
	struct frame old[OLD_FRAMES];
	unsigned nold;

	/* Links.  block: reasons why one does not carry. */
	uint8_t block[MAX_NODES][MAX_NODES];
	uint8_t lost[MAX_NODES][MAX_NODES];   /* trains in a row */
	uint64_t train[MAX_NODES][MAX_NODES]; /* moment of the last one */
	bool hit[MAX_NODES][MAX_NODES];	      /* was it? */
	unsigned loss, dup, late;	      /* percent */
	unsigned max_lost;		      /* trains in a row, at most */
	uint64_t delay, jitter, late_by, latency;
	bool demotes; /* the script changes demotions */
	bool ranked;  /* the best one can be told */

	/* Verdict. */
	const char *broken; /* what did not hold, or NULL */
	char text[256];
	bool verbose;

	/* A rule broken on purpose: the checker has to notice. */
	enum flaw {
		FLAW_NONE,
		FLAW_LEASE,  /* a lease never ends */
		FLAW_DEAF,   /* better adverts are not heard by a master */
		FLAW_STORM,  /* each advert is sent 200 times */
		FLAW_EAGER,  /* deadlines before packets on waking */
		FLAW_TRUST,  /* no digest is checked */
		FLAW_STEADY, /* a backup never takes over */
		FLAW_SILENT, /* the former digest is not sent */
		FLAW_STALE,  /* what waited is taken as if it came now */
		NFLAWS
	} flaw;

	/* S1: since when two nodes hold the address and hear each other. */
	uint64_t both[MAX_NODES][MAX_NODES]; /* CARP_NEVER: they do not */
	bool stood[MAX_NODES][MAX_NODES];    /* and one did not run since */
	uint64_t longest;		     /* of all */
};

void world_init(struct world *, uint64_t seed);
void world_free(struct world *);

/* Runs until then, or until something is broken. */
void world_run(struct world *, uint64_t until);

void world_say(const struct world *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void world_fail(struct world *, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Does a frame from one reach the other? */
bool world_carries(const struct world *, unsigned from, unsigned to);

/* A frame is sent by a node to all. */
void world_send(struct world *, struct node *, const uint8_t *ip, size_t len);

/* A frame out of nowhere. */
void world_inject(struct world *, unsigned to, const struct frame *);

/* Nodes (node.c).  Each may send. */
void node_start(struct world *, struct node *);
void node_kill(struct world *, struct node *);	/* its addresses stay */
void node_crash(struct world *, struct node *); /* with its kernel */
void node_stop(struct world *, struct node *);	/* cleanly */
void node_nic(struct world *, struct node *, bool up);
void node_pause(struct world *, struct node *);
void node_wake(struct world *, struct node *);
void node_demote(struct world *, struct node *, int demotion);
void node_force(struct world *, struct node *, enum carp_state);
void node_change(struct world *, struct node *);
void node_frame(struct world *, struct node *, const struct frame *);
void node_read(struct world *, struct node *);
void node_timer(struct world *, struct node *);
void node_lease_ends(struct world *, struct node *);
uint64_t node_deadline(struct world *, struct node *);
bool node_is_master(const struct node *);
bool node_is_ucarp(const struct node *);
uint64_t node_interval(const struct node *);
uint64_t node_timeout(const struct node *);
unsigned node_rank(const struct node *); /* smaller is better */
const char *node_name(const struct node *);

#endif
