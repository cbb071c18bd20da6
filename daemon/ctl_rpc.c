/* SPDX-License-Identifier: ISC */
/* A client of carpd's control socket: connect, ask, wait for the answer. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <err.h>
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl_rpc.h"

#define ANSWER_MAX (64u << 20) /* bytes: a guard, not a limit */
#define NEVER	   INT64_MAX   /* ms */

/* Errors of the daemon's own, beside those of JSON-RPC. */
#define ERR_DENIED (-32001)

struct rpc {
	int fd;
	int id; /* of the last request */
	const char *path;
	char *buf;
	size_t size, len; /* of buf, and of what is in it */
	size_t used;	  /* of that: lines given out */
};

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool
is_socket(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* The group that may connect, as far as we can see it. */
static void
say_denied(const char *path)
{
	struct stat st;
	const struct group *g = NULL;

	if (stat(path, &st) == 0)
		g = getgrgid(st.st_gid);
	warnx("cannot reach carpd at %s: Permission denied; be root, or a "
	      "member of the group %s",
	    path, g ? g->gr_name : "carpd");
}

static enum ctl_exit
say_unreachable(const char *path, int error)
{
	const char *reason = strerror(error), *hint;

	switch (error) {
	case EACCES:
	case EPERM:
		say_denied(path);
		return CTL_DENIED;
	case ENOENT:
		hint = "is carpd running? start it, or name its socket with "
		       "-s";
		break;
	case ECONNREFUSED:
		if (!is_socket(path)) {
			reason = "not a socket";
			hint = "name the socket of carpd with -s";
		} else {
			hint = "carpd is not running any more: start it";
		}
		break;
	case EAGAIN:
		reason = "it does not accept connections";
		hint = "carpd is stuck or stopped: look at its log";
		break;
	default:
		hint = "name its socket with -s";
	}
	warnx("cannot reach carpd at %s: %s; %s", path, reason, hint);
	return CTL_UNREACHABLE;
}

enum ctl_exit
rpc_open(struct rpc **ret, const char *path)
{
	struct timeval limit = { .tv_sec = RPC_TIMEOUT };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	enum ctl_exit rc;
	struct rpc *r;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		warnx("the path of the socket is longer than %zu bytes: %s",
		    sizeof(sun.sun_path) - 1, path);
		return CTL_USAGE;
	}
	memcpy(sun.sun_path, path, strlen(path) + 1);
	r = calloc(1, sizeof(*r));
	if (r == NULL) {
		warn("calloc");
		return CTL_FAILED;
	}
	r->path = path;
	r->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (r->fd == -1) {
		warn("socket");
		rc = CTL_FAILED;
		goto fail;
	}
	/* Also bounds connect(), which waits while the queue is full. */
	(void)setsockopt(r->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(r->fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		rc = say_unreachable(path, errno);
		goto fail;
	}
	*ret = r;
	return CTL_OK;
fail:
	rpc_close(r);
	return rc;
}

void
rpc_close(struct rpc *r)
{
	if (r == NULL)
		return;
	if (r->fd != -1)
		(void)close(r->fd);
	free(r->buf);
	free(r);
}

static int
send_all(struct rpc *r, const char *p, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = send(r->fd, p, len, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/*
 * Waits for something to read.  Who waits for ever ends when nobody reads
 * standard output any more: -EPIPE.
 */
static int
wait_input(const struct rpc *r, int64_t until)
{
	struct pollfd p[2] = {
		{ .fd = r->fd, .events = POLLIN },
		{ .fd = STDOUT_FILENO },
	};
	int64_t left;
	int n;

	for (;;) {
		left = until == NEVER ? -1 : until - now_ms();
		if (until != NEVER && left <= 0)
			return -ETIMEDOUT;
		n = poll(p, until == NEVER ? 2 : 1, (int)left);
		if (n == -1 && errno != EINTR)
			return -errno;
		if (n > 0 && p[0].revents != 0)
			return 0;
		if (n > 0)
			return -EPIPE;
	}
}

/* Reads what there is.  -ECONNRESET: the daemon has closed. */
static int
fill(struct rpc *r)
{
	char *p;
	ssize_t n;

	if (r->used > 0) {
		r->len -= r->used;
		memmove(r->buf, r->buf + r->used, r->len);
		r->used = 0;
	}
	if (r->len == r->size) {
		if (r->size >= ANSWER_MAX)
			return -EMSGSIZE;
		p = realloc(r->buf, r->size ? 2 * r->size : 65536);
		if (p == NULL)
			return -ENOMEM;
		r->buf = p;
		r->size = r->size ? 2 * r->size : 65536;
	}
	n = recv(r->fd, r->buf + r->len, r->size - r->len, MSG_DONTWAIT);
	if (n == -1)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (n == 0)
		return -ECONNRESET;
	r->len += (size_t)n;
	return 0;
}

/* The next line, without its end.  It lives until the next call. */
static int
read_line(struct rpc *r, int64_t until, const char **line, size_t *len)
{
	size_t seen = 0;
	char *end;
	int rc;

	for (;;) {
		end = NULL;
		if (r->len - r->used > seen)
			end = memchr(r->buf + r->used + seen, '\n',
			    r->len - r->used - seen);
		if (end != NULL)
			break;
		seen = r->len - r->used;
		if ((rc = wait_input(r, until)) != 0)
			return rc;
		if ((rc = fill(r)) != 0)
			return rc;
	}
	*line = r->buf + r->used;
	*len = (size_t)(end - *line);
	r->used += *len + 1;
	return 0;
}

static enum ctl_exit
say_lost(const struct rpc *r, int rc, unsigned timeout)
{
	switch (rc) {
	case -ETIMEDOUT:
		warnx("carpd at %s has not answered within %u s; it is stuck "
		      "or stopped: look at its log",
		    r->path, timeout);
		break;
	case -ECONNRESET:
	case -EPIPE:
		warnx("carpd at %s has closed the connection", r->path);
		break;
	default:
		warnx("talking to carpd at %s: %s", r->path, strerror(-rc));
		return CTL_FAILED;
	}
	return CTL_UNREACHABLE;
}

static enum ctl_exit
read_object(struct rpc *r, unsigned timeout, int64_t until, json_t **ret)
{
	const char *line = NULL;
	json_error_t e;
	size_t len = 0;
	json_t *o;
	int rc;

	rc = read_line(r, until, &line, &len);
	if (rc == -EPIPE && until == NEVER) {
		*ret = NULL;
		return CTL_OK;
	}
	if (rc != 0)
		return say_lost(r, rc, timeout);
	o = json_loadb(line, len, 0, &e);
	if (!json_is_object(o)) {
		warnx("what answers at %s is not carpd: not a JSON object",
		    r->path);
		json_decref(o);
		return CTL_FAILED;
	}
	*ret = o;
	return CTL_OK;
}

static enum ctl_exit
send_request(struct rpc *r, const char *method, json_t *params)
{
	json_t *o;
	char *line = NULL;
	size_t len;
	int rc = -ENOMEM;

	o = json_pack("{s:s, s:i, s:s, s:o}", "jsonrpc", "2.0", "id", ++r->id,
	    "method", method, "params", params ? params : json_object());
	if (o != NULL)
		line = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (line != NULL) {
		len = strlen(line);
		line[len] = '\n'; /* instead of the NUL */
		rc = send_all(r, line, len + 1);
		explicit_bzero(line, len); /* a passphrase may be in it */
		free(line);
	}
	if (rc == -EAGAIN)
		rc = -ETIMEDOUT;
	/* Who closes at once may have said why: see the answer. */
	if (rc == 0 || rc == -EPIPE || rc == -ECONNRESET)
		return CTL_OK;
	return say_lost(r, rc, RPC_TIMEOUT);
}

/* The text may have several lines: the reasons why a reload failed. */
static enum ctl_exit
say_error(const json_t *error)
{
	const char *p = rpc_text(error, "message"), *end;

	if (*p == '\0')
		p = "carpd refuses, and does not say why";
	for (; *p != '\0'; p = *end == '\n' ? end + 1 : end) {
		end = strchrnul(p, '\n');
		warnx("%.*s", (int)(end - p), p);
	}
	return rpc_int(error, "code") == ERR_DENIED ? CTL_DENIED : CTL_FAILED;
}

/* Methods that answer when it is done, or may have to wait for their turn. */
static unsigned
timeout_of(const char *method)
{
	static const char *const slow[] = { "carp.reload", "failover.control",
		"failover.update", "failover.force_master",
		"failover.become_passive" };

	for (size_t i = 0; i < sizeof(slow) / sizeof(slow[0]); i++)
		if (strcmp(slow[i], method) == 0)
			return RPC_TIMEOUT_LONG;
	return RPC_TIMEOUT;
}

enum ctl_exit
rpc_call(struct rpc *r, const char *method, json_t *params, json_t **ret)
{
	unsigned timeout = timeout_of(method);
	json_t *answer, *id, *error;
	enum ctl_exit rc;
	int64_t until;

	until = now_ms() + timeout * INT64_C(1000);
	if ((rc = send_request(r, method, params)) != CTL_OK)
		return rc;
	for (;;) {
		rc = read_object(r, timeout, until, &answer);
		if (rc != CTL_OK)
			return rc;
		id = json_object_get(answer, "id");
		error = json_object_get(answer, "error");
		/* An error without id: it could not read what we sent. */
		if (json_integer_value(id) == r->id || error != NULL)
			break;
		json_decref(answer); /* an event */
	}
	if (error != NULL) {
		rc = say_error(error);
	} else {
		*ret = json_incref(json_object_get(answer, "result"));
		if (*ret == NULL)
			*ret = json_null();
	}
	json_decref(answer);
	return rc;
}

enum ctl_exit
rpc_event(struct rpc *r, json_t **ret)
{
	enum ctl_exit rc;
	json_t *o, *params;

	for (;;) {
		rc = read_object(r, 0, NEVER, &o);
		if (rc != CTL_OK)
			return rc;
		if (o == NULL) {
			*ret = NULL;
			return CTL_OK;
		}
		params = json_object_get(o, "params");
		if (json_is_object(params)) {
			*ret = json_incref(params);
			json_decref(o);
			return CTL_OK;
		}
		json_decref(o);
	}
}

enum ctl_exit
rpc_once(const struct ctl *c, const char *method, json_t *params, json_t **ret)
{
	struct rpc *r = NULL;
	enum ctl_exit rc;

	rc = rpc_open(&r, c->socket);
	if (rc != CTL_OK) {
		json_decref(params);
		return rc;
	}
	rc = rpc_call(r, method, params, ret);
	rpc_close(r);
	return rc;
}

const char *
rpc_text(const json_t *object, const char *member)
{
	const char *s = json_string_value(json_object_get(object, member));

	return s ? s : "";
}

double
rpc_real(const json_t *object, const char *member)
{
	return json_number_value(json_object_get(object, member));
}

long long
rpc_int(const json_t *object, const char *member)
{
	return (long long)rpc_real(object, member);
}

bool
rpc_true(const json_t *object, const char *member)
{
	return json_is_true(json_object_get(object, member));
}
