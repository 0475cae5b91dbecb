/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The probes on the real kernel, and under a filter that answers ENOSYS to one system call after the other:
 * exactly the rows that need the call turn. What this machine (or this user) lacks anyway cannot turn and is
 * left out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "sys/probe.h"

enum { MAX_ROWS = 64 };

struct seen {
	unsigned n;
	struct seen_row {
		char feature[32], detail[256], hint[128];
		bool present, low, required;
	} rows[MAX_ROWS];
};

static void collect(const char *feature, enum probe_answer answer, bool required, const char *needed_by,
		    const char *detail, const char *hint, void *data)
{
	struct seen *s = data;
	struct seen_row *row = &s->rows[s->n++];
	snprintf(row->feature, sizeof(row->feature), "%s", feature);
	snprintf(row->detail, sizeof(row->detail), "%s", detail);
	snprintf(row->hint, sizeof(row->hint), "%s", hint ?: "");
	row->present = answer == PROBE_PRESENT;
	row->low = answer == PROBE_LOW;
	row->required = required;
	if (!needed_by[0] || !detail[0])
		s->n = MAX_ROWS; /* every row says something */
}

static int store_fd(void)
{
	int fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static int hide(int nr)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = ARRAY_SIZE(code), .filter = code };
	if (geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

static const struct {
	const char *name;
	int nr;
	const char *features; /* that turn, between spaces */
} calls[] = {
	{ "clone3", SYS_clone3, " clone3-into-cgroup " },
	{ "pidfd_open", SYS_pidfd_open, " pidfd pidfd-info setns-pidfd " },
	{ "pidfd_send_signal", SYS_pidfd_send_signal, " pidfd " },
	{ "waitid", SYS_waitid, " pidfd " },
	{ "setns", SYS_setns, " setns-pidfd " },
	{ "unshare", SYS_unshare,
	  " user-namespace mount-namespace pid-namespace net-namespace ipc-namespace uts-namespace cgroup-namespace "
	  "time-namespace overlay overlay-idmapped " },
	{ "seccomp", SYS_seccomp, " seccomp " },
	{ "openat2", SYS_openat2, " openat2 " },
	{ "fsopen", SYS_fsopen, " mount-api devpts overlay overlay-idmapped overlay-detached " },
	{ "fsconfig", SYS_fsconfig, " mount-api devpts overlay overlay-idmapped overlay-detached " },
	{ "fsmount", SYS_fsmount, " mount-api devpts overlay overlay-idmapped overlay-detached " },
	{ "open_tree", SYS_open_tree, " mount-api idmapped-mounts overlay-idmapped " },
	{ "mount_setattr", SYS_mount_setattr, " mount-api idmapped-mounts overlay-idmapped " },
	{ "move_mount", SYS_move_mount, " mount-api overlay overlay-idmapped " },
	{ "getppid", SYS_getppid, "" },
};

/* What probe_one() says is what the row says. */
static bool same_words(const struct seen_row *row, int fd)
{
	_cleanup_err_ ve_error *e = NULL;
	int r = probe_one(row->feature, fd, &e);
	if (row->present)
		return r == 0 && !e;
	return r == -EOPNOTSUPP && ve_error_category(e) == VE_ERR_UNSUPPORTED &&
	       strstr(ve_error_message(e), row->feature) && strstr(ve_error_message(e), row->detail) && str_eq(ve_error_hint(e) ?: "", row->hint);
}

/* In a child, where the call CALLS[I] is hidden. 0 is good. */
static int under_filter(size_t i, const struct seen *before, int fd)
{
	struct seen after = { 0 };
	if (hide(calls[i].nr) < 0)
		return 1;
	int n_missing = probe_all(fd, collect, &after), n = 0;
	if (after.n != before->n)
		return 2;
	for (unsigned k = 0; k < after.n; k++) {
		_cleanup_free_ char *word = str_printf(" %s ", before->rows[k].feature);
		bool listed = strstr(calls[i].features, word);
		bool expected = before->rows[k].present && !listed;
		if (after.rows[k].present != expected) {
			fprintf(stderr, "%s hidden: %s is %d (%s)\n", calls[i].name, after.rows[k].feature,
				after.rows[k].present, after.rows[k].detail);
			return 3;
		}
		if (!same_words(&after.rows[k], fd))
			return 4;
		n += after.rows[k].required && !after.rows[k].present;
	}
	return n == n_missing ? 0 : 5;
}

static void test_hidden(void **state)
{
	struct seen before = { 0 };
	_cleanup_close_ int fd = store_fd();
	probe_all(fd, collect, &before);
	assert_in_range(before.n, 20, MAX_ROWS - 1);
	/* "128, below 512": a limit that is there, and too low. */
	for (unsigned k = 0; k < before.n; k++)
		assert_int_equal(before.rows[k].low, strstr(before.rows[k].detail, ", below ") != NULL);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			_exit(under_filter(i, &before, fd));
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (status != 0)
			fail_msg("%s hidden: status %#x", calls[i].name, status);
	}
}

/* What every machine that builds this has. */
static void test_root(void **state)
{
	static const char *const must[] = { "clone3-into-cgroup", "pidfd",	  "user-namespace", "mount-namespace",
					    "pid-namespace",	  "net-namespace", "seccomp",	    "openat2",
					    "mount-api",	  "devpts",	  "idmapped-mounts", "overlay",
					    "overlay-idmapped",	  "time-namespace" };
	if (geteuid() != 0)
		skip(); /* nearly all of them need privilege */
	_cleanup_close_ int fd = store_fd();
	for (size_t i = 0; i < ARRAY_SIZE(must); i++) {
		_cleanup_err_ ve_error *e = NULL;
		if (probe_one(must[i], fd, &e) < 0)
			fail_msg("%s", ve_error_message(e));
	}
}

static void test_store(void **state)
{
	_cleanup_close_ int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_err_ ve_error *e = NULL, *none = NULL, *bug = NULL;
	assert_int_equal(probe_one("idmapped-mounts", proc, &e), -EOPNOTSUPP);
	if (geteuid() == 0)
		assert_non_null(strstr(ve_error_message(e), "'proc' cannot be idmapped"));
	assert_int_equal(probe_one("idmapped-mounts", -1, &none), -EOPNOTSUPP);
	assert_non_null(strstr(ve_error_message(none), "cannot be opened"));
	assert_int_equal(probe_one("warp-drive", -1, &bug), -EINVAL);
	assert_int_equal(ve_error_category(bug), VE_ERR_BUG);
}

/* ---- nothing is left behind ---- */

static unsigned n_open(void)
{
	unsigned n = 0;
	_cleanup_closedir_ DIR *dir = opendir("/proc/self/fd");
	while (readdir(dir))
		n++;
	return n;
}

static volatile sig_atomic_t n_children_heard;

static void heard(int signo)
{
	n_children_heard++;
}

static void test_no_trace(void **state)
{
	_cleanup_free_ char *mounts = NULL, *mounts_after = NULL;
	struct seen seen = { 0 };
	struct sigaction old, hear = { .sa_handler = heard };
	char store[] = "/tmp/vectl-test-XXXXXX";
	assert_non_null(mkdtemp(store));
	_cleanup_close_ int fd = file_opendir(AT_FDCWD, store);
	assert_true(fd >= 0);
	struct stat before, after;
	assert_int_equal(fstat(fd, &before), 0);
	/* Away from whatever else is mounted meanwhile. */
	if (unshare(CLONE_NEWNS) == 0)
		assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(file_read(AT_FDCWD, "/proc/self/mountinfo", 1 << 24, &mounts, NULL), 0);
	unsigned n = n_open();
	sigaction(SIGCHLD, &hear, &old);
	n_children_heard = 0;
	probe_all(fd, collect, &seen);
	/* A caller who ignores SIGCHLD gets the same answers. */
	signal(SIGCHLD, SIG_IGN);
	struct seen again = { 0 };
	probe_all(fd, collect, &again);
	sigaction(SIGCHLD, &old, NULL);
	assert_int_equal(n_children_heard, 0);
	assert_memory_equal(&seen, &again, sizeof(seen));
	assert_int_equal(n_open(), n);
	assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(file_read(AT_FDCWD, "/proc/self/mountinfo", 1 << 24, &mounts_after, NULL), 0);
	assert_string_equal(mounts, mounts_after);
	assert_int_equal(fstat(fd, &after), 0);
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(after.st_mtim));
	assert_int_equal(rmdir(store), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_root),
		cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_store),
		cmocka_unit_test(test_no_trace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
