/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scope guards for single-owner locals, and the helpers that hand ownership on. Not for use in the child
 * between clone3 and exec, where nothing is freed.
 */
#ifndef BASE_GUARD_H
#define BASE_GUARD_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void guard_freep(void *p)
{
	free(*(void **)p);
}

static inline void guard_closep(int *fd)
{
	if (*fd >= 0) {
		int saved = errno;
		close(*fd);
		errno = saved;
	}
}

static inline void guard_fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void guard_closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define _cleanup_free_ __attribute__((cleanup(guard_freep)))
#define _cleanup_close_ __attribute__((cleanup(guard_closep)))
#define _cleanup_fclose_ __attribute__((cleanup(guard_fclosep)))
#define _cleanup_closedir_ __attribute__((cleanup(guard_closedirp)))

/* Takes the pointer out of a guarded variable: `return steal_ptr(&p)`. */
#define steal_ptr(pp)                         \
	({                                    \
		__typeof__(*(pp)) _v = *(pp); \
		*(pp) = NULL;                 \
		_v;                           \
	})

static inline int steal_fd(int *fd)
{
	int v = *fd;
	*fd = -1;
	return v;
}

/* Closes *FD if it is one, and marks it closed. */
static inline void close_fd(int *fd)
{
	guard_closep(fd);
	*fd = -1;
}

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
