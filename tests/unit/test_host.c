/* SPDX-License-Identifier: LGPL-2.1-or-later */
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
#include "model/host.h"
#include "temp_dir.h"

static void write_file(struct dir *d, const char *text)
{
	assert_int_equal(file_replace(d->fd, "host.json", text, strlen(text), 0644, false), 0);
}

static void test_defaults(void **state)
{
	struct dir *d = *state;
	int fds[] = { -1, d->fd };
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		_cleanup_host_ struct host *h = NULL;
		assert_int_equal(host_load(fds[i], &h, NULL), 0);
		assert_string_equal(h->default_template, "vps-small");
		assert_string_equal(h->default_image, "debian-12");
		assert_string_equal(h->default_backend, "overlay");
		assert_string_equal(h->nat_range, "10.77.0.0/16");
		assert_null(h->uplink);
		assert_null(h->nat_range6);
		assert_null(h->dns);
		assert_int_equal(h->id_first, 131072);
		assert_true(h->id_last == 4294901759u);
		assert_int_equal(h->stop_timeout_s, 60);
	}
}

static void test_file(void **state)
{
	struct dir *d = *state;
	_cleanup_host_ struct host *h = NULL;
	write_file(d, "{\"schema\":1,\"uplink\":\"eth0\",\"dns\":[\"192.0.2.53\"],\"ids\":{\"first\":200000},"
		      "\"stop\":{\"timeout\":\"2m\"},\"nat\":{\"range\":\"10.1.0.0/16\",\"range6\":\"fd77::/64\"}}");
	assert_int_equal(host_load(d->fd, &h, NULL), 0);
	assert_string_equal(h->uplink, "eth0");
	assert_int_equal(json_array_size(h->dns), 1);
	assert_int_equal(h->id_first, 200000);
	assert_int_equal(h->stop_timeout_s, 120);
	assert_string_equal(h->nat_range6, "fd77::/64");
	json_t *doc;
	assert_int_equal(host_show(h, &doc, NULL), 0);
	assert_string_equal(json_string_value(json_object_get(doc, "uplink")), "eth0");
	json_decref(doc);
}

static void test_bad_files(void **state)
{
	static const char *const bad[] = {
		"", "{", "[]", "{}", "{\"schema\":2}", "{\"schema\":1,\"uplin\":\"eth0\"}",
		"{\"schema\":1,\"uplink\":\"a/b\"}", "{\"schema\":1,\"uplink\":\"interface-name-16\"}",
		"{\"schema\":1,\"ids\":{\"first\":99999}}", "{\"schema\":1,\"ids\":{\"last\":4294967295}}",
		"{\"schema\":1,\"ids\":{\"first\":200000,\"last\":265534}}", /* one id short of a range */
		"{\"schema\":1,\"ids\":{\"first\":300000,\"last\":200000}}",
		"{\"schema\":1,\"default\":{\"backend\":\"zfs\"}}", "{\"schema\":1,\"memory\":{\"limit\":1}}",
		"{\"schema\":1,\"name\":\"x\"}", "{\"schema\":1,\"revision\":\"x\",\"dns\":3}",
	};
	struct dir *d = *state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct host *h = NULL;
		_cleanup_err_ ve_error *e = NULL;
		write_file(d, bad[i]);
		if (host_load(d->fd, &h, &e) >= 0)
			fail_msg("%s was accepted", bad[i]);
		assert_null(h);
		assert_non_null(ve_error_message(e));
	}
}

static void test_set(void **state)
{
	struct dir *d = *state;
	_cleanup_host_ struct host *h = NULL, *back = NULL;
	const char *const good[] = {
		"uplink=eth0", "dns=192.0.2.53,2001:DB8::53", "stop.timeout=90", "default.image=debian-13", NULL,
	};
	const char *const unset[] = { "uplink=default", "dns=inherit", NULL };
	assert_int_equal(host_set(d->fd, good, true, NULL), 0);
	assert_int_equal(host_load(d->fd, &h, NULL), 0);
	assert_string_equal(h->uplink, "eth0");
	assert_int_equal(json_array_size(h->dns), 2);
	assert_int_equal(h->stop_timeout_s, 90);
	assert_int_equal(host_set(d->fd, unset, true, NULL), 0);
	assert_int_equal(host_load(d->fd, &back, NULL), 0);
	assert_null(back->uplink);
	assert_null(back->dns);
	assert_string_equal(back->default_image, "debian-13");
}

static void test_bad_set_writes_nothing(void **state)
{
	static const char *const bad[] = {
		"uplink", "uplik=eth0", "uplink=a b", "nat.range=10.1.0.1/16", "nat.range=10.0.0.0/30",
		"nat.range=2001:db8::/64", "nat.range6=10.0.0.0/8", "ids.last=131073", "default.image=../x",
		"default.backend=zfs", "dns=x", "stop.timeout=0", "=x",
	};
	struct dir *d = *state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *const assignments[] = { "default.template=mine", bad[i], NULL };
		_cleanup_err_ ve_error *e = NULL;
		if (host_set(d->fd, assignments, true, &e) >= 0)
			fail_msg("%s was accepted", bad[i]);
		assert_int_equal(faccessat(d->fd, "host.json", F_OK, 0), -1);
	}
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, temp_dir_setup, temp_dir_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_defaults), CASE(test_file), CASE(test_bad_files), CASE(test_set),
		CASE(test_bad_set_writes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
