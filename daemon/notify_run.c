/* SPDX-License-Identifier: ISC */
/* One run of one notification hook: its process, its output, its limit. */
#include <sys/resource.h>
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

#include "log.h"
#include "notify_run.h"

#define OUT_LINE_MAX  512 /* bytes of a line of output */
#define OUT_LINES_MAX 100 /* lines of one run; the rest is counted */
#define READS_MAX     16  /* at once, so that others have their turn */

struct notify_run {
	char *label;
	pid_t pid;
	int out; /* what it writes */
	struct event *readable, *timeout;
	unsigned limit;
	uint64_t started;
	bool killed, late;
	char line[OUT_LINE_MAX];
	size_t len; /* of line, < OUT_LINE_MAX */
	unsigned lines, dropped;
};

static void
flush_line(struct notify_run *r)
{
	if (r->len == 0)
		return;
	if (r->lines < OUT_LINES_MAX) {
		log_line(LOG_INFO, "%s: %.*s", r->label, (int)r->len, r->line);
		r->lines++;
	} else {
		r->dropped++;
	}
	r->len = 0;
}

static void
take_output(struct notify_run *r, const char *p, size_t n)
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
	struct notify_run *r = arg;
	char buf[4096];
	ssize_t n = 0;

	(void)what;
	for (int i = 0; i < READS_MAX; i++) {
		n = read(fd, buf, sizeof(buf));
		if (n <= 0)
			break;
		take_output(r, buf, (size_t)n);
	}
	if (n == 0)
		(void)event_del(r->readable);
}

static void
on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct notify_run *r = arg;

	(void)fd, (void)what;
	r->late = true;
	notify_run_kill(r);
}

/* In the new process: nothing of ours is left but the end of the pipe. */
static void
become(const struct notify_run_args *a, int out)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;
	int null;

	(void)setpgid(0, 0);
	if (getpriority(PRIO_PROCESS, 0) < 0)
		(void)setpriority(PRIO_PROCESS, 0, 0);
	for (int s = 1; s < NSIG; s++)
		(void)sigaction(s, &sa, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	null = open("/dev/null", O_RDONLY);
	if (null == -1 || dup2(null, 0) == -1 || dup2(out, 1) == -1 ||
	    dup2(out, 2) == -1 || close_range(3, ~0U, 0) == -1 ||
	    chdir("/") == -1)
		_exit(126);
	(void)execve(a->path, a->argv, a->env);
	dprintf(2, "cannot be run: %s\n", strerror(errno));
	_exit(127);
}

static void
run_free(struct notify_run *r)
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
spawn(struct notify_run *r, const struct notify_run_args *a)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) == -1)
		return -errno;
	r->out = fds[0];
	(void)fcntl(r->out, F_SETFL, O_NONBLOCK);
	r->started = carp_now();
	r->pid = fork();
	if (r->pid == 0)
		become(a, fds[1]);
	(void)close(fds[1]);
	if (r->pid == -1)
		return -errno;
	(void)setpgid(r->pid, r->pid); /* whoever is first; the group exists */
	return 0;
}

int
notify_run_start(struct notify_run **ret, struct event_base *base,
    const struct notify_run_args *a)
{
	struct timeval limit = { (time_t)a->limit, 0 };
	struct notify_run *r;
	int rc = -ENOMEM;

	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return -ENOMEM;
	r->out = -1;
	r->limit = a->limit;
	r->label = strdup(a->label);
	r->timeout = evtimer_new(base, on_timeout, r);
	if (r->label == NULL || r->timeout == NULL ||
	    evtimer_add(r->timeout, &limit) == -1)
		goto fail;
	rc = spawn(r, a);
	if (rc < 0)
		goto fail;
	/* Without it the output is read at the end. */
	r->readable =
	    event_new(base, r->out, EV_READ | EV_PERSIST, on_output, r);
	if (r->readable != NULL)
		(void)event_add(r->readable, NULL);
	*ret = r;
	return 0;
fail:
	run_free(r);
	return rc;
}

pid_t
notify_run_pid(const struct notify_run *r)
{
	return r->pid;
}

void
notify_run_kill(struct notify_run *r)
{
	r->killed = true;
	(void)kill(-r->pid, SIGKILL);
}

static void
log_end(const struct notify_run *r, int status)
{
	double took = (double)(carp_now() - r->started) / 1e9;

	if (r->dropped > 0)
		log_line(LOG_NOTICE, "%s: %u more lines of output left out",
		    r->label, r->dropped);
	if (r->late)
		log_line(LOG_WARNING, "%s: killed after its limit of %u s",
		    r->label, r->limit);
	else if (r->killed)
		log_line(LOG_WARNING, "%s: killed after %.3f s: carpd stops",
		    r->label, took);
	else if (WIFSIGNALED(status))
		log_line(LOG_WARNING,
		    "%s: ended by signal %d (%s) after %.3f s", r->label,
		    WTERMSIG(status), strsignal(WTERMSIG(status)), took);
	else
		log_line(WEXITSTATUS(status) == 0 ? LOG_INFO : LOG_WARNING,
		    "%s: exit status %d after %.3f s", r->label,
		    WEXITSTATUS(status), took);
}

void
notify_run_end(struct notify_run *r, int status)
{
	on_output(r->out, EV_READ, r);
	flush_line(r);
	log_end(r, status);
	run_free(r);
}
