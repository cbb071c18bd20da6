/* SPDX-License-Identifier: ISC */
/*
 * How long this machine keeps a process waiting: for a processor, and for the
 * lock of the kernel's network configuration, which all namespaces share.
 *
 * Each millisecond it wakes up and takes that lock once (flags of lo, as they
 * are).  At SIGINT or SIGTERM, or after a minute, it prints the sum of what
 * either took beyond a millisecond, and the longest.  A test that counts lost
 * probes allows for the sum: next to nothing on a machine that is idle.
 */
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <err.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_SECONDS 60
#define NSEC	    UINT64_C(1000000000)
#define STEP	    UINT64_C(1000000)

static volatile sig_atomic_t ended;

static void
on_signal(int sig)
{
	(void)sig;
	ended = 1;
}

static uint64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NSEC + (uint64_t)t.tv_nsec;
}

static void
sleep_until(uint64_t t)
{
	const struct timespec at = { (time_t)(t / NSEC), (long)(t % NSEC) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

struct wait {
	uint64_t sum, longest; /* ns */
};

static void
add(struct wait *w, uint64_t took)
{
	if (took > w->longest)
		w->longest = took;
	if (took > STEP)
		w->sum += took;
}

int
main(void)
{
	struct wait processor = { 0, 0 }, lock = { 0, 0 };
	struct sigaction sa = { .sa_handler = on_signal };
	struct ifreq lo = { .ifr_name = "lo" };
	uint64_t start = now(), t = start, woken;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || ioctl(fd, SIOCGIFFLAGS, &lo) == -1)
		err(1, "flags of lo");
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	while (!ended && t < start + MAX_SECONDS * NSEC) {
		sleep_until(t + STEP);
		woken = now();
		if (!ended)
			add(&processor, woken - t - STEP);
		if (ioctl(fd, SIOCSIFFLAGS, &lo) == -1)
			err(1, "flags of lo");
		t = now();
		add(&lock, t - woken);
	}
	close(fd);
	printf("{\"sum_ms\":%.0f,\"processor_ms\":%.1f,\"lock_ms\":%.1f}\n",
	    (double)(processor.sum + lock.sum) / 1e6,
	    (double)processor.longest / 1e6, (double)lock.longest / 1e6);
	return 0;
}
