/* SPDX-License-Identifier: ISC */
/*
 * Two nodes of failover mode in one process, on a virtual clock: the real
 * elections, groups, roles and plans of resources; what is modelled is the
 * network, the hooks, the disk that both can reach, and the ends of engines,
 * supervisors and machines.
 */
#ifndef TESTS_PAIR_H
#define TESTS_PAIR_H

#include <carp/engine.h>
#include "failover.h"
#include "resource_plan.h"

#define MS     (CARP_SEC / 1000)
#define NITEMS 4 /* FENCE, TANK, WEB (critical), MAIL (not) */
#define QUEUE  256
#define WIRE   64

enum { FENCE, TANK, WEB, MAIL };

/* Messages between engine and supervisor, as the real ones. */
enum talk_type {
	TALK_APPLIED,
	TALK_ORDER,
	TALK_HARD,
	TALK_REPORT,
	TALK_DONE,
	TALK_RESORT
};

struct talk {
	enum talk_type type;
	uint64_t at;
	struct resource_order order;
	struct resource_report report;
	struct resource_done done;
	char text[RESOURCE_TEXT];
};

struct talks {
	struct talk t[QUEUE];
	unsigned n;
};

struct hook {
	bool on, killed, hangs, fails;
	enum resource_verb verb;
	enum resource_peer peer;
	uint64_t began, end;
	uint64_t saw_key; /* of the other, when it began; 0: none */
	int saw_holder;
};

struct carp_host {
	struct carp *carp;
	unsigned id;
	bool installed;
};

/* A node is what its engine knows. */
struct carp_engine {
	unsigned id;
	struct carp_host host;
	struct carp_demotion demotion;
	struct failover *f; /* NULL: no engine */
	struct conf *conf;
	char *store; /* what was remembered */
	bool powered, supervised, link, maintenance, leaving;
	bool resorted; /* since it was switched on */
	bool forced;   /* by force_master, since the last maintenance */
	uint64_t power_at, supervise_at, start_at, abandon_at, ready_at;
	uint64_t ended_at, retry;
	bool was_master;
	struct plan plan;
	bool plan_pumps, noted; /* noted: storage was started, on /run */
	struct hook hook[NITEMS];
	bool here[NITEMS]; /* TANK: mounted; WEB, MAIL: runs */
	bool keeper;
	uint64_t keep_at, monitor_at;
	struct talks to_engine, to_supervisor;
	unsigned begins;    /* transitions */
	uint64_t cut_since; /* mounted, and not registered; 0: not */
};

struct frame {
	uint64_t at;
	unsigned to;
	uint8_t ip[CARP_IP_MAX];
	size_t len;
};

struct pair {
	uint64_t now, random, seed;
	struct carp_engine node[2];
	struct {
		uint64_t key[2]; /* 0: not registered */
		int holder;	 /* -1: none */
		uint64_t count;
	} disk;
	struct frame wire[WIRE];
	unsigned nwire;
	bool cut;      /* the network between them */
	unsigned loss; /* of 100 packets */
	bool calm;     /* nothing goes wrong */
	bool broken;   /* storage never starts */
	bool unfenced; /* the flaw of a negative control: preempts nobody */
	uint64_t both_since; /* both have the address; 0: no */
	unsigned resorts, takeovers;
	char wrong[256]; /* the first rule that was broken */
};

extern struct pair pair;

unsigned pair_draw(unsigned n);
void pair_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void pair_wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void pair_begin(uint64_t seed);
void pair_end(void);
void pair_run(uint64_t until); /* or until something is wrong */

/* pair_node.c: a machine, its supervisor and its hooks. */
void node_power(struct carp_engine *, bool on);
void node_kill_supervisor(struct carp_engine *);
void node_kill_engine(struct carp_engine *);
void node_stop(struct carp_engine *); /* SIGTERM; started again later */
void node_work(struct carp_engine *);
uint64_t node_deadline(const struct carp_engine *);
void node_report(struct carp_engine *, const struct resource_report *);
void talk(struct talks *, const struct talk *);

/* pair_engine.c: its engine. */
void engine_start(struct carp_engine *);
void engine_end(struct carp_engine *);
void engine_hear(struct carp_engine *, const struct talk *);
void engine_link(struct carp_engine *, bool up);
void engine_work(struct carp_engine *);
uint64_t engine_deadline(const struct carp_engine *);

#endif
