/* SPDX-License-Identifier: ISC */
/* A struct conf built by hand, for tests that want no file. */
#ifndef TESTS_BLOCK_H
#define TESTS_BLOCK_H

#include <stdio.h>
#include <stdlib.h>

#include "../../daemon/conf_draft.h"

/* One address for each host: 192.0.2.(n % 250 + 1)/24. */
struct block_host {
	const char *ifname;
	unsigned vhid, advskew;
};

static inline struct conf *
block_new(const struct block_host *h, uint32_t n)
{
	struct carp_config cfg = CARP_CONFIG_INIT;
	struct conf *conf = conf_block_new(0, n, n, 0);
	struct conf_host *host;
	struct carp_addr *addr;

	if (conf == NULL)
		abort();
	(void)snprintf(conf->name, sizeof(conf->name), "nodeA");
	(void)snprintf(conf->file, sizeof(conf->file), "test.conf");
	host = conf_block_hosts(conf);
	addr = conf_block_pool(conf);
	for (uint32_t i = 0; i < n; i++) {
		(void)snprintf(
		    host[i].ifname, sizeof(host[i].ifname), "%s", h[i].ifname);
		host[i].carp = cfg;
		host[i].carp.vhid = (uint8_t)h[i].vhid;
		host[i].carp.advskew = (uint8_t)h[i].advskew;
		host[i].line = i + 1;
		host[i].addrs = i;
		host[i].naddrs = 1;
		addr[i].family = 4;
		addr[i].prefix = 24;
		addr[i].ip[0] = 192;
		addr[i].ip[2] = 2;
		addr[i].ip[3] = (uint8_t)(h[i].vhid % 250 + 1);
	}
	return conf;
}

#endif
