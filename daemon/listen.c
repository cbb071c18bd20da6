/* SPDX-License-Identifier: ISC */
/* The control socket's place in the file system, and the lock beside it. */
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "listen.h"

#define BACKLOG	  64
#define WAIT_MS	  3000 /* for an engine whose supervisor has died */
#define WAIT_STEP 20

/* The directory of the socket: /run starts empty after each boot. */
static int
make_dir(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (slash == NULL || slash == path)
		return 0;
	if ((size_t)(slash - path) >= sizeof(dir))
		return -ENAMETOOLONG;
	memcpy(dir, path, (size_t)(slash - path));
	dir[slash - path] = '\0';
	return mkdir(dir, 0755) == -1 && errno != EEXIST ? -errno : 0;
}

/* Who wrote itself into the lock file, 0 if that cannot be said. */
static pid_t
holder(int fd)
{
	char text[16];
	ssize_t n;

	n = pread(fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return (pid_t)strtol(text, NULL, 10);
}

static bool
is_alive(pid_t pid)
{
	return pid > 0 && (kill(pid, 0) == 0 || errno != ESRCH);
}

static int
take(int fd)
{
	for (int ms = 0;; ms += WAIT_STEP) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK || ms >= WAIT_MS ||
		    is_alive(holder(fd)))
			return -errno;
		(void)poll(NULL, 0, WAIT_STEP);
	}
}

int
listen_lock(const char *path, char *why, size_t len)
{
	char name[PATH_MAX], pid[16];
	int fd, rc, n;

	(void)snprintf(name, sizeof(name), "%s.lock", path);
	rc = make_dir(path);
	fd = rc < 0 ? -1 : open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd == -1) {
		rc = rc < 0 ? rc : -errno;
		(void)snprintf(why, len, "%s: %s", name, strerror(-rc));
		return rc;
	}
	rc = take(fd);
	if (rc == -EWOULDBLOCK)
		(void)snprintf(why, len,
		    "another carpd is running with this socket (process %ld "
		    "holds %s): stop it first, or give this one another "
		    "socket with -s",
		    (long)holder(fd), name);
	else if (rc < 0)
		(void)snprintf(why, len, "%s: %s", name, strerror(-rc));
	if (rc < 0) {
		(void)close(fd);
		return rc;
	}
	/* Only for the sentence above: what counts is the lock. */
	n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, pid, (size_t)n, 0);
	return fd;
}

static int
bind_at(int fd, const char *path, gid_t group)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct stat st;
	mode_t mask;
	int rc;

	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	memcpy(sun.sun_path, path, strlen(path));
	if (lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode))
			return -EEXIST;
		if (unlink(path) == -1)
			return -errno;
	}
	mask = umask(0177);
	rc = bind(fd, (struct sockaddr *)&sun, sizeof(sun));
	(void)umask(mask);
	if (rc == -1)
		return -errno;
	/* The group first: nobody else may come in meanwhile. */
	if (chown(path, (uid_t)-1, group) == -1 || chmod(path, 0660) == -1)
		return -errno;
	return listen(fd, BACKLOG) == -1 ? -errno : 0;
}

int
listen_open(const char *path, gid_t group, char *why, size_t len)
{
	int fd, rc;

	rc = make_dir(path);
	if (rc == 0) {
		fd = socket(
		    AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		rc = fd == -1 ? -errno : bind_at(fd, path, group);
		if (rc == 0)
			return fd;
		if (fd != -1)
			(void)close(fd);
	}
	if (rc == -EEXIST)
		(void)snprintf(why, len,
		    "%s: is there, but is no socket: "
		    "remove it, or name another place with -s",
		    path);
	else
		(void)snprintf(why, len, "%s: %s", path, strerror(-rc));
	return rc;
}
