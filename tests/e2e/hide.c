/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hide CALL[,CALL]... -- COMMAND [ARG]... : runs COMMAND, to which the kernel seems to lack the named system
 * calls (they answer ENOSYS). For tests of what vectl says on hosts that lack a feature. The filter is inherited
 * by all children.
 *
 * Exit status: the command's own; 125 if the filter could not be set, 126 or 127 if the command could not be run.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))
#define CALL(name) { #name, SYS_##name }

static const struct {
	const char *name;
	uint32_t nr;
} calls[] = {
	CALL(bpf),	   CALL(clone),	      CALL(clone3),		CALL(close_range), CALL(fsconfig),
	CALL(fsmount),	   CALL(fsopen),      CALL(fspick),		CALL(memfd_create), CALL(mount),
	CALL(mount_setattr), CALL(move_mount), CALL(open_tree),		CALL(openat2),	   CALL(pidfd_getfd),
	CALL(pidfd_open),  CALL(pidfd_send_signal), CALL(pivot_root),	CALL(prlimit64),   CALL(quotactl_fd),
	CALL(renameat2),   CALL(seccomp),     CALL(setns),		CALL(statx),	   CALL(umount2),
	CALL(unshare),	   CALL(waitid),
};

enum { MAX_CALLS = 32 };

static int number_of(const char *name)
{
	for (size_t i = 0; i < N_OF(calls); i++)
		if (strcmp(calls[i].name, name) == 0)
			return (int)calls[i].nr;
	return -1;
}

static int usage(void)
{
	fputs("usage: hide CALL[,CALL]... -- COMMAND [ARG]...\nCALL is one of:", stderr);
	for (size_t i = 0; i < N_OF(calls); i++)
		fprintf(stderr, " %s", calls[i].name);
	fputc('\n', stderr);
	return 125;
}

/* Only the native calls: an i386 program would not be fooled. */
static int install(const uint32_t *numbers, unsigned n)
{
	struct sock_filter code[5 + MAX_CALLS];
	unsigned at = 0;
	code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, (uint8_t)(n + 1));
	code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (unsigned i = 0; i < n; i++)
		code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, numbers[i], (uint8_t)(n - i), 0);
	code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
	struct sock_fprog prog = { .len = (unsigned short)at, .filter = code };
	/* Root needs no no_new_privs, and the command under test should not have it. */
	if (geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

int main(int argc, char **argv)
{
	uint32_t numbers[MAX_CALLS];
	unsigned n = 0;
	if (argc < 4 || strcmp(argv[2], "--") != 0)
		return usage();
	for (char *save = NULL, *w = strtok_r(argv[1], ",", &save); w; w = strtok_r(NULL, ",", &save)) {
		int nr = number_of(w);
		if (nr < 0 || n == MAX_CALLS) {
			fprintf(stderr, "hide: '%s' is no call that can be hidden\n", w);
			return usage();
		}
		numbers[n++] = (uint32_t)nr;
	}
	if (install(numbers, n) < 0) {
		fprintf(stderr, "hide: cannot set the filter: %s\n", strerror(errno));
		return 125;
	}
	execvp(argv[3], argv + 3);
	fprintf(stderr, "hide: cannot run '%s': %s\n", argv[3], strerror(errno));
	return errno == ENOENT ? 127 : 126;
}
