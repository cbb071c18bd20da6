/* SPDX-License-Identifier: ISC */
/* carp-held: does anything in this kernel hold a block device? */

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* As the exit statuses of a hook's `verify`. */
enum { NOT_HELD = 0, HELD = 1, USAGE = 2, UNKNOWN = 4 };

/*
 * A file system claims its device exclusively for as long as its superblock
 * lives, in whichever namespace it is mounted; so do device mapper, md and
 * swap.  Opening with O_EXCL asks for the same claim.
 */
static int
claim(const char *path)
{
	int fd;

	fd = open(path, O_RDWR | O_EXCL | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1 && (errno == EROFS || errno == EACCES || errno == EPERM))
		fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK);
	return fd;
}

static int
ask(const char *path)
{
	struct stat st;
	int fd, rc;

	if (stat(path, &st) == -1) {
		(void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return UNKNOWN;
	}
	if (!S_ISBLK(st.st_mode)) {
		(void)fprintf(stderr, "%s: not a block device\n", path);
		return USAGE;
	}
	if ((fd = claim(path)) != -1) {
		(void)close(fd);
		return NOT_HELD;
	}
	rc = errno == EBUSY ? HELD : UNKNOWN;
	(void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return rc;
}

int
main(int argc, char **argv)
{
	int rc, worst = NOT_HELD;

	if (argc < 2) {
		(void)fprintf(stderr, "usage: carp-held DEVICE...\n");
		return USAGE;
	}
	/* One that is held is the answer, whatever is not known of others. */
	for (int i = 1; i < argc; i++) {
		rc = ask(argv[i]);
		if (worst == NOT_HELD || rc == HELD)
			worst = rc;
	}
	return worst;
}
