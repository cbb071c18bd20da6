/* SPDX-License-Identifier: ISC */
/* Which files of a directory are hooks that may be run. */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../daemon/hook_file.h"
#include "../../daemon/notify_dir.h"
#include "suite.h"

static const struct name_row {
	const char *name;
	bool ok;
} names[] = {
	{ "10-mail", true },
	{ "a", true },
	{ "A_b.sh", true },
	{ "bak", true },
	{ "dpkg-old", true },
	{ "", false },
	{ ".", false },
	{ "..", false },
	{ ".hidden", false },
	{ "a~", false },
	{ "a b", false },
	{ "a/b", false },
	{ "#a#", false },
	{ "a.bak", false },
	{ "a.dpkg-old", false },
	{ "a.dpkg-new", false },
	{ "\xc3\xa4", false },
};

START_TEST(names_of_hooks)
{
	ck_assert_msg(hook_file_name_ok(names[_i].name) == names[_i].ok, "%s",
	    names[_i].name);
}
END_TEST

static char top[32], path[64], said[512];

static void
setup(void)
{
	(void)snprintf(top, sizeof(top), "/tmp/carp-hooks-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	said[0] = '\0';
}

static void
add(const char *name, mode_t mode)
{
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", top, name);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	(void)close(fd);
}

static void
drop(const char *name)
{
	(void)snprintf(path, sizeof(path), "%s/%s", top, name);
	(void)unlink(path);
	(void)rmdir(path);
}

static void
teardown(void)
{
	static const char *const all[] = { "30", "20", "10", "10-link", "a" };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		drop(all[i]);
	(void)rmdir(top);
}

static void
complain(void *arg, const char *sentence)
{
	size_t n = strlen(said);

	(void)arg;
	(void)snprintf(said + n, sizeof(said) - n, "%s|", sentence);
}

static void
hooks(const char *want)
{
	struct notify_dir d = { 0 };
	char got[256] = "";

	notify_dir_read(&d, top, complain, NULL);
	for (size_t i = 0; i < d.n; i++) {
		strncat(got, d.names[i], 16);
		strncat(got, " ", 2);
	}
	notify_dir_clear(&d);
	ck_assert_str_eq(got, want);
}

START_TEST(in_the_order_of_their_names)
{
	add("30", 0755);
	add("10", 0700);
	add("20", 0555);
	hooks("10 20 30 ");
	ck_assert_str_eq(said, "");
}
END_TEST

static const struct mode_row {
	mode_t mode;
	const char *says; /* "": it is run */
} modes[] = {
	{ 0755, "" },
	{ 0700, "" },
	{ 04755, "" },
	{ 0644, "/a: is not executable: skipped; chmod +x|" },
	{ 0655, "/a: is not executable: skipped; chmod +x|" },
	{ 0775, "/a: is writable by its group: refused; chmod go-w|" },
	{ 0757, "/a: is writable by others: refused; chmod go-w|" },
	{ 0777, "/a: is writable by others: refused; chmod go-w|" },
};

START_TEST(modes_of_files)
{
	const struct mode_row *r = &modes[_i];
	char want[128] = "";

	add("a", r->mode);
	hooks(*r->says == '\0' ? "a " : "");
	if (*r->says != '\0')
		(void)snprintf(want, sizeof(want), "%s%s", top, r->says);
	ck_assert_str_eq(said, want);
}
END_TEST

START_TEST(a_directory_that_others_can_write)
{
	add("a", 0755);
	ck_assert_int_eq(chmod(top, 0777), 0);
	hooks("");
	ck_assert_ptr_nonnull(strstr(said, "is writable by others: refused"));
}
END_TEST

START_TEST(a_directory_above_that_others_can_write)
{
	char was[sizeof(top)];

	memcpy(was, top, sizeof(top));
	(void)strcat(top, "/10");
	ck_assert_int_eq(mkdir(top, 0755), 0);
	ck_assert_int_eq(chmod(was, 0777), 0);
	hooks("");
	memcpy(top, was, sizeof(top));
	ck_assert_ptr_nonnull(strstr(said, was));
	ck_assert_ptr_nonnull(strstr(said, "is writable by others: refused"));
}
END_TEST

START_TEST(a_link_counts_for_its_target)
{
	char to[64];

	add("a", 0777);
	(void)snprintf(to, sizeof(to), "%s/10-link", top);
	ck_assert_int_eq(symlink("a", to), 0);
	hooks("");
	ck_assert_ptr_nonnull(strstr(said, "/10-link: is writable by others"));
	add("a", 0755);
	hooks("10-link a ");
}
END_TEST

START_TEST(what_is_no_file)
{
	(void)snprintf(path, sizeof(path), "%s/10", top);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/20", top);
	ck_assert_int_eq(mkfifo(path, 0700), 0);
	hooks("");
	ck_assert_ptr_nonnull(strstr(said, "/20: is no regular file: refused"));
	ck_assert_ptr_null(strstr(said, "/10"));
}
END_TEST

START_TEST(no_directory_no_hooks)
{
	struct notify_dir d;

	notify_dir_read(&d, "/nowhere/at/all", complain, NULL);
	ck_assert_uint_eq(d.n, 0);
	ck_assert_str_eq(said, "");
	notify_dir_read(&d, "/etc/passwd", complain, NULL);
	ck_assert_uint_eq(d.n, 0);
	ck_assert_str_eq(said, "/etc/passwd: Not a directory|");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("notify_dir");
	TCase *t = tcase_create("files");

	tcase_add_checked_fixture(t, setup, teardown);
	add_rows(t, names_of_hooks, names);
	add_rows(t, modes_of_files, modes);
	tcase_add_test(t, in_the_order_of_their_names);
	tcase_add_test(t, a_directory_that_others_can_write);
	tcase_add_test(t, a_directory_above_that_others_can_write);
	tcase_add_test(t, a_link_counts_for_its_target);
	tcase_add_test(t, what_is_no_file);
	tcase_add_test(t, no_directory_no_hooks);
	suite_add_tcase(s, t);
	return suite_run(s);
}
