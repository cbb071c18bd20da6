/* SPDX-License-Identifier: ISC */
/* Exit codes of the contract between carpd and hooks: carp-hooks(7). */
#ifndef CARPD_FENCE_EXIT_H
#define CARPD_FENCE_EXIT_H

enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_PARAMETER = 2,
	EXIT_NOT_RUNNING = 3,
	EXIT_UNKNOWN = 4,
	EXIT_PEER_ALIVE = 6
};

#endif
