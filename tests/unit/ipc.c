/* SPDX-License-Identifier: ISC */
/* Messages between the two processes, sound and unsound ones. */
#include <sys/mman.h>
#include <sys/socket.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../daemon/ipc.h"
#include "suite.h"

static int ends[2];

static void
setup(void)
{
	ck_assert_int_eq(ipc_pair(ends), 0);
}

static void
teardown(void)
{
	(void)close(ends[0]);
	(void)close(ends[1]);
}

START_TEST(a_message_arrives)
{
	struct ipc_msg m = { .type = IPC_NOTE, .rc = -5, .on = 1 }, got;
	int fd = 0;

	(void)snprintf(m.note.ifname, sizeof(m.note.ifname), "eth0");
	m.note.to = CARP_MASTER;
	ck_assert_int_eq(ipc_recv(ends[1], &got, &fd), -EAGAIN);
	ck_assert_int_eq(ipc_send(ends[0], &m, -1), 0);
	ck_assert_int_eq(ipc_recv(ends[1], &got, &fd), 1);
	ck_assert_int_eq(fd, -1);
	ck_assert_mem_eq(&m, &got, sizeof(m));
}
END_TEST

START_TEST(with_bytes_of_any_length)
{
	struct ipc_msg m = { .type = IPC_CONF }, got;
	static char big[1 << 20];
	void *back = NULL;
	size_t len = 0;
	int fd;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7);
	fd = ipc_wrap(big, sizeof(big));
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ipc_send(ends[0], &m, fd), 0);
	(void)close(fd);
	ck_assert_int_eq(ipc_recv(ends[1], &got, &fd), 1);
	ck_assert_int_eq(ipc_unwrap(fd, &back, &len), 0);
	ck_assert_uint_eq(len, sizeof(big));
	ck_assert_int_eq(memcmp(back, big, len), 0);
	ck_assert_int_eq(((char *)back)[len], '\0');
	free(back);
}
END_TEST

START_TEST(bytes_that_could_change_are_refused)
{
	void *back = NULL;
	size_t len = 0;
	int fd;

	fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ipc_unwrap(fd, &back, &len), -EPROTO);
	ck_assert_int_eq(ipc_unwrap(-1, &back, &len), -EPROTO);
	ck_assert_ptr_null(back);
}
END_TEST

static void
no_type(struct ipc_msg *m)
{
	m->type = 0;
}

static void
unknown_type(struct ipc_msg *m)
{
	m->type = IPC_NTYPES;
}

static void
endless_text(struct ipc_msg *m)
{
	memset(m->text, 'x', sizeof(m->text));
}

static void
endless_name(struct ipc_msg *m)
{
	memset(m->note.ifname, 'x', sizeof(m->note.ifname));
}

static void
no_state(struct ipc_msg *m)
{
	m->note.to = (enum carp_state)3;
}

static void
no_cause(struct ipc_msg *m)
{
	m->note.cause = CARP_NCAUSES;
}

static void
half_true(struct ipc_msg *m)
{
	m->on = 2;
}

static void
no_phase(struct ipc_msg *m)
{
	m->type = IPC_ORDER;
	m->order.phase = NPHASES;
}

static void
no_mode(struct ipc_msg *m)
{
	m->type = IPC_ORDER;
	m->order.mode = MODE_MONITOR;
}

static void
no_such_services(struct ipc_msg *m)
{
	m->type = IPC_ORDER;
	m->order.critical = 3;
}

static void
endless_reason(struct ipc_msg *m)
{
	m->type = IPC_ORDER;
	memset(m->order.cause, 'x', sizeof(m->order.cause));
}

static void
no_resource(struct ipc_msg *m)
{
	m->type = IPC_REPORT;
	m->report.index = CONF_RESOURCE_MAX;
}

static void
no_end(struct ipc_msg *m)
{
	m->type = IPC_REPORT;
	m->report.exit = HOOK_NOT_RUN + 1;
}

static void
half_done(struct ipc_msg *m)
{
	m->type = IPC_DONE;
	m->done.hard = 2;
}

static void (*const unsound[])(struct ipc_msg *) = { no_phase, no_mode,
	no_such_services, endless_reason, no_resource, no_end, half_done,
	no_type, unknown_type, endless_text, endless_name, no_state, no_cause,
	half_true };

START_TEST(an_unsound_message)
{
	struct ipc_msg m = { .type = IPC_NOTE }, got;
	int fd;

	unsound[_i](&m);
	ck_assert_int_eq(ipc_send(ends[0], &m, STDIN_FILENO), 0);
	ck_assert_int_eq(ipc_recv(ends[1], &got, &fd), -EPROTO);
	ck_assert_int_eq(fd, -1);
	m = (struct ipc_msg){ .type = IPC_ALIVE };
	ck_assert_int_eq(ipc_send(ends[0], &m, -1), 0);
	ck_assert_int_eq(ipc_recv(ends[1], &got, &fd), 1);
}
END_TEST

START_TEST(a_message_of_another_size)
{
	struct ipc_msg got;
	char bytes[sizeof(struct ipc_msg) + 1] = { 1 };
	int fd;

	ck_assert_int_eq(send(ends[0], bytes, 1, 0), 1);
	ck_assert_int_eq(ipc_recv(ends[1], &got, &fd), -EPROTO);
	ck_assert_int_gt(send(ends[0], bytes, sizeof(bytes), 0), 0);
	ck_assert_int_eq(ipc_recv(ends[1], &got, &fd), -EPROTO);
	ck_assert_int_eq(ipc_recv(ends[1], &got, &fd), -EAGAIN);
}
END_TEST

START_TEST(last_words_come_before_the_end)
{
	struct ipc_msg m = { .type = IPC_ALIVE }, got;
	int fd;

	/* Unread messages on the other side make it a reset. */
	ck_assert_int_eq(ipc_send(ends[1], &m, -1), 0);
	ck_assert_int_eq(ipc_send(ends[0], &m, -1), 0);
	(void)close(ends[0]);
	ck_assert_int_eq(ipc_recv(ends[1], &got, &fd), 1);
	ck_assert_int_eq(ipc_recv(ends[1], &got, &fd), 0);
	ck_assert_int_eq(ipc_send(ends[1], &m, -1), -EPIPE);
}
END_TEST

START_TEST(a_full_socket_does_not_block)
{
	struct ipc_msg m = { .type = IPC_ALIVE };
	int rc = 0;

	for (int i = 0; i < 100000 && rc == 0; i++)
		rc = ipc_send(ends[0], &m, -1);
	ck_assert_int_eq(rc, -EAGAIN);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ipc");
	TCase *t = tcase_create("pair");

	(void)signal(SIGPIPE, SIG_IGN);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_message_arrives);
	tcase_add_test(t, with_bytes_of_any_length);
	tcase_add_test(t, bytes_that_could_change_are_refused);
	add_rows(t, an_unsound_message, unsound);
	tcase_add_test(t, a_message_of_another_size);
	tcase_add_test(t, last_words_come_before_the_end);
	tcase_add_test(t, a_full_socket_does_not_block);
	suite_add_tcase(s, t);
	return suite_run(s);
}
