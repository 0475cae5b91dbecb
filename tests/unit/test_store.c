/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Works for root and for anybody: a store is its owner's or root's. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/config.h"
#include "model/store.h"

struct fixture {
	char root[64];
	struct store *s;
};

#define A "aaaaaaaa-0000-4000-8000-000000000001"
#define B "bbbbbbbb-0000-4000-8000-000000000002"
#define C "cccccccc-0000-4000-8000-000000000003"

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	if (!f)
		return -1;
	strcpy(f->root, "/tmp/ve-unit-store-XXXXXX");
	if (!mkdtemp(f->root) || store_open(f->root, true, &f->s, NULL) < 0)
		return -1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	store_free(f->s);
	int r = file_remove_tree(AT_FDCWD, f->root);
	free(f);
	return r;
}

static mode_t mode_of(const char *root, const char *path)
{
	_cleanup_free_ char *whole = str_printf("%s/%s", root, path);
	struct stat st;
	assert_int_equal(lstat(whole, &st), 0);
	return st.st_mode & 07777;
}

static void make_ve(struct store *s, const char *uuid, const char *name)
{
	_cleanup_config_ struct config *c = NULL;
	_cleanup_close_ int fd = -1;
	assert_int_equal(mkdirat(s->ve_fd, uuid, 0700), 0);
	assert_int_equal(store_open_ve(s, uuid, &fd, NULL), 0);
	assert_int_equal(config_new(name, &c, NULL), 0);
	assert_int_equal(config_put(c, "uuid", json_string(uuid)), 0);
	assert_int_equal(config_save(c, fd, "config.json", false, NULL), 0);
}

/* ---- directories */

static void test_modes(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(mode_of(f->root, "var/lib/vectl/ve"), 0700);
	assert_int_equal(mode_of(f->root, "var/lib/vectl/images"), 0700);
	assert_int_equal(mode_of(f->root, "var/lib/vectl"), 0755);
	assert_int_equal(mode_of(f->root, "run/vectl"), 0755);
	assert_int_equal(mode_of(f->root, "var/log/vectl") & 0027, 0);
	assert_true(f->s->etc_fd >= 0 && f->s->lib_fd >= 0 && f->s->run_fd >= 0 && f->s->log_fd >= 0);
	assert_true(fcntl(f->s->ve_fd, F_GETFD) & FD_CLOEXEC);
}

/* Whatever the caller's umask is. */
static void test_modes_under_umask(void **state)
{
	static const mode_t masks[] = { 0, 077 };
	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		char root[] = "/tmp/ve-unit-store-XXXXXX";
		struct store *s = NULL;
		assert_non_null(mkdtemp(root));
		mode_t old = umask(masks[i]);
		assert_int_equal(store_open(root, true, &s, NULL), 0);
		assert_int_equal(umask(old), masks[i]); /* it is left alone */
		assert_int_equal(mode_of(root, "var/lib/vectl/ve"), 0700);
		assert_int_equal(mode_of(root, "var/lib/vectl"), 0755);
		assert_int_equal(mode_of(root, "run/vectl"), 0755);
		store_free(s);
		assert_int_equal(file_remove_tree(AT_FDCWD, root), 0);
	}
}

static void test_opening_makes_nothing(void **state)
{
	char root[] = "/tmp/ve-unit-store-XXXXXX";
	struct store *s = NULL;
	_cleanup_strv_ char **uuids = NULL;
	char uuid[UUID_LENGTH + 1];
	assert_non_null(mkdtemp(root));
	assert_int_equal(store_open(root, false, &s, NULL), 0);
	assert_int_equal(s->ve_fd, -1);
	assert_int_equal(store_uuids(s, &uuids, NULL), 0);
	assert_null(uuids[0]);
	assert_int_equal(store_find(s, "web1", uuid, NULL), -ENOENT);
	store_free(s);
	assert_int_equal(rmdir(root), 0); /* it is empty */
	s = NULL;
	assert_int_equal(store_open(root, false, &s, NULL), 0); /* not even the root */
	store_free(s);
	assert_int_equal(access(root, F_OK), -1);
}

static void test_root_spellings(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *slashes = str_printf("%s///", f->root), *link = str_printf("%s.link", f->root);
	assert_int_equal(symlink(f->root, link), 0);
	const char *const same[] = { slashes, link };
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		struct store *s = NULL;
		assert_int_equal(store_open(same[i], false, &s, NULL), 0);
		assert_string_equal(s->root, f->root);
		assert_string_equal(s->tag, f->s->tag);
		store_free(s);
	}
	unlink(link);
	assert_int_equal(strlen(f->s->tag), 9);
	assert_int_equal(f->s->tag[0], '-');

	struct store *s = NULL;
	_cleanup_err_ ve_error *e = NULL;
	assert_true(store_open("relative/path", false, &s, &e) < 0);
	assert_int_equal(ve_error_category(e), VE_ERR_USAGE);
	assert_null(s);
}

static void test_template_dirs(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *own = str_printf("%s/etc/vectl/templates", f->root);
	assert_string_equal(f->s->template_dirs[0], own);
	assert_true(str_ends(f->s->template_dirs[1], "/ve"));
	assert_null(f->s->template_dirs[2]);
}

static void expect_refused(const char *root, enum ve_category category, const char *says)
{
	struct store *s = NULL;
	_cleanup_err_ ve_error *e = NULL;
	assert_true(store_open(root, true, &s, &e) < 0);
	assert_null(s);
	assert_int_equal(ve_error_category(e), category);
	if (!strstr(ve_error_message(e), says))
		fail_msg("'%s' is not in '%s'", says, ve_error_message(e));
}

static void test_open_directories_are_refused(void **state)
{
	static const struct {
		const char *path;
		mode_t mode;
	} cases[] = {
		{ "", 0777 }, { "var/lib/vectl", 0775 }, { "var/lib/vectl", 0757 }, { "run/vectl", 0777 },
		{ "etc/vectl", 0777 }, { "var/lib/vectl/claims", 0777 }, { "var/lib/vectl/ve", 0701 },
		{ "var/lib/vectl/ve", 0750 }, { "var/lib/vectl/images", 0755 },
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *path = str_printf("%s/%s", f->root, cases[i].path);
		mode_t before = mode_of(f->root, cases[i].path);
		assert_int_equal(chmod(path, cases[i].mode), 0);
		expect_refused(f->root, VE_ERR_PERMISSION, *cases[i].path ? cases[i].path : f->root);
		assert_int_equal(chmod(path, before), 0);
	}
}

static void test_foreign_directories_are_refused(void **state)
{
	struct fixture *f = *state;
	if (geteuid() != 0)
		skip(); /* only root can give a directory away */
	_cleanup_free_ char *path = str_printf("%s/var/lib/vectl/ve", f->root);
	assert_int_equal(chown(path, 1000, 0), 0);
	expect_refused(f->root, VE_ERR_PERMISSION, "user 1000");
}

static void test_links_in_the_place_of_directories(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *path = str_printf("%s/var/lib/vectl/ve", f->root);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink("/tmp", path), 0);
	expect_refused(f->root, VE_ERR_KERNEL, "var/lib/vectl/ve");
}

/* ---- claims */

static void test_claim(void **state)
{
	struct fixture *f = *state;
	_cleanup_err_ ve_error *e = NULL, *g = NULL;
	char owner[UUID_LENGTH + 1];
	make_ve(f->s, A, "web1");
	make_ve(f->s, B, "web2");
	assert_int_equal(store_claimed_by(f->s, CLAIM_NAME, "web1", owner), -ENOENT);
	assert_int_equal(store_claim(f->s, CLAIM_NAME, "web1", A, NULL), 0);
	assert_int_equal(store_claim(f->s, CLAIM_NAME, "web1", A, NULL), 0); /* its own */
	assert_int_equal(store_claimed_by(f->s, CLAIM_NAME, "web1", owner), 0);
	assert_string_equal(owner, A);
	assert_int_equal(store_claim(f->s, CLAIM_NAME, "web1", B, &e), -EEXIST);
	assert_int_equal(ve_error_category(e), VE_ERR_EXISTS);
	assert_non_null(strstr(ve_error_message(e), "'web1'"));
	/* Kinds do not meet. */
	assert_int_equal(store_claim(f->s, CLAIM_LINK, "web1", B, NULL), 0);
	/* The owner is named by its name. */
	assert_int_equal(store_claim(f->s, CLAIM_ADDRESS, "2001:db8::7", A, NULL), 0);
	assert_int_equal(store_claim(f->s, CLAIM_ADDRESS, "2001:db8::7", B, &g), -EEXIST);
	assert_string_equal(ve_error_message(g), "the address '2001:db8::7' belongs to VE 'web1'");
}

static void test_unclaim(void **state)
{
	struct fixture *f = *state;
	char owner[UUID_LENGTH + 1];
	make_ve(f->s, A, "web1");
	make_ve(f->s, B, "web2");
	assert_int_equal(store_claim(f->s, CLAIM_IDS, "131072", A, NULL), 0);
	store_unclaim(f->s, CLAIM_IDS, "131072", B); /* not B's */
	assert_int_equal(store_claimed_by(f->s, CLAIM_IDS, "131072", owner), 0);
	store_unclaim(f->s, CLAIM_IDS, "131072", A);
	store_unclaim(f->s, CLAIM_IDS, "131072", A);
	assert_int_equal(store_claimed_by(f->s, CLAIM_IDS, "131072", owner), -ENOENT);
	assert_int_equal(store_claim(f->s, CLAIM_IDS, "131072", B, NULL), 0);
}

/* The VE of a claim is gone (kill -9 in the middle of destroy), or the link is no claim at all. */
static void test_dead_claims_are_taken_over(void **state)
{
	struct fixture *f = *state;
	char owner[UUID_LENGTH + 1];
	make_ve(f->s, B, "web2");
	assert_int_equal(symlinkat(A, f->s->claims_fd, "name/web1"), 0);
	assert_int_equal(symlinkat("../../../../etc/passwd", f->s->claims_fd, "name/web3"), 0);
	assert_int_equal(symlinkat(C "x", f->s->claims_fd, "name/web4"), 0);
	static const char *const names[] = { "web1", "web3", "web4" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(store_claimed_by(f->s, CLAIM_NAME, names[i], owner), -ENOENT);
		assert_int_equal(store_claim(f->s, CLAIM_NAME, names[i], B, NULL), 0);
		assert_int_equal(store_claimed_by(f->s, CLAIM_NAME, names[i], owner), 0);
		assert_string_equal(owner, B);
	}
}

static void test_dead_claims_are_swept(void **state)
{
	struct fixture *f = *state;
	_cleanup_strv_ char **names = NULL;
	make_ve(f->s, A, "web1");
	assert_int_equal(store_make_ve(f->s, C, true, NULL), 0);
	assert_int_equal(store_claim(f->s, CLAIM_NAME, "web1", A, NULL), 0);
	assert_int_equal(store_claim(f->s, CLAIM_NAME, "run-c", C, NULL), 0);
	assert_int_equal(store_sweep_claims(f->s, NULL), 0);
	assert_int_not_equal(faccessat(f->s->lib_fd, "lock", F_OK, 0), 0); /* nothing to do needs no lock */
	assert_int_equal(symlinkat(B, f->s->claims_fd, "name/gone"), 0);
	assert_int_equal(symlinkat(B, f->s->claims_fd, "ids/1000013824"), 0);
	assert_int_equal(store_sweep_claims(f->s, NULL), 0);
	assert_int_equal(store_claim_keys(f->s, CLAIM_NAME, &names, NULL), 0);
	assert_int_equal(strv_length((const char *const *)names), 2);
	assert_int_not_equal(faccessat(f->s->claims_fd, "ids/1000013824", F_OK, AT_SYMLINK_NOFOLLOW), 0);
}

/* A jail's directory is in memory; everything that asks for a VE finds it there. */
static void test_jails(void **state)
{
	struct fixture *f = *state;
	_cleanup_strv_ char **uuids = NULL;
	char found[UUID_LENGTH + 1];
	int fd = -1;
	make_ve(f->s, A, "web1");
	assert_int_equal(store_make_ve(f->s, B, true, NULL), 0);
	assert_int_equal(store_make_ve(f->s, B, true, NULL), -EEXIST);
	assert_int_equal(mode_of(f->root, "run/vectl/jails/" B), 0700);
	assert_int_not_equal(faccessat(f->s->ve_fd, B, F_OK, 0), 0);
	assert_true(store_has_ve(f->s, B));
	assert_int_equal(store_find(f->s, B, found, NULL), 0);
	assert_int_equal(store_uuids(f->s, &uuids, NULL), 0);
	assert_int_equal(strv_length((const char *const *)uuids), 2);
	assert_int_equal(store_open_ve(f->s, B, &fd, NULL), 0);
	assert_int_equal(mkdirat(fd, "below", 0700), 0);
	close(fd);
	assert_int_equal(store_remove_ve(f->s, B), 0);
	assert_int_equal(store_remove_ve(f->s, B), 0);
	assert_false(store_has_ve(f->s, B));
	assert_true(store_has_ve(f->s, A));
}

static void test_malformed_keys(void **state)
{
	static const char *const bad[] = {
		"", ".", "..", ".hidden", "a/b", "/etc/passwd", "../name/web1", "a\nb", "a b",
	};
	struct fixture *f = *state;
	char owner[UUID_LENGTH + 1];
	make_ve(f->s, A, "web1");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_true(store_claim(f->s, CLAIM_NAME, bad[i], A, NULL) < 0);
		assert_int_equal(store_claimed_by(f->s, CLAIM_NAME, bad[i], owner), -ENOENT);
		store_unclaim(f->s, CLAIM_NAME, bad[i], A);
	}
	assert_true(store_claim(f->s, CLAIM_NAME, "web1", "no-uuid", NULL) < 0);
}

static void test_a_look_claims_nothing(void **state)
{
	struct fixture *f = *state;
	_cleanup_err_ ve_error *e = NULL;
	char owner[UUID_LENGTH + 1];
	make_ve(f->s, A, "web1");
	assert_int_equal(store_claim(f->s, CLAIM_NAME, "web1", A, NULL), 0);
	f->s->look_only = true;
	assert_int_equal(store_claim(f->s, CLAIM_NAME, "web1", B, &e), -EEXIST);
	assert_int_equal(ve_error_category(e), VE_ERR_EXISTS);
	assert_int_equal(store_claim(f->s, CLAIM_NAME, "web1", A, NULL), 0);
	assert_int_equal(store_claim(f->s, CLAIM_NAME, "web2", B, NULL), 0);
	assert_int_equal(store_claimed_by(f->s, CLAIM_NAME, "web2", owner), -ENOENT);
	store_unclaim(f->s, CLAIM_NAME, "web1", A);
	assert_int_equal(store_claimed_by(f->s, CLAIM_NAME, "web1", owner), 0);
}

static void test_claim_keys(void **state)
{
	struct fixture *f = *state;
	_cleanup_strv_ char **none = NULL, **two = NULL;
	make_ve(f->s, A, "web1");
	assert_int_equal(store_claim_keys(f->s, CLAIM_IDS, &none, NULL), 0);
	assert_null(none[0]);
	assert_int_equal(store_claim(f->s, CLAIM_IDS, "131072", A, NULL), 0);
	assert_int_equal(store_claim(f->s, CLAIM_IDS, "196608", A, NULL), 0);
	assert_int_equal(store_claim_keys(f->s, CLAIM_IDS, &two, NULL), 0);
	assert_int_equal(strv_length((const char *const *)two), 2);
}

/* Many processes want the same keys, some of which are dead claims: each key has one owner in the end, and just as
 * many say that they got one. */
static void test_claims_race(void **state)
{
	enum { PROCESSES = 8, KEYS = 50 };
	struct fixture *f = *state;
	pid_t children[PROCESSES];
	unsigned got = 0;
	for (int i = 0; i < PROCESSES; i++) {
		char uuid[UUID_LENGTH + 1] = A;
		uuid[7] = (char)('0' + i);
		assert_int_equal(mkdirat(f->s->ve_fd, uuid, 0700), 0);
	}
	for (int k = 0; k < KEYS; k += 2) {
		char path[32];
		snprintf(path, sizeof(path), "ids/%d", k);
		assert_int_equal(symlinkat(C, f->s->claims_fd, path), 0);
	}
	for (int i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] > 0)
			continue;
		char uuid[UUID_LENGTH + 1] = A, key[8];
		struct store *s;
		int n = 0;
		uuid[7] = (char)('0' + i);
		if (store_open(f->root, true, &s, NULL) < 0)
			_exit(255);
		for (int k = 0; k < KEYS; k++) {
			snprintf(key, sizeof(key), "%d", k);
			int r = store_claim(s, CLAIM_IDS, key, uuid, NULL);
			if (r < 0 && r != -EEXIST)
				_exit(255);
			n += r == 0;
		}
		_exit(n);
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status;
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 255);
		got += (unsigned)WEXITSTATUS(status);
	}
	assert_int_equal(got, KEYS);
}

/* ---- finding */

static void test_find(void **state)
{
	struct fixture *f = *state;
	char uuid[UUID_LENGTH + 1];
	_cleanup_err_ ve_error *near = NULL, *far = NULL, *hostile = NULL;
	make_ve(f->s, A, "web1");
	assert_int_equal(store_claim(f->s, CLAIM_NAME, "web1", A, NULL), 0);
	assert_int_equal(store_find(f->s, "web1", uuid, NULL), 0);
	assert_string_equal(uuid, A);
	assert_int_equal(store_find(f->s, A, uuid, NULL), 0);
	assert_int_equal(store_find(f->s, B, uuid, NULL), -ENOENT);
	assert_int_equal(store_find(f->s, "web", uuid, &near), -ENOENT);
	assert_int_equal(ve_error_category(near), VE_ERR_NOT_FOUND);
	assert_string_equal(ve_error_hint(near), "did you mean 'web1'?");
	assert_int_equal(store_find(f->s, "database", uuid, &far), -ENOENT);
	assert_null(ve_error_hint(far));
	assert_int_equal(store_find(f->s, "../ve\n", uuid, &hostile), -ENOENT);
	assert_null(strchr(ve_error_message(hostile), '\n'));
}

static void test_uuids(void **state)
{
	struct fixture *f = *state;
	_cleanup_strv_ char **uuids = NULL;
	make_ve(f->s, A, "web1");
	make_ve(f->s, B, "web2");
	assert_int_equal(mkdirat(f->s->ve_fd, "lost+found", 0700), 0);
	assert_int_equal(store_uuids(f->s, &uuids, NULL), 0);
	assert_int_equal(strv_length((const char *const *)uuids), 2);
}

static void test_open_ve_and_run(void **state)
{
	struct fixture *f = *state;
	int fd = -1;
	_cleanup_err_ ve_error *e = NULL, *g = NULL;
	struct stat st;
	assert_int_equal(store_open_ve(f->s, A, &fd, &e), -ENOENT);
	assert_int_equal(ve_error_category(e), VE_ERR_NOT_FOUND);
	assert_true(store_open_ve(f->s, "../claims", &fd, NULL) < 0);
	assert_int_equal(symlinkat("/tmp", f->s->ve_fd, B), 0);
	assert_true(store_open_ve(f->s, B, &fd, NULL) < 0);
	assert_int_equal(store_open_run(f->s, A, false, &fd, &g), -ENOENT);
	assert_null(g); /* not running is no error */
	assert_int_equal(fd, -1);
	assert_int_equal(store_open_run(f->s, A, true, &fd, NULL), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	close(fd);
	assert_int_equal(store_open_run(f->s, A, false, &fd, NULL), 0);
	close(fd);
}

static void test_installation(void **state)
{
	setenv("VECTL_DATADIR", "/opt/x/share", 1);
	assert_string_equal(store_data_dir(), "/opt/x/share");
	setenv("VECTL_DATADIR", "relative", 1);
	assert_int_equal(store_data_dir()[0], '/');
	unsetenv("VECTL_DATADIR");
	assert_int_equal(store_data_dir()[0], '/');
	assert_int_equal(store_libexec_dir()[0], '/');
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_modes), CASE(test_modes_under_umask), CASE(test_opening_makes_nothing),
		CASE(test_root_spellings), CASE(test_template_dirs), CASE(test_open_directories_are_refused),
		CASE(test_foreign_directories_are_refused), CASE(test_links_in_the_place_of_directories),
		CASE(test_claim), CASE(test_a_look_claims_nothing), CASE(test_unclaim), CASE(test_dead_claims_are_taken_over),
		CASE(test_dead_claims_are_swept), CASE(test_jails),
		CASE(test_malformed_keys), CASE(test_claim_keys), CASE(test_claims_race), CASE(test_find),
		CASE(test_uuids), CASE(test_open_ve_and_run), CASE(test_installation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
