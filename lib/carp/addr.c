/* SPDX-License-Identifier: ISC */
/* Addresses compared and classified: pure, network order throughout. */
#include <errno.h>
#include <string.h>

#include <carp/carp.h>

static size_t
width(uint8_t family)
{
	return family == 4 ? 4 : family == 6 ? 16 : 0;
}

int
carp_addr_cmp(const struct carp_addr *a, const struct carp_addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->ip, b->ip, width(a->family));
}

bool
carp_addr_is_linklocal(const struct carp_addr *a)
{
	return a->family == 6 && a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80;
}

bool
carp_addr_in_net(const struct carp_addr *a, const struct carp_addr *net)
{
	unsigned whole = net->prefix / 8, rest = net->prefix % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	if (a->family != net->family || net->prefix > 8 * width(net->family))
		return false;
	if (memcmp(a->ip, net->ip, whole) != 0)
		return false;
	return rest == 0 || ((a->ip[whole] ^ net->ip[whole]) & mask) == 0;
}

struct carp_addr
carp_group(uint8_t family)
{
	static const struct carp_addr v4 = { 4, 32, { 224, 0, 0, 18 } };
	static const struct carp_addr v6 = { 6, 128,
		{ 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12 } };

	return family == 4 ? v4 : v6;
}

void
carp_vmac(uint8_t ret[6], uint8_t vhid)
{
	static const uint8_t prefix[5] = { 0x00, 0x00, 0x5e, 0x00, 0x01 };

	memcpy(ret, prefix, sizeof(prefix));
	ret[5] = vhid;
}
