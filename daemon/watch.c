/* SPDX-License-Identifier: ISC */
/* The engine process as the supervisor sees it. */
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "log.h"
#include "realtime.h"
#include "watch.h"

#define BUSY_MS	  10000 /* a large configuration may take so long */
#define FIRST_MS  200	/* between signs of life before it is configured */
#define END_MS	  1000	/* for a killed process to be gone */
#define DRAIN_MAX 4096	/* messages at once */
#define HIGH_FD	  512	/* more than an engine ever has */

struct watch {
	struct event_base *base;
	struct watch_ops ops;
	void *arg;
	pid_t pid; /* 0: there is none */
	int fd;
	struct event *readable, *tick;
	unsigned beat_ms;
	bool busy, heard; /* since the last tick */
	unsigned missed;  /* ticks without a sign of life */
};

static void on_tick(evutil_socket_t, short, void *);

int
watch_new(struct watch **ret, struct event_base *base,
    const struct watch_ops *ops, void *arg)
{
	struct watch *w;

	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return -ENOMEM;
	w->base = base;
	w->ops = *ops;
	w->arg = arg;
	w->fd = -1;
	w->tick = event_new(base, -1, EV_PERSIST, on_tick, w);
	if (w->tick == NULL) {
		free(w);
		return -ENOMEM;
	}
	(void)event_priority_set(w->tick, 0);
	*ret = w;
	return 0;
}

static void
hang_up(struct watch *w)
{
	if (w->readable != NULL)
		event_free(w->readable);
	w->readable = NULL;
	if (w->fd != -1)
		(void)close(w->fd);
	w->fd = -1;
	(void)event_del(w->tick);
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	hang_up(w);
	event_free(w->tick);
	free(w);
}

/*
 * Messages that wait.  False: the other end is closed.  Any of them shows
 * that the engine's loop runs.
 */
static bool
drain(struct watch *w)
{
	struct ipc_msg m;
	int rc, fd;

	for (int i = 0; i < DRAIN_MAX && w->fd != -1; i++) {
		rc = ipc_recv(w->fd, &m, &fd);
		if (rc == -EPROTO) {
			log_line(LOG_ERR, "engine: unintelligible message");
			continue;
		}
		if (rc <= 0)
			return rc != 0;
		w->heard = true;
		w->missed = 0;
		w->ops.message(w->arg, &m, fd);
	}
	return true;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;

	(void)fd, (void)what;
	if (drain(w) || w->readable == NULL)
		return;
	/* It dies, or cannot be led any more. */
	(void)event_del(w->readable);
	watch_kill(w);
	w->ops.lost(w->arg);
}

/*
 * Ticks are counted, not time: a supervisor that was stopped or starved
 * itself has not ticked either, and reads what waits before it judges.
 */
static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;
	unsigned limit = w->busy ? BUSY_MS / w->beat_ms : IPC_BEATS;

	(void)fd, (void)what;
	(void)drain(w);
	if (w->pid == 0)
		return;
	if (!w->heard)
		w->missed++;
	w->heard = false;
	if (w->missed < limit)
		return;
	log_line(LOG_ERR, "engine: no sign of life for %.1f s: killing it",
	    limit * w->beat_ms / 1000.0);
	watch_kill(w);
	w->missed = 0;
	w->ops.lost(w->arg);
}

void
watch_expect(struct watch *w, unsigned beat_ms, bool busy)
{
	struct timeval tv = { beat_ms / 1000, beat_ms % 1000 * 1000 };

	w->busy = busy;
	w->missed = 0;
	if (beat_ms == w->beat_ms && event_pending(w->tick, EV_TIMEOUT, NULL))
		return;
	w->beat_ms = beat_ms;
	(void)event_add(w->tick, &tv);
}

/* Closes all descriptors from `from` on but three; those may be -1. */
static void
close_others(int from, int a, int b, int c)
{
	int keep[3] = { a, b, c };
	int low;

	for (;;) {
		low = -1;
		for (int i = 0; i < 3; i++)
			if (keep[i] >= from && (low == -1 || keep[i] < low))
				low = keep[i];
		if (low == -1)
			break;
		if (low > from)
			(void)close_range((unsigned)from, (unsigned)low - 1, 0);
		from = low + 1;
	}
	(void)close_range((unsigned)from, ~0U, 0);
}

/*
 * A dying process gives its descriptors back from the highest down, and
 * packet sockets take tens of milliseconds: so the supervisor is told first.
 */
static int
move_up(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);

	if (high == -1)
		return fd;
	(void)close(fd);
	return high;
}

/*
 * In the new process.  The lock stays held: no second carpd may start while
 * this one still has an address.
 */
static int
be_engine(const struct watch_child *c, int ipc)
{
	struct ipc_msg m = { .type = IPC_APPLIED };
	bool keep_lock = false;
	int rc = 0;

	ipc = move_up(ipc);
	close_others(3, ipc, c->listen_fd, c->lock_fd);
	log_open("carpd: engine", -1);
	(void)prctl(PR_SET_NAME, "carpd-engine", 0, 0, 0);
	if (c->realtime)
		rc = realtime_enter(&keep_lock, m.text, sizeof(m.text));
	if (rc == 0)
		rc = privilege_drop(
		    c->account, keep_lock, m.text, sizeof(m.text));
	if (rc < 0) {
		m.rc = rc;
		(void)ipc_send(ipc, &m, -1);
		return EXIT_FAILURE;
	}
	/*
	 * The end of the supervisor shows on the socket; a stopped engine
	 * must be woken to see it.  Set now, as a change of user clears it.
	 */
	(void)prctl(PR_SET_PDEATHSIG, SIGCONT, 0, 0, 0);
	return child_run(ipc, c->listen_fd);
}

int
watch_start(struct watch *w, const struct watch_child *c)
{
	int fds[2], rc;

	rc = ipc_pair(fds);
	if (rc < 0)
		return rc;
	(void)fflush(NULL);
	/* What reading the configuration took is not for the engine to keep. */
	(void)malloc_trim(0);
	w->pid = fork();
	if (w->pid == 0)
		exit(be_engine(c, fds[1]));
	(void)close(fds[1]);
	w->fd = fds[0];
	if (w->pid == -1) {
		rc = -errno;
		w->pid = 0;
		hang_up(w);
		return rc;
	}
	w->readable =
	    event_new(w->base, w->fd, EV_READ | EV_PERSIST, on_readable, w);
	if (w->readable != NULL)
		(void)event_priority_set(w->readable, 0);
	if (w->readable == NULL || event_add(w->readable, NULL) == -1)
		log_line(LOG_ERR, "engine: no event: %s", strerror(ENOMEM));
	w->heard = false;
	watch_expect(w, FIRST_MS, true);
	return 0;
}

bool
watch_running(const struct watch *w)
{
	return w->pid != 0;
}

bool
watch_healthy(const struct watch *w)
{
	return w->pid != 0 && (w->busy || w->missed < IPC_BEATS / 2);
}

void
watch_send(struct watch *w, const struct ipc_msg *m, int attach)
{
	int rc;

	if (w->fd == -1)
		return;
	rc = ipc_send(w->fd, m, attach);
	if (rc == 0 || rc == -EPIPE) /* its end is seen elsewhere */
		return;
	log_line(LOG_ERR, "engine: cannot be told anything: %s: killing it",
	    strerror(-rc));
	watch_kill(w);
}

void
watch_kill(struct watch *w)
{
	if (w->pid != 0)
		(void)kill(w->pid, SIGKILL);
}

void
watch_end(struct watch *w)
{
	watch_kill(w);
	for (int i = 0; i < END_MS && w->pid != 0; i++) {
		if (waitpid(w->pid, NULL, WNOHANG) != 0)
			w->pid = 0;
		else
			(void)poll(NULL, 0, 1);
	}
}

bool
watch_reaped(struct watch *w, pid_t pid, int status)
{
	if (w->pid == 0 || pid != w->pid)
		return false;
	w->pid = 0;
	(void)drain(w); /* its last words */
	hang_up(w);
	w->ops.ended(w->arg, status);
	return true;
}
