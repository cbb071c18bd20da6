/* SPDX-License-Identifier: ISC */
/* The words of the configuration, and what other words may have meant. */
#include <stdlib.h>
#include <string.h>

#include "conf_draft.h"

const char *const conf_node_names[] = { "name", "preempt", "user", "group",
	"notify-dir", "notify-timeout", "link-demotion", "realtime",
	"fast-start", NULL };

const char *const conf_link_names[] = { "critical", "group", NULL };

const char *const conf_host_names[] = { "passphrase-file", "key-hex", "advbase",
	"advskew", "preempt", "openbsd-peer", "strict-family", "triple-skew",
	"lladdr", "grace", "virtual-mac", "lease", "allow-foreign-subnet",
	NULL };

const char *const conf_list_names[] = { "address", "digest-address", "peer",
	"accept-digest", NULL };

const char *const conf_failover_names[] = { "timeout", "addresses",
	"fence-wait", "last-resort", NULL };

const char *const conf_failover_list_names[] = { "url-schemes", NULL };

const char *const conf_resource_names[] = { "hook", "critical", "start-timeout",
	"stop-timeout", "status-timeout", "verify-timeout", "monitor", NULL };

const char *const conf_resource_list_names[] = { "set", "after", NULL };

const char *const conf_phase_names[] = { "fence", "storage", "service", NULL };

const char *const conf_interlink_names[] = { "peer", NULL };

static const char *const root_names[] = { "node", "interface", "failover",
	NULL };
static const char *const interface_sections[] = { "vhid", NULL };
static const char *const failover_names[] = { "timeout", "addresses",
	"fence-wait", "last-resort", "url-schemes", "interlink", NULL };

/* Which words each section has: two lists at most. */
static const struct section {
	const char *name;
	const char *const *words, *const *more;
} sections[] = {
	{ "vhid", conf_host_names, conf_list_names },
	{ "node", conf_node_names, NULL },
	{ "interface", interface_sections, conf_link_names },
	{ "failover", failover_names, conf_phase_names },
	{ "interlink", conf_interlink_names, NULL },
	{ "fence", conf_resource_names, conf_resource_list_names },
	{ "storage", conf_resource_names, conf_resource_list_names },
	{ "service", conf_resource_names, conf_resource_list_names },
	{ "root", root_names, NULL },
};
#define NSECTIONS (sizeof(sections) / sizeof(sections[0]))

/* Words of keepalived, ucarp, OpenBSD and FreeBSD, and of later versions. */
static const struct {
	const char *theirs, *ours;
} foreign[] = {
	{ "vrrp_instance", "write interface NAME { vhid N { ... } }" },
	{ "vrrp_sync_group", "all virtual hosts of a node fail over together" },
	{ "virtual_router_id", "write vhid N { ... } in an interface" },
	{ "virtual_ipaddress", "write address = { A/LEN, ... }" },
	{ "virtual_ipaddress_excluded", "write address for what is installed, "
					"digest-address for what is hashed" },
	{ "priority", "write advskew: 0 to 254, the lowest becomes master" },
	{ "advert_int", "write advbase, in seconds" },
	{ "interval", "write advbase (seconds) and advskew (1/256 s)" },
	{ "authentication", "write passphrase-file = FILE" },
	{ "auth_type", "CARP always authenticates: leave it out" },
	{ "auth_pass", "write the passphrase into a file of mode 600 and "
		       "passphrase-file = FILE" },
	{ "pass", "write the passphrase into a file of mode 600 and "
		  "passphrase-file = FILE" },
	{ "password", "write the passphrase into a file of mode 600 and "
		      "passphrase-file = FILE" },
	{ "passphrase", "write the passphrase into a file of mode 600 and "
			"passphrase-file = FILE" },
	{ "passfile", "write passphrase-file = FILE" },
	{ "key", "write passphrase-file = FILE or key-hex = HEX" },
	{ "state", "masters are elected: leave it out, and write advskew" },
	{ "nopreempt", "write preempt = false" },
	{ "preempt_delay", "there is no delay: leave it out" },
	{ "unicast_peer", "write peer = { ADDRESS, ... }" },
	{ "unicast_src_ip", "the source is chosen: leave it out" },
	{ "carppeer", "write peer = { ADDRESS, ... }" },
	{ "peer6", "write peer = { ADDRESS, ... }, of both families" },
	{ "use_vmac", "write virtual-mac = true" },
	{ "vmac", "write virtual-mac = true" },
	{ "global_defs", "write node { ... }" },
	{ "router_id", "write name = NAME in node" },
	{ "notify", "put a hook into notify-dir, see carp-hooks(7)" },
	{ "notify_master", "put a hook into notify-dir, see carp-hooks(7)" },
	{ "notify_backup", "put a hook into notify-dir, see carp-hooks(7)" },
	{ "notify_fault", "put a hook into notify-dir, see carp-hooks(7)" },
	{ "upscript", "put a hook into notify-dir, see carp-hooks(7)" },
	{ "downscript", "put a hook into notify-dir, see carp-hooks(7)" },
	{ "track_interface", "lost links demote by themselves, see "
			     "link-demotion" },
	{ "track_script", "let the check call carpctl demote" },
	{ "vrrp_script", "let the check call carpctl demote" },
	{ "garp_master_delay", "the second announcement follows by itself: "
			       "leave it out" },
	{ "vip", "write address = { A/LEN }" },
	{ "addr", "write address = { A/LEN }" },
	{ "alias", "write address = { A/LEN }" },
	{ "inet", "write address = { A/LEN }" },
	{ "inet6", "write address = { A/LEN }" },
	{ "srcip", "the source is chosen: leave it out" },
	{ "deadratio", "it is always 3: leave it out" },
	{ "neutral", "leave it out" },
	{ "shutdown", "addresses always go at the end: leave it out" },
	{ "carpdev", "write interface NAME { vhid N { ... } }" },
	{ "carpnodes", "write one vhid N { ... } for each" },
	{ "balancing", "balancing is not supported" },
	{ "carpver", "only CARP is spoken: leave it out" },
	{ "demote", "use carpctl demote" },
	{ "demotion", "use carpctl demote" },
	{ "mcast", "multicast is what you get without peer: leave it out" },
	{ "include", "one file holds all: copy it in" },
	{ "parameters", "write set = { NAME=VALUE, ... }" },
	{ "params", "write set = { NAME=VALUE, ... }" },
	{ "env", "write set = { NAME=VALUE, ... }" },
	{ "agent", "write hook = NAME, see carp-hooks(7)" },
	{ "script", "write hook = NAME, see carp-hooks(7)" },
	{ "op", "write start-timeout, stop-timeout and monitor, in seconds" },
	{ "pool", "write storage NAME { hook = zfs ... } in failover" },
	{ "stonith", "write fence NAME { hook = ... } in failover" },
	{ "fencing", "write fence NAME { hook = ... }, or fence none { }" },
	{ "heartbeat", "write interlink IFNAME { peer = ADDRESS }" },
	{ "disabled", "use carpctl failover update disabled=true" },
	{ "master", "use carpctl failover force_master" },
};
#define NFOREIGN (sizeof(foreign) / sizeof(foreign[0]))

#define LONGEST	 32U /* word worth comparing */

static unsigned
min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, replacements, and swaps of neighbours. */
static unsigned
distance(const char *a, const char *b)
{
	unsigned d[3][LONGEST + 1], i, j, n = (unsigned)strlen(a);
	unsigned m = (unsigned)strlen(b), *row = d[0];

	if (n > LONGEST || m > LONGEST)
		return LONGEST;
	for (j = 0; j <= m; j++)
		row[j] = j;
	for (i = 1; i <= n; i++) {
		const unsigned *up = d[(i - 1) % 3], *up2 = d[(i + 1) % 3];

		row = d[i % 3];
		row[0] = i;
		for (j = 1; j <= m; j++) {
			unsigned differ = a[i - 1] != b[j - 1];

			row[j] =
			    min(min(up[j], row[j - 1]) + 1, up[j - 1] + differ);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				row[j] = min(row[j], up2[j - 2] + 1);
		}
	}
	return row[m];
}

/* Looks for a better one than the best so far. */
static void
compare_names(const char *word, const char *const *names, const char **best,
    unsigned *least)
{
	unsigned d;

	for (; names != NULL && *names != NULL; names++)
		if ((d = distance(word, *names)) < *least) {
			*least = d;
			*best = *names;
		}
}

/* More than every third letter wrong is another word. */
static unsigned
limit(const char *word)
{
	size_t n = strlen(word);

	return n > LONGEST ? 0 : (unsigned)n / 3 + 2;
}

const char *
conf_similar(const char *word, const char *const *names)
{
	const char *best = NULL;
	unsigned least = limit(word);

	compare_names(word, names, &best, &least);
	return best;
}

static bool
has_word(const struct section *s, const char *word)
{
	const char *best = NULL;
	unsigned least = 1; /* only 0 is less */

	compare_names(word, s->words, &best, &least);
	compare_names(word, s->more, &best, &least);
	return best != NULL;
}

static const char *
similar_in_section(const char *section, const char *word)
{
	const char *best = NULL;
	unsigned least = limit(word);
	size_t i;

	for (i = 0; i < NSECTIONS; i++)
		if (strcmp(sections[i].name, section) == 0) {
			compare_names(word, sections[i].words, &best, &least);
			compare_names(word, sections[i].more, &best, &least);
		}
	return best;
}

/* One is the plural of the other. */
static bool
is_plural(const char *guess, const char *word)
{
	return guess != NULL && strncmp(word, guess, strlen(guess)) == 0;
}

/* Where a word belongs that stands elsewhere, or NULL. */
static const struct section *
section_of(const char *word)
{
	size_t i;

	for (i = 0; i < NSECTIONS; i++)
		if (has_word(&sections[i], word))
			return &sections[i];
	return NULL;
}

static const char *
advice_on(const char *word)
{
	size_t i;

	for (i = 0; i < NFOREIGN; i++)
		if (strcmp(foreign[i].theirs, word) == 0)
			return foreign[i].ours;
	return NULL;
}

static void
place_name(char ret[32], const char *section)
{
	if (strcmp(section, "root") == 0)
		(void)snprintf(ret, 32, "at the top level");
	else
		(void)snprintf(ret, 32, "in %s", section);
}

void
conf_unknown_word(
    struct conf_errors *e, conf_place at, const char *section, const char *word)
{
	const char *guess = similar_in_section(section, word);
	const char *advice = advice_on(word);
	const struct section *its = section_of(word);
	char where[32], there[32];

	place_name(where, section);
	if (advice != NULL) {
		conf_say(e, CONF_SYNTAX, at, "unknown word `%s' %s; %s", word,
		    where, advice);
	} else if (its != NULL && !is_plural(guess, word)) {
		place_name(there, its->name);
		conf_say(e, CONF_SYNTAX, at,
		    "`%s' does not belong here, %s; it belongs %s%s: look for "
		    "a `}' too many or too few",
		    word, where, there,
		    its->words == conf_resource_names ? ", storage and service"
						      : "");
	} else if (guess != NULL) {
		conf_say(e, CONF_SYNTAX, at,
		    "unknown word `%s' %s; did you mean `%s'?", word, where,
		    guess);
	} else {
		conf_say(e, CONF_SYNTAX, at,
		    "unknown word `%.64s' %s; carpd.conf(5) has all words",
		    word, where);
	}
}
