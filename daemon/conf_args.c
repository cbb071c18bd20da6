/* SPDX-License-Identifier: ISC */
/* The command line -> words, which are then understood like those of a file. */
#include <stdlib.h>

#include "conf_draft.h"

static void
set(struct conf_word *w, const char *text, char option)
{
	w->text = text;
	w->at = -option;
}

static struct conf_word *
set_list(struct conf_list *l, struct conf_word *room, const char **texts,
    unsigned n, char option)
{
	unsigned i;

	l->word = room;
	l->n = n;
	for (i = 0; i < n; i++)
		set(&room[i], texts[i], option);
	return room + n;
}

static void
set_host(struct conf_draft_host *h, const struct conf_args *a,
    struct conf_word *room)
{
	h->ifname = a->ifname;
	h->if_at = -'i';
	set(&h->vhid, a->vhid, 'v');
	set(&h->word[HOST_PASSFILE], a->keyfile, 'P');
	set(&h->word[HOST_ADVBASE], a->advbase, 'b');
	set(&h->word[HOST_ADVSKEW], a->advskew, 'k');
	set(&h->word[HOST_LEASE], a->lease, 'l');
	set(&h->word[HOST_PREEMPT], a->preempt ? "true" : NULL, 'p');
	set(&h->word[HOST_VMAC], a->vmac ? "true" : NULL, 'm');
	set(&h->word[HOST_FOREIGN], a->allow_foreign_subnet ? "true" : NULL,
	    'F');
	room = set_list(&h->list[LIST_ADDRESS], room, a->addrs, a->naddrs, 'a');
	(void)set_list(&h->list[LIST_PEER], room, a->peers, a->npeers, 'r');
}

static void
check_all_there(const struct conf_args *a, struct conf_errors *e)
{
	const struct {
		const void *given;
		const char *text;
	} needed[] = {
		{ a->ifname, "-i INTERFACE" },
		{ a->vhid, "-v VHID" },
		{ a->keyfile, "-P KEYFILE" },
		{ a->naddrs > 0 ? a->addrs : NULL, "-a ADDRESS/LEN" },
	};
	size_t i;

	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (needed[i].given == NULL)
			conf_say(e, CONF_USAGE, 0,
			    "%s is missing; without a "
			    "file, -i, -v, -P and -a are needed",
			    needed[i].text);
}

enum conf_result
conf_from_args(struct conf **ret, const struct conf_args *a, FILE *errors)
{
	struct conf_errors e = { .file = NULL };
	struct conf_draft_host host = { .ifname = NULL };
	struct conf_draft d = { .host = &host, .nhosts = 1 };
	struct conf_word *room;
	struct conf *c = NULL;

	room = calloc((size_t)a->naddrs + a->npeers + 1, sizeof(*room));
	if (room == NULL) {
		conf_say(&e, CONF_FAILED, 0, "out of memory; nothing was done");
		return conf_tell(&e, errors);
	}
	check_all_there(a, &e);
	if (e.result == CONF_OK) {
		set(&d.node[NODE_USER], a->user, 'u');
		set_host(&host, a, room);
		c = conf_understand(&d, &e);
	}
	free(room);
	if (c != NULL)
		*ret = c;
	if (e.result == CONF_SYNTAX) /* it is no file */
		e.result = CONF_USAGE;
	return conf_tell(&e, errors);
}
