/* SPDX-License-Identifier: ISC */
/*
 * The engine: many virtual hosts on real interfaces, for any event loop.
 *
 * One descriptor to poll and one deadline, however many virtual hosts there
 * are.  The descriptor becomes readable also when the deadline has come, so a
 * loop that only polls is enough.
 *
 *	carp_engine_new(&e);
 *	carp_host_add(e, &h, &cfg, now);
 *	for (;;) {
 *		poll(carp_engine_fd(e))
 *		carp_engine_process(e, now);
 *		while (carp_engine_next(e, &ev))
 *			...
 *	}
 *	carp_engine_stop(e, now);		(addresses go, bow-outs follow)
 *	carp_engine_free(e);
 *
 * carp_engine_process() never blocks.  In one call it reads packets first,
 * then link changes, then acts on deadlines: a process that wakes up late
 * hears the master before it takes over.  On the way from a deadline to the
 * first announcement nothing allocates, logs or waits.
 *
 * Needs CAP_NET_RAW and CAP_NET_ADMIN in the network namespace of the caller
 * of carp_engine_new().  Results: 0 or a negative errno.
 */
#ifndef CARP_ENGINE_H
#define CARP_ENGINE_H

#include <carp/carp.h>
#include <carp/vip.h>

#ifdef __cplusplus
extern "C" {
#endif

struct carp_engine;
struct carp_host;			/* a virtual host of an engine */

/* CLOCK_MONOTONIC in ns. */
uint64_t carp_now(void);

int	 carp_engine_new(struct carp_engine **ret);

/* Takes addresses away, but sends nothing: see carp_engine_stop(). */
void	 carp_engine_free(struct carp_engine *);

int	 carp_engine_fd(const struct carp_engine *);
int	 carp_engine_process(struct carp_engine *, uint64_t now);
uint64_t carp_engine_deadline(const struct carp_engine *);

/* The addresses go, every master bows out.  The hosts stay, in INIT. */
int	 carp_engine_stop(struct carp_engine *, uint64_t now);

/* The addresses and links behind it, for queries and vip_sweep(). */
struct vip *carp_engine_vip(struct carp_engine *);

/*
 * A virtual host.  The pointers are looked at during the call only.
 */
struct carp_host_config {
	uint32_t size;			/* sizeof(struct carp_host_config) */
	uint8_t	 vmac;			/* addresses on a virtual MAC */
	uint8_t	 lease;			/* enum vip_lease */
	uint8_t	 manual;		/* addresses by carp_host_install() */
	uint8_t	 standby;		/* starts on standby; a change of the
					   configuration does not look at it */
	char	 ifname[VIP_IFNAMSIZ];	/* need not exist yet */
	struct carp_config carp;	/* counter, seed 0: drawn */
	const struct carp_addr *addrs;	/* what a master holds */
	const struct carp_addr *digest;	/* NULL: the digest is over addrs */
	const struct carp_addr *peers;	/* NULL: multicast */
	size_t	 naddrs, ndigest, npeers;
};

/*
 * -EEXIST: the vhid is in use on this interface.  -EINVAL, -ENOMEM, and what
 * the kernel says.  On failure nothing has changed and *ret is untouched.
 */
int	 carp_host_add(struct carp_engine *, struct carp_host **ret,
	    const struct carp_host_config *, uint64_t now);

/*
 * Changes all but interface and vhid, without leaving the state: addresses
 * that stay are not touched, nothing is sent unless the election needs it.
 */
int	 carp_host_change(struct carp_host *, const struct carp_host_config *,
	    uint64_t now);

/* A master bows out, its addresses go, the handle is gone. */
void	 carp_host_remove(struct carp_host *, uint64_t now);

/* For the caller: any pointer that helps to find his own things. */
void	 carp_host_set_user(struct carp_host *, void *);
void	*carp_host_user(const struct carp_host *);

/* All of them, in the order in which they were added.  NULL starts and ends. */
struct carp_host *carp_host_each(const struct carp_engine *,
	    const struct carp_host *after);
struct carp_host *carp_host_find(const struct carp_engine *,
	    const char *ifname, uint8_t vhid);

/* See carp_force(). */
int	 carp_host_force(struct carp_host *, enum carp_state, uint64_t now);

/* See carp_resume(). */
int	 carp_host_resume(struct carp_host *, bool go_on, uint64_t now);

/* See carp_standby(). */
int	 carp_host_standby(struct carp_host *, bool on, uint64_t now);

/*
 * With `manual`: have the addresses, or not.  Announced when they come.  Only
 * a master can have them (-EINVAL), and who ceases to be master loses them.
 */
int	 carp_host_install(struct carp_host *, bool, uint64_t now);

/*
 * Demotion by named cause; amount 0 ends it; until as in carp_demotion_set().
 * Of the engine: for all its hosts.  The engine itself uses the causes
 * "link IFNAME" (an interface with hosts is down or gone: the other ones are
 * demoted) and "send IFNAME" (three transmissions in a row have failed).
 */
int	 carp_engine_demote(struct carp_engine *, const char *cause, int amount,
	    uint64_t until, uint64_t now);
int	 carp_host_demote(struct carp_host *, const char *cause, int amount,
	    uint64_t until, uint64_t now);

/*
 * Which links move the node, all of its hosts together, when they are lost.  A
 * group is lost when none of its links works any more: the links of one group
 * are alternatives.  Group 0: the link is a group of its own.  Then the cause
 * of demotion is "group N" or "link IFNAME", and links that are not listed
 * demote nobody.  With n 0, the default, each link is a group of its own, also
 * when its transmissions fail.  -EINVAL: a name is no name, or there twice.
 */
struct carp_link_group {
	char	 ifname[VIP_IFNAMSIZ];
	uint32_t group;
};
int	 carp_engine_set_groups(struct carp_engine *,
	    const struct carp_link_group *, size_t n, uint64_t now);

/* What a lost link and failing transmission amount to: default 240; 0: none. */
int	 carp_engine_set_link_demotion(struct carp_engine *, int amount,
	    uint64_t now);

const struct carp_demotion *carp_engine_demotion(const struct carp_engine *);
const struct carp_demotion *carp_host_demotion(const struct carp_host *);

/*
 * What is seen and is wrong.  Each ends by itself when it was not seen for
 * three timeouts of the host (at least 10 s).
 */
enum carp_condition {
	CARP_COND_OTHER_KEY,		/* vhid ours, digest of another key */
	CARP_COND_OTHER_ADDRS,		/* key ours, other addresses */
	CARP_COND_OTHER_LLADDR,		/* OpenBSD with lladdr by hand */
	CARP_COND_OTHER_VERSION,	/* CARP of another version */
	CARP_COND_VRRP,			/* VRRP with our number on the segment:
					   same virtual MAC */
	CARP_COND_TTL,			/* vhid ours, TTL below 255 */
	CARP_COND_UNKNOWN_PEER,		/* unicast from one that is no peer */
	CARP_COND_LOOP,			/* our own packets come back */
	CARP_COND_TWO_MASTERS,		/* alarm: another is master beside us */
	CARP_COND_NO_INTERFACE,		/* it does not exist */
	CARP_COND_NOT_ETHERNET,		/* it cannot carry CARP */
	CARP_COND_LINK_DOWN,
	CARP_COND_SEND,			/* advertisements cannot be sent */
	CARP_COND_RECEIVE,		/* cannot listen on the interface */
	CARP_COND_ADDRESS,		/* the kernel refuses an address */
	CARP_COND_FOREIGN_ADDRESS,	/* an address was there before us */
	CARP_NCONDS
};

/* "other-key", "two-masters", ... */
const char *carp_condition_name(enum carp_condition);

struct carp_condition_info {
	uint64_t since, last;		/* ns */
	uint64_t count;
	struct carp_addr peer;		/* family 0: does not apply */
	char	 text[192];		/* a sentence: what, who, what to do */
};

/* False: the host does not have it. */
bool	 carp_host_condition(const struct carp_host *, enum carp_condition,
	    struct carp_condition_info *ret);

/* Everybody who was heard with this vhid and a good digest, lately. */
struct carp_peer {
	struct carp_addr addr;
	uint8_t	 advbase, advskew, demote;
	uint8_t	 bowout;		/* its last word */
	uint64_t first, last, count;	/* ns, ns, advertisements */
};

/* Writes at most max, newest first; returns how many were written. */
size_t	 carp_host_peers(const struct carp_host *, struct carp_peer *ret,
	    size_t max);

struct carp_host_info {
	const char *ifname;		/* lives as long as the host */
	bool	 link;			/* exists and is up */
	bool	 vmac, manual;
	uint8_t	 lease;			/* enum vip_lease */
	uint32_t lease_s;
	int	 own_demotion;		/* of this host, without the engine's */
	struct carp_info carp;
	struct vip_set_info vip;
	const struct carp_addr *addrs, *digest, *peers;	/* live as the host */
	size_t	 naddrs, ndigest, npeers;
	uint32_t lease_ms;		/* of VIP_LEASE_GUARD, now */
};

void	 carp_host_get_info(const struct carp_host *,
	    struct carp_host_info *ret);

/* What was dropped on an interface before a virtual host was known. */
int	 carp_engine_link_stats(const struct carp_engine *, const char *ifname,
	    struct carp_stats *ret);

/*
 * Events, for whoever must know.  The engine has already acted.
 */
enum carp_what {
	CARP_EV_STATE,			/* from, to, cause */
	CARP_EV_COND,			/* cond, on: began or ended */
	CARP_EV_LINK,			/* ifname, on: up or not */
	CARP_EV_DEMOTION,		/* value: the new sum; host NULL: all */
	CARP_EV_REPAIRED,		/* addr: somebody removed it */
	CARP_EV_ERROR,			/* value: negative errno */
	CARP_EV_LOST			/* value: events that did not fit */
};

struct carp_event {
	enum carp_what	 what;
	enum carp_condition cond;
	enum carp_state	 from, to;
	enum carp_cause	 cause;
	bool		 on;
	int		 value;
	uint64_t	 at;		/* ns */
	struct carp_host *host;		/* NULL: none in particular */
	struct carp_addr addr;
	char		 ifname[VIP_IFNAMSIZ];
};

/* False: none left.  Events of a host that was removed are dropped. */
bool	 carp_engine_next(struct carp_engine *, struct carp_event *ret);

#ifdef __cplusplus
}
#endif
#endif
