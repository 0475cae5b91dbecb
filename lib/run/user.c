/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The accounts inside a VE, at somebody's wish. What is asked for is checked here; run/userwork.h has it done.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/useraccount.h"
#include "run/change.h"
#include "run/sshkeys.h"
#include "run/userwork.h"
#include "run/verbs.h"
#include "sys/hash.h"

enum { LIST_FIELDS = 8 };

/* ---- what may be asked ------------------------------------------------------------------------------ */

static int check_name(const char *name, bool fresh, ve_error **ret_error)
{
	if (fresh ? useraccount_is_name(name) : useraccount_may_be_name(name))
		return 0;
	_cleanup_free_ char *quoted = str_quote(name);
	return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "users", "'%.60s' is no user name%s", quoted ? quoted : "",
			 fresh ? ": lower case letters, digits, '_' and '-', at most 32" : "");
}

static int check_path(const char *what, const char *path, ve_error **ret_error)
{
	if (!path || useraccount_is_path(path))
		return 0;
	_cleanup_free_ char *quoted = str_quote(path);
	return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "users", "the %s '%.100s' is no absolute path of at most %d bytes", what,
			 quoted ? quoted : "", USERACCOUNT_PATH_MAX);
}

static int check_new(const char *user, const struct ve_user_opts *o, ve_error **ret_error)
{
	int r = check_name(user, true, ret_error);
	if (r == 0)
		r = check_path("home", o->home, ret_error);
	if (r == 0 && o->home && !useraccount_is_home(o->home))
		r = err_plain(ret_error, VE_ERR_USAGE, EINVAL, "users", "the home '%s' has no name at its end", o->home);
	if (r == 0)
		r = check_path("shell", o->shell, ret_error);
	if (r == 0 && o->has_uid && o->uid > USERACCOUNT_ID_MAX)
		r = err_plain(ret_error, VE_ERR_USAGE, EINVAL, "users", "a uid is at most %d", USERACCOUNT_ID_MAX);
	for (const char *const *g = o->groups; r == 0 && g && *g; g++)
		r = check_name(*g, false, ret_error);
	return r;
}

/* ---- verbs ------------------------------------------------------------------------------------------ */

static int change_user(struct ve *v, const char *verb, const struct user_request *q, ve_error **ret_error)
{
	struct change c = { 0 };
	_cleanup_free_ char *answer = NULL, *key = str_printf("user %s", q->name);
	int r = key ? ctx_open_to_change(v->ctx, ret_error) : err_nomem(ret_error);
	if (r == 0)
		r = change_begin(&c, v, verb, 0, ret_error);
	if (r == 0) {
		change_note(&c, key, NULL, NULL);
		r = handle_ask(v, VERB_USER, NULL, ret_error);
	}
	if (r == 0 && ctx_ends_dry(v->ctx, CTX_AS_IT_IS))
		r = VE_CHANGED;
	if (r == 0)
		r = userwork_do(v, q, &answer, ret_error);
	if (r == 0)
		r = str_eq(answer, "unchanged") ? VE_UNCHANGED : VE_CHANGED;
	if (r < 0)
		err_wrap(ret_error, "cannot %s '%s' in '%s'", strchr(verb, ' ') + 1, q->name, v->name);
	return change_end(&c, r, ret_error);
}

int verb_user_add(struct ve *v, const char *user, const struct ve_user_opts *o, ve_error **ret_error)
{
	_cleanup_free_ char *keys = NULL, *hash = NULL, *home = str_printf("/home/%s", user);
	int r = home ? check_new(user, o, ret_error) : err_nomem(ret_error);
	if (r == 0)
		r = sshkeys_join(o->ssh_keys, &keys, ret_error);
	if (r == 0 && o->password)
		r = hash_password(o->password, &hash, ret_error);
	if (r < 0)
		return r;
	const struct user_request q = { .what = BU_ADD, .name = user, .home = o->home ? o->home : home, .shell = o->shell,
					.groups = o->groups, .has_uid = o->has_uid, .uid = o->uid, .keys = keys, .hash = hash };
	r = change_user(v, "user add", &q, ret_error);
	if (hash)
		explicit_bzero(hash, strlen(hash));
	return r;
}

int verb_user_remove(struct ve *v, const char *user, ve_error **ret_error)
{
	const struct user_request q = { .what = BU_REMOVE, .name = user };
	int r = check_name(user, false, ret_error);
	if (r == 0 && str_eq(user, "root"))
		r = err_plain(ret_error, VE_ERR_USAGE, EPERM, "users", "root is not removed: nobody could get in any more");
	return r < 0 ? r : change_user(v, "user remove", &q, ret_error);
}

int verb_user_lock(struct ve *v, const char *user, bool locked, ve_error **ret_error)
{
	const struct user_request q = { .what = locked ? BU_LOCK : BU_UNLOCK, .name = user };
	int r = check_name(user, false, ret_error);
	return r < 0 ? r : change_user(v, locked ? "user lock" : "user unlock", &q, ret_error);
}

/* ---- list ------------------------------------------------------------------------------------------- */

/* What is no UTF-8 is shown as messages show it. */
static json_t *text(const char *s)
{
	json_t *j = json_string(s);
	if (j)
		return j;
	_cleanup_free_ char *quoted = str_quote(s);
	return json_string(quoted ? quoted : "?");
}

static json_t *groups_of(char *list)
{
	json_t *groups = json_array();
	for (char *word; (word = strsep(&list, ","));)
		if (*word)
			json_array_append_new(groups, text(word));
	return groups;
}

/* NAME:UID:GID:HOW:HOME:SHELL:GROUPS; what is not so is passed over. */
static void add_row(json_t *rows, char *line)
{
	char *field[LIST_FIELDS] = { NULL };
	int n = 0;
	while (n < LIST_FIELDS && (field[n] = strsep(&line, ":")))
		n++;
	if (n != LIST_FIELDS - 1)
		return;
	json_array_append_new(rows, json_pack("{s:o,s:I,s:I,s:b,s:b,s:o,s:o,s:o}", "name", text(field[0]), "uid",
					      (json_int_t)strtol(field[1], NULL, 10), "gid", (json_int_t)strtol(field[2], NULL, 10),
					      "locked", str_eq(field[3], "locked"), "password", str_eq(field[3], "password"), "home",
					      text(field[4]), "shell", text(field[5]), "groups", groups_of(field[6])));
}

int verb_user_list(struct ve *v, json_t **ret_doc, ve_error **ret_error)
{
	const struct user_request q = { .what = BU_LIST };
	_cleanup_free_ char *answer = NULL;
	int r = ctx_open(v->ctx, true, ret_error);
	if (r == 0)
		r = handle_lock(v, "user list", ret_error);
	if (r == 0)
		r = handle_ask(v, VERB_USER, NULL, ret_error);
	if (r == 0)
		r = userwork_do(v, &q, &answer, ret_error);
	handle_unlock(v);
	if (r < 0)
		return err_wrap(ret_error, "cannot list the users of '%s'", v->name);
	json_t *rows = json_array();
	for (char *rest = answer, *line; (line = strsep(&rest, "\n"));)
		if (*line)
			add_row(rows, line);
	*ret_doc = rows;
	return 0;
}
