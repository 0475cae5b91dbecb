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
#include "run/change.h"
#include "run/docfile.h"
#include "run/plan.h"
#include "run/verbs.h"

static const char block_file[] = "blocked.json";

static const char *const words[] = {
	[VE_BLOCK_STOP] = "stop", [VE_BLOCK_NETWORK] = "network", [VE_BLOCK_FREEZE] = "freeze"
};

/* ---- the file --------------------------------------------------------------------------------------- */

static json_t *read_at(int dir_fd)
{
	json_t *j = docfile_read(dir_fd, block_file);
	if (json_is_null(j) || (json_is_string(json_object_get(j, "how")) && json_is_string(json_object_get(j, "at"))))
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

int block_adopt(const struct ve *v, int from_fd, ve_error **ret_error)
{
	json_t *doc = read_at(from_fd);
	int r = !doc ? err_nomem(ret_error) : json_is_object(doc) ? docfile_write(v, block_file, doc, ret_error) : 0;
	json_decref(doc);
	return r;
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

static int state_after(struct ve *v, enum ve_block_how how)
{
	return how == VE_BLOCK_NETWORK ? CTX_AS_IT_IS : how == VE_BLOCK_FREEZE && is_up(v) ? STATE_FROZEN : STATE_BLOCKED;
}

/* The file first: a verb that is killed here leaves a VE that is blocked on disk, and `recover` and the next start see
 * to the rest. What the VE was before is put back where the kernel's side fails. */
static int block_locked(struct change *c, const struct ve_block_opts *o, ve_error **ret_error)
{
	struct ve *v = c->ve;
	int r = handle_ask(v, VERB_BLOCK, NULL, ret_error);
	if (r < 0)
		return r;
	int before = how_of(v);
	json_t *doc = make_doc(o), *old = block_read(v);
	if (!doc)
		r = err_nomem(ret_error);
	bool same = r == 0 && same_block(v, doc);
	if (r == 0 && ctx_ends_dry(v->ctx, state_after(v, o->how)))
		r = VE_CHANGED;
	if (r == 0 && !same)
		r = docfile_write(v, block_file, doc, ret_error);
	if (r == 0 && before >= 0 && before != (int)o->how)
		r = lift(v, before, ret_error);
	if (r == 0)
		r = apply(v, o->how, ret_error);
	if (r < 0 && !same) {
		if (json_is_object(old))
			docfile_write(v, block_file, old, NULL);
		else
			docfile_remove(v, block_file, NULL);
	}
	if (r == 0 && !same)
		change_note(c, "blocked", json_object_get(old, "how"), json_object_get(doc, "how"));
	json_decref(doc);
	json_decref(old);
	if (r < 0)
		return r;
	if (!same)
		event_log(v->ctx, "blocked", v->name, v->uuid, o->reason);
	return same ? VE_UNCHANGED : VE_CHANGED;
}

static int unblock_locked(struct change *c, ve_error **ret_error)
{
	struct ve *v = c->ve;
	int how = how_of(v), r = handle_ask(v, VERB_UNBLOCK, NULL, ret_error);
	if (r < 0 || how < 0)
		return r < 0 ? r : VE_UNCHANGED;
	if (ctx_ends_dry(v->ctx, how == VE_BLOCK_FREEZE && is_up(v) ? STATE_RUNNING : block_forbids_start(v) ? STATE_STOPPED : CTX_AS_IT_IS))
		return VE_CHANGED;
	json_t *old = block_read(v);
	change_note(c, "blocked", json_object_get(old, "how"), NULL);
	json_decref(old);
	r = docfile_remove(v, block_file, ret_error);
	if (r == 0)
		r = lift(v, how, ret_error);
	if (r < 0)
		return r;
	event_log(v->ctx, "unblocked", v->name, v->uuid, NULL);
	return VE_CHANGED;
}

int verb_block(struct ve *v, const struct ve_block_opts *o, ve_error **ret_error)
{
	struct change c = { 0 };
	if ((unsigned)o->how >= ARRAY_SIZE(words))
		return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "block", "there is no such way to block a VE (%d)",
				 (int)o->how);
	int r = o->reason ? ctx_check_words("reason", o->reason, ret_error) : 0;
	if (r == 0)
		r = change_begin(&c, v, "block", CHANGE_STOPS, ret_error);
	c.reason = o->reason;
	if (r == 0)
		r = block_locked(&c, o, ret_error);
	if (r < 0)
		err_wrap(ret_error, "cannot block '%s'", v->name);
	return change_end(&c, r, ret_error);
}

int verb_unblock(struct ve *v, ve_error **ret_error)
{
	struct change c = { 0 };
	int r = change_begin(&c, v, "unblock", 0, ret_error);
	if (r == 0)
		r = unblock_locked(&c, ret_error);
	if (r < 0)
		err_wrap(ret_error, "cannot unblock '%s'", v->name);
	return change_end(&c, r, ret_error);
}
