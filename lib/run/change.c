/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/change.h"

#include <errno.h>

#include "base/clock.h"
#include "run/adminlock.h"

int change_check_protected(const struct ve *v, const char *verb, ve_error **ret_error)
{
	if (!v->config || !config_bool(v->config, "protect"))
		return 0;
	int r = err_plain(ret_error, VE_ERR_STATE, EPERM, "state", "cannot %s '%s': it is protected", verb, v->name);
	err_hint(ret_error, "vectl set %s protect=off", v->name);
	return r;
}

static bool is_up(enum ve_state s)
{
	return s != STATE_STOPPED && s != STATE_BLOCKED && s != STATE_CREATING;
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
	if (r == 0 && (flags & CHANGE_ALTERS || (flags & CHANGE_STOPS && is_up(c->before))))
		r = change_check_protected(v, verb, ret_error);
	return r;
}

void change_note(struct change *c, const char *key, json_t *old_value, json_t *new_value)
{
	if (!c->values)
		c->values = json_array();
	json_array_append_new(c->values, json_pack("{s:s,s:O?,s:O?}", "key", key, "old", old_value, "new", new_value));
}

int change_end(struct change *c, int r, ve_error **error)
{
	if (!c->ve)
		return r;
	handle_unlock(c->ve);
	json_decref(c->values);
	c->values = NULL;
	return r;
}
