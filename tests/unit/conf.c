/* SPDX-License-Identifier: ISC */
/* The command line as configuration. */
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_file.h"
#include "suite.h"

static char keyfile[] = "/tmp/carp-conf-key-XXXXXX";
static const char *one_addr[] = { "192.0.2.10/24" };

static void
make_files(void)
{
	int fd = mkstemp(keyfile);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "s3cret\n", 7), 7);
	ck_assert_int_eq(close(fd), 0);
	make_file();
}

static void
remove_files(void)
{
	(void)unlink(keyfile);
	memcpy(keyfile + sizeof(keyfile) - 7, "XXXXXX", 6);
	remove_file();
}

static enum conf_result
from_args(struct conf **ret, const struct conf_args *a)
{
	enum conf_result result;
	size_t n;
	FILE *fp;

	free(said);
	said = NULL;
	fp = open_memstream(&said, &n);
	ck_assert_ptr_nonnull(fp);
	result = conf_from_args(ret, a, fp);
	fclose(fp);
	return result;
}

/* What every command line of these tests has. */
static struct conf_args
least(void)
{
	struct conf_args a = { .ifname = "eth0",
		.vhid = "10",
		.keyfile = keyfile,
		.addrs = one_addr,
		.naddrs = 1 };

	return a;
}

START_TEST(the_command_line_alone)
{
	const char *addrs[] = { "192.0.2.10/24", "2001:db8::10/64" };
	const char *peers[] = { "192.0.2.2", "2001:db8::2" };
	struct conf_args a = least();
	const struct conf_host *h;
	struct conf *c = NULL;

	a.addrs = addrs;
	a.naddrs = 2;
	a.peers = peers;
	a.npeers = 2;
	a.advbase = "2";
	a.advskew = "100";
	a.user = "nobody";
	a.lease = "off";
	a.preempt = a.vmac = a.allow_foreign_subnet = true;
	ck_assert_int_eq(from_args(&c, &a), CONF_OK);
	ck_assert_str_eq(said, "");
	ck_assert_int_eq(conf_verify(c, c->size), 0);
	ck_assert_str_eq(c->file, "");
	ck_assert_str_eq(c->user, "nobody");
	ck_assert_str_eq(c->notify_dir, "");
	ck_assert_int_eq(c->link_demotion, 240);
	ck_assert_uint_eq(c->realtime, 0);
	ck_assert_uint_eq(c->nhosts, 1);
	h = conf_hosts(c);
	ck_assert_str_eq(h->ifname, "eth0");
	ck_assert_uint_eq(h->carp.vhid, 10);
	ck_assert_uint_eq(h->carp.advbase, 2);
	ck_assert_uint_eq(h->carp.advskew, 100);
	ck_assert_uint_eq(h->carp.preempt, 1);
	ck_assert_int_eq(memcmp(h->carp.key, "s3cret\0", 7), 0);
	ck_assert_uint_eq(h->vmac, 1);
	ck_assert_uint_eq(h->lease, VIP_LEASE_OFF);
	ck_assert_uint_eq(h->allow_foreign_subnet, 1);
	ck_assert_uint_eq(h->naddrs, 2);
	ck_assert_uint_eq(h->npeers, 2);
	ck_assert_uint_eq(conf_pool(c)[h->peers + 1].family, 6);
	free(c);
}
END_TEST

/* One thing wrong with the least command line. */
static const struct arg_row {
	size_t member; /* offset of the string in conf_args */
	const char *value;
	enum conf_result want;
	const char *says;
} wrong_args[] = {
#define ARG(m) offsetof(struct conf_args, m)
	{ ARG(ifname), NULL, CONF_USAGE, "command line: -i INTERFACE is" },
	{ ARG(vhid), NULL, CONF_USAGE, "command line: -v VHID is" },
	{ ARG(keyfile), NULL, CONF_USAGE, "command line: -P KEYFILE is" },
	{ ARG(ifname), "a/b", CONF_SENSE, "-i: interface name `a/b'" },
	{ ARG(ifname), "", CONF_SENSE, "-i: interface name `'" },
	{ ARG(vhid), "ten", CONF_USAGE, "-v: vhid `ten'" },
	{ ARG(vhid), "256", CONF_SENSE, "-v: vhid 256" },
	{ ARG(keyfile), "/nonexistent", CONF_NOFILE, "-P: passphrase file" },
	{ ARG(keyfile), "", CONF_SENSE, "-P: passphrase-file is empty" },
	{ ARG(advbase), "1s", CONF_USAGE, "-b: advbase `1s'" },
	{ ARG(advbase), "", CONF_USAGE, "-b: advbase `'" },
	{ ARG(advbase), "0", CONF_SENSE, "-b: advbase 0" },
	{ ARG(advskew), "255", CONF_SENSE, "-k: advskew 255" },
	{ ARG(lease), "on", CONF_USAGE, "-l: lease `on'" },
	{ ARG(user), "a:b", CONF_SENSE, "-u: user `a:b'" },
#undef ARG
};

START_TEST(what_is_wrong_names_its_option)
{
	const struct arg_row *r = &wrong_args[_i];
	struct conf_args a = least();
	struct conf *c = NULL;
	enum conf_result result;

	memcpy((char *)&a + r->member, &r->value, sizeof(r->value));
	result = from_args(&c, &a);
	ck_assert_msg(result == r->want, "%s: %d", said, result);
	ck_assert_msg(strncmp(said, r->says, strlen(r->says)) == 0, "%s", said);
	ck_assert_ptr_null(c);
}
END_TEST

START_TEST(addresses_of_the_command_line)
{
	const char *addrs[] = { "192.0.2.10", "nowhere/24", "192.0.2.11/24",
		"192.0.2.11/24" };
	const char *peers[] = { "192.0.2.2/24" };
	struct conf_args a = least();
	struct conf *c = NULL;

	a.addrs = addrs;
	a.naddrs = 4;
	a.peers = peers;
	a.npeers = 1;
	ck_assert_int_eq(from_args(&c, &a), CONF_SENSE);
	ck_assert_ptr_nonnull(strstr(said, "-a: address 192.0.2.10 has no"));
	ck_assert_ptr_nonnull(strstr(said, "-a: address `nowhere/24'"));
	ck_assert_ptr_nonnull(strstr(said, "-a: address 192.0.2.11 is there"));
	ck_assert_ptr_nonnull(strstr(said, "-r: peer 192.0.2.2/24 has"));
	a.naddrs = 0;
	ck_assert_int_eq(from_args(&c, &a), CONF_USAGE);
	ck_assert_ptr_null(c);
}
END_TEST

START_TEST(a_failure_leaves_the_pointer_alone)
{
	struct conf *c = (struct conf *)&file;

	ck_assert_int_eq(from_text(&c, "nonsense"), CONF_SYNTAX);
	ck_assert_ptr_eq(c, &file);
	ck_assert_int_eq(conf_load(&c, "/nonexistent", NULL), CONF_NOFILE);
	ck_assert_ptr_eq(c, &file);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("conf");
	TCase *t = tcase_create("conf");

	tcase_add_checked_fixture(t, make_files, remove_files);
	tcase_add_test(t, the_command_line_alone);
	add_rows(t, what_is_wrong_names_its_option, wrong_args);
	tcase_add_test(t, addresses_of_the_command_line);
	tcase_add_test(t, a_failure_leaves_the_pointer_alone);
	suite_add_tcase(s, t);
	return suite_run(s);
}
