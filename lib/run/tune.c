/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host's settings for many VEs: what model/tuning.c wants is compared with what is, set, and taken back.
 *
 * Nothing is ever made smaller. What was there before the first change is kept in var/lib/vectl/tune.json, written before anything
 * is set, so that whatever is interrupted can be reverted; etc/sysctl.d/60-vectl.conf, for the next boot, is made from it.
 * A revert leaves alone what somebody else has set since.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/guard.h"
#include "base/lock.h"
#include "base/str.h"
#include "model/tuning.h"
#include "run/audit.h"
#include "run/ornull.h"
#include "run/verbs.h"

#define KEPT "tune.json"
#define SYSCTL_DIR "etc/sysctl.d"
#define SYSCTL_FILE "60-vectl.conf"
enum { KEPT_MAX = 65536 };

struct tune {
	struct ve_ctx *ctx;
	const char *const *only; /* NULL: all */
	uint64_t n_ves;
	json_t *kept;	/* {name:{before,set}} of what was changed and not reverted */
	json_t *values; /* for audit.jsonl */
};

/* ---- one setting ---- */

static bool is_wanted(const struct tune *u, const char *name)
{
	for (const char *const *o = u->only; o && *o; o++)
		if (str_eq(*o, name))
			return true;
	return !u->only || !*u->only;
}

/* -1: this kernel has none, or not here. */
static int64_t value_now(const struct tuning *t)
{
	char path[TUNING_PATH_SIZE + sizeof("/proc/sys/")], name[TUNING_PATH_SIZE], text[64];
	tuning_path(t, name);
	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	return file_read_line(AT_FDCWD, path, text, sizeof(text)) > 0 ? strtoll(text, NULL, 10) : -1;
}

static int put_value(const struct tuning *t, int64_t value, ve_error **ret_error)
{
	char path[TUNING_PATH_SIZE + sizeof("/proc/sys/")], name[TUNING_PATH_SIZE], text[32];
	tuning_path(t, name);
	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	snprintf(text, sizeof(text), "%" PRId64, value);
	int r = file_poke(AT_FDCWD, path, text);
	if (r == 0)
		return 0;
	r = err_sys(ret_error, -r, "tune", "cannot set %s to %s", t->name, text);
	err_hint(ret_error, "set the others by their names: vectl tune --apply SETTING...");
	return r;
}

static bool is_low(const struct tune *u, const struct tuning *t)
{
	int64_t now = value_now(t);
	return is_wanted(u, t->name) && now >= 0 && now < tuning_wanted(t, u->n_ves);
}

/* ---- what is kept ---- */

static int load_kept(struct tune *u, ve_error **ret_error)
{
	_cleanup_free_ char *text = NULL;
	int r = file_read(u->ctx->store->lib_fd, KEPT, KEPT_MAX, &text, NULL);
	if (r < 0 && r != -ENOENT)
		return err_sys(ret_error, -r, "tune", "cannot read '/var/lib/vectl/" KEPT "'");
	u->kept = r == 0 ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : json_object();
	if (!u->kept || !json_is_object(u->kept))
		return err_plain(ret_error, VE_ERR_DATA, EBADMSG, "tune",
				 "'/var/lib/vectl/" KEPT "', which has what was set before, is damaged");
	return 0;
}

static int open_sysctl_dir(struct tune *u)
{
	_cleanup_free_ char *path = str_printf("%s/" SYSCTL_DIR, str_eq(u->ctx->root, "/") ? "" : u->ctx->root);
	int r = path ? file_mkdirs(AT_FDCWD, path, 0755) : -ENOMEM;
	return r < 0 ? r : file_opendir(AT_FDCWD, path);
}

static char *sysctl_text(const json_t *kept)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	strbuf_add(&b, "# Written by 'vectl tune --apply'; 'vectl tune --revert' takes it away.\n");
	for (const struct tuning *t = tunings; t->name; t++) {
		const json_t *one = json_object_get(kept, t->name);
		if (one)
			strbuf_addf(&b, "# %s\n%s = %" JSON_INTEGER_FORMAT "\n", t->reason, t->name,
				    json_integer_value(json_object_get(one, "set")));
	}
	return strbuf_steal(&b);
}

static int write_or_remove(int dir_fd, const char *name, const char *text, bool remove, mode_t mode)
{
	if (remove)
		return unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
	return file_replace(dir_fd, name, text, strlen(text), mode, true);
}

/* Both files say KEPT. What was there before goes last, and comes first. */
static int save_kept(struct tune *u, const json_t *kept, ve_error **ret_error)
{
	_cleanup_close_ int dir = open_sysctl_dir(u);
	_cleanup_free_ char *json = json_dumps(kept, JSON_INDENT(2) | JSON_SORT_KEYS), *text = sysctl_text(kept);
	bool none = json_object_size(kept) == 0;
	if (!json || !text)
		return err_nomem(ret_error);
	int r = dir < 0 ? dir : 0;
	if (r == 0 && !none)
		r = write_or_remove(u->ctx->store->lib_fd, KEPT, json, none, 0600);
	if (r == 0)
		r = write_or_remove(dir, SYSCTL_FILE, text, none, 0644);
	if (r == 0 && none)
		r = write_or_remove(u->ctx->store->lib_fd, KEPT, json, none, 0600);
	return r < 0 ? err_sys(ret_error, -r, "tune", "cannot write '/" SYSCTL_DIR "/" SYSCTL_FILE "'") : 0;
}

static void note(struct tune *u, const char *name, int64_t before, int64_t after)
{
	json_t *a = json_integer(before), *b = json_integer(after);
	audit_note(&u->values, name, a, b);
	json_decref(a);
	json_decref(b);
}

/* ---- apply and revert ---- */

/* KEPT with what T is and will be. */
static void keep(json_t *kept, const struct tuning *t, int64_t now, int64_t wanted)
{
	json_t *one = json_object_get(kept, t->name);
	if (one)
		json_object_set_new(one, "set", json_integer(wanted));
	else
		json_object_set_new(kept, t->name, json_pack("{s:I,s:I}", "before", (json_int_t)now, "set", (json_int_t)wanted));
}

/* Sets those of LOW; one that is refused takes the earlier ones back. */
static int set_all(struct tune *u, const struct tuning *const *low, const int64_t *before, ve_error **ret_error)
{
	for (size_t i = 0; low[i]; i++) {
		int r = put_value(low[i], tuning_wanted(low[i], u->n_ves), ret_error);
		if (r == 0) {
			note(u, low[i]->name, before[i], tuning_wanted(low[i], u->n_ves));
			continue;
		}
		while (i-- > 0)
			put_value(low[i], before[i], NULL);
		json_decref(u->values);
		u->values = NULL;
		return r;
	}
	return 0;
}

enum { TUNINGS_MAX = 32 };

static int apply(struct tune *u, ve_error **ret_error)
{
	const struct tuning *low[TUNINGS_MAX + 1] = { NULL };
	int64_t before[TUNINGS_MAX];
	size_t n = 0;
	json_t *fresh = json_deep_copy(u->kept);
	for (const struct tuning *t = tunings; fresh && t->name && n < TUNINGS_MAX; t++) {
		if (!is_low(u, t))
			continue;
		before[n] = value_now(t);
		keep(fresh, t, before[n], tuning_wanted(t, u->n_ves));
		low[n++] = t;
	}
	int r = !fresh ? err_nomem(ret_error) : n == 0 ? 0 : save_kept(u, fresh, ret_error);
	if (r == 0 && n > 0) {
		r = set_all(u, low, before, ret_error);
		if (r < 0)
			save_kept(u, u->kept, NULL);
	}
	json_decref(fresh);
	return r < 0 ? r : n > 0 ? VE_CHANGED : VE_UNCHANGED;
}

static int revert_one(struct tune *u, const struct tuning *t, const json_t *one, ve_error **ret_error)
{
	int64_t now = value_now(t), before = json_integer_value(json_object_get(one, "before"));
	int64_t set = json_integer_value(json_object_get(one, "set"));
	if (now != set && now != before)
		ctx_warn(u->ctx, "%s is %" PRId64 " and not the %" PRId64 " that vectl has set: it is left alone", t->name, now, set);
	if (now != set)
		return 0;
	int r = put_value(t, before, ret_error);
	if (r == 0)
		note(u, t->name, now, before);
	return r;
}

static int revert(struct tune *u, ve_error **ret_error)
{
	int r = 0, n = 0;
	for (const struct tuning *t = tunings; t->name && r == 0; t++) {
		const json_t *one = json_object_get(u->kept, t->name);
		if (!one || !is_wanted(u, t->name))
			continue;
		r = revert_one(u, t, one, ret_error);
		if (r == 0) {
			json_object_del(u->kept, t->name);
			n++;
		}
	}
	/* Also of one that failed half-way: what is done is done. */
	int saved = n > 0 ? save_kept(u, u->kept, r == 0 ? ret_error : NULL) : 0;
	r = r < 0 ? r : saved;
	return r < 0 ? r : n > 0 ? VE_CHANGED : VE_UNCHANGED;
}

/* ---- the verb ---- */

static json_t *row_of(const struct tune *u, const struct tuning *t)
{
	int64_t now = value_now(t), wanted = tuning_wanted(t, u->n_ves);
	const json_t *before = json_object_get(json_object_get(u->kept, t->name), "before");
	return json_pack("{s:s,s:o,s:I,s:b,s:o,s:s}", "setting", t->name, "now", count_or_null(now), "wanted", (json_int_t)wanted, "low",
			 now >= 0 && now < wanted, "before", before ? json_incref((json_t *)before) : json_null(), "reason", t->reason);
}

static json_t *doc_of(const struct tune *u, int changed)
{
	json_t *rows = json_array();
	for (const struct tuning *t = tunings; t->name; t++)
		if (is_wanted(u, t->name))
			json_array_append_new(rows, row_of(u, t));
	return json_pack("{s:I,s:b,s:o}", "ves", (json_int_t)u->n_ves, "changed", changed == VE_CHANGED, "settings", rows);
}

static int count_ves(struct ve_ctx *ctx, uint64_t *ret_n, ve_error **ret_error)
{
	_cleanup_strv_ char **uuids = NULL;
	int r = store_uuids(ctx->store, &uuids, ret_error);
	if (r == 0)
		*ret_n = strv_length((const char *const *)uuids);
	return r;
}

static int check_names(const char *const *names, ve_error **ret_error)
{
	for (const char *const *n = names; n && *n; n++) {
		_cleanup_strbuf_ struct strbuf b = { 0 };
		if (tuning_find(*n))
			continue;
		_cleanup_free_ char *quoted = str_quote(*n);
		for (const struct tuning *t = tunings; t->name; t++)
			strbuf_addf(&b, "%s%s", t == tunings ? "" : " ", t->name);
		int r = err_plain(ret_error, VE_ERR_USAGE, EINVAL, "tune", "'%s' is no setting that VEs share", quoted ? quoted : "");
		err_hint(ret_error, "there are: %s", b.data ? b.data : "");
		return r;
	}
	return 0;
}

static int tune(struct tune *u, enum ve_tune_mode mode, ve_error **ret_error)
{
	_cleanup_close_ int lock = -1;
	bool changes = mode != VE_TUNE_LOOK;
	int r = check_names(u->only, ret_error);
	if (r == 0)
		r = ctx_open(u->ctx, changes, ret_error);
	if (r == 0 && changes)
		r = lock_take(u->ctx->store->lib_fd, "lock", u->ctx->lock_timeout_ms, u->ctx->cancel_fd, "the host's settings",
			      "tune", &lock, ret_error);
	if (r == 0 && u->n_ves == 0)
		r = count_ves(u->ctx, &u->n_ves, ret_error);
	if (r == 0)
		r = load_kept(u, ret_error);
	if (r < 0 || !changes)
		return r < 0 ? r : VE_UNCHANGED;
	return mode == VE_TUNE_APPLY ? apply(u, ret_error) : revert(u, ret_error);
}

int verb_tune(struct ve_ctx *ctx, const struct ve_tune_opts *o, json_t **ret_doc, ve_error **ret_error)
{
	struct tune u = { .ctx = ctx, .only = o->settings, .n_ves = o->ves };
	struct audit a = { .verb = o->mode == VE_TUNE_REVERT ? "tune --revert" : "tune --apply", .begun_ms = clock_ms() };
	int r = tune(&u, o->mode, ret_error);
	if (o->mode != VE_TUNE_LOOK) {
		a.values = u.values;
		audit_write(ctx, &a, r, ret_error ? *ret_error : NULL);
	}
	json_t *doc = r >= 0 ? doc_of(&u, r) : NULL;
	if (r >= 0 && !doc)
		r = err_nomem(ret_error);
	json_decref(u.kept);
	json_decref(u.values);
	if (r >= 0)
		*ret_doc = doc;
	return r;
}
