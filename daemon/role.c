/* SPDX-License-Identifier: ISC */
/* The role of a node in failover mode: which event counts in which state. */
#include <assert.h>
#include <string.h>

#include <carp/carp.h>

#include "role.h"
#include "role_move.h"

#define STEADY (600 * CARP_SEC) /* a master for so long has recovered */

/*
 * The table.  An empty cell: this event changes nothing here, now; who won or
 * lost is remembered in any case.
 */
/* clang-format off */
static move_fn *const table[ROLE_NAT][ROLE_NEVENTS] = {
	[AT_WAKING] = {
		[ROLE_EV_KNOWN]		= move_known,
		[ROLE_EV_FORCE]		= move_force_later,
		[ROLE_EV_HARD]		= move_hard_ordered,
		[ROLE_EV_STOP]		= move_stop_down,
		[ROLE_EV_RESORT]	= move_resort,
	},
	[AT_STANDBY] = {
		[ROLE_EV_FORCE]		= move_forced,
		[ROLE_EV_ENABLE]	= move_enable,
		[ROLE_EV_STOP]		= move_stop_now,
		[ROLE_EV_RESORT]	= move_resort,
	},
	[AT_BACKUP] = {
		[ROLE_EV_WON]		= move_elected,
		[ROLE_EV_FORCE]		= move_forced,
		[ROLE_EV_DISABLE]	= move_disable,
		[ROLE_EV_STOP]		= move_stop_now,
		[ROLE_EV_RESORT]	= move_resort,
	},
	[AT_HOLD] = {
		[ROLE_EV_LOST_PEER]	= move_hold_lost,
		[ROLE_EV_LOST_LINK]	= move_hold_lost,
		[ROLE_EV_TIMER]		= move_hold_over,
		[ROLE_EV_FORCE]		= move_forced,
		[ROLE_EV_PASSIVE]	= move_hold_passive,
		[ROLE_EV_HARD]		= move_hard_ordered,
		[ROLE_EV_DISABLE]	= move_hold_disabled,
		[ROLE_EV_STOP]		= move_stop_down,
		[ROLE_EV_RESORT]	= move_resort,
	},
	[AT_FENCE] = {
		[ROLE_EV_LOST_PEER]	= move_lost_peer,
		[ROLE_EV_LOST_LINK]	= move_lost_link,
		[ROLE_EV_DONE]		= move_done,
		[ROLE_EV_FORCE]		= move_forced,
		[ROLE_EV_PASSIVE]	= move_passive,
		[ROLE_EV_HARD]		= move_hard_ordered,
		[ROLE_EV_STOP]		= move_stop_down,
		[ROLE_EV_RESORT]	= move_resort,
	},
	[AT_RETRY] = {
		[ROLE_EV_LOST_PEER]	= move_lost_peer,
		[ROLE_EV_LOST_LINK]	= move_lost_link,
		[ROLE_EV_TIMER]		= move_hold_over,
		[ROLE_EV_FORCE]		= move_forced,
		[ROLE_EV_PASSIVE]	= move_passive,
		[ROLE_EV_HARD]		= move_hard_ordered,
		[ROLE_EV_STOP]		= move_stop_down,
		[ROLE_EV_RESORT]	= move_resort,
	},
	[AT_STORAGE] = {
		[ROLE_EV_LOST_PEER]	= move_lost_peer,
		[ROLE_EV_LOST_LINK]	= move_lost_link,
		[ROLE_EV_DONE]		= move_done,
		[ROLE_EV_PASSIVE]	= move_passive,
		[ROLE_EV_HARD]		= move_hard_ordered,
		[ROLE_EV_SICK]		= move_sick,
		[ROLE_EV_FENCE_LOST]	= move_fence_lost,
		[ROLE_EV_STOP]		= move_stop_down,
		[ROLE_EV_RESORT]	= move_resort,
	},
	[AT_CRITICAL] = {
		[ROLE_EV_LOST_PEER]	= move_lost_peer,
		[ROLE_EV_LOST_LINK]	= move_lost_link,
		[ROLE_EV_DONE]		= move_done,
		[ROLE_EV_PASSIVE]	= move_passive,
		[ROLE_EV_HARD]		= move_hard_ordered,
		[ROLE_EV_SICK]		= move_sick,
		[ROLE_EV_FENCE_LOST]	= move_fence_lost,
		[ROLE_EV_STOP]		= move_stop_down,
		[ROLE_EV_RESORT]	= move_resort,
	},
	[AT_SERVICE] = {
		[ROLE_EV_LOST_PEER]	= move_lost_peer,
		[ROLE_EV_LOST_LINK]	= move_lost_link,
		[ROLE_EV_DONE]		= move_done,
		[ROLE_EV_PASSIVE]	= move_passive,
		[ROLE_EV_HARD]		= move_hard_ordered,
		[ROLE_EV_SICK]		= move_sick,
		[ROLE_EV_FENCE_LOST]	= move_fence_lost,
		[ROLE_EV_STOP]		= move_stop_down,
		[ROLE_EV_RESORT]	= move_resort,
	},
	[AT_MASTER] = {
		[ROLE_EV_DONE]		= move_done,
		[ROLE_EV_LOST_PEER]	= move_lost_peer,
		[ROLE_EV_LOST_LINK]	= move_shake,
		[ROLE_EV_PASSIVE]	= move_passive,
		[ROLE_EV_HARD]		= move_hard_ordered,
		[ROLE_EV_SICK]		= move_sick,
		[ROLE_EV_FENCE_LOST]	= move_fence_lost,
		[ROLE_EV_STOP]		= move_stop_down,
		[ROLE_EV_RESORT]	= move_resort,
	},
	[AT_SHAKEN] = {
		[ROLE_EV_DONE]		= move_done,
		[ROLE_EV_WON]		= move_steady,
		[ROLE_EV_LINK_BACK]	= move_back,
		[ROLE_EV_LOST_PEER]	= move_lost_peer,
		[ROLE_EV_TIMER]		= move_lost_link,
		[ROLE_EV_DISABLE]	= move_steady,
		[ROLE_EV_PASSIVE]	= move_passive,
		[ROLE_EV_HARD]		= move_hard_ordered,
		[ROLE_EV_SICK]		= move_sick,
		[ROLE_EV_FENCE_LOST]	= move_fence_lost,
		[ROLE_EV_STOP]		= move_stop_down,
		[ROLE_EV_RESORT]	= move_resort,
	},
	[AT_DOWN_SERVICE] = {
		[ROLE_EV_LOST_PEER]	= move_hurry_services,
		[ROLE_EV_LOST_LINK]	= move_hurry_services,
		[ROLE_EV_DONE]		= move_done,
		[ROLE_EV_FORCE]		= move_force_later,
		[ROLE_EV_HARD]		= move_hard_ordered,
		[ROLE_EV_FENCE_LOST]	= move_fence_lost,
		[ROLE_EV_STOP]		= move_stop_soon,
		[ROLE_EV_RESORT]	= move_resort,
	},
	[AT_DOWN_STORAGE] = {
		[ROLE_EV_LOST_PEER]	= move_hurry,
		[ROLE_EV_LOST_LINK]	= move_hurry,
		[ROLE_EV_DONE]		= move_done,
		[ROLE_EV_FORCE]		= move_force_later,
		[ROLE_EV_HARD]		= move_hard_ordered,
		[ROLE_EV_FENCE_LOST]	= move_fence_lost,
		[ROLE_EV_STOP]		= move_stop_soon,
		[ROLE_EV_RESORT]	= move_resort,
	},
	[AT_DOWN_FENCE] = {
		[ROLE_EV_LOST_PEER]	= move_hurry,
		[ROLE_EV_LOST_LINK]	= move_hurry,
		[ROLE_EV_DONE]		= move_done,
		[ROLE_EV_FORCE]		= move_force_later,
		[ROLE_EV_HARD]		= move_hard_ordered,
		[ROLE_EV_STOP]		= move_stop_soon,
		[ROLE_EV_RESORT]	= move_resort,
	},
	[AT_ERROR] = {
		[ROLE_EV_TIMER]		= move_again,
		[ROLE_EV_FORCE]		= move_forced,
		[ROLE_EV_DISABLE]	= move_disable,
		[ROLE_EV_ENABLE]	= move_enable,
		[ROLE_EV_STOP]		= move_stop_now,
		[ROLE_EV_RESORT]	= move_resort,
	},
};
/* clang-format on */

static void
remember(struct role *r, enum role_event ev, const struct role_detail *d)
{
	if (ev == ROLE_EV_WON || ev == ROLE_EV_LOST_PEER ||
	    ev == ROLE_EV_LOST_LINK)
		r->view = ev;
	if (ev == ROLE_EV_WON)
		r->won_from = d->peer;
	if (ev == ROLE_EV_DISABLE || ev == ROLE_EV_ENABLE)
		r->cfg.disabled = ev == ROLE_EV_DISABLE;
	if (ev == ROLE_EV_GROWN)
		r->grown = true;
	/* Newest wins: an order to stay down ends one to come up. */
	if (ev == ROLE_EV_PASSIVE || ev == ROLE_EV_DISABLE)
		r->force = false;
	if (ev == ROLE_EV_PASSIVE)
		r->passive = r->at == AT_WAKING || (r->at >= AT_DOWN_SERVICE &&
						       r->at <= AT_DOWN_FENCE);
	else if (ev == ROLE_EV_FORCE)
		r->passive = false;
}

void
role_step(struct role *r, enum role_event ev, const struct role_detail *d,
    uint64_t now)
{
	static const struct role_detail none;
	move_fn *fn = table[r->at][ev];

	assert(r->taken == r->nout);
	r->taken = r->nout = 0;
	if (d == NULL)
		d = &none;
	remember(r, ev, d);
	if (ev == ROLE_EV_TIMER && now < r->deadline)
		return;
	if (r->at == AT_MASTER && now - r->since > STEADY)
		r->failures = 0;
	if (fn != NULL)
		fn(r, d, now);
	move_catch_up(r, now);
}

void
role_init(struct role *r, const struct role_config *cfg)
{
	memset(r, 0, sizeof(*r));
	r->cfg = *cfg;
	r->at = AT_WAKING;
	r->view = ROLE_EV_LOST_PEER;
	r->standby = true; /* as whoever makes the hosts makes them */
	r->deadline = CARP_NEVER;
}

void
role_configure(struct role *r, const struct role_config *cfg, uint64_t now)
{
	bool disabled = r->cfg.disabled;

	r->cfg = *cfg;
	r->cfg.disabled = disabled; /* by event: it may move the node */
	if (r->at == AT_HOLD || r->at == AT_SHAKEN)
		r->deadline = r->since + cfg->timeout;
	if (r->at == AT_SHAKEN && r->back)
		r->deadline += cfg->detect;
	(void)now;
}

bool
role_next(struct role *r, struct role_action *ret)
{
	if (r->taken == r->nout)
		return false;
	*ret = r->out[r->taken++];
	return true;
}

uint64_t
role_deadline(const struct role *r)
{
	return r->deadline;
}

bool
role_busy(const struct role *r)
{
	return r->at != AT_STANDBY && r->at != AT_BACKUP &&
	       r->at != AT_MASTER && r->at != AT_ERROR && r->at != AT_ENDED;
}

enum role_status
role_status(const struct role *r, bool heard)
{
	switch (r->at) {
	case AT_HOLD:
	case AT_FENCE:
	case AT_RETRY:
		return ROLE_ELECTING;
	case AT_STORAGE:
	case AT_CRITICAL:
	case AT_SERVICE:
		return ROLE_IMPORTING;
	case AT_STANDBY:
	case AT_BACKUP:
	case AT_ENDED:
		if (r->failed)
			return ROLE_ERROR;
		return heard ? ROLE_BACKUP : ROLE_UNKNOWN;
	case AT_ERROR:
	case AT_GONE:
		return ROLE_ERROR;
	case AT_WAKING:
		return ROLE_UNKNOWN;
	default: /* it holds storage, also on the way down */
		return r->half ? ROLE_IMPORTING : ROLE_MASTER;
	}
}

const char *
role_status_name(enum role_status s)
{
	static const char *const name[] = { "SINGLE", "ELECTING", "IMPORTING",
		"MASTER", "BACKUP", "ERROR", "UNKNOWN" };

	return (unsigned)s < sizeof(name) / sizeof(*name) ? name[s] : "?";
}

const char *
role_at_name(enum role_at at)
{
	static const char *const name[ROLE_NAT] = {
		[AT_WAKING] = "waking",
		[AT_STANDBY] = "standby",
		[AT_BACKUP] = "backup",
		[AT_HOLD] = "hold-down",
		[AT_FENCE] = "fence",
		[AT_RETRY] = "fence again",
		[AT_STORAGE] = "storage",
		[AT_CRITICAL] = "critical services",
		[AT_SERVICE] = "services",
		[AT_MASTER] = "master",
		[AT_SHAKEN] = "network away",
		[AT_DOWN_SERVICE] = "services down",
		[AT_DOWN_STORAGE] = "storage down",
		[AT_DOWN_FENCE] = "fence down",
		[AT_ERROR] = "error",
		[AT_GONE] = "last resort",
		[AT_ENDED] = "ended",
	};

	return (unsigned)at < ROLE_NAT ? name[at] : "?";
}
