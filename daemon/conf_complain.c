/* SPDX-License-Identifier: ISC */
/* What libconfuse complains of, said so that people know what to do. */
#include <string.h>

#include "conf_parse.h"

/* What each message of libconfuse means for people, and what to do. */
static const struct {
	const char *fmt, *what, *todo; /* what: with one %s, or none */
} sayings[] = {
	{ "missing equal sign", "there is no `=' after `%s'",
	    "write %s = VALUE" },
	{ "missing opening brace", "there is no `{' where `%s' wants one",
	    "write node { ... }, interface NAME { ... }, vhid N { ... }, "
	    "fence none { }" },
	{ "missing title", "`%s' has no name or number",
	    "write it between `%s' and `{'" },
	{ "premature end", "the file ends in the middle of a statement",
	    "add what is missing" },
	{ "unexpected closing brace", "there is no `{' for this `}'",
	    "take it out, or look for one too many above" },
};
#define NSAYINGS (sizeof(sayings) / sizeof(sayings[0]))

void
conf_say_unexpected(struct conf_errors *e, cfg_t *cfg, const char *token)
{
	const char *todo;

	switch (token[0]) {
	case '{':
		todo = "only sections and lists have braces";
		break;
	case '}':
		todo = "a value is missing before it";
		break;
	case '=':
		todo = "one word stands before it, one value behind; or a "
		       "list above has no `}'";
		break;
	case ',':
		todo = "a list is written { a, b }";
		break;
	case '(':
	case ')':
		todo = "nothing is written with parentheses";
		break;
	default:
		todo = "values of a list need commas between them, and the "
		       "list a `}'";
	}
	conf_say(e, CONF_SYNTAX, cfg->line, "`%.64s' cannot stand here; %s",
	    token, todo);
}

/* fmt has one %s, or none: the compiler cannot see that. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

void
conf_say_grammar(struct conf_errors *e, cfg_t *cfg, const char *fmt,
    const char *word, const char *message)
{
	char what[256], todo[256];
	size_t i;

	for (i = 0; i < NSAYINGS; i++) {
		if (strncmp(fmt, sayings[i].fmt, strlen(sayings[i].fmt)) != 0)
			continue;
		snprintf(what, sizeof(what), sayings[i].what, word);
		snprintf(todo, sizeof(todo), sayings[i].todo, word);
		conf_say(e, CONF_SYNTAX, cfg->line, "%s; %s", what, todo);
		return;
	}
	conf_say(e, CONF_SYNTAX, cfg->line, "%s; carpd.conf(5) has the grammar",
	    message);
}

#pragma GCC diagnostic pop

void
conf_say_twice(struct conf_errors *e, cfg_t *cfg, const char *title)
{
	const char *section = strcmp(cfg->name, "root") == 0 ? "interface"
			      : strcmp(cfg->name, "failover") != 0
				  ? "vhid"
				  : conf_failover_titled(cfg, title);
	cfg_t *first = cfg_gettsec(cfg, section, title);

	conf_say(e, CONF_SENSE, cfg->line,
	    "%s %s is there twice, first in line %d; put all into one "
	    "section",
	    section, title, conf_line(first));
}
