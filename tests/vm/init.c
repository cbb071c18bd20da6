/* SPDX-License-Identifier: ISC */
/*
 * The first process of the virtual machine of tests/vm/run.sh, alone in its
 * initramfs: loads the modules in /modules by the numbers in their names,
 * mounts the root of the machine outside (read only, over 9p) with a layer of
 * memory above it, and becomes /sbin/guest there.
 */
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULES_MAX 100
#define NINE_P	    "trans=virtio,version=9p2000.L,msize=512000,cache=loose"

static void
fail(const char *what)
{
	printf("vm: init: %s: %s\n", what, strerror(errno));
	(void)reboot(RB_POWER_OFF);
	for (;;)
		(void)pause();
}

static void
load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1 || (syscall(SYS_finit_module, fd, "", 0) == -1 &&
			    errno != EEXIST))
		fail(path);
	(void)close(fd);
}

static void
attach(const char *what, const char *where, const char *type, const char *opt)
{
	(void)mkdir(where, 0755);
	if (mount(what, where, type, 0, opt) == -1)
		fail(where);
}

int
main(void)
{
	char path[64];

	attach("dev", "/dev", "devtmpfs", NULL);
	for (int i = 0; i < MODULES_MAX; i++) {
		(void)snprintf(path, sizeof(path), "/modules/%d", i);
		if (access(path, F_OK) == 0)
			load(path);
	}
	attach("root", "/lower", "9p", NINE_P);
	attach("memory", "/upper", "tmpfs", "size=75%");
	(void)mkdir("/upper/up", 0755);
	(void)mkdir("/upper/work", 0755);
	attach("root", "/new", "overlay",
	    "lowerdir=/lower,upperdir=/upper/up,workdir=/upper/work");
	attach("dev", "/new/dev", "devtmpfs", NULL);
	attach("proc", "/new/proc", "proc", NULL);
	attach("sys", "/new/sys", "sysfs", NULL);
	attach("run", "/new/run", "tmpfs", "mode=755");
	if (chroot("/new") == -1 || chdir("/") == -1)
		fail("chroot");
	attach("guest", "/run/guest", "9p", NINE_P);
	(void)execl("/bin/bash", "bash", "/run/guest/guest.sh", (char *)NULL);
	fail("/run/guest/guest.sh");
}
