/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"
#include "run/join.h"
#include "run/lacking.h"
#include "run/terminal.h"
#include "run/verbs.h"

enum { SETUP_DEADLINE_MS = 20000 };

int join_shell_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void freeze_command(struct blobber *b, const struct ve_exec_opts *o, const int stdio[3])
{
	_cleanup_strv_ char **env = NULL;
	const char *term = o->tty ? secure_getenv("TERM") : NULL;
	_cleanup_free_ char *term_is = term ? str_printf("TERM=%s", term) : NULL;
	bool ok = strv_add(&env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") == 0 &&
		  strv_add(&env, "container=vectl") == 0 && (!term_is || strv_add(&env, term_is) == 0);
	for (const char *const *e = o->env; ok && e && *e; e++)
		ok = strv_add(&env, *e) == 0;
	if (!ok)
		b->failed = true;
	b->head.envp = blobber_strv(b, (const char *const *)env);
	b->head.argv = blobber_strv(b, o->argv);
	b->head.cwd = blobber_str(b, o->cwd);
	b->head.user = blobber_str(b, o->user);
	b->head.flags |= BLOB_ADAPT | (!o->argv || !o->argv[0] ? BLOB_LOGIN : 0);
	if (o->tty)
		blobber_tty(b);
	for (int i = 0; !o->tty && i < 3; i++) {
		b->head.flags |= BLOB_STDIO;
		b->head.fd_stdio[i] = blobber_fd(b, stdio[i]);
	}
}

static int await_end(struct spawn *s, int master, const struct ve_exec_opts *o, int *ret_status, ve_error **ret_error)
{
	struct msg ended;
	if (o->tty && master >= 0) {
		const struct terminal t = { .in = 0, .out = 1, .far = master, .until_fd = s->control };
		int r = terminal_join(&t, ret_error);
		if (r < 0)
			return r;
	}
	int r = spawn_expect(s, MSG_ENDED, -1, &ended, NULL, NULL, ret_error);
	if (r == 0)
		*ret_status = join_shell_status(ended.status);
	return r;
}

int verb_exec(struct ve *v, const struct ve_exec_opts *o, int *ret_status, ve_error **ret_error)
{
	_cleanup_blobber_ struct blobber b = { 0 };
	struct spawn s = { .control = -1 };
	const int own[3] = { 0, 1, 2 };
	const int *stdio = o->stdio[0] || o->stdio[1] || o->stdio[2] ? o->stdio : own;
	_cleanup_close_ int master = -1;
	unsigned n = 1;
	/* No lock: the VE may be entered while another verb waits for it. */
	int r = handle_ask(v, VERB_EXEC, NULL, ret_error);
	if (r < 0)
		return r;
	blobber_init(&b, MON_JOIN);
	freeze_command(&b, o, stdio);
	r = join_spawn(v, &b, &s, ret_error);
	if (r < 0)
		return lacking_explain(v->ctx, NULL, -1, r, ret_error);
	r = spawn_expect(&s, MSG_STARTED, SETUP_DEADLINE_MS, NULL, &master, &n, ret_error);
	if (r < 0)
		r = lacking_explain(v->ctx, NULL, -1, r, ret_error);
	else
		r = await_end(&s, master, o, ret_status, ret_error);
	spawn_close(&s);
	return r;
}
