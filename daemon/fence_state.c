/* SPDX-License-Identifier: ISC */
/* Files of the state directory; it is empty after a reboot. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fence_state.h"

#define PATH_LEN 1024

static void
path_of(char *ret, const struct fence_conf *c, const char *name)
{
	(void)snprintf(ret, PATH_LEN, "%s/%s", c->state, name);
}

int
fence_state_make(const struct fence_conf *c)
{
	struct stat st;

	if (mkdir(c->state, 0700) == -1 && errno != EEXIST)
		return -errno;
	if (stat(c->state, &st) == -1)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (st.st_uid != geteuid() || (st.st_mode & 022) != 0)
		return -EPERM;
	return 0;
}

/* A lock of the process: it goes with it, and the kernel knows its holder. */
static int
open_lock(const struct fence_conf *c, int flags)
{
	char path[PATH_LEN];

	path_of(path, c, "lock");
	return open(path, O_RDWR | O_CLOEXEC | flags, 0600);
}

int
fence_state_lock(const struct fence_conf *c)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open_lock(c, O_CREAT);

	if (fd == -1 || fcntl(fd, F_SETLK, &l) == -1)
		return -errno;
	return 0; /* never closed: closing would release it */
}

/* Closing any descriptor of the file does it. */
void
fence_state_unlock(const struct fence_conf *c)
{
	int fd = open_lock(c, 0);

	if (fd != -1)
		(void)close(fd);
}

pid_t
fence_state_keeper(const struct fence_conf *c)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open_lock(c, 0);
	pid_t pid = 0;

	if (fd == -1)
		return 0;
	if (fcntl(fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK)
		pid = l.l_pid > 0 ? l.l_pid : -1; /* of another namespace */
	(void)close(fd);
	return pid;
}

/* Time of the keeper's clock, which only a reboot sets back. */
void
fence_state_beat(const struct fence_conf *c, uint64_t now)
{
	char path[PATH_LEN];
	int fd;

	path_of(path, c, "beat");
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1)
		return;
	(void)!pwrite(fd, &now, sizeof(now), 0);
	(void)close(fd);
}

uint64_t
fence_state_last_beat(const struct fence_conf *c)
{
	char path[PATH_LEN];
	uint64_t when = 0;
	int fd;

	path_of(path, c, "beat");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return 0;
	if (pread(fd, &when, sizeof(when), 0) != sizeof(when))
		when = 0;
	(void)close(fd);
	return when;
}

/* The directory is root's alone, and so are names with passwords in it. */
static int
write_file(const struct fence_conf *c, const char *name, char *const *lines,
    unsigned n)
{
	char path[PATH_LEN], new[PATH_LEN];
	FILE *f;
	int fd, rc = 0;

	path_of(path, c, name);
	path_of(new, c, "new");
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1)
		return -errno;
	f = fdopen(fd, "w");
	if (f == NULL) {
		rc = -errno;
		(void)close(fd);
		return rc;
	}
	for (unsigned i = 0; i < n; i++)
		(void)fprintf(f, "%s\n", lines[i]);
	if (ferror(f))
		rc = -EIO;
	if (fclose(f) != 0)
		rc = -errno;
	if (rc == 0 && rename(new, path) == -1)
		rc = -errno;
	return rc;
}

int
fence_state_write_disks(const struct fence_conf *c)
{
	return write_file(c, "disks", c->disks, c->ndisks);
}

int
fence_state_read_disks(struct fence_conf *c)
{
	char path[PATH_LEN], line[1024];
	FILE *f;
	int rc = 0;

	path_of(path, c, "disks");
	f = fopen(path, "re");
	if (f == NULL)
		return errno == ENOENT ? 0 : -errno;
	while (rc == 0 && fgets(line, sizeof(line), f) != NULL)
		rc = fence_conf_add(c, line);
	(void)fclose(f);
	return rc == 0 ? 0 : -EINVAL;
}

bool
fence_state_has_disks(const struct fence_conf *c)
{
	char path[PATH_LEN];

	path_of(path, c, "disks");
	return access(path, F_OK) == 0;
}

int
fence_state_forget_disks(const struct fence_conf *c)
{
	char path[PATH_LEN];

	path_of(path, c, "disks");
	return unlink(path) == 0 || errno == ENOENT ? 0 : -errno;
}

int
fence_state_write_loss(const struct fence_conf *c, const char *why)
{
	char *copy = strdup(why);
	int rc = -ENOMEM;

	if (copy != NULL)
		rc = write_file(c, "loss", &copy, 1);
	free(copy);
	return rc;
}

void
fence_state_read_loss(const struct fence_conf *c, char *ret, size_t len)
{
	char path[PATH_LEN];
	FILE *f;

	ret[0] = '\0';
	path_of(path, c, "loss");
	f = fopen(path, "re");
	if (f == NULL)
		return;
	if (fgets(ret, (int)len, f) == NULL)
		ret[0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	(void)fclose(f);
}
