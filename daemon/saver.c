/* SPDX-License-Identifier: ISC */
/* What is remembered, written by processes of their own. */
#include <sys/wait.h>

#include <jansson.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failover_format.h"
#include "kept.h"
#include "log.h"
#include "saver.h"

#define NFILES(s) (sizeof((s)->file) / sizeof((s)->file[0]))

static struct saver_file *
state_file(struct saver *s)
{
	return &s->file[0];
}

static struct saver_file *
failover_file(struct saver *s)
{
	return &s->file[1];
}

/* 0, or a negative errno and a sentence. */
static int
check_failover(const char *text, size_t len, char *why, size_t size)
{
	struct failover_format f;
	json_error_t error;
	json_t *root;
	int rc;

	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (root == NULL) {
		(void)snprintf(
		    why, size, "line %d: %s", error.line, error.text);
		return -EBADMSG;
	}
	rc = failover_format_read(&f, root, why, size);
	json_decref(root);
	return rc;
}

/*
 * It may have said that failover is disabled, and why is not known: whoever
 * disabled it may be working on the storage.
 */
static void
fail_closed(struct saver_file *f)
{
	static const char text[] =
	    "{\"version\": 1, \"boot_id\": \"\", \"disabled\": true, "
	    "\"timeout\": -1, \"master\": -1, \"next_id\": 1, "
	    "\"history\": []}";

	f->text = strdup(text);
	f->len = f->text != NULL ? sizeof(text) - 1 : 0;
}

/* False: it was there, and could not be used. */
static bool
load_failover(struct saver *s)
{
	struct saver_file *f = failover_file(s);
	char why[512];
	int rc;

	rc = kept_read(&f->text, &f->len, s->dir, f->name, FAILOVER_MAX);
	if (rc == -ENOENT)
		return true;
	if (rc < 0)
		(void)snprintf(why, sizeof(why), "%s", strerror(-rc));
	else
		rc = check_failover(f->text, f->len, why, sizeof(why));
	if (rc == 0)
		return true;
	free(f->text);
	f->text = NULL;
	if (rc == -EBADMSG || rc == -EFBIG)
		kept_aside(s->dir, f->name, why, sizeof(why));
	log_line(LOG_ERR,
	    "%s/%s: %s; failover is disabled until it is enabled again: "
	    "carpctl failover control action=ENABLE",
	    s->dir, f->name, why);
	fail_closed(f);
	return false;
}

void
saver_close(struct saver *s)
{
	for (size_t i = 0; i < NFILES(s); i++) {
		free(s->file[i].text);
		s->file[i].text = NULL;
	}
}

static void
write_file(const struct saver *s, struct saver_file *f)
{
	if (s->dir == NULL || f->text == NULL)
		return;
	f->again = f->pid != 0;
	if (f->again)
		return;
	f->pid = fork();
	if (f->pid == 0) {
		/* Who outlives us must not look like us to the engine. */
		(void)close_range(3, ~0U, 0);
		_exit(-kept_write(s->dir, f->name, f->text, f->len));
	}
	if (f->pid == -1) {
		log_line(LOG_ERR, "%s/%s: not saved: %s", s->dir, f->name,
		    strerror(errno));
		f->pid = 0;
	}
}

void
saver_open(struct saver *s, const char *dir)
{
	char why[512];

	memset(s, 0, sizeof(*s));
	s->dir = dir;
	state_file(s)->name = STATE_FILE;
	state_file(s)->loss = "maintenance is forgotten with a restart";
	failover_file(s)->name = FAILOVER_FILE;
	failover_file(s)->loss = "what was known of failovers is forgotten";
	if (dir == NULL)
		return;
	if (state_load(&s->state, dir, why, sizeof(why)) < 0)
		log_line(LOG_ERR,
		    "%s/state.json: %s; going on with the "
		    "defaults: maintenance is off",
		    dir, why);
	if (s->state.maintenance)
		log_line(LOG_NOTICE, "maintenance is on, as it was before");
	/* A restart must not take a missing file for all being well. */
	if (!load_failover(s))
		write_file(s, failover_file(s));
}

static void
set_text(
    const struct saver *s, struct saver_file *f, const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	if (copy == NULL) {
		log_line(
		    LOG_ERR, "%s: not saved: %s", f->name, strerror(ENOMEM));
		return;
	}
	memcpy(copy, text, len);
	copy[len] = '\0';
	free(f->text);
	f->text = copy;
	f->len = len;
	write_file(s, f);
}

void
saver_save(struct saver *s)
{
	char text[128];
	size_t len = state_text(text, sizeof(text), &s->state);

	set_text(s, state_file(s), text, len);
}

/* What could not be read back is not written. */
void
saver_remember(struct saver *s, const char *text, size_t len)
{
	struct saver_file *f = failover_file(s);
	char why[512] = "is too long";

	if (len >= FAILOVER_MAX ||
	    check_failover(text, len, why, sizeof(why)) < 0)
		log_line(LOG_ERR, "%s: not saved: what the engine says %s",
		    f->name, why);
	else
		set_text(s, f, text, len);
}

const char *
saver_remembered(const struct saver *s, size_t *len)
{
	*len = s->file[1].len;
	return s->file[1].text;
}

static void
log_failure(const struct saver *s, const struct saver_file *f, int status)
{
	if (WIFSIGNALED(status))
		log_line(LOG_ERR, "%s/%s: not saved: signal %d", s->dir,
		    f->name, WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		log_line(LOG_ERR, "%s/%s: not saved: %s; %s", s->dir, f->name,
		    strerror(WEXITSTATUS(status)), f->loss);
}

bool
saver_reaped(struct saver *s, pid_t pid, int status)
{
	for (size_t i = 0; i < NFILES(s); i++) {
		struct saver_file *f = &s->file[i];

		if (f->pid == 0 || pid != f->pid)
			continue;
		f->pid = 0;
		log_failure(s, f, status);
		if (f->again)
			write_file(s, f);
		return true;
	}
	return false;
}

bool
saver_idle(const struct saver *s)
{
	for (size_t i = 0; i < NFILES(s); i++)
		if (s->file[i].pid != 0)
			return false;
	return true;
}
