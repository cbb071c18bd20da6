/* SPDX-License-Identifier: ISC */
/* Telling the service manager how we are: sd_notify(3) without libsystemd. */
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sdnotify.h"

#define SEND_TIMEOUT_US 200000 /* a manager that is busy may take so long */

/* Half of what the manager allows, as sd_watchdog_enabled(3) advises. */
static uint64_t
watchdog_period(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");

	if (usec == NULL)
		return 0;
	if (pid != NULL && strtol(pid, NULL, 10) != getpid())
		return 0;
	return strtoull(usec, NULL, 10) * 1000 / 2;
}

static int
reach(const char *path)
{
	struct timeval limit = { 0, SEND_TIMEOUT_US };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int fd, rc;

	if ((path[0] != '/' && path[0] != '@') || len < 2 ||
	    len >= sizeof(sun.sun_path))
		return -EINVAL;
	memcpy(sun.sun_path, path, len);
	if (path[0] == '@')
		sun.sun_path[0] = '\0'; /* the abstract name space */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	len += offsetof(struct sockaddr_un, sun_path);
	if (connect(fd, (struct sockaddr *)&sun, (socklen_t)len) == -1) {
		rc = -errno;
		(void)close(fd);
		return rc;
	}
	return fd;
}

int
sdnotify_open(struct sdnotify *ret)
{
	const char *path = getenv("NOTIFY_SOCKET");
	int rc = 0;

	ret->fd = -1;
	ret->watchdog = 0;
	if (path != NULL) {
		rc = reach(path);
		if (rc >= 0) {
			ret->fd = rc;
			ret->watchdog = watchdog_period();
			rc = 0;
		}
	}
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
	return rc;
}

void
sdnotify_close(struct sdnotify *s)
{
	if (s->fd != -1)
		(void)close(s->fd);
	s->fd = -1;
}

int
sdnotify_send(const struct sdnotify *s, const char *lines)
{
	if (s->fd == -1)
		return 0;
	if (send(s->fd, lines, strlen(lines), MSG_NOSIGNAL) == -1)
		return -errno;
	return 0;
}

int
sdnotify_reloading(const struct sdnotify *s)
{
	struct timespec ts;
	char text[64];

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	(void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
	    (unsigned long long)ts.tv_sec * 1000000 +
		(unsigned long long)ts.tv_nsec / 1000);
	return sdnotify_send(s, text);
}
