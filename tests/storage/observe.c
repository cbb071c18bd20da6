/* SPDX-License-Identifier: ISC */
/*
 * Watches who has a file system: each NAME=PATH is a directory that the kernel
 * shows as long as it is mounted anywhere, such as /proc/fs/ext4/loop0.  Looks
 * each millisecond, prints what changes, and at the end, upon SIGTERM, for how
 * long more than one was there.
 */
#include <sys/stat.h>

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NODES 4
#define EVERY 1000000 /* ns */

struct node {
	const char *name, *path;
	bool has;
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

/* Returns how many have it now. */
static unsigned
look(struct node *nodes, unsigned n, uint64_t now)
{
	unsigned have = 0;
	struct stat st;

	for (unsigned i = 0; i < n; i++) {
		bool has = stat(nodes[i].path, &st) == 0;

		if (has != nodes[i].has)
			printf("%.4f %s %s\n", (double)now / 1e9, nodes[i].name,
			    has ? "has" : "left");
		nodes[i].has = has;
		have += has;
	}
	(void)fflush(stdout);
	return have;
}

static int
watch(struct node *nodes, unsigned n)
{
	const struct timespec every = { 0, EVERY };
	uint64_t last = now_ns(), longest = 0, both = 0, now;
	unsigned samples = 0;

	while (!stop) {
		now = now_ns();
		if (now - last > longest)
			longest = now - last;
		if (look(nodes, n, now) > 1)
			both += now - last + 1;
		last = now;
		samples++;
		(void)nanosleep(&every, NULL);
	}
	printf("{\"samples\": %u, \"widest_ms\": %.1f, \"both_ms\": %.1f}\n",
	    samples, (double)longest / 1e6, (double)both / 1e6);
	return both > 0;
}

int
main(int argc, char **argv)
{
	struct node nodes[NODES] = { { NULL, NULL, false } };
	char *eq;

	for (int i = 1; i < argc && i <= NODES; i++) {
		if ((eq = strchr(argv[i], '=')) == NULL)
			break;
		*eq = '\0';
		nodes[i - 1].name = argv[i];
		nodes[i - 1].path = eq + 1;
	}
	if (argc < 3 || argc > NODES + 1 || nodes[argc - 2].name == NULL) {
		(void)fprintf(
		    stderr, "usage: observe NAME=PATH NAME=PATH...\n");
		return 2;
	}
	(void)signal(SIGTERM, on_signal);
	(void)signal(SIGINT, on_signal);
	return watch(nodes, (unsigned)argc - 1);
}
