/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fs/subvolume.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/file.h"
#include "base/guard.h"

/* Newer than Debian 12's headers. */
#define ENABLE_SIMPLE_QUOTA 4

static int open_for_ioctl(int dir_fd)
{
	return openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int request(int dir_fd, unsigned long what, void *data)
{
	_cleanup_close_ int fd = open_for_ioctl(dir_fd);
	return fd < 0 || ioctl(fd, what, data) < 0 ? -errno : 0;
}

bool subvolume_can(int dir_fd)
{
	struct statfs st;
	return fstatfs(dir_fd, &st) == 0 && (unsigned long)st.f_type == BTRFS_SUPER_MAGIC;
}

int subvolume_make(int dir_fd, const char *name)
{
	struct btrfs_ioctl_vol_args args = { 0 };
	snprintf(args.name, sizeof(args.name), "%s", name);
	return request(dir_fd, BTRFS_IOC_SUBVOL_CREATE, &args);
}

bool subvolume_can_snapshot(int from_fd, int dir_fd)
{
	struct btrfs_ioctl_fs_info_args from = { 0 }, to = { 0 };
	struct stat st;
	return subvolume_can(from_fd) && fstat(from_fd, &st) == 0 && st.st_ino == BTRFS_FIRST_FREE_OBJECTID &&
	       request(from_fd, BTRFS_IOC_FS_INFO, &from) == 0 && request(dir_fd, BTRFS_IOC_FS_INFO, &to) == 0 &&
	       memcmp(from.fsid, to.fsid, sizeof(from.fsid)) == 0;
}

int subvolume_snapshot(int from_fd, int dir_fd, const char *name)
{
	_cleanup_close_ int from = open_for_ioctl(from_fd);
	struct btrfs_ioctl_vol_args_v2 args = { .fd = from };
	snprintf(args.name, sizeof(args.name), "%s", name);
	return from < 0 ? -errno : request(dir_fd, BTRFS_IOC_SNAP_CREATE_V2, &args);
}

static int number_of(int subvolume_fd, uint64_t *ret_number)
{
	struct btrfs_ioctl_ino_lookup_args args = { .objectid = BTRFS_FIRST_FREE_OBJECTID };
	int r = request(subvolume_fd, BTRFS_IOC_INO_LOOKUP, &args);
	*ret_number = args.treeid;
	return r;
}

static uint64_t group_of(uint64_t number)
{
	return UINT64_C(1) << BTRFS_QGROUP_LEVEL_SHIFT | number;
}

/* ---- destroying ---- */

/* The first subvolume that is in NUMBER: 1, 0 for none, or -errno. */
static int first_child(int dir_fd, uint64_t number, uint64_t *ret_child)
{
	struct btrfs_ioctl_search_args args = { .key = {
		.tree_id = BTRFS_ROOT_TREE_OBJECTID,
		.min_objectid = number, .max_objectid = number,
		.min_type = BTRFS_ROOT_REF_KEY, .max_type = BTRFS_ROOT_REF_KEY,
		.max_offset = UINT64_MAX, .max_transid = UINT64_MAX, .nr_items = 1,
	} };
	struct btrfs_ioctl_search_header h;
	int r = request(dir_fd, BTRFS_IOC_TREE_SEARCH, &args);
	if (r < 0 || args.key.nr_items == 0)
		return r;
	memcpy(&h, args.buf, sizeof(h));
	*ret_child = h.offset;
	return 1;
}

/* First out of the group, which could not go before its members; they are counted until their files have gone, which takes
 * the kernel its time. */
static int destroy_number(int dir_fd, uint64_t number, uint64_t top)
{
	struct btrfs_ioctl_qgroup_assign_args member = { .assign = 0, .src = number, .dst = group_of(top) };
	struct btrfs_ioctl_vol_args_v2 args = { .flags = BTRFS_SUBVOL_SPEC_BY_ID, .subvolid = number };
	request(dir_fd, BTRFS_IOC_QGROUP_ASSIGN, &member);
	return request(dir_fd, BTRFS_IOC_SNAP_DESTROY_V2, &args);
}

/* Leaves first, found by walking down anew for each: how deep they are is a tenant's choice. */
static int destroy_with_children(int dir_fd, uint64_t top)
{
	for (;;) {
		uint64_t leaf = top, child;
		int r;
		while ((r = first_child(dir_fd, leaf, &child)) > 0)
			leaf = child;
		if (r == 0)
			r = destroy_number(dir_fd, leaf, top);
		if (r < 0 || leaf == top)
			return r;
	}
}

int subvolume_destroy(int dir_fd, const char *name)
{
	struct stat st;
	uint64_t number;
	_cleanup_close_ int fd = subvolume_can(dir_fd) ? file_opendir(dir_fd, name) : -1;
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_ino != BTRFS_FIRST_FREE_OBJECTID)
		return 0;
	int r = number_of(fd, &number);
	close_fd(&fd);
	if (r == 0)
		r = destroy_with_children(dir_fd, number);
	struct btrfs_ioctl_qgroup_create_args group = { .create = 0, .qgroupid = group_of(number) };
	if (r == 0)
		request(dir_fd, BTRFS_IOC_QGROUP_CREATE, &group); /* there is none without quotas */
	return r;
}

/* ---- quotas ---- */

struct quota_path {
	char s[128];
};

/* FILE of /sys/fs/btrfs/FSID/qgroups. */
static int quota_path(int dir_fd, const char *file, struct quota_path *ret)
{
	struct btrfs_ioctl_fs_info_args info = { 0 };
	struct quota_path path = { "/sys/fs/btrfs/" };
	size_t n = strlen(path.s);
	int r = request(dir_fd, BTRFS_IOC_FS_INFO, &info);
	if (r < 0)
		return r;
	for (int i = 0; i < BTRFS_FSID_SIZE; i++)
		n += (size_t)snprintf(path.s + n, sizeof(path.s) - n, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
				      info.fsid[i]);
	snprintf(path.s + n, sizeof(path.s) - n, "/qgroups/%s", file);
	*ret = path;
	return 0;
}

static int read_quota_file(int dir_fd, const char *file, char *buf, size_t size)
{
	struct quota_path path;
	int r = quota_path(dir_fd, file, &path);
	return r < 0 ? r : file_read_line(AT_FDCWD, path.s, buf, size);
}

enum subvolume_quota subvolume_quota(int dir_fd)
{
	char word[32];
	if (read_quota_file(dir_fd, "enabled", word, sizeof(word)) < 0 || strcmp(word, "1") != 0)
		return SUBVOLUME_QUOTA_OFF;
	/* Kernels without this file have no simple ones. */
	if (read_quota_file(dir_fd, "mode", word, sizeof(word)) < 0)
		return SUBVOLUME_QUOTA_FULL;
	return strcmp(word, "squota") == 0 ? SUBVOLUME_QUOTA_SIMPLE : SUBVOLUME_QUOTA_FULL;
}

int subvolume_quota_on(int dir_fd)
{
	struct btrfs_ioctl_quota_ctl_args args = { .cmd = ENABLE_SIMPLE_QUOTA };
	int r = request(dir_fd, BTRFS_IOC_QUOTA_CTL, &args);
	if (r != -EINVAL)
		return r;
	args = (struct btrfs_ioctl_quota_ctl_args){ .cmd = BTRFS_QUOTA_CTL_ENABLE };
	return request(dir_fd, BTRFS_IOC_QUOTA_CTL, &args);
}

int subvolume_group_make(int dir_fd, int subvolume_fd)
{
	uint64_t number;
	int r = number_of(subvolume_fd, &number);
	struct btrfs_ioctl_qgroup_create_args group = { .create = 1, .qgroupid = group_of(number) };
	struct btrfs_ioctl_qgroup_assign_args member = { .assign = 1, .src = number, .dst = group_of(number) };
	if (r == 0)
		r = request(dir_fd, BTRFS_IOC_QGROUP_CREATE, &group);
	if (r == 0)
		r = request(dir_fd, BTRFS_IOC_QGROUP_ASSIGN, &member);
	return r;
}

int subvolume_count_again(int dir_fd)
{
	struct btrfs_ioctl_quota_rescan_args args = { 0 };
	int r = request(dir_fd, BTRFS_IOC_QUOTA_RESCAN, &args);
	/* Under way already, for somebody else: perhaps past our files, so that it is waited for, and asked again. */
	if (r == -EINPROGRESS && (r = request(dir_fd, BTRFS_IOC_QUOTA_RESCAN_WAIT, NULL)) == 0)
		r = request(dir_fd, BTRFS_IOC_QUOTA_RESCAN, &args);
	return r < 0 ? r : request(dir_fd, BTRFS_IOC_QUOTA_RESCAN_WAIT, NULL);
}

/* The file WHAT of the group of SUBVOLUME_FD. */
static int group_path(int subvolume_fd, const char *what, struct quota_path *ret)
{
	char file[64];
	uint64_t number;
	int r = number_of(subvolume_fd, &number);
	if (r < 0)
		return r;
	snprintf(file, sizeof(file), "1_%llu/%s", (unsigned long long)number, what);
	return quota_path(subvolume_fd, file, ret);
}

static int read_group(int subvolume_fd, const char *what, uint64_t *ret)
{
	struct quota_path path;
	char text[32];
	int r = group_path(subvolume_fd, what, &path);
	if (r == 0)
		r = file_read_line(AT_FDCWD, path.s, text, sizeof(text));
	if (r < 0)
		return r;
	*ret = strtoull(text, NULL, 10);
	return 0;
}

static int open_group(int subvolume_fd, const char *what)
{
	struct quota_path path;
	int r = group_path(subvolume_fd, what, &path), fd = r < 0 ? r : open(path.s, O_RDONLY | O_CLOEXEC);
	return r < 0 ? r : fd < 0 ? -errno : fd;
}

bool subvolume_group_exists(int subvolume_fd)
{
	uint64_t used;
	return read_group(subvolume_fd, "referenced", &used) == 0;
}

int subvolume_group_limit(int dir_fd, int subvolume_fd, uint64_t bytes)
{
	uint64_t number;
	int r = number_of(subvolume_fd, &number);
	/* All ones clear a limit. */
	struct btrfs_ioctl_qgroup_limit_args args = {
		.qgroupid = group_of(number),
		.lim = { .flags = BTRFS_QGROUP_LIMIT_MAX_RFER, .max_rfer = bytes ? bytes : UINT64_MAX },
	};
	return r < 0 ? r : request(dir_fd, BTRFS_IOC_QGROUP_LIMIT, &args);
}

int subvolume_group_usage(int subvolume_fd, bool sync, uint64_t *ret_used, uint64_t *ret_limit)
{
	uint64_t flags = 0;
	int r = sync ? request(subvolume_fd, BTRFS_IOC_SYNC, NULL) : 0;
	if (r == 0)
		r = read_group(subvolume_fd, "referenced", ret_used);
	if (r == 0)
		r = read_group(subvolume_fd, "max_referenced", ret_limit);
	if (r == 0)
		r = read_group(subvolume_fd, "limit_flags", &flags);
	if (r == 0 && !(flags & BTRFS_QGROUP_LIMIT_MAX_RFER))
		*ret_limit = 0;
	return r;
}

int subvolume_group_gauge(int subvolume_fd, int *ret_used_fd, int *ret_limit_fd)
{
	int used = open_group(subvolume_fd, "referenced"), limit = used < 0 ? used : open_group(subvolume_fd, "max_referenced");
	if (limit < 0) {
		close_fd(&used);
		return limit;
	}
	*ret_used_fd = used;
	*ret_limit_fd = limit;
	return 0;
}
