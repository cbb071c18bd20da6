/* SPDX-License-Identifier: ISC */
/* In a new process: how it becomes a hook. */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hook_become.h"

#define HIGH_FD 64 /* beyond those that are passed */

/* What is passed on, where the hook looks for it; nothing else beyond 2. */
static int
keep_passed(const int *pass)
{
	int high[HOOK_PASSED], n = HOOK_FIRST;

	for (int i = 0; i < HOOK_PASSED; i++) {
		high[i] = pass[i] == -1
			      ? -1
			      : fcntl(pass[i], F_DUPFD_CLOEXEC, HIGH_FD);
		if (pass[i] != -1 && high[i] == -1)
			return -1;
	}
	for (int i = 0; i < HOOK_PASSED; i++, n++)
		if (high[i] == -1)
			(void)close(n);
		else if (dup2(high[i], n) == -1)
			return -1;
	return close_range((unsigned)n, ~0U, 0);
}

void
hook_leave_us(int out, const int pass[HOOK_PASSED], int orphan)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;
	int null;

	(void)setsid();
	(void)umask(022);
	if (orphan != 0)
		(void)prctl(PR_SET_PDEATHSIG, orphan, 0, 0, 0);
	if (getpriority(PRIO_PROCESS, 0) < 0)
		(void)setpriority(PRIO_PROCESS, 0, 0);
	for (int s = 1; s < NSIG; s++)
		(void)sigaction(s, &sa, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	null = open("/dev/null", O_RDONLY);
	if (null == -1 || dup2(null, 0) == -1 || dup2(out, 1) == -1 ||
	    dup2(out, 2) == -1 || keep_passed(pass) == -1 || chdir("/") == -1)
		_exit(126);
}

void
hook_exec(const char *path, char *const *argv, char *const *env)
{
	(void)execve(path, argv, env);
	dprintf(2, "cannot be run: %s\n", strerror(errno));
	_exit(127);
}
