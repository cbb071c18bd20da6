/* SPDX-License-Identifier: ISC */
/* carpctl failover: key=value -> parameters of a method. */
#include <err.h>
#include <string.h>
#include <strings.h>

#include "ctl_failover.h"

/* NULL: it is not of that type, which was said. */
static json_t *
parse_value(const struct failover_key *k, const char *text)
{
	long n;

	switch (k->type) {
	case KEY_BOOL:
		if (strcasecmp(text, "true") == 0)
			return json_true();
		if (strcasecmp(text, "false") == 0)
			return json_false();
		warnx("%s is true or false, not \"%s\"", k->name, text);
		return NULL;
	case KEY_NUMBER:
		if (ctl_number(&n, text, k->min, k->max))
			return json_integer(n);
		warnx("%s is a number from %ld to %ld, not \"%s\"", k->name,
		    k->min, k->max, text);
		return NULL;
	case KEY_ACTION:
		if (strcasecmp(text, "enable") == 0)
			return json_string("ENABLE");
		if (strcasecmp(text, "disable") == 0)
			return json_string("DISABLE");
		warnx("%s is ENABLE or DISABLE, not \"%s\"", k->name, text);
		return NULL;
	}
	return NULL;
}

static const struct failover_key *
find_key(const struct failover_key *keys, const char *arg, const char **value)
{
	const char *equal = strchr(arg, '=');
	size_t n = equal != NULL ? (size_t)(equal - arg) : 0;

	for (; keys->name != NULL; keys++) {
		if (equal == NULL && keys->type == KEY_ACTION) {
			*value = arg;
			return keys;
		}
		if (equal != NULL && strlen(keys->name) == n &&
		    memcmp(keys->name, arg, n) == 0) {
			*value = equal + 1;
			return keys;
		}
	}
	return NULL;
}

static enum ctl_exit
say_unknown(
    const char *command, const struct failover_key *keys, const char *arg)
{
	char list[256] = "";
	size_t n = 0;

	for (const struct failover_key *k = keys; k->name != NULL; k++)
		n += (size_t)snprintf(list + n, sizeof(list) - n,
		    "%s%s=", k == keys ? "" : ", ", k->name);
	warnx("failover %s does not take \"%s\"; it takes %s", command, arg,
	    keys->name != NULL ? list : "nothing");
	return CTL_USAGE;
}

/* False: it is there already. */
static bool
put(json_t *params, const char *name, json_t *value)
{
	const char *dot = strchr(name, '.');
	json_t *o = params;
	char first[32];

	if (dot != NULL) {
		(void)snprintf(
		    first, sizeof(first), "%.*s", (int)(dot - name), name);
		o = json_object_get(params, first);
		if (o == NULL) {
			o = json_object();
			(void)json_object_set_new(params, first, o);
		}
		name = dot + 1;
	}
	if (json_object_get(o, name) != NULL) {
		json_decref(value);
		return false;
	}
	(void)json_object_set_new(o, name, value);
	return true;
}

enum ctl_exit
failover_params(
    const struct ctl *c, const struct failover_key *keys, json_t **ret)
{
	json_t *params = json_object(), *value;
	enum ctl_exit rc = CTL_USAGE;
	const struct failover_key *k;
	const char *text = NULL;

	for (unsigned i = 2; i < c->nargs; i++) {
		k = find_key(keys, c->args[i], &text);
		if (k == NULL) {
			rc = say_unknown(c->args[1], keys, c->args[i]);
			goto fail;
		}
		if ((value = parse_value(k, text)) == NULL)
			goto fail;
		if (!put(params, k->name, value)) {
			warnx("%s is there twice; keep one", k->name);
			goto fail;
		}
	}
	*ret = params;
	return CTL_OK;
fail:
	json_decref(params);
	return rc;
}
