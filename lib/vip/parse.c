/* SPDX-License-Identifier: ISC */
/* Reads what the kernel says of a link, an address or a route. */
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <string.h>

#include <carp/vip.h>

#include "monitor.h"
#include "nl.h"

/* Reads the IPv4 and IPv6 settings that came with a link. */
static void
parse_settings(struct mon_link *ret, struct nlattr *spec)
{
	struct nlattr *af[AF_MAX], *tb[IFLA_INET6_MAX + 1];
	uint32_t conf[IPV4_DEVCONF_ARP_IGNORE];

	if (nla_parse_nested(af, AF_MAX - 1, spec, NULL) < 0)
		return;
	if (af[AF_INET] != NULL &&
	    nla_parse_nested(tb, IFLA_INET_MAX, af[AF_INET], NULL) >= 0 &&
	    tb[IFLA_INET_CONF] != NULL &&
	    nla_len(tb[IFLA_INET_CONF]) >= (int)sizeof(conf)) {
		memcpy(conf, nla_data(tb[IFLA_INET_CONF]), sizeof(conf));
		ret->arp_ignore = conf[IPV4_DEVCONF_ARP_IGNORE - 1];
		ret->arp_announce = conf[IPV4_DEVCONF_ARP_ANNOUNCE - 1];
	}
	if (af[AF_INET6] != NULL &&
	    nla_parse_nested(tb, IFLA_INET6_MAX, af[AF_INET6], NULL) >= 0 &&
	    tb[IFLA_INET6_CONF] != NULL &&
	    nla_len(tb[IFLA_INET6_CONF]) >= (int)sizeof(conf[0])) {
		memcpy(conf, nla_data(tb[IFLA_INET6_CONF]), sizeof(conf[0]));
		ret->forwarding = conf[DEVCONF_FORWARDING] != 0;
	}
}

/*
 * The kernel puts a macvlan on a macvlan beside it instead, and an ipvlan gets
 * nothing that is sent to another MAC.
 */
static bool
is_no_base(const struct nlattr *kind)
{
	static const char *const none[] = { "macvlan", "macvtap", "ipvlan",
		"ipvtap" };

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (nla_strcmp(kind, none[i]) == 0)
			return true;
	return false;
}

/* What is in a VRF has the routes to its addresses in the table of that. */
static void
parse_vrf(struct mon_link *ret, struct nlattr *master, struct nlattr **info)
{
	struct nlattr *port[IFLA_VRF_PORT_MAX + 1];

	if (master == NULL || info[IFLA_INFO_SLAVE_KIND] == NULL ||
	    info[IFLA_INFO_SLAVE_DATA] == NULL ||
	    nla_strcmp(info[IFLA_INFO_SLAVE_KIND], "vrf") != 0 ||
	    nla_parse_nested(port, IFLA_VRF_PORT_MAX,
		info[IFLA_INFO_SLAVE_DATA], NULL) < 0 ||
	    port[IFLA_VRF_PORT_TABLE] == NULL)
		return;
	ret->vrf = nla_get_u32(master);
	ret->table = nla_get_u32(port[IFLA_VRF_PORT_TABLE]);
}

static void
parse_info(struct mon_link *ret, struct nlattr **tb)
{
	struct nlattr *info[IFLA_INFO_MAX + 1];

	ret->vrf = 0;
	ret->table = RT_TABLE_LOCAL;
	if (tb[IFLA_LINKINFO] == NULL ||
	    nla_parse_nested(info, IFLA_INFO_MAX, tb[IFLA_LINKINFO], NULL) < 0)
		return;
	if (info[IFLA_INFO_KIND] != NULL) {
		ret->macvlan = nla_strcmp(info[IFLA_INFO_KIND], "macvlan") == 0;
		ret->no_vmac = is_no_base(info[IFLA_INFO_KIND]);
	}
	parse_vrf(ret, tb[IFLA_MASTER], info);
}

/*
 * Attributes are read one by one rather than by libnl-route, which rejects a
 * whole link when it does not understand a detail of a newer kernel, and in
 * 3.7 does not know the address protocol.
 */
bool
parse_link(struct mon_link *ret, const struct nlmsghdr *h)
{
	const struct ifinfomsg *m = nlmsg_data(h);
	struct nlattr *tb[IFLA_MAX + 1];

	if (nlmsg_parse((struct nlmsghdr *)h, sizeof(*m), tb, IFLA_MAX, NULL) <
		0 ||
	    m->ifi_family != AF_UNSPEC || m->ifi_index <= 0 ||
	    tb[IFLA_IFNAME] == NULL)
		return false; /* of a bridge: its ports, not links */
	nla_strlcpy(ret->name, tb[IFLA_IFNAME], sizeof(ret->name));
	ret->alias[0] = '\0';
	if (tb[IFLA_IFALIAS] != NULL)
		nla_strlcpy(ret->alias, tb[IFLA_IFALIAS], sizeof(ret->alias));
	ret->ifindex = (unsigned)m->ifi_index;
	ret->flags = m->ifi_flags;
	ret->type = m->ifi_type;
	ret->parent = tb[IFLA_LINK] != NULL && tb[IFLA_LINK_NETNSID] == NULL
			  ? nla_get_u32(tb[IFLA_LINK])
			  : 0;
	if (tb[IFLA_OPERSTATE] != NULL)
		ret->operstate = nla_get_u8(tb[IFLA_OPERSTATE]);
	memset(ret->mac, 0, sizeof(ret->mac));
	if (m->ifi_type == ARPHRD_ETHER && tb[IFLA_ADDRESS] != NULL &&
	    nla_len(tb[IFLA_ADDRESS]) == sizeof(ret->mac))
		memcpy(ret->mac, nla_data(tb[IFLA_ADDRESS]), sizeof(ret->mac));
	parse_info(ret, tb);
	if (tb[IFLA_AF_SPEC] != NULL)
		parse_settings(ret, tb[IFLA_AF_SPEC]);
	return true;
}

static bool
copy_ip(struct carp_addr *ret, const struct ifaddrmsg *m, struct nlattr *a)
{
	size_t len = m->ifa_family == AF_INET ? 4 : 16;

	if (a == NULL || nla_len(a) != (int)len)
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->family = m->ifa_family == AF_INET ? 4 : 6;
	ret->prefix = m->ifa_prefixlen;
	memcpy(ret->ip, nla_data(a), len);
	return true;
}

bool
parse_addr(struct mon_addr_msg *ret, const struct nlmsghdr *h)
{
	const struct ifaddrmsg *m = nlmsg_data(h);
	struct nlattr *tb[NL_IFA_PROTO + 1];

	memset(ret, 0, sizeof(*ret));
	if (nlmsg_parse(
		(struct nlmsghdr *)h, sizeof(*m), tb, NL_IFA_PROTO, NULL) < 0 ||
	    (m->ifa_family != AF_INET && m->ifa_family != AF_INET6))
		return false;
	/* IFA_ADDRESS is the peer's where there is one, else the same */
	if (!copy_ip(&ret->net, m, tb[IFA_ADDRESS]) &&
	    !copy_ip(&ret->net, m, tb[IFA_LOCAL]))
		return false;
	if (!copy_ip(&ret->addr, m, tb[IFA_LOCAL]))
		ret->addr = ret->net;
	ret->ifindex = m->ifa_index;
	ret->flags =
	    tb[IFA_FLAGS] != NULL ? nla_get_u32(tb[IFA_FLAGS]) : m->ifa_flags;
	ret->portid = h->nlmsg_pid;
	ret->seq = h->nlmsg_seq;
	ret->told = tb[NL_IFA_PROTO] != NULL;
	ret->tagged = ret->told && nla_get_u8(tb[NL_IFA_PROTO]) == VIP_PROTO;
	return true;
}

bool
parse_route(struct mon_addr_msg *ret, const struct nlmsghdr *h)
{
	const struct rtmsg *m = nlmsg_data(h);
	struct nlattr *tb[RTA_TABLE + 1];
	const int len = 16;

	memset(ret, 0, sizeof(*ret));
	if (nlmsg_parse((struct nlmsghdr *)h, sizeof(*m), tb, RTA_TABLE, NULL) <
		0 ||
	    m->rtm_family != AF_INET6 || m->rtm_type != RTN_LOCAL ||
	    m->rtm_protocol != VIP_PROTO || m->rtm_dst_len != 8 * len ||
	    tb[RTA_OIF] == NULL || tb[RTA_DST] == NULL ||
	    nla_len(tb[RTA_DST]) != len)
		return false;
	ret->addr.family = 6;
	ret->addr.prefix = m->rtm_dst_len;
	memcpy(ret->addr.ip, nla_data(tb[RTA_DST]), (size_t)len);
	ret->ifindex = nla_get_u32(tb[RTA_OIF]);
	ret->table =
	    tb[RTA_TABLE] != NULL ? nla_get_u32(tb[RTA_TABLE]) : m->rtm_table;
	return true;
}
