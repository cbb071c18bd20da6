/* SPDX-License-Identifier: ISC */
/* Who has a part in an order, and whether it may be carried out.  Pure. */
#include <stdarg.h>
#include <stdio.h>

#include "resource_plan.h"

#define BIT(i) (UINT64_C(1) << (i))

void
plan_text(char ret[RESOURCE_TEXT], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(ret, RESOURCE_TEXT, fmt, ap);
	va_end(ap);
}

/*
 * Who has a part in an order: the phase, or those services of it that were
 * meant, with whatever must be up before them or down before them.
 */

static bool
meant(const struct plan_item *it, const struct resource_order *o)
{
	if (it->phase != (enum conf_phase)o->phase)
		return false;
	if (it->phase != PHASE_SERVICE || o->critical == 0)
		return true;
	return it->critical == (o->critical == 1);
}

static uint64_t
with_others(const struct plan *p, uint64_t set)
{
	uint64_t more = 0;

	for (unsigned i = 0; i < p->n; i++) {
		const struct plan_item *it = &p->item[i];

		if (p->order.up && (set & BIT(i)))
			more |= it->after;
		if (!p->order.up && (it->after & set))
			more |= BIT(i);
	}
	for (unsigned i = 0; i < p->n; i++)
		if (p->item[i].phase != (enum conf_phase)p->order.phase)
			more &= ~BIT(i);
	return set | (p->n < 64 ? more & (BIT(p->n) - 1) : more);
}

uint64_t
plan_members(const struct plan *p)
{
	uint64_t set = 0;

	for (unsigned i = 0; i < p->n; i++)
		if (meant(&p->item[i], &p->order))
			set |= BIT(i);
	for (unsigned i = 0; i < p->n; i++) /* at most so many links */
		set = with_others(p, set);
	return set;
}

/*
 * What must hold before.
 */

bool
plan_fenced(const struct plan *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->item[i].phase == PHASE_FENCE && !p->item[i].none &&
		    p->item[i].state == RES_UP && p->item[i].proved)
			return true;
	return false;
}

/* The first of a phase that is not in a state. */
static const struct plan_item *
first_not(const struct plan *p, enum conf_phase phase, enum resource_state st)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->item[i].phase == phase && !p->item[i].none &&
		    p->item[i].state != st)
			return &p->item[i];
	return NULL;
}

static bool
has_fence(const struct plan *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->item[i].phase == PHASE_FENCE)
			return true;
	return false;
}

/* S2, and its way back. */
bool
plan_forbidden(const struct plan *p, char text[RESOURCE_TEXT])
{
	const struct plan_item *it;

	if (p->order.phase == PHASE_STORAGE && p->order.up && p->set != 0) {
		it = first_not(p, PHASE_FENCE, RES_UP);
		if (it != NULL || !has_fence(p)) {
			plan_text(text,
			    "storage is not started: fence %s is %s",
			    it == NULL ? "none" : it->name,
			    it == NULL ? "not configured"
				       : resource_state_name(it->state));
			return true;
		}
	}
	if (p->order.phase == PHASE_FENCE && !p->order.up && p->set != 0) {
		it = first_not(p, PHASE_STORAGE, RES_DOWN);
		if (it != NULL) {
			plan_text(text, "the fence is held: storage %s is %s",
			    it->name, resource_state_name(it->state));
			return true;
		}
	}
	return false;
}

bool
plan_idle(const struct plan *p)
{
	if (p->active || p->answer)
		return false;
	for (unsigned i = 0; i < p->n; i++)
		if (p->item[i].running ||
		    (!p->hard && (p->item[i].check || p->item[i].shown)))
			return false;
	return true;
}

bool
plan_any(const struct plan *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (!p->item[i].none && p->item[i].state != RES_DOWN)
			return true;
	return false;
}
