/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/ownkeys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/guard.h"
#include "base/str.h"

static struct config *parsed(const char *text)
{
	struct config *c = NULL;
	ve_error *e = NULL;
	if (config_parse_keys(text, strlen(text), "test", &c, &e) < 0)
		fail_msg("%s", ve_error_message(e));
	return c;
}

static const char whole[] =
	"{\"schema\":1,\"revision\":3,\"name\":\"web1\",\"uuid\":\"3a0bd0b8-7c1d-4e55-9f6a-2b1c0d9e8f77\",\"pending\":[],"
	"\"identity\":{\"id_base\":131072},\"hostname\":\"h\",\"aliases\":[\"a\"],\"owner\":\"o\",\"labels\":{\"t\":\"g\"},\"notes\":\"n\","
	"\"protect\":true,\"memory\":{\"limit\":\"64M\"},\"network\":{\"0\":{\"type\":\"routed\",\"ips\":[\"192.0.2.1\"]},"
	"\"1\":{\"type\":\"routed\",\"ips\":[\"192.0.2.2\"],\"mac\":\"02:00:00:00:00:01\"},"
	"\"2\":{\"type\":\"bridged\",\"ips\":[\"192.0.2.3/24\"],\"bridge\":\"br0\"},\"3\":{\"type\":\"nat\",\"forwards\":[\"tcp:80:80\"]}}}";

static void test_a_document_has_no_identity(void **state)
{
	(void)state;
	_cleanup_config_ struct config *c = parsed(whole);
	static const char *const gone[] = { "name", "uuid", "identity", "pending" };
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
		assert_null(json_object_get(c->root, gone[i]));
	assert_int_equal(json_integer_value(json_object_get(c->root, "revision")), 3);
	assert_int_equal(config_int(c, "memory.limit"), 64 << 20);
}

static void test_strip(void **state)
{
	(void)state;
	_cleanup_config_ struct config *c = parsed(whole);
	static const char *const gone[] = { "hostname", "aliases", "owner", "labels.t", "notes", "protect", "network.1.ips", "network.1.mac",
					    "network.2.ips", "network.3.forwards", "network.0.type" };
	assert_int_equal(ownkeys_strip(c), 0);
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
		if (config_raw(c, gone[i]))
			fail_msg("%s is still there", gone[i]);
	assert_int_equal(config_int(c, "memory.limit"), 64 << 20);
	/* Every interface is still one; what --ip then gives decides about the first. */
	unsigned labels[8];
	assert_int_equal(config_networks(c, labels, 8), 4);
	assert_string_equal(config_network_type(c, 0), "nat");
	assert_string_equal(config_network_type(c, 1), "nat");
	assert_string_equal(config_network_type(c, 2), "bridged");
	assert_int_equal(config_check_whole(c, NULL), 0);
}

static void test_addresses_alone(void **state)
{
	(void)state;
	_cleanup_config_ struct config *c = parsed(whole);
	assert_int_equal(ownkeys_strip_addresses(c, false), 0);
	assert_string_equal(config_string(c, "owner"), "o");
	assert_string_equal(config_string(c, "network.0.type"), "nat");
	assert_null(config_raw(c, "network.0.ips"));
}

static void test_which(void **state)
{
	(void)state;
	static const char *const own[] = { "name", "uuid", "hostname", "labels.tier", "network.0.ips", "network.12.mac" };
	static const char *const others[] = { "memory.limit", "network.0.rate_in", "network.0.type", "template", "image", "hooks.create" };
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		assert_true(ownkeys_has(own[i]));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(ownkeys_has(others[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_document_has_no_identity),
		cmocka_unit_test(test_strip),
		cmocka_unit_test(test_addresses_alone),
		cmocka_unit_test(test_which),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
