/* SPDX-License-Identifier: ISC */
/* The processes of a hook's group, found in /proc. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hook_group.h"

pid_t
hook_group_of(const char *pid)
{
	char path[64], text[512], state;
	long group, threads;
	const char *p;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	p = strrchr(text, ')'); /* the name before may have anything */
	if (p == NULL ||
	    sscanf(p + 1,
		" %c %*d %ld %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
		"%*d %*d %ld",
		&state, &group, &threads) != 3)
		return -1;
	/* The first thread may have ended before the others. */
	if ((state == 'Z' || state == 'X') && threads <= 1)
		return -1;
	return (pid_t)group;
}

bool
hook_group_lives(pid_t group)
{
	const struct dirent *e;
	bool found = false;
	DIR *d;

	if (kill(-group, 0) == -1 && errno == ESRCH)
		return false;
	d = opendir("/proc");
	if (d == NULL)
		return true;
	while (!found && (e = readdir(d)) != NULL)
		found = isdigit((unsigned char)e->d_name[0]) &&
			hook_group_of(e->d_name) == group;
	(void)closedir(d);
	return found;
}
