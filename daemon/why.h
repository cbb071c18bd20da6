/* SPDX-License-Identifier: ISC */
/* One sentence that says why a virtual host is master, backup or neither. */
#ifndef CARPD_WHY_H
#define CARPD_WHY_H

#include <carp/engine.h>

#define WHY_LEN	     512 /* longest sentence, with NUL */
#define WHY_SPAN_LEN 32	 /* longest span of time, with NUL */

/*
 * trouble is the text of a condition that keeps the host from working, or
 * NULL.  Returns ret.
 */
char *why_sentence(char ret[WHY_LEN], const struct carp_host_info *,
    const char *trouble, uint64_t now);

/* "0.38 s", "12 s", "3 min 5 s", "2 h 7 min", "9 d 4 h"; returns ret. */
char *why_span(char ret[WHY_SPAN_LEN], uint64_t ns);

/* Is a master heard: an advertisement in time that was no bow-out? */
bool why_hears_master(const struct carp_info *, uint64_t now);

#endif
