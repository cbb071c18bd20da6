/* SPDX-License-Identifier: ISC */
/* Reservation data of SCSI and NVMe disks: good, short and contradictory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/fence_parse.h"
#include "suite.h"

static struct fence_view v;

/* A copy of the exact size, so that a read beyond it is noticed. */
static uint8_t *
exactly(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, data, len);
	return copy;
}

/* SPC-4: generation 7, 16 bytes of keys. */
static const uint8_t two_keys[] = { 0, 0, 0, 7, 0, 0, 0, 16, 0xaa, 0xaa, 0xaa,
	0xaa, 0, 0, 0, 1, 0xbb, 0xbb, 0xbb, 0xbb, 0, 0, 0, 2 };

START_TEST(keys_are_read)
{
	ck_assert_int_eq(fence_parse_keys(&v, two_keys, sizeof(two_keys)), 0);
	ck_assert_uint_eq(v.generation, 7);
	ck_assert_uint_eq(v.nkeys, 2);
	ck_assert_uint_eq(v.keys[0], UINT64_C(0xaaaaaaaa00000001));
	ck_assert_uint_eq(v.keys[1], UINT64_C(0xbbbbbbbb00000002));
}
END_TEST

START_TEST(keys_that_end_early)
{
	for (size_t n = 0; n < sizeof(two_keys); n++) {
		uint8_t *copy = exactly(two_keys, n);

		ck_assert_int_eq(fence_parse_keys(&v, copy, n), -EMSGSIZE);
		free(copy);
	}
}
END_TEST

START_TEST(keys_that_cannot_be)
{
	uint8_t data[sizeof(two_keys)];

	memcpy(data, two_keys, sizeof(data));
	data[7] = 15;
	ck_assert_int_eq(fence_parse_keys(&v, data, sizeof(data)), -EBADMSG);
	memset(data + 4, 0xff, 3);
	data[7] = 0xf8;
	ck_assert_int_eq(fence_parse_keys(&v, data, sizeof(data)), -EOVERFLOW);
}
END_TEST

static const uint8_t reservation[] = { 0, 0, 0, 7, 0, 0, 0, 16, 0xaa, 0xaa,
	0xaa, 0xaa, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0x05, 0, 0 };

START_TEST(reservations_are_read)
{
	uint8_t none[8] = { 0, 0, 0, 9 };

	ck_assert_int_eq(
	    fence_parse_reservation(&v, reservation, sizeof(reservation)), 0);
	ck_assert(v.reserved);
	ck_assert_uint_eq(v.holder, UINT64_C(0xaaaaaaaa00000001));
	ck_assert_uint_eq(v.type, 5);
	ck_assert_uint_eq(v.scope, 0);
	ck_assert_int_eq(fence_parse_reservation(&v, none, sizeof(none)), 0);
	ck_assert(!v.reserved);
	ck_assert_uint_eq(v.generation, 9);
}
END_TEST

START_TEST(reservations_that_end_early)
{
	uint8_t data[sizeof(reservation)];

	for (size_t n = 0; n < sizeof(reservation); n++) {
		uint8_t *copy = exactly(reservation, n);

		ck_assert_int_eq(
		    fence_parse_reservation(&v, copy, n), -EMSGSIZE);
		free(copy);
	}
	memcpy(data, reservation, sizeof(data));
	data[7] = 8;
	ck_assert_int_eq(
	    fence_parse_reservation(&v, data, sizeof(data)), -EBADMSG);
}
END_TEST

START_TEST(capabilities_are_read)
{
	uint8_t data[8] = { 0, 8, 0x01, 0x80, 0xea, 0x01 };
	bool lasts = false;

	ck_assert_int_eq(
	    fence_parse_capabilities(&lasts, data, sizeof(data)), 0);
	ck_assert(lasts);
	data[2] = 0x10;
	ck_assert_int_eq(
	    fence_parse_capabilities(&lasts, data, sizeof(data)), 0);
	ck_assert(!lasts);
	ck_assert_int_eq(fence_parse_capabilities(&lasts, data, 2), -EMSGSIZE);
	data[1] = 4;
	ck_assert_int_eq(
	    fence_parse_capabilities(&lasts, data, sizeof(data)), -EBADMSG);
}
END_TEST

/*
 * NVMe: generation 7, type 3, two registrants of which the second holds it;
 * with identifiers of 64 bits (24 bytes each) or 128 (64 bytes).
 */
static size_t
nvme(uint8_t *data, bool extended)
{
	size_t head = extended ? 64 : 24, each = extended ? 64 : 24;

	memset(data, 0x5a, head + 2 * each);
	data[0] = 7;
	data[1] = data[2] = data[3] = 0;
	data[4] = 3;
	data[5] = 2;
	data[6] = 0;
	for (size_t i = 0; i < 2; i++) {
		uint8_t *p = data + head + i * each;

		p[2] = (uint8_t)(0xf0 | i);
		p += extended ? 8 : 16;
		memset(p, 0, 4);
		p[0] = (uint8_t)(i + 1);
		memset(p + 4, i == 0 ? 0xaa : 0xbb, 4);
	}
	return head + 2 * each;
}

START_TEST(nvme_reports_are_read)
{
	uint8_t data[64 * 3];
	size_t len = nvme(data, _i);

	ck_assert_int_eq(fence_parse_nvme(&v, data, len, _i), 0);
	ck_assert_uint_eq(v.generation, 7);
	ck_assert(v.reserved);
	ck_assert_uint_eq(v.type, 5);
	ck_assert_uint_eq(v.nkeys, 2);
	ck_assert_uint_eq(v.keys[0], UINT64_C(0xaaaaaaaa00000001));
	ck_assert_uint_eq(v.holder, UINT64_C(0xbbbbbbbb00000002));
	for (size_t n = 0; n < len; n++) {
		uint8_t *copy = exactly(data, n);

		ck_assert_int_eq(fence_parse_nvme(&v, copy, n, _i), -EMSGSIZE);
		free(copy);
	}
	data[4] = 9;
	ck_assert_int_eq(fence_parse_nvme(&v, data, len, _i), -EBADMSG);
	data[4] = 0;
	data[6] = 0xff;
	ck_assert_int_eq(fence_parse_nvme(&v, data, len, _i), -EOVERFLOW);
}
END_TEST

START_TEST(types_are_numbered_in_two_ways)
{
	static const uint8_t scsi[] = { 1, 3, 5, 6, 7, 8 };

	for (uint32_t i = 0; i < sizeof(scsi); i++) {
		ck_assert_uint_eq(fence_type_from_linux(i + 1), scsi[i]);
		ck_assert_uint_eq(fence_type_to_linux(scsi[i]), i + 1);
	}
	ck_assert_uint_eq(fence_type_from_linux(0), 0);
	ck_assert_uint_eq(fence_type_from_linux(7), 0);
	ck_assert_uint_eq(fence_type_to_linux(2), 0);
}
END_TEST

static const struct {
	int status, rc;
} statuses[] = {
	{ 0, 0 }, { 0x18, -EBADE }, /* SCSI, and PR_STS_RESERVATION_CONFLICT */
	{ 0x83, -EBADE },	    /* NVMe */
	{ 0x4083, -EBADE },	    /* NVMe, and do not retry */
	{ 0x02, -EAGAIN },	    /* CHECK CONDITION, and PR_STS_IOERR */
	{ 0x08000002, -EAGAIN },    /* with DRIVER_SENSE of Linux before 5.14 */
	{ 0x08, -EIO },		    /* BUSY */
	{ 0x00070000, -EIO },	    /* DID_ERROR */
	{ 0x10000, -EIO },	    /* PR_STS_PATH_FAILED */
	{ 0xe0000, -EIO },	    /* PR_STS_RETRY_PATH_FAILURE */
	{ 0xf0000, -EIO },	    /* PR_STS_PATH_FAST_FAILED */
};

START_TEST(the_kernel_answers)
{
	ck_assert_int_eq(
	    fence_linux_status(statuses[_i].status), statuses[_i].rc);
}
END_TEST

static const struct {
	const char *why;
	int status, key, ascq, rc;
} answers[] = {
	{ "good", 0x00, 0, 0, 0 },
	{ "reservation conflict", 0x18, 0, 0, -EBADE },
	{ "busy", 0x08, 0, 0, -EBUSY },
	{ "task set full", 0x28, 0, 0, -EBUSY },
	{ "aborted by the one who preempts", 0x40, 0, 0, -EAGAIN },
	{ "registrations preempted", 0x02, 6, 0x2a05, -EAGAIN },
	{ "reservations preempted", 0x02, 6, 0x2a03, -EAGAIN },
	{ "reservations released", 0x02, 6, 0x2a04, -EAGAIN },
	{ "power on or reset", 0x02, 6, 0x2900, -EAGAIN },
	{ "aborted command", 0x02, 0xb, 0, -EAGAIN },
	{ "becoming ready", 0x02, 2, 0x0401, -EBUSY },
	{ "changes its controller", 0x02, 2, 0x040a, -EBUSY },
	{ "no medium", 0x02, 2, 0x3a00, -EIO },
	{ "unknown command", 0x02, 5, 0x2000, -EINVAL },
	{ "unknown service action", 0x02, 5, 0x2400, -EINVAL },
	{ "no room for a key", 0x02, 5, 0x5504, -ENOSPC },
	{ "medium error", 0x02, 3, 0x1100, -EIO },
	{ "hardware error", 0x02, 4, 0, -EIO },
	{ "check condition without sense", 0x02, 0, 0, -EIO },
	{ "ACA active", 0x30, 0, 0, -EIO },
	{ "cancelled by the library", 0x0f000000, 0, 0, -EIO },
};

START_TEST(the_disk_answers)
{
	ck_assert_msg(fence_scsi_status(answers[_i].status, answers[_i].key,
			  answers[_i].ascq) == answers[_i].rc,
	    "%s", answers[_i].why);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fence_parse");
	TCase *t = tcase_create("fence_parse");

	tcase_add_test(t, keys_are_read);
	tcase_add_test(t, keys_that_end_early);
	tcase_add_test(t, keys_that_cannot_be);
	tcase_add_test(t, reservations_are_read);
	tcase_add_test(t, reservations_that_end_early);
	tcase_add_test(t, capabilities_are_read);
	tcase_add_loop_test(t, nvme_reports_are_read, 0, 2);
	tcase_add_test(t, types_are_numbered_in_two_ways);
	add_rows(t, the_kernel_answers, statuses);
	add_rows(t, the_disk_answers, answers);
	suite_add_tcase(s, t);
	return suite_run(s);
}
