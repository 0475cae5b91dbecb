/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/devnodes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"
#include "run/hostdevice.h"
#include "sys/syscalls.h"

/* Both give who opens them something of his own: an interface of his network namespace (and he needs CAP_NET_ADMIN there,
 * tun_set_iff in drivers/net/tun.c); a connection that file systems of his user namespace are mounted with. */
static const struct feature {
	const char *key, *path;
	unsigned major, minor;
	const char *absent, *hint;
} features[] = {
	{ "features.tun", "/dev/net/tun", 10, 200, "the kernel knows no TUN and TAP interfaces",
	  "load the module tun, or use a kernel with CONFIG_TUN" },
	{ "features.fuse", "/dev/fuse", 10, 229, "the kernel knows no file systems in user space",
	  "load the module fuse, or use a kernel with CONFIG_FUSE_FS" },
};
_Static_assert(ARRAY_SIZE(features) == DEVNODES_FEATURES, "all of them at once");

static int make_tmpfs(void)
{
	_cleanup_close_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", "4k", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "128", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	int mnt = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	return mnt < 0 ? -errno : mnt;
}

/* Below /dev. */
static const char *name_in(const char *path)
{
	return path + strlen("/dev/");
}

static int make_parents(int dir, const char *name)
{
	char above[DEVICESPEC_PATH_SIZE];
	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(above, sizeof(above), "%.*s", (int)(slash - name), name);
		if (mkdirat(dir, above, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int make_node(int dir, const char *name, mode_t mode, dev_t number, uint32_t owner)
{
	int r = make_parents(dir, name);
	if (r < 0)
		return r;
	/* The mode once more, whatever the umask is. */
	if (mknodat(dir, name, mode, number) < 0 || fchmodat(dir, name, mode & 0777, 0) < 0 ||
	    fchownat(dir, name, owner, owner, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

static int add_node(struct devnodes *d, const char *path, mode_t mode, dev_t number, uint32_t owner, ve_error **ret_error)
{
	if (d->mount < 0)
		d->mount = make_tmpfs();
	int r = d->mount < 0 ? d->mount : make_node(d->mount, name_in(path), mode, number, owner);
	if (r < 0)
		return err_sys(ret_error, -r, "devices", "cannot make the device '%s'", path);
	snprintf(d->paths[d->n], sizeof(d->paths[d->n]), "%s", path);
	d->n++;
	return 0;
}

static int add(struct devnodes *d, const char *path, struct cg_device rule, mode_t mode, uint32_t owner, ve_error **ret_error)
{
	int r = add_node(d, path, mode, makedev(rule.major, (unsigned)rule.minor), owner, ret_error);
	if (r == 0)
		d->rules[d->n_rules++] = rule;
	return r;
}

static int add_feature(struct devnodes *d, const struct feature *f, uint32_t owner, ve_error **ret_error)
{
	int r = add(d, f->path, (struct cg_device){ 'c', f->major, f->minor }, S_IFCHR | 0666, owner, ret_error);
	if (r < 0)
		return r;
	/* Opening it loads the module where that is how the host has it. */
	_cleanup_close_ int fd = openat(d->mount, name_in(f->path), O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		return 0;
	r = err_plain(ret_error, VE_ERR_UNSUPPORTED, errno, "devices", "%s", f->absent);
	err_hint(ret_error, "%s", f->hint);
	return r;
}

/* Not opened: with some, that alone does something. */
static int add_device(struct devnodes *d, const char *text, uint32_t owner, ve_error **ret_error)
{
	struct devicespec spec;
	struct hostdevice device;
	int r = devicespec_parse(text, &spec, ret_error);
	if (r == 0)
		r = hostdevice_find(&spec, &device, ret_error);
	return r < 0 ? r : add(d, spec.path, device.rule, device.mode, owner, ret_error);
}

int devnodes_open(const struct config *c, uint32_t owner, struct devnodes *ret, ve_error **ret_error)
{
	struct devnodes d = { .mount = -1 };
	int r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(features); i++)
		if (config_bool(c, features[i].key))
			r = add_feature(&d, &features[i], owner, ret_error);
	const json_t *devices = config_list(c, "devices");
	for (size_t i = 0; r == 0 && i < json_array_size(devices); i++)
		r = add_device(&d, json_string_value(json_array_get(devices, i)), owner, ret_error);
	if (r < 0)
		devnodes_done(&d);
	*ret = d;
	return r;
}

/* Owned by the host's root, who has no id inside, so that no capability there opens what nobody may. */
int devnodes_show(struct devnodes *d, const char *path, ve_error **ret_error)
{
	struct stat st;
	int e = stat(path, &st) < 0 ? errno : S_ISBLK(st.st_mode) ? 0 : ENOTBLK;
	if (e)
		return err_sys(ret_error, e, "devices", "cannot look at the block device '%s'", path);
	return add_node(d, path, S_IFBLK, st.st_rdev, 0, ret_error);
}

void devnodes_done(struct devnodes *d)
{
	close_fd(&d->mount);
}
