/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * timeit [-n ROUNDS] [-w WARMUP] [-m MNTNS] NAME COMMAND [ARG]... [::: NAME COMMAND [ARG]...]...
 *
 * Times commands against each other on a machine that has other things to do. In every round each command runs once, in
 * an order that turns from round to round, so that whatever disturbs the machine disturbs all; what is reported is the
 * median of the times and, for each command, the median over the rounds of (time of the first command / time of this one),
 * with its quartiles: below 1 the first is faster.
 *
 * NAME beginning with '-' : run in every round, at its place, untimed (makes and removes what others need); a round
 *       that has such commands keeps its order.
 * NAME beginning with '@' : run in the mount namespace MNTNS (a file), which is entered before the clock starts.
 * {}    in an argument    : the number of the round, counted on through all rounds (a fresh name).
 *
 * Output, one line a timed command: NAME <tab> median us <tab> ratio <tab> lower quartile <tab> upper quartile of the ratio.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { MAX_COMMANDS = 32, MAX_ARGS = 256 };

struct command {
	const char *name;
	char **argv;
	int argc;
	bool timed;
	bool in_mntns;
	double *us; /* a time a round */
};

static double now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The value below which the part Q of the N values lies; sorts them. */
static double quantile(double *values, int n, double q)
{
	qsort(values, (size_t)n, sizeof(*values), by_value);
	double at = q * (n - 1);
	int lo = (int)at, hi = lo + 1 < n ? lo + 1 : lo;
	return values[lo] + (values[hi] - values[lo]) * (at - lo);
}

/* TEXT with every {} replaced by ROUND; the caller frees. */
static char *expand(const char *text, int round)
{
	char number[16], *out;
	size_t length;
	int n = snprintf(number, sizeof(number), "%d", round);
	FILE *f = open_memstream(&out, &length);
	if (!f)
		err(1, "open_memstream");
	for (; *text; text++) {
		if (text[0] == '{' && text[1] == '}') {
			fwrite(number, 1, (size_t)n, f);
			text++;
		} else {
			fputc(*text, f);
		}
	}
	if (fclose(f) != 0)
		err(1, "memory");
	return out;
}

/* Root and cwd become those of the namespace: commands name everything by absolute paths. */
static void enter(int mntns_fd)
{
	if (setns(mntns_fd, CLONE_NEWNS) < 0)
		err(1, "entering a mount namespace");
}

/* Runs the command, returns how long it took. The clock starts before the spawn: what a shell would wait for. */
static double run(const struct command *c, int round, int null_fd, int error_fd)
{
	char *argv[MAX_ARGS + 1];
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status;

	for (int i = 0; i < c->argc; i++)
		argv[i] = expand(c->argv[i], round);
	argv[c->argc] = NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, null_fd, 0);
	posix_spawn_file_actions_adddup2(&actions, null_fd, 1);
	posix_spawn_file_actions_adddup2(&actions, error_fd, 2);
	if (ftruncate(error_fd, 0) < 0 || lseek(error_fd, 0, SEEK_SET) < 0)
		err(1, "error file");

	double begin = now_us();
	int r = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	if (r != 0)
		errx(1, "%s: cannot run '%s': %s", c->name, argv[0], strerror(r));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			err(1, "waitpid");
	double took = now_us() - begin;

	posix_spawn_file_actions_destroy(&actions);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		char text[4096];
		ssize_t n = pread(error_fd, text, sizeof(text) - 1, 0);
		text[n > 0 ? n : 0] = '\0';
		errx(1, "%s: round %d ended with status %#x: %s", c->name, round, (unsigned)status, text);
	}
	for (int i = 0; i < c->argc; i++)
		free(argv[i]);
	return took;
}

static int parse(int argc, char **argv, struct command *commands)
{
	int n = 0;
	for (int i = 0; i < argc;) {
		if (n == MAX_COMMANDS || i + 1 >= argc)
			errx(64, "usage: timeit [-n ROUNDS] [-w WARMUP] NAME COMMAND [ARG]... [::: NAME COMMAND...]");
		struct command *c = &commands[n++];
		c->timed = argv[i][0] != '-';
		c->name = c->timed ? argv[i] : argv[i] + 1;
		c->in_mntns = c->name[0] == '@';
		c->name += c->in_mntns;
		c->argv = &argv[++i];
		while (i < argc && strcmp(argv[i], ":::") != 0)
			i++;
		c->argc = (int)(&argv[i] - c->argv);
		if (c->argc < 1 || c->argc > MAX_ARGS)
			errx(64, "'%s' has no command, or too long a one", c->name);
		i++;
	}
	return n;
}

static void report(const struct command *commands, int n, int rounds)
{
	double *ratios = calloc((size_t)rounds, sizeof(*ratios)), *times = calloc((size_t)rounds, sizeof(*times));
	const struct command *first = NULL;
	if (!ratios || !times)
		err(1, "memory");
	for (int i = 0; i < n; i++) {
		const struct command *c = &commands[i];
		if (!c->timed)
			continue;
		if (!first)
			first = c;
		for (int r = 0; r < rounds; r++) {
			ratios[r] = first->us[r] / c->us[r];
			times[r] = c->us[r];
		}
		printf("%s\t%.0f\t%.3f\t%.3f\t%.3f\n", c->name, quantile(times, rounds, 0.5),
		       quantile(ratios, rounds, 0.5), quantile(ratios, rounds, 0.25), quantile(ratios, rounds, 0.75));
	}
	free(ratios);
	free(times);
}

int main(int argc, char **argv)
{
	struct command commands[MAX_COMMANDS];
	int rounds = 30, warmup = 3, option;
	int own_fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), mntns_fd = -1;
	bool ordered = false;

	while ((option = getopt(argc, argv, "+n:w:m:")) != -1) {
		if (option == 'n')
			rounds = atoi(optarg);
		else if (option == 'w')
			warmup = atoi(optarg);
		else if (option == 'm')
			mntns_fd = open(optarg, O_RDONLY | O_CLOEXEC);
		else
			return 64;
	}
	if (rounds < 1 || warmup < 0)
		errx(64, "at least one round");
	int n = parse(argc - optind, argv + optind, commands);
	if (n == 0)
		errx(64, "no command");
	char path[] = "/tmp/timeit.XXXXXX";
	/* Not /dev/null: a peer gives its standard input to its container's root, and the host's node would be that one's. */
	int null_fd = memfd_create("stdio", MFD_CLOEXEC), error_fd = mkostemp(path, O_CLOEXEC);
	if (null_fd < 0 || error_fd < 0)
		err(1, "open");
	unlink(path);
	for (int i = 0; i < n; i++) {
		ordered |= !commands[i].timed;
		commands[i].us = calloc((size_t)rounds, sizeof(double));
		if (!commands[i].us)
			err(1, "memory");
	}
	for (int r = 0; r < warmup + rounds; r++) {
		for (int k = 0; k < n; k++) {
			struct command *c = &commands[ordered ? k : (k + r) % n];
			if (c->in_mntns)
				enter(mntns_fd);
			double us = run(c, r, null_fd, error_fd);
			if (c->in_mntns)
				enter(own_fd);
			if (r >= warmup)
				c->us[r - warmup] = us;
		}
	}
	report(commands, n, rounds);
	return 0;
}
