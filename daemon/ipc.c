/* SPDX-License-Identifier: ISC */
/* What supervisor and engine say to each other, on a socket pair. */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc.h"

#define WRAP_MAX ((off_t)64 << 20)
#define SEALS	 (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

#define ROOM	 (4 * 1024 * 1024) /* some 5000 messages that wait */

int
ipc_pair(int ret[2])
{
	const int size = ROOM;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, ret) == -1)
		return -errno;
	/* Else the engine has to queue what thousands of hosts have to say. */
	for (int i = 0; i < 2; i++)
		if (setsockopt(ret[i], SOL_SOCKET, SO_SNDBUFFORCE, &size,
			sizeof(size)) == -1)
			(void)setsockopt(
			    ret[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int
ipc_send(int fd, const struct ipc_msg *m, int attach)
{
	union control c = { 0 };
	struct iovec iov = { (void *)(uintptr_t)m, sizeof(*m) };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *h;

	if (attach != -1) {
		mh.msg_control = c.bytes;
		mh.msg_controllen = sizeof(c.bytes);
		h = CMSG_FIRSTHDR(&mh);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &attach, sizeof(int));
	}
	if (sendmsg(fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT) == -1)
		return -errno;
	return 0;
}

static int
attached(struct msghdr *mh)
{
	struct cmsghdr *h;
	int fd = -1;

	for (h = CMSG_FIRSTHDR(mh); h != NULL; h = CMSG_NXTHDR(mh, h))
		if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS &&
		    h->cmsg_len == CMSG_LEN(sizeof(int)))
			memcpy(&fd, CMSG_DATA(h), sizeof(int));
	return fd;
}

static bool
ends(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool
sound_order(const struct resource_order *o)
{
	return o->phase < NPHASES && o->up <= 1 && o->mode <= MODE_FORCED &&
	       o->peer <= PEER_DEAD && o->critical <= 2 &&
	       ends(o->cause, sizeof(o->cause));
}

static bool
sound_report(const struct resource_report *r)
{
	return r->index < CONF_RESOURCE_MAX && r->verb <= VERB_VERIFY &&
	       r->state <= RES_FAILED && r->exit <= HOOK_NOT_RUN &&
	       r->lost <= 1 && r->phase < NPHASES &&
	       ends(r->name, sizeof(r->name)) && ends(r->text, sizeof(r->text));
}

static bool
sound_done(const struct resource_done *d)
{
	return d->ok <= 1 && d->peer_alive <= 1 && d->fenced <= 1 &&
	       d->hard <= 1 && ends(d->text, sizeof(d->text));
}

static bool
sound_resource(const struct ipc_msg *m)
{
	switch (m->type) {
	case IPC_ORDER:
		return sound_order(&m->order);
	case IPC_REPORT:
		return sound_report(&m->report);
	case IPC_DONE:
		return sound_done(&m->done);
	default:
		return true;
	}
}

/* Types, states and strings as they can be: the rest needs no more checks. */
static bool
sound(const struct ipc_msg *m)
{
	const struct instance_note *n = &m->note;

	if (m->type == 0 || m->type >= IPC_NTYPES || m->on > 1)
		return false;
	if (!ends(m->text, sizeof(m->text)) ||
	    !ends(n->ifname, sizeof(n->ifname)) || !sound_resource(m))
		return false;
	return (unsigned)n->from <= CARP_MASTER &&
	       (unsigned)n->to <= CARP_MASTER &&
	       (unsigned)n->cause < CARP_NCAUSES;
}

int
ipc_recv(int fd, struct ipc_msg *ret, int *attach)
{
	union control c;
	struct iovec iov = { ret, sizeof(*ret) };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	memset(ret, 0, sizeof(*ret));
	mh.msg_control = c.bytes;
	mh.msg_controllen = sizeof(c.bytes);
	*attach = -1;
	n = recvmsg(fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n == -1 && errno == ECONNRESET) /* its last words may follow */
		n = recvmsg(fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n == -1)
		return errno == ECONNRESET ? 0 : -errno;
	if (n == 0)
		return 0;
	*attach = attached(&mh);
	if (n != sizeof(*ret) || (mh.msg_flags & MSG_TRUNC) || !sound(ret)) {
		if (*attach != -1)
			(void)close(*attach);
		*attach = -1;
		return -EPROTO;
	}
	return 1;
}

static int
write_all(int fd, const char *p, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n == -1)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
ipc_wrap(const void *p, size_t len)
{
	int fd, rc;

	fd = memfd_create("carpd", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1)
		return -errno;
	rc = write_all(fd, p, len);
	if (rc == 0 && fcntl(fd, F_ADD_SEALS, SEALS) == -1)
		rc = -errno;
	if (rc == 0)
		return fd;
	(void)close(fd);
	return rc;
}

static int
read_all(int fd, char *p, size_t len)
{
	off_t at = 0;
	ssize_t n;

	while (len > 0) {
		n = pread(fd, p, len, at);
		if (n <= 0)
			return n == 0 ? -EPROTO : -errno;
		p += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int
ipc_unwrap(int fd, void **ret, size_t *len)
{
	struct stat st;
	char *p = NULL;
	int rc;

	if (fd < 0)
		return -EPROTO;
	if (fstat(fd, &st) == -1) {
		rc = -errno;
	} else if (st.st_size > WRAP_MAX ||
		   (fcntl(fd, F_GET_SEALS) & SEALS) != SEALS) {
		rc = -EPROTO;
	} else if ((p = malloc((size_t)st.st_size + 1)) == NULL) {
		rc = -ENOMEM;
	} else {
		rc = read_all(fd, p, (size_t)st.st_size);
		p[st.st_size] = '\0';
	}
	(void)close(fd);
	if (rc < 0) {
		free(p);
		return rc;
	}
	*ret = p;
	*len = (size_t)st.st_size;
	return 0;
}

#define BEAT_MS	     200 /* 2 s; a silent master holds for 3 s or more */
#define BEAT_FAST_MS 20	 /* where intervals are below a second */

unsigned
ipc_beat_ms(const struct conf *conf)
{
	const struct conf_host *h = conf_hosts(conf);

	for (uint32_t i = 0; i < conf->nhosts; i++)
		if (h[i].carp.advbase == 0)
			return BEAT_FAST_MS;
	return BEAT_MS;
}
