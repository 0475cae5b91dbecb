/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/guard.h"

enum { OLD_NAME_MAX = 128, AHEAD_BYTES = 256 << 10 };

static int old_name(const char *name, char ret[OLD_NAME_MAX])
{
	int n = snprintf(ret, OLD_NAME_MAX, "%s.1", name);
	return n < 0 || n >= OLD_NAME_MAX ? -ENAMETOOLONG : 0;
}

/* ---- appending -------------------------------------------------------------------------------------- */

/* The number of the last whole line, read off the end of the file; 0: there is none. */
static unsigned long long last_number(int fd, off_t size)
{
	size_t want = size < 2 * JOURNAL_LINE_MAX ? (size_t)size : 2 * JOURNAL_LINE_MAX;
	_cleanup_free_ char *tail = malloc(want + 1);
	unsigned long long seq = 0;
	ssize_t n = tail ? pread(fd, tail, want, size - (off_t)want) : -1;
	if (n <= 0)
		return 0;
	tail[n] = '\0';
	/* Line by line: what stands inside an entry's own strings begins no line. */
	for (char *line = tail, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		unsigned long long found;
		if (sscanf(line, "{\"seq\":%llu", &found) == 1)
			seq = found;
	}
	return seq;
}

static unsigned long long number_of_old(int dir_fd, const char *old)
{
	struct stat st;
	_cleanup_close_ int fd = openat(dir_fd, old, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd >= 0 && fstat(fd, &st) == 0 ? last_number(fd, st.st_size) : 0;
}

/* The file that is called NAME, locked. Whoever waited for the lock may hold one that has become NAME.1. */
static int open_locked(int dir_fd, const char *name, struct stat *st)
{
	for (;;) {
		struct stat named;
		_cleanup_close_ int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
		if (fd < 0 || flock(fd, LOCK_EX) < 0 || fstat(fd, st) < 0)
			return -errno;
		if (!S_ISREG(st->st_mode))
			return -EBADF;
		if (fstatat(dir_fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_ino == st->st_ino &&
		    named.st_dev == st->st_dev)
			return steal_fd(&fd);
	}
}

static bool ends_a_line(int fd, off_t size)
{
	char last;
	return size == 0 || (pread(fd, &last, 1, size - 1) == 1 && last == '\n');
}

static int write_line(int fd, off_t size, unsigned long long seq, const json_t *entry)
{
	json_t *numbered = json_pack("{s:I}", "seq", (json_int_t)seq);
	int r = numbered && json_object_update(numbered, (json_t *)entry) == 0 ? 0 : -ENOMEM;
	_cleanup_free_ char *line = r == 0 ? json_dumps(numbered, JSON_COMPACT) : NULL;
	json_decref(numbered);
	if (!line)
		return -ENOMEM;
	size_t n = strlen(line);
	if (n >= JOURNAL_LINE_MAX)
		return -EFBIG;
	line[n++] = '\n'; /* in the place of its NUL: written as one */
	/* Room for the next ones, too, where the file system can: that a disk is full has to be written when it is. */
	fallocate(fd, FALLOC_FL_KEEP_SIZE, size, AHEAD_BYTES);
	if (!ends_a_line(fd, size) && write(fd, "\n", 1) < 0)
		return -errno;
	ssize_t done = write(fd, line, n);
	if (done == (ssize_t)n)
		return 0;
	int e = done < 0 ? errno : ENOSPC;
	return ftruncate(fd, size) < 0 ? -errno : -e;
}

int journal_append(int dir_fd, const char *name, size_t max_bytes, const json_t *entry)
{
	char old[OLD_NAME_MAX];
	struct stat st;
	int r = old_name(name, old);
	_cleanup_close_ int fd = r == 0 ? open_locked(dir_fd, name, &st) : -1;
	if (r < 0 || fd < 0)
		return r < 0 ? r : fd;
	unsigned long long last = st.st_size ? last_number(fd, st.st_size) : number_of_old(dir_fd, old);
	if ((size_t)st.st_size <= max_bytes)
		return write_line(fd, st.st_size, last + 1, entry);
	/* Our lock is on the old file: whoever waits for it sees that it has another name now. */
	if (renameat(dir_fd, name, dir_fd, old) < 0)
		return -errno;
	_cleanup_close_ int fresh = open_locked(dir_fd, name, &st);
	if (fresh < 0)
		return fresh;
	/* Somebody was quicker: his number is the last. */
	if (st.st_size)
		last = last_number(fresh, st.st_size);
	return write_line(fresh, st.st_size, last + 1, entry);
}

/* ---- reading ---------------------------------------------------------------------------------------- */

static int read_one(int dir_fd, const char *name, int (*fn)(json_t *entry, void *data), void *data)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	_cleanup_fclose_ FILE *f = fdopen(fd, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	int r = 0;
	if (!f) {
		close(fd);
		return -ENOMEM;
	}
	while (r == 0 && getline(&line, &size, f) > 0) {
		json_t *entry = json_loads(line, 0, NULL);
		if (json_is_object(entry))
			r = fn(entry, data);
		json_decref(entry);
	}
	return r;
}

int journal_read(int dir_fd, const char *name, int (*fn)(json_t *entry, void *data), void *data)
{
	char old[OLD_NAME_MAX];
	int r = dir_fd < 0 ? 0 : old_name(name, old);
	if (r < 0 || dir_fd < 0)
		return r;
	r = read_one(dir_fd, old, fn, data);
	return r == 0 ? read_one(dir_fd, name, fn, data) : r;
}
