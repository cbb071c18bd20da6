/* SPDX-License-Identifier: ISC */
/* carpd(8): options, configuration, and over to the supervisor. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "log.h"
#include "privilege.h"
#include "supervisor.h"

#define CONF_FILE   "/etc/carpd/carpd.conf"
#define SOCKET_FILE "/run/carpd/carpd.sock"
#define STATE_DIR   "/var/lib/carpd"
#define LIST_MAX    1024	/* -a and -r, each */
#define LARGE	    (64 * 1024) /* bytes: mapped by itself */

static const char usage_text[] =
    "usage: carpd [-dn] [-f file] [-S statedir] [-s socket]\n"
    "       carpd -i interface -v vhid -P keyfile -a address/len [-a ...]\n"
    "             [-dFmnp] [-b advbase] [-k advskew] [-l address|guard|off]\n"
    "             [-r peer] [-S statedir] [-s socket] [-u user]\n"
    "       carpd -h | -V\n";

static const char help_text[] =
    "\n"
    "Shares virtual addresses between machines, by CARP.  See carpd(8).\n"
    "\n"
    "  -f file       configuration (" CONF_FILE ")\n"
    "  -n            check it, say what is wrong, and exit\n"
    "  -s socket     of carpctl (" SOCKET_FILE ")\n"
    "  -S statedir   what survives a restart (" STATE_DIR ")\n"
    "  -d            log more\n"
    "  -V            print the version\n"
    "\n"
    "One virtual host without a configuration file:\n"
    "  -i interface  where it is\n"
    "  -v vhid       its number, 1 to 255, the same on all machines\n"
    "  -P keyfile    file with the passphrase, the same on all machines\n"
    "  -a addr/len   a virtual address; may be repeated\n"
    "  -b advbase    seconds between advertisements (1)\n"
    "  -k advskew    0 to 254: the machine with less is preferred (0)\n"
    "  -p            take over from a machine with more\n"
    "  -m            use the virtual MAC address\n"
    "  -r peer       unicast to this address; may be repeated\n"
    "  -l lease      address, guard or off: ends what a dead carpd has left\n"
    "  -F            the address may be in no subnet of the interface\n"
    "  -u user       run the engine as this user (carpd)\n";

struct arguments {
	const char *file, *socket, *statedir;
	struct conf_args host; /* without a file */
	bool debug, check;
	int only_file, only_host; /* an option of that mode, or 0 */
};

static int __attribute__((format(printf, 1, 2))) wrong(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("carpd: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputs("\n", stderr);
	va_end(ap);
	fputs(usage_text, stderr);
	return CONF_USAGE;
}

static bool
add(const char **list, unsigned *n, const char *value)
{
	if (*n == LIST_MAX)
		return false;
	list[(*n)++] = value;
	return true;
}

/* An option of the mode without a file.  False: there is no such option. */
static bool
host_option(struct conf_args *h, int opt, const char *value, bool *full)
{
	switch (opt) {
	case 'a':
		*full = !add(h->addrs, &h->naddrs, value);
		break;
	case 'b':
		h->advbase = value;
		break;
	case 'F':
		h->allow_foreign_subnet = true;
		break;
	case 'i':
		h->ifname = value;
		break;
	case 'k':
		h->advskew = value;
		break;
	case 'l':
		h->lease = value;
		break;
	case 'm':
		h->vmac = true;
		break;
	case 'P':
		h->keyfile = value;
		break;
	case 'p':
		h->preempt = true;
		break;
	case 'r':
		*full = !add(h->peers, &h->npeers, value);
		break;
	case 'u':
		h->user = value;
		break;
	case 'v':
		h->vhid = value;
		break;
	default:
		return false;
	}
	return true;
}

/* Negative: go on. */
static int
option(struct arguments *a, int opt, const char *value)
{
	bool full = false;

	switch (opt) {
	case 'd':
		a->debug = true;
		return -1;
	case 'f':
		a->file = value;
		a->only_file = opt;
		return -1;
	case 'n':
		a->check = true;
		return -1;
	case 's':
		a->socket = value;
		return -1;
	case 'S':
		a->statedir = value;
		return -1;
	case 'h':
		printf("%s%s", usage_text, help_text);
		return CONF_OK;
	case 'V':
		printf("carpd " CARP_VERSION "\n");
		return CONF_OK;
	case ':':
		return wrong("option -%c needs a value", optopt);
	default:
		break;
	}
	if (!host_option(&a->host, opt, value, &full))
		return optopt != 0 ? wrong("unknown option -%c", optopt)
				   : wrong("unknown option");
	if (full)
		return wrong("option -%c: more than %d of them", opt, LIST_MAX);
	a->only_host = opt;
	return -1;
}

static int
complete(struct arguments *a)
{
	const struct conf_args *h = &a->host;

	if (a->only_host != 0 && a->only_file != 0)
		return wrong("option -%c does not go with -f: what it says "
			     "belongs into the file",
		    a->only_host);
	if (a->only_host == 0) {
		a->file = a->file != NULL ? a->file : CONF_FILE;
		a->socket = a->socket != NULL ? a->socket : SOCKET_FILE;
		a->statedir = a->statedir != NULL ? a->statedir : STATE_DIR;
		return -1;
	}
	if (h->ifname == NULL)
		return wrong("option -i interface is missing");
	if (h->vhid == NULL)
		return wrong("option -v vhid is missing");
	if (h->keyfile == NULL)
		return wrong("option -P keyfile is missing");
	if (h->naddrs == 0)
		return wrong("option -a address/len is missing");
	return -1;
}

static int
parse(struct arguments *a, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int opt, rc;

	opterr = 0;
	while ((opt = getopt_long(argc, argv,
		    ":a:b:df:Fhi:k:l:mnpP:r:s:S:u:v:V", longs, NULL)) != -1)
		if ((rc = option(a, opt, optarg)) >= 0)
			return rc;
	if (optind < argc)
		return wrong("\"%s\" belongs to no option", argv[optind]);
	return complete(a);
}

static enum conf_result
load(struct conf **ret, const struct arguments *a, FILE *errors)
{
	if (a->file != NULL)
		return conf_load(ret, a->file, errors);
	return conf_from_args(ret, &a->host, errors);
}

/* The first steps of both: of the check, and of a real start. */
static enum conf_result
load_checked(struct conf **conf, struct vip **vip, const struct arguments *a,
    FILE *errors)
{
	char why[256];
	enum conf_result rc;
	int err;

	rc = load(conf, a, errors);
	if (rc != CONF_OK)
		return rc;
	if (!a->check && privilege_check(why, sizeof(why)) < 0) {
		fprintf(errors, "carpd: %s\n", why);
		return CONF_FAILED;
	}
	err = vip_new(vip);
	if (err < 0 && a->check) {
		/* Said aloud: this check has not looked at the machine. */
		fprintf(errors,
		    "carpd: not checked against this machine's "
		    "interfaces: %s\n",
		    strerror(-err));
		return CONF_OK;
	}
	if (err < 0) {
		fprintf(errors, "carpd: interfaces: %s\n", strerror(-err));
		return CONF_FAILED;
	}
	return conf_check(*conf, *vip, NULL, errors);
}

/* For a person as they are; for the journal with a priority. */
static void
print_errors(const char *text, enum conf_result rc)
{
	if (log_is_journal())
		log_text(rc == CONF_OK ? LOG_WARNING : LOG_ERR, text);
	else
		fputs(text, stderr);
}

static int
run(const struct arguments *a)
{
	struct supervisor_options o = { a->file, a->socket, a->statedir };
	struct conf *conf = NULL;
	struct vip *vip = NULL;
	enum conf_result rc;
	char *text = NULL, summary[64];
	size_t len;
	FILE *errors;

	errors = open_memstream(&text, &len);
	if (errors == NULL)
		return CONF_FAILED;
	rc = load_checked(&conf, &vip, a, errors);
	(void)fclose(errors);
	if (text != NULL)
		print_errors(text, rc);
	free(text);
	if (rc == CONF_OK && !a->check)
		return supervisor_run(&o, conf, vip);
	if (rc == CONF_OK) {
		printf("%s: ok, %s\n",
		    a->file != NULL ? a->file : "command line",
		    supervisor_summary(summary, sizeof(summary), conf));
		conf_failover_print(conf, stdout);
	}
	vip_free(vip);
	free(conf);
	return rc;
}

/* Whatever is opened later must not become a standard stream. */
static void
hold_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		(void)close(fd);
}

int
main(int argc, char **argv)
{
	static const char *addrs[LIST_MAX], *peers[LIST_MAX];
	struct arguments a = { .host = { .addrs = addrs, .peers = peers } };
	int rc;

	hold_standard_streams();
	/* Tables take memory only as far as they are used, and give it back. */
	(void)mallopt(M_MMAP_THRESHOLD, LARGE);
	(void)signal(SIGPIPE, SIG_IGN);
	rc = parse(&a, argc, argv);
	if (rc >= 0)
		return rc;
	log_open("carpd", a.debug);
	return run(&a);
}
