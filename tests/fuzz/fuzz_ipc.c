/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as a message between engine and supervisor: what is taken for
 * sound can be used without more checks, as an order for the plan of
 * resources or as a report of one.
 */
#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../daemon/ipc.h"
#include "../../daemon/resource_plan.h"

#define ITEMS	3
#define ACTIONS 1000

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct plan plan;

static void
make_plan(void)
{
	memset(&plan, 0, sizeof(plan));
	plan.n = ITEMS;
	for (unsigned i = 0; i < ITEMS; i++) {
		plan.item[i].phase = (enum conf_phase)i;
		plan.item[i].name[0] = (char)('a' + i);
	}
}

/* Every hook succeeds. */
static void
pump(void)
{
	struct resource_report r;
	struct plan_action a;

	for (int i = 0; plan_next(&plan, &a); i++) {
		if (i > ACTIONS)
			abort();
		if (a.what == PLAN_RUN)
			(void)plan_ended(
			    &plan, a.index, HOOK_OK, false, "", &r);
	}
}

static void
use(const struct ipc_msg *m)
{
	if (m->type == IPC_ORDER) {
		if (strlen(m->order.cause) >= sizeof(m->order.cause))
			abort();
		plan_order(&plan, &m->order);
	} else if (m->type == IPC_HARD) {
		plan_hard(&plan, m->text);
	} else if (m->type == IPC_REPORT) {
		if (strlen(m->report.name) >= CONF_RESOURCE_LEN ||
		    strlen(m->report.text) >= RESOURCE_TEXT ||
		    m->report.phase >= NPHASES)
			abort();
		(void)resource_state_name((enum resource_state)m->report.state);
	} else if (m->type == IPC_DONE) {
		if (strlen(m->done.text) >= RESOURCE_TEXT)
			abort();
	}
	pump();
}

/* The first byte is put over the type, for most are not sound. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ipc_msg m, got;
	int ends[2], fd;
	size_t len = size > 0 ? size - 1 : 0;

	if (size == 0 || ipc_pair(ends) < 0)
		return 0;
	make_plan();
	memset(&m, 0, sizeof(m));
	memcpy(&m, data + 1, len < sizeof(m) ? len : sizeof(m));
	if (data[0] % (IPC_NTYPES + 1) < IPC_NTYPES)
		m.type = data[0] % (IPC_NTYPES + 1);
	if (send(ends[0], &m,
		len < sizeof(m) && (data[0] & 0x80) != 0 ? len : sizeof(m),
		MSG_DONTWAIT) >= 0 &&
	    ipc_recv(ends[1], &got, &fd) == 1)
		use(&got);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return 0;
}
