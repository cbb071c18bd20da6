/* SPDX-License-Identifier: ISC */
/*
 * What supervisor and engine say to each other: messages of one size over a
 * SOCK_SEQPACKET pair; whatever has no fixed size travels as a sealed memfd.
 */
#ifndef CARPD_IPC_H
#define CARPD_IPC_H

#include "instance.h"
#include "resource.h"

enum ipc_type {
	/* To the engine. */
	IPC_CONF = 1,	 /* apply it; fd: struct conf, on:
					   maintenance */
	IPC_RELOAD_DONE, /* there is nothing to apply; rc, fd:
					   text */
	IPC_STOP,	 /* bow out and exit */
	IPC_STATUS,	 /* a log line for each host */
	IPC_RESUME,	 /* fd: struct ipc_master[], of the engine
					   before; at: when it ended; on: it
					   had run well */
	IPC_REPORT,	 /* failover mode: report */
	IPC_DONE,	 /* failover mode: done */
	IPC_RESORT,	 /* the last resort is called: text */
	IPC_STORE,	 /* fd: text of failover.json, before
					   the first IPC_CONF */
	/* To the supervisor. */
	IPC_APPLIED,	 /* what became of IPC_CONF: rc, text */
	IPC_ALIVE,	 /* the loop runs */
	IPC_RELOAD,	 /* somebody asks for a reload */
	IPC_NOTE,	 /* a state has changed: note */
	IPC_MAINTENANCE, /* remember: on */
	IPC_ORDER,	 /* failover mode: order */
	IPC_HARD,	 /* call the last resort now: text */
	IPC_SECRET,	 /* fd: a passphrase; text: resource, ""
					   for all; on: 0 drops it */
	IPC_REMEMBER,	 /* fd: text of failover.json */
	IPC_NTYPES
};

struct ipc_msg {
	uint32_t type; /* enum ipc_type */
	int32_t rc;    /* 0, or a negative errno */
	uint8_t on;
	uint8_t asked; /* it was IPC_RELOAD that led to this */
	uint64_t at;   /* CLOCK_MONOTONIC, ns */
	struct instance_note note;
	union {
		struct resource_order order;
		struct resource_report report;
		struct resource_done done;
	};
	char text[RESOURCE_TEXT];
};

/* A virtual host that was master. */
struct ipc_master {
	char ifname[VIP_IFNAMSIZ];
	uint8_t vhid;
};

/* Both ends close on exec and do not block. */
int ipc_pair(int ret[2]);

/* -EAGAIN: no room now.  attach is a descriptor to send along, or -1. */
int ipc_send(int fd, const struct ipc_msg *, int attach);

/*
 * 1: a message; *attach is a descriptor that came with it, or -1.  0: the
 * other side is gone.  -EAGAIN: nothing now.  -EPROTO: not a message of ours.
 */
int ipc_recv(int fd, struct ipc_msg *ret, int *attach);

/* Bytes in a memfd that nobody can change; returns it or a negative errno. */
int ipc_wrap(const void *, size_t len);

/* Reads it back, with a NUL behind; *ret is for free().  Closes fd. */
int ipc_unwrap(int fd, void **ret, size_t *len);

/*
 * How often the engine says that it is alive, ms.  When it misses IPC_BEATS
 * of them its addresses are taken away: for every interval of the protocol
 * that is sooner than a silent master may be replaced.
 */
#define IPC_BEATS 10

unsigned ipc_beat_ms(const struct conf *);

#endif
