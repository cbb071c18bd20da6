/* SPDX-License-Identifier: ISC */
/*
 * The configuration: read from a file or the command line, checked in itself
 * and against the machine.
 *
 * A struct conf is one block of memory without pointers, so that the
 * supervisor, which can read the key files, can hand it to the engine.
 */
#ifndef CARPD_CONF_H
#define CARPD_CONF_H

#include <carp/carp.h>
#include <carp/vip.h>
#include <stdio.h>

#define CONF_NAME_MAX 64
#define CONF_PATH_MAX 256

/* One vhid section.  Address lists are indices into conf_pool(). */
struct conf_host {
	char ifname[VIP_IFNAMSIZ];
	struct carp_config carp; /* counter and seed are 0 */
	uint8_t vmac;
	uint8_t lease; /* enum vip_lease */
	uint8_t allow_foreign_subnet;
	uint8_t critical;	  /* the interface moves the node */
	uint32_t group;		  /* with others; 0: its own */
	uint32_t line;		  /* of the section, for messages */
	uint32_t addrs, naddrs;	  /* index of the first, count */
	uint32_t digest, ndigest; /* none: as addrs */
	uint32_t peers, npeers;	  /* none: multicast */
	uint32_t reserved;
};

/* In which phase of a takeover a resource is started. */
enum conf_phase { PHASE_FENCE, PHASE_STORAGE, PHASE_SERVICE, NPHASES };

#define CONF_RESOURCE_MAX 64 /* resources: bits of `after` */
#define CONF_RESOURCE_LEN 32 /* bytes of a name, with NUL */

/* A fence, storage or service section.  Texts are offsets into conf_text(). */
struct conf_resource {
	char name[CONF_RESOURCE_LEN]; /* unique; letters, digits, - _ . */
	uint32_t line;
	uint8_t phase;	  /* enum conf_phase */
	uint8_t critical; /* its failure fails the node over; storage and
			     fences: always 1 */
	uint8_t none;	  /* `fence none' written out: has no hook */
	uint8_t reserved;
	uint32_t hook;	    /* name of the hook */
	uint32_t set, nset; /* the first of nset texts "K=V", one after the
			       other, each with its NUL */
	uint32_t start_ms, stop_ms, status_ms, verify_ms; /* limits */
	uint32_t monitor_ms; /* interval of status; 0: never */
	uint64_t after;	     /* resources of the same phase, by bit: started
				after those, stopped before them */
};

/* The failover section. */
struct conf_failover {
	uint8_t on;		 /* there is one */
	uint8_t addresses_first; /* addresses = before-services */
	uint8_t reserved[2];
	uint32_t timeout_s;	/* hold-down, 0..120 */
	uint32_t fence_wait_ms; /* how long a living peer is waited for;
				     default 15000 */
	uint32_t last_resort;	/* text: a program, or "" for sysrq */
	uint32_t schemes;	/* text: of get_ips, "http https" */
	uint32_t nresources;
	char interlink[VIP_IFNAMSIZ];	 /* "": none */
	struct carp_addr interlink_peer; /* family 0: none */
	uint8_t reserved2[2];
};

struct conf {
	uint64_t size;			/* of the block, bytes */
	char file[CONF_PATH_MAX];	/* "" for the command line */
	char name[CONF_NAME_MAX];	/* of the node; default: host name */
	char user[CONF_NAME_MAX];	/* of the engine; default "carpd" */
	char group[CONF_NAME_MAX];	/* of the control socket; "carpd" */
	char notify_dir[CONF_PATH_MAX]; /* default /etc/carpd/... */
	uint32_t notify_timeout;	/* seconds; default 30 */
	int32_t link_demotion;		/* default 240 */
	uint32_t realtime;		/* the engine is: 0 or 1 */
	uint32_t reserved;
	uint32_t nhosts, naddrs;
	uint32_t ntext; /* bytes */
	uint32_t reserved2;
	struct conf_failover failover;
	/*
	 * struct conf_resource[failover.nresources],
	 * struct conf_host[nhosts], struct carp_addr[naddrs], then
	 * char[ntext], which begins with an empty text: offset 0 is "".
	 */
};

/* Exit codes of carpd(8), also what conf_load() and conf_check() return. */
enum conf_result {
	CONF_OK = 0,
	CONF_FAILED = 1, /* memory, sockets, ... */
	CONF_USAGE = 2,	 /* command line */
	CONF_NOFILE = 3, /* a file cannot be read */
	CONF_SYNTAX = 4, /* unknown word, wrong type, grammar */
	CONF_SENSE = 5,	 /* reads well, but makes no sense */
	CONF_MACHINE = 6 /* does not fit this machine */
};

const struct conf_host *conf_hosts(const struct conf *);
const struct carp_addr *conf_pool(const struct conf *);
const struct conf_resource *conf_resources(const struct conf *);
const char *conf_text(const struct conf *, uint32_t offset);

/*
 * Messages go to `errors`, one line each: "FILE:LINE: what; what to do".  All
 * that is wrong is told, not only the first.  On success *ret is for free().
 */
enum conf_result conf_load(struct conf **ret, const char *file, FILE *errors);

/* What the command line says instead of a file.  Strings as given there. */
struct conf_args {
	const char *ifname, *vhid, *keyfile, *advbase, *advskew, *user;
	const char *lease;
	const char **addrs, **peers;
	unsigned naddrs, npeers;
	bool preempt, vmac, allow_foreign_subnet;
};

enum conf_result conf_from_args(
    struct conf **ret, const struct conf_args *, FILE *errors);

/*
 * Against the machine: addresses outside every subnet of their interface,
 * addresses that the node has already (those with our tag do not count).  An
 * interface that does not exist is a warning: it may come later.  Hooks are
 * looked for in these directories; NULL: in conf_hook_dirs.
 */
enum conf_result conf_check(const struct conf *, const struct vip *,
    const char *const hooks[2], FILE *errors);

/* Where hooks of resources are looked for, in this order. */
extern const char *const conf_hook_dirs[2];

/* Two blocks that mean the same (file name and line numbers do not count). */
bool conf_equal(const struct conf *, const struct conf *);

/* Their interfaces and virtual hosts mean the same. */
bool conf_same_network(const struct conf *, const struct conf *);

/* What the failover section means, in a line; nothing if there is none. */
void conf_failover_print(const struct conf *, FILE *);

/*
 * A block that came from another process: sizes and indices are checked, as a
 * guard against mistakes.  -EINVAL.
 */
int conf_verify(const struct conf *, size_t size);

#endif
