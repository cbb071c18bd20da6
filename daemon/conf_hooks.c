/* SPDX-License-Identifier: ISC */
/* The programs that a configuration names: there, and only root's to change. */
#include <sys/stat.h>

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "conf.h"
#include "conf_hooks.h"
#include "hook_file.h"

const char *const conf_hook_dirs[2] = { "/etc/carpd/hooks", CARP_HOOK_DIR };

/* Who can write it is root. */
static const char *
unsafe(const struct stat *st)
{
	if (st->st_uid != 0)
		return "does not belong to root; run chown root on it, and "
		       "look at what it does";
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "can be written by others than root; run chmod go-w on "
		       "it, and look at what it does";
	return NULL;
}

/* Why a program cannot be run, as a predicate with what to do; or NULL. */
static const char *
unfit(const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return errno == ENOENT || errno == ENOTDIR
			   ? "does not exist; install it"
			   : "cannot be looked at; check its path";
	if (!S_ISREG(st.st_mode))
		return "is no regular file; name a program";
	if ((st.st_mode & S_IXUSR) == 0)
		return "is not executable; run chmod +x on it";
	return unsafe(&st);
}

static void say(const struct conf *c, FILE *out, uint32_t line, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));

static void
say(const struct conf *c, FILE *out, uint32_t line, const char *fmt, ...)
{
	va_list ap;

	if (out == NULL)
		return;
	fprintf(out, "%s:%u: ", c->file, line);
	va_start(ap, fmt);
	vfprintf(out, fmt, ap);
	va_end(ap);
	fputc('\n', out);
}

/* Why something else may be put in its place; or NULL. */
static const char *
replaceable(const char *path)
{
	static char why[512];

	return hook_file_way(path, why, sizeof(why)) == -EACCES ? why : NULL;
}

/* The first that is there counts, as when it is run. */
static bool
check_hook(const struct conf *c, const struct conf_resource *r,
    const char *const dirs[2], FILE *out)
{
	const char *hook = conf_text(c, r->hook), *why;
	char path[2 * CONF_PATH_MAX];
	struct stat st;
	unsigned i;

	for (i = 0; i < 2; i++) {
		const char *dir = dirs[i];

		(void)snprintf(path, sizeof(path), "%s/%s", dir, hook);
		if (stat(path, &st) == -1)
			continue;
		if ((why = unfit(path)) != NULL)
			say(c, out, r->line, "hook %s of %s %s", path, r->name,
			    why);
		else if (stat(dir, &st) == 0 && (why = unsafe(&st)) != NULL)
			say(c, out, r->line, "directory %s of hook %s %s", dir,
			    hook, why);
		else if ((why = replaceable(path)) != NULL)
			say(c, out, r->line, "hook %s of %s: %s", path, r->name,
			    why);
		return why == NULL;
	}
	say(c, out, r->line,
	    "hook %s of %s is neither in %s nor in %s; put it there, or "
	    "correct its name",
	    hook, r->name, dirs[0], dirs[1]);
	return false;
}

enum conf_result
conf_check_hooks(const struct conf *c, const char *const dirs[2], FILE *out)
{
	const char *resort = conf_text(c, c->failover.last_resort), *why;
	const struct conf_resource *r = conf_resources(c);
	enum conf_result ret = CONF_OK;
	const char *colon = ":";
	uint32_t i;

	for (i = 0; i < c->failover.nresources; i++)
		if (r[i].none == 0 && !check_hook(c, &r[i], dirs, out))
			ret = CONF_MACHINE;
	if (resort[0] == '\0')
		return ret;
	if ((why = unfit(resort)) != NULL)
		colon = "";
	else if ((why = replaceable(resort)) == NULL)
		return ret;
	if (out != NULL)
		fprintf(out, "%s: last-resort %s%s %s\n", c->file, resort,
		    colon, why);
	return CONF_MACHINE;
}
