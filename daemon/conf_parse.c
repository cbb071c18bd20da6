/* SPDX-License-Identifier: ISC */
/*
 * Text -> words, by libconfuse.
 *
 * libconfuse only says how words, lists and sections fit together: every
 * value is taken as it stands, with its line, so that what it means, and what
 * is wrong with it, is said in one place for the file and the command line.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf_parse.h"
#include "conf_text.h"

#define RETRIES 20 /* statements left out, at most */

struct conf_parsed {
	struct conf_text text;
	cfg_t *cfg;
	struct conf_draft_host *host;
	struct conf_draft_resource *resource;
	struct conf_word *words; /* of all lists */
};

struct value {
	int line;
	char text[];
};

/* What went wrong in one run of libconfuse. */
enum trouble { NO_TROUBLE, UNKNOWN_WORD, TWICE, GRAMMAR };

/*
 * libconfuse passes no pointer on to its callbacks, and its scanner has but
 * one state.  So this is one, too; it is set while conf_parse() runs.
 */
static struct run {
	struct conf_errors *errors;
	enum trouble trouble;
	int line;	 /* of the trouble */
	char word[256];	 /* that is unknown, or a title */
	int overwritten; /* line of a value that was freed */
	int seen;	 /* the line up to which all was said */
} * run;

/*
 * Callbacks.
 */

static int
keep_line(cfg_t *cfg, cfg_opt_t *opt, const char *text, void *ret)
{
	(void)opt;
	(void)text;
	*(long *)ret = cfg->line;
	return 0;
}

static int
keep_value(cfg_t *cfg, cfg_opt_t *opt, const char *text, void *ret)
{
	struct value *v = malloc(sizeof(*v) + strlen(text) + 1);

	if (v == NULL)
		return -1;
	v->line = cfg->line;
	memcpy(v->text, text, strlen(text) + 1);
	conf_text_reveal(v->text);
	*(void **)ret = v;
	if (run->overwritten != 0 && cfg->line > run->seen)
		conf_say(run->errors, CONF_SYNTAX, cfg->line,
		    "%s is given twice, first in line %d; keep one", opt->name,
		    run->overwritten);
	run->overwritten = 0;
	return 0;
}

/* A value that goes away while we parse makes place for another. */
static void
free_value(void *p)
{
	struct value *v = p;

	if (run != NULL && run->overwritten == 0)
		run->overwritten = v->line;
	free(v);
}

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

static void
unexpected(cfg_t *cfg, const char *token)
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
	conf_say(run->errors, CONF_SYNTAX, cfg->line,
	    "`%.64s' cannot stand here; %s", token, todo);
}

/* fmt has one %s, or none: the compiler cannot see that. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static void
grammar(cfg_t *cfg, const char *fmt, const char *word, const char *message)
{
	char what[256], todo[256];
	size_t i;

	for (i = 0; i < NSAYINGS; i++) {
		if (strncmp(fmt, sayings[i].fmt, strlen(sayings[i].fmt)) != 0)
			continue;
		snprintf(what, sizeof(what), sayings[i].what, word);
		snprintf(todo, sizeof(todo), sayings[i].todo, word);
		conf_say(
		    run->errors, CONF_SYNTAX, cfg->line, "%s; %s", what, todo);
		return;
	}
	conf_say(run->errors, CONF_SYNTAX, cfg->line,
	    "%s; carpd.conf(5) has the grammar", message);
}

#pragma GCC diagnostic pop

static void
twice(cfg_t *cfg, const char *title)
{
	const char *section = strcmp(cfg->name, "root") == 0 ? "interface"
			      : strcmp(cfg->name, "failover") != 0
				  ? "vhid"
				  : conf_failover_titled(cfg, title);
	cfg_t *first = cfg_gettsec(cfg, section, title);

	conf_say(run->errors, CONF_SENSE, cfg->line,
	    "%s %s is there twice, first in line %d; put all into one "
	    "section",
	    section, title, conf_line(first));
}

__attribute__((format(printf, 2, 0))) static void
on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	const char *percent = strchr(fmt, '%');
	char message[256], *word = run->word;
	va_list copy;

	if (run->trouble != NO_TROUBLE)
		return; /* what follows from the first */
	run->line = cfg->line;
	run->word[0] = '\0';
	va_copy(copy, ap);
	vsnprintf(message, sizeof(message), fmt, copy);
	va_end(copy);
	if (percent != NULL && percent[1] == 's')
		snprintf(word, sizeof(run->word), "%s", va_arg(ap, char *));
	run->trouble = GRAMMAR;
	if (strncmp(fmt, "no such option", 14) == 0) {
		run->trouble = UNKNOWN_WORD;
		conf_unknown_word(run->errors, cfg->line, cfg->name, word);
	} else if (strncmp(fmt, "found duplicate title", 21) == 0) {
		run->trouble = TWICE;
		twice(cfg, word);
	} else if (strncmp(fmt, "unexpected token", 16) == 0) {
		conf_text_reveal(word);
		unexpected(cfg, word);
	} else {
		grammar(cfg, fmt, word, message);
	}
}

/*
 * The grammar.
 */

unsigned
conf_opts_add(cfg_opt_t *ret, unsigned n, const char *const *names, bool list)
{
	const cfg_opt_t one =
	    CFG_PTR_CB(NULL, NULL, CFGF_NODEFAULT, keep_value, free_value);

	for (; *names != NULL; names++) {
		ret[n] = one;
		ret[n].name = *names;
		if (list)
			ret[n].flags |= CFGF_LIST;
		n++;
	}
	return n;
}

void
conf_opts_end(cfg_opt_t *ret, unsigned n)
{
	static char zero[] = "0"; /* libconfuse copies it */
	const cfg_opt_t line = CFG_INT_CB(CONF_LINE, 0, CFGF_NONE, keep_line);
	const cfg_opt_t end = CFG_END();

	ret[n] = line;
	ret[n].def.parsed = zero;
	ret[n + 1] = end;
}

static cfg_t *
grammar_new(void)
{
	cfg_opt_t host[NHOST_WORDS + NHOST_LISTS + 2];
	cfg_opt_t node[NNODE_WORDS + 2];
	struct conf_failover_opts failover;
	cfg_opt_t interface[NLINK_WORDS + 3] = { CFG_SEC(
	    "vhid", host, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES) };
	cfg_opt_t root[] = {
		CFG_SEC("node", node, CFGF_MULTI),
		CFG_SEC("interface", interface,
		    CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
		CFG_SEC("failover", failover.failover, CFGF_MULTI),
		CFG_END(),
	};
	unsigned n = conf_opts_add(host, 0, conf_host_names, false);
	cfg_t *cfg;

	conf_opts_end(host, conf_opts_add(host, n, conf_list_names, true));
	conf_opts_end(node, conf_opts_add(node, 0, conf_node_names, false));
	conf_opts_end(
	    interface, conf_opts_add(interface, 1, conf_link_names, false));
	conf_failover_grammar(&failover);
	if ((cfg = cfg_init(root, CFGF_NONE)) != NULL)
		(void)cfg_set_error_function(cfg, on_error);
	return cfg;
}

/*
 * What libconfuse read -> the draft.
 */

struct conf_word
conf_to_word(void *p)
{
	const struct value *v = p;
	struct conf_word w = { NULL, 0 };

	if (v != NULL) {
		w.text = v->text;
		w.at = v->line;
	}
	return w;
}

int
conf_line(cfg_t *sec)
{
	return (int)cfg_getint(sec, CONF_LINE);
}

void
conf_take_words(struct conf_word *ret, cfg_t *sec, const char *const *names)
{
	for (; *names != NULL; names++)
		*ret++ = conf_to_word(cfg_getptr(sec, *names));
}

void
conf_take_lists(struct conf_list *ret, struct conf_word **room, cfg_t *sec,
    const char *const *names)
{
	unsigned i;

	for (; *names != NULL; names++, ret++) {
		cfg_opt_t *opt = cfg_getopt(sec, *names);

		ret->word = *room;
		ret->n = cfg_opt_size(opt);
		for (i = 0; i < ret->n; i++)
			*(*room)++ = conf_to_word(cfg_opt_getnptr(opt, i));
	}
}

unsigned
conf_count_lists(cfg_t *sec, const char *const *names)
{
	unsigned n = 0;

	for (; *names != NULL; names++)
		n += cfg_size(sec, *names);
	return n;
}

static void
take_host(struct conf_draft_host *h, struct conf_word **w, cfg_t *interface,
    cfg_t *sec)
{
	h->ifname = interface->title;
	h->if_at = conf_line(interface);
	conf_take_words(h->link, interface, conf_link_names);
	h->vhid.text = sec->title;
	h->vhid.at = conf_line(sec);
	conf_take_words(h->word, sec, conf_host_names);
	conf_take_lists(h->list, w, sec, conf_list_names);
}

/* How many hosts there are, and how many values in all lists. */
static void
count(cfg_t *cfg, unsigned *nhosts, unsigned *nwords)
{
	unsigned i, j;

	*nhosts = *nwords = 0;
	for (i = 0; i < cfg_size(cfg, "interface"); i++) {
		cfg_t *interface = cfg_getnsec(cfg, "interface", i);

		for (j = 0; j < cfg_size(interface, "vhid"); j++) {
			cfg_t *sec = cfg_getnsec(interface, "vhid", j);

			*nwords += conf_count_lists(sec, conf_list_names);
			++*nhosts;
		}
	}
}

static void
take_interfaces(struct conf_parsed *p, struct conf_draft *d,
    struct conf_word **w, struct conf_errors *e)
{
	unsigned i, j, n = 0;

	for (i = 0; i < cfg_size(p->cfg, "interface"); i++) {
		cfg_t *sec = cfg_getnsec(p->cfg, "interface", i);

		if (cfg_size(sec, "vhid") == 0 && !d->holes)
			conf_say(e, CONF_SENSE, conf_line(sec),
			    "interface %s has no vhid; add one, or take the "
			    "interface out",
			    sec->title);
		for (j = 0; j < cfg_size(sec, "vhid"); j++)
			take_host(
			    &p->host[n++], w, sec, cfg_getnsec(sec, "vhid", j));
	}
	d->host = p->host;
	d->nhosts = n;
}

static void
take_nodes(struct conf_draft *d, cfg_t *cfg, struct conf_errors *e)
{
	unsigned i;

	for (i = 0; i < cfg_size(cfg, "node"); i++) {
		cfg_t *sec = cfg_getnsec(cfg, "node", i);

		if (i > 0)
			conf_say(e, CONF_SENSE, conf_line(sec),
			    "node is there twice, first in line %d; put all "
			    "into one section",
			    conf_line(cfg_getsec(cfg, "node")));
		else
			conf_take_words(d->node, sec, conf_node_names);
	}
}

/*
 * Once through the text.
 */

static int
parse_once(struct conf_parsed *p)
{
	static char nothing[] = "\n"; /* fmemopen() wants at least a byte */
	bool empty = p->text.len == 0;
	FILE *fp;
	int rc;

	if (p->cfg != NULL)
		(void)cfg_free(p->cfg);
	run->overwritten = 0;
	run->trouble = NO_TROUBLE;
	if ((p->cfg = grammar_new()) == NULL)
		return -ENOMEM;
	fp = fmemopen(
	    empty ? nothing : p->text.buf, empty ? 1 : p->text.len, "r");
	if (fp == NULL)
		return -ENOMEM;
	rc = cfg_parse_fp(p->cfg, fp);
	fclose(fp);
	if (rc != CFG_SUCCESS && run->trouble == NO_TROUBLE) {
		run->trouble = GRAMMAR;
		run->line = p->cfg->line;
		conf_say(run->errors, CONF_SYNTAX, 0,
		    "libconfuse cannot read this; look for an empty pair of "
		    "quotes in place of a word");
	}
	return 0;
}

/*
 * libconfuse stops at the first trouble.  If it is a statement whose end is
 * known, it is left out, and all is read again.
 */
static int
parse_all(struct conf_parsed *p)
{
	unsigned i;
	int rc;

	for (i = 0; (rc = parse_once(p)) == 0; i++) {
		if (run->trouble == NO_TROUBLE)
			return 0;
		run->seen = run->line;
		if (run->trouble == GRAMMAR || i == RETRIES ||
		    !conf_text_blank(&p->text, run->line, run->word,
			run->trouble == TWICE)) {
			conf_say(run->errors, CONF_SYNTAX, run->line,
			    "reading stopped here; correct this, more may be "
			    "wrong below");
			return -EINVAL;
		}
	}
	return rc;
}

static int
take(struct conf_parsed *p, struct conf_draft *draft, struct conf_errors *e)
{
	unsigned nhosts, nwords, nresources;
	struct conf_word *w;

	count(p->cfg, &nhosts, &nwords);
	conf_failover_count(p->cfg, &nresources, &nwords);
	p->host = calloc(nhosts + 1, sizeof(*p->host));
	p->resource = calloc(nresources + 1, sizeof(*p->resource));
	p->words = w = calloc(nwords + 1, sizeof(*p->words));
	if (p->host == NULL || p->resource == NULL || w == NULL)
		return -ENOMEM;
	take_nodes(draft, p->cfg, e);
	take_interfaces(p, draft, &w, e);
	draft->failover.resource = p->resource;
	conf_failover_take(&draft->failover, p->cfg, &w, e);
	return 0;
}

int
conf_parse(struct conf_parsed **parsed, struct conf_draft *draft, char *buf,
    size_t len, struct conf_errors *e)
{
	struct conf_parsed *p = calloc(1, sizeof(*p));
	struct run r = { .errors = e };
	int rc;

	if (p == NULL)
		return -ENOMEM;
	if ((rc = conf_text_scan(&p->text, buf, len, e)) != 0)
		goto fail;
	run = &r;
	rc = parse_all(p);
	run = NULL;
	draft->holes = e->result != CONF_OK;
	if (rc != 0 || (rc = take(p, draft, e)) != 0)
		goto fail;
	*parsed = p;
	return 0;
fail:
	conf_parsed_free(p);
	return rc;
}

void
conf_parsed_free(struct conf_parsed *p)
{
	if (p == NULL)
		return;
	if (p->cfg != NULL)
		(void)cfg_free(p->cfg);
	conf_text_free(&p->text);
	free(p->host);
	free(p->resource);
	free(p->words);
	free(p);
}
