/* SPDX-License-Identifier: ISC */
/*
 * carpctl failover: what its files share.
 *
 *	ctl_failover.c		the commands, and those that need few words
 *	ctl_failover_args.c	key=value -> parameters of a method
 *	ctl_failover_show.c	configuration, reasons, history
 *	ctl_failover_watch.c	a transition as it happens
 *	ctl_failover_unlock.c	a passphrase, from the terminal to the daemon
 *	ctl_ask.c		questions to whom sits at the terminal
 */
#ifndef CARPD_CTL_FAILOVER_H
#define CARPD_CTL_FAILOVER_H

#include "ctl_rpc.h"
#include "ctl_term.h"

/* A parameter as it stands on the command line: name=value. */
struct failover_key {
	const char *name; /* "options.active": member of a member */
	enum { KEY_BOOL, KEY_NUMBER, KEY_ACTION } type;
	long min, max; /* of numbers */
};

/*
 * The arguments from args[2] on; keys end with a name of NULL.  A key may be
 * there once.  The first of type KEY_ACTION may be given without its name.
 */
enum ctl_exit failover_params(
    const struct ctl *, const struct failover_key *, json_t **ret);

/* The result of config and update, in a frame. */
void failover_print_config(const json_t *config);

enum ctl_exit failover_reasons(const struct ctl *);
enum ctl_exit failover_history(const struct ctl *);
enum ctl_exit failover_watch(const struct ctl *);
enum ctl_exit failover_unlock(const struct ctl *);

/* Roles have the colours of states. */
enum term_colour failover_colour(const char *role);

#endif
