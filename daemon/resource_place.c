/* SPDX-License-Identifier: ISC */
/*
 * CARPD_STATE, and the note beside it that a carpd leaves which dies: whether
 * storage may be here because of us, and which hook was running.
 *
 * All of it is below /run, and gone with the boot that it speaks of.
 */
#include <sys/stat.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <carp/engine.h>

#include "hook_file.h"
#include "hook_group.h"
#include "log.h"
#include "resource_part.h"

#define NOTES	  ".notes" /* no name of a resource */
#define NOTE_MAX  128
#define ENV_MAX	  65536
#define NS_PER_MS (CARP_SEC / 1000)

int
place_state(char *ret, size_t size, const struct part *t)
{
	const char *name = part_item(t)->name;

	if (!hook_file_name_ok(name))
		return -EINVAL;
	if ((size_t)snprintf(ret, size, "%s/%s", t->all->places.state, name) >=
	    size)
		return -ENAMETOOLONG;
	return 0;
}

static int
note_path(char *ret, size_t size, const struct part *t, const char *end)
{
	int n = snprintf(ret, size, "%s/" NOTES "/%s%s", t->all->places.state,
	    part_item(t)->name, end);

	return (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* Ours, and nobody else's. */
static int
make_dir(const char *path)
{
	struct stat st;

	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		return -errno;
	if (lstat(path, &st) == -1)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	return hook_file_unsafe(&st) == NULL ? 0 : -EPERM;
}

static int
make_parents(const struct part *t)
{
	char path[PATH_MAX];
	int rc;

	rc = make_dir(t->all->places.state);
	if (rc == 0 && (size_t)snprintf(path, sizeof(path), "%s/" NOTES,
			   t->all->places.state) >= sizeof(path))
		rc = -ENAMETOOLONG;
	return rc < 0 ? rc : make_dir(path);
}

int
place_make(const struct part *t, char *why, size_t len)
{
	char path[PATH_MAX] = "";
	int rc;

	rc = make_parents(t);
	if (rc == 0)
		rc = place_state(path, sizeof(path), t);
	if (rc == 0)
		rc = make_dir(path);
	if (rc < 0)
		(void)snprintf(why, len, "%s: %s",
		    path[0] != '\0' ? path : t->all->places.state,
		    strerror(-rc));
	return rc;
}

static pid_t
in_flight(const struct part *t)
{
	const struct plan_item *it = part_item(t);

	if (t->run == NULL || it->verb > VERB_STOP)
		return 0;
	return hook_run_pid(t->run);
}

/* "taken group verb limit", whole or not at all. */
static int
write_note(const char *path, const char *tmp, const char *text, size_t len)
{
	ssize_t n;
	int fd;

	fd = open(
	    tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return -errno;
	n = write(fd, text, len);
	(void)close(fd);
	if (n != (ssize_t)len)
		return n == -1 ? -errno : -EIO;
	return rename(tmp, path) == -1 ? -errno : 0;
}

int
place_record(const struct part *t)
{
	const struct plan_item *it = part_item(t);
	char path[PATH_MAX], tmp[PATH_MAX], text[NOTE_MAX];
	int n, rc;

	rc = make_parents(t);
	if (rc == 0)
		rc = note_path(path, sizeof(path), t, "");
	if (rc == 0)
		rc = note_path(tmp, sizeof(tmp), t, "~");
	if (rc < 0)
		return rc;
	n = snprintf(text, sizeof(text), "%d %ld %d %u\n", it->taken,
	    (long)in_flight(t), (int)it->verb, t->limit_ms[it->verb]);
	return write_note(path, tmp, text, (size_t)n);
}

static bool
read_note(const struct part *t, char text[NOTE_MAX])
{
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	if (note_path(path, sizeof(path), t, "") < 0)
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return false;
	n = read(fd, text, NOTE_MAX - 1);
	(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	return true;
}

/*
 * A start or a stop that a dead carpd had begun counts as if it were ours, by
 * its group, until it has ended.
 */
void
place_recall(struct part *t)
{
	struct plan_item *it = part_item(t);
	char text[NOTE_MAX];
	unsigned limit = 0;
	int taken = 1, verb = 0;
	long group = 0;

	if (!read_note(t, text))
		return;
	if (sscanf(text, "%d %ld %d %u", &taken, &group, &verb, &limit) != 4)
		log_line(LOG_WARNING,
		    "%s %s: the note of the carpd before "
		    "cannot be read: taking it for started",
		    words_phase(it->phase), it->name);
	it->taken = taken != 0 && it->phase == PHASE_STORAGE;
	if (group <= 1 || verb < VERB_START || verb > VERB_STOP)
		return;
	t->left = (pid_t)group;
	if (!place_left(t)) {
		t->left = 0;
		return;
	}
	it->running = it->ordered = true;
	it->verb = (enum resource_verb)verb;
	it->before = RES_UNKNOWN;
	it->was_taken = it->taken;
	it->state = verb == VERB_START ? RES_STARTING : RES_STOPPING;
	/* A way down may end, a way up may not. */
	t->left_until = verb == VERB_START ? 0 : carp_now() + limit * NS_PER_MS;
}

/*
 * What has been left, found in /proc.  A group's number is not given away
 * while one of it lives, but it may be another group by now.
 */

static bool
has_word(const char *text, size_t len, const char *word)
{
	size_t n = strlen(word) + 1;

	for (const char *p = text; len >= n;) {
		const char *end = memchr(p, '\0', len);

		if (end == NULL)
			break;
		if (strcmp(p, word) == 0)
			return true;
		len -= (size_t)(end + 1 - p);
		p = end + 1;
	}
	return false;
}

static bool
belongs(const char *pid, const char *word)
{
	char path[64], *text;
	bool yes = false;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%.16s/environ", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	text = malloc(ENV_MAX);
	if (fd != -1 && text != NULL) {
		n = read(fd, text, ENV_MAX);
		yes = n > 0 && has_word(text, (size_t)n, word);
	}
	if (fd != -1)
		(void)close(fd);
	free(text);
	return yes;
}

bool
place_left(const struct part *t)
{
	char word[CONF_RESOURCE_LEN + 32];
	const struct dirent *e;
	bool found = false;
	DIR *d;

	(void)snprintf(
	    word, sizeof(word), "CARPD_RESOURCE=%s", part_item(t)->name);
	d = opendir("/proc");
	if (d == NULL)
		return false;
	while (!found && (e = readdir(d)) != NULL)
		found = isdigit((unsigned char)e->d_name[0]) &&
			hook_group_of(e->d_name) == t->left &&
			belongs(e->d_name, word);
	(void)closedir(d);
	return found;
}
