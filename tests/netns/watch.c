/* SPDX-License-Identifier: ISC */
/*
 * Tells when addresses and carrier come and go in several network namespaces,
 * by one clock.
 *
 *	watch name=/run/netns/name ...
 *
 * Writes lines of: CLOCK_MONOTONIC seconds, name, add|renew|del, address,
 * interface index; or name, up|down, interface.  "ready" comes first.  Ends
 * with its standard output or a signal, at the latest after 600 s.
 */
#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_NODES   8
#define MAX_ADDRS   512
#define MAX_SECONDS 600

struct known {
	int node; /* -1: free */
	unsigned ifindex;
	char text[INET6_ADDRSTRLEN];
};

static double
now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct known *
find(struct known *k, int node, unsigned ifindex, const char *text)
{
	int i;

	for (i = 0; i < MAX_ADDRS; i++)
		if (k[i].node == node && k[i].ifindex == ifindex &&
		    strcmp(k[i].text, text) == 0)
			return &k[i];
	return NULL;
}

/* Remembers or forgets; returns the word for what it was. */
static const char *
remember(struct known *k, int node, unsigned ifindex, const char *text, int add)
{
	struct known *f = find(k, node, ifindex, text);

	if (!add) {
		if (f != NULL)
			f->node = -1;
		return "del";
	}
	if (f != NULL)
		return "renew";
	f = find(k, -1, 0, "");
	if (f != NULL) {
		f->node = node;
		f->ifindex = ifindex;
		memcpy(f->text, text, sizeof(f->text));
	}
	return "add";
}

static void
address(
    struct known *k, int node, const char *name, struct nlmsghdr *h, double at)
{
	struct ifaddrmsg *ifa = NLMSG_DATA(h);
	struct rtattr *a = IFA_RTA(ifa);
	int len = (int)IFA_PAYLOAD(h);
	const void *ip = NULL;
	char text[INET6_ADDRSTRLEN] = "";
	const char *what;

	for (; RTA_OK(a, len); a = RTA_NEXT(a, len))
		if (a->rta_type == IFA_LOCAL ||
		    (a->rta_type == IFA_ADDRESS && ip == NULL))
			ip = RTA_DATA(a);
	if (ip == NULL ||
	    inet_ntop(ifa->ifa_family, ip, text, sizeof(text)) == NULL)
		return;
	what = remember(
	    k, node, ifa->ifa_index, text, h->nlmsg_type == RTM_NEWADDR);
	printf("%.6f %s %s %s %u\n", at, name, what, text, ifa->ifa_index);
}

static void
carrier(const char *name, struct nlmsghdr *h, double at)
{
	struct ifinfomsg *ifi = NLMSG_DATA(h);
	struct rtattr *a = IFLA_RTA(ifi);
	int len = (int)IFLA_PAYLOAD(h);
	const char *ifname = "?";

	for (; RTA_OK(a, len); a = RTA_NEXT(a, len))
		if (a->rta_type == IFLA_IFNAME)
			ifname = RTA_DATA(a);
	printf("%.6f %s %s %s %d\n", at, name,
	    ifi->ifi_flags & IFF_RUNNING ? "up" : "down", ifname,
	    ifi->ifi_index);
}

static void
receive(struct known *k, int node, const char *name, int fd)
{
	union {
		struct nlmsghdr h;
		char b[32768];
	} u;
	struct nlmsghdr *h;
	double at = now();
	ssize_t n;
	int len;

	while ((n = recv(fd, &u, sizeof(u), MSG_DONTWAIT)) > 0) {
		len = (int)n;
		for (h = &u.h; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len))
			if (h->nlmsg_type == RTM_NEWADDR ||
			    h->nlmsg_type == RTM_DELADDR)
				address(k, node, name, h, at);
			else if (h->nlmsg_type == RTM_NEWLINK)
				carrier(name, h, at);
	}
}

/* A socket that hears the changes, and has asked for what there is. */
static int
listen_in(const char *path)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK,
		.nl_groups =
		    RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_LINK };
	struct {
		struct nlmsghdr h;
		struct ifaddrmsg a;
	} req = { { sizeof(req), RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, 1,
		      0 },
		{ AF_UNSPEC, 0, 0, 0, 0 } };
	int ns, fd = -1;

	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		goto out;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd >= 0 && (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
			   send(fd, &req, sizeof(req), 0) < 0)) {
		(void)close(fd);
		fd = -1;
	}
out:
	if (ns >= 0)
		(void)close(ns);
	return fd;
}

int
main(int argc, char **argv)
{
	static struct known k[MAX_ADDRS];
	struct pollfd pfd[MAX_NODES];
	const char *name[MAX_NODES];
	double end = now() + MAX_SECONDS;
	int i, n = 0;
	char *eq;

	for (i = 0; i < MAX_ADDRS; i++)
		k[i].node = -1;
	for (i = 1; i < argc && n < MAX_NODES; i++) {
		eq = strchr(argv[i], '=');
		if (eq == NULL)
			continue;
		*eq = '\0';
		name[n] = argv[i];
		pfd[n].fd = listen_in(eq + 1);
		pfd[n].events = POLLIN;
		if (pfd[n++].fd < 0) {
			perror(eq + 1);
			return 2;
		}
	}
	if (n == 0) {
		fprintf(stderr, "usage: watch name=/run/netns/name ...\n");
		return 2;
	}
	printf("%.6f ready\n", now());
	do {
		if (fflush(stdout) != 0)
			return 1;
		(void)poll(pfd, (nfds_t)n, 1000);
		for (i = 0; i < n; i++)
			if (pfd[i].revents & POLLIN)
				receive(k, i, name[i], pfd[i].fd);
	} while (now() < end);
	return 0;
}
