/* SPDX-License-Identifier: ISC */
/*
 * How other implementations behave, written from the facts and not from our
 * own core: small, slow and independent.
 */
#ifndef SIM_PEERS_H
#define SIM_PEERS_H

#include <carp/carp.h>

#include "rng.h"

enum peer_kind { PEER_FREEBSD, PEER_NETBSD, PEER_OPENBSD, PEER_UCARP };

#define PEER_SEND_MAX 4

struct peer {
	enum peer_kind kind;
	uint8_t vhid, base, skew;
	bool preempt;
	bool triple;  /* OpenBSD of 2025 */
	int demotion; /* sum of causes */
	uint8_t key[CARP_KEY_LEN];
	struct carp_addr addrs[4];
	unsigned naddrs;
	uint8_t families;    /* bit 0: IPv4, bit 1: IPv6 */
	struct carp_addr ip; /* own source: ucarp compares it */
	struct rng *rng;

	bool up, master;
	uint64_t advert_at;
	uint64_t down_at[2]; /* BACKUP, by family */
	uint64_t counter;
	bool synced;	  /* counter follows a peer */
	unsigned masters; /* times that it became one */

	struct carp_packet send[PEER_SEND_MAX]; /* after each event */
	unsigned nsend;
};

void peer_start(struct peer *, uint64_t now); /* or link up */
void peer_down(struct peer *);		      /* silently */
void peer_stop(struct peer *, uint64_t now);  /* as its admin would */
void peer_timer(struct peer *, uint64_t now);
void peer_packet(struct peer *, const struct carp_packet *, uint64_t now);
void peer_demote(struct peer *, int demotion, uint64_t now);
uint64_t peer_deadline(const struct peer *);
uint64_t peer_interval(const struct peer *);
uint64_t peer_timeout(const struct peer *);

#endif
