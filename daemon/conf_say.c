/* SPDX-License-Identifier: ISC */
/* Messages about a configuration: collected, and told in order of place. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "conf_draft.h"

#define KEEP 100U /* more than anybody reads at once */

struct conf_message {
	conf_place at;
	unsigned nth; /* said as the nth */
	char *text;
};

/* What decides about the exit code if several things are wrong. */
static unsigned
weight(enum conf_result r)
{
	static const enum conf_result light_first[] = { CONF_OK, CONF_MACHINE,
		CONF_SENSE, CONF_NOFILE, CONF_SYNTAX, CONF_USAGE, CONF_FAILED };
	unsigned i = 0;

	while (light_first[i] != r)
		i++;
	return i;
}

/* What comes from the file or the command line is not trusted on a terminal. */
static void
make_printable(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
}

void
conf_say(struct conf_errors *e, enum conf_result result, conf_place at,
    const char *fmt, ...)
{
	struct conf_message *m;
	va_list ap;
	int n;

	if (weight(result) > weight(e->result))
		e->result = result;
	if (e->n == KEEP) {
		e->lost++;
		return;
	}
	if (e->msg == NULL && (e->msg = calloc(KEEP, sizeof(*m))) == NULL) {
		e->lost++;
		return;
	}
	m = &e->msg[e->n];
	va_start(ap, fmt);
	n = vasprintf(&m->text, fmt, ap);
	va_end(ap);
	if (n == -1) {
		m->text = NULL;
		e->lost++;
		return;
	}
	make_printable(m->text);
	m->at = at;
	m->nth = e->n++;
}

static int
by_place(const void *va, const void *vb)
{
	const struct conf_message *a = va, *b = vb;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return a->nth < b->nth ? -1 : 1;
}

static void
tell(const struct conf_errors *e, const struct conf_message *m, FILE *out)
{
	if (m->at < 0)
		fprintf(out, "-%c: %s\n", -m->at, m->text);
	else if (e->file == NULL)
		fprintf(out, "command line: %s\n", m->text);
	else if (m->at == 0)
		fprintf(out, "%s: %s\n", e->file, m->text);
	else
		fprintf(out, "%s:%d: %s\n", e->file, m->at, m->text);
}

enum conf_result
conf_tell(struct conf_errors *e, FILE *out)
{
	unsigned i;

	if (e->n > 1)
		qsort(e->msg, e->n, sizeof(*e->msg), by_place);
	for (i = 0; i < e->n; i++) {
		if (out != NULL)
			tell(e, &e->msg[i], out);
		free(e->msg[i].text);
	}
	if (e->lost > 0 && out != NULL)
		fprintf(out,
		    "%s: %u more messages; correct those above first\n",
		    e->file != NULL ? e->file : "command line", e->lost);
	free(e->msg);
	e->msg = NULL;
	e->n = e->lost = 0;
	return e->result;
}
