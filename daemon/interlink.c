/* SPDX-License-Identifier: ISC */
/* The interface that leads to the other node: is it there, what is it? */
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "interlink.h"

static void
ask_driver(int fd, struct ifreq *ifr, struct interlink *ret)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };

	ifr->ifr_data = (char *)&info;
	if (ioctl(fd, SIOCETHTOOL, ifr) == 0)
		(void)snprintf(
		    ret->driver, sizeof(ret->driver), "%.31s", info.driver);
	ifr->ifr_data = NULL;
}

/*
 * IFF_RUNNING is what the kernel makes of the operational state: up, or
 * unknown with a carrier.
 */
void
interlink_look(struct interlink *ret, const char *ifname)
{
	struct ifreq ifr;
	int fd;

	memset(ret, 0, sizeof(*ret));
	memset(&ifr, 0, sizeof(ifr));
	(void)snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return;
	if (ioctl(fd, SIOCGIFFLAGS, &ifr) == 0) {
		ret->exists = true;
		ret->carrier = (ifr.ifr_flags & IFF_UP) != 0 &&
			       (ifr.ifr_flags & IFF_RUNNING) != 0;
		ask_driver(fd, &ifr, ret);
	}
	(void)close(fd);
}

const char *
interlink_kind(const struct interlink *l)
{
	static const struct {
		const char *driver, *kind;
	} known[] = { { "veth", "VETH" }, { "virtio_net", "VIRTIO" },
		{ "bonding", "BOND" }, { "team", "TEAM" },
		{ "bridge", "BRIDGE" }, { "ntb_netdev", "NTB" },
		{ "ntb_transport", "NTB" }, { "tun", "TUN" },
		{ "macvlan", "MACVLAN" }, { "802.1Q VLAN Support", "VLAN" },
		{ "hv_netvsc", "HYPERV" }, { "vmxnet3", "VMXNET" },
		{ "xen_netfront", "XEN" } };

	if (l == NULL)
		return "MANUAL";
	if (!l->exists)
		return "ABSENT";
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(l->driver, known[i].driver) == 0)
			return known[i].kind;
	return "ETHERNET";
}
