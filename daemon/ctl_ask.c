/* SPDX-License-Identifier: ISC */
/* Questions to whom sits at the terminal. */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "ctl_ask.h"

/* A line of up to size - 1 bytes without its end; -1 at the end of input. */
static ssize_t
read_line(char *buf, size_t size)
{
	size_t n = 0;
	ssize_t got;
	char c = '\0';

	while ((got = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n')
		if (n < size - 1)
			buf[n++] = c;
	buf[n] = '\0';
	return got == 1 || n > 0 ? (ssize_t)n : -1;
}

enum ctl_exit
ask_first(const struct ctl *c, const char *what)
{
	char answer[8];

	if (c->yes)
		return CTL_OK;
	if (!isatty(STDIN_FILENO)) {
		warnx("%s; nobody can be asked here: say --yes to do it", what);
		return CTL_USAGE;
	}
	(void)fflush(stdout);
	(void)fprintf(stderr, "%s.\nGo on? [y/N] ", what);
	if (read_line(answer, sizeof(answer)) == -1)
		(void)fputc('\n', stderr);
	else if (strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0)
		return CTL_OK;
	warnx("nothing was done");
	return CTL_FAILED;
}

/*
 * While there is no echo, a signal that ends or stops us must find the
 * terminal as it was: read() ends then, and the signal is sent again.
 */
static volatile sig_atomic_t caught;

static void catch (int signo)
{
	caught = signo;
}

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
#define NSIGNALS (sizeof(signals) / sizeof(signals[0]))

static ssize_t
read_unseen(char *buf, size_t size)
{
	struct sigaction act = { .sa_handler = catch }, old[NSIGNALS];
	struct termios was, quiet;
	ssize_t n = -1;

	if (tcgetattr(STDIN_FILENO, &was) == -1)
		return -1;
	caught = 0;
	for (size_t i = 0; i < NSIGNALS; i++)
		(void)sigaction(signals[i], &act, &old[i]);
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ECHONL | ICANON;
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0 && caught == 0)
		n = read_line(buf, size);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
	for (size_t i = 0; i < NSIGNALS; i++)
		(void)sigaction(signals[i], &old[i], NULL);
	if (caught != 0) {
		(void)raise((int)caught);
		return -1; /* it was stopped, and goes on */
	}
	return n;
}

/* All of standard input, but for one end of line at its end. */
static ssize_t
read_all(char *buf, size_t size)
{
	size_t n = 0;
	ssize_t got;

	while (n < size && (got = read(STDIN_FILENO, buf + n, size - n)) != 0) {
		if (got == -1 && errno != EINTR)
			return -1;
		n += got > 0 ? (size_t)got : 0;
	}
	if (n > 0 && buf[n - 1] == '\n')
		n--;
	if (n < size)
		buf[n] = '\0';
	return (ssize_t)n;
}

static const char *
wrong_secret(const char *s, ssize_t n)
{
	if (n == 0)
		return "the passphrase is empty";
	if (n > SECRET_MAX)
		return "the passphrase has more than 1024 bytes";
	if (memchr(s, '\n', (size_t)n) != NULL)
		return "the passphrase has more than one line";
	if (memchr(s, '\0', (size_t)n) != NULL)
		return "the passphrase has a zero byte in it";
	return NULL;
}

enum ctl_exit
ask_secret(char ret[SECRET_MAX + 1], const char *prompt)
{
	char buf[SECRET_MAX + 2];
	enum ctl_exit rc = CTL_USAGE;
	const char *wrong;
	ssize_t n;

	if (isatty(STDIN_FILENO)) {
		(void)fputs(prompt, stderr);
		n = read_unseen(buf, sizeof(buf));
	} else {
		n = read_all(buf, sizeof(buf));
	}
	wrong = n == -1 ? "no passphrase was read" : wrong_secret(buf, n);
	if (wrong != NULL) {
		warnx("%s; nothing was done", wrong);
	} else {
		memcpy(ret, buf, (size_t)n);
		ret[n] = '\0';
		rc = CTL_OK;
	}
	explicit_bzero(buf, sizeof(buf));
	return rc;
}
