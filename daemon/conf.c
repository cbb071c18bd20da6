/* SPDX-License-Identifier: ISC */
/* A configuration file, from its name to the block that carpd runs on. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf_draft.h"

#define FILE_MAX (1U << 20) /* bytes */

enum conf_result
conf_from_buffer(struct conf **ret, const char *file, bool secret, char *buf,
    size_t len, FILE *errors)
{
	struct conf_errors e = { .file = file };
	struct conf_draft d = { .hooks = true, .secret = secret };
	struct conf_parsed *parsed = NULL;
	struct conf *c = NULL;

	switch (conf_parse(&parsed, &d, buf, len, &e)) {
	case 0:
		c = conf_understand(&d, &e);
		break;
	case -ENOMEM:
		conf_say(&e, CONF_FAILED, 0, "out of memory; nothing was done");
		break;
	default: /* it was said */
		break;
	}
	conf_parsed_free(parsed);
	if (c != NULL)
		*ret = c;
	return conf_tell(&e, errors);
}

/* Why a file is not fit to be read at all, or NULL. */
static const char *
unfit(const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return "is a directory; name the file in it";
	if (!S_ISREG(st->st_mode))
		return "is not a regular file; copy it into one";
	if (st->st_size > FILE_MAX)
		return "has more than 1 MiB; is this a configuration file at "
		       "all?";
	return NULL;
}

/* Returns the length, or -1 with errno; *why is a sentence, or NULL. */
static ssize_t
read_file(char **buf, struct stat *st, const char *file, const char **why)
{
	ssize_t n, len = 0;
	char *p = NULL;
	int fd;

	*why = NULL;
	/* Looked at before it is opened: opening a device may do something. */
	if (stat(file, st) == -1 || (*why = unfit(st)) != NULL)
		return -1;
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1)
		return -1;
	if (fstat(fd, st) == -1 || (*why = unfit(st)) != NULL ||
	    (p = malloc(FILE_MAX + 1)) == NULL)
		goto fail;
	while ((n = read(fd, p + len, FILE_MAX + 1 - (size_t)len)) > 0)
		len += n;
	if (n == -1)
		goto fail;
	if (len > (ssize_t)FILE_MAX) {
		*why = "grows while it is read; try again";
		goto fail;
	}
	(void)close(fd);
	*buf = p;
	return len;
fail:
	n = errno;
	free(p);
	(void)close(fd);
	errno = (int)n;
	return -1;
}

static enum conf_result
say_unreadable(const char *file, const char *why, FILE *errors)
{
	struct conf_errors e = { .file = file };

	if (why != NULL)
		conf_say(&e, CONF_NOFILE, 0, "%s", why);
	else if (errno == ENOENT)
		conf_say(&e, CONF_NOFILE, 0,
		    "%s; write it (carpd.conf(5) has "
		    "examples), or name another with -f",
		    strerror(errno));
	else
		conf_say(&e, errno == ENOMEM ? CONF_FAILED : CONF_NOFILE, 0,
		    "cannot be read: %s; check its path and permissions",
		    strerror(errno));
	return conf_tell(&e, errors);
}

/* What it says is done as root: hooks, for one. */
static enum conf_result
say_open(const char *file, FILE *errors)
{
	struct conf_errors e = { .file = file };

	conf_say(&e, CONF_SENSE, 0,
	    "anybody can write into this file; run chmod o-w on it, and look "
	    "at what it says");
	return conf_tell(&e, errors);
}

enum conf_result
conf_load(struct conf **ret, const char *file, FILE *errors)
{
	enum conf_result result;
	const char *why;
	struct stat st;
	char *buf;
	ssize_t len;

	if (strlen(file) >= CONF_PATH_MAX)
		return say_unreadable(file,
		    "the path is longer than 255 bytes; shorten it", errors);
	if ((len = read_file(&buf, &st, file, &why)) == -1)
		return say_unreadable(file, why, errors);
	if ((st.st_mode & S_IWOTH) != 0)
		result = say_open(file, errors);
	else
		result = conf_from_buffer(ret, file,
		    (st.st_mode & S_IRWXO) == 0, buf, (size_t)len, errors);
	explicit_bzero(buf, (size_t)len);
	free(buf);
	return result;
}
