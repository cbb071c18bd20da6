/* SPDX-License-Identifier: ISC */
/*
 * The text of a configuration file, cut into tokens.
 *
 * libconfuse accepts in silence what we must not: a section or comment that
 * never ends, characters that no rule matches, ${VARIABLE}, NUL.  All of that
 * is found here, and comments are made blank, before libconfuse reads the
 * text.  The tokens also say how far a statement reaches, so that one that
 * libconfuse refuses can be made blank and the rest still be read.
 *
 * In a list of NAME=VALUE after the word `set', what libconfuse would take for
 * grammar is hidden from it: NAME="VALUE" becomes "NAME=VALUE", and characters
 * with a meaning become control characters, which no text has otherwise.
 */
#ifndef CARPD_CONF_TEXT_H
#define CARPD_CONF_TEXT_H

#include "conf_draft.h"

struct conf_token {
	uint32_t start, end; /* in the buffer, with quotes */
	uint32_t text, len;  /* without them */
	int line;
	char kind; /* 'w': word; or the character itself */
	bool gone; /* made blank */
};

struct conf_text {
	char *buf; /* borrowed, changed */
	size_t len;
	struct conf_token *tok;
	size_t ntok;
};

/* -EINVAL: not fit to be parsed (which was said).  -ENOMEM. */
int conf_text_scan(
    struct conf_text *ret, char *buf, size_t len, struct conf_errors *);
void conf_text_free(struct conf_text *);

/*
 * Makes the statement blank that has this word in this line: as its first
 * word, or after it (the title of a section).  False: there is none.
 */
bool conf_text_blank(
    struct conf_text *, int line, const char *word, bool title);

/* Gives a value back what was hidden in it. */
void conf_text_reveal(char *);

#endif
