/* SPDX-License-Identifier: ISC */
/* A client of carpd's control socket: JSON-RPC 2.0, one object a line. */
#ifndef CARPD_CTL_RPC_H
#define CARPD_CTL_RPC_H

#include "ctl.h"

#define RPC_TIMEOUT	 10 /* seconds for an answer */
#define RPC_TIMEOUT_LONG 60 /* to a reload, ...: it ends when done */

struct rpc;

/* All of them say on standard error what went wrong. */
enum ctl_exit rpc_open(struct rpc **ret, const char *path);
void rpc_close(struct rpc *);

/*
 * Sends a request and waits for its result.  params is taken over, also on
 * failure; NULL is the empty object.
 */
enum ctl_exit rpc_call(
    struct rpc *, const char *method, json_t *params, json_t **ret);

/*
 * The parameters of the next event, however long it takes.  *ret is NULL when
 * nobody reads standard output any more.
 */
enum ctl_exit rpc_event(struct rpc *, json_t **ret);

/* One call on a connection of its own. */
enum ctl_exit rpc_once(
    const struct ctl *, const char *method, json_t *params, json_t **ret);

/* Members of an answer.  What is missing is "" or 0. */
const char *rpc_text(const json_t *object, const char *member);
double rpc_real(const json_t *object, const char *member);
long long rpc_int(const json_t *object, const char *member);
bool rpc_true(const json_t *object, const char *member);

#endif
