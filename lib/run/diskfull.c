/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/diskfull.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/statfs.h>

#include "base/guard.h"
#include "base/str.h"
#include "run/disk.h"
#include "run/docfile.h"
#include "run/verbs.h"

#define FILE_NAME "full.json"
#define HOST "host"
#define OWN "disk"
#define VOLUME "volume."
_Static_assert(BLOB_MAX_DISKS >= 2 + VOLUMES_MAX, "a gauge a disk");

/* ---- gauges ---- */

struct frozen {
	struct blobber *b;
	struct blob_disk of[BLOB_MAX_DISKS];
	struct diskfull_gauges *kept;
};

/* As storage_gauge() has them. */
static void add(struct frozen *f, const char *name, enum storage_kind kind, int fd, bool is_mount)
{
	struct storage_gauge *g = &f->kept->of[f->kept->n];
	if (fd < 0 || storage_gauge(kind, fd, is_mount, g) < 0)
		return;
	f->of[f->kept->n++] = (struct blob_disk){ blobber_fd(f->b, g->fd), blobber_fd(f->b, g->limit_fd), blobber_str(f->b, name) };
}

static void add_own(struct frozen *f, struct ve *v, const struct config *c, const struct plan *p)
{
	_cleanup_close_ int looked = -1;
	enum storage_kind kind;
	if (storage_kind(config_string(c, "disk.backend"), &kind, NULL) < 0)
		return;
	if (!p)
		storage_look(kind, v->dir_fd, &looked, NULL);
	add(f, OWN, kind, p ? p->storage.writable_fd : looked, p && p->storage.is_mount);
}

static void add_volumes(struct frozen *f, struct ve *v, const struct config *c, const struct plan *p)
{
	struct volume all[VOLUMES_MAX];
	unsigned n = volume_list(config_list(c, "volumes"), all);
	for (unsigned i = 0; i < n; i++) {
		_cleanup_close_ int looked = -1;
		_cleanup_free_ char *name = str_printf(VOLUME "%s", all[i].name);
		if (!p)
			volumes_look(v, all[i].name, &looked);
		if (name)
			add(f, name, STORAGE_IMAGE, p ? p->volumes.fds[i] : looked, p);
	}
}

void diskfull_freeze(struct blobber *b, struct ve *v, const struct config *c, const struct plan *p, struct diskfull_gauges *kept)
{
	struct frozen f = { .b = b, .kept = kept };
	kept->n = 0;
	if (config_identity_int(c, "ephemeral"))
		return; /* it is in memory */
	add(&f, HOST, STORAGE_DIR, v->dir_fd, false);
	if (kept->n == 0)
		return; /* what the others are compared with */
	add_own(&f, v, c, p);
	add_volumes(&f, v, c, p);
	b->head.disks = blobber_vec(b, f.of, kept->n, sizeof(f.of[0]));
}

void diskfull_close(struct diskfull_gauges *kept)
{
	while (kept->n > 0) {
		struct storage_gauge *g = &kept->of[--kept->n];
		close_fd(&g->fd);
		close_fd(&g->limit_fd);
	}
}

/* ---- counts ---- */

json_t *diskfull_counts(struct ve *v)
{
	return docfile_read(v->dir_fd, FILE_NAME);
}

int64_t diskfull_count(const json_t *counts, const char *resource)
{
	int64_t n = json_integer_value(json_object_get(counts, resource));
	return n > 0 ? n : 0;
}

/* A disk that is full may have no room for that either. */
static void count(struct ve *v, const char *resource)
{
	json_t *counts = diskfull_counts(v);
	if (!json_is_object(counts)) {
		json_decref(counts);
		counts = json_object();
	}
	json_object_set_new(counts, resource, json_integer(diskfull_count(counts, resource) + 1));
	docfile_write(v, FILE_NAME, counts, NULL);
	json_decref(counts);
}

/* ---- events ---- */

/* So many bytes, or files. LIMIT -1: it cannot be looked at any more. */
struct full {
	const char *resource;
	int64_t used, limit;
	bool of_files;
};

static char *sentence(const struct full *f, const char *where)
{
	if (f->limit < 0)
		return strdup(where);
	if (f->of_files)
		return str_printf("%s: %" PRId64 " of %" PRId64 " files are there", where, f->used, f->limit);
	return str_printf("%s: %" PRId64 " of %" PRId64 " MiB are in use", where, f->used >> 20, f->limit >> 20);
}

static json_t *figures(const struct full *f)
{
	if (f->limit < 0)
		return json_pack("{s:s}", "resource", f->resource);
	return json_pack("{s:s,s:I,s:I}", "resource", f->resource, "used", (json_int_t)f->used, "limit", (json_int_t)f->limit);
}

static int tell_host(struct ve *v, bool of_files)
{
	struct statfs st;
	if (fstatfs(v->dir_fd, &st) < 0)
		return -errno;
	const int64_t unit = of_files ? 1 : (int64_t)st.f_bsize, size = (int64_t)(of_files ? st.f_files : st.f_blocks) * unit,
		      left = (int64_t)(of_files ? st.f_ffree : st.f_bfree) * unit;
	const struct full f = { of_files ? "inodes" : "disk", size - left, size, of_files };
	_cleanup_free_ char *path = str_printf("%s/var/lib/vectl/ve/%s", str_eq(v->ctx->root, "/") ? "" : v->ctx->root, v->uuid);
	_cleanup_free_ char *where = path ? str_printf("the host's file system below %s", path) : NULL;
	_cleanup_free_ char *detail = where ? sentence(&f, where) : NULL;
	json_t *more = detail ? figures(&f) : NULL;
	json_object_set_new(more, "path", json_string(path));
	return event_log_more(v->ctx, "host-disk-full", v->name, v->uuid, detail, more);
}

static int tell_own(struct ve *v, const char *disk, bool of_files)
{
	struct storage_usage u;
	const char *volume = str_starts(disk, VOLUME) ? disk + strlen(VOLUME) : NULL;
	_cleanup_free_ char *resource = volume ? str_printf("%s%s", disk, of_files ? ".inodes" : "") : strdup(of_files ? "inodes" : "disk");
	if (!resource)
		return -ENOMEM;
	if (volume)
		volumes_usage(v, volume, &u);
	else
		disk_usage(v, &u);
	const struct full f = { resource, of_files ? u.used_inodes : u.used_bytes, of_files ? u.inodes : u.size_bytes, of_files };
	_cleanup_free_ char *detail = sentence(&f, resource);
	int r = event_log_more(v->ctx, "disk-full", v->name, v->uuid, detail, figures(&f));
	if (r == 0)
		count(v, resource);
	return r;
}

int verb_disk_full(struct ve_ctx *ctx, const char *uuid, const char *disk, bool of_files, ve_error **ret_error)
{
	_cleanup_ve_ struct ve *v = NULL;
	int r = handle_take(ctx, uuid, "disk-full", &v, ret_error);
	if (r < 0)
		return r;
	if (state_is_up(handle_state(v, NULL)))
		r = str_eq(disk, HOST) ? tell_host(v, of_files) : tell_own(v, disk, of_files);
	handle_unlock(v);
	return r < 0 ? err_sys(ret_error, -r, "events", "cannot write that a disk of '%s' is full", v->name) : 0;
}
