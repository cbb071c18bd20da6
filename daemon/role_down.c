/* SPDX-License-Identifier: ISC */
/*
 * The role of a node in failover mode, on its ways down.  Both stop services,
 * storage and fences in this order; the planned one bows out and gives the
 * addresses away at the end, the forced one gave them away at its beginning.
 */
#include <stdio.h>

#include "role_part.h"

#define BACKOFF	    (10 * CARP_SEC) /* after the first failure; doubles */
#define BACKOFF_MAX 5		    /* times */

void
down_begin(struct role *r, enum resource_mode mode, enum role_at after,
    const char *cause, uint64_t now)
{
	act_begin(r, false, cause);
	r->mode = mode;
	r->after = after;
	if (mode == MODE_FORCED)
		act_addresses(r, false);
	act_go(r, AT_DOWN_SERVICE, now);
	act_order(r, PHASE_SERVICE, false, 0);
}

/* Whoever is to end, ends. */
void
down_fail(struct role *r, const char *reason, uint64_t now)
{
	enum role_at after = r->after == AT_ENDED ? AT_ENDED : AT_ERROR;

	act_copy(r->reason, reason);
	down_begin(r, MODE_PLANNED, after, r->cause, now);
}

void
move_lost_peer(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d;
	if (r->begun)
		act_copy(r->reason, "another node became master meanwhile");
	down_begin(
	    r, MODE_FORCED, AT_BACKUP, "another node became master", now);
}

void
move_lost_link(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d;
	if (r->begun)
		act_copy(r->reason, "the network was lost meanwhile");
	down_begin(r, MODE_FORCED, AT_BACKUP, "the network was lost", now);
}

void
move_passive(struct role *r, const struct role_detail *d, uint64_t now)
{
	if (r->begun)
		act_copy(r->reason, "become_passive meanwhile");
	down_begin(r, MODE_PLANNED, AT_BACKUP,
	    d->text != NULL ? d->text : "become_passive", now);
}

/* Nothing was begun but the election: it is given back. */
static void
give_back(struct role *r, enum role_at after, uint64_t now)
{
	act_bow_out(r);
	act_push(r, ROLE_DO_IMPORTING, false);
	act_standby(r, after == AT_STANDBY);
	act_go(r, after, now);
	act_end(r, false);
}

void
move_hold_lost(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d;
	act_copy(r->reason, "the other node is back");
	act_push(r, ROLE_DO_IMPORTING, false);
	act_go(r, AT_BACKUP, now);
	act_end(r, false);
}

void
move_hold_passive(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d;
	act_copy(r->reason, "become_passive meanwhile");
	give_back(r, AT_BACKUP, now);
}

void
move_hold_disabled(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d;
	act_copy(r->reason, "failover was disabled meanwhile");
	give_back(r, AT_STANDBY, now);
}

/* What was on its way down peacefully has no time any more. */
void
move_hurry(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d, (void)now;
	r->mode = MODE_FORCED;
	act_addresses(r, false);
}

/* And starts that are waited for are not waited for any more. */
void
move_hurry_services(struct role *r, const struct role_detail *d, uint64_t now)
{
	bool planned = r->mode == MODE_PLANNED;

	move_hurry(r, d, now);
	if (planned)
		act_order(r, PHASE_SERVICE, false, 0);
}

void
move_sick(struct role *r, const struct role_detail *d, uint64_t now)
{
	if (r->cfg.disabled && r->at == AT_MASTER)
		return; /* whoever disabled failover wants none */
	if (!r->begun)
		act_begin(r, false, d->text);
	down_fail(r, d->text, now);
}

void
move_stop_down(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d;
	r->storage = r->storage || r->at == AT_WAKING; /* not known yet */
	down_begin(r, MODE_PLANNED, AT_ENDED, "the daemon stops", now);
}

/*
 * The last resort.
 */

/* Called by the supervisor. */
void
down_gone(struct role *r, const char *reason, uint64_t now)
{
	act_addresses(r, false);
	act_begin(r, false, reason);
	act_copy(r->reason, reason);
	act_go(r, AT_GONE, now);
	act_end(r, false);
}

void
move_resort(struct role *r, const struct role_detail *d, uint64_t now)
{
	down_gone(r, d->text, now);
}

static void
hard(struct role *r, const char *reason, uint64_t now)
{
	act_addresses(r, false);
	act_begin(r, false, reason);
	act_copy(r->reason, reason);
	act_go(r, AT_GONE, now);
	act_copy(act_push(r, ROLE_DO_HARD, true)->text, reason);
	act_end(r, false);
}

void
move_hard_ordered(struct role *r, const struct role_detail *d, uint64_t now)
{
	hard(r, d->text != NULL ? d->text : "become_passive hard=true", now);
}

/* Storage without its fence may be written by two. */
void
move_fence_lost(struct role *r, const struct role_detail *d, uint64_t now)
{
	static const char lost[] = "the fence is lost: ";
	char text[RESOURCE_TEXT];

	(void)snprintf(text, sizeof(text), "%s%.*s", lost,
	    (int)(sizeof(text) - sizeof(lost)),
	    d->text != NULL ? d->text : "no reason given");
	if (r->storage)
		hard(r, text, now);
	else
		down_fail(r, text, now);
}

/*
 * Orders that were carried out.
 */

static void
rest_error(struct role *r, uint64_t now)
{
	unsigned n = r->failures < BACKOFF_MAX ? r->failures : BACKOFF_MAX;

	r->failures++;
	r->failed = true;
	act_copy(act_push(r, ROLE_DO_FAILED, true)->text, r->reason);
	r->deadline = now + (BACKOFF << n);
}

/* All is down: who bows out now gives the peer free disks. */
static void
settle(struct role *r, uint64_t now)
{
	enum role_at after = r->after;

	if (after == AT_BACKUP && r->cfg.disabled)
		after = AT_STANDBY;
	r->storage = r->fenced = false;
	if (r->mode == MODE_PLANNED || after != AT_BACKUP)
		act_bow_out(r);
	act_addresses(r, false);
	act_push(r, ROLE_DO_IMPORTING, false);
	act_go(r, after, now);
	if (after == AT_ERROR)
		rest_error(r, now);
	act_standby(r, after != AT_BACKUP);
	act_end(r, r->reason[0] == '\0');
	if (after == AT_ENDED)
		act_push(r, ROLE_DO_EXIT, true);
}

/* What does not stop is no reason to stay; storage that stays is the end. */
void
down_done(struct role *r, const struct resource_done *d, uint64_t now)
{
	switch (r->at) {
	case AT_DOWN_SERVICE:
		act_go(r, AT_DOWN_STORAGE, now);
		act_order(r, PHASE_STORAGE, false, 0);
		break;
	case AT_DOWN_STORAGE:
		/*
		 * What this node had is the supervisor's to decide, with the
		 * last resort.  This is storage that it never had and cannot
		 * ask for: the fence is held, and somebody has to look.
		 */
		if (!d->ok) {
			act_copy(r->reason, d->text);
			r->after = r->after == AT_ENDED ? AT_ENDED : AT_ERROR;
			settle(r, now);
			break;
		}
		r->storage = false;
		act_go(r, AT_DOWN_FENCE, now);
		act_order(r, PHASE_FENCE, false, 0);
		break;
	default:
		settle(r, now);
	}
}
