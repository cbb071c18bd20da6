/* SPDX-License-Identifier: ISC */
/* What carp-fence leaves in its state directory: lock, disks, last loss. */
#ifndef CARPD_FENCE_STATE_H
#define CARPD_FENCE_STATE_H

#include <sys/types.h>

#include "fence_conf.h"

/* All return 0 or a negative errno. */

int fence_state_make(const struct fence_conf *);

/* Held until the process ends.  -EAGAIN: by somebody else. */
int fence_state_lock(const struct fence_conf *);
void fence_state_unlock(const struct fence_conf *);

/* The process that holds the lock, 0 if none does; -1: one we cannot see. */
pid_t fence_state_keeper(const struct fence_conf *);

/* When the keeper last showed that it lives, by fence_now(); 0: not yet. */
void fence_state_beat(const struct fence_conf *, uint64_t now);
uint64_t fence_state_last_beat(const struct fence_conf *);

/* The disks that were taken; reading adds them to the configuration. */
int fence_state_write_disks(const struct fence_conf *);
int fence_state_read_disks(struct fence_conf *);
bool fence_state_has_disks(const struct fence_conf *);
int fence_state_forget_disks(const struct fence_conf *);

/* Why the keeper ended; "" if it did not say. */
int fence_state_write_loss(const struct fence_conf *, const char *why);
void fence_state_read_loss(const struct fence_conf *, char *ret, size_t len);

#endif
