/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/change.h"

#include <errno.h>

#include "base/clock.h"
#include "run/adminlock.h"
#include "run/audit.h"
#include "run/hooks.h"
#include "run/hostdevice.h"
#include "run/hostmount.h"
#include "run/privileged.h"

int change_check_protected(const struct ve *v, const char *verb, ve_error **ret_error)
{
	if (!v->config || !config_bool(v->config, "protect"))
		return 0;
	int r = err_plain(ret_error, VE_ERR_STATE, EPERM, "state", "cannot %s '%s': it is protected", verb, v->name);
	err_hint(ret_error, "vectl set %s protect=off", v->name);
	return r;
}

int change_check_config(struct ve_ctx *ctx, const struct config *old, const struct config *c, ve_error **ret_error)
{
	int r = config_check_whole(c, ret_error);
	if (r == 0)
		r = privileged_check(ctx, old, c, ret_error);
	if (r == 0)
		r = hooks_check(old, c, ret_error);
	if (r == 0)
		r = hostmounts_check(ctx->store, old, c, ret_error);
	return r < 0 ? r : hostdevices_check(old, c, ret_error);
}

int change_begin(struct change *c, struct ve *v, const char *verb, unsigned flags, ve_error **ret_error)
{
	*c = (struct change){ .ve = v, .verb = verb, .begun_ms = clock_ms() };
	int r = handle_lock(v, verb, ret_error);
	if (r < 0)
		return r;
	c->before = handle_state(v, NULL);
	c->known_before = true;
	if (v->ctx->is_host)
		return 0;
	if (!(flags & CHANGE_UNASKED))
		r = adminlock_check(v, verb, ret_error);
	if (r == 0 && (flags & CHANGE_ALTERS || (flags & CHANGE_STOPS && !state_is_at_rest(c->before))))
		r = change_check_protected(v, verb, ret_error);
	return r;
}

void change_note(struct change *c, const char *key, json_t *old_value, json_t *new_value)
{
	audit_note(&c->values, key, old_value, new_value);
}

static void note_state(struct change *c)
{
	enum ve_state after = handle_state(c->ve, NULL);
	if (!c->known_before || after == c->before)
		return;
	json_t *was = json_string(state_name(c->before)), *is = json_string(state_name(after));
	audit_note(&c->values, "state", was, is);
	json_decref(was);
	json_decref(is);
}

int change_end(struct change *c, int r, ve_error **error)
{
	if (!c->ve)
		return r;
	struct ve *v = c->ve;
	if (r > 0 && !c->gone)
		note_state(c);
	handle_unlock(v);
	const struct audit a = { .verb = c->verb, .name = v->name, .uuid = v->uuid, .reason = c->reason, .begun_ms = c->begun_ms,
				 .values = c->values };
	audit_write(v->ctx, &a, r, error ? *error : NULL);
	json_decref(c->values);
	c->values = NULL;
	return r;
}
