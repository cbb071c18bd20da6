/* SPDX-License-Identifier: ISC */
/*
 * Reads or writes the first block of an iscsi:// URL in a session of its own.
 *	disk_io read|write URL [KEY]
 * With KEY the session registers it first.  Exit: 0, 24 (reservation conflict)
 * or 1.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>

#define BLOCK 512

static int
fail(struct iscsi_context *iscsi, const char *what)
{
	fprintf(stderr, "disk_io: %s: %s\n", what, iscsi_get_error(iscsi));
	return 1;
}

static int
join(struct iscsi_context *iscsi, int lun, const char *key)
{
	struct scsi_persistent_reserve_out_basic p = { 0 };
	struct scsi_task *t;
	int status;

	p.service_action_reservation_key = strtoull(key, NULL, 16);
	t = iscsi_persistent_reserve_out_sync(iscsi, lun,
	    SCSI_PERSISTENT_RESERVE_REGISTER_AND_IGNORE_EXISTING_KEY, 0, 0, &p);
	status = t != NULL ? t->status : -1;
	scsi_free_scsi_task(t);
	return status == SCSI_STATUS_GOOD ? 0 : fail(iscsi, "register");
}

static int
transfer(struct iscsi_context *iscsi, int lun, bool writes)
{
	static unsigned char block[BLOCK] = "written";
	struct scsi_task *t;
	int status;

	if (writes)
		t = iscsi_write10_sync(
		    iscsi, lun, 0, block, BLOCK, BLOCK, 0, 0, 0, 0, 0);
	else
		t = iscsi_read10_sync(
		    iscsi, lun, 0, BLOCK, BLOCK, 0, 0, 0, 0, 0);
	status = t != NULL ? t->status : -1;
	scsi_free_scsi_task(t);
	if (status == SCSI_STATUS_RESERVATION_CONFLICT)
		return 24;
	return status == SCSI_STATUS_GOOD ? 0 : fail(iscsi, "transfer");
}

int
main(int argc, char **argv)
{
	struct iscsi_context *iscsi;
	struct iscsi_url *url;
	int rc = 1;

	if (argc < 3)
		return 2;
	iscsi = iscsi_create_context("iqn.2000-01.invalid.test:disk-io");
	url = iscsi_parse_full_url(iscsi, argv[2]);
	if (url == NULL)
		return fail(iscsi, "URL");
	iscsi_set_targetname(iscsi, url->target);
	iscsi_set_session_type(iscsi, ISCSI_SESSION_NORMAL);
	iscsi_set_timeout(iscsi, 5);
	if (iscsi_full_connect_sync(iscsi, url->portal, url->lun) != 0)
		return fail(iscsi, "connect");
	if (argc < 4 || join(iscsi, url->lun, argv[3]) == 0)
		rc = transfer(iscsi, url->lun, strcmp(argv[1], "write") == 0);
	(void)iscsi_logout_sync(iscsi);
	iscsi_destroy_url(url);
	iscsi_destroy_context(iscsi);
	return rc;
}
