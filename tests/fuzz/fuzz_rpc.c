/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as lines to the control protocol: no crash, every answer is one
 * JSON-RPC answer, and who may not change anything changes nothing.
 *
 * The first byte says whether the client may change something, and whether
 * the instance is one of failover mode.  Both are real, with hosts on
 * interfaces that do not exist, in a namespace of their own; resources answer
 * at once.
 */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/log.h"
#include "../../daemon/rpc.h"
#include "../unit/block.h"

int LLVMFuzzerInitialize(int *, char ***);
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct instance *plain, *failing;

/* Lines are made but not written: there would be millions. */
void
log_line(int priority, const char *fmt, ...)
{
	char line[4096];
	va_list ap;

	(void)priority;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
}

static int
subscribe(void *arg)
{
	(void)arg;
	return 0;
}

static int
reload(void *arg, json_t *id)
{
	(void)arg;
	return id == NULL ? -EBUSY : 0;
}

static void
check(bool good, const char *what, json_t *answer)
{
	if (good)
		return;
	(void)fprintf(stderr, "%s: ", what);
	(void)json_dumpf(answer, stderr, 0);
	abort();
}

static void
check_answer(json_t *answer)
{
	json_t *error = json_object_get(answer, "error");
	char *text;

	check(json_object_size(answer) == 3, "three members", answer);
	check(json_object_get(answer, "id") != NULL, "an id", answer);
	check((error != NULL) != (json_object_get(answer, "result") != NULL),
	    "result or error", answer);
	if (error != NULL) {
		check(json_integer_value(json_object_get(error, "code")) < 0,
		    "a code", answer);
		check(json_string_length(json_object_get(error, "message")) > 0,
		    "a message", answer);
	}
	text = json_dumps(answer, JSON_COMPACT | JSON_ENCODE_ANY);
	check(text != NULL && strchr(text, '\n') == NULL, "one line", answer);
	free(text);
}

static struct resource_order order;
static bool ordered;

static void
do_order(void *arg, const struct resource_order *o)
{
	(void)arg;
	order = *o;
	ordered = true;
}

static void
do_hard(void *arg, const char *reason)
{
	(void)arg, (void)reason;
}

static void
do_remember(void *arg, const char *text, size_t len)
{
	(void)arg;
	if (memchr(text, '\0', len) != NULL)
		abort();
}

static int
do_secret(void *arg, const char *resource, const void *p, size_t len)
{
	(void)arg, (void)resource, (void)p;
	return len > 4096 ? -EMSGSIZE : 0;
}

static void
do_ended(void *arg)
{
	(void)arg;
}

static void
answer_orders(struct instance *in)
{
	for (int i = 0; ordered && i < 20; i++) {
		struct resource_done d = {
			.order = order.id, .ok = 1, .fenced = 1
		};

		ordered = false;
		failover_done(instance_failover(in), &d, carp_now());
	}
}

/* After a last resort a node does nothing any more: then a new one. */
static void
make_failing(void)
{
	static const struct instance_ops ops = { .order = do_order,
		.hard = do_hard,
		.remember = do_remember,
		.secret = do_secret,
		.ended = do_ended };
	static const struct block_host hosts[] = { { "none0", 1, 0 },
		{ "none1", 7, 0 } };
	struct conf *conf = block_new(hosts, 2);
	char why[256] = "";

	instance_free(failing);
	failing = NULL;
	ordered = false;
	conf->failover.on = 1;
	if (instance_new(&failing, &ops, NULL, false, NULL) < 0 ||
	    instance_apply(failing, conf, carp_now(), why, sizeof(why)) < 0) {
		(void)fprintf(stderr, "no failover mode: %s\n", why);
		abort();
	}
	free(conf);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct instance_ops ops = { .notify = NULL };
	static const struct block_host hosts[] = { { "none0", 1, 0 },
		{ "none0", 7, 100 }, { "none1", 7, 0 } };
	struct conf *conf = block_new(hosts, 3);
	char why[256] = "";
	int rc;

	(void)argc;
	(void)argv;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 &&
	    unshare(CLONE_NEWNET) < 0) {
		printf("no network namespace can be made here: %s\n",
		    strerror(errno));
		exit(77);
	}
	make_failing();
	if ((rc = instance_new(&plain, &ops, NULL, false, NULL)) < 0 ||
	    (rc = instance_apply(plain, conf, carp_now(), why, sizeof(why))) <
		0) {
		(void)fprintf(
		    stderr, "no instance: %s %s\n", strerror(-rc), why);
		abort();
	}
	free(conf);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpc_peer peer = { 1000, 1, false, NULL, subscribe, reload };
	struct carp_engine *e;
	struct instance *in;
	json_t *answer;
	int demotion;
	char *line;

	if (size == 0 || size > RPC_LINE_MAX)
		return -1;
	peer.may_change = data[0] & 1;
	in = (data[0] & 2) != 0 ? failing : plain;
	if (in == failing && instance_failover(in)->role.at == AT_GONE) {
		make_failing();
		in = failing;
	}
	e = instance_engine(in);
	demotion = carp_demotion_sum(carp_engine_demotion(e));
	/* On the heap and not terminated, so that reading past it is seen. */
	if ((line = malloc(size)) == NULL)
		abort();
	memcpy(line, data + 1, size - 1);
	answer = rpc_handle_line(in, &peer, line, size - 1, carp_now());
	free(line);
	if (answer != NULL)
		check_answer(answer);
	if (!peer.may_change)
		check(carp_demotion_sum(carp_engine_demotion(e)) == demotion,
		    "nothing changed", answer);
	json_decref(answer);
	answer_orders(failing);
	return 0;
}
