/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "run/apt_mirrors.h"

static void expect(const char *text, const char *main_mirror, const char *security_mirror)
{
	_cleanup_mirrors_ struct apt_mirrors m = {};
	assert_int_equal(apt_mirrors_from_text(&m, text, NULL), 0);
	if (!str_eq(m.main, main_mirror) || !str_eq(m.security, security_mirror))
		fail_msg("'%s': %s, %s", text, m.main ?: "-", m.security ?: "-");
}

static void test_text(void **state)
{
	expect("", NULL, NULL);
	expect("deb http://m.example/debian bookworm main\ndeb http://m.example/debian-security bookworm-security main\n",
	       "http://m.example/debian", "http://m.example/debian-security");
	expect("deb [arch=amd64 signed-by=/x.gpg] https://m.example/pub/debian/ bookworm main",
	       "https://m.example/pub/debian", NULL);
	expect("Types: deb\nURIs: http://m.example/debian\nSuites: trixie\n", "http://m.example/debian", NULL);
	expect("Types: deb\nURIs:\n http://a.example/debian\n http://b.example/debian\n",
	       "http://a.example/debian", NULL);
	expect("# deb http://old.example/debian stretch main\ndeb http://m.example/debian x main # http://n.example/debian-security",
	       "http://m.example/debian", NULL);
	expect("deb http://snapshot.example/archive/debian/20250520T000000Z bookworm main",
	       "http://snapshot.example/archive/debian/20250520T000000Z", NULL);
	expect("deb http://m.example/ubuntu noble main", NULL, NULL);
	expect("deb http://debian.example/repo stable main", NULL, NULL);
	expect("deb http://m.example/debian-multimedia bookworm main", NULL, NULL);
}

/* What tenants would read in their image, or could not reach from it, or would break out of its line. */
static void test_passed_over(void **state)
{
	expect("deb http://user:secret@m.example/debian bookworm main\ndeb http://m.example/debian x main",
	       "http://m.example/debian", NULL);
	expect("deb file:/srv/debian bookworm main", NULL, NULL);
	expect("deb cdrom:[x]/debian bookworm main", NULL, NULL);
	expect("deb ftp://m.example/debian bookworm main", NULL, NULL);
	expect("deb http://m.example/[x]/debian bookworm main", NULL, NULL);
}

static void test_good(void **state)
{
	assert_true(apt_mirror_is_good("http://m.example/debian"));
	assert_true(apt_mirror_is_good("https://[2001/debian") == false);
	assert_true(apt_mirror_is_good("file:/srv/mirror/debian"));
	static const char *const bad[] = { "",
					   "debian",
					   "m.example/debian",
					   "http://m.example/debian main\ndeb x",
					   "http://a b/",
					   "http://u:p@m.example/debian",
					   "-o=x",
					   "ftp://m.example/" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(apt_mirror_is_good(bad[i]));
}

static void put(int fd, const char *path, const char *text)
{
	assert_int_equal(file_replace(fd, path, text, strlen(text), 0644, false), 0);
}

/* A host as Debian's cloud images are: the URI is in a list that the source names. */
static void test_host(void **state)
{
	char dir[] = "/tmp/vectl-apt-XXXXXX";
	assert_non_null(mkdtemp(dir));
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_mirrors_ struct apt_mirrors none = {}, m = {};
	assert_int_equal(apt_mirrors_of_host(fd, &none), 0);
	assert_null(none.main);
	assert_int_equal(file_mkdirs(fd, "etc/apt/sources.list.d", 0755), 0);
	assert_int_equal(file_mkdirs(fd, "etc/apt/mirrors", 0755), 0);
	put(fd, "etc/apt/sources.list", "# see sources.list.d\n");
	put(fd, "etc/apt/sources.list.d/debian.sources",
	    "Types: deb\nURIs: mirror+file:///etc/apt/mirrors/debian.list\nSuites: trixie\n\n"
	    "Types: deb\nURIs: mirror+file:/etc/apt/mirrors/security.list\nSuites: trixie-security\n");
	put(fd, "etc/apt/sources.list.d/old.list.disabled", "deb http://old.example/debian x main\n");
	put(fd, "etc/apt/sources.list.d/.hidden.list", "deb http://hidden.example/debian x main\n");
	put(fd, "etc/apt/mirrors/debian.list", "https://m.example/debian\tpriority:1\n");
	put(fd, "etc/apt/mirrors/security.list", "https://m.example/debian-security\n");
	assert_int_equal(apt_mirrors_of_host(fd, &m), 0);
	assert_string_equal(m.main, "https://m.example/debian");
	assert_string_equal(m.security, "https://m.example/debian-security");
	file_remove_tree(AT_FDCWD, dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_text), cmocka_unit_test(test_passed_over),
					    cmocka_unit_test(test_good), cmocka_unit_test(test_host) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
