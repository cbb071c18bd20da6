/* SPDX-License-Identifier: ISC */
/*
 * Log lines, to standard error: for a person, or with <N> priorities for the
 * journal.  Never blocks: a line that cannot be written at once is counted,
 * and the count is told with the next line that can.
 */
#ifndef CARPD_LOG_H
#define CARPD_LOG_H

#include <stdarg.h>
#include <syslog.h> /* LOG_ERR, LOG_INFO, ...: only these */

/*
 * who is put before each line ("carpd", "carpd: engine"), may be NULL; the
 * journal puts the name itself.  Looks at JOURNAL_STREAM.  LOG_DEBUG lines
 * only with debug; -1 leaves that as it is.
 */
void log_open(const char *who, int debug);

/* One line, without newline: control characters are replaced by '?'. */
void log_line(int priority, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_vline(int priority, const char *fmt, va_list)
    __attribute__((format(printf, 2, 0)));

/* One line for each line of a text. */
void log_text(int priority, const char *text);

/* Do the lines go to the journal? */
int log_is_journal(void);

#endif
