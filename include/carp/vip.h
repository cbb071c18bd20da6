/* SPDX-License-Identifier: ISC */
/*
 * Virtual addresses: what an interface shall have of ours, and the kernel
 * made to agree.
 *
 * The caller states what is wanted; vip_commit() compares with what the
 * kernel has and changes the difference in one batch, then announces:
 *
 *	vip_new(&v);
 *	vip_set_new(&s, v, &cfg);
 *	vip_set_addrs(s, addrs, n);
 *	vip_set_up(s, true);			(only a wish so far)
 *	vip_set_announce(s);
 *	vip_commit(v, now);			(done, and announced)
 *	for (;;) {
 *		... poll vip_fd(v), or until vip_deadline(v) ...
 *		vip_process(v, now);		(hears what others change)
 *		while (vip_next(v, &ev))
 *			...
 *		vip_commit(v, now);		(repairs)
 *	}
 *	vip_set_free(s);			(takes its addresses away)
 *	vip_free(v);				(takes away what is left)
 *
 * Addresses of ours carry the address protocol VIP_PROTO (IFA_PROTO, Linux
 * 5.18), do no duplicate address detection, and are deprecated (preferred
 * lifetime 0), so that the kernel picks none of them as the source of a
 * connection.  Where the interface has a subnet that contains the address, it
 * is added as a host address (/32, /128): then it is never the primary address
 * whose removal takes others along.  Elsewhere it has its prefix length.
 *
 * The kernel makes the route of a new IPv6 address to itself later than it says
 * that it was added.  So we add one, with the route protocol VIP_PROTO, in the
 * table `local` or that of the VRF; it ends by itself after 10 s, or sooner
 * with the lease, and goes with the address.
 *
 * With VIP_LEASE_GUARD they have no end in the kernel.  A packet filter, the
 * nf_tables "inet libcarp" and "arp libcarp", drops what goes to them or comes
 * from them, ARP and neighbour advertisements included, unless the lease of
 * their set is alive: it lasts lease_ms from vip_commit() after each
 * vip_set_renew(), and that is one small transaction for all sets.  Without
 * nf_tables, vip_set_new() and vip_set_lease() fail.  The tables go with the
 * last address, and vip_sweep() takes away what a crashed process left there.
 *
 * An address that was there before us, without our tag, is left alone: when
 * it is wanted, when it is not, and when we leave.
 *
 * Results: 0, or a negative errno; the kernel's number is passed on.  Time is
 * CLOCK_MONOTONIC in ns.  The network namespace is that of the caller of
 * vip_new().
 */
#ifndef CARP_VIP_H
#define CARP_VIP_H

#include <carp/carp.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VIP_PROTO	112		/* of our addresses and routes */
#define VIP_IFNAMSIZ	16		/* of an interface name, with NUL */

struct vip;				/* addresses of a network namespace */
struct vip_set;				/* those of one virtual host */

/* What ends the life of an address when its owner cannot. */
enum vip_lease {
	VIP_LEASE_ADDRESS,		/* a valid lifetime, in seconds */
	VIP_LEASE_OFF,			/* nothing */
	VIP_LEASE_GUARD			/* a packet filter, in ms */
};

int	 vip_new(struct vip **ret);
void	 vip_free(struct vip *);

int	 vip_fd(const struct vip *);		/* poll for reading */
int	 vip_process(struct vip *, uint64_t now);	/* never blocks */
uint64_t vip_deadline(const struct vip *);	/* of retries; or CARP_NEVER */

/*
 * Takes away what carries our tag and no set of this object wants: what a
 * crashed process left.  Addresses, their routes, and links made for a virtual
 * MAC; routes are not counted.
 * only: NULL for all that is tagged, or a list of n addresses (prefix length
 * ignored) that may be taken.  *removed counts, may be NULL.
 */
int	 vip_sweep(struct vip *, const struct carp_addr *only, size_t n,
	    unsigned *removed);

/*
 * Links.  Known from a cache that vip_process() keeps up to date.
 */
#define VIP_ALIAS 64			/* bytes of an alias, with NUL */

struct vip_link {
	char	 name[VIP_IFNAMSIZ];
	unsigned ifindex;		/* another one when it returns */
	bool	 up;			/* up, with carrier: it can work */
	bool	 ethernet;		/* its frames are; CARP needs that */
	bool	 router;		/* forwards IPv6 */
	uint8_t	 mac[6];
	struct carp_addr src4;		/* first own address, family 0: none; */
	struct carp_addr src6;		/* link-local one first.  Never ours */
	char	 alias[VIP_ALIAS];	/* "": none; cut off if longer */
	bool	 vmac;			/* can carry a virtual MAC */
};

/* -ENODEV: there is no such interface. */
int	 vip_link_get(const struct vip *, const char *name,
	    struct vip_link *ret);

/*
 * Gives an interface another alias, as ip-link(8) shows it; "" takes it away.
 * -ENODEV, -EPERM: it is a virtual MAC of ours, or what the kernel says.
 */
int	 vip_link_set_alias(struct vip *, const char *name, const char *alias);

/*
 * Own addresses of an interface, without those of ours, for checks.  Writes
 * at most max and returns how many there are, or -ENODEV.
 */
int	 vip_link_addrs(const struct vip *, const char *name,
	    struct carp_addr *ret, size_t max);

/* Name of an interface that has this address and did not get it from us. */
bool	 vip_addr_owner(const struct vip *, const struct carp_addr *,
	    char ret[VIP_IFNAMSIZ]);

/*
 * Sets.
 */
struct vip_set_config {			/* no padding */
	uint32_t size;			/* sizeof(struct vip_set_config) */
	uint8_t	 vhid;			/* of the virtual MAC, 1..255 */
	uint8_t	 vmac;			/* hold the addresses on a macvlan */
	uint8_t	 lease;			/* enum vip_lease */
	uint8_t	 reserved;		/* zero */
	uint32_t lease_s;		/* ADDRESS: seconds, 2 or more */
	char	 ifname[VIP_IFNAMSIZ];	/* need not exist yet */
	uint32_t lease_ms;		/* GUARD: milliseconds */
};

/*
 * With vmac, a macvlan "carp<VHID>.<ifindex>" with 00:00:5e:00:01:VHID is
 * made beside the interface, down while the set is not up; ARP on both is
 * bound to the interface that has the address (arp_ignore, arp_announce), and
 * what was there is put back by vip_set_free().
 *
 * Unless the lease is VIP_LEASE_ADDRESS, the addresses wait on it while it is
 * down, and to bring it up is all that vip_set_up() takes.  An IPv4 address
 * that waits has no local route, one of IPv6 is tentative, and a guard lets
 * everything pass: other machines and this one reach another owner.
 *
 * With VIP_LEASE_GUARD, vip_set_up(s, false) silences them at once; the link
 * goes down 50 ms later, by another vip_commit().
 */
int	 vip_set_new(struct vip_set **ret, struct vip *,
	    const struct vip_set_config *);
void	 vip_set_free(struct vip_set *);	/* NULL does nothing */

/* Copies.  What is no longer in the list is taken away by vip_commit(). */
int	 vip_set_addrs(struct vip_set *, const struct carp_addr *, size_t n);

/*
 * Changes what the lease is; takes effect with the next renewal.  The length
 * is in seconds, of VIP_LEASE_GUARD in milliseconds.
 */
int	 vip_set_lease(struct vip_set *, enum vip_lease, uint32_t length);

/*
 * Wishes, until vip_commit().  None allocates.  A lease that was given at the
 * same time, to the nanosecond, is not given anew: a takeover and its first
 * advertisement ask for it twice.
 */
void	 vip_set_up(struct vip_set *, bool up);	/* have them, or not */
void	 vip_set_renew(struct vip_set *);	/* the lease starts anew */
void	 vip_set_announce(struct vip_set *);	/* tell the neighbours */

/*
 * Carries out all wishes of all sets: one netlink batch, then one batch of
 * gratuitous ARP requests and unsolicited neighbour advertisements.  Returns
 * the first error; each address that failed has an event, and is tried again
 * after a second.  With nothing to do, no system call is made.
 *
 * Links and removals are always done.  Of additions it does what takes about
 * 2 ms, in the following turns 512 of IPv4 or what takes 10 ms of IPv6, and
 * announces them; 512 announcements go out at once, others at 125 a
 * millisecond.  While something is left, vip_deadline() is the time of the next
 * turn: now, or soon.
 */
int	 vip_commit(struct vip *, uint64_t now);

struct vip_set_info {
	bool	 up;			/* wanted */
	unsigned ifindex;		/* where they are; 0: nowhere */
	size_t	 naddrs;		/* wanted in all */
	size_t	 installed;		/* ours, in the kernel, in use */
	size_t	 foreign;		/* in the kernel, not ours */
	size_t	 failed;		/* refused, tried again later */
	uint64_t repaired;		/* times that somebody took one */
	uint64_t announced;		/* packets */
	size_t	 ready;			/* on a virtual MAC that is down */
};

void	 vip_set_get_info(const struct vip_set *, struct vip_set_info *ret);

/*
 * What happened meanwhile.
 */
enum vip_what {
	VIP_LINK,			/* came, went, up, down, MAC, source */
	VIP_TAKEN,			/* somebody removed one of ours */
	VIP_FOREIGN,			/* was there before us; left alone */
	VIP_FAILED,			/* the kernel refused: error */
	VIP_OVERRUN			/* notifications lost, all read again */
};

struct vip_event {
	enum vip_what	 what;
	struct vip_set	*set;		/* TAKEN, FOREIGN, FAILED */
	struct carp_addr addr;		/* the same */
	int		 error;		/* FAILED: negative errno */
	char		 ifname[VIP_IFNAMSIZ];
};

bool	 vip_next(struct vip *, struct vip_event *ret);

#ifdef __cplusplus
}
#endif
#endif
