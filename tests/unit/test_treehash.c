/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small tree is changed in one thing at a time: the digest must change, and the check must name that thing.
 * Ownership, device nodes and file capabilities need root, and are left out without. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "fs/treehash.h"

struct world {
	char dir[64];
	int root_fd, manifest_fd;
	struct treehash first;
};

static const struct treehash_opts quiet = { .cancel_fd = -1 };

static void put(int dir_fd, const char *path, const char *text)
{
	_cleanup_close_ int fd = openat(dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	strcpy(w->dir, "/tmp/vectl-treehash-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	umask(022);
	char manifest[96];
	snprintf(manifest, sizeof(manifest), "%s.manifest", w->dir);
	w->root_fd = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	w->manifest_fd = open(manifest, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	unlink(manifest);
	assert_int_equal(mkdirat(w->root_fd, "a", 0755), 0);
	assert_int_equal(mkdirat(w->root_fd, "a/deep", 0755), 0);
	put(w->root_fd, "a/deep/file", "content");
	put(w->root_fd, "a-b", "sorts between a and a/deep if done wrongly");
	put(w->root_fd, "a/other", "content");
	assert_int_equal(linkat(w->root_fd, "a/other", w->root_fd, "z-other", 0), 0);
	assert_int_equal(symlinkat("a/deep", w->root_fd, "link"), 0);
	assert_int_equal(mkfifoat(w->root_fd, "fifo", 0600), 0); /* opening it would hang */
	put(w->root_fd, "odd \n\\name\x7f", "");
	assert_int_equal(treehash_write(w->root_fd, w->manifest_fd, "tree", &quiet, &w->first, NULL), 0);
	*state = w;
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int teardown(void **state)
{
	struct world *w = *state;
	nftw(w->dir, remove_entry, 20, FTW_DEPTH | FTW_PHYS);
	close(w->root_fd);
	close(w->manifest_fd);
	free(w);
	return 0;
}

static int check(struct world *w, ve_error **ret_error)
{
	assert_int_equal(lseek(w->manifest_fd, 0, SEEK_SET), 0);
	return treehash_check(w->root_fd, w->manifest_fd, "tree", &quiet, ret_error);
}

static void same(struct world *w)
{
	_cleanup_err_ ve_error *e = NULL;
	struct treehash now;
	assert_int_equal(treehash_write(w->root_fd, -1, "tree", &quiet, &now, NULL), 0);
	assert_string_equal(now.digest, w->first.digest);
	if (check(w, &e) < 0)
		fail_msg("%s", ve_error_message(e));
}

/* The digest is another, and the check says SENTENCE. */
static void differs(struct world *w, const char *sentence)
{
	_cleanup_err_ ve_error *e = NULL;
	struct treehash now;
	assert_int_equal(treehash_write(w->root_fd, -1, "tree", &quiet, &now, NULL), 0);
	assert_string_not_equal(now.digest, w->first.digest);
	assert_true(check(w, &e) < 0);
	assert_int_equal(ve_error_category(e), VE_ERR_DATA);
	if (!strstr(ve_error_message(e), sentence))
		fail_msg("'%s' does not say '%s'", ve_error_message(e), sentence);
}

static char *manifest_of(struct world *w)
{
	char *text = calloc(1, 65536);
	assert_true(pread(w->manifest_fd, text, 65535, 0) > 0);
	return text;
}

static void test_manifest(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *text = manifest_of(w);
	char digest[TREEHASH_DIGEST_LENGTH + 1], expected[256];
	assert_int_equal(lseek(w->manifest_fd, 0, SEEK_SET), 0);
	assert_int_equal(treehash_file(w->manifest_fd, digest), 0);
	assert_string_equal(digest, w->first.digest);
	assert_int_equal(w->first.n_files, 10);
	snprintf(expected, sizeof(expected),
		 "a/deep/file type=file mode=0644 uid=%u gid=%u size=7 sha256="
		 "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73\n", getuid(), getgid());
	assert_non_null(strstr(text, expected));
	assert_non_null(strstr(text, "\nz-other type=hardlink to=a/other\n"));
	assert_non_null(strstr(text, " target=a/deep\n"));
	assert_non_null(strstr(text, "\nodd\\x20\\x0a\\x5cname\\x7f type=file "));
	assert_non_null(strstr(text, "\nfifo type=fifo mode=0600 "));
	/* A directory, what it holds, and only then its next sibling. */
	assert_true(strstr(text, "\na/deep ") < strstr(text, "\na/deep/file "));
	assert_true(strstr(text, "\na/other ") < strstr(text, "\na-b "));
	same(w);
}

static void test_no_time(void **state)
{
	struct world *w = *state;
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	assert_int_equal(utimensat(w->root_fd, "a/deep/file", times, 0), 0);
	same(w);
}

static void test_content(void **state)
{
	struct world *w = *state;
	put(w->root_fd, "a/deep/file", "c0ntent");
	differs(w, "'a/deep/file' was changed (content)");
	put(w->root_fd, "a/deep/file", "contents");
	differs(w, "'a/deep/file' was changed (size, content)");
	put(w->root_fd, "a/deep/file", "content");
	same(w);
}

static void test_mode(void **state)
{
	struct world *w = *state;
	assert_int_equal(fchmodat(w->root_fd, "a/deep/file", 04644, 0), 0);
	differs(w, "'a/deep/file' was changed (mode)");
	assert_int_equal(fchmodat(w->root_fd, "a/deep/file", 0644, 0), 0);
	assert_int_equal(fchmod(w->root_fd, 0777), 0);
	differs(w, "'.' was changed (mode)");
}

static void test_missing(void **state)
{
	struct world *w = *state;
	assert_int_equal(unlinkat(w->root_fd, "a/deep/file", 0), 0);
	differs(w, "'a/deep/file' is missing");
	assert_int_equal(unlinkat(w->root_fd, "a/deep", AT_REMOVEDIR), 0);
	differs(w, "'a/deep' is missing");
	/* What comes next is a-b, and '-' is less than '/'. */
	assert_int_equal(unlinkat(w->root_fd, "a/other", 0), 0);
	differs(w, "'a/deep' is missing");
}

static void test_last_missing(void **state)
{
	struct world *w = *state;
	assert_int_equal(unlinkat(w->root_fd, "z-other", 0), 0);
	differs(w, "'z-other' is missing");
}

static void test_added(void **state)
{
	struct world *w = *state;
	put(w->root_fd, "zz", "");
	differs(w, "'zz' was added");
	put(w->root_fd, "a/deep/a", "");
	differs(w, "'a/deep/a' was added");
	put(w->root_fd, "a!", ""); /* '!' is less than '/', but a's own files come first */
	differs(w, "'a/deep/a' was added");
}

static void test_odd_name(void **state)
{
	struct world *w = *state;
	put(w->root_fd, "odd \n\\name\x7f", "x");
	differs(w, "'odd \\x0a");
}

static void test_link(void **state)
{
	struct world *w = *state;
	assert_int_equal(unlinkat(w->root_fd, "link", 0), 0);
	assert_int_equal(symlinkat("a/other", w->root_fd, "link"), 0);
	differs(w, "'link' was changed (target)");
	assert_int_equal(unlinkat(w->root_fd, "link", 0), 0);
	put(w->root_fd, "link", "a/deep");
	differs(w, "'link' was changed (type");
}

/* The same bytes in two files are not one file with two names. */
static void test_hard_link(void **state)
{
	struct world *w = *state;
	assert_int_equal(unlinkat(w->root_fd, "z-other", 0), 0);
	put(w->root_fd, "z-other", "content");
	differs(w, "'z-other' was changed (type");
	assert_int_equal(unlinkat(w->root_fd, "z-other", 0), 0);
	assert_int_equal(linkat(w->root_fd, "a/deep/file", w->root_fd, "z-other", 0), 0);
	differs(w, "'z-other' was changed (to)");
}

/* A name outside the tree changes the link count only. */
static void test_hard_link_outside(void **state)
{
	struct world *w = *state;
	char outside[96];
	snprintf(outside, sizeof(outside), "%s.outside", w->dir);
	assert_int_equal(linkat(w->root_fd, "a/deep/file", AT_FDCWD, outside, 0), 0);
	same(w);
	unlink(outside);
}

static void test_xattr(void **state)
{
	struct world *w = *state;
	char path[96];
	snprintf(path, sizeof(path), "%s/a/deep/file", w->dir);
	if (setxattr(path, "user.x", "1", 1, 0) < 0) {
		assert_int_equal(errno, EOPNOTSUPP);
		skip(); /* /tmp has no attributes */
	}
	differs(w, "'a/deep/file' was changed (xattr.user.x)");
	struct treehash one, two;
	assert_int_equal(treehash_write(w->root_fd, -1, "tree", &quiet, &one, NULL), 0);
	assert_int_equal(setxattr(path, "user.x", "2", 1, 0), 0);
	assert_int_equal(treehash_write(w->root_fd, -1, "tree", &quiet, &two, NULL), 0);
	assert_string_not_equal(one.digest, two.digest);

	assert_int_equal(removexattr(path, "user.x"), 0);
	same(w);
	assert_int_equal(setxattr(path, "user.overlay.opaque", "y", 1, 0), 0);
	_cleanup_err_ ve_error *e = NULL;
	assert_int_equal(treehash_write(w->root_fd, -1, "tree", &quiet, &one, &e), -EBADMSG);
	assert_non_null(strstr(ve_error_message(e), "user.overlay.opaque"));
	assert_int_equal(ve_error_category(e), VE_ERR_DATA);
}

static void test_owner_and_devices(void **state)
{
	struct world *w = *state;
	char path[96];
	if (geteuid() != 0)
		skip();
	assert_int_equal(fchownat(w->root_fd, "link", 1, 0, AT_SYMLINK_NOFOLLOW), 0);
	differs(w, "'link' was changed (uid)");
	assert_int_equal(fchownat(w->root_fd, "link", 0, 7, AT_SYMLINK_NOFOLLOW), 0);
	differs(w, "'link' was changed (gid)");
	assert_int_equal(fchownat(w->root_fd, "link", getuid(), getgid(), AT_SYMLINK_NOFOLLOW), 0);
	same(w);

	static const char capability[20] = "\x01\x00\x00\x02\x00\x20"; /* cap_net_raw=ep */
	snprintf(path, sizeof(path), "%s/a/deep/file", w->dir);
	assert_int_equal(setxattr(path, "security.capability", capability, sizeof(capability), 0), 0);
	differs(w, "'a/deep/file' was changed (xattr.security.capability)");
	assert_int_equal(removexattr(path, "security.capability"), 0);

	assert_int_equal(mknodat(w->root_fd, "a/node", S_IFCHR | 0600, makedev(5, 1)), 0);
	differs(w, "'a/node' was added");
	struct treehash console, null;
	assert_int_equal(treehash_write(w->root_fd, -1, "tree", &quiet, &console, NULL), 0);
	assert_int_equal(unlinkat(w->root_fd, "a/node", 0), 0);
	assert_int_equal(mknodat(w->root_fd, "a/node", S_IFCHR | 0600, makedev(1, 3)), 0);
	assert_int_equal(treehash_write(w->root_fd, -1, "tree", &quiet, &null, NULL), 0);
	assert_string_not_equal(console.digest, null.digest);
}

/* Links and ".." lead out of the tree; the walk does not. */
static void test_stays_inside(void **state)
{
	struct world *w = *state;
	assert_int_equal(symlinkat("/etc", w->root_fd, "a/etc"), 0);
	assert_int_equal(symlinkat("../../..", w->root_fd, "a/up"), 0);
	struct treehash now;
	assert_int_equal(treehash_write(w->root_fd, -1, "tree", &quiet, &now, NULL), 0);
	assert_int_equal(now.n_files, w->first.n_files + 2);
}

static void test_too_deep(void **state)
{
	struct world *w = *state;
	_cleanup_close_ int fd = dup(w->root_fd);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(mkdirat(fd, "d", 0755), 0);
		int next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	struct treehash now;
	_cleanup_err_ ve_error *e = NULL;
	assert_int_equal(treehash_write(w->root_fd, -1, "tree", &quiet, &now, &e), -EBADMSG);
	assert_non_null(strstr(ve_error_message(e), "too deep"));
}

static void test_cancel(void **state)
{
	struct world *w = *state;
	for (int i = 0; i < 100; i++) {
		char name[16];
		snprintf(name, sizeof(name), "n%d", i);
		put(w->root_fd, name, "");
	}
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	close(fds[1]); /* end of file is readable */
	struct treehash_opts opts = { .cancel_fd = fds[0] };
	struct treehash now;
	_cleanup_err_ ve_error *e = NULL;
	assert_int_equal(treehash_write(w->root_fd, -1, "tree", &opts, &now, &e), -EINTR);
	assert_int_equal(ve_error_category(e), VE_ERR_BUSY);
	close(fds[0]);
}

static void test_bad_manifest(void **state)
{
	struct world *w = *state;
	_cleanup_err_ ve_error *e = NULL;
	assert_int_equal(ftruncate(w->manifest_fd, 30), 0); /* in the middle of a line */
	assert_true(check(w, &e) < 0);
	assert_non_null(strstr(ve_error_message(e), "manifest"));
	_cleanup_err_ ve_error *empty = NULL;
	assert_int_equal(ftruncate(w->manifest_fd, 0), 0);
	assert_true(check(w, &empty) < 0);
	assert_non_null(strstr(ve_error_message(empty), "'.' was added"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_manifest), TEST(test_no_time), TEST(test_content), TEST(test_mode), TEST(test_missing),
		TEST(test_last_missing), TEST(test_added), TEST(test_odd_name), TEST(test_link), TEST(test_hard_link),
		TEST(test_hard_link_outside), TEST(test_xattr), TEST(test_owner_and_devices), TEST(test_stays_inside),
		TEST(test_too_deep), TEST(test_cancel), TEST(test_bad_manifest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
