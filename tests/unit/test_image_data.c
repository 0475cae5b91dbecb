/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Walks tests/data/{image,recipe}/{good,bad}, from the top of the source tree.
 *
 *   good/NAME.json is accepted.
 *   bad/NAME.json is refused; every line of bad/NAME.err is part of the message, but a line "exit N", which is the exit
 *   code (default 65 for images, 78 for recipes).
 *
 * And the shipped recipes, all of which must be accepted.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/image.h"
#include "run/recipe.h"

typedef int (*read_fn)(const char *text, size_t size, ve_error **ret_error);

static int read_image(const char *text, size_t size, ve_error **ret_error)
{
	_cleanup_image_ struct image *image = NULL;
	json_auto_t *doc = json_loadb(text, size, JSON_DECODE_ANY, NULL);
	assert_non_null(doc);
	int r = image_parse(doc, "image.json", &image, ret_error);
	assert_true((r == 0) == (image != NULL));
	if (r == 0)
		assert_true(!image->init == !image->stop_signal);
	return r;
}

static int read_recipe(const char *text, size_t size, ve_error **ret_error)
{
	_cleanup_recipe_ struct recipe *recipe = NULL;
	int r = recipe_parse("test", text, size, &recipe, ret_error);
	assert_true((r == 0) == (recipe != NULL));
	return r;
}

static char *text_of(int dir_fd, const char *file, size_t *ret_size)
{
	char *text = NULL;
	if (file_read(dir_fd, file, 1 << 20, &text, ret_size) < 0)
		fail_msg("%s is missing", file);
	return text;
}

static void check_good(int dir_fd, const char *file, read_fn read)
{
	size_t size;
	_cleanup_free_ char *text = text_of(dir_fd, file, &size);
	_cleanup_err_ ve_error *e = NULL;
	if (read(text, size, &e) < 0)
		fail_msg("%s: %s", file, ve_error_message(e));
}

static void check_bad(int dir_fd, const char *file, read_fn read, int exit_code)
{
	size_t size;
	_cleanup_free_ char *text = text_of(dir_fd, file, &size);
	_cleanup_free_ char *path = str_printf("%.*s.err", (int)(strlen(file) - strlen(".json")), file);
	_cleanup_free_ char *expected = text_of(dir_fd, path, NULL);
	_cleanup_strv_ char **lines = strv_split(expected, "\n");
	_cleanup_err_ ve_error *e = NULL;
	if (read(text, size, &e) >= 0)
		fail_msg("%s is accepted", file);
	for (char **line = lines; *line; line++) {
		if (str_starts(*line, "exit "))
			exit_code = atoi(*line + strlen("exit "));
		else if (!strstr(ve_error_message(e), *line))
			fail_msg("%s: '%s' is not in '%s'", file, *line, ve_error_message(e));
	}
	if (ve_category_exit_code(ve_error_category(e)) != exit_code)
		fail_msg("%s: exit code %d, not %d", file, ve_category_exit_code(ve_error_category(e)), exit_code);
}

/* EXIT_CODE 0: a directory of good ones. */
static void walk(const char *path, read_fn read, int exit_code)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	unsigned n = 0;
	if (!dir)
		fail_msg("%s is missing: run the test at the top of the source tree", path);
	for (struct dirent *e; (e = readdir(dir));) {
		if (!str_ends(e->d_name, ".json"))
			continue;
		n++;
		if (exit_code == 0)
			check_good(dirfd(dir), e->d_name, read);
		else
			check_bad(dirfd(dir), e->d_name, read, exit_code);
	}
	assert_true(n > 2);
}

static void test_good_images(void **state)
{
	walk("tests/data/image/good", read_image, 0);
}

static void test_bad_images(void **state)
{
	walk("tests/data/image/bad", read_image, 65);
}

static void test_good_recipes(void **state)
{
	walk("tests/data/recipe/good", read_recipe, 0);
}

static void test_bad_recipes(void **state)
{
	walk("tests/data/recipe/bad", read_recipe, 78);
}

static void test_shipped_recipes(void **state)
{
	walk("templates/recipes", read_recipe, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_images),  cmocka_unit_test(test_bad_images),
		cmocka_unit_test(test_good_recipes), cmocka_unit_test(test_bad_recipes),
		cmocka_unit_test(test_shipped_recipes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
