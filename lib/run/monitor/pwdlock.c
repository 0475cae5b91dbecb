/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lock that the shadow tools take before they touch the accounts, as lckpwdf(3) does. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "users.h"

enum { LOCK_TRIES = 500, LOCK_PAUSE_MS = 20 };

int users_lock(struct failure *f)
{
	const char *path = "/etc/.pwd.lock";
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct stat st;
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(f, "open", path);
	errno = EINVAL;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return fail(f, "lock", path);
	for (int i = 0; fcntl(fd, F_SETLK, &whole) < 0; i++) {
		const struct timespec pause = { .tv_nsec = LOCK_PAUSE_MS * 1000000L };
		if ((errno != EAGAIN && errno != EACCES) || i == LOCK_TRIES) {
			errno = i == LOCK_TRIES ? EBUSY : errno;
			return fail(f, "lock", path);
		}
		nanosleep(&pause, NULL);
	}
	return 0; /* held until we end */
}
