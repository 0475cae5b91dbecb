/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/adminlock.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "run/change.h"
#include "run/docfile.h"
#include "run/verbs.h"

static const char lock_file[] = "locked.json";

/* RFC 3339 in UTC, as clock_text() writes it: the order of the texts is the order of the times. */
static bool is_past(const char *until)
{
	char now[CLOCK_TEXT_SIZE];
	return until && strcmp(until, clock_text(time(NULL), now)) <= 0;
}

static const char *field(const json_t *doc, const char *name)
{
	return json_string_value(json_object_get(doc, name));
}

json_t *adminlock_read(const struct ve *v)
{
	json_t *doc = docfile_read(v->dir_fd, lock_file);
	if (json_is_null(doc) || (field(doc, "by") && field(doc, "at") && !is_past(field(doc, "until"))))
		return doc;
	bool damaged = !field(doc, "by") || !field(doc, "at");
	json_decref(doc);
	/* Somebody has damaged it: locked is what it still is. */
	return damaged ? json_pack("{s:s,s:s,s:s,s:n}", "by", "nobody", "reason", "locked.json cannot be read", "at",
				   "1970-01-01T00:00:00Z", "until") :
			 json_null();
}

/* VE_ERR_BUSY: it ends, or is lifted, and then the same command works. */
static int refuse(const struct ve *v, const char *verb, const json_t *doc, ve_error **ret_error)
{
	const char *reason = field(doc, "reason"), *until = field(doc, "until");
	int r = err_plain(ret_error, VE_ERR_BUSY, EBUSY, "locked", "cannot %s '%s': it is locked by %s since %s%s%s%s%s", verb, v->name,
			  field(doc, "by"), field(doc, "at"), until ? " until " : "", until ? until : "", reason ? ": " : "",
			  reason ? reason : "");
	err_hint(ret_error, "if it is meant to go: vectl unlock %s --force", v->name);
	return r;
}

int adminlock_check(struct ve *v, const char *verb, ve_error **ret_error)
{
	json_t *doc = adminlock_read(v);
	int r = doc ? 0 : err_nomem(ret_error);
	if (json_is_object(doc) && !str_eq(field(doc, "by"), ctx_actor(v->ctx)))
		r = refuse(v, verb, doc, ret_error);
	json_decref(doc);
	return r;
}

/* ---- verbs ------------------------------------------------------------------------------------------ */

static json_t *make_doc(struct ve_ctx *ctx, const struct ve_lock_opts *o)
{
	char at[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE];
	time_t now = time(NULL);
	clock_text(now, at);
	return json_pack("{s:s,s:s,s:s,s:s?}", "by", ctx_actor(ctx), "reason", o->reason, "at", at, "until",
			 o->for_s ? clock_text(now + (time_t)o->for_s, until) : NULL);
}

/* Asked for again in the same words and without an end: nothing is to be done. With one, the time begins anew. */
static bool is_same(const json_t *old, const json_t *doc)
{
	return json_is_object(old) && json_equal(json_object_get(old, "reason"), json_object_get(doc, "reason")) &&
	       json_is_null(json_object_get(old, "until")) && json_is_null(json_object_get(doc, "until"));
}

static int lock_locked(struct change *c, const struct ve_lock_opts *o, ve_error **ret_error)
{
	struct ve *v = c->ve;
	json_t *old = adminlock_read(v), *doc = make_doc(v->ctx, o);
	int r = old && doc ? 0 : err_nomem(ret_error);
	bool same = r == 0 && is_same(old, doc);
	if (r == 0 && !same && !ctx_ends_dry(v->ctx, CTX_AS_IT_IS))
		r = docfile_write(v, lock_file, doc, ret_error);
	if (r == 0)
		r = same ? VE_UNCHANGED : VE_CHANGED;
	if (r == VE_CHANGED)
		change_note(c, "locked", json_object_get(old, "by"), json_object_get(doc, "by"));
	json_decref(old);
	json_decref(doc);
	return r;
}

static int unlock_locked(struct change *c, ve_error **ret_error)
{
	json_t *old = adminlock_read(c->ve);
	int r = ctx_ends_dry(c->ve->ctx, CTX_AS_IT_IS) ? 0 : docfile_remove(c->ve, lock_file, ret_error);
	if (r == 0)
		r = json_is_object(old) ? VE_CHANGED : VE_UNCHANGED;
	if (r == VE_CHANGED)
		change_note(c, "locked", json_object_get(old, "by"), NULL);
	json_decref(old);
	return r;
}

int verb_lock(struct ve *v, const struct ve_lock_opts *o, ve_error **ret_error)
{
	struct change c = { 0 };
	if (!o->reason)
		return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "locked", "a lock needs a reason, for those whom it holds off");
	int r = ctx_check_words("reason", o->reason, ret_error);
	if (r == 0)
		r = change_begin(&c, v, "lock", 0, ret_error);
	c.reason = o->reason;
	if (r == 0)
		r = handle_ask(v, VERB_SET, NULL, ret_error);
	if (r == 0)
		r = lock_locked(&c, o, ret_error);
	return change_end(&c, r, ret_error);
}

int verb_unlock(struct ve *v, bool force, ve_error **ret_error)
{
	struct change c = { 0 };
	int r = change_begin(&c, v, "unlock", force ? CHANGE_UNASKED : 0, ret_error);
	if (r == 0)
		r = unlock_locked(&c, ret_error);
	return change_end(&c, r, ret_error);
}
