/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/guard.h"
#include "model/portforward.h"

static void test_good(void **state)
{
	(void)state;
	struct portforward f;
	assert_int_equal(portforward_parse("tcp:8080:80", &f, NULL), 0);
	assert_true(f.protocol == PORTFORWARD_TCP && f.first == 8080 && f.n == 1 && f.to == 80);
	assert_int_equal(portforward_parse("udp:5000-5009:6000", &f, NULL), 0);
	assert_true(f.protocol == PORTFORWARD_UDP && f.first == 5000 && f.n == 10 && f.to == 6000);
	assert_int_equal(portforward_parse("tcp:65535:65535", &f, NULL), 0);
	assert_int_equal(portforward_parse("tcp:1-1024:1", &f, NULL), 0);
	assert_int_equal(f.n, 1024);
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"", "tcp", "tcp:", "tcp:80", "tcp:80:", "tcp::80", "tcp:0:80", "tcp:80:0", "tcp:65536:1", "tcp:1:65536",
		"tcp:99999999999:1", "tcp:-1:1", "tcp:+1:1", "tcp: 1:1", "tcp:1:1 ", "tcp:080:80", "tcp:10-9:80",
		"tcp:1-1025:1", "tcp:1-10:65530", "tcp:1-:80", "tcp:1-2-3:80", "sctp:1:1", "TCP:1:1", "tcp:1:1:1",
		"tcp:1:1-2", "tcp:0x1:1",
	};
	struct portforward f;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_err_ ve_error *e = NULL;
		if (portforward_parse(bad[i], &f, &e) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(ve_error_category(e), VE_ERR_CONFIG);
	}
}

static void test_overlap(void **state)
{
	struct portforward a, b, c, d;
	uint16_t port = 0;
	(void)state;
	assert_int_equal(portforward_parse("tcp:100-110:1", &a, NULL), 0);
	assert_int_equal(portforward_parse("tcp:110-120:1", &b, NULL), 0);
	assert_int_equal(portforward_parse("tcp:111:1", &c, NULL), 0);
	assert_int_equal(portforward_parse("udp:100-110:1", &d, NULL), 0);
	assert_true(portforward_overlap(&a, &b, &port));
	assert_int_equal(port, 110);
	assert_false(portforward_overlap(&a, &c, &port));
	assert_false(portforward_overlap(&a, &d, &port));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_overlap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
