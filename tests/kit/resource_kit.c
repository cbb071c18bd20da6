/* SPDX-License-Identifier: ISC */
/* What a test of resources stands on. */
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <carp/engine.h>

#include "../../daemon/log.h"
#include "resource_kit.h"

#define SYSRQ	 "/proc/sysrq-trigger"
#define TEXT_MAX 16384

struct kit kit;

static struct conf_resource added[CONF_RESOURCE_MAX];
static unsigned nadded;
static char text[TEXT_MAX];
static uint32_t ntext;
static uint32_t ids;

/*
 * The cage.
 */

static bool
is_same(const char *a, const char *b)
{
	struct stat sa, sb;

	return stat(a, &sa) == 0 && stat(b, &sb) == 0 &&
	       sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

static void
skip(const char *why)
{
	printf("skipped: %s: %s\n", why, strerror(errno));
	exit(77);
}

void
kit_cage(void)
{
	int status = 0;
	pid_t pid;

	/* Who is not root cannot do any harm. */
	if (geteuid() != 0)
		return;
	if (unshare(CLONE_NEWNS | CLONE_NEWPID) == -1)
		skip("no private process space");
	pid = fork();
	if (pid == -1)
		skip("fork");
	if (pid > 0) {
		(void)waitpid(pid, &status, 0);
		/* It cannot fork any more, which a sanitizer would want to. */
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("proc", "/proc", "proc", 0, NULL) == -1)
		skip("no private /proc");
	/* reboot(2) ends the cage only; this way would end the machine. */
	if (access(SYSRQ, F_OK) == 0 &&
	    (mount("/dev/null", SYSRQ, NULL, MS_BIND, NULL) == -1 ||
		!is_same("/dev/null", SYSRQ)))
		skip(SYSRQ);
}

/*
 * The directory and its hooks.
 */

static void
write_program(const char *path, const char *body)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fputs(body, f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, 0755), 0);
}

/*
 * Does what its settings say; DO_STOP and so on are shell.  `await FILE' waits
 * for the test, `say' writes a line that the test can see.
 */
static const char hook[] =
    "#!/bin/sh\n"
    "set -u\n"
    "say() { echo \"$*\" >> \"$TOP/out\"; }\n"
    "await() {\n"
    "	n=0\n"
    "	while [ ! -e \"$TOP/$1\" ]; do\n"
    "		n=$((n + 1)); [ $n -lt 2000 ] || exit 99\n"
    "		sleep 0.01\n"
    "	done\n"
    "}\n"
    "say \"$CARPD_RESOURCE $1 begins $CARPD_MODE\"\n"
    "case $1 in\n"
    "start) eval \"${DO_START:-}\" ;;\n"
    "stop) eval \"${DO_STOP:-}\" ;;\n"
    "status) eval \"${DO_STATUS:-exit 3}\" ;;\n"
    "verify) eval \"${DO_VERIFY:-}\" ;;\n"
    "esac\n"
    "rc=$?\n"
    "say \"$CARPD_RESOURCE $1 ends\"\n"
    "exit $rc\n";

static void
on_child(evutil_socket_t fd, short what, void *arg)
{
	int status;
	pid_t pid;

	(void)fd, (void)what, (void)arg;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (kit.r != NULL)
			(void)resource_reaped(kit.r, pid, status);
}

void
kit_setup(void)
{
	char body[512];

	memset(&kit, 0, sizeof(kit));
	kit_clear();
	(void)snprintf(kit.top, sizeof(kit.top), "/tmp/carp-res-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(kit.top));
	(void)snprintf(kit.hooks, sizeof(kit.hooks), "%s/hooks", kit.top);
	(void)snprintf(kit.state, sizeof(kit.state), "%s/state", kit.top);
	(void)snprintf(kit.out, sizeof(kit.out), "%s/out", kit.top);
	(void)snprintf(kit.resort, sizeof(kit.resort), "%s/resort", kit.top);
	ck_assert_int_eq(mkdir(kit.hooks, 0755), 0);
	(void)snprintf(body, sizeof(body), "%s/sh", kit.hooks);
	write_program(body, hook);
	/* In place of a restart. */
	(void)snprintf(body, sizeof(body),
	    "#!/bin/sh\necho \"resort: $1\" >> %s/out\n", kit.top);
	write_program(kit.resort, body);
	ck_assert_int_eq(access(kit.resort, X_OK), 0);
	log_open("kit", true);
	kit.base = event_base_new();
	kit.child = evsignal_new(kit.base, SIGCHLD, on_child, NULL);
	ck_assert_int_eq(event_add(kit.child, NULL), 0);
}

void
kit_teardown(void)
{
	char command[128];

	/* The stand-in must be there as long as it is wanted. */
	if (kit.nresorts > 0 && kit.resort[0] != '\0')
		kit_wait(kit_count("resort: ") > 0);
	resource_free(kit.r);
	kit.r = NULL;
	event_free(kit.child);
	event_base_free(kit.base);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", kit.top);
	(void)!system(command);
}

/*
 * The configuration.
 */

void
kit_clear(void)
{
	memset(added, 0, sizeof(added));
	nadded = 0;
	text[0] = '\0';
	ntext = 1;
}

static uint32_t
keep(const char *s)
{
	uint32_t at = ntext;

	ck_assert_uint_lt(ntext + strlen(s) + 1, TEXT_MAX);
	memcpy(text + at, s, strlen(s) + 1);
	ntext += (uint32_t)strlen(s) + 1;
	return at;
}

struct conf_resource *
kit_add(enum conf_phase phase, const char *name)
{
	struct conf_resource *cr = &added[nadded++];
	char top[80];

	(void)snprintf(cr->name, sizeof(cr->name), "%s", name);
	cr->phase = (uint8_t)phase;
	cr->critical = 1;
	cr->hook = keep("sh");
	cr->start_ms = cr->stop_ms = 8000;
	cr->status_ms = cr->verify_ms = 5000;
	cr->set = ntext;
	(void)snprintf(top, sizeof(top), "TOP=%s", kit.top);
	(void)keep(top);
	cr->nset = 1;
	return cr;
}

struct conf_resource *
kit_last_added(void)
{
	return &added[nadded - 1];
}

void
kit_no_program(void)
{
	kit.resort[0] = '\0';
}

/* For the resource that was added last. */
void
kit_set(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	(void)keep(line);
	added[nadded - 1].nset++;
}

struct conf *
kit_conf(void)
{
	size_t size = sizeof(struct conf) + nadded * sizeof(*added);
	struct conf *c;

	c = calloc(1, size + ntext + sizeof(kit.resort));
	ck_assert_ptr_nonnull(c);
	c->failover.on = 1;
	c->failover.nresources = nadded;
	c->failover.last_resort = keep(kit.resort);
	c->size = size + ntext;
	c->ntext = ntext;
	(void)snprintf(c->name, sizeof(c->name), "A");
	memcpy(c + 1, added, nadded * sizeof(*added));
	memcpy((char *)c + size, text, ntext);
	ck_assert_str_eq(conf_text(c, c->failover.last_resort), kit.resort);
	return c;
}

static void
on_report(void *arg, const struct resource_report *r)
{
	(void)arg;
	ck_assert_uint_lt(kit.nreports, KIT_MAX);
	kit.report[kit.nreports++] = *r;
}

static void
on_done(void *arg, const struct resource_done *d)
{
	(void)arg;
	ck_assert_uint_lt(kit.ndone, KIT_MAX);
	kit.done[kit.ndone++] = *d;
}

static void
on_resort(void *arg, const char *reason)
{
	(void)arg;
	kit.nresorts++;
	(void)snprintf(kit.reason, sizeof(kit.reason), "%s", reason);
}

static void
on_idle(void *arg)
{
	(void)arg;
	kit.nidle++;
}

void
kit_start(void)
{
	static const struct resource_ops ops = { on_report, on_done, on_resort,
		on_idle };
	struct resource_places places = { kit.state,
		{ "/nonexistent", kit.hooks } };
	struct conf *c = kit_conf();

	if (kit.r == NULL)
		ck_assert_int_eq(
		    resource_new(&kit.r, kit.base, &places, &ops, NULL), 0);
	ck_assert_int_eq(resource_configure(kit.r, c), 0);
	free(c);
}

void
kit_configure(void)
{
	kit_start();
	kit_wait(resource_idle(kit.r));
}

/*
 * Orders and what comes of them.
 */

uint32_t
kit_order(enum conf_phase phase, bool up, enum resource_mode mode)
{
	struct resource_order o = { .id = ++ids,
		.phase = (uint8_t)phase,
		.up = up,
		.mode = (uint8_t)mode };

	(void)snprintf(o.cause, sizeof(o.cause), "a test");
	resource_order(kit.r, &o);
	return o.id;
}

const struct resource_done *
kit_answer(uint32_t id)
{
	const struct resource_done *found = NULL;

	for (unsigned i = 0; i < kit.ndone; i++) {
		if (kit.done[i].order != id)
			continue;
		ck_assert_msg(found == NULL, "answered twice");
		found = &kit.done[i];
	}
	return found;
}

const struct resource_done *
kit_do(enum conf_phase phase, bool up, enum resource_mode mode)
{
	uint32_t id = kit_order(phase, up, mode);

	kit_wait(kit_answer(id) != NULL);
	return kit_answer(id);
}

uint64_t
kit_now(void)
{
	return carp_now();
}

void
kit_turn(void)
{
	const struct timeval soon = { 0, 5000 };

	(void)event_base_loopexit(kit.base, &soon);
	(void)event_base_loop(kit.base, EVLOOP_ONCE);
}

enum resource_state
kit_state(unsigned i)
{
	for (unsigned k = kit.nreports; k-- > 0;)
		if (kit.report[k].index == i)
			return (enum resource_state)kit.report[k].state;
	return RES_UNKNOWN;
}

const struct resource_report *
kit_last(unsigned i, enum resource_verb verb)
{
	for (unsigned k = kit.nreports; k-- > 0;)
		if (kit.report[k].index == i && kit.report[k].verb == verb &&
		    kit.report[k].took != 0)
			return &kit.report[k];
	return NULL;
}

const char *
kit_out(void)
{
	static char buf[TEXT_MAX];
	size_t n = 0;
	FILE *f = fopen(kit.out, "r");

	if (f != NULL) {
		n = fread(buf, 1, sizeof(buf) - 1, f);
		(void)fclose(f);
	}
	buf[n] = '\0';
	return buf;
}

int
kit_line(const char *line)
{
	const char *all = kit_out(), *p = all;
	size_t n = strlen(line);

	while ((p = strstr(p, line)) != NULL) {
		if ((p == all || p[-1] == '\n') && p[n] == '\n')
			return (int)(p - all);
		p++;
	}
	return -1;
}

unsigned
kit_count(const char *line)
{
	const char *p = kit_out();
	unsigned n = 0;

	for (; (p = strstr(p, line)) != NULL; p++)
		n++;
	return n;
}

const char *
kit_path(const char *name)
{
	static char path[160];

	(void)snprintf(path, sizeof(path), "%s/%s", kit.top, name);
	return path;
}

bool
kit_file(const char *name)
{
	return access(kit_path(name), F_OK) == 0;
}

void
kit_touch(const char *name)
{
	int fd;

	fd = open(kit_path(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_ne(fd, -1);
	(void)close(fd);
}

long
kit_number(const char *name)
{
	FILE *f = fopen(kit_path(name), "r");
	char line[32] = "";

	if (f == NULL)
		return 0;
	(void)!fgets(line, sizeof(line), f);
	(void)fclose(f);
	return strtol(line, NULL, 10);
}

/* Gone, or at least no more than a name that nobody has asked for. */
bool
kit_dead(pid_t pid)
{
	char path[64], line[256] = "";
	const char *p;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	f = fopen(path, "r");
	if (f == NULL)
		return true;
	(void)!fgets(line, sizeof(line), f);
	(void)fclose(f);
	p = strrchr(line, ')');
	return p == NULL || p[2] == 'Z' || p[2] == 'X';
}

void
kit_fence_and_storage(void)
{
	(void)kit_add(PHASE_FENCE, "disks");
	(void)kit_add(PHASE_STORAGE, "tank");
}

void
kit_both_up(void)
{
	kit_configure();
	ck_assert(kit_do(PHASE_FENCE, true, MODE_UP)->ok);
	ck_assert(kit_do(PHASE_STORAGE, true, MODE_UP)->ok);
}
