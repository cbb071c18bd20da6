/* SPDX-License-Identifier: ISC */
/* A virtual address for two machines, with a loop of its own. */
#include <carp/engine.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static volatile sig_atomic_t stop;

static void
on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static void
print_events(struct carp_engine *e)
{
	struct carp_condition_info why;
	struct carp_event ev;

	while (carp_engine_next(e, &ev)) {
		if (ev.what == CARP_EV_STATE)
			printf("%s: %s -> %s: %s\n", ev.ifname,
			    carp_state_name(ev.from), carp_state_name(ev.to),
			    carp_cause_text(ev.cause));
		else if (ev.what == CARP_EV_COND && ev.on &&
			 carp_host_condition(
			     carp_host_each(e, NULL), ev.cond, &why))
			printf("%s: %s\n", ev.ifname, why.text);
	}
	fflush(stdout);
}

int
main(int argc, char *argv[])
{
	struct carp_host_config cfg = { .size = sizeof(cfg) };
	struct carp_config election = CARP_CONFIG_INIT;
	struct sigaction sa = { .sa_handler = on_signal };
	struct carp_engine *e = NULL;
	struct carp_host *h;
	struct carp_addr addr;
	struct pollfd p;
	int rc;

	if (argc != 4 || carp_addr_parse(&addr, argv[2]) != 0 ||
	    strlen(argv[1]) >= sizeof(cfg.ifname) ||
	    strlen(argv[3]) > CARP_PASS_MAX) {
		fprintf(stderr, "usage: example interface address/length "
				"passphrase\n");
		return 2;
	}
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);

	election.vhid = 10;
	memcpy(election.key, argv[3], strlen(argv[3]));
	cfg.carp = election;
	memcpy(cfg.ifname, argv[1], strlen(argv[1]));
	cfg.addrs = &addr;
	cfg.naddrs = 1;
	if ((rc = carp_engine_new(&e)) != 0 ||
	    (rc = carp_host_add(e, &h, &cfg, carp_now())) != 0) {
		fprintf(stderr, "example: %s\n", strerror(-rc));
		carp_engine_free(e);
		return 1;
	}
	p.fd = carp_engine_fd(e);
	p.events = POLLIN;
	print_events(e);
	while (!stop) {
		poll(&p, 1, -1);
		carp_engine_process(e, carp_now());
		print_events(e);
	}
	carp_engine_stop(e, carp_now());
	print_events(e);
	carp_engine_free(e);
	return 0;
}
