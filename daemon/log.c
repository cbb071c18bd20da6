/* SPDX-License-Identifier: ISC */
/* Log lines on standard error, for a person or for the journal. */
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define LINE_MAX_LEN 2048 /* with the newline; less than PIPE_BUF */

/* A process has one standard error, so this is the one state without owner. */
static struct {
	const char *who;
	bool debug;
	bool journal;
	bool socket;
	uint64_t lost; /* lines since the last that was written */
} log_state;

static bool
is_journal(const struct stat *st)
{
	const char *env = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;

	return env != NULL && sscanf(env, "%llu:%llu", &dev, &ino) == 2 &&
	       dev == st->st_dev && ino == st->st_ino;
}

/*
 * Whoever shares a pipe or a terminal with us shares its flags too.  Opening
 * it again gives one of our own, which may be non-blocking without that.
 */
static void
reopen(void)
{
	int fd;

	fd = open("/proc/self/fd/2",
	    O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return; /* poll() is the next best guard */
	(void)dup2(fd, STDERR_FILENO);
	(void)close(fd);
}

void
log_open(const char *who, int debug)
{
	struct stat st;

	log_state.who = who;
	if (debug >= 0)
		log_state.debug = debug != 0;
	log_state.lost = 0;
	if (fstat(STDERR_FILENO, &st) == -1)
		return;
	log_state.journal = is_journal(&st);
	log_state.socket = S_ISSOCK(st.st_mode);
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
		reopen();
}

static bool
write_whole(const char *p, size_t len)
{
	struct pollfd pfd = { .fd = STDERR_FILENO, .events = POLLOUT };
	ssize_t n;

	if (log_state.socket) {
		n = send(STDERR_FILENO, p, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	} else {
		if (poll(&pfd, 1, 0) != 1 || !(pfd.revents & POLLOUT))
			return false;
		n = write(STDERR_FILENO, p, len);
	}
	return n == (ssize_t)len;
}

/* "2025-01-31T12:00:00.123+01:00 ", or "" if there is no room. */
static size_t
put_time(char *p, size_t len)
{
	struct timespec ts;
	struct tm tm;
	char when[32], zone[8];

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	(void)localtime_r(&ts.tv_sec, &tm);
	(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)strftime(zone, sizeof(zone), "%z", &tm);
	return (size_t)snprintf(p, len, "%s.%03ld%.3s:%s ", when,
	    ts.tv_nsec / 1000000, zone, zone[0] == '\0' ? "" : zone + 3);
}

/* The journal knows the time and the name of the program by itself. */
static size_t
put_prefix(char *p, size_t len, int priority)
{
	size_t n;

	if (log_state.journal)
		return (size_t)snprintf(p, len, "<%d>", priority & LOG_PRIMASK);
	n = put_time(p, len);
	if (log_state.who != NULL)
		n += (size_t)snprintf(p + n, len - n, "%.64s: ", log_state.who);
	return n;
}

/* Ends the line that starts at `from`; `end` is where its text was to end. */
static size_t
finish(char *line, size_t from, size_t end)
{
	if (end > LINE_MAX_LEN - 1) {
		end = LINE_MAX_LEN - 1;
		memcpy(line + end - 3, "...", 3);
	}
	for (size_t i = from; i < end; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	line[end++] = '\n';
	return end;
}

static bool
tell_lost(void)
{
	char line[256];
	size_t n;

	if (log_state.lost == 0)
		return true;
	n = put_prefix(line, sizeof(line), LOG_WARNING);
	n += (size_t)snprintf(line + n, sizeof(line) - n,
	    "log: %llu lines lost: the reader was too slow\n",
	    (unsigned long long)log_state.lost);
	if (!write_whole(line, n))
		return false;
	log_state.lost = 0;
	return true;
}

void
log_vline(int priority, const char *fmt, va_list ap)
{
	char line[LINE_MAX_LEN + 1];
	int saved = errno;
	size_t from, n;
	int len;

	if ((priority & LOG_PRIMASK) == LOG_DEBUG && !log_state.debug)
		return;
	from = put_prefix(line, sizeof(line), priority);
	len = vsnprintf(line + from, sizeof(line) - from, fmt, ap);
	n = finish(line, from, from + (len < 0 ? 0 : (size_t)len));
	if (!tell_lost() || !write_whole(line, n))
		log_state.lost++;
	errno = saved;
}

void
log_line(int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vline(priority, fmt, ap);
	va_end(ap);
}

void
log_text(int priority, const char *text)
{
	size_t len;

	for (; *text != '\0'; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		if (len > 0)
			log_line(priority, "%.*s", (int)len, text);
	}
}

int
log_is_journal(void)
{
	return log_state.journal;
}
