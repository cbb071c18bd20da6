/* SPDX-License-Identifier: ISC */
/* Fills in the requests of linux/pr.h: pure. */
#include <string.h>

#include "fence_parse.h"
#include "fence_request.h"

static const unsigned long numbers[] = {
	[FENCE_OUT_REGISTER] = IOC_PR_REGISTER,
	[FENCE_OUT_RESERVE] = IOC_PR_RESERVE,
	[FENCE_OUT_RELEASE] = IOC_PR_RELEASE,
	[FENCE_OUT_CLEAR] = IOC_PR_CLEAR,
	[FENCE_OUT_PREEMPT] = IOC_PR_PREEMPT,
	[FENCE_OUT_PREEMPT_ABORT] = IOC_PR_PREEMPT_ABORT,
	[FENCE_OUT_REGISTER_IGNORE] = IOC_PR_REGISTER,
};

void
fence_request(struct fence_request *r, enum fence_out what, uint64_t key,
    uint64_t other, uint8_t type)
{
	uint32_t linux_type = fence_type_to_linux(type);

	memset(r, 0, sizeof(*r));
	r->number = numbers[what];
	switch (what) {
	case FENCE_OUT_REGISTER_IGNORE:
		/* The kernel tells NVMe to replace a key, or to add one. */
		r->arg.registration.flags = PR_FL_IGNORE_KEY;
		r->arg.registration.old_key = key;
		r->arg.registration.new_key = other;
		break;
	case FENCE_OUT_REGISTER:
		r->arg.registration.old_key = key;
		r->arg.registration.new_key = other;
		break;
	case FENCE_OUT_RESERVE:
	case FENCE_OUT_RELEASE:
		r->arg.reservation.key = key;
		r->arg.reservation.type = linux_type;
		break;
	case FENCE_OUT_PREEMPT:
	case FENCE_OUT_PREEMPT_ABORT:
		/* Whatever the names say: first our own key, then the one
		 * that goes, as in PERSISTENT RESERVE OUT. */
		r->arg.preempt.old_key = key;
		r->arg.preempt.new_key = other;
		r->arg.preempt.type = linux_type;
		break;
	case FENCE_OUT_CLEAR:
		r->arg.clear.key = key;
		break;
	}
}
