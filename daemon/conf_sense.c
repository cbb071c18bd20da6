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

/* Addresses of a vhid, and of peers, that anybody can mean. */
static const unsigned list_max[NHOST_LISTS] = { 4096, 4096, 64, 3 };

/*
 * Values.  Each function says what is wrong, and then returns the default.
 */

static long
number(const struct conf_word *w, const char *name, long min, long max,
    long def, struct conf_errors *e)
{
	size_t n;
	long v;

	if (w->text == NULL)
		return def;
	n = strspn(w->text, "0123456789");
	if (n == 0 || w->text[n] != '\0') {
		if (w->text[0] == '-' && w->text[1] != '\0' &&
		    strspn(w->text + 1, "0123456789") == strlen(w->text + 1))
			SAY(e, w, CONF_SENSE,
			    "%s %.64s is out of range; %ld "
			    "to %ld are possible",
			    name, w->text, min, max);
		else
			SAY(e, w, CONF_SYNTAX,
			    "%s `%.64s' is not a whole "
			    "decimal number; write %ld to %ld",
			    name, w->text, min, max);
		return def;
	}
	if (n > 1 && w->text[0] == '0') {
		SAY(e, w, CONF_SYNTAX,
		    "%s %.64s begins with 0, which "
		    "elsewhere means octal; write it without",
		    name, w->text);
		return def;
	}
	v = n > 9 ? max + 1 : strtol(w->text, NULL, 10);
	if (v < min || v > max) {
		SAY(e, w, CONF_SENSE,
		    "%s %.64s is out of range; %ld to %ld are possible", name,
		    w->text, min, max);
		return def;
	}
	return v;
}

static bool
boolean(const struct conf_word *w, const char *name, bool def,
    struct conf_errors *e)
{
	int b;

	if (w->text == NULL)
		return def;
	if ((b = cfg_parse_boolean(w->text)) != -1)
		return b == 1;
	SAY(e, w, CONF_SYNTAX,
	    "%s `%.64s' is neither true nor false; write "
	    "one of them",
	    name, w->text);
	return def;
}

static void
string(char *ret, size_t size, const struct conf_word *w, const char *name,
    const char *def, struct conf_errors *e)
{
	const char *text = w->text != NULL ? w->text : def;
	size_t n = strlen(text);

	if (n >= size) {
		SAY(e, w, CONF_SENSE, "%s is longer than %zu bytes; shorten it",
		    name, size - 1);
		return;
	}
	memcpy(ret, text, n + 1);
}

/* Names of nodes, users, groups: what can go into logs and environments. */
static void
plain_name(char ret[CONF_NAME_MAX], const struct conf_word *w, const char *name,
    const char *def, struct conf_errors *e)
{
	static const char valid[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	const char *text = w->text != NULL ? w->text : def;

	if (text[0] == '\0')
		SAY(e, w, CONF_SENSE, "%s is empty; write one", name);
	else if (text[strspn(text, valid)] != '\0' || text[0] == '-')
		SAY(e, w, CONF_SENSE,
		    "%s `%.64s' has a character that cannot "
		    "be in it; use letters, digits, `.', `_' and `-'",
		    name, text);
	else
		string(ret, CONF_NAME_MAX, w, name, def, e);
}

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
		plain_name(c->name, &w[NODE_NAME], "name", host, e);
	plain_name(c->user, &w[NODE_USER], "user", "carpd", e);
	plain_name(c->group, &w[NODE_GROUP], "group", "carpd", e);
	string(c->notify_dir, sizeof(c->notify_dir), &w[NODE_NOTIFY_DIR],
	    "notify-dir", d->hooks ? "/etc/carpd/notify.d" : "", e);
	if (c->notify_dir[0] != '\0' && c->notify_dir[0] != '/')
		SAY(e, &w[NODE_NOTIFY_DIR], CONF_SENSE,
		    "notify-dir `%s' is "
		    "not an absolute path; begin it with /, or write \"\" for "
		    "no hooks",
		    c->notify_dir);
	c->notify_timeout = (uint32_t)number(
	    &w[NODE_NOTIFY_TIMEOUT], "notify-timeout", 1, 3600, 30, e);
	c->link_demotion = (int32_t)number(
	    &w[NODE_LINK_DEMOTION], "link-demotion", 0, 65535, CARP_DEMOTED, e);
	c->realtime = boolean(&w[NODE_REALTIME], "realtime", false, e);
}

/*
 * A virtual host.
 */

/* Names that the kernel takes, and that mean what they say. */
static bool
check_ifname(const struct conf_draft_host *d, struct conf_errors *e)
{
	const char *name = d->ifname, *what = NULL;

	if (name[0] == '\0')
		what = "is empty";
	else if (strlen(name) >= VIP_IFNAMSIZ)
		what = "has more than 15 bytes";
	else if (strpbrk(name, "/: \t") != NULL || strcmp(name, ".") == 0 ||
		 strcmp(name, "..") == 0)
		what = "is not a name that Linux takes";
	if (what == NULL)
		return true;
	conf_say(e, CONF_SENSE, d->if_at,
	    "interface name `%.64s' %s; `ip "
	    "link' shows those that exist",
	    name, what);
	return false;
}

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
	bool preempt;
	long grace;

	*c = init;
	c->vhid = (uint8_t)number(&h->vhid, "vhid", 1, 255, 0, e);
	c->advbase = (uint8_t)number(&w[HOST_ADVBASE], "advbase", 0, 254, 1, e);
	c->advskew = (uint8_t)number(
	    &w[HOST_ADVSKEW], "advskew", 0, CARP_SKEW_MAX, 0, e);
	/* What is wrong in the node's was said with the node. */
	preempt = d->node[NODE_PREEMPT].text != NULL &&
		  cfg_parse_boolean(d->node[NODE_PREEMPT].text) == 1;
	c->preempt = boolean(&w[HOST_PREEMPT], "preempt", preempt, e);
	c->openbsd = boolean(&w[HOST_OPENBSD], name[HOST_OPENBSD], false, e);
	c->strict_family =
	    boolean(&w[HOST_STRICT], name[HOST_STRICT], false, e);
	c->triple_skew = boolean(&w[HOST_TRIPLE], name[HOST_TRIPLE], false, e);
	grace = number(&w[HOST_GRACE], "grace", 0, 3600, GRACE_DEFAULT, e);
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
	read_key(&h->carp, d, dh, e);
	h->vmac = boolean(&w[HOST_VMAC], name[HOST_VMAC], false, e);
	read_lease(h, dh, e);
	h->allow_foreign_subnet =
	    boolean(&w[HOST_FOREIGN], name[HOST_FOREIGN], false, e);
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

static void
read_hosts(struct conf_host *h, struct conf_addrs *all,
    const struct conf_draft *d, struct conf_errors *e)
{
	conf_place line[UINT8_MAX + 1] = { 0 };
	const char *ifname = NULL;
	unsigned i, vhid;

	for (i = 0; i < d->nhosts; i++) {
		const struct conf_draft_host *dh = &d->host[i];

		if (ifname == NULL || strcmp(ifname, dh->ifname) != 0) {
			ifname = dh->ifname;
			memset(line, 0, sizeof(line));
			(void)check_ifname(dh, e);
		}
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
	struct conf *c = conf_block_new(d->nhosts, naddrs);
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
	(void)boolean(&d->node[NODE_PREEMPT], "preempt", false, e);
	read_hosts(conf_block_hosts(c), &all, d, e);
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
