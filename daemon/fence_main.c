/* SPDX-License-Identifier: ISC */
/* carp-fence: its verbs as a hook of carpd, and by hand. */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fence_all.h"
#include "fence_exit.h"
#include "fence_keeper.h"
#include "fence_state.h"

#define STILL_NS   (2 * FENCE_NS_PER_S)
#define READ_AGAIN 3 /* times: a keeper moves its key each second or less */

static const char usage_text[] =
    "usage: carp-fence start|stop|status|verify [DISK...]\n"
    "       carp-fence keys DISK...\n"
    "       carp-fence clear DISK... --yes\n"
    "\n"
    "  start   take the disks by SCSI-3 or NVMe reservations, keep them\n"
    "  stop    give them back\n"
    "  status  are they ours?  0 yes, 3 no, 1 something is wrong\n"
    "  verify  is nothing of ours left on them?  0 yes, 1 no, 4 not known\n"
    "  keys    who has registered and who holds the disk; changes nothing\n"
    "  clear   remove all keys and reservations, of all nodes\n"
    "\n"
    "DISK is a block device, a pattern or iscsi://HOST/TARGET/LUN; without\n"
    "any, the variable DISKS counts.  Other variables: carp-fence(8).\n";

static int
fail(int code, const char *why)
{
	(void)fprintf(stderr, "carp-fence: %s\n", why);
	return code;
}

static int
usage(FILE *f, int code)
{
	(void)fputs(usage_text, f);
	return code;
}

/* Disks of the arguments, or else of the environment. */
static int
name_disks(struct fence_conf *c, char **args)
{
	const char *disks = getenv("DISKS");
	int rc = 0;

	if (*args == NULL)
		return disks != NULL ? fence_conf_add(c, disks) : 0;
	for (; rc == 0 && *args != NULL; args++)
		rc = fence_conf_add(c, *args);
	return rc;
}

static int
state_error(const struct fence_conf *c, int rc)
{
	char why[512];

	(void)snprintf(why, sizeof(why),
	    "%s: %s: the state directory must be root's, writable by nobody "
	    "else",
	    c->state, strerror(-rc));
	return fail(EXIT_FAILED, why);
}

/*
 * What was taken counts, too: the configuration may have changed, and a
 * pattern may fit less than it did.
 */
static int
known_disks(struct fence_conf *c, char **args)
{
	int rc = name_disks(c, args);

	if (rc == EXIT_PARAMETER)
		return rc;
	if (fence_state_read_disks(c) != 0)
		return EXIT_FAILED;
	if (rc != 0 && c->ndisks == 0)
		return rc;
	return fence_conf_check(c);
}

static struct fence_crew *
crew_of(struct fence_conf *c)
{
	return fence_crew_new(c, c->why, sizeof(c->why));
}

/* By carpd, each second: good news is none. */
static bool
monitored(void)
{
	const char *mode = getenv("CARPD_MODE");

	return mode != NULL && strcmp(mode, "monitor") == 0;
}

/* A keeper that is stopped, or starved, notices no loss. */
static int
alive(const struct fence_conf *c, pid_t keeper)
{
	uint64_t now = fence_now(), beat = fence_state_last_beat(c);
	uint64_t limit = c->loss > STILL_NS ? c->loss : STILL_NS;
	char why[128];

	if (beat == 0 || now < beat + limit)
		return EXIT_OK;
	(void)snprintf(why, sizeof(why),
	    "the keeper, process %ld, has stood still for %.1f s: is it "
	    "stopped?",
	    (long)keeper, (double)(now - beat) / 1e9);
	return fail(EXIT_FAILED, why);
}

/* What was taken counts, even if a pattern would find more by now. */
static int
do_status(struct fence_conf *c, char **args)
{
	struct fence_crew *crew;
	pid_t keeper = fence_state_keeper(c);
	char why[1024] = "", text[1280];
	int rc;

	(void)args;
	if (keeper == 0) {
		fence_state_read_loss(c, why, sizeof(why));
		(void)snprintf(text, sizeof(text), "no keeper runs%s%s",
		    why[0] != '\0' ? ": it ended because " : "", why);
		return fail(EXIT_NOT_RUNNING, text);
	}
	if (alive(c, keeper) != EXIT_OK)
		return EXIT_FAILED;
	rc = fence_state_read_disks(c) == 0 ? fence_conf_check(c) : EXIT_FAILED;
	if (rc != 0)
		return fail(rc, c->why);
	crew = crew_of(c);
	if (crew == NULL)
		return fail(EXIT_FAILED, c->why);
	if (fence_all_check(crew, why, sizeof(why)) != EXIT_OK)
		return fail(EXIT_FAILED, why);
	if (why[0] == '\0' && monitored())
		return EXIT_OK;
	(void)printf("%u disk%s ours, kept by process %ld%s%s\n", c->ndisks,
	    c->ndisks == 1 ? "" : "s", (long)keeper,
	    why[0] != '\0' ? "; absent: " : "", why);
	return EXIT_OK;
}

/*
 * A keeper keeps what it was started with.  Disks that are named since then
 * have no fence: storage must not start on them.
 */
static int
start_again(struct fence_conf *c, char **args)
{
	unsigned kept;
	int rc = fence_state_read_disks(c) == 0 ? 0 : EXIT_FAILED;

	if (rc == 0 && c->ndisks > 0)
		rc = fence_conf_check(c);
	kept = c->ndisks;
	if (rc == 0)
		rc = name_disks(c, args);
	if (rc == 0)
		rc = fence_conf_missing(c, kept);
	if (rc != 0)
		return fail(rc, c->why);
	fence_conf_free(c);
	return do_status(c, args);
}

/* What was taken and not given back is taken again, else nobody keeps it. */
static int
do_start(struct fence_conf *c, char **args)
{
	int rc = fence_state_make(c);

	if (rc != 0)
		return state_error(c, rc);
	if (fence_state_keeper(c) != 0)
		return start_again(c, args);
	rc = name_disks(c, args);
	if (rc == 0 && fence_state_read_disks(c) != 0)
		rc = EXIT_FAILED;
	if (rc == 0)
		rc = fence_conf_check(c);
	if (rc != 0)
		return fail(rc, c->why);
	if (!c->forced && fence_now() + c->watch >= c->deadline)
		return fail(EXIT_PARAMETER,
		    "WATCH: is longer than the time "
		    "limit of start allows: write less, or raise that");
	return fence_keeper_start(c, c->parent);
}

/* A keeper that runs leaves the disks itself, and sooner than we would. */
static int
end_keeper(const struct fence_conf *c)
{
	pid_t keeper = fence_state_keeper(c);
	uint64_t now = fence_now();

	if (keeper == 0)
		return 0;
	return fence_keeper_stop(c, keeper, now + (c->deadline - now) / 10 * 6);
}

/*
 * A disk that is not reached is no failure if none was taken since the last
 * boot: what may be left of before does no harm, and start would adopt it.
 */
static int
leave_disks(struct fence_conf *c, bool taken)
{
	struct fence_crew *crew = crew_of(c);
	char why[1024] = "";

	if (crew == NULL)
		return fail(EXIT_FAILED, c->why);
	if (fence_all_leave(crew, why, sizeof(why)) != EXIT_OK) {
		if (taken || !fence_all_unreached(crew))
			return fail(EXIT_FAILED, why);
		(void)printf("nothing was taken; not reached: %s\n", why);
		return EXIT_OK;
	}
	(void)fence_state_forget_disks(c);
	(void)printf("nothing of this node is left on %u disk%s\n", c->ndisks,
	    c->ndisks == 1 ? "" : "s");
	return EXIT_OK;
}

static int
do_stop(struct fence_conf *c, char **args)
{
	bool taken = fence_state_has_disks(c);
	int rc;

	if (end_keeper(c) != 0)
		return fail(EXIT_FAILED, "the keeper does not end, even when "
					 "killed: a disk hangs");
	rc = known_disks(c, args);
	if (rc == EXIT_FAILED && !taken) {
		(void)printf("nothing was taken; %s\n", c->why);
		return EXIT_OK;
	}
	if (rc != 0)
		return fail(rc, c->why);
	return leave_disks(c, taken);
}

static int
do_verify(struct fence_conf *c, char **args)
{
	struct fence_crew *crew;
	char why[1024] = "";
	int rc;

	if (fence_state_keeper(c) != 0)
		return fail(EXIT_FAILED, "the keeper still runs");
	rc = known_disks(c, args);
	if (rc != 0)
		return fail(rc == EXIT_FAILED ? EXIT_UNKNOWN : rc, c->why);
	crew = crew_of(c);
	if (crew == NULL)
		return fail(EXIT_UNKNOWN, c->why);
	rc = fence_all_gone(crew, why, sizeof(why));
	if (rc != EXIT_OK)
		return fail(rc, why);
	return EXIT_OK;
}

/* Keys are read first: one that moves in between would hold nothing. */
static int
read_one(struct fence_crew *crew, struct fence_disk *d)
{
	const struct fence_view *v = &d->seen;
	int rc;

	(void)crew;
	for (int i = 0; i < READ_AGAIN; i++) {
		rc = fence_disk_read(d, &d->seen);
		if (rc != 0 || !v->reserved || v->holder == 0 ||
		    fence_has(v, v->holder))
			return rc;
	}
	return rc;
}

static void
print_keys(const struct fence_disk *d)
{
	const struct fence_view *v = &d->seen;
	uint64_t key;

	(void)printf("%s: generation %u, %u key%s\n", d->label, v->generation,
	    v->nkeys, v->nkeys == 1 ? "" : "s");
	for (uint32_t i = 0; i < v->nkeys; i++) {
		key = v->keys[i];
		(void)printf("    0x%016" PRIx64 "%s%s\n", key,
		    fence_key_of(key, d->id) ? "  this node" : "",
		    v->reserved && v->holder == key ? "  holds it" : "");
	}
	if (v->reserved)
		(void)printf("    reservation: type %u%s, scope %u\n", v->type,
		    v->type == FENCE_WRITE_EXCLUSIVE_RO
			? " (Write Exclusive, Registrants Only)"
			: "",
		    v->scope);
	else
		(void)printf("    no reservation\n");
}

/* Runs a job on the disks of the arguments and prints what is there then. */
static int
on_disks(struct fence_conf *c, char **args, fence_job job)
{
	struct fence_crew *crew;
	char why[1024];
	int rc = name_disks(c, args);

	if (rc == 0)
		rc = fence_conf_check(c);
	if (rc != 0)
		return fail(rc, c->why);
	crew = crew_of(c);
	if (crew == NULL)
		return fail(EXIT_FAILED, c->why);
	fence_crew_run(crew, job, c->deadline);
	for (unsigned i = 0; i < crew->n; i++) {
		if (crew->members[i].rc == 0) {
			print_keys(&crew->members[i].disk);
			continue;
		}
		fence_crew_why(&crew->members[i], why, sizeof(why));
		rc = fail(EXIT_FAILED, why);
	}
	return rc;
}

static int
do_keys(struct fence_conf *c, char **args)
{
	return on_disks(c, args, read_one);
}

/* Only a registrant may clear. */
static int
clear_one(struct fence_crew *crew, struct fence_disk *d)
{
	int rc = fence_disk_read(d, &d->seen);

	if (rc == 0 || rc == -EBADMSG)
		rc = fence_disk_out(d, FENCE_OUT_REGISTER_IGNORE,
		    fence_find(&d->seen, d->id), d->key, 0);
	if (rc == 0)
		rc = fence_disk_out(d, FENCE_OUT_CLEAR, d->key, 0, 0);
	return rc == 0 ? read_one(crew, d) : rc;
}

static int
do_clear(struct fence_conf *c, char **args)
{
	bool yes = false;
	char **to = args;

	for (char **from = args; *from != NULL; from++) {
		if (strcmp(*from, "--yes") == 0)
			yes = true;
		else
			*to++ = *from;
	}
	*to = NULL;
	if (*args == NULL)
		return fail(EXIT_PARAMETER, "clear: name the disks");
	if (yes)
		return on_disks(c, args, clear_one);
	(void)on_disks(c, args, read_one);
	return fail(EXIT_PARAMETER,
	    "clear: nothing is changed: it would take "
	    "these disks from every node that uses them; add --yes");
}

static const struct verb {
	const char *name;
	int (*run)(struct fence_conf *, char **args);
	bool disks; /* must be arguments */
} verbs[] = {
	{ "start", do_start, false },
	{ "stop", do_stop, false },
	{ "status", do_status, false },
	{ "verify", do_verify, false },
	{ "keys", do_keys, true },
	{ "clear", do_clear, true },
};

/* The worker: its result is told before it ends, for that may take long. */
static void
work(const struct verb *v, struct fence_conf *c, char **args)
{
	uint8_t code = (uint8_t)v->run(c, args);

	(void)fflush(NULL);
	/* Who reads them waits for nobody else. */
	for (int fd = 0; fd < 3; fd++)
		(void)close(fd);
	if (c->alive != -1)
		(void)close(c->alive);
	(void)!write(c->parent, &code, sizeof(code));
	_exit(code);
}

/*
 * A disk that hangs in the kernel keeps its thread, and with it the process,
 * from ending even when killed.  So a child of ours does the work, and is left
 * behind if need be.
 */
static int
run(const struct verb *v, struct fence_conf *c, char **args)
{
	int ends[2], status;
	uint8_t code;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) == -1)
		return fail(EXIT_FAILED, strerror(errno));
	c->parent = ends[1];
	pid = fork();
	if (pid == -1)
		return fail(EXIT_FAILED, strerror(errno));
	if (pid == 0)
		work(v, c, args);
	(void)close(ends[1]);
	if (read(ends[0], &code, sizeof(code)) == sizeof(code))
		return code;
	(void)waitpid(pid, &status, 0);
	return fail(EXIT_FAILED, "it was killed");
}

int
main(int argc, char **argv)
{
	struct fence_conf c;
	int rc;

	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return usage(stdout, EXIT_OK);
	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		(void)printf("carp-fence %s\n", CARP_VERSION);
		return EXIT_OK;
	}
	for (unsigned i = 0; argc > 1 && i < sizeof(verbs) / sizeof(*verbs);
	     i++) {
		if (strcmp(argv[1], verbs[i].name) != 0)
			continue;
		if (verbs[i].disks && argc == 2)
			return usage(stderr, EXIT_PARAMETER);
		rc = fence_conf_read(&c);
		if (rc != 0)
			return fail(rc, c.why);
		return run(&verbs[i], &c, argv + 2);
	}
	return usage(stderr, EXIT_PARAMETER);
}
