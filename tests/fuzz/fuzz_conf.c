/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as a configuration file: what is accepted must hold together, and
 * what is refused must be said.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/conf_draft.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static enum conf_result
load(struct conf **ret, const uint8_t *data, size_t len, size_t *said)
{
	enum conf_result result;
	char *buf = malloc(len + 1), *text = NULL;
	FILE *errors = open_memstream(&text, said);

	if (buf == NULL || errors == NULL)
		abort();
	if (len > 0)
		memcpy(buf, data, len);
	/* Key files with a relative path are not found. */
	result = conf_from_buffer(
	    ret, "/nonexistent/fuzz.conf", true, buf, len, errors);
	fclose(errors);
	free(text);
	free(buf);
	return result;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct conf *c = NULL, *again = NULL;
	enum conf_result result;
	size_t said = 0;

	result = load(&c, data, len, &said);
	if (result != CONF_OK) {
		assert(c == NULL && said > 0);
		return 0;
	}
	assert(c != NULL && said == 0 && c->nhosts > 0);
	assert(conf_verify(c, c->size) == 0);
	if (load(&again, data, len, &said) != CONF_OK)
		abort();
	assert(conf_equal(c, again));
	free(again);
	free(c);
	return 0;
}
