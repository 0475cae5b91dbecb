/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fs/project.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/guard.h"
#include "fs/backend.h"

enum { TRIES = 100, UNIT = 1024 /* of limits in blocks: quotactl(2) */ };

/* Above what an administrator numbers by hand (projid(5)), below what a signed number holds. */
enum { FIRST_PROJECT = 1 << 24, LAST_PROJECT = 0x7fffffff };

static int project_call(int dir_fd, unsigned cmd, uint32_t id, void *data)
{
	/* By descriptor: there need be no path to it, nor a device's name. It wants one that is open for more than its path. */
	_cleanup_close_ int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return syscall(SYS_quotactl_fd, fd, QCMD(cmd, PRJQUOTA), id, data) < 0 ? -errno : 0;
}

uint64_t project_round(uint64_t bytes)
{
	return bytes / UNIT * UNIT;
}

bool project_enforced(int dir_fd)
{
	struct fs_quota_statv state = { .qs_version = FS_QSTATV_VERSION1 };
	return project_call(dir_fd, Q_XGETQSTATV, 0, &state) == 0 && state.qs_flags & FS_QUOTA_PDQ_ENFD;
}

static int get_attributes(int dir_fd, struct fsxattr *ret)
{
	_cleanup_close_ int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || ioctl(fd, FS_IOC_FSGETXATTR, ret) < 0 ? -errno : 0;
}

static int set_attributes(int dir_fd, struct fsxattr *attr)
{
	_cleanup_close_ int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || ioctl(fd, FS_IOC_FSSETXATTR, attr) < 0 ? -errno : 0;
}

uint32_t project_of(int dir_fd)
{
	struct fsxattr attr;
	return get_attributes(dir_fd, &attr) == 0 && attr.fsx_xflags & FS_XFLAG_PROJINHERIT ? attr.fsx_projid : 0;
}

static bool is_free(int dir_fd, uint32_t id)
{
	struct if_dqblk d = { 0 };
	int r = project_call(dir_fd, Q_GETQUOTA, id, &d);
	return r == -ENOENT || r == -ESRCH || (r == 0 && !d.dqb_curspace && !d.dqb_curinodes && !d.dqb_bhardlimit && !d.dqb_ihardlimit);
}

int project_assign(int dir_fd, ve_error **ret_error)
{
	struct fsxattr attr;
	uint32_t id = 0;
	for (int i = 0; i < TRIES && !id; i++) {
		uint32_t random;
		if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
			continue;
		random = FIRST_PROJECT + random % (LAST_PROJECT - FIRST_PROJECT);
		id = is_free(dir_fd, random) ? random : 0;
	}
	if (!id)
		return err_plain(ret_error, VE_ERR_NO_ROOM, ENOSPC, "storage", "no project number is free on this file system");
	int r = get_attributes(dir_fd, &attr);
	if (r == 0) {
		attr.fsx_projid = id;
		attr.fsx_xflags |= FS_XFLAG_PROJINHERIT;
		r = set_attributes(dir_fd, &attr);
	}
	return r < 0 ? err_sys(ret_error, -r, "storage", "cannot give the VE's files a project") : 0;
}

/* Nothing that is in use is taken away by a limit: it would only fail every write from then on. */
static int check_fits(const struct if_dqblk *d, const struct storage_size *size, ve_error **ret_error)
{
	if (size->inodes && d->dqb_curinodes > size->inodes)
		return err_plain(ret_error, VE_ERR_NO_ROOM, ENOSPC, "storage", "%llu files are there, more than %llu",
				 (unsigned long long)d->dqb_curinodes, (unsigned long long)size->inodes);
	return backend_check_fits(d->dqb_curspace, size->bytes, ret_error);
}

static int get_quota(int dir_fd, uint32_t id, struct if_dqblk *ret)
{
	*ret = (struct if_dqblk){ 0 };
	int r = project_call(dir_fd, Q_GETQUOTA, id, ret);
	return r == -ENOENT || r == -ESRCH ? 0 : r; /* nothing was ever counted for it */
}

int project_limit(int dir_fd, const struct storage_size *size, ve_error **ret_error)
{
	uint32_t id = project_of(dir_fd);
	struct if_dqblk d;
	int r = get_quota(dir_fd, id, &d);
	if (r < 0)
		return err_sys(ret_error, -r, "storage", "cannot read the VE's project quota");
	r = check_fits(&d, size, ret_error);
	if (r < 0)
		return r;
	d = (struct if_dqblk){ .dqb_bhardlimit = size->bytes / UNIT, .dqb_ihardlimit = size->inodes, .dqb_valid = QIF_LIMITS };
	r = project_call(dir_fd, Q_SETQUOTA, id, &d);
	return r < 0 ? err_sys(ret_error, -r, "storage", "cannot set the VE's project quota") : 0;
}

int project_usage(int dir_fd, struct storage_usage *ret_usage, ve_error **ret_error)
{
	struct if_dqblk d;
	int r = get_quota(dir_fd, project_of(dir_fd), &d);
	if (r < 0)
		return err_sys(ret_error, -r, "storage", "cannot read the VE's project quota");
	*ret_usage = (struct storage_usage){
		.used_bytes = (int64_t)d.dqb_curspace,
		.size_bytes = d.dqb_bhardlimit ? (int64_t)(d.dqb_bhardlimit * UNIT) : -1,
		.used_inodes = (int64_t)d.dqb_curinodes,
		.inodes = d.dqb_ihardlimit ? (int64_t)d.dqb_ihardlimit : -1,
	};
	return 0;
}

void project_forget(int dir_fd)
{
	uint32_t id = project_of(dir_fd);
	struct if_dqblk none = { .dqb_valid = QIF_LIMITS };
	if (id)
		project_call(dir_fd, Q_SETQUOTA, id, &none);
}
