/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Further disks of a VE, whatever its back end: volumes/NAME.img below its directory VE_FD, a file system of its own each
 * (fs/extimage.h). It is there under that name when it is whole.
 *
 * While it comes or goes it is marked as unsettled, and only such a one is ever removed: a disk that the configuration does not
 * have, since an older one was put back, is a customer's all the same.
 */
#ifndef FS_VOLUME_H
#define FS_VOLUME_H

#include "fs/storage.h"

/* A new one, empty and unsettled. One that is there under NAME stays as it is. */
int volume_make(int ve_fd, const char *name, uint64_t bytes, ve_error **ret_error);
/* A copy of the one of the VE FROM_FD, which does not run. VE_ERR_NO_ROOM: more than BYTES is in use there. */
int volume_clone(int from_fd, int ve_fd, const char *name, uint64_t bytes, const struct storage_watch *watch, ve_error **ret_error);
/* Before the configuration that has it no longer is written. */
int volume_unsettle(int ve_fd, const char *name, ve_error **ret_error);
/* As storage_adopt() has it. */
int volume_adopt(int from_fd, int ve_fd, const char *name, uint64_t bytes, const struct storage_watch *watch, ve_error **ret_error);
/* As storage_open(), storage_resize() and storage_usage() have it. */
int volume_open(int ve_fd, const char *name, uint64_t bytes, int *ret_mount_fd, ve_error **ret_error);
int volume_resize(int ve_fd, const char *name, uint64_t from, uint64_t to, bool online, ve_error **ret_error);
int volume_usage(int ve_fd, const char *name, pid_t holder, struct storage_usage *ret_usage, ve_error **ret_error);
/* One more mount of one that is mounted. */
int volume_look(int ve_fd, const char *name, int *ret_mount_fd, ve_error **ret_error);
/* Settles what is unsettled as USE says, and removes what a verb that was killed has left half made. */
enum volume_use {
	VOLUME_UNUSED, /* it goes */
	VOLUME_IN_USE, /* it will go */
	VOLUME_WANTED, /* it stays */
};
void volume_sweep(int ve_fd, enum volume_use (*use)(const char *name, void *data), void *data);

#endif
