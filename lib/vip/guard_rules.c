/* SPDX-License-Identifier: ISC */
/*
 * The packet filter of lib/vip in the kernel's language.  In nft's, with the
 * table `arp libcarp' much the same:
 *
 *	table inet libcarp {
 *		map owner4 { type ipv4_addr : verdict; }  (jump lease-ID)
 *		map owner6 { type ipv6_addr : verdict; }
 *		set alive { type mark; flags timeout; }
 *		chain in {
 *			type filter hook prerouting priority -450;
 *			ip daddr vmap @owner4
 *			ip6 daddr vmap @owner6
 *		}
 *		chain out {
 *			type filter hook output priority -450;
 *			ip saddr vmap @owner4
 *			ip6 saddr vmap @owner6
 *		}
 *		chain lease-ID {
 *			ID != @alive counter drop
 *		}
 *	}
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_arp.h>

#include <libmnl/libmnl.h>

#include <endian.h>
#include <string.h>

#include <carp/carp.h>

#include "guard_rules.h"

#define TABLE	 "libcarp"
#define PRIORITY (-450) /* before all that others have */
#define TOMB_MS	 1000	/* of what is deleted at once */

/* How nft names the types of keys. */
enum { TYPE_IPV4 = 7, TYPE_IPV6 = 8, TYPE_MARK = 19 };

struct set {
	const char *name;
	uint32_t type, len;
	bool map; /* to a verdict; else it has a timeout */
};

static const struct set owner4 = { "owner4", TYPE_IPV4, 4, true },
			owner6 = { "owner6", TYPE_IPV6, 16, true },
			alive = { "alive", TYPE_MARK, 4, false };

/* Where the header has the address. */
struct rule {
	const char *chain;
	const struct set *owner;
	uint8_t family; /* of the packet; 0: all that come here */
	uint32_t offset;
};

static const struct rule inet_rules[] = {
	{ "in", &owner4, NFPROTO_IPV4, 16 },
	{ "in", &owner6, NFPROTO_IPV6, 24 },
	{ "out", &owner4, NFPROTO_IPV4, 12 },
	{ "out", &owner6, NFPROTO_IPV6, 8 },
};
static const struct rule arp_rules[] = {
	{ "in", &owner4, 0, 24 },
	{ "out", &owner4, 0, 14 },
};

static void
begin(struct nl_batch *b, uint16_t type, uint16_t flags, uint8_t family,
    uint16_t id)
{
	struct nfgenmsg *m = nl_begin(b, type, flags, sizeof(*m));

	m->nfgen_family = family;
	m->version = NFNETLINK_V0;
	m->res_id = htons(id);
}

static void
put_message(struct nl_batch *b, uint16_t what, uint16_t flags, uint8_t family)
{
	begin(b, NFNL_SUBSYS_NFTABLES << 8 | what, flags, family, 0);
}

static void
put_text(struct nl_batch *b, uint16_t type, const char *text)
{
	nl_put(b, type, text, strlen(text) + 1);
}

static void
put_number(struct nl_batch *b, uint16_t type, uint32_t value)
{
	nl_put_u32(b, type, htonl(value));
}

void
rules_begin(struct nl_batch *b)
{
	nl_reset(b);
	begin(b, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

void
rules_end(struct nl_batch *b)
{
	begin(b, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

static void
put_set(struct nl_batch *b, uint8_t family, const struct set *s, uint32_t id)
{
	put_message(b, NFT_MSG_NEWSET, NLM_F_CREATE, family);
	put_text(b, NFTA_SET_TABLE, TABLE);
	put_text(b, NFTA_SET_NAME, s->name);
	put_number(b, NFTA_SET_FLAGS, s->map ? NFT_SET_MAP : NFT_SET_TIMEOUT);
	put_number(b, NFTA_SET_KEY_TYPE, s->type);
	put_number(b, NFTA_SET_KEY_LEN, s->len);
	if (s->map) {
		put_number(b, NFTA_SET_DATA_TYPE, NFT_DATA_VERDICT);
	}
	put_number(b, NFTA_SET_ID, id);
}

static void
put_chain(struct nl_batch *b, uint8_t family, const char *name, uint32_t hook)
{
	size_t nest;

	put_message(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, family);
	put_text(b, NFTA_CHAIN_TABLE, TABLE);
	put_text(b, NFTA_CHAIN_NAME, name);
	nest = nl_nest(b, NFTA_CHAIN_HOOK);
	put_number(b, NFTA_HOOK_HOOKNUM, hook);
	put_number(b, NFTA_HOOK_PRIORITY, (uint32_t)PRIORITY);
	nl_unnest(b, nest);
	put_text(b, NFTA_CHAIN_TYPE, "filter");
}

/* An expression of a rule, up to its end. */
struct expr {
	size_t elem, data;
};

static struct expr
open_expr(struct nl_batch *b, const char *name)
{
	struct expr e = { .elem = nl_nest(b, NFTA_LIST_ELEM) };

	put_text(b, NFTA_EXPR_NAME, name);
	e.data = nl_nest(b, NFTA_EXPR_DATA);
	return e;
}

static void
close_expr(struct nl_batch *b, struct expr e)
{
	nl_unnest(b, e.data);
	nl_unnest(b, e.elem);
}

/* The packet is of this family. */
static void
put_family(struct nl_batch *b, uint8_t family)
{
	struct expr e = open_expr(b, "meta");
	size_t nest;

	put_number(b, NFTA_META_DREG, NFT_REG_1);
	put_number(b, NFTA_META_KEY, NFT_META_NFPROTO);
	close_expr(b, e);
	e = open_expr(b, "cmp");
	put_number(b, NFTA_CMP_SREG, NFT_REG_1);
	put_number(b, NFTA_CMP_OP, NFT_CMP_EQ);
	nest = nl_nest(b, NFTA_CMP_DATA);
	nl_put(b, NFTA_DATA_VALUE, &family, sizeof(family));
	nl_unnest(b, nest);
	close_expr(b, e);
}

/* The address has a lease: go on there. */
static void
put_match(struct nl_batch *b, const struct rule *r)
{
	struct expr e = open_expr(b, "payload");

	put_number(b, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_number(b, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	put_number(b, NFTA_PAYLOAD_OFFSET, r->offset);
	put_number(b, NFTA_PAYLOAD_LEN, r->owner->len);
	close_expr(b, e);
	e = open_expr(b, "lookup");
	put_text(b, NFTA_LOOKUP_SET, r->owner->name);
	put_number(b, NFTA_LOOKUP_SREG, NFT_REG_1);
	put_number(b, NFTA_LOOKUP_DREG, NFT_REG_VERDICT);
	close_expr(b, e);
}

static void
put_verdict(struct nl_batch *b, uint16_t type, int code, const char *chain)
{
	size_t data = nl_nest(b, type), verdict = nl_nest(b, NFTA_DATA_VERDICT);

	put_number(b, NFTA_VERDICT_CODE, (uint32_t)code);
	if (chain != NULL)
		put_text(b, NFTA_VERDICT_CHAIN, chain);
	nl_unnest(b, verdict);
	nl_unnest(b, data);
}

/* This lease is not alive. */
static void
put_over(struct nl_batch *b, uint32_t id)
{
	struct expr e = open_expr(b, "immediate");
	size_t nest;

	put_number(b, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	nest = nl_nest(b, NFTA_IMMEDIATE_DATA);
	nl_put(b, NFTA_DATA_VALUE, &id, sizeof(id));
	nl_unnest(b, nest);
	close_expr(b, e);
	e = open_expr(b, "lookup");
	put_text(b, NFTA_LOOKUP_SET, alive.name);
	put_number(b, NFTA_LOOKUP_SREG, NFT_REG_1);
	put_number(b, NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
	close_expr(b, e);
}

static void
put_drop(struct nl_batch *b)
{
	struct expr e = open_expr(b, "counter");

	close_expr(b, e);
	e = open_expr(b, "immediate");
	put_number(b, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	put_verdict(b, NFTA_IMMEDIATE_DATA, NF_DROP, NULL);
	close_expr(b, e);
}

struct chain_name {
	char text[sizeof("lease-00000000")];
};

static struct chain_name
chain_name(uint32_t id)
{
	static const char digits[] = "0123456789abcdef";
	struct chain_name n = { "lease-" };

	for (int i = 0; i < 8; i++)
		n.text[6 + i] = digits[id >> (28 - 4 * i) & 15];
	return n;
}

static const uint8_t families[] = { NFPROTO_INET, NFPROTO_ARP };

void
rules_put_lease(struct nl_batch *b, uint32_t id)
{
	const struct chain_name name = chain_name(id);
	size_t nest;

	for (size_t i = 0; i < sizeof(families); i++) {
		put_message(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, families[i]);
		put_text(b, NFTA_CHAIN_TABLE, TABLE);
		put_text(b, NFTA_CHAIN_NAME, name.text);
		put_message(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND,
		    families[i]);
		put_text(b, NFTA_RULE_TABLE, TABLE);
		put_text(b, NFTA_RULE_CHAIN, name.text);
		nest = nl_nest(b, NFTA_RULE_EXPRESSIONS);
		put_over(b, id);
		put_drop(b);
		nl_unnest(b, nest);
	}
}

void
rules_put_lease_end(struct nl_batch *b, uint32_t id)
{
	const struct chain_name name = chain_name(id);

	for (size_t i = 0; i < sizeof(families); i++) {
		put_message(b, NFT_MSG_DELCHAIN, 0, families[i]);
		put_text(b, NFTA_CHAIN_TABLE, TABLE);
		put_text(b, NFTA_CHAIN_NAME, name.text);
	}
}

static void
put_rule(struct nl_batch *b, uint8_t family, const struct rule *r)
{
	size_t nest;

	put_message(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, family);
	put_text(b, NFTA_RULE_TABLE, TABLE);
	put_text(b, NFTA_RULE_CHAIN, r->chain);
	nest = nl_nest(b, NFTA_RULE_EXPRESSIONS);
	if (r->family != 0)
		put_family(b, r->family);
	put_match(b, r);
	nl_unnest(b, nest);
}

static void
put_table(struct nl_batch *b, uint8_t family)
{
	put_message(b, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, family);
	put_text(b, NFTA_TABLE_NAME, TABLE);
}

void
rules_put_tables(struct nl_batch *b)
{
	put_table(b, NFPROTO_INET);
	put_set(b, NFPROTO_INET, &owner4, 1);
	put_set(b, NFPROTO_INET, &owner6, 2);
	put_set(b, NFPROTO_INET, &alive, 3);
	put_chain(b, NFPROTO_INET, "in", NF_INET_PRE_ROUTING);
	put_chain(b, NFPROTO_INET, "out", NF_INET_LOCAL_OUT);
	for (size_t i = 0; i < sizeof(inet_rules) / sizeof(*inet_rules); i++)
		put_rule(b, NFPROTO_INET, &inet_rules[i]);
	put_table(b, NFPROTO_ARP);
	put_set(b, NFPROTO_ARP, &owner4, 4);
	put_set(b, NFPROTO_ARP, &alive, 5);
	put_chain(b, NFPROTO_ARP, "in", NF_ARP_IN);
	put_chain(b, NFPROTO_ARP, "out", NF_ARP_OUT);
	for (size_t i = 0; i < sizeof(arp_rules) / sizeof(*arp_rules); i++)
		put_rule(b, NFPROTO_ARP, &arp_rules[i]);
}

void
rules_put_removal(struct nl_batch *b)
{
	put_message(b, NFT_MSG_DELTABLE, 0, NFPROTO_INET);
	put_text(b, NFTA_TABLE_NAME, TABLE);
	put_message(b, NFT_MSG_DELTABLE, 0, NFPROTO_ARP);
	put_text(b, NFTA_TABLE_NAME, TABLE);
}

/* Adds or deletes the key. */
static void
put_elem(struct nl_batch *b, uint16_t what, uint8_t family, const struct set *s,
    const void *key, const char *chain, uint32_t ms)
{
	const uint64_t timeout = htobe64(ms);
	size_t elems, elem, nest;

	put_message(
	    b, what, what == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, family);
	put_text(b, NFTA_SET_ELEM_LIST_TABLE, TABLE);
	put_text(b, NFTA_SET_ELEM_LIST_SET, s->name);
	elems = nl_nest(b, NFTA_SET_ELEM_LIST_ELEMENTS);
	elem = nl_nest(b, NFTA_LIST_ELEM);
	nest = nl_nest(b, NFTA_SET_ELEM_KEY);
	nl_put(b, NFTA_DATA_VALUE, key, s->len);
	nl_unnest(b, nest);
	if (chain != NULL)
		put_verdict(b, NFTA_SET_ELEM_DATA, NFT_JUMP, chain);
	if (ms > 0)
		nl_put(b, NFTA_SET_ELEM_TIMEOUT, &timeout, sizeof(timeout));
	nl_unnest(b, elem);
	nl_unnest(b, elems);
}

void
rules_put_owner(
    struct nl_batch *b, bool arp, const struct carp_addr *a, const uint32_t *id)
{
	const struct chain_name name = chain_name(id != NULL ? *id : 0);

	put_elem(b, id != NULL ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM,
	    arp ? NFPROTO_ARP : NFPROTO_INET,
	    a->family == 4 ? &owner4 : &owner6, a->ip,
	    id != NULL ? name.text : NULL, 0);
}

/*
 * What is there keeps its end, and what is not there cannot be deleted: so it
 * is added, deleted, and added.
 */
void
rules_put_alive(struct nl_batch *b, uint32_t id, uint32_t ms)
{
	for (size_t i = 0; i < sizeof(families); i++) {
		put_elem(
		    b, NFT_MSG_NEWSETELEM, families[i], &alive, &id, NULL, ms);
		put_elem(
		    b, NFT_MSG_DELSETELEM, families[i], &alive, &id, NULL, 0);
		put_elem(
		    b, NFT_MSG_NEWSETELEM, families[i], &alive, &id, NULL, ms);
	}
}

/* What is not there cannot be deleted. */
void
rules_put_dead(struct nl_batch *b, uint32_t id)
{
	for (size_t i = 0; i < sizeof(families); i++) {
		put_elem(b, NFT_MSG_NEWSETELEM, families[i], &alive, &id, NULL,
		    TOMB_MS);
		put_elem(
		    b, NFT_MSG_DELSETELEM, families[i], &alive, &id, NULL, 0);
	}
}

/*
 * Reading.
 */
struct reading {
	void (*fn)(void *arg, const struct carp_addr *);
	void *arg;
	const struct set *set;
};

static const struct nlattr *
find(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *a;

	if (nest == NULL)
		return NULL;
	mnl_attr_for_each_nested(
	    a, nest) if (mnl_attr_get_type(a) == type) return a;
	return NULL;
}

static void
read_elems(void *arg, const struct nlmsghdr *h)
{
	const struct reading *r = arg;
	const struct nlattr *a, *elem, *elems = NULL;

	mnl_attr_for_each(a, h,
	    sizeof(struct nfgenmsg)) if (mnl_attr_get_type(a) ==
					 NFTA_SET_ELEM_LIST_ELEMENTS) elems = a;
	if (elems == NULL)
		return;
	mnl_attr_for_each_nested(elem, elems)
	{
		struct carp_addr addr = {
			.family = r->set == &owner4 ? 4 : 6,
			.prefix = r->set == &owner4 ? 32 : 128,
		};

		a = find(find(elem, NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE);
		if (a == NULL || mnl_attr_get_payload_len(a) != r->set->len)
			continue;
		memcpy(addr.ip, mnl_attr_get_payload(a), r->set->len);
		r->fn(r->arg, &addr);
	}
}

int
rules_owners(struct nl *nl, struct nl_batch *b,
    void (*fn)(void *arg, const struct carp_addr *), void *arg)
{
	const struct set *const sets[] = { &owner4, &owner6 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < 2; i++) {
		struct reading r = { fn, arg, sets[i] };

		nl_reset(b);
		put_message(b, NFT_MSG_GETSETELEM, NLM_F_DUMP, NFPROTO_INET);
		put_text(b, NFTA_SET_ELEM_LIST_TABLE, TABLE);
		put_text(b, NFTA_SET_ELEM_LIST_SET, sets[i]->name);
		rc = nl_query(nl, b, read_elems, &r);
	}
	nl_reset(b);
	return rc;
}
