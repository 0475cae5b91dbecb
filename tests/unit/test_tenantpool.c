/* SPDX-License-Identifier: LGPL-2.1-or-later */
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
#include "model/tenantpool.h"
#include "model/units.h"
#include "temp_dir.h"

static void write_pool(struct dir *d, const char *name, const char *text)
{
	char path[64];
	assert_int_equal(file_mkdirs(d->fd, "pools", 0755), 0);
	snprintf(path, sizeof(path), "pools/%s.json", name);
	assert_int_equal(file_replace(d->fd, path, text, strlen(text), 0644, false), 0);
}

static void test_round_trip(void **state)
{
	struct dir *d = *state;
	_cleanup_config_ struct config *c = NULL, *again = NULL;
	_cleanup_strv_ char **names = NULL;
	assert_int_equal(config_new(NULL, &c, NULL), 0);
	assert_int_equal(tenantpool_assign(c, "memory.limit=2G", NULL), 0);
	assert_int_equal(tenantpool_assign(c, "cpu.limit=150%", NULL), 0);
	assert_int_equal(tenantpool_assign(c, "pids.limit=unlimited", NULL), 0);
	assert_int_equal(tenantpool_save(d->fd, "web10", c, NULL), 0);
	assert_int_equal(tenantpool_save(d->fd, "web9", c, NULL), 0);
	assert_true(tenantpool_exists(d->fd, "web9"));
	assert_int_equal(tenantpool_load(d->fd, "web9", &again, NULL), 0);
	assert_int_equal(config_int(again, "memory.limit"), INT64_C(2) << 30);
	assert_int_equal(config_int(again, "cpu.limit"), 1500);
	assert_int_equal(config_int(again, "pids.limit"), UNITS_UNLIMITED);
	assert_int_equal(tenantpool_assign(again, "memory.limit=default", NULL), 0);
	assert_null(config_raw(again, "memory.limit"));
	assert_int_equal(tenantpool_names(d->fd, &names, NULL), 0);
	assert_string_equal(names[0], "web9");
	assert_string_equal(names[1], "web10");
	assert_null(names[2]);
	assert_int_equal(tenantpool_unlink(d->fd, "web9", NULL), 0);
	assert_int_equal(tenantpool_unlink(d->fd, "web9", NULL), 0);
	assert_false(tenantpool_exists(d->fd, "web9"));
	/* The last one takes the directory along. */
	assert_int_equal(tenantpool_unlink(d->fd, "web10", NULL), 0);
	assert_int_equal(faccessat(d->fd, "pools", F_OK, 0), -1);
}

static void refused(int r, ve_error *e, enum ve_category category, const char *words)
{
	assert_true(r < 0);
	assert_int_equal(ve_error_category(e), category);
	if (!strstr(ve_error_message(e), words))
		fail_msg("'%s' does not say '%s'", ve_error_message(e), words);
	ve_error_free(e);
}

static void test_keys(void **state)
{
	_cleanup_config_ struct config *c = NULL;
	static const char *const foreign[] = { "disk.size=1G", "cpu.cores=2", "cpu.set=0", "memory.guarantee=1G", "hostname=a",
					       "network.0.ips+=192.0.2.1", "pool=a", "name=b" };
	static const char *const wrong[] = { "memory.limit=-1", "memory.limit=1MB", "memory.limt=1G", "cpu.limit=", "pids.limit" };
	assert_int_equal(config_new(NULL, &c, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
		ve_error *e = NULL;
		int r = tenantpool_assign(c, foreign[i], &e);
		refused(r, e, VE_ERR_CONFIG, "no limit that VEs can share");
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		ve_error *e = NULL;
		assert_true(tenantpool_assign(c, wrong[i], &e) < 0);
		assert_non_null(e);
		ve_error_free(e);
	}
	assert_int_equal(json_object_size(c->root), 0);
}

static void test_files(void **state)
{
	struct dir *d = *state;
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "{\"schema\":1,\"hostname\":\"a\"}", "/etc/vectl/pools/bad.json" },
		{ "{\"schema\":1,\"hostname\":\"a\"}", "no limit that VEs can share" },
		{ "{\"schema\":1,\"memory\":{\"limt\":1}}", "bad.json:1" },
		{ "{\"memory\":{\"limit\":8388608}}", "schema" },
		{ "[]", "bad.json" },
		{ "", "bad.json" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct config *c = NULL;
		ve_error *e = NULL;
		write_pool(d, "bad", bad[i].text);
		int r = tenantpool_load(d->fd, "bad", &c, &e);
		refused(r, e, VE_ERR_CONFIG, bad[i].words);
	}
}

static void test_names(void **state)
{
	struct dir *d = *state;
	static const char *const bad[] = { "", "..", "a/b", "A", "@a", "a.", "-a" };
	struct config *c = NULL;
	write_pool(d, "gold", "{\"schema\":1}");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ve_error *e = NULL;
		int r = tenantpool_load(d->fd, bad[i], &c, &e);
		assert_true(r < 0 && ve_error_category(e) == VE_ERR_USAGE);
		ve_error_free(e);
	}
	ve_error *e = NULL;
	int r = tenantpool_load(d->fd, "glod", &c, &e);
	assert_string_equal(ve_error_hint(e), "did you mean 'gold'?");
	refused(r, e, VE_ERR_NOT_FOUND, "no pool 'glod'");
	e = NULL;
	r = tenantpool_load(-1, "gold", &c, &e);
	refused(r, e, VE_ERR_NOT_FOUND, "no pool 'gold'");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, temp_dir_setup, temp_dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(test_round_trip), CASE(test_keys), CASE(test_files), CASE(test_names) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
