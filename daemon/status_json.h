/* SPDX-License-Identifier: ISC */
/* Virtual hosts, interfaces and demotion as JSON, for carp.status. */
#ifndef CARPD_STATUS_JSON_H
#define CARPD_STATUS_JSON_H

#include "instance.h"

/*
 * Into an object whose keys are constants; without memory the member is
 * missing.
 */
void status_put(json_t *object, const char *key, json_t *value);

/* Text from anywhere: bytes that are no UTF-8 become '?'. */
void status_put_text(json_t *object, const char *key, const char *text);
json_t *status_text(const char *);

/* The condition of a host that keeps it from working, if it has one. */
bool status_trouble(struct carp_condition_info *ret, const struct carp_host *);

/* All return NULL without memory. */
json_t *status_hosts(struct instance *, uint64_t now);
json_t *status_interfaces(struct carp_engine *);
json_t *status_demotion(const struct carp_demotion *, uint64_t now);

/* What carp.show says of a host. */
json_t *status_show(
    const struct carp_engine *, const struct carp_host *, uint64_t now);

#endif
