/* SPDX-License-Identifier: ISC */
/* Demotion with named causes. */
#include <errno.h>
#include <string.h>

#include <carp/carp.h>

#define AMOUNT_MAX 65535

/* The length of a name, or CARP_CAUSE_NAME_MAX if it does not end before. */
static size_t
name_len(const char *name)
{
	size_t n = 0;

	while (n < CARP_CAUSE_NAME_MAX && name[n] != '\0')
		n++;
	return n;
}

static void
drop(struct carp_demotion *d, unsigned i)
{
	d->n--;
	memmove(
	    &d->cause[i], &d->cause[i + 1], (d->n - i) * sizeof(d->cause[0]));
	memset(&d->cause[d->n], 0, sizeof(d->cause[0]));
}

int
carp_demotion_set(
    struct carp_demotion *d, const char *name, int amount, uint64_t until)
{
	size_t len = name_len(name);
	unsigned i;

	if (len == CARP_CAUSE_NAME_MAX)
		return -ENAMETOOLONG;
	if (len == 0 || amount > AMOUNT_MAX || amount < -AMOUNT_MAX)
		return -EINVAL;
	for (i = 0; i < d->n; i++)
		if (memcmp(d->cause[i].name, name, len + 1) == 0)
			break;
	if (amount == 0) {
		if (i < d->n)
			drop(d, i);
		return 0;
	}
	if (i == CARP_CAUSES_MAX)
		return -ENOSPC;
	if (i == d->n)
		d->n++;
	memcpy(d->cause[i].name, name, len + 1);
	d->cause[i].amount = amount;
	d->cause[i].until = until;
	return 0;
}

bool
carp_demotion_expire(struct carp_demotion *d, uint64_t now)
{
	unsigned before = d->n;

	for (unsigned i = d->n; i-- > 0;)
		if (d->cause[i].until != CARP_NEVER && now >= d->cause[i].until)
			drop(d, i);
	return d->n != before;
}

int
carp_demotion_sum(const struct carp_demotion *d)
{
	int sum = 0;

	for (unsigned i = 0; i < d->n; i++)
		sum += d->cause[i].amount;
	return sum;
}

uint64_t
carp_demotion_deadline(const struct carp_demotion *d)
{
	uint64_t first = CARP_NEVER;

	for (unsigned i = 0; i < d->n; i++)
		if (d->cause[i].until < first)
			first = d->cause[i].until;
	return first;
}
