/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/clock.h"
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"

static int try_lock(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	return fcntl(fd, F_OFD_SETLK, &whole) < 0 ? -errno : 0;
}

static int still_named(int fd, int dir_fd, const char *path)
{
	struct stat a, b;
	return fstat(fd, &a) == 0 && fstatat(dir_fd, path, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino &&
	       a.st_dev == b.st_dev;
}

static int held_by_other(int fd, const char *object, ve_error **ret_error)
{
	char holder[128] = "";
	ssize_t n = pread(fd, holder, sizeof(holder) - 1, 0);
	holder[n > 0 ? n : 0] = '\0';
	_cleanup_free_ char *quoted = str_quote(holder);
	int r = err_plain(ret_error, VE_ERR_BUSY, ETIMEDOUT, "lock", "'%s' is locked by %s", object,
			  quoted && *quoted ? quoted : "another process");
	err_hint(ret_error, "try again, or wait longer with --lock-timeout");
	return r;
}

int lock_take(int dir_fd, const char *path, unsigned timeout_ms, int cancel_fd, const char *object,
	      const char *verb, int *ret_fd, ve_error **ret_error)
{
	int64_t deadline = clock_ms() + timeout_ms;
	int pause_ms = 1;
	for (;;) {
		_cleanup_close_ int fd = openat(dir_fd, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return err_sys(ret_error, errno, "lock", "cannot open the lock '%s' of '%s'", path, object);
		int r = try_lock(fd);
		/* A file that was removed while we waited (destroy) locks nothing: look again. */
		if (r == 0 && !still_named(fd, dir_fd, path))
			continue;
		if (r == 0) {
			char holder[96];
			int n = snprintf(holder, sizeof(holder), "pid %d (%s)", (int)getpid(), verb);
			if (ftruncate(fd, 0) == 0)
				(void)!pwrite(fd, holder, (size_t)n, 0);
			*ret_fd = steal_fd(&fd);
			return 0;
		}
		if (r != -EAGAIN && r != -EACCES)
			return err_sys(ret_error, -r, "lock", "cannot lock '%s'", object);
		if (clock_ms() >= deadline)
			return held_by_other(fd, object, ret_error);
		struct pollfd cancel = { .fd = cancel_fd, .events = POLLIN };
		if (poll(&cancel, 1, pause_ms) > 0)
			return err_plain(ret_error, VE_ERR_BUSY, EINTR, "lock", "interrupted while waiting for '%s'",
					 object);
		pause_ms = pause_ms < 50 ? pause_ms * 2 : 50;
	}
}
