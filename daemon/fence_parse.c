/* SPDX-License-Identifier: ISC */
/* Reads the reservation data of SCSI and NVMe disks, with bounds checked. */
#include <errno.h>
#include <string.h>

#include "fence_parse.h"

/* Reads past the end yield 0 and stick in `bad`: test it once, at the end. */
struct reader {
	const uint8_t *p, *end;
	bool bad;
};

static const uint8_t *
take(struct reader *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->bad || (size_t)(r->end - r->p) < n) {
		r->bad = true;
		return NULL;
	}
	r->p += n;
	return p;
}

/* Most significant byte first, as SCSI has it. */
static uint64_t
big(struct reader *r, size_t n)
{
	const uint8_t *p = take(r, n);
	uint64_t x = 0;

	for (size_t i = 0; p != NULL && i < n; i++)
		x = x << 8 | p[i];
	return x;
}

/* Least significant byte first, as NVMe has it. */
static uint64_t
little(struct reader *r, size_t n)
{
	const uint8_t *p = take(r, n);
	uint64_t x = 0;

	for (size_t i = n; p != NULL && i > 0; i--)
		x = x << 8 | p[i - 1];
	return x;
}

static void
skip(struct reader *r, size_t n)
{
	(void)take(r, n);
}

/* SPC-4, READ KEYS parameter data: generation, length, keys. */
int
fence_parse_keys(struct fence_view *v, const uint8_t *data, size_t len)
{
	struct reader r = { data, data + len, false };
	uint64_t bytes;

	v->generation = (uint32_t)big(&r, 4);
	bytes = big(&r, 4);
	if (bytes % 8 != 0)
		return -EBADMSG;
	if (bytes / 8 > FENCE_KEYS_MAX)
		return -EOVERFLOW;
	v->nkeys = (uint32_t)(bytes / 8);
	for (uint32_t i = 0; i < v->nkeys; i++)
		v->keys[i] = big(&r, 8);
	return r.bad ? -EMSGSIZE : 0;
}

/* SPC-4, READ RESERVATION: length 0, or 16 bytes on the one reservation. */
int
fence_parse_reservation(struct fence_view *v, const uint8_t *data, size_t len)
{
	struct reader r = { data, data + len, false };
	uint64_t bytes;
	uint8_t byte;

	v->generation = (uint32_t)big(&r, 4);
	bytes = big(&r, 4);
	v->reserved = bytes != 0;
	v->holder = 0;
	v->scope = v->type = 0;
	if (bytes == 0)
		return r.bad ? -EMSGSIZE : 0;
	if (bytes < 16)
		return -EBADMSG;
	v->holder = big(&r, 8);
	skip(&r, 5);
	byte = (uint8_t)big(&r, 1);
	skip(&r, 2);
	v->scope = byte >> 4;
	v->type = byte & 0x0f;
	return r.bad ? -EMSGSIZE : 0;
}

int
fence_parse_capabilities(bool *ret, const uint8_t *data, size_t len)
{
	struct reader r = { data, data + len, false };
	uint64_t bytes = big(&r, 2), flags = big(&r, 1);

	if (r.bad)
		return -EMSGSIZE;
	if (bytes < 8)
		return -EBADMSG;
	*ret = (flags & 1) != 0;
	return 0;
}

/* One registrant; bit 0 of its status: it holds the reservation. */
static void
nvme_registrant(struct fence_view *v, struct reader *r, bool extended)
{
	uint64_t status, key;

	skip(r, 2); /* controller */
	status = little(r, 1);
	skip(r, 5);
	if (extended) {
		key = little(r, 8);
		skip(r, 16 + 32);
	} else {
		skip(r, 8);
		key = little(r, 8);
	}
	v->keys[v->nkeys++] = key;
	if (status & 1)
		v->holder = key;
}

/* NVMe base specification, Reservation Status data structure. */
int
fence_parse_nvme(
    struct fence_view *v, const uint8_t *data, size_t len, bool extended)
{
	struct reader r = { data, data + len, false };
	uint64_t type, n;

	v->generation = (uint32_t)little(&r, 4);
	type = little(&r, 1);
	n = little(&r, 2);
	skip(&r, extended ? 57 : 17);
	if (r.bad)
		return -EMSGSIZE;
	if (n > FENCE_KEYS_MAX)
		return -EOVERFLOW;
	v->nkeys = 0;
	v->holder = 0;
	v->scope = 0;
	v->reserved = type != 0;
	v->type = fence_type_from_linux((uint32_t)type);
	while (n-- > 0)
		nvme_registrant(v, &r, extended);
	if (v->type >= FENCE_ALL_REGISTRANTS)
		v->holder = 0;
	if (v->reserved && v->type == 0)
		return -EBADMSG;
	return r.bad ? -EMSGSIZE : 0;
}

/* linux/pr.h counts 1..6; SCSI leaves 2 and 4 out. */
static const uint8_t types[] = { 0, 1, 3, 5, 6, 7, 8 };

uint8_t
fence_type_from_linux(uint32_t type)
{
	return type < sizeof(types) ? types[type] : 0;
}

uint32_t
fence_type_to_linux(uint8_t type)
{
	for (uint32_t i = 1; i < sizeof(types); i++) {
		if (types[i] == type)
			return i;
	}
	return 0;
}

/* Statuses, sense keys and additional sense codes of SAM-5 and SPC-4. */
enum {
	GOOD = 0x00,
	CHECK_CONDITION = 0x02,
	BUSY = 0x08,
	CONFLICT = 0x18,
	TASK_SET_FULL = 0x28,
	TASK_ABORTED = 0x40,

	NOT_READY = 0x2,
	ILLEGAL_REQUEST = 0x5,
	UNIT_ATTENTION = 0x6,
	ABORTED_COMMAND = 0xb,

	BECOMING_READY = 0x0401,
	IN_TRANSITION = 0x040a,	      /* it changes its controller: ALUA */
	NO_REGISTRATION_ROOM = 0x5504 /* insufficient registration resources */
};

static int
sense(int key, int asc_ascq)
{
	switch (key) {
	case UNIT_ATTENTION: /* preempted, released, reset, changed ... */
	case ABORTED_COMMAND:
		return -EAGAIN;
	case NOT_READY:
		if (asc_ascq == BECOMING_READY || asc_ascq == IN_TRANSITION)
			return -EBUSY;
		break;
	case ILLEGAL_REQUEST:
		return asc_ascq == NO_REGISTRATION_ROOM ? -ENOSPC : -EINVAL;
	}
	return -EIO;
}

int
fence_scsi_status(int status, int sense_key, int asc_ascq)
{
	switch (status) {
	case GOOD:
		return 0;
	case CONFLICT:
		return -EBADE;
	case BUSY:
	case TASK_SET_FULL:
		return -EBUSY;
	case TASK_ABORTED: /* by PREEMPT AND ABORT of another node */
		return -EAGAIN;
	case CHECK_CONDITION:
		return sense(sense_key, asc_ascq);
	}
	return -EIO;
}

/*
 * A conflict is told as the status of SCSI, 0x18, or, by older kernels, of
 * NVMe: 0x83 in the low eleven bits.  A CHECK CONDITION comes without its
 * sense, and kernels before 6.10 do not ask again after a UNIT ATTENTION.
 */
int
fence_linux_status(int status)
{
	if (status == 0)
		return 0;
	if ((status & 0xff) == CONFLICT || (status & 0x7ff) == 0x83)
		return -EBADE;
	if ((status & 0x00ff00ff) == CHECK_CONDITION)
		return -EAGAIN;
	return -EIO;
}
