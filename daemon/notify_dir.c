/* SPDX-License-Identifier: ISC */
/* Which files of a directory are notification hooks that may be run. */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hook_file.h"
#include "notify_dir.h"

#define HOOKS_MAX 256

struct complaint {
	void (*say)(void *arg, const char *sentence);
	void *arg;
	const char *path;
};

static void
complain(const struct complaint *c, const char *name, const char *what)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "%s%s%s: %s", c->path,
	    name != NULL ? "/" : "", name != NULL ? name : "", what);
	c->say(c->arg, text);
}

/* Can nobody else put something in the place of the directory, or a link? */
static bool
way_is_safe(const char *name, const struct complaint *c)
{
	char path[PATH_MAX], why[512];
	int rc;

	(void)snprintf(path, sizeof(path), "%s%s%s", c->path,
	    name != NULL ? "/" : "", name != NULL ? name : "");
	rc = hook_file_way(path, why, sizeof(why));
	if (rc < 0)
		complain(c, name, rc == -EACCES ? why : strerror(-rc));
	return rc == 0;
}

static bool
usable(int dir, const struct dirent *e, const struct complaint *c)
{
	const char *name = e->d_name, *why;
	struct stat st;

	if (fstatat(dir, name, &st, 0) == -1) {
		complain(c, name, strerror(errno));
		return false;
	}
	if (S_ISDIR(st.st_mode))
		return false;
	why = hook_file_wrong(&st);
	if (why != NULL)
		complain(c, name, why);
	return why == NULL && (e->d_type == DT_REG || way_is_safe(name, c));
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
collect(struct notify_dir *ret, DIR *d, const struct complaint *c)
{
	struct dirent *e;

	while ((e = readdir(d)) != NULL) {
		if (!hook_file_name_ok(e->d_name) || !usable(dirfd(d), e, c))
			continue;
		if (ret->n == HOOKS_MAX) {
			complain(c, NULL,
			    "has more than 256 hooks: the rest "
			    "is not run");
			break;
		}
		ret->names[ret->n] = strdup(e->d_name);
		if (ret->names[ret->n] == NULL) {
			complain(c, e->d_name, strerror(ENOMEM));
			break;
		}
		ret->n++;
	}
	qsort(ret->names, ret->n, sizeof(*ret->names), by_name);
}

void
notify_dir_read(struct notify_dir *ret, const char *path,
    void (*say)(void *, const char *), void *arg)
{
	const struct complaint c = { say, arg, path };
	const char *why;
	struct stat st;
	DIR *d = NULL;
	int fd;

	memset(ret, 0, sizeof(*ret));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1) {
		if (errno != ENOENT)
			complain(&c, NULL, strerror(errno));
		return;
	}
	if (fstat(fd, &st) == -1) {
		complain(&c, NULL, strerror(errno));
	} else if ((why = hook_file_unsafe(&st)) != NULL) {
		complain(&c, NULL, why);
	} else if (way_is_safe(NULL, &c)) {
		ret->names = calloc(HOOKS_MAX, sizeof(*ret->names));
		d = ret->names == NULL ? NULL : fdopendir(fd);
		if (d == NULL)
			complain(&c, NULL, strerror(errno));
		else
			collect(ret, d, &c);
	}
	if (d != NULL)
		(void)closedir(d);
	else
		(void)close(fd);
}

void
notify_dir_clear(struct notify_dir *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->names[i]);
	free(d->names);
	memset(d, 0, sizeof(*d));
}
