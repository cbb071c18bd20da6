/* SPDX-License-Identifier: ISC */
/* A configuration against the machine that is to run it. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf_hooks.h"

struct check {
	const struct conf *conf;
	const struct vip *vip;
	FILE *out;
	enum conf_result result;
	struct carp_addr *own; /* addresses of the interface */
	size_t nown, room;
	bool there; /* the interface */
	bool vmac;  /* it can carry a virtual MAC */
};

static void say(struct check *, const struct conf_host *, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
say(struct check *k, const struct conf_host *h, const char *fmt, ...)
{
	va_list ap;

	if (k->out == NULL)
		return;
	if (h == NULL)
		fprintf(k->out, "%s: ", k->conf->file);
	else if (k->conf->file[0] != '\0')
		fprintf(k->out, "%s:%u: ", k->conf->file, h->line);
	else
		fputs("command line: ", k->out);
	va_start(ap, fmt);
	vfprintf(k->out, fmt, ap);
	va_end(ap);
	fputc('\n', k->out);
}

static int
get_own(struct check *k, const char *ifname)
{
	int n;

	for (;;) {
		struct carp_addr *p;

		n = vip_link_addrs(k->vip, ifname, k->own, k->room);
		if (n < 0 || (size_t)n <= k->room)
			break;
		p = realloc(k->own, (size_t)n * sizeof(*p));
		if (p == NULL)
			return -ENOMEM;
		k->own = p;
		k->room = (size_t)n;
	}
	k->nown = n > 0 ? (size_t)n : 0;
	return n < 0 ? n : 0;
}

/* Once for all hosts of an interface. */
static int
check_interface(struct check *k, const struct conf_host *h)
{
	struct vip_link link;
	int rc;

	k->there = false;
	if (strcmp(h->ifname, "lo") == 0) {
		say(k, h,
		    "interface lo cannot carry CARP; name one that leads "
		    "to the other node");
		k->result = CONF_MACHINE;
		return 0;
	}
	rc = vip_link_get(k->vip, h->ifname, &link);
	if (rc == -ENODEV) {
		say(k, h,
		    "warning: interface %s does not exist; its virtual "
		    "hosts wait until it comes",
		    h->ifname);
		return 0;
	}
	if (rc != 0)
		return rc;
	if (!link.ethernet) {
		say(k, h,
		    "interface %s is not Ethernet and cannot carry CARP; "
		    "name another",
		    h->ifname);
		k->result = CONF_MACHINE;
		return 0;
	}
	k->there = true;
	k->vmac = link.vmac;
	rc = get_own(k, h->ifname);
	return rc == -ENODEV ? 0 : rc; /* it has gone this very moment */
}

static bool
is_own(const struct check *k, const struct carp_addr *a)
{
	size_t i;

	for (i = 0; i < k->nown; i++)
		if (carp_addr_cmp(&k->own[i], a) == 0)
			return true;
	return false;
}

/* A link-local address means something on its interface only. */
static bool
owner(const struct check *k, const struct conf_host *h,
    const struct carp_addr *a, char ret[VIP_IFNAMSIZ])
{
	if (!carp_addr_is_linklocal(a))
		return vip_addr_owner(k->vip, a, ret);
	if (!is_own(k, a))
		return false;
	memcpy(ret, h->ifname, VIP_IFNAMSIZ);
	return true;
}

static void
check_subnet(
    struct check *k, const struct conf_host *h, const struct carp_addr *a)
{
	char text[CARP_ADDR_STRLEN];
	bool family = false;
	size_t i;

	if (!k->there || h->allow_foreign_subnet || carp_addr_is_linklocal(a))
		return;
	for (i = 0; i < k->nown; i++) {
		if (carp_addr_in_net(a, &k->own[i]))
			return;
		if (k->own[i].family == a->family &&
		    !carp_addr_is_linklocal(&k->own[i]))
			family = true;
	}
	(void)carp_addr_print(text, a, true);
	if (family)
		say(k, h,
		    "address %s of vhid %u is in no subnet of %s; "
		    "correct it, or write allow-foreign-subnet = true",
		    text, h->carp.vhid, h->ifname);
	else
		say(k, h,
		    "address %s of vhid %u is in no subnet of %s, which "
		    "has no IPv%d address; give it one, or write "
		    "allow-foreign-subnet = true",
		    text, h->carp.vhid, h->ifname, a->family);
	k->result = CONF_MACHINE;
}

/* The kernel may end a lease two ticks of its clock before its time. */
static void
check_guard(struct check *k, const struct conf_host *h)
{
	struct timespec tick = { .tv_nsec = 10000000 };
	unsigned least = 0;

	(void)clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	if (h->lease != VIP_LEASE_GUARD || h->carp.advbase > 0)
		return;
	while (carp_interval(0, (uint8_t)least) * 3 / 2 <
	       2 * (uint64_t)tick.tv_nsec)
		least++;
	if (h->carp.advskew >= least)
		return;
	say(k, h,
	    "advskew %u of vhid %u is too fast for lease = guard, since the "
	    "clock of this kernel ticks each %.0f ms; write a greater advskew, "
	    "%u or more",
	    h->carp.advskew, h->carp.vhid, (double)tick.tv_nsec / 1e6, least);
	k->result = CONF_MACHINE;
}

static void
check_vmac(struct check *k, const struct conf_host *h)
{
	if (!h->vmac || !k->there || k->vmac)
		return;
	say(k, h,
	    "virtual-mac = true of vhid %u: interface %s is a macvlan or an "
	    "ipvlan, which cannot carry it; name the interface below it, or "
	    "write virtual-mac = false",
	    h->carp.vhid, h->ifname);
	k->result = CONF_MACHINE;
}

static void
check_addrs(struct check *k, const struct conf_host *h)
{
	const struct carp_addr *pool = conf_pool(k->conf);
	char ifname[VIP_IFNAMSIZ], text[CARP_ADDR_STRLEN];
	uint32_t i;

	for (i = h->addrs; i < h->addrs + h->naddrs; i++) {
		if (owner(k, h, &pool[i], ifname)) {
			say(k, h,
			    "address %s of vhid %u is an own address of "
			    "this node, on %s; take another as virtual "
			    "address, or remove it there",
			    carp_addr_print(text, &pool[i], false),
			    h->carp.vhid, ifname);
			k->result = CONF_MACHINE;
		} else {
			check_subnet(k, h, &pool[i]);
		}
	}
	for (i = h->peers; i < h->peers + h->npeers; i++)
		if (owner(k, h, &pool[i], ifname)) {
			say(k, h,
			    "peer %s of vhid %u is this node itself, on "
			    "%s; name the address of the other node",
			    carp_addr_print(text, &pool[i], false),
			    h->carp.vhid, ifname);
			k->result = CONF_MACHINE;
		}
}

/* The interlink may come later, as any interface. */
static void
check_interlink(struct check *k)
{
	const struct conf_failover *f = &k->conf->failover;
	char ifname[VIP_IFNAMSIZ], text[CARP_ADDR_STRLEN];
	struct vip_link link;

	if (f->interlink[0] == '\0')
		return;
	if (vip_link_get(k->vip, f->interlink, &link) == -ENODEV)
		say(k, NULL,
		    "warning: interlink %s does not exist; there is no link "
		    "to the other node until it comes",
		    f->interlink);
	if (f->interlink_peer.family != 0 &&
	    !carp_addr_is_linklocal(&f->interlink_peer) &&
	    vip_addr_owner(k->vip, &f->interlink_peer, ifname)) {
		say(k, NULL,
		    "peer %s of interlink %s is this node itself, on %s; name "
		    "the address of the other node",
		    carp_addr_print(text, &f->interlink_peer, false),
		    f->interlink, ifname);
		k->result = CONF_MACHINE;
	}
}

enum conf_result
conf_check(const struct conf *c, const struct vip *v,
    const char *const hooks[2], FILE *errors)
{
	struct check k = { .conf = c, .vip = v, .out = errors };
	const struct conf_host *h = conf_hosts(c);
	uint32_t i;
	int rc = 0;

	k.result = CONF_OK;
	for (i = 0; i < c->nhosts && rc == 0; i++) {
		if (i == 0 || strcmp(h[i].ifname, h[i - 1].ifname) != 0)
			rc = check_interface(&k, &h[i]);
		if (rc == 0) {
			check_addrs(&k, &h[i]);
			check_guard(&k, &h[i]);
			check_vmac(&k, &h[i]);
		}
	}
	if (rc != 0) {
		say(&k, &h[i - 1], "interface %s: %s; nothing was done",
		    h[i - 1].ifname, strerror(-rc));
		k.result = CONF_FAILED;
	}
	check_interlink(&k);
	if (k.result != CONF_FAILED &&
	    conf_check_hooks(
		c, hooks != NULL ? hooks : conf_hook_dirs, errors) != CONF_OK)
		k.result = CONF_MACHINE;
	free(k.own);
	return k.result;
}
