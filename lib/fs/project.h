/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Project quotas of ext4 and xfs: the files below a directory are counted, and limited, together. The number of a VE's
 * project is kept by the directory itself; whatever is made below inherits it. A user namespace can neither change the
 * number nor stop the inheritance (fileattr_set_prepare() in the kernel).
 */
#ifndef FS_PROJECT_H
#define FS_PROJECT_H

#include "fs/storage.h"

/* Does the file system below DIR_FD count and enforce them? */
bool project_enforced(int dir_fd);
/* The project of the directory, 0: none. */
uint32_t project_of(int dir_fd);
/* Gives an empty directory a project that nobody has. */
int project_assign(int dir_fd, ve_error **ret_error);
/* Limits are kept in whole units of the kernel's: what becomes of so many BYTES. */
uint64_t project_round(uint64_t bytes);
/* VE_ERR_NO_ROOM: more is in use. */
int project_limit(int dir_fd, const struct storage_size *size, ve_error **ret_error);
int project_usage(int dir_fd, struct storage_usage *ret_usage, ve_error **ret_error);
/* Its limits go; without them nobody finds the number taken when its files have gone as well. */
void project_forget(int dir_fd);

#endif
