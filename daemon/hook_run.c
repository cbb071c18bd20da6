/* SPDX-License-Identifier: ISC */
/* One run of one hook: its process, its output, its time limit. */
#include <sys/time.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <carp/engine.h>

#include "hook_group.h"
#include "hook_run.h"
#include "log.h"

#define OUT_LINE_MAX  512 /* bytes of a line of output */
#define OUT_LINES_MAX 100 /* lines of one run; the rest is counted */
#define READS_MAX     16  /* at once, so that others have their turn */
#define STUCK_MS      250 /* a killed process is gone sooner, or not at all */
#define LINGER_MS     10  /* between looks at what is left of its group */
#define LINGER_NS     (STUCK_MS * (CARP_SEC / 1000))

struct hook_run {
	char *label;
	pid_t pid;
	int out; /* what it writes */
	struct event *readable, *timeout;
	unsigned limit_ms;
	int fine;
	bool quiet;
	void (*stuck)(void *arg);
	void (*gone)(void *arg, pid_t, int status);
	void *arg;
	uint64_t started, slain; /* slain: when it was killed */
	bool killed, late;
	bool told;		 /* that it does not end */
	bool lingers;		 /* it was reaped, its group is not gone; */
	int status;		 /* this was its own */
	char why[HOOK_LAST_MAX]; /* it was killed */
	char line[OUT_LINE_MAX];
	size_t len; /* of line, < OUT_LINE_MAX */
	char last[HOOK_LAST_MAX];
	unsigned lines, dropped;
};

static void
flush_line(struct hook_run *r)
{
	if (r->len == 0)
		return;
	(void)snprintf(r->last, sizeof(r->last), "%.*s", (int)r->len, r->line);
	if (r->lines < OUT_LINES_MAX) {
		log_line(LOG_INFO, "%s: %.*s", r->label, (int)r->len, r->line);
		r->lines++;
	} else {
		r->dropped++;
	}
	r->len = 0;
}

static void
take_output(struct hook_run *r, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n' || r->len == OUT_LINE_MAX - 1)
			flush_line(r);
		if (p[i] != '\n')
			r->line[r->len++] = p[i];
	}
}

static void
on_output(evutil_socket_t fd, short what, void *arg)
{
	struct hook_run *r = arg;
	char buf[4096];
	ssize_t n = 0;

	(void)what;
	for (int i = 0; i < READS_MAX; i++) {
		n = read(fd, buf, sizeof(buf));
		if (n <= 0)
			break;
		take_output(r, buf, (size_t)n);
	}
	if (n == 0 && r->readable != NULL)
		(void)event_del(r->readable);
}

static void
set_timeout(struct hook_run *r, unsigned ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	(void)evtimer_add(r->timeout, &tv);
}

/* A hook that has not yet made its group is a process alone. */
static void
slay(struct hook_run *r)
{
	r->killed = true;
	r->slain = carp_now();
	if (kill(-r->pid, SIGKILL) == -1)
		(void)kill(r->pid, SIGKILL);
	set_timeout(r, STUCK_MS);
}

static void
does_not_end(struct hook_run *r)
{
	r->told = true;
	log_line(LOG_ERR, "%s: was killed, but does not end", r->label);
	if (r->stuck != NULL)
		r->stuck(r->arg);
}

static void
on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct hook_run *r = arg;

	(void)fd, (void)what;
	if (!r->killed) {
		r->late = true;
		slay(r);
	} else if (!r->lingers) {
		does_not_end(r);
	} else if (!hook_group_lives(r->pid)) {
		r->gone(r->arg, r->pid, r->status);
	} else {
		set_timeout(r, r->told ? STUCK_MS : LINGER_MS);
		if (!r->told && carp_now() - r->slain >= LINGER_NS)
			does_not_end(r);
	}
}

bool
hook_run_lingers(struct hook_run *r, int status)
{
	if (!r->killed || !hook_group_lives(r->pid))
		return false;
	r->lingers = true;
	r->status = status;
	set_timeout(r, LINGER_MS);
	return true;
}

static void
release(struct hook_run *r)
{
	if (r->readable != NULL)
		event_free(r->readable);
	if (r->timeout != NULL)
		event_free(r->timeout);
	if (r->out != -1)
		(void)close(r->out);
	free(r->label);
	free(r);
}

static int
spawn(struct hook_run *r, const struct hook_run_args *a)
{
	int fds[2];

	r->started = carp_now();
	if (a->spare != NULL) {
		r->pid =
		    hook_spare_use(a->spare, a->path, a->argv, a->env, &r->out);
		if (r->pid != -1)
			return 0;
	}
	if (pipe2(fds, O_CLOEXEC) == -1)
		return -errno;
	r->out = fds[0];
	(void)fcntl(r->out, F_SETFL, O_NONBLOCK);
	r->pid = fork();
	if (r->pid == 0) {
		hook_leave_us(fds[1], a->pass, a->orphan);
		hook_exec(a->path, a->argv, a->env);
	}
	(void)close(fds[1]);
	return r->pid == -1 ? -errno : 0;
}

int
hook_run_start(struct hook_run **ret, struct event_base *base,
    const struct hook_run_args *a)
{
	struct hook_run *r;
	int rc = -ENOMEM;

	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return -ENOMEM;
	r->out = -1;
	r->limit_ms = a->limit_ms;
	r->fine = a->fine;
	r->quiet = a->quiet;
	r->stuck = a->stuck;
	r->gone = a->gone;
	r->arg = a->arg;
	r->label = strdup(a->label);
	r->timeout = evtimer_new(base, on_timeout, r);
	if (r->label == NULL || r->timeout == NULL)
		goto fail;
	rc = spawn(r, a);
	if (rc < 0)
		goto fail;
	/* The loop may have been busy for longer than it knows. */
	(void)event_base_update_cache_time(base);
	set_timeout(r, a->limit_ms);
	/* Without it the output is read at the end. */
	r->readable =
	    event_new(base, r->out, EV_READ | EV_PERSIST, on_output, r);
	if (r->readable != NULL)
		(void)event_add(r->readable, NULL);
	*ret = r;
	return 0;
fail:
	release(r);
	return rc;
}

pid_t
hook_run_pid(const struct hook_run *r)
{
	return r->pid;
}

void
hook_run_kill(struct hook_run *r, const char *why)
{
	if (r->killed)
		return;
	(void)snprintf(r->why, sizeof(r->why), "%s", why);
	slay(r);
}

static void
log_end(const struct hook_run *r, int status)
{
	double took = (double)(carp_now() - r->started) / 1e9;
	int code = WEXITSTATUS(status), good = r->quiet ? LOG_DEBUG : LOG_INFO;

	if (r->dropped > 0)
		log_line(LOG_NOTICE, "%s: %u more lines of output left out",
		    r->label, r->dropped);
	if (r->late)
		log_line(LOG_WARNING, "%s: killed after its limit of %.3g s",
		    r->label, r->limit_ms / 1000.0);
	else if (r->killed)
		log_line(LOG_WARNING, "%s: killed after %.3f s: %s", r->label,
		    took, r->why);
	else if (WIFSIGNALED(status))
		log_line(LOG_WARNING,
		    "%s: ended by signal %d (%s) after %.3f s", r->label,
		    WTERMSIG(status), strsignal(WTERMSIG(status)), took);
	else
		log_line(code == 0 || code == r->fine ? good : LOG_WARNING,
		    "%s: exit status %d after %.3f s", r->label, code, took);
}

void
hook_run_look(struct hook_run *r, struct hook_result *ret)
{
	on_output(r->out, EV_READ, r);
	memset(ret, 0, sizeof(*ret));
	ret->killed = r->killed;
	ret->late = r->late;
	ret->began = r->started;
	ret->took = carp_now() - r->started;
	memcpy(ret->last, r->last, sizeof(ret->last));
}

void
hook_run_end(struct hook_run *r, int status, struct hook_result *ret)
{
	on_output(r->out, EV_READ, r);
	flush_line(r);
	log_end(r, status);
	if (ret != NULL) {
		hook_run_look(r, ret);
		ret->status = status;
	}
	release(r);
}

void
hook_run_free(struct hook_run *r)
{
	if (!r->killed)
		slay(r);
	release(r);
}
