/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Walks tests/data/{config,template}/{good,bad}, from the top of the source tree.
 *
 *   good/NAME.json is read; good/NAME.keys has a line KEY=VALUE for every key that is set but
 *   name and uuid, as `vectl get` spells it.
 *   bad/NAME.json is refused; every line of bad/NAME.err is part of the message, but a line "exit N", which is
 *   the exit code (default 78). What is read is a file called NAME.json.
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
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/config.h"
#include "model/schema.h"
#include "model/template.h"

typedef int (*read_fn)(int dir_fd, const char *file, struct config **ret_config, ve_error **ret_error);

static int read_config(int dir_fd, const char *file, struct config **ret_config, ve_error **ret_error)
{
	return config_load(dir_fd, file, file, ret_config, ret_error);
}

static int read_template(int dir_fd, const char *file, struct config **ret_config, ve_error **ret_error)
{
	_cleanup_free_ char *text = NULL, *description = NULL, *extends = NULL;
	size_t size;
	assert_int_equal(file_read(dir_fd, file, CONFIG_MAX_BYTES, &text, &size), 0);
	return config_parse_template(text, size, file, &description, &extends, ret_config, ret_error);
}

static char **lines_of(int dir_fd, const char *name, const char *extension)
{
	_cleanup_free_ char *path = str_printf("%s.%s", name, extension), *text = NULL;
	if (file_read(dir_fd, path, 65536, &text, NULL) < 0)
		fail_msg("%s is missing", path);
	return strv_split(text, "\n");
}

struct seen {
	char **lines; /* what is expected */
	unsigned n;
	const char *file;
};

static int compare_key(const char *key, json_t *old_value, json_t *new_value, void *data)
{
	struct seen *seen = data;
	_cleanup_free_ char *value = schema_format(schema_find(key), new_value);
	_cleanup_free_ char *line = str_printf("%s=%s", key, value);
	for (char **l = seen->lines; *l; l++) {
		if (!str_eq(*l, line))
			continue;
		seen->n++;
		return 0;
	}
	fail_msg("%s: '%s' is not expected", seen->file, line);
	return 0;
}

static void check_good(int dir_fd, const char *name, const char *file, read_fn read)
{
	_cleanup_err_ ve_error *e = NULL;
	_cleanup_config_ struct config *c = NULL, *none = NULL, *again = NULL;
	_cleanup_strv_ char **lines = lines_of(dir_fd, name, "keys");
	struct seen seen = { .lines = lines, .file = file };
	if (read(dir_fd, file, &c, &e) < 0)
		fail_msg("%s: %s", file, ve_error_message(e));
	config_put(c, "name", NULL); /* every config.json has these two */
	config_put(c, "uuid", NULL);
	assert_int_equal(config_new(NULL, &none, NULL), 0);
	assert_int_equal(config_diff(none, c, compare_key, &seen, NULL), 0);
	if (seen.n != strv_length((const char *const *)lines))
		fail_msg("%s: %u keys, not %zu", file, seen.n, strv_length((const char *const *)lines));

	/* What is written can be typed again, and gives the same. */
	assert_int_equal(config_new(NULL, &again, NULL), 0);
	for (char **l = lines; *l; l++)
		if (config_assign(again, *l, &e) < 0)
			fail_msg("%s: %s", file, ve_error_message(e));
	seen.file = "typed again";
	assert_int_equal(config_diff(c, again, compare_key, &seen, NULL), 0);
	assert_int_equal(seen.n, strv_length((const char *const *)lines));
}

static void check_bad(int dir_fd, const char *name, const char *file, read_fn read)
{
	_cleanup_err_ ve_error *e = NULL;
	struct config *c = NULL;
	_cleanup_strv_ char **lines = lines_of(dir_fd, name, "err");
	int code = 78;
	if (read(dir_fd, file, &c, &e) >= 0)
		fail_msg("%s was accepted", file);
	assert_null(c);
	assert_non_null(e);
	for (char **l = lines; *l; l++) {
		if (sscanf(*l, "exit %d", &code) == 1)
			continue;
		if (!strstr(ve_error_message(e), *l))
			fail_msg("%s: '%s' is not in '%s'", file, *l, ve_error_message(e));
	}
	if (!str_starts(ve_error_message(e), file))
		fail_msg("%s: the message does not begin with the file: '%s'", file, ve_error_message(e));
	assert_int_equal(ve_category_exit_code(ve_error_category(e)), code);
	for (const char *p = ve_error_message(e); *p; p++)
		assert_true((unsigned char)*p >= 0x20);
}

static void walk(const char *path, void (*check)(int, const char *, const char *, read_fn), read_fn read)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	unsigned n = 0;
	if (!dir)
		fail_msg("cannot open %s: run this from the top of the source tree", path);
	for (struct dirent *e; (e = readdir(dir));) {
		if (!str_ends(e->d_name, ".json"))
			continue;
		_cleanup_free_ char *name = strndup(e->d_name, strlen(e->d_name) - strlen(".json"));
		check(dirfd(dir), name, e->d_name, read);
		n++;
	}
	assert_true(n > 0);
}

static void test_config_good(void **state)
{
	walk("tests/data/config/good", check_good, read_config);
}

static void test_config_bad(void **state)
{
	walk("tests/data/config/bad", check_bad, read_config);
}

static void test_template_good(void **state)
{
	walk("tests/data/template/good", check_good, read_template);
}

static void test_template_bad(void **state)
{
	walk("tests/data/template/bad", check_bad, read_template);
}

/* Every shipped template is a good one and limits what a VE can take from the host. */
static void test_shipped_templates(void **state)
{
	static const char *const dirs[] = { "templates/ve", NULL };
	static const char *const shipped[] = { "database", "docker-host", "jail", "mail", "vps-large", "vps-medium", "vps-small", "web" };
	json_t *list;
	assert_int_equal(template_list(dirs, &list, NULL), 0);
	assert_int_equal(json_array_size(list), ARRAY_SIZE(shipped));
	for (size_t i = 0; i < ARRAY_SIZE(shipped); i++) {
		_cleanup_template_ struct template *t = NULL;
		json_t *entry = json_array_get(list, i);
		assert_string_equal(json_string_value(json_object_get(entry, "name")), shipped[i]);
		assert_true(json_is_null(json_object_get(entry, "error")));
		assert_int_equal(template_open(dirs, shipped[i], &t, NULL), 0);
		assert_true(*t->description);
		assert_int_equal(strlen(t->digest), 64);
		assert_true(config_int(t->keys, "memory.limit") != UNITS_UNLIMITED);
		assert_true(config_int(t->keys, "memory.swap") != UNITS_UNLIMITED);
		assert_true(config_int(t->keys, "pids.limit") != UNITS_UNLIMITED);
		assert_int_equal(config_check_whole(t->keys, NULL), 0);
		_cleanup_strv_ char **readme = NULL;
		_cleanup_free_ char *text = NULL, *row = str_printf("| `%s` |", shipped[i]);
		assert_int_equal(file_read(AT_FDCWD, "templates/ve/README.md", 65536, &text, NULL), 0);
		assert_non_null(strstr(text, row));
	}
	json_decref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config_good),   cmocka_unit_test(test_config_bad),
		cmocka_unit_test(test_template_good), cmocka_unit_test(test_template_bad),
		cmocka_unit_test(test_shipped_templates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
