/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/bindmount.h"

#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/checks.h"

bool bindmount_is_below(const char *path, const char *above)
{
	size_t n = strlen(above);
	if (n == 1) /* "/" */
		return true;
	return strncmp(path, above, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

/* Absolute, no empty component, none that is "." or "..", no slash at the end. "/" is taken. */
static bool is_shortest(const char *path)
{
	if (path[0] != '/')
		return false;
	for (const char *p = path; *p && path[1];) {
		size_t n = strcspn(++p, "/");
		if (n == 0 || (n <= 2 && strspn(p, ".") >= n))
			return false;
		p += n;
	}
	return true;
}

bool bindmount_is_path(const char *path)
{
	return strlen(path) < BINDMOUNT_PATH_SIZE && is_shortest(path);
}

/* N bytes of TEXT. */
static bool take_path(const char *text, size_t n, char ret[BINDMOUNT_PATH_SIZE])
{
	if (n == 0 || n >= BINDMOUNT_PATH_SIZE)
		return false;
	memcpy(ret, text, n);
	ret[n] = '\0';
	return bindmount_is_path(ret);
}

int bindmount_check_target(const char *path, ve_error **ret_error)
{
	/* What vectl mounts there by itself, and what the VE's system does. */
	static const char *const taken[] = { "/proc", "/sys", "/dev", "/run/host" };
	if (!path[1])
		return check_failed(path, "is the VE's root itself", ret_error);
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		if (bindmount_is_below(path, taken[i]))
			return check_failed(path, "is where vectl mounts what a VE needs: choose another place", ret_error);
	return 0;
}

int bindmount_parse(const char *text, struct bindmount *ret, ve_error **ret_error)
{
	static const char form[] = "is no mount: expected SOURCE:TARGET or SOURCE:TARGET:ro, both absolute paths without '.', '..' and '//', "
				   "at most 255 bytes long";
	struct bindmount b = { 0 };
	int r = check_text(text, ret_error);
	if (r < 0)
		return r;
	size_t n = strcspn(text, ":");
	if (text[n] != ':' || !take_path(text, n, b.source))
		return check_failed(text, form, ret_error);
	text += n + 1;
	n = strcspn(text, ":");
	if (!take_path(text, n, b.target))
		return check_failed(text, form, ret_error);
	b.readonly = str_eq(text + n, ":ro");
	if (text[n] && !b.readonly)
		return check_failed(text + n, "is no option of a mount: there is only ':ro'", ret_error);
	r = bindmount_check_target(b.target, ret_error);
	if (r == 0)
		*ret = b;
	return r;
}
