/* SPDX-License-Identifier: ISC */
/*
 * carpctl failover watch: a transition as it happens.  On a terminal the last
 * line says how far it is; what has happened stands above it.
 */
#include <sys/ioctl.h>

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl_failover.h"

struct watch {
	const struct ctl *ctl;
	json_t *progress; /* the last that was heard; NULL: none */
	char phase[64];	  /* of it: told when it changes */
	bool live;	  /* the last line is drawn anew and again */
	unsigned columns;
};

/*
 * The last line.
 */

static unsigned
terminal_columns(void)
{
	struct winsize w;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == -1 || w.ws_col < 20)
		return 80;
	return w.ws_col;
}

static enum term_colour
resource_colour(const char *state)
{
	if (strcmp(state, "up") == 0)
		return TERM_GREEN;
	if (strcmp(state, "failed") == 0 || strcmp(state, "sick") == 0)
		return TERM_RED;
	if (strcmp(state, "starting") == 0 || strcmp(state, "stopping") == 0)
		return TERM_YELLOW;
	return TERM_GREY;
}

static void
put(unsigned *left, enum term_colour colour, const char *text)
{
	unsigned n = (unsigned)strlen(text);

	if (n > *left)
		n = *left;
	term_print(colour, "%.*s", (int)n, text);
	*left -= n;
}

/* "IMPORTING  fence: disks up  storage: tank starting, data down" */
static void
draw(const struct watch *w)
{
	const char *role = rpc_text(w->progress, "role"), *last = "";
	unsigned left = w->columns - 1;
	const json_t *r;
	size_t i;

	if (!w->live || w->progress == NULL)
		return;
	put(&left, failover_colour(role), role);
	json_array_foreach(json_object_get(w->progress, "resources"), i, r)
	{
		const char *phase = rpc_text(r, "phase");
		const char *state = rpc_text(r, "state");

		if (strcmp(phase, last) != 0) {
			put(&left, TERM_PLAIN, "  ");
			put(&left, TERM_BOLD, phase);
			put(&left, TERM_PLAIN, ": ");
		} else {
			put(&left, TERM_PLAIN, ", ");
		}
		last = phase;
		put(&left, TERM_PLAIN, rpc_text(r, "name"));
		put(&left, TERM_PLAIN, " ");
		put(&left, resource_colour(state), state);
	}
}

static void
erase(const struct watch *w)
{
	if (w->live)
		(void)fputs("\r\033[K", stdout);
}

/*
 * What happens.
 */

static void
tell_status(const json_t *e)
{
	const char *status = rpc_text(e, "status");

	term_print(TERM_GREY, "%s ", rpc_text(e, "time"));
	term_print(failover_colour(status), "%s", status);
	term_print(TERM_PLAIN, "%s%s\n",
	    *rpc_text(e, "cause") != '\0' ? ": " : "", rpc_text(e, "cause"));
}

static void
tell_reasons(const json_t *e)
{
	const json_t *reasons = json_object_get(e, "reasons"), *r;
	size_t i;

	term_print(TERM_GREY, "%s ", rpc_text(e, "time"));
	if (json_array_size(reasons) == 0) {
		term_print(TERM_PLAIN, "failover is possible\n");
		return;
	}
	term_print(TERM_YELLOW, "failover is not possible:");
	json_array_foreach(reasons, i, r)
	{
		term_print(TERM_YELLOW, " %s",
		    json_is_string(r) ? json_string_value(r)
				      : rpc_text(r, "code"));
	}
	(void)putchar('\n');
}

/* Why a run failed: as it says, or as its resource does. */
static const char *
reason_of(const json_t *e, const json_t *run)
{
	const json_t *r;
	size_t i;

	if (*rpc_text(run, "reason") != '\0')
		return rpc_text(run, "reason");
	json_array_foreach(json_object_get(e, "resources"), i, r)
	{
		if (strcmp(rpc_text(r, "name"), rpc_text(run, "resource")) == 0)
			return rpc_text(r, "reason");
	}
	return "";
}

static void
tell_run(const json_t *e, const json_t *run)
{
	bool ok = rpc_int(run, "exit") == 0;
	const char *reason = ok ? "" : reason_of(e, run);

	term_print(TERM_GREY, "%s ", rpc_text(e, "time"));
	term_print(TERM_PLAIN, "  %s %s: ", rpc_text(run, "resource"),
	    rpc_text(run, "verb"));
	term_print(ok ? TERM_GREEN : TERM_RED, "%s", ok ? "ok" : "failed");
	term_print(TERM_PLAIN, " after %.3f s%s%s\n",
	    rpc_real(run, "took_ms") / 1e3, *reason != '\0' ? ": " : "",
	    reason);
}

/* "storage up"; "" while the node rests. */
static void
put_phase(char *ret, size_t size, const json_t *e)
{
	const char *phase = rpc_text(e, "phase");
	const char *way = rpc_text(e, "direction");

	if (*way == '\0')
		(void)snprintf(ret, size, "%s", "");
	else if (strstr(phase, way) != NULL)
		(void)snprintf(ret, size, "%s", phase);
	else
		(void)snprintf(ret, size, "%s %s", phase, way);
}

/*
 * A resource that is well each time it is asked is no news, and what took no
 * time was no run: its state has changed, which the last line shows.
 */
static bool
is_news(const json_t *run)
{
	if (!json_is_object(run))
		return false;
	if (rpc_int(run, "exit") != 0)
		return true;
	return strcmp(rpc_text(run, "verb"), "status") != 0 &&
	       rpc_real(run, "took_ms") > 0;
}

/* A phase is told once, when it begins.  False: there was nothing to tell. */
static bool
tell_progress(struct watch *w, json_t *e)
{
	const json_t *run = json_object_get(e, "run");
	bool news = is_news(run), begins;
	char phase[sizeof(w->phase)];

	put_phase(phase, sizeof(phase), e);
	begins = *phase != '\0' && strcmp(phase, w->phase) != 0;
	memcpy(w->phase, phase, sizeof(phase));
	if (begins) {
		term_print(TERM_GREY, "%s ", rpc_text(e, "time"));
		term_print(TERM_PLAIN, "%s\n", phase);
	}
	if (news)
		tell_run(e, run);
	json_decref(w->progress);
	w->progress = json_incref(e);
	return news || begins;
}

/* False: it is of no concern here. */
static bool
tell(struct watch *w, json_t *e)
{
	const char *event = rpc_text(e, "event");
	bool told = true;

	if (strncmp(event, "failover.", 9) != 0 && strcmp(event, "lost") != 0)
		return false;
	if (w->ctl->json) {
		term_json_line(e);
		(void)fflush(stdout);
		return true;
	}
	erase(w);
	if (strcmp(event, "failover.status") == 0) {
		tell_status(e);
		if (w->progress != NULL)
			(void)json_object_set(
			    w->progress, "role", json_object_get(e, "status"));
	} else if (strcmp(event, "failover.disabled.reasons") == 0) {
		tell_reasons(e);
	} else if (strcmp(event, "failover.progress") == 0) {
		told = tell_progress(w, e);
	} else if (strcmp(event, "lost") == 0) {
		term_print(TERM_YELLOW, "%lld events were lost\n",
		    rpc_int(e, "count"));
	}
	draw(w);
	(void)fflush(stdout);
	return told;
}

/* How things are when we begin to look. */
static enum ctl_exit
begin(struct watch *w, struct rpc *r)
{
	json_t *result = NULL;
	enum ctl_exit rc;

	rc = rpc_call(r, "carp.subscribe", NULL, &result);
	json_decref(result);
	if (rc == CTL_OK)
		rc = rpc_call(r, "failover.progress", NULL, &w->progress);
	if (rc != CTL_OK || w->ctl->json)
		return rc;
	if (!w->live)
		term_print(TERM_PLAIN, "%s\n", rpc_text(w->progress, "role"));
	draw(w);
	(void)fflush(stdout);
	return rc;
}

enum ctl_exit
failover_watch(const struct ctl *c)
{
	struct watch w = { .ctl = c, .columns = terminal_columns() };
	struct rpc *r = NULL;
	unsigned long n = 0;
	enum ctl_exit rc;
	json_t *e = NULL;

	if (c->nargs > 2) {
		warnx("failover watch: \"%s\" is too much", c->args[2]);
		return CTL_USAGE;
	}
	w.live = !c->json && isatty(STDOUT_FILENO);
	rc = rpc_open(&r, c->socket);
	if (rc == CTL_OK)
		rc = begin(&w, r);
	while (rc == CTL_OK && (c->count == 0 || n < c->count)) {
		rc = rpc_event(r, &e);
		if (rc != CTL_OK || e == NULL)
			break;
		n += tell(&w, e);
		json_decref(e);
		if (ferror(stdout))
			break;
	}
	if (w.live && w.progress != NULL)
		(void)putchar('\n');
	json_decref(w.progress);
	rpc_close(r);
	return rc;
}
