/* SPDX-License-Identifier: ISC */
/*
 * Reads what PERSISTENT RESERVE IN (SCSI) and Reservation Report (NVMe) return.
 *
 * All return 0; -EMSGSIZE if data ends early; -EBADMSG if it contradicts
 * itself; -EOVERFLOW if there are more keys than a view has room for.  Then
 * the view is of no use.
 */
#ifndef CARPD_FENCE_PARSE_H
#define CARPD_FENCE_PARSE_H

#include "fence_view.h"

/* So much is asked for. */
#define FENCE_KEYS_BYTES	(8 + 8 * FENCE_KEYS_MAX)
#define FENCE_RESERVATION_BYTES 24
#define FENCE_CAPABILITY_BYTES	8
#define FENCE_NVME_BYTES	4096

int fence_parse_keys(struct fence_view *, const uint8_t *data, size_t len);
int fence_parse_reservation(
    struct fence_view *, const uint8_t *data, size_t len);

/* Can reservations survive a loss of power (PTPL_C)? */
int fence_parse_capabilities(bool *ret, const uint8_t *data, size_t len);

/* extended: with host identifiers of 128 bits. */
int fence_parse_nvme(
    struct fence_view *, const uint8_t *data, size_t len, bool extended);

/* What linux/pr.h and NVMe number otherwise than SCSI; 0: not known. */
uint8_t fence_type_from_linux(uint32_t type);
uint32_t fence_type_to_linux(uint8_t type);

/*
 * What a SCSI disk answers: 0; -EBADE (conflict); -EAGAIN, ask at once again
 * (it had to tell something first); -EBUSY, ask again after a while; -EINVAL,
 * it does not know the command; -ENOSPC, no room for another key; or -EIO.
 */
int fence_scsi_status(int status, int sense_key, int asc_ascq);

/*
 * What the ioctls of linux/pr.h return: 0, -EBADE (conflict), -EAGAIN (it may
 * have been a UNIT ATTENTION) or -EIO.
 */
int fence_linux_status(int status);

#endif
