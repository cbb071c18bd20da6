/* SPDX-License-Identifier: ISC */
/*
 * What the conf_*.c files share: the configuration as words with their places,
 * before anybody asks what they mean, and the messages about it.
 *
 *	conf_text.c	bytes -> tokens; what libconfuse would pass over
 *	conf_parse.c	text -> words, by libconfuse
 *	conf_complain.c	what libconfuse complains of, for people
 *	conf_take.c	what it read -> words of node and virtual hosts
 *	conf_parse_failover.c	the failover section of it
 *	conf_args.c	command line -> words
 *	conf_names.c	the words that exist; what else may have been meant
 *	conf_value.c	a word -> a number, a time, a switch, a text
 *	conf_sense.c	words of node and virtual hosts -> what they mean
 *	conf_addr.c	words -> addresses
 *	conf_failover.c	words of failover -> what they mean
 *	conf_resource.c	words of its resources -> what they mean
 *	conf_block.c	the block that results
 *	conf_say.c	messages
 *
 * What comes after takes the block: conf_machine.c and conf_hooks.c hold it
 * against the machine, conf_show.c says what it means.
 */
#ifndef CARPD_CONF_DRAFT_H
#define CARPD_CONF_DRAFT_H

#include "conf.h"

/*
 * Messages.  They are kept and told at the end, in the order of their places.
 */

/* A line of the file; -'a' for option -a; 0: the whole of it. */
typedef int conf_place;

struct conf_message;

struct conf_errors {
	const char *file;	 /* NULL: the command line */
	enum conf_result result; /* the gravest of all that was said */
	struct conf_message *msg;
	unsigned n, lost; /* kept, and said but not kept */
};

void conf_say(struct conf_errors *, enum conf_result, conf_place,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Writes all messages (out may be NULL), frees them, returns the result. */
enum conf_result conf_tell(struct conf_errors *, FILE *out);

/*
 * Words.
 */
enum conf_node_word {
	NODE_NAME,
	NODE_PREEMPT,
	NODE_USER,
	NODE_GROUP,
	NODE_NOTIFY_DIR,
	NODE_NOTIFY_TIMEOUT,
	NODE_LINK_DEMOTION,
	NODE_REALTIME,
	NODE_FAST_START,
	NNODE_WORDS
};

/* Of an interface. */
enum conf_link_word { LINK_CRITICAL, LINK_GROUP, NLINK_WORDS };

enum conf_host_word {
	HOST_PASSFILE,
	HOST_KEYHEX,
	HOST_ADVBASE,
	HOST_ADVSKEW,
	HOST_PREEMPT,
	HOST_OPENBSD,
	HOST_STRICT,
	HOST_TRIPLE,
	HOST_LLADDR,
	HOST_GRACE,
	HOST_VMAC,
	HOST_LEASE,
	HOST_FOREIGN,
	NHOST_WORDS
};

enum conf_host_list {
	LIST_ADDRESS,
	LIST_DIGEST,
	LIST_PEER,
	LIST_ACCEPT,
	NHOST_LISTS
};

enum conf_failover_word {
	FAILOVER_TIMEOUT,
	FAILOVER_ADDRESSES,
	FAILOVER_FENCE_WAIT,
	FAILOVER_LAST_RESORT,
	NFAILOVER_WORDS
};

enum conf_failover_list { LIST_SCHEMES, NFAILOVER_LISTS };

enum conf_resource_word {
	RESOURCE_HOOK,
	RESOURCE_CRITICAL,
	RESOURCE_START, /* from here on times */
	RESOURCE_STOP,
	RESOURCE_STATUS,
	RESOURCE_VERIFY,
	RESOURCE_MONITOR,
	NRESOURCE_WORDS
};

enum conf_resource_list { LIST_SET, LIST_AFTER, NRESOURCE_LISTS };

/* NULL-terminated, in the order of the enums. */
extern const char *const conf_node_names[NNODE_WORDS + 1];
extern const char *const conf_link_names[NLINK_WORDS + 1];
extern const char *const conf_host_names[NHOST_WORDS + 1];
extern const char *const conf_list_names[NHOST_LISTS + 1];
extern const char *const conf_failover_names[NFAILOVER_WORDS + 1];
extern const char *const conf_failover_list_names[NFAILOVER_LISTS + 1];
extern const char *const conf_resource_names[NRESOURCE_WORDS + 1];
extern const char *const conf_resource_list_names[NRESOURCE_LISTS + 1];
extern const char *const conf_phase_names[NPHASES + 1]; /* of the sections */
extern const char *const conf_interlink_names[];	/* peer */

struct conf_word {
	const char *text; /* NULL: not given */
	conf_place at;
};

struct conf_list {
	struct conf_word *word;
	unsigned n;
};

struct conf_draft_host {
	const char *ifname; /* all hosts of one follow each other */
	conf_place if_at;
	struct conf_word link[NLINK_WORDS]; /* the same for all of them */
	struct conf_word vhid;
	struct conf_word word[NHOST_WORDS];
	struct conf_list list[NHOST_LISTS];
};

struct conf_draft_resource {
	struct conf_word name;
	enum conf_phase phase;
	struct conf_word word[NRESOURCE_WORDS];
	struct conf_list list[NRESOURCE_LISTS];
};

struct conf_draft_failover {
	bool on;
	conf_place at;
	struct conf_word word[NFAILOVER_WORDS];
	struct conf_list list[NFAILOVER_LISTS];
	struct conf_word interlink, peer;
	struct conf_draft_resource *resource; /* in the order of the phases */
	unsigned nresources;
};

struct conf_draft {
	struct conf_word node[NNODE_WORDS];
	struct conf_draft_host *host;
	unsigned nhosts;
	struct conf_draft_failover failover;
	bool hooks;  /* there is a default for notify-dir */
	bool secret; /* others cannot read the file */
	bool holes;  /* statements were left out */
};

/*
 * "unknown word `x' in a SECTION", with a guess at what was meant.  section is
 * "root", or the word that begins it.
 */
void conf_unknown_word(
    struct conf_errors *, conf_place, const char *section, const char *word);

/* The most similar of the names, or NULL if none is. */
const char *conf_similar(const char *word, const char *const *names);

/* The file parsed: draft points into *parsed until conf_parsed_free(). */
struct conf_parsed;
int conf_parse(struct conf_parsed **parsed, struct conf_draft *draft, char *buf,
    size_t len, struct conf_errors *);
void conf_parsed_free(struct conf_parsed *); /* NULL does nothing */

/*
 * The draft understood.  NULL if anything is wrong (then it was said).
 */
struct conf *conf_understand(const struct conf_draft *, struct conf_errors *);

/* What conf_load() does with the bytes of a file; buf is changed. */
enum conf_result conf_from_buffer(struct conf **ret, const char *file,
    bool secret, char *buf, size_t len, FILE *errors);

/*
 * Values.  Each says what is wrong, and then returns the default.
 */
long conf_number(const struct conf_word *, const char *name, long min, long max,
    long def, struct conf_errors *);
bool conf_boolean(
    const struct conf_word *, const char *name, bool def, struct conf_errors *);
/* Seconds with up to three decimals; min, max, def and result in ms. */
uint32_t conf_seconds(const struct conf_word *, const char *name, uint32_t min,
    uint32_t max, uint32_t def, struct conf_errors *);
void conf_string(char *ret, size_t size, const struct conf_word *,
    const char *name, const char *def, struct conf_errors *);
/* What can go into logs, environments and paths: letters, digits, . _ - */
void conf_name(char *ret, size_t size, const struct conf_word *,
    const char *name, const char *def, struct conf_errors *);
/* The name of an interface, as the kernel takes it. */
bool conf_ifname(const char *name, conf_place, struct conf_errors *);

/* What the words of all lists become, while they are being understood. */
struct conf_addrs {
	struct carp_addr *addr;
	conf_place *at; /* where each stands */
	unsigned n;
};

/* One list of a host, appended to all. */
void conf_addrs_read(struct conf_addrs *all, const struct conf_list *,
    enum conf_host_list, struct conf_errors *);

/* Rules between the addresses of one host, of all hosts. */
void conf_addrs_check_host(
    const struct conf_addrs *, const struct conf_host *, struct conf_errors *);
void conf_addrs_check_all(const struct conf_addrs *, const struct conf_host *,
    unsigned n, struct conf_errors *);

/*
 * The failover section, into a block with room for it.  Texts are appended.
 */
void conf_failover_read(
    struct conf *, const struct conf_draft *, struct conf_errors *);
void conf_resources_read(
    struct conf *, const struct conf_draft *, struct conf_errors *);

/* How many bytes all texts of a draft need at most. */
size_t conf_failover_room(const struct conf_draft_failover *);

/* An empty block of the right size, or NULL. */
struct conf *conf_block_new(
    unsigned nresources, unsigned nhosts, unsigned naddrs, size_t text);
struct conf_resource *conf_block_resources(struct conf *);
struct conf_host *conf_block_hosts(struct conf *);
struct carp_addr *conf_block_pool(struct conf *);

/* Appends a text, for which there must be room; returns its offset. */
uint32_t conf_block_text(struct conf *, const char *);

#endif
