/* SPDX-License-Identifier: ISC */
/*
 * carp-spare: waits for carpd to say which hook to become.  Of a small program
 * less must go when it becomes another, and it knows no secrets.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "hook_become.h"
#include "hook_spare.h"

/* The next word of p, which is whole; NULL: the list ends. */
static char *
next_word(char **p)
{
	char *word = *p;

	*p += strlen(word) + 1;
	return *word != '\0' ? word : NULL;
}

static char **
next_list(char **words, char **p)
{
	do
		*words = next_word(p);
	while (*words++ != NULL);
	return words;
}

int
main(void)
{
	static char job[HOOK_JOB_MAX], *words[HOOK_WORDS_MAX];
	char *p = job, *path, **env;

	(void)fcntl(HOOK_FIRST, F_SETFD, FD_CLOEXEC);
	/* No more to read: nobody is left to want a hook. */
	if (read(HOOK_FIRST, job, sizeof(job)) <= 0)
		return 0;
	path = next_word(&p);
	env = next_list(words, &p);
	(void)next_list(env, &p);
	hook_exec(path, words, env);
}
