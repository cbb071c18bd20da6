/* SPDX-License-Identifier: ISC */
/* Reads what carp-fence is told, and finds the disks that are meant. */
#include <sys/stat.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fence_conf.h"
#include "fence_disk.h"
#include "fence_exit.h"

#define MACHINE_ID	"/etc/machine-id"
#define INITIATOR	"/etc/iscsi/initiatorname.iscsi"
#define URL		"iscsi://"
#define URL_LEN		(sizeof(URL) - 1)
#define URL_MAX		255 /* libiscsi cuts off the rest without a word */

/*
 * A living peer moves its key once in each interval: so within 2.6 of them two
 * moves are seen, or one that comes an interval and a half late.
 */
#define WATCH_INTERVALS 2.6

static int fail(struct fence_conf *c, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int
fail(struct fence_conf *c, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
	return code;
}

int
fence_conf_seconds(uint64_t *ret, const char *text)
{
	char *end;
	double s;

	if (!isdigit((unsigned char)text[0]) && text[0] != '.')
		return -EINVAL;
	s = strtod(text, &end);
	if (*end != '\0' || !isfinite(s) || s > 3600)
		return -EINVAL;
	*ret = (uint64_t)(s * 1e9 + 0.5);
	return 0;
}

int
fence_conf_id(uint32_t *ret, const char *text)
{
	unsigned long long x = 0;
	size_t n;

	if (strncmp(text, "0x", 2) == 0)
		text += 2;
	n = strspn(text, "0123456789abcdefABCDEF");
	if (n == 0 || n > 8 || text[n] != '\0')
		return -EINVAL;
	x = strtoull(text, NULL, 16);
	if (x == 0)
		return -EINVAL;
	*ret = (uint32_t)x;
	return 0;
}

/*
 * libiscsi ends the user at the first @, and his password may have any
 * character, even if that makes it useless.
 */
void
fence_conf_label(char *ret, size_t len, const char *name)
{
	const char *rest =
	    strncmp(name, URL, URL_LEN) == 0 ? name + URL_LEN : name;
	const char *at = name[0] != '/' ? strrchr(rest, '@') : NULL;
	int prefix = (int)(rest - name);

	if (at != NULL && memchr(rest, '?', (size_t)(at - rest)) != NULL)
		(void)snprintf(ret, len, "%.*s...", prefix, name);
	else if (at != NULL)
		rest = at + 1;
	if (at == NULL || rest == at + 1)
		(void)snprintf(ret, len, "%.*s%.*s", prefix, name,
		    prefix > 0 ? (int)strcspn(rest, "?") : FENCE_NAME_MAX,
		    rest);
}

/* TARGET/LUN of a URL; NULL if it is none. */
static const char *
target_of(const char *name)
{
	const char *at, *slash;

	if (strncmp(name, URL, URL_LEN) != 0)
		return NULL;
	at = strchr(name, '@');
	slash = strchr(at != NULL ? at : name + URL_LEN, '/');
	return slash != NULL ? slash + 1 : NULL;
}

/* Names of targets are unique in the world, whatever the way to them. */
bool
fence_conf_same_unit(const char *a, const char *b)
{
	const char *x = target_of(a), *y = target_of(b);
	size_t n = x != NULL ? strcspn(x, "/") : 0;

	return x != NULL && y != NULL && strcspn(y, "/") == n && x[n] == '/' &&
	       y[n] == '/' && strncasecmp(x, y, n) == 0 &&
	       strtol(x + n + 1, NULL, 10) == strtol(y + n + 1, NULL, 10);
}

/* A variable of seconds between two bounds. */
static int
seconds(struct fence_conf *c, uint64_t *ret, const char *name,
    uint64_t least_ms, uint64_t most_ms)
{
	const char *text = getenv(name);
	uint64_t ns;

	if (text == NULL)
		return 0;
	if (fence_conf_seconds(&ns, text) != 0 ||
	    ns < least_ms * FENCE_NS_PER_MS || ns > most_ms * FENCE_NS_PER_MS)
		return fail(c, EXIT_PARAMETER,
		    "%s=%s: write seconds from %g to %g", name, text,
		    (double)least_ms / 1e3, (double)most_ms / 1e3);
	*ret = ns;
	return 0;
}

static int
times(struct fence_conf *c)
{
	uint64_t limit = 10 * FENCE_NS_PER_S;
	int rc;

	c->interval = 250 * FENCE_NS_PER_MS;
	c->timeout = FENCE_NS_PER_S;
	c->loss = 3 * FENCE_NS_PER_S;
	rc = seconds(c, &c->interval, "INTERVAL", 50, 10000);
	c->watch = (uint64_t)((double)c->interval * WATCH_INTERVALS);
	if (rc == 0)
		rc = seconds(c, &c->watch, "WATCH", 50, 60000);
	if (rc == 0)
		rc = seconds(c, &c->timeout, "TIMEOUT", 50, 60000);
	if (rc == 0)
		rc = seconds(c, &c->loss, "LOSS", 200, 600000);
	if (rc == 0)
		rc = seconds(c, &limit, "CARPD_TIMEOUT", 100, 3600000);
	if (rc == 0 && c->loss < 2 * c->interval)
		rc = fail(c, EXIT_PARAMETER,
		    "LOSS: is shorter than two "
		    "INTERVALs: write %g or more",
		    2 * (double)c->interval / 1e9);
	/* Time is left to undo what has been begun, and to say why. */
	c->deadline = fence_now() + limit / 10 * 8;
	c->grace = limit / 10;
	return rc;
}

/* First line of a file behind a prefix, without its newline. */
static int
line(char *ret, size_t len, const char *path, const char *prefix)
{
	FILE *f = fopen(path, "re");
	char text[512];
	int rc = -ENOENT;

	if (f == NULL)
		return -errno;
	while (rc != 0 && fgets(text, sizeof(text), f) != NULL) {
		text[strcspn(text, "\r\n")] = '\0';
		if (strncmp(text, prefix, strlen(prefix)) != 0)
			continue;
		(void)snprintf(ret, len, "%s", text + strlen(prefix));
		rc = 0;
	}
	(void)fclose(f);
	return rc;
}

static int
identity(struct fence_conf *c)
{
	const char *key = getenv("KEY");
	char text[512] = "";

	if (key != NULL) {
		if (fence_conf_id(&c->id, key) != 0)
			return fail(c, EXIT_PARAMETER,
			    "KEY=%s: write 1 to 8 hexadecimal digits, not 0, "
			    "others than the other node has",
			    key);
		return 0;
	}
	if (line(text, sizeof(text), MACHINE_ID, "") == 0) {
		text[8] = '\0';
		if (fence_conf_id(&c->id, text) == 0)
			return 0;
	}
	return fail(c, EXIT_PARAMETER,
	    "KEY: not set, and " MACHINE_ID " does not begin with "
	    "8 hexadecimal digits other than 0: set KEY");
}

static void
initiator(struct fence_conf *c)
{
	const char *name = getenv("INITIATOR");

	if (name != NULL)
		(void)snprintf(c->initiator, sizeof(c->initiator), "%s", name);
	else if (line(c->initiator, sizeof(c->initiator), INITIATOR,
		     "InitiatorName=") != 0)
		(void)snprintf(c->initiator, sizeof(c->initiator),
		    "iqn.2000-01.invalid.carp-fence:%08x", (unsigned)c->id);
}

static int
peer(struct fence_conf *c)
{
	const char *text = getenv("CARPD_PEER");

	if (text == NULL || strcmp(text, "unclear") == 0)
		c->forced = false;
	else if (strcmp(text, "passive") == 0 || strcmp(text, "dead") == 0)
		c->forced = true;
	else
		return fail(c, EXIT_PARAMETER,
		    "CARPD_PEER=%s: is passive, dead or unclear", text);
	return 0;
}

static int
numbers(struct fence_conf *c)
{
	const char *text = getenv("MISSING");
	char *end;
	long n = 0;

	if (text != NULL) {
		n = strtol(text, &end, 10);
		if (*end != '\0' || end == text || n < 0 || n > FENCE_DISKS_MAX)
			return fail(c, EXIT_PARAMETER,
			    "MISSING=%s: write how many disks may be absent",
			    text);
	}
	c->missing = (unsigned)n;
	text = getenv("CARPD_ALIVE_FD");
	c->alive = -1;
	if (text == NULL)
		return 0;
	n = strtol(text, &end, 10);
	if (*end != '\0' || n < 3 || n > 65535 || fcntl((int)n, F_GETFD) == -1)
		return fail(c, EXIT_PARAMETER,
		    "CARPD_ALIVE_FD=%s: is no open descriptor", text);
	c->alive = (int)n;
	return 0;
}

int
fence_conf_read(struct fence_conf *c)
{
	const char *state = getenv("CARPD_STATE"), *node = getenv("CARPD_NODE");
	int rc;

	memset(c, 0, sizeof(*c));
	c->state = state != NULL ? state : FENCE_STATE;
	c->node = node != NULL ? node : "this node";
	rc = times(c);
	if (rc == 0)
		rc = identity(c);
	if (rc == 0)
		rc = peer(c);
	if (rc == 0)
		rc = numbers(c);
	initiator(c);
	return rc;
}

static int
add(struct fence_conf *c, const char *name)
{
	char label[FENCE_NAME_MAX];

	fence_conf_label(label, sizeof(label), name);
	if (strlen(name) >= FENCE_NAME_MAX)
		return fail(c, EXIT_PARAMETER, "DISKS: %s: too long", label);
	if (c->ndisks == FENCE_DISKS_MAX)
		return fail(c, EXIT_PARAMETER, "DISKS: more than %u disks",
		    FENCE_DISKS_MAX);
	if (c->disks == NULL)
		c->disks = calloc(FENCE_DISKS_MAX, sizeof(*c->disks));
	if (c->disks != NULL)
		c->disks[c->ndisks] = strdup(name);
	if (c->disks == NULL || c->disks[c->ndisks] == NULL)
		return fail(c, EXIT_FAILED, "no memory");
	c->ndisks++;
	return 0;
}

/* udev names partitions NAME-partN: reservations are of whole disks. */
static bool
is_partition(const char *path)
{
	const char *p = strrchr(path, '-');

	return p != NULL && strncmp(p, "-part", 5) == 0 &&
	       isdigit((unsigned char)p[5]);
}

static int
add_pattern(struct fence_conf *c, const char *pattern)
{
	glob_t g;
	unsigned n = 0;
	int rc = 0;

	if (glob(pattern, GLOB_NOSORT, NULL, &g) != 0)
		return fail(c, EXIT_FAILED,
		    "DISKS: %s: there is no such disk now", pattern);
	for (size_t i = 0; rc == 0 && i < g.gl_pathc; i++) {
		if (is_partition(g.gl_pathv[i]))
			continue;
		rc = add(c, g.gl_pathv[i]);
		n++;
	}
	globfree(&g);
	if (rc == 0 && n == 0)
		return fail(c, EXIT_FAILED,
		    "DISKS: %s: there are only partitions", pattern);
	return rc;
}

static int
add_word(struct fence_conf *c, const char *word)
{
	char label[FENCE_NAME_MAX];

	fence_conf_label(label, sizeof(label), word);
	if (strncmp(word, URL, URL_LEN) == 0 &&
	    strlen(word + URL_LEN) > URL_MAX)
		return fail(c, EXIT_PARAMETER,
		    "DISKS: %s: the URL is longer than %d characters", label,
		    URL_MAX);
	if (strncmp(word, URL, URL_LEN) == 0)
		return add(c, word);
	if (word[0] != '/')
		return fail(c, EXIT_PARAMETER,
		    "DISKS: %s: write a path like /dev/disk/by-id/wwn-0x..., a "
		    "pattern or a URL iscsi://HOST/TARGET/LUN",
		    label);
	if (strpbrk(word, "*?[") != NULL)
		return add_pattern(c, word);
	return add(c, word);
}

int
fence_conf_add(struct fence_conf *c, const char *words)
{
	char *copy = strdup(words), *word, *rest;
	int rc = 0;

	if (copy == NULL)
		return fail(c, EXIT_FAILED, "no memory");
	for (word = strtok_r(copy, " \t\n", &rest); rc == 0 && word != NULL;
	     word = strtok_r(NULL, " \t\n", &rest))
		rc = add_word(c, word);
	free(copy);
	return rc;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Two names of one disk: they would throw each other out. */
static bool
same(const char *a, const char *b)
{
	struct stat x, y;

	if (strcmp(a, b) == 0 || fence_conf_same_unit(a, b))
		return true;
	return stat(a, &x) == 0 && stat(b, &y) == 0 && S_ISBLK(x.st_mode) &&
	       S_ISBLK(y.st_mode) && x.st_rdev == y.st_rdev;
}

static bool
is_known(const struct fence_conf *c, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++) {
		if (same(c->disks[i], name))
			return true;
	}
	return false;
}

int
fence_conf_missing(struct fence_conf *c, unsigned kept)
{
	char label[FENCE_NAME_MAX];

	for (unsigned i = kept; i < c->ndisks; i++) {
		if (is_known(c, kept, c->disks[i]))
			continue;
		fence_conf_label(label, sizeof(label), c->disks[i]);
		return fail(c, EXIT_FAILED,
		    "%s: was named after the fence was started, and is not "
		    "fenced: stop it, then start it",
		    label);
	}
	return 0;
}

/* In one order on all nodes: whoever has the first one has won. */
int
fence_conf_check(struct fence_conf *c)
{
	unsigned n = 0;

	if (c->ndisks == 0)
		return fail(
		    c, EXIT_PARAMETER, "DISKS: not set: name the shared disks");
	qsort(c->disks, c->ndisks, sizeof(*c->disks), by_name);
	for (unsigned i = 0; i < c->ndisks; i++) {
		if (is_known(c, n, c->disks[i]))
			free(c->disks[i]);
		else
			c->disks[n++] = c->disks[i];
	}
	c->ndisks = n;
	if (c->missing > 0 && 2 * c->missing >= n)
		return fail(c, EXIT_PARAMETER,
		    "MISSING=%u: of %u disks less than half may be absent, "
		    "else two nodes could have half of them each",
		    c->missing, n);
	return 0;
}

void
fence_conf_free(struct fence_conf *c)
{
	for (unsigned i = 0; i < c->ndisks; i++)
		free(c->disks[i]);
	free(c->disks);
	c->disks = NULL;
	c->ndisks = 0;
}
