/* SPDX-License-Identifier: ISC */
/* What a failover section means, in a line for people. */
#include "conf.h"

static unsigned
count(const struct conf *c, enum conf_phase phase, int critical)
{
	const struct conf_resource *r = conf_resources(c);
	uint32_t i;
	unsigned n = 0;

	for (i = 0; i < c->failover.nresources; i++)
		n += r[i].phase == phase && r[i].none == 0 &&
		     (critical == -1 || r[i].critical == critical);
	return n;
}

/* ", then WHAT a, b"; nothing if there is none of them. */
static const char *
list(const struct conf *c, FILE *out, const char *separator, const char *what,
    enum conf_phase phase, int critical)
{
	const struct conf_resource *r = conf_resources(c);
	const char *comma = " ";
	uint32_t i;

	if (count(c, phase, critical) == 0)
		return separator;
	fprintf(out, "%s%s", separator, what);
	for (i = 0; i < c->failover.nresources; i++)
		if (r[i].phase == phase && r[i].none == 0 &&
		    (critical == -1 || r[i].critical == critical)) {
			fprintf(out, "%s%s", comma, r[i].name);
			comma = ", ";
		}
	return ", then ";
}

void
conf_failover_print(const struct conf *c, FILE *out)
{
	const struct conf_failover *f = &c->failover;
	const char *then = " takes over by ", *resort;

	if (f->on == 0)
		return;
	resort = conf_text(c, f->last_resort);
	fprintf(out, "failover: node %s", c->name);
	then = list(c, out, then, "fence", PHASE_FENCE, -1);
	then = list(c, out, then, "storage", PHASE_STORAGE, -1);
	if (f->addresses_first) {
		fprintf(out, "%saddresses", then);
		then = ", then ";
	}
	then = list(c, out, then, "critical service", PHASE_SERVICE, 1);
	then = list(c, out, then, "service", PHASE_SERVICE, 0);
	if (!f->addresses_first)
		fprintf(out, "%saddresses", then);
	fprintf(out, "; waits %u s after an interruption", f->timeout_s);
	if (f->interlink[0] != '\0')
		fprintf(out, "; interlink %s", f->interlink);
	fprintf(out, "; last resort %s", resort[0] != '\0' ? resort : "reboot");
	if (count(c, PHASE_STORAGE, -1) > 0 && count(c, PHASE_FENCE, -1) == 0)
		fputs("; WITHOUT A FENCE both nodes can write at once", out);
	fputc('\n', out);
}
