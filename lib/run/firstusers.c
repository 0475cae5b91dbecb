/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/firstusers.h"

#include <errno.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/useraccount.h"
#include "run/sshkeys.h"
#include "run/userwork.h"
#include "run/verbs.h"

/* Has LIST, a line a user, one called NAME? */
static bool is_there(const char *list, const char *name)
{
	size_t n = strlen(name);
	for (const char *line = list; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, n) == 0 && line[n] == ':')
			return true;
	}
	return false;
}

static int make_new(struct ve *v, const struct useraccount *u, ve_error **ret_error)
{
	_cleanup_free_ char *keys = NULL, *answer = NULL, *home = str_printf("/home/%s", u->name);
	int r = home ? sshkeys_join((const char *const *)u->ssh_keys, &keys, ret_error) : err_nomem(ret_error);
	if (r < 0)
		return r;
	const struct user_request q = { .what = BU_ADD, .name = u->name, .home = u->home ? u->home : home, .shell = u->shell, .keys = keys,
					.hash = u->hash, .groups = (const char *const *)u->groups, .has_uid = u->has_uid, .uid = u->uid,
					.locked = u->locked };
	return userwork_do(v, &q, &answer, ret_error);
}

static int keep_old(struct ve *v, const struct useraccount *u, ve_error **ret_error)
{
	const struct user_request q = { .what = BU_LOCK, .name = u->name };
	_cleanup_free_ char *answer = NULL;
	ctx_warn(v->ctx, "the user '%s' is in '%s' already, and stays as it is%s", u->name, v->name, u->locked ? ", but locked" : "");
	return u->locked ? userwork_do(v, &q, &answer, ret_error) : 0;
}

static int make_one(struct ve *v, const char *text, const char *present, ve_error **ret_error)
{
	_cleanup_useraccount_ struct useraccount u = { 0 };
	int r = useraccount_parse(text, &u, ret_error);
	if (r == 0)
		r = is_there(present, u.name) ? keep_old(v, &u, ret_error) : make_new(v, &u, ret_error);
	return r < 0 && u.name ? err_wrap(ret_error, "users: cannot make '%s'", u.name) : r;
}

int firstusers_make(struct ve *v, ve_error **ret_error)
{
	const json_t *users = config_list(v->config, "users");
	_cleanup_free_ char *present = NULL;
	const struct user_request list = { .what = BU_LIST };
	if (json_array_size(users) == 0 || laststate_was_started(v))
		return 0;
	int r = userwork_do(v, &list, &present, ret_error);
	if (r < 0)
		return err_wrap(ret_error, "users");
	for (size_t i = 0; r == 0 && i < json_array_size(users); i++) {
		r = make_one(v, json_string_value(json_array_get(users, i)), present, ret_error);
		if (r == 0)
			r = ctx_check_cancelled(v->ctx, ret_error);
	}
	if (r < 0)
		err_hint(ret_error, "change it with 'vectl edit %s': it has not run yet", v->name);
	return r;
}

int firstusers_check(struct ve *v, const struct config *fresh, ve_error **ret_error)
{
	const json_t *wanted = config_raw(fresh, "users");
	/* To forget them, and what is said of their passwords, is no change inside. */
	if (!wanted || json_equal(wanted, config_raw(v->config, "users")) || !laststate_was_started(v))
		return 0;
	int r = err_plain(ret_error, VE_ERR_STATE, EEXIST, "set", "users: those of '%s' are made, it has been started", v->name);
	err_hint(ret_error, "vectl user add %s USER", v->name);
	return r;
}
