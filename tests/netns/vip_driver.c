/* SPDX-License-Identifier: ISC */
/* Drives lib/vip by commands on standard input, one a line. */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <carp/vip.h>

#define MAX_SETS  16
#define MAX_ADDRS 4096
#define MAX_TURNS 100000

struct named {
	char name[16];
	struct vip_set *set;
	uint64_t every, next; /* automatic renewal, ns */
};

static struct vip *v;
static struct named sets[MAX_SETS];
static struct carp_addr addrs[MAX_ADDRS];
static char *rest; /* of the command */

static uint64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * CARP_SEC + (uint64_t)t.tv_nsec;
}

/* The next word of the command. */
static const char *
word(void)
{
	const char *w = strsep(&rest, " ");

	return w != NULL ? w : "";
}

static size_t
number(void)
{
	return strtoul(word(), NULL, 10);
}

static struct named *
find(const char *name)
{
	for (size_t i = 0; i < MAX_SETS; i++)
		if (sets[i].set != NULL && strcmp(sets[i].name, name) == 0)
			return &sets[i];
	printf("error no set %s\n", name);
	exit(2);
}

static size_t
parse_addrs(void)
{
	size_t n = 0;

	while (rest != NULL && n < MAX_ADDRS)
		if (carp_addr_parse(&addrs[n++], word()) < 0)
			printf("error address %zu\n", n);
	return n;
}

static void
print_events(void)
{
	static const char *const names[] = { "link", "taken", "foreign",
		"failed", "overrun" };
	char buf[CARP_ADDR_STRLEN];
	struct vip_event ev;

	while (vip_next(v, &ev)) {
		printf("event %s %s", names[ev.what], ev.ifname);
		if (ev.addr.family != 0)
			printf(" %s", carp_addr_print(buf, &ev.addr, false));
		if (ev.error != 0)
			printf(" %s", strerror(-ev.error));
		printf("\n");
	}
}

/* new NAME IFACE VHID VMAC LEASE(s, 0: off) */
static int
cmd_new(void)
{
	struct vip_set_config cfg = { .size = sizeof(cfg) };
	const char *name = word(), *ifname = word();
	size_t i = 0;

	while (sets[i].set != NULL)
		i++;
	snprintf(sets[i].name, sizeof(sets[i].name), "%s", name);
	snprintf(cfg.ifname, sizeof(cfg.ifname), "%s", ifname);
	cfg.vhid = (uint8_t)number();
	cfg.vmac = (uint8_t)number();
	cfg.lease_s = (uint32_t)number();
	cfg.lease = cfg.lease_s > 0 ? VIP_LEASE_ADDRESS : VIP_LEASE_OFF;
	if ((cfg.lease_ms = (uint32_t)number()) > 0)
		cfg.lease = VIP_LEASE_GUARD;
	return vip_set_new(&sets[i].set, v, &cfg);
}

/* addrs NAME A/L... */
static int
cmd_addrs(void)
{
	struct named *s = find(word());
	size_t n = parse_addrs();

	return vip_set_addrs(s->set, addrs, n);
}

/* bulk NAME 4|6|46 N: addresses 10.9.x.y/16 and 2001:db8:9::x/64 */
static int
cmd_bulk(void)
{
	struct named *s = find(word());
	const char *family = word();
	size_t n = number();
	char text[64];

	for (size_t i = 0; i < n && i < MAX_ADDRS; i++) {
		bool six = family[i % strlen(family)] == '6';

		if (six)
			snprintf(text, sizeof(text), "2001:db8:9::1:%zx/64", i);
		else
			snprintf(text, sizeof(text), "10.9.%zu.%zu/16",
			    i / 250 + 1, i % 250 + 1);
		carp_addr_parse(&addrs[i], text);
	}
	return vip_set_addrs(s->set, addrs, n);
}

static int
cmd_up(void)
{
	vip_set_up(find(word())->set, true);
	return 0;
}

static int
cmd_down(void)
{
	vip_set_up(find(word())->set, false);
	return 0;
}

static int
cmd_renew(void)
{
	vip_set_renew(find(word())->set);
	return 0;
}

static int
cmd_announce(void)
{
	vip_set_announce(find(word())->set);
	return 0;
}

/* lease NAME SECONDS (0: off) [MS of a guard] */
static int
cmd_lease(void)
{
	struct named *s = find(word());
	uint32_t lease = (uint32_t)number();

	uint32_t ms = (uint32_t)number();

	if (ms > 0)
		return vip_set_lease(s->set, VIP_LEASE_GUARD, ms);
	return vip_set_lease(
	    s->set, lease > 0 ? VIP_LEASE_ADDRESS : VIP_LEASE_OFF, lease);
}

/* every NAME MS: renews by itself; 0 stops that */
static int
cmd_every(void)
{
	struct named *s = find(word());

	s->every = (uint64_t)number() * 1000000;
	s->next = s->every > 0 ? now() : 0;
	return 0;
}

static int
cmd_commit(void)
{
	uint64_t start = now();
	int rc = vip_commit(v, start);

	printf("commit %llu us\n", (unsigned long long)(now() - start) / 1000);
	return rc;
}

/* takeover NAME: have them, and what the first advertisement asks for */
static int
cmd_takeover(void)
{
	struct vip_set *s = find(word())->set;
	uint64_t start = now();
	int rc;

	vip_set_up(s, true);
	rc = vip_commit(v, start);
	vip_set_renew(s);
	return rc < 0 ? rc : vip_commit(v, start);
}

/* finish: commit, and all turns that it takes */
static int
cmd_finish(void)
{
	uint64_t start = now(), first, at;
	int turns = 1, rc = vip_commit(v, start);

	first = now() - start;
	for (; rc == 0 && turns < MAX_TURNS; turns++) {
		if ((at = vip_deadline(v)) > now() + CARP_SEC / 20)
			break;
		while (now() < at)
			(void)poll(NULL, 0, 1);
		if ((rc = vip_process(v, now())) == 0)
			rc = vip_commit(v, now());
	}
	printf("finish %llu us, the first turn %llu us, %d turns\n",
	    (unsigned long long)(now() - start) / 1000,
	    (unsigned long long)first / 1000, turns);
	return rc;
}

/* free NAME */
static int
cmd_free(void)
{
	struct named *s = find(word());

	vip_set_free(s->set);
	s->set = NULL;
	s->every = 0;
	return 0;
}

/* sweep [A...] */
static int
cmd_sweep(void)
{
	unsigned removed = 0;
	size_t n = parse_addrs();
	int rc = vip_sweep(v, n > 0 ? addrs : NULL, n, &removed);

	printf("removed %u\n", removed);
	return rc;
}

static int
cmd_info(void)
{
	struct vip_set_info i;

	vip_set_get_info(find(word())->set, &i);
	printf("info up %d ifindex %u addrs %zu installed %zu foreign %zu "
	       "failed %zu repaired %llu announced %llu ready %zu\n",
	    i.up, i.ifindex, i.naddrs, i.installed, i.foreign, i.failed,
	    (unsigned long long)i.repaired, (unsigned long long)i.announced,
	    i.ready);
	return 0;
}

/* link IFACE */
static int
cmd_link(void)
{
	char a[CARP_ADDR_STRLEN] = "none", b[CARP_ADDR_STRLEN] = "none";
	const char *name = word();
	struct carp_addr own[8];
	struct vip_link l;
	int rc = vip_link_get(v, name, &l);

	if (rc < 0)
		return rc;
	if (l.src4.family != 0)
		carp_addr_print(a, &l.src4, true);
	if (l.src6.family != 0)
		carp_addr_print(b, &l.src6, true);
	printf("link %s up %d ethernet %d router %d src4 %s src6 %s own %d\n",
	    l.name, l.up, l.ethernet, l.router, a, b,
	    vip_link_addrs(v, name, own, 8));
	return 0;
}

/* owner A */
static int
cmd_owner(void)
{
	char name[VIP_IFNAMSIZ] = "nobody";

	(void)parse_addrs();
	(void)vip_addr_owner(v, &addrs[0], name);
	printf("owner %s\n", name);
	return 0;
}

/* deaf MS: hears nothing for so long, as a process that was stopped */
static int
cmd_deaf(void)
{
	const struct timespec t = { .tv_nsec = (long)number() * 1000000L };

	return nanosleep(&t, NULL) == 0 ? 0 : -errno;
}

static int
cmd_echo(void)
{
	return 0;
}

static const struct {
	const char *name;
	int (*fn)(void);
} commands[] = {
	{ "new", cmd_new },
	{ "addrs", cmd_addrs },
	{ "bulk", cmd_bulk },
	{ "up", cmd_up },
	{ "down", cmd_down },
	{ "renew", cmd_renew },
	{ "announce", cmd_announce },
	{ "lease", cmd_lease },
	{ "every", cmd_every },
	{ "commit", cmd_commit },
	{ "takeover", cmd_takeover },
	{ "finish", cmd_finish },
	{ "free", cmd_free },
	{ "sweep", cmd_sweep },
	{ "info", cmd_info },
	{ "link", cmd_link },
	{ "owner", cmd_owner },
	{ "deaf", cmd_deaf },
	{ "echo", cmd_echo },
};

static void
run(char *line)
{
	const char *name;

	rest = line;
	name = word();
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(name, commands[i].name) == 0) {
			int rc = commands[i].fn();

			print_events();
			printf("%s\n", rc < 0 ? strerror(-rc) : "ok");
			return;
		}
	printf("error what is %s\n", name);
}

static int
until(uint64_t t)
{
	uint64_t n = now();

	if (t == CARP_NEVER)
		return 1000;
	return t <= n ? 0 : (int)((t - n) / 1000000) + 1;
}

static int
timeout(void)
{
	int ms = until(vip_deadline(v));

	for (size_t i = 0; i < MAX_SETS; i++)
		if (sets[i].every > 0 && until(sets[i].next) < ms)
			ms = until(sets[i].next);
	return ms;
}

/* Reads what is there, and runs each whole line.  False: end of file. */
static bool
read_commands(void)
{
	static char buf[65536];
	static size_t len;
	ssize_t n = read(0, buf + len, sizeof(buf) - 1 - len);
	char *end;

	if (n <= 0)
		return false;
	len += (size_t)n;
	while ((end = memchr(buf, '\n', len)) != NULL) {
		*end++ = '\0';
		run(buf);
		len -= (size_t)(end - buf);
		memmove(buf, end, len);
	}
	return true;
}

/* Prints what arrives at an interface as hexadecimal, one frame a line. */
static int
capture(const char *ifname)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(ifname) };
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	const int size = 16 * 1024 * 1024;
	uint8_t buf[2048];
	ssize_t n;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (fd == -1 || bind(fd, (void *)&at, sizeof(at)) == -1)
		return 1;
	printf("listening\n");
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			printf("%02x", buf[i]);
		printf("\n");
	}
	return 1;
}

int
main(int argc, char **argv)
{
	int rc;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && strcmp(argv[1], "capture") == 0)
		return capture(argv[2]);
	if ((rc = vip_new(&v)) < 0) {
		printf("vip_new: %s\n", strerror(-rc));
		return 1;
	}
	for (;;) {
		struct pollfd p[2] = { { 0, POLLIN, 0 },
			{ vip_fd(v), POLLIN, 0 } };

		(void)poll(p, 2, timeout());
		if ((rc = vip_process(v, now())) < 0)
			printf("process: %s\n", strerror(-rc));
		print_events();
		for (size_t i = 0; i < MAX_SETS; i++)
			if (sets[i].every > 0 && sets[i].next <= now()) {
				vip_set_renew(sets[i].set);
				sets[i].next = now() + sets[i].every;
			}
		/* wishes made by commands wait for the command "commit" */
		if (p[1].revents != 0 || p[0].revents == 0)
			if ((rc = vip_commit(v, now())) < 0)
				printf("repair: %s\n", strerror(-rc));
		print_events();
		if (p[0].revents != 0 && !read_commands())
			break;
	}
	vip_free(v);
	return 0;
}
