/* SPDX-License-Identifier: ISC */
/* Threads, one for each disk, that wait for jobs. */
#include <sys/eventfd.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fence_crew.h"

#define STACK_BYTES (512 * 1024)

/* One crew a process: a condition of the whole program. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static pthread_cond_t done;

static void *
worker(void *arg)
{
	struct fence_member *m = arg;
	fence_job job;
	int rc;

	(void)pthread_mutex_lock(&lock);
	for (;;) {
		while (m->job == NULL)
			(void)pthread_cond_wait(&work, &lock);
		job = m->job;
		m->job = NULL;
		(void)pthread_mutex_unlock(&lock);
		rc = job(m->crew, &m->disk);
		(void)pthread_mutex_lock(&lock);
		/* Who comes too late stays out until forgiven. */
		if (m->rc == 0)
			m->rc = rc;
		m->busy = false;
		(void)pthread_cond_signal(&done);
	}
	return NULL;
}

static void
fill(struct fence_disk *d, const struct fence_conf *c, const char *name)
{
	bool iscsi = strncmp(name, "iscsi://", 8) == 0;

	d->way = iscsi ? &fence_iscsi : &fence_block;
	d->id = c->id;
	d->timeout = c->timeout;
	/* So that a key of after a restart differs from one of before. */
	d->key = fence_key(c->id, (uint32_t)(fence_now() / FENCE_NS_PER_MS));
	(void)snprintf(d->name, sizeof(d->name), "%s", name);
	(void)snprintf(d->initiator, sizeof(d->initiator), "%s", c->initiator);
	fence_conf_label(d->label, sizeof(d->label), name);
}

/* All signals are for the first thread. */
static int
start_threads(struct fence_crew *crew)
{
	pthread_condattr_t monotonic;
	pthread_attr_t attr;
	sigset_t all, before;
	pthread_t t;
	int rc;

	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&done, &monotonic);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, STACK_BYTES);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = 0;
	for (unsigned i = 0; rc == 0 && i < crew->n; i++)
		rc = pthread_create(&t, &attr, worker, &crew->members[i]);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attr);
	return -rc;
}

struct fence_crew *
fence_crew_new(const struct fence_conf *c, char *why, size_t len)
{
	struct fence_crew *crew = calloc(1, sizeof(*crew));
	int rc = -ENOMEM;

	if (crew != NULL)
		crew->members = calloc(c->ndisks, sizeof(*crew->members));
	if (crew == NULL || crew->members == NULL)
		goto fail;
	crew->conf = c;
	crew->n = c->ndisks;
	crew->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (crew->wake == -1) {
		rc = -errno;
		goto fail;
	}
	for (unsigned i = 0; i < crew->n; i++) {
		crew->members[i].crew = crew;
		fill(&crew->members[i].disk, c, c->disks[i]);
	}
	rc = start_threads(crew);
	if (rc == 0)
		return crew;
fail:
	(void)snprintf(why, len, "a thread for each disk: %s", strerror(-rc));
	return NULL;
}

void
fence_crew_start(
    struct fence_crew *crew, fence_job job, unsigned first, unsigned n)
{
	struct fence_member *m;

	(void)pthread_mutex_lock(&lock);
	for (unsigned i = first; i < first + n && i < crew->n; i++) {
		m = &crew->members[i];
		if (m->busy || m->rc != 0)
			continue;
		m->job = job;
		m->busy = true;
	}
	(void)pthread_cond_broadcast(&work);
	(void)pthread_mutex_unlock(&lock);
}

static bool
someone_busy(const struct fence_crew *crew)
{
	for (unsigned i = 0; i < crew->n; i++) {
		if (crew->members[i].busy && crew->members[i].rc == 0)
			return true;
	}
	return false;
}

void
fence_crew_wait(struct fence_crew *crew, uint64_t deadline)
{
	struct timespec end = { (time_t)(deadline / FENCE_NS_PER_S),
		(long)(deadline % FENCE_NS_PER_S) };
	int rc = 0;

	(void)pthread_mutex_lock(&lock);
	while (rc == 0 && someone_busy(crew))
		rc = pthread_cond_timedwait(&done, &lock, &end);
	for (unsigned i = 0; i < crew->n; i++) {
		if (crew->members[i].busy)
			crew->members[i].rc = -ETIMEDOUT;
	}
	(void)pthread_mutex_unlock(&lock);
}

void
fence_crew_run(struct fence_crew *crew, fence_job job, uint64_t deadline)
{
	fence_crew_start(crew, job, 0, crew->n);
	fence_crew_wait(crew, deadline);
}

unsigned
fence_crew_failed(struct fence_crew *crew, const struct fence_member **ret)
{
	unsigned n = 0;

	(void)pthread_mutex_lock(&lock);
	for (unsigned i = crew->n; i > 0; i--) {
		if (crew->members[i - 1].rc == 0)
			continue;
		*ret = &crew->members[i - 1];
		n++;
	}
	(void)pthread_mutex_unlock(&lock);
	return n;
}

void
fence_crew_forgive(struct fence_crew *crew)
{
	(void)pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < crew->n; i++) {
		if (!crew->members[i].busy)
			crew->members[i].rc = 0;
	}
	(void)pthread_mutex_unlock(&lock);
}

void
fence_crew_why(const struct fence_member *m, char *ret, size_t len)
{
	bool busy;

	(void)pthread_mutex_lock(&lock);
	busy = m->busy;
	(void)pthread_mutex_unlock(&lock);
	/* Its thread may be writing the sentence right now. */
	(void)snprintf(ret, len, "%s: %s", m->disk.label,
	    busy || m->disk.why[0] == '\0' ? "it does not answer"
					   : m->disk.why);
}
