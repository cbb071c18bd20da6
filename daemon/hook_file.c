/* SPDX-License-Identifier: ISC */
/* Which files may be run as hooks: by their names, and by who wrote them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hook_file.h"

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

/* In one directory; -ENOENT: not there. */
static int
look(char *ret, size_t size, const char *dir, const char *name, char *why,
    size_t len)
{
	const char *wrong;
	struct stat st;

	if (stat(dir, &st) == -1)
		return -errno;
	if ((wrong = hook_file_unsafe(&st)) != NULL)
		return refuse(why, len, dir, wrong);
	if ((size_t)snprintf(ret, size, "%s/%s", dir, name) >= size)
		return -ENAMETOOLONG;
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
