/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * floor ROOT COMMAND [ARG]...: the least that a contained command can cost on this kernel: clone3 with the same eight
 * namespaces as a jail, id maps, pivot_root, exec. No cgroup, no seccomp, no fresh /proc, no library but libc. The bench
 * holds everybody against it, in time and in the kernel's own memory for a container.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void put(pid_t pid, const char *file, const char *text)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	close(fd);
}

int main(int argc, char **argv)
{
	char go = 1;
	int p[2], status;
	if (argc < 3 || pipe2(p, O_CLOEXEC) < 0)
		errx(64, "usage: floor ROOT COMMAND [ARG]...");
	struct clone_args a = { .flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
					 CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWTIME, .exit_signal = SIGCHLD };
	pid_t pid = (pid_t)syscall(SYS_clone3, &a, sizeof(a));
	if (pid < 0)
		err(1, "clone3");
	if (pid == 0) {
		if (read(p[0], &go, 1) != 1 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount(argv[1], argv[1], NULL, MS_BIND | MS_REC, NULL) < 0 || chdir(argv[1]) < 0 ||
		    syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
			err(125, "child");
		execv(argv[2], argv + 2);
		err(127, "%s", argv[2]);
	}
	put(pid, "uid_map", "0 2000000000 65536");
	put(pid, "gid_map", "0 2000000000 65536");
	if (write(p[1], &go, 1) != 1 || waitpid(pid, &status, 0) < 0)
		err(1, "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
