/* SPDX-License-Identifier: ISC */
/* Persistent reservations of iscsi:// URLs, through libiscsi. */
#include <sys/random.h>
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>

#include "fence_disk.h"
#include "fence_parse.h"

#define UNIT_ATTENTIONS_MAX 8 /* in a row */
#define BUSY_NS		    (20 * FENCE_NS_PER_MS)
#define LOGOUT_NS	    (200 * FENCE_NS_PER_MS)
#define POLL_MS_MAX	    100
#define LUN_MAX		    0x3fff /* flat space addressing of SAM-5 */

static void
ended(struct iscsi_context *iscsi, int status, void *data, void *private)
{
	struct fence_command *c = private;

	(void)iscsi;
	(void)data;
	c->done = true;
	c->status = status;
}

/* Commands that wait are ended by this. */
static void
drop(struct fence_disk *d)
{
	if (d->iscsi != NULL)
		(void)iscsi_destroy_context(d->iscsi);
	if (d->url != NULL)
		iscsi_destroy_url(d->url);
	d->iscsi = NULL;
	d->url = NULL;
	d->is_open = false;
}

/* The library may add the URL with its password: only its first line. */
static int
fail_library(struct fence_disk *d, int rc, const char *what)
{
	const char *why = iscsi_get_error(d->iscsi);

	return fence_fail(d, rc, "%s: %.*s", what, (int)strcspn(why, "\n"),
	    why[0] != '\0' ? why : "no reason given");
}

/* What the library would only call a failure to reconnect. */
static int
refused(struct fence_disk *d, const char *what)
{
	int error = 0;
	socklen_t len = sizeof(error);

	(void)getsockopt(
	    iscsi_get_fd(d->iscsi), SOL_SOCKET, SO_ERROR, &error, &len);
	return fence_fail(d, -EIO, "%s: %s", what,
	    error != 0 ? strerror(error) : "the connection was closed");
}

/* Serves the connection until the command has ended. */
static int
serve(struct fence_disk *d, const struct fence_command *c, uint64_t limit,
    const char *what)
{
	uint64_t end = fence_now() + limit, now;
	struct pollfd p;
	int ms;

	while (!c->done) {
		now = fence_now();
		if (now >= end)
			return fence_fail(d, -ETIMEDOUT,
			    "%s: no answer within %.2f s", what,
			    (double)limit / 1e9);
		ms = (int)((end - now) / FENCE_NS_PER_MS) + 1;
		p.fd = iscsi_get_fd(d->iscsi);
		p.events = (short)iscsi_which_events(d->iscsi);
		p.revents = 0;
		if (poll(&p, 1, ms < POLL_MS_MAX ? ms : POLL_MS_MAX) == -1 &&
		    errno != EINTR)
			return fence_fail(d, -EIO, "poll");
		if ((p.revents & (POLLERR | POLLHUP)) != 0)
			return refused(d, what);
		if (iscsi_service(d->iscsi, p.revents) < 0)
			return fail_library(d, -EIO, what);
	}
	return 0;
}

/*
 * The session that keeps the reservation has the same name each time, so that
 * a disk knows it again after a break.  Others must not share it: two sessions
 * of one name throw each other out.
 */
static int
name_session(struct fence_disk *d)
{
	uint32_t nonce = d->id;
	uint32_t lun = (uint32_t)d->url->lun;

	if (!d->lasting && getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		return -EIO;
	return iscsi_set_isid_random(d->iscsi, nonce & 0xffffff,
	    (d->lasting ? 0x8000 : 0) | (lun & 0x3fff));
}

static int
prepare(struct fence_disk *d)
{
	d->iscsi = iscsi_create_context(d->initiator);
	if (d->iscsi == NULL)
		return fence_fail(d, -ENOMEM, "no memory for a session");
	d->url = iscsi_parse_full_url(d->iscsi, d->name);
	if (d->url == NULL)
		return fence_fail(d, -EINVAL,
		    "not a URL of the form "
		    "iscsi://[USER[%%PASSWORD]@]HOST[:PORT]/TARGET/LUN");
	/* The library cuts off what does not fit: that is another disk. */
	if (d->url->lun < 0 || d->url->lun > LUN_MAX)
		return fence_fail(
		    d, -EINVAL, "the LUN is not from 0 to %d", LUN_MAX);
	iscsi_set_noautoreconnect(d->iscsi, 1);
	if (name_session(d) != 0 ||
	    iscsi_set_targetname(d->iscsi, d->url->target) != 0 ||
	    iscsi_set_session_type(d->iscsi, ISCSI_SESSION_NORMAL) != 0)
		return fail_library(d, -EIO, "session");
	if (d->url->user[0] != '\0' &&
	    iscsi_set_initiator_username_pwd(
		d->iscsi, d->url->user, d->url->passwd) != 0)
		return fail_library(d, -EIO, "user and password");
	return 0;
}

static struct scsi_task *
run(struct fence_disk *d, struct scsi_task *task, struct fence_command *c,
    const char *what, int *rc)
{
	*rc = task == NULL ? fail_library(d, -EIO, what)
			   : serve(d, c, d->timeout, what);
	if (*rc != 0)
		drop(d); /* also ends the command */
	return task;
}

/* An answer to a command that has come through. */
static int
judge(struct fence_disk *d, const struct scsi_task *t,
    const struct fence_command *c, const char *what)
{
	int key = (int)t->sense.key, ascq = t->sense.ascq;
	int rc = fence_scsi_status(c->status, key, ascq);

	switch (rc) {
	case 0:
		return 0;
	case -EBADE:
		return fence_fail(d, rc, "%s: reservation conflict", what);
	case -EINVAL:
		return fence_fail(d, rc,
		    "%s: the disk does not know it (sense 0x%04x)", what,
		    (unsigned)ascq);
	case -ENOSPC:
		return fence_fail(
		    d, rc, "%s: the disk has no room for another key", what);
	}
	return fence_fail(d, rc,
	    "%s: the disk is busy or has failed (status 0x%x, sense key %d, "
	    "0x%04x)",
	    what, (unsigned)c->status, key, (unsigned)ascq);
}

/*
 * Shall the command be sent once more?  At once, as often as a disk may have
 * news for us, or after a while, until the time of one command is over.
 */
static bool
again(const struct fence_disk *d, int rc, unsigned tries, uint64_t since)
{
	struct timespec pause = { 0, (long)BUSY_NS };

	if (rc == -EAGAIN)
		return tries < UNIT_ATTENTIONS_MAX;
	if (rc != -EBUSY || fence_now() + BUSY_NS - since > d->timeout)
		return false;
	(void)nanosleep(&pause, NULL);
	return true;
}

/* One PERSISTENT RESERVE IN: returns how many bytes there are. */
static int
in(struct fence_disk *d, int action, uint8_t *data, uint16_t len)
{
	static const char *const names[] = { "read keys", "read reservation",
		"report capabilities" };
	uint64_t since = fence_now();
	struct scsi_task *t;
	struct fence_command c;
	unsigned tries = 0;
	int rc;

	do {
		c = (struct fence_command){ 0 };
		t = iscsi_persistent_reserve_in_task(
		    d->iscsi, d->url->lun, action, len, ended, &c);
		t = run(d, t, &c, names[action], &rc);
		if (rc == 0)
			rc = judge(d, t, &c, names[action]);
		if (rc == 0) {
			rc = t->datain.size < len ? t->datain.size : len;
			memcpy(data, t->datain.data, (size_t)rc);
		}
		if (t != NULL)
			scsi_free_scsi_task(t);
	} while (again(d, rc, ++tries, since));
	return rc;
}

static int
iscsi_read(struct fence_disk *d, struct fence_view *v)
{
	uint8_t data[FENCE_KEYS_BYTES];
	int n, rc;

	n = in(d, SCSI_PERSISTENT_RESERVE_READ_KEYS, data, sizeof(data));
	if (n < 0)
		return n;
	rc = fence_parse_keys(v, data, (size_t)n);
	if (rc == 0) {
		n = in(d, SCSI_PERSISTENT_RESERVE_READ_RESERVATION, data,
		    FENCE_RESERVATION_BYTES);
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
out(struct fence_disk *d, enum fence_out what, int type,
    struct scsi_persistent_reserve_out_basic *p)
{
	static const char *const names[] = { "register", "reserve", "release",
		"clear", "preempt", "preempt and abort", "register" };
	uint64_t since = fence_now();
	struct scsi_task *t;
	struct fence_command c;
	unsigned tries = 0;
	int rc;

	do {
		c = (struct fence_command){ 0 };
		t = iscsi_persistent_reserve_out_task(d->iscsi, d->url->lun,
		    (int)what, SCSI_PERSISTENT_RESERVE_SCOPE_LU, type, p, ended,
		    &c);
		t = run(d, t, &c, names[what], &rc);
		if (rc == 0)
			rc = judge(d, t, &c, names[what]);
		if (t != NULL)
			scsi_free_scsi_task(t);
	} while (again(d, rc, ++tries, since));
	return rc;
}

static int
iscsi_out(struct fence_disk *d, enum fence_out what, uint64_t key,
    uint64_t other, uint8_t type)
{
	struct scsi_persistent_reserve_out_basic p = {
		.reservation_key = what == FENCE_OUT_REGISTER_IGNORE ? 0 : key,
		.service_action_reservation_key = other,
	};

	/* Only with these the bit has a meaning. */
	if (what == FENCE_OUT_REGISTER || what == FENCE_OUT_REGISTER_IGNORE)
		p.aptpl = d->aptpl;
	return out(d, what, type, &p);
}

/* Whether it can keep reservations over a loss of power, and so shall. */
static int
capabilities(struct fence_disk *d)
{
	uint8_t data[FENCE_CAPABILITY_BYTES];
	int n;

	d->aptpl = false;
	n = in(
	    d, SCSI_PERSISTENT_RESERVE_REPORT_CAPABILITIES, data, sizeof(data));
	if (n == -EINVAL)
		return 0; /* an old disk: it has none to report */
	if (n < 0)
		return n;
	(void)fence_parse_capabilities(&d->aptpl, data, (size_t)n);
	return 0;
}

static int
iscsi_open(struct fence_disk *d)
{
	struct fence_command *c = &d->connected;
	int rc = prepare(d);

	*c = (struct fence_command){ 0 };
	if (rc == 0 && iscsi_full_connect_async(d->iscsi, d->url->portal,
			   d->url->lun, ended, c) != 0)
		rc = fail_library(d, -EIO, "connect");
	if (rc == 0)
		rc = serve(d, c, d->timeout, "connect");
	if (rc == 0 && c->status != SCSI_STATUS_GOOD)
		rc = fail_library(d, -EIO, "connect");
	if (rc == 0)
		rc = capabilities(d);
	if (rc != 0)
		drop(d);
	return rc;
}

static void
iscsi_close(struct fence_disk *d)
{
	struct fence_command c = { 0 };

	if (d->iscsi != NULL && iscsi_is_logged_in(d->iscsi) &&
	    iscsi_logout_async(d->iscsi, ended, &c) == 0)
		(void)serve(d, &c, LOGOUT_NS, "logout");
	drop(d);
}

const struct fence_way fence_iscsi = { iscsi_open, iscsi_close, iscsi_read,
	iscsi_out };
