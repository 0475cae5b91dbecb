/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where templates are found. What they may hold: test_config_data.c. */
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
#include "model/template.h"
#include "model/units.h"

struct dirs {
	char own[64], shipped[64];
	const char *list[4];
	int fds[2];
};

static int setup(void **state)
{
	struct dirs *d = calloc(1, sizeof(*d));
	if (!d)
		return -1;
	strcpy(d->own, "/tmp/ve-unit-templ-XXXXXX");
	strcpy(d->shipped, "/tmp/ve-unit-templ-XXXXXX");
	if (!mkdtemp(d->own) || !mkdtemp(d->shipped))
		return -1;
	d->list[0] = "/nonexistent";
	d->list[1] = d->own;
	d->list[2] = d->shipped;
	d->fds[0] = open(d->own, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d->fds[1] = open(d->shipped, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct dirs *d = *state;
	close(d->fds[0]);
	close(d->fds[1]);
	int r = file_remove_tree(AT_FDCWD, d->own) | file_remove_tree(AT_FDCWD, d->shipped);
	free(d);
	return r;
}

static void put(int fd, const char *name, const char *text)
{
	assert_int_equal(file_replace(fd, name, text, strlen(text), 0644, false), 0);
}

static void test_own_hides_shipped(void **state)
{
	struct dirs *d = *state;
	put(d->fds[1], "a.json", "{\"schema\":1,\"description\":\"shipped\",\"keys\":{}}");
	_cleanup_template_ struct template *shipped = NULL, *own = NULL;
	assert_int_equal(template_open(d->list, "a", &shipped, NULL), 0);
	assert_string_equal(shipped->description, "shipped");
	put(d->fds[0], "a.json", "{\"schema\":1,\"description\":\"own\",\"keys\":{\"cpu\":{\"cores\":2}}}");
	assert_int_equal(template_open(d->list, "a", &own, NULL), 0);
	assert_string_equal(own->description, "own");
	assert_string_equal(own->name, "a");
	assert_true(str_starts(own->path, d->own));
	assert_int_equal(config_int(own->keys, "cpu.cores"), 2);
	assert_string_not_equal(own->digest, shipped->digest);
	/* An own one that is damaged is an error, not an invitation to use the shipped one. */
	_cleanup_err_ ve_error *e = NULL;
	struct template *none = NULL;
	put(d->fds[0], "a.json", "{");
	assert_true(template_open(d->list, "a", &none, &e) < 0);
	assert_null(none);
	assert_true(str_starts(ve_error_message(e), d->own));
}

static void test_digest_is_sha256_of_the_file(void **state)
{
	struct dirs *d = *state;
	_cleanup_template_ struct template *t = NULL;
	put(d->fds[0], "x.json", "{\"schema\":1,\"keys\":{}}");
	assert_int_equal(template_open(d->list, "x", &t, NULL), 0);
	/* printf '{"schema":1,"keys":{}}' | sha256sum */
	assert_string_equal(t->digest, "8cde67b860c875da47c321671c88e8eb3416e42e9352dd8932bbecf6068878fa");
}

static void test_missing(void **state)
{
	struct dirs *d = *state;
	_cleanup_err_ ve_error *e = NULL, *f = NULL, *g = NULL;
	struct template *t = NULL;
	put(d->fds[0], "vps-small.json", "{\"schema\":1,\"keys\":{}}");
	assert_int_equal(template_open(d->list, "vps-smal", &t, &e), -ENOENT);
	assert_int_equal(ve_error_category(e), VE_ERR_NOT_FOUND);
	assert_non_null(strstr(ve_error_hint(e), "vps-small"));
	assert_int_equal(template_open(d->list, "other", &t, &f), -ENOENT);
	assert_null(ve_error_hint(f));
	assert_true(template_open(d->list, "../a", &t, &g) < 0);
	assert_int_equal(ve_error_category(g), VE_ERR_USAGE);
	assert_null(t);
}

static void test_by_path(void **state)
{
	struct dirs *d = *state;
	_cleanup_template_ struct template *t = NULL;
	_cleanup_free_ char *path = str_printf("%s/my plan.json", d->own);
	_cleanup_free_ char *none = str_printf("%s/none.json", d->own);
	put(d->fds[0], "my plan.json", "{\"schema\":1,\"keys\":{}}");
	assert_int_equal(template_open_file(d->list, path, &t, NULL), 0);
	assert_string_equal(t->name, "my plan");
	struct template *missing = NULL;
	_cleanup_err_ ve_error *e = NULL;
	assert_int_equal(template_open_file(d->list, none, &missing, &e), -ENOENT);
	assert_int_equal(ve_error_category(e), VE_ERR_NOT_FOUND);
}

static void test_list(void **state)
{
	struct dirs *d = *state;
	put(d->fds[1], "b10.json", "{\"schema\":1,\"description\":\"ten\",\"keys\":{}}");
	put(d->fds[1], "b9.json", "{\"schema\":1,\"description\":\"nine\",\"keys\":{}}");
	put(d->fds[0], "b9.json", "{\"schema\":1,\"description\":\"own nine\",\"keys\":{}}");
	put(d->fds[0], "broken.json", "{\"schema\":1,");
	put(d->fds[0], "Not A Name.json", "{}");
	put(d->fds[0], "README.md", "");
	assert_int_equal(mkfifoat(d->fds[0], "fifo.json", 0600), 0); /* must not hold us */
	json_t *list;
	assert_int_equal(template_list(d->list, &list, NULL), 0);
	static const char *const names[] = { "b9", "b10", "broken", "fifo" };
	assert_int_equal(json_array_size(list), ARRAY_SIZE(names));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		json_t *entry = json_array_get(list, i);
		assert_string_equal(json_string_value(json_object_get(entry, "name")), names[i]);
		assert_int_equal(json_is_null(json_object_get(entry, "error")), i < 2);
	}
	json_t *first = json_array_get(list, 0);
	assert_string_equal(json_string_value(json_object_get(first, "description")), "own nine");
	json_decref(list);
}

static void test_extends(void **state)
{
	struct dirs *d = *state;
	_cleanup_template_ struct template *t = NULL, *changed = NULL;
	put(d->fds[1], "small.json", "{\"schema\":1,\"keys\":{\"cpu\":{\"cores\":1},\"memory\":{\"limit\":\"1G\",\"swap\":0}}}");
	put(d->fds[0], "mid.json", "{\"schema\":1,\"extends\":\"small\",\"keys\":{\"cpu\":{\"cores\":2}}}");
	put(d->fds[0], "big.json", "{\"schema\":1,\"extends\":\"mid\",\"keys\":{\"memory\":{\"swap\":null}}}");
	assert_int_equal(template_open(d->list, "big", &t, NULL), 0);
	assert_string_equal(t->extends, "mid");
	assert_int_equal(config_int(t->keys, "cpu.cores"), 2);
	assert_int_equal(config_int(t->keys, "memory.limit"), 1 << 30);
	assert_int_equal(config_int(t->keys, "memory.swap"), UNITS_UNLIMITED);
	/* What is below changes, and so does the digest. */
	put(d->fds[1], "small.json", "{\"schema\":1,\"keys\":{\"memory\":{\"limit\":\"2G\"}}}");
	assert_int_equal(template_open(d->list, "big", &changed, NULL), 0);
	assert_string_not_equal(t->digest, changed->digest);
}

static void expect_refusal(struct dirs *d, const char *name, enum ve_category category, const char *words)
{
	_cleanup_err_ ve_error *e = NULL;
	struct template *t = NULL;
	assert_true(template_open(d->list, name, &t, &e) < 0);
	assert_null(t);
	assert_int_equal(ve_error_category(e), category);
	assert_non_null(strstr(ve_error_message(e), words));
}

static void test_extends_nothing_or_itself(void **state)
{
	struct dirs *d = *state;
	put(d->fds[0], "self.json", "{\"schema\":1,\"extends\":\"self\",\"keys\":{}}");
	put(d->fds[0], "a.json", "{\"schema\":1,\"extends\":\"b\",\"keys\":{}}");
	put(d->fds[0], "b.json", "{\"schema\":1,\"extends\":\"c\",\"keys\":{}}");
	put(d->fds[0], "c.json", "{\"schema\":1,\"extends\":\"b\",\"keys\":{}}");
	put(d->fds[0], "lost.json", "{\"schema\":1,\"extends\":\"nowhere\",\"keys\":{}}");
	put(d->fds[0], "broken.json", "{\"schema\":1,\"extends\":\"bad\",\"keys\":{}}");
	put(d->fds[0], "bad.json", "{\"schema\":1,\"keys\":{\"no\":{\"such\":1}}}");
	expect_refusal(d, "self", VE_ERR_CONFIG, "circle");
	expect_refusal(d, "a", VE_ERR_CONFIG, "circle");
	expect_refusal(d, "lost", VE_ERR_NOT_FOUND, "lost.json");
	expect_refusal(d, "broken", VE_ERR_CONFIG, "bad.json");
	for (int i = 0; i < 20; i++) {
		char name[16], text[80];
		snprintf(name, sizeof(name), "n%d.json", i);
		snprintf(text, sizeof(text), "{\"schema\":1,\"extends\":\"n%d\",\"keys\":{}}", i + 1);
		put(d->fds[0], name, text);
	}
	expect_refusal(d, "n0", VE_ERR_CONFIG, "deep");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_own_hides_shipped), CASE(test_digest_is_sha256_of_the_file), CASE(test_missing),
		CASE(test_by_path),	      CASE(test_list), CASE(test_extends), CASE(test_extends_nothing_or_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
