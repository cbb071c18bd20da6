/* SPDX-License-Identifier: ISC */
/* Takes, keeps and leaves one disk, step by step, always reading back. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "fence_disk.h"

/* Steps of one take or leave: a peer whose key moves costs some more. */
#define STEPS_MAX (FENCE_KEYS_MAX + 64)

uint64_t
fence_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * FENCE_NS_PER_S + (uint64_t)ts.tv_nsec;
}

int
fence_fail(struct fence_disk *d, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(d->why, sizeof(d->why), fmt, ap);
	va_end(ap);
	return rc;
}

int
fence_disk_open(struct fence_disk *d)
{
	int rc = 0;

	if (!d->is_open)
		rc = d->way->open(d);
	d->is_open = rc == 0;
	return rc;
}

void
fence_disk_close(struct fence_disk *d)
{
	if (d->is_open)
		d->way->close(d);
	d->is_open = false;
}

int
fence_disk_read(struct fence_disk *d, struct fence_view *v)
{
	int rc = fence_disk_open(d);

	if (rc == 0)
		rc = d->way->read(d, v);
	/* Who has it may write, and no command can name it. */
	if (rc == 0 && fence_has(v, 0))
		rc = fence_fail(d, -EBADMSG,
		    "a registrant has the key 0: nobody can remove it but "
		    "carp-fence clear");
	return rc;
}

int
fence_disk_out(struct fence_disk *d, enum fence_out what, uint64_t key,
    uint64_t other, uint8_t type)
{
	int rc = fence_disk_open(d);

	return rc == 0 ? d->way->out(d, what, key, other, type) : rc;
}

/* Commands of the loser that are on their way must not come later. */
static int
preempt(struct fence_disk *d, uint64_t victim)
{
	uint8_t type = FENCE_WRITE_EXCLUSIVE_RO;
	int rc;

	if (!d->no_abort) {
		rc = fence_disk_out(
		    d, FENCE_OUT_PREEMPT_ABORT, d->key, victim, type);
		if (rc != -EINVAL && rc != -EOPNOTSUPP)
			return rc;
		d->no_abort = true;
	}
	return fence_disk_out(d, FENCE_OUT_PREEMPT, d->key, victim, type);
}

static int
carry_out(struct fence_disk *d, const struct fence_step *s)
{
	switch (s->todo) {
	case FENCE_REGISTER:
		return fence_disk_out(d, FENCE_OUT_REGISTER_IGNORE,
		    fence_find(&d->view, d->id), d->key, 0);
	case FENCE_PREEMPT:
		return preempt(d, s->key);
	case FENCE_RESERVE:
		return fence_disk_out(
		    d, FENCE_OUT_RESERVE, d->key, 0, FENCE_WRITE_EXCLUSIVE_RO);
	case FENCE_RELEASE:
		return fence_disk_out(d, FENCE_OUT_RELEASE, d->key, 0, s->type);
	case FENCE_UNREGISTER:
		return fence_disk_out(d, FENCE_OUT_REGISTER, d->key, 0, 0);
	case FENCE_DONE:
	case FENCE_ALIVE:
		break;
	}
	return 0;
}

int
fence_disk_leave(struct fence_disk *d)
{
	struct fence_step s;
	int rc;

	for (unsigned i = 0; i < STEPS_MAX; i++) {
		rc = fence_disk_read(d, &d->view);
		if (rc != 0)
			return rc;
		s = fence_leave(&d->view, d->key);
		if (s.todo == FENCE_DONE) {
			d->taken = d->held = false;
			return 0;
		}
		/* After a conflict things are not as they were: look again. */
		rc = carry_out(d, &s);
		if (rc != 0 && rc != -EBADE)
			return rc;
	}
	return fence_fail(d, -EIO,
	    "our keys come back however often they are "
	    "removed: is another program at work?");
}

static int
give_way(struct fence_disk *d, uint64_t other)
{
	int rc = fence_disk_leave(d);

	if (rc != 0)
		return rc;
	return fence_fail(d, -EEXIST,
	    "another node is alive: key 0x%016" PRIx64 " has appeared", other);
}

/*
 * Our key was there and is not any more: somebody takes the disk at this very
 * moment.  Only one of two can remove the other first, so who was removed has
 * lost, whatever it was told of the other.
 */
static int
was_removed(struct fence_disk *d)
{
	uint64_t other = fence_foreign_key(&d->view, d->id);

	if (other != 0)
		return give_way(d, other);
	if (fence_find(&d->view, d->id) != 0)
		return fence_fail(d, -ENOTUNIQ,
		    "another program takes it for this same node (%08x): is a "
		    "disk named in two ways, or has another node the same "
		    "machine-id?",
		    (unsigned)d->id);
	return 0; /* it was cleared, or has lost its power */
}

static int
take(struct fence_disk *d, enum fence_others others)
{
	struct fence_step s;
	bool registered = false;
	int rc;

	d->key = fence_key_next(d->key);
	for (unsigned i = 0; i < STEPS_MAX; i++) {
		rc = fence_disk_read(d, &d->view);
		if (rc == 0 && registered && !fence_has(&d->view, d->key))
			rc = was_removed(d);
		if (rc != 0)
			return rc;
		s = fence_take(&d->view, &d->seen, d->key, others);
		if (s.todo == FENCE_ALIVE)
			return give_way(d, s.key);
		if (s.todo == FENCE_DONE) {
			d->taken = d->held = true;
			d->next = d->key;
			atomic_store(&d->ok_at, fence_now());
			return 0;
		}
		d->taken = true; /* something of ours may be there now */
		rc = carry_out(d, &s);
		if (rc == 0 && s.todo == FENCE_REGISTER)
			registered = true;
		if (rc != 0 && rc != -EBADE)
			return rc;
	}
	return fence_fail(d, -EBADE, "another node takes it back each time");
}

int
fence_disk_take(struct fence_disk *d, enum fence_others others)
{
	return take(d, others);
}

/* Our session is a new one: what the last one held becomes its own. */
static int
resume(struct fence_disk *d)
{
	int rc = fence_disk_read(d, &d->seen);

	if (rc != 0)
		return rc;
	if (fence_judge(&d->seen, d->id) == FENCE_HELD) {
		rc = take(d, FENCE_SPARED);
		if (rc != -EEXIST)
			return rc;
	} else {
		fence_say(d->why, sizeof(d->why), &d->seen, d->id);
	}
	return -ENOLINK;
}

/* The counter moves, unless a command of before has moved it unnoticed. */
static int
move(struct fence_disk *d)
{
	int rc;

	if (fence_has(&d->view, d->next))
		d->key = d->next;
	d->next = fence_key_next(d->key);
	rc = fence_disk_out(d, FENCE_OUT_REGISTER, d->key, d->next, 0);
	if (rc == 0)
		d->key = d->next;
	return rc;
}

static int
keep(struct fence_disk *d)
{
	int rc;

	if (!d->is_open) {
		rc = resume(d);
		if (rc != 0)
			return rc;
	}
	rc = fence_disk_read(d, &d->view);
	if (rc != 0)
		return rc;
	if (fence_judge(&d->view, d->id) != FENCE_HELD) {
		fence_say(d->why, sizeof(d->why), &d->view, d->id);
		return -ENOLINK;
	}
	rc = move(d);
	if (rc == 0)
		atomic_store(&d->ok_at, fence_now());
	if (rc != -EBADE)
		return rc;
	/* It refuses us: then it must be plain to see why. */
	rc = fence_disk_read(d, &d->view);
	if (rc != 0)
		return rc;
	/* A kernel that sends a command twice is refused by its first. */
	if (fence_judge(&d->view, d->id) == FENCE_HELD &&
	    fence_has(&d->view, d->next)) {
		atomic_store(&d->ok_at, fence_now());
		return 0;
	}
	if (fence_judge(&d->view, d->id) == FENCE_HELD)
		return fence_fail(d, -ENOLINK,
		    "our registration was replaced "
		    "by another of this node");
	fence_say(d->why, sizeof(d->why), &d->view, d->id);
	return -ENOLINK;
}

int
fence_disk_keep(struct fence_disk *d)
{
	int rc = keep(d);

	/* It went away: what comes back under its name is opened anew. */
	if (rc == -ENODEV || rc == -ENXIO)
		fence_disk_close(d);
	return rc;
}

/* Read several times in each interval, so that a move is not seen late. */
#define WATCH_PARTS 12

int
fence_disk_watch(struct fence_disk *d, uint64_t watch, bool own)
{
	struct timespec pause = { 0, 0 };
	uint64_t end = d->seen_at + watch, left, now;
	int rc;

	for (now = fence_now();; now = fence_now()) {
		left = end > now ? end - now : 0;
		if (left > watch / WATCH_PARTS)
			left = watch / WATCH_PARTS;
		pause.tv_sec = (time_t)(left / FENCE_NS_PER_S);
		pause.tv_nsec = (long)(left % FENCE_NS_PER_S);
		(void)nanosleep(&pause, NULL);
		rc = fence_disk_read(d, &d->view);
		if (rc != 0)
			return rc;
		if (fence_moved(&d->seen, &d->view, d->id, own))
			return -EEXIST;
		if (fence_now() >= end)
			return 0;
	}
}
