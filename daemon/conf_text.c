/* SPDX-License-Identifier: ISC */
/* Bytes of a configuration file -> tokens, with all that is not plain text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf_text.h"

#define OPEN_TOLD 3 /* braces that are not closed */

/* What is hidden in values of `set', as the control characters from 1 on. */
static const char hidden[] = "=*+\\|$;";

struct scan {
	struct conf_text *t;
	struct conf_errors *e;
	size_t room; /* tokens that fit */
	uint32_t p;  /* where we are */
	int line;
	bool bad;  /* not for libconfuse */
	bool stop; /* nothing sensible can follow */
	bool nomem;
	bool in_set; /* in the braces of set = { ... } */
};

static int
peek(const struct scan *s, unsigned ahead)
{
	size_t i = s->p + (size_t)ahead;

	return i < s->t->len ? (unsigned char)s->t->buf[i] : -1;
}

static bool
is_control(int c)
{
	return (c < ' ' && c != '\t' && c != '\n') || c == 0x7f;
}

/* Ends a word, or cannot be in one. */
static bool
ends_word(int c)
{
	return c <= ' ' || c >= 0x7f || strchr("#\"'={}(),;+*|\\", c) != NULL;
}

static void
refuse(struct scan *s, const char *what, const char *todo)
{
	conf_say(s->e, CONF_SYNTAX, s->line, "%s; %s", what, todo);
	s->bad = true;
}

static void
add_token(
    struct scan *s, char kind, uint32_t start, uint32_t end, unsigned quote)
{
	struct conf_token *k;
	void *p;

	if (s->t->ntok == s->room) {
		s->room = s->room > 0 ? 2 * s->room : 64;
		p = realloc(s->t->tok, s->room * sizeof(*k));
		if (p == NULL) {
			s->nomem = s->stop = true;
			return;
		}
		s->t->tok = p;
	}
	k = &s->t->tok[s->t->ntok++];
	k->start = start;
	k->end = end;
	k->text = start + quote;
	k->len = end - start - 2 * quote;
	k->line = s->line;
	k->kind = kind;
	k->gone = false;
}

static void
control_character(struct scan *s, int c)
{
	if (c == '\r')
		refuse(s, "the line ends in a carriage return",
		    "save the file with Unix line ends");
	else
		conf_say(s->e, CONF_SYNTAX, s->line,
		    "byte 0x%02x is not "
		    "text; is this a configuration file at all?",
		    c);
	s->bad = s->stop = true;
}

static void
blank_to(struct scan *s, uint32_t end)
{
	for (; s->p < end && !s->stop; s->p++) {
		int c = peek(s, 0);

		if (is_control(c))
			control_character(s, c);
		else if (c == '\n')
			s->line++;
		else
			s->t->buf[s->p] = ' ';
	}
}

static void
line_comment(struct scan *s)
{
	const char *from = s->t->buf + s->p;
	const char *nl = memchr(from, '\n', s->t->len - s->p);

	blank_to(
	    s, nl != NULL ? (uint32_t)(nl - s->t->buf) : (uint32_t)s->t->len);
}

static void
block_comment(struct scan *s)
{
	const char *from = s->t->buf + s->p + 2;
	const char *end = memmem(from, s->t->len - s->p - 2, "*/", 2);

	if (end == NULL) {
		refuse(s, "the comment that begins here never ends",
		    "close it with */");
		s->stop = true;
		return;
	}
	blank_to(s, (uint32_t)(end - s->t->buf) + 2);
}

static void
hide(struct scan *s)
{
	const char *h = strchr(hidden, peek(s, 0));

	if (h != NULL)
		s->t->buf[s->p] = (char)(h - hidden + 1);
}

void
conf_text_reveal(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < sizeof(hidden))
			*text = hidden[*text - 1];
}

static void
string(struct scan *s, int quote, bool set)
{
	uint32_t start = s->p++;
	int c;

	for (; (c = peek(s, 0)) != quote; s->p++) {
		if (c == -1 || c == '\n') {
			refuse(s, "the string is not closed in its line",
			    "add the quote that is missing");
			s->stop = true;
			return;
		}
		if (is_control(c)) {
			control_character(s, c);
			return;
		}
		if (set)
			hide(s);
		else if (c == '\\')
			refuse(s, "a backslash in quotes",
			    "it has no meaning here: leave it out");
		else if (c == '$' && peek(s, 1) == '{')
			refuse(s, "variables are not expanded",
			    "write the value in place of ${...}");
		else if (c == '|')
			refuse(s, "`|' has no meaning here", "leave it out");
	}
	s->p++;
	add_token(s, 'w', start, s->p, 1);
}

/* A value of set begins here, or the only one, without braces. */
static bool
wants_set(const struct scan *s)
{
	const struct conf_token *k = s->t->tok + s->t->ntok;

	if (s->in_set)
		return true;
	return s->t->ntok >= 2 && k[-1].kind == '=' && k[-2].kind == 'w' &&
	       k[-2].len == 3 && memcmp(s->t->buf + k[-2].text, "set", 3) == 0;
}

/* After a brace: is it that of set = { ? */
static void
opened(struct scan *s)
{
	if (s->nomem)
		return;
	s->t->ntok--; /* as it was before the brace */
	s->in_set = wants_set(s);
	s->t->ntok++;
}

/* What does not look like NAME=VALUE is left to those who know what it means */
static bool
set_value(struct scan *s)
{
	char *from = s->t->buf + s->p;
	uint32_t start = s->p, n = 0;
	int c = peek(s, 0);

	if (c == '"' || c == '\'') {
		string(s, c, true);
		return true;
	}
	while (!ends_word(peek(s, n)))
		n++;
	if (n == 0 || peek(s, n) != '=')
		return false;
	if ((c = peek(s, n + 1)) == '"' || c == '\'') {
		memmove(from + 1, from, n + 1);
		from[0] = (char)c;
		string(s, c, true);
		return true;
	}
	for (s->p += n; (c = peek(s, 0)) > ' ' && c < 0x7f &&
			strchr("#\"'{}(),", c) == NULL;
	     s->p++)
		hide(s);
	add_token(s, 'w', start, s->p, 0);
	if (c == '#')
		refuse(s, "`#' ends a value", "put the value in quotes");
	else if (c == '{' || c == '(' || c == ')')
		refuse(s, "braces and parentheses end a value",
		    "put the value in quotes");
	return true;
}

static void
word(struct scan *s)
{
	uint32_t start = s->p;

	while (!ends_word(peek(s, 0)))
		s->p++;
	add_token(s, 'w', start, s->p, 0);
	if (peek(s, 0) == '{' && s->t->buf[s->p - 1] == '$')
		refuse(s, "variables are not expanded",
		    "write the value in place of ${...}");
}

static void
stray(struct scan *s, int c)
{
	if (is_control(c)) {
		control_character(s, c);
		return;
	}
	if (c >= 0x80) {
		conf_say(s->e, CONF_SYNTAX, s->line,
		    "byte 0x%02x outside "
		    "quotes is not ASCII; look for typographic quotes and "
		    "special spaces",
		    c);
		s->bad = s->stop = true;
	} else if (c == '+') {
		refuse(s, "`+' has no meaning here",
		    "write all values of a list at once: { a, b }");
	} else {
		conf_say(s->e, CONF_SYNTAX, s->line,
		    "`%c' has no meaning here; leave it out, or put the value "
		    "in quotes",
		    c);
		s->bad = true;
	}
	s->p++;
}

static void
next(struct scan *s)
{
	int c = peek(s, 0);

	if (c == '\n') {
		s->line++;
		s->p++;
	} else if (c == ' ' || c == '\t') {
		s->p++;
	} else if (c == '#' || (c == '/' && peek(s, 1) == '/')) {
		line_comment(s);
	} else if (c == '/' && peek(s, 1) == '*') {
		block_comment(s);
	} else if (s->t->ntok > 0 && wants_set(s) && set_value(s)) {
		return;
	} else if (s->in_set && c == '=') {
		refuse(s, "`=' stands alone in set",
		    "write NAME=VALUE, without spaces beside the `='");
		s->p++;
	} else if (c == '"' || c == '\'') {
		string(s, c, false);
	} else if (c != '\0' && strchr("{}=,()", c) != NULL) {
		add_token(s, (char)c, s->p, s->p + 1, 0);
		s->p++;
		if (c == '{')
			opened(s);
		else if (c == '}')
			s->in_set = false;
	} else if (ends_word(c)) {
		stray(s, c);
	} else {
		word(s);
	}
}

/*
 * libconfuse takes the end of the file for all closing braces that are
 * missing, and an empty list for none at all.
 */
static void
check_braces(struct scan *s)
{
	const struct conf_text *t = s->t;
	unsigned open = 0, depth = 0;
	size_t i;

	/* From the end: a brace is open if none is left to close it. */
	for (i = t->ntok; i-- > 0 && open < OPEN_TOLD;) {
		if (t->tok[i].kind == '}') {
			depth++;
		} else if (t->tok[i].kind == '{' && depth > 0) {
			depth--;
		} else if (t->tok[i].kind == '{') {
			open++;
			conf_say(s->e, CONF_SYNTAX, t->tok[i].line,
			    "the `{' here is never closed; add the `}'");
		}
	}
	for (i = 0; i + 2 < t->ntok; i++)
		if (t->tok[i].kind == '=' && t->tok[i + 1].kind == '{' &&
		    t->tok[i + 2].kind == '}')
			conf_say(s->e, CONF_SYNTAX, t->tok[i].line,
			    "the list is empty; name at least one, or leave "
			    "the whole line out");
}

int
conf_text_scan(
    struct conf_text *ret, char *buf, size_t len, struct conf_errors *e)
{
	struct conf_text t = { buf, len, NULL, 0 };
	struct scan s = { .t = &t, .e = e, .line = 1 };

	while (s.p < len && !s.stop)
		next(&s);
	if (!s.bad && !s.nomem)
		check_braces(&s);
	if (s.bad || s.nomem) {
		conf_text_free(&t);
		return s.nomem ? -ENOMEM : -EINVAL;
	}
	*ret = t;
	return 0;
}

void
conf_text_free(struct conf_text *t)
{
	free(t->tok);
	t->tok = NULL;
	t->ntok = 0;
}

static char
kind(const struct conf_text *t, size_t i)
{
	return i < t->ntok ? t->tok[i].kind : '\0';
}

/* The token after the bracket that closes the one at i; 0: it is not closed. */
static size_t
after_bracket(const struct conf_text *t, size_t i)
{
	unsigned depth = 0;

	for (; i < t->ntok; i++) {
		if (t->tok[i].kind == '{' || t->tok[i].kind == '(')
			depth++;
		else if ((t->tok[i].kind == '}' || t->tok[i].kind == ')') &&
			 --depth == 0)
			return i + 1;
	}
	return 0;
}

/* The token after the statement that begins with word i; 0: it is none. */
static size_t
after_statement(const struct conf_text *t, size_t i)
{
	char k = kind(t, ++i);

	if (k == '=') {
		k = kind(t, ++i);
		return k == '{' ? after_bracket(t, i) : k == 'w' ? i + 1 : 0;
	}
	if (k == 'w')
		k = kind(t, ++i);
	return k == '{' || k == '(' ? after_bracket(t, i) : 0;
}

static bool
is_word(const struct conf_text *t, const struct conf_token *k, const char *word)
{
	return k->kind == 'w' && !k->gone && k->len == strlen(word) &&
	       memcmp(t->buf + k->text, word, k->len) == 0;
}

bool
conf_text_blank(struct conf_text *t, int line, const char *word, bool title)
{
	size_t i, first, end = 0, j;

	for (i = 0, first = 0; i < t->ntok && t->tok[i].line <= line; i++) {
		if (!is_word(t, &t->tok[i], word))
			continue;
		if (title) { /* the line is that of the brace after it */
			if (i == 0 || i + 1 >= t->ntok ||
			    t->tok[i + 1].kind != '{' ||
			    t->tok[i + 1].line != line)
				continue;
			first = i - 1;
		} else if (t->tok[i].line != line ||
			   (i > 0 && strchr("=,", t->tok[i - 1].kind) != NULL &&
			       !t->tok[i - 1].gone)) {
			continue;
		} else {
			first = i;
		}
		if ((end = after_statement(t, first)) != 0)
			break;
	}
	for (j = first; j < end; j++)
		t->tok[j].gone = true;
	if (end == 0)
		return false;
	for (j = t->tok[first].start; j < t->tok[end - 1].end; j++)
		if (t->buf[j] != '\n')
			t->buf[j] = ' ';
	return true;
}
