/* SPDX-License-Identifier: ISC */
/*
 * An engine that is told what to do by lines on its standard input, and that
 * prints its events: the library without the daemon.
 *
 *	add IF VHID addr=A/L[,...] [key=] [base=] [skew=] [preempt] [vmac]
 *	    [manual] [lease=off] [digest=A,...] [peer=A,...] [openbsd]
 *	    [together]
 *	change (the same), remove IF VHID, show IF VHID, install IF VHID 0|1
 *	force IF VHID master|backup, demote CAUSE N [SECONDS]
 *	hdemote IF VHID CAUSE N, group IF N (one more), stop, quit
 */
#include <carp/engine.h>

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIST_MAX 300

static struct carp_engine *engine;
static bool done;
static unsigned long wakeups;

static void
say(const char *fmt, ...)
{
	va_list ap;

	printf("%.6f ", (double)carp_now() / 1e9);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

static size_t
read_list(struct carp_addr *ret, char *text)
{
	char *save;
	size_t n = 0;

	for (char *a = strtok_r(text, ",", &save); a != NULL && n < LIST_MAX;
	     a = strtok_r(NULL, ",", &save))
		if (carp_addr_parse(&ret[n], a) != 0)
			say("error address %s", a);
		else
			n++;
	return n;
}

static void
configure(const char *what, const char *ifname, int vhid, char *rest)
{
	static struct carp_addr addrs[LIST_MAX], digest[LIST_MAX],
	    peers[LIST_MAX];
	struct carp_host_config c = { .size = sizeof(c),
		.carp = CARP_CONFIG_INIT };
	struct carp_host *h;
	char *save;
	int rc;

	snprintf(c.ifname, sizeof(c.ifname), "%s", ifname);
	c.carp.vhid = (uint8_t)vhid;
	memcpy(c.carp.key, "s3cret", 6);
	for (char *w = strtok_r(rest, " \n", &save); w != NULL;
	     w = strtok_r(NULL, " \n", &save)) {
		char *v = strchr(w, '=');

		if (v != NULL)
			*v++ = '\0';
		if (strcmp(w, "preempt") == 0)
			c.carp.preempt = 1;
		else if (strcmp(w, "together") == 0)
			c.carp.together = 1;
		else if (strcmp(w, "openbsd") == 0)
			c.carp.openbsd = 1;
		else if (strcmp(w, "vmac") == 0)
			c.vmac = 1;
		else if (strcmp(w, "manual") == 0)
			c.manual = 1;
		else if (v == NULL)
			say("error word %s", w);
		else if (strcmp(w, "key") == 0) {
			memset(c.carp.key, 0, sizeof(c.carp.key));
			memcpy(c.carp.key, v, strnlen(v, CARP_KEY_LEN));
		} else if (strcmp(w, "base") == 0)
			c.carp.advbase = (uint8_t)strtoul(v, NULL, 10);
		else if (strcmp(w, "skew") == 0)
			c.carp.advskew = (uint8_t)strtoul(v, NULL, 10);
		else if (strcmp(w, "lease") == 0)
			c.lease = VIP_LEASE_OFF;
		else if (strcmp(w, "addr") == 0)
			c.naddrs = read_list(addrs, v);
		else if (strcmp(w, "digest") == 0)
			c.ndigest = read_list(digest, v);
		else if (strcmp(w, "peer") == 0)
			c.npeers = read_list(peers, v);
	}
	c.addrs = addrs;
	c.digest = c.ndigest > 0 ? digest : NULL;
	c.peers = c.npeers > 0 ? peers : NULL;
	if (strcmp(what, "add") == 0)
		rc = carp_host_add(engine, &h, &c, carp_now());
	else
		rc = carp_host_change(
		    carp_host_find(engine, ifname, (uint8_t)vhid), &c,
		    carp_now());
	say("%s %s %d rc %d", what, ifname, vhid, rc);
}

static void
show_stats(const struct carp_stats *s)
{
	printf("show ipackets %llu ipackets6 %llu opackets %llu oerrors %llu",
	    (unsigned long long)s->ipackets, (unsigned long long)s->ipackets6,
	    (unsigned long long)(s->opackets + s->opackets6),
	    (unsigned long long)s->oerrors);
	for (int v = 0; v < CARP_NVERDICTS; v++)
		printf(" %s %llu", carp_verdict_name(v),
		    (unsigned long long)s->drops[v]);
	putchar('\n');
}

static void
show(const char *ifname, int vhid)
{
	struct carp_host *h = carp_host_find(engine, ifname, (uint8_t)vhid);
	struct carp_condition_info ci;
	struct carp_host_info i;
	struct carp_peer peer[16];
	struct carp_stats s;
	char a[CARP_ADDR_STRLEN];

	if (h == NULL) {
		say("show none");
		return;
	}
	carp_host_get_info(h, &i);
	printf("show state %s link %d demotion %d up %d installed %zu failed "
	       "%zu foreign %zu announced %llu lease %u wakeups %lu\n",
	    carp_state_name(i.carp.state), i.link, i.carp.demotion, i.vip.up,
	    i.vip.installed, i.vip.failed, i.vip.foreign,
	    (unsigned long long)i.vip.announced, i.lease_s, wakeups);
	show_stats(&i.carp.stats);
	if (carp_engine_link_stats(engine, ifname, &s) == 0) {
		printf("show link ");
		show_stats(&s);
	}
	for (int c = 0; c < CARP_NCONDS; c++)
		if (carp_host_condition(h, c, &ci))
			printf("show cond %s %llu %s\n", carp_condition_name(c),
			    (unsigned long long)ci.count, ci.text);
	for (size_t n = carp_host_peers(h, peer, 16), k = 0; k < n; k++)
		printf("show peer %s %d %d %llu\n",
		    carp_addr_print(a, &peer[k].addr, false), peer[k].advbase,
		    peer[k].advskew, (unsigned long long)peer[k].count);
	say("show end");
}

static void
demote(char *rest)
{
	char cause[64];
	int n = 0;
	double s = 0;
	uint64_t now = carp_now();

	if (sscanf(rest, "%63s %d %lf", cause, &n, &s) < 2)
		return;
	say("demote rc %d",
	    carp_engine_demote(engine, cause, n,
		s > 0 ? now + (uint64_t)(s * 1e9) : CARP_NEVER, now));
}

/* The first one begins the list, the next ones are added. */
static void
group(const char *ifname, int n)
{
	static struct carp_link_group g[8];
	static size_t ngroups;

	if (ngroups == 8)
		return;
	snprintf(g[ngroups].ifname, sizeof(g[ngroups].ifname), "%s", ifname);
	g[ngroups++].group = (uint32_t)n;
	say("group rc %d",
	    carp_engine_set_groups(engine, g, ngroups, carp_now()));
}

static void
command(char *line)
{
	char what[16] = "", ifname[VIP_IFNAMSIZ] = "", word[64] = "";
	int vhid = 0, used = 0, n = 0;
	struct carp_host *h;

	if (sscanf(line, "%15s%n", what, &used) < 1)
		return;
	if (strcmp(what, "quit") == 0)
		done = true;
	else if (strcmp(what, "stop") == 0)
		say("stop rc %d", carp_engine_stop(engine, carp_now()));
	else if (strcmp(what, "demote") == 0)
		demote(line + used);
	else if (sscanf(line, "%*s %15s %d%n", ifname, &vhid, &used) >= 2) {
		h = carp_host_find(engine, ifname, (uint8_t)vhid);
		(void)sscanf(line + used, "%63s %d", word, &n);
		if (strcmp(what, "add") == 0 || strcmp(what, "change") == 0)
			configure(what, ifname, vhid, line + used);
		else if (strcmp(what, "remove") == 0)
			carp_host_remove(h, carp_now());
		else if (strcmp(what, "group") == 0)
			group(ifname, vhid);
		else if (strcmp(what, "show") == 0)
			show(ifname, vhid);
		else if (strcmp(what, "install") == 0)
			say("install rc %d",
			    carp_host_install(h, word[0] == '1', carp_now()));
		else if (strcmp(what, "hdemote") == 0)
			say("hdemote rc %d", carp_host_demote(h, word, n,
						 CARP_NEVER, carp_now()));
		else if (strcmp(what, "force") == 0)
			say("force rc %d",
			    carp_host_force(h,
				word[0] == 'm' ? CARP_MASTER : CARP_BACKUP,
				carp_now()));
	}
}

static void
print_events(void)
{
	struct carp_event ev;
	struct carp_host_info i;
	struct carp_condition_info ci = { .text = "" };
	char a[CARP_ADDR_STRLEN];
	int vhid;

	while (carp_engine_next(engine, &ev)) {
		vhid = 0;
		if (ev.host != NULL) {
			carp_host_get_info(ev.host, &i);
			vhid = i.carp.vhid;
			(void)carp_host_condition(ev.host, ev.cond, &ci);
		}
		switch (ev.what) {
		case CARP_EV_STATE:
			say("state %s %d %s %s: %s", ev.ifname, vhid,
			    carp_state_name(ev.from), carp_state_name(ev.to),
			    carp_cause_text(ev.cause));
			break;
		case CARP_EV_COND:
			say("cond %s %d %s %s %s", ev.ifname, vhid,
			    carp_condition_name(ev.cond), ev.on ? "on" : "off",
			    ev.on ? ci.text : "");
			break;
		case CARP_EV_LINK:
			say("link %s %s", ev.ifname, ev.on ? "up" : "down");
			break;
		case CARP_EV_DEMOTION:
			say("demotion %d %d", vhid, ev.value);
			break;
		case CARP_EV_REPAIRED:
			say("repaired %s", carp_addr_print(a, &ev.addr, true));
			break;
		case CARP_EV_ERROR:
			say("ERROR %s", strerror(-ev.value));
			break;
		case CARP_EV_LOST:
			say("LOST %d", ev.value);
			break;
		}
	}
}

int
main(void)
{
	static char buf[65536];
	struct pollfd p[2] = { { .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN } };
	size_t len = 0;
	ssize_t n;
	int rc;

	if ((rc = carp_engine_new(&engine)) != 0) {
		say("engine: %s", strerror(-rc));
		return 1;
	}
	say("ready");
	p[0].fd = carp_engine_fd(engine);
	while (!done) {
		char *end;

		if (poll(p, 2, -1) < 0)
			continue;
		wakeups++;
		if (p[0].revents != 0)
			(void)carp_engine_process(engine, carp_now());
		print_events();
		if (p[1].revents == 0)
			continue;
		n = read(STDIN_FILENO, buf + len, sizeof(buf) - len - 1);
		if (n <= 0)
			break;
		len += (size_t)n;
		buf[len] = '\0';
		while ((end = strchr(buf, '\n')) != NULL) {
			*end = '\0';
			command(buf);
			print_events();
			len -= (size_t)(end + 1 - buf);
			memmove(buf, end + 1, len + 1);
		}
	}
	(void)carp_engine_stop(engine, carp_now());
	print_events();
	carp_engine_free(engine);
	return 0;
}
