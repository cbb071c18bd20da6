/* SPDX-License-Identifier: ISC */
/* The failover section: words -> what they mean, but for its resources. */
#include <string.h>

#include "conf_draft.h"

#define SAY(e, w, result, ...) conf_say((e), (result), (w)->at, __VA_ARGS__)

#define TIMEOUT_MAX	       120   /* s */
#define FENCE_WAIT	       15000 /* ms */
#define FENCE_WAIT_MAX	       300000
#define SCHEMES		       "https http"
#define SCHEMES_MAX	       8
#define SCHEME_LEN	       16 /* bytes, with what stands between two */

static void
check_node(
    const struct conf *c, const struct conf_draft *d, struct conf_errors *e)
{
	const struct conf_word *name = &d->node[NODE_NAME];

	if (c->name[0] == '\0' || strcmp(c->name, "A") == 0 ||
	    strcmp(c->name, "B") == 0)
		return;
	conf_say(e, CONF_SENSE, name->text != NULL ? name->at : d->failover.at,
	    "with failover, nodes are called A and B, and this one `%s'; "
	    "write name = A in node here, and name = B on the other one",
	    c->name);
}

static void
read_addresses(
    struct conf_failover *f, const struct conf_word *w, struct conf_errors *e)
{
	static const char *const names[] = { "after-services",
		"before-services", NULL };
	const char *guess;

	if (w->text == NULL || strcmp(w->text, names[0]) == 0)
		return;
	f->addresses_first = strcmp(w->text, names[1]) == 0;
	if (f->addresses_first)
		return;
	guess = conf_similar(w->text, names);
	SAY(e, w, CONF_SYNTAX, "addresses `%.64s' is unknown; write %s%s",
	    w->text, guess != NULL ? guess : names[0],
	    guess != NULL ? "" : " or before-services");
}

static void
read_last_resort(
    struct conf *c, const struct conf_word *w, struct conf_errors *e)
{
	if (w->text == NULL)
		return;
	if (w->text[0] != '/')
		SAY(e, w, CONF_SENSE,
		    "last-resort `%.64s' is not an absolute path; begin it "
		    "with /, or leave it out for a reboot at once",
		    w->text);
	else if (strlen(w->text) >= CONF_PATH_MAX)
		SAY(e, w, CONF_SENSE,
		    "last-resort is longer than %d bytes; shorten it",
		    CONF_PATH_MAX - 1);
	else
		c->failover.last_resort = conf_block_text(c, w->text);
}

static bool
is_scheme(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	static const char more[] = "abcdefghijklmnopqrstuvwxyz0123456789+.-";

	return text[0] != '\0' && strchr(letters, text[0]) != NULL &&
	       text[strspn(text, more)] == '\0' && strlen(text) < SCHEME_LEN;
}

static bool
is_before(const struct conf_list *l, unsigned nth)
{
	unsigned i;

	for (i = 0; i < nth; i++)
		if (strcmp(l->word[i].text, l->word[nth].text) == 0)
			return true;
	return false;
}

static void
read_schemes(struct conf *c, const struct conf_list *l, struct conf_errors *e)
{
	char text[SCHEMES_MAX * SCHEME_LEN] = "";
	const char *space = "";
	unsigned i;
	size_t n = 0;

	for (i = 0; i < l->n && i < SCHEMES_MAX; i++) {
		const struct conf_word *w = &l->word[i];

		if (!is_scheme(w->text)) {
			SAY(e, w, CONF_SENSE,
			    "url-schemes `%.64s' is not the beginning of a "
			    "URL; write it as https, without ://",
			    w->text);
			continue;
		}
		if (is_before(l, i)) {
			SAY(e, w, CONF_SENSE,
			    "url-schemes %s is there twice; keep one", w->text);
			continue;
		}
		n += (size_t)snprintf(
		    text + n, sizeof(text) - n, "%s%s", space, w->text);
		space = " ";
	}
	if (l->n > SCHEMES_MAX)
		SAY(e, &l->word[SCHEMES_MAX], CONF_SENSE,
		    "url-schemes has more than %d values; keep those that "
		    "are shown to people",
		    SCHEMES_MAX);
	c->failover.schemes = conf_block_text(c, n > 0 ? text : SCHEMES);
}

static void
read_interlink(
    struct conf_failover *f, const struct conf_draft *d, struct conf_errors *e)
{
	const struct conf_word *w = &d->failover.interlink;
	struct conf_word peer = d->failover.peer;
	struct conf_list list = { &peer, 1 };
	struct conf_addrs all = { .n = 0 };
	struct carp_addr addr;
	conf_place at;

	if (w->text == NULL)
		return;
	if (conf_ifname(w->text, w->at, e))
		memcpy(f->interlink, w->text, strlen(w->text) + 1);
	if (peer.text == NULL) {
		if (!d->holes)
			SAY(e, w, CONF_SENSE,
			    "interlink %.16s has no peer; write peer = "
			    "ADDRESS, that of the other node there",
			    w->text);
		return;
	}
	all.addr = &addr;
	all.at = &at;
	conf_addrs_read(&all, &list, LIST_PEER, e);
	if (all.n == 1)
		f->interlink_peer = addr;
}

void
conf_failover_read(
    struct conf *c, const struct conf_draft *d, struct conf_errors *e)
{
	const struct conf_word *w = d->failover.word;
	struct conf_failover *f = &c->failover;

	if (!d->failover.on)
		return;
	f->on = 1;
	check_node(c, d, e);
	f->timeout_s = (uint32_t)conf_number(
	    &w[FAILOVER_TIMEOUT], "timeout", 0, TIMEOUT_MAX, 0, e);
	read_addresses(f, &w[FAILOVER_ADDRESSES], e);
	f->fence_wait_ms = conf_seconds(&w[FAILOVER_FENCE_WAIT], "fence-wait",
	    0, FENCE_WAIT_MAX, FENCE_WAIT, e);
	read_last_resort(c, &w[FAILOVER_LAST_RESORT], e);
	read_schemes(c, &d->failover.list[LIST_SCHEMES], e);
	read_interlink(f, d, e);
	conf_resources_read(c, d, e);
}

static size_t
room(const struct conf_word *w, unsigned n)
{
	size_t ret = 0;

	for (; n > 0; n--, w++)
		ret += w->text != NULL ? strlen(w->text) + 1 : 0;
	return ret;
}

size_t
conf_failover_room(const struct conf_draft_failover *f)
{
	const struct conf_list *schemes = &f->list[LIST_SCHEMES];
	size_t ret = sizeof(SCHEMES) + room(schemes->word, schemes->n) +
		     room(&f->word[FAILOVER_LAST_RESORT], 1);
	unsigned i;

	for (i = 0; i < f->nresources; i++) {
		const struct conf_draft_resource *r = &f->resource[i];

		ret += room(&r->word[RESOURCE_HOOK], 1) +
		       room(r->list[LIST_SET].word, r->list[LIST_SET].n);
	}
	return ret;
}
