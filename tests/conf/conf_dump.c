/* SPDX-License-Identifier: ISC */
/*
 * Loads a configuration and prints what became of it: messages as carpd would
 * tell them, then all members, in a form that can be compared.  Exits with
 * the result.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../daemon/conf.h"

static void
dump_list(const struct conf *c, const char *word, uint32_t first, uint32_t n)
{
	char text[CARP_ADDR_STRLEN];
	uint32_t i;

	printf("    %s", word);
	for (i = first; i < first + n; i++)
		printf(" %s", carp_addr_print(text, &conf_pool(c)[i], true));
	printf("%s\n", n == 0 ? " -" : "");
}

static void
dump_bytes(const char *word, const uint8_t *p, size_t n)
{
	printf("    %s ", word);
	while (n-- > 0)
		printf("%02x", *p++);
	printf("\n");
}

static void
dump_host(const struct conf *c, const struct conf_host *h)
{
	const struct carp_config *k = &h->carp;

	printf("%s vhid %u line %u\n", h->ifname, k->vhid, h->line);
	printf("    advbase %u advskew %u preempt %u%s\n", k->advbase,
	    k->advskew, k->preempt, k->fast_start ? " fast-start 1" : "");
	printf("    openbsd %u strict-family %u triple-skew %u digests %u\n",
	    k->openbsd, k->strict_family, k->triple_skew, k->digests);
	printf("    grace %llu ns\n", (unsigned long long)k->grace);
	dump_bytes("key", k->key, sizeof(k->key));
	dump_bytes("lladdr", k->lladdr, sizeof(k->lladdr));
	printf("    virtual-mac %u lease %s allow-foreign-subnet %u\n", h->vmac,
	    h->lease == VIP_LEASE_OFF	  ? "off"
	    : h->lease == VIP_LEASE_GUARD ? "guard"
					  : "address",
	    h->allow_foreign_subnet);
	if (h->critical)
		printf("    critical group %u\n", h->group);
	dump_list(c, "address", h->addrs, h->naddrs);
	dump_list(c, "digest", h->digest, h->ndigest);
	dump_list(c, "peer", h->peers, h->npeers);
}

static void
dump_resource(const struct conf *c, const struct conf_resource *r)
{
	static const char *const phases[] = { "fence", "storage", "service" };
	uint32_t i, at = r->set;

	printf("%s %s line %u%s\n", phases[r->phase], r->name, r->line,
	    r->none ? " (none)" : "");
	printf("    hook \"%s\" critical %u after %llx\n",
	    conf_text(c, r->hook), r->critical, (unsigned long long)r->after);
	printf("    start %u stop %u status %u verify %u monitor %u ms\n",
	    r->start_ms, r->stop_ms, r->status_ms, r->verify_ms, r->monitor_ms);
	for (i = 0; i < r->nset; i++) {
		printf("    set [%s]\n", conf_text(c, at));
		at += (uint32_t)strlen(conf_text(c, at)) + 1;
	}
}

static void
dump_failover(const struct conf *c)
{
	const struct conf_failover *f = &c->failover;
	char peer[CARP_ADDR_STRLEN] = "-";
	uint32_t i;

	if (!f->on)
		return;
	if (f->interlink_peer.family != 0)
		(void)carp_addr_print(peer, &f->interlink_peer, false);
	printf("failover timeout %u fence-wait %u ms addresses %s\n",
	    f->timeout_s, f->fence_wait_ms,
	    f->addresses_first ? "before" : "after");
	printf("    last-resort \"%s\" url-schemes \"%s\"\n",
	    conf_text(c, f->last_resort), conf_text(c, f->schemes));
	printf("    interlink \"%s\" peer %s\n", f->interlink, peer);
	for (i = 0; i < f->nresources; i++)
		dump_resource(c, &conf_resources(c)[i]);
	conf_failover_print(c, stdout);
}

static void
dump(const struct conf *c, bool named)
{
	uint32_t i;

	printf("node %s\n", named ? c->name : "(host name)");
	printf("    user %s group %s\n", c->user, c->group);
	printf("    notify-dir \"%s\" notify-timeout %u\n", c->notify_dir,
	    c->notify_timeout);
	printf("    link-demotion %d realtime %u\n", c->link_demotion,
	    c->realtime);
	for (i = 0; i < c->nhosts; i++)
		dump_host(c, &conf_hosts(c)[i]);
	dump_failover(c);
}

static int
load(int argc, char **argv)
{
	enum conf_result result;
	struct conf *c = NULL;
	char host[CONF_PATH_MAX] = "";
	FILE *fp;

	/* For messages alone: the host name differs from machine to machine. */
	if ((fp = fopen("/proc/sys/kernel/hostname", "r")) != NULL) {
		if (fgets(host, sizeof(host), fp) != NULL)
			host[strcspn(host, "\n")] = '\0';
		(void)fclose(fp);
	}
	result = conf_load(&c, argv[argc - 1], stdout);
	if (result != CONF_OK)
		return (int)result;
	if (conf_verify(c, c->size) != 0) {
		printf("conf_verify refuses it\n");
		result = CONF_FAILED;
	} else if (argc == 2) {
		dump(c, strcmp(c->name, host) != 0);
	}
	free(c);
	return (int)result;
}

int
main(int argc, char **argv)
{
	struct timespec from, to;
	int rc;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: conf_dump [-t] FILE\n"
				"-t: time and messages only\n");
		return 2;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	rc = load(argc, argv);
	(void)clock_gettime(CLOCK_MONOTONIC, &to);
	if (argc == 3)
		printf("%ld ms\n", (to.tv_sec - from.tv_sec) * 1000 +
				       (to.tv_nsec - from.tv_nsec) / 1000000);
	return rc;
}
