/* SPDX-License-Identifier: ISC */
/* Words -> numbers, switches and texts, each checked in itself. */
#include <unistd.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <confuse.h>

#include "conf_draft.h"
#include "key.h"

#define SAY(e, w, result, ...) conf_say((e), (result), (w)->at, __VA_ARGS__)

#define GRACE_DEFAULT	       60 /* s */
#define PATH_ROOM	       4096
#define SKEW_STARVED	       8 /* with advbase 0 and without realtime */

/* Addresses of a vhid, and of peers, that anybody can mean. */
static const unsigned list_max[NHOST_LISTS] = { 4096, 4096, 64, 3 };

/*
 * The node.
 */

static void
read_node(struct conf *c, const struct conf_draft *d, struct conf_errors *e)
{
	const struct conf_word *w = d->node;
	char host[CONF_PATH_MAX] = "";

	if (w[NODE_NAME].text == NULL &&
	    (gethostname(host, sizeof(host) - 1) == -1 || host[0] == '\0' ||
		strlen(host) >= CONF_NAME_MAX))
		conf_say(e, CONF_SENSE, 0,
		    "the host name is of no use as the "
		    "node's name; write name = NAME in node");
	else
		conf_name(
		    c->name, sizeof(c->name), &w[NODE_NAME], "name", host, e);
	conf_name(c->user, sizeof(c->user), &w[NODE_USER], "user", "carpd", e);
	conf_name(
	    c->group, sizeof(c->group), &w[NODE_GROUP], "group", "carpd", e);
	conf_string(c->notify_dir, sizeof(c->notify_dir), &w[NODE_NOTIFY_DIR],
	    "notify-dir", d->hooks ? "/etc/carpd/notify.d" : "", e);
	if (c->notify_dir[0] != '\0' && c->notify_dir[0] != '/')
		SAY(e, &w[NODE_NOTIFY_DIR], CONF_SENSE,
		    "notify-dir `%s' is "
		    "not an absolute path; begin it with /, or write \"\" for "
		    "no hooks",
		    c->notify_dir);
	c->notify_timeout = (uint32_t)conf_number(
	    &w[NODE_NOTIFY_TIMEOUT], "notify-timeout", 1, 3600, 30, e);
	c->link_demotion = (int32_t)conf_number(
	    &w[NODE_LINK_DEMOTION], "link-demotion", 0, 65535, CARP_DEMOTED, e);
	c->realtime = conf_boolean(&w[NODE_REALTIME], "realtime", false, e);
}

/*
 * A virtual host.
 */

/* A key file is beside the configuration file, if its path is not absolute. */
static void
key_path(char ret[PATH_ROOM], const char *path, const struct conf_errors *e)
{
	const char *slash = e->file != NULL ? strrchr(e->file, '/') : NULL;

	if (path[0] == '/' || slash == NULL)
		(void)snprintf(ret, PATH_ROOM, "%s", path);
	else
		(void)snprintf(ret, PATH_ROOM, "%.*s/%s",
		    (int)(slash - e->file), e->file, path);
}

static void
read_passfile(
    struct carp_config *c, const struct conf_word *w, struct conf_errors *e)
{
	char path[PATH_ROOM], why[192];
	int rc;

	if (w->text[0] == '\0') {
		SAY(e, w, CONF_SENSE,
		    "passphrase-file is empty; write the "
		    "path of a file");
		return;
	}
	key_path(path, w->text, e);
	rc = key_from_file(c->key, path, why, sizeof(why));
	if (rc != 0)
		SAY(e, w,
		    rc == -EINVAL || rc == -EPERM || rc == -ENAMETOOLONG
			? CONF_SENSE
			: CONF_NOFILE,
		    "passphrase file %.200s %s", path, why);
}

/*
 * Thousands of hosts may name one file: it is read once for those that follow
 * each other.  *last is the host before, or NULL.
 */
static bool
same_key(struct carp_config *c, const struct conf_draft_host *h,
    const struct carp_config *last)
{
	static const uint8_t none[CARP_KEY_LEN];
	const struct conf_word *w = &h->word[HOST_PASSFILE];

	if (last == NULL || w->text == NULL ||
	    h->word[HOST_KEYHEX].text != NULL ||
	    h[-1].word[HOST_PASSFILE].text == NULL ||
	    h[-1].word[HOST_KEYHEX].text != NULL ||
	    strcmp(w->text, h[-1].word[HOST_PASSFILE].text) != 0 ||
	    memcmp(last->key, none, sizeof(none)) == 0)
		return false;
	memcpy(c->key, last->key, sizeof(c->key));
	return true;
}

static void
read_key(struct carp_config *c, const struct conf_draft *d,
    const struct conf_draft_host *h, struct conf_errors *e)
{
	const struct conf_word *file = &h->word[HOST_PASSFILE];
	const struct conf_word *hex = &h->word[HOST_KEYHEX];
	char why[192];

	if (file->text == NULL && hex->text == NULL) {
		if (!d->holes)
			SAY(e, &h->vhid, CONF_SENSE,
			    "vhid %.8s has no key; "
			    "write passphrase-file = FILE",
			    h->vhid.text);
	} else if (file->text != NULL && hex->text != NULL)
		SAY(e, hex, CONF_SENSE,
		    "both passphrase-file and key-hex are "
		    "given; keep one");
	else if (file->text != NULL)
		read_passfile(c, file, e);
	else if (key_from_hex(c->key, hex->text, why, sizeof(why)) != 0)
		SAY(e, hex, CONF_SENSE, "key-hex %s", why);
	else if (!d->secret)
		SAY(e, hex, CONF_SENSE,
		    "key-hex is in a file that others "
		    "can read; run chmod 600 on it, and take a new key");
}

static void
read_lladdr(
    struct carp_config *c, const struct conf_word *w, struct conf_errors *e)
{
	static const uint8_t none[6];
	unsigned b[6], i;
	uint8_t mac[6];
	int n = 0;

	if (w->text == NULL)
		return;
	if (strlen(w->text) != 17 ||
	    strspn(w->text, "0123456789abcdefABCDEF:") != 17 ||
	    sscanf(w->text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2],
		&b[3], &b[4], &b[5], &n) != 6 ||
	    n != 17) {
		SAY(e, w, CONF_SYNTAX,
		    "lladdr `%.64s' is not an Ethernet "
		    "address; write it as 02:00:5e:00:01:0a",
		    w->text);
		return;
	}
	for (i = 0; i < 6; i++)
		mac[i] = (uint8_t)b[i];
	if ((mac[0] & 1) != 0 || memcmp(mac, none, 6) == 0)
		SAY(e, w, CONF_SENSE,
		    "lladdr %s is not the address of a "
		    "host; write what the OpenBSD peer shows as lladdr",
		    w->text);
	else
		memcpy(c->lladdr, mac, 6);
}

static void
read_digests(
    struct carp_config *c, const struct conf_list *l, struct conf_errors *e)
{
	static const char *const names[] = { "no-link-local", "all",
		"auto-link-local", NULL };
	static const uint8_t forms[] = { CARP_NOV6LL, CARP_ORIG, CARP_AUTOLL };
	unsigned i, j;

	for (i = 0; i < l->n; i++) {
		const struct conf_word *w = &l->word[i];
		const char *guess = conf_similar(w->text, names);

		for (j = 0; names[j] != NULL; j++)
			if (strcmp(names[j], w->text) == 0)
				break;
		if (names[j] == NULL)
			SAY(e, w, CONF_SYNTAX,
			    "accept-digest `%.64s' is "
			    "unknown; %s%s%s",
			    w->text,
			    guess != NULL
				? "did you mean `"
				: "there are "
				  "no-link-local, all and auto-link-local",
			    guess != NULL ? guess : "",
			    guess != NULL ? "'?" : "");
		else if ((c->digests & forms[j]) != 0)
			SAY(e, w, CONF_SYNTAX,
			    "accept-digest %s is there twice; keep one",
			    w->text);
		else
			c->digests |= forms[j];
	}
	if (l->n == 0)
		c->digests = CARP_ANY_DIGEST;
}

static void
read_lease(
    struct conf_host *h, const struct conf_draft_host *d, struct conf_errors *e)
{
	const struct conf_word *w = &d->word[HOST_LEASE];
	const struct conf_word *base = &d->word[HOST_ADVBASE];

	/* only what has no lifetime can wait for a takeover */
	h->lease =
	    w->text == NULL && h->vmac ? VIP_LEASE_GUARD : VIP_LEASE_ADDRESS;
	if (w->text != NULL && strcmp(w->text, "off") == 0)
		h->lease = VIP_LEASE_OFF;
	else if (w->text != NULL && strcmp(w->text, "guard") == 0)
		h->lease = VIP_LEASE_GUARD;
	else if (w->text != NULL && strcmp(w->text, "address") != 0)
		SAY(e, w, CONF_SYNTAX,
		    "lease `%.64s' is unknown; write "
		    "address, guard or off",
		    w->text);
	else if (h->carp.advbase == 0 && h->lease == VIP_LEASE_ADDRESS)
		SAY(e, base, CONF_SENSE,
		    "advbase 0 takes over faster than "
		    "the shortest lease of the kernel, 2 s; write lease = "
		    "guard or lease = off");
}

static void
read_carp(struct carp_config *c, const struct conf_draft *d,
    const struct conf_draft_host *h, struct conf_errors *e)
{
	static const struct carp_config init = CARP_CONFIG_INIT;
	const struct conf_word *w = h->word;
	const char *const *name = conf_host_names;
	bool preempt, fast;
	long grace;

	*c = init;
	c->vhid = (uint8_t)conf_number(&h->vhid, "vhid", 1, 255, 0, e);
	c->advbase =
	    (uint8_t)conf_number(&w[HOST_ADVBASE], "advbase", 0, 254, 1, e);
	c->advskew = (uint8_t)conf_number(
	    &w[HOST_ADVSKEW], "advskew", 0, CARP_SKEW_MAX, 0, e);
	/* What is wrong in the node's was said with the node. */
	preempt = d->node[NODE_PREEMPT].text != NULL &&
		  cfg_parse_boolean(d->node[NODE_PREEMPT].text) == 1;
	c->preempt = conf_boolean(&w[HOST_PREEMPT], "preempt", preempt, e);
	fast = d->node[NODE_FAST_START].text != NULL &&
	       cfg_parse_boolean(d->node[NODE_FAST_START].text) == 1;
	if (fast && !c->preempt && !d->holes)
		SAY(e, &h->vhid, CONF_SENSE,
		    "fast-start takes preempt, which vhid %.8s has not; write "
		    "preempt = true, or fast-start = false",
		    h->vhid.text);
	c->fast_start = fast;
	c->openbsd =
	    conf_boolean(&w[HOST_OPENBSD], name[HOST_OPENBSD], false, e);
	c->strict_family =
	    conf_boolean(&w[HOST_STRICT], name[HOST_STRICT], false, e);
	c->triple_skew =
	    conf_boolean(&w[HOST_TRIPLE], name[HOST_TRIPLE], false, e);
	grace = conf_number(&w[HOST_GRACE], "grace", 0, 3600, GRACE_DEFAULT, e);
	c->grace = grace > 0 ? (uint64_t)grace * CARP_SEC : 1;
	read_lladdr(c, &w[HOST_LLADDR], e);
	read_digests(c, &h->list[LIST_ACCEPT], e);
}

static bool
check_lists(const struct conf_draft_host *d, bool holes, struct conf_errors *e)
{
	unsigned i, n = e->n + e->lost;

	if (d->list[LIST_ADDRESS].n == 0 && !holes)
		SAY(e, &d->vhid, CONF_SENSE,
		    "vhid %.8s has no address; write "
		    "address = { A/LEN }",
		    d->vhid.text);
	for (i = 0; i < NHOST_LISTS; i++)
		if (d->list[i].n > list_max[i])
			SAY(e, &d->list[i].word[list_max[i]], CONF_SENSE,
			    "%s has more than %u values; use another vhid for "
			    "the others",
			    conf_list_names[i], list_max[i]);
	return n == e->n + e->lost;
}

/*
 * The interface.  All its hosts have the same words: with the first of them it
 * was said what is wrong.
 */
static void
read_link(struct conf_host *h, const struct conf_draft_host *d, bool first,
    struct conf_errors *e)
{
	const struct conf_word *w = d->link;
	struct conf_errors quiet = { .file = NULL };
	struct conf_errors *to = first ? e : &quiet;

	h->critical = conf_boolean(&w[LINK_CRITICAL], "critical", false, to);
	h->group =
	    (uint32_t)conf_number(&w[LINK_GROUP], "group", 1, 65535, 0, to);
	if (w[LINK_GROUP].text != NULL && !h->critical)
		SAY(to, &w[LINK_GROUP], CONF_SENSE,
		    "group has no meaning on an interface that is not "
		    "critical; write critical = true as well, or leave it out");
	(void)conf_tell(&quiet, NULL);
}

static void
read_host(struct conf_host *h, struct conf_addrs *all,
    const struct conf_draft *d, const struct conf_draft_host *dh,
    struct conf_errors *e)
{
	static const char *const *name = conf_host_names;
	const struct conf_word *w = dh->word;

	if (strlen(dh->ifname) < VIP_IFNAMSIZ)
		memcpy(h->ifname, dh->ifname, strlen(dh->ifname) + 1);
	h->line = dh->vhid.at > 0 ? (uint32_t)dh->vhid.at : 0;
	read_carp(&h->carp, d, dh, e);
	if (!same_key(&h->carp, dh, dh > d->host ? &h[-1].carp : NULL))
		read_key(&h->carp, d, dh, e);
	h->vmac = conf_boolean(&w[HOST_VMAC], name[HOST_VMAC], false, e);
	read_lease(h, dh, e);
	h->allow_foreign_subnet =
	    conf_boolean(&w[HOST_FOREIGN], name[HOST_FOREIGN], false, e);
	if (!check_lists(dh, d->holes, e))
		return;
	h->addrs = all->n;
	conf_addrs_read(all, &dh->list[LIST_ADDRESS], LIST_ADDRESS, e);
	h->naddrs = all->n - h->addrs;
	h->digest = all->n;
	conf_addrs_read(all, &dh->list[LIST_DIGEST], LIST_DIGEST, e);
	h->ndigest = all->n - h->digest;
	h->peers = all->n;
	conf_addrs_read(all, &dh->list[LIST_PEER], LIST_PEER, e);
	h->npeers = all->n - h->peers;
	/* With an address missing, what follows from it would be untrue. */
	if (h->naddrs == dh->list[LIST_ADDRESS].n &&
	    h->ndigest == dh->list[LIST_DIGEST].n &&
	    h->npeers == dh->list[LIST_PEER].n)
		conf_addrs_check_host(all, h, e);
}

/*
 * All of it.
 */

/*
 * Without realtime, a master on a machine with more work than cores has come
 * late by up to 30 ms.  With an interval of 8/256 s it may be late by twice
 * that before another takes over.
 */
static void
check_fast(const struct conf_host *h, const struct conf_draft_host *d,
    bool realtime, struct conf_errors *e)
{
	const struct conf_word *skew = &d->word[HOST_ADVSKEW];
	const struct conf_word *w =
	    skew->text != NULL ? skew : &d->word[HOST_ADVBASE];

	if (h->carp.advbase > 0)
		return;
	if (h->carp.advskew == 0)
		SAY(e, w, CONF_SENSE,
		    "advbase 0 with advskew 0 is no interval at all; take an "
		    "advskew of 1 or more");
	else if (h->carp.advskew < SKEW_STARVED && !realtime)
		SAY(e, w, CONF_SENSE,
		    "advbase 0 with advskew %u takes realtime = true in node, "
		    "or a busy machine fails over for nothing; or take %d or "
		    "more",
		    h->carp.advskew, SKEW_STARVED);
}

/* With one that is critical, all hosts of the node move as one. */
static void
move_together(
    struct conf_host *h, const struct conf_draft *d, struct conf_errors *e)
{
	bool any = false;

	for (unsigned i = 0; i < d->nhosts; i++)
		any |= h[i].critical;
	for (unsigned i = 0; any && i < d->nhosts; i++) {
		h[i].carp.together = 1;
		if (h[i].carp.advskew >= CARP_DEMOTED)
			SAY(e, &d->host[i].word[HOST_ADVSKEW], CONF_SENSE,
			    "advskew %u is what a demoted host sends, and some "
			    "interface is critical; take less than %u",
			    h[i].carp.advskew, CARP_DEMOTED);
	}
}

static void
read_hosts(struct conf_host *h, struct conf_addrs *all,
    const struct conf_draft *d, struct conf_errors *e)
{
	conf_place line[UINT8_MAX + 1] = { 0 };
	const char *ifname = NULL;
	bool first = false;
	unsigned i, vhid;

	for (i = 0; i < d->nhosts; i++) {
		const struct conf_draft_host *dh = &d->host[i];

		if (ifname == NULL || strcmp(ifname, dh->ifname) != 0) {
			ifname = dh->ifname;
			memset(line, 0, sizeof(line));
			(void)conf_ifname(dh->ifname, dh->if_at, e);
			first = true;
		} else {
			first = false;
		}
		read_link(&h[i], dh, first, e);
		read_host(&h[i], all, d, dh, e);
		vhid = h[i].carp.vhid;
		if (vhid != 0 && line[vhid] != 0)
			SAY(e, &dh->vhid, CONF_SENSE,
			    "vhid %u is there twice "
			    "on %s, first in line %d; take another number",
			    vhid, ifname, line[vhid]);
		else if (vhid != 0)
			line[vhid] = dh->vhid.at;
	}
	conf_addrs_check_all(all, h, d->nhosts, e);
	move_together(h, d, e);
}

static unsigned
count_addrs(const struct conf_draft *d)
{
	unsigned i, n = 0;

	for (i = 0; i < d->nhosts; i++)
		n += d->host[i].list[LIST_ADDRESS].n +
		     d->host[i].list[LIST_DIGEST].n +
		     d->host[i].list[LIST_PEER].n;
	return n;
}

struct conf *
conf_understand(const struct conf_draft *d, struct conf_errors *e)
{
	unsigned naddrs = count_addrs(d);
	struct conf *c = conf_block_new(d->failover.nresources, d->nhosts,
	    naddrs, conf_failover_room(&d->failover));
	struct conf_addrs all = { NULL, NULL, 0 };

	all.at = calloc((size_t)naddrs + 1, sizeof(*all.at));
	if (c == NULL || all.at == NULL) {
		conf_say(e, CONF_FAILED, 0, "out of memory; nothing was done");
		goto fail;
	}
	all.addr = conf_block_pool(c);
	if (e->file != NULL)
		memcpy(c->file, e->file, strlen(e->file) + 1);
	read_node(c, d, e);
	(void)conf_boolean(&d->node[NODE_PREEMPT], "preempt", false, e);
	(void)conf_boolean(&d->node[NODE_FAST_START], "fast-start", false, e);
	read_hosts(conf_block_hosts(c), &all, d, e);
	conf_failover_read(c, d, e);
	for (unsigned i = 0; i < d->nhosts; i++)
		check_fast(&conf_hosts(c)[i], &d->host[i], c->realtime, e);
	if (d->nhosts == 0 && e->n == 0)
		conf_say(e, CONF_SENSE, 0,
		    "there is no vhid; write interface "
		    "NAME { vhid N { ... } }, carpd.conf(5) has examples");
	if (e->result != CONF_OK)
		goto fail;
	free(all.at);
	return c;
fail:
	free(all.at);
	free(c);
	return NULL;
}
