/* SPDX-License-Identifier: ISC */
/* The keeper: moves the keys, notices a loss, tells carpd of it and ends. */
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fence_all.h"
#include "fence_exit.h"
#include "fence_keeper.h"
#include "fence_state.h"

#define LEAVE_SIGNAL SIGUSR1 /* from carp-fence stop only */
#define LOOK_MS	     50	     /* how often silence is looked for */
#define LEAVE_NS     (1500 * FENCE_NS_PER_MS)
#define TELL_MS	     200
#define BEAT_NS	     (500 * FENCE_NS_PER_MS)

/* The pipe to the parent, and what we were given, and nothing else. */
static int
close_others(int alive, int parent)
{
	int low = alive < parent ? alive : parent;
	int high = alive < parent ? parent : alive;
	int rc = 0;

	if (low < 3)
		low = high;
	if (low > 3)
		rc |= close_range(3, (unsigned)low - 1, 0);
	if (high > low + 1)
		rc |= close_range((unsigned)low + 1, (unsigned)high - 1, 0);
	rc |= close_range((unsigned)high + 1, ~0U, 0);
	return rc == 0 ? 0 : -errno;
}

/* Best effort: a key that stands still looks like death. */
static void
be_punctual(void)
{
	struct sched_param p = { .sched_priority = 1 };
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd != -1) {
		(void)!write(fd, "-1000", 5);
		(void)close(fd);
	}
	(void)sched_setscheduler(0, SCHED_RR, &p);
	(void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

/* From now on the time limit of the hook does not concern us. */
static void
detach(int parent)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	uint8_t ok = EXIT_OK;

	(void)setsid();
	(void)!chdir("/");
	(void)fflush(NULL);
	for (int fd = 0; null != -1 && fd < 3; fd++)
		(void)dup2(null, fd);
	if (null > 2)
		(void)close(null);
	(void)!write(parent, &ok, sizeof(ok));
	(void)close(parent);
}

static void
tell(int alive, const char *why)
{
	struct pollfd p = { alive, POLLOUT, 0 };
	char line[1024];
	int n;

	if (alive == -1 || poll(&p, 1, TELL_MS) != 1)
		return;
	n = snprintf(line, sizeof(line), "%s\n", why);
	if (n >= (int)sizeof(line))
		n = sizeof(line) - 1;
	(void)!write(alive, line, (size_t)n);
}

static int
leave(struct fence_crew *crew, struct fence_conf *c)
{
	char why[1024];

	atomic_store(&crew->stop, true);
	fence_crew_wait(crew, fence_now() + c->timeout + LEAVE_NS);
	c->deadline = fence_now() + LEAVE_NS;
	return fence_all_leave(crew, why, sizeof(why));
}

/* The signal that came, 0 if none. */
static unsigned
signal_of(int signals)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return 0;
	return info.ssi_signo;
}

/*
 * Until we are told to leave the disks, or have lost one.  Whoever ends all
 * processes, as when the system goes down, does not know whether the disks
 * are in use: then they stay ours.
 */
static int
keep(struct fence_crew *crew, struct fence_conf *c, int signals)
{
	struct pollfd p[2] = { { signals, POLLIN, 0 },
		{ crew->wake, POLLIN, 0 } };
	char why[1024];
	unsigned sig = 0;
	uint64_t beat = 0;

	while (sig == 0 && !fence_all_lost(crew, why, sizeof(why))) {
		fence_all_hold(crew);
		if (fence_now() >= beat) {
			fence_state_beat(c, fence_now());
			beat = fence_now() + BEAT_NS;
		}
		if (poll(p, 2, LOOK_MS) > 0 && (p[0].revents & POLLIN) != 0)
			sig = signal_of(signals);
	}
	if (sig == LEAVE_SIGNAL)
		return leave(crew, c);
	if (sig != 0)
		(void)snprintf(why, sizeof(why),
		    "ended by signal %u: the disks stay reserved for %08x", sig,
		    (unsigned)c->id);
	tell(c->alive, why);
	(void)fence_state_write_loss(c, why);
	/* A thread that hangs in the kernel would hold both for long. */
	if (c->alive != -1)
		(void)close(c->alive);
	fence_state_unlock(c);
	return EXIT_FAILED;
}

static int
catch_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, LEAVE_SIGNAL);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Who had it?  0: nobody. */
static unsigned
former(const struct fence_disk *d)
{
	if (!d->seen.reserved || fence_key_of(d->seen.holder, d->id))
		return 0;
	return (unsigned)(d->seen.holder >> 32);
}

static unsigned
count_taken(const struct fence_crew *crew)
{
	unsigned n = 0;

	for (unsigned i = 0; i < crew->n; i++)
		n += crew->members[i].disk.taken;
	return n;
}

static void
boast(const struct fence_crew *crew, uint64_t since)
{
	char from[32] = "";
	unsigned n = 0;

	for (unsigned i = 0; i < crew->n; i++) {
		if (!crew->members[i].disk.held)
			continue;
		n++;
		if (former(&crew->members[i].disk) != 0)
			(void)snprintf(from, sizeof(from), " from %08x",
			    former(&crew->members[i].disk));
	}
	(void)printf("%08x has taken %u disk%s%s in %.3f s\n",
	    (unsigned)crew->conf->id, n, n == 1 ? "" : "s", from,
	    (double)(fence_now() - since) / 1e9);
}

static int
refuse(const char *what, int rc)
{
	(void)fprintf(stderr, "carp-fence: %s: %s\n", what, strerror(-rc));
	return EXIT_FAILED;
}

int
fence_keeper_start(const struct fence_conf *conf, int parent)
{
	struct fence_conf c = *conf;
	struct fence_crew *crew;
	uint64_t since = fence_now();
	bool left = fence_state_has_disks(&c);
	char why[1024] = "";
	int rc, signals;

	rc = close_others(c.alive, parent);
	if (rc != 0)
		return refuse("descriptors", rc);
	rc = fence_state_lock(&c);
	if (rc != 0)
		return refuse("another start is at work: lock", rc);
	signals = catch_signals();
	if (signals == -1)
		return refuse("signals", -errno);
	/* Before: what is taken now must be found by stop whatever happens. */
	fence_state_beat(&c, since);
	rc = fence_state_write_disks(&c);
	if (rc == 0)
		rc = fence_state_write_loss(&c, "");
	if (rc != 0)
		return refuse(c.state, rc);
	be_punctual(); /* its threads inherit it */
	crew = fence_crew_new(&c, why, sizeof(why));
	rc =
	    crew != NULL ? fence_all_take(crew, why, sizeof(why)) : EXIT_FAILED;
	if (rc != EXIT_OK) {
		(void)fprintf(stderr, "carp-fence: %s\n", why);
		if (!left && (crew == NULL || count_taken(crew) == 0))
			(void)fence_state_forget_disks(&c);
		return rc;
	}
	boast(crew, since);
	detach(parent);
	_exit(keep(crew, &c, signals));
}

/* By a descriptor, for the number may become another process's. */
int
fence_keeper_stop(const struct fence_conf *c, pid_t pid, uint64_t deadline)
{
	struct pollfd p = { -1, POLLIN, 0 };
	uint64_t now;
	int rc = 0;

	p.fd = pidfd_open(pid, 0);
	if (p.fd == -1)
		return errno == ESRCH ? 0 : -errno;
	/* If it is the keeper yet, the descriptor is the keeper's. */
	if (fence_state_keeper(c) != pid) {
		(void)close(p.fd);
		return 0;
	}
	(void)pidfd_send_signal(p.fd, LEAVE_SIGNAL, NULL, 0);
	(void)pidfd_send_signal(p.fd, SIGCONT, NULL, 0); /* if stopped */
	now = fence_now();
	if (poll(&p, 1,
		deadline > now ? (int)((deadline - now) / FENCE_NS_PER_MS)
			       : 0) != 1) {
		(void)pidfd_send_signal(p.fd, SIGKILL, NULL, 0);
		if (poll(&p, 1, 1000) != 1)
			rc = -ETIMEDOUT;
	}
	(void)close(p.fd);
	return rc;
}
