/* SPDX-License-Identifier: ISC */
/* What survives a restart: STATEDIR/state.json. */
#include <sys/stat.h>

#include <jansson.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state.h"

#define VERSION	   1
#define FILE_NAME  "state.json"
#define SIZE_LIMIT 65536 /* of the file; ours have some 50 bytes */

static int
read_whole(int dir, char *buf, size_t size, size_t *ret)
{
	size_t len = 0;
	ssize_t n;
	int fd, rc;

	fd = openat(dir, FILE_NAME, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		return -errno;
	do {
		n = read(fd, buf + len, size - len);
		if (n > 0)
			len += (size_t)n;
	} while (n > 0 && len < size);
	rc = n == -1 ? -errno : len == size ? -EFBIG : 0;
	(void)close(fd);
	*ret = len;
	return rc;
}

static int
parse(struct state *ret, const char *text, size_t len, char *why, size_t size)
{
	json_error_t error;
	json_t *root;
	int version, on, rc = 0;

	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (root == NULL) {
		(void)snprintf(
		    why, size, "line %d: %s", error.line, error.text);
		return -EBADMSG;
	}
	if (json_unpack_ex(root, &error, 0, "{s:i}", "version", &version) !=
	    0) {
		(void)snprintf(why, size, "%s", error.text);
		rc = -EBADMSG;
	} else if (version != VERSION) {
		(void)snprintf(why, size,
		    "version %d, but this program knows version %d", version,
		    VERSION);
		rc = -EPROTONOSUPPORT;
	} else if (json_unpack_ex(root, &error, JSON_STRICT, "{s:i, s:b}",
		       "version", &version, "maintenance", &on) != 0) {
		(void)snprintf(why, size, "%s", error.text);
		rc = -EBADMSG;
	} else {
		ret->maintenance = on != 0;
	}
	json_decref(root);
	return rc;
}

static void
keep_aside(int dir, char *why, size_t len)
{
	size_t n = strlen(why);

	if (renameat(dir, FILE_NAME, dir, FILE_NAME ".bad") == 0)
		(void)snprintf(
		    why + n, len - n, "; it is kept as " FILE_NAME ".bad");
}

int
state_load(struct state *ret, const char *dir, char *why, size_t len)
{
	char *text = NULL;
	size_t n = 0;
	int dfd, rc;

	memset(ret, 0, sizeof(*ret));
	dfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dfd == -1) {
		rc = errno == ENOENT ? 0 : -errno;
		(void)snprintf(why, len, "%s", strerror(-rc));
		return rc;
	}
	text = malloc(SIZE_LIMIT);
	rc = text == NULL ? -ENOMEM : read_whole(dfd, text, SIZE_LIMIT, &n);
	if (rc < 0)
		(void)snprintf(why, len, "%s", strerror(-rc));
	else
		rc = parse(ret, text, n, why, len);
	free(text);
	if (rc == -ENOENT)
		rc = 0;
	else if (rc == -EBADMSG || rc == -EPROTONOSUPPORT || rc == -EFBIG)
		keep_aside(dfd, why, len);
	(void)close(dfd);
	return rc;
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
replace(int dir, const char *text, size_t len)
{
	const char *tmp = FILE_NAME ".new";
	int fd, rc;

	fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd == -1)
		return -errno;
	rc = write_whole(fd, text, len);
	if (close(fd) == -1 && rc == 0)
		rc = -errno;
	if (rc == 0 && renameat(dir, tmp, dir, FILE_NAME) == -1)
		rc = -errno;
	if (rc < 0)
		(void)unlinkat(dir, tmp, 0);
	else if (fsync(dir) == -1)
		rc = -errno;
	return rc;
}

int
state_save(const struct state *s, const char *dir)
{
	char text[128];
	int dfd, len, rc;

	if (mkdir(dir, 0755) == -1 && errno != EEXIST)
		return -errno;
	dfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dfd == -1)
		return -errno;
	len = snprintf(text, sizeof(text),
	    "{\"version\": %d, \"maintenance\": %s}\n", VERSION,
	    s->maintenance ? "true" : "false");
	rc = replace(dfd, text, (size_t)len);
	(void)close(dfd);
	return rc;
}
