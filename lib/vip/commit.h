/* SPDX-License-Identifier: ISC */
/* Wishes carried out: the kernel compared with them, and changed. */
#ifndef VIP_COMMIT_H
#define VIP_COMMIT_H

#include <stdbool.h>

struct vip;
struct vip_set;

/* Room for so many requests. */
int commit_reserve(struct vip *, unsigned n);

/* Takes the addresses of one set away, whatever the others wish. */
void commit_set(struct vip_set *);

#endif
