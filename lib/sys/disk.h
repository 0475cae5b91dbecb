/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which disk a file is on. */
#ifndef SYS_DISK_H
#define SYS_DISK_H

#include <stdbool.h>
#include <sys/types.h>

/* The whole disk (no partition) below the filesystem of FD. -ENODEV: there is none, as with tmpfs, NFS or ZFS. */
int disk_of(int fd, dev_t *ret_disk);
/* Does that filesystem tell the kernel whose data it is that is written back from the page cache? */
bool disk_writeback_is_accounted(int fd);

#endif
