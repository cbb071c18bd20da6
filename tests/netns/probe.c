/* SPDX-License-Identifier: ISC */
/*
 * Sends an ICMP echo each millisecond and tells how long nobody answered.
 *
 *	probe [-cj] [-d seconds] [-i microseconds] [-S source] address
 *
 * An outage is a run of probes that were never answered.  Its length goes from
 * the last answer before it to the first one after it, both by the time stamps
 * of the kernel; answers that come after those to later probes do not count.
 * Ends after the given time, or with SIGINT or SIGTERM.
 */
#include <arpa/inet.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_SECONDS 600
#define MAX_OUTAGES 64
#define LINGER_NS   UINT64_C(200000000) /* for the last answers */
#define NSEC	    UINT64_C(1000000000)
#define MAGIC	    0x43505242 /* "CPRB" */

struct payload {
	uint32_t magic, id, seq, zero;
};

struct outage {
	uint64_t from, to; /* ns, of CLOCK_MONOTONIC */
	uint32_t lost;
	bool open; /* nobody has answered since */
};

struct probe {
	int fd, timer;
	int family;
	uint32_t id;
	uint32_t sent, max;
	uint32_t answered, twice;
	uint64_t start;	   /* ns, of CLOCK_MONOTONIC */
	uint64_t interval; /* ns */
	int64_t offset;	   /* realtime - monotonic, ns */
	uint64_t *at;	   /* when each was answered; 0: not */
	struct sockaddr_storage to;
	socklen_t tolen;
	struct outage out[MAX_OUTAGES];
	unsigned nout;	  /* <= MAX_OUTAGES */
	unsigned outages; /* in all */
	struct outage longest;
};

static volatile sig_atomic_t stopped;

static void
on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static uint64_t
clock_ns(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NSEC + (uint64_t)ts.tv_nsec;
}

static int
fail(const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	return 2;
}

static uint16_t
checksum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void
send_one(struct probe *p)
{
	struct payload pl = { MAGIC, p->id, p->sent, 0 };
	struct icmphdr h4;
	struct icmp6hdr h6;
	uint8_t buf[sizeof(h4) + sizeof(pl)];
	uint16_t sum;

	if (p->family == AF_INET) {
		memset(&h4, 0, sizeof(h4));
		h4.type = ICMP_ECHO;
		h4.un.echo.id = htons((uint16_t)p->id);
		h4.un.echo.sequence = htons((uint16_t)p->sent);
		memcpy(buf, &h4, sizeof(h4));
	} else {
		memset(&h6, 0, sizeof(h6));
		h6.icmp6_type = ICMPV6_ECHO_REQUEST;
		h6.icmp6_identifier = htons((uint16_t)p->id);
		h6.icmp6_sequence = htons((uint16_t)p->sent);
		memcpy(buf, &h6, sizeof(h6));
	}
	memcpy(buf + sizeof(h4), &pl, sizeof(pl));
	if (p->family == AF_INET) {
		sum = checksum(buf, sizeof(buf));
		memcpy(buf + offsetof(struct icmphdr, checksum), &sum,
		    sizeof(sum));
	}
	/* What cannot be sent is lost, and counted so. */
	(void)sendto(p->fd, buf, sizeof(buf), MSG_DONTWAIT,
	    (struct sockaddr *)&p->to, p->tolen);
	p->sent++;
}

/* The time stamp of the kernel, on the monotonic clock. */
static uint64_t
stamp(const struct probe *p, struct msghdr *m)
{
	struct cmsghdr *c;
	struct timespec ts;

	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET ||
		    c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&ts, CMSG_DATA(c), sizeof(ts));
		return (uint64_t)((int64_t)((uint64_t)ts.tv_sec * NSEC +
					    (uint64_t)ts.tv_nsec) -
				  p->offset);
	}
	return clock_ns(CLOCK_MONOTONIC);
}

static void
note(struct probe *p, const uint8_t *buf, size_t len, uint64_t at)
{
	struct payload pl;
	size_t skip = 0;

	if (p->family == AF_INET && len > 0 && buf[0] >> 4 == 4)
		skip = (size_t)(buf[0] & 15) * 4; /* raw: IP header */
	if (len < skip + sizeof(struct icmphdr) + sizeof(pl))
		return;
	if (buf[skip] != ICMP_ECHOREPLY && buf[skip] != ICMPV6_ECHO_REPLY)
		return;
	memcpy(&pl, buf + skip + sizeof(struct icmphdr), sizeof(pl));
	if (pl.magic != MAGIC || pl.id != p->id || pl.seq >= p->sent)
		return;
	if (p->at[pl.seq] != 0) {
		p->twice++;
		return;
	}
	p->at[pl.seq] = at;
	p->answered++;
}

static void
receive(struct probe *p)
{
	uint8_t buf[512], control[256];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m;
	ssize_t n;
	int i;

	for (i = 0; i < 256; i++) {
		memset(&m, 0, sizeof(m));
		m.msg_iov = &iov;
		m.msg_iovlen = 1;
		m.msg_control = control;
		m.msg_controllen = sizeof(control);
		n = recvmsg(p->fd, &m, MSG_DONTWAIT);
		if (n < 0)
			return;
		note(p, buf, (size_t)n, stamp(p, &m));
	}
}

static void
add_outage(struct probe *p, struct outage o)
{
	p->outages++;
	if (p->nout < MAX_OUTAGES)
		p->out[p->nout++] = o;
	if (o.to - o.from > p->longest.to - p->longest.from)
		p->longest = o;
}

/*
 * A node that gives the address away while it asks for our Ethernet address
 * does not hear the answer, asks again each second, and only then sends what it
 * has kept for us.  Others have long answered.
 */
static void
forget_late(struct probe *p)
{
	uint64_t first = UINT64_MAX;

	for (uint32_t i = p->sent; i-- > 0;) {
		if (p->at[i] == 0)
			continue;
		if (p->at[i] < first)
			first = p->at[i];
		p->at[i] = first;
	}
}

static void
find_outages(struct probe *p)
{
	struct outage o = { p->start, 0, 0, false };
	uint32_t i;

	forget_late(p);
	for (i = 0; i < p->sent; i++) {
		if (p->at[i] == 0) {
			o.lost++;
			continue;
		}
		if (o.lost > 0) {
			o.to = p->at[i] > o.from ? p->at[i] : o.from;
			add_outage(p, o);
		}
		o.from = p->at[i];
		o.lost = 0;
	}
	if (o.lost > 0) {
		o.to = p->start + p->sent * p->interval;
		if (o.to < o.from)
			o.to = o.from;
		o.open = true;
		add_outage(p, o);
	}
}

static double
ms(uint64_t ns)
{
	return (double)ns / 1e6;
}

static void
print_json(const struct probe *p)
{
	unsigned i;

	printf("{\"sent\":%u,\"answered\":%u,\"lost\":%u,\"twice\":%u,"
	       "\"start\":%.6f,\"outages\":%u,\"longest_ms\":%.3f,"
	       "\"longest_from\":%.6f,\"list\":[",
	    p->sent, p->answered, p->sent - p->answered, p->twice,
	    (double)p->start / 1e9, p->outages,
	    ms(p->longest.to - p->longest.from), (double)p->longest.from / 1e9);
	for (i = 0; i < p->nout; i++)
		printf("%s{\"from\":%.6f,\"ms\":%.3f,\"lost\":%u,\"open\":%s}",
		    i > 0 ? "," : "", (double)p->out[i].from / 1e9,
		    ms(p->out[i].to - p->out[i].from), p->out[i].lost,
		    p->out[i].open ? "true" : "false");
	printf("]}\n");
}

static void
print_text(const struct probe *p)
{
	printf("%u sent, %u answered, %u lost, %u answered twice\n", p->sent,
	    p->answered, p->sent - p->answered, p->twice);
	if (p->outages == 0)
		printf("no outage\n");
	else
		printf("%u outage%s, the longest %.1f ms (%u probes), "
		       "%.1f ms after the start%s\n",
		    p->outages, p->outages == 1 ? "" : "s",
		    ms(p->longest.to - p->longest.from), p->longest.lost,
		    ms(p->longest.from - p->start),
		    p->longest.open ? ", still on at the end" : "");
}

static int
open_socket(struct probe *p, const char *source)
{
	int proto = p->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	struct addrinfo hints, *ai;
	int on = 1, size = 1 << 20;

	p->fd = socket(p->family, SOCK_RAW | SOCK_CLOEXEC, proto);
	if (p->fd < 0)
		p->fd = socket(p->family, SOCK_DGRAM | SOCK_CLOEXEC, proto);
	if (p->fd < 0)
		return fail("socket");
	(void)setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(p->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0)
		return fail("SO_TIMESTAMPNS");
	if (source == NULL)
		return 0;
	memset(&hints, 0, sizeof(hints));
	hints.ai_family = p->family;
	hints.ai_flags = AI_NUMERICHOST;
	if (getaddrinfo(source, NULL, &hints, &ai) != 0) {
		errno = EINVAL;
		return fail(source);
	}
	if (bind(p->fd, ai->ai_addr, ai->ai_addrlen) < 0) {
		freeaddrinfo(ai);
		return fail(source);
	}
	freeaddrinfo(ai);
	return 0;
}

static int
resolve(struct probe *p, const char *address)
{
	struct addrinfo hints, *ai;

	memset(&hints, 0, sizeof(hints));
	hints.ai_flags = AI_NUMERICHOST;
	if (getaddrinfo(address, NULL, &hints, &ai) != 0) {
		fprintf(stderr, "probe: %s is not an address\n", address);
		return 2;
	}
	p->family = ai->ai_family;
	p->tolen = ai->ai_addrlen;
	memcpy(&p->to, ai->ai_addr, ai->ai_addrlen);
	freeaddrinfo(ai);
	return 0;
}

static int
start_timer(struct probe *p)
{
	struct itimerspec its;

	p->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (p->timer < 0)
		return fail("timerfd");
	its.it_interval.tv_sec = (time_t)(p->interval / NSEC);
	its.it_interval.tv_nsec = (long)(p->interval % NSEC);
	its.it_value = its.it_interval;
	p->start = clock_ns(CLOCK_MONOTONIC);
	p->offset = (int64_t)(clock_ns(CLOCK_REALTIME) - p->start);
	if (timerfd_settime(p->timer, 0, &its, NULL) < 0)
		return fail("timerfd");
	return 0;
}

/* Sends and receives until the time is over, or the first answer. */
static void
run(struct probe *p, bool once)
{
	struct pollfd pfd[2] = {
		{ .fd = p->fd, .events = POLLIN },
		{ .fd = p->timer, .events = POLLIN },
	};
	uint64_t ticks, end = 0;

	for (;;) {
		if (end == 0 && (stopped || p->sent >= p->max)) {
			end = clock_ns(CLOCK_MONOTONIC) + LINGER_NS;
			pfd[1].fd = -1;
		}
		if (end != 0 && clock_ns(CLOCK_MONOTONIC) >= end)
			return;
		if (poll(pfd, 2, 20) < 0 && errno != EINTR)
			return;
		receive(p);
		if (once && p->answered > 0)
			return;
		if (pfd[1].fd < 0 ||
		    read(p->timer, &ticks, sizeof(ticks)) != sizeof(ticks))
			continue;
		/* Late: what was due is sent now, so that none is missing. */
		for (; ticks > 0 && p->sent < p->max; ticks--)
			send_one(p);
	}
}

static int
usage(void)
{
	fprintf(stderr, "usage: probe [-cj] [-d seconds] [-i microseconds] "
			"[-S source] address\n");
	return 2;
}

int
main(int argc, char **argv)
{
	struct probe p = { .fd = -1, .timer = -1 };
	struct sigaction sa = { .sa_handler = on_signal };
	unsigned long interval = 1000;
	double seconds = 10;
	const char *source = NULL;
	bool json = false, once = false;
	int o, rc;

	while ((o = getopt(argc, argv, "cd:i:jS:")) != -1) {
		switch (o) {
		case 'c':
			once = true;
			break;
		case 'd':
			seconds = strtod(optarg, NULL);
			break;
		case 'i':
			interval = strtoul(optarg, NULL, 10);
			break;
		case 'j':
			json = true;
			break;
		case 'S':
			source = optarg;
			break;
		default:
			return usage();
		}
	}
	if (argc - optind != 1 || seconds <= 0 || seconds > MAX_SECONDS ||
	    interval < 100 || interval > 1000000)
		return usage();
	if ((rc = resolve(&p, argv[optind])) != 0 ||
	    (rc = open_socket(&p, source)) != 0)
		return rc;
	p.id = (uint32_t)getpid();
	p.interval = interval * 1000;
	p.max = (uint32_t)(seconds * 1e6 / (double)interval) + 1;
	p.at = calloc(p.max, sizeof(*p.at));
	if (p.at == NULL)
		return fail("calloc");
	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	if ((rc = start_timer(&p)) != 0)
		return rc;
	run(&p, once);
	find_outages(&p);
	if (json)
		print_json(&p);
	else if (!once)
		print_text(&p);
	rc = once ? p.answered == 0 : 0;
	free(p.at);
	return rc;
}
