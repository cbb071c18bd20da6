/* SPDX-License-Identifier: ISC */
/* What the engine process does from its first instruction to its last. */
#ifndef CARPD_CHILD_H
#define CARPD_CHILD_H

/*
 * Runs the hosts that the supervisor on the other end of ipc says, until it
 * says stop or is gone.  listen_fd: of the control socket, or -1.  Returns
 * the exit status.
 */
int child_run(int ipc, int listen_fd);

#endif
