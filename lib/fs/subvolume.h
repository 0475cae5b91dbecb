/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Subvolumes of btrfs and the quota group of each VE: 1/ID, ID being the number of its subvolume. The subvolume's own group
 * is a member of it, and so is that of every subvolume made inside (with simple quotas the kernel sees to that; VEs cannot make
 * any but with security.seccomp=none, see templates/seccomp/vps.policy).
 *
 * All return 0 or -errno and make no sentence.
 */
#ifndef FS_SUBVOLUME_H
#define FS_SUBVOLUME_H

#include <stdbool.h>
#include <stdint.h>

enum subvolume_quota { SUBVOLUME_QUOTA_OFF, SUBVOLUME_QUOTA_SIMPLE, SUBVOLUME_QUOTA_FULL };

bool subvolume_can(int dir_fd); /* is this btrfs? */
int subvolume_make(int dir_fd, const char *name);
/* Is FROM_FD a subvolume, and of the same btrfs as DIR_FD? */
bool subvolume_can_snapshot(int from_fd, int dir_fd);
/* A copy of the subvolume FROM_FD, whose blocks it shares. Subvolumes in it are empty directories in the copy. */
int subvolume_snapshot(int from_fd, int dir_fd, const char *name);
/* With all that are in it. What is no subvolume, or not there, is left alone. */
int subvolume_destroy(int dir_fd, const char *name);

enum subvolume_quota subvolume_quota(int dir_fd);
/* Simple quotas where the kernel has them (6.7), else full ones. */
int subvolume_quota_on(int dir_fd);

/* The group of the subvolume SUBVOLUME_FD. */
int subvolume_group_make(int dir_fd, int subvolume_fd);
/* What was in the subvolume before it had a group is counted: full quotas only, which take their time for it. */
int subvolume_count_again(int dir_fd);
bool subvolume_group_exists(int subvolume_fd);
/* BYTES 0: none. DIR_FD: where the subvolume is; asked from inside one that is full the kernel would find no room for the answer. */
int subvolume_group_limit(int dir_fd, int subvolume_fd, uint64_t bytes);
/* RET_LIMIT: 0 where there is none. SYNC: what is still on its way to the disk is counted as well. */
int subvolume_group_usage(int subvolume_fd, bool sync, uint64_t *ret_used, uint64_t *ret_limit);
/* The files that RET_USED and RET_LIMIT of that are read from, open. */
int subvolume_group_gauge(int subvolume_fd, int *ret_used_fd, int *ret_limit_fd);

#endif
