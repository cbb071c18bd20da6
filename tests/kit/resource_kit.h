/* SPDX-License-Identifier: ISC */
/*
 * What a test of resources stands on: a directory, hooks that are shell, a
 * configuration made by hand, a loop that waits for conditions.
 */
#ifndef TESTS_KIT_RESOURCE_KIT_H
#define TESTS_KIT_RESOURCE_KIT_H

#include <event2/event.h>

#include "../../daemon/resource.h"
#include "../unit/suite.h"

#define KIT_MAX 256

struct kit {
	char top[64], hooks[96], state[96], out[96], resort[96];
	struct event_base *base;
	struct event *child;
	struct resources *r;
	struct resource_report report[KIT_MAX];
	struct resource_done done[KIT_MAX];
	unsigned nreports, ndone, nresorts, nidle;
	char reason[RESOURCE_TEXT];
};

extern struct kit kit;

void kit_setup(void);
void kit_teardown(void);

/*
 * In a process space of its own, where nobody can restart the machine; returns
 * only there.
 */
void kit_cage(void);

/* The configuration: resources are added, then it is given to resource_*. */
void kit_clear(void);
struct conf_resource *kit_add(enum conf_phase, const char *name);
void kit_set(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
struct conf *kit_conf(void);
struct conf_resource *kit_last_added(void);
void kit_no_program(void); /* of the last resort */
void kit_start(void);	   /* without waiting */
void kit_configure(void);  /* until it is known what is here */

/* Orders; the id is returned. */
uint32_t kit_order(enum conf_phase, bool up, enum resource_mode);
const struct resource_done *kit_answer(uint32_t id); /* NULL: none yet */
const struct resource_done *kit_do(
    enum conf_phase, bool up, enum resource_mode);

/* A fence and what it keeps; configures all that was added, starts those. */
void kit_fence_and_storage(void);
void kit_both_up(void);

/* Goes round until it holds, 10 s at most. */
#define kit_wait(condition)                                                    \
	do {                                                                   \
		uint64_t until_ = kit_now() + UINT64_C(10000000000);           \
		while (!(condition) && kit_now() < until_)                     \
			kit_turn();                                            \
		ck_assert_msg((condition), "not in time: %s\n%s", #condition,  \
		    kit_out());                                                \
	} while (0)

uint64_t kit_now(void);
void kit_turn(void);

/* The newest state of one of the resources, by its reports. */
enum resource_state kit_state(unsigned i);
const struct resource_report *kit_last(unsigned i, enum resource_verb);

/* What the hooks wrote; whether it has this line, and where. */
const char *kit_out(void);
int kit_line(const char *line); /* -1: not there */
unsigned kit_count(const char *line);
const char *kit_path(const char *name); /* in top */
bool kit_file(const char *name);
void kit_touch(const char *name);
long kit_number(const char *name); /* that is in the file; 0: none */
bool kit_dead(pid_t);

#endif
