/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tree that stands for a VE's, for the unit tests of the monitor: what is tested runs in a child whose root it is, because
 * its paths are absolute. Without privilege the child is root of a user namespace of its own. Included after cmocka.h and
 * the monitor's files.
 */
#ifndef TESTS_MON_ROOT_H
#define TESTS_MON_ROOT_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[64];

static inline void *shared(size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static inline const char *at(const char *path)
{
	static char full[4][512];
	static int next;
	next = (next + 1) % 4;
	snprintf(full[next], sizeof(full[next]), "%s/%s", root, path);
	return full[next];
}

static inline void put_bytes(const char *path, const char *data, size_t n)
{
	int fd = open(at(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), (ssize_t)n);
	close(fd);
}
static inline void put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

static inline int make_fifo(const char *path) { return mkfifo(at(path), 0644); }
static inline int make_directory(const char *path) { return mkdir(at(path), 0755); }
static inline int link_to(const char *target, const char *path) { return symlink(target, at(path)); }
static inline int make_loop(const char *path) { return link_to(strrchr(path, '/') + 1, path); }
static inline int make_huge(const char *path)
{
	put(path, "");
	return truncate(at(path), (off_t)10 << 30);
}
/* As long as may be, without a line's end. */
static inline int make_endless(const char *path)
{
	static char text[(1 << 20) - 1];
	memset(text, ':', sizeof(text));
	put_bytes(path, text, sizeof(text));
	return 0;
}

static inline void assert_contents(const char *path, const char *expected)
{
	char text[4096];
	int fd = open(at(path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	assert_true(fd >= 0);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_true(n >= 0);
	text[n] = '\0';
	assert_string_equal(text, expected);
}
static inline void assert_absent(const char *path)
{
	struct stat st;
	assert_int_equal(lstat(at(path), &st), -1);
	assert_int_equal(errno, ENOENT);
}

static inline int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -1 : 0;
}

static inline int become_root(void)
{
	char map[64];
	uid_t uid = getuid();
	if (uid == 0)
		return 0;
	if (unshare(CLONE_NEWUSER) < 0)
		return -1;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	return write_file("/proc/self/uid_map", map);
}

/* Runs FN in a child whose root is the tree: 0, or the errno of its failure; the words go to RET_OP. A child that does not come to an end
 * is killed by its alarm, and the test fails. */
static inline int in_root(int (*fn)(struct failure *), char ret_op[24])
{
	static struct {
		int err;
		char op[24];
	} *result;
	if (!result)
		result = shared(sizeof(*result));
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		struct failure f = { 0 };
		alarm(20);
		if (become_root() < 0 || chroot(root) < 0 || chdir("/") < 0)
			_exit(77);
		result->err = fn(&f) < 0 ? f.err : 0;
		snprintf(result->op, sizeof(result->op), "%s", f.op ? f.op : "");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	if (ret_op)
		memcpy(ret_op, result->op, sizeof(result->op));
	return result->err;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}
static inline int root_teardown(void **state)
{
	(void)state;
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
static inline int root_setup(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/vectl-unit.XXXXXX");
	return mkdtemp(root) && mkdir(at("etc"), 0755) == 0 ? 0 : -1;
}
static inline void clear_root(void)
{
	assert_int_equal(root_teardown(NULL), 0);
	assert_int_equal(root_setup(NULL), 0);
}

#endif
