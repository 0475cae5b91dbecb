/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding images in a store: what is missing, damaged, or not what it says. image.json itself:
 * test_image_data.c. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
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
#include "model/image.h"

struct world {
	char dir[64];
	int fd;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	strcpy(w->dir, "/tmp/vectl-image-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	w->fd = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	file_remove_tree(AT_FDCWD, w->dir);
	close(w->fd);
	free(w);
	return 0;
}

/* An image called NAME, told apart by VERSION; returns its digest. */
static char *make(struct world *w, const char *name, const char *version)
{
	char tree[65], digest[IMAGE_DIGEST_LENGTH + 1];
	memset(tree, 'a', 64);
	tree[64] = '\0';
	json_auto_t *doc =
		json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:s}", "schema", 1, "name", name,
			  "distribution", "debian", "version", version, "architecture", "amd64", "init",
			  "/sbin/init", "init_system", "systemd", "stop_signal", "SIGRTMIN+3", "tree", tree,
			  "size_bytes", 5, "files", 1, "created_at", "2026-01-02T03:04:05Z");
	assert_int_equal(image_digest(doc, digest), 0);
	json_object_set_new(doc, "digest", json_string(digest));
	_cleanup_free_ char *dir = str_printf("%s/%s/rootfs", name, digest),
			    *file = str_printf("%s/%s/image.json", name, digest);
	_cleanup_free_ char *text = json_dumps(doc, 0);
	assert_int_equal(file_mkdirs(w->fd, dir, 0755), 0);
	assert_int_equal(file_replace(w->fd, file, text, strlen(text), 0600, false), 0);
	return strdup(digest);
}

static void set_current(struct world *w, const char *name, const char *target)
{
	_cleanup_free_ char *path = str_printf("%s/current", name);
	unlinkat(w->fd, path, 0);
	assert_int_equal(symlinkat(target, w->fd, path), 0);
}

static void refused(int images_fd, const char *reference, int exit_code, const char *words, const char *hint)
{
	_cleanup_image_ struct image *image = NULL;
	_cleanup_err_ ve_error *e = NULL;
	assert_true(image_open(images_fd, reference, &image, &e) < 0);
	assert_null(image);
	if (ve_category_exit_code(ve_error_category(e)) != exit_code || !strstr(ve_error_message(e), words))
		fail_msg("%s: %d, '%s'", reference, ve_category_exit_code(ve_error_category(e)),
			 ve_error_message(e));
	if (hint)
		assert_non_null(strstr(ve_error_hint(e) ?: "", hint));
}

static void test_open(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *old = make(w, "debian-12", "12.1"), *new = make(w, "debian-12", "12.2");
	set_current(w, "debian-12", new);
	_cleanup_image_ struct image *a = NULL, *b = NULL;
	_cleanup_free_ char *reference = str_printf("debian-12@%s", old);
	assert_int_equal(image_open(w->fd, "debian-12", &a, NULL), 0);
	assert_string_equal(a->digest, new);
	assert_string_equal(a->version, "12.2");
	assert_string_equal(a->init, "/sbin/init");
	assert_int_equal(a->stop_signal, SIGRTMIN + 3);
	assert_int_equal(image_open(w->fd, reference, &b, NULL), 0);
	assert_string_equal(b->version, "12.1");
	int fd;
	assert_int_equal(image_open_rootfs(w->fd, a, &fd, NULL), 0);
	close(fd);
}

static void test_missing(void **state)
{
	struct world *w = *state;
	refused(-1, "debian-12", 66, "there is no image 'debian-12'", "image build");
	refused(w->fd, "debian-12", 66, "there is no image 'debian-12'", "image build");
	_cleanup_free_ char *digest = make(w, "debian-12", "12");
	set_current(w, "debian-12", digest);
	refused(w->fd, "debian-13", 66, "there is no image 'debian-13'", "did you mean 'debian-12'?");
	refused(w->fd, "debain-12", 66, "there is no image", "did you mean 'debian-12'?");
	char other[IMAGE_DIGEST_LENGTH + 1];
	memset(other, '0', IMAGE_DIGEST_LENGTH);
	other[IMAGE_DIGEST_LENGTH] = '\0';
	_cleanup_free_ char *reference = str_printf("debian-12@%s", other),
			    *nowhere = str_printf("nowhere@%s", other);
	refused(w->fd, reference, 66, "has no digest", NULL);
	refused(w->fd, nowhere, 66, "there is no image 'nowhere'", NULL);
}

static void test_bad_reference(void **state)
{
	struct world *w = *state;
	static const char *const bad[] = { "",
					   "..",
					   "a/b",
					   "-rf",
					   "a\nb",
					   "A",
					   "debian-12@",
					   "debian-12@../../x",
					   "debian-12@abc",
					   "@",
					   "../debian-12",
					   "debian-12@current" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_image_ struct image *image = NULL;
		_cleanup_err_ ve_error *e = NULL;
		assert_true(image_open(w->fd, bad[i], &image, &e) < 0);
		assert_int_equal(ve_error_category(e), VE_ERR_USAGE);
		assert_null(strchr(ve_error_message(e), '\n'));
	}
}

static void test_bad_current(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *digest = make(w, "x", "1"), *below = str_printf("./%s", digest);
	static const char *const bad[] = { "../../etc", "rootfs", "/" };
	set_current(w, "x", below);
	refused(w->fd, "x", 65, "'current' of image 'x' is no link to a digest", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		set_current(w, "x", bad[i]);
		refused(w->fd, "x", 65, "'current' of image 'x' is no link to a digest", NULL);
	}
	unlinkat(w->fd, "x/current", 0);
	assert_int_equal(mkdirat(w->fd, "x/current", 0755), 0);
	refused(w->fd, "x", 65, "'current' of image 'x' is no link to a digest", NULL);
}

static char *json_path(const char *name, const char *digest)
{
	return str_printf("%s/%s/image.json", name, digest);
}

static void test_damaged(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *digest = make(w, "x", "1"), *path = json_path("x", digest);
	set_current(w, "x", digest);
	assert_int_equal(file_replace(w->fd, path, "{\"schema\":", 10, 0600, false), 0);
	refused(w->fd, "x", 65, "line 1", NULL);
	assert_int_equal(unlinkat(w->fd, path, 0), 0);
	refused(w->fd, "x", 65, "cannot read image.json", NULL);
	assert_int_equal(mkfifoat(w->fd, path, 0600), 0); /* must not hang */
	refused(w->fd, "x", 65, "cannot read image.json", NULL);
	assert_int_equal(unlinkat(w->fd, path, 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", w->fd, path), 0);
	refused(w->fd, "x", 65, "cannot read image.json", NULL);
}

/* A directory that was renamed, or copied to another name, is not what its name says. */
static void test_elsewhere(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *one = make(w, "x", "1"), *two = make(w, "x", "2");
	_cleanup_free_ char *from = json_path("x", one), *to = json_path("x", two);
	assert_int_equal(renameat(w->fd, from, w->fd, to), 0);
	set_current(w, "x", two);
	refused(w->fd, "x", 65, "belongs to another image", NULL);
	_cleanup_free_ char *good = make(w, "z", "1");
	set_current(w, "z", good);
	assert_int_equal(renameat(w->fd, "z", w->fd, "y"), 0);
	refused(w->fd, "y", 65, "belongs to another image", NULL);
}

static void test_no_rootfs(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *digest = make(w, "x", "1"), *path = str_printf("x/%s/rootfs", digest);
	set_current(w, "x", digest);
	_cleanup_image_ struct image *image = NULL;
	assert_int_equal(image_open(w->fd, "x", &image, NULL), 0);
	assert_int_equal(unlinkat(w->fd, path, AT_REMOVEDIR), 0);
	for (int i = 0; i < 2; i++) {
		_cleanup_err_ ve_error *e = NULL;
		int fd = -1;
		assert_true(image_open_rootfs(w->fd, image, &fd, &e) < 0);
		assert_int_equal(ve_error_category(e), VE_ERR_DATA);
		assert_non_null(strstr(ve_error_message(e), "'rootfs' of image 'x'"));
		if (i == 0)
			assert_int_equal(symlinkat("/", w->fd, path), 0); /* nor is a link one */
	}
}

static const char *string_at(const json_t *array, size_t i, const char *key)
{
	return json_string_value(json_object_get(json_array_get(array, i), key)) ?: "";
}

static void test_list(void **state)
{
	struct world *w = *state;
	json_auto_t *none = NULL, *all = NULL;
	assert_int_equal(image_list(-1, &none, NULL), 0);
	assert_int_equal(json_array_size(none), 0);

	_cleanup_free_ char *d10 = make(w, "a10", "1"), *d9 = make(w, "a9", "1"), *d9b = make(w, "a9", "2");
	_cleanup_free_ char *broken = make(w, "broken", "1"), *path = json_path("broken", broken);
	set_current(w, "a10", d10);
	set_current(w, "a9", d9b);
	set_current(w, "broken", broken);
	assert_int_equal(unlinkat(w->fd, path, 0), 0);
	assert_int_equal(mkdirat(w->fd, ".a9.lock", 0700), 0);
	assert_int_equal(mkdirat(w->fd, "a9/.build-0123456789abcdef", 0700), 0);
	assert_int_equal(mkdirat(w->fd, "empty", 0700), 0);
	assert_int_equal(image_list(w->fd, &all, NULL), 0);
	assert_int_equal(json_array_size(all), 4);
	assert_string_equal(string_at(all, 0, "name"), "a9");
	assert_string_equal(string_at(all, 0, "digest"), d9b);
	assert_true(json_is_true(json_object_get(json_array_get(all, 0), "current")));
	assert_string_equal(string_at(all, 1, "digest"), d9);
	assert_true(json_is_false(json_object_get(json_array_get(all, 1), "current")));
	assert_string_equal(string_at(all, 2, "name"), "a10");
	assert_string_equal(string_at(all, 3, "name"), "broken");
	assert_non_null(strstr(string_at(all, 3, "damaged"), "cannot read image.json"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_open),    TEST(test_missing),	  TEST(test_bad_reference), TEST(test_bad_current),
		TEST(test_damaged), TEST(test_elsewhere), TEST(test_no_rootfs),	    TEST(test_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
