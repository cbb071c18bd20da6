/* SPDX-License-Identifier: ISC */
/* The role of a node in failover mode: the actions its moves are made of. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "role_part.h"

struct role_action *
act_push(struct role *r, enum role_do what, bool on)
{
	struct role_action *a = &r->out[r->nout];

	assert(r->nout < ROLE_ACTIONS);
	r->nout++;
	memset(a, 0, sizeof(*a));
	a->what = what;
	a->on = on;
	return a;
}

void
act_copy(char to[RESOURCE_TEXT], const char *from)
{
	(void)snprintf(to, RESOURCE_TEXT, "%s", from != NULL ? from : "");
}

void
act_standby(struct role *r, bool on)
{
	if (r->standby != on)
		act_push(r, ROLE_DO_STANDBY, on);
	r->standby = on;
}

void
act_order(struct role *r, enum conf_phase phase, bool up, unsigned critical)
{
	struct resource_order *o = &act_push(r, ROLE_DO_ORDER, up)->order;

	o->id = ++r->order;
	o->phase = (uint8_t)phase;
	o->up = up;
	o->mode = (uint8_t)(up ? MODE_UP : r->mode);
	o->peer = (uint8_t)r->peer;
	o->critical = (uint8_t)critical;
	act_copy(o->cause, r->cause);
}

void
act_addresses(struct role *r, bool on)
{
	if (r->addresses != on)
		act_push(r, ROLE_DO_ADDRESSES, on);
	r->addresses = on;
}

/* Who takes no part must not keep the other node quiet. */
void
act_bow_out(struct role *r)
{
	act_push(r, ROLE_DO_BOW_OUT, true);
	r->view = ROLE_EV_LOST_PEER;
}

/* A transition that turns round is one transition. */
void
act_begin(struct role *r, bool up, const char *cause)
{
	struct role_action *a;

	if (cause != r->cause)
		act_copy(r->cause, cause);
	if (r->begun)
		return;
	r->begun = true;
	r->reason[0] = '\0';
	a = act_push(r, ROLE_DO_BEGIN, true);
	a->up = up;
	act_copy(a->text, cause);
}

void
act_end(struct role *r, bool ok)
{
	struct role_action *a;

	if (!r->begun)
		return;
	r->begun = false;
	a = act_push(r, ROLE_DO_END, true);
	a->ok = ok;
	act_copy(a->text, r->reason);
}

void
act_go(struct role *r, enum role_at at, uint64_t now)
{
	r->at = at;
	r->since = now;
	r->deadline = CARP_NEVER;
}
