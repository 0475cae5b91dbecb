/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/guard.h"
#include "model/devicespec.h"

static void test_good(void **state)
{
	static const struct {
		const char *text, *path;
		bool readonly;
	} good[] = {
		{ "/dev/ttyUSB0", "/dev/ttyUSB0", false },
		{ "/dev/ttyUSB0:rw", "/dev/ttyUSB0", false },
		{ "/dev/hwrng:r", "/dev/hwrng", true },
		{ "/dev/serial/by-id/usb-FTDI_A.B-if00-port0", "/dev/serial/by-id/usb-FTDI_A.B-if00-port0", false },
		{ "/dev/ptsx", "/dev/ptsx", false },
	};
	struct devicespec d;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(devicespec_parse(good[i].text, &d, NULL), 0);
		assert_string_equal(d.path, good[i].path);
		assert_int_equal(d.readonly, good[i].readonly);
	}
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"", ":", "/dev", "/dev/", "/dev//a", "/dev/../etc/passwd", "/dev/./a", "/devx/a", "dev/a", "a", "/etc/passwd", "/dev/a/",
		"/dev/a:", "/dev/a:w", "/dev/a:rwm", "/dev/a:rr", "/dev/a:r:r", "/dev/a:RW", "/dev/pts/3", "/dev/shm/a", "/dev/fd/1", "/dev/a\n",
	};
	struct devicespec d;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_err_ ve_error *e = NULL;
		if (devicespec_parse(bad[i], &d, &e) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(ve_error_category(e), VE_ERR_CONFIG);
	}
}

static void test_length(void **state)
{
	char text[DEVICESPEC_PATH_SIZE + 8];
	struct devicespec d;
	(void)state;
	for (int over = 0; over < 2; over++) {
		memset(text, 'x', sizeof(text));
		memcpy(text, "/dev/", 5);
		text[DEVICESPEC_PATH_SIZE - 1 + over] = '\0';
		assert_int_equal(devicespec_parse(text, &d, NULL) < 0, over);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
