/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "run/change.h"
#include "run/inside.h"
#include "run/verbs.h"
#include "sys/hash.h"

enum { DEADLINE_MS = 20000 };

static int passwd_locked(struct ve *v, const char *user, const char *hash, ve_error **ret_error)
{
	const struct file_change change = { BF_PASSWORD, user, hash, 0 };
	_cleanup_inside_ struct inside in = { 0 };
	int r = handle_ask(v, VERB_PASSWD, NULL, ret_error);
	if (r == 0 && ctx_ends_dry(v->ctx, CTX_AS_IT_IS))
		return VE_CHANGED;
	if (r == 0)
		r = inside_open(&in, v, ret_error);
	if (r < 0)
		return r;
	inside_files(&in, &change, 1);
	r = inside_begin(&in, ret_error);
	return r < 0 ? r : inside_end(&in, DEADLINE_MS, ret_error);
}

/* Whose password it was; never what it is. */
static void note_user(struct change *c, const char *user)
{
	_cleanup_free_ char *key = str_printf("password of %s", user);
	if (key)
		change_note(c, key, NULL, NULL);
}

int verb_passwd(struct ve *v, const char *user, const char *password, ve_error **ret_error)
{
	struct change c = { 0 };
	_cleanup_free_ char *hash = NULL;
	if (!user)
		user = "root";
	if (!*user || strpbrk(user, ":\n/") || strlen(user) > 32)
		return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "passwd", "this is no user name");
	int r = hash_password(password, &hash, ret_error);
	if (r == 0)
		r = ctx_open_to_change(v->ctx, ret_error);
	if (r == 0)
		r = change_begin(&c, v, "passwd", 0, ret_error);
	if (r == 0) {
		note_user(&c, user);
		r = passwd_locked(v, user, hash, ret_error);
	}
	if (hash)
		explicit_bzero(hash, strlen(hash));
	if (r < 0)
		err_wrap(ret_error, "cannot set the password of '%s' in '%s'", user, v->name);
	return change_end(&c, r < 0 ? r : VE_CHANGED, ret_error);
}
