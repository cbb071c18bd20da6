/* SPDX-License-Identifier: ISC */
/* How output looks on a terminal and elsewhere: colours, tables, durations. */
#ifndef CARPD_CTL_TERM_H
#define CARPD_CTL_TERM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum term_colour {
	TERM_PLAIN,
	TERM_BOLD,
	TERM_GREEN,
	TERM_YELLOW,
	TERM_RED,
	TERM_GREY
};

/* Standard output is a terminal, and its user has nothing against colours. */
bool term_has_colour(void);

/*
 * Prints text, in a colour where there are any.  Control characters that come
 * from elsewhere become '?'.
 */
void term_print(enum term_colour, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* MASTER is green, INIT yellow. */
enum term_colour term_state_colour(const char *state);

/* The object as it is, for people to read; ends the line. */
void term_json(const json_t *);

/* The same in one line. */
void term_json_line(const json_t *);

#define TERM_DURATION 32

/* "1.3 s", "45 s", "3 min 2 s", "5 h 12 min", "8 d 3 h"; returns buf. */
char *term_duration(char buf[TERM_DURATION], double seconds);

/*
 * A table whose columns are as wide as they must be.  Out of memory it says so
 * and ends the process: there is nothing to be saved.
 */
struct term_table;

struct term_table *term_table_new(unsigned columns);
void term_table_free(struct term_table *);

/* Cells are filled from left to right, row after row. */
void term_cell(struct term_table *, enum term_colour, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Begins a new row with a line that is no row, beneath the last one. */
void term_note(struct term_table *, enum term_colour, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Numbers stand to the right. */
void term_column_right(struct term_table *, unsigned column);

void term_table_print(const struct term_table *);

#endif
