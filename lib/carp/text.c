/* SPDX-License-Identifier: ISC */
/* Addresses, verdicts, states and causes as words for people. */
#include <arpa/inet.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <carp/carp.h>

/* Decimal digits only, no sign, no leading zero but "0" itself. */
static int
parse_prefix(const char *s, unsigned max, uint8_t *ret)
{
	unsigned n = 0;

	if (*s == '\0' || (s[0] == '0' && s[1] != '\0'))
		return -EINVAL;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		n = n * 10 + (unsigned)(*s - '0');
		if (n > max)
			return -EINVAL;
	}
	*ret = (uint8_t)n;
	return 0;
}

int
carp_addr_parse(struct carp_addr *ret, const char *text)
{
	struct carp_addr a = { 0 };
	char ip[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);

	if (len >= sizeof(ip))
		return -EINVAL;
	memcpy(ip, text, len);
	ip[len] = '\0';
	if (inet_pton(AF_INET, ip, a.ip) == 1)
		a.family = 4;
	else if (inet_pton(AF_INET6, ip, a.ip) == 1)
		a.family = 6;
	else
		return -EINVAL;
	a.prefix = a.family == 4 ? 32 : 128;
	if (slash && parse_prefix(slash + 1, a.prefix, &a.prefix) != 0)
		return -EINVAL;
	*ret = a;
	return 0;
}

char *
carp_addr_print(
    char buf[CARP_ADDR_STRLEN], const struct carp_addr *a, bool prefix)
{
	size_t len;

	strncpy(buf, "-", CARP_ADDR_STRLEN);
	if (a->family != 4 && a->family != 6)
		return buf;
	if (inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->ip, buf,
		CARP_ADDR_STRLEN) == NULL)
		return buf;
	if (prefix) {
		len = strlen(buf);
		(void)snprintf(
		    buf + len, CARP_ADDR_STRLEN - len, "/%u", a->prefix);
	}
	return buf;
}

const char *
carp_verdict_name(enum carp_verdict v)
{
	static const char *const name[CARP_NVERDICTS] = {
		[CARP_OK] = "ok",
		[CARP_HDROPS] = "hdrops",
		[CARP_BADLEN] = "badlen",
		[CARP_BADVER] = "badver",
		[CARP_BADTTL] = "badttl",
		[CARP_BADSUM] = "badsum",
		[CARP_BADVHID] = "badvhid",
		[CARP_BADADDR] = "badaddrs",
		[CARP_BADAUTH] = "badauth",
		[CARP_OWN] = "own",
		[CARP_VRRP] = "vrrp",
	};

	return (unsigned)v < CARP_NVERDICTS ? name[v] : "?";
}

const char *
carp_state_name(enum carp_state s)
{
	static const char *const name[] = { "INIT", "BACKUP", "MASTER" };

	return (unsigned)s <= CARP_MASTER ? name[s] : "?";
}

const char *
carp_cause_text(enum carp_cause c)
{
	static const char *const text[CARP_NCAUSES] = {
		[CARP_CAUSE_NEW] = "not started yet",
		[CARP_CAUSE_LINK_UP] = "the interface works",
		[CARP_CAUSE_LINK_DOWN] = "the interface does not work",
		[CARP_CAUSE_SILENCE] = "no master heard",
		[CARP_CAUSE_BOWOUT] = "the master left (bow-out)",
		[CARP_CAUSE_SLOWER] = "preempted a slower master",
		[CARP_CAUSE_DEMOTED] = "the other side is less fit (demotion)",
		[CARP_CAUSE_FADING] = "the master advertises too seldom",
		[CARP_CAUSE_FASTER] = "yielded to a faster master",
		[CARP_CAUSE_EQUAL] = "yielded to an equal master",
		[CARP_CAUSE_PAUSED] = "slept, and another took over",
		[CARP_CAUSE_FORCED] = "told to",
		[CARP_CAUSE_STOPPED] = "stopped",
		[CARP_CAUSE_RESUMED] = "goes on after a crash",
		[CARP_CAUSE_ORPHANED] = "the master is demoted and silent",
	};

	return (unsigned)c < CARP_NCAUSES ? text[c] : "?";
}
