/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What several back ends do alike. */
#include "fs/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "fs/tool.h"

int backend_open_directory(int ve_fd, const char *name, int *ret_fd, ve_error **ret_error)
{
	*ret_fd = openat(ve_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return *ret_fd < 0 ? err_make(ret_error, VE_ERR_DATA, errno, "storage", "cannot open the VE's storage '%s'", name) : 0;
}

/* cp(1) knows reflinks, sparse files, hard links, extended attributes and devices. */
int backend_copy_tree(int from_fd, int to_fd, const struct storage_watch *watch, ve_error **ret_error)
{
	static const char *const argv[] = { "cp", "-a", "--reflink=auto", "--", "/proc/self/fd/3/.", "/proc/self/fd/4", NULL };
	const struct tool cp = { .argv = argv, .package = "coreutils", .fds = { from_fd, to_fd }, .n_fds = 2,
				 .watch = watch };
	char words[TOOL_WORDS_MAX];
	int status, r = tool_run(&cp, &status, words, ret_error);
	if (r < 0 || status == 0)
		return r;
	bool full = strstr(words, "No space left") || strstr(words, "Disk quota exceeded");
	return err_plain(ret_error, full ? VE_ERR_NO_ROOM : VE_ERR_KERNEL, full ? ENOSPC : EIO, "storage",
			 "cannot copy the tree%s%s", full ? ": there is not enough room for it" : ": ",
			 full ? "" : words);
}

int backend_cannot_limit(const char *backend, const char *key, int dir_fd, const char *why, ve_error **ret_error)
{
	int r = err_plain(ret_error, VE_ERR_UNSUPPORTED, ENOTSUP, "storage", "%s cannot be enforced by the back end '%s' on %s %s", key,
			  backend, storage_fs_name(dir_fd), why);
	err_hint(ret_error, "a new VE can have it: with disk.backend=image, or overlay with a disk.size from the beginning");
	return r;
}

int backend_check_fits(uint64_t used, uint64_t size, ve_error **ret_error)
{
	if (!size || used <= size)
		return 0;
	return err_plain(ret_error, VE_ERR_NO_ROOM, ENOSPC, "storage", "%llu MiB are in use, which %llu MiB cannot hold",
			 (unsigned long long)(used >> 20), (unsigned long long)(size >> 20));
}
