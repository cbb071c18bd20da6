/* SPDX-License-Identifier: ISC */
/*
 * The least that a kernel lets anybody do, to compare with.
 *
 *	floor addresses INTERFACE COUNT	one advertisement, then COUNT addresses
 *	    10.0.X.Y/32 in one netlink batch, COUNT announcements in one send
 *	floor link INTERFACE LINK	one advertisement, brings LINK up, one
 *	    announcement with its Ethernet address
 *	floor adverts INTERFACE RATE SECONDS	so many frames a second, twenty
 *	    sends a second; prints the processor time in percent
 *	floor exec PROGRAM			runs it, prints when that began
 *	floor stamp FILE PROGRAM [ARGUMENT...]	writes the time, becomes it
 *	floor late SECONDS			how late a process with carpd's
 *	    real-time priority woke up at worst, on any processor, in ms
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_ADDRS   1024
#define MAX_SECONDS 60
#define NSEC	    1000000000L
#define TICKS	    20 /* a second */
#define ARP_LEN	    42
#define ADVERT_LEN  70
#define PRIORITY    10		 /* as carpd with realtime */
#define PERIOD	    (NSEC / 256) /* as with advbase 0, advskew 1 */

struct port {
	int fd, index;
	uint8_t mac[ETH_ALEN];
};

struct newaddr {
	struct nlmsghdr h;
	struct ifaddrmsg a;
	struct rtattr ra;
	uint32_t addr;
};

static int
fail(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	return 1;
}

static int
port_open(struct port *p, const char *ifname)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET };
	struct ifreq ifr;

	memset(&ifr, 0, sizeof(ifr));
	(void)snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	p->index = (int)if_nametoindex(ifname);
	p->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (p->index == 0 || p->fd < 0)
		return fail(ifname);
	ll.sll_ifindex = p->index;
	if (bind(p->fd, (struct sockaddr *)&ll, sizeof(ll)) < 0 ||
	    ioctl(p->fd, SIOCGIFHWADDR, &ifr) < 0)
		return fail(ifname);
	memcpy(p->mac, ifr.ifr_hwaddr.sa_data, ETH_ALEN);
	return 0;
}

/* As a daemon that has waited for long: not warm from its own start. */
static void
idle(void)
{
	const struct timespec t = { 0, NSEC / 4 };

	(void)nanosleep(&t, NULL);
}

/* Of the length of a real one, and seen by a filter for protocol 112. */
static void
advert(const struct port *p, uint8_t f[ADVERT_LEN])
{
	static const uint8_t head[] = { 0x01, 0x00, 0x5e, 0x00, 0x00, 0x12, 0,
		0, 0, 0, 0, 0, 0x08, 0x00, 0x45, 0x10, 0, 56, 0, 0, 0x40, 0,
		255, 112, 0xd9, 0x30, 192, 0, 2, 2, 224, 0, 0, 18 };

	memset(f, 0, ADVERT_LEN);
	memcpy(f, head, sizeof(head));
	memcpy(f + ETH_ALEN, p->mac, ETH_ALEN);
}

static uint32_t
nth(unsigned i)
{
	return htonl(0x0a000001 + (i / 250 << 8) + i % 250);
}

static void
announcement(const struct port *p, unsigned i, uint8_t f[ARP_LEN])
{
	static const uint8_t arp[] = { 0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1 };
	uint32_t ip = nth(i);

	memset(f, 0, ARP_LEN);
	memset(f, 0xff, ETH_ALEN);
	memcpy(f + 6, p->mac, ETH_ALEN);
	memcpy(f + 12, arp, sizeof(arp));
	memcpy(f + 22, p->mac, ETH_ALEN);
	memcpy(f + 28, &ip, 4);
	memcpy(f + 38, &ip, 4);
}

static int
add_all(const struct port *p, unsigned count)
{
	static struct newaddr m[MAX_ADDRS];
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK };
	char buf[4096];
	unsigned i;
	int fd, rc;

	for (i = 0; i < count; i++) {
		m[i].h.nlmsg_len = sizeof(m[i]);
		m[i].h.nlmsg_type = RTM_NEWADDR;
		m[i].h.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE;
		m[i].a.ifa_family = AF_INET;
		m[i].a.ifa_prefixlen = 32;
		m[i].a.ifa_index = (unsigned)p->index;
		m[i].ra.rta_type = IFA_LOCAL;
		m[i].ra.rta_len = RTA_LENGTH(4);
		m[i].addr = nth(i);
	}
	m[count - 1].h.nlmsg_flags |= NLM_F_ACK;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0 ||
	    sendto(fd, m, count * sizeof(m[0]), 0, (struct sockaddr *)&sa,
		sizeof(sa)) < 0 ||
	    recv(fd, buf, sizeof(buf), 0) < 0)
		rc = fail("netlink");
	else
		rc = 0;
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

static int
addresses(const char *ifname, unsigned count)
{
	static uint8_t frame[MAX_ADDRS][ARP_LEN];
	static struct mmsghdr mm[MAX_ADDRS];
	static struct iovec iov[MAX_ADDRS];
	uint8_t first[ADVERT_LEN];
	struct port p;
	unsigned i;
	int n;

	if (count < 1 || count > MAX_ADDRS || port_open(&p, ifname) != 0)
		return 1;
	for (i = 0; i < count; i++) {
		announcement(&p, i, frame[i]);
		iov[i].iov_base = frame[i];
		iov[i].iov_len = ARP_LEN;
		mm[i].msg_hdr.msg_iov = &iov[i];
		mm[i].msg_hdr.msg_iovlen = 1;
	}
	advert(&p, first);
	idle();
	if (send(p.fd, first, sizeof(first), 0) < 0)
		return fail("send");
	if (add_all(&p, count) != 0)
		return 1;
	for (i = 0; i < count; i += (unsigned)n) {
		n = sendmmsg(p.fd, mm + i, count - i, 0);
		if (n <= 0)
			return fail("sendmmsg");
	}
	return 0;
}

static int
bring_up(const char *ifname, const char *link)
{
	uint8_t frame[ARP_LEN], first[ADVERT_LEN];
	struct port p, up;
	struct ifreq ifr;

	if (port_open(&p, ifname) != 0 || port_open(&up, link) != 0)
		return 1;
	memset(&ifr, 0, sizeof(ifr));
	(void)snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", link);
	announcement(&up, 0, frame);
	advert(&p, first);
	idle();
	if (send(p.fd, first, sizeof(first), 0) < 0)
		return fail("send");
	if (ioctl(p.fd, SIOCGIFFLAGS, &ifr) < 0)
		return fail(link);
	ifr.ifr_flags |= IFF_UP;
	if (ioctl(p.fd, SIOCSIFFLAGS, &ifr) < 0)
		return fail(link);
	if (send(p.fd, frame, sizeof(frame), 0) < 0)
		return fail("send");
	return 0;
}

/* What is due, twenty times a second. */
static int
adverts(const char *ifname, long rate, long seconds)
{
	static struct mmsghdr mm[MAX_ADDRS];
	uint8_t f[ADVERT_LEN];
	struct iovec iov = { f, sizeof(f) };
	long i, each = rate / TICKS;
	struct timespec t, cpu;
	struct port p;

	if (each < 1 || each > MAX_ADDRS || seconds < 1 ||
	    seconds > MAX_SECONDS || port_open(&p, ifname) != 0)
		return 1;
	advert(&p, f);
	for (i = 0; i < each; i++) {
		mm[i].msg_hdr.msg_iov = &iov;
		mm[i].msg_hdr.msg_iovlen = 1;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	for (i = 0; i < TICKS * seconds; i++) {
		t.tv_nsec += NSEC / TICKS;
		if (t.tv_nsec >= NSEC) {
			t.tv_nsec -= NSEC;
			t.tv_sec++;
		}
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		if (sendmmsg(p.fd, mm, (unsigned)each, 0) != (int)each)
			return fail("sendmmsg");
	}
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	printf("%.3f\n", ((double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9) *
			     100 / (double)seconds);
	return 0;
}

static long
ns_after(const struct timespec *t)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - t->tv_sec) * NSEC + now.tv_nsec - t->tv_nsec;
}

/* On one processor: the worst, in ns. */
static long
late_on(long cpu, long seconds)
{
	struct sched_param prio = { .sched_priority = PRIORITY };
	long worst = 0, late;
	struct timespec t;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		return 0;			      /* not ours to use */
	(void)sched_setscheduler(0, SCHED_RR, &prio); /* or as it is */
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	for (long n = seconds * NSEC / PERIOD; n > 0; n--) {
		t.tv_nsec += PERIOD;
		if (t.tv_nsec >= NSEC) {
			t.tv_nsec -= NSEC;
			t.tv_sec++;
		}
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		if ((late = ns_after(&t)) > worst)
			worst = late;
	}
	return worst;
}

static int
late(long seconds)
{
	long n = sysconf(_SC_NPROCESSORS_CONF), worst = 0, one;
	int fds[2];

	if (seconds < 1 || seconds > 10 * MAX_SECONDS || pipe(fds) < 0)
		return fail("late");
	for (long cpu = 0; cpu < n; cpu++) {
		if (fork() != 0)
			continue;
		one = late_on(cpu, seconds);
		_exit(write(fds[1], &one, sizeof(one)) != sizeof(one));
	}
	(void)close(fds[1]);
	while (read(fds[0], &one, sizeof(one)) == sizeof(one))
		if (one > worst)
			worst = one;
	printf("%.3f\n", (double)worst / 1e6);
	return 0;
}

static int
run(char **argv)
{
	struct timespec ts;
	int status;
	pid_t pid;

	idle();
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	pid = vfork();
	if (pid == 0) {
		(void)execv(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return fail(argv[0]);
	printf("%lld.%06ld\n", (long long)ts.tv_sec, ts.tv_nsec / 1000);
	return status != 0;
}

static int
stamp(const char *file, char **argv)
{
	FILE *f = fopen(file, "we");
	struct timespec ts;

	if (f == NULL)
		return fail(file);
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	fprintf(f, "%lld.%06ld\n", (long long)ts.tv_sec, ts.tv_nsec / 1000);
	if (fclose(f) != 0)
		return fail(file);
	(void)execv(argv[0], argv);
	return fail(argv[0]);
}

int
main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "addresses") == 0)
		return addresses(argv[2], (unsigned)strtoul(argv[3], NULL, 10));
	if (argc == 4 && strcmp(argv[1], "link") == 0)
		return bring_up(argv[2], argv[3]);
	if (argc == 5 && strcmp(argv[1], "adverts") == 0)
		return adverts(argv[2], strtol(argv[3], NULL, 10),
		    strtol(argv[4], NULL, 10));
	if (argc == 3 && strcmp(argv[1], "exec") == 0)
		return run(argv + 2);
	if (argc >= 4 && strcmp(argv[1], "stamp") == 0)
		return stamp(argv[2], argv + 3);
	if (argc == 3 && strcmp(argv[1], "late") == 0)
		return late(strtol(argv[2], NULL, 10));
	fprintf(stderr, "usage: floor addresses INTERFACE COUNT\n"
			"       floor link INTERFACE LINK\n"
			"       floor adverts INTERFACE RATE SECONDS\n"
			"       floor exec PROGRAM\n"
			"       floor stamp FILE PROGRAM [ARGUMENT...]\n"
			"       floor late SECONDS\n");
	return 2;
}
