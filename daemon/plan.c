/* SPDX-License-Identifier: ISC */
/* What separates two configurations, virtual host by virtual host. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"

/* The hosts of a configuration in order. */
struct order {
	const struct conf_host **host;
	uint32_t n, next;
};

static int
cmp_host(const struct conf_host *a, const struct conf_host *b)
{
	int rc = strncmp(a->ifname, b->ifname, sizeof(a->ifname));

	return rc != 0 ? rc : a->carp.vhid - b->carp.vhid;
}

static int
cmp_ptr(const void *a, const void *b)
{
	return cmp_host(*(const struct conf_host *const *)a,
	    *(const struct conf_host *const *)b);
}

static int
order_init(struct order *o, const struct conf *conf)
{
	const struct conf_host *host;

	memset(o, 0, sizeof(*o));
	if (conf == NULL || conf->nhosts == 0)
		return 0;
	o->host = calloc(conf->nhosts, sizeof(*o->host));
	if (o->host == NULL)
		return -ENOMEM;
	host = conf_hosts(conf);
	for (o->n = 0; o->n < conf->nhosts; o->n++)
		o->host[o->n] = &host[o->n];
	qsort(o->host, o->n, sizeof(*o->host), cmp_ptr);
	return 0;
}

static bool
same_addrs(const struct conf *a, uint32_t ai, uint32_t an, const struct conf *b,
    uint32_t bi, uint32_t bn)
{
	return an == bn &&
	       (an == 0 || memcmp(conf_pool(a) + ai, conf_pool(b) + bi,
			       an * sizeof(struct carp_addr)) == 0);
}

/* Neither struct has padding, so bytes can be compared. */
static bool
same_host(const struct conf *a, const struct conf_host *x, const struct conf *b,
    const struct conf_host *y)
{
	return memcmp(&x->carp, &y->carp, sizeof(x->carp)) == 0 &&
	       x->vmac == y->vmac && x->lease == y->lease &&
	       same_addrs(a, x->addrs, x->naddrs, b, y->addrs, y->naddrs) &&
	       same_addrs(a, x->digest, x->ndigest, b, y->digest, y->ndigest) &&
	       same_addrs(a, x->peers, x->npeers, b, y->peers, y->npeers);
}

/* The next step of two ordered lists that are walked side by side. */
static void
next_step(struct plan_step *s, struct order *was, struct order *is,
    const struct conf *a, const struct conf *b)
{
	int rc;

	if (was->next == was->n)
		rc = 1;
	else if (is->next == is->n)
		rc = -1;
	else
		rc = cmp_host(was->host[was->next], is->host[is->next]);
	s->was = rc <= 0 ? was->host[was->next++] : NULL;
	s->is = rc >= 0 ? is->host[is->next++] : NULL;
	if (rc < 0)
		s->what = PLAN_REMOVE;
	else if (rc > 0)
		s->what = PLAN_ADD;
	else
		s->what =
		    same_host(a, s->was, b, s->is) ? PLAN_KEEP : PLAN_CHANGE;
}

int
plan_new(struct plan **ret, const struct conf *was, const struct conf *is)
{
	struct order a = { NULL, 0, 0 }, b = { NULL, 0, 0 };
	struct plan *p = NULL;
	int rc;

	if ((rc = order_init(&a, was)) < 0 || (rc = order_init(&b, is)) < 0)
		goto out;
	p = calloc(1, sizeof(*p) + ((size_t)a.n + b.n) * sizeof(*p->step));
	if (p == NULL) {
		rc = -ENOMEM;
		goto out;
	}
	while (a.next < a.n || b.next < b.n) {
		next_step(&p->step[p->n], &a, &b, was, is);
		p->count[p->step[p->n++].what]++;
	}
	*ret = p;
out:
	free(a.host);
	free(b.host);
	return rc;
}
