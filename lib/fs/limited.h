/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A directory of the host's file system that is a VE's storage, or holds it: its limit is a project quota, or it has none.
 * VE_FD is the VE's directory, DIRECTORY the name in it, BACKEND the back end's, for what is said.
 */
#ifndef FS_LIMITED_H
#define FS_LIMITED_H

#include "fs/storage.h"

/* Empty, and with a project wherever there are project quotas, so that its use is known and a size can come later. */
int limited_make(int ve_fd, const char *backend, const char *directory, const struct storage_size *size, int *ret_fd,
		 ve_error **ret_error);
int limited_open(int ve_fd, const char *backend, const char *directory, const struct storage_size *size, int *ret_fd,
		 ve_error **ret_error);
int limited_resize(int ve_fd, const char *backend, const char *directory, const struct storage_size *to, ve_error **ret_error);
int limited_usage(int ve_fd, const char *directory, struct storage_usage *ret_usage, ve_error **ret_error);
/* Before its files go. */
void limited_forget(int ve_fd, const char *directory);

#endif
