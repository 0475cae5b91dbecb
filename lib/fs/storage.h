/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A VE's writable storage, behind one table of back ends (fs/backend.h):
 *
 *   overlay   ve/UUID/overlay/{upper,work} over the image's tree: nothing is copied; with a size on a file system without
 *             project quotas the two are in the file system inside ve/UUID/overlay.img. plain/ beside them has what cannot
 *             live on an overlay
 *   dir       ve/UUID/rootfs, a full copy of the image's tree (reflinked where the file system can)
 *   btrfs     ve/UUID/rootfs as a subvolume with a quota group of its own, a copy that shares the image's blocks
 *   image     ve/UUID/disk.img, a sparse file with an ext4 file system that has a full copy
 *
 * Files are stored unshifted: the monitor maps ids when it mounts (run/monitor/layers.c). What a VE has of storage is
 * told by what is in its directory, so that every verb finds it, whatever became of the one that made it.
 */
#ifndef FS_STORAGE_H
#define FS_STORAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum storage_kind { STORAGE_OVERLAY, STORAGE_DIR, STORAGE_BTRFS, STORAGE_IMAGE, STORAGE_KIND_COUNT };

/* How large it may become. 0: not limited. */
struct storage_size {
	uint64_t bytes, inodes;
	bool user_quotas; /* of the users and groups inside, by these themselves: STORAGE_IMAGE alone */
};

/* -1: not known, or not limited. */
struct storage_usage {
	int64_t used_bytes, size_bytes;
	int64_t used_inodes, inodes;
};

/* What tells at any time, without a walk and without a path that is the tenant's, how full the storage is: FD by statfs(2), which knows
 * project quotas; or, with a LIMIT_FD, two files of the kernel's with the bytes in use and how many may be (0: any number). */
struct storage_gauge {
	int fd, limit_fd;
};

/* Whoever waits for a long copy. */
struct storage_watch {
	int cancel_fd; /* readable: end it; -1: never */
	/* So many BYTES of TOTAL (0: not known) were written; about once a second. */
	void (*progress)(uint64_t bytes, uint64_t total, void *data);
	void *data;
	uint64_t total; /* what there is to write, for the one who tells; storage_clone() fills it in */
};

/* What a start needs: held descriptors, -1 where there are none. Closing them gives everything back, loop devices too. */
struct storage {
	bool layered;  /* an overlay of image_fd and writable_fd; else writable_fd is the whole tree */
	bool is_mount; /* writable_fd is a detached mount of its own; else a directory of the store's */
	int image_fd;
	int writable_fd; /* layered: holds upper/ and work/, -1: they are made in memory */
	char device[32]; /* with user_quotas: what writable_fd is mounted from, "/dev/loop3"; else "" */
};

/* The back end called NAME; VE_ERR_UNSUPPORTED for one that this version does not have. */
int storage_kind(const char *name, enum storage_kind *ret_kind, ve_error **ret_error);
/* Does storage_prepare() copy the image? That takes a while. */
bool storage_copies(enum storage_kind kind);

/* Has it a file system of the VE's own as the VE's root, whose users and groups can have quotas? */
bool storage_has_user_quotas(enum storage_kind kind);
/* Has this host what they need? Tried out. VE_ERR_UNSUPPORTED */
int storage_check_user_quotas(ve_error **ret_error);

/* The store's directory PATH (ROOT/var/lib/vectl) becomes a mount of its own, nosuid and nodev, once a boot: setuid
 * programs and devices in the tenants' trees mean nothing on the host's side. */
int storage_protect(const char *path, ve_error **ret_error);

/* Makes the storage of a VE below VE_FD. IMAGE_FD: the image's tree. A size that cannot be enforced here is
 * VE_ERR_UNSUPPORTED, and names a back end that can. On error nothing is left. */
int storage_prepare(enum storage_kind kind, int ve_fd, int image_fd, const struct storage_size *size, ve_error **ret_error);
/* The same with the files of FROM_FD, the directory of a VE of the same KIND that does not run, in place of an image's: shared with
 * it as far as the file system can. */
int storage_clone(enum storage_kind kind, int from_fd, int ve_fd, const struct storage_size *size, const struct storage_watch *watch,
		  ve_error **ret_error);
/* The same with the files of a directory that came from elsewhere, FROM_FD, whoever has filled it. VE_ERR_DATA: something in there no
 * VE has made (fs/foreign.h), or a file system of its own is damaged, or larger than SIZE. VE_FD -1: FROM_FD is only looked at. */
int storage_adopt(enum storage_kind kind, int from_fd, int ve_fd, const struct storage_size *size, const struct storage_watch *watch,
		  ve_error **ret_error);
/* Opens it for a start, brought to SIZE where an interrupted verb or a pending change left it at another. A file system
 * of its own is checked first if it was not left in order; VE_ERR_DATA: it is damaged. IMAGE_FD is taken over, also on
 * failure. */
int storage_open(enum storage_kind kind, int ve_fd, int image_fd, const struct storage_size *size,
		 struct storage *ret_storage, ve_error **ret_error);
void storage_close(struct storage *s);
/* Makes the directories NAMES (NULL-terminated) below STORAGE_PLAIN beside an overlay's upper layer: they count for the VE as that
 * does, and the upper layer of another overlay can be in them, which on an overlay it cannot. */
#define STORAGE_PLAIN "plain"
int storage_make_plain(const struct storage *s, const char *const *names, ve_error **ret_error);
/* Brings it from one size to another while the VE runs (ONLINE) or does not. VE_ERR_UNSUPPORTED: not with this back end
 * here; VE_ERR_STATE: not while it runs; VE_ERR_NO_ROOM: more is in use. On error it is as before. */
int storage_resize(enum storage_kind kind, int ve_fd, const struct storage_size *from, const struct storage_size *to,
		   bool online, ve_error **ret_error);
/* Without a walk of the tree, and without waiting for the tenant. HOLDER: the process that has the gauges of a VE that runs, -1 where
 * nobody has them; 0: it does not run. What cannot be told without it is -1. */
int storage_usage(enum storage_kind kind, int ve_fd, pid_t holder, struct storage_usage *ret_usage, ve_error **ret_error);
/* S->writable_fd of a VE that runs, of which nothing is brought to any size. */
int storage_look(enum storage_kind kind, int ve_fd, int *ret_writable_fd, ve_error **ret_error);
/* The gauge of what is open as WRITABLE_FD; -errno. IS_MOUNT: that is a mount, which the VE gets: the gauge has one of its own, so that
 * inside nothing is busy for it; but the file system stays while the gauge is open. */
int storage_gauge(enum storage_kind kind, int writable_fd, bool is_mount, struct storage_gauge *ret_gauge);
/* Takes away what the removal of the VE's directory would not, whichever back end made it; half of it, too. */
int storage_destroy(int ve_fd, ve_error **ret_error);

/* What the file system below DIR_FD is called, for messages. */
const char *storage_fs_name(int dir_fd);

#endif
