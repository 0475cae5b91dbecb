/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The documents about one VE: status, show, the answer of a changing verb. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/schema.h"
#include "run/addresses.h"
#include "run/adminlock.h"
#include "run/block.h"
#include "run/disk.h"
#include "run/ornull.h"
#include "run/verbs.h"

static int note_pending(const char *key, json_t *old_value, json_t *new_value, void *data)
{
	(void)old_value;
	(void)new_value;
	return json_array_append_new(data, json_string(key));
}

json_t *look_pending(struct ve *v, enum ve_state s)
{
	_cleanup_config_ struct config *running = NULL;
	json_t *keys = json_array();
	/* The mark spares the comparison where nothing can wait. */
	if (keys && (s == STATE_RUNNING || s == STATE_FROZEN) && handle_has_mark(v, "pending") &&
	    handle_running_config(v, &running, NULL) == 0)
		config_diff(running, v->config, note_pending, keys, NULL);
	return keys;
}

static json_t *time_text(int64_t seconds)
{
	char when[CLOCK_TEXT_SIZE];
	return json_string(clock_text(seconds, when));
}

static void add_pressure(struct ve *v, const char *place, json_t *doc)
{
	static const char *const resources[] = { "cpu", "memory", "io" };
	for (size_t i = 0; i < ARRAY_SIZE(resources); i++) {
		char key[32];
		double some = cg_host_pressure(v->ctx->cg, place, resources[i]);
		snprintf(key, sizeof(key), "pressure.%s", resources[i]);
		json_object_set_new(doc, key, share_or_null(some));
	}
}

static void add_disk(struct ve *v, json_t *doc)
{
	struct storage_usage u;
	disk_usage(v, &u);
	json_object_set_new(doc, "disk.used", count_or_null(u.used_bytes));
	json_object_set_new(doc, "disk.size", count_or_null(u.size_bytes));
	json_object_set_new(doc, "disk.inodes_used", count_or_null(u.used_inodes));
	json_object_set_new(doc, "disk.inodes", count_or_null(u.inodes));
}

/* Under the names that they have in a list. */
static void add_usage(struct ve *v, json_t *doc)
{
	struct cg_usage u;
	const struct cg_place place = handle_place(v);
	if (ctx_cgroups(v->ctx, NULL) < 0)
		return;
	cg_host_usage(v->ctx->cg, place.path, CG_USAGE_ALL, &u);
	json_object_set_new(doc, "memory.used", count_or_null(u.memory_bytes));
	json_object_set_new(doc, "memory.peak", count_or_null(u.memory_peak_bytes));
	json_object_set_new(doc, "cpu.used", count_or_null(u.cpu_ns));
	json_object_set_new(doc, "processes", count_or_null(u.pids));
	add_pressure(v, place.path, doc);
}

int look_status(struct ve *v, json_t **ret_doc, ve_error **ret_error)
{
	struct record rec = { 0 };
	enum ve_state s = handle_state(v, &rec);
	bool up = state_is_up(s);
	json_t *last = laststate_read(v);
	const char *image = v->config ? config_string(v->config, "image") : NULL;
	json_t *doc = json_pack(
		"{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:b,s:b,s:o,s:o,s:o,s:o,s:o,s:O}", "name", v->name, "uuid", v->uuid, "state",
		state_name(s), "init_pid", up ? json_integer(rec.init_pid) : json_null(), "monitor_pid",
		up && record_monitor_alive(&rec) ? json_integer(rec.monitor_pid) : json_null(), "boot_id",
		up ? json_string(rec.boot_id) : json_null(), "started_at", up ? time_text(rec.started_at) : json_null(), "addresses",
		v->config ? addresses_json(v->config) : json_array(), "supervised", up && record_monitor_alive(&rec), "booted",
		up && handle_has_mark(v, "ready"), "image", string_or_null(image), "image_digest",
		string_or_null(v->config ? config_identity_string(v->config, "image_digest") : NULL), "pending",
		v->config ? look_pending(v, s) : json_array(), "blocked", block_read(v), "locked", adminlock_read(v), "last_exit",
		json_object_get(last, "last_exit") ? json_object_get(last, "last_exit") : json_null());
	json_decref(last);
	if (!doc)
		return err_nomem(ret_error);
	json_object_set_new(doc, "quotas", traffic_quotas(v));
	add_disk(v, doc);
	if (up)
		add_usage(v, doc);
	*ret_doc = doc;
	return 0;
}

int look_show(struct ve *v, json_t **ret_doc, ve_error **ret_error)
{
	struct config *c = NULL;
	int r = config_copy(v->config, &c, ret_error);
	if (r < 0)
		return r;
	config_hide_secrets(c);
	/* Defaults are shown too: what the VE really has. Pattern keys (rlimits.*, network.N.*) have none. */
	for (const struct schema_key *k = schema_keys; k->key; k++) {
		json_t *value = NULL;
		if (!k->def || !(k->flags & SCHEMA_BUILT) || strchr(k->key, '*') || strstr(k->key, ".N.") || config_raw(c, k->key))
			continue;
		if (schema_parse(k, k->key, k->def, &value, NULL) == 0)
			config_put(c, k->key, value);
	}
	json_object_set_new(c->root, "pending", look_pending(v, handle_state(v, NULL)));
	*ret_doc = json_incref(c->root);
	config_free(c);
	return 0;
}

/* destroy removed the directory that the handle still holds. */
static bool is_gone(const struct ve *v)
{
	struct stat st;
	return v->dir_fd >= 0 && fstat(v->dir_fd, &st) == 0 && st.st_nlink == 0;
}

static void add_dry_run(const struct ve_ctx *ctx, json_t *doc)
{
	json_t *now = json_object_get(doc, "state");
	json_object_set_new(doc, "dry_run", json_true());
	json_object_set_new(doc, "would_be", ctx->would_be == CTX_AS_IT_IS ? json_incref(now) :
					     ctx->would_be == CTX_GONE	   ? json_null() :
									     json_string(state_name((enum ve_state)ctx->would_be)));
}

int look_result(struct ve *v, int changed, json_t **ret_doc, ve_error **ret_error)
{
	json_t *warnings = v->ctx->warnings ? json_incref(v->ctx->warnings) : json_array();
	bool gone = is_gone(v), none = gone || v->dir_fd < 0;
	enum ve_state s = gone ? STATE_STOPPED : handle_state(v, NULL);
	json_t *doc = json_pack("{s:s,s:s,s:b,s:s?,s:o,s:o,s:o}", "name", v->name, "uuid", v->uuid, "changed", changed > 0,
				"state", none ? NULL : state_name(s), "addresses",
				v->config && !gone ? addresses_json(v->config) : json_array(), "pending",
				v->config && !gone ? look_pending(v, s) : json_array(), "warnings", warnings);
	if (!doc)
		return err_nomem(ret_error);
	if (v->ctx->dry_run)
		add_dry_run(v->ctx, doc);
	*ret_doc = doc;
	return 0;
}
