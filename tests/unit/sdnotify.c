/* SPDX-License-Identifier: ISC */
/* What the service manager is told, on both kinds of sockets. */
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../daemon/sdnotify.h"
#include "suite.h"

static int manager;
static char name[64], got[256];

static void
listen_at(const char *start)
{
	struct timeval limit = { 2, 0 };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len;

	(void)snprintf(name, sizeof(name), "%s%ld", start, (long)getpid());
	len = strlen(name);
	memcpy(sun.sun_path, name, len);
	if (name[0] == '@')
		sun.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM, 0);
	ck_assert_int_ne(manager, -1);
	ck_assert_int_eq(
	    bind(manager, (struct sockaddr *)&sun,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
	    0);
	(void)setsockopt(
	    manager, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
}

static const char *
told(void)
{
	ssize_t n = recv(manager, got, sizeof(got) - 1, 0);

	got[n < 0 ? 0 : n] = '\0';
	return got;
}

static const char *const places[] = { "/tmp/carp-sdnotify-",
	"@carp-sdnotify-" };

START_TEST(the_manager_hears)
{
	unsigned long long usec;
	struct sdnotify s;

	listen_at(places[_i]);
	ck_assert_int_eq(sdnotify_open(&s), 0);
	ck_assert_int_eq(sdnotify_send(&s, "READY=1\nSTATUS=fine"), 0);
	ck_assert_str_eq(told(), "READY=1\nSTATUS=fine");
	ck_assert_int_eq(sdnotify_reloading(&s), 0);
	ck_assert_int_eq(
	    sscanf(told(), "RELOADING=1\nMONOTONIC_USEC=%llu", &usec), 1);
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	sdnotify_close(&s);
	(void)unlink(name);
}
END_TEST

static const struct row {
	const char *why, *usec, *pid; /* pid "": ours */
	uint64_t ns;
} rows[] = {
	{ "no watchdog", NULL, NULL, 0 },
	{ "half of the time", "3000000", "", UINT64_C(1500000000) },
	{ "of anybody", "3000000", NULL, UINT64_C(1500000000) },
	{ "of somebody else", "3000000", "1", 0 },
	{ "nonsense", "soon", "", 0 },
};

START_TEST(the_watchdog)
{
	const struct row *r = &rows[_i];
	struct sdnotify s;
	char pid[16];

	listen_at(places[0]);
	(void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	if (r->usec != NULL)
		ck_assert_int_eq(setenv("WATCHDOG_USEC", r->usec, 1), 0);
	if (r->pid != NULL)
		ck_assert_int_eq(
		    setenv("WATCHDOG_PID", *r->pid == '\0' ? pid : r->pid, 1),
		    0);
	ck_assert_int_eq(sdnotify_open(&s), 0);
	ck_assert_msg(s.watchdog == r->ns, "%s", r->why);
	ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
	sdnotify_close(&s);
	(void)unlink(name);
}
END_TEST

START_TEST(nobody_wants_to_know)
{
	struct sdnotify s;

	ck_assert_int_eq(unsetenv("NOTIFY_SOCKET"), 0);
	ck_assert_int_eq(sdnotify_open(&s), 0);
	ck_assert_int_eq(s.fd, -1);
	ck_assert_int_eq(sdnotify_send(&s, "READY=1"), 0);
	sdnotify_close(&s);
}
END_TEST

static const struct bad {
	const char *place;
	int rc;
} bads[] = {
	{ "relative", -EINVAL },
	{ "", -EINVAL },
	{ "@", -EINVAL },
	{ "/nowhere/at/all", -ENOENT },
	{ "@carp-nobody-is-there", -ECONNREFUSED },
	{ "/tmp/a-name-that-is-longer-than-the-address-of-a-unix-socket-can-"
	  "be-because-that-has-only-one-hundred-and-eight-bytes",
	    -EINVAL },
};

START_TEST(a_manager_out_of_reach)
{
	struct sdnotify s;

	ck_assert_int_eq(setenv("NOTIFY_SOCKET", bads[_i].place, 1), 0);
	ck_assert_int_eq(sdnotify_open(&s), bads[_i].rc);
	ck_assert_int_eq(sdnotify_send(&s, "READY=1"), 0);
	sdnotify_close(&s);
}
END_TEST

/* The time limit of the test is what fails if it waits for ever. */
START_TEST(a_manager_that_sleeps)
{
	struct sdnotify s;
	int rc = 0;

	listen_at(places[1]);
	ck_assert_int_eq(sdnotify_open(&s), 0);
	for (int i = 0; i < 10000 && rc == 0; i++)
		rc = sdnotify_send(&s, "WATCHDOG=1");
	ck_assert_int_eq(rc, -EAGAIN);
	sdnotify_close(&s);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sdnotify");
	TCase *t = tcase_create("socket");

	add_rows(t, the_manager_hears, places);
	add_rows(t, the_watchdog, rows);
	add_rows(t, a_manager_out_of_reach, bads);
	tcase_add_test(t, nobody_wants_to_know);
	tcase_add_test(t, a_manager_that_sleeps);
	suite_add_tcase(s, t);
	return suite_run(s);
}
