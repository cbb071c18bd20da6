/* SPDX-License-Identifier: ISC */
/* The requests of linux/pr.h, filled in. */
#ifndef CARPD_FENCE_REQUEST_H
#define CARPD_FENCE_REQUEST_H

#include <sys/ioctl.h>

#include <linux/pr.h>

#include "fence_disk.h"

/* Reading came to linux/pr.h with Linux 7.0; older headers lack it. */
struct fence_read_keys {
	uint32_t generation, num_keys;
	uint64_t keys_ptr;
};
struct fence_read_reservation {
	uint64_t key;
	uint32_t generation, type;
};
_Static_assert(sizeof(struct fence_read_keys) == 16, "as in the kernel");
_Static_assert(sizeof(struct fence_read_reservation) == 16, "likewise");
#define FENCE_READ_KEYS	       _IOWR('p', 206, struct fence_read_keys)
#define FENCE_READ_RESERVATION _IOR('p', 207, struct fence_read_reservation)

struct fence_request {
	unsigned long number;
	union {
		struct pr_registration registration;
		struct pr_reservation reservation;
		struct pr_preempt preempt;
		struct pr_clear clear;
	} arg;
};

/* type as SCSI numbers it. */
void fence_request(struct fence_request *, enum fence_out, uint64_t key,
    uint64_t other, uint8_t type);

#endif
