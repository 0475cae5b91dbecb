/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file system of one's own in a sparse file: ext4 on a loop device. The host gives it blocks as they are written, and
 * gets back what is deleted inside, by and by (run/monitor/trim.c). It is mounted without a place, as a descriptor; with that the mount and
 * its device go.
 *
 * The length of the file is the size. Growing is done by the kernel, mounted or not; shrinking is done to a copy that
 * then takes the file's place, so that whatever is interrupted leaves a whole file system.
 */
#ifndef FS_EXTIMAGE_H
#define FS_EXTIMAGE_H

#include "fs/storage.h"

/* NAME below DIR_FD, new. VE_ERR_CONFIG: the size is no size for a file system. */
int extimage_make(int dir_fd, const char *name, const struct storage_size *size, ve_error **ret_error);
/* Mounts it, checked if it was not left in order, and brought to SIZE: its bytes, and whether it keeps quotas of users and groups.
 * VE_ERR_UNSUPPORTED: this kernel keeps none. */
int extimage_mount(int dir_fd, const char *name, const struct storage_size *size, int *ret_mount_fd, ve_error **ret_error);
/* Can this host do that? It is tried out, with one in memory. */
int extimage_check_quotas(ve_error **ret_error);
/* From one size to another; ONLINE: it is mounted. How many files it can hold is fixed: VE_ERR_STATE. */
int extimage_resize(int dir_fd, const char *name, const struct storage_size *from, const struct storage_size *to, bool online,
		    ve_error **ret_error);
/* As storage_usage() has it. */
int extimage_usage(int dir_fd, const char *name, pid_t holder, struct storage_usage *ret_usage, ve_error **ret_error);
/* One more mount of one that is mounted; VE_ERR_STATE: it is not. */
int extimage_look(int dir_fd, const char *name, int *ret_mount_fd, ve_error **ret_error);
/* The same of what is mounted as MOUNT_FD, however many there are; the descriptor, or -errno. */
int extimage_mount_again(int mount_fd);
/* Is there one, as far as a name tells? */
bool extimage_exists(int dir_fd, const char *name);

/* Of one that came from elsewhere, before it is first mounted: VE_ERR_DATA where it is longer than SIZE, or e2fsck, which looks at
 * all of it, finds what it cannot mend, or a file in it is of no VE's making (fs/foreign.h). */
int extimage_inspect(int dir_fd, const char *name, const struct storage_size *size, ve_error **ret_error);

/* A copy below DIR_FD of the one that is called the same below FROM_FD, which nobody has mounted. */
int extimage_clone(int from_fd, int dir_fd, const char *name, const struct storage_watch *watch, ve_error **ret_error);

#endif
