/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The accounts inside a VE. What is asked for is checked here; the VE's files are read and written by a process inside
 * (run/monitor/users.c), of which we hear one word, or a list that is taken for what a stranger wrote.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/str.h"
#include "run/change.h"
#include "run/inside.h"
#include "run/sshkeys.h"
#include "run/verbs.h"
#include "sys/hash.h"

enum { DEADLINE_MS = 30000, ANSWER_MAX = 2 << 20, NAME_MAX_BYTES = 32, PATH_MAX_BYTES = 200, ID_MAX = 65533, LIST_FIELDS = 8 };

/* ---- the work inside -------------------------------------------------------------------------------- */

/* All that comes from SOCK until its end, in DEADLINE_MS. */
static int hear(struct ve *v, int sock, char **ret_answer, ve_error **ret_error)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	int64_t until = clock_ms() + DEADLINE_MS;
	for (;;) {
		char part[4096];
		struct pollfd p[2] = { { .fd = sock, .events = POLLIN }, { .fd = v->ctx->cancel_fd, .events = POLLIN } };
		int64_t left = until - clock_ms();
		int r = poll(p, 2, left > 0 ? (int)left : 0);
		if (r < 0 && errno == EINTR)
			continue;
		if (r > 0 && p[1].revents)
			return err_plain(ret_error, VE_ERR_BUSY, EINTR, "interrupted", "interrupted");
		if (r <= 0)
			return err_plain(ret_error, VE_ERR_BUSY, ETIMEDOUT, "users", "no answer came within %d seconds",
					 DEADLINE_MS / 1000);
		ssize_t n = recv(sock, part, sizeof(part), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			break;
		strbuf_add_n(&b, part, (size_t)n);
		if (b.len > ANSWER_MAX)
			return err_plain(ret_error, VE_ERR_DATA, EFBIG, "users", "there are too many accounts in it");
	}
	*ret_answer = strbuf_steal(&b);
	return *ret_answer ? 0 : err_nomem(ret_error);
}

/* What is asked for, in libve's words. */
struct request {
	enum blob_user_what what;
	const char *name;
	const struct ve_user_opts *opts; /* of BU_ADD */
	const char *home;
	char *keys, *hash;
};

static struct blob_user freeze(struct blobber *b, const struct request *q)
{
	const struct ve_user_opts *o = q->opts;
	struct blob_user u = { .what = q->what, .uid = o && o->has_uid ? o->uid : UINT32_MAX, .name = blobber_str(b, q->name),
			       .home = blobber_str(b, q->home), .hash = blobber_str(b, q->hash), .keys = blobber_str(b, q->keys) };
	if (o)
		u.shell = blobber_str(b, o->shell);
	if (o && o->groups)
		u.groups = blobber_strv(b, o->groups);
	return u;
}

/* V's lock is held. */
static int do_inside(struct ve *v, const struct request *q, char **ret_answer, ve_error **ret_error)
{
	_cleanup_inside_ struct inside in = { 0 };
	_cleanup_close_ int ours = -1, theirs = -1;
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(ret_error, errno, "users", "cannot make a socket");
	ours = pair[0];
	theirs = pair[1];
	int r = inside_open(&in, v, ret_error);
	if (r < 0)
		return r;
	in.blob.head.fd_stream = blobber_fd(&in.blob, theirs);
	in.blob.head.user_change = freeze(&in.blob, q);
	r = inside_begin(&in, ret_error);
	close_fd(&theirs);
	if (r == 0)
		r = hear(v, ours, ret_answer, ret_error);
	return r < 0 ? r : inside_end(&in, DEADLINE_MS, ret_error);
}

/* ---- what may be asked ------------------------------------------------------------------------------ */

/* As adduser(8) has them; what is there already may be called otherwise. */
static bool is_new_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-");
	return n > 0 && n <= NAME_MAX_BYTES && !s[n] && s[0] != '-' && (s[0] < '0' || s[0] > '9');
}

static int check_name(const char *name, bool fresh, ve_error **ret_error)
{
	if (*name && !strpbrk(name, ":\n/,") && strlen(name) <= NAME_MAX_BYTES && (!fresh || is_new_name(name)))
		return 0;
	_cleanup_free_ char *quoted = str_quote(name);
	return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "users", "'%.60s' is no user name%s", quoted ? quoted : "",
			 fresh ? ": lower case letters, digits, '_' and '-', at most 32" : "");
}

static int check_path(const char *what, const char *path, ve_error **ret_error)
{
	if (!path || (path[0] == '/' && strlen(path) <= PATH_MAX_BYTES && !strpbrk(path, ":\n") && !strstr(path, "/../")))
		return 0;
	_cleanup_free_ char *quoted = str_quote(path);
	return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "users", "the %s '%.100s' is no absolute path of at most %d bytes", what,
			 quoted ? quoted : "", PATH_MAX_BYTES);
}

static int check_new(const char *user, const struct ve_user_opts *o, ve_error **ret_error)
{
	int r = check_name(user, true, ret_error);
	if (r == 0)
		r = check_path("home", o->home, ret_error);
	if (r == 0 && o->home && (o->home[1] == '\0' || str_ends(o->home, "/")))
		r = err_plain(ret_error, VE_ERR_USAGE, EINVAL, "users", "the home '%s' has no name at its end", o->home);
	if (r == 0)
		r = check_path("shell", o->shell, ret_error);
	if (r == 0 && o->has_uid && o->uid > ID_MAX)
		r = err_plain(ret_error, VE_ERR_USAGE, EINVAL, "users", "a uid is at most %d", ID_MAX);
	for (const char *const *g = o->groups; r == 0 && g && *g; g++)
		r = check_name(*g, false, ret_error);
	return r;
}

/* ---- verbs ------------------------------------------------------------------------------------------ */

static int change_user(struct ve *v, const char *verb, const struct request *q, ve_error **ret_error)
{
	struct change c = { 0 };
	_cleanup_free_ char *answer = NULL, *key = str_printf("user %s", q->name);
	int r = key ? ctx_open(v->ctx, true, ret_error) : err_nomem(ret_error);
	if (r == 0)
		r = change_begin(&c, v, verb, 0, ret_error);
	if (r == 0) {
		change_note(&c, key, NULL, NULL);
		r = handle_ask(v, VERB_USER, NULL, ret_error);
	}
	if (r == 0)
		r = do_inside(v, q, &answer, ret_error);
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
	const struct request q = { BU_ADD, user, o, o->home ? o->home : home, keys, hash };
	r = change_user(v, "user add", &q, ret_error);
	if (hash)
		explicit_bzero(hash, strlen(hash));
	return r;
}

int verb_user_remove(struct ve *v, const char *user, ve_error **ret_error)
{
	const struct request q = { .what = BU_REMOVE, .name = user };
	int r = check_name(user, false, ret_error);
	if (r == 0 && str_eq(user, "root"))
		r = err_plain(ret_error, VE_ERR_USAGE, EPERM, "users", "root is not removed: nobody could get in any more");
	return r < 0 ? r : change_user(v, "user remove", &q, ret_error);
}

int verb_user_lock(struct ve *v, const char *user, bool locked, ve_error **ret_error)
{
	const struct request q = { .what = locked ? BU_LOCK : BU_UNLOCK, .name = user };
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
	const struct request q = { .what = BU_LIST };
	_cleanup_free_ char *answer = NULL;
	int r = ctx_open(v->ctx, true, ret_error);
	if (r == 0)
		r = handle_lock(v, "user list", ret_error);
	if (r == 0)
		r = handle_ask(v, VERB_USER, NULL, ret_error);
	if (r == 0)
		r = do_inside(v, &q, &answer, ret_error);
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
