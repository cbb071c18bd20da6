/* SPDX-License-Identifier: ISC */
/* carpctl failover unlock: a passphrase, from the terminal to the daemon. */
#include <sys/mman.h>
#include <sys/prctl.h>

#include <err.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl_ask.h"
#include "ctl_failover.h"

/* Whatever jansson makes of the passphrase does not stay behind. */
static void
wipe_and_free(void *p)
{
	if (p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static json_t *
make_params(const char *resource, const char *secret)
{
	json_t *params = json_pack("{s:s}", "passphrase", secret);

	if (params == NULL) {
		warnx("the passphrase must be text in UTF-8; nothing was done");
		return NULL;
	}
	if (resource != NULL && json_object_set_new(params, "resource",
				    json_string(resource)) != 0) {
		warnx("the name of the resource is not UTF-8");
		json_decref(params);
		return NULL;
	}
	return params;
}

enum ctl_exit
failover_unlock(const struct ctl *c)
{
	const char *resource = c->nargs > 2 ? c->args[2] : NULL;
	char secret[SECRET_MAX + 1], prompt[128];
	json_t *params, *result = NULL;
	enum ctl_exit rc;

	(void)prctl(PR_SET_DUMPABLE, 0);
	/* Whether that is allowed or not: it lives for a moment only. */
	(void)mlockall(MCL_CURRENT);
	json_set_alloc_funcs(malloc, wipe_and_free);
	(void)snprintf(prompt, sizeof(prompt),
	    "Passphrase%s%.64s: ", resource != NULL ? " of " : "",
	    resource != NULL ? resource : "");
	if ((rc = ask_secret(secret, prompt)) != CTL_OK)
		return rc;
	params = make_params(resource, secret);
	explicit_bzero(secret, sizeof(secret));
	if (params == NULL)
		return CTL_USAGE;
	rc = rpc_once(c, "failover.unlock", params, &result);
	if (rc == CTL_OK && c->json)
		term_json(result);
	else if (rc == CTL_OK)
		(void)puts("the passphrase was handed over");
	json_decref(result);
	return rc;
}
