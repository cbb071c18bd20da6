/* SPDX-License-Identifier: ISC */
/* All disks at once: a thread for each, so that none waits for another. */
#ifndef CARPD_FENCE_CREW_H
#define CARPD_FENCE_CREW_H

#include "fence_conf.h"
#include "fence_disk.h"

struct fence_crew;

/* What a thread does with its disk: 0 or a negative errno. */
typedef int (*fence_job)(struct fence_crew *, struct fence_disk *);

struct fence_member {
	struct fence_crew *crew;
	struct fence_disk disk;
	fence_job job; /* NULL: none to do */
	bool busy;     /* then disk is its thread's alone */
	atomic_int rc; /* of the last job; -ETIMEDOUT: not done in time */
};

struct fence_crew {
	const struct fence_conf *conf;
	struct fence_member *members;
	unsigned n;
	atomic_bool stop; /* jobs that last shall end */
	int wake;	  /* eventfd: a disk is lost */
};

/* Never freed: a thread may hang in the kernel until the process ends. */
struct fence_crew *fence_crew_new(
    const struct fence_conf *, char *why, size_t len);

/* For members whose last job went well; first, n: only those. */
void fence_crew_start(
    struct fence_crew *, fence_job, unsigned first, unsigned n);
/* Returns at the deadline at the latest. */
void fence_crew_wait(struct fence_crew *, uint64_t deadline);

/* Both, for all. */
void fence_crew_run(struct fence_crew *, fence_job, uint64_t deadline);

/* How many have failed; the first of them is *ret. */
unsigned fence_crew_failed(
    struct fence_crew *, const struct fence_member **ret);

/* Everyone may work again, but for those who are at it yet. */
void fence_crew_forgive(struct fence_crew *);

/* Why a member failed, with the name of its disk. */
void fence_crew_why(const struct fence_member *, char *ret, size_t len);

#endif
