/* SPDX-License-Identifier: ISC */
/* A passphrase in memory that is never swapped, dumped or inherited. */
#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "resource_part.h"

/* One page, which a pipe takes at once: whoever writes it need not wait. */
#define SECRET_MAX PIPE_BUF

static void
forget(struct secret *s)
{
	if (s->p == NULL)
		return;
	explicit_bzero(s->p, s->len);
	(void)munmap(s->p, SECRET_MAX);
	memset(s, 0, sizeof(*s));
}

/* len 0 drops it. */
int
secret_set(struct secret *s, const void *p, size_t len)
{
	void *m;
	int rc;

	if (len > SECRET_MAX)
		return -EMSGSIZE;
	forget(s);
	if (len == 0)
		return 0;
	m = mmap(NULL, SECRET_MAX, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m == MAP_FAILED)
		return -errno;
	if (mlock(m, SECRET_MAX) == -1 ||
	    madvise(m, SECRET_MAX, MADV_DONTDUMP) == -1 ||
	    madvise(m, SECRET_MAX, MADV_WIPEONFORK) == -1) {
		rc = -errno;
		(void)munmap(m, SECRET_MAX);
		return rc;
	}
	memcpy(m, p, len);
	s->p = m;
	s->len = len;
	return 0;
}

int
secret_pipe(const struct secret *s)
{
	int fds[2], rc = 0;
	ssize_t n;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return -errno;
	n = write(fds[1], s->p, s->len);
	if (n != (ssize_t)s->len)
		rc = n == -1 ? -errno : -EIO;
	(void)close(fds[1]);
	if (rc == 0)
		return fds[0];
	(void)close(fds[0]);
	return rc;
}
