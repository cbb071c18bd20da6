/* SPDX-License-Identifier: ISC */
/* Reading the configuration again: whole, checked, and only if it changed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reload.h"

/* What is fixed when the process starts. */
static bool
fixed_differs(
    const struct conf *a, const struct conf *b, const char *file, FILE *out)
{
	bool differs = false;

	if (strcmp(a->user, b->user) != 0) {
		fprintf(out,
		    "%s: user: \"%s\" takes a restart, not a reload "
		    "(running with \"%s\")\n",
		    file, b->user, a->user);
		differs = true;
	}
	if (strcmp(a->group, b->group) != 0) {
		fprintf(out,
		    "%s: group: \"%s\" takes a restart, not a reload "
		    "(running with \"%s\")\n",
		    file, b->group, a->group);
		differs = true;
	}
	if (a->realtime != b->realtime) {
		fprintf(out,
		    "%s: realtime: \"%s\" takes a restart, not a reload "
		    "(running with \"%s\")\n",
		    file, b->realtime ? "true" : "false",
		    a->realtime ? "true" : "false");
		differs = true;
	}
	return differs;
}

/* Against the machine as it is now: what was known at the start is old. */
static int
check(const struct conf *conf, FILE *out)
{
	struct vip *vip = NULL;
	int rc;

	rc = vip_new(&vip);
	if (rc < 0) {
		fprintf(out, "interfaces: %s\n", strerror(-rc));
		return rc;
	}
	rc = conf_check(conf, vip, NULL, out) == CONF_OK ? 0 : -EINVAL;
	vip_free(vip);
	return rc;
}

static int
read_checked(
    struct conf **ret, const char *file, const struct conf *running, FILE *out)
{
	struct conf *conf = NULL;
	int rc;

	if (conf_load(&conf, file, out) != CONF_OK)
		return -EINVAL;
	rc = fixed_differs(running, conf, file, out) ? -EINVAL
						     : check(conf, out);
	if (rc == 0 && !conf_equal(running, conf)) {
		*ret = conf;
		return 1;
	}
	free(conf);
	if (rc == 0)
		fprintf(out, "%s: nothing has changed\n", file);
	return rc;
}

int
reload_read(struct conf **ret, char **text, const char *file,
    const struct conf *running)
{
	struct conf *conf = NULL;
	size_t len;
	FILE *out;
	int rc;

	out = open_memstream(text, &len);
	if (out == NULL)
		return -errno;
	rc = read_checked(&conf, file, running, out);
	if (fclose(out) != 0) {
		free(conf);
		return -ENOMEM;
	}
	if (rc == 1)
		*ret = conf;
	return rc;
}
