/* SPDX-License-Identifier: ISC */
/*
 * One word -> a number, a time, a switch or a text.  Each function says what
 * is wrong, and then returns the default.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <confuse.h>

#include "conf_draft.h"

#define SAY(e, w, result, ...) conf_say((e), (result), (w)->at, __VA_ARGS__)

long
conf_number(const struct conf_word *w, const char *name, long min, long max,
    long def, struct conf_errors *e)
{
	size_t n;
	long v;

	if (w->text == NULL)
		return def;
	n = strspn(w->text, "0123456789");
	if (n == 0 || w->text[n] != '\0') {
		if (w->text[0] == '-' && w->text[1] != '\0' &&
		    strspn(w->text + 1, "0123456789") == strlen(w->text + 1))
			SAY(e, w, CONF_SENSE,
			    "%s %.64s is out of range; %ld "
			    "to %ld are possible",
			    name, w->text, min, max);
		else
			SAY(e, w, CONF_SYNTAX,
			    "%s `%.64s' is not a whole "
			    "decimal number; write %ld to %ld",
			    name, w->text, min, max);
		return def;
	}
	if (n > 1 && w->text[0] == '0') {
		SAY(e, w, CONF_SYNTAX,
		    "%s %.64s begins with 0, which "
		    "elsewhere means octal; write it without",
		    name, w->text);
		return def;
	}
	v = n > 9 ? max + 1 : strtol(w->text, NULL, 10);
	if (v < min || v > max) {
		SAY(e, w, CONF_SENSE,
		    "%s %.64s is out of range; %ld to %ld are possible", name,
		    w->text, min, max);
		return def;
	}
	return v;
}

/* Digits, and at most three behind a dot; -1: it is not of that form. */
static long
milliseconds(const char *text)
{
	static const long unit[] = { 0, 100, 10, 1 };
	size_t whole = strspn(text, "0123456789"), part = 0, i;
	long ms;

	if (text[whole] == '.')
		part = strspn(text + whole + 1, "0123456789");
	if (whole == 0 || part > 3 ||
	    text[whole + (part > 0 ? part + 1 : 0)] != '\0')
		return -1;
	ms = whole > 5 ? LONG_MAX / 2 : strtol(text, NULL, 10) * 1000;
	for (i = 1; i <= part; i++)
		ms += (text[whole + i] - '0') * unit[i];
	return ms;
}

uint32_t
conf_seconds(const struct conf_word *w, const char *name, uint32_t min,
    uint32_t max, uint32_t def, struct conf_errors *e)
{
	long ms;

	if (w->text == NULL)
		return def;
	ms = milliseconds(w->text);
	if (ms >= (long)min && ms <= (long)max)
		return (uint32_t)ms;
	if (ms == -1)
		SAY(e, w, CONF_SYNTAX,
		    "%s `%.64s' is not a number of seconds; write it as 5 or "
		    "0.5, with at most three digits behind the dot",
		    name, w->text);
	else
		SAY(e, w, CONF_SENSE,
		    "%s %.64s is out of range; %g to %g seconds are possible",
		    name, w->text, min / 1e3, max / 1e3);
	return def;
}

bool
conf_boolean(const struct conf_word *w, const char *name, bool def,
    struct conf_errors *e)
{
	int b;

	if (w->text == NULL)
		return def;
	if ((b = cfg_parse_boolean(w->text)) != -1)
		return b == 1;
	SAY(e, w, CONF_SYNTAX,
	    "%s `%.64s' is neither true nor false; write "
	    "one of them",
	    name, w->text);
	return def;
}

void
conf_string(char *ret, size_t size, const struct conf_word *w, const char *name,
    const char *def, struct conf_errors *e)
{
	const char *text = w->text != NULL ? w->text : def;
	size_t n = strlen(text);

	if (n >= size) {
		SAY(e, w, CONF_SENSE, "%s is longer than %zu bytes; shorten it",
		    name, size - 1);
		return;
	}
	memcpy(ret, text, n + 1);
}

/* Names of nodes, users, groups: what can go into logs and environments. */
void
conf_name(char *ret, size_t size, const struct conf_word *w, const char *name,
    const char *def, struct conf_errors *e)
{
	static const char valid[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	const char *text = w->text != NULL ? w->text : def;

	if (text[0] == '\0')
		SAY(e, w, CONF_SENSE, "%s is empty; write one", name);
	else if (text[strspn(text, valid)] != '\0' || text[0] == '-')
		SAY(e, w, CONF_SENSE,
		    "%s `%.64s' has a character that cannot "
		    "be in it; use letters, digits, `.', `_' and `-'",
		    name, text);
	else
		conf_string(ret, size, w, name, def, e);
}

/* Names that the kernel takes, and that mean what they say. */
bool
conf_ifname(const char *name, conf_place at, struct conf_errors *e)
{
	const char *what = NULL;

	if (name[0] == '\0')
		what = "is empty";
	else if (strlen(name) >= VIP_IFNAMSIZ)
		what = "has more than 15 bytes";
	else if (strpbrk(name, "/: \t") != NULL || strcmp(name, ".") == 0 ||
		 strcmp(name, "..") == 0)
		what = "is not a name that Linux takes";
	if (what == NULL)
		return true;
	conf_say(e, CONF_SENSE, at,
	    "interface name `%.64s' %s; `ip "
	    "link' shows those that exist",
	    name, what);
	return false;
}
