/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/devicespec.h"

#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/bindmount.h"
#include "model/checks.h"

static int check_place(const char *path, ve_error **ret_error)
{
	/* Where vectl mounts something, or programs make what they like. */
	static const char *const taken[] = { "/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/hugepages", "/dev/fd" };
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		if (bindmount_is_below(path, taken[i]))
			return check_failed(path, "is not in a place for devices", ret_error);
	return 0;
}

int devicespec_parse(const char *text, struct devicespec *ret, ve_error **ret_error)
{
	struct devicespec d = { 0 };
	int r = check_text(text, ret_error);
	if (r < 0)
		return r;
	size_t n = strcspn(text, ":");
	const char *access = text + n;
	if (n < sizeof(d.path))
		memcpy(d.path, text, n);
	if (!str_starts(d.path, "/dev/") || !bindmount_is_path(d.path))
		return check_failed(text, "is no device: expected PATH, PATH:r or PATH:rw, the path below /dev, without '.', '..' and '//', at "
					  "most 127 bytes long", ret_error);
	d.readonly = str_eq(access, ":r");
	if (str_starts(access, ":") && strchr(access, 'm'))
		return check_failed(text, "asks for 'm', making nodes: nobody in a user namespace may", ret_error);
	if (*access && !d.readonly && !str_eq(access, ":rw"))
		return check_failed(access, "is no access to a device: there are ':r' and ':rw'", ret_error);
	r = check_place(d.path, ret_error);
	if (r == 0)
		*ret = d;
	return r;
}
