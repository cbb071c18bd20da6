/* SPDX-License-Identifier: ISC */
/* carpctl: the command line, and which command it means. */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"

/* Codes of options that have no short form. */
enum { OPT_FOR = 256, OPT_JSON, OPT_KEYHEX, OPT_LIVE, OPT_LLADDR, OPT_YES };

static const struct option long_options[] = {
	{ "socket", required_argument, NULL, 's' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ "follow", no_argument, NULL, 'f' },
	{ "count", required_argument, NULL, 'c' },
	{ "for", required_argument, NULL, OPT_FOR },
	{ "interface", required_argument, NULL, 'i' },
	{ "read", required_argument, NULL, 'r' },
	{ "key", required_argument, NULL, 'k' },
	{ "key-hex", required_argument, NULL, OPT_KEYHEX },
	{ "address", required_argument, NULL, 'a' },
	{ "lladdr", required_argument, NULL, OPT_LLADDR },
	{ "vhid", required_argument, NULL, 'v' },
	{ "live", no_argument, NULL, OPT_LIVE },
	{ "yes", no_argument, NULL, OPT_YES },
	{ NULL, 0, NULL, 0 },
};

/* `+': we look at what is no option ourselves; `:': we say what is wrong. */
static const char short_options[] = "+:s:hVfc:i:r:k:a:v:";

static const struct command {
	const char *name, *args, *text;
	const int *options; /* beside the common ones; ends with 0 */
	unsigned min, max;  /* arguments */
	enum ctl_exit (*run)(const struct ctl *);
} commands[] = {
	{ "status", "", "the virtual hosts of this node, and what is wrong",
	    NULL, 0, 0, ctl_status },
	{ "show", "VHID [IFACE]", "all about one of them, and why it is so",
	    NULL, 1, 2, ctl_show },
	{ "events", "[-f] [-c COUNT]", "states now, or what happens from now",
	    (const int[]){ 'f', 'c', 0 }, 0, 0, ctl_events },
	{ "demote", "CAUSE AMOUNT [--for TIME]",
	    "make this node less fit; 0 ends it", (const int[]){ OPT_FOR, 0 },
	    2, 2, ctl_demote },
	{ "maintenance", "on|off", "hand everything over, until off", NULL, 1,
	    1, ctl_maintenance },
	{ "master", "VHID [IFACE]", "become master now", NULL, 1, 2,
	    ctl_force },
	{ "backup", "VHID [IFACE]", "hand over now", NULL, 1, 2, ctl_force },
	{ "failover", "COMMAND [KEY=VALUE ...]",
	    "the node as a whole, with its storage: \"failover help\"",
	    (const int[]){ OPT_YES, 'c', 0 }, 0, UINT_MAX, ctl_failover },
	{ "reload", "[--live]",
	    "apply the configuration file, all of it or nothing",
	    (const int[]){ OPT_LIVE, 0 }, 0, 0, ctl_reload },
	{ "version", "", "of carpctl and carpd", NULL, 0, 0, ctl_version },
	{ "call", "METHOD [JSON|-]", "any method of the control socket", NULL,
	    1, 2, ctl_call },
	{ "dump", "-i IFACE|-r FILE [...]",
	    "decode CARP packets, live or from a capture file",
	    (const int[]){
		'i', 'r', 'k', 'a', 'c', 'v', OPT_KEYHEX, OPT_LLADDR, 0 },
	    0, 0, ctl_dump },
};

#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
usage(FILE *to)
{
	(void)fputs("usage: carpctl [-s SOCKET] [--json] COMMAND ...\n\n", to);
	for (size_t i = 0; i < NCOMMANDS; i++) {
		char words[64];

		(void)snprintf(words, sizeof(words), "%s %s", commands[i].name,
		    commands[i].args);
		(void)fprintf(to, "  %-34s %s\n", words, commands[i].text);
	}
	(void)fputs("\n"
		    "dump also takes: -k KEYFILE or --key-hex HEX, with -a "
		    "ADDR[,ADDR...] (check\nthe digest); -v VHID; -c COUNT; "
		    "--lladdr MAC.\n"
		    "The default SOCKET is " CTL_SOCKET ".  See carpctl(8).\n",
	    to);
}

static enum ctl_exit
say_usage(const struct command *cmd)
{
	(void)fprintf(stderr, "usage: carpctl %s%s%s\n", cmd->name,
	    *cmd->args ? " " : "", cmd->args);
	return CTL_USAGE;
}

bool
ctl_number(long *ret, const char *text, long min, long max)
{
	char *end;
	long n;

	if (*text != '-' && (*text < '0' || *text > '9'))
		return false;
	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n < min || n > max)
		return false;
	*ret = n;
	return true;
}

enum ctl_exit
ctl_host_params(const struct ctl *c, json_t **ret)
{
	long vhid;
	json_t *o;

	if (!ctl_number(&vhid, c->args[1], 1, 255)) {
		warnx(
		    "a VHID is a number from 1 to 255, not \"%s\"", c->args[1]);
		return CTL_USAGE;
	}
	o = json_pack("{s:I}", "vhid", (json_int_t)vhid);
	if (c->nargs > 2 &&
	    json_object_set_new(o, "interface", json_string(c->args[2])) != 0) {
		json_decref(o);
		warnx("the name of the interface is not UTF-8");
		return CTL_USAGE;
	}
	*ret = o;
	return CTL_OK;
}

/*
 * How many letters must be added, dropped, changed or swapped to make one
 * word of the other.  For words of commands: longer ones are far.
 */
unsigned
ctl_distance(const char *a, const char *b)
{
	enum { MAX = 24 };
	unsigned d[MAX + 1][MAX + 1], la = (unsigned)strlen(a),
				      lb = (unsigned)strlen(b);

	if (la > MAX || lb > MAX)
		return MAX;
	for (unsigned i = 0; i <= la; i++) {
		for (unsigned j = 0; j <= lb; j++) {
			unsigned best, same;

			if (i == 0 || j == 0) {
				d[i][j] = i + j;
				continue;
			}
			same = a[i - 1] == b[j - 1] ? 0 : 1;
			best = d[i - 1][j - 1] + same;
			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	}
	return d[la][lb];
}

static const struct command *
find_command(const char *name)
{
	const struct command *near = NULL;
	unsigned best = 3, n;

	for (size_t i = 0; i < NCOMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
		n = ctl_distance(commands[i].name, name);
		if (n < best) {
			best = n;
			near = &commands[i];
		}
	}
	if (near != NULL)
		warnx("unknown command \"%s\"; did you mean \"%s\"?", name,
		    near->name);
	else
		warnx("unknown command \"%s\"; \"carpctl help\" lists them",
		    name);
	return NULL;
}

static const char *
option_name(int code)
{
	const struct option *o = long_options;

	while (o->name != NULL && o->val != code)
		o++;
	return o->name;
}

static enum ctl_exit
set_option(struct ctl *c, int code, const char *arg)
{
	long n;

	switch (code) {
	case 's':
		c->socket = arg;
		break;
	case OPT_JSON:
		c->json = true;
		break;
	case OPT_LIVE:
		c->live = true;
		break;
	case OPT_YES:
		c->yes = true;
		break;
	case 'f':
		c->follow = true;
		break;
	case 'c':
		if (!ctl_number(&n, arg, 1, 1000000000)) {
			warnx("COUNT must be a number from 1 to 1000000000, "
			      "not \"%s\"",
			    arg);
			return CTL_USAGE;
		}
		c->count = (unsigned long)n;
		break;
	case OPT_FOR:
		c->duration = arg;
		break;
	case 'i':
		c->ifname = arg;
		break;
	case 'r':
		c->file = arg;
		break;
	case 'k':
		c->keyfile = arg;
		break;
	case OPT_KEYHEX:
		c->keyhex = arg;
		break;
	case 'a':
		c->addrs[c->naddrs++] = arg;
		break;
	case OPT_LLADDR:
		c->lladdr = arg;
		break;
	case 'v':
		c->vhid = arg;
		break;
	}
	return CTL_OK;
}

static enum ctl_exit
bad_option(int code, char **argv)
{
	if (code == ':')
		warnx("%s wants a value", argv[optind - 1]);
	else if (optopt > 0 && optopt < 256)
		warnx(
		    "unknown option -%c; \"carpctl help\" lists them", optopt);
	else
		warnx("unknown option %s; \"carpctl help\" lists them",
		    argv[optind - 1]);
	return CTL_USAGE;
}

static bool
is_negative(const char *s)
{
	return s[0] == '-' && s[1] >= '0' && s[1] <= '9';
}

/*
 * Options may stand anywhere; a negative number is none.  used has room for
 * each: what was given, to be held against what the command takes.
 */
static enum ctl_exit
parse(struct ctl *c, int argc, char **argv, int *used)
{
	bool rest = false; /* after "--" */
	enum ctl_exit rc;
	int code;

	opterr = 0;
	while (optind < argc) {
		code = -1;
		if (!rest && !is_negative(argv[optind]))
			code = getopt_long(
			    argc, argv, short_options, long_options, NULL);
		if (code == ':' || code == '?')
			return bad_option(code, argv);
		if (code != -1) {
			if ((rc = set_option(c, code, optarg)) != CTL_OK)
				return rc;
			*used++ = code;
			continue;
		}
		if (!rest && strcmp(argv[optind - 1], "--") == 0)
			rest = true;
		else if (optind < argc)
			c->args[c->nargs++] = argv[optind++];
	}
	*used = 0;
	return CTL_OK;
}

static bool
has(const int *list, int code)
{
	for (; list != NULL && *list != 0; list++) {
		if (*list == code)
			return true;
	}
	return false;
}

static enum ctl_exit
run(const struct ctl *c, const int *used)
{
	static const int common[] = { 's', OPT_JSON, 0 };
	const struct command *cmd = find_command(c->args[0]);

	if (cmd == NULL)
		return CTL_USAGE;
	for (; *used != 0; used++) {
		if (has(common, *used) || has(cmd->options, *used))
			continue;
		warnx("%s does not take --%s", cmd->name, option_name(*used));
		return say_usage(cmd);
	}
	if (c->nargs - 1 < cmd->min) {
		warnx("%s wants more", cmd->name);
		return say_usage(cmd);
	}
	if (c->nargs - 1 > cmd->max) {
		warnx(
		    "%s: \"%s\" is too much", cmd->name, c->args[cmd->max + 1]);
		return say_usage(cmd);
	}
	return cmd->run(c);
}

/* A reader that has gone away is no failure, a full disk is. */
static enum ctl_exit
flush(enum ctl_exit rc)
{
	struct pollfd p = { .fd = STDOUT_FILENO };
	bool failed = ferror(stdout) != 0;
	const char *reason = "";

	if (fflush(stdout) == EOF) {
		failed = true;
		reason = strerror(errno);
	}
	if (!failed || (poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0))
		return rc;
	warnx("cannot write the output%s%s", *reason ? ": " : "", reason);
	return CTL_FAILED;
}

int
main(int argc, char **argv)
{
	struct ctl c = { .socket = CTL_SOCKET };
	int *used = calloc((size_t)argc + 1, sizeof(*used));
	enum ctl_exit rc;

	c.args = calloc((size_t)argc + 1, sizeof(*c.args));
	c.addrs = calloc((size_t)argc + 1, sizeof(*c.addrs));
	if (used == NULL || c.args == NULL || c.addrs == NULL)
		err(CTL_FAILED, "calloc");
	(void)signal(SIGPIPE, SIG_IGN);
	rc = parse(&c, argc, argv, used);
	if (rc != CTL_OK)
		;
	else if (has(used, 'V'))
		(void)puts("carpctl " CARP_VERSION);
	else if (has(used, 'h') ||
		 (c.nargs > 0 && strcmp(c.args[0], "help") == 0))
		usage(stdout);
	else if (c.nargs == 0) {
		usage(stderr);
		rc = CTL_USAGE;
	} else
		rc = run(&c, used);
	rc = flush(rc);
	free(used);
	free(c.args);
	free(c.addrs);
	return (int)rc;
}
