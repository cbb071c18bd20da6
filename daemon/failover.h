/* SPDX-License-Identifier: ISC */
/*
 * Failover mode in the engine process: the elections go in, the role machine
 * decides, and its actions are carried out on the virtual hosts and, by way of
 * the supervisor, on the resources.
 */
#ifndef CARPD_FAILOVER_H
#define CARPD_FAILOVER_H

#include <carp/engine.h>
#include <jansson.h>
#include "conf.h"
#include "failover_store.h"
#include "group.h"
#include "role.h"

#define FAILOVER_CAUSE_LEN (CARP_CAUSE_NAME_MAX)

/* Asked of whoever runs it. */
struct failover_ops {
	void (*order)(void *arg, const struct resource_order *);
	void (*hard)(void *arg, const char *reason);
	/* Text of failover.json, to be kept. */
	void (*remember)(void *arg, const char *text, size_t len);
	/* An event for subscribers; borrowed. */
	void (*event)(void *arg, json_t *event);
	/* All is down, as failover_stop() wanted. */
	void (*ended)(void *arg);
	/* What failover_host_config() says has changed. */
	void (*hosts)(void *arg);
};

/* A resource, as the supervisor last told. */
struct failover_resource {
	enum resource_state state;
	bool known;
	bool demotes; /* it is a cause of demotion */
	bool lost;    /* it was up, and is not any more */
	char reason[RESOURCE_TEXT];
};

struct failover {
	struct carp_engine *engine;
	struct failover_ops ops;
	void *arg;
	const struct conf *conf;    /* of the instance */
	struct group_member *voter; /* room for all hosts */
	struct role role;
	struct store store;
	struct failover_resource res[CONF_RESOURCE_MAX];
	enum role_event said;  /* last of the elections that role heard */
	enum role_status told; /* last that was told to subscribers */
	bool known;	       /* all resources were told of */
	bool grown;	       /* a reload has brought more of them */
	uint64_t known_by;     /* what is not known then is taken for unclear */
	bool maintenance;      /* wanted */
	bool demoted;	       /* because of it */
	bool importing;	       /* as the role machine says */
	bool passive;	       /* was told to be; preempts nobody */
	uint64_t look_at;      /* when reasons are looked at again */
	uint32_t reasons;      /* that were told, by bit */
	char failed[FAILOVER_CAUSE_LEN]; /* cause of demotion; "": none */
	char culprit[CONF_RESOURCE_LEN]; /* resource that failed last */
};

/*
 * store: text of failover.json as it was remembered, or NULL.  maintenance: is
 * on from the start.  -ENOMEM.
 */
int failover_new(struct failover **ret, struct carp_engine *,
    const struct failover_ops *, void *arg, const char *store,
    bool maintenance);
void failover_free(struct failover *);

/*
 * The hosts of the engine are those of the configuration, which is borrowed
 * until the next call.  -ENOMEM: nothing has changed.
 */
int failover_configure(struct failover *, const struct conf *, uint64_t now);

/* What a new host is like: `manual', `standby', skew of a preferred one. */
void failover_host_config(const struct failover *, struct carp_host_config *);

/* From the supervisor. */
void failover_report(
    struct failover *, const struct resource_report *, uint64_t now);
void failover_done(
    struct failover *, const struct resource_done *, uint64_t now);
void failover_resort(struct failover *, const char *reason, uint64_t now);

/* Hosts may have changed, or the deadline has come. */
void failover_process(struct failover *, uint64_t now);
uint64_t failover_deadline(const struct failover *);

/* Everything down; ops->ended() follows, maybe from within. */
void failover_stop(struct failover *, uint64_t now);

/*
 * Orders of people.  -EALREADY: it is so.  -EBUSY: a transition runs.
 * -EPERM: failover is disabled.  -EINVAL.  -ENOTCONN: see the reasons.
 * -EACCES: there is another master, and no fence.
 */
int failover_force_master(struct failover *, uint64_t now);
int failover_become_passive(struct failover *, bool hard, uint64_t now);
/* disabled, master: -1 as before.  timeout_s: -1 as before. */
int failover_update(
    struct failover *, int disabled, int timeout_s, int master, uint64_t now);
void failover_set_maintenance(struct failover *, bool on, uint64_t now);

enum role_status failover_status(const struct failover *);
bool failover_disabled(const struct failover *);
uint32_t failover_timeout_s(const struct failover *);
bool failover_preferred(const struct failover *);

#endif
