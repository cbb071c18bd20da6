/* SPDX-License-Identifier: ISC */
/*
 * One disk with persistent reservations, whatever the way to it: a block
 * device (linux/pr.h, SG_IO, NVMe) or an iscsi:// URL (libiscsi).
 *
 * A disk belongs to one thread at a time.  All calls return 0 or a negative
 * errno and then leave a sentence in why:
 * -EBADE		reservation conflict: the disk refuses us
 * -EOPNOTSUPP, -EINVAL	it does not know the command
 * -ETIMEDOUT		no answer in time
 * -EPERM, -ENOENT ...	it could not be opened
 * -EIO			anything else
 */
#ifndef CARPD_FENCE_DISK_H
#define CARPD_FENCE_DISK_H

#include <stdatomic.h>

#include "fence_view.h"

#define FENCE_NS_PER_MS UINT64_C(1000000)
#define FENCE_NS_PER_S	UINT64_C(1000000000)

#define FENCE_NAME_MAX	768

struct iscsi_context;
struct iscsi_url;

/* The numbers are those of PERSISTENT RESERVE OUT. */
enum fence_out {
	FENCE_OUT_REGISTER = 0, /* key -> other; other 0: unregister */
	FENCE_OUT_RESERVE = 1,	/* with key */
	FENCE_OUT_RELEASE = 2,	/* with key, the reservation of this type */
	FENCE_OUT_CLEAR = 3,	/* with key: all keys, all reservations */
	FENCE_OUT_PREEMPT = 4,	/* with key: other goes */
	FENCE_OUT_PREEMPT_ABORT = 5,  /* and so do its commands */
	FENCE_OUT_REGISTER_IGNORE = 6 /* other, whatever was there; NVMe must
				       * know whether something was: key */
};

/* One command of libiscsi: the library tells its end. */
struct fence_command {
	bool done;
	int status;
};

struct fence_disk;

struct fence_way {
	int (*open)(struct fence_disk *);
	void (*close)(struct fence_disk *);
	int (*read)(struct fence_disk *, struct fence_view *);
	int (*out)(struct fence_disk *, enum fence_out, uint64_t key,
	    uint64_t other, uint8_t type);
};

extern const struct fence_way fence_block, fence_iscsi;

struct fence_disk {
	const struct fence_way *way;
	char name[FENCE_NAME_MAX];  /* as configured: may have a password */
	char label[FENCE_NAME_MAX]; /* for people */
	char initiator[256];
	char why[512];
	uint32_t id;	  /* of this node */
	uint64_t timeout; /* ns, for one command */
	bool lasting;	  /* iSCSI: the session that keeps the reservation */
	bool no_abort;	  /* it does not know PREEMPT AND ABORT */
	bool aptpl;	  /* iSCSI: survives a loss of power of the disk */
	bool is_open;

	/* Of one way or the other; valid while open. */
	int fd;
	int nsid; /* of an NVMe disk; else -1 */
	int (*reader)(struct fence_disk *, struct fence_view *);
	struct iscsi_context *iscsi;
	struct iscsi_url *url;
	struct fence_command connected; /* told again when the session ends */

	/* What is known of it. */
	uint64_t key;  /* registered by us, or tried last */
	uint64_t next; /* what it was being changed to */
	struct fence_view seen, view;
	uint64_t seen_at;
	bool taken; /* something of ours may be on it */
	bool held;  /* it is ours, or was when we looked last */

	/* Told to other threads. */
	_Atomic uint64_t ok_at;
	atomic_bool lost; /* why says how, and does not change any more */
};

uint64_t fence_now(void);

/* Leaves a sentence, and returns rc. */
int fence_fail(struct fence_disk *, int rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

int fence_disk_open(struct fence_disk *);
void fence_disk_close(struct fence_disk *);
int fence_disk_read(struct fence_disk *, struct fence_view *);
int fence_disk_out(struct fence_disk *, enum fence_out, uint64_t key,
    uint64_t other, uint8_t type);

/*
 * Takes the disk, with a new key, having looked at it: d->seen.  -EEXIST:
 * somebody lives, or takes it at the same moment and was quicker; nothing is
 * left of us.
 */
int fence_disk_take(struct fence_disk *, enum fence_others);

/* No key and no reservation of this node is left; 0 also if none was. */
int fence_disk_leave(struct fence_disk *);

/*
 * Is it still ours?  If so, its key moves.  -ENOLINK: it is proven that it is
 * not; anything else: it could not be found out.
 */
int fence_disk_keep(struct fence_disk *);

/* Looks for WATCH ns at the keys: -EEXIST if one moves. */
int fence_disk_watch(struct fence_disk *, uint64_t watch, bool own);

#endif
