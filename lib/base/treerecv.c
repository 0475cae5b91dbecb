/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The receiving end of a treestream.h. What comes in may have been made up by a tenant: every number is held against what was
 * announced, every name must be one, and each is used once, to make something new (O_EXCL, O_NOFOLLOW) in a directory that
 * was made here a moment before and is held by its descriptor, 0700 until it is whole. So nothing that was there before
 * is opened, followed or written to, whatever the stream says.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/treestream.h"

enum {
	SPARE_ENTRIES = 1024,	  /* what may have been added while it was read, beside an eighth */
	SPARE_BYTES = 64 << 20,
	FILE_BITS = 0777,
	DIRECTORY_BITS = 01777,
	TEMPORARY_TRIES = 8,
};

struct receiver {
	struct treestream *t;
	const struct tree_rules *rules;
	uint64_t max_entries, max_bytes; /* with rules->bounded */
	uint64_t entries, bytes;
	bool made; /* the temporary is ours to remove */
	char body[TREE_NAME_SIZE + PATH_MAX]; /* what came behind the last frame but data */
};

static int next_frame(struct receiver *x, struct tree_frame *f)
{
	int r = tree_get(x->t, f, sizeof(*f));
	if (r < 0)
		return r;
	if (f->nsec >= 1000000000) /* UTIME_NOW and UTIME_OMIT, too */
		return -EBADMSG;
	if (f->kind == TREE_DATA)
		return f->length > 0 && f->length <= TREE_CHUNK ? 0 : -EBADMSG;
	if (f->length >= sizeof(x->body))
		return -EBADMSG;
	x->body[f->length] = '\0';
	return tree_get(x->t, x->body, f->length);
}

/* ---- bounds ----------------------------------------------------------------------------------------- */

static uint64_t with_room(uint64_t n, uint64_t spare)
{
	return n > UINT64_MAX / 2 ? UINT64_MAX : n + n / 8 + spare;
}

static int receive_total(struct receiver *x)
{
	struct tree_frame f;
	int r;
	do
		r = next_frame(x, &f);
	while (r == 0 && f.kind == TREE_COUNTING);
	if (r < 0)
		return r;
	if (f.kind != TREE_TOTAL)
		return -EBADMSG;
	x->t->total = f.size;
	x->max_bytes = with_room(f.size, SPARE_BYTES);
	x->max_entries = with_room(f.count, SPARE_ENTRIES);
	return 0;
}

/* A new entry is within what was announced, and a FILE's size is one. */
static int admit(struct receiver *x, const struct tree_frame *f)
{
	if (f->kind == TREE_FILE && f->size > INT64_MAX && (f->size != TREE_SIZE_UNKNOWN || x->rules->bounded))
		return -EBADMSG;
	if (!x->rules->bounded)
		return 0;
	uint64_t size = f->kind == TREE_FILE ? f->size : 0;
	if (++x->entries > x->max_entries || size > x->max_bytes - x->bytes)
		return -EFBIG;
	x->bytes += size;
	return 0;
}

static bool is_name(const char *s, size_t n)
{
	return n > 0 && n < TREE_NAME_SIZE && strlen(s) == n && !strchr(s, '/') && strcmp(s, ".") != 0 && strcmp(s, "..") != 0;
}

/* ---- what every entry has --------------------------------------------------------------------------- */

static void owner_of(const struct receiver *x, const struct tree_frame *f, uid_t *ret_uid, gid_t *ret_gid)
{
	*ret_uid = x->rules->keep_owner ? f->uid : x->rules->uid;
	*ret_gid = x->rules->keep_owner ? f->gid : x->rules->gid;
}

static int set_attributes(const struct receiver *x, int fd, const struct tree_frame *f, unsigned bits)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, { .tv_sec = f->mtime, .tv_nsec = f->nsec } };
	uid_t uid;
	gid_t gid;
	owner_of(x, f, &uid, &gid);
	if (fchown(fd, uid, gid) < 0 || fchmod(fd, f->mode & bits) < 0 || futimens(fd, times) < 0)
		return -errno;
	return 0;
}

/* ---- files ------------------------------------------------------------------------------------------ */

static int write_at(int fd, const char *data, size_t n, uint64_t at)
{
	while (n > 0) {
		ssize_t k = pwrite(fd, data, n, (off_t)at);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		data += k;
		n -= (size_t)k;
		at += (uint64_t)k;
	}
	return 0;
}

/* A hole, for what cannot have one. */
static int write_zeros(struct treestream *t, int fd, uint64_t n)
{
	static const char zeros[4096];
	int r = 0;
	while (n > 0 && r == 0) {
		size_t k = n < sizeof(zeros) ? (size_t)n : sizeof(zeros);
		r = tree_await(t, fd, POLLOUT);
		if (r == 0)
			r = write_all(fd, zeros, k);
		n -= k;
	}
	return r;
}

static int write_data(struct receiver *x, int fd, const struct tree_frame *f, uint64_t at)
{
	if (x->rules->name)
		return write_at(fd, x->t->chunk, f->length, f->size);
	int r = write_zeros(x->t, fd, f->size - at);
	if (r == 0)
		r = tree_await(x->t, fd, POLLOUT);
	return r < 0 ? r : write_all(fd, x->t->chunk, f->length);
}

/* The DATA and the END of FILE into FD, a new file or rules->out_fd. */
static int receive_contents(struct receiver *x, int fd, const struct tree_frame *file)
{
	struct treestream *t = x->t;
	uint64_t at = 0, limit = file->size == TREE_SIZE_UNKNOWN ? INT64_MAX : file->size, before = t->done;
	for (;;) {
		struct tree_frame f;
		int r = next_frame(x, &f);
		if (r < 0)
			return r;
		if (f.kind == TREE_END && (f.size == at || (f.size > at && f.size <= limit))) {
			t->done = before + f.size;
			if (!x->rules->name)
				return write_zeros(t, fd, f.size - at);
			return f.size > at && ftruncate(fd, (off_t)f.size) < 0 ? -errno : 0;
		}
		if (f.kind != TREE_DATA || f.size < at || f.size > limit || f.length > limit - f.size)
			return -EBADMSG;
		r = tree_get(t, t->chunk, f.length);
		if (r == 0)
			r = write_data(x, fd, &f, at);
		if (r < 0)
			return r;
		at = f.size + f.length;
		t->done = before + at;
		if (t->progress)
			t->progress(t->data, t->done, t->total);
	}
}

static int receive_file(struct receiver *x, int fd, const struct tree_frame *f)
{
	int r = receive_contents(x, fd, f);
	return r < 0 ? r : set_attributes(x, fd, f, FILE_BITS);
}

static int make_file(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

/* ---- links ------------------------------------------------------------------------------------------ */

static int make_link(const struct receiver *x, int dir_fd, const char *name, const struct tree_frame *f, const char *target)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, { .tv_sec = f->mtime, .tv_nsec = f->nsec } };
	uid_t uid;
	gid_t gid;
	owner_of(x, f, &uid, &gid);
	if (symlinkat(target, dir_fd, name) < 0)
		return -errno;
	if (fchownat(dir_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 || utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

/* Splits the body of a LINK: its name is NAME_LENGTH bytes, then a NUL and the target. */
static const char *target_of(const struct receiver *x, const struct tree_frame *f, size_t name_length)
{
	size_t n = strlen(x->body + name_length + 1);
	return name_length + 1 + n == f->length && n > 0 && n < PATH_MAX ? x->body + name_length + 1 : NULL;
}

/* ---- directories ------------------------------------------------------------------------------------ */

static int make_directory(int dir_fd, const char *name)
{
	if (mkdirat(dir_fd, name, 0700) < 0)
		return -errno;
	return file_opendir(dir_fd, name);
}

static int receive_entries(struct receiver *x, int fd, const struct tree_frame *f, unsigned depth);

static int receive_entry(struct receiver *x, int dir_fd, const struct tree_frame *f, unsigned depth)
{
	char name[TREE_NAME_SIZE];
	size_t n = strnlen(x->body, sizeof(x->body));
	if (!is_name(x->body, n) || (f->kind != TREE_LINK && n != f->length) || (f->kind == TREE_LINK && n + 1 >= f->length))
		return -EBADMSG;
	memcpy(name, x->body, n + 1);
	size_t before = tree_enter(x->t, name);
	_cleanup_close_ int fd = -1;
	int r = admit(x, f);
	if (r == 0 && f->kind == TREE_LINK) {
		const char *target = target_of(x, f, n);
		r = target ? make_link(x, dir_fd, name, f, target) : -EBADMSG;
	} else if (r == 0 && f->kind == TREE_FILE) {
		r = fd = make_file(dir_fd, name);
		if (r >= 0)
			r = receive_file(x, fd, f);
	} else if (r == 0) {
		r = fd = make_directory(dir_fd, name);
		if (r >= 0)
			r = receive_entries(x, fd, f, depth);
	}
	if (r == 0)
		tree_leave(x->t, before);
	return r;
}

static int receive_entries(struct receiver *x, int fd, const struct tree_frame *dir, unsigned depth)
{
	if (depth >= TREE_DEPTH_MAX)
		return -ELOOP;
	for (;;) {
		struct tree_frame f;
		int r = next_frame(x, &f);
		if (r < 0)
			return r;
		if (f.kind == TREE_END)
			return set_attributes(x, fd, dir, DIRECTORY_BITS);
		if (f.kind != TREE_FILE && f.kind != TREE_LINK && f.kind != TREE_DIR)
			return -EBADMSG;
		r = receive_entry(x, fd, &f, depth + 1);
		if (r < 0)
			return r;
	}
}

/* ---- the top ---------------------------------------------------------------------------------------- */

/* Is NAME still the file of FD? Between its making and its lock somebody may have taken it for a left-over. */
static bool is_still(int dir_fd, const char *name, int fd)
{
	struct stat a, b;
	return fstat(fd, &a) == 0 && fstatat(dir_fd, name, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* Removes what a killed receiver left under NAME; -EBUSY where one is still at it. */
static int remove_left_over(int dir_fd, const char *name)
{
	struct stat st;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	_cleanup_close_ int fd = -1;
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		fd = openat(dir_fd, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return -EBUSY;
	return file_remove_tree(dir_fd, name);
}

/* A new file or directory of ours called NAME, locked: its descriptor. */
static int make_temporary(int dir_fd, const char *name, enum tree_kind kind)
{
	for (int i = 0; i < TEMPORARY_TRIES; i++) {
		int r = remove_left_over(dir_fd, name);
		if (r < 0)
			return r;
		_cleanup_close_ int fd = kind == TREE_FILE ? make_file(dir_fd, name) : make_directory(dir_fd, name);
		if (fd < 0 && fd != -EEXIST)
			return fd;
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
			return -EBUSY;
		if (fd >= 0 && is_still(dir_fd, name, fd))
			return steal_fd(&fd);
	}
	return -EBUSY;
}

static int make_temporary_link(struct receiver *x, const char *temporary, const struct tree_frame *f)
{
	const char *target = f->length > 1 && !x->body[0] ? target_of(x, f, 0) : NULL;
	int r = target ? remove_left_over(x->rules->dir_fd, temporary) : -EBADMSG;
	x->made = r == 0;
	return r < 0 ? r : make_link(x, x->rules->dir_fd, temporary, f, target);
}

/* Said before anything is copied; the rename asks the kernel again. */
static int check_target(const struct tree_rules *rules, enum tree_kind kind)
{
	struct stat st;
	if (fstatat(rules->dir_fd, rules->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (kind != TREE_DIR)
		return S_ISDIR(st.st_mode) ? -EISDIR : 0;
	return !S_ISDIR(st.st_mode) ? -ENOTDIR : rules->replace ? 0 : -EEXIST;
}

static int put_in_place(const struct tree_rules *rules, const char *temporary, enum tree_kind kind)
{
	int dir = rules->dir_fd;
	if (kind != TREE_DIR)
		return renameat(dir, temporary, dir, rules->name) < 0 ? -errno : 0;
	if (renameat2(dir, temporary, dir, rules->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EEXIST || !rules->replace)
		return -errno;
	if (renameat2(dir, temporary, dir, rules->name, RENAME_EXCHANGE) < 0)
		return -errno;
	return file_remove_tree(dir, temporary); /* the old one */
}

static int receive_done(struct receiver *x)
{
	struct tree_frame f;
	int r = next_frame(x, &f);
	if (r < 0)
		return r;
	if (f.kind != TREE_DONE || f.length >= TREE_NAME_SIZE)
		return -EBADMSG;
	x->t->left_out = f.count;
	memcpy(x->t->first_left_out, x->body, f.length + 1);
	return 0;
}

static int fill_temporary(struct receiver *x, const struct tree_frame *f, const char *temporary, int *ret_fd)
{
	if (f->kind == TREE_LINK)
		return make_temporary_link(x, temporary, f);
	int fd = *ret_fd = make_temporary(x->rules->dir_fd, temporary, f->kind);
	if (fd < 0)
		return fd;
	x->made = true;
	int r = f->kind == TREE_DIR ? receive_entries(x, fd, f, 0) : receive_file(x, fd, f);
	/* So that one file's name is never on disk before its contents; of a tree's that much is not promised. */
	return r == 0 && f->kind == TREE_FILE && fsync(fd) < 0 ? -errno : r;
}

static int receive_named(struct receiver *x, const struct tree_frame *f)
{
	char temporary[TREE_NAME_SIZE];
	_cleanup_close_ int fd = -1; /* and its lock, until it is in its place */
	snprintf(temporary, sizeof(temporary), ".%.200s.vectl-new", x->rules->name);
	int r = check_target(x->rules, f->kind);
	if (r == 0)
		r = fill_temporary(x, f, temporary, &fd);
	if (r == 0)
		r = receive_done(x);
	if (r == 0)
		r = put_in_place(x->rules, temporary, f->kind);
	if (r < 0 && x->made)
		file_remove_tree(x->rules->dir_fd, temporary);
	return r;
}

int tree_receive(struct treestream *t, const struct tree_rules *rules)
{
	struct receiver x = { .t = t, .rules = rules };
	struct tree_frame f;
	int r = receive_total(&x);
	if (r == 0)
		r = next_frame(&x, &f);
	if (r < 0)
		return r;
	if (f.kind != TREE_FILE && f.kind != TREE_LINK && f.kind != TREE_DIR)
		return -EBADMSG;
	if (f.kind != TREE_LINK && f.length)
		return -EBADMSG;
	r = admit(&x, &f);
	if (r < 0)
		return r;
	if (rules->name)
		return receive_named(&x, &f);
	if (f.kind != TREE_FILE)
		return f.kind == TREE_DIR ? -EISDIR : -EOPNOTSUPP;
	r = receive_contents(&x, rules->out_fd, &f);
	return r < 0 ? r : receive_done(&x);
}

int tree_target(const char *dst, const char *base, int *ret_dir_fd, char ret_name[TREE_NAME_SIZE])
{
	char parent[PATH_MAX];
	size_t n = strlen(dst);
	if (n == 0 || n >= sizeof(parent))
		return n ? -ENAMETOOLONG : -ENOENT;
	_cleanup_close_ int fd = open(dst, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
	const char *name = base;
	if (fd < 0) {
		if ((errno != ENOENT && errno != ENOTDIR) || dst[n - 1] == '/')
			return -errno;
		const char *slash = strrchr(dst, '/');
		name = slash ? slash + 1 : dst;
		size_t k = slash == dst ? 1 : slash ? (size_t)(slash - dst) : 0;
		snprintf(parent, sizeof(parent), "%.*s", (int)k, dst);
		fd = open(k ? parent : ".", O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			return -errno;
	}
	if (!is_name(name, strlen(name)))
		return strlen(name) >= TREE_NAME_SIZE ? -ENAMETOOLONG : -EINVAL;
	snprintf(ret_name, TREE_NAME_SIZE, "%s", name);
	*ret_dir_fd = steal_fd(&fd);
	return 0;
}
