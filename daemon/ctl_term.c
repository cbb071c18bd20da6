/* SPDX-License-Identifier: ISC */
/* How output looks on a terminal and elsewhere: colours, tables, durations. */
#include <err.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl_term.h"

#define COLUMNS_MAX 16
#define GAP	    2  /* between columns */
#define PRECISION   12 /* digits of a real */

struct cell {
	char *text;
	enum term_colour colour;
	bool note; /* fills a row alone */
};

struct term_table {
	unsigned columns; /* <= COLUMNS_MAX */
	bool right[COLUMNS_MAX];
	struct cell *cell;
	size_t n, size;
};

bool
term_has_colour(void)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && (no == NULL || *no == '\0') &&
	       term != NULL && strcmp(term, "dumb") != 0;
}

static const char *
sequence(enum term_colour c)
{
	switch (c) {
	case TERM_BOLD:
		return "\033[1m";
	case TERM_GREEN:
		return "\033[32m";
	case TERM_YELLOW:
		return "\033[33m";
	case TERM_RED:
		return "\033[1;31m";
	case TERM_GREY:
		return "\033[2m";
	case TERM_PLAIN:
		break;
	}
	return NULL;
}

static void
put_text(enum term_colour colour, const char *s)
{
	const char *start = term_has_colour() ? sequence(colour) : NULL;

	if (start != NULL)
		(void)fputs(start, stdout);
	for (; *s != '\0'; s++) {
		bool control = (unsigned char)*s < ' ' || *s == 0x7f;

		(void)putchar(control && *s != '\n' ? '?' : *s);
	}
	if (start != NULL)
		(void)fputs("\033[0m", stdout);
}

__attribute__((format(printf, 1, 0))) static char *
format(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) == -1)
		err(1, "vasprintf");
	return s;
}

void
term_print(enum term_colour colour, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = format(fmt, ap);
	va_end(ap);
	put_text(colour, s);
	free(s);
}

enum term_colour
term_state_colour(const char *state)
{
	if (strcmp(state, "MASTER") == 0)
		return TERM_GREEN;
	if (strcmp(state, "INIT") == 0)
		return TERM_YELLOW;
	return TERM_PLAIN;
}

static void
put_json(const json_t *o, size_t flags)
{
	(void)json_dumpf(o, stdout,
	    flags | JSON_ENCODE_ANY | JSON_REAL_PRECISION(PRECISION));
	(void)putchar('\n');
}

void
term_json(const json_t *o)
{
	put_json(o, JSON_INDENT(2));
}

void
term_json_line(const json_t *o)
{
	put_json(o, JSON_COMPACT);
}

char *
term_duration(char buf[TERM_DURATION], double seconds)
{
	uint64_t s = seconds > 0 ? (uint64_t)seconds : 0;

	if (seconds < 10)
		(void)snprintf(
		    buf, TERM_DURATION, "%.1f s", seconds > 0 ? seconds : 0.0);
	else if (s < 60)
		(void)snprintf(buf, TERM_DURATION, "%u s", (unsigned)s);
	else if (s < 3600)
		(void)snprintf(buf, TERM_DURATION, "%u min %u s",
		    (unsigned)(s / 60), (unsigned)(s % 60));
	else if (s < 86400)
		(void)snprintf(buf, TERM_DURATION, "%u h %u min",
		    (unsigned)(s / 3600), (unsigned)(s / 60 % 60));
	else
		(void)snprintf(buf, TERM_DURATION, "%llu d %u h",
		    (unsigned long long)(s / 86400), (unsigned)(s / 3600 % 24));
	return buf;
}

struct term_table *
term_table_new(unsigned columns)
{
	struct term_table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		err(1, "calloc");
	t->columns = columns < COLUMNS_MAX ? columns : COLUMNS_MAX;
	return t;
}

void
term_table_free(struct term_table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++)
		free(t->cell[i].text);
	free(t->cell);
	free(t);
}

static void
add(struct term_table *t, enum term_colour colour, char *text, bool note)
{
	if (t->n == t->size) {
		t->size = t->size ? 2 * t->size : 64;
		t->cell = reallocarray(t->cell, t->size, sizeof(*t->cell));
		if (t->cell == NULL)
			err(1, "reallocarray");
	}
	t->cell[t->n++] = (struct cell){ text, colour, note };
}

void
term_cell(struct term_table *t, enum term_colour colour, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(t, colour, format(fmt, ap), false);
	va_end(ap);
}

void
term_note(struct term_table *t, enum term_colour colour, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(t, colour, format(fmt, ap), true);
	va_end(ap);
}

void
term_column_right(struct term_table *t, unsigned column)
{
	if (column < t->columns)
		t->right[column] = true;
}

/* In characters, not bytes: what continues one in UTF-8 has no width. */
static unsigned
width(const char *s)
{
	unsigned n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void
measure(const struct term_table *t, unsigned ret[COLUMNS_MAX])
{
	unsigned column = 0, w;

	memset(ret, 0, COLUMNS_MAX * sizeof(*ret));
	for (size_t i = 0; i < t->n; i++) {
		if (t->cell[i].note) {
			column = 0;
			continue;
		}
		w = width(t->cell[i].text);
		if (w > ret[column])
			ret[column] = w;
		column = (column + 1) % t->columns;
	}
}

static void
put_space(unsigned n)
{
	while (n-- > 0)
		(void)putchar(' ');
}

/* Nothing is put at the end of a line to fill it up. */
void
term_table_print(const struct term_table *t)
{
	unsigned max[COLUMNS_MAX], column = 0, pad, owed = 0;

	measure(t, max);
	for (size_t i = 0; i < t->n; i++) {
		const struct cell *c = &t->cell[i];

		if (column == t->columns || (column > 0 && c->note)) {
			(void)putchar('\n');
			column = owed = 0;
		}
		if (c->note) {
			put_text(c->colour, c->text);
			(void)putchar('\n');
			continue;
		}
		pad = max[column] - width(c->text);
		put_space(owed + (t->right[column] ? pad : 0));
		put_text(c->colour, c->text);
		owed = GAP + (t->right[column] ? 0 : pad);
		column++;
	}
	if (column > 0)
		(void)putchar('\n');
}
