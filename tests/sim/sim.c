/* SPDX-License-Identifier: ISC */
/*
 * Clusters in virtual time.
 *
 *	sim [--seed N] [--runs M] [--flaw NAME] [--verbose]
 *	sim --self-test
 *
 * A run follows from its seed alone; one that fails is told with its seed, and
 * `sim --seed N --runs 1 --verbose` shows it step by step.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "move.h"
#include "scenario.h"

static const struct {
	const char *name;
	const char *why;
} flaws[NFLAWS] = {
	[FLAW_NONE] = { "none", "" },
	[FLAW_LEASE] = { "lease", "a lease never ends" },
	[FLAW_DEAF] = { "deaf", "a master ignores better adverts" },
	[FLAW_STORM] = { "storm", "each advert is sent 200 times" },
	[FLAW_EAGER] = { "eager", "deadlines before packets on waking" },
	[FLAW_TRUST] = { "trust", "no digest is checked" },
	[FLAW_STEADY] = { "steady", "a backup never takes over" },
	[FLAW_SILENT] = { "silent", "the former digest is not sent" },
	[FLAW_STALE] = { "stale", "what waited is taken as if it came now" },
};

static double
cpu(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

/* How many of the runs did not hold. */
static unsigned
run(uint64_t seed, uint64_t runs, enum flaw flaw, bool verbose, bool stop)
{
	uint64_t length = 0, longest = 0, adverts = 0, masters = 0;
	unsigned failed = 0;
	struct outcome o;
	double begun = cpu();

	for (uint64_t i = 0; i < runs; i++) {
		scenario_run(&o, seed + i, flaw, verbose);
		length += o.length;
		adverts += o.adverts;
		masters += o.masters;
		if (o.longest > longest)
			longest = o.longest;
		if (o.broken == NULL)
			continue;
		failed++;
		if (flaw == FLAW_NONE || verbose)
			printf("seed %" PRIu64 ": %s: %s\n", seed + i, o.broken,
			    o.text);
		if (stop)
			return failed;
		if (failed == 20)
			break;
	}
	if (!stop)
		printf("seeds %" PRIu64 "..%" PRIu64 ": %u failed; "
		       "%.1f virtual days, %" PRIu64 " adverts, %" PRIu64
		       " takeovers, longest overlap %.2f s; %.1f s of CPU\n",
		    seed, seed + runs - 1, failed, (double)length / 1e9 / 86400,
		    adverts, masters, (double)longest / 1e9, cpu() - begun);
	return failed;
}

/* Nodes with several segments: each run is some ten times as long. */
static unsigned
run_moves(uint64_t seed, uint64_t runs, bool flaw, bool verbose)
{
	unsigned failed = 0;
	double begun = cpu();

	runs = runs / 10 + 1;
	for (uint64_t i = 0; i < runs && failed < 20; i++)
		failed += !move_run(seed + i, flaw, verbose);
	if (flaw)
		return failed;
	printf("nodes that move, seeds %" PRIu64 "..%" PRIu64
	       ": %u failed; %.1f s of CPU\n",
	    seed, seed + runs - 1, failed, cpu() - begun);
	return failed;
}

/* Each flaw has to be noticed: a check that cannot fail proves nothing. */
static int
self_test(void)
{
	int rc = EXIT_SUCCESS;

	for (int f = FLAW_NONE + 1; f < NFLAWS; f++) {
		bool seen = run(1, 2000, (enum flaw)f, false, true) > 0;

		printf(
		    "%s: %s\n", flaws[f].why, seen ? "noticed" : "NOT NOTICED");
		if (!seen)
			rc = EXIT_FAILURE;
	}
	if (run_moves(1, 10000, true, false) > 0) {
		printf("a third node looks like the second: noticed\n");
	} else {
		printf("a third node looks like the second: NOT NOTICED\n");
		rc = EXIT_FAILURE;
	}
	return rc;
}

static int
usage(void)
{
	fputs("usage: sim [--seed N] [--runs M] [--flaw NAME] [--verbose]\n"
	      "       sim --self-test\n",
	    stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	static const struct option opts[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "runs", required_argument, NULL, 'r' },
		{ "flaw", required_argument, NULL, 'f' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "self-test", no_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	uint64_t seed = 1, runs = 10000;
	enum flaw flaw = FLAW_NONE;
	bool verbose = false;
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		switch (c) {
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'r':
			runs = strtoull(optarg, NULL, 0);
			break;
		case 'f':
			for (flaw = 0; flaw < NFLAWS; flaw++)
				if (strcmp(flaws[flaw].name, optarg) == 0)
					break;
			if (flaw == NFLAWS)
				return usage();
			break;
		case 'v':
			verbose = true;
			break;
		case 't':
			return self_test();
		default:
			return usage();
		}
	}
	if (optind != argc)
		return usage();
	c = run(seed, runs, flaw, verbose, false) == 0;
	if (flaw == FLAW_NONE && run_moves(seed, runs, false, verbose) > 0)
		c = 0;
	return c ? EXIT_SUCCESS : EXIT_FAILURE;
}
