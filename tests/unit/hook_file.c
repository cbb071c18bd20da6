/* SPDX-License-Identifier: ISC */
/* Where a hook is found, and what is not run. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../daemon/hook_file.h"
#include "suite.h"

static char top[32], first[64], second[64], found[128], why[256];
static const char *const dirs[] = { first, second };

static void
setup(void)
{
	(void)snprintf(top, sizeof(top), "/tmp/carp-hooks-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	(void)snprintf(first, sizeof(first), "%s/first", top);
	(void)snprintf(second, sizeof(second), "%s/second", top);
}

static void
teardown(void)
{
	char path[128];

	for (int i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/zfs", dirs[i]);
		(void)unlink(path);
		(void)unlink(dirs[i]);
		(void)rmdir(dirs[i]);
	}
	(void)snprintf(path, sizeof(path), "%s/way/to/zfs", top);
	for (size_t n = strlen(path); n > strlen(top);
	     n = (size_t)(strrchr(path, '/') - path)) {
		path[n] = '\0';
		(void)unlink(path);
		(void)rmdir(path);
	}
	(void)rmdir(top);
}

/* A hook with these rights, in a directory with those. */
static void
put(const char *dir, mode_t dir_mode, mode_t mode)
{
	char path[128];
	int fd;

	(void)mkdir(dir, 0755);
	(void)snprintf(path, sizeof(path), "%s/zfs", dir);
	if (mode != 0) {
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		ck_assert_int_ne(fd, -1);
		ck_assert_int_eq(fchmod(fd, mode), 0);
		(void)close(fd);
	}
	ck_assert_int_eq(chmod(dir, dir_mode), 0);
}

static int
find(const char *name)
{
	return hook_file_find(
	    found, sizeof(found), dirs, 2, name, why, sizeof(why));
}

START_TEST(the_first_that_has_it)
{
	put(second, 0755, 0755);
	ck_assert_int_eq(find("zfs"), 0);
	ck_assert_mem_eq(found, second, strlen(second));
	put(first, 0755, 0700);
	ck_assert_int_eq(find("zfs"), 0);
	ck_assert_mem_eq(found, first, strlen(first));
	ck_assert_int_eq(find("mount"), -ENOENT);
	ck_assert_ptr_nonnull(strstr(why, "there is no hook mount in "));
	ck_assert_ptr_nonnull(strstr(why, " nor in "));
}
END_TEST

static const struct row {
	mode_t dir, file;
	const char *why;
} rows[] = {
	{ 0777, 0755, "first is writable by others" },
	{ 0775, 0755, "first is writable by its group" },
	{ 0755, 0757, "zfs is writable by others" },
	{ 0755, 0775, "zfs is writable by its group" },
	{ 0755, 0644, "zfs is not executable" },
};

/* What is meant is not replaced by another one, either. */
START_TEST(what_is_refused)
{
	const struct row *r = &rows[_i];

	put(first, r->dir, r->file);
	put(second, 0755, 0755);
	ck_assert_int_eq(find("zfs"), -EACCES);
	ck_assert_msg(strstr(why, r->why) != NULL, "%s", why);
}
END_TEST

START_TEST(of_another_owner)
{
	char path[128];

	if (geteuid() != 0)
		return;
	put(first, 0755, 0755);
	(void)snprintf(path, sizeof(path), "%s/zfs", first);
	ck_assert_int_eq(chown(path, 12345, 0), 0);
	ck_assert_int_eq(find("zfs"), -EACCES);
	ck_assert_ptr_nonnull(strstr(why, "is not owned by root"));
	ck_assert_int_eq(chown(path, 0, 0), 0);
	ck_assert_int_eq(chown(first, 12345, 0), 0);
	ck_assert_int_eq(find("zfs"), -EACCES);
}
END_TEST

/* `first' is a link to top/way/to. */
static void
put_behind_link(void)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/way", top);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	(void)strcat(path, "/to");
	put(path, 0755, 0755);
	ck_assert_int_eq(symlink("./way/../way//to/", first), 0);
	ck_assert_int_eq(find("zfs"), 0);
}

static const struct way_row {
	const char *dir; /* below top */
	mode_t mode;
	const char *why; /* NULL: it is found */
} ways[] = {
	{ "", 0777, "is writable by others" },
	{ "", 0775, "is writable by others" },
	{ "", 01777, NULL },
	{ "/way", 0757, "/way is writable by others" },
	{ "/way", 01777, NULL },
	{ "/way/to", 01777, "first is writable by others" },
	{ "/way/to", 0755, NULL },
};

/* Who may rename a directory may put another one in its place. */
START_TEST(every_directory_on_the_way)
{
	const struct way_row *r = &ways[_i];
	char path[64];

	put_behind_link();
	(void)snprintf(path, sizeof(path), "%s%s", top, r->dir);
	ck_assert_int_eq(chmod(path, r->mode), 0);
	ck_assert_int_eq(find("zfs"), r->why != NULL ? -EACCES : 0);
	if (r->why != NULL)
		ck_assert_msg(strstr(why, r->why) != NULL, "%s", why);
}
END_TEST

START_TEST(links_on_the_way)
{
	char file[64];

	put_behind_link();
	/* A file that is a link out of there. */
	put(second, 0755, 0755);
	(void)snprintf(file, sizeof(file), "%s/way/to/zfs", top);
	ck_assert_int_eq(unlink(file), 0);
	ck_assert_int_eq(symlink("../../second/zfs", file), 0);
	ck_assert_int_eq(find("zfs"), 0);
	ck_assert_int_eq(chmod(second, 0777), 0);
	ck_assert_int_eq(find("zfs"), -EACCES);
	ck_assert_ptr_nonnull(strstr(why, "second is writable by others"));
	ck_assert_int_eq(chmod(second, 0755), 0);
	if (geteuid() == 0) {
		ck_assert_int_eq(lchown(first, 12345, 0), 0);
		ck_assert_int_eq(find("zfs"), -EACCES);
		ck_assert_ptr_nonnull(strstr(why, "first is not owned by"));
		ck_assert_int_eq(lchown(first, 0, 0), 0);
	}
	/* In a circle. */
	ck_assert_int_eq(unlink(first), 0);
	ck_assert_int_eq(symlink("first", first), 0);
	ck_assert_int_eq(hook_file_way(first, why, sizeof(why)), -ELOOP);
}
END_TEST

START_TEST(names_that_lead_elsewhere)
{
	put(first, 0755, 0755);
	ck_assert_int_eq(find("../first/zfs"), -EINVAL);
	ck_assert_int_eq(find(".."), -EINVAL);
	ck_assert_int_eq(find(""), -EINVAL);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("hook_file");
	TCase *t = tcase_create("find");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_first_that_has_it);
	add_rows(t, what_is_refused, rows);
	tcase_add_test(t, of_another_owner);
	add_rows(t, every_directory_on_the_way, ways);
	tcase_add_test(t, links_on_the_way);
	tcase_add_test(t, names_that_lead_elsewhere);
	suite_add_tcase(s, t);
	return suite_run(s);
}
