/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The mounts of a VE, made by the child in its own namespaces. Every target is opened below the root's
 * descriptor, links of the image resolved inside it (RESOLVE_IN_ROOT), and mounts go onto descriptors, so
 * neither the image nor a link swapped in during a start can lead one elsewhere.
 */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/syscalls.h"

static int open_below(int root, const char *path, uint64_t flags)
{
	return sys_openat2(root, path, flags | O_CLOEXEC, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

/* The directory that PATH's last component is in, and that component. */
static int open_parent(int root, const char *path, const char **ret_name)
{
	char dir[256];
	const char *slash = strrchr(path, '/');
	*ret_name = slash ? slash + 1 : path;
	int n = slash ? (int)(slash - path) : 0;
	if (n >= (int)sizeof(dir)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(dir, sizeof(dir), "%.*s", n, path);
	return open_below(root, n ? dir : ".", O_PATH | O_DIRECTORY);
}

static int make_below(int root, const char *path, mode_t mode, const char *link)
{
	const char *name;
	int parent = open_parent(root, path, &name);
	if (parent < 0)
		return -1;
	int r;
	if (link)
		r = symlinkat(link, parent, name);
	else if (S_ISREG(mode))
		r = mknodat(parent, name, mode, 0);
	else
		r = mkdirat(parent, name, mode);
	int saved = errno;
	close(parent);
	errno = saved;
	return r < 0 && errno == EEXIST ? 0 : r;
}

static int open_target(int root, const char *path, mode_t mode)
{
	int fd = open_below(root, path, O_PATH);
	if (fd >= 0 || errno != ENOENT || !mode)
		return fd;
	if (make_below(root, path, mode, NULL) < 0)
		return -1;
	return open_below(root, path, O_PATH);
}

static int attach(int root, int mnt, const char *target, mode_t mode, struct failure *f)
{
	int at = open_target(root, target, mode);
	int r = at < 0 ? -1 : move_mount(mnt, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
	if (r < 0)
		fail(f, at < 0 ? "openat2" : "move_mount", target);
	close(at);
	return r;
}

/* The directories above PATH that are not there. */
static int make_parents(int root, const char *path)
{
	char dir[256];
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		if ((size_t)snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path) >= sizeof(dir)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		if (make_below(root, dir, S_IFDIR | 0755, NULL) < 0)
			return -1;
	}
	return 0;
}

static int attach_below(struct mon *m, int root, int mnt, const struct blob_mount *b, struct failure *f)
{
	const char *target = mon_str(m, b->target);
	if (make_parents(root, target) < 0)
		return fail(f, "mkdir", target);
	return attach(root, mnt, target, b->mode, f);
}

/* Is NAME in PARENT a mount of what SOURCE is? 0: nothing is mounted there; -1 with errno: something else is. */
static int is_bind_of(int parent, const char *name, int source)
{
	struct statx here, there;
	const int flags = AT_EMPTY_PATH | AT_NO_AUTOMOUNT;
	int at = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (at < 0)
		return errno == ENOENT ? 0 : -1;
	int r = statx(at, "", flags, STATX_TYPE | STATX_INO, &here) < 0 || statx(source, "", flags, STATX_INO, &there) < 0 ? -1 : 1;
	close(at);
	if (r < 0)
		return -1;
	if (S_ISLNK(here.stx_mode)) {
		errno = ELOOP; /* it was put to where this led then */
		return -1;
	}
	if (!(here.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return 0;
	if (here.stx_ino == there.stx_ino && here.stx_dev_major == there.stx_dev_major && here.stx_dev_minor == there.stx_dev_minor)
		return 1;
	errno = EEXIST;
	return -1;
}

/* All that lie there, one on another: a verb that was killed may have left one. Not lazily: what has a file open there would go
 * on with it, while it is said that it is gone. */
static int unmount_binds(int parent, const char *name, int source)
{
	int r, n = 0;
	while ((r = is_bind_of(parent, name, source)) > 0) {
		if (umount2(name, UMOUNT_NOFOLLOW) < 0)
			return -1;
		n++;
	}
	return r < 0 && errno == EEXIST && n > 0 ? 0 : r; /* of the VE's own, below ours */
}

static int detach_bind(struct mon *m, int root, const struct blob_mount *b, struct failure *f)
{
	const char *name, *target = mon_str(m, b->target);
	int parent = open_parent(root, target, &name);
	if (parent < 0)
		return errno == ENOENT ? 0 : fail(f, "openat2", target);
	int r = fchdir(parent) < 0 ? -1 : unmount_binds(parent, name, mon_fd(m, b->fd));
	if (r < 0)
		fail(f, "umount", target);
	close(parent);
	return chdir("/") < 0 ? fail(f, "chdir", "/") : r;
}

/* OPTIONS: "key=value,flag". */
static int configure(int fs, const char *options)
{
	char copy[128], *save = NULL;
	snprintf(copy, sizeof(copy), "%s", options ? options : "");
	for (char *o = strtok_r(copy, ",", &save); o; o = strtok_r(NULL, ",", &save)) {
		char *value = strchr(o, '=');
		if (value)
			*value++ = '\0';
		int r = value ? fsconfig(fs, FSCONFIG_SET_STRING, o, value, 0) :
				fsconfig(fs, FSCONFIG_SET_FLAG, o, NULL, 0);
		if (r < 0)
			return -1;
	}
	return fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

static int mount_fs(struct mon *m, int root, const struct blob_mount *b, struct failure *f)
{
	const char *type = mon_str(m, b->fstype), *target = mon_str(m, b->target);
	int fs = fsopen(type, FSOPEN_CLOEXEC);
	if (fs < 0)
		return fail(f, "fsopen", type);
	int r = -1, mnt = -1;
	if (configure(fs, mon_str(m, b->options)) < 0) {
		fail(f, "fsconfig", type);
		ssize_t n = read(fs, f->text, sizeof(f->text) - 1);
		f->text[n > 0 ? n : 0] = '\0';
	} else if ((mnt = fsmount(fs, FSMOUNT_CLOEXEC, b->attrs)) < 0) {
		fail(f, "fsmount", type);
	} else {
		r = attach(root, mnt, target, b->mode ? S_IFDIR | b->mode : 0, f);
	}
	close(fs);
	if (r == 0 && m->proc_mount < 0 && strcmp(type, "proc") == 0) {
		m->proc_mount = mnt;
		return 0;
	}
	int saved = errno;
	close(mnt);
	errno = saved;
	return r;
}

/* A node of the host's devtmpfs, or of BM_NODES: mknod(2) is refused in a user namespace. The source is the host's path, looked up
 * from its root; what is bound is checked to be a device. */
static int bind_device(const struct mon *m, int root, const struct blob_mount *b, struct failure *f)
{
	const char *source = mon_str(m, b->source);
	struct stat st;
	int mnt = open_tree(m->host_root, source + 1, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	if (mnt < 0)
		return fail(f, "open_tree", source);
	if (fstatat(mnt, "", &st, AT_EMPTY_PATH) < 0 || !(S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))) {
		errno = ENODEV;
		fail(f, "stat", source);
		close(mnt);
		return -1;
	}
	int r = attach(root, mnt, mon_str(m, b->target), S_IFREG | 0666, f);
	close(mnt);
	return r;
}

static int make_one(struct mon *m, int root, const struct blob_mount *b, struct failure *f)
{
	const char *target = mon_str(m, b->target);
	switch (b->kind) {
	case BM_FS:
		return mount_fs(m, root, b, f);
	case BM_DEVICE:
		return bind_device(m, root, b, f);
	case BM_LINK:
		return make_below(root, target, 0, mon_str(m, b->source)) < 0 ? fail(f, "symlink", target) : 0;
	case BM_DIR:
		return make_below(root, target, S_IFDIR | b->mode, NULL) < 0 ? fail(f, "mkdir", target) : 0;
	case BM_FD:
		return attach(root, mon_fd(m, b->fd), target, b->mode ? S_IFDIR | b->mode : 0, f);
	case BM_NODES:
		return attach(m->host_root, mon_fd(m, b->fd), "dev", 0, f);
	case BM_NODE:
		return make_parents(root, target) < 0 ? fail(f, "mkdir", target) : bind_device(m, root, b, f);
	case BM_UNBIND:
		return detach_bind(m, root, b, f);
	case BM_BIND:
		return attach_below(m, root, m->binds[m->n_attached++], b, f);
	case BM_PLAIN:
	case BM_VOLUME:
		return attach_below(m, root, m->volumes[m->n_volumes_attached++], b, f);
	default:
		errno = EINVAL;
		return fail(f, "mount", target);
	}
}

int mounts_make(struct mon *m, int root, struct failure *f)
{
	const struct blob_mount *b = mon_at(m, m->blob->mounts);
	for (uint32_t i = 0; i < m->blob->mounts.n; i++)
		if (make_one(m, root, &b[i], f) < 0 && !b[i].optional)
			return -1;
	return 0;
}

int mounts_open_device(int root, const char *path)
{
	return open_below(root, path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
}

int mounts_bind(int root, int source_fd, const char *target, struct failure *f)
{
	int mnt = open_tree(source_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (mnt < 0)
		return fail(f, "open_tree", target);
	int r = attach(root, mnt, target, S_IFREG | 0600, f);
	close(mnt);
	return r;
}
