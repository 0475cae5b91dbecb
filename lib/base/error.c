/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"

struct ve_error {
	enum ve_category category;
	int errnum;
	const char *stage;
	char *message;
	char *hint;
	bool is_static;
};

static ve_error out_of_memory = {
	.category = VE_ERR_NO_ROOM,
	.errnum = ENOMEM,
	.stage = "memory",
	.message = (char *)"out of memory",
	.is_static = true,
};

static const struct {
	const char *name;
	int exit_code;
} categories[VE_ERR_COUNT] = {
	[VE_ERR_NONE] = { "none", 0 },
	[VE_ERR_USAGE] = { "usage", 64 },
	[VE_ERR_DATA] = { "data", 65 },
	[VE_ERR_NOT_FOUND] = { "not-found", 66 },
	[VE_ERR_UNSUPPORTED] = { "unsupported", 69 },
	[VE_ERR_BUG] = { "bug", 70 },
	[VE_ERR_KERNEL] = { "kernel", 71 },
	[VE_ERR_EXISTS] = { "exists", 73 },
	[VE_ERR_NO_ROOM] = { "no-room", 74 },
	[VE_ERR_BUSY] = { "busy", 75 },
	[VE_ERR_PERMISSION] = { "permission", 77 },
	[VE_ERR_CONFIG] = { "config", 78 },
	[VE_ERR_STATE] = { "state", 79 },
};

const char *ve_category_name(enum ve_category c)
{
	return (unsigned)c < VE_ERR_COUNT ? categories[c].name : "unknown";
}

int ve_category_exit_code(enum ve_category c)
{
	return (unsigned)c < VE_ERR_COUNT ? categories[c].exit_code : 70;
}

enum ve_category ve_error_category(const ve_error *e)
{
	return e ? e->category : VE_ERR_NONE;
}

int ve_error_errno(const ve_error *e)
{
	return e ? e->errnum : 0;
}

const char *ve_error_stage(const ve_error *e)
{
	return e && e->stage ? e->stage : "";
}

const char *ve_error_message(const ve_error *e)
{
	return e ? e->message : "no error";
}

const char *ve_error_hint(const ve_error *e)
{
	return e ? e->hint : NULL;
}

void ve_error_free(ve_error *e)
{
	if (!e || e->is_static)
		return;
	free(e->message);
	free(e->hint);
	free(e);
}

enum ve_category err_category_of(int errnum)
{
	switch (errnum) {
	case EPERM:
	case EACCES:
		/* For root these words mean that a kernel rule said no, not that the caller is the wrong one. */
		return geteuid() == 0 ? VE_ERR_KERNEL : VE_ERR_PERMISSION;
	case ENOENT:
		return VE_ERR_NOT_FOUND;
	case EEXIST:
		return VE_ERR_EXISTS;
	case ENOSPC:
	case EDQUOT:
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return VE_ERR_NO_ROOM;
	case EBUSY:
	case EAGAIN:
	case ETIMEDOUT:
	case EINTR:
		return VE_ERR_BUSY;
	case ENOSYS:
	case EOPNOTSUPP:
		return VE_ERR_UNSUPPORTED;
	default:
		return VE_ERR_KERNEL;
	}
}

static int make(ve_error **ret_error, enum ve_category cat, int errnum, const char *stage, bool append,
		const char *fmt, va_list ap)
{
	int r = errnum > 0 ? -errnum : -EINVAL;
	if (!ret_error || *ret_error)
		return r; /* the first error wins */
	ve_error *e = calloc(1, sizeof(*e));
	char *message = str_vprintf(fmt, ap);
	if (e && message && append && errnum > 0) {
		char *whole = str_printf("%s: %s", message, strerrordesc_np(errnum) ?: "unknown error");
		free(message);
		message = whole;
	}
	if (!e || !message) {
		free(e);
		free(message);
		*ret_error = &out_of_memory;
		return r;
	}
	*e = (ve_error){ .category = cat, .errnum = errnum, .stage = stage, .message = message };
	*ret_error = e;
	return r;
}

int err_make(ve_error **ret_error, enum ve_category cat, int errnum, const char *stage, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int r = make(ret_error, cat, errnum, stage, true, fmt, ap);
	va_end(ap);
	return r;
}

int err_plain(ve_error **ret_error, enum ve_category cat, int errnum, const char *stage, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int r = make(ret_error, cat, errnum, stage, false, fmt, ap);
	va_end(ap);
	return r;
}

int err_sys(ve_error **ret_error, int errnum, const char *stage, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int r = make(ret_error, err_category_of(errnum), errnum, stage, true, fmt, ap);
	va_end(ap);
	return r;
}

int err_nomem(ve_error **ret_error)
{
	if (ret_error && !*ret_error)
		*ret_error = &out_of_memory;
	return -ENOMEM;
}

int err_wrap(ve_error **error, const char *fmt, ...)
{
	if (!error || !*error)
		return -EINVAL;
	int r = (*error)->errnum > 0 ? -(*error)->errnum : -EINVAL;
	if ((*error)->is_static)
		return r;
	va_list ap;
	va_start(ap, fmt);
	char *prefix = str_vprintf(fmt, ap);
	va_end(ap);
	/* A refusal may have named verb and object already: nothing is said twice. */
	bool said = prefix && str_starts((*error)->message, prefix);
	char *whole = prefix && !said ? str_printf("%s: %s", prefix, (*error)->message) : NULL;
	free(prefix);
	if (whole) {
		free((*error)->message);
		(*error)->message = whole;
	}
	return r;
}

void err_append(ve_error **error, const char *fmt, ...)
{
	if (!error || !*error || (*error)->is_static)
		return;
	va_list ap;
	va_start(ap, fmt);
	char *more = str_vprintf(fmt, ap);
	va_end(ap);
	char *whole = more ? str_printf("%s%s", (*error)->message, more) : NULL;
	free(more);
	if (whole) {
		free((*error)->message);
		(*error)->message = whole;
	}
}

void err_propagate(ve_error **ret_error, ve_error **own)
{
	if (ret_error && !*ret_error)
		*ret_error = steal_ptr(own);
}

void err_hint(ve_error **error, const char *fmt, ...)
{
	if (!error || !*error || (*error)->is_static || (*error)->hint)
		return;
	va_list ap;
	va_start(ap, fmt);
	(*error)->hint = str_vprintf(fmt, ap);
	va_end(ap);
}
