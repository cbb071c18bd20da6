/* SPDX-License-Identifier: ISC */
/* Loads a configuration and checks it against this machine, as carpd does. */
#include <stdlib.h>
#include <string.h>

#include "../../daemon/conf.h"

int
main(int argc, char **argv)
{
	enum conf_result result;
	struct conf *c = NULL;
	struct vip *v;
	int rc;

	if (argc != 2) {
		fprintf(stderr, "usage: conf_check FILE\n");
		return CONF_USAGE;
	}
	if ((result = conf_load(&c, argv[1], stdout)) != CONF_OK)
		return (int)result;
	if ((rc = vip_new(&v)) != 0) {
		printf("vip_new: %s\n", strerror(-rc));
		free(c);
		return CONF_FAILED;
	}
	result = conf_check(c, v, stdout);
	vip_free(v);
	free(c);
	return (int)result;
}
