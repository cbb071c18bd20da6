/* SPDX-License-Identifier: ISC */
/* A hook that writes when it began, to hook.ran beside its directory. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int
main(void)
{
	struct timespec ts;
	char path[512], line[64], *slash;
	ssize_t n;
	int fd, i;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	n = readlink("/proc/self/exe", path, sizeof(path) - 16);
	if (n < 0)
		return 1;
	path[n] = '\0';
	for (i = 0; i < 2; i++) {
		slash = strrchr(path, '/');
		if (slash == NULL)
			return 1;
		*slash = '\0';
	}
	(void)strcat(path, "/hook.ran");
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return 1;
	i = snprintf(line, sizeof(line), "%lld.%06ld\n", (long long)ts.tv_sec,
	    ts.tv_nsec / 1000);
	return write(fd, line, (size_t)i) == i ? 0 : 1;
}
