/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/hostmount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"
#include "sys/syscalls.h"

/* A way from the host's root downwards, a component at a time. */
struct walk {
	const struct store *store;
	const struct bindmount *spec;
	int fd;
	struct stat st;
	bool private; /* some directory above is for root alone to enter */
};

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int refuse_store(const struct walk *w, const char *how, ve_error **ret_error)
{
	return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "mounts", "cannot give '%s' to a VE: it is %s vectl's own directories",
			 w->spec->source, how);
}

static int store_fds(const struct store *s, int ret_fds[4])
{
	const int all[] = { s->lib_fd, s->run_fd, s->etc_fd, s->log_fd };
	int n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i] >= 0)
			ret_fds[n++] = all[i];
	return n;
}

static int check_not_store(const struct walk *w, ve_error **ret_error)
{
	struct stat st;
	int fds[4], n = store_fds(w->store, fds);
	for (int i = 0; i < n; i++)
		if (fstat(fds[i], &st) == 0 && same_file(&st, &w->st))
			return refuse_store(w, "one of", ret_error);
	return 0;
}

/* Is W's place above one of the store's directories? */
static int check_not_above_store(const struct walk *w, ve_error **ret_error)
{
	int fds[4], n = store_fds(w->store, fds);
	for (int i = 0; i < n; i++) {
		_cleanup_close_ int at = openat(fds[i], "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		struct stat st, above = { 0 };
		for (;;) {
			if (at < 0 || fstat(at, &st) < 0)
				return err_sys(ret_error, errno, "mounts", "cannot look above the store");
			if (same_file(&st, &w->st))
				return refuse_store(w, "above", ret_error);
			if (same_file(&st, &above))
				break; /* the root is above itself */
			above = st;
			int up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
			close_fd(&at);
			at = up;
		}
	}
	return 0;
}

/* One component further. */
static int step(struct walk *w, const char *name, ve_error **ret_error)
{
	const char *source = w->spec->source;
	w->private = w->private || (w->st.st_uid == 0 && !(w->st.st_mode & S_IXOTH) && (!(w->st.st_mode & S_IXGRP) || w->st.st_gid == 0));
	int next = openat(w->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), e = errno;
	close_fd(&w->fd);
	w->fd = next;
	if (next < 0 && (e == ENOENT || e == ENOTDIR))
		return err_plain(ret_error, VE_ERR_NOT_FOUND, e, "mounts", "'%s' is not there ('%s')", source, name);
	if (next < 0 || fstat(next, &w->st) < 0)
		return err_sys(ret_error, next < 0 ? e : errno, "mounts", "cannot open '%s'", source);
	if (!S_ISLNK(w->st.st_mode))
		return check_not_store(w, ret_error);
	err_plain(ret_error, VE_ERR_CONFIG, ELOOP, "mounts", "cannot give '%s' to a VE: '%s' in it is a symbolic link", source, name);
	err_hint(ret_error, "write the path that it leads to");
	return -ELOOP;
}

static int walk_to(struct walk *w, ve_error **ret_error)
{
	char rest[BINDMOUNT_PATH_SIZE], *at = rest, *name;
	snprintf(rest, sizeof(rest), "%s", w->spec->source);
	w->fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = w->fd < 0 || fstat(w->fd, &w->st) < 0 ? err_sys(ret_error, errno, "mounts", "cannot open '/'") : 0;
	while (r == 0 && (name = strsep(&at, "/")))
		if (*name)
			r = step(w, name, ret_error);
	return r;
}

static int check_writable(const struct walk *w, ve_error **ret_error)
{
	struct statvfs fs;
	if (w->spec->readonly || w->private || (fstatvfs(w->fd, &fs) == 0 && fs.f_flag & ST_NOSUID))
		return 0;
	err_plain(ret_error, VE_ERR_CONFIG, EPERM, "mounts",
		  "cannot give '%s' to a VE to write in: a program that its root makes setuid there would be root's on the host, for every "
		  "user who reaches it", w->spec->source);
	err_hint(ret_error, "move it below a directory that is root's and of mode 0700, mount it nosuid on the host, or give it with ':ro'");
	return -EPERM;
}

int hostmount_open(const struct store *s, struct hostmount *m, ve_error **ret_error)
{
	struct walk w = { .store = s, .spec = &m->spec, .fd = -1 };
	int r = walk_to(&w, ret_error);
	_cleanup_close_ int fd = w.fd;
	if (r == 0 && !S_ISDIR(w.st.st_mode) && !S_ISREG(w.st.st_mode))
		r = err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "mounts", "cannot give '%s' to a VE: it is neither a directory nor a file",
			      m->spec.source);
	if (r == 0)
		r = check_not_above_store(&w, ret_error);
	if (r == 0)
		r = check_writable(&w, ret_error);
	if (r < 0)
		return r;
	m->is_dir = S_ISDIR(w.st.st_mode);
	m->fd = open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return m->fd < 0 ? err_sys(ret_error, errno, "mounts", "cannot clone the mount of '%s'", m->spec.source) : 0;
}

int hostmounts_open(const struct store *s, const struct config *c, struct hostmounts *ret, ve_error **ret_error)
{
	json_t *list = config_list(c, "mounts");
	struct hostmounts all = { 0 };
	size_t n = json_array_size(list);
	int r = 0;
	if (n > 0 && !(all.of = calloc(n, sizeof(*all.of))))
		return err_nomem(ret_error);
	for (size_t i = 0; r == 0 && i < n; i++) {
		all.of[all.n].fd = -1;
		r = bindmount_parse(json_string_value(json_array_get(list, i)), &all.of[all.n].spec, ret_error);
		if (r == 0)
			r = hostmount_open(s, &all.of[all.n++], ret_error);
	}
	if (r < 0)
		hostmounts_done(&all);
	*ret = all;
	return r;
}

void hostmounts_done(struct hostmounts *m)
{
	for (unsigned i = 0; i < m->n; i++)
		close_fd(&m->of[i].fd);
	free(m->of);
	*m = (struct hostmounts){ 0 };
}

int hostmounts_check(const struct store *s, const struct config *old, const struct config *c, ve_error **ret_error)
{
	struct hostmounts m;
	if (old && json_equal(config_raw(old, "mounts"), config_raw(c, "mounts")))
		return 0;
	int r = hostmounts_open(s, c, &m, ret_error);
	hostmounts_done(&m);
	return r;
}
