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
	/* struct conf_host[nhosts], then struct carp_addr[naddrs] */
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
 * interface that does not exist is a warning: it may come later.
 */
enum conf_result conf_check(
    const struct conf *, const struct vip *, FILE *errors);

/* Two blocks that mean the same (file name and line numbers do not count). */
bool conf_equal(const struct conf *, const struct conf *);

/*
 * A block that came from another process: sizes and indices are checked, as a
 * guard against mistakes.  -EINVAL.
 */
int conf_verify(const struct conf *, size_t size);

#endif
