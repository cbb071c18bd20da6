/* SPDX-License-Identifier: ISC */
/* A process that no other work delays. */
#include <sys/mman.h>
#include <sys/resource.h>

#include <cap-ng.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "realtime.h"

#define PRIORITY   10		       /* the kernel's threads have more */
#define LOCKED_MAX (256 * 1024 * 1024) /* bytes; far more than it needs */

static int
limit(int what, rlim_t value)
{
	struct rlimit r;

	if (getrlimit((__rlimit_resource_t)what, &r) == -1)
		return -errno;
	if (what == RLIMIT_MEMLOCK && r.rlim_cur >= value)
		return 0; /* RLIM_INFINITY is the largest */
	if (what == RLIMIT_MEMLOCK && r.rlim_max > value)
		value = r.rlim_max;
	r.rlim_cur = r.rlim_max = value;
	return setrlimit((__rlimit_resource_t)what, &r) == -1 ? -errno : 0;
}

/*
 * The limit of locked memory counts once CAP_IPC_LOCK is gone, and bounds all
 * memory then.  Where it is too low and cannot be raised, the capability has
 * to stay, and another limit bounds the memory.
 */
static int
bound_memory(bool *keep, char *why, size_t len)
{
	int rc = limit(RLIMIT_MEMLOCK, LOCKED_MAX);

	*keep = rc < 0;
	if (rc < 0 && capng_have_capability(CAPNG_EFFECTIVE, CAP_IPC_LOCK))
		rc = limit(RLIMIT_DATA, LOCKED_MAX);
	if (rc < 0)
		(void)snprintf(why, len,
		    "realtime: cannot lock %d MiB of memory: %s; raise the "
		    "limit (LimitMEMLOCK=%dM in the unit, or ulimit -l), or "
		    "write realtime = false",
		    LOCKED_MAX >> 20, strerror(-rc), LOCKED_MAX >> 20);
	return rc;
}

int
realtime_enter(bool *keep_lock, char *why, size_t len)
{
	const struct sched_param p = { .sched_priority = PRIORITY };
	int rc;

	if ((rc = bound_memory(keep_lock, why, len)) < 0)
		return rc;
	if (mlockall(MCL_CURRENT | MCL_FUTURE) == -1) {
		rc = -errno;
		(void)snprintf(why, len,
		    "realtime: cannot lock the memory: %s; grant CAP_IPC_LOCK, "
		    "or write realtime = false",
		    strerror(-rc));
		return rc;
	}
	if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &p) == -1) {
		rc = -errno;
		(void)snprintf(why, len,
		    "realtime: cannot get real-time priority %d: %s; grant "
		    "CAP_SYS_NICE or raise the limit (LimitRTPRIO=%d in the "
		    "unit, or ulimit -r), or write realtime = false",
		    PRIORITY, strerror(-rc), PRIORITY);
		return rc;
	}
	return 0;
}
