/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A recipe's steps on a tree whose own links try to lead them out. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "run/image_tree.h"

struct world {
	char dir[64];
	int fd, root_fd; /* root/ is the tree, outside/ the rest of the world */
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	strcpy(w->dir, "/tmp/vectl-adapt-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	w->fd = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(w->fd, "root", 0755), 0);
	assert_int_equal(mkdirat(w->fd, "outside", 0755), 0);
	assert_int_equal(file_replace(w->fd, "outside/kept", "kept", 4, 0600, false), 0);
	w->root_fd = file_opendir(w->fd, "root");
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	file_remove_tree(AT_FDCWD, w->dir);
	close(w->root_fd);
	close(w->fd);
	free(w);
	return 0;
}

static void adapt(struct world *w, const char *steps)
{
	_cleanup_free_ char *text = str_printf("{\"schema\":1,\"description\":\"x\",\"distribution\":\"x\",\"architecture\":\"amd64\","
					       "\"builder\":\"busybox\",\"init_system\":\"none\",%s}", steps);
	_cleanup_recipe_ struct recipe *recipe = NULL;
	_cleanup_err_ ve_error *e = NULL;
	if (recipe_parse("x", text, strlen(text), &recipe, &e) < 0 || image_tree_adapt(w->root_fd, recipe, &e) < 0)
		fail_msg("%s", ve_error_message(e));
}

static void contains(struct world *w, const char *path, const char *expected)
{
	_cleanup_free_ char *text = NULL;
	if (file_read(w->fd, path, 4096, &text, NULL) < 0)
		fail_msg("%s is missing", path);
	assert_string_equal(text, expected);
}

static bool there(struct world *w, const char *path)
{
	struct stat st;
	return fstatat(w->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void outside_is_whole(struct world *w)
{
	contains(w, "outside/kept", "kept");
	assert_false(there(w, "outside/new"));
}

static void test_files(void **state)
{
	struct world *w = *state;
	adapt(w, "\"files\":[{\"path\":\"/etc/a/b\",\"lines\":[\"x\",\"\",\"\\ty\"],\"why\":\"w\"},"
		 "{\"path\":\"/etc/empty\",\"mode\":\"0444\",\"lines\":[],\"why\":\"w\"}]");
	contains(w, "root/etc/a/b", "x\n\n\ty\n");
	contains(w, "root/etc/empty", "");
	struct stat st;
	assert_int_equal(fstatat(w->fd, "root/etc/empty", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0444);
	adapt(w, "\"files\":[{\"path\":\"/etc/a/b\",\"lines\":[\"z\"],\"why\":\"w\"}]");
	contains(w, "root/etc/a/b", "z\n");
}

static void test_links_out(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *outside = str_printf("%s/outside", w->dir), *kept = str_printf("%s/kept", outside);
	assert_int_equal(symlinkat(outside, w->root_fd, "absolute"), 0);
	assert_int_equal(symlinkat("../outside", w->root_fd, "relative"), 0);
	assert_int_equal(symlinkat(kept, w->root_fd, "file"), 0);
	assert_int_equal(symlinkat("/proc/self/cwd", w->root_fd, "magic"), 0);
	adapt(w, "\"files\":[{\"path\":\"/file\",\"lines\":[\"mine\"],\"why\":\"w\"}]");
	contains(w, "root/file", "mine\n"); /* in the place of the link */
	adapt(w, "\"remove\":[{\"path\":\"/absolute/*\",\"why\":\"w\"},{\"path\":\"/relative/*\",\"why\":\"w\"}],"
		 "\"empty\":[{\"path\":\"/absolute\",\"why\":\"w\"},{\"path\":\"/relative\",\"why\":\"w\"},{\"path\":\"/magic\",\"why\":\"w\"}]");
	outside_is_whole(w);
	/* As the tree's own processes would see it, ../outside from the root is /outside of the tree. */
	assert_int_equal(mkdirat(w->root_fd, "outside", 0755), 0);
	adapt(w, "\"files\":[{\"path\":\"/relative/new\",\"lines\":[\"x\"],\"why\":\"w\"}],"
		 "\"links\":[{\"path\":\"/relative/kept\",\"target\":\"/etc\",\"why\":\"w\"}]");
	contains(w, "root/outside/new", "x\n");
	outside_is_whole(w);
}

/* What is removed may be a link out, too: the link goes, not what it points to. */
static void test_remove(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *outside = str_printf("%s/outside", w->dir);
	assert_int_equal(file_mkdirs(w->root_fd, "etc/ssh/ssh_host_dir/deep", 0755), 0);
	assert_int_equal(symlinkat(outside, w->root_fd, "etc/ssh/ssh_host_link"), 0);
	assert_int_equal(file_replace(w->root_fd, "etc/ssh/ssh_host_key", "", 0, 0600, false), 0);
	assert_int_equal(file_replace(w->root_fd, "etc/ssh/moduli", "", 0, 0600, false), 0);
	assert_int_equal(file_mkdirs(w->root_fd, "run/a/b", 0755), 0);
	assert_int_equal(symlinkat(outside, w->root_fd, "run/link"), 0);
	adapt(w, "\"remove\":[{\"path\":\"/etc/ssh/ssh_host_*\",\"why\":\"w\"},{\"path\":\"/no/such/thing\",\"why\":\"w\"}],"
		 "\"empty\":[{\"path\":\"/run\",\"why\":\"w\"},{\"path\":\"/none\",\"why\":\"w\"}]");
	assert_false(there(w, "root/etc/ssh/ssh_host_dir"));
	assert_false(there(w, "root/etc/ssh/ssh_host_link"));
	assert_false(there(w, "root/etc/ssh/ssh_host_key"));
	assert_true(there(w, "root/etc/ssh/moduli"));
	assert_true(there(w, "root/run"));
	assert_false(there(w, "root/run/a"));
	assert_false(there(w, "root/run/link"));
	outside_is_whole(w);
}

static void test_units(void **state)
{
	struct world *w = *state;
	char target[16] = "";
	assert_int_equal(file_mkdirs(w->root_fd, "etc/systemd/system/multi-user.target.wants", 0755), 0);
	assert_int_equal(file_mkdirs(w->root_fd, "etc/systemd/system/sysinit.target.requires", 0755), 0);
	assert_int_equal(symlinkat("/x", w->root_fd, "etc/systemd/system/multi-user.target.wants/a.service"), 0);
	assert_int_equal(symlinkat("/x", w->root_fd, "etc/systemd/system/sysinit.target.requires/a.service"), 0);
	assert_int_equal(symlinkat("/x", w->root_fd, "etc/systemd/system/multi-user.target.wants/b.service"), 0);
	adapt(w, "\"mask\":[{\"unit\":\"c.service\",\"why\":\"w\"}],\"disable\":[{\"unit\":\"a.service\",\"why\":\"w\"}]");
	assert_false(there(w, "root/etc/systemd/system/multi-user.target.wants/a.service"));
	assert_false(there(w, "root/etc/systemd/system/sysinit.target.requires/a.service"));
	assert_true(there(w, "root/etc/systemd/system/multi-user.target.wants/b.service"));
	assert_int_equal(readlinkat(w->root_fd, "etc/systemd/system/c.service", target, sizeof(target)), 9);
	assert_memory_equal(target, "/dev/null", 9);
}

static void test_directories(void **state)
{
	struct world *w = *state;
	struct stat st;
	adapt(w, "\"directories\":[{\"path\":\"/tmp\",\"mode\":\"1777\"},{\"path\":\"/a/b\",\"mode\":\"0700\"}]");
	assert_int_equal(fstatat(w->fd, "root/tmp", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 01777);
	assert_int_equal(fstatat(w->fd, "root/a/b", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
}

static void test_stat(void **state)
{
	struct world *w = *state;
	struct stat st;
	assert_int_equal(file_mkdirs(w->root_fd, "usr/lib", 0755), 0);
	assert_int_equal(file_replace(w->root_fd, "usr/lib/init", "x", 1, 0755, false), 0);
	assert_int_equal(symlinkat("/usr/lib/init", w->root_fd, "init"), 0);
	assert_int_equal(symlinkat("/etc/passwd", w->root_fd, "host"), 0);
	assert_int_equal(image_tree_stat(w->root_fd, "/init", &st), 0);
	assert_int_equal(st.st_size, 1);
	assert_int_equal(image_tree_stat(w->root_fd, "/host", &st), -ENOENT); /* the host has one */
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_files), TEST(test_links_out),	  TEST(test_remove),
		TEST(test_units), TEST(test_directories), TEST(test_stat),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
