/* SPDX-License-Identifier: ISC */
/* Words -> addresses, and what cannot be an address, or not two times. */
#include <arpa/inet.h>

#include <stdlib.h>
#include <string.h>

#include "conf_draft.h"

#define SAY(e, w, ...) conf_say((e), CONF_SENSE, (w)->at, __VA_ARGS__)

static uint32_t
ipv4(const struct carp_addr *a)
{
	return (uint32_t)a->ip[0] << 24 | (uint32_t)a->ip[1] << 16 |
	       (uint32_t)a->ip[2] << 8 | a->ip[3];
}

static bool
all_zero(const uint8_t *p, size_t n)
{
	while (n > 0 && p[n - 1] == 0)
		n--;
	return n == 0;
}

/* What makes it no address of a host, or NULL. */
static const char *
not_a_host(const struct carp_addr *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (a->family == 4) {
		uint32_t ip = ipv4(a);

		return ip >> 24 == 0		? "the unspecified address"
		       : ip >> 24 == 127	? "a loopback address"
		       : ip == INADDR_BROADCAST ? "the broadcast address"
		       : IN_MULTICAST(ip)	? "a multicast address"
						: NULL;
	}
	if (a->ip[0] == 0xff)
		return "a multicast address";
	if (memcmp(a->ip, mapped, sizeof(mapped)) == 0)
		return "an IPv4 address written as IPv6";
	if (all_zero(a->ip, 15) && a->ip[15] <= 1)
		return a->ip[15] == 0 ? "the unspecified address"
				      : "a loopback address";
	return NULL;
}

/* Network and broadcast address of an IPv4 net of more than two. */
static const char *
not_in_its_net(const struct carp_addr *a)
{
	uint32_t host;

	if (a->family != 4 || a->prefix == 0 || a->prefix > 30)
		return NULL;
	host = ipv4(a) & (UINT32_MAX >> a->prefix);
	if (host == 0)
		return "the address of the network itself";
	if (host == UINT32_MAX >> a->prefix)
		return "the broadcast address of its network";
	return NULL;
}

/* carp_addr_parse() says no more than no. */
static void
not_an_address(
    const struct conf_word *w, const char *word, struct conf_errors *e)
{
	const char *slash = strchr(w->text, '/'), *percent;
	struct carp_addr a;
	char head[64];

	if ((percent = strchr(w->text, '%')) != NULL) {
		SAY(e, w,
		    "%s `%.64s': an interface is named in the address; "
		    "leave out what begins with %%",
		    word, w->text);
		return;
	}
	if (slash != NULL && slash - w->text < (ptrdiff_t)sizeof(head)) {
		memcpy(head, w->text, (size_t)(slash - w->text));
		head[slash - w->text] = '\0';
		if (carp_addr_parse(&a, head) == 0) {
			SAY(e, w,
			    "%s `%.64s' has a wrong prefix length; 1 to "
			    "%d are possible",
			    word, w->text, a.prefix);
			return;
		}
	}
	SAY(e, w,
	    "%s `%.64s' is not an IP address; write it in digits, names "
	    "are not looked up",
	    word, w->text);
}

static bool
check_prefix(const struct carp_addr *a, const struct conf_word *w,
    enum conf_host_list list, struct conf_errors *e)
{
	bool slash = strchr(w->text, '/') != NULL;

	if (list == LIST_PEER && slash) {
		SAY(e, w,
		    "peer %.64s has a prefix length; a peer is one "
		    "address: leave it out",
		    w->text);
		return false;
	}
	if (list == LIST_ADDRESS && !slash) {
		SAY(e, w,
		    "address %.64s has no prefix length; write that of "
		    "the network, such as %.64s/%d",
		    w->text, w->text, a->family == 4 ? 24 : 64);
		return false;
	}
	if (slash && a->prefix == 0) {
		SAY(e, w,
		    "%s `%.64s' has a wrong prefix length; 1 to %d are "
		    "possible",
		    conf_list_names[list], w->text, a->family == 4 ? 32 : 128);
		return false;
	}
	return true;
}

static void
read_one(struct conf_addrs *all, const struct conf_word *w,
    enum conf_host_list list, struct conf_errors *e)
{
	const char *word = conf_list_names[list], *is;
	struct carp_addr a;

	if (carp_addr_parse(&a, w->text) != 0) {
		not_an_address(w, word, e);
		return;
	}
	if (!check_prefix(&a, w, list, e))
		return;
	if ((is = not_a_host(&a)) == NULL && list == LIST_ADDRESS)
		is = not_in_its_net(&a);
	if (is != NULL) {
		SAY(e, w, "%s %.64s is %s; name one that a host can have", word,
		    w->text, is);
		return;
	}
	if (list != LIST_ADDRESS)
		a.prefix = a.family == 4 ? 32 : 128;
	all->at[all->n] = w->at;
	all->addr[all->n++] = a;
}

void
conf_addrs_read(struct conf_addrs *all, const struct conf_list *l,
    enum conf_host_list list, struct conf_errors *e)
{
	unsigned i;

	for (i = 0; i < l->n; i++)
		read_one(all, &l->word[i], list, e);
}

static unsigned
families(const struct carp_addr *a, unsigned n)
{
	unsigned ret = 0;

	while (n-- > 0)
		ret |= a[n].family == 4 ? 1U : 2U;
	return ret;
}

static void
check_peer_families(const struct conf_addrs *all, const struct conf_host *h,
    struct conf_errors *e)
{
	unsigned spoken = h->ndigest > 0
			      ? families(all->addr + h->digest, h->ndigest)
			      : families(all->addr + h->addrs, h->naddrs);
	unsigned peers = families(all->addr + h->peers, h->npeers);
	unsigned f;

	for (f = 1; f <= 2; f++) {
		const char *v = f == 1 ? "IPv4" : "IPv6";

		if ((spoken & f) != 0 && (peers & f) == 0)
			conf_say(e, CONF_SENSE, all->at[h->peers],
			    "vhid %u has %s addresses, but no %s peer hears of "
			    "them; add one to peer",
			    h->carp.vhid, v, v);
		if ((spoken & f) == 0 && (peers & f) != 0)
			conf_say(e, CONF_SENSE, all->at[h->peers],
			    "vhid %u has an %s peer, but no %s address to tell "
			    "it of; take the peer out, or add an address",
			    h->carp.vhid, v, v);
	}
}

static void
check_peers(const struct conf_addrs *all, const struct conf_host *h,
    struct conf_errors *e)
{
	char text[CARP_ADDR_STRLEN];
	unsigned i, j;

	for (i = h->peers; i < h->peers + h->npeers; i++)
		for (j = h->addrs; j < h->addrs + h->naddrs; j++)
			if (carp_addr_cmp(&all->addr[i], &all->addr[j]) == 0)
				conf_say(e, CONF_SENSE, all->at[i],
				    "peer %s is a virtual address; name the "
				    "own address of the other node",
				    carp_addr_print(
					text, &all->addr[i], false));
}

/* Peers and digest addresses, each once.  Lists are short, or n is few. */
static void
check_twice(const struct conf_addrs *all, unsigned first, unsigned n,
    const char *word, struct conf_errors *e)
{
	char text[CARP_ADDR_STRLEN];
	unsigned i, j;

	for (i = first + 1; i < first + n; i++)
		for (j = first; j < i; j++)
			if (carp_addr_cmp(&all->addr[i], &all->addr[j]) == 0) {
				conf_say(e, CONF_SENSE, all->at[i],
				    "%s %s is there twice; keep one", word,
				    carp_addr_print(
					text, &all->addr[i], false));
				break;
			}
}

void
conf_addrs_check_host(const struct conf_addrs *all, const struct conf_host *h,
    struct conf_errors *e)
{
	check_twice(all, h->digest, h->ndigest, "digest-address", e);
	check_twice(all, h->peers, h->npeers, "peer", e);
	if (h->npeers > 0) {
		check_peer_families(all, h, e);
		check_peers(all, h, e);
	}
}

/* An address to install, and whose. */
struct owned {
	const struct carp_addr *addr;
	const struct conf_host *host;
	conf_place at;
};

/* Link-local addresses mean another thing on each interface. */
static int
by_addr(const struct owned *a, const struct owned *b)
{
	int c = carp_addr_cmp(a->addr, b->addr);

	if (c == 0 && carp_addr_is_linklocal(a->addr))
		c = strcmp(a->host->ifname, b->host->ifname);
	return c;
}

static int
by_addr_and_place(const void *va, const void *vb)
{
	const struct owned *a = va, *b = vb;
	int c = by_addr(a, b);

	/* Later ones are later in the pool, also within a line. */
	return c != 0 ? c : a->addr < b->addr ? -1 : a->addr > b->addr;
}

static void
say_owned_twice(
    const struct owned *first, const struct owned *o, struct conf_errors *e)
{
	char text[CARP_ADDR_STRLEN];

	(void)carp_addr_print(text, o->addr, false);
	if (first->at > 0 && first->at != o->at)
		conf_say(e, CONF_SENSE, o->at,
		    "address %s is there twice, first in line %d (vhid %u); "
		    "only one vhid can hold it",
		    text, first->at, first->host->carp.vhid);
	else
		conf_say(e, CONF_SENSE, o->at,
		    "address %s is there twice; keep one", text);
}

void
conf_addrs_check_all(const struct conf_addrs *all, const struct conf_host *h,
    unsigned n, struct conf_errors *e)
{
	struct owned *o = calloc((size_t)all->n + 1, sizeof(*o));
	unsigned i, j, k = 0, first = 0;

	if (o == NULL) {
		conf_say(e, CONF_FAILED, 0, "out of memory; nothing was done");
		return;
	}
	for (i = 0; i < n; i++)
		for (j = h[i].addrs; j < h[i].addrs + h[i].naddrs; j++)
			o[k++] =
			    (struct owned){ &all->addr[j], &h[i], all->at[j] };
	qsort(o, k, sizeof(*o), by_addr_and_place);
	for (i = 1; i < k; i++) {
		if (by_addr(&o[first], &o[i]) != 0)
			first = i;
		else
			say_owned_twice(&o[first], &o[i], e);
	}
	free(o);
}
