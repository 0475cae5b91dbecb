/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/disk.h"

#include <errno.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/units.h"
#include "run/fault.h"

static int kind_of(const struct config *c, enum storage_kind *ret_kind, ve_error **ret_error)
{
	return storage_kind(config_string(c, "disk.backend"), ret_kind, ret_error);
}

static uint64_t limit_of(const struct config *c, const char *key)
{
	int64_t value = config_int(c, key);
	return value == UNITS_UNLIMITED ? 0 : (uint64_t)value;
}

static struct storage_size size_of(const struct config *c)
{
	return (struct storage_size){ .bytes = limit_of(c, "disk.size"), .inodes = limit_of(c, "disk.inodes"),
				      .user_quotas = config_bool(c, "disk.user_quota") };
}

int disk_check_quota(const struct config *c, ve_error **ret_error)
{
	enum storage_kind kind;
	if (!config_bool(c, "disk.user_quota"))
		return 0;
	int r = kind_of(c, &kind, ret_error);
	if (r < 0)
		return r;
	if (!storage_has_user_quotas(kind)) {
		r = err_plain(ret_error, VE_ERR_UNSUPPORTED, EOPNOTSUPP, "storage",
			      "disk.user_quota: with disk.backend=%s a VE has no file system of its own to keep quotas",
			      config_string(c, "disk.backend"));
		err_hint(ret_error, "disk.backend=image has one: --set disk.backend=image --disk SIZE, for a new VE");
		return r;
	}
	if (str_eq(config_string(c, "security.seccomp"), "vps"))
		return 0;
	return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "storage",
			 "disk.user_quota needs security.seccomp=vps: only that policy lets quotas be asked for");
}

int disk_check_host(const struct config *c, ve_error **ret_error)
{
	int r = disk_check_quota(c, ret_error);
	return r < 0 || !config_bool(c, "disk.user_quota") ? r : storage_check_user_quotas(ret_error);
}

int disk_prepare(struct ve *v, int image_fd, ve_error **ret_error)
{
	enum storage_kind kind;
	const struct storage_size size = size_of(v->config);
	int r = kind_of(v->config, &kind, ret_error);
	if (r < 0)
		return r;
	if (storage_copies(kind))
		ctx_progress(v->ctx, "copying the image", 0, 0);
	return storage_prepare(kind, v->dir_fd, image_fd, &size, ret_error);
}

static void tell_copied(uint64_t bytes, uint64_t total, void *data)
{
	ctx_progress(data, "copying its files", total && bytes > total ? total : bytes, total);
}

/* HOW: storage_clone() or storage_adopt(). The back end of a copy is that of what it is a copy of. */
static int copy(int from_fd, struct ve *v,
		int (*how)(enum storage_kind, int, int, const struct storage_size *, const struct storage_watch *, ve_error **),
		ve_error **ret_error)
{
	enum storage_kind kind;
	const struct storage_size size = size_of(v->config);
	const struct storage_watch watch = { .cancel_fd = v->ctx->cancel_fd, .progress = tell_copied, .data = v->ctx };
	int r = kind_of(v->config, &kind, ret_error);
	return r < 0 ? r : how(kind, from_fd, v->dir_fd, &size, &watch, ret_error);
}

int disk_clone(struct ve *old, struct ve *v, ve_error **ret_error)
{
	return copy(old->dir_fd, v, storage_clone, ret_error);
}

int disk_adopt(int from_fd, struct ve *v, ve_error **ret_error)
{
	return copy(from_fd, v, storage_adopt, ret_error);
}

int disk_open(struct ve *v, const struct config *c, int image_fd, struct storage *ret_storage, ve_error **ret_error)
{
	_cleanup_close_ int image = image_fd;
	enum storage_kind kind;
	struct storage s;
	const struct storage_size size = size_of(c);
	int r = kind_of(c, &kind, ret_error);
	if (r == 0)
		r = storage_open(kind, v->dir_fd, steal_fd(&image), &size, &s, ret_error);
	if (r < 0)
		return r;
	r = fault_point("disk", ret_error);
	if (r < 0)
		storage_close(&s);
	else
		*ret_storage = s;
	return r;
}

int disk_resize(struct ve *v, const struct config *from, const struct config *to, bool running, ve_error **ret_error)
{
	enum storage_kind kind;
	const struct storage_size a = size_of(from), b = size_of(to);
	int r = kind_of(to, &kind, ret_error);
	return r < 0 ? r : storage_resize(kind, v->dir_fd, &a, &b, running, ret_error);
}

void disk_usage(struct ve *v, struct storage_usage *ret_usage)
{
	enum storage_kind kind;
	*ret_usage = (struct storage_usage){ -1, -1, -1, -1 };
	if (v->config && !config_identity_int(v->config, "ephemeral") && kind_of(v->config, &kind, NULL) == 0)
		storage_usage(kind, v->dir_fd, handle_monitor(v), ret_usage, NULL);
}
