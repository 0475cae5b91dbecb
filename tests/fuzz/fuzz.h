/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the targets share. A target is LLVMFuzzerTestOneInput() in fuzz_NAME.c; libFuzzer drives it (make fuzz), and replay.c
 * gives it each file of corpus/NAME (make check). Besides what a sanitizer sees, a target says what must hold: expect().
 *
 * Targets that need more than one text take a file of several, apart by lines of "%%": such a corpus is written by hand, and read.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A failure of the code under test, or of what the test itself needs: both end it. */
#define expect(condition) ((condition) ? (void)0 : fuzz_failed(#condition, __FILE__, __LINE__))
static inline _Noreturn void fuzz_failed(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not so: %s (errno: %s)\n", file, line, condition, strerror(errno));
	abort();
}

struct text {
	const char *at;
	size_t n;
};

/* Takes DATA apart at its lines "%%" into RET, of which the last has the rest; those that are not there are empty. */
static inline void texts_of(const uint8_t *data, size_t size, struct text *ret, unsigned max)
{
	const char *p = (const char *)data, *end = p + size;
	for (unsigned i = 0; i < max; i++) {
		const char *mark = p < end && i + 1 < max ? memmem(p, (size_t)(end - p), "%%\n", 3) : NULL;
		ret[i] = (struct text){ p, (size_t)((mark ? mark : end) - p) };
		p = mark ? mark + 3 : end;
	}
}

/* The first line of T as a string; what has no room in it is cut. */
static inline void line_of(const struct text *t, char *ret, size_t size)
{
	size_t n = 0;
	while (n + 1 < size && n < t->n && t->at[n] && t->at[n] != '\n')
		n++;
	memcpy(ret, t->at, n);
	ret[n] = '\0';
}

static inline void put_file(int dir_fd, const char *path, const struct text *t)
{
	int fd = openat(dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	expect(fd >= 0 && write(fd, t->at, t->n) == (ssize_t)t->n);
	close(fd);
}

static inline void put_map(const char *path, uid_t id)
{
	char map[64];
	int n = snprintf(map, sizeof(map), "0 %u 1", id), fd = open(path, O_WRONLY | O_CLOEXEC);
	expect(fd >= 0 && write(fd, map, (size_t)n) == n);
	close(fd);
}

/* An empty file system over the directory PATH that only this process sees: the monitor's paths are absolute, and a chroot would
 * keep the fuzzer from its corpus. */
static inline void private_directory(const char *path)
{
	uid_t uid = getuid();
	expect(unshare(CLONE_NEWNS | (uid ? CLONE_NEWUSER : 0)) == 0);
	if (uid)
		put_map("/proc/self/uid_map", uid);
	expect(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	expect(mount("fuzz", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64m") == 0);
}

#endif
