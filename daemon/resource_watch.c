/* SPDX-License-Identifier: ISC */
/*
 * Looking at what is up: status from time to time, and a descriptor that a
 * process keeps open as long as it lives.  Also at what a carpd that died has
 * left running, until it ends.
 */
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <carp/engine.h>

#include "log.h"
#include "resource_part.h"

#define AGAIN_MS 1000 /* a second look, after one that was bad */
#define LEFT_MS	 50
#define LEFT_END CARP_SEC /* for a killed one to be gone */
#define READS	 16

static void
set_timer(struct part *t, unsigned ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	(void)evtimer_add(t->timer, &tv);
}

void
part_arm(struct part *t)
{
	const struct plan_item *it = part_item(t);
	unsigned ms = t->monitor_ms;

	if (t->left != 0) {
		if (!event_pending(t->timer, EV_TIMEOUT, NULL))
			set_timer(t, LEFT_MS);
		return;
	}
	if (ms == 0 || t->all->plan.hard || it->running ||
	    !plan_watched(&t->all->plan, t->index)) {
		(void)event_del(t->timer);
		return;
	}
	if (event_pending(t->timer, EV_TIMEOUT, NULL) || it->due)
		return;
	if (t->stuck_look != NULL)
		ms = t->limit_ms[VERB_STATUS];
	else if (it->fails > 0 && !it->lost && ms > AGAIN_MS)
		ms = AGAIN_MS;
	set_timer(t, ms);
}

/* A hook of the carpd before: as if it were reaped now, or is stuck. */
static void
left_ended(struct part *t, bool stuck)
{
	struct plan_item *it = part_item(t);
	struct hook_result none = { .last = "carpd ended meanwhile" };

	log_line(stuck ? LOG_ERR : LOG_NOTICE,
	    "%s %s: %s of the carpd before %s", words_phase(it->phase),
	    it->name, resource_verb_name(it->verb),
	    stuck ? "was killed, but does not end" : "has ended");
	t->left = 0;
	resource_report_end(t->all, t, HOOK_SIGNAL, stuck, &none);
	it->check = true;
	(void)place_record(t);
}

static void
look_after_left(struct part *t)
{
	const struct plan_item *it = part_item(t);
	bool over = carp_now() >= t->left_until;

	if (!place_left(t)) {
		left_ended(t, false);
	} else if (over && it->killed && t->left_until != 0) {
		left_ended(t, true);
	} else if (over || it->killed) {
		if (!it->killed)
			exec_kill(t, "nobody waits for it");
		t->left_until = carp_now() + LEFT_END;
	}
}

/* It could not even be killed: as bad as another one that fails. */
static void
look_hangs(struct part *t)
{
	struct plan_item *it = part_item(t);
	struct hook_result r;

	hook_run_look(t->stuck_look, &r);
	it->verb = VERB_STATUS;
	it->mode = MODE_MONITOR;
	resource_report_end(t->all, t, HOOK_TIMEOUT, true, &r);
}

void
part_timer(evutil_socket_t fd, short what, void *arg)
{
	struct part *t = arg;

	(void)fd, (void)what;
	if (t->left != 0)
		look_after_left(t);
	else if (t->stuck_look != NULL)
		look_hangs(t);
	else
		plan_due(&t->all->plan, t->index, false);
	resource_pump(t->all);
}

/*
 * CARPD_ALIVE_FD.
 */

static void
alive_line(struct part *t, struct alive *a)
{
	const struct plan_item *it = part_item(t);

	if (a->len == 0)
		return;
	(void)snprintf(t->told, sizeof(t->told), "%.*s", (int)a->len, a->line);
	log_line(
	    LOG_NOTICE, "%s %s: %s", words_phase(it->phase), it->name, t->told);
	a->len = 0;
}

static void
alive_take(struct part *t, struct alive *a, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n' || a->len == sizeof(a->line) - 1)
			alive_line(t, a);
		if (p[i] != '\n')
			a->line[a->len++] = p[i];
	}
}

static void
alive_read(struct part *t, struct alive *a)
{
	char buf[1024];
	ssize_t n = -1;

	for (int i = 0; i < READS; i++) {
		n = read(a->fd, buf, sizeof(buf));
		if (n <= 0)
			break;
		alive_take(t, a, buf, (size_t)n);
	}
	if (n != 0)
		return;
	alive_line(t, a);
	a->closed = true;
	(void)event_del(a->ev);
}

/* Who was to live as long as the resource does not. */
static void
alive_lost(struct part *t)
{
	const struct plan_item *it = part_item(t);

	alive_close(&t->alive);
	if (!plan_watched(&t->all->plan, t->index))
		return;
	log_line(LOG_WARNING, "%s %s: what kept it alive has ended%s%s",
	    words_phase(it->phase), it->name, t->told[0] != '\0' ? ": " : "",
	    t->told);
	plan_due(&t->all->plan, t->index, true);
	resource_pump(t->all);
}

static void
on_alive(evutil_socket_t fd, short what, void *arg)
{
	struct part *t = arg;
	struct alive *a = fd == t->fresh.fd ? &t->fresh : &t->alive;

	(void)what;
	alive_read(t, a);
	if (a->closed && a == &t->alive)
		alive_lost(t);
}

void
alive_close(struct alive *a)
{
	if (a->ev != NULL)
		event_free(a->ev);
	if (a->fd != -1)
		(void)close(a->fd);
	memset(a, 0, sizeof(*a));
	a->fd = -1;
}

int
alive_open(struct part *t)
{
	struct alive *a = &t->fresh;
	int fds[2];

	alive_close(a);
	t->told[0] = '\0';
	if (pipe2(fds, O_CLOEXEC) == -1)
		return -errno;
	a->fd = fds[0];
	(void)fcntl(a->fd, F_SETFL, O_NONBLOCK);
	a->ev =
	    event_new(t->all->base, a->fd, EV_READ | EV_PERSIST, on_alive, t);
	if (a->ev == NULL || event_add(a->ev, NULL) == -1) {
		alive_close(a);
		(void)close(fds[1]);
		return -ENOMEM;
	}
	return fds[1];
}

/* Its start has ended.  What is closed by now was not used. */
void
alive_started(struct part *t, bool up)
{
	if (t->fresh.fd == -1)
		return;
	if (!t->fresh.closed)
		alive_read(t, &t->fresh);
	if (up && !t->fresh.closed) {
		alive_close(&t->alive);
		t->alive = t->fresh;
		memset(&t->fresh, 0, sizeof(t->fresh));
		t->fresh.fd = -1;
	} else {
		alive_close(&t->fresh);
	}
}
