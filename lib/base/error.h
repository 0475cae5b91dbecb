/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The error object. Made at the lowest place that knows the object concerned; the first error wins.
 *
 * Every maker returns the negative errno, so that a function can end with `return err_...(...)`. With
 * RET_ERROR NULL nothing is made and the code is still returned. Allocation failure inside a maker yields
 * a static out-of-memory object: an error is never lost.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <ve.h>

#define ATTR_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Category CAT, errno ERRNUM (positive; 0 gives -EINVAL as return), STAGE one static word. The message says what
 * was attempted on which object; the text of ERRNUM is appended as ": No such file..." when ERRNUM is not 0. */
int err_make(ve_error **ret_error, enum ve_category cat, int errnum, const char *stage, const char *fmt, ...)
	ATTR_PRINTF(5, 6);

/* As err_make, but the message is complete: the text of ERRNUM is not appended. */
int err_plain(ve_error **ret_error, enum ve_category cat, int errnum, const char *stage, const char *fmt, ...)
	ATTR_PRINTF(5, 6);

/* A system call failed with ERRNUM: the category follows from it (ENOSPC: no room, EPERM: permission when we
 * are not root, ...). */
int err_sys(ve_error **ret_error, int errnum, const char *stage, const char *fmt, ...) ATTR_PRINTF(4, 5);

/* Out of memory. */
int err_nomem(ve_error **ret_error);

/* Puts "FMT: " before the message of an existing error; nothing where there is none. Returns -errno of it. */
int err_wrap(ve_error **error, const char *fmt, ...) ATTR_PRINTF(2, 3);

/* Puts FMT behind the message of an existing error. */
void err_append(ve_error **error, const char *fmt, ...) ATTR_PRINTF(2, 3);

/* Hands *OWN on to the caller, who has none yet and wants one; else it stays here. Nothing where there is none. */
void err_propagate(ve_error **ret_error, ve_error **own);

/* Sets the hint, unless there is one. */
void err_hint(ve_error **error, const char *fmt, ...) ATTR_PRINTF(2, 3);

/* The category that a bare errno means. */
enum ve_category err_category_of(int errnum);

static inline void err_freep(ve_error **e)
{
	ve_error_free(*e);
	*e = NULL;
}
#define _cleanup_err_ __attribute__((cleanup(err_freep)))

#endif
