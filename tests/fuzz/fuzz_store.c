/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as failover.json: no crash, and what is made of them can be
 * written, is not too long, and reads back as the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/failover_store.h"
#include "../../daemon/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

void
log_line(int priority, const char *fmt, ...)
{
	(void)priority, (void)fmt;
}

static void
use(struct store *s)
{
	struct resource_order o = { .phase = PHASE_STORAGE, .up = 1 };
	struct resource_done d = { .ok = 1 };

	store_begin(s, "BACKUP", true, "fuzz", 1);
	store_order(s, &o, 2);
	store_mark(s, "addresses", true, 3);
	store_done(s, &d, 4);
	store_end(s, "MASTER", true, "", 5);
	json_decref(store_history(s, 3));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store s, back;
	char *text;

	if ((text = malloc(size + 1)) == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	if (store_init(&s, text) < 0)
		abort();
	free(text);
	use(&s);
	text = store_text(&s);
	if (text == NULL || strlen(text) >= STORE_TEXT_MAX)
		abort();
	if (store_init(&back, text) < 0 || back.disabled != s.disabled ||
	    back.timeout_s != s.timeout_s || back.master != s.master ||
	    back.next_id != s.next_id ||
	    json_array_size(back.history) != json_array_size(s.history)) {
		(void)fprintf(stderr, "not the same: %s\n", text);
		abort();
	}
	free(text);
	store_free(&s);
	store_free(&back);
	return 0;
}
