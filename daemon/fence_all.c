/* SPDX-License-Identifier: ISC */
/* Takes, keeps, checks and leaves all disks together. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "fence_all.h"
#include "fence_exit.h"

#define REJOIN_NS     FENCE_NS_PER_S /* how often an absent disk is tried */
#define SLICE_NS      (20 * FENCE_NS_PER_MS)
#define LOOK_COMMANDS 4 /* of iSCSI, each with a time limit */
#define ROUNDS	      8 /* of two nodes that take disks from each other */

static int
look(struct fence_crew *crew, struct fence_disk *d)
{
	(void)crew;
	d->lasting = false;
	d->seen_at = fence_now();
	return fence_disk_read(d, &d->seen);
}

/* The session that looks is the one that keeps. */
static int
look_lasting(struct fence_crew *crew, struct fence_disk *d)
{
	(void)crew;
	d->lasting = true;
	d->seen_at = fence_now();
	return fence_disk_read(d, &d->seen);
}

/*
 * Keys of this node should stand still, for no keeper of it runs: if one
 * moves, another node has the same identity.
 */
static int
watch(struct fence_crew *crew, struct fence_disk *d)
{
	bool own = fence_find(&d->seen, d->id) != 0;
	bool foreign = fence_foreign(&d->seen, d->id) != 0;
	int rc;

	if (!own && (!foreign || crew->conf->forced))
		return 0;
	rc = fence_disk_watch(d, crew->conf->watch, crew->conf->forced);
	if (rc != -EEXIST)
		return rc;
	if (fence_moved(&d->seen, &d->view, d->id, true))
		return fence_fail(d, -ENOTUNIQ,
		    "a key of this node (%08x) moves, but not by a keeper "
		    "here: has another node the same machine-id?  Set KEY",
		    (unsigned)d->id);
	return fence_fail(
	    d, -EEXIST, "the key of another node moves: it is alive");
}

/* A node that comes up now may have been told that we are dead. */
static int
take_first(struct fence_crew *crew, struct fence_disk *d)
{
	return fence_disk_take(
	    d, crew->conf->forced ? FENCE_COMING : FENCE_LIVING);
}

static int
take(struct fence_crew *crew, struct fence_disk *d)
{
	return fence_disk_take(
	    d, crew->conf->forced ? FENCE_NOBODY : FENCE_LIVING);
}

static int
undo(struct fence_crew *crew, struct fence_disk *d)
{
	(void)crew;
	return d->taken ? fence_disk_leave(d) : 0;
}

/* Whose keys are they?  The first reason counts, and says how many more. */
static int
reason(struct fence_crew *crew, char *why, size_t len)
{
	const struct fence_member *m;
	unsigned n = fence_crew_failed(crew, &m);
	char text[1024];

	if (n == 0)
		return 0;
	for (unsigned i = 0; i < crew->n; i++) {
		if (crew->members[i].rc == -EEXIST)
			m = &crew->members[i];
	}
	fence_crew_why(m, text, sizeof(text));
	if (n > 1)
		(void)snprintf(why, len, "%s (and %u other disk%s)", text,
		    n - 1, n > 2 ? "s" : "");
	else
		(void)snprintf(why, len, "%s", text);
	return m->rc;
}

/* Is there more wrong than some disks that are absent? */
static bool
too_many(struct fence_crew *crew)
{
	const struct fence_member *m;
	unsigned n = fence_crew_failed(crew, &m);

	for (unsigned i = 0; i < crew->n; i++) {
		if (crew->members[i].rc == -EEXIST ||
		    crew->members[i].rc == -ENOTUNIQ)
			return true;
	}
	return n > crew->conf->missing;
}

static int
still_ours(struct fence_crew *crew, struct fence_disk *d)
{
	int rc = fence_disk_read(d, &d->view);

	(void)crew;
	if (rc != 0 || (d->view.reserved && d->view.holder == d->key))
		return rc;
	return fence_fail(d, -EEXIST, "another node has just taken it");
}

/* Those that went to another node may be tried again.  How many? */
static unsigned
forgive_contested(struct fence_crew *crew)
{
	unsigned n = 0;

	for (unsigned i = 0; i < crew->n; i++) {
		if (crew->members[i].rc != -EEXIST)
			continue;
		crew->members[i].rc = 0;
		n++;
	}
	return n;
}

/*
 * The first disk decides between two nodes that start at the same time.  If
 * both are told that the other is dead, each may be quicker on some disks:
 * then the one that has the first goes on, and the other gives up.
 */
static void
take_in_order(struct fence_crew *crew)
{
	uint64_t deadline = crew->conf->deadline;
	unsigned first = 0;

	while (first < crew->n && crew->members[first].rc != 0)
		first++;
	fence_crew_start(crew, take_first, first, 1);
	for (int i = 1; i <= ROUNDS; i++) {
		fence_crew_wait(crew, deadline);
		if (first >= crew->n || crew->members[first].rc != 0)
			return;
		fence_crew_start(crew, take, first + 1, crew->n);
		fence_crew_wait(crew, deadline);
		if (!crew->conf->forced || i == ROUNDS ||
		    forgive_contested(crew) == 0)
			return;
		fence_crew_start(crew, still_ours, first, 1);
	}
}

static int
give_up(struct fence_crew *crew, char *why, size_t len)
{
	int rc = reason(crew, why, len);
	char more[512];
	size_t n;

	fence_crew_forgive(crew);
	fence_crew_run(crew, undo, fence_now() + crew->conf->grace);
	if (rc != -EEXIST && reason(crew, more, sizeof(more)) != 0) {
		n = 0;
		while (n < len && why[n] != '\0')
			n++;
		(void)snprintf(
		    why + n, len - n, "; and it could not be undone: %s", more);
	}
	return rc == -EEXIST ? EXIT_PEER_ALIVE : EXIT_FAILED;
}

int
fence_all_take(struct fence_crew *crew, char *why, size_t len)
{
	uint64_t deadline = crew->conf->deadline;
	uint64_t soon = fence_now() + LOOK_COMMANDS * crew->conf->timeout;

	/* Those that may be absent must not use up the time of the others. */
	fence_crew_run(crew, look_lasting, soon < deadline ? soon : deadline);
	if (!too_many(crew))
		fence_crew_run(crew, watch, deadline);
	if (too_many(crew))
		return give_up(crew, why, len);
	take_in_order(crew);
	if (too_many(crew))
		return give_up(crew, why, len);
	return EXIT_OK;
}

static int
check(struct fence_crew *crew, struct fence_disk *d)
{
	unsigned n;
	int rc = look(crew, d);

	if (rc != 0)
		return rc;
	if (fence_judge(&d->seen, d->id) != FENCE_HELD) {
		fence_say(d->why, sizeof(d->why), &d->seen, d->id);
		return -ENOLINK;
	}
	n = fence_foreign(&d->seen, d->id);
	if (n > 0)
		return fence_fail(d, -EUSERS,
		    "ours, but %u other key%s may "
		    "write: see carp-fence keys",
		    n, n > 1 ? "s" : "");
	return 0;
}

static bool
find_rc(const struct fence_crew *crew, int rc, char *why, size_t len)
{
	for (unsigned i = 0; i < crew->n; i++) {
		if (crew->members[i].rc != rc)
			continue;
		fence_crew_why(&crew->members[i], why, len);
		return true;
	}
	return false;
}

int
fence_all_check(struct fence_crew *crew, char *why, size_t len)
{
	const struct fence_member *m;
	unsigned n;

	fence_crew_run(crew, check, crew->conf->deadline);
	n = fence_crew_failed(crew, &m);
	(void)reason(crew, why, len);
	if (find_rc(crew, -EUSERS, why, len))
		return EXIT_FAILED;
	/* One that was absent may not be ours yet; a loss ends the keeper. */
	if (n <= crew->conf->missing)
		return EXIT_OK;
	return find_rc(crew, -ENOLINK, why, len) ? EXIT_FAILED : EXIT_UNKNOWN;
}

static int
leave(struct fence_crew *crew, struct fence_disk *d)
{
	(void)crew;
	d->lasting = true; /* if the keeper is dead, this is its session */
	d->key = fence_key_next(d->key);
	return fence_disk_leave(d);
}

int
fence_all_leave(struct fence_crew *crew, char *why, size_t len)
{
	fence_crew_forgive(crew);
	fence_crew_run(crew, leave, crew->conf->deadline);
	if (!too_many(crew))
		return EXIT_OK;
	(void)reason(crew, why, len);
	return EXIT_FAILED;
}

bool
fence_all_unreached(struct fence_crew *crew)
{
	const struct fence_member *m;

	for (unsigned i = 0; i < crew->n; i++) {
		m = &crew->members[i];
		if (m->rc != 0 && m->rc != -ETIMEDOUT && m->disk.is_open)
			return false;
	}
	return true;
}

static int
gone(struct fence_crew *crew, struct fence_disk *d)
{
	uint64_t key;
	int rc = look(crew, d);

	if (rc != 0)
		return rc;
	key = fence_find(&d->seen, d->id);
	if (key != 0)
		return fence_fail(d, -ENOLINK,
		    "key 0x%016" PRIx64 " of this node is still there", key);
	return 0;
}

int
fence_all_gone(struct fence_crew *crew, char *why, size_t len)
{
	fence_crew_run(crew, gone, crew->conf->deadline);
	if (find_rc(crew, -ENOLINK, why, len))
		return EXIT_FAILED;
	if (!too_many(crew))
		return EXIT_OK;
	(void)reason(crew, why, len);
	return EXIT_UNKNOWN;
}

/*
 * An absent disk has come: the others are ours, so it may be, too.  But not if
 * a keeper of another node is at work on it: perhaps we are about to lose the
 * others to it.  What fails is tried again; we do without it until then.
 */
static void
rejoin(struct fence_crew *crew, struct fence_disk *d)
{
	d->seen_at = fence_now();
	if (fence_disk_read(d, &d->seen) != 0)
		return;
	if (fence_foreign(&d->seen, d->id) != 0 &&
	    fence_disk_watch(d, crew->conf->watch, false) != 0)
		return;
	(void)fence_disk_take(d, FENCE_LIVING);
}

static void
sleep_until(struct fence_crew *crew, uint64_t when)
{
	struct timespec slice = { 0, SLICE_NS };
	uint64_t now;

	while (!atomic_load(&crew->stop)) {
		now = fence_now();
		if (now >= when)
			return;
		if (when - now < SLICE_NS)
			slice.tv_nsec = (long)(when - now);
		(void)nanosleep(&slice, NULL);
	}
}

static int
hold(struct fence_crew *crew, struct fence_disk *d)
{
	uint64_t pause = crew->conf->interval, next = fence_now(), one = 1;
	int rc = atomic_load(&d->lost) ? -ENOLINK : 0;

	while (rc != -ENOLINK) {
		next += d->held ? pause : REJOIN_NS;
		if (next < fence_now())
			next = fence_now();
		sleep_until(crew, next);
		if (atomic_load(&crew->stop))
			return 0;
		if (d->held)
			rc = fence_disk_keep(d);
		else
			rejoin(crew, d);
	}
	atomic_store(&d->lost, true);
	(void)!write(crew->wake, &one, sizeof(one));
	return rc;
}

/* Those that hung before join when they are done. */
void
fence_all_hold(struct fence_crew *crew)
{
	fence_crew_forgive(crew);
	fence_crew_start(crew, hold, 0, crew->n);
}

bool
fence_all_lost(struct fence_crew *crew, char *why, size_t len)
{
	uint64_t now = fence_now(), ok;
	const struct fence_disk *d, *silent = NULL;
	unsigned n = 0;

	for (unsigned i = 0; i < crew->n; i++) {
		d = &crew->members[i].disk;
		if (atomic_load(&d->lost)) {
			(void)snprintf(why, len, "%s: %s", d->label, d->why);
			return true;
		}
		ok = atomic_load(&d->ok_at);
		if (now > ok && now - ok > crew->conf->loss) {
			silent = d;
			n++;
		}
	}
	if (n <= crew->conf->missing)
		return false;
	(void)snprintf(why, len, "%s: not reached for more than %.2f s",
	    silent->label, (double)crew->conf->loss / 1e9);
	return true;
}
