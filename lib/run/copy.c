/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files and trees into a VE and out of it. This end is the host's: it opens what the caller named before anything of the VE's is
 * heard of, and speaks with the end inside (run/monitor/copy.c) over one socket, in the frames of base/treestream.h.
 *
 * A VE's root can stop or kill the other end, and say what it likes in its place: every wait has a deadline and ends when the
 * caller cancels, no lock is held meanwhile where the VE runs, and what comes out is bounded by what was announced.
 */
#include "run/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"
#include "base/treestream.h"
#include "run/change.h"
#include "run/inside.h"
#include "run/verbs.h"

enum { IDLE_MS = 60000, END_MS = 300000 /* what was written goes to the disk */, DEFAULT_MODE = 0644 };

struct copying {
	struct treestream t;
	struct ve *ve;
	const char *phrase; /* of its progress */
	struct tree_rules rules;
	char name[TREE_NAME_SIZE];
	int theirs; /* the VE's end, until it has it */
};

static const struct {
	int errnum;
	enum ve_category category;
	const char *words; /* NULL: the kernel's */
} failures[] = {
	{ EEXIST, VE_ERR_EXISTS, "there is a directory of this name already" },
	{ EISDIR, VE_ERR_EXISTS, "it is a directory" },
	{ ENOTDIR, VE_ERR_NOT_FOUND, NULL },
	{ ELOOP, VE_ERR_DATA, "its links or directories are too deep" },
	{ EOPNOTSUPP, VE_ERR_UNSUPPORTED, "it is neither a file, a directory nor a link" },
	{ EBADMSG, VE_ERR_DATA, "what the VE sends is no copy" },
	{ EFBIG, VE_ERR_DATA, "more was sent than had been announced: does it grow?" },
	{ EPIPE, VE_ERR_KERNEL, "the process in the VE ended early" },
	{ ETIMEDOUT, VE_ERR_BUSY, "nothing has moved for a minute" },
	{ EINTR, VE_ERR_BUSY, "interrupted" },
	{ EBUSY, VE_ERR_BUSY, "another copy to it is under way, or something is mounted on it" },
};

int copy_failure(int errnum, const char *at, ve_error **ret_error)
{
	_cleanup_free_ char *place = str_quote(at);
	bool named = place && *place;
	const char *quote = named ? "'" : "", *words = strerrordesc_np(errnum);
	enum ve_category category = err_category_of(errnum);
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		if (failures[i].errnum != errnum)
			continue;
		category = failures[i].category;
		words = failures[i].words ? failures[i].words : words;
	}
	int r = err_plain(ret_error, category, errnum, "copy", "%s%s%s%s%s", quote, named ? place : "", quote, named ? ": " : "",
			  words ? words : "unknown error");
	if (errnum == EEXIST)
		err_hint(ret_error, "--replace puts the new one in its place");
	return r;
}

/* ---- the stream ------------------------------------------------------------------------------------- */

/* A treestream's wait. Who feeds our standard input, or reads our output, may take as long as they like; the VE may not. */
static int await(void *data, int fd, short events)
{
	struct copying *c = data;
	struct pollfd p[3] = { { .fd = fd, .events = events },
			       { .fd = c->ve->ctx->cancel_fd, .events = POLLIN },
			       { .fd = fd == c->t.fd ? -1 : c->t.fd, .events = 0 } };
	int n;
	while ((n = poll(p, 3, fd == c->t.fd ? IDLE_MS : -1)) < 0 && errno == EINTR)
		;
	if (n < 0)
		return -errno;
	if (p[1].revents)
		return -EINTR;
	if (!p[0].revents && p[2].revents)
		return -EPIPE;
	return n == 0 ? -ETIMEDOUT : 0;
}

static void report(void *data, uint64_t done, uint64_t total)
{
	const struct copying *c = data;
	ctx_progress(c->ve->ctx, c->phrase, done, total);
}

static struct copying *copying_new(struct ve *v, ve_error **ret_error)
{
	int pair[2];
	struct copying *c = calloc(1, sizeof(*c));
	if (!c) {
		err_nomem(ret_error);
		return NULL;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		err_sys(ret_error, errno, "copy", "cannot make a socket");
		free(c);
		return NULL;
	}
	*c = (struct copying){ .ve = v, .theirs = pair[1], .rules = { .dir_fd = -1, .out_fd = -1 } };
	c->t.fd = pair[0];
	c->t.wait = await;
	c->t.progress = report;
	c->t.data = c;
	return c;
}

static void copying_free(struct copying **c)
{
	if (!*c)
		return;
	close_fd(&(*c)->t.fd);
	close_fd(&(*c)->theirs);
	close_fd(&(*c)->rules.dir_fd);
	free(*c);
}
#define _cleanup_copying_ __attribute__((cleanup(copying_free)))

/* ---- both ways -------------------------------------------------------------------------------------- */

/* The last name of PATH, by what it is called, not by what it leads to. WHOLE: for the root itself. */
static int base_of(const char *path, const char *whole, char ret_base[TREE_NAME_SIZE], ve_error **ret_error)
{
	size_t n = strlen(path);
	while (n > 1 && path[n - 1] == '/')
		n--;
	const char *slash = memrchr(path, '/', n), *name = slash ? slash + 1 : path;
	size_t k = n - (size_t)(name - path);
	if (k == 0 && n == 1) {
		name = whole;
		k = strlen(whole);
	}
	bool dots = (k == 1 && name[0] == '.') || (k == 2 && name[0] == '.' && name[1] == '.');
	if (k == 0 || k >= TREE_NAME_SIZE || dots)
		return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "copy", "'%s' has no name at its end: what shall the copy be called?",
				 path);
	snprintf(ret_base, TREE_NAME_SIZE, "%.*s", (int)k, name);
	return 0;
}

static bool ends_in_slash(const char *path)
{
	size_t n = strlen(path);
	return n > 0 && path[n - 1] == '/';
}

/* "UID", "UID:GID" or "keep"; NULL: UID and GID as they are. */
static int parse_owner(const char *owner, uint32_t *uid, uint32_t *gid, bool *ret_keep, ve_error **ret_error)
{
	unsigned u, g;
	int end = 0, n;
	if (owner && str_eq(owner, "keep")) {
		*ret_keep = true;
		return 0;
	}
	if (!owner)
		return 0;
	n = owner[0] < '0' || owner[0] > '9' || strlen(owner) > 16 ? 0 : sscanf(owner, "%u%n:%u%n", &u, &end, &g, &end);
	if (n < 1 || owner[end] || u == UINT32_MAX || (n == 2 && g == UINT32_MAX))
		return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "copy", "the owner '%s' is neither UID, UID:GID nor 'keep'", owner);
	*uid = u;
	*gid = n == 2 ? g : u;
	return 0;
}

/* Our end has come to its end with R. Where the other one had a reason, that is the error. */
static int finish(struct copying *c, struct inside *in, int r, ve_error **ret_error)
{
	if (r == 0 || r == -EPIPE) {
		int e = inside_end(in, END_MS, ret_error);
		if (e < 0 || r == 0)
			return e;
	}
	return copy_failure(-r, c->t.at, ret_error);
}

static void warn_left_out(struct copying *c)
{
	_cleanup_free_ char *first = str_quote(c->t.first_left_out);
	if (c->t.left_out)
		ctx_warn(c->ve->ctx, "left out %llu that are devices, FIFOs, sockets or mount points: the first is '%s'",
			 (unsigned long long)c->t.left_out, first ? first : "");
}

/* Freezes COPY and starts the end inside. */
static int begin(struct copying *c, struct inside *in, struct blob_copy copy, ve_error **ret_error)
{
	in->blob.head.fd_stream = blobber_fd(&in->blob, c->theirs);
	in->blob.head.copy = copy;
	int r = inside_begin(in, ret_error);
	close_fd(&c->theirs);
	if (r == 0 && in->running)
		handle_unlock(in->ve);
	return r;
}

/* ---- push ------------------------------------------------------------------------------------------- */

struct source {
	int dir_fd, fd; /* what SRC is looked up from, or what is read */
	const char *path;
	unsigned mode;
	char base[TREE_NAME_SIZE];
};

static int open_source(const char *src, const char *dst, const struct ve_copy_opts *o, struct source *ret, ve_error **ret_error)
{
	char resolved[PATH_MAX];
	*ret = (struct source){ .dir_fd = AT_FDCWD, .fd = -1, .path = src, .mode = o->mode ? o->mode & 0777 : DEFAULT_MODE };
	if (!src) {
		ret->fd = o->fd;
		if (ends_in_slash(dst))
			return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "copy", "'%s' is a directory: what shall the file be called?", dst);
		return base_of(dst, "", ret->base, ret_error);
	}
	if (access(src, F_OK) < 0 && errno == ENOENT && faccessat(AT_FDCWD, src, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return err_make(ret_error, VE_ERR_NOT_FOUND, errno, "copy", "'%s'", src);
	/* "." and ".." are called what they are elsewhere. */
	const char *last = strrchr(src, '/');
	last = last ? last + 1 : src;
	if ((str_eq(last, ".") || str_eq(last, "..")) && realpath(src, resolved))
		return base_of(resolved, "host", ret->base, ret_error);
	return base_of(src, "host", ret->base, ret_error);
}

static int push_locked(struct change *ch, const struct source *from, const char *dst, const struct ve_copy_opts *o, ve_error **ret_error)
{
	struct ve *v = ch->ve;
	_cleanup_copying_ struct copying *c = copying_new(v, ret_error);
	_cleanup_inside_ struct inside in = { 0 };
	_cleanup_free_ char *phrase = str_printf("copying %s", from->path ? from->path : "standard input");
	struct blob_copy copy = { .what = BC_RECEIVE, .flags = o->replace ? BC_REPLACE : 0 };
	bool keep = false;
	if (!c || !phrase)
		return -ENOMEM;
	c->phrase = phrase;
	int r = parse_owner(o->owner, &copy.uid, &copy.gid, &keep, ret_error);
	if (r == 0)
		r = handle_ask(v, VERB_PUSH, NULL, ret_error);
	if (r == 0)
		r = inside_open(&in, v, ret_error);
	if (r < 0)
		return r;
	copy.flags |= keep ? BC_KEEP_OWNER : 0;
	copy.path = blobber_str(&in.blob, dst);
	copy.base = blobber_str(&in.blob, from->base);
	r = begin(c, &in, copy, ret_error);
	if (r < 0)
		return r;
	r = from->path ? tree_send(&c->t, from->dir_fd, from->path, ends_in_slash(from->path)) :
			 tree_send_fd(&c->t, from->fd, from->mode);
	if (r < 0) /* before we wait for its last words */
		shutdown(c->t.fd, SHUT_RDWR);
	r = finish(c, &in, r, ret_error);
	if (r == 0)
		warn_left_out(c);
	return r;
}

int verb_push(struct ve *v, const char *src, const char *dst, const struct ve_copy_opts *o, ve_error **ret_error)
{
	struct change ch = { 0 };
	struct source from;
	int r = open_source(src, dst, o, &from, ret_error);
	if (r == 0)
		r = change_begin(&ch, v, "push", 0, ret_error);
	if (r == 0) {
		json_t *was = json_string(src ? src : "-"), *is = json_string(dst);
		change_note(&ch, "copy", was, is);
		json_decref(was);
		json_decref(is);
		r = push_locked(&ch, &from, dst, o, ret_error);
	}
	if (r < 0)
		err_wrap(ret_error, "cannot copy '%s' into '%s'", src ? src : dst, v->name);
	return change_end(&ch, r < 0 ? r : VE_CHANGED, ret_error);
}

/* ---- pull ------------------------------------------------------------------------------------------- */

static int open_target(struct copying *c, const char *src, const char *dst, const struct ve_copy_opts *o, ve_error **ret_error)
{
	char base[TREE_NAME_SIZE];
	c->rules.bounded = true;
	if (!dst) {
		c->rules.out_fd = o->fd;
		return 0;
	}
	int r = base_of(src, c->ve->name, base, ret_error);
	if (r < 0)
		return r;
	c->rules.replace = o->replace;
	c->rules.uid = geteuid();
	c->rules.gid = getegid();
	r = parse_owner(o->owner, &c->rules.uid, &c->rules.gid, &c->rules.keep_owner, ret_error);
	if (r < 0)
		return r;
	r = tree_target(dst, base, &c->rules.dir_fd, c->name);
	c->rules.name = c->name;
	return r < 0 ? copy_failure(-r, dst, ret_error) : 0;
}

static int pull_from(struct copying *c, const char *src, ve_error **ret_error)
{
	struct ve *v = c->ve;
	_cleanup_inside_ struct inside in = { 0 };
	/* To one who reads a stream a link is of no use. */
	struct blob_copy copy = { .what = BC_SEND, .flags = !c->rules.name || ends_in_slash(src) ? BC_FOLLOW : 0 };
	int r = handle_ask(v, VERB_PULL, NULL, ret_error);
	if (r == 0)
		r = inside_open(&in, v, ret_error);
	if (r < 0)
		return r;
	copy.path = blobber_str(&in.blob, src);
	r = begin(c, &in, copy, ret_error);
	if (r < 0)
		return r;
	r = tree_receive(&c->t, &c->rules);
	if (r == 0)
		warn_left_out(c); /* it is whole, and here: how its sender ends is all the same */
	return r == 0 ? 0 : finish(c, &in, r, ret_error);
}

int verb_pull(struct ve *v, const char *src, const char *dst, const struct ve_copy_opts *o, ve_error **ret_error)
{
	_cleanup_free_ char *phrase = str_printf("copying %s", src);
	_cleanup_copying_ struct copying *c = phrase ? copying_new(v, ret_error) : NULL;
	if (!c)
		return -ENOMEM;
	c->phrase = phrase;
	int r = open_target(c, src, dst, o, ret_error);
	if (r == 0)
		r = handle_lock(v, "pull", ret_error);
	if (r == 0)
		r = pull_from(c, src, ret_error);
	handle_unlock(v);
	return r < 0 ? err_wrap(ret_error, "cannot copy '%s' out of '%s'", src, v->name) : VE_CHANGED;
}
