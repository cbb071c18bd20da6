/* SPDX-License-Identifier: ISC */
/* What the engine process may do, and which account it runs as. */
#include <sys/prctl.h>

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "privilege.h"

int
privilege_user(struct account *ret, const char *user, char *why, size_t len)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(user);
	if (pw == NULL) {
		(void)snprintf(why, len,
		    "there is no user \"%s\": create it with `useradd "
		    "--system %s', or name another with `user = ...' in the "
		    "node section or with -u",
		    user, user);
		return errno == 0 ? -ENOENT : -errno;
	}
	ret->uid = pw->pw_uid;
	ret->gid = pw->pw_gid;
	return 0;
}

int
privilege_group(gid_t *ret, const char *group, char *why, size_t len)
{
	const struct group *gr;

	errno = 0;
	gr = getgrnam(group);
	if (gr == NULL) {
		(void)snprintf(why, len,
		    "there is no group \"%s\" for the control socket: create "
		    "it with `groupadd --system %s', or name another with "
		    "`group = ...' in the node section",
		    group, group);
		return errno == 0 ? -ENOENT : -errno;
	}
	*ret = gr->gr_gid;
	return 0;
}

int
privilege_check(char *why, size_t len)
{
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) &&
	    capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_RAW))
		return 0;
	(void)snprintf(why, len,
	    "needs the capabilities CAP_NET_ADMIN and CAP_NET_RAW: run it as "
	    "root");
	return -EPERM;
}

static int
keep_few(bool lock)
{
	capng_clear(CAPNG_SELECT_BOTH);
	if (lock && capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
			CAP_IPC_LOCK) != 0)
		return -1;
	return capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
	    CAP_NET_ADMIN, CAP_NET_RAW, -1);
}

/* An account that we are already: nothing to change but the capabilities. */
static int
drop_in_place(char *why, size_t len)
{
	/* A user namespace may forbid it; then there are none to lose. */
	(void)setgroups(0, NULL);
	/* Without CAP_SETPCAP the bounding set has to stay. */
	(void)capng_apply(CAPNG_SELECT_BOUNDS);
	if (capng_apply(CAPNG_SELECT_CAPS) == 0)
		return 0;
	(void)snprintf(
	    why, len, "cannot drop capabilities: %s", strerror(errno));
	return -EPERM;
}

static int
drop_to(const struct account *a, char *why, size_t len)
{
	int rc, err;

	errno = 0;
	rc = capng_change_id((int)a->uid, (int)a->gid,
	    CAPNG_INIT_SUPP_GRP | CAPNG_CLEAR_BOUNDING | CAPNG_CLEAR_AMBIENT);
	if (rc == 0)
		return 0;
	err = errno;
	if (err == EINVAL)
		(void)snprintf(why, len,
		    "user id %u is not mapped in this user namespace: use "
		    "`user = root' (or -u root)",
		    (unsigned)a->uid);
	else
		(void)snprintf(why, len, "cannot become user id %u: %s",
		    (unsigned)a->uid, err != 0 ? strerror(err) : "libcap-ng");
	return err != 0 ? -err : -EPERM;
}

int
privilege_drop(const struct account *a, bool keep_lock, char *why, size_t len)
{
	int rc;

	if (keep_few(keep_lock) != 0) {
		(void)snprintf(why, len, "libcap-ng cannot read capabilities");
		return -EPERM;
	}
	if (a->uid == geteuid() && a->gid == getegid())
		rc = drop_in_place(why, len);
	else
		rc = drop_to(a, why, len);
	if (rc == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) {
		rc = -errno;
		(void)snprintf(why, len, "no_new_privs: %s", strerror(-rc));
	}
	return rc;
}
