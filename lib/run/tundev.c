/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The node is made anew, in a small file system of its own, and not bound from the host's /dev: there it belongs to the host's
 * root, often to that alone (mode 0600), who is nobody in the VE. Who opens it gets interfaces of their own network namespace
 * only, and needs CAP_NET_ADMIN there (tun_set_iff in drivers/net/tun.c).
 */
#include "run/tundev.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/guard.h"
#include "sys/syscalls.h"

enum { MISC_MAJOR = 10, TUN_MINOR = 200 };

const struct cg_device tundev_rule = { 'c', MISC_MAJOR, TUN_MINOR };

static int make_tmpfs(void)
{
	_cleanup_close_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", "4k", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "8", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	int mnt = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	return mnt < 0 ? -errno : mnt;
}

static int make_node(int dir, uint32_t owner)
{
	struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };
	if (mknodat(dir, "tun", S_IFCHR | 0666, makedev(MISC_MAJOR, TUN_MINOR)) < 0 || fchmodat(dir, "tun", 0666, 0) < 0 ||
	    fchownat(dir, "tun", owner, owner, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchownat(dir, "", owner, owner, AT_EMPTY_PATH) < 0)
		return -errno;
	/* The VE's root shall keep nothing in there. */
	return mount_setattr(dir, "", AT_EMPTY_PATH, &readonly, sizeof(readonly)) < 0 ? -errno : 0;
}

int tundev_mount(uint32_t owner, int *ret_mount, ve_error **ret_error)
{
	_cleanup_close_ int mnt = make_tmpfs();
	int r = mnt < 0 ? mnt : make_node(mnt, owner);
	if (r < 0)
		return err_sys(ret_error, -r, "devices", "cannot make the device '/dev/net/tun'");
	/* Opening it loads the module where that is how the host has it. */
	_cleanup_close_ int tun = openat(mnt, "tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (tun < 0) {
		r = err_plain(ret_error, VE_ERR_UNSUPPORTED, errno, "devices", "the kernel knows no TUN and TAP interfaces");
		err_hint(ret_error, "load the module tun, or use a kernel with CONFIG_TUN");
		return r;
	}
	*ret_mount = steal_fd(&mnt);
	return 0;
}
