/* SPDX-License-Identifier: ISC */
/*
 * The life of an engine, and the order in which it does things.
 */
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/timerfd.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"

#define LINK_DEMOTION 240
#define ROUNDS	      3	       /* of sending and what follows from it */
#define SAME_ERROR    CARP_SEC /* is not told again within */

uint64_t
carp_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail */
	return (uint64_t)ts.tv_sec * CARP_SEC + (uint64_t)ts.tv_nsec;
}

static int
watch(struct carp_engine *e, int fd, void *what)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = what };

	return epoll_ctl(e->epoll, EPOLL_CTL_ADD, fd, &ev) != 0 ? -errno : 0;
}

static int
open_all(struct carp_engine *e)
{
	int rc;

	if ((e->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
		return -errno;
	e->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (e->timer < 0)
		return -errno;
	if ((rc = transmit_open(e)) != 0 || (rc = vip_new(&e->vip)) != 0)
		return rc;
	receive_open(e);
	if ((rc = watch(e, e->timer, NULL)) == 0)
		rc = watch(e, vip_fd(e->vip), e);
	return rc;
}

int
carp_engine_new(struct carp_engine **ret)
{
	struct carp_engine *e;
	int rc;

	if (ret == NULL)
		return -EINVAL;
	if ((e = calloc(1, sizeof(*e))) == NULL)
		return -ENOMEM;
	e->epoll = e->timer = e->packet = e->raw4 = e->raw6 = -1;
	e->last = &e->hosts;
	e->link_demotion = LINK_DEMOTION;
	e->armed = e->chores = CARP_NEVER;
	if (getrandom(&e->counter, sizeof(e->counter), 0) != sizeof(e->counter))
		rc = -errno;
	else if ((rc = events_reserve(e, 0)) == 0)
		rc = open_all(e);
	if (rc != 0) {
		carp_engine_free(e);
		return rc;
	}
	*ret = e;
	return 0;
}

void
carp_engine_free(struct carp_engine *e)
{
	if (e == NULL)
		return;
	for (struct carp_host *h = e->hosts; h != NULL; h = h->next)
		vip_set_up(h->set, false);
	if (e->hosts != NULL) /* all in one go; what fails, the next tries */
		(void)vip_commit(e->vip, carp_now());
	while (e->hosts != NULL)
		host_free(e->hosts);
	while (e->ifaces != NULL)
		iface_free(e->ifaces);
	listen_reap(e);
	if (e->vip != NULL)
		vip_free(e->vip);
	if (e->raw6 >= 0)
		(void)close(e->raw6);
	if (e->raw4 >= 0)
		(void)close(e->raw4);
	if (e->packet >= 0)
		(void)close(e->packet);
	if (e->timer >= 0)
		(void)close(e->timer);
	if (e->epoll >= 0)
		(void)close(e->epoll);
	heap_free(&e->heap);
	free(e->ring);
	free(e->group);
	free(e);
}

int
carp_engine_fd(const struct carp_engine *e)
{
	return e != NULL ? e->epoll : -EINVAL;
}

struct vip *
carp_engine_vip(struct carp_engine *e)
{
	return e != NULL ? e->vip : NULL;
}

uint64_t
carp_engine_deadline(const struct carp_engine *e)
{
	const struct heap_node *first;
	uint64_t at;

	if (e == NULL)
		return CARP_NEVER;
	at = vip_deadline(e->vip);
	if ((first = heap_first(&e->heap)) != NULL && first->at < at)
		at = first->at;
	return e->chores < at ? e->chores : at;
}

/*
 * Never read: setting it anew also ends that it is readable, and if the
 * deadline has not moved it shall stay so.
 */
static void
arm(struct carp_engine *e, uint64_t now)
{
	struct itimerspec ts = { 0 };
	uint64_t at = carp_engine_deadline(e);

	if (at == e->armed)
		return;
	e->armed = at;
	if (at != CARP_NEVER) {
		ts.it_value.tv_sec = (time_t)(at / CARP_SEC);
		ts.it_value.tv_nsec = (long)(at % CARP_SEC);
		if (at == 0)
			ts.it_value.tv_nsec = 1; /* 0 would switch it off */
	}
	if (timerfd_settime(e->timer, TFD_TIMER_ABSTIME, &ts, NULL) != 0)
		engine_error(e, -errno, now);
}

void
engine_error(struct carp_engine *e, int error, uint64_t now)
{
	if (error == e->error && now - e->error_at < SAME_ERROR)
		return;
	e->error = error;
	e->error_at = now;
	events_push(e, &(struct carp_event){
			   .what = CARP_EV_ERROR, .value = error, .at = now });
}

uint64_t
engine_listening_since(uint64_t now)
{
	uint64_t later = carp_now();

	return later > now ? later : now;
}

/*
 * Actions of a host.
 */
static void
change_state(struct carp_host *h, const struct carp_action *a, uint64_t now)
{
	struct carp_engine *e = h->iface->engine;
	struct carp_event ev = { .what = CARP_EV_STATE,
		.from = a->from,
		.to = a->to,
		.cause = a->cause,
		.at = now,
		.host = h };

	h->since = now;
	h->rival_last = 0;
	if (!h->manual || a->to != CARP_MASTER)
		vip_set_up(h->set, a->to == CARP_MASTER);
	if (a->from == CARP_MASTER) {
		e->lost = true;
		condition_host_end(h, CARP_COND_TWO_MASTERS, now);
	}
	if (carp_took_demoted(h->carp))
		e->taken = h;
	memcpy(ev.ifname, h->iface->name, sizeof(ev.ifname));
	events_push(e, &ev);
}

void
engine_carry(struct carp_host *h, uint64_t now)
{
	struct carp_engine *e = h->iface->engine;
	struct carp_action a;
	bool late = e->late.n > 0; /* nothing overtakes what waits */

	while (carp_next(h->carp, &a)) {
		e->pending = true;
		switch (a.what) {
		case CARP_DO_STATE:
			change_state(h, &a, now);
			break;
		case CARP_DO_SEND:
			transmit_queue(h, &a, late || a.bowout, now);
			break;
		case CARP_DO_ANNOUNCE:
			vip_set_announce(h->set);
			late = true; /* what follows */
			break;
		}
	}
	heap_set(&e->heap, &h->timer, carp_deadline(h->carp));
}

/*
 * What the addresses have to tell.
 */
static struct carp_host *
host_of(const struct carp_engine *e, const struct vip_set *set)
{
	struct carp_host *h = e->hosts;

	while (h != NULL && h->set != set)
		h = h->next;
	return h;
}

static void
hear_address(struct carp_engine *e, const struct vip_event *v, uint64_t now)
{
	struct carp_host *h = host_of(e, v->set);
	struct carp_event ev = {
		.what = CARP_EV_REPAIRED, .at = now, .host = h, .addr = v->addr
	};
	char text[CARP_ADDR_STRLEN];

	if (h == NULL)
		return;
	(void)carp_addr_print(text, &v->addr, true);
	if (v->what == VIP_FAILED) {
		condition_host(h, CARP_COND_ADDRESS, &v->addr, now,
		    "the kernel refuses %s on %s: %s; trying again each "
		    "second",
		    text, h->iface->name, strerror(-v->error));
	} else if (v->what == VIP_FOREIGN) {
		condition_host(h, CARP_COND_FOREIGN_ADDRESS, &v->addr, now,
		    "%s was on %s before us and is left alone: remove it, or "
		    "it stays when we are backup",
		    text, h->iface->name);
	} else {
		memcpy(ev.ifname, h->iface->name, sizeof(ev.ifname));
		events_push(e, &ev);
	}
}

static void
hear_vip(struct carp_engine *e, uint64_t now)
{
	struct vip_event v;

	while (vip_next(e->vip, &v)) {
		switch (v.what) {
		case VIP_LINK:
			iface_update_all(e, v.ifname, now);
			break;
		case VIP_OVERRUN:
			iface_update_all(e, NULL, now);
			e->pending = true;
			break;
		case VIP_TAKEN: /* the next vip_commit() repairs it */
			e->pending = true;
			hear_address(e, &v, now);
			break;
		case VIP_FAILED:
		case VIP_FOREIGN:
			hear_address(e, &v, now);
			break;
		}
	}
}

/* Is an address the reason?  Then its condition says so. */
static bool
is_refused(const struct carp_engine *e)
{
	struct vip_set_info info;

	for (struct carp_host *h = e->hosts; h != NULL; h = h->next) {
		vip_set_get_info(h->set, &info);
		if (info.failed > 0)
			return true;
	}
	return false;
}

/*
 * Sends, then changes addresses.  Two things wait until they have changed: a
 * bow-out, so that no address has two owners; and an advertisement that comes
 * with an announcement, since a peer that preempts because of it announces
 * after us.  What fails may demote, and that may send again.
 */
static void
settle(struct carp_engine *e, uint64_t now)
{
	int rc;

	for (int n = 0; n < ROUNDS; n++) {
		e->pending = false;
		transmit_flush(e, &e->early, now);
		rc = vip_commit(e->vip, now);
		if (e->late.n > 0) {
			transmit_flush(e, &e->late, now);
			e->pending = true; /* leases are renewed by it */
		}
		hear_vip(e, now);
		if (rc != 0 && !is_refused(e))
			engine_error(e, rc, now);
		for (struct iface *i = e->ifaces; i != NULL; i = i->next)
			transmit_review(i, now);
		if (!e->pending)
			break;
	}
	if (e->pending) /* enough for now */
		engine_chores_by(e, now);
	e->lost = false;
}

void
engine_settle(struct carp_engine *e, uint64_t now)
{
	settle(e, now);
	arm(e, now);
	listen_reap(e);
}

/*
 * Time.
 */
void
engine_chores_by(struct carp_engine *e, uint64_t at)
{
	if (at < e->chores)
		e->chores = at;
}

/* All that has a time limit but is no matter of milliseconds. */
static void
do_chores(struct carp_engine *e, uint64_t now)
{
	e->chores = CARP_NEVER;
	demote_expire(e, now);
	for (struct iface *i = e->ifaces; i != NULL; i = i->next) {
		iface_retry(i, now);
		transmit_review(i, now);
	}
	for (struct carp_host *h = e->hosts; h != NULL; h = h->next)
		condition_expire(h, now);
}

/*
 * A host has its next deadline later than now, so each comes up once.  What is
 * due soon goes with what is due, and not by a wake-up of its own.
 */
static void
act_on_deadlines(struct carp_engine *e, uint64_t now)
{
	bool awake = false;

	for (size_t n = e->heap.n; n > 0; n--) {
		struct heap_node *first = heap_first(&e->heap);
		struct carp_host *h = (struct carp_host *)first;

		if (first->at <= now)
			(void)carp_timer(h->carp, now); /* nothing pends */
		else if (!awake || carp_early(h->carp, now) != 1)
			break;
		awake = true;
		engine_carry(h, now);
	}
}

/* Looking for news allocates, so only if there are some. */
static int
hear_news(struct carp_engine *e, uint64_t now)
{
	int rc;

	if (!e->news && now < vip_deadline(e->vip))
		return 0;
	e->news = false;
	if ((rc = vip_process(e->vip, now)) != 0)
		engine_error(e, rc, now);
	return rc;
}

int
carp_engine_process(struct carp_engine *e, uint64_t now)
{
	int rc;

	if (e == NULL)
		return -EINVAL;
	receive_all(e, now);
	if (e->lost)
		settle(e, now);
	rc = hear_news(e, now);
	hear_vip(e, now);
	act_on_deadlines(e, now);
	if (e->taken != NULL)
		group_follow(e, now);
	if (now >= e->chores)
		do_chores(e, now);
	engine_settle(e, now);
	return rc;
}

int
carp_engine_stop(struct carp_engine *e, uint64_t now)
{
	if (e == NULL)
		return -EINVAL;
	for (struct carp_host *h = e->hosts; h != NULL; h = h->next)
		host_stop(h, now);
	engine_settle(e, now);
	return 0;
}
