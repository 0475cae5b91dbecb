/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/guard.h"

/* Kernel files say nothing of their size: read until end of file, growing. */
static int read_all(int fd, size_t max, char **ret_data, size_t *ret_size)
{
	size_t cap = 4096, len = 0;
	_cleanup_free_ char *data = malloc(cap);
	if (!data)
		return -ENOMEM;
	for (;;) {
		if (len + 1 == cap) {
			char *bigger = realloc(data, cap * 2);
			if (!bigger)
				return -ENOMEM;
			data = bigger;
			cap *= 2;
		}
		ssize_t n = read(fd, data + len, cap - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > max)
			return -EFBIG;
	}
	data[len] = '\0';
	*ret_data = steal_ptr(&data);
	if (ret_size)
		*ret_size = len;
	return 0;
}

int file_read(int dir_fd, const char *path, size_t max, char **ret_data, size_t *ret_size)
{
	/* O_NONBLOCK: a FIFO in the place of a file must not hold us. */
	_cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	return read_all(fd, max, ret_data, ret_size);
}

int file_read_line(int dir_fd, const char *path, char *buf, size_t size)
{
	_cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, buf, size - 1);
	if (n < 0)
		return -errno;
	while (n > 0 && (buf[n - 1] == '\n' || buf[n - 1] == ' '))
		n--;
	buf[n] = '\0';
	return (int)n;
}

int write_all(int fd, const void *data, size_t size)
{
	const char *p = data;
	while (size > 0) {
		ssize_t n = write(fd, p, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

int file_poke(int dir_fd, const char *path, const char *text)
{
	_cleanup_close_ int fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* fsync of the directory that holds PATH, so that the rename itself survives a crash. */
static int sync_parent(int dir_fd, const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *parent = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	if (!parent)
		return -ENOMEM;
	_cleanup_close_ int fd = openat(dir_fd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

static int write_temporary(int dir_fd, const char *name, const void *data, size_t size, mode_t mode, bool durable)
{
	_cleanup_close_ int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	int r = write_all(fd, data, size);
	if (r == 0 && fchmod(fd, mode) < 0)
		r = -errno;
	if (r == 0 && durable && fsync(fd) < 0)
		r = -errno;
	return r;
}

int file_replace(int dir_fd, const char *path, const void *data, size_t size, mode_t mode, bool durable)
{
	_cleanup_free_ char *temporary = NULL;
	if (asprintf(&temporary, "%s.%d.tmp", path, (int)gettid()) < 0)
		return -ENOMEM;
	unlinkat(dir_fd, temporary, 0); /* left by a killed process that had our id */
	int r = write_temporary(dir_fd, temporary, data, size, mode, durable);
	if (r == 0 && renameat(dir_fd, temporary, dir_fd, path) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dir_fd, temporary, 0);
		return r;
	}
	return durable ? sync_parent(dir_fd, path) : 0;
}

int file_mkdirs(int dir_fd, const char *path, mode_t mode)
{
	_cleanup_free_ char *part = strdup(path);
	if (!part)
		return -ENOMEM;
	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdirat(dir_fd, part, mode) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdirat(dir_fd, part, mode) < 0 && errno != EEXIST ? -errno : 0;
}

int file_opendir(int dir_fd, const char *path)
{
	int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

/* Depth is bounded by the descriptors, so a tenant's deep tree is taken apart iteratively: when a directory
 * is met too deep, it is moved up to the top and removed in its turn. */
enum { DEEPEST = 64 };

/* Moves NAME of DIR_FD to a free name in TOP_FD. A tenant may have taken any name, so one that exists is passed over, and
 * numbers only rise: each taken name costs one call in all. */
static int move_up(int dir_fd, const char *name, int top_fd, unsigned *n_moved)
{
	char free_name[32];
	int r;
	do {
		snprintf(free_name, sizeof(free_name), ".deep-%u", (*n_moved)++);
		r = renameat2(dir_fd, name, top_fd, free_name, RENAME_NOREPLACE);
	} while (r < 0 && errno == EEXIST);
	return r < 0 ? -errno : 0;
}

static int remove_below(int dir_fd, int top_fd, dev_t dev, unsigned depth, unsigned *n_moved)
{
	/* Opened anew and not duplicated: a duplicate shares the offset, and a second pass would read nothing. */
	_cleanup_close_ int own_fd = file_opendir(dir_fd, ".");
	_cleanup_closedir_ DIR *dir = own_fd >= 0 ? fdopendir(own_fd) : NULL;
	if (!dir)
		return own_fd < 0 ? own_fd : -errno;
	own_fd = -1; /* the stream's now */
	for (struct dirent *e; (e = readdir(dir));) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dir_fd, e->d_name, 0) == 0)
			continue;
		if (errno != EISDIR && errno != EPERM)
			return -errno;
		if (unlinkat(dir_fd, e->d_name, AT_REMOVEDIR) == 0)
			continue;
		_cleanup_close_ int sub = file_opendir(dir_fd, e->d_name);
		if (sub < 0)
			return sub;
		struct stat st;
		if (fstat(sub, &st) < 0)
			return -errno;
		if (st.st_dev != dev)
			return -EXDEV;
		if (depth == DEEPEST) {
			int r = move_up(dir_fd, e->d_name, top_fd, n_moved);
			if (r < 0)
				return r;
			continue;
		}
		int r = remove_below(sub, top_fd, dev, depth + 1, n_moved);
		if (r < 0)
			return r;
		if (unlinkat(dir_fd, e->d_name, AT_REMOVEDIR) < 0 && errno != ENOENT && errno != ENOTEMPTY)
			return -errno;
	}
	return 0;
}

int file_remove_tree(int dir_fd, const char *name)
{
	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	_cleanup_close_ int top = file_opendir(dir_fd, name);
	struct stat st;
	if (top < 0 || fstat(top, &st) < 0)
		return top < 0 ? top : -errno;
	unsigned n_moved = 0, before;
	do {
		before = n_moved;
		int r = remove_below(top, top, st.st_dev, 0, &n_moved);
		if (r < 0)
			return r;
		if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0)
			return 0;
	} while (errno == ENOTEMPTY && n_moved != before);
	return -errno;
}
