/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/guard.h"
#include "base/str.h"
#include "net/priv.h"

struct place {
	char dir[32], first[64], second[64];
};

static int make_place(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	strcpy(p->dir, "/tmp/resolv-XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	snprintf(p->first, sizeof(p->first), "%s/first", p->dir);
	snprintf(p->second, sizeof(p->second), "%s/second", p->dir);
	*state = p;
	return 0;
}

static int remove_place(void **state)
{
	struct place *p = *state;
	unlink(p->first);
	unlink(p->second);
	int r = rmdir(p->dir);
	free(p);
	return r;
}

static void put(const char *path, const char *text)
{
	unlink(path);
	_cleanup_fclose_ FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

static char *join(char **v)
{
	struct strbuf b = { 0 };
	strbuf_add(&b, "");
	for (; *v; v++)
		strbuf_addf(&b, "%s%s", b.len ? " " : "", *v);
	return strbuf_steal(&b);
}

static void expect(const struct place *p, const char *want_servers, const char *want_search)
{
	const char *const paths[] = { p->first, p->second, NULL };
	_cleanup_strv_ char **servers = NULL, **search = NULL;
	assert_int_equal(resolv_read(paths, &servers, &search, NULL), 0);
	_cleanup_free_ char *s = join(servers), *d = join(search);
	assert_string_equal(s, want_servers);
	assert_string_equal(d, want_search);
}

static void plain(void **state)
{
	struct place *p = *state;
	put(p->first, "# comment\nnameserver 192.0.2.53 # behind\n\tnameserver\t2001:db8::53\r\nsearch a.example "
		      "b.example .\n"
		      "nameserver\nnameserver bogus\noptions edns0\n");
	put(p->second, "nameserver 198.51.100.1\nsearch other.example\n");
	expect(p, "192.0.2.53 2001:db8::53", "a.example b.example");
}

static void stub(void **state)
{
	struct place *p = *state;
	put(p->first, "nameserver 127.0.0.53\nnameserver ::1\nsearch a.example\n");
	put(p->second, "nameserver 192.0.2.53\nsearch other.example\n");
	expect(p, "192.0.2.53", "a.example");
	put(p->first, "nameserver 127.0.0.53\n");
	expect(p, "192.0.2.53", "other.example");
}

static void out_of_reach(void **state)
{
	struct place *p = *state;
	put(p->first, "nameserver fe80::1%eth0\nnameserver fe80::1\nnameserver 169.254.0.53\nnameserver "
		      "0.0.0.0\nnameserver ::\n"
		      "nameserver 127.0.0.1\n");
	unlink(p->second);
	expect(p, "", "");
}

static void last_search_counts(void **state)
{
	struct place *p = *state;
	put(p->first, "search a.example\nnameserver 192.0.2.53\ndomain b.example\n");
	expect(p, "192.0.2.53", "b.example");
}

static void odd_files(void **state)
{
	struct place *p = *state;
	put(p->second, "nameserver 192.0.2.53"); /* no newline */
	unlink(p->first);
	expect(p, "192.0.2.53", "");
	assert_int_equal(symlink("second", p->first), 0);
	expect(p, "192.0.2.53", "");
	unlink(p->first);
	assert_int_equal(mkfifo(p->first, 0600), 0); /* must not hang */
	expect(p, "192.0.2.53", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),        cmocka_unit_test(stub),
		cmocka_unit_test(out_of_reach), cmocka_unit_test(last_search_counts),
		cmocka_unit_test(odd_files),
	};
	return cmocka_run_group_tests(tests, make_place, remove_place);
}
