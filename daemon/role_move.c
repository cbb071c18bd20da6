/* SPDX-License-Identifier: ISC */
/* The role of a node in failover mode: what events mean to one that rests. */
#include "role_part.h"

void
move_known(struct role *r, const struct role_detail *d, uint64_t now)
{
	enum role_at after = r->cfg.disabled ? AT_STANDBY : AT_BACKUP;

	r->mode = MODE_FORCED;
	if (d->whole && r->view == ROLE_EV_WON) {
		/* An engine before this one brought it all up. */
		r->storage = r->fenced = true;
		act_begin(r, true, "resumed");
		act_standby(r, false);
		up_arrive(r, now);
	} else if (d->any) {
		r->storage = true;
		down_begin(
		    r, MODE_FORCED, AT_BACKUP, "found running at start", now);
	} else {
		act_go(r, after, now);
		if (after == AT_STANDBY) /* one may have been resumed */
			act_bow_out(r);
		act_standby(r, after == AT_STANDBY);
	}
}

void
move_again(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d;
	act_go(r, r->cfg.disabled ? AT_STANDBY : AT_BACKUP, now);
	act_standby(r, r->cfg.disabled);
}

void
move_enable(struct role *r, const struct role_detail *d, uint64_t now)
{
	r->failures = 0;
	if (r->failed)
		act_push(r, ROLE_DO_FAILED, false);
	r->failed = false;
	move_again(r, d, now);
}

void
move_disable(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d;
	act_go(r, AT_STANDBY, now);
	act_bow_out(r);
	act_standby(r, true);
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
	act_go(r, AT_ENDED, now);
	act_push(r, ROLE_DO_EXIT, true);
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
	act_go(r, AT_SHAKEN, now);
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
	act_push(r, ROLE_DO_TAKE, true);
	r->deadline = r->since + r->cfg.timeout + r->cfg.detect;
}

void
move_steady(struct role *r, const struct role_detail *d, uint64_t now)
{
	(void)d;
	act_go(r, AT_MASTER, now);
}

/*
 * After an event.
 */

static void
passive_now(struct role *r, const struct role_detail *d, uint64_t now)
{
	r->passive = false;
	if (r->at == AT_MASTER)
		move_passive(r, d, now);
	else if (r->view == ROLE_EV_WON)
		act_bow_out(r);
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
		up_grow(r);
}

/* Answers to orders: up or down. */
void
move_done(struct role *r, const struct role_detail *d, uint64_t now)
{
	if (d->done->order != r->order)
		return; /* of an order that was replaced */
	if (d->done->hard) {
		down_gone(r, d->done->text, now);
	} else if (r->at == AT_FENCE) {
		up_fence_done(r, d->done, now);
	} else if (r->at == AT_MASTER || r->at == AT_SHAKEN) {
		up_grown(r, d->done);
	} else if (r->at < AT_DOWN_SERVICE) {
		up_done(r, d->done, now);
	} else {
		down_done(r, d->done, now);
	}
}
