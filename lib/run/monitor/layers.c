/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The root tree as one detached mount. On disk ids are unshifted (root is 0); each layer is a clone of the
 * store's mount, idmapped by the VE's user namespace, and freed of the nosuid and nodev that the store has on
 * the host's side. The overlay itself cannot be idmapped, and it must be created by an id that the map knows, else it is silently
 * read-only: fsuid = fsgid = first id of the range, capabilities kept.
 *
 * A VE that is thrown away (run) writes into memory: its upper layer is a tmpfs that belongs to its root, and needs no
 * map, as files there are made with the mapped ids.
 *
 * Kernels before 6.13 or so take no detached layers. There the monitor steps into a mount namespace of its
 * own, attaches the same layers, creates the overlay from their paths and steps back: the mount it brings
 * home keeps private clones of its layers.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "mon.h"
#include "owner.h"
#include "reserve.h"
#include "scratch.h"
#include "sys/syscalls.h"

enum { MAX_LOWERS = MON_MAX_LAYERS - 1 };

struct layers {
	int lowers[MAX_LOWERS];
	unsigned n_lowers;
	int writable; /* holds upper/ and work/: both must be on one mount */
};

/* FD is closed where it cannot be mapped. Private: a clone is a peer of the store's mount, which under systemd is shared,
 * and pivot_root(2) takes no shared root. */
static int idmapped(int fd, int userns_fd, uint64_t attrs, struct failure *f)
{
	struct mount_attr a = {
		.attr_set = MOUNT_ATTR_IDMAP | attrs,
		.propagation = MS_PRIVATE,
		.attr_clr = (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV) & ~attrs,
		.userns_fd = (uint64_t)userns_fd,
	};
	if (mount_setattr(fd, "", AT_EMPTY_PATH, &a, sizeof(a)) < 0) {
		fail(f, "mount_setattr", "layer");
		close(fd);
		return -1;
	}
	return fd;
}

static int idmapped_clone(int dir_fd, int userns_fd, uint64_t attrs, struct failure *f)
{
	int fd = open_tree(dir_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return fd < 0 ? fail(f, "open_tree", "layer") : idmapped(fd, userns_fd, attrs, f);
}

/* The writable layer. A file system of the VE's own comes as a mount that nobody else has; it is taken as it is, as only
 * kernels from 6.15 on clone what is not attached. The descriptor is ours from here on: one left open would keep the
 * file system mounted when the VE has ended. */
static int idmapped_own(struct mon *m, int32_t index, int userns_fd, struct failure *f)
{
	int fd = mon_fd(m, index);
	if (!(m->blob->flags & BLOB_OWN_MOUNT))
		return idmapped_clone(fd, userns_fd, 0, f);
	if (fd >= 0)
		m->fds[index] = -1;
	return idmapped(fd, userns_fd, 0, f);
}

/* The kernel's own words about a file system context: one message a read. */
static void kernel_words(int fs_fd, struct failure *f)
{
	ssize_t n = read(fs_fd, f->text, sizeof(f->text) - 1);
	f->text[n > 0 ? n : 0] = '\0';
}

static int set_detached(int fs_fd, const struct layers *l)
{
	for (unsigned i = 0; i < l->n_lowers; i++)
		if (fsconfig(fs_fd, SYS_FSCONFIG_SET_FD, "lowerdir+", NULL, l->lowers[i]) < 0)
			return -1;
	int upper = openat(l->writable, "upper", O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int work = openat(l->writable, "work", O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int r = -1;
	if (upper >= 0 && work >= 0 && fsconfig(fs_fd, SYS_FSCONFIG_SET_FD, "upperdir", NULL, upper) == 0 &&
	    fsconfig(fs_fd, SYS_FSCONFIG_SET_FD, "workdir", NULL, work) == 0)
		r = 0;
	int saved = errno;
	close(upper);
	close(work);
	errno = saved;
	return r;
}

/* In a scratch namespace; paths are relative to it. */
static int set_attached(int fs_fd, const struct layers *l)
{
	char lowerdir[MAX_LOWERS * 4] = "", name[8];
	size_t len = 0;
	for (unsigned i = 0; i < l->n_lowers; i++) {
		snprintf(name, sizeof(name), "l%u", i);
		if (scratch_attach(l->lowers[i], name) < 0)
			return -1;
		len += (size_t)snprintf(lowerdir + len, sizeof(lowerdir) - len, "%s%s", i ? ":" : "", name);
	}
	if (scratch_attach(l->writable, "w") < 0)
		return -1;
	if (fsconfig(fs_fd, FSCONFIG_SET_STRING, "lowerdir", lowerdir, 0) < 0 ||
	    fsconfig(fs_fd, FSCONFIG_SET_STRING, "upperdir", "w/upper", 0) < 0)
		return -1;
	return fsconfig(fs_fd, FSCONFIG_SET_STRING, "workdir", "w/work", 0);
}

static void close_volumes(struct mon *m)
{
	while (m->n_volumes > 0)
		close(m->volumes[--m->n_volumes]);
}

/* Further mounts of the writable layer's file system: the same id map as that. */
static int open_plain(struct mon *m, int writable, struct failure *f)
{
	const struct blob_mount *b = mon_at(m, m->blob->mounts);
	for (uint32_t i = 0; i < m->blob->mounts.n; i++) {
		if (b[i].kind != BM_PLAIN || m->n_volumes == BLOB_MAX_VOLUMES)
			continue;
		int mnt = open_tree(writable, mon_str(m, b[i].source), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
		if (mnt < 0) {
			fail(f, "open_tree", mon_str(m, b[i].source));
			close_volumes(m);
			return -1;
		}
		m->volumes[m->n_volumes++] = mnt;
	}
	return 0;
}

static int make_overlay(const struct mon *m, const struct layers *l, int (*set)(int, const struct layers *),
			struct failure *f)
{
	int fs = fsopen("overlay", FSOPEN_CLOEXEC), mnt = -1;
	if (fs < 0)
		return fail(f, "fsopen", "overlay");
	if (owner_wear_fs(m, f) < 0)
		goto out;
	if (set(fs, l) < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "redirect_dir", "on", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
		fail(f, "fsconfig", "overlay");
		kernel_words(fs, f);
		goto out;
	}
	mnt = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (mnt < 0)
		fail(f, "fsmount", "overlay");
out:
	owner_return_fs();
	close(fs);
	return mnt;
}

static int overlay_attached(struct mon *m, const struct layers *l, struct failure *f)
{
	struct failure back = { 0 };
	int home, mnt = scratch_enter(&home, f) == 0 ? make_overlay(m, l, set_attached, f) : -1;
	if (mnt >= 0 && open_plain(m, l->writable, f) < 0) {
		close(mnt);
		mnt = -1;
	}
	if (scratch_leave(home, &back) < 0 && mnt >= 0) {
		*f = back;
		close(mnt);
		mnt = -1;
	}
	return mnt;
}

/* Kernels before 6.15 clone no part of a mount that is not attached. */
static int plain_attached(struct mon *m, int writable, struct failure *f)
{
	struct failure back = { 0 };
	int home, r = scratch_enter(&home, f);
	if (r == 0 && scratch_attach(writable, "w") < 0)
		r = fail(f, "move_mount", "layer");
	if (r == 0)
		r = open_plain(m, writable, f);
	if (scratch_leave(home, &back) < 0 && r == 0) {
		*f = back;
		r = -1;
	}
	return r;
}

/* A tmpfs that only this VE sees, owned by its root; what it holds is charged to whoever writes it. */
static int memory_layer(const struct mon *m, struct failure *f)
{
	char id[16];
	int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), mnt = -1;
	if (fs < 0)
		return fail(f, "fsopen", "tmpfs");
	snprintf(id, sizeof(id), "%u", m->blob->id_base);
	if (fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "uid", id, 0) < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "gid", id, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 || (mnt = fsmount(fs, FSMOUNT_CLOEXEC, 0)) < 0)
		fail(f, "fsconfig", "tmpfs");
	close(fs);
	if (mnt < 0 || owner_wear_fs(m, f) < 0)
		return -1;
	int r = mkdirat(mnt, "upper", 0755) < 0 || mkdirat(mnt, "work", 0755) < 0 ? fail(f, "mkdir", "tmpfs") : 0;
	owner_return_fs();
	return r < 0 ? r : mnt;
}

/* The overlay makes its work directory anew, and where it has no block for that, it is read-only. */
static int try_overlay(struct mon *m, const struct layers *l, struct failure *f)
{
	struct reserve reserve = { .fd = -1 };
	if (m->blob->flags & BLOB_OWN_MOUNT)
		reserve_lend(&reserve, l->writable);
	int mnt = make_overlay(m, l, set_detached, f);
	if (mnt < 0) {
		memset(f, 0, sizeof(*f));
		mnt = overlay_attached(m, l, f);
	} else if (open_plain(m, l->writable, f) < 0 && plain_attached(m, l->writable, f) < 0) {
		close(mnt);
		mnt = -1;
	}
	reserve_return(&reserve);
	return mnt;
}

static int open_overlay(struct mon *m, int userns_fd, struct failure *f)
{
	struct layers l = { .n_lowers = m->blob->lowers.n };
	const int32_t *indexes = mon_at(m, m->blob->lowers);
	if (l.n_lowers > MAX_LOWERS) {
		errno = E2BIG;
		return fail(f, "overlay", "lower layers");
	}
	for (unsigned i = 0; i < l.n_lowers; i++)
		if ((l.lowers[i] = idmapped_clone(mon_fd(m, indexes[i]), userns_fd, MOUNT_ATTR_RDONLY, f)) < 0)
			return -1;
	l.writable = m->blob->fd_upper >= 0 ? idmapped_own(m, m->blob->fd_upper, userns_fd, f) :
					      memory_layer(m, f);
	if (l.writable < 0)
		return -1;
	int mnt = try_overlay(m, &l, f);
	/* Closed later: the end of a detached mount waits for a grace period, which the child need not share. */
	for (unsigned i = 0; i < l.n_lowers; i++)
		m->layers[m->n_layers++] = l.lowers[i];
	m->layers[m->n_layers++] = l.writable;
	struct statfs st;
	if (mnt >= 0 && fstatfs(mnt, &st) == 0 && st.f_flags & ST_RDONLY) {
		const bool full = fstatfs(l.writable, &st) == 0 && st.f_bavail == 0;
		close(mnt);
		errno = full ? ENOSPC : EROFS;
		return fail(f, "overlay", full ? "its work directory" : "the overlay became read-only");
	}
	return mnt;
}

/* Its further disks. nodev, as no tree came with them that might have nodes; setuid is the VE's own affair. */
static int open_volumes(struct mon *m, int userns_fd, struct failure *f)
{
	const struct blob_mount *b = mon_at(m, m->blob->mounts);
	for (uint32_t i = 0; i < m->blob->mounts.n; i++) {
		if (b[i].kind != BM_VOLUME)
			continue;
		int mnt = mon_fd(m, b[i].fd);
		if (mnt < 0 || m->n_volumes == BLOB_MAX_VOLUMES) {
			errno = EBADMSG;
			return fail(f, "volumes", mon_str(m, b[i].target));
		}
		m->fds[b[i].fd] = -1; /* ours from here on, as in idmapped_own() */
		if (idmapped(mnt, userns_fd, MOUNT_ATTR_NODEV, f) < 0)
			return -1;
		m->volumes[m->n_volumes++] = mnt;
	}
	return 0;
}

void layers_close(struct mon *m)
{
	close_volumes(m);
	while (m->n_layers > 0)
		close(m->layers[--m->n_layers]);
}

int layers_open(struct mon *m, int userns_fd, struct failure *f)
{
	if (m->blob->root_kind == ROOT_OVERLAY)
		m->root_mount = open_overlay(m, userns_fd, f);
	else
		m->root_mount = idmapped_own(m, m->blob->fd_root, userns_fd, f);
	return m->root_mount < 0 ? -1 : open_volumes(m, userns_fd, f);
}
