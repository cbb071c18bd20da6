/* SPDX-License-Identifier: ISC */
/* An iSCSI client for the tests: writes, reads, looks, waits for the end. */

#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>

enum { BLOCK = 512 };

static struct iscsi_context *ctx;
static struct iscsi_url *url;

static void
die(const char *what)
{
	fprintf(stderr, "iscsi_rw: %s: %s\n", what, iscsi_get_error(ctx));
	exit(1);
}

static void
login(const char *initiator, const char *text)
{
	ctx = iscsi_create_context(initiator);
	if (ctx == NULL)
		exit(2);
	iscsi_set_noautoreconnect(ctx, 1);
	iscsi_set_timeout(ctx, 5);
	url = iscsi_parse_full_url(ctx, text);
	if (url == NULL)
		die("URL");
	iscsi_set_targetname(ctx, url->target);
	iscsi_set_session_type(ctx, ISCSI_SESSION_NORMAL);
	if (url->user[0] != '\0')
		iscsi_set_initiator_username_pwd(ctx, url->user, url->passwd);
	if (iscsi_full_connect_sync(ctx, url->portal, url->lun) != 0)
		die("login");
}

static struct scsi_task *
good(const char *what, struct scsi_task *task)
{
	if (task == NULL || task->status != SCSI_STATUS_GOOD)
		die(what);
	return task;
}

static void
put(uint32_t lba, const char *text)
{
	unsigned char block[BLOCK] = { 0 };

	(void)snprintf((char *)block, sizeof(block), "%s", text);
	scsi_free_scsi_task(
	    good("write", iscsi_write10_sync(ctx, url->lun, lba, block, BLOCK,
			      BLOCK, 0, 0, 0, 0, 0)));
}

static void
get(uint32_t lba)
{
	struct scsi_task *t = good("read",
	    iscsi_read10_sync(ctx, url->lun, lba, BLOCK, BLOCK, 0, 0, 0, 0, 0));

	printf("%.*s\n", BLOCK, (const char *)t->datain.data);
	scsi_free_scsi_task(t);
}

/* Whether the disk says that it may keep writes in a cache. */
static void
caching(void)
{
	struct scsi_mode_sense *ms;
	struct scsi_mode_page *page;
	struct scsi_task *t = good("mode sense",
	    iscsi_modesense6_sync(ctx, url->lun, 1, SCSI_MODESENSE_PC_CURRENT,
		SCSI_MODEPAGE_CACHING, 0, 255));

	ms = scsi_datain_unmarshall(t);
	page = ms == NULL
		   ? NULL
		   : scsi_modesense_get_page(ms, SCSI_MODEPAGE_CACHING, 0);
	if (page == NULL)
		die("mode page");
	printf("write cache %s\n", page->caching.wce ? "on" : "off");
	scsi_free_scsi_task(t);
}

static double
seconds(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Says that it is in, and when, on the monotonic clock, the connection ends. */
static int
wait_end(int limit)
{
	double until = seconds() + limit;
	struct pollfd p;

	printf("in\n");
	(void)fflush(stdout);
	while (seconds() < until) {
		p.fd = iscsi_get_fd(ctx);
		p.events = (short)iscsi_which_events(ctx);
		p.revents = 0;
		if (poll(&p, 1, 100) < 0)
			return 1;
		if (iscsi_service(ctx, p.revents) != 0) {
			printf("end %.6f\n", seconds());
			return 0;
		}
	}
	printf("no end\n");
	return 1;
}

int
main(int argc, char **argv)
{
	const char *verb = argc > 3 ? argv[3] : "";
	uint32_t lba = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 0;

	if (argc < 4) {
		fprintf(stderr, "usage: iscsi_rw INITIATOR URL write LBA TEXT |"
				" read LBA | caching | wait SECONDS\n");
		return 2;
	}
	login(argv[1], argv[2]);
	if (strcmp(verb, "write") == 0 && argc > 5)
		put(lba, argv[5]);
	else if (strcmp(verb, "read") == 0)
		get(lba);
	else if (strcmp(verb, "caching") == 0)
		caching();
	else if (strcmp(verb, "wait") == 0)
		return wait_end((int)lba);
	(void)iscsi_logout_sync(ctx);
	iscsi_destroy_url(url);
	(void)iscsi_destroy_context(ctx);
	return 0;
}
