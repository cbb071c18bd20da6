/* SPDX-License-Identifier: ISC */
/*
 * What the engine process runs: the virtual hosts of a configuration, their
 * events turned into log lines, notifications and control events.
 */
#ifndef CARPD_INSTANCE_H
#define CARPD_INSTANCE_H

#include <carp/engine.h>
#include <jansson.h>
#include "conf.h"
#include "failover.h"

struct instance;

/* A state change, for the notification hooks. */
struct instance_note {
	char ifname[VIP_IFNAMSIZ];
	uint8_t vhid;
	enum carp_state from, to;
	enum carp_cause cause;
};

/* Asked of whoever runs the instance.  arg is passed on. */
struct instance_ops {
	void (*notify)(void *arg, const struct instance_note *);
	void (*save_maintenance)(void *arg, bool on);
	/* An event for subscribers of the control socket; borrowed. */
	void (*event)(void *arg, json_t *event);
	/* Start a reload; its end is told by control_reload_done(). */
	int (*reload)(void *arg);
	/* Has anybody subscribed?  NULL: always. */
	bool (*listens)(void *arg);
	/* Failover mode: see failover.h. */
	void (*order)(void *arg, const struct resource_order *);
	void (*hard)(void *arg, const char *reason);
	void (*remember)(void *arg, const char *text, size_t len);
	int (*secret)(void *arg, const char *resource, const void *, size_t);
	void (*ended)(void *arg);
};

/* store: text of failover.json as remembered (copied), or NULL. */
int instance_new(struct instance **ret, const struct instance_ops *, void *arg,
    bool maintenance, const char *store);
void instance_free(struct instance *);

int instance_fd(const struct instance *);
void instance_process(struct instance *, uint64_t now);
uint64_t instance_deadline(const struct instance *); /* its own timers */

/*
 * In the middle of long work: the engine hears and acts, so that nobody takes
 * this node for dead.  What happens is told later.
 */
void instance_breathe(struct instance *);

/*
 * Makes the running hosts those of the configuration (copied): new ones are
 * made first, so that a failure changes nothing; then changed, then removed.
 * On failure a negative errno and a sentence in why.
 */
int instance_apply(struct instance *, const struct conf *, uint64_t now,
    char *why, size_t len);

/*
 * A host that was master when another process ended, at `at`: while nobody can
 * have taken over yet, it goes on as master, or bows out in its name.
 */
void instance_resume(struct instance *, const char *ifname, uint8_t vhid,
    bool go_on, uint64_t at, uint64_t now);

/*
 * In failover mode everything has to come down first: ops->ended() tells when.
 * False: there is nothing to wait for.
 */
bool instance_step_down(struct instance *, uint64_t now);

/* Bows out everywhere; the addresses go. */
void instance_stop(struct instance *, uint64_t now);

struct carp_engine *instance_engine(struct instance *);
const struct conf *instance_conf(const struct instance *); /* or NULL */
uint64_t instance_started(const struct instance *);	   /* ns */

/* The state of every virtual host, and why, to the log. */
void instance_log_status(struct instance *, uint64_t now);

bool instance_maintenance(const struct instance *);
int instance_set_maintenance(struct instance *, bool on, uint64_t now);
int instance_reload(struct instance *); /* ops->reload */

/* The next configuration may change the network also in failover mode. */
void instance_set_live(struct instance *, bool);

/* NULL: plain mode. */
struct failover *instance_failover(const struct instance *);

/* A passphrase for the hooks of a resource; "": of all. */
int instance_secret(
    struct instance *, const char *resource, const void *, size_t len);

#endif
