/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/block.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/checks.h"
#include "run/plan.h"
#include "run/verbs.h"

enum { BLOCK_MAX_BYTES = 65536, REASON_MAX = 1024 };
static const char block_file[] = "blocked.json";

static const char *const words[] = {
	[VE_BLOCK_STOP] = "stop", [VE_BLOCK_NETWORK] = "network", [VE_BLOCK_FREEZE] = "freeze"
};

/* ---- the file --------------------------------------------------------------------------------------- */

static json_t *read_at(int dir_fd)
{
	_cleanup_free_ char *text = NULL;
	int r = dir_fd >= 0 ? file_read(dir_fd, block_file, BLOCK_MAX_BYTES, &text, NULL) : -ENOENT;
	if (r == -ENOENT)
		return json_null();
	json_t *j = r == 0 ? json_loads(text, 0, NULL) : NULL;
	if (json_is_string(json_object_get(j, "how")) && json_is_string(json_object_get(j, "at")))
		return j;
	json_decref(j);
	/* Somebody has damaged it: blocked is what it still is. */
	return json_pack("{s:s,s:s,s:s}", "how", words[VE_BLOCK_STOP], "reason", "blocked.json cannot be read", "at",
			 "1970-01-01T00:00:00Z");
}

json_t *block_read(const struct ve *v)
{
	return read_at(v->dir_fd);
}

/* How the VE whose directory this is is blocked, or -1. */
static int how_at(int dir_fd)
{
	if (dir_fd < 0 || faccessat(dir_fd, block_file, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	json_t *j = read_at(dir_fd);
	const char *how = json_string_value(json_object_get(j, "how"));
	int found = json_is_object(j) ? VE_BLOCK_STOP : -1;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_eq(how, words[i]))
			found = (int)i;
	json_decref(j);
	return found;
}

static int how_of(const struct ve *v)
{
	return how_at(v->dir_fd);
}

static json_t *make_doc(const struct ve_block_opts *o)
{
	char when[CLOCK_TEXT_SIZE];
	return json_pack("{s:s,s:s?,s:s}", "how", words[o->how], "reason", o->reason, "at", clock_text(time(NULL), when));
}

static int write_doc(struct ve *v, const json_t *doc, ve_error **ret_error)
{
	_cleanup_free_ char *text = json_dumps(doc, JSON_INDENT(2));
	if (!text)
		return err_nomem(ret_error);
	int r = file_replace(v->dir_fd, block_file, text, strlen(text), 0600, true);
	return r < 0 ? err_sys(ret_error, -r, "block", "cannot write down that '%s' is blocked", v->name) : 0;
}

static int remove_doc(struct ve *v, ve_error **ret_error)
{
	if (unlinkat(v->dir_fd, block_file, 0) < 0 && errno != ENOENT)
		return err_sys(ret_error, errno, "block", "cannot remove 'blocked.json' of '%s'", v->name);
	fsync(v->dir_fd);
	return 0;
}

/* ---- questions -------------------------------------------------------------------------------------- */

bool block_forbids_start(const struct ve *v)
{
	int how = how_of(v);
	return how >= 0 && how != VE_BLOCK_NETWORK;
}

bool block_keeps_frozen(const struct ve *v)
{
	return how_of(v) == VE_BLOCK_FREEZE;
}

bool block_cuts_network(const struct store *store, const char *uuid)
{
	if (faccessat(store->ve_fd, uuid, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	_cleanup_close_ int dir = file_opendir(store->ve_fd, uuid);
	return how_at(dir) == VE_BLOCK_NETWORK;
}

void block_explain(const struct ve *v, ve_error **error)
{
	if (!error || !*error)
		return;
	json_t *j = block_read(v);
	const char *reason = json_string_value(json_object_get(j, "reason"));
	const char *at = json_string_value(json_object_get(j, "at"));
	if (at)
		err_append(error, " since %s%s%s", at, reason ? ": " : ", no reason given", reason ? reason : "");
	json_decref(j);
}

/* ---- what it does to a running VE ------------------------------------------------------------------- */

static bool is_up(struct ve *v)
{
	enum ve_state s = handle_state(v, NULL);
	return s == STATE_RUNNING || s == STATE_FROZEN;
}

/* The plan asks block_cuts_network(), and others who may have a word in it. */
static int apply_network(struct ve *v, ve_error **ret_error)
{
	_cleanup_config_ struct config *running = NULL;
	struct net_plan net = { 0 };
	struct net_if ifs[PLAN_MAX_IFS];
	if (!is_up(v))
		return 0;
	int r = ctx_host(v->ctx, ret_error);
	if (r == 0)
		r = handle_running_config(v, &running, ret_error);
	if (r == 0)
		r = plan_network(v->ctx, running, ifs, &net, ret_error);
	if (r == 0 && net.n_ifs > 0)
		r = net_bring_blocked(NULL, &net, ret_error);
	plan_network_done(&net);
	return r == -ENOENT ? 0 : r;
}

static int apply(struct ve *v, int how, ve_error **ret_error)
{
	int r = 0;
	switch (how) {
	case VE_BLOCK_STOP:
		r = stop_locked(v, -1, ret_error);
		/* It comes back with the host once it is unblocked, if it would have before. */
		if (r == VE_CHANGED)
			laststate_write(v, LAST_BLOCKED, 0, NULL);
		break;
	case VE_BLOCK_NETWORK:
		r = apply_network(v, ret_error);
		break;
	case VE_BLOCK_FREEZE:
		r = is_up(v) ? freeze_locked(v, true, ret_error) : 0;
		break;
	}
	return r < 0 ? r : 0;
}

/* The file is gone, or says something else, already. */
static int lift(struct ve *v, int how, ve_error **ret_error)
{
	int r = 0;
	if (how == VE_BLOCK_NETWORK)
		r = apply_network(v, ret_error);
	if (how == VE_BLOCK_FREEZE && is_up(v))
		r = freeze_locked(v, false, ret_error);
	return r < 0 ? r : 0;
}

/* ---- verbs ------------------------------------------------------------------------------------------ */

static bool same_block(const struct ve *v, const json_t *doc)
{
	json_t *old = block_read(v);
	bool same = json_is_object(old);
	static const char *const fields[] = { "how", "reason" };
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		same = same && json_equal(json_object_get(old, fields[i]), json_object_get(doc, fields[i]));
	json_decref(old);
	return same;
}

/* The file first: a verb that is killed here leaves a VE that is blocked on disk, and `recover` and the next start see
 * to the rest. What the VE was before is put back where the kernel's side fails. */
static int block_locked(struct ve *v, const struct ve_block_opts *o, ve_error **ret_error)
{
	int r = handle_ask(v, VERB_BLOCK, NULL, ret_error);
	if (r < 0)
		return r;
	int before = how_of(v);
	json_t *doc = make_doc(o), *old = block_read(v);
	if (!doc)
		r = err_nomem(ret_error);
	bool same = r == 0 && same_block(v, doc);
	if (r == 0 && !same)
		r = write_doc(v, doc, ret_error);
	if (r == 0 && before >= 0 && before != (int)o->how)
		r = lift(v, before, ret_error);
	if (r == 0)
		r = apply(v, o->how, ret_error);
	if (r < 0 && !same) {
		if (json_is_object(old))
			write_doc(v, old, NULL);
		else
			remove_doc(v, NULL);
	}
	json_decref(doc);
	json_decref(old);
	if (r < 0)
		return r;
	if (!same)
		event_log(v->ctx, "blocked", v->name, v->uuid, o->reason);
	return same ? VE_UNCHANGED : VE_CHANGED;
}

static int unblock_locked(struct ve *v, ve_error **ret_error)
{
	int how = how_of(v), r = handle_ask(v, VERB_UNBLOCK, NULL, ret_error);
	if (r < 0 || how < 0)
		return r < 0 ? r : VE_UNCHANGED;
	r = remove_doc(v, ret_error);
	if (r == 0)
		r = lift(v, how, ret_error);
	if (r < 0)
		return r;
	event_log(v->ctx, "unblocked", v->name, v->uuid, NULL);
	return VE_CHANGED;
}

static int check_reason(const char *reason, ve_error **ret_error)
{
	if (!reason)
		return 0;
	if (strlen(reason) > REASON_MAX)
		return err_plain(ret_error, VE_ERR_USAGE, E2BIG, "block", "the reason has more than %d characters",
				 REASON_MAX);
	int r = check_text(reason, ret_error);
	return r < 0 ? err_wrap(ret_error, "the reason") : 0;
}

int verb_block(struct ve *v, const struct ve_block_opts *o, ve_error **ret_error)
{
	if ((unsigned)o->how >= ARRAY_SIZE(words))
		return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "block", "there is no such way to block a VE (%d)",
				 (int)o->how);
	int r = check_reason(o->reason, ret_error);
	if (r == 0)
		r = handle_lock(v, "block", ret_error);
	if (r == 0)
		r = block_locked(v, o, ret_error);
	handle_unlock(v);
	if (r < 0)
		err_wrap(ret_error, "cannot block '%s'", v->name);
	return r;
}

int verb_unblock(struct ve *v, ve_error **ret_error)
{
	int r = handle_lock(v, "unblock", ret_error);
	if (r == 0)
		r = unblock_locked(v, ret_error);
	handle_unlock(v);
	if (r < 0)
		err_wrap(ret_error, "cannot unblock '%s'", v->name);
	return r;
}
