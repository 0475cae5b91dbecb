/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fs/foreign.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"

/* Each level holds a descriptor. */
enum { DEPTH_MAX = 512 };

/* One name of a file that has several. */
struct name {
	ino_t inode;
	nlink_t n_links;
};

struct walk {
	dev_t dev;
	uint64_t bytes;
	char *path[DEPTH_MAX + 1]; /* borrowed, on the way to what is looked at */
	unsigned depth;
	struct name *names;
	size_t n_names, cap;
	ve_error **ret_error;
};

static int refuse(const struct walk *w, const char *why)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	for (unsigned i = 0; i < w->depth; i++)
		strbuf_addf(&b, "%s%s", i ? "/" : "", w->path[i]);
	_cleanup_free_ char *path = strbuf_steal(&b), *quoted = path ? str_quote(path) : NULL;
	if (!quoted)
		return err_nomem(w->ret_error);
	size_t n = strlen(quoted);
	return err_plain(w->ret_error, VE_ERR_DATA, EINVAL, "storage", "'%s%s' %s", n > 200 ? "..." : "", quoted + (n > 200 ? n - 200 : 0),
			 why);
}

static int failed(const struct walk *w, int error)
{
	int r = refuse(w, "cannot be looked at");
	return err_wrap(w->ret_error, "%s", strerrordesc_np(error)), r;
}

static int note_name(struct walk *w, const struct stat *st)
{
	if (w->n_names == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 64;
		struct name *more = reallocarray(w->names, cap, sizeof(*more));
		if (!more)
			return err_nomem(w->ret_error);
		w->names = more;
		w->cap = cap;
	}
	w->names[w->n_names++] = (struct name){ st->st_ino, st->st_nlink };
	return 0;
}

static int look_at(struct walk *w, int dir_fd, const char *name);

static int look_below(struct walk *w, int fd)
{
	_cleanup_closedir_ DIR *dir = fdopendir(fd);
	if (!dir) {
		int e = errno;
		close_fd(&fd);
		return failed(w, e);
	}
	int r = 0;
	for (struct dirent *e; r == 0 && (errno = 0, e = readdir(dir));)
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			r = look_at(w, dirfd(dir), e->d_name);
	return r == 0 && errno ? failed(w, errno) : r;
}

static int look_at_directory(struct walk *w, int dir_fd, const char *name, const struct stat *st)
{
	if (w->depth > DEPTH_MAX)
		return refuse(w, "is nested too deeply");
	if (st->st_dev != w->dev)
		return refuse(w, "is on another file system than what is around it");
	int fd = file_opendir(dir_fd, name);
	return fd < 0 ? failed(w, -fd) : look_below(w, fd);
}

static int look_at(struct walk *w, int dir_fd, const char *name)
{
	struct stat st;
	int r = 0;
	w->path[w->depth++] = (char *)name;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(w, errno);
	if (w->depth == 1)
		w->dev = st.st_dev; /* a subvolume has one of its own */
	bool removed = S_ISCHR(st.st_mode) && st.st_rdev == 0; /* by overlayfs */
	if (S_ISDIR(st.st_mode))
		r = look_at_directory(w, dir_fd, name, &st);
	else if ((S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) && !removed)
		r = refuse(w, "is a device");
	else if (st.st_nlink > 1 && !removed)
		r = note_name(w, &st);
	if (st.st_nlink == 1 || S_ISDIR(st.st_mode))
		w->bytes += (uint64_t)st.st_blocks * 512;
	w->depth--;
	return r;
}

static int by_inode(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

/* A file all of whose names are in the tree is the tree's own. */
static int check_names(struct walk *w)
{
	if (w->n_names)
		qsort(w->names, w->n_names, sizeof(w->names[0]), by_inode);
	for (size_t i = 0, next; i < w->n_names; i = next) {
		for (next = i; next < w->n_names && w->names[next].inode == w->names[i].inode;)
			next++;
		if (next - i == w->names[i].n_links)
			continue;
		int r = err_plain(w->ret_error, VE_ERR_DATA, EMLINK, "storage",
				  "the file with inode %llu in it has a name outside of it as well (a hard link)",
				  (unsigned long long)w->names[i].inode);
		err_hint(w->ret_error, "find DIR -inum %llu; cp -a of the directory has no such links", (unsigned long long)w->names[i].inode);
		return r;
	}
	return 0;
}

int foreign_check(int dir_fd, const char *name, uint64_t *ret_bytes, ve_error **ret_error)
{
	struct walk w = { .ret_error = ret_error };
	if (faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return 0;
	int r = look_at(&w, dir_fd, name);
	if (r == 0)
		r = check_names(&w);
	free(w.names);
	if (r == 0)
		*ret_bytes += w.bytes;
	return r;
}
