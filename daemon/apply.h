/* SPDX-License-Identifier: ISC */
/* A plan carried out on the engine, as far as it can fail, or undone. */
#ifndef CARPD_APPLY_H
#define CARPD_APPLY_H

#include "instance.h"
#include "plan.h"
#include "report.h"

/* What is kept beside each virtual host: its user pointer. */
struct member {
	struct report_host told;
	enum carp_state noted; /* to the notification hooks */
	uint64_t step_down;    /* ns, when maintenance forces it */
};

/*
 * Adds, then changes; what is removed is left to the caller, since nothing
 * can fail there.  The plan is from instance_conf() to this configuration.  On
 * failure everything is as before; a negative errno, and a sentence in why.
 */
int apply_plan(struct instance *, const struct plan *, const struct conf *,
    char *why, size_t len, uint64_t now);

/*
 * What failover mode says of all hosts has changed.  All are tried; the first
 * error is returned.
 */
int apply_hosts(struct instance *, uint64_t now);

#endif
