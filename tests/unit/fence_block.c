/* SPDX-License-Identifier: ISC */
/*
 * Block devices: which requests the kernel gets, and what becomes of its
 * answers.  The kernel is this file: an ioctl() that keeps books.  What it does
 * with keys is what sd.c and nvme/host/pr.c do with them.
 */
#include <linux/nvme_ioctl.h>

#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "../../daemon/fence_disk.h"
#include "../../daemon/fence_request.h"
#include "suite.h"

enum { US = 0xaaaaaaaau, PEER = 0xbbbbbbbbu };
#define A(n)	  ((uint64_t)US << 32 | (n))
#define B(n)	  ((uint64_t)PEER << 32 | (n))
#define NVME_DATA 16

/* As linux/pr.h has them since 6.3. */
enum { FAILED = 0x02, CONFLICT = 0x18 };

/* The disk.  registered: the key of our path, 0 if none. */
static struct {
	struct fence_view view;
	uint64_t registered;
	int news;      /* unit attentions that it has for us */
	bool no_abort; /* PREEMPT AND ABORT is a CHECK CONDITION */
	bool twice;    /* it carries out, but its answer is lost once */
	int commands;
} disk;

static struct fence_disk d;

static void
remove_key(uint64_t key)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < disk.view.nkeys; i++) {
		if (disk.view.keys[i] != key)
			disk.view.keys[n++] = disk.view.keys[i];
	}
	disk.view.nkeys = n;
}

static int
register_key(uint64_t old, uint64_t new, bool ignore)
{
	bool held = disk.registered != 0 && disk.view.holder == disk.registered;

	if (!ignore && old != disk.registered)
		return CONFLICT;
	if (disk.registered != 0)
		remove_key(disk.registered);
	if (new != 0 || d.nsid != -1)
		disk.view.keys[disk.view.nkeys++] = new;
	if (held)
		disk.view.holder = new;
	disk.registered = new;
	return 0;
}

static int
preempt(const struct pr_preempt *p)
{
	/* sd_pr_preempt(): RESERVATION KEY is old_key. */
	if (p->old_key != disk.registered || p->old_key == 0)
		return CONFLICT;
	if (!fence_has(&disk.view, p->new_key))
		return CONFLICT;
	if (p->new_key == disk.view.holder) {
		disk.view.holder = p->old_key;
		disk.view.type = 5;
	}
	if (p->new_key != p->old_key)
		remove_key(p->new_key);
	return 0;
}

static int
reserve(const struct pr_reservation *r, bool on)
{
	if (r->key != disk.registered ||
	    (disk.view.reserved && disk.view.holder != r->key))
		return CONFLICT;
	disk.view.reserved = on;
	disk.view.holder = on ? r->key : 0;
	disk.view.type = on ? 5 : 0;
	return 0;
}

static int
out(unsigned long number, const void *arg)
{
	const struct pr_registration *r = arg;

	disk.commands++;
	if (disk.news > 0) {
		disk.news--;
		return FAILED;
	}
	switch (number) {
	case IOC_PR_REGISTER:
		return register_key(
		    r->old_key, r->new_key, (r->flags & PR_FL_IGNORE_KEY) != 0);
	case IOC_PR_RESERVE:
	case IOC_PR_RELEASE:
		return reserve(arg, number == IOC_PR_RESERVE);
	case IOC_PR_PREEMPT_ABORT:
		if (disk.no_abort)
			return FAILED;
		return preempt(arg);
	case IOC_PR_PREEMPT:
		return preempt(arg);
	}
	ck_abort_msg("request 0x%lx", number);
	return -1;
}

/* Reservation Register with the action Unregister. */
static int
nvme(const struct nvme_passthru_cmd *c)
{
	uint64_t key;

	ck_assert_uint_eq(c->opcode, 0x0d);
	ck_assert_uint_eq(c->cdw10, 1);
	ck_assert_uint_eq(c->nsid, 7);
	ck_assert_uint_eq(c->data_len, NVME_DATA);
	memcpy(&key, (const void *)(uintptr_t)c->addr, sizeof(key));
	if (le64toh(key) != disk.registered)
		return 0x4083;
	remove_key(disk.registered);
	if (disk.view.holder == disk.registered)
		disk.view.reserved = false;
	disk.registered = 0;
	return 0;
}

int
ioctl(int fd, unsigned long number, ...)
{
	va_list ap;
	void *arg;
	int rc;

	ck_assert_int_eq(fd, 3);
	va_start(ap, number);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (number == FENCE_READ_KEYS) {
		struct fence_read_keys *k = arg;

		memcpy((void *)(uintptr_t)k->keys_ptr, disk.view.keys,
		    disk.view.nkeys * sizeof(uint64_t));
		k->num_keys = disk.view.nkeys;
		return 0;
	}
	if (number == FENCE_READ_RESERVATION) {
		struct fence_read_reservation *r = arg;

		r->key = disk.view.holder;
		r->type = disk.view.reserved ? PR_WRITE_EXCLUSIVE_REG_ONLY : 0;
		return 0;
	}
	if (number == NVME_IOCTL_IO_CMD)
		return nvme(arg);
	rc = out(number, arg);
	if (rc == 0 && disk.twice) {
		disk.twice = false;
		return FAILED;
	}
	return rc;
}

static void
setup(void)
{
	memset(&disk, 0, sizeof(disk));
	memset(&d, 0, sizeof(d));
	d.way = &fence_block;
	d.fd = 3;
	d.nsid = -1;
	d.is_open = true;
	d.id = US;
	d.key = A(1);
}

/* The peer has the disk. */
static void
peer(void)
{
	disk.view.nkeys = 1;
	disk.view.keys[0] = disk.view.holder = B(1);
	disk.view.reserved = true;
	disk.view.type = 5;
}

static void
take(void)
{
	ck_assert_int_eq(fence_disk_read(&d, &d.seen), 0);
	ck_assert_msg(
	    fence_disk_take(&d, FENCE_LIVING) == 0, "take: %s", d.why);
	ck_assert(fence_judge(&disk.view, US) == FENCE_HELD);
	ck_assert_uint_eq(disk.view.nkeys, 1);
}

START_TEST(a_disk_is_taken_kept_and_left)
{
	d.nsid = _i == 0 ? -1 : 7;
	peer();
	take();
	for (int i = 0; i < 3; i++) {
		uint64_t before = disk.view.holder;

		ck_assert_int_eq(fence_disk_keep(&d), 0);
		ck_assert_uint_ne(disk.view.holder, before);
	}
	ck_assert_int_eq(fence_disk_leave(&d), 0);
	ck_assert_uint_eq(disk.view.nkeys, 0);
	ck_assert(!disk.view.reserved);
}
END_TEST

START_TEST(news_comes_first)
{
	peer();
	disk.news = 3;
	take();
	disk.news = 3;
	ck_assert_int_eq(fence_disk_keep(&d), 0);
	disk.news = 3;
	ck_assert_int_eq(fence_disk_leave(&d), 0);
}
END_TEST

START_TEST(what_always_fails_ends)
{
	peer();
	disk.news = 1000;
	ck_assert_int_eq(fence_disk_read(&d, &d.seen), 0);
	ck_assert_int_ne(fence_disk_take(&d, FENCE_LIVING), 0);
	ck_assert_int_lt(disk.commands, 10);
	ck_assert_uint_eq(disk.view.holder, B(1));
}
END_TEST

START_TEST(a_disk_that_cannot_abort_is_preempted)
{
	peer();
	disk.no_abort = true;
	take();
}
END_TEST

/* The key has moved, and the command is sent again: no loss. */
START_TEST(an_answer_that_is_lost_is_no_loss)
{
	take();
	disk.twice = true;
	ck_assert_int_eq(fence_disk_keep(&d), 0);
	ck_assert_int_eq(fence_disk_keep(&d), 0);
	ck_assert(fence_judge(&disk.view, US) == FENCE_HELD);
}
END_TEST

START_TEST(a_registrant_with_the_key_0_is_not_overlooked)
{
	disk.view.nkeys = 1;
	disk.view.keys[0] = 0;
	ck_assert_int_eq(fence_disk_read(&d, &d.seen), -EBADMSG);
	ck_assert_int_eq(fence_disk_take(&d, FENCE_NOBODY), -EBADMSG);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fence_block");
	TCase *t = tcase_create("fence_block");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, a_disk_is_taken_kept_and_left, 0, 2);
	tcase_add_test(t, news_comes_first);
	tcase_add_test(t, what_always_fails_ends);
	tcase_add_test(t, a_disk_that_cannot_abort_is_preempted);
	tcase_add_test(t, an_answer_that_is_lost_is_no_loss);
	tcase_add_test(t, a_registrant_with_the_key_0_is_not_overlooked);
	suite_add_tcase(s, t);
	return suite_run(s);
}
