/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Further disks of a VE, whatever its back end: volumes/NAME.img below its directory VE_FD, a file system of its own each
 * (fs/extimage.h). It is there under that name when it is whole.
 */
#ifndef FS_VOLUME_H
#define FS_VOLUME_H

#include "fs/storage.h"

/* A new one, empty. One that is there under NAME stays as it is. */
int volume_make(int ve_fd, const char *name, uint64_t bytes, ve_error **ret_error);
/* A copy of the one of the VE FROM_FD, which does not run. VE_ERR_NO_ROOM: more than BYTES is in use there. */
int volume_clone(int from_fd, int ve_fd, const char *name, uint64_t bytes, const struct storage_watch *watch, ve_error **ret_error);
/* As storage_open(), storage_resize() and storage_usage() have it. */
int volume_open(int ve_fd, const char *name, uint64_t bytes, int *ret_mount_fd, ve_error **ret_error);
int volume_resize(int ve_fd, const char *name, uint64_t from, uint64_t to, bool online, ve_error **ret_error);
int volume_usage(int ve_fd, const char *name, struct storage_usage *ret_usage, ve_error **ret_error);
/* Removes all but those that KEEP wants, and what a verb that was killed has left half made. */
void volume_sweep(int ve_fd, bool (*keep)(const char *name, void *data), void *data);

#endif
