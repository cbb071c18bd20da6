/* SPDX-License-Identifier: ISC */
/* What the parts of lib/vip share: the object, its sets, its addresses. */
#ifndef VIP_STATE_H
#define VIP_STATE_H

#include <sys/queue.h>

#include <assert.h>
#include <time.h>

#include <carp/vip.h>

#include "announce.h"
#include "guard.h"
#include "monitor.h"
#include "nl.h"

#define VIP_RETRY CARP_SEC /* after a refusal */

/* An address that a set wants, or does not want any more. */
struct vip_want {
	struct vip_want *chain; /* in the same hash bucket */
	struct vip_set *set;
	struct carp_addr addr;
	uint8_t at_prefix; /* with which it is at `at` */
	uint8_t events;	   /* bits 1 << enum vip_what to tell */
	unsigned at;	   /* ifindex where ours is; 0: nowhere */
	unsigned reach;	   /* the same of a route of ours, if it still is */
	uint32_t seq;	   /* of our last request to add it */
	uint64_t given;	   /* the vip_commit() that made it */
	int error;	   /* how the kernel refused it, or 0 */
	bool leaving;	   /* no longer in the list */
	bool foreign;	   /* somebody else's is there */
	bool taken;	   /* found missing */
	bool fresh;	   /* its first installation since up */
	bool announce;	   /* neighbours are to be told */
	bool seen;	   /* by a dump that is being read */
	bool guarded;	   /* its lease is in the kernel */
	bool claims;	   /* asked for that in the present batch */
	bool clash;	   /* somebody else's lease was there */
	bool adding;	   /* asked for in the present batch */
	bool reaching;	   /* the same of its route */
	bool local;	   /* has a route to itself, if its link is down */
};

struct vip_set {
	TAILQ_ENTRY(vip_set) all, todo, telling;
	struct vip *v;
	struct vip_set_config cfg;
	struct vip_want *wants;
	size_t nwants;		   /* those that leave counted in */
	unsigned ifindex;	   /* of cfg.ifname; 0: does not exist */
	unsigned vmac;		   /* ifindex of the macvlan; 0: none */
	uint32_t guard_id;	   /* of its lease in the kernel */
	unsigned promoted;	   /* ifindex with promote_secondaries */
	struct vip_parent *parent; /* what to put back, or NULL */
	uint64_t retry;		   /* when refused ones are tried again */
	uint64_t resend;	   /* the same of announcements; or NEVER */
	uint64_t part;		   /* when its link goes down; or NEVER */
	uint64_t repaired, announced;
	size_t planned;	    /* wants looked at for additions */
	unsigned tries;	    /* announcements that found no room */
	bool up, renew;	    /* wishes */
	bool renewing;	    /* asked for in the present batch */
	bool leased;	    /* the filter knows its lease */
	bool other;	    /* the lease has another kind now */
	bool link_up;	    /* of cfg.ifname, when last heard */
	bool keeps6;	    /* its macvlan can hold IPv6 while down */
	bool going;	    /* everything is to go */
	bool held;	    /* its lease has no end: the link is down */
	bool silent;	    /* its lease was ended, the link is up */
	bool queued, tells; /* is in v->todo, in v->telling */
};

TAILQ_HEAD(vip_sets, vip_set);

/* The ARP settings that an interface had before it got virtual MACs. */
struct vip_parent {
	struct vip_parent *next;
	unsigned ifindex, users; /* users: sets */
	uint32_t ignore, announce;
};

/* What request i of the batch is for. */
enum vip_op_kind {
	OP_ADD,	  /* must not be there */
	OP_RENEW, /* or put it there */
	OP_DEL,
	OP_UNROUTE, /* of a link that is down */
	OP_ROUTE,   /* see plan_unroute() */
	OP_REACH,   /* see plan_reach() */
	OP_UNREACH,
	OP_STATE,  /* of the macvlan: up or down */
	OP_SETTING /* of an interface */
};

struct vip_op {
	enum vip_op_kind kind;
	struct vip_set *set;
	struct vip_want *w;
	unsigned ifindex;
	uint8_t prefix; /* of a link: is it to be up? */
};

struct vip {
	struct nl nl;
	struct nl_batch batch;
	struct guard guard;
	uint64_t now;	    /* of the present commit */
	int guard_error;    /* the same */
	struct vip_op *ops; /* ops[i] belongs to request i */
	struct mon mon;
	struct announcer ann;
	struct vip_parent *parents; /* of virtual MACs */
	struct vip_sets all, todo, telling;
	bool looks;		   /* the kernel was given a local route */
	bool unfinished;	   /* additions are left for the next turn */
	struct vip_want **buckets; /* of all wants, by address */
	size_t nbuckets, nwants;   /* nbuckets: a power of 2, or 0 */
	size_t nsets;
	uint64_t cost[2];	     /* of adding one of IPv4, of IPv6, ns */
	uint64_t retry;		     /* earliest of all sets; or NEVER */
	char (*links)[VIP_IFNAMSIZ]; /* that VIP_LINK is to be told of */
	size_t nlinks, maxlinks;
	uint64_t reread; /* when it failed: again; or NEVER */
	bool overrun;	 /* to be told */
};

/* CLOCK_MONOTONIC in ns. */
static inline uint64_t
vip_clock(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail */
	return (uint64_t)ts.tv_sec * CARP_SEC + (uint64_t)ts.tv_nsec;
}

static inline size_t
ip_len(uint8_t family)
{
	return family == 4 ? 4 : 16;
}

static inline uint8_t
host_prefix(uint8_t family)
{
	return family == 4 ? 32 : 128;
}

/* The interface that has, or will have, the addresses; 0: none exists. */
static inline unsigned
set_device(const struct vip_set *s)
{
	return s->cfg.vmac ? s->vmac : s->ifindex;
}

/* set.c */
void set_queue(struct vip_set *);
void set_tell(struct vip_want *, enum vip_what);
void set_forgive(struct vip_set *);
void set_taken(struct vip_want *);
void set_remove(struct vip_set *, size_t i);
bool set_holds(const struct vip_want *);
struct vip_want *set_find(const struct vip *, const struct carp_addr *);

/* heard.c: what the monitor calls */
void heard_locate(struct vip_set *, const struct mon_link *);
void heard_link(struct vip *, const struct mon_link *, bool gone);
void heard_own(struct vip *, unsigned ifindex);
void heard_new(struct vip *, const struct mon_addr_msg *);
void heard_del(struct vip *, const struct mon_addr_msg *);
void heard_taken(struct vip *);

#endif
