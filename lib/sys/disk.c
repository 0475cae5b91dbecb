/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A filesystem on one block device has its number as st_dev. Others (btrfs) have made-up ones with major 0: the mount
 * table then says which device they were mounted from.
 */
#include "sys/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif
enum { TABLE_MAX = 16 << 20 };

/* What the line of mount ID in mountinfo names as source; the caller frees. NULL: nothing. */
static char *mount_source(uint64_t id)
{
	_cleanup_free_ char *table = NULL;
	if (file_read(AT_FDCWD, "/proc/self/mountinfo", TABLE_MAX, &table, NULL) < 0)
		return NULL;
	char *rest = table;
	for (char *line; (line = strsep(&rest, "\n"));) {
		if (strtoull(line, NULL, 10) != id)
			continue;
		const char *type = strstr(line, " - "), *source = type ? strchr(type + 3, ' ') : NULL;
		return source ? strndup(source + 1, strcspn(source + 1, " ")) : NULL;
	}
	return NULL;
}

static int device_of_mount(int fd, dev_t *ret_device)
{
	struct statx sx;
	struct stat st;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &sx) < 0)
		return -errno;
	_cleanup_free_ char *source = mount_source(sx.stx_mnt_id);
	if (!source || stat(source, &st) < 0 || !S_ISBLK(st.st_mode))
		return -ENODEV;
	*ret_device = st.st_rdev;
	return 0;
}

int disk_of(int fd, dev_t *ret_disk)
{
	char path[64], text[32];
	struct stat st;
	unsigned maj, min;
	if (fstat(fd, &st) < 0)
		return -errno;
	dev_t device = st.st_dev;
	int r = major(device) == 0 ? device_of_mount(fd, &device) : 0;
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/partition", major(device), minor(device));
	bool partition = faccessat(AT_FDCWD, path, F_OK, 0) == 0;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%sdev", major(device), minor(device), partition ? "../" : "");
	if (file_read_line(AT_FDCWD, path, text, sizeof(text)) <= 0 || sscanf(text, "%u:%u", &maj, &min) != 2)
		return -ENODEV;
	*ret_disk = makedev(maj, min);
	return 0;
}

bool disk_writeback_is_accounted(int fd)
{
	struct statfs sf;
	if (fstatfs(fd, &sf) < 0)
		return false;
	return sf.f_type == EXT4_SUPER_MAGIC || sf.f_type == XFS_SUPER_MAGIC || sf.f_type == BTRFS_SUPER_MAGIC ||
	       sf.f_type == F2FS_SUPER_MAGIC;
}
