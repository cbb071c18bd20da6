/* SPDX-License-Identifier: ISC */
/* Notification hooks: who is told of which state change. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hook_run.h"
#include "log.h"
#include "notify.h"
#include "notify_dir.h"
#include "notify_queue.h"

#define JOBS_MAX       64 /* at once, over all hosts */
#define STARTS_MAX     8  /* then others have their turn in the loop */
#define COMPLAINTS_MAX 32

struct job { /* one change of one host, told to each hook */
	struct notify_host *host; /* NULL: free */
	struct notify_dir dir;
	size_t next;	      /* hook to run after this one */
	struct hook_run *run; /* NULL: due */
};

struct notify {
	struct event_base *base;
	struct event *turn; /* starts what is due; of low priority */
	void (*idle)(void *arg);
	void *arg;
	char dir[CONF_PATH_MAX];
	char node[CONF_NAME_MAX];
	unsigned limit;
	bool any; /* dir had a hook when it was read last */
	struct hook_spare *spare;
	struct notify_queue queue;
	struct job job[JOBS_MAX];
	char *told[COMPLAINTS_MAX]; /* complaints that were made */
	size_t ntold;
};

static void on_turn(evutil_socket_t, short, void *);

int
notify_new(struct notify **ret, struct event_base *base, void (*idle)(void *),
    void *arg)
{
	char program[PATH_MAX];
	struct notify *n;

	n = calloc(1, sizeof(*n));
	if (n == NULL)
		return -ENOMEM;
	n->base = base;
	n->idle = idle;
	n->arg = arg;
	notify_queue_init(&n->queue);
	n->turn = evtimer_new(base, on_turn, n);
	hook_spare_program(program, sizeof(program), conf_hook_dirs[1]);
	if (n->turn == NULL || hook_spare_new(&n->spare, base, program) < 0) {
		if (n->turn != NULL)
			event_free(n->turn);
		free(n);
		return -ENOMEM;
	}
	(void)event_priority_set(n->turn, event_base_get_npriorities(base) - 1);
	*ret = n;
	return 0;
}

static void
forget_complaints(struct notify *n)
{
	while (n->ntold > 0)
		free(n->told[--n->ntold]);
}

void
notify_free(struct notify *n)
{
	if (n == NULL)
		return;
	for (size_t i = 0; i < JOBS_MAX; i++) {
		if (n->job[i].run != NULL) {
			hook_run_kill(n->job[i].run, "carpd stops");
			hook_run_end(n->job[i].run, 0, NULL);
		}
		notify_dir_clear(&n->job[i].dir);
	}
	notify_queue_clear(&n->queue);
	forget_complaints(n);
	hook_spare_free(n->spare);
	event_free(n->turn);
	free(n);
}

/* Once each, until the configuration is read again or there are too many. */
static void
complain(void *arg, const char *sentence)
{
	struct notify *n = arg;

	for (size_t i = 0; i < n->ntold; i++)
		if (strcmp(n->told[i], sentence) == 0)
			return;
	log_line(LOG_WARNING, "notify hooks: %s", sentence);
	if (n->ntold == COMPLAINTS_MAX)
		forget_complaints(n);
	n->told[n->ntold] = strdup(sentence);
	if (n->told[n->ntold] != NULL)
		n->ntold++;
}

enum { ARGS = 4, VARS = 9 };

struct words { /* what a hook is started with */
	char text[VARS][CONF_PATH_MAX];
	char who[40];
	char *argv[ARGS], *env[VARS];
};

/* The next variable.  All values fit: they are bounded by the configuration. */
static void __attribute__((format(printf, 3, 4)))
put(struct words *w, size_t *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(w->text[*n], sizeof(w->text[*n]), fmt, ap);
	va_end(ap);
	w->env[*n] = w->text[*n];
	(*n)++;
}

static void
put_words(struct words *w, char *path, const struct notify *n,
    const struct notify_change *c)
{
	size_t i = 0;

	put(w, &i,
	    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
	    "/sbin:/bin");
	put(w, &i, "CARPD_INTERFACE=%s", c->ifname);
	put(w, &i, "CARPD_VHID=%u", c->vhid);
	put(w, &i, "CARPD_STATE=%s", carp_state_name(c->to));
	put(w, &i, "CARPD_PREVIOUS=%s", carp_state_name(c->from));
	put(w, &i, "CARPD_CAUSE=%s", c->cause);
	put(w, &i, "CARPD_NODE=%s", n->node);
	w->env[i] = NULL;
	(void)snprintf(w->who, sizeof(w->who), "%u@%s", c->vhid, c->ifname);
	w->argv[0] = path;
	w->argv[1] = w->who;
	w->argv[2] = (char *)(uintptr_t)carp_state_name(c->to);
	w->argv[3] = NULL;
}

/* 0: it runs. */
static int
run_hook(struct notify *n, struct job *j, const char *name)
{
	const struct notify_change *c = &j->host->now;
	struct hook_run_args a = { .limit_ms = n->limit * 1000,
		.spare = n->spare,
		.pass = { -1, -1 } };
	char path[PATH_MAX], label[512];
	struct words w;
	int rc;

	(void)snprintf(path, sizeof(path), "%s/%s", n->dir, name);
	(void)snprintf(label, sizeof(label), "vhid %u %s: hook %s %s", c->vhid,
	    c->ifname, name, carp_state_name(c->to));
	put_words(&w, path, n, c);
	a.path = path;
	a.label = label;
	a.argv = w.argv;
	a.env = w.env;
	rc = hook_run_start(&j->run, n->base, &a);
	if (rc < 0)
		log_line(LOG_ERR, "%s: not run: %s", label, strerror(-rc));
	return rc;
}

static void
log_skipped(const struct notify_change *c, const char *why)
{
	log_line(LOG_NOTICE, "vhid %u %s: hooks not told of %s -> %s: %s",
	    c->vhid, c->ifname, carp_state_name(c->from),
	    carp_state_name(c->to), why);
}

/* Each hook has been told, or there is something newer to tell. */
static void
end_job(struct notify *n, struct job *j)
{
	const struct notify_host *h = j->host;

	if (j->next < j->dir.n)
		log_line(LOG_NOTICE,
		    "vhid %u %s: %zu more hooks not told of %s: it is %s now",
		    h->now.vhid, h->now.ifname, j->dir.n - j->next,
		    carp_state_name(h->now.to), carp_state_name(h->newest.to));
	notify_dir_clear(&j->dir);
	notify_queue_done(&n->queue, j->host);
	j->host = NULL;
}

/* Starts the next hook of a job that is due.  Counts in starts. */
static void
advance(struct notify *n, struct job *j, unsigned *starts)
{
	while (j->next < j->dir.n && !j->host->waiting) {
		(*starts)++;
		if (run_hook(n, j, j->dir.names[j->next++]) == 0)
			return;
	}
	end_job(n, j);
}

static void
read_dir(struct notify *n, struct notify_dir *ret)
{
	if (n->dir[0] != '\0')
		notify_dir_read(ret, n->dir, complain, n);
	n->any = ret->n > 0;
	hook_spare_want(n->spare, n->any);
}

static bool
take_job(struct notify *n, struct job *j)
{
	j->host = notify_queue_take(&n->queue);
	if (j->host == NULL)
		return false;
	j->next = 0;
	read_dir(n, &j->dir);
	return true;
}

static void
schedule(struct notify *n)
{
	const struct timeval soon = { 0, 0 };

	(void)evtimer_add(n->turn, &soon);
}

/*
 * Hooks that end at once would otherwise keep the loop from all else, as
 * thousands of hosts may change at one moment.
 */
static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct notify *n = arg;
	unsigned starts = 0, looked = 0;

	(void)fd, (void)what;
	for (size_t i = 0; i < JOBS_MAX; i++) {
		struct job *j = &n->job[i];

		while (j->run == NULL && (j->host != NULL || take_job(n, j))) {
			if (starts >= STARTS_MAX || looked >= JOBS_MAX) {
				schedule(n);
				return;
			}
			looked++;
			advance(n, j, &starts);
		}
	}
	if (notify_idle(n))
		n->idle(n->arg);
}

void
notify_change(struct notify *n, const char *ifname, uint8_t vhid,
    enum carp_state from, enum carp_state to, const char *cause)
{
	struct notify_change c = { .vhid = vhid, .from = from, .to = to };
	struct notify_change skipped;
	int rc;

	(void)snprintf(c.ifname, sizeof(c.ifname), "%s", ifname);
	(void)snprintf(c.cause, sizeof(c.cause), "%s", cause);
	rc = notify_queue_push(&n->queue, &c, &skipped);
	if (rc < 0)
		log_skipped(&c, strerror(-rc));
	else if (rc == 1 && n->any)
		log_skipped(&skipped, "hooks lag behind");
	schedule(n);
}

static void
to_init(struct notify *n, const struct notify_host *h, const char *cause)
{
	struct notify_change c = h->newest;

	if (c.to != CARP_INIT)
		notify_change(n, c.ifname, c.vhid, c.to, CARP_INIT, cause);
}

void
notify_lost(struct notify *n, const char *cause)
{
	struct notify_host *h, *next;

	for (h = LIST_FIRST(&n->queue.all); h != NULL; h = next) {
		next = LIST_NEXT(h, all);
		to_init(n, h, cause);
	}
}

size_t
notify_masters(const struct notify *n, struct ipc_master *ret, size_t max)
{
	const struct notify_host *h;
	size_t k = 0;

	LIST_FOREACH(h, &n->queue.all, all)
	{
		if (h->newest.to != CARP_MASTER)
			continue;
		if (k < max) {
			memset(&ret[k], 0, sizeof(ret[k]));
			memcpy(ret[k].ifname, h->newest.ifname,
			    sizeof(ret[k].ifname));
			ret[k].vhid = h->newest.vhid;
		}
		k++;
	}
	return k;
}

bool
notify_configured(const struct conf *conf, const char *ifname, uint8_t vhid)
{
	const struct conf_host *h = conf_hosts(conf);

	for (uint32_t i = 0; i < conf->nhosts; i++)
		if (h[i].carp.vhid == vhid && strcmp(h[i].ifname, ifname) == 0)
			return true;
	return false;
}

void
notify_configure(struct notify *n, const struct conf *conf)
{
	struct notify_dir dir = { .n = 0 };
	struct notify_host *h, *next;

	memcpy(n->dir, conf->notify_dir, sizeof(n->dir));
	memcpy(n->node, conf->name, sizeof(n->node));
	n->limit = conf->notify_timeout;
	forget_complaints(n);
	read_dir(n, &dir);
	notify_dir_clear(&dir);
	for (h = LIST_FIRST(&n->queue.all); h != NULL; h = next) {
		next = LIST_NEXT(h, all);
		if (!notify_configured(conf, h->newest.ifname, h->newest.vhid))
			to_init(n, h, "no longer configured");
	}
}

bool
notify_reaped(struct notify *n, pid_t pid, int status)
{
	for (size_t i = 0; i < JOBS_MAX; i++) {
		struct job *j = &n->job[i];

		if (j->run == NULL || hook_run_pid(j->run) != pid)
			continue;
		hook_run_end(j->run, status, NULL);
		j->run = NULL;
		schedule(n);
		return true;
	}
	return hook_spare_reaped(n->spare, pid);
}

bool
notify_idle(const struct notify *n)
{
	return notify_queue_idle(&n->queue);
}
