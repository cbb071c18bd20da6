/* SPDX-License-Identifier: ISC */
/* JSON-RPC 2.0: a line of text in, an answer out. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "rpc.h"
#include "status_json.h"

#define LOG_PARAMS_MAX 200 /* bytes of params in a log line */

static json_t *list_methods(struct rpc_call *);

static const struct rpc_method rpc_methods[] = {
	{ "rpc.methods", false, "list the methods", NULL, list_methods, false },
	{ NULL, false, NULL, NULL, NULL, false }
};

static const struct rpc_method *const tables[] = { rpc_carp_methods,
	rpc_failover_methods, rpc_methods };

#define NTABLES (sizeof(tables) / sizeof(tables[0]))

/*
 * Answers.
 */

json_t *
rpc_result(json_t *id, json_t *result)
{
	json_t *o = json_object();

	status_put(o, "jsonrpc", json_string_nocheck("2.0"));
	status_put(o, "id", id != NULL ? json_incref(id) : json_null());
	status_put(o, "result", result);
	return o;
}

json_t *
rpc_error(json_t *id, enum rpc_code code, const char *text)
{
	json_t *o = json_object(), *e = json_object();

	status_put(e, "code", json_integer(code));
	status_put_text(e, "message", text);
	status_put(o, "jsonrpc", json_string_nocheck("2.0"));
	status_put(o, "id", id != NULL ? json_incref(id) : json_null());
	status_put(o, "error", e);
	return o;
}

json_t *
rpc_fail(struct rpc_call *call, enum rpc_code code, const char *fmt, ...)
{
	va_list ap;

	call->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(call->text, sizeof(call->text), fmt, ap);
	va_end(ap);
	return NULL;
}

/* Text that grows in the message of a call. */
static void __attribute__((format(printf, 2, 3)))
add_text(struct rpc_call *call, const char *fmt, ...)
{
	size_t n = strlen(call->text);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(call->text + n, sizeof(call->text) - n, fmt, ap);
	va_end(ap);
}

/*
 * Methods.
 */

static const struct rpc_method *
next_method(const struct rpc_method *m, size_t *table)
{
	if (m != NULL && m[1].name != NULL)
		return m + 1;
	if (m != NULL)
		++*table;
	return *table < NTABLES ? tables[*table] : NULL;
}

static json_t *
list_methods(struct rpc_call *call)
{
	const struct rpc_method *m = NULL;
	json_t *list = json_array(), *o;
	size_t table = 0;

	(void)call;
	while ((m = next_method(m, &table)) != NULL) {
		o = json_object();
		status_put_text(o, "name", m->name);
		status_put(o, "change", json_boolean(m->change));
		status_put_text(o, "text", m->text);
		(void)json_array_append_new(list, o);
	}
	return list;
}

static const struct rpc_method *
find_method(const char *name)
{
	const struct rpc_method *m = NULL;
	size_t table = 0;

	while ((m = next_method(m, &table)) != NULL)
		if (strcmp(m->name, name) == 0)
			break;
	return m;
}

#define NAME_MAX_LEN 32 /* beyond, names are like no other */

static unsigned
min3(unsigned a, unsigned b, unsigned c)
{
	if (b < a)
		a = b;
	return c < a ? c : a;
}

/* How many letters must be put in, taken out or replaced. */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[NAME_MAX_LEN + 1], above, left;
	size_t n = strlen(b);

	if (strlen(a) > NAME_MAX_LEN || n > NAME_MAX_LEN)
		return NAME_MAX_LEN;
	for (size_t j = 0; j <= n; j++)
		row[j] = (unsigned)j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		left = row[0]++;
		for (size_t j = 0; j < n; j++) {
			above = row[j + 1];
			row[j + 1] =
			    min3(above + 1, row[j] + 1, left + (a[i] != b[j]));
			left = above;
		}
	}
	return row[n];
}

/* Near: a few letters differ, or only what stands before the dot. */
static bool
is_near(const char *asked, const char *name)
{
	const char *word = strchr(name, '.') + 1;
	const char *dot = strrchr(asked, '.');

	return distance(asked, name) <= 3 ||
	       distance(dot != NULL ? dot + 1 : asked, word) <= 1;
}

static void
fail_method(struct rpc_call *call, const char *asked)
{
	const struct rpc_method *m = NULL;
	size_t table = 0;
	unsigned n = 0;

	(void)rpc_fail(call, RPC_METHOD, "no method \"%.64s\"", asked);
	while ((m = next_method(m, &table)) != NULL)
		if (is_near(asked, m->name))
			add_text(call, "%s%s", n++ == 0 ? "; there is " : ", ",
			    m->name);
	if (n == 0)
		add_text(call, "; rpc.methods lists them");
}

/*
 * Params.
 */

static void
say_allowed(struct rpc_call *call, const struct rpc_param *p)
{
	switch (p->type) {
	case RPC_INT:
		add_text(call, "an integer from %lld to %lld",
		    (long long)p->min, (long long)p->max);
		break;
	case RPC_TEXT:
		add_text(call, "a string of %lld to %lld bytes",
		    (long long)p->min, (long long)p->max);
		break;
	case RPC_BOOL:
		add_text(call, "true or false");
		break;
	case RPC_OBJECT:
		add_text(call, "an object");
		break;
	}
}

static bool
take_param(struct rpc_arg *ret, const struct rpc_param *p, const json_t *v)
{
	json_int_t n;

	ret->given = true;
	switch (p->type) {
	case RPC_INT:
		n = ret->i = json_integer_value(v);
		return json_is_integer(v) && n >= p->min && n <= p->max;
	case RPC_TEXT:
		ret->s = json_string_value(v);
		n = (json_int_t)json_string_length(v);
		return ret->s != NULL && n >= p->min && n <= p->max;
	case RPC_BOOL:
		ret->i = json_is_true(v);
		return json_is_boolean(v);
	case RPC_OBJECT:
		ret->o = (json_t *)(uintptr_t)v;
		return json_is_object(v);
	}
	return false;
}

static bool
fail_unknown(struct rpc_call *call, const struct rpc_method *m, const char *key)
{
	const struct rpc_param *p = m->params;

	(void)rpc_fail(call, RPC_PARAMS,
	    "%s: params: unknown member "
	    "\"%.64s\"; ",
	    m->name, key);
	if (p == NULL)
		add_text(call, "it takes none");
	for (unsigned i = 0; p != NULL && p[i].name != NULL; i++)
		add_text(call, "%s%s", i == 0 ? "it takes " : ", ", p[i].name);
	return false;
}

static const struct rpc_param *
find_param(const struct rpc_method *m, const char *key)
{
	const struct rpc_param *p;

	for (p = m->params; p != NULL && p->name != NULL; p++)
		if (strcmp(p->name, key) == 0)
			return p;
	return NULL;
}

static bool
check_params(struct rpc_call *call, const struct rpc_method *m, json_t *params)
{
	const struct rpc_param *p;
	const char *key;
	json_t *v;

	if (params != NULL && !json_is_object(params)) {
		(void)rpc_fail(
		    call, RPC_PARAMS, "%s: params must be an object", m->name);
		return false;
	}
	json_object_foreach(params, key, v)
	{
		if ((p = find_param(m, key)) == NULL)
			return fail_unknown(call, m, key);
		if (!take_param(&call->arg[p - m->params], p, v)) {
			(void)rpc_fail(call, RPC_PARAMS,
			    "%s: params.%s must "
			    "be ",
			    m->name, p->name);
			say_allowed(call, p);
			return false;
		}
	}
	for (p = m->params; p != NULL && p->name != NULL; p++) {
		if (!p->required || call->arg[p - m->params].given)
			continue;
		(void)rpc_fail(call, RPC_PARAMS,
		    "%s: params.%s is missing: ", m->name, p->name);
		say_allowed(call, p);
		return false;
	}
	return true;
}

/*
 * Calls.
 */

/* Whoever changes something is named in the log, also if it fails. */
static void
log_change(
    const struct rpc_call *call, const struct rpc_method *m, json_t *params)
{
	char *text = params != NULL && !m->secret
			 ? json_dumps(params, JSON_COMPACT | JSON_ENSURE_ASCII)
			 : NULL;

	log_line(LOG_NOTICE, "control: %s %.*s by uid %u, pid %d%s%s", m->name,
	    LOG_PARAMS_MAX, text != NULL ? text : "{}",
	    (unsigned)call->peer->uid, (int)call->peer->pid,
	    call->code != 0 ? ": " : "", call->code != 0 ? call->text : "");
	free(text);
}

static json_t *
call_method(struct rpc_call *call, const char *name, json_t *params)
{
	const struct rpc_method *m = find_method(name);
	json_t *result;

	if (m == NULL) {
		fail_method(call, name);
		return NULL;
	}
	if (m->change && !call->peer->may_change)
		return rpc_fail(call, RPC_DENIED,
		    "%s: permission denied: "
		    "only root may; this is uid %u",
		    m->name, (unsigned)call->peer->uid);
	if (!check_params(call, m, params))
		return NULL;
	result = m->call(call);
	if (m->change) {
		log_change(call, m, params);
		/* What it caused is told now, not with the next packet. */
		instance_process(call->instance, carp_now());
	}
	if (result == NULL && call->code == 0 && !call->later)
		(void)rpc_fail(call, RPC_FAILED, "%s: out of memory", m->name);
	return result;
}

/* What a request consists of; -1: the text says what is wrong. */
static int
check_request(struct rpc_call *call, json_t *request)
{
	const char *version, *key;
	json_t *v;

	if (json_is_array(request)) {
		(void)rpc_fail(call, RPC_REQUEST,
		    "batches are not supported: "
		    "write one request a line");
		return -1;
	}
	if (!json_is_object(request)) {
		(void)rpc_fail(call, RPC_REQUEST, "a request is an object");
		return -1;
	}
	v = json_object_get(request, "id");
	if (v != NULL && !json_is_string(v) && !json_is_number(v) &&
	    !json_is_null(v)) {
		(void)rpc_fail(
		    call, RPC_REQUEST, "id must be a string, a number or null");
		return -1;
	}
	call->id = v;
	version = json_string_value(json_object_get(request, "jsonrpc"));
	if (version == NULL || strcmp(version, "2.0") != 0) {
		(void)rpc_fail(call, RPC_REQUEST, "jsonrpc must be \"2.0\"");
		return -1;
	}
	if (!json_is_string(json_object_get(request, "method"))) {
		(void)rpc_fail(call, RPC_REQUEST, "method must be a string");
		return -1;
	}
	json_object_foreach(request, key, v)
	{
		if (strcmp(key, "id") == 0 || strcmp(key, "jsonrpc") == 0 ||
		    strcmp(key, "method") == 0 || strcmp(key, "params") == 0)
			continue;
		(void)rpc_fail(
		    call, RPC_REQUEST, "unknown member \"%.64s\"", key);
		return -1;
	}
	return 0;
}

json_t *
rpc_handle_line(struct instance *instance, const struct rpc_peer *peer,
    const char *line, size_t len, uint64_t now)
{
	struct rpc_call call;
	json_t *request, *result = NULL, *answer = NULL;
	json_error_t error;
	bool valid;

	memset(&call, 0, sizeof(call));
	call.instance = instance;
	call.peer = peer;
	call.now = now;
	request = json_loadb(
	    line, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (request == NULL) {
		(void)rpc_fail(&call, RPC_PARSE, "not JSON, at byte %d: %s",
		    error.position, error.text);
		return rpc_error(NULL, call.code, call.text);
	}
	valid = check_request(&call, request) == 0;
	if (valid)
		result = call_method(&call,
		    json_string_value(json_object_get(request, "method")),
		    json_object_get(request, "params"));
	/* A request without id wants no answer, one that is none gets it. */
	if (valid && call.id == NULL)
		json_decref(result);
	else if (result != NULL)
		answer = rpc_result(call.id, result);
	else if (!call.later)
		answer = rpc_error(call.id, call.code, call.text);
	json_decref(request);
	return answer;
}
