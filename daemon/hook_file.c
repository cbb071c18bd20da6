/* SPDX-License-Identifier: ISC */
/* Which files may be run as hooks: by their names, and by who wrote them. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hook_file.h"

#define LINKS_MAX 40 /* of one path, as for the kernel */

static bool
ends(const char *name, const char *with)
{
	size_t n = strlen(name), m = strlen(with);

	return n > m && strcmp(name + n - m, with) == 0;
}

bool
hook_file_name_ok(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";

	if (name[0] == '\0' || name[0] == '.' || ends(name, ".bak"))
		return false;
	return strspn(name, letters) == strlen(name) &&
	       strstr(name, ".dpkg-") == NULL;
}

const char *
hook_file_unsafe(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "is not owned by root: refused";
	if (st->st_mode & S_IWOTH)
		return "is writable by others: refused; chmod go-w";
	if (st->st_mode & S_IWGRP)
		return "is writable by its group: refused; chmod go-w";
	return NULL;
}

const char *
hook_file_wrong(const struct stat *st)
{
	const char *why;

	if (!S_ISREG(st->st_mode))
		return "is no regular file: refused";
	why = hook_file_unsafe(st);
	if (why == NULL && !(st->st_mode & S_IXUSR))
		why = "is not executable: skipped; chmod +x";
	return why;
}

static int
refuse(char *why, size_t len, const char *path, const char *what)
{
	(void)snprintf(why, len, "%s %s", path, what);
	return -EACCES;
}

/* Whoever has the root directory has everything in it. */
static bool
is_trusted(uid_t uid)
{
	struct stat st;

	return uid == 0 || uid == geteuid() ||
	       (stat("/", &st) == 0 && st.st_uid == uid);
}

/* NULL, or why what is below this directory or link may be replaced. */
static const char *
way_wrong(const struct stat *st)
{
	if (!is_trusted(st->st_uid))
		return "is not owned by root: refused";
	/* In a sticky one nobody can rename what is root's. */
	if (S_ISDIR(st->st_mode) && (st->st_mode & (S_IWGRP | S_IWOTH)) != 0 &&
	    (st->st_mode & S_ISVTX) == 0)
		return "is writable by others: refused; chmod go-w";
	return NULL;
}

struct way {
	char at[PATH_MAX];   /* without links; "" is the root directory */
	char rest[PATH_MAX]; /* what comes behind it */
	unsigned links;
};

static int
way_begin(struct way *w, const char *path)
{
	char cwd[PATH_MAX] = "";
	int n;

	if (path[0] != '/' && getcwd(cwd, sizeof(cwd)) == NULL)
		return -errno;
	n = snprintf(w->rest, sizeof(w->rest), "%s/%s", cwd, path);
	w->at[0] = '\0';
	w->links = 0;
	return (size_t)n >= sizeof(w->rest) ? -ENAMETOOLONG : 0;
}

static void
way_up(struct way *w)
{
	char *slash = strrchr(w->at, '/');

	if (slash != NULL)
		*slash = '\0';
}

/* Into the next name.  False: there is none; -errno in rc if that is wrong. */
static bool
way_next(struct way *w, int *rc)
{
	const char *name = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(name, "/"), have = strlen(w->at);

	*rc = 0;
	if (len == 0)
		return false;
	if (len == 2 && memcmp(name, "..", 2) == 0) {
		way_up(w);
	} else if (len != 1 || name[0] != '.') {
		if (have + len + 2 > sizeof(w->at)) {
			*rc = -ENAMETOOLONG;
			return false;
		}
		w->at[have] = '/';
		memcpy(w->at + have + 1, name, len);
		w->at[have + 1 + len] = '\0';
	}
	memmove(w->rest, name + len, strlen(name + len) + 1);
	return true;
}

/* From the link there to where it leads. */
static int
way_follow(struct way *w)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t n;
	int len;

	if (++w->links > LINKS_MAX)
		return -ELOOP;
	n = readlink(w->at, target, sizeof(target) - 1);
	if (n == -1)
		return -errno;
	target[n] = '\0';
	memcpy(rest, w->rest, strlen(w->rest) + 1);
	len = snprintf(w->rest, sizeof(w->rest), "%s%s", target, rest);
	if ((size_t)len >= sizeof(w->rest))
		return -ENAMETOOLONG;
	if (target[0] == '/')
		w->at[0] = '\0';
	else
		way_up(w);
	return 0;
}

int
hook_file_way(const char *path, char *why, size_t len)
{
	const char *wrong;
	struct stat st;
	struct way w;
	int rc;

	rc = way_begin(&w, path);
	while (rc == 0) {
		const char *here = w.at[0] != '\0' ? w.at : "/";

		if (lstat(here, &st) == -1)
			return -errno;
		/* The end of the way is for the caller to look at. */
		if (!S_ISLNK(st.st_mode) &&
		    strspn(w.rest, "/") == strlen(w.rest))
			return 0;
		if ((wrong = way_wrong(&st)) != NULL)
			return refuse(why, len, here, wrong);
		if (S_ISLNK(st.st_mode) && (rc = way_follow(&w)) < 0)
			return rc;
		if (!way_next(&w, &rc))
			return rc;
	}
	return rc;
}

/* In one directory; -ENOENT: not there. */
static int
look(char *ret, size_t size, const char *dir, const char *name, char *why,
    size_t len)
{
	const char *wrong;
	struct stat st;
	int rc;

	if (stat(dir, &st) == -1)
		return -errno;
	if ((wrong = hook_file_unsafe(&st)) != NULL)
		return refuse(why, len, dir, wrong);
	if ((size_t)snprintf(ret, size, "%s/%s", dir, name) >= size)
		return -ENAMETOOLONG;
	if ((rc = hook_file_way(ret, why, len)) < 0)
		return rc;
	if (stat(ret, &st) == -1)
		return -errno;
	if ((wrong = hook_file_wrong(&st)) != NULL)
		return refuse(why, len, ret, wrong);
	return 0;
}

int
hook_file_find(char *ret, size_t size, const char *const *dirs, size_t ndirs,
    const char *name, char *why, size_t len)
{
	int rc = -ENOENT;
	size_t n;

	if (!hook_file_name_ok(name)) {
		(void)snprintf(why, len, "\"%s\" is no name of a hook", name);
		return -EINVAL;
	}
	why[0] = '\0';
	for (size_t i = 0; i < ndirs && rc == -ENOENT; i++)
		rc = look(ret, size, dirs[i], name, why, len);
	if (rc == -ENOENT) {
		n = (size_t)snprintf(why, len, "there is no hook %s", name);
		for (size_t i = 0; i < ndirs && n < len; i++)
			n += (size_t)snprintf(why + n, len - n, "%s%s",
			    i == 0 ? " in " : " nor in ", dirs[i]);
	} else if (rc < 0 && why[0] == '\0') {
		(void)snprintf(why, len, "hook %s: %s", name, strerror(-rc));
	}
	return rc;
}
