/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What several back ends do alike. */
#include "fs/backend.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "fs/project.h"
#include "fs/tool.h"

/* cp(1) knows reflinks, sparse files, hard links, extended attributes and devices. */
int backend_copy_tree(int from_fd, int to_fd, ve_error **ret_error)
{
	static const char *const argv[] = { "cp", "-a", "--reflink=auto", "--", "/proc/self/fd/3/.", "/proc/self/fd/4", NULL };
	const struct tool cp = { .argv = argv, .package = "coreutils", .fds = { from_fd, to_fd }, .n_fds = 2 };
	char words[TOOL_WORDS_MAX];
	int status, r = tool_run(&cp, &status, words, ret_error);
	if (r < 0 || status == 0)
		return r;
	bool full = strstr(words, "No space left") || strstr(words, "Disk quota exceeded");
	return err_plain(ret_error, full ? VE_ERR_NO_ROOM : VE_ERR_KERNEL, full ? ENOSPC : EIO, "storage",
			 "cannot copy the image's tree%s%s", full ? ": there is not enough room for it" : ": ",
			 full ? "" : words);
}

int backend_cannot_limit(const char *backend, const char *key, int dir_fd, const char *why, ve_error **ret_error)
{
	int r = err_plain(ret_error, VE_ERR_UNSUPPORTED, ENOTSUP, "storage", "%s cannot be enforced by the back end '%s' on %s %s", key,
			  backend, storage_fs_name(dir_fd), why);
	err_hint(ret_error, "a new VE can have it: with disk.backend=image, or overlay with a disk.size from the beginning");
	return r;
}

int backend_open_limited(const char *backend, int dir_fd, const struct storage_size *size, ve_error **ret_error)
{
	struct storage_usage now;
	bool limited = size->bytes || size->inodes;
	if (!project_of(dir_fd) || !project_enforced(dir_fd))
		return limited ? backend_resize_limited(backend, dir_fd, size, ret_error) : 0;
	int r = project_usage(dir_fd, &now, ret_error);
	if (r < 0)
		return r;
	/* A start is not kept up by a limit that is set already, however full it is. */
	bool as_wanted = now.size_bytes == (size->bytes ? (int64_t)project_round(size->bytes) : -1) &&
			 now.inodes == (size->inodes ? (int64_t)size->inodes : -1);
	return as_wanted ? 0 : project_limit(dir_fd, size, ret_error);
}

int backend_resize_limited(const char *backend, int dir_fd, const struct storage_size *to, ve_error **ret_error)
{
	const char *key = to->bytes ? "disk.size" : "disk.inodes";
	if (!to->bytes && !to->inodes && !project_enforced(dir_fd))
		return 0;
	if (!project_enforced(dir_fd))
		return backend_cannot_limit(backend, key, dir_fd, "without project quotas", ret_error);
	if (!project_of(dir_fd))
		return backend_cannot_limit(backend, key, dir_fd, "for a VE that was made before it had project quotas", ret_error);
	return project_limit(dir_fd, to, ret_error);
}

int backend_usage_limited(int dir_fd, struct storage_usage *usage, ve_error **ret_error)
{
	if (dir_fd >= 0 && project_of(dir_fd) && project_enforced(dir_fd))
		return project_usage(dir_fd, usage, ret_error);
	*usage = (struct storage_usage){ -1, -1, -1, -1 };
	return 0;
}
