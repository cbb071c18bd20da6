/* SPDX-License-Identifier: ISC */
/* The failover section: its grammar, and its words. */
#include <string.h>

#include "conf_parse.h"

#define TITLED (CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES)

void
conf_failover_grammar(struct conf_failover_opts *o)
{
	const cfg_opt_t interlink = CFG_SEC("interlink", o->interlink, TITLED);
	const cfg_opt_t resource = CFG_SEC(NULL, o->resource, TITLED);
	unsigned n, i;

	conf_opts_end(o->interlink,
	    conf_opts_add(o->interlink, 0, conf_interlink_names, false));
	n = conf_opts_add(o->resource, 0, conf_resource_names, false);
	conf_opts_end(o->resource,
	    conf_opts_add(o->resource, n, conf_resource_list_names, true));
	n = conf_opts_add(o->failover, 0, conf_failover_names, false);
	n = conf_opts_add(o->failover, n, conf_failover_list_names, true);
	o->failover[n++] = interlink;
	for (i = 0; i < NPHASES; i++, n++) {
		o->failover[n] = resource;
		o->failover[n].name = conf_phase_names[i];
	}
	conf_opts_end(o->failover, n);
}

const char *
conf_failover_titled(cfg_t *failover, const char *title)
{
	unsigned i;

	for (i = 0; i < NPHASES; i++)
		if (cfg_gettsec(failover, conf_phase_names[i], title) != NULL)
			return conf_phase_names[i];
	return "interlink";
}

/* The first one; libconfuse takes it for an error if there is none. */
static cfg_t *
section(cfg_t *root)
{
	return cfg_size(root, "failover") > 0 ? cfg_getnsec(root, "failover", 0)
					      : NULL;
}

void
conf_failover_count(cfg_t *root, unsigned *nresources, unsigned *nwords)
{
	cfg_t *sec = section(root);
	unsigned i, j;

	*nresources = 0;
	if (sec == NULL)
		return;
	*nwords += conf_count_lists(sec, conf_failover_list_names);
	for (i = 0; i < NPHASES; i++) {
		const char *phase = conf_phase_names[i];

		for (j = 0; j < cfg_size(sec, phase); j++, ++*nresources)
			*nwords += conf_count_lists(cfg_getnsec(sec, phase, j),
			    conf_resource_list_names);
	}
}

static void
take_interlink(
    struct conf_draft_failover *f, cfg_t *failover, struct conf_errors *e)
{
	unsigned i;

	for (i = 0; i < cfg_size(failover, "interlink"); i++) {
		cfg_t *sec = cfg_getnsec(failover, "interlink", i);

		if (i > 0) {
			conf_say(e, CONF_SENSE, conf_line(sec),
			    "interlink %s is a second one, after %s in line "
			    "%d; keep one",
			    sec->title, f->interlink.text, f->interlink.at);
			continue;
		}
		f->interlink.text = sec->title;
		f->interlink.at = conf_line(sec);
		conf_take_words(&f->peer, sec, conf_interlink_names);
	}
}

static void
take_resources(struct conf_draft_resource **r, cfg_t *failover,
    enum conf_phase phase, struct conf_word **room)
{
	const char *name = conf_phase_names[phase];
	unsigned i;

	for (i = 0; i < cfg_size(failover, name); i++, ++*r) {
		cfg_t *sec = cfg_getnsec(failover, name, i);

		(*r)->name.text = sec->title;
		(*r)->name.at = conf_line(sec);
		(*r)->phase = phase;
		conf_take_words((*r)->word, sec, conf_resource_names);
		conf_take_lists(
		    (*r)->list, room, sec, conf_resource_list_names);
	}
}

void
conf_failover_take(struct conf_draft_failover *f, cfg_t *root,
    struct conf_word **room, struct conf_errors *e)
{
	struct conf_draft_resource *r = f->resource;
	cfg_t *sec = section(root);
	unsigned i;

	for (i = 1; i < cfg_size(root, "failover"); i++)
		conf_say(e, CONF_SENSE,
		    conf_line(cfg_getnsec(root, "failover", i)),
		    "failover is there twice, first in line %d; put all into "
		    "one section",
		    conf_line(sec));
	if (sec == NULL)
		return;
	f->on = true;
	f->at = conf_line(sec);
	conf_take_words(f->word, sec, conf_failover_names);
	conf_take_lists(f->list, room, sec, conf_failover_list_names);
	take_interlink(f, sec, e);
	for (i = 0; i < NPHASES; i++)
		take_resources(&r, sec, (enum conf_phase)i, room);
	f->nresources = (unsigned)(r - f->resource);
}
