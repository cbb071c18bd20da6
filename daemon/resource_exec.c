/* SPDX-License-Identifier: ISC */
/* One run of a hook of a resource: its beginning and its end. */
#include <sys/wait.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hook_file.h"
#include "log.h"
#include "resource_part.h"

/* "storage tank: zfs start" */
static void
label(char *ret, size_t size, const struct part *t, enum resource_verb verb)
{
	const struct plan_item *it = part_item(t);

	(void)snprintf(ret, size, "%s %s: %s %s", words_phase(it->phase),
	    it->name, t->hook, resource_verb_name(verb));
}

static const struct secret *
secret_of(const struct part *t)
{
	return t->secret.p != NULL ? &t->secret : &t->all->secret;
}

/* It could not be started, for the reason in r->last. */
static void
not_run(struct part *t, enum resource_verb verb, const struct hook_result *r)
{
	char who[256];

	label(who, sizeof(who), t, verb);
	log_line(LOG_ERR, "%s: not run: %s", who, r->last);
	alive_started(t, false);
	resource_report_end(t->all, t, HOOK_NOT_RUN, false, r);
	(void)place_record(t);
}

static void
on_stuck(void *arg)
{
	struct part *t = arg;
	enum resource_verb verb = part_item(t)->verb;
	struct hook_run *run = t->run;
	struct hook_result r;

	hook_run_look(run, &r);
	t->run = NULL;
	if (verb == VERB_START)
		t->stuck = run;
	else if (verb == VERB_STATUS && t->stuck_look == NULL)
		t->stuck_look = run;
	else
		hook_run_free(run);
	alive_started(t, false);
	resource_report_end(t->all, t, HOOK_TIMEOUT, true, &r);
	(void)place_record(t);
	resource_pump(t->all);
}

static void end_run(struct part *, pid_t, int status);

static void
on_gone(void *arg, pid_t pid, int status)
{
	struct part *t = arg;

	end_run(t, pid, status);
	resource_pump(t->all);
}

static int
begin(struct part *t, const struct plan_action *a, const char *path,
    const int pass[HOOK_PASSED])
{
	struct hook_run_args args = {
		.path = path,
		.limit_ms = t->limit_ms[a->verb],
		.pass = { pass[0], pass[1] },
		/* A way down goes on without us, a way up does not. */
		.orphan = a->verb == VERB_STOP ? 0 : SIGKILL,
		.fine = a->mode == MODE_CHECK ? HOOK_ABSENT : 0,
		.quiet = a->mode == MODE_MONITOR,
		.stuck = on_stuck,
		.gone = on_gone,
		.arg = t,
	};
	struct words w;
	char who[256];
	int rc = -ENOMEM;

	label(who, sizeof(who), t, a->verb);
	words_make(&w, t, path, a->verb, a->mode, pass[0] != -1);
	args.label = who;
	args.argv = w.argv;
	args.env = w.env;
	if (!w.bad)
		rc = hook_run_start(&t->run, t->all->base, &args);
	words_free(&w);
	return rc;
}

/* What only a start is given.  pass may hold descriptors after a failure. */
static int
prepare_start(struct part *t, int pass[HOOK_PASSED])
{
	if (t->has_next) {
		free(t->set.text);
		t->set = t->next;
		memset(&t->next, 0, sizeof(t->next));
		t->has_next = false;
	}
	if (secret_of(t)->p != NULL) {
		pass[0] = secret_pipe(secret_of(t));
		if (pass[0] < 0)
			return pass[0];
	}
	pass[1] = alive_open(t);
	return pass[1] < 0 ? pass[1] : 0;
}

/* Storage that is started must be known to be, should we die. */
static int
try_begin(struct part *t, const struct plan_action *a, char *why, size_t len)
{
	int pass[HOOK_PASSED] = { -1, -1 };
	char path[PATH_MAX];
	int rc;

	rc = hook_file_find(
	    path, sizeof(path), t->all->places.hooks, 2, t->hook, why, len);
	if (rc < 0)
		return rc;
	rc = place_make(t, why, len);
	if (rc < 0 && a->verb == VERB_START)
		return rc;
	rc = 0;
	if (a->verb == VERB_START) {
		rc = place_record(t);
		if (rc == 0)
			rc = prepare_start(t, pass);
	}
	if (rc == 0)
		rc = begin(t, a, path, pass);
	if (rc < 0)
		(void)snprintf(why, len, "%s", strerror(-rc));
	for (int i = 0; i < HOOK_PASSED; i++)
		if (pass[i] >= 0)
			(void)close(pass[i]);
	return rc;
}

void
exec_begin(struct resources *r, const struct plan_action *a)
{
	struct part *t = &r->part[a->index];
	struct hook_result failed = { 0 };
	struct resource_report report;
	int rc;

	rc = try_begin(t, a, failed.last, sizeof(failed.last));
	if (rc < 0) {
		not_run(t, a->verb, &failed);
		return;
	}
	if (a->verb > VERB_STOP)
		return;
	(void)place_record(t);
	plan_state(&r->plan, a->index, &report);
	report.order = part_item(t)->order;
	r->ops.report(r->arg, &report);
}

void
exec_kill(struct part *t, const char *why)
{
	struct plan_item *it = part_item(t);

	it->killed = true;
	if (t->run != NULL) {
		hook_run_kill(t->run, why);
		return;
	}
	if (t->left == 0)
		return;
	log_line(LOG_WARNING, "%s %s: %s of the carpd before killed: %s",
	    words_phase(it->phase), it->name, resource_verb_name(it->verb),
	    why);
	(void)kill(-t->left, SIGKILL);
}

static unsigned
exit_of(const struct hook_result *r)
{
	if (r->late)
		return HOOK_TIMEOUT;
	if (r->killed || !WIFEXITED(r->status))
		return HOOK_SIGNAL;
	return (unsigned)WEXITSTATUS(r->status);
}

static void
ended(struct resources *r, struct part *t, int status)
{
	enum resource_verb verb = part_item(t)->verb;
	struct hook_result result;
	struct hook_run *run = t->run;

	t->run = NULL;
	hook_run_end(run, status, &result);
	if (verb == VERB_START)
		alive_started(t, exit_of(&result) == HOOK_OK);
	resource_report_end(r, t, exit_of(&result), false, &result);
	(void)place_record(t);
}

/* One that nobody waited for any more. */
static bool
late_end(struct part *t, struct hook_run **run, pid_t pid, int status)
{
	if (*run == NULL || hook_run_pid(*run) != pid)
		return false;
	hook_run_end(*run, status, NULL);
	*run = NULL;
	if (run == &t->stuck) {
		plan_unstuck(&t->all->plan, t->index);
		part_item(t)->check = part_item(t)->state == RES_FAILED;
	}
	return true;
}

/* Whose process it is; NULL: nobody's. */
static struct hook_run *
run_of(const struct resources *r, pid_t pid, struct part **ret)
{
	for (unsigned i = 0; i < r->plan.n; i++) {
		struct part *t = &r->part[i];
		struct hook_run *runs[] = { t->run, t->stuck, t->stuck_look };

		for (size_t k = 0; k < sizeof(runs) / sizeof(*runs); k++) {
			*ret = t;
			if (runs[k] != NULL && hook_run_pid(runs[k]) == pid)
				return runs[k];
		}
	}
	return NULL;
}

static void
end_run(struct part *t, pid_t pid, int status)
{
	if (!late_end(t, &t->stuck, pid, status) &&
	    !late_end(t, &t->stuck_look, pid, status))
		ended(t->all, t, status);
}

bool
exec_reaped(struct resources *r, pid_t pid, int status)
{
	struct part *t;
	struct hook_run *run = run_of(r, pid, &t);

	if (run == NULL)
		return false;
	if (!hook_run_lingers(run, status))
		end_run(t, pid, status);
	return true;
}
