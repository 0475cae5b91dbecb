/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * storm KIND MOST: takes as much as it can get of what KIND names, at most MOST of it, says "N" or "N refused: WHY", and
 * holds it until it is killed. storm calm: a hundred of each of what a neighbour needs; says "fine" and ends.
 * Static, and run inside a VE by storms.bats.
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1 << 20, TABLE = 2 << 20 /* what one page of a page table maps */ };

/* Each takes the Ith of its kind: 0, or -1 with errno. */

static int take_process(long i)
{
	(void)i;
	pid_t pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	return pid < 0 ? -1 : 0;
}

/* Everyone who was born goes on, until nobody may. */
static int take_bomb(long i)
{
	(void)i;
	for (;;)
		if (fork() < 0)
			return -1;
}

static int take_memory(long i)
{
	(void)i;
	char *p = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return -1;
	memset(p, 1, MIB);
	return 0;
}

static int take_page_table(long i)
{
	(void)i;
	volatile char *p = mmap(NULL, 2 * TABLE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return -1;
	madvise((void *)p, 2 * TABLE, MADV_NOHUGEPAGE);
	return p[0] + p[TABLE];
}

static int take_segment(long i)
{
	(void)i;
	int id = shmget(IPC_PRIVATE, MIB, IPC_CREAT | 0600);
	void *p = id < 0 ? (void *)-1 : shmat(id, NULL, 0);
	if (p == (void *)-1)
		return -1;
	memset(p, 1, MIB);
	return 0;
}

static int append(const char *path)
{
	static char block[MIB];
	memset(block, 1, sizeof(block)); /* no zeroes, which some file systems do not store */
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ssize_t n = fd < 0 ? -1 : write(fd, block, sizeof(block));
	int saved = n >= 0 && n < (ssize_t)sizeof(block) ? ENOSPC : errno;
	if (fd >= 0)
		close(fd);
	errno = saved;
	return n == (ssize_t)sizeof(block) ? 0 : -1;
}

static int take_tmpfs(long i)
{
	(void)i;
	return append("/dev/shm/storm");
}

static int take_disk(long i)
{
	(void)i;
	return append("/root/filler");
}

static int take_inode(long i)
{
	char path[64];
	snprintf(path, sizeof(path), "/root/inodes/%ld", i);
	mkdir("/root/inodes", 0700);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 ? -1 : close(fd);
}

static int take_file(long i)
{
	(void)i;
	return open("/dev/null", O_RDONLY | O_CLOEXEC) < 0 ? -1 : 0;
}

static int take_pty(long i)
{
	(void)i;
	return open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC) < 0 ? -1 : 0;
}

static int take_inotify(long i)
{
	(void)i;
	return inotify_init1(IN_CLOEXEC) < 0 ? -1 : 0;
}

static int take_key(long i)
{
	char name[32];
	snprintf(name, sizeof(name), "storm%ld", i);
	return syscall(SYS_add_key, "user", name, "x", 1, -3 /* the session's keyring */) < 0 ? -1 : 0;
}

static int take_namespace(int flag, const char *name)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	if (unshare(flag) < 0)
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC) < 0 ? -1 : 0; /* it lives as long as this is open */
}

static int take_network(long i)
{
	(void)i;
	return take_namespace(CLONE_NEWNET, "net");
}

static int take_ipc(long i)
{
	(void)i;
	return take_namespace(CLONE_NEWIPC, "ipc");
}

static int take_uts(long i)
{
	(void)i;
	return take_namespace(CLONE_NEWUTS, "uts");
}

static int take_mount(long i)
{
	(void)i;
	return mount("storm", "/mnt", "tmpfs", 0, "size=4k");
}

static int take_queue(long i)
{
	char name[32];
	struct mq_attr attr = { .mq_maxmsg = 10, .mq_msgsize = 8192 };
	snprintf(name, sizeof(name), "/storm%ld", i);
	return mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr) < 0 ? -1 : 0;
}

static int take_signal(long i)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = (int)i });
}

static int take_locked(long i)
{
	(void)i;
	void *p = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? -1 : mlock(p, MIB);
}

/* Of 2 MiB, out of those that the host has set aside. */
static int take_huge_page(long i)
{
	(void)i;
	char *p = mmap(NULL, 2 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (p == MAP_FAILED)
		return -1;
	*p = 1;
	return 0;
}

static const struct kind {
	const char *name;
	int (*take)(long i);
} kinds[] = {
	{ "bomb", take_bomb },	       { "processes", take_process }, { "memory", take_memory }, { "tables", take_page_table },
	{ "segments", take_segment },  { "tmpfs", take_tmpfs },	      { "disk", take_disk },	 { "inodes", take_inode },
	{ "files", take_file },	       { "ptys", take_pty },	      { "inotify", take_inotify }, { "keys", take_key },
	{ "networks", take_network },  { "ipcs", take_ipc },	      { "utss", take_uts },	 { "mounts", take_mount },
	{ "queues", take_queue },      { "signals", take_signal },    { "locked", take_locked },
	{ "hugepages", take_huge_page },
};

static const struct kind *find(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

/* Descriptors are not what this is about. */
static void raise_files(void)
{
	struct rlimit l;
	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

static int calm(void)
{
	static const char *const needed[] = { "files", "ptys", "inotify", "processes", "memory" };
	for (size_t k = 0; k < sizeof(needed) / sizeof(needed[0]); k++)
		for (long i = 0; i < (strcmp(needed[k], "memory") == 0 ? 8 : 100); i++)
			if (find(needed[k])->take(i) < 0) {
				printf("%s %ld: %s\n", needed[k], i, strerror(errno));
				fflush(stdout);
				kill(0, SIGKILL);
			}
	puts("fine");
	fflush(stdout);
	/* The hundred go with it: they are in a process group of their own. */
	kill(0, SIGKILL);
	return 0;
}

int main(int argc, char **argv)
{
	raise_files();
	if (argc == 2 && strcmp(argv[1], "calm") == 0) {
		/* Who waits for the words is not among those who are killed. */
		int status;
		pid_t pid = fork();
		if (pid == 0) {
			setpgid(0, 0);
			_exit(calm());
		}
		waitpid(pid, &status, 0);
		/* Until they are gone what they had is not free for the next hundred. */
		for (int ms = 0; ms < 30000 && kill(-pid, 0) == 0; ms++)
			usleep(1000);
		return 0;
	}
	const struct kind *kind = argc == 3 ? find(argv[1]) : NULL;
	if (!kind)
		return 64;
	long n = 0, most = atol(argv[2]);
	while (n < most && kind->take(n) == 0)
		n++;
	if (n < most)
		printf("%ld refused: %s\n", n, strerror(errno));
	else
		printf("%ld\n", n);
	fflush(stdout);
	for (;;)
		pause();
}
