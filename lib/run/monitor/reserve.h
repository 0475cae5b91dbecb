/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an ext4 keeps back for itself, lent to a start. It gives nobody its last clusters (one in fifty, at most 4096): its own writing
 * back may need them for what it cannot know before. Where some of them are used, blocks that are given back fill the reserve first, and
 * nobody gets one, not even who gave it back; and those of a directory that is removed are not back while the VE's last overlay, on its way
 * out, still has it. Source: ext4_has_free_clusters(), Documentation/ABI/testing/sysfs-fs-ext4.
 */
#ifndef MONITOR_RESERVE_H
#define MONITOR_RESERVE_H

enum { RESERVE_WAS_SIZE = 24 };

struct reserve {
	int fd; /* the kernel's figure; -1: nothing is lent */
	char was[RESERVE_WAS_SIZE];
};

/* FS_FD: of a file system that is the VE's alone. Nothing is done where it has room. */
void reserve_lend(struct reserve *r, int fs_fd);
void reserve_return(struct reserve *r);

#endif
