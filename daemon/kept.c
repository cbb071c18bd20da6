/* SPDX-License-Identifier: ISC */
/* A file of STATEDIR: read whole, replaced whole, kept aside when broken. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kept.h"

#define NAME_LEN 64

static int
read_whole(int fd, char *buf, size_t size, size_t *ret)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, buf + len, size - len);
		if (n > 0)
			len += (size_t)n;
	} while (n > 0 && len < size);
	*ret = len;
	return n == -1 ? -errno : len == size ? -EFBIG : 0;
}

static int
open_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd == -1 ? -errno : fd;
}

int
kept_read(
    char **ret, size_t *len, const char *dir, const char *name, size_t limit)
{
	char *text;
	int dfd, fd, rc;

	dfd = open_dir(dir);
	if (dfd < 0)
		return dfd;
	fd = openat(dfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	rc = fd == -1 ? -errno : 0;
	(void)close(dfd);
	if (rc < 0)
		return rc;
	text = malloc(limit);
	rc = text == NULL ? -ENOMEM : read_whole(fd, text, limit, len);
	(void)close(fd);
	if (rc < 0) {
		free(text);
		return rc;
	}
	text[*len] = '\0';
	*ret = text;
	return 0;
}

void
kept_aside(const char *dir, const char *name, char *why, size_t len)
{
	char bad[NAME_LEN];
	size_t n = strlen(why);
	int dfd;

	dfd = open_dir(dir);
	if (dfd < 0)
		return;
	(void)snprintf(bad, sizeof(bad), "%s.bad", name);
	if (renameat(dfd, name, dfd, bad) == 0)
		(void)snprintf(why + n, len - n, "; it is kept as %s", bad);
	(void)close(dfd);
}

static int
write_whole(int fd, const char *p, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n == -1)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return fsync(fd) == -1 ? -errno : 0;
}

static int
replace(int dir, const char *name, const char *text, size_t len)
{
	char tmp[NAME_LEN];
	int fd, rc;

	(void)snprintf(tmp, sizeof(tmp), "%s.new", name);
	fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd == -1)
		return -errno;
	rc = write_whole(fd, text, len);
	if (close(fd) == -1 && rc == 0)
		rc = -errno;
	if (rc == 0 && renameat(dir, tmp, dir, name) == -1)
		rc = -errno;
	if (rc < 0)
		(void)unlinkat(dir, tmp, 0);
	else if (fsync(dir) == -1)
		rc = -errno;
	return rc;
}

int
kept_write(const char *dir, const char *name, const char *text, size_t len)
{
	int dfd, rc;

	if (mkdir(dir, 0755) == -1 && errno != EEXIST)
		return -errno;
	dfd = open_dir(dir);
	if (dfd < 0)
		return dfd;
	rc = replace(dfd, name, text, len);
	(void)close(dfd);
	return rc;
}
