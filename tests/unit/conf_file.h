/* SPDX-License-Identifier: ISC */
/* Configuration files for unit tests: written, loaded, and what was said. */
#ifndef TESTS_CONF_FILE_H
#define TESTS_CONF_FILE_H

#include <unistd.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/conf.h"

static char file[] = "/tmp/carp-conf-XXXXXX";
static char *said;

static void
make_file(void)
{
	int fd = mkstemp(file);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(close(fd), 0);
	said = NULL;
}

static void
remove_file(void)
{
	(void)unlink(file);
	memcpy(file + sizeof(file) - 7, "XXXXXX", 6);
	free(said);
}

static enum conf_result
from_text(struct conf **ret, const char *text)
{
	enum conf_result result;
	size_t n;
	FILE *fp = fopen(file, "w");

	ck_assert_ptr_nonnull(fp);
	ck_assert_int_ge(fputs(text, fp), 0);
	ck_assert_int_eq(fclose(fp), 0);
	free(said);
	said = NULL;
	fp = open_memstream(&said, &n);
	ck_assert_ptr_nonnull(fp);
	result = conf_load(ret, file, fp);
	fclose(fp);
	return result;
}

#endif
