/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/volume.h"

#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/checks.h"
#include "model/units.h"

#define BYTES_MIN (INT64_C(16) << 20)
#define BYTES_MAX (INT64_C(1) << 50)

int volume_check_name(const char *text, ve_error **ret_error)
{
	return name_check("volume", text, NULL) == 0 ?
		       0 :
		       check_failed(text, "is no name of a volume: expected letters a-z, digits and '-'", ret_error);
}

static int take_size(const char *text, size_t n, uint64_t *ret_bytes, ve_error **ret_error)
{
	int64_t bytes;
	_cleanup_free_ char *size = strndup(text, n);
	if (!size)
		return err_nomem(ret_error);
	int r = units_parse(UNIT_BYTES, size, &bytes, ret_error);
	if (r < 0)
		return r;
	if (bytes < BYTES_MIN || bytes > BYTES_MAX)
		return check_failed(size, "is no size of a volume: expected 16M to 1024T", ret_error);
	*ret_bytes = (uint64_t)bytes;
	return 0;
}

int volume_parse(const char *text, struct volume *ret, ve_error **ret_error)
{
	static const char form[] = "is no volume: expected NAME:SIZE:TARGET, as data:10G:/srv/data, with an absolute path without '.', "
				   "'..', '//' and ':'";
	struct volume v = { 0 };
	int r = check_text(text, ret_error);
	if (r < 0)
		return r;
	size_t name = strcspn(text, ":"), size = text[name] ? strcspn(text + name + 1, ":") : 0;
	const char *target = text + name + 1 + size;
	if (!text[name] || *target != ':' || strchr(target + 1, ':') || !bindmount_is_path(target + 1))
		return check_failed(text, form, ret_error);
	if (name >= sizeof(v.name))
		return check_failed(text, "has too long a name", ret_error);
	memcpy(v.name, text, name);
	memcpy(v.target, target + 1, strlen(target + 1));
	r = volume_check_name(v.name, ret_error);
	if (r == 0)
		r = take_size(text + name + 1, size, &v.bytes, ret_error);
	if (r == 0)
		r = bindmount_check_target(v.target, ret_error);
	/* /run/host and its like are below: a disk there would hide them. */
	if (r == 0 && str_eq(v.target, "/run"))
		r = check_failed(v.target, "is kept in memory, and empty at each start: choose another place", ret_error);
	if (r == 0)
		*ret = v;
	return r;
}

int volume_canonical(const char *text, char **ret_text, ve_error **ret_error)
{
	struct volume v;
	int r = volume_parse(text, &v, ret_error);
	if (r < 0)
		return r;
	_cleanup_free_ char *size = units_format(UNIT_BYTES, (int64_t)v.bytes);
	*ret_text = size ? str_printf("%s:%s:%s", v.name, size, v.target) : NULL;
	return *ret_text ? 0 : err_nomem(ret_error);
}

/* What is above comes first. */
static int by_target(const void *a, const void *b)
{
	const struct volume *x = a, *y = b;
	return strcmp(x->target, y->target);
}

unsigned volume_list(const json_t *list, struct volume ret[VOLUMES_MAX])
{
	unsigned n = 0;
	for (size_t i = 0; i < json_array_size(list) && n < VOLUMES_MAX; i++)
		n += volume_parse(json_string_value(json_array_get(list, i)), &ret[n], NULL) == 0;
	if (n > 1)
		qsort(ret, n, sizeof(ret[0]), by_target);
	return n;
}

const struct volume *volume_find(const struct volume *all, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (str_eq(all[i].name, name))
			return &all[i];
	return NULL;
}

bool volume_grows_only(const json_t *a, const json_t *b)
{
	struct volume before[VOLUMES_MAX], after[VOLUMES_MAX];
	unsigned n_before = volume_list(a, before), n_after = volume_list(b, after);
	if (n_before != n_after)
		return false;
	for (unsigned i = 0; i < n_before; i++) {
		const struct volume *v = volume_find(after, n_after, before[i].name);
		if (!v || !str_eq(v->target, before[i].target) || v->bytes < before[i].bytes)
			return false;
	}
	return true;
}
