/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Assignments, merging, differences, saving. What files may hold: test_config_data.c. */
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
#include "model/config.h"
#include "model/schema.h"

static struct config *fresh(void)
{
	struct config *c;
	assert_int_equal(config_new("web1", &c, NULL), 0);
	return c;
}

static void assign(struct config *c, const char *text)
{
	_cleanup_err_ ve_error *e = NULL;
	if (config_assign(c, text, &e) < 0)
		fail_msg("%s: %s", text, ve_error_message(e));
}

static enum ve_category refused(struct config *c, const char *text)
{
	_cleanup_err_ ve_error *e = NULL;
	_cleanup_free_ char *before = json_dumps(c->root, JSON_COMPACT);
	if (config_assign(c, text, &e) >= 0)
		fail_msg("%s was accepted", text);
	_cleanup_free_ char *after = json_dumps(c->root, JSON_COMPACT);
	assert_string_equal(before, after);
	return ve_error_category(e);
}

static void assert_value(const struct config *c, const char *key, const char *expected)
{
	json_t *raw = config_raw(c, key);
	if (!raw)
		fail_msg("%s is not set", key);
	_cleanup_free_ char *text = schema_format(schema_find(key), raw);
	assert_string_equal(text, expected);
}

static void test_new(void **state)
{
	_cleanup_config_ struct config *c = fresh(), *d = fresh(), *spec = NULL;
	struct config *none = NULL;
	assert_string_equal(config_name(c), "web1");
	assert_true(uuid_is(config_uuid(c)));
	assert_string_not_equal(config_uuid(c), config_uuid(d));
	assert_true(config_new("../x", &none, NULL) < 0);
	assert_null(none);
	assert_int_equal(config_new(NULL, &spec, NULL), 0);
	assert_null(config_name(spec));
}

static void test_defaults(void **state)
{
	_cleanup_config_ struct config *c = fresh();
	assert_true(config_int(c, "memory.limit") == UNITS_UNLIMITED);
	assert_int_equal(config_int(c, "cpu.weight"), 100);
	assert_string_equal(config_string(c, "boot.auto"), "last");
	assert_string_equal(config_string(c, "security.seccomp"), "vps");
	assert_string_equal(config_string(c, "dns.servers"), "inherit");
	assert_null(config_list(c, "dns.servers"));
	assert_null(config_string(c, "hostname"));
	assert_false(config_bool(c, "features.nesting"));
	assert_null(config_raw(c, "cpu.weight"));
	assert_int_equal(config_int(c, "no.such"), 0);
	assert_null(config_string(c, "no.such"));
	assert_false(config_bool(c, "no.such"));
}

static void test_set_and_unset(void **state)
{
	_cleanup_config_ struct config *c = fresh();
	assign(c, "memory.limit=1.5G");
	assert_int_equal(config_int(c, "memory.limit"), 1610612736);
	assign(c, "memory.limit=unlimited");
	assert_true(json_is_null(config_raw(c, "memory.limit")));
	assert_true(config_int(c, "memory.limit") == UNITS_UNLIMITED);
	assign(c, "features.nesting=on");
	assert_true(config_bool(c, "features.nesting"));
	assign(c, "memory.limit=default");
	assert_null(config_raw(c, "memory.limit"));
	assert_null(config_raw(c, "memory")); /* an empty group goes */
	assign(c, "memory.limit=default");
	assign(c, "hostname=a.b");
	assert_value(c, "hostname", "a.b");
}

static void test_refusals(void **state)
{
	_cleanup_config_ struct config *c = fresh();
	assert_int_equal(refused(c, "memory.limit"), VE_ERR_USAGE);
	assert_int_equal(refused(c, "=1"), VE_ERR_USAGE);
	assert_int_equal(refused(c, ""), VE_ERR_USAGE);
	assert_int_equal(refused(c, "memory.limt=1G"), VE_ERR_CONFIG);
	assert_int_equal(refused(c, "+=1G"), VE_ERR_CONFIG);
	assert_int_equal(refused(c, "memory.limit=512MB"), VE_ERR_CONFIG);
	assert_int_equal(refused(c, "memory.limit="), VE_ERR_CONFIG);
	assert_int_equal(refused(c, "memory.limit+=1G"), VE_ERR_USAGE);
	assert_int_equal(refused(c, "volumes+=1G:/srv"), VE_ERR_CONFIG);
	assert_int_equal(refused(c, "volumes-=1G:/srv"), VE_ERR_CONFIG);
	assert_int_equal(refused(c, "users+=\xff"), VE_ERR_CONFIG);
	assert_int_equal(refused(c, "network.0.ips+=192.0.2.7,nonsense"), VE_ERR_CONFIG); /* all or none */
	assert_int_equal(refused(c, "schema=2"), VE_ERR_CONFIG);
	assert_int_equal(refused(c, "identity.id_base=0"), VE_ERR_CONFIG);
	assert_int_equal(refused(c, "environment+=\xff=1"), VE_ERR_CONFIG);
}

static void test_what_create_fixes(void **state)
{
	_cleanup_config_ struct config *c = fresh();
	assert_int_equal(refused(c, "name=x"), VE_ERR_STATE);
	assert_int_equal(refused(c, "uuid=3a0bd0b8-7c1d-4e55-9f6a-2b1c0d9e8f77"), VE_ERR_STATE);
	assign(c, "image=debian-12"); /* not saved yet */
	assign(c, "disk.backend=dir");
	json_object_set_new(c->root, "revision", json_integer(1));
	assert_int_equal(refused(c, "image=debian-13"), VE_ERR_STATE);
	assert_int_equal(refused(c, "disk.backend=overlay"), VE_ERR_STATE);
	assert_int_equal(refused(c, "disk.backend=default"), VE_ERR_STATE);
	assign(c, "hostname=x");
}

static void test_lists(void **state)
{
	_cleanup_config_ struct config *c = fresh();
	assign(c, "network.0.ips+=192.0.2.7");
	assign(c, "network.0.ips+=192.0.2.7/32");
	assign(c, "network.0.ips+=2001:DB8::7,192.0.2.8");
	assert_value(c, "network.0.ips", "192.0.2.7,2001:db8::7,192.0.2.8");
	assign(c, "network.0.ips-=192.0.2.7,192.0.2.99");
	assert_value(c, "network.0.ips", "2001:db8::7,192.0.2.8");
	assign(c, "network.0.ips-=2001:db8:0::7");
	assign(c, "network.0.ips-=192.0.2.8");
	assert_null(config_raw(c, "network"));
	assign(c, "network.0.ips-=192.0.2.8");
	assert_null(config_raw(c, "network"));

	assign(c, "dns.servers+=192.0.2.53"); /* from inherit */
	assert_value(c, "dns.servers", "192.0.2.53");
	assign(c, "dns.servers-=192.0.2.53"); /* back to it */
	assert_string_equal(config_string(c, "dns.servers"), "inherit");
	assign(c, "dns.servers="); /* none at all */
	assert_int_equal(json_array_size(config_list(c, "dns.servers")), 0);
	assert_non_null(config_list(c, "dns.servers"));
	assign(c, "dns.servers=inherit");
	assert_null(config_list(c, "dns.servers"));

	assign(c, "environment+=A=1,2");
	assign(c, "environment+=B=x");
	assign(c, "environment+=A=3,4");
	assert_value(c, "environment", "[\"A=3,4\",\"B=x\"]");
	assign(c, "environment-=A");
	assert_value(c, "environment", "B=x");
	assign(c, "command=/bin/sh -c true");
	assign(c, "command+=a b");
	assert_value(c, "command", "/bin/sh -c true a b");
}

static void test_merge(void **state)
{
	_cleanup_config_ struct config *c = fresh(), *over = fresh();
	_cleanup_free_ char *uuid = strdup(config_uuid(c));
	assign(c, "memory.limit=1G");
	assign(c, "memory.swap=1G");
	assign(over, "memory.limit=unlimited");
	assign(over, "network.3.type=nat");
	assign(over, "rlimits.nofile=10");
	assert_int_equal(config_merge(c, over, NULL), 0);
	assert_value(c, "memory.limit", "unlimited");
	assert_value(c, "memory.swap", "1G");
	assert_value(c, "network.3.type", "nat");
	assert_value(c, "rlimits.nofile", "10");
	assert_string_equal(config_uuid(c), uuid);
	assign(over, "rlimits.nofile=20"); /* it was a copy */
	assert_value(c, "rlimits.nofile", "10");
}

static int note(const char *key, json_t *old_value, json_t *new_value, void *data)
{
	strbuf_addf(data, "%s%s%s ", old_value ? "-" : "", new_value ? "+" : "", key);
	return 0;
}

static int stop_at_first(const char *key, json_t *old_value, json_t *new_value, void *data)
{
	(*(int *)data)++;
	return -EINTR;
}

static void test_diff(void **state)
{
	_cleanup_config_ struct config *a = fresh(), *b = NULL;
	_cleanup_strbuf_ struct strbuf seen = { 0 };
	assign(a, "memory.limit=1G");
	assign(a, "memory.swap=1G");
	assign(a, "hostname=same");
	assign(a, "boot.auto=on");
	assert_int_equal(config_copy(a, &b, NULL), 0);
	assert_int_equal(config_diff(a, b, note, &seen, NULL), 0);
	assert_int_equal(seen.len, 0);
	assign(b, "memory.limit=2G");
	assign(b, "memory.swap=default");
	assign(b, "network.10.type=nat");
	assign(b, "network.9.type=nat");
	assign(b, "boot.auto=off");
	assign(b, "cpu.cores=2");
	json_object_set_new(b->root, "revision", json_integer(7)); /* no key */
	assert_int_equal(config_diff(a, b, note, &seen, NULL), 0);
	assert_string_equal(seen.data,
			    "+cpu.cores -+memory.limit -memory.swap +network.9.type +network.10.type -+boot.auto ");
	int n = 0;
	assert_int_equal(config_diff(a, b, stop_at_first, &n, NULL), -EINTR);
	assert_int_equal(n, 1);
}

static void test_networks(void **state)
{
	_cleanup_config_ struct config *c = fresh();
	unsigned labels[100];
	assert_int_equal(config_networks(c, labels, 100), 0);
	assert_string_equal(config_network_type(c, 0), "nat");
	assign(c, "network.10.type=nat");
	assign(c, "network.2.ips=192.0.2.7");
	assign(c, "network.9.type=none");
	assert_int_equal(config_networks(c, labels, 100), 3);
	assert_int_equal(labels[0], 2);
	assert_int_equal(labels[1], 9);
	assert_int_equal(labels[2], 10);
	assert_int_equal(config_networks(c, labels, 2), 2);
	assert_string_equal(config_network_type(c, 2), "routed");
	assert_string_equal(config_network_type(c, 9), "none");
}

static void test_check_whole(void **state)
{
	static const struct {
		const char *a, *b, *says;
	} bad[] = {
		{ "network.0.ips=192.0.2.7", "network.1.ips=192.0.2.7/24", "'192.0.2.7/24' is given to two" },
		{ "network.0.type=routed", "hostname=x", "needs an address" },
		{ "network.0.type=none", "network.0.ips=192.0.2.7", "'none'" },
		{ "network.0.type=nat", "network.0.ips=192.0.2.7", "'nat'" },
		{ "init=/sbin/init", "command=/bin/true", "init and command" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_config_ struct config *c = fresh();
		_cleanup_err_ ve_error *e = NULL;
		assign(c, bad[i].a);
		assign(c, bad[i].b);
		assert_true(config_check_whole(c, &e) < 0);
		assert_int_equal(ve_error_category(e), VE_ERR_CONFIG);
		if (!strstr(ve_error_message(e), bad[i].says))
			fail_msg("%s", ve_error_message(e));
	}
	_cleanup_config_ struct config *c = fresh();
	assert_int_equal(config_check_whole(c, NULL), 0);
	assign(c, "network.0.ips=192.0.2.7,2001:db8::7");
	assign(c, "network.1.ips=192.0.2.8");
	assert_int_equal(config_check_whole(c, NULL), 0);
}

static void test_identity(void **state)
{
	_cleanup_config_ struct config *c = fresh();
	assert_int_equal(config_identity_int(c, "id_base"), 0);
	assert_null(config_identity_string(c, "image_digest"));
	assert_int_equal(config_set_identity(c, "id_base", json_integer(196608)), 0);
	assert_int_equal(config_set_identity(c, "image_digest", json_string("abc")), 0);
	assert_int_equal(config_identity_int(c, "id_base"), 196608);
	assert_string_equal(config_identity_string(c, "image_digest"), "abc");
}

static void test_save_and_load(void **state)
{
	char path[] = "/tmp/ve-unit-config-XXXXXX";
	assert_non_null(mkdtemp(path));
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_config_ struct config *c = fresh(), *back = NULL;
	_cleanup_free_ char *first = NULL, *second = NULL;
	struct stat st;
	assign(c, "memory.limit=unlimited");
	assign(c, "network.0.ips=192.0.2.7");
	config_set_identity(c, "id_base", json_integer(196608));
	assert_int_equal(config_save(c, dir, "config.json", true, NULL), 0);
	assert_int_equal(fstatat(dir, "config.json", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(config_load(dir, "config.json", "config.json", &back, NULL), 0);
	assert_true(json_equal(c->root, back->root));
	assert_int_equal(json_integer_value(json_object_get(back->root, "revision")), 1);

	/* The order in the file is always the same, whatever was set first. */
	config_put(c, "memory.limit", NULL);
	assign(c, "memory.limit=unlimited");
	json_object_set_new(c->root, "revision", json_integer(0));
	assert_int_equal(file_read(dir, "config.json", 65536, &first, NULL), 0);
	assert_int_equal(config_save(c, dir, "config.json", false, NULL), 0);
	assert_int_equal(file_read(dir, "config.json", 65536, &second, NULL), 0);
	assert_string_equal(first, second);
	assert_int_equal(file_remove_tree(AT_FDCWD, path), 0);
}

static void test_load_errors(void **state)
{
	char path[] = "/tmp/ve-unit-config-XXXXXX";
	assert_non_null(mkdtemp(path));
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_err_ ve_error *missing = NULL, *fifo = NULL, *large = NULL, *link = NULL;
	struct config *c = NULL;
	assert_int_equal(config_load(dir, "none.json", "none.json", &c, &missing), -ENOENT);
	assert_int_equal(ve_error_category(missing), VE_ERR_NOT_FOUND);
	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	assert_true(config_load(dir, "fifo", "fifo", &c, &fifo) < 0);
	assert_int_equal(ve_error_category(fifo), VE_ERR_CONFIG);
	assert_int_equal(symlinkat("/etc/passwd", dir, "link"), 0);
	assert_true(config_load(dir, "link", "link", &c, &link) < 0);
	_cleanup_free_ char *spaces = malloc(CONFIG_MAX_BYTES + 1);
	memset(spaces, ' ', CONFIG_MAX_BYTES + 1);
	assert_int_equal(file_replace(dir, "large", spaces, CONFIG_MAX_BYTES + 1, 0600, false), 0);
	assert_true(config_load(dir, "large", "large", &c, &large) < 0);
	assert_int_equal(ve_error_category(large), VE_ERR_CONFIG);
	assert_null(c);
	assert_int_equal(file_remove_tree(AT_FDCWD, path), 0);
}

/* A failed save changes neither the file nor what is in memory. */
static void test_failed_save(void **state)
{
	_cleanup_config_ struct config *c = fresh();
	_cleanup_close_ int nowhere = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_err_ ve_error *e = NULL;
	assert_true(config_save(c, nowhere, "config.json", true, &e) < 0);
	assert_non_null(strstr(ve_error_message(e), "'web1'"));
	assert_int_equal(json_integer_value(json_object_get(c->root, "revision")), 0);
}

/* ---- every allocation of jansson's fails once */

static unsigned countdown;

static void *failing_malloc(size_t size)
{
	if (countdown > 0 && --countdown == 0)
		return NULL;
	return malloc(size);
}

static int read_and_change(void)
{
	static const char text[] = "{\"schema\":1,\"name\":\"web1\",\"uuid\":\"3a0bd0b8-7c1d-4e55-9f6a-2b1c0d9e8f77\","
				   "\"memory\":{\"limit\":\"1G\"},\"network\":{\"0\":{\"ips\":[\"192.0.2.7\",\"::7\"]}},"
				   "\"command\":[\"a\",\"b\"],\"dns\":{\"servers\":\"inherit\"}}";
	_cleanup_config_ struct config *c = NULL, *copy = NULL;
	_cleanup_err_ ve_error *e = NULL;
	int r = config_parse(text, strlen(text), "x", &c, &e);
	if (r == 0)
		r = config_copy(c, &copy, &e);
	if (r == 0)
		r = config_assign(copy, "network.0.ips+=192.0.2.8,192.0.2.9", &e);
	if (r == 0)
		r = config_assign(copy, "environment+=A=1", &e);
	if (r == 0)
		r = config_assign(copy, "cpu.cores=2", &e);
	if (r == 0)
		r = config_merge(c, copy, &e);
	if (r == 0)
		r = config_check_whole(c, &e);
	if (r < 0)
		assert_non_null(e);
	return r;
}

static void test_out_of_memory(void **state)
{
	unsigned n = 0;
	assert_int_equal(read_and_change(), 0);
	json_set_alloc_funcs(failing_malloc, free);
	for (;;) {
		countdown = ++n;
		int r = read_and_change();
		bool reached = countdown == 0;
		countdown = 0;
		if (!reached) {
			assert_int_equal(r, 0);
			break;
		}
	}
	json_set_alloc_funcs(malloc, free);
	assert_true(n > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new),	    cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_set_and_unset), cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_what_create_fixes), cmocka_unit_test(test_lists),
		cmocka_unit_test(test_merge),	    cmocka_unit_test(test_diff),
		cmocka_unit_test(test_networks),    cmocka_unit_test(test_check_whole),
		cmocka_unit_test(test_identity),    cmocka_unit_test(test_save_and_load),
		cmocka_unit_test(test_load_errors), cmocka_unit_test(test_failed_save),
		cmocka_unit_test(test_out_of_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
