/* SPDX-License-Identifier: ISC */
/* What failover mode remembers over restarts. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <carp/carp.h>

#include "failover_format.h"
#include "failover_store.h"
#include "log.h"
#include "report.h"
#include "status_json.h"

#define MS   UINT64_C(1000000)
#define RUNS 200 /* kept of one phase */

static json_t *
ms_since(uint64_t from, uint64_t to)
{
	double us = to > from ? (double)((to - from) / 1000) : 0;

	return json_real(us / 1000);
}

static void
read_boot_id(char ret[40])
{
	ssize_t n = -1;
	int fd;

	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		n = read(fd, ret, 36);
		(void)close(fd);
	}
	ret[n > 0 ? n : 0] = '\0';
}

/*
 * Reading.
 */

static int
take(struct store *s, json_t *root)
{
	struct failover_format f;
	char why[256];
	int rc;

	rc = failover_format_read(&f, root, why, sizeof(why));
	if (rc < 0) {
		log_line(LOG_ERR, "failover.json: %s; beginning anew", why);
		return rc;
	}
	s->disabled = f.disabled != 0;
	s->timeout_s = f.timeout;
	s->master = f.master;
	s->next_id = f.next_id;
	s->history = json_incref(f.history);
	while (json_array_size(s->history) > STORE_HISTORY)
		(void)json_array_remove(s->history, 0);
	return 0;
}

/* The process that wrote it ended in the middle. */
static void
interrupted(struct store *s, const json_t *root)
{
	json_t *last =
	    json_array_get(s->history, json_array_size(s->history) - 1);
	const char *boot = json_string_value(json_object_get(root, "boot_id"));
	bool reboot = boot == NULL || strcmp(boot, s->boot_id) != 0;

	if (last == NULL || !json_is_null(json_object_get(last, "result")))
		return;
	status_put_text(last, "result", "interrupted");
	status_put_text(last, "reason",
	    reboot ? "the node was rebooted" : "carpd was restarted");
	log_line(LOG_WARNING, "a transition was running when %s",
	    reboot ? "the node went down" : "carpd ended");
}

static void
set_defaults(struct store *s)
{
	s->disabled = false;
	s->timeout_s = s->master = -1;
	s->next_id = 1;
}

int
store_init(struct store *s, const char *text)
{
	json_t *root = NULL;
	json_error_t e;

	memset(s, 0, sizeof(*s));
	set_defaults(s);
	read_boot_id(s->boot_id);
	if (text != NULL &&
	    (root = json_loads(text, JSON_REJECT_DUPLICATES, &e)) == NULL)
		log_line(LOG_ERR, "failover.json: line %d: %s; beginning anew",
		    e.line, e.text);
	if (root != NULL && take(s, root) == 0)
		interrupted(s, root);
	json_decref(root);
	if (s->history == NULL && (s->history = json_array()) == NULL)
		return -ENOMEM;
	return 0;
}

void
store_free(struct store *s)
{
	json_decref(s->history);
	s->history = s->current = s->phase = NULL;
}

/* What is oldest goes first; the last one stays, if only its result. */
static void
shorten(struct store *s)
{
	size_t n = json_array_size(s->history);
	size_t part = n / 4 + 1;

	if (n > 1) {
		for (size_t i = 0; i < part && i + 1 < n; i++)
			(void)json_array_remove(s->history, 0);
		return;
	}
	(void)json_array_clear(
	    json_object_get(json_array_get(s->history, 0), "phases"));
	s->phase = NULL;
}

static char *
make_text(const struct store *s)
{
	json_t *root = json_object();
	char *text;

	status_put(root, "version", json_integer(FAILOVER_FORMAT));
	status_put_text(root, "boot_id", s->boot_id);
	status_put(root, "disabled", json_boolean(s->disabled));
	status_put(root, "timeout", json_integer(s->timeout_s));
	status_put(root, "master", json_integer(s->master));
	status_put(root, "next_id", json_integer(s->next_id));
	status_put(root, "history", json_incref(s->history));
	text = json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
	json_decref(root);
	return text;
}

char *
store_text(struct store *s)
{
	char *text = make_text(s);

	/* Else nothing would be kept, not even that failover is disabled. */
	for (unsigned i = 0; text != NULL && i < STORE_HISTORY &&
			     strlen(text) >= STORE_TEXT_MAX;
	     i++) {
		free(text);
		shorten(s);
		text = make_text(s);
	}
	return text;
}

/*
 * The record.
 */

const char *
store_phase_name(enum conf_phase p)
{
	static const char *const name[NPHASES] = { "fence", "storage",
		"service" };

	return (unsigned)p < NPHASES ? name[p] : "?";
}

void
store_begin(
    struct store *s, const char *from, bool up, const char *cause, uint64_t now)
{
	json_t *o = json_object();

	status_put(o, "id", json_integer(s->next_id++));
	status_put(o, "began", report_time(now, now));
	status_put_text(o, "direction", up ? "up" : "down");
	status_put_text(o, "from", from);
	status_put(o, "to", json_null());
	status_put_text(o, "cause", cause);
	status_put(o, "result", json_null());
	status_put(o, "reason", json_null());
	status_put(o, "took_ms", json_null());
	status_put(o, "phases", json_array());
	while (json_array_size(s->history) >= STORE_HISTORY)
		(void)json_array_remove(s->history, 0);
	s->began = now;
	s->phase = NULL;
	s->current = json_array_append_new(s->history, o) == 0 ? o : NULL;
}

static json_t *
add_phase(struct store *s, const char *name, bool up, uint64_t now)
{
	json_t *o;

	if (s->current == NULL || (o = json_object()) == NULL)
		return NULL;
	status_put_text(o, "phase", name);
	status_put_text(o, "direction", up ? "up" : "down");
	status_put(o, "at_ms", ms_since(s->began, now));
	status_put(o, "took_ms", json_null());
	status_put(o, "ok", json_null());
	status_put(o, "runs", json_array());
	if (json_array_append_new(json_object_get(s->current, "phases"), o) !=
	    0)
		return NULL;
	s->phase_began = now;
	return o;
}

void
store_order(struct store *s, const struct resource_order *o, uint64_t now)
{
	static const char *const part[] = { "", " (critical)", " (others)" };
	char name[32];

	(void)snprintf(name, sizeof(name), "%s%s",
	    store_phase_name((enum conf_phase)o->phase), part[o->critical % 3]);
	s->phase = add_phase(s, name, o->up != 0, now);
}

void
store_run(
    struct store *s, const struct conf *conf, const struct resource_report *r)
{
	const struct conf_resource *res = &conf_resources(conf)[r->index];
	json_t *runs = json_object_get(s->phase, "runs"), *o;

	if (s->phase == NULL || json_array_size(runs) >= RUNS)
		return;
	o = json_object();
	status_put_text(o, "resource", res->name);
	status_put_text(o, "hook", conf_text(conf, res->hook));
	status_put_text(
	    o, "verb", resource_verb_name((enum resource_verb)r->verb));
	status_put(o, "at_ms", ms_since(s->began, r->began));
	status_put(o, "took_ms", ms_since(0, r->took));
	status_put(o, "exit", json_integer(r->exit));
	if (r->exit != HOOK_OK)
		status_put_text(o, "reason", r->text);
	(void)json_array_append_new(runs, o);
}

void
store_done(struct store *s, const struct resource_done *d, uint64_t now)
{
	if (s->phase == NULL)
		return;
	status_put(s->phase, "took_ms", ms_since(s->phase_began, now));
	status_put(s->phase, "ok", json_boolean(d->ok));
	if (!d->ok)
		status_put_text(s->phase, "reason", d->text);
	s->phase = NULL;
}

void
store_mark(struct store *s, const char *what, bool on, uint64_t now)
{
	uint64_t began = s->phase_began;
	json_t *o = add_phase(s, what, on, now);

	s->phase_began = began; /* that of the one which runs */
	if (o == NULL)
		return;
	status_put(o, "took_ms", json_real(0));
	status_put(o, "ok", json_true());
}

void
store_end(
    struct store *s, const char *to, bool ok, const char *reason, uint64_t now)
{
	if (s->current == NULL)
		return;
	status_put_text(s->current, "to", to);
	status_put_text(s->current, "result", ok ? "ok" : "failed");
	if (!ok)
		status_put_text(s->current, "reason", reason);
	status_put(s->current, "took_ms", ms_since(s->began, now));
	s->current = s->phase = NULL;
}

json_t *
store_history(const struct store *s, size_t n)
{
	size_t all = json_array_size(s->history);
	json_t *list = json_array();

	for (size_t i = all > n ? all - n : 0; i < all; i++)
		(void)json_array_append(list, json_array_get(s->history, i));
	return list;
}
