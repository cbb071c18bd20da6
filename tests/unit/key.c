/* SPDX-License-Identifier: ISC */
/* Passphrase files and hexadecimal keys. */
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/key.h"
#include "suite.h"

static char path[] = "/tmp/carp-key-XXXXXX";
static char why[256];
static uint8_t key[CARP_KEY_LEN];

static void
write_key(const char *text, size_t n, mode_t mode)
{
	FILE *fp;

	(void)unlink(path);
	fp = fopen(path, "w");
	ck_assert_ptr_nonnull(fp);
	ck_assert_uint_eq(fwrite(text, 1, n, fp), n);
	ck_assert_int_eq(fclose(fp), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

static void
make_path(void)
{
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(close(fd), 0);
	memset(key, 0xaa, sizeof(key));
	why[0] = '\0';
}

static void
remove_path(void)
{
	(void)unlink(path);
	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
}

static const struct file_row {
	const char *why, *text;
	size_t n;
	mode_t mode;
	int rc;
	const char *says; /* part of the sentence */
} files[] = {
	{ "a passphrase in a line", "s3cret\n", 7, 0600, 0, "" },
	{ "without its newline", "s3cret", 6, 0600, 0, "" },
	{ "read-only", "s3cret\n", 7, 0400, 0, "" },
	{ "its group may read", "s3cret\n", 7, 0640, 0, "" },
	{ "spaces count", " s3 cret \n", 10, 0600, 0, "" },
	{ "bytes above ASCII",
	    "gr\xc3\xbc\xc3\x9f"
	    "e\n",
	    8, 0600, 0, "" },
	{ "19 bytes", "0123456789abcdefghi\n", 20, 0600, 0, "" },
	{ "20 bytes", "0123456789abcdefghij\n", 21, 0600, -ENAMETOOLONG,
	    "key-hex" },
	{ "empty", "", 0, 0600, -EINVAL, "empty" },
	{ "an empty line", "\n", 1, 0600, -EINVAL, "empty" },
	{ "an empty first line", "\ns3cret\n", 8, 0600, -EINVAL, "lines" },
	{ "two lines", "s3cret\nmore\n", 12, 0600, -EINVAL, "lines" },
	{ "NUL", "s3\0cret\n", 8, 0600, -EINVAL, "NUL" },
	{ "a carriage return", "s3cret\r\n", 8, 0600, -EINVAL, "carriage" },
	{ "others may read", "s3cret\n", 7, 0604, -EPERM, "chmod 600" },
	{ "others may write", "s3cret\n", 7, 0602, -EPERM, "chmod 600" },
	{ "others may execute", "s3cret\n", 7, 0601, -EPERM, "chmod 600" },
	{ "its group may write", "s3cret\n", 7, 0620, -EPERM, "group" },
};

START_TEST(a_file_is_read_if_it_is_safe)
{
	const struct file_row *r = &files[_i];
	uint8_t want[CARP_KEY_LEN] = { 0 };
	size_t n = r->n;
	int rc;

	write_key(r->text, r->n, r->mode);
	rc = key_from_file(key, path, why, sizeof(why));
	ck_assert_msg(rc == r->rc, "%s: %d, %s", r->why, rc, why);
	ck_assert_msg(strstr(why, r->says) != NULL, "%s: %s", r->why, why);
	if (rc == 0) {
		n -= r->text[n - 1] == '\n';
		memcpy(want, r->text, n);
	} else {
		memset(want, 0xaa, sizeof(want));
	}
	ck_assert_msg(memcmp(key, want, sizeof(key)) == 0, "%s", r->why);
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
	ck_assert_int_eq(key_from_file(key, "/tmp", why, sizeof(why)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "regular"));
	ck_assert_int_eq(
	    key_from_file(key, "/dev/null", why, sizeof(why)), -EINVAL);
	(void)unlink(path);
	ck_assert_int_eq(key_from_file(key, path, why, sizeof(why)), -ENOENT);
	ck_assert_ptr_nonnull(strstr(why, "No such file"));
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(key_from_file(key, path, why, sizeof(why)), -EINVAL);
	ck_assert_uint_eq(key[0], 0xaa);
}
END_TEST

START_TEST(a_file_of_somebody_else_is_refused)
{
	if (geteuid() != 0)
		return; /* only root can give files away */
	write_key("s3cret\n", 7, 0600);
	if (chown(path, 1, 1) == -1)
		return; /* a namespace with root alone */
	ck_assert_int_eq(key_from_file(key, path, why, sizeof(why)), -EPERM);
	ck_assert_ptr_nonnull(strstr(why, "owner"));
}
END_TEST

static const struct hex_row {
	const char *hex;
	int rc;
	uint8_t first, last; /* byte */
} hexes[] = {
	{ "01", 0, 0x01, 0 },
	{ "aBcD", 0, 0xab, 0 },
	{ "0011223344556677889900112233445566778899", 0, 0x00, 0x99 },
	{ "001122334455667788990011223344556677889900", -ENAMETOOLONG, 0, 0 },
	{ "", -EINVAL, 0, 0 },
	{ "0", -EINVAL, 0, 0 },
	{ "012", -EINVAL, 0, 0 },
	{ "0x01", -EINVAL, 0, 0 },
	{ "01 02", -EINVAL, 0, 0 },
	{ "0g", -EINVAL, 0, 0 },
	{ "-1", -EINVAL, 0, 0 },
};

START_TEST(hexadecimal_keys)
{
	const struct hex_row *r = &hexes[_i];
	int rc = key_from_hex(key, r->hex, why, sizeof(why));

	ck_assert_msg(rc == r->rc, "%s: %d, %s", r->hex, rc, why);
	if (rc == 0) {
		ck_assert_uint_eq(key[0], r->first);
		ck_assert_uint_eq(key[CARP_KEY_LEN - 1], r->last);
	} else {
		ck_assert_uint_eq(key[0], 0xaa);
		ck_assert_uint_gt(strlen(why), 0);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("key");
	TCase *t = tcase_create("key");

	tcase_add_checked_fixture(t, make_path, remove_path);
	add_rows(t, a_file_is_read_if_it_is_safe, files);
	tcase_add_test(t, what_is_no_file_is_refused);
	tcase_add_test(t, a_file_of_somebody_else_is_refused);
	add_rows(t, hexadecimal_keys, hexes);
	suite_add_tcase(s, t);
	return suite_run(s);
}
