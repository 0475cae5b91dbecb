/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Feature probes: one table, a row a feature. A probe answers 0, or the negative errno of what is missing, and may
 * leave a sentence in DETAIL; where it leaves none, the row gets the text of the errno.
 */
#include "sys/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "sys/privilege.h"
#include "sys/syscalls.h"

enum { DETAIL_SIZE = 256, MOUNTINFO_MAX = 16 << 20, PROBE_ID_BASE = 131072 };

struct row {
	const char *feature;
	bool required;
	const char *needed_by, *hint;
	int (*probe)(const struct row *row, int store_fd, char *detail);
	int flag;	  /* namespaces: CLONE_NEW*; privileges: PRIVILEGE_* */
	const char *path; /* limits: the sysctl's file below /proc/sys, and the least good value */
	int64_t least;
};

static void __attribute__((format(printf, 2, 3))) say(char *detail, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(detail, DETAIL_SIZE, fmt, ap);
	va_end(ap);
}

/* The failed call's name before the errno's text. */
static int missing(char *detail, const char *call)
{
	int r = -errno;
	say(detail, "%s: %s", call, strerrordesc_np(-r) ?: "unknown error");
	return r;
}

/* ---- throwaway children ------------------------------------------------------------------------------ */

/* fork(2) without a SIGCHLD: the caller's handler must not hear of our children, and a caller who ignores that
 * signal must not make them unwaitable. The child makes system calls only: the caller may have other threads. */
static pid_t fork_quietly(unsigned long flags)
{
	return (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
}

static int reap(pid_t pid)
{
	int status;
	while (waitpid(pid, &status, __WALL) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

/* Runs FN in a child; its answer and its sentence come back. */
static int in_child(int (*fn)(const void *arg, char *detail), const void *arg, char *detail)
{
	int pipe_fds[2];
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return missing(detail, "pipe2");
	_cleanup_close_ int read_fd = pipe_fds[0], write_fd = pipe_fds[1];
	pid_t pid = fork_quietly(0);
	if (pid < 0)
		return missing(detail, "clone");
	if (pid == 0) {
		char text[DETAIL_SIZE] = "";
		int r = fn(arg, text);
		ssize_t n = write(write_fd, text, strlen(text));
		_exit(n < 0 ? EIO : -r);
	}
	close_fd(&write_fd);
	ssize_t n = read(read_fd, detail, DETAIL_SIZE - 1);
	detail[n > 0 ? n : 0] = '\0';
	return reap(pid);
}

static int write_map(pid_t pid, const char *file, unsigned base)
{
	char path[64], text[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	snprintf(text, sizeof(text), "0 %u 65536\n", base);
	return file_poke(AT_FDCWD, path, text);
}

static int open_userns(pid_t pid, unsigned base)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = write_map(pid, "uid_map", base);
	if (r == 0)
		r = write_map(pid, "gid_map", base);
	return r < 0 ? r : steal_fd(&fd);
}

int probe_userns(unsigned base)
{
	int pipe_fds[2];
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	_cleanup_close_ int read_fd = pipe_fds[0], write_fd = pipe_fds[1];
	pid_t pid = fork_quietly(CLONE_NEWUSER);
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		char c;
		close(write_fd);
		_exit(read(read_fd, &c, 1) == 0 ? 0 : EIO); /* until the parent has what it wants, or is gone */
	}
	int r = open_userns(pid, base);
	close_fd(&write_fd);
	reap(pid);
	return r;
}

/* ---- processes --------------------------------------------------------------------------------------- */

static int probe_privilege(const struct row *row, int store_fd, char *detail)
{
	bool have = privilege_held((enum privilege)row->flag);
	say(detail, have ? "held" : "this process does not hold it");
	return have ? 0 : -EPERM;
}

/* A descriptor that is none: a kernel that knows the flag looks at it (EBADF), one that does not says EINVAL or
 * E2BIG. */
static int probe_clone3(const struct row *row, int store_fd, char *detail)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = INT_MAX };
	pid_t pid = sys_clone3(&args);
	if (pid == 0)
		_exit(0);
	if (pid > 0) {
		reap(pid);
		return 0;
	}
	if (errno == EBADF)
		return 0;
	say(detail, errno == ENOSYS ? "clone3: %s" : "clone3 with CLONE_INTO_CGROUP: %s", strerrordesc_np(errno));
	return -errno;
}

static int probe_pidfd(const struct row *row, int store_fd, char *detail)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (fd < 0)
		return missing(detail, "pidfd_open");
	if (syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) < 0)
		return missing(detail, "pidfd_send_signal");
	/* We are no child of our own: a kernel that knows P_PIDFD says so. */
	siginfo_t info;
	if (waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG) < 0 && errno != ECHILD)
		return missing(detail, "waitid(P_PIDFD)");
	return 0;
}

/* The layout of Linux 6.13; later ones are longer, and take the shorter. */
struct pidfd_info_v0 {
	uint64_t mask, cgroup_id;
	uint32_t ids[14];
};
#define PROBE_PIDFD_GET_INFO _IOWR(0xFF, 11, struct pidfd_info_v0)

static int probe_pidfd_info(const struct row *row, int store_fd, char *detail)
{
	struct pidfd_info_v0 info = { 0 };
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (fd < 0)
		return missing(detail, "pidfd_open");
	return ioctl(fd, PROBE_PIDFD_GET_INFO, &info) < 0 ? missing(detail, "ioctl(PIDFD_GET_INFO)") : 0;
}

static int try_unshare(const void *arg, char *detail)
{
	const struct row *row = arg;
	return unshare(row->flag) < 0 ? missing(detail, "unshare") : 0;
}

static int probe_namespace(const struct row *row, int store_fd, char *detail)
{
	return in_child(try_unshare, row, detail);
}

/* Joining all of a process's namespaces by its pidfd: our own, in a child. User namespaces cannot be joined
 * again. */
static int try_setns(const void *arg, char *detail)
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (fd < 0)
		return missing(detail, "pidfd_open");
	return setns(fd, CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET) < 0 ? missing(detail, "setns") : 0;
}

static int probe_setns(const struct row *row, int store_fd, char *detail)
{
	return in_child(try_setns, NULL, detail);
}

static int probe_seccomp(const struct row *row, int store_fd, char *detail)
{
	uint32_t action = SECCOMP_RET_ERRNO;
	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0 ? missing(detail, "seccomp") : 0;
}

/* ---- files and mounts ------------------------------------------------------------------------------------ */

static int probe_openat2(const struct row *row, int store_fd, char *detail)
{
	_cleanup_close_ int fd = sys_openat2(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, RESOLVE_IN_ROOT);
	return fd < 0 ? missing(detail, "openat2") : 0;
}

/* A new superblock of TYPE, as a detached mount; OPTIONS are pairs of strings, ended by NULL. Where the kernel
 * says why it refuses, its words become the detail. */
static int new_mount(const char *type, const char *const *options, char *detail)
{
	_cleanup_close_ int fd = fsopen(type, FSOPEN_CLOEXEC);
	if (fd < 0)
		return missing(detail, "fsopen");
	int r = 0;
	for (; r == 0 && options && *options; options += 2)
		r = fsconfig(fd, FSCONFIG_SET_STRING, options[0], options[1], 0);
	if (r == 0)
		r = fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r < 0) {
		char words[DETAIL_SIZE / 2];
		r = missing(detail, "fsconfig");
		ssize_t n = read(fd, words, sizeof(words) - 1);
		if (n > 2) { /* "e text\n" */
			words[n - (words[n - 1] == '\n')] = '\0';
			say(detail, "fsconfig: %s (%s)", strerrordesc_np(-r), words + 2);
		}
		return r;
	}
	int mount_fd = fsmount(fd, FSMOUNT_CLOEXEC, 0);
	return mount_fd < 0 ? missing(detail, "fsmount") : mount_fd;
}

static int probe_mount_api(const struct row *row, int store_fd, char *detail)
{
	_cleanup_close_ int tmpfs = new_mount("tmpfs", NULL, detail);
	if (tmpfs < 0)
		return tmpfs;
	_cleanup_close_ int tree = open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return missing(detail, "open_tree");
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOSUID };
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return missing(detail, "mount_setattr");
	if (move_mount(-1, "", -1, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 && errno != EBADF)
		return missing(detail, "move_mount");
	return 0;
}

static int probe_devpts(const struct row *row, int store_fd, char *detail)
{
	_cleanup_close_ int fd = new_mount("devpts", NULL, detail);
	return fd < 0 ? fd : 0;
}

/* The type in the line of /proc/self/mountinfo that begins with "ID ". */
static bool type_in_line(const char *line, unsigned long long id, char *buf, size_t size)
{
	if (strtoull(line, NULL, 10) != id)
		return false;
	const char *dash = strstr(line, " - ");
	size_t n = dash ? strcspn(dash + 3, " \n") : 0;
	if (n == 0 || n >= size)
		return false;
	memcpy(buf, dash + 3, n);
	buf[n] = '\0';
	return true;
}

/* The name of FD's filesystem, else its magic number: only for sentences. */
static void filesystem_of(int fd, char *buf, size_t size)
{
	struct statx sx;
	struct statfs sf;
	_cleanup_free_ char *info = NULL;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &sx) == 0 && (sx.stx_mask & STATX_MNT_ID) &&
	    file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &info, NULL) == 0)
		for (char *line = info; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
			if (type_in_line(line, sx.stx_mnt_id, buf, size))
				return;
	snprintf(buf, size, "%#lx", fstatfs(fd, &sf) == 0 ? (unsigned long)sf.f_type : 0UL);
}

/* A clone of the directory, detached and idmapped. */
static int idmapped_clone(int dir_fd, char *detail)
{
	if (dir_fd < 0) {
		say(detail, "the store's directory cannot be opened");
		return -ENOENT;
	}
	_cleanup_close_ int tree = open_tree(dir_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return missing(detail, "open_tree");
	_cleanup_close_ int userns = probe_userns(PROBE_ID_BASE);
	if (userns < 0) {
		errno = -userns;
		return missing(detail, "a user namespace with a map");
	}
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns };
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return missing(detail, "mount_setattr");
	return steal_fd(&tree);
}

static int probe_idmap(const struct row *row, int store_fd, char *detail)
{
	char type[64];
	_cleanup_close_ int fd = idmapped_clone(store_fd, detail);
	if (store_fd < 0)
		return fd;
	filesystem_of(store_fd, type, sizeof(type));
	int r = fd < 0 ? fd : 0;
	if (r == -EINVAL)
		say(detail, "the store's filesystem '%s' cannot be idmapped", type);
	else if (r == 0)
		say(detail, "the store's filesystem is '%s'", type);
	return r;
}

/* An overlay of two lower layers and none to write to, so that nothing is written: a directory of a tmpfs of the
 * child's own, and either another one or LAYER, a detached mount. The layers are attached (6.1 wants that) in
 * the child's mount namespace, over its "/": names are then looked up from the working directory. */
static int try_overlay(const void *arg, char *detail)
{
	int layer = *(const int *)arg;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return missing(detail, "a mount namespace");
	int tmpfs = new_mount("tmpfs", NULL, detail);
	if (tmpfs < 0)
		return tmpfs;
	if (move_mount(tmpfs, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return missing(detail, "move_mount");
	if (fchdir(tmpfs) < 0 || mkdir("a", 0700) < 0 || mkdir("b", 0700) < 0)
		return missing(detail, "a directory on tmpfs");
	if (layer >= 0 && move_mount(layer, "", tmpfs, "b", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return missing(detail, "move_mount");
	static const char *const options[] = { "lowerdir", "a:b", NULL };
	int fd = new_mount("overlay", options, detail);
	return fd < 0 ? fd : 0;
}

static int probe_overlay(const struct row *row, int store_fd, char *detail)
{
	const int none = -1;
	return in_child(try_overlay, &none, detail);
}

static int probe_overlay_idmapped(const struct row *row, int store_fd, char *detail)
{
	_cleanup_close_ int layer = idmapped_clone(store_fd, detail);
	return layer < 0 ? layer : in_child(try_overlay, &layer, detail);
}

/* Layers that are attached nowhere, passed as descriptors. */
static int probe_overlay_detached(const struct row *row, int store_fd, char *detail)
{
	_cleanup_close_ int a = new_mount("tmpfs", NULL, detail), b = a < 0 ? -1 : new_mount("tmpfs", NULL, detail);
	if (a < 0 || b < 0)
		return a < 0 ? a : b;
	_cleanup_close_ int fd = fsopen("overlay", FSOPEN_CLOEXEC);
	if (fd < 0)
		return missing(detail, "fsopen");
	if (fsconfig(fd, SYS_FSCONFIG_SET_FD, "lowerdir+", NULL, a) < 0 ||
	    fsconfig(fd, SYS_FSCONFIG_SET_FD, "lowerdir+", NULL, b) < 0 ||
	    fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return missing(detail, "fsconfig");
	return 0;
}

/* Whether the store can hold an overlay's upper layer is asked without making one: the layer needs trusted extended
 * attributes, and the kernel refuses remote filesystems and overlays by what they are. */
static int probe_store_upper(const struct row *row, int store_fd, char *detail)
{
	static const char *const never[] = { "overlay", "nfs", "fuse", "9p", "cifs", "smb3", "ceph",
					     "vfat", "exfat", "ntfs3" };
	char type[64], value[1];
	if (store_fd < 0) {
		say(detail, "the store's directory cannot be opened");
		return -ENOENT;
	}
	filesystem_of(store_fd, type, sizeof(type));
	say(detail, "the store's filesystem is '%s'", type);
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (str_starts(type, never[i]))
			return -EINVAL;
	if (fgetxattr(store_fd, "trusted.overlay.opaque", value, sizeof(value)) < 0 && errno == EOPNOTSUPP) {
		say(detail, "the store's filesystem '%s' has no trusted extended attributes", type);
		return -EOPNOTSUPP;
	}
	return 0;
}

/* ---- settings ------------------------------------------------------------------------------------------ */

static int probe_limit(const struct row *row, int store_fd, char *detail)
{
	char path[128], text[64];
	snprintf(path, sizeof(path), "/proc/sys/%s", row->path);
	int r = file_read_line(AT_FDCWD, path, text, sizeof(text));
	if (r < 0) {
		errno = -r;
		return missing(detail, path);
	}
	int64_t value = strtoll(text, NULL, 10);
	if (value >= row->least)
		say(detail, "%lld", (long long)value);
	else
		say(detail, "%lld, below %lld", (long long)value, (long long)row->least);
	return value >= row->least ? 0 : -ERANGE;
}

static int probe_core(const struct row *row, int store_fd, char *detail)
{
	char text[160];
	int r = file_read_line(AT_FDCWD, "/proc/sys/kernel/core_pattern", text, sizeof(text));
	if (r < 0) {
		errno = -r;
		return missing(detail, "/proc/sys/kernel/core_pattern");
	}
	_cleanup_free_ char *quoted = str_quote(text);
	if (text[0] == '|')
		say(detail, "cores go to a program of the host's ('%s'): those of VEs are suppressed", quoted ?: "?");
	else if (text[0] == '@')
		say(detail, "cores go to a socket of the host's ('%s'), those of VEs too", quoted ?: "?");
	else
		say(detail, "core_pattern is '%s'", quoted ?: "?");
	return text[0] == '|' || text[0] == '@' ? -EINVAL : 0;
}

/* ---- the table --------------------------------------------------------------------------------------------- */

#define KERNEL_HINT "a distribution kernel of 6.1 or newer has it"

/* What is left out: cgroups and the device filter (cg asks), nftables and links (net asks), quotas (fs asks). */
static const struct row rows[] = {
	{ "privilege", true, "every verb that touches a VE", "run vectl as root", probe_privilege, .flag = PRIVILEGE_ADMIN },
	{ "clone3-into-cgroup", true, "start and enter", KERNEL_HINT, probe_clone3 },
	{ "pidfd", true, "start, stop and enter", KERNEL_HINT, probe_pidfd },
	{ "pidfd-info", false, "the exit status of an init whose monitor was killed", NULL, probe_pidfd_info },
	{ "setns-pidfd", true, "enter and exec", KERNEL_HINT, probe_setns },
	{ "user-namespace", true, "every VE", KERNEL_HINT, probe_namespace, .flag = CLONE_NEWUSER },
	{ "user-namespace-limit", true, "every VE", "sysctl user.max_user_namespaces=65536", probe_limit,
	  .path = "user/max_user_namespaces", .least = 1 },
	{ "mount-namespace", true, "every VE", KERNEL_HINT, probe_namespace, .flag = CLONE_NEWNS },
	{ "pid-namespace", true, "every VE", KERNEL_HINT, probe_namespace, .flag = CLONE_NEWPID },
	{ "net-namespace", true, "every VE", KERNEL_HINT, probe_namespace, .flag = CLONE_NEWNET },
	{ "ipc-namespace", true, "every VE", KERNEL_HINT, probe_namespace, .flag = CLONE_NEWIPC },
	{ "uts-namespace", true, "every VE", KERNEL_HINT, probe_namespace, .flag = CLONE_NEWUTS },
	{ "cgroup-namespace", true, "every VE", KERNEL_HINT, probe_namespace, .flag = CLONE_NEWCGROUP },
	{ "time-namespace", true, "every VE", KERNEL_HINT, probe_namespace, .flag = CLONE_NEWTIME },
	{ "seccomp", true, "every VE", KERNEL_HINT, probe_seccomp },
	{ "openat2", true, "every access to a VE's files", KERNEL_HINT, probe_openat2 },
	{ "mount-api", true, "every VE's root tree", KERNEL_HINT, probe_mount_api },
	{ "devpts", true, "every VE's terminals", KERNEL_HINT, probe_devpts },
	{ "idmapped-mounts", true, "every VE's root tree",
	  "put the store on a filesystem that can be idmapped: ext4, xfs or btrfs", probe_idmap },
	{ "overlay", false, "disk.backend=overlay", "load the module 'overlay', or use disk.backend=dir", probe_overlay },
	{ "overlay-idmapped", false, "disk.backend=overlay", "use disk.backend=dir", probe_overlay_idmapped },
	{ "overlay-upper", false, "disk.backend=overlay", "put the store on ext4, xfs or btrfs, or use disk.backend=dir",
	  probe_store_upper },
	{ "overlay-detached", false, "a start without a helper process (Linux 6.18)", NULL, probe_overlay_detached },
	{ "sys-resource", false, "rlimits.* above the host's own hard limits", NULL, probe_privilege,
	  .flag = PRIVILEGE_RESOURCE },
	{ "core-files", false, "core files inside VEs", "sysctl kernel.core_pattern=core", probe_core },
	{ "inotify-instances", false, "systemd and containers inside a VE: the limit is each VE's",
	  "vectl tune", probe_limit, .path = "user/max_inotify_instances", .least = 512 },
	{ "ptys", false, "terminals of many VEs: one pool for the host", "vectl tune", probe_limit,
	  .path = "kernel/pty/max", .least = 4096 },
	{ "aio", false, "databases in many VEs: one pool for the host", "vectl tune", probe_limit,
	  .path = "fs/aio-max-nr", .least = 1048576 },
	{ "pids", false, "many VEs: one pool for the host", "vectl tune", probe_limit,
	  .path = "kernel/pid_max", .least = 131072 },
};

/* Asks one row; DETAIL is never empty afterwards. RET_HINT: what to do, NULL where the feature is present. */
static enum probe_answer ask(const struct row *row, int store_fd, char detail[DETAIL_SIZE], const char **ret_hint)
{
	detail[0] = '\0';
	int r = row->probe(row, store_fd, detail);
	if (!detail[0])
		say(detail, "%s", r == 0 ? "yes" : strerrordesc_np(-r) ?: "unknown error");
	/* A system call that is not there is the kernel's fault, whatever the row would say. */
	*ret_hint = r == 0 ? NULL : r == -ENOSYS && row->hint ? KERNEL_HINT : row->hint;
	return r == 0 ? PROBE_PRESENT : r == -ERANGE && row->least ? PROBE_LOW : PROBE_ABSENT;
}

int probe_all(int store_dir_fd, probe_row_fn fn, void *data)
{
	int n_missing = 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char detail[DETAIL_SIZE];
		const struct row *row = &rows[i];
		const char *hint;
		enum probe_answer answer = ask(row, store_dir_fd, detail, &hint);
		fn(row->feature, answer, row->required, row->needed_by, detail, hint, data);
		n_missing += row->required && answer != PROBE_PRESENT;
	}
	return n_missing;
}

int probe_one(const char *feature, int store_dir_fd, ve_error **ret_error)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char detail[DETAIL_SIZE];
		const struct row *row = &rows[i];
		if (!str_eq(row->feature, feature))
			continue;
		const char *hint;
		if (ask(row, store_dir_fd, detail, &hint) == PROBE_PRESENT)
			return 0;
		int r = err_plain(ret_error, VE_ERR_UNSUPPORTED, EOPNOTSUPP, "check",
				  "the host lacks '%s', needed by %s: %s", feature, row->needed_by, detail);
		if (hint)
			err_hint(ret_error, "%s", hint);
		return r;
	}
	return err_plain(ret_error, VE_ERR_BUG, EINVAL, "check", "'%s' is no feature that is probed", feature);
}
