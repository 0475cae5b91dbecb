/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ve_doc is a JSON value under another name: jansson stays out of the public interface. */
#include "api/api.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static const json_t *whole(const ve_doc *d)
{
	return (const json_t *)d;
}

static const json_t *step(const json_t *j, const char *name, size_t n)
{
	if (json_is_array(j)) {
		char *end;
		unsigned long index = strtoul(name, &end, 10);
		return end == name + n ? json_array_get(j, index) : NULL;
	}
	return json_object_getn(j, name, n);
}

/* A key may hold dots ("memory.used" of a list): the longest key that fits the rest of the path is taken. */
static const json_t *find(const json_t *j, const char *path)
{
	size_t n = path ? strlen(path) : 0;
	if (n == 0 || !j)
		return j;
	for (;;) {
		const json_t *next = step(j, path, n);
		if (next && !path[n])
			return next;
		if (next)
			return path[n + 1] ? find(next, path + n + 1) : NULL;
		while (n > 0 && path[--n] != '.')
			;
		if (n == 0)
			return NULL;
	}
}

enum ve_type ve_doc_type(const ve_doc *d, const char *path)
{
	const json_t *j = find(whole(d), path);
	switch (j ? json_typeof(j) : JSON_NULL) {
	case JSON_OBJECT:
		return VE_OBJECT;
	case JSON_ARRAY:
		return VE_ARRAY;
	case JSON_STRING:
		return VE_STRING;
	case JSON_INTEGER:
		return VE_INT;
	case JSON_REAL:
		return VE_REAL;
	case JSON_TRUE:
	case JSON_FALSE:
		return VE_BOOL;
	default:
		return VE_NULL;
	}
}

const char *ve_doc_string(const ve_doc *d, const char *path)
{
	return json_string_value(find(whole(d), path));
}

int64_t ve_doc_int(const ve_doc *d, const char *path)
{
	return json_integer_value(find(whole(d), path));
}

double ve_doc_real(const ve_doc *d, const char *path)
{
	return json_number_value(find(whole(d), path));
}

bool ve_doc_bool(const ve_doc *d, const char *path)
{
	return json_is_true(find(whole(d), path));
}

size_t ve_doc_length(const ve_doc *d, const char *path)
{
	const json_t *j = find(whole(d), path);
	return json_is_array(j) ? json_array_size(j) : json_object_size(j);
}

const char *ve_doc_key(const ve_doc *d, const char *path, size_t index)
{
	json_t *j = (json_t *)find(whole(d), path);
	void *it = json_object_iter(j);
	while (it && index--)
		it = json_object_iter_next(j, it);
	return it ? json_object_iter_key(it) : NULL;
}

const ve_doc *ve_doc_at(const ve_doc *d, const char *path, size_t index)
{
	json_t *j = (json_t *)find(whole(d), path);
	if (!json_is_object(j))
		return (const ve_doc *)json_array_get(j, index);
	void *it = json_object_iter(j);
	while (it && index--)
		it = json_object_iter_next(j, it);
	return it ? (const ve_doc *)json_object_iter_value(it) : NULL;
}

char *ve_doc_json(const ve_doc *d, int indent)
{
	return json_dumps(whole(d), JSON_ENCODE_ANY | (indent > 0 ? JSON_INDENT((size_t)indent) : JSON_COMPACT));
}

void ve_doc_free(ve_doc *d)
{
	json_decref((json_t *)d);
}
