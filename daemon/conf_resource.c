/* SPDX-License-Identifier: ISC */
/* Fences, storage and services: words -> what they mean, and their order. */
#include <string.h>

#include "conf_draft.h"

#define SAY(e, w, result, ...) conf_say((e), (result), (w)->at, __VA_ARGS__)

#define SET_MAX		       256   /* values of a resource */
#define SET_LEN		       65536 /* bytes of one: the kernel takes more */
#define LIMIT_MIN	       100   /* ms */
#define LIMIT_MAX	       3600000

/* Time limits, ms, by phase: from RESOURCE_START to RESOURCE_MONITOR. */
#define NTIMES		       (NRESOURCE_WORDS - RESOURCE_START)
#define CRITICAL_START	       15000 /* of a service */
static const uint32_t defaults[NPHASES][NTIMES] = {
	[PHASE_FENCE] = { 15000, 5000, 5000, 2000, 1000 },
	[PHASE_STORAGE] = { 60000, 4000, 5000, 2000, 10000 },
	[PHASE_SERVICE] = { 60000, 15000, 5000, 2000, 10000 },
};

static const char *
phase_name(const struct conf_draft_resource *r)
{
	return conf_phase_names[r->phase];
}

/*
 * Names.
 */

static bool
is_none(const struct conf_draft_resource *r)
{
	return strcmp(r->name.text, "none") == 0;
}

/* Both names become names of files. */
static void
dot(const struct conf_word *w, const char *name, struct conf_errors *e)
{
	if (w->text != NULL && w->text[0] == '.')
		SAY(e, w, CONF_SENSE,
		    "%s `%.64s' begins with a dot; leave that out", name,
		    w->text);
}

static void
read_name(struct conf_resource *r, const struct conf_draft_resource *d,
    struct conf_errors *e)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "name of %s", phase_name(d));
	conf_name(r->name, sizeof(r->name), &d->name, name, "", e);
	dot(&d->name, name, e);
	if (is_none(d) && d->phase != PHASE_FENCE)
		SAY(e, &d->name, CONF_SENSE,
		    "%s cannot be called none; only fence none { } has a "
		    "meaning: take another name",
		    phase_name(d));
}

static void
check_names(const struct conf_draft_failover *f, struct conf_errors *e)
{
	unsigned i, j;

	for (i = 0; i < f->nresources; i++)
		for (j = 0; j < i; j++)
			if (strcmp(f->resource[i].name.text,
				f->resource[j].name.text) == 0) {
				SAY(e, &f->resource[i].name, CONF_SENSE,
				    "the name %.32s is there twice, first in "
				    "line %d (%s); take another one",
				    f->resource[i].name.text,
				    f->resource[j].name.at,
				    phase_name(&f->resource[j]));
				break;
			}
}

static void
read_hook(struct conf *c, struct conf_resource *r,
    const struct conf_draft_resource *d, bool holes, struct conf_errors *e)
{
	const struct conf_word *w = &d->word[RESOURCE_HOOK];
	char name[CONF_NAME_MAX] = "";

	if (w->text == NULL && !holes)
		SAY(e, &d->name, CONF_SENSE,
		    "%s %.32s has no hook; write hook = NAME", phase_name(d),
		    d->name.text);
	if (w->text == NULL)
		return;
	if (strchr(w->text, '/') != NULL) {
		SAY(e, w, CONF_SENSE,
		    "hook `%.64s' is a path; write its name alone, and put it "
		    "into %s",
		    w->text, conf_hook_dirs[0]);
		return;
	}
	conf_name(name, sizeof(name), w, "hook", "", e);
	dot(w, "hook", e);
	r->hook = conf_block_text(c, name);
}

/*
 * set = { NAME=VALUE, ... }
 */

/* Variables that say how programs run, or that carpd(8) sets itself. */
static bool
is_reserved(const char *name, size_t n)
{
	static const char *const words[] = { "PATH", "LANG", "IFS", "HOME",
		"SHELL", "ENV", NULL };
	static const char *const begins[] = { "CARPD_", "LC_", "LD_", "BASH_",
		NULL };
	const char *const *w;

	for (w = words; *w != NULL; w++)
		if (strlen(*w) == n && memcmp(*w, name, n) == 0)
			return true;
	for (w = begins; *w != NULL; w++)
		if (strncmp(*w, name, strlen(*w)) == 0)
			return true;
	return false;
}

static bool
check_set(const struct conf_word *w, struct conf_errors *e)
{
	static const char valid[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	const char *equal = strchr(w->text, '=');
	size_t n = strspn(w->text, valid);

	if (equal == NULL)
		SAY(e, w, CONF_SYNTAX,
		    "set `%.64s' is not NAME=VALUE; write one, and put values "
		    "with spaces or commas in quotes: NAME=\"a, b\"",
		    w->text);
	else if (n == 0 || w->text[n] != '=' || w->text[0] < 'A' ||
		 w->text[0] > 'Z')
		SAY(e, w, CONF_SENSE,
		    "set `%.64s' has a name that is none; use capitals, "
		    "digits and `_', a capital first",
		    w->text);
	else if (is_reserved(w->text, n))
		SAY(e, w, CONF_SENSE,
		    "set %.*s is not for you to set; take another name",
		    n < 64 ? (int)n : 64, w->text);
	else if (strlen(w->text) >= SET_LEN)
		SAY(e, w, CONF_SENSE,
		    "set %.*s is longer than %d bytes; put it into a file",
		    n < 64 ? (int)n : 64, w->text, SET_LEN - 1);
	else
		return true;
	return false;
}

static void
check_set_twice(const struct conf_list *l, struct conf_errors *e)
{
	unsigned i, j;

	for (i = 0; i < l->n; i++) {
		size_t n = strcspn(l->word[i].text, "=") + 1;

		for (j = 0; j < i; j++)
			if (strncmp(l->word[i].text, l->word[j].text, n) == 0) {
				SAY(e, &l->word[i], CONF_SENSE,
				    "set %.*s is there twice; keep one",
				    n < 64 ? (int)n - 1 : 64, l->word[i].text);
				break;
			}
	}
}

static void
read_set(struct conf *c, struct conf_resource *r, const struct conf_list *l,
    struct conf_errors *e)
{
	unsigned i;

	if (l->n > SET_MAX) {
		SAY(e, &l->word[SET_MAX], CONF_SENSE,
		    "set has more than %d values; put them into a file",
		    SET_MAX);
		return;
	}
	check_set_twice(l, e);
	for (i = 0; i < l->n; i++) {
		uint32_t at;

		if (!check_set(&l->word[i], e))
			continue;
		at = conf_block_text(c, l->word[i].text);
		r->set = r->nset++ == 0 ? at : r->set;
	}
}

/*
 * One resource.
 */

static void
read_critical(struct conf_resource *r, const struct conf_draft_resource *d,
    struct conf_errors *e)
{
	const struct conf_word *w = &d->word[RESOURCE_CRITICAL];

	r->critical = d->phase != PHASE_SERVICE;
	if (d->phase == PHASE_SERVICE)
		r->critical = conf_boolean(w, "critical", false, e);
	else if (w->text != NULL)
		SAY(e, w, CONF_SENSE,
		    "critical is for services; a fence and storage always "
		    "are: leave it out");
}

static void
read_times(struct conf_resource *r, const struct conf_draft_resource *d,
    struct conf_errors *e)
{
	uint32_t *const ret[NTIMES] = { &r->start_ms, &r->stop_ms,
		&r->status_ms, &r->verify_ms, &r->monitor_ms };
	unsigned i;

	for (i = 0; i < NTIMES; i++) {
		unsigned word = RESOURCE_START + i;
		uint32_t def = defaults[d->phase][i], min = LIMIT_MIN;

		if (word == RESOURCE_START && d->phase == PHASE_SERVICE &&
		    r->critical)
			def = CRITICAL_START;
		if (word == RESOURCE_MONITOR && d->word[word].text != NULL &&
		    strcmp(d->word[word].text, "0") == 0)
			min = 0; /* off */
		*ret[i] = conf_seconds(&d->word[word],
		    conf_resource_names[word], min, LIMIT_MAX, def, e);
	}
}

/* It means that there is none, so nothing can be said of it. */
static void
read_none(struct conf_resource *r, const struct conf_draft_resource *d,
    struct conf_errors *e)
{
	unsigned i;

	r->none = 1;
	r->monitor_ms = 0;
	for (i = 0; i < NRESOURCE_WORDS; i++)
		if (d->word[i].text != NULL)
			SAY(e, &d->word[i], CONF_SENSE,
			    "fence none means that there is none and has no "
			    "%s; leave it out, or give the fence a name",
			    conf_resource_names[i]);
	for (i = 0; i < NRESOURCE_LISTS; i++)
		if (d->list[i].n > 0)
			SAY(e, &d->list[i].word[0], CONF_SENSE,
			    "fence none means that there is none and has no "
			    "%s; leave it out, or give the fence a name",
			    conf_resource_list_names[i]);
}

static void
read_resource(struct conf *c, struct conf_resource *r,
    const struct conf_draft_resource *d, bool holes, struct conf_errors *e)
{
	r->line = (uint32_t)d->name.at;
	r->phase = (uint8_t)d->phase;
	read_name(r, d, e);
	if (d->phase == PHASE_FENCE && is_none(d)) {
		static const struct conf_draft_resource empty;

		r->critical = 1;
		read_times(r, &empty, e);
		read_none(r, d, e);
		return;
	}
	read_critical(r, d, e);
	read_times(r, d, e);
	read_hook(c, r, d, holes, e);
	read_set(c, r, &d->list[LIST_SET], e);
}

/*
 * What they are to each other.
 */

/* Critical services are started before the others, all together. */
static void
check_after(const struct conf_resource *all, unsigned i, unsigned j,
    const struct conf_word *w, struct conf_errors *e)
{
	if (i == j)
		SAY(e, w, CONF_SENSE, "%s is after itself; leave it out",
		    all[i].name);
	else if (all[i].phase != all[j].phase)
		SAY(e, w, CONF_SENSE,
		    "%s is after %s, which is in another phase; fences, "
		    "storage and services always follow each other: leave it "
		    "out",
		    all[i].name, all[j].name);
	else if (all[i].critical && !all[j].critical)
		SAY(e, w, CONF_SENSE,
		    "%s is critical and started before %s, which is not; "
		    "write critical = true there, or leave %s out of after",
		    all[i].name, all[j].name, all[j].name);
}

static void
read_after(struct conf *c, const struct conf_draft_failover *f, unsigned i,
    struct conf_errors *e)
{
	struct conf_resource *all = conf_block_resources(c);
	const struct conf_list *l = &f->resource[i].list[LIST_AFTER];
	const char *names[CONF_RESOURCE_MAX + 1] = { NULL }, *guess;
	unsigned j, k;

	for (j = 0; j < f->nresources; j++)
		names[j] = f->resource[j].name.text;
	for (k = 0; k < l->n; k++) {
		const struct conf_word *w = &l->word[k];

		for (j = 0; names[j] != NULL; j++)
			if (strcmp(names[j], w->text) == 0)
				break;
		if (names[j] != NULL) {
			check_after(all, i, j, w, e);
			all[i].after |= UINT64_C(1) << j;
			continue;
		}
		guess = conf_similar(w->text, names);
		SAY(e, w, CONF_SENSE, "after `%.32s' names no resource; %s%s%s",
		    w->text,
		    guess != NULL ? "did you mean `"
				  : "write the name of one "
				    "of the same phase",
		    guess != NULL ? guess : "", guess != NULL ? "'?" : "");
	}
}

/* Takes away who waits for nobody that is left, until nothing changes. */
static void
check_circle(const struct conf *c, const struct conf_draft_failover *f,
    struct conf_errors *e)
{
	const struct conf_resource *all = conf_resources(c);
	uint64_t left = 0, before;
	unsigned i, n = f->nresources;

	for (i = 0; i < n; i++)
		left |= UINT64_C(1) << i;
	do {
		before = left;
		for (i = 0; i < n; i++)
			if ((all[i].after & left) == 0)
				left &= ~(UINT64_C(1) << i);
	} while (left != before);
	for (i = 0; i < n; i++)
		if ((left >> i & 1) != 0) {
			SAY(e, &f->resource[i].list[LIST_AFTER].word[0],
			    CONF_SENSE,
			    "%s waits for itself in a circle of after; take "
			    "one of them out",
			    all[i].name);
			return;
		}
}

static void
check_fences(
    const struct conf_draft_failover *f, bool holes, struct conf_errors *e)
{
	const struct conf_draft_resource *fence = NULL, *none = NULL;
	const struct conf_draft_resource *storage = NULL;
	unsigned i;

	for (i = f->nresources; i-- > 0;) {
		const struct conf_draft_resource *r = &f->resource[i];

		if (r->phase == PHASE_STORAGE)
			storage = r;
		else if (r->phase == PHASE_FENCE && is_none(r))
			none = r;
		else if (r->phase == PHASE_FENCE)
			fence = r;
	}
	if (none != NULL && fence != NULL)
		SAY(e, &none->name, CONF_SENSE,
		    "fence none stands beside fence %.32s of line %d; keep "
		    "one of them",
		    fence->name.text, fence->name.at);
	if (storage != NULL && none == NULL && fence == NULL && !holes)
		SAY(e, &storage->name, CONF_SENSE,
		    "storage %.32s has no fence, so that both nodes could "
		    "write to it; write fence NAME { hook = ... }, or, if "
		    "something else prevents that, fence none { }",
		    storage->name.text);
}

void
conf_resources_read(
    struct conf *c, const struct conf_draft *d, struct conf_errors *e)
{
	const struct conf_draft_failover *f = &d->failover;
	struct conf_resource *all = conf_block_resources(c);
	unsigned i, said;

	if (f->nresources > CONF_RESOURCE_MAX) {
		SAY(e, &f->resource[CONF_RESOURCE_MAX].name, CONF_SENSE,
		    "there are more than %d fences, storage and services; let "
		    "a hook do the work of several",
		    CONF_RESOURCE_MAX);
		return;
	}
	for (i = 0; i < f->nresources; i++)
		read_resource(c, &all[i], &f->resource[i], d->holes, e);
	check_names(f, e);
	check_fences(f, d->holes, e);
	said = e->n + e->lost;
	for (i = 0; i < f->nresources; i++)
		read_after(c, f, i, e);
	if (said == e->n + e->lost)
		check_circle(c, f, e);
}
