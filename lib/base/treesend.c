/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sending end of a treestream.h. The tree may change while it is read, on purpose or not: each entry is looked at before it
 * is opened (to open a device does something), opened without following a link and without waiting for a FIFO's other end,
 * and looked at again. What is gone meanwhile was never there; a file that shrank is sent as far as it went, one that grew as
 * far as it was announced. A directory is left by its descriptor, never by "..".
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/treestream.h"

enum { ENTRIES_BYTES = 4096, COUNTING_EVERY = 1024 };

struct sender {
	struct treestream *t;
	bool counting; /* the first pass: sizes alone */
	bool follow;   /* the top */
	dev_t dev;     /* the top's */
	uint64_t entries;
};

static int put_frame(struct treestream *t, struct tree_frame *f, const char *name, const char *target)
{
	size_t n = name ? strlen(name) : 0, m = target ? strlen(target) + 1 : 0;
	f->length = (uint32_t)(n + m);
	int r = tree_put(t, f, sizeof(*f));
	if (r == 0 && n)
		r = tree_put(t, name, n);
	if (r == 0 && m)
		r = tree_put(t, "", 1);
	return r == 0 && m > 1 ? tree_put(t, target, m - 1) : r;
}

static struct tree_frame frame_of(enum tree_kind kind, const struct stat *st)
{
	return (struct tree_frame){ .kind = kind, .mode = st->st_mode & 07777, .uid = st->st_uid, .gid = st->st_gid,
				    .mtime = st->st_mtim.tv_sec, .nsec = (uint32_t)st->st_mtim.tv_nsec };
}

static int put_end(struct treestream *t, uint64_t size)
{
	struct tree_frame f = { .kind = TREE_END, .size = size };
	return put_frame(t, &f, NULL, NULL);
}

/* Counted in the second pass, which is the one that leaves it out. */
static int leave_out(struct sender *s, const char *name)
{
	if (!s->counting && s->t->left_out++ == 0)
		snprintf(s->t->first_left_out, sizeof(s->t->first_left_out), "%s", name);
	return 0;
}

/* ERROR came of an entry that was seen a moment ago. */
static int vanished(struct sender *s, const char *name, unsigned depth, int error)
{
	if (depth == 0)
		return -error;
	if (error == ENOENT)
		return 0;
	/* It has become something else: a link, a FIFO without a reader, a socket. */
	return error == ELOOP || error == ENXIO || error == ENOTDIR ? leave_out(s, name) : -error;
}

static int put_data(struct treestream *t, int fd, uint64_t from, uint64_t to, uint64_t *ret_end)
{
	while (from < to) {
		size_t want = to - from < sizeof(t->chunk) ? (size_t)(to - from) : sizeof(t->chunk);
		ssize_t n = pread(fd, t->chunk, want, (off_t)from);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		struct tree_frame f = { .kind = TREE_DATA, .length = (uint32_t)n, .size = from };
		int r = tree_put(t, &f, sizeof(f));
		if (r == 0)
			r = tree_put(t, t->chunk, (size_t)n);
		if (r < 0)
			return r;
		from += (uint64_t)n;
		t->done += (uint64_t)n;
		if (t->progress)
			t->progress(t->data, t->done, t->total);
	}
	*ret_end = from;
	return 0;
}

/* Up to SIZE, where it has data; a file system that knows of no holes is read as a whole. */
static int put_contents(struct treestream *t, int fd, uint64_t size)
{
	uint64_t at = 0;
	while (at < size) {
		off_t data = lseek(fd, (off_t)at, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break; /* a hole up to the end */
		off_t hole = data < 0 ? (off_t)size : lseek(fd, data, SEEK_HOLE);
		uint64_t from = data < 0 ? at : (uint64_t)data, to = hole < 0 || (uint64_t)hole > size ? size : (uint64_t)hole;
		if (from >= size)
			break;
		int r = put_data(t, fd, from, to, &at);
		if (r < 0)
			return r;
		if (at < to)
			size = at; /* it shrank */
	}
	return put_end(t, size);
}

static int send_file(struct sender *s, int dir_fd, const char *name, const struct stat *seen, unsigned depth)
{
	struct treestream *t = s->t;
	if (s->counting) {
		t->total += (uint64_t)seen->st_size;
		return 0;
	}
	int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (depth == 0 && s->follow ? 0 : O_NOFOLLOW);
	_cleanup_close_ int fd = openat(dir_fd, name, flags);
	struct stat st;
	if (fd < 0)
		return vanished(s, name, depth, errno);
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return depth == 0 ? -EOPNOTSUPP : leave_out(s, name);
	struct tree_frame f = frame_of(TREE_FILE, &st);
	f.size = (uint64_t)st.st_size;
	uint64_t after = t->done + f.size;
	int r = put_frame(t, &f, depth ? name : NULL, NULL);
	if (r == 0)
		r = put_contents(t, fd, f.size);
	t->done = after;
	return r;
}

static int send_link(struct sender *s, int dir_fd, const char *name, const struct stat *st, unsigned depth)
{
	char target[PATH_MAX];
	if (s->counting)
		return 0;
	ssize_t n = readlinkat(dir_fd, name, target, sizeof(target) - 1);
	if (n < 0)
		return errno == EINVAL ? leave_out(s, name) : vanished(s, name, depth, errno);
	target[n] = '\0';
	struct tree_frame f = frame_of(TREE_LINK, st);
	return put_frame(s->t, &f, depth ? name : NULL, target);
}

static int send_entry(struct sender *s, int dir_fd, const char *name, unsigned depth);

static int send_entries(struct sender *s, int fd, unsigned depth)
{
	char entries[ENTRIES_BYTES] __attribute__((aligned(8)));
	ssize_t n;
	while ((n = getdents64(fd, (void *)entries, sizeof(entries))) > 0) {
		const struct dirent64 *e;
		for (ssize_t at = 0; at < n; at += e->d_reclen) {
			e = (const void *)(entries + at);
			if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
				continue;
			int r = send_entry(s, fd, e->d_name, depth);
			if (r < 0)
				return r;
		}
	}
	return n < 0 && errno != ENOENT ? -errno : 0;
}

static int send_directory(struct sender *s, int dir_fd, const char *name, unsigned depth)
{
	if (depth >= TREE_DEPTH_MAX)
		return -ELOOP;
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (depth == 0 && s->follow ? 0 : O_NOFOLLOW);
	_cleanup_close_ int fd = openat(dir_fd, name, flags);
	struct stat st;
	if (fd < 0)
		return vanished(s, name, depth, errno);
	if (fstat(fd, &st) < 0)
		return -errno;
	if (depth == 0)
		s->dev = st.st_dev;
	struct tree_frame f = frame_of(TREE_DIR, &st);
	int r = s->counting ? 0 : put_frame(s->t, &f, depth ? name : NULL, NULL);
	/* A mount point stays as an empty directory. */
	if (r == 0)
		r = st.st_dev == s->dev ? send_entries(s, fd, depth + 1) : leave_out(s, name);
	return r < 0 || s->counting ? r : put_end(s->t, 0);
}

/* Sparing who waits at the other end the doubt whether anybody is here. */
static int count_one(struct sender *s)
{
	struct tree_frame f = { .kind = TREE_COUNTING };
	if (++s->entries % COUNTING_EVERY || !s->counting)
		return 0;
	int r = put_frame(s->t, &f, NULL, NULL);
	return r < 0 ? r : tree_flush(s->t);
}

static int send_entry(struct sender *s, int dir_fd, const char *name, unsigned depth)
{
	struct stat st;
	if (fstatat(dir_fd, name, &st, depth == 0 && s->follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0)
		return vanished(s, name, depth, errno);
	size_t before = depth ? tree_enter(s->t, name) : 0;
	int r = count_one(s);
	if (r == 0 && S_ISREG(st.st_mode))
		r = send_file(s, dir_fd, name, &st, depth);
	else if (r == 0 && S_ISDIR(st.st_mode))
		r = send_directory(s, dir_fd, name, depth);
	else if (r == 0 && S_ISLNK(st.st_mode))
		r = send_link(s, dir_fd, name, &st, depth);
	else if (r == 0)
		r = depth == 0 ? -EOPNOTSUPP : leave_out(s, name);
	/* On failure it stays where it failed, for the message. */
	if (r == 0)
		tree_leave(s->t, before);
	return r;
}

static int put_total(struct treestream *t, uint64_t entries)
{
	struct tree_frame f = { .kind = TREE_TOTAL, .size = t->total, .count = entries };
	return put_frame(t, &f, NULL, NULL);
}

static int put_done(struct treestream *t)
{
	struct tree_frame f = { .kind = TREE_DONE, .count = t->left_out };
	int r = put_frame(t, &f, t->first_left_out, NULL);
	return r < 0 ? r : tree_flush(t);
}

int tree_send(struct treestream *t, int dir_fd, const char *path, bool follow)
{
	struct sender s = { .t = t, .counting = true, .follow = follow };
	int r = send_entry(&s, dir_fd, path, 0);
	if (r == 0)
		r = put_total(t, s.entries);
	s.counting = false;
	if (r == 0)
		r = send_entry(&s, dir_fd, path, 0);
	return r < 0 ? r : put_done(t);
}

int tree_send_fd(struct treestream *t, int in, unsigned mode)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	struct tree_frame f = { .kind = TREE_FILE, .size = TREE_SIZE_UNKNOWN, .mode = mode, .mtime = now.tv_sec,
				.nsec = (uint32_t)now.tv_nsec };
	int r = put_total(t, 1);
	if (r == 0)
		r = put_frame(t, &f, NULL, NULL);
	for (ssize_t n = 1; r == 0 && n > 0;) {
		r = tree_await(t, in, POLLIN);
		n = r < 0 ? r : read(in, t->chunk, sizeof(t->chunk));
		if (n < 0)
			return r < 0 ? r : -errno;
		struct tree_frame d = { .kind = n ? TREE_DATA : TREE_END, .length = (uint32_t)n, .size = t->done };
		r = tree_put(t, &d, sizeof(d));
		if (r == 0 && n)
			r = tree_put(t, t->chunk, (size_t)n);
		t->done += (uint64_t)n;
		if (r == 0 && t->progress)
			t->progress(t->data, t->done, 0);
	}
	return r < 0 ? r : put_done(t);
}
