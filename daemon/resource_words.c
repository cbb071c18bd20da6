/* SPDX-License-Identifier: ISC */
/* What the hook of a resource is started with: arguments and environment. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resource_part.h"

#define OURS 20 /* variables beside those of the configuration */

const char *
words_phase(enum conf_phase phase)
{
	static const char *const names[] = { "fence", "storage", "service" };

	return phase < NPHASES ? names[phase] : "?";
}

static const char *
mode_name(enum resource_mode mode)
{
	static const char *const names[] = { "up", "planned", "forced",
		"monitor", "check" };

	return mode <= MODE_CHECK ? names[mode] : "?";
}

static const char *
peer_name(unsigned peer)
{
	static const char *const names[] = { "unclear", "passive", "dead" };

	return peer <= PEER_DEAD ? names[peer] : "unclear";
}

static void __attribute__((format(printf, 2, 3)))
put(struct words *w, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0 || w->bad || w->n + 1 >= w->room) {
		if (n >= 0)
			free(text);
		w->bad = true;
		return;
	}
	for (char *p = text; *p != '\0'; p++)
		if (*p == '\n' || *p == '\r')
			*p = ' ';
	w->env[w->n++] = text;
}

static const char *
cause(const struct part *t, enum resource_mode mode)
{
	if (mode == MODE_MONITOR)
		return "is it still there?";
	if (mode == MODE_CHECK)
		return "what is there?";
	return t->all->plan.order.cause;
}

static void
put_settings(struct words *w, const struct settings *set)
{
	const char *p = set->text;

	for (unsigned i = 0; i < set->n; i++) {
		put(w, "%s", p);
		p += strlen(p) + 1;
	}
}

void
words_make(struct words *w, const struct part *t, const char *path,
    enum resource_verb verb, enum resource_mode mode, bool has_secret)
{
	const struct plan_item *it = part_item(t);
	const struct plan *p = &t->all->plan;
	char state[PATH_MAX];

	memset(w, 0, sizeof(*w));
	w->room = OURS + t->set.n;
	w->env = calloc(w->room, sizeof(*w->env));
	w->argv[0] = strdup(path);
	w->argv[1] = (char *)(uintptr_t)resource_verb_name(verb);
	w->bad = w->env == NULL || w->argv[0] == NULL ||
		 place_state(state, sizeof(state), t) < 0;
	if (w->bad)
		return;
	put(w, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	put(w, "LANG=C");
	put(w, "CARPD_VERSION=1");
	put(w, "CARPD_NODE=%s", t->all->node);
	put(w, "CARPD_RESOURCE=%s", it->name);
	put(w, "CARPD_PHASE=%s", words_phase(it->phase));
	put(w, "CARPD_ACTION=%s", resource_verb_name(verb));
	put(w, "CARPD_MODE=%s", mode_name(mode));
	put(w, "CARPD_CAUSE=%s", cause(t, mode));
	put(w, "CARPD_TIMEOUT=%u.%03u", t->limit_ms[verb] / 1000,
	    t->limit_ms[verb] % 1000);
	put(w, "CARPD_STATE=%s", state);
	put(w, "CARPD_PEER=%s",
	    mode <= MODE_FORCED ? peer_name(p->order.peer) : "unclear");
	if (it->phase == PHASE_STORAGE && verb == VERB_START)
		put(w, "CARPD_FENCED=%s", plan_fenced(p) ? "yes" : "no");
	if (has_secret)
		put(w, "CARPD_SECRET_FD=%d", SECRET_FD);
	if (verb == VERB_START)
		put(w, "CARPD_ALIVE_FD=%d", ALIVE_FD);
	put_settings(w, &t->set);
}

void
words_free(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->env[i]);
	free(w->env);
	free(w->argv[0]);
	memset(w, 0, sizeof(*w));
}
