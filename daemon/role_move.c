/* SPDX-License-Identifier: ISC */
/* The role of a node in failover mode: what each event leads to. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <carp/carp.h>

#include "role_move.h"

#define RETRY	    (CARP_SEC / 4)  /* between attempts at a fence */
#define BACKOFF	    (10 * CARP_SEC) /* after the first failure; doubles */
#define BACKOFF_MAX 5		    /* times */

/*
 * Actions.
 */

static struct role_action *
push(struct role *r, enum role_do what, bool on)
{
	struct role_action *a = &r->out[r->nout];

	assert(r->nout < ROLE_ACTIONS);
	r->nout++;
	memset(a, 0, sizeof(*a));
	a->what = what;
	a->on = on;
	return a;
}

static void
copy(char to[RESOURCE_TEXT], const char *from)
{
	(void)snprintf(to, RESOURCE_TEXT, "%s", from != NULL ? from : "");
}

static void
standby(struct role *r, bool on)
{
	if (r->standby != on)
		push(r, ROLE_DO_STANDBY, on);
	r->standby = on;
}

static void
order(struct role *r, enum conf_phase phase, bool up, unsigned critical)
{
	struct resource_order *o = &push(r, ROLE_DO_ORDER, up)->order;

	o->id = ++r->order;
	o->phase = (uint8_t)phase;
	o->up = up;
	o->mode = (uint8_t)(up ? MODE_UP : r->mode);
	o->peer = (uint8_t)r->peer;
	o->critical = (uint8_t)critical;
	copy(o->cause, r->cause);
}

static void
addresses(struct role *r, bool on)
{
	if (r->addresses != on)
		push(r, ROLE_DO_ADDRESSES, on);
	r->addresses = on;
}

/* A transition that turns round is one transition. */
static void
begin(struct role *r, bool up, const char *cause)
{
	struct role_action *a;

	if (cause != r->cause)
		copy(r->cause, cause);
	if (r->begun)
		return;
	r->begun = true;
	r->reason[0] = '\0';
	a = push(r, ROLE_DO_BEGIN, true);
	a->up = up;
	copy(a->text, cause);
}

static void
end(struct role *r, bool ok)
{
	struct role_action *a;

	if (!r->begun)
		return;
	r->begun = false;
	a = push(r, ROLE_DO_END, true);
	a->ok = ok;
	copy(a->text, r->reason);
}

static void
go(struct role *r, enum role_at at, uint64_t now)
{
	r->at = at;
	r->since = now;
	r->deadline = CARP_NEVER;
}

/*
 * The way up: fence, storage, critical services, the other ones, addresses.
 */

static void
take_fence(struct role *r, uint64_t now)
{
	r->grown = r->half = false; /* all are started now */
	go(r, AT_FENCE, now);
	order(r, PHASE_FENCE, true, 0);
}

static void
go_up(struct role *r, const char *cause, uint64_t now)
{
	begin(r, true, cause);
	push(r, ROLE_DO_IMPORTING, true);
	r->retry_until = now + r->cfg.fence_wait;
	if (r->cfg.timeout > 0 && r->peer == PEER_UNCLEAR) {
		go(r, AT_HOLD, now);
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
	begin(r, true, "force_master");
	standby(r, false);
	push(r, ROLE_DO_IMPORTING, true); /* before its first word */
	push(r, ROLE_DO_TAKE, true);
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

static void
arrive(struct role *r, uint64_t now)
{
	addresses(r, true);
	go(r, AT_MASTER, now);
	push(r, ROLE_DO_IMPORTING, false);
	if (r->failed)
		push(r, ROLE_DO_FAILED, false);
	r->failed = false;
	end(r, true);
}

/*
 * The ways down.  Both stop services, storage and fences in this order; the
 * planned one bows out and gives the addresses away at the end, the forced one
 * gave them away at its beginning.
 */

static void
go_down(struct role *r, enum resource_mode mode, enum role_at after,
    const char *cause, uint64_t now)
{
	begin(r, false, cause);
	r->mode = mode;
	r->after = after;
	r->growing = false;
	if (mode == MODE_FORCED)
		addresses(r, false);
	if (r->at < AT_DOWN_SERVICE)
		r->half = r->at >= AT_HOLD && r->at < AT_MASTER;
	go(r, AT_DOWN_SERVICE, now);
	order(r, PHASE_SERVICE, false, 0);
}

/* Whoever is to end, ends. */
static void
fail(struct role *r, const char *reason, uint64_t now)
{
	enum role_at after = r->after == AT_ENDED ? AT_ENDED : AT_ERROR;

	copy(r->reason, reason);
	go_down(r, MODE_PLANNED, after, r->cause, now);
}

void
move_lost_peer(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d;
	if (r->begun)
		copy(r->reason, "another node became master meanwhile");
	go_down(r, MODE_FORCED, AT_BACKUP, "another node became master", now);
}

void
move_lost_link(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d;
	if (r->begun)
		copy(r->reason, "the network was lost meanwhile");
	go_down(r, MODE_FORCED, AT_BACKUP, "the network was lost", now);
}

void
move_passive(struct role *r, const struct role_detail *d, uint64_t now)
{
	if (r->begun)
		copy(r->reason, "become_passive meanwhile");
	go_down(r, MODE_PLANNED, AT_BACKUP,
	    d->text != NULL ? d->text : "become_passive", now);
}

/* Who takes no part must not keep the other node quiet. */
static void
bow_out(struct role *r)
{
	push(r, ROLE_DO_BOW_OUT, true);
	r->view = ROLE_EV_LOST_PEER;
}

/* Nothing was begun but the election: it is given back. */
static void
give_back(struct role *r, enum role_at after, uint64_t now)
{
	bow_out(r);
	push(r, ROLE_DO_IMPORTING, false);
	standby(r, after == AT_STANDBY);
	go(r, after, now);
	end(r, false);
}

void
move_hold_lost(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d;
	copy(r->reason, "the other node is back");
	push(r, ROLE_DO_IMPORTING, false);
	go(r, AT_BACKUP, now);
	end(r, false);
}

void
move_hold_passive(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d;
	copy(r->reason, "become_passive meanwhile");
	give_back(r, AT_BACKUP, now);
}

void
move_hold_disabled(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d;
	copy(r->reason, "failover was disabled meanwhile");
	give_back(r, AT_STANDBY, now);
}

/* What was on its way down peacefully has no time any more. */
void
move_hurry(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d, (void)now;
	r->mode = MODE_FORCED;
	addresses(r, false);
}

/* And starts that are waited for are not waited for any more. */
void
move_hurry_services(struct role *r, const struct role_detail *d, uint64_t now)
{
	bool planned = r->mode == MODE_PLANNED;

	move_hurry(r, d, now);
	if (planned)
		order(r, PHASE_SERVICE, false, 0);
}

/* The supervisor has called the last resort. */
static void
be_gone(struct role *r, const char *reason, uint64_t now)
{
	addresses(r, false);
	begin(r, false, reason);
	copy(r->reason, reason);
	go(r, AT_GONE, now);
	end(r, false);
}

void
move_resort(struct role *r, const struct role_detail *d, uint64_t now)
{
	be_gone(r, d->text, now);
}

static void
hard(struct role *r, const char *reason, uint64_t now)
{
	addresses(r, false);
	begin(r, false, reason);
	copy(r->reason, reason);
	go(r, AT_GONE, now);
	copy(push(r, ROLE_DO_HARD, true)->text, reason);
	end(r, false);
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
	char text[RESOURCE_TEXT];

	(void)snprintf(text, sizeof(text), "the fence is lost: %.150s",
	    d->text != NULL ? d->text : "no reason given");
	if (r->storage)
		hard(r, text, now);
	else
		fail(r, text, now);
}

void
move_sick(struct role *r, const struct role_detail *d, uint64_t now)
{
	if (r->cfg.disabled && r->at == AT_MASTER)
		return; /* whoever disabled failover wants none */
	if (!r->begun)
		begin(r, false, d->text);
	fail(r, d->text, now);
}

/*
 * Rest.
 */

static void
rest_error(struct role *r, uint64_t now)
{
	unsigned n = r->failures < BACKOFF_MAX ? r->failures : BACKOFF_MAX;

	r->failures++;
	r->failed = true;
	copy(push(r, ROLE_DO_FAILED, true)->text, r->reason);
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
		bow_out(r);
	addresses(r, false);
	push(r, ROLE_DO_IMPORTING, false);
	go(r, after, now);
	if (after == AT_ERROR)
		rest_error(r, now);
	standby(r, after != AT_BACKUP);
	end(r, r->reason[0] == '\0');
	if (after == AT_ENDED)
		push(r, ROLE_DO_EXIT, true);
}

void
move_known(struct role *r, const struct role_detail *d, uint64_t now)
{
	enum role_at after = r->cfg.disabled ? AT_STANDBY : AT_BACKUP;

	r->mode = MODE_FORCED;
	if (d->whole && r->view == ROLE_EV_WON) {
		/* An engine before this one brought it all up. */
		r->storage = r->fenced = true;
		begin(r, true, "resumed");
		standby(r, false);
		arrive(r, now);
	} else if (d->any) {
		r->storage = true;
		go_down(
		    r, MODE_FORCED, AT_BACKUP, "found running at start", now);
	} else {
		go(r, after, now);
		if (after == AT_STANDBY) /* one may have been resumed */
			bow_out(r);
		standby(r, after == AT_STANDBY);
	}
}

void
move_again(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d;
	go(r, r->cfg.disabled ? AT_STANDBY : AT_BACKUP, now);
	standby(r, r->cfg.disabled);
}

void
move_enable(struct role *r, const struct role_detail *d, uint64_t now)
{
	r->failures = 0;
	if (r->failed)
		push(r, ROLE_DO_FAILED, false);
	r->failed = false;
	move_again(r, d, now);
}

void
move_disable(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d;
	go(r, AT_STANDBY, now);
	bow_out(r);
	standby(r, true);
}

void
move_stop_down(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d;
	r->storage = r->storage || r->at == AT_WAKING; /* not known yet */
	go_down(r, MODE_PLANNED, AT_ENDED, "the daemon stops", now);
}

void
move_stop_soon(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d, (void)now;
	r->after = AT_ENDED;
}

void
move_stop_now(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d;
	go(r, AT_ENDED, now);
	push(r, ROLE_DO_EXIT, true);
}

/*
 * The network of a master is away.
 */

void
move_shake(struct role *r, const struct role_detail *d, uint64_t now)
{
	if (r->cfg.disabled)
		return;
	if (r->cfg.timeout == 0) {
		move_lost_link(r, d, now);
		return;
	}
	go(r, AT_SHAKEN, now);
	r->back = false;
	r->deadline = now + r->cfg.timeout;
}

/*
 * The other node waits for its time-out and then for its hold-down.  Were this
 * one to wait for a time-out as well, that one would win each time.  So it
 * takes the hosts at once; whether they are ours again, the election will tell.
 */
void
move_back(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d, (void)now;
	r->back = true;
	push(r, ROLE_DO_TAKE, true);
	r->deadline = r->since + r->cfg.timeout + r->cfg.detect;
}

void
move_steady(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d;
	go(r, AT_MASTER, now);
}

static void
passive_now(struct role *r, const struct role_detail *d, uint64_t now)
{
	r->passive = false;
	if (r->at == AT_MASTER)
		move_passive(r, d, now);
	else if (r->view == ROLE_EV_WON)
		bow_out(r);
}

/*
 * Resources that a reload has brought are started beside those that run, and
 * what becomes of them is no reason to move.
 */
static void
grow(struct role *r)
{
	r->grown = false;
	r->growing = true;
	begin(r, true, "new resources");
	order(r, PHASE_STORAGE, true, 0);
}

static void
grown(struct role *r, const struct resource_done *d)
{
	if (d->ok && r->growing) {
		r->growing = false;
		order(r, PHASE_SERVICE, true, 0);
		return;
	}
	r->growing = false;
	if (!d->ok)
		copy(r->reason, d->text);
	end(r, d->ok);
}

/* What came while the node was busy. */
void
move_catch_up(struct role *r, uint64_t now)
{
	struct role_detail d = { .peer = r->won_from };

	if (r->force &&
	    (r->at == AT_BACKUP || r->at == AT_STANDBY || r->at == AT_ERROR))
		move_forced(r, &d, now);
	else if (r->passive && (r->at == AT_BACKUP || r->at == AT_MASTER))
		passive_now(r, &d, now);
	else if (r->at == AT_BACKUP && r->view == ROLE_EV_WON)
		move_elected(r, &d, now);
	else if (r->at == AT_MASTER && r->view == ROLE_EV_LOST_LINK)
		move_shake(r, &d, now);
	if (r->at == AT_MASTER && r->grown)
		grow(r);
}

/*
 * Orders that were carried out.
 */

static void
fence_done(struct role *r, const struct resource_done *d, uint64_t now)
{
	if (d->ok) {
		r->fenced = d->fenced;
		r->storage = true; /* from here on it may be */
		go(r, AT_STORAGE, now);
		order(r, PHASE_STORAGE, true, 0);
	} else if (d->peer_alive && now + RETRY < r->retry_until) {
		go(r, AT_RETRY, now);
		r->deadline = now + RETRY;
	} else {
		fail(r, d->text, now);
	}
}

static void
up_done(struct role *r, const struct resource_done *d, uint64_t now)
{
	if (!d->ok && r->at != AT_SERVICE) {
		fail(r, d->text, now);
		return;
	}
	switch (r->at) {
	case AT_STORAGE:
		if (r->cfg.addresses_first)
			addresses(r, true);
		go(r, AT_CRITICAL, now);
		order(r, PHASE_SERVICE, true, 1);
		break;
	case AT_CRITICAL:
		go(r, AT_SERVICE, now);
		order(r, PHASE_SERVICE, true, 2);
		break;
	default: /* what is not critical may fail */
		arrive(r, now);
	}
}

/* What does not stop is no reason to stay; storage that stays is the end. */
static void
down_done(struct role *r, const struct resource_done *d, uint64_t now)
{
	switch (r->at) {
	case AT_DOWN_SERVICE:
		go(r, AT_DOWN_STORAGE, now);
		order(r, PHASE_STORAGE, false, 0);
		break;
	case AT_DOWN_STORAGE:
		/*
		 * What this node had is the supervisor's to decide, with the
		 * last resort.  This is storage that it never had and cannot
		 * ask for: the fence is held, and somebody has to look.
		 */
		if (!d->ok) {
			copy(r->reason, d->text);
			r->after = r->after == AT_ENDED ? AT_ENDED : AT_ERROR;
			settle(r, now);
			break;
		}
		r->storage = false;
		go(r, AT_DOWN_FENCE, now);
		order(r, PHASE_FENCE, false, 0);
		break;
	default:
		settle(r, now);
	}
}

void
move_done(struct role *r, const struct role_detail *d, uint64_t now)
{
	if (d->done->order != r->order)
		return; /* of an order that was replaced */
	if (d->done->hard) {
		be_gone(r, d->done->text, now);
	} else if (r->at == AT_FENCE) {
		fence_done(r, d->done, now);
	} else if (r->at == AT_MASTER || r->at == AT_SHAKEN) {
		grown(r, d->done);
	} else if (r->at < AT_DOWN_SERVICE) {
		up_done(r, d->done, now);
	} else {
		down_done(r, d->done, now);
	}
}
