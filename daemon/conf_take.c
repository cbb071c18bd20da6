/* SPDX-License-Identifier: ISC */
/* What libconfuse read -> words of the draft: of node and virtual hosts. */
#include "conf_parse.h"

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
void
conf_count_hosts(cfg_t *cfg, unsigned *nhosts, unsigned *nwords)
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

void
conf_take_hosts(struct conf_draft *d, struct conf_draft_host *host, cfg_t *cfg,
    struct conf_word **w, struct conf_errors *e)
{
	unsigned i, j, n = 0;

	for (i = 0; i < cfg_size(cfg, "interface"); i++) {
		cfg_t *sec = cfg_getnsec(cfg, "interface", i);

		if (cfg_size(sec, "vhid") == 0 && !d->holes)
			conf_say(e, CONF_SENSE, conf_line(sec),
			    "interface %s has no vhid; add one, or take the "
			    "interface out",
			    sec->title);
		for (j = 0; j < cfg_size(sec, "vhid"); j++)
			take_host(
			    &host[n++], w, sec, cfg_getnsec(sec, "vhid", j));
	}
	d->host = host;
	d->nhosts = n;
}

void
conf_take_nodes(struct conf_draft *d, cfg_t *cfg, struct conf_errors *e)
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
