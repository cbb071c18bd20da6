/* SPDX-License-Identifier: ISC */
/* A process kept ready to become the next hook. */
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hook_become.h"
#include "hook_spare.h"

#define NAME	"carp-spare"
#define REST_MS 1000 /* before the next is made: hooks come together */

struct hook_spare {
	char *program;
	struct event *make;
	bool wanted;
	pid_t pid; /* 0: there is none */
	int job;   /* it reads there what to become */
	int out;   /* it writes there */
};

/* As the header says. */
struct job {
	char text[HOOK_JOB_MAX];
	size_t len;
	unsigned words;
};

static bool
add_word(struct job *j, const char *word)
{
	size_t n = strlen(word) + 1;

	if (n > sizeof(j->text) - j->len || j->words == HOOK_WORDS_MAX)
		return false;
	memcpy(j->text + j->len, word, n);
	j->len += n;
	j->words++;
	return true;
}

/* An empty one would end the list too soon. */
static bool
add_words(struct job *j, char *const *words)
{
	for (; *words != NULL; words++)
		if (**words == '\0' || !add_word(j, *words))
			return false;
	return add_word(j, "");
}

static void
forget(struct hook_spare *s)
{
	if (s->job != -1)
		(void)close(s->job);
	if (s->out != -1)
		(void)close(s->out);
	s->job = s->out = -1;
	s->pid = 0;
}

/* Not by posix_spawn(), which waits for the disk that has the program. */
static pid_t
start(const struct hook_spare *s, int job, int out)
{
	const int pass[HOOK_PASSED] = { job, -1 };
	static char name[] = NAME;
	char *const argv[] = { name, NULL }, *const env[] = { NULL };
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		hook_leave_us(out, pass, 0);
		hook_exec(s->program, argv, env);
	}
	return pid;
}

/*
 * Without one, hooks are started as if there was no such thing, and after that
 * it is tried again.
 */
static void
on_make(evutil_socket_t fd, short what, void *arg)
{
	struct hook_spare *s = arg;
	int job[2], out[2];

	(void)fd, (void)what;
	if (access(s->program, X_OK) == -1)
		return;
	if (pipe2(job, O_CLOEXEC) == -1)
		return;
	if (pipe2(out, O_CLOEXEC) == -1) {
		(void)close(job[0]);
		(void)close(job[1]);
		return;
	}
	s->job = job[1];
	s->out = out[0];
	(void)fcntl(s->job, F_SETFL, O_NONBLOCK);
	(void)fcntl(s->out, F_SETFL, O_NONBLOCK);
	s->pid = start(s, job[0], out[1]);
	(void)close(job[0]);
	(void)close(out[1]);
	if (s->pid == -1)
		forget(s);
}

static void
make_later(struct hook_spare *s)
{
	const struct timeval rest = { REST_MS / 1000, REST_MS % 1000 * 1000 };

	(void)evtimer_add(s->make, &rest);
}

int
hook_spare_new(
    struct hook_spare **ret, struct event_base *base, const char *program)
{
	struct hook_spare *s;

	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->job = s->out = -1;
	s->program = strdup(program);
	s->make = evtimer_new(base, on_make, s);
	if (s->program == NULL || s->make == NULL) {
		hook_spare_free(s);
		return -ENOMEM;
	}
	(void)event_priority_set(s->make, event_base_get_npriorities(base) - 1);
	*ret = s;
	return 0;
}

void
hook_spare_free(struct hook_spare *s)
{
	if (s == NULL)
		return;
	forget(s);
	if (s->make != NULL)
		event_free(s->make);
	free(s->program);
	free(s);
}

void
hook_spare_want(struct hook_spare *s, bool wanted)
{
	if (wanted == s->wanted)
		return;
	s->wanted = wanted;
	if (wanted) {
		make_later(s);
		return;
	}
	(void)event_del(s->make);
	forget(s);
}

pid_t
hook_spare_use(struct hook_spare *s, const char *path, char *const *argv,
    char *const *env, int *out)
{
	struct job j = { .len = 0 };
	pid_t pid;

	if (s->wanted && s->pid == 0)
		make_later(s);
	if (s->pid == 0 || !add_word(&j, path) || !add_words(&j, argv) ||
	    !add_words(&j, env) || write(s->job, j.text, j.len) == -1)
		return -1;
	*out = s->out;
	s->out = -1;
	pid = s->pid;
	forget(s);
	make_later(s);
	return pid;
}

bool
hook_spare_reaped(struct hook_spare *s, pid_t pid)
{
	if (s->pid == 0 || s->pid != pid)
		return false;
	forget(s);
	return true;
}

void
hook_spare_program(char *ret, size_t size, const char *hooks)
{
	ssize_t n = readlink("/proc/self/exe", ret, size - 1);
	char *slash;

	/* That of an installed carpd lies elsewhere. */
	if (n > 0) {
		ret[n] = '\0';
		slash = strrchr(ret, '/');
		*slash = '\0';
		(void)snprintf(
		    slash, size - (size_t)(slash - ret), "/%s", NAME);
		if (access(ret, X_OK) == 0)
			return;
	}
	(void)snprintf(ret, size, "%s/../%s", hooks, NAME);
}
