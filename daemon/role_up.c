/* SPDX-License-Identifier: ISC */
/*
 * The role of a node in failover mode, on its way up: fence, storage, critical
 * services, the other ones, addresses.
 */
#include "role_part.h"

#define RETRY (CARP_SEC / 4) /* between attempts at a fence */

static void
take_fence(struct role *r, uint64_t now)
{
	r->grown = r->half = false; /* all are started now */
	act_go(r, AT_FENCE, now);
	act_order(r, PHASE_FENCE, true, 0);
}

static void
go_up(struct role *r, const char *cause, uint64_t now)
{
	act_begin(r, true, cause);
	act_push(r, ROLE_DO_IMPORTING, true);
	r->retry_until = now + r->cfg.fence_wait;
	if (r->cfg.timeout > 0 && r->peer == PEER_UNCLEAR) {
		act_go(r, AT_HOLD, now);
		r->deadline = now + r->cfg.timeout;
		r->retry_until += r->cfg.timeout;
	} else {
		take_fence(r, now);
	}
}

void
move_hold_over(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d;
	take_fence(r, now);
}

void
move_elected(struct role *r, const struct role_detail *d, uint64_t now)
{
	static const char *const cause[] = {
		[PEER_UNCLEAR] = "elected: no master was heard",
		[PEER_PASSIVE] = "elected: the other node stepped down",
		[PEER_DEAD] = "elected: the other node is dead",
	};

	r->peer = d->peer;
	go_up(r, d->text != NULL ? d->text : cause[r->peer], now);
}

/* By order of an administrator: the other node counts as dead. */
void
move_forced(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d;
	r->force = false;
	r->peer = PEER_DEAD;
	r->failures = 0;
	act_begin(r, true, "force_master");
	act_standby(r, false);
	act_push(r, ROLE_DO_IMPORTING, true); /* before its first word */
	act_push(r, ROLE_DO_TAKE, true);
	r->view = ROLE_EV_WON;
	r->retry_until = now + r->cfg.fence_wait;
	take_fence(r, now);
}

void
move_force_later(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d, (void)now;
	r->force = true;
}

/*
 * Orders that were carried out.
 */

void
up_fence_done(struct role *r, const struct resource_done *d, uint64_t now)
{
	if (d->ok) {
		r->fenced = d->fenced;
		r->storage = true; /* from here on it may be */
		act_go(r, AT_STORAGE, now);
		act_order(r, PHASE_STORAGE, true, 0);
	} else if (d->peer_alive && now + RETRY < r->retry_until) {
		act_go(r, AT_RETRY, now);
		r->deadline = now + RETRY;
	} else {
		down_fail(r, d->text, now);
	}
}

void
up_arrive(struct role *r, uint64_t now)
{
	act_addresses(r, true);
	act_go(r, AT_MASTER, now);
	act_push(r, ROLE_DO_IMPORTING, false);
	if (r->failed)
		act_push(r, ROLE_DO_FAILED, false);
	r->failed = false;
	act_end(r, true);
}

void
up_done(struct role *r, const struct resource_done *d, uint64_t now)
{
	if (!d->ok && r->at != AT_SERVICE) {
		down_fail(r, d->text, now);
		return;
	}
	switch (r->at) {
	case AT_STORAGE:
		if (r->cfg.addresses_first)
			act_addresses(r, true);
		act_go(r, AT_CRITICAL, now);
		act_order(r, PHASE_SERVICE, true, 1);
		break;
	case AT_CRITICAL:
		act_go(r, AT_SERVICE, now);
		act_order(r, PHASE_SERVICE, true, 2);
		break;
	default: /* what is not critical may fail */
		up_arrive(r, now);
	}
}

/*
 * Resources that a reload has brought are started beside those that run, and
 * what becomes of them is no reason to move.
 */
void
up_grow(struct role *r)
{
	r->grown = false;
	r->growing = true;
	act_begin(r, true, "new resources");
	act_order(r, PHASE_STORAGE, true, 0);
}

void
up_grown(struct role *r, const struct resource_done *d)
{
	if (d->ok && r->growing) {
		r->growing = false;
		act_order(r, PHASE_SERVICE, true, 0);
		return;
	}
	r->growing = false;
	if (!d->ok)
		act_copy(r->reason, d->text);
	act_end(r, d->ok);
}
