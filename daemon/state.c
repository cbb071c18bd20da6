/* SPDX-License-Identifier: ISC */
/* What survives a restart: STATEDIR/state.json. */
#include <jansson.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kept.h"
#include "state.h"

#define VERSION	   1
#define SIZE_LIMIT 65536 /* of the file; ours have some 50 bytes */

static int
parse(struct state *ret, const char *text, size_t len, char *why, size_t size)
{
	json_error_t error;
	json_t *root;
	int version, on, rc = 0;

	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (root == NULL) {
		(void)snprintf(
		    why, size, "line %d: %s", error.line, error.text);
		return -EBADMSG;
	}
	if (json_unpack_ex(root, &error, 0, "{s:i}", "version", &version) !=
	    0) {
		(void)snprintf(why, size, "%s", error.text);
		rc = -EBADMSG;
	} else if (version != VERSION) {
		(void)snprintf(why, size,
		    "version %d, but this program knows version %d", version,
		    VERSION);
		rc = -EPROTONOSUPPORT;
	} else if (json_unpack_ex(root, &error, JSON_STRICT, "{s:i, s:b}",
		       "version", &version, "maintenance", &on) != 0) {
		(void)snprintf(why, size, "%s", error.text);
		rc = -EBADMSG;
	} else {
		ret->maintenance = on != 0;
	}
	json_decref(root);
	return rc;
}

int
state_load(struct state *ret, const char *dir, char *why, size_t len)
{
	char *text = NULL;
	size_t n = 0;
	int rc;

	memset(ret, 0, sizeof(*ret));
	rc = kept_read(&text, &n, dir, STATE_FILE, SIZE_LIMIT);
	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		(void)snprintf(why, len, "%s", strerror(-rc));
	else
		rc = parse(ret, text, n, why, len);
	free(text);
	if (rc == -EBADMSG || rc == -EPROTONOSUPPORT || rc == -EFBIG)
		kept_aside(dir, STATE_FILE, why, len);
	return rc;
}

size_t
state_text(char *ret, size_t size, const struct state *s)
{
	return (size_t)snprintf(ret, size,
	    "{\"version\": %d, \"maintenance\": %s}\n", VERSION,
	    s->maintenance ? "true" : "false");
}
