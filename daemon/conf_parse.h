/* SPDX-License-Identifier: ISC */
/*
 * How libconfuse is used: a grammar whose values are all words with their
 * line, and what was read as words of the draft.
 */
#ifndef CARPD_CONF_PARSE_H
#define CARPD_CONF_PARSE_H

#include <confuse.h>

#include "conf_draft.h"

/* The line of a section: an option with a default that nobody can write. */
#define CONF_LINE "\001line"

/* Options of these names, from the nth on; returns how many there are then. */
unsigned conf_opts_add(
    cfg_opt_t *ret, unsigned n, const char *const *names, bool list);
void conf_opts_end(cfg_opt_t *ret, unsigned n); /* takes two more */

struct conf_word conf_to_word(void *value);

/* conf_complain.c */
void conf_say_unexpected(struct conf_errors *, cfg_t *, const char *token);
void conf_say_twice(struct conf_errors *, cfg_t *, const char *title);
/* fmt: as libconfuse has it; message: filled in; word: the first of it. */
void conf_say_grammar(struct conf_errors *, cfg_t *, const char *fmt,
    const char *word, const char *message);

/* conf_take.c */
int conf_line(cfg_t *section);
void conf_take_words(struct conf_word *ret, cfg_t *, const char *const *names);
void conf_take_lists(struct conf_list *ret, struct conf_word **room, cfg_t *,
    const char *const *names);
unsigned conf_count_lists(cfg_t *, const char *const *names);

/* How many hosts there are, and how many values in all lists. */
void conf_count_hosts(cfg_t *root, unsigned *nhosts, unsigned *nwords);
void conf_take_hosts(struct conf_draft *, struct conf_draft_host *, cfg_t *root,
    struct conf_word **room, struct conf_errors *);
void conf_take_nodes(struct conf_draft *, cfg_t *root, struct conf_errors *);

/* conf_parse_failover.c: the grammar of failover, which cfg_init() copies. */
struct conf_failover_opts {
	cfg_opt_t failover[NFAILOVER_WORDS + NFAILOVER_LISTS + 1 + NPHASES + 2];
	cfg_opt_t interlink[3];
	cfg_opt_t resource[NRESOURCE_WORDS + NRESOURCE_LISTS + 2];
};

void conf_failover_grammar(struct conf_failover_opts *);

/* In which section of failover this title is. */
const char *conf_failover_titled(cfg_t *failover, const char *title);

/* How many resources there are; the values of their lists are added. */
void conf_failover_count(cfg_t *root, unsigned *nresources, unsigned *nwords);
void conf_failover_take(struct conf_draft_failover *, cfg_t *root,
    struct conf_word **room, struct conf_errors *);

#endif
