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
		conf_say_twice(run->errors, cfg, word);
	} else if (strncmp(fmt, "unexpected token", 16) == 0) {
		conf_text_reveal(word);
		conf_say_unexpected(run->errors, cfg, word);
	} else {
		conf_say_grammar(run->errors, cfg, fmt, word, message);
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

	conf_count_hosts(p->cfg, &nhosts, &nwords);
	conf_failover_count(p->cfg, &nresources, &nwords);
	p->host = calloc(nhosts + 1, sizeof(*p->host));
	p->resource = calloc(nresources + 1, sizeof(*p->resource));
	p->words = w = calloc(nwords + 1, sizeof(*p->words));
	if (p->host == NULL || p->resource == NULL || w == NULL)
		return -ENOMEM;
	conf_take_nodes(draft, p->cfg, e);
	conf_take_hosts(draft, p->host, p->cfg, &w, e);
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
