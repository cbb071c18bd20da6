/* SPDX-License-Identifier: ISC */
/* What people call an interface: its alias (ip link). */
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <errno.h>
#include <string.h>

#include "state.h"
#include "vmac.h"

int
vip_link_set_alias(struct vip *v, const char *name, const char *alias)
{
	struct ifinfomsg *m;
	struct mon_link *l;
	struct nl_batch *b;
	int rc;

	if (v == NULL || name == NULL || alias == NULL ||
	    strlen(alias) >= VIP_ALIAS)
		return -EINVAL;
	if ((l = mon_link_named(&v->mon, name)) == NULL)
		return -ENODEV;
	if (vmac_is_ours(l)) /* its alias says what it is */
		return -EPERM;
	b = &v->batch;
	nl_reset(b);
	m = nl_begin(b, RTM_SETLINK, 0, sizeof(*m));
	m->ifi_family = AF_UNSPEC;
	m->ifi_index = (int)l->ifindex;
	/* An empty one takes it away. */
	nl_put(b, IFLA_IFALIAS, alias, strlen(alias));
	rc = nl_commit(&v->nl, b);
	if (rc == 0)
		rc = b->rc[0];
	nl_reset(b);
	return rc;
}
