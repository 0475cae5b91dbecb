/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A VE's writable storage, behind one table of back ends:
 *
 *   overlay   ve/UUID/overlay/{upper,work} over the image's tree: nothing is copied
 *   dir       ve/UUID/rootfs, a full copy of the image's tree (reflinked where the file system can)
 *
 * Files are stored unshifted: the monitor maps ids when it mounts (run/monitor/layers.c).
 */
#ifndef FS_STORAGE_H
#define FS_STORAGE_H

#include "base/error.h"

enum storage_kind { STORAGE_OVERLAY, STORAGE_DIR, STORAGE_KIND_COUNT };

/* What a start needs: held descriptors, -1 where the kind has none. */
struct storage {
	enum storage_kind kind;
	int image_fd;	 /* overlay: the lower layer's tree */
	int writable_fd; /* overlay: holds upper/ and work/, -1: they are made in memory; dir: the tree itself */
};

/* The back end called NAME; VE_ERR_UNSUPPORTED for one that this version does not have. */
int storage_kind(const char *name, enum storage_kind *ret_kind, ve_error **ret_error);

/* The store's directory PATH (ROOT/var/lib/vectl) becomes a mount of its own, nosuid and nodev, once a boot: setuid
 * programs and devices in the tenants' trees mean nothing on the host's side. */
int storage_protect(const char *path, ve_error **ret_error);
/* Makes the storage of a VE below VE_FD. IMAGE_FD: the image's tree. On error nothing is left. */
int storage_create(enum storage_kind kind, int ve_fd, int image_fd, ve_error **ret_error);
/* IMAGE_FD is taken over, also on failure. */
int storage_open(enum storage_kind kind, int ve_fd, int image_fd, struct storage *ret_storage, ve_error **ret_error);
void storage_close(struct storage *s);
/* Can the file system below DIR_FD be idmapped? Else VE_ERR_UNSUPPORTED, by its name. USERNS_FD: any user namespace with a map. */
const char *storage_fs_name(int dir_fd);

#endif
