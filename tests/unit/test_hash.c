/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <crypt.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "sys/hash.h"

/* What login(1) does: hash with the hash as setting, and compare. */
static bool opens(const char *password, const char *hash)
{
	void *lib = dlopen("libcrypt.so.1", RTLD_NOW);
	char *(*fn)(const char *, const char *, struct crypt_data *);
	assert_non_null(lib);
	*(void **)&fn = dlsym(lib, "crypt_r");
	struct crypt_data *data = calloc(1, sizeof(*data));
	bool same = str_eq(fn(password, hash, data), hash);
	free(data);
	dlclose(lib);
	return same;
}

static void test_hashes(void **state)
{
	char *a = NULL, *b = NULL;
	ve_error *e = NULL;
	assert_int_equal(hash_password("corréct horse", &a, &e), 0);
	assert_int_equal(hash_password("corréct horse", &b, &e), 0);
	assert_true(str_starts(a, "$y$"));
	assert_null(strpbrk(a, ":\n"));
	assert_string_not_equal(a, b); /* salted */
	assert_true(opens("corréct horse", a));
	assert_true(opens("corréct horse", b));
	assert_false(opens("correct horse", a));
	free(a);
	free(b);
}

static void refused(const char *password)
{
	char *hash = NULL;
	ve_error *e = NULL;
	assert_int_equal(hash_password(password, &hash, &e), -EINVAL);
	assert_null(hash);
	assert_int_equal(ve_error_category(e), VE_ERR_USAGE);
	if (*password)
		assert_null(strstr(ve_error_message(e), password)); /* a secret is never quoted */
	ve_error_free(e);
}

static void test_refuses(void **state)
{
	char long_one[513];
	memset(long_one, 'x', 512);
	long_one[512] = '\0';
	refused("");
	refused("two\nlines");
	refused("tab\there");
	refused("del\x7f");
	refused(long_one);
	long_one[511] = '\0';
	char *hash = NULL;
	assert_int_equal(hash_password(long_one, &hash, NULL), 0);
	free(hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_hashes), cmocka_unit_test(test_refuses) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
