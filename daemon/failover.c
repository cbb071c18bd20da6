/* SPDX-License-Identifier: ISC */
/* Failover mode in the engine process: events in, actions carried out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "failover_alias.h"
#include "failover_claim.h"
#include "failover_events.h"
#include "failover_part.h"
#include "failover_view.h"

#define KNOWN_WAIT (15 * CARP_SEC) /* for the first word of resources */
#define LOOK	   (CARP_SEC)	   /* between looks at the reasons */

int
failover_new(struct failover **ret, struct carp_engine *engine,
    const struct failover_ops *ops, void *arg, const char *store,
    bool maintenance)
{
	const struct role_config none = { .disabled = false };
	struct failover *f;
	int rc;

	if ((f = calloc(1, sizeof(*f))) == NULL)
		return -ENOMEM;
	f->engine = engine;
	f->ops = *ops;
	f->arg = arg;
	f->maintenance = f->demoted = maintenance;
	f->said = ROLE_EV_LOST_PEER;
	f->told = ROLE_UNKNOWN;
	role_init(&f->role, &none);
	if ((rc = store_init(&f->store, store)) < 0) {
		failover_free(f);
		return rc;
	}
	*ret = f;
	return 0;
}

void
failover_free(struct failover *f)
{
	if (f == NULL)
		return;
	store_free(&f->store);
	free(f->voter);
	free(f);
}

void
failover_remember(struct failover *f)
{
	char *text = store_text(&f->store);

	if (text != NULL)
		f->ops.remember(f->arg, text, strlen(text));
	free(text);
}

/*
 * Events.
 */

void
failover_step(struct failover *f, enum role_event ev,
    const struct role_detail *d, uint64_t now)
{
	struct role_action a;

	role_step(&f->role, ev, d, now);
	while (role_next(&f->role, &a))
		failover_act(f, &a, now);
	failover_demote_serving(f, now);
	failover_demote_maintenance(f, now);
	failover_tell(f, now);
}

void
failover_hear_elections(struct failover *f, uint64_t now)
{
	struct group_result g = failover_view(f);
	struct role_detail d = { .peer =
				     g.passive ? PEER_PASSIVE : PEER_UNCLEAR };
	enum role_event ev;

	if (!failover_translate(f, g.view, &ev) || ev == f->said)
		return;
	f->said = ev;
	if (g.slower)
		d.text = "elected: the other node is slower or demoted";
	failover_step(f, ev, &d, now);
}

void
failover_process(struct failover *f, uint64_t now)
{
	if (f->conf == NULL)
		return;
	if (!f->known && now >= f->known_by)
		failover_check_known(f, now);
	failover_hear_elections(f, now);
	if (failover_status(f) != f->told)
		failover_tell(f, now);
	if (f->role.addresses)
		failover_install(f, now);
	if (now >= role_deadline(&f->role))
		failover_step(f, ROLE_EV_TIMER, NULL, now);
	if (now >= f->look_at) {
		f->look_at = now + LOOK;
		failover_claim(f, now);
		failover_name_interfaces(f); /* those that came, too */
		failover_tell(f, now);
	}
}

uint64_t
failover_deadline(const struct failover *f)
{
	uint64_t at = role_deadline(&f->role);

	return at < f->look_at ? at : f->look_at;
}

void
failover_stop(struct failover *f, uint64_t now)
{
	failover_step(f, ROLE_EV_STOP, NULL, now);
}

/*
 * Configuration.
 */

struct role_config
failover_role_settings(const struct failover *f)
{
	const struct conf_host *h = conf_hosts(f->conf);
	struct role_config c = {
		.timeout = failover_timeout_s(f) * CARP_SEC,
		.fence_wait = f->conf->failover.fence_wait_ms * CARP_SEC / 1000,
		.addresses_first = f->conf->failover.addresses_first != 0,
		.disabled = f->store.disabled,
	};

	for (uint32_t i = 0; i < f->conf->nhosts; i++) {
		uint64_t t =
		    3 * carp_interval(h[i].carp.advbase, h[i].carp.advskew) +
		    CARP_SEC;

		if (t > c.detect)
			c.detect = t;
	}
	return c;
}

/* Indices may mean other resources now: the supervisor tells of all again. */
int
failover_configure(struct failover *f, const struct conf *conf, uint64_t now)
{
	struct group_member *voter = calloc(conf->nhosts + 1, sizeof(*voter));
	const struct conf *was = f->conf;
	bool first = was == NULL;
	struct role_config c;

	if (voter == NULL)
		return -ENOMEM;
	free(f->voter);
	f->voter = voter;
	f->conf = conf;
	f->grown |= !first && failover_has_more(was, conf);
	if (!first)
		failover_unname_interfaces(f, was);
	c = failover_role_settings(f);
	memset(f->res, 0, sizeof(f->res));
	if (first) {
		role_init(&f->role, &c);
		f->known_by = now + KNOWN_WAIT;
	} else {
		role_configure(&f->role, &c, now);
	}
	if (first && conf->failover.nresources == 0)
		failover_check_known(f, now);
	return 0;
}

void
failover_host_config(const struct failover *f, struct carp_host_config *c)
{
	c->manual = 1;
	c->standby = f->role.standby;
	c->carp.together = 1; /* also relieves a demoted master */
	if (f->store.master == 1)
		c->carp.advskew = 0;
	else if (f->store.master == 0 && c->carp.advskew < 100)
		c->carp.advskew = 100;
}

/*
 * How it is.
 */

bool
failover_peer_is_heard(const struct failover *f)
{
	struct carp_host *h = NULL;
	struct carp_host_info i;
	bool heard = false;

	while (!heard && (h = carp_host_each(f->engine, h)) != NULL) {
		carp_host_get_info(h, &i);
		heard = i.carp.heard && !carp_packet_is_bowout(&i.carp.peer) &&
			carp_now() - i.carp.peer_at < i.carp.timeout + CARP_SEC;
	}
	return heard;
}

enum role_status
failover_status(const struct failover *f)
{
	return role_status(&f->role, failover_peer_is_heard(f));
}

bool
failover_disabled(const struct failover *f)
{
	return f->store.disabled;
}

uint32_t
failover_timeout_s(const struct failover *f)
{
	if (f->store.timeout_s >= 0)
		return (uint32_t)f->store.timeout_s;
	return f->conf->failover.timeout_s;
}

/* By default whoever has a smaller skew than the usual 100 of the other. */
bool
failover_preferred(const struct failover *f)
{
	if (f->store.master != -1)
		return f->store.master == 1;
	return f->conf->nhosts > 0 && conf_hosts(f->conf)->carp.advskew < 100;
}
