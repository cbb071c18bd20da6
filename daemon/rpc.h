/* SPDX-License-Identifier: ISC */
/*
 * JSON-RPC 2.0: a line of text in, an answer out.  Methods are in tables, one
 * file for each namespace; what they take is checked before they are called.
 */
#ifndef CARPD_RPC_H
#define CARPD_RPC_H

#include <sys/types.h>

#include "instance.h"

#define RPC_LINE_MAX 65536 /* bytes of a request, without '\n' */
#define RPC_ARGS_MAX 4
#define RPC_TEXT_LEN 1024 /* longest message of an error */

enum rpc_code {
	RPC_PARSE = -32700,   /* not JSON */
	RPC_REQUEST = -32600, /* JSON, but no request */
	RPC_METHOD = -32601,  /* no such method */
	RPC_PARAMS = -32602,  /* wrong params: says which, and why */
	RPC_DENIED = -32001,  /* permission denied */
	RPC_FAILED = -32002,  /* did not work: says why */
	RPC_CLIENTS = -32003  /* too many clients */
};

/* Who asks, and what can be done for him later. */
struct rpc_peer {
	uid_t uid;
	pid_t pid;
	bool may_change;
	void *arg; /* of the functions */
	/* Wants events from now on.  0 or a negative errno. */
	int (*subscribe)(void *arg);
	/*
	 * Wants a reload, and its end as the answer to id (borrowed; NULL:
	 * none).  0 or a negative errno.
	 */
	int (*reload)(void *arg, json_t *id);
};

/* A member of params, as checked. */
struct rpc_arg {
	bool given;
	json_int_t i;  /* also a truth value */
	const char *s; /* borrowed */
	json_t *o;     /* borrowed; an object */
};

struct rpc_call {
	struct instance *instance;
	const struct rpc_peer *peer;
	uint64_t now;
	json_t *id;			  /* borrowed; NULL: a notification */
	struct rpc_arg arg[RPC_ARGS_MAX]; /* in the order of the table */
	/* What comes of it, when the method returned NULL: */
	bool later;	    /* the answer comes later */
	enum rpc_code code; /* or an error */
	char text[RPC_TEXT_LEN];
};

enum rpc_type { RPC_INT, RPC_TEXT, RPC_BOOL, RPC_OBJECT };

struct rpc_param {
	const char *name; /* NULL ends the list */
	enum rpc_type type;
	bool required;
	json_int_t min, max; /* INT: value; TEXT: bytes */
};

struct rpc_method {
	const char *name;		/* NULL ends the table */
	bool change;			/* needs may_change, and is logged */
	const char *text;		/* what it does, for people */
	const struct rpc_param *params; /* NULL: none */
	json_t *(*call)(struct rpc_call *);
	bool secret; /* its params are not for the log */
};

extern const struct rpc_method rpc_carp_methods[];     /* rpc_carp.c */
extern const struct rpc_method rpc_failover_methods[]; /* rpc_failover.c */

/* For methods: fails the call and returns NULL. */
json_t *rpc_fail(struct rpc_call *, enum rpc_code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Does what a line says.  Returns the answer, or NULL: there is none, or it
 * comes later.
 */
json_t *rpc_handle_line(struct instance *, const struct rpc_peer *,
    const char *line, size_t len, uint64_t now);

/* Answers.  The result is stolen; id is borrowed and may be NULL: null. */
json_t *rpc_result(json_t *id, json_t *result);
json_t *rpc_error(json_t *id, enum rpc_code, const char *text);

#endif
