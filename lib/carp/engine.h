/* SPDX-License-Identifier: ISC */
/*
 * What the files of the engine share: the engine, its interfaces, its hosts.
 */
#ifndef LIB_CARP_ENGINE_H
#define LIB_CARP_ENGINE_H

#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <carp/engine.h>

#include "heap.h"

#define ETHER_LEN   14
#define HEARD_MAX   8	/* peers remembered of a virtual host */
#define OWN_MAX	    16	/* own addresses looked at for a source */
#define SEND_BATCH  256 /* frames in one sendmmsg() */
#define RECV_BATCH  64	/* frames in one recvmmsg() */
#define SNAPLEN	    256 /* bytes of a frame that are looked at */
#define CLOSING_MAX 16	/* captures put aside */

/* Something that is seen and is wrong, at a host or at an interface. */
struct condition {
	struct condition *next;
	enum carp_condition kind;
	uint64_t checked; /* when it was last diagnosed */
	struct carp_condition_info info;
};

struct carp_host {
	struct heap_node timer; /* carp_deadline(); first member */
	struct carp_host *next; /* in the order of adding */
	struct iface *iface;
	struct carp *carp;
	struct vip_set *set;
	void *user;
	struct carp_addr *list; /* addrs, own digest list, peers */
	size_t naddrs, ndigest, npeers;
	bool shared; /* the digest is over addrs */
	uint8_t vhid, vmac, lease, manual;
	uint8_t standby;	    /* at its start */
	uint32_t lease_s, lease_ms; /* ms: of VIP_LEASE_GUARD */
	bool stopped;		    /* by carp_engine_stop() */
	uint8_t key[CARP_KEY_LEN], lladdr[6];
	int demoted;			/* what carp_demote() was told */
	struct carp_demotion *demotion; /* NULL: never had one */
	struct condition *conds;
	struct carp_peer *heard; /* room for HEARD_MAX, or NULL */
	unsigned nheard;	 /* <= HEARD_MAX */
	uint64_t badttl, badaddr, oerrors;
	uint64_t refused[2];		  /* both, by family */
	uint64_t since;			  /* of the state */
	uint64_t rival_since, rival_last; /* another master; 0: none */
};

struct iface {
	struct iface *next;
	struct carp_engine *engine;
	char name[VIP_IFNAMSIZ];
	struct vip_link link; /* ifindex 0: does not exist */
	struct carp_addr own[OWN_MAX];
	size_t nown;
	bool usable;		 /* up, Ethernet, and we listen */
	int capture;		 /* receives; -1: not listening */
	int igmp, mld;		 /* hold the groups; or -1 */
	bool ready;		 /* packets wait in it */
	uint64_t retry;		 /* when to try to listen again */
	unsigned failed, worked; /* transmissions in a row */
	int error;		 /* the last, negative errno */
	bool bad;		 /* demoted for failing transmission */
	uint64_t tried;		 /* when last transmitted */
	uint64_t diagnosed;	 /* when carp_diagnose() was last used */
	struct carp_stats stats;
	struct condition *conds;
	unsigned nhosts;
	struct carp_host *host[256]; /* by vhid */
};

/* An advertisement that waits: a whole frame, or what goes to the peers. */
struct frame {
	uint8_t data[ETHER_LEN + CARP_IP_MAX];
	uint8_t family;
	bool bowout;
	bool unicast; /* data is the advertisement only */
	struct carp_host *host;
};

/* What is read with one recvmmsg(); msg, iov and the rest belong together. */
struct inbox {
	uint8_t data[RECV_BATCH][SNAPLEN];
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(sizeof(struct timespec)) +
			      CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control[RECV_BATCH];
	struct sockaddr_ll from[RECV_BATCH];
	struct iovec iov[RECV_BATCH];
	struct mmsghdr msg[RECV_BATCH];
};

/* What is sent at one moment; msg, iov and to belong to frame[i]. */
struct outbox {
	unsigned n;
	struct frame frame[SEND_BATCH];
	struct mmsghdr msg[SEND_BATCH];
	struct iovec iov[SEND_BATCH];
	struct sockaddr_ll to[SEND_BATCH];
};

struct carp_engine {
	int epoll, timer;
	int packet;	/* AF_PACKET, for frames */
	int raw4, raw6; /* for unicast peers; or -1 */
	struct vip *vip;
	int closing[CLOSING_MAX]; /* captures, until there is time for it */
	unsigned nclosing;	  /* <= CLOSING_MAX */
	struct iface *ifaces;
	struct carp_host *hosts, **last;
	size_t nhosts;
	struct heap heap;
	struct carp_demotion demotion;
	int link_demotion;
	struct carp_link_group *group;
	size_t ngroups;		 /* 0: each link is one */
	uint64_t counter;	 /* near which those of the hosts are */
	struct carp_host *taken; /* from a demoted master, just now */
	uint64_t armed;		 /* what the timer is set to */
	uint64_t chores;	 /* when engine_chores() is wanted */
	bool pending;		 /* actions since the last settling */
	bool lost;		 /* a master stepped down */
	bool news;		 /* of links and addresses wait in vip */
	int error;		 /* last CARP_EV_ERROR, and when */
	uint64_t error_at;
	struct carp_event *ring;
	size_t room, first, queued; /* queued <= room */
	unsigned dropped;
	struct outbox early, late; /* before and after addresses */
	struct inbox in;
};

/* engine.c: order and time. */

/* Carries out what the host's state machine wants. */
void engine_carry(struct carp_host *, uint64_t now);
/* Sends, then changes addresses, then sets the timer. */
void engine_settle(struct carp_engine *, uint64_t now);
/* Wants engine_chores() at this time, or before. */
void engine_chores_by(struct carp_engine *, uint64_t at);
void engine_error(struct carp_engine *, int error, uint64_t now);
/* Opening a capture takes longer than the shortest time-outs. */
uint64_t engine_listening_since(uint64_t now);

/* host.c: virtual hosts. */

void host_free(struct carp_host *);
void host_stop(struct carp_host *, uint64_t now);

/* host_config.c: what the caller says of one. */

/* Checked, and with counter and seed. */
int host_config_read(
    struct carp_host_config *ret, const struct carp_host_config *);
/* Copies the three lists into a new host; -ENOMEM. */
int host_config_copy(struct carp_host *ret, const struct carp_host_config *);
uint32_t host_config_guard_ms(uint8_t advbase, uint64_t interval);
void host_config_vip(
    struct vip_set_config *ret, const struct carp_host_config *);
/* The lists, as they lie in h->list. */
const struct carp_addr *host_config_digest(const struct carp_host *);
const struct carp_addr *host_config_peers(const struct carp_host *);

/* demote.c: demotion of the engine and of its hosts. */

void demote_apply(struct carp_host *, uint64_t now);
void demote_apply_all(struct carp_engine *, uint64_t now);
/* Sets or, with amount 0, ends a cause of the whole engine. */
int demote_set(struct carp_engine *, const char *cause, int amount,
    uint64_t until, uint64_t now);
/* "link IFNAME", "send IFNAME". */
void demote_for_iface(struct iface *, const char *why, bool on, uint64_t now);
void demote_expire(struct carp_engine *, uint64_t now);

/* group.c: hosts that move together. */

/* After a link began or ceased to work. */
void group_review(struct carp_engine *, uint64_t now);
/* Sees to the other hosts of a node from which we have taken one. */
void group_follow(struct carp_engine *, uint64_t now);
/* One host was demoted: the others say that they are well. */
void group_vouch(struct carp_engine *, const struct carp_host *, uint64_t now);

/* iface.c: interfaces as they come and go. */

struct iface *iface_find(const struct carp_engine *, const char *name);
int iface_get(struct iface **ret, struct carp_engine *, const char *name);
void iface_free(struct iface *);
/* Looks at the link, and acts on what has changed. */
void iface_update(struct iface *, uint64_t now);
void iface_update_all(struct carp_engine *, const char *name, uint64_t now);
void iface_retry(struct iface *, uint64_t now);
/* A source address for this destination. */
struct carp_addr iface_source(const struct iface *, const struct carp_addr *);

/* listen.c: sockets that receive, group membership. */

int listen_open(struct iface *);
void listen_close(struct iface *);
/* Tells the switches again, which forget with the carrier. */
void listen_rejoin(struct iface *);
/* Closes what was put aside: after everything else. */
void listen_reap(struct carp_engine *);

/* receive.c: from frames to virtual hosts. */

void receive_open(struct carp_engine *);
void receive_all(struct carp_engine *, uint64_t now);

/* sender.c: what received packets say about their senders. */

void sender_peer(struct carp_host *, const struct carp_packet *, uint64_t now);
void sender_rival(struct carp_host *, const struct carp_packet *, uint64_t now);
void sender_stranger(
    struct carp_host *, const struct carp_packet *, uint64_t now);
void sender_badauth(
    struct carp_host *, const struct carp_packet *, uint64_t now);
void sender_misfit(struct carp_host *, const struct carp_packet *,
    enum carp_verdict, uint64_t now);

/* transmit.c: advertisements. */

int transmit_open(struct carp_engine *);
int transmit_open_raw(
    struct carp_engine *, const struct carp_addr *peers, size_t n);
void transmit_queue(
    struct carp_host *, const struct carp_action *, bool late, uint64_t now);
void transmit_flush(struct carp_engine *, struct outbox *, uint64_t now);
/* Acts on what flushing has found out. */
void transmit_review(struct iface *, uint64_t now);
void transmit_forget(struct iface *, uint64_t now);

/* condition.c: what is wrong, in words. */

void condition_host(struct carp_host *, enum carp_condition,
    const struct carp_addr *peer, uint64_t now, const char *, ...)
    __attribute__((format(printf, 5, 6)));
void condition_iface(struct iface *, enum carp_condition, uint64_t now,
    const char *, ...) __attribute__((format(printf, 4, 5)));
struct condition *condition_find(struct condition *list, enum carp_condition);
void condition_host_end(struct carp_host *, enum carp_condition, uint64_t now);
void condition_iface_end(struct iface *, enum carp_condition, uint64_t now);
void condition_expire(struct carp_host *, uint64_t now);
void condition_free(struct condition *list);

/* events.c: the queue. */

int events_reserve(struct carp_engine *, size_t nhosts);
void events_push(struct carp_engine *, const struct carp_event *);
void events_forget(struct carp_engine *, const struct carp_host *);

#endif
