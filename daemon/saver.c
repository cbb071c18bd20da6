/* SPDX-License-Identifier: ISC */
/* The remembered state, written by a process of its own. */
#include <sys/wait.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "saver.h"

void
saver_open(struct saver *s, const char *dir)
{
	char why[512];

	memset(s, 0, sizeof(*s));
	s->dir = dir;
	if (dir != NULL && state_load(&s->state, dir, why, sizeof(why)) < 0)
		log_line(LOG_ERR,
		    "%s/state.json: %s; going on with the "
		    "defaults: maintenance is off",
		    dir, why);
	if (s->state.maintenance)
		log_line(LOG_NOTICE, "maintenance is on, as it was before");
}

void
saver_save(struct saver *s)
{
	if (s->dir == NULL)
		return;
	s->again = s->pid != 0;
	if (s->again)
		return;
	s->pid = fork();
	if (s->pid == 0) {
		/* Who outlives us must not look like us to the engine. */
		(void)close_range(3, ~0U, 0);
		_exit(-state_save(&s->state, s->dir));
	}
	if (s->pid == -1) {
		log_line(LOG_ERR, "%s/state.json: not saved: %s", s->dir,
		    strerror(errno));
		s->pid = 0;
	}
}

bool
saver_reaped(struct saver *s, pid_t pid, int status)
{
	if (s->pid == 0 || pid != s->pid)
		return false;
	s->pid = 0;
	if (WIFSIGNALED(status))
		log_line(LOG_ERR, "%s/state.json: not saved: signal %d", s->dir,
		    WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		log_line(LOG_ERR,
		    "%s/state.json: not saved: %s; maintenance "
		    "is forgotten with a restart",
		    s->dir, strerror(WEXITSTATUS(status)));
	if (s->again)
		saver_save(s);
	return true;
}
