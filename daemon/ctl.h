/* SPDX-License-Identifier: ISC */
/* What carpctl was asked for, and the commands that carry it out. */
#ifndef CARPD_CTL_H
#define CARPD_CTL_H

#include <jansson.h>
#include <stdbool.h>

#define CTL_SOCKET "/run/carpd/carpd.sock"

/* Exit codes of carpctl(8); also what its functions return. */
enum ctl_exit {
	CTL_OK = 0,
	CTL_FAILED = 1, /* the daemon or the operation failed */
	CTL_USAGE = 2,
	CTL_UNREACHABLE = 3, /* no daemon, or no answer from it */
	CTL_DENIED = 4
};

/* The command line.  Strings as given there, NULL if not. */
struct ctl {
	const char *socket;
	const char *duration;	   /* --for */
	const char *ifname, *file; /* dump: -i, -r */
	const char *keyfile, *keyhex, *lladdr, *vhid;
	const char **addrs; /* of each -a */
	const char **args;  /* args[0] is the command */
	unsigned naddrs, nargs;
	unsigned long count; /* 0: no limit */
	bool json, follow, yes, live;
};

/*
 * Each says on standard error what went wrong and returns the exit code.  The
 * number of arguments has been checked.
 */
enum ctl_exit ctl_status(const struct ctl *);
enum ctl_exit ctl_show(const struct ctl *);
enum ctl_exit ctl_events(const struct ctl *);
enum ctl_exit ctl_demote(const struct ctl *);
enum ctl_exit ctl_maintenance(const struct ctl *);
enum ctl_exit ctl_force(const struct ctl *); /* master, backup */
enum ctl_exit ctl_reload(const struct ctl *);
enum ctl_exit ctl_version(const struct ctl *);
enum ctl_exit ctl_call(const struct ctl *);
enum ctl_exit ctl_dump(const struct ctl *);
enum ctl_exit ctl_failover(const struct ctl *);

/* What "VHID [IFACE]" after a command says, as parameters of a method. */
enum ctl_exit ctl_host_params(const struct ctl *, json_t **ret);

/* How many letters must change to make one word of the other. */
unsigned ctl_distance(const char *a, const char *b);

/* A whole number in the range, and nothing else. */
bool ctl_number(long *ret, const char *text, long min, long max);

#endif
