/* SPDX-License-Identifier: ISC */
/* Persistent reservations of block devices: through the kernel. */
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <linux/nvme_ioctl.h>

#include <scsi/sg.h>

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fence_disk.h"
#include "fence_parse.h"
#include "fence_request.h"

#define PERSISTENT_RESERVE_IN  0x5e
#define CHECK_CONDITION	       0x02 /* statuses of SCSI */
#define CONFLICT	       0x18
#define TRIES		       5    /* unit attentions come first, one each */
#define NVME_REGISTER	       0x0d /* Reservation Register */
#define NVME_UNREGISTER	       1    /* its action */
#define NVME_REPORT	       0x0e /* Reservation Report */
#define NVME_HOST_INCONSISTENT 0x18 /* a status of NVMe */

static int
fail_errno(struct fence_disk *d, const char *what)
{
	int rc = -errno;

	return fence_fail(d, rc, "%s: %s", what, strerror(-rc));
}

/*
 * Without an argument nothing can happen but an error, and it tells whether
 * the driver has reservations at all.
 */
static int
probe(struct fence_disk *d)
{
	if (ioctl(d->fd, IOC_PR_CLEAR, NULL) == 0 || errno == EFAULT)
		return 0;
	if (errno == EPERM)
		return fence_fail(d, -EPERM,
		    "reservations are not permitted: "
		    "is it a partition, or are you "
		    "not root?  Name the whole disk");
	return fence_fail(d, -EOPNOTSUPP,
	    "its driver has no persistent reservations (IOC_PR_CLEAR: %s): "
	    "they need a SCSI, NVMe or multipath disk",
	    strerror(errno));
}

/* IOC_PR_READ_KEYS, IOC_PR_READ_RESERVATION. */
static int
read_kernel(struct fence_disk *d, struct fence_view *v)
{
	struct fence_read_keys k = { .num_keys = FENCE_KEYS_MAX };
	struct fence_read_reservation r = { 0 };
	int rc;

	k.keys_ptr = (uintptr_t)v->keys;
	rc = ioctl(d->fd, FENCE_READ_KEYS, &k);
	if (rc == 0)
		rc = ioctl(d->fd, FENCE_READ_RESERVATION, &r);
	if (rc < 0)
		return fail_errno(d, "IOC_PR_READ_KEYS");
	rc = fence_linux_status(rc);
	if (rc != 0)
		return fence_fail(d, rc, "IOC_PR_READ_KEYS has failed");
	if (k.num_keys > FENCE_KEYS_MAX)
		return fence_fail(
		    d, -EOVERFLOW, "it has %u keys, too many", k.num_keys);
	v->nkeys = k.num_keys;
	v->generation = k.generation;
	v->reserved = r.type != 0;
	v->type = fence_type_from_linux(r.type);
	v->scope = 0;
	v->holder = r.key;
	return 0;
}

/* One PERSISTENT RESERVE IN. */
static int
sg_in(struct fence_disk *d, uint8_t action, uint8_t *data, unsigned len)
{
	uint8_t cdb[10] = { PERSISTENT_RESERVE_IN,
		action, [7] = len >> 8, [8] = len & 0xff };
	uint8_t sense[64];
	struct sg_io_hdr h = { .interface_id = 'S' };

	h.dxfer_direction = SG_DXFER_FROM_DEV;
	h.cmd_len = sizeof(cdb);
	h.cmdp = cdb;
	h.mx_sb_len = sizeof(sense);
	h.sbp = sense;
	h.dxfer_len = len;
	h.dxferp = data;
	h.timeout = (unsigned)(d->timeout / FENCE_NS_PER_MS);
	for (int i = 0; i < TRIES; i++) {
		if (ioctl(d->fd, SG_IO, &h) == -1)
			return fail_errno(d, "SG_IO");
		if ((h.info & SG_INFO_OK_MASK) == SG_INFO_OK)
			return h.resid > 0 && (unsigned)h.resid <= len
				   ? (int)(len - (unsigned)h.resid)
				   : (int)len;
		if (h.status != CHECK_CONDITION)
			break;
	}
	return fence_fail(d, -EIO,
	    "PERSISTENT RESERVE IN: status 0x%02x, host 0x%02x, driver 0x%02x",
	    h.status, h.host_status, h.driver_status);
}

static int
read_sg(struct fence_disk *d, struct fence_view *v)
{
	uint8_t data[FENCE_KEYS_BYTES];
	int n, rc;

	n = sg_in(d, 0, data, sizeof(data));
	if (n < 0)
		return n;
	rc = fence_parse_keys(v, data, (size_t)n);
	if (rc == 0) {
		n = sg_in(d, 1, data, FENCE_RESERVATION_BYTES);
		if (n < 0)
			return n;
		rc = fence_parse_reservation(v, data, (size_t)n);
	}
	if (rc != 0)
		return fence_fail(
		    d, rc, "its reservation data cannot be understood");
	return 0;
}

static int
nvme_report(struct fence_disk *d, uint8_t *data, bool extended)
{
	struct nvme_passthru_cmd c = { .opcode = NVME_REPORT };
	int rc;

	if (d->nsid == -1)
		return fence_fail(d, -ENOTTY, "not an NVMe disk");
	c.nsid = (uint32_t)d->nsid;
	c.addr = (uintptr_t)data;
	c.data_len = FENCE_NVME_BYTES;
	c.cdw10 = FENCE_NVME_BYTES / 4 - 1; /* counted from 0 */
	c.cdw11 = extended;
	c.timeout_ms = (uint32_t)(d->timeout / FENCE_NS_PER_MS);
	rc = ioctl(d->fd, NVME_IOCTL_IO_CMD, &c);
	return rc == -1 ? fail_errno(d, "Reservation Report") : rc;
}

/*
 * The kernel has no request for this: IOC_PR_REGISTER with a new key of 0
 * registers the key 0, and its node may write.
 */
static int
nvme_unregister(struct fence_disk *d, uint64_t key)
{
	uint64_t data[2] = { htole64(key), 0 };
	struct nvme_passthru_cmd c = { .opcode = NVME_REGISTER };

	c.nsid = (uint32_t)d->nsid;
	c.addr = (uintptr_t)data;
	c.data_len = sizeof(data);
	c.cdw10 = NVME_UNREGISTER;
	c.timeout_ms = (uint32_t)(d->timeout / FENCE_NS_PER_MS);
	return ioctl(d->fd, NVME_IOCTL_IO_CMD, &c);
}

static int
read_nvme(struct fence_disk *d, struct fence_view *v)
{
	uint8_t data[FENCE_NVME_BYTES];
	bool extended = true;
	int rc;

	memset(data, 0, sizeof(data));
	rc = nvme_report(d, data, true);
	if (rc > 0 && (rc & 0xff) == NVME_HOST_INCONSISTENT) {
		extended = false;
		rc = nvme_report(d, data, false);
	}
	if (rc > 0)
		return fence_fail(
		    d, -EIO, "Reservation Report: status 0x%x", rc);
	if (rc == 0)
		rc = fence_parse_nvme(v, data, sizeof(data), extended);
	else
		return rc;
	if (rc != 0)
		return fence_fail(
		    d, rc, "its reservation data cannot be understood");
	return 0;
}

/* The first that works is the one from then on. */
static int
find_reader(struct fence_disk *d, struct fence_view *v)
{
	static int (*const readers[])(struct fence_disk *,
	    struct fence_view *) = { read_kernel, read_sg, read_nvme };
	int rc;

	for (unsigned i = 0; i < sizeof(readers) / sizeof(*readers); i++) {
		rc = readers[i](d, v);
		if (rc == 0)
			d->reader = readers[i];
		if (rc != -ENOTTY && rc != -EOPNOTSUPP && rc != -EINVAL)
			return rc;
	}
	return fence_fail(d, -EOPNOTSUPP,
	    "its keys cannot be read: the kernel has no IOC_PR_READ_KEYS for "
	    "it (Linux 7.0 has), and it knows neither SG_IO (SCSI) nor "
	    "Reservation Report (NVMe)");
}

static int
block_open(struct fence_disk *d)
{
	struct stat st;
	int rc;

	/* For writing would tell udev on closing that something changed. */
	d->fd = open(d->name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (d->fd == -1)
		return fail_errno(d, "open");
	d->nsid = ioctl(d->fd, NVME_IOCTL_ID);
	if (fstat(d->fd, &st) == -1 || !S_ISBLK(st.st_mode))
		rc = fence_fail(d, -ENOTBLK, "not a block device");
	else
		rc = probe(d);
	if (rc != 0)
		(void)close(d->fd);
	d->reader = NULL;
	return rc;
}

static void
block_close(struct fence_disk *d)
{
	(void)close(d->fd);
}

static int
block_read(struct fence_disk *d, struct fence_view *v)
{
	return d->reader != NULL ? d->reader(d, v) : find_reader(d, v);
}

/* One command: its status, or -1. */
static int
request(struct fence_disk *d, enum fence_out what, uint64_t key, uint64_t other,
    uint8_t type)
{
	struct fence_request r;

	if (d->nsid != -1 && what == FENCE_OUT_REGISTER && other == 0)
		return nvme_unregister(d, key);
	if (d->nsid == -1 && what == FENCE_OUT_REGISTER_IGNORE)
		key = 0; /* SCSI disks ignore it */
	fence_request(&r, what, key, other, type);
	return ioctl(d->fd, r.number, &r.arg);
}

static int
block_out(struct fence_disk *d, enum fence_out what, uint64_t key,
    uint64_t other, uint8_t type)
{
	static const char *const names[] = { "register", "reserve", "release",
		"clear", "preempt", "preempt and abort", "register" };
	int status = 0, rc = -EAGAIN;

	for (int i = 0; rc == -EAGAIN && i < TRIES; i++) {
		status = request(d, what, key, other, type);
		if (status == -1 && errno == EBADE)
			status = CONFLICT;
		if (status == -1)
			return fail_errno(d, names[what]);
		rc = fence_linux_status(status);
	}
	if (rc == 0)
		return 0;
	/* No news, then: before 6.3 this is all that kernels say of it. */
	if (rc == -EAGAIN && what == FENCE_OUT_PREEMPT_ABORT)
		rc = -EOPNOTSUPP;
	return fence_fail(d, rc, "%s: %s (status 0x%x)", names[what],
	    rc == -EBADE ? "reservation conflict" : "the disk has refused it",
	    (unsigned)status);
}

const struct fence_way fence_block = { block_open, block_close, block_read,
	block_out };
