/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernel settings below /proc/sys/net. Interface names are those the kernel told us: no '/' is in them. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "net/priv.h"

struct path {
	char s[128];
};

static void make_path(struct path *p, const char *fmt, va_list ap)
{
	int n = snprintf(p->s, sizeof(p->s), "/proc/sys/net/");
	vsnprintf(p->s + n, sizeof(p->s) - (size_t)n, fmt, ap);
}

static int get(const struct path *p)
{
	char text[32];
	int r = file_read_line(AT_FDCWD, p->s, text, sizeof(text));
	return r < 0 ? r : atoi(text);
}

static int put(const struct path *p, int value)
{
	char text[16];
	snprintf(text, sizeof(text), "%d", value);
	return get(p) == value ? 0 : file_poke(AT_FDCWD, p->s, text);
}

int sysctl_get(const char *fmt, ...)
{
	struct path p;
	va_list ap;
	va_start(ap, fmt);
	make_path(&p, fmt, ap);
	va_end(ap);
	return get(&p);
}

int sysctl_try_set(int value, const char *fmt, ...)
{
	struct path p;
	va_list ap;
	va_start(ap, fmt);
	make_path(&p, fmt, ap);
	va_end(ap);
	return put(&p, value);
}

int sysctl_set(int value, ve_error **ret_error, const char *fmt, ...)
{
	struct path p;
	va_list ap;
	va_start(ap, fmt);
	make_path(&p, fmt, ap);
	va_end(ap);
	int r = put(&p, value);
	return r < 0 ? err_sys(ret_error, -r, "network", "cannot write %d to '%s'", value, p.s) : 0;
}
