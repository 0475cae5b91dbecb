/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/docfile.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"

enum { DOC_MAX_BYTES = 65536 };

json_t *docfile_read(int dir_fd, const char *name)
{
	_cleanup_free_ char *text = NULL;
	int r = dir_fd >= 0 ? file_read(dir_fd, name, DOC_MAX_BYTES, &text, NULL) : -ENOENT;
	if (r == -ENOENT)
		return json_null();
	json_t *j = r == 0 ? json_loads(text, 0, NULL) : NULL;
	if (json_is_object(j))
		return j;
	json_decref(j);
	return NULL;
}

int docfile_write(const struct ve *v, const char *name, const json_t *doc, ve_error **ret_error)
{
	_cleanup_free_ char *text = json_dumps(doc, JSON_INDENT(2));
	if (!text)
		return err_nomem(ret_error);
	int r = file_replace(v->dir_fd, name, text, strlen(text), 0600, true);
	return r < 0 ? err_sys(ret_error, -r, "config", "cannot write '%s' of '%s'", name, v->name) : 0;
}

int docfile_remove(const struct ve *v, const char *name, ve_error **ret_error)
{
	if (unlinkat(v->dir_fd, name, 0) < 0 && errno != ENOENT)
		return err_sys(ret_error, errno, "config", "cannot remove '%s' of '%s'", name, v->name);
	fsync(v->dir_fd);
	return 0;
}
