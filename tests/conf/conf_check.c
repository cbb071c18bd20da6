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
	const char *const hooks[2] = { argv[2], argv[argc > 2 ? 3 : 2] };
	int rc;

	if (argc != 2 && argc != 4) {
		fprintf(stderr, "usage: conf_check FILE [HOOKS HOOKS]\n");
		return CONF_USAGE;
	}
	if ((result = conf_load(&c, argv[1], stdout)) != CONF_OK)
		return (int)result;
	if ((rc = vip_new(&v)) != 0) {
		printf("vip_new: %s\n", strerror(-rc));
		free(c);
		return CONF_FAILED;
	}
	result = conf_check(c, v, argc > 2 ? hooks : NULL, stdout);
	vip_free(v);
	free(c);
	return (int)result;
}
