/* SPDX-License-Identifier: ISC */
/* The last resort: this node goes down hard, before its disks get two users. */
#include <sys/reboot.h>
#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "resource_part.h"

#define SYSRQ "/proc/sysrq-trigger"

/*
 * At once, without another word to any disk: what is not written yet must not
 * be, as the peer may have the disks already.
 */
static void
restart_machine(void)
{
	int fd, err;

	fd = open(SYSRQ, O_WRONLY | O_CLOEXEC);
	err = errno;
	if (fd != -1 && write(fd, "b", 1) == 1) {
		(void)close(fd); /* a real one has not come back */
		return;
	}
	if (fd != -1) {
		err = errno;
		(void)close(fd);
	}
	log_line(LOG_EMERG, "last resort: %s: %s; trying reboot(2)", SYSRQ,
	    strerror(err));
	(void)reboot(RB_AUTOBOOT);
	log_line(LOG_EMERG,
	    "last resort: reboot: %s: this node must be "
	    "switched off by hand, now",
	    strerror(errno));
}

/* In the new process.  A program that cannot be had is no way out. */
static void
run_program(const char *program, const char *reason)
{
	char *argv[] = { (char *)(uintptr_t)program, (char *)(uintptr_t)reason,
		NULL };
	char *env[] = {
		(char *)(uintptr_t) "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
		(char *)(uintptr_t) "LANG=C", NULL
	};
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;

	(void)setsid();
	(void)setpriority(PRIO_PROCESS, 0, 0);
	for (int s = 1; s < NSIG; s++)
		(void)sigaction(s, &sa, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)close_range(3, ~0U, 0);
	(void)execve(program, argv, env);
	log_line(LOG_EMERG, "last resort: %s: %s; restarting the machine",
	    program, strerror(errno));
	restart_machine();
	_exit(127);
}

void
resort_call(const char *program, const char *reason)
{
	log_line(LOG_EMERG, "last resort: %s: %s",
	    program[0] != '\0' ? program : "restarting this machine", reason);
	if (program[0] != '\0') {
		switch (fork()) {
		case -1:
			log_line(LOG_EMERG,
			    "last resort: %s: %s; restarting the machine",
			    program, strerror(errno));
			break;
		case 0:
			run_program(program, reason);
			break;
		default:
			return;
		}
	}
	restart_machine();
}
