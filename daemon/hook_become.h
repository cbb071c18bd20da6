/* SPDX-License-Identifier: ISC */
/* In a new process: how it becomes a hook. */
#ifndef CARPD_HOOK_BECOME_H
#define CARPD_HOOK_BECOME_H

#define HOOK_PASSED 2 /* descriptors that can be given to a hook */
#define HOOK_FIRST  3 /* where it finds the first */

/*
 * Nothing of ours is left but those: what it writes goes to out, pass is found
 * at HOOK_FIRST and behind it (-1: nothing).  orphan: signal for it when its
 * parent is gone; 0: none.  On failure the process ends.
 */
void hook_leave_us(int out, const int pass[HOOK_PASSED], int orphan);

/* The last step.  If it fails the hook's output says why. */
_Noreturn void hook_exec(const char *path, char *const *argv, char *const *env);

#endif
