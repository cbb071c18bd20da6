/* SPDX-License-Identifier: ISC */
/*
 * What the files behind instance.h share.
 *
 *	instance.c		its life, its turns and what it knows
 *	instance_apply.c	a new configuration
 *	instance_tell.c		events as log lines, notes and control events
 *	instance_maintenance.c	the whole node demoted
 *	apply.h			the virtual hosts of a configuration
 */
#ifndef CARPD_INSTANCE_PART_H
#define CARPD_INSTANCE_PART_H

#include "instance.h"
#include "apply.h"

#define INSTANCE_MAINTENANCE "maintenance" /* cause of demotion */

struct instance {
	struct carp_engine *engine;
	struct instance_ops ops;
	void *arg;
	struct conf *conf;	   /* what runs; NULL: nothing yet */
	struct report_limit limit; /* of lines that are of no host */
	uint64_t started;
	uint64_t wake;		   /* own deadline; CARP_NEVER */
	uint64_t silent;	   /* events have not been told since; 0: - */
	struct failover *failover; /* NULL: plain mode */
	char *store;		   /* for it, until it is made */
	bool live;   /* the next configuration may change the network */
	bool served; /* failover mode: the addresses were on */
	bool maintenance;
	bool more;	/* events wait in the engine */
	int last_error; /* of carp_engine_process() */
};

/* instance.c */
void instance_wake_at(struct instance *, uint64_t when); /* at the latest */

/* instance_tell.c: what waits in the engine; `more' if some is left. */
void instance_tell(struct instance *, uint64_t now);
/* A change of state that the engine did not tell, or cannot tell any more. */
void instance_tell_state(struct instance *, struct carp_host *,
    enum carp_state to, enum carp_cause, uint64_t now);
/* The notification hooks, after the addresses have come or gone. */
void instance_notify_all(struct instance *);

/* instance_maintenance.c: the time of this host has come. */
void instance_step_down_host(struct carp_host *, struct member *, uint64_t now);

#endif
