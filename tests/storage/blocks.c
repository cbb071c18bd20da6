/* SPDX-License-Identifier: ISC */
/*
 * A client of an iSCSI target: writes numbered blocks, one after the other,
 * until it gets SIGTERM or its time is over; then reads all that was
 * acknowledged and says what is missing, and how long the longest pause was.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK	   512
#define BLOCKS_MAX 131072 /* written at most: 64 MiB */
#define UNDER_WAY  100	  /* acknowledged, when it says so */
#define TRY_MS	   50	  /* for a connection to be accepted */
#define VERIFY_S   30	  /* for the target to come back at the end */
#define INITIATOR  "iqn.2026-01.org.example:client"

struct client {
	const char *url, *host;
	struct iscsi_context *iscsi;
	int lun;
	unsigned interval_us, timeout_s;
	uint64_t run;		 /* marks the blocks of this run */
	uint32_t acked;		 /* blocks 0..acked-1 are on the disk */
	uint64_t last, longest;	 /* ns: of the last answer; pause */
	unsigned pauses, broken; /* longer than 100 ms; connections lost */
};

static volatile sig_atomic_t stop;

static void
on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static uint64_t
now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void
wait_us(unsigned us)
{
	const struct timespec ts = { us / 1000000, us % 1000000 * 1000 };

	(void)nanosleep(&ts, NULL);
}

/* Somebody listens: libiscsi would wait for seconds to learn that. */
static bool
accepts(const char *host)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(3260) };
	struct pollfd p = { .events = POLLOUT };
	int error = 0, n;
	socklen_t len = sizeof(error);

	if (inet_pton(AF_INET, host, &sin.sin_addr) != 1)
		return false;
	p.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p.fd == -1)
		return false;
	(void)connect(p.fd, (struct sockaddr *)&sin, sizeof(sin));
	n = poll(&p, 1, TRY_MS);
	if (n == 1)
		(void)getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &error, &len);
	(void)close(p.fd);
	return n == 1 && error == 0;
}

static void
disconnect(struct client *c)
{
	if (c->iscsi != NULL)
		(void)iscsi_destroy_context(c->iscsi);
	c->iscsi = NULL;
}

static bool
try_connect(struct client *c)
{
	struct iscsi_url *url;
	bool ok;

	if (!accepts(c->host) ||
	    (c->iscsi = iscsi_create_context(INITIATOR)) == NULL)
		return false;
	if ((url = iscsi_parse_full_url(c->iscsi, c->url)) == NULL) {
		(void)fprintf(stderr, "%s\n", iscsi_get_error(c->iscsi));
		exit(2);
	}
	c->lun = url->lun;
	(void)iscsi_set_noautoreconnect(c->iscsi, 1);
	(void)iscsi_set_timeout(c->iscsi, (int)c->timeout_s);
	(void)iscsi_set_targetname(c->iscsi, url->target);
	(void)iscsi_set_session_type(c->iscsi, ISCSI_SESSION_NORMAL);
	ok = iscsi_full_connect_sync(c->iscsi, url->portal, url->lun) == 0;
	iscsi_destroy_url(url);
	if (!ok)
		disconnect(c);
	return ok;
}

static void
fill(uint8_t block[BLOCK], uint64_t run, uint32_t number)
{
	memset(block, (int)(number & 0xff), BLOCK);
	memcpy(block, &run, sizeof(run));
	memcpy(block + 8, &number, sizeof(number));
}

static bool
write_block(struct client *c, uint32_t number)
{
	struct scsi_task *task;
	uint8_t block[BLOCK];
	bool ok;

	fill(block, c->run, number);
	task = iscsi_write10_sync(
	    c->iscsi, c->lun, number, block, BLOCK, BLOCK, 0, 0, 0, 0, 0);
	ok = task != NULL && task->status == SCSI_STATUS_GOOD;
	if (task != NULL)
		scsi_free_scsi_task(task);
	return ok;
}

/* 1: it is there; 0: it is not; -1: no answer. */
static int
check_block(struct client *c, uint32_t number)
{
	struct scsi_task *task;
	uint8_t block[BLOCK];
	int rc = -1;

	fill(block, c->run, number);
	task = iscsi_read10_sync(
	    c->iscsi, c->lun, number, BLOCK, BLOCK, 0, 0, 0, 0, 0);
	if (task != NULL && task->status == SCSI_STATUS_GOOD)
		rc = task->datain.size == BLOCK &&
		     memcmp(task->datain.data, block, BLOCK) == 0;
	if (task != NULL)
		scsi_free_scsi_task(task);
	return rc;
}

static void
answered(struct client *c)
{
	uint64_t now = now_ns(), pause = now - c->last;

	if (c->acked > 0 && pause > 100000000) {
		c->pauses++;
		(void)fprintf(stderr,
		    "client: pause of %.3f s before block %u\n",
		    (double)pause / 1e9, c->acked);
	}
	if (c->acked > 0 && pause > c->longest)
		c->longest = pause;
	c->last = now;
	if (++c->acked == UNDER_WAY)
		(void)fprintf(stderr, "client: under way\n");
}

static void
write_all(struct client *c, uint64_t end)
{
	while (!stop && now_ns() < end && c->acked < BLOCKS_MAX) {
		if (c->iscsi == NULL && !try_connect(c)) {
			wait_us(10000);
			continue;
		}
		if (write_block(c, c->acked)) {
			answered(c);
			wait_us(c->interval_us);
		} else {
			c->broken++;
			disconnect(c);
		}
	}
}

/* Returns how many are lost; -1: the target does not answer. */
static int
verify(struct client *c)
{
	uint64_t end = now_ns() + VERIFY_S * UINT64_C(1000000000);
	uint32_t i = 0;
	int lost = 0, rc;

	disconnect(c);
	while (i < c->acked && now_ns() < end) {
		if (c->iscsi == NULL && !try_connect(c)) {
			wait_us(10000);
			continue;
		}
		if ((rc = check_block(c, i)) < 0) {
			disconnect(c);
			continue;
		}
		if (rc == 0 && lost++ < 5)
			(void)fprintf(stderr,
			    "client: block %u was acknowledged and is lost\n",
			    i);
		i++;
	}
	return i < c->acked ? -1 : lost;
}

static int
usage(void)
{
	(void)fprintf(stderr,
	    "usage: blocks [-d seconds] [-i microseconds] [-t timeout] "
	    "iscsi://ADDRESS/TARGET/LUN\n");
	return 2;
}

int
main(int argc, char **argv)
{
	struct client c = { .interval_us = 1000, .timeout_s = 1 };
	unsigned seconds = 60;
	char host[64];
	int opt, lost;

	while ((opt = getopt(argc, argv, "d:i:t:")) != -1)
		switch (opt) {
		case 'd':
			seconds = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'i':
			c.interval_us = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 't':
			c.timeout_s = (unsigned)strtoul(optarg, NULL, 10);
			break;
		default:
			return usage();
		}
	if (optind + 1 != argc ||
	    sscanf(argv[optind], "iscsi://%63[^/:]", host) != 1)
		return usage();
	c.url = argv[optind];
	c.host = host;
	c.run = now_ns();
	(void)signal(SIGTERM, on_signal);
	(void)signal(SIGINT, on_signal);
	(void)signal(SIGPIPE, SIG_IGN);
	write_all(&c, now_ns() + seconds * UINT64_C(1000000000));
	lost = verify(&c);
	printf("{\"acknowledged\": %" PRIu32 ", \"lost\": %d, "
	       "\"longest_pause_ms\": %.1f, \"pauses\": %u, \"broken\": %u}\n",
	    c.acked, lost, (double)c.longest / 1e6, c.pauses, c.broken);
	disconnect(&c);
	if (c.acked == 0)
		(void)fprintf(stderr, "client: nothing was ever written\n");
	return lost != 0 || c.acked == 0;
}
