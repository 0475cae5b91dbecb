/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * askquota [--nested] COMMAND user|group|project DEVICE|- ID [BYTES]: one quotactl(2), and what became of it: "ok", with what it
 * brought, or the name of the error.
 *
 *   format info get next sync     look; "get" says BYTES of LIMIT
 *   set                           limits ID to BYTES, or, without, to nothing
 *   grace                         BYTES seconds
 *   usage                         says that ID uses BYTES
 *   on off xfs                    what is nobody's inside
 *   wild                          "get" to where there is no memory; wild-device: a name that is there
 *
 * --nested: as the root of a user namespace of its own.
 *
 * askquota storm DEVICE SECONDS: processes that ask without a pause, each killed at once and made anew; and in the end once more, from one
 * that lives.
 *
 * Static: it runs inside a VE.
 */
#include <err.h>
#include <errno.h>
#include <linux/quota.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STORM = 8, UNIT = 1024, XFS_GETQUOTA = ('X' << 8) + 3 };

static const struct {
	const char *name;
	unsigned number;
} commands[] = {
	{ "format", Q_GETFMT }, { "info", Q_GETINFO }, { "get", Q_GETQUOTA },	{ "next", Q_GETNEXTQUOTA },    { "sync", Q_SYNC },
	{ "set", Q_SETQUOTA },	{ "grace", Q_SETINFO }, { "usage", Q_SETQUOTA }, { "on", Q_QUOTAON },	       { "off", Q_QUOTAOFF },
	{ "xfs", XFS_GETQUOTA }, { "wild", Q_GETQUOTA }, { "wild-device", Q_GETQUOTA },
};

static int quota(unsigned command, int type, const char *device, unsigned id, void *data)
{
	return (int)syscall(SYS_quotactl, QCMD(command, type), device, id, data);
}

static int type_of(const char *word)
{
	return strcmp(word, "user") == 0 ? USRQUOTA : strcmp(word, "group") == 0 ? GRPQUOTA : PRJQUOTA;
}

static int ask(const char *what, int type, const char *device, unsigned id, unsigned long long bytes)
{
	union {
		struct if_dqblk limits;
		struct if_nextdqblk next;
		struct if_dqinfo info;
		unsigned format;
	} d = { 0 };
	unsigned number = 0;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, what) == 0)
			number = commands[i].number;
	if (strcmp(what, "set") == 0)
		d.limits = (struct if_dqblk){ .dqb_bhardlimit = bytes / UNIT, .dqb_valid = QIF_BLIMITS };
	else if (strcmp(what, "usage") == 0)
		d.limits = (struct if_dqblk){ .dqb_curspace = bytes, .dqb_valid = QIF_SPACE };
	else if (strcmp(what, "grace") == 0)
		d.info = (struct if_dqinfo){ .dqi_bgrace = bytes, .dqi_valid = IIF_BGRACE };
	void *to = strcmp(what, "wild") == 0 ? (void *)-4096L : &d;
	if (strcmp(what, "wild-device") == 0)
		device = (const char *)8;
	if (quota(number, type, device, id, to) < 0) {
		printf("%s\n", strerrorname_np(errno));
		return 1;
	}
	if (number == Q_GETQUOTA)
		printf("ok %llu of %llu\n", (unsigned long long)d.limits.dqb_curspace, (unsigned long long)d.limits.dqb_bhardlimit * UNIT);
	else if (number == Q_GETNEXTQUOTA)
		printf("ok %u\n", d.next.dqb_id);
	else if (number == Q_GETFMT)
		printf("ok %u\n", d.format);
	else if (number == Q_GETINFO)
		printf("ok %llu\n", (unsigned long long)d.info.dqi_bgrace);
	else
		printf("ok\n");
	return 0;
}

static pid_t asker(const char *device)
{
	pid_t pid = fork();
	struct if_dqblk d = { .dqb_valid = QIF_BLIMITS };
	while (pid == 0) {
		quota(Q_GETQUOTA, USRQUOTA, device, 0, &d);
		quota(Q_SYNC, USRQUOTA, device, 0, NULL);
	}
	return pid;
}

static int storm(const char *device, int seconds)
{
	pid_t pids[STORM];
	time_t until = time(NULL) + seconds;
	for (int i = 0; i < STORM; i++)
		pids[i] = asker(device);
	for (int i = 0; time(NULL) < until; i = (i + 1) % STORM) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
		pids[i] = asker(device);
	}
	for (int i = 0; i < STORM; i++)
		kill(pids[i], SIGKILL);
	return ask("get", USRQUOTA, device, 0, 0);
}

int main(int argc, char **argv)
{
	bool nested = argc > 1 && strcmp(argv[1], "--nested") == 0;
	argv += nested;
	argc -= nested;
	if (argc == 4 && strcmp(argv[1], "storm") == 0)
		return storm(argv[2], atoi(argv[3]));
	if (argc < 5)
		errx(64, "usage: askquota [--nested] COMMAND user|group|project DEVICE ID [BYTES]");
	if (nested && unshare(CLONE_NEWUSER) < 0)
		err(1, "unshare");
	const char *device = strcmp(argv[3], "-") == 0 ? NULL : argv[3];
	return ask(argv[1], type_of(argv[2]), device, (unsigned)strtoul(argv[4], NULL, 10), argc > 5 ? strtoull(argv[5], NULL, 10) : 0);
}
