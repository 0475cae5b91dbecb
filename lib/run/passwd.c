/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "run/change.h"
#include "run/join.h"
#include "run/launch.h"
#include "run/rootplan.h"
#include "run/verbs.h"
#include "sys/hash.h"

enum { DEADLINE_MS = 20000 };

/* In a running VE: through its own namespaces, as its root. */
static int change_running(struct ve *v, const struct file_change *change, ve_error **ret_error)
{
	_cleanup_blobber_ struct blobber b = { 0 };
	struct plan nothing = { .ve = v, .jail = true };
	struct spawn s = { .control = -1 };
	blobber_init(&b, MON_JOIN);
	rootplan_files(&b, &nothing, change, 1);
	int r = join_spawn(v, &b, &s, ret_error);
	if (r < 0)
		return r;
	struct msg ended;
	r = spawn_expect(&s, MSG_STARTED, DEADLINE_MS, NULL, NULL, NULL, ret_error);
	if (r == 0)
		r = spawn_expect(&s, MSG_ENDED, DEADLINE_MS, &ended, NULL, NULL, ret_error);
	spawn_close(&s);
	if (r == 0 && ended.status != 0)
		r = err_plain(ret_error, VE_ERR_KERNEL, EIO, "passwd", "the change in '%s' was interrupted", v->name);
	return r;
}

static int change_stopped(struct ve *v, const struct file_change *change, ve_error **ret_error)
{
	_cleanup_plan_ struct plan plan = { .storage = { .image_fd = -1, .writable_fd = -1 } };
	int r = plan_make(v, v->config, -1, &plan, ret_error);
	return r < 0 ? r : launch_work(&plan, change, 1, ret_error);
}

static int passwd_locked(struct ve *v, const char *user, const char *hash, ve_error **ret_error)
{
	const struct file_change change = { BF_PASSWORD, user, hash, 0 };
	int r = handle_ask(v, VERB_PASSWD, NULL, ret_error);
	if (r < 0)
		return r;
	enum ve_state s = handle_state(v, NULL);
	return s == STATE_STOPPED || s == STATE_BLOCKED ? change_stopped(v, &change, ret_error) :
							change_running(v, &change, ret_error);
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
		r = ctx_open(v->ctx, true, ret_error);
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
