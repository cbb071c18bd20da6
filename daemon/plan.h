/* SPDX-License-Identifier: ISC */
/* What separates two configurations, virtual host by virtual host. */
#ifndef CARPD_PLAN_H
#define CARPD_PLAN_H

#include "conf.h"

enum plan_what { PLAN_KEEP, PLAN_CHANGE, PLAN_ADD, PLAN_REMOVE };

struct plan_step {
	enum plan_what what;
	const struct conf_host *was, *is; /* NULL: not there */
};

struct plan {
	uint32_t n;
	uint32_t count[PLAN_REMOVE + 1]; /* of steps, by what they do */
	struct plan_step step[];	 /* by interface, then vhid */
};

/*
 * was may be NULL: nothing ran.  Both live as long as the plan, which is for
 * free().  -ENOMEM.
 */
int plan_new(struct plan **ret, const struct conf *was, const struct conf *is);

#endif
