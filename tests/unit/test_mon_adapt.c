/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which family a VE's distribution is of, by files that somebody wrote who means harm, and what is then written of which kind. */
#include "run/monitor/adapt.c"
#include "run/monitor/files.c"
#include "run/monitor/msg.c"
#include "run/monitor/passwd.c"
#include "run/monitor/pwdlock.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "mon_root.h"
#include "run/blobber.h"

/* ---- os-release ---- */

static struct distribution parse(const char *text)
{
	char copy[1024];
	struct distribution d;
	snprintf(copy, sizeof(copy), "%s", text);
	distribution_parse(copy, strlen(copy), &d);
	return d;
}

static void test_the_families_by_what_distributions_say(void **state)
{
	static const struct {
		const char *text, *id;
		uint32_t family;
	} all[] = {
		{ "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nID=debian\nVERSION_ID=\"13\"\n", "debian", FAMILY_DEBIAN },
		{ "ID=debian\nVERSION_ID=\"99\"\n", "debian", FAMILY_DEBIAN }, /* a newer one */
		{ "ID=ubuntu\nID_LIKE=debian\n", "ubuntu", FAMILY_DEBIAN },
		{ "ID_LIKE=\"ubuntu debian\"\nID='linuxmint'\n", "linuxmint", FAMILY_DEBIAN },
		{ "NAME=\"Alpine Linux\"\nID=alpine\n", "alpine", FAMILY_ALPINE },
		{ "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", "rocky", FAMILY_RHEL },
		{ "ID=fedora\n", "fedora", FAMILY_RHEL },
		{ "ID=\"amzn\"\nID_LIKE=\"fedora\"", "amzn", FAMILY_RHEL },
		{ "ID=arch\nBUILD_ID=rolling\n", "arch", FAMILY_ARCH },
		{ "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", "opensuse-leap", FAMILY_SUSE },
		{ "ID=\"sles\"\n", "sles", FAMILY_SUSE },
		{ "ID=void\n", "void", 0 },
		{ "ID=gentoo\nID_LIKE=\"\"\n", "gentoo", 0 },
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct distribution d = parse(all[i].text);
		assert_string_equal(d.id, all[i].id);
		assert_int_equal(d.family, all[i].family);
	}
}

static void test_what_is_no_word_is_none(void **state)
{
	static const char *const none[] = {
		"", "ID", "ID=", "ID=\"debian", "ID=\"", "ID='", "ID=\"debian'", "ID=\"debian\" x", "ID=Debian", "ID=debian\033[2J", "ID=a\tdebian",
		"ID=../../debian", "ID=$(debian)", "#ID=debian", " ID=debian", "XID=debian", "ID =debian", "ID_LIKE=\"debian\ncentos\"", "ID=\xff",
		"ID=debiandebiandebiandebiandebiandebian",
	};
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct distribution d = parse(none[i]);
		if (d.family)
			fail_msg("'%s' was taken for family %u", none[i], d.family);
		assert_int_equal(strspn(d.id, "abcdefghijklmnopqrstuvwxyz0123456789._-"), strlen(d.id));
	}
	/* The last one counts, as in a shell; one that is no word does not. */
	assert_int_equal(parse("ID=arch\nID=debian\nID=\"\033\"\n").family, FAMILY_DEBIAN);
	char nul[] = "ID=arch\n\0ID=debian\n";
	struct distribution d;
	distribution_parse(nul, sizeof(nul) - 1, &d);
	assert_int_equal(d.family, FAMILY_ARCH);
}

static struct distribution *found; /* shared with the child */

static int find(struct failure *f)
{
	distribution_find(found);
	return 0;
}

static uint32_t family(void)
{
	assert_int_equal(in_root(find, NULL), 0);
	return found->family;
}

static void test_os_release_is_looked_for_inside(void **state)
{
	assert_int_equal(family(), 0); /* the host's says something */
	assert_int_equal(link_to("../../../../../../../../etc/os-release", "etc/os-release"), 0);
	assert_int_equal(family(), 0);
	clear_root();
	assert_int_equal(make_directory("bin"), 0);
	put("bin/busybox", "");
	assert_int_equal(family(), FAMILY_BUSYBOX);
	assert_int_equal(make_directory("usr"), 0);
	assert_int_equal(make_directory("usr/lib"), 0);
	put("usr/lib/os-release", "ID=arch\n");
	assert_int_equal(family(), FAMILY_ARCH);
	put("etc/os-release", "ID=alpine\n");
	assert_int_equal(family(), FAMILY_ALPINE);
	unlink(at("etc/os-release"));
	assert_int_equal(link_to("/usr/lib/os-release", "etc/os-release"), 0);
	assert_int_equal(family(), FAMILY_ARCH);
}

/* Neither waits nor believes. */
static void test_an_os_release_that_is_no_file(void **state)
{
	static int (*const makers[])(const char *) = { make_fifo, make_loop, make_directory, make_huge, make_endless };
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		assert_int_equal(makers[i]("etc/os-release"), 0);
		assert_int_equal(family(), 0);
		assert_string_equal(found->id, "");
		clear_root();
	}
}

/* ---- what is written ---- */

static struct mon mon;
static struct msg *told;

static int apply(struct failure *f)
{
	int r = files_apply(&mon, f);
	adapt_tell(told);
	return r;
}

/* The notes. */
static int32_t write_it(enum blob_file_kind kind, uint32_t families, const char *path, const char *data)
{
	struct blobber b;
	blobber_init(&b, MON_SUPERVISE);
	struct blob_file o = { .kind = kind, .families = families, .path = blobber_str(&b, path), .mode = 0644, .optional = true,
			       .data = { blobber_str(&b, data), (uint32_t)strlen(data) } };
	b.head.files = blobber_vec(&b, &o, 1, sizeof(o));
	assert_int_equal(blobber_finish(&b, NULL), 0);
	mon = (struct mon){ .blob = (const struct blob *)(void *)b.data, .base = b.data };
	assert_int_equal(in_root(apply, NULL), 0);
	blobber_done(&b);
	return told->status;
}
static int32_t set_zone(const char *zone) { return write_it(BF_ZONE, FAMILIES_ALL, "/etc/localtime", zone); }

static void assert_link(const char *path, const char *expected)
{
	char target[256];
	ssize_t n = readlink(at(path), target, sizeof(target) - 1);
	assert_true(n > 0);
	target[n] = '\0';
	assert_string_equal(target, expected);
}

static void put_zones(void)
{
	put("etc/os-release", "ID=debian\n");
	assert_int_equal(make_directory("usr"), 0);
	assert_int_equal(make_directory("usr/share"), 0);
	assert_int_equal(make_directory("usr/share/zoneinfo"), 0);
	assert_int_equal(make_directory("usr/share/zoneinfo/Europe"), 0);
	put("usr/share/zoneinfo/Europe/Berlin", "TZif");
	put("usr/share/zoneinfo/UTC", "TZif");
}

static void test_the_zone_is_a_relative_link(void **state)
{
	struct stat before, after;
	put_zones();
	put("etc/localtime", "a copy, as some have it");
	assert_int_equal(set_zone("Europe/Berlin"), 0);
	assert_link("etc/localtime", "../usr/share/zoneinfo/Europe/Berlin");
	/* What is so already is not made anew. */
	assert_int_equal(lstat(at("etc/localtime"), &before), 0);
	assert_int_equal(set_zone("Europe/Berlin"), 0);
	assert_int_equal(lstat(at("etc/localtime"), &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(set_zone("UTC"), 0);
	assert_link("etc/localtime", "../usr/share/zoneinfo/UTC");
}

static void test_a_zone_that_is_not_there_changes_nothing(void **state)
{
	put_zones();
	assert_int_equal(set_zone("UTC"), 0);
	assert_int_equal(set_zone("Mars/Olympus"), ADAPT_NO_ZONE);
	assert_int_equal(set_zone("Europe"), ADAPT_NO_ZONE);
	unlink(at("usr/share/zoneinfo/Europe/Berlin"));
	assert_int_equal(make_fifo("usr/share/zoneinfo/Europe/Berlin"), 0);
	assert_int_equal(set_zone("Europe/Berlin"), ADAPT_NO_ZONE);
	assert_link("etc/localtime", "../usr/share/zoneinfo/UTC");
	assert_absent("etc/localtime.vectl-new");
}

static void test_what_lies_in_the_way(void **state)
{
	put_zones();
	put("victim", "untouched");
	assert_int_equal(link_to("/victim", "etc/localtime"), 0);
	assert_int_equal(link_to("/victim", "etc/localtime.vectl-new"), 0);
	assert_int_equal(set_zone("UTC"), 0);
	assert_link("etc/localtime", "../usr/share/zoneinfo/UTC");
	assert_contents("victim", "untouched");
	unlink(at("etc/localtime"));
	assert_int_equal(make_directory("etc/localtime"), 0);
	assert_int_equal(set_zone("UTC"), ADAPT_FAILED);
	assert_absent("etc/localtime.vectl-new");
}

static int32_t set_locale(const char *line) { return write_it(BF_LOCALE, FAMILIES_ALL, "/etc/locale.conf", line); }

/* Some bytes, then NAMES, N of them with their NULs. */
static void put_archive(uint32_t magic, uint32_t begin, uint32_t used, const char *names, size_t n)
{
	uint32_t head[14] = { magic, 1, 0, 0, 0, begin, used, used };
	FILE *f = fopen(at("usr/lib/locale/locale-archive"), "we");
	assert_non_null(f);
	fwrite(head, sizeof(head), 1, f);
	fwrite(names, n, 1, f);
	fclose(f);
}

static void test_a_locale_is_written_where_it_is(void **state)
{
	static const char names[] = "en_US.utf8\0german\0de_DE.utf8\0de_DE.utf8@euro";
	put("etc/os-release", "ID=debian\n");
	assert_int_equal(set_locale("LANG=C.UTF-8\n"), 0);
	assert_contents("etc/locale.conf", "LANG=C.UTF-8\n");
	assert_int_equal(set_locale("LANG=de_DE.UTF-8\n"), ADAPT_NO_LOCALE);
	assert_contents("etc/locale.conf", "LANG=C.UTF-8\n");
	assert_int_equal(make_directory("usr"), 0);
	assert_int_equal(make_directory("usr/lib"), 0);
	assert_int_equal(make_directory("usr/lib/locale"), 0);
	assert_int_equal(make_directory("usr/lib/locale/fr_FR.utf8"), 0);
	assert_int_equal(set_locale("LANG=fr_FR.UTF-8\n"), 0);
	put_archive(0xde020109, 56, sizeof(names), names, sizeof(names));
	assert_int_equal(set_locale("LANG=de_DE.UTF-8\n"), 0);
	assert_int_equal(set_locale("LANG=en_US.UTF-8\n"), 0);
	assert_int_equal(set_locale("LANG=de_DE.UTF-8@euro\n"), 0);
	assert_contents("etc/locale.conf", "LANG=de_DE.UTF-8@euro\n");
	/* Only a part of a name, or one of another codeset. */
	assert_int_equal(set_locale("LANG=US.UTF-8\n"), ADAPT_NO_LOCALE);
	assert_int_equal(set_locale("LANG=de_DE\n"), ADAPT_NO_LOCALE);
	/* A link stays what it is. */
	unlink(at("etc/locale.conf"));
	put("victim", "untouched");
	assert_int_equal(link_to("/victim", "etc/locale.conf"), 0);
	assert_int_equal(set_locale("LANG=C\n"), 0);
	assert_link("etc/locale.conf", "/victim");
	assert_contents("victim", "untouched");
}

static void test_an_archive_of_locales_that_lies(void **state)
{
	static const char names[] = "de_DE.utf8";
	static int (*const makers[])(const char *) = { make_fifo, make_loop, make_directory, make_huge, make_endless };
	put("etc/os-release", "ID=debian\n");
	assert_int_equal(make_directory("usr"), 0);
	assert_int_equal(make_directory("usr/lib"), 0);
	assert_int_equal(make_directory("usr/lib/locale"), 0);
	put_archive(0xdeadbeef, 56, sizeof(names), names, sizeof(names));
	assert_int_equal(set_locale("LANG=de_DE.UTF-8\n"), ADAPT_NO_LOCALE);
	put_archive(0xde020109, 0xffffffff, sizeof(names), names, sizeof(names));
	assert_int_equal(set_locale("LANG=de_DE.UTF-8\n"), ADAPT_NO_LOCALE);
	put_archive(0xde020109, 56, 0xffffffff, names, sizeof(names));
	assert_int_equal(set_locale("LANG=de_DE.UTF-8\n"), ADAPT_NO_LOCALE);
	/* Longer than its file, and a last name without its NUL. */
	put_archive(0xde020109, 56, 1 << 20, names, sizeof(names) - 1);
	assert_int_equal(set_locale("LANG=de_DE.UTF-8\n"), ADAPT_NO_LOCALE);
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		unlink(at("usr/lib/locale/locale-archive"));
		assert_int_equal(makers[i]("usr/lib/locale/locale-archive"), 0);
		assert_int_equal(set_locale("LANG=de_DE.UTF-8\n"), ADAPT_NO_LOCALE);
		rmdir(at("usr/lib/locale/locale-archive"));
	}
}

static void test_a_file_is_for_its_families(void **state)
{
	put("etc/os-release", "ID=arch\n");
	assert_int_equal(write_it(BF_REPLACE, FAMILY_DEBIAN | FAMILY_ALPINE, "/etc/x", "x"), 0);
	assert_absent("etc/x");
	assert_int_equal(write_it(BF_REPLACE, FAMILY_DEBIAN | FAMILY_ARCH, "/etc/x", "x"), 0);
	assert_contents("etc/x", "x");
	put("etc/os-release", "ID=plan9\n");
	assert_int_equal(write_it(BF_REPLACE, FAMILIES_ALL, "/etc/y", "y"), ADAPT_UNKNOWN);
	assert_string_equal(told->object, "plan9");
	assert_absent("etc/y");
	/* What is for all asks nobody. */
	assert_int_equal(write_it(BF_REPLACE, 0, "/etc/y", "y"), 0);
	assert_contents("etc/y", "y");
}

int main(void)
{
	found = shared(sizeof(*found));
	told = shared(sizeof(*told));
#define T(name) cmocka_unit_test_setup_teardown(name, root_setup, root_teardown)
	const struct CMUnitTest tests[] = {
		T(test_the_families_by_what_distributions_say),
		T(test_what_is_no_word_is_none),
		T(test_os_release_is_looked_for_inside),
		T(test_an_os_release_that_is_no_file),
		T(test_the_zone_is_a_relative_link),
		T(test_a_zone_that_is_not_there_changes_nothing),
		T(test_what_lies_in_the_way),
		T(test_a_locale_is_written_where_it_is),
		T(test_an_archive_of_locales_that_lies),
		T(test_a_file_is_for_its_families),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
