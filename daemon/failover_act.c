/* SPDX-License-Identifier: ISC */
/* Actions of the role machine, carried out on hosts and resources. */
#include <string.h>

#include "failover_part.h"
#include "log.h"

/*
 * Virtual hosts.
 */

static void
each(struct failover *f, bool on, uint64_t now,
    void (*act)(
	struct carp_host *, const struct carp_host_info *, bool, uint64_t))
{
	struct carp_host *h = NULL;
	struct carp_host_info i;

	while ((h = carp_host_each(f->engine, h)) != NULL) {
		carp_host_get_info(h, &i);
		act(h, &i, on, now);
	}
}

static void
install(
    struct carp_host *h, const struct carp_host_info *i, bool on, uint64_t now)
{
	int rc;

	if (i->vip.up == on || (on && i->carp.state != CARP_MASTER))
		return;
	if ((rc = carp_host_install(h, on, now)) < 0)
		log_line(LOG_ERR, "vhid %u %s: addresses: %s", i->carp.vhid,
		    i->ifname, strerror(-rc));
}

void
failover_install(struct failover *f, uint64_t now)
{
	each(f, true, now, install);
}

static void
take(struct carp_host *h, const struct carp_host_info *i, bool on, uint64_t now)
{
	(void)on;
	if (i->carp.state == CARP_BACKUP)
		(void)carp_host_force(h, CARP_MASTER, now); /* it has a link */
}

static void
bow_out(
    struct carp_host *h, const struct carp_host_info *i, bool on, uint64_t now)
{
	(void)on;
	if (i->carp.state == CARP_MASTER)
		(void)carp_host_force(h, CARP_BACKUP, now);
}

static void
speak(
    struct carp_host *h, const struct carp_host_info *i, bool on, uint64_t now)
{
	(void)on;
	if (i->carp.state == CARP_MASTER)
		(void)carp_host_force(h, CARP_MASTER, now); /* it is so */
}

void
failover_speak(struct failover *f, uint64_t now)
{
	each(f, true, now, speak);
}

static void
stand_by(
    struct carp_host *h, const struct carp_host_info *i, bool on, uint64_t now)
{
	(void)i;
	(void)carp_host_standby(h, on, now); /* nothing pends */
}

/*
 * Transitions.
 */

static void
begin(struct failover *f, const struct role_action *a, uint64_t now)
{
	log_line(LOG_NOTICE, "failover: %s: %s",
	    a->up ? "becoming active" : "stepping down", a->text);
	f->culprit[0] = '\0';
	f->passive = f->passive && !a->up;
	store_begin(&f->store, role_status_name(f->told), a->up, a->text, now);
	failover_remember(f);
}

static void
end(struct failover *f, const struct role_action *a, uint64_t now)
{
	const char *to = role_status_name(role_status(&f->role, true));

	if (a->ok)
		log_line(LOG_NOTICE, "failover: %s after %.3f s", to,
		    (double)(now - f->store.began) / CARP_SEC);
	else
		log_line(LOG_ERR, "failover: %s: %s", to, a->text);
	store_end(&f->store, to, a->ok, a->text, now);
	failover_remember(f);
}

void
failover_act(struct failover *f, const struct role_action *a, uint64_t now)
{
	switch (a->what) {
	case ROLE_DO_BEGIN:
		begin(f, a, now);
		break;
	case ROLE_DO_END:
		end(f, a, now);
		break;
	case ROLE_DO_ORDER:
		store_order(&f->store, &a->order, now);
		f->ops.order(f->arg, &a->order);
		break;
	case ROLE_DO_ADDRESSES:
		each(f, a->on, now, install);
		store_mark(&f->store, "addresses", a->on, now);
		break;
	case ROLE_DO_TAKE:
		if (f->role.view == ROLE_EV_WON)
			f->said = ROLE_EV_WON; /* it knows already */
		each(f, true, now, take);
		break;
	case ROLE_DO_BOW_OUT:
		f->said = ROLE_EV_LOST_PEER;
		each(f, true, now, bow_out);
		store_mark(&f->store, "bow-out", false, now);
		break;
	case ROLE_DO_STANDBY:
		each(f, a->on, now, stand_by);
		break;
	case ROLE_DO_IMPORTING:
		f->importing = a->on;
		failover_demote_serving(f, now);
		break;
	case ROLE_DO_FAILED:
		failover_demote_failed(f, a->on, now);
		break;
	case ROLE_DO_HARD:
		log_line(LOG_CRIT, "failover: last resort: %s", a->text);
		f->ops.hard(f->arg, a->text);
		break;
	case ROLE_DO_EXIT:
		f->ops.ended(f->arg);
		break;
	}
}
