/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file system of a VE's own that is in use, by a descriptor that the VE's monitor has of it (storage_gauge()). To mount it once more
 * would take its superblock for ourselves, and wait for whoever writes it back: a tenant who calls sync(2) makes that as long as
 * his disk is slow, and whoever asks how much he uses waits with him. Source: sync(2)'s and grab_super()'s use of s_umount.
 */
#ifndef FS_HOLDER_H
#define FS_HOLDER_H

#include <sys/types.h>

/* For statfs(2) alone; -ENOENT: the process PID has none of the file system in FILE_FD. */
int holder_open(pid_t pid, int file_fd);

#endif
