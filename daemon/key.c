/* SPDX-License-Identifier: ISC */
/* Passphrases from files, keys from hexadecimal digits. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "key.h"

#define READ_MAX 256U /* enough to see what is wrong */

static int
say(char *why, size_t len, int rc, const char *text)
{
	(void)snprintf(why, len, "%s", text);
	return rc;
}

static int
check_file(const struct stat *st, char *why, size_t len)
{
	if (!S_ISREG(st->st_mode))
		return say(
		    why, len, -EINVAL, "is not a regular file; name a file");
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return say(why, len, -EPERM,
		    "belongs neither to root nor to who runs this; change its "
		    "owner with chown");
	if ((st->st_mode & S_IRWXO) != 0)
		return say(why, len, -EPERM,
		    "is open to others than its owner and group; run chmod "
		    "600 on it");
	if ((st->st_mode & S_IWGRP) != 0)
		return say(why, len, -EPERM,
		    "can be changed by its group; run chmod 600 on it");
	return 0;
}

static int
check_text(const char *text, size_t n, char *why, size_t len)
{
	if (n == 0)
		return say(why, len, -EINVAL,
		    "has an empty passphrase; write one in its first line");
	if (memchr(text, '\0', n) != NULL)
		return say(why, len, -EINVAL,
		    "has a NUL byte; use key-hex for keys that are not text");
	if (memchr(text, '\n', n) != NULL)
		return say(why, len, -EINVAL,
		    "has several lines; leave only the one with the "
		    "passphrase");
	if (text[n - 1] == '\r')
		return say(why, len, -EINVAL,
		    "ends its line with a carriage return; save it with Unix "
		    "line ends");
	if (n > CARP_PASS_MAX)
		return say(why, len, -ENAMETOOLONG,
		    "has a passphrase of more than 19 bytes, which other "
		    "systems cut; shorten it, or use key-hex, which takes up "
		    "to 20 bytes");
	return 0;
}

static int
read_key(uint8_t ret[CARP_KEY_LEN], int fd, char *why, size_t len)
{
	char text[READ_MAX];
	ssize_t n;
	int rc;

	n = read(fd, text, sizeof(text));
	if (n == -1) {
		rc = -errno;
		(void)snprintf(why, len, "cannot be read: %s; check the disk",
		    strerror(-rc));
		return rc;
	}
	if (n > 0 && text[n - 1] == '\n')
		n--;
	rc = check_text(text, (size_t)n, why, len);
	if (rc == 0) {
		memset(ret, 0, CARP_KEY_LEN);
		memcpy(ret, text, (size_t)n);
	}
	explicit_bzero(text, sizeof(text));
	return rc;
}

/* Nothing but a regular file is opened: devices may act on it. */
int
key_from_file(
    uint8_t ret[CARP_KEY_LEN], const char *path, char *why, size_t len)
{
	struct stat st;
	int fd = -1, rc;

	if (ret == NULL || path == NULL)
		return -EINVAL;
	if (stat(path, &st) == -1)
		goto unreadable;
	if ((rc = check_file(&st, why, len)) != 0)
		return rc;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1 || fstat(fd, &st) == -1)
		goto unreadable;
	if ((rc = check_file(&st, why, len)) == 0)
		rc = read_key(ret, fd, why, len);
	(void)close(fd);
	return rc;
unreadable:
	rc = -errno;
	(void)snprintf(why, len, "cannot be read: %s; %s", strerror(-rc),
	    rc == -ENOENT ? "make it, with the passphrase in one line"
			  : "check its path and permissions");
	if (fd != -1)
		(void)close(fd);
	return rc;
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
key_from_hex(uint8_t ret[CARP_KEY_LEN], const char *hex, char *why, size_t len)
{
	uint8_t key[CARP_KEY_LEN] = { 0 };
	size_t i, n;

	if (ret == NULL || hex == NULL)
		return -EINVAL;
	n = strlen(hex);
	for (i = 0; i < n; i++)
		if (digit(hex[i]) == -1)
			return say(why, len, -EINVAL,
			    "is not hexadecimal; use the digits 0-9 and a-f "
			    "alone");
	if (n == 0)
		return say(why, len, -EINVAL,
		    "is empty; write 2 to 40 hexadecimal digits");
	if (n % 2 != 0)
		return say(why, len, -EINVAL,
		    "has an odd number of digits; each byte has two");
	if (n > 2 * CARP_KEY_LEN)
		return say(why, len, -ENAMETOOLONG,
		    "has more than 40 digits; a key has at most 20 bytes");
	for (i = 0; i < n; i += 2)
		key[i / 2] = (uint8_t)(digit(hex[i]) << 4 | digit(hex[i + 1]));
	memcpy(ret, key, sizeof(key));
	explicit_bzero(key, sizeof(key));
	return 0;
}
