/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * probe [SECTION | open:PATH]... - run inside a VE, reports what it finds there as one JSON document on standard
 * output, so that tests assert facts. Static: it runs in any image. Without an argument every section is
 * reported. It changes nothing; what has to be tried is tried in children that are thrown away.
 *
 * open:PATH adds to "open" what open(2) for reading answers to PATH (a device node, say).
 */
#include "probe.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "json.h"

extern char **environ;

/* The text behind "NAME:" in /proc/self/status, in BUF; "" if it is not there. */
static const char *status_field(const char *name, char *buf, size_t size)
{
	buf[0] = '\0';
	FILE *f = fopen("/proc/self/status", "re");
	size_t n = strlen(name);
	char line[4096];
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, name, n) != 0 || line[n] != ':')
			continue;
		char *text = line + n + 1;
		text += strspn(text, " \t");
		text[strcspn(text, "\n")] = '\0';
		snprintf(buf, size, "%s", text);
		break;
	}
	if (f)
		fclose(f);
	return buf;
}

static int64_t status_int(const char *name)
{
	char buf[64];
	status_field(name, buf, sizeof(buf));
	return buf[0] ? strtoll(buf, NULL, 10) : -1;
}

/* "Uid:" and "Gid:" have real, effective, saved and filesystem id. */
static void four_ids(const char *field, const char *const names[4])
{
	char buf[128], *save = NULL;
	status_field(field, buf, sizeof(buf));
	char *word = strtok_r(buf, " \t", &save);
	for (int i = 0; i < 4; i++, word = strtok_r(NULL, " \t", &save))
		json_int(names[i], word ? strtoll(word, NULL, 10) : -1);
}

static void report_ids(void)
{
	static const char *const uids[] = { "uid", "euid", "suid", "fsuid" };
	static const char *const gids[] = { "gid", "egid", "sgid", "fsgid" };
	gid_t groups[256];
	four_ids("Uid", uids);
	four_ids("Gid", gids);
	int n = getgroups(256, groups);
	json_array("groups");
	for (int i = 0; i < n; i++)
		json_int(NULL, groups[i]);
	json_end();
}

static void id_map(const char *key, const char *path)
{
	long long inside, outside, count;
	FILE *f = fopen(path, "re");
	json_array(key);
	while (f && fscanf(f, "%lld %lld %lld", &inside, &outside, &count) == 3) {
		json_object(NULL);
		json_int("inside", inside);
		json_int("outside", outside);
		json_int("count", count);
		json_end();
	}
	json_end();
	if (f)
		fclose(f);
}

static void report_maps(void)
{
	char setgroups_text[16] = "";
	id_map("uid", "/proc/self/uid_map");
	id_map("gid", "/proc/self/gid_map");
	FILE *f = fopen("/proc/self/setgroups", "re");
	if (f && fgets(setgroups_text, sizeof(setgroups_text), f))
		setgroups_text[strcspn(setgroups_text, "\n")] = '\0';
	if (f)
		fclose(f);
	json_string("setgroups", setgroups_text);
}

static void cap_set_names(const char *key, const char *field)
{
	char buf[64];
	uint64_t set = strtoull(status_field(field, buf, sizeof(buf)), NULL, 16);
	json_array(key);
	for (int cap = 0; cap < 64; cap++) {
		if (!(set >> cap & 1))
			continue;
		char *name = cap_to_name(cap);
		json_string(NULL, name && strncmp(name, "cap_", 4) == 0 ? name + 4 : name);
		cap_free(name);
	}
	json_end();
}

static void report_caps(void)
{
	cap_set_names("effective", "CapEff");
	cap_set_names("permitted", "CapPrm");
	cap_set_names("inheritable", "CapInh");
	cap_set_names("bounding", "CapBnd");
	cap_set_names("ambient", "CapAmb");
	json_int("securebits", prctl(PR_GET_SECUREBITS));
}

static void link_string(const char *key, const char *path)
{
	char buf[PATH_MAX];
	ssize_t n = readlink(path, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = '\0';
	json_string(key, n < 0 ? NULL : buf);
}

static void report_process(void)
{
	mode_t mask = umask(0);
	umask(mask);
	json_int("pid", getpid());
	json_int("ppid", getppid());
	json_int("no_new_privs", status_int("NoNewPrivs"));
	json_int("seccomp", status_int("Seccomp"));
	json_int("seccomp_filters", status_int("Seccomp_filters"));
	json_int("dumpable", prctl(PR_GET_DUMPABLE));
	json_int("umask", mask);
	json_int("nice", getpriority(PRIO_PROCESS, 0));
	link_string("exe", "/proc/self/exe");
	link_string("cwd", "/proc/self/cwd");
	link_string("root", "/proc/self/root");
}

static void report_namespaces(void)
{
	static const char *const names[] = { "user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[64];
		struct stat st;
		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		if (stat(path, &st) == 0)
			json_int(names[i], (int64_t)st.st_ino);
		else
			json_null(names[i]);
	}
}

/* mountinfo writes space, tab, newline and backslash as octal. */
static char *unescape(char *s)
{
	char *out = s;
	for (char *in = s; *in; in++) {
		if (in[0] == '\\' && isdigit((unsigned char)in[1]) && isdigit((unsigned char)in[2]) &&
		    isdigit((unsigned char)in[3])) {
			*out++ = (char)((in[1] - '0') * 64 + (in[2] - '0') * 8 + (in[3] - '0'));
			in += 3;
		} else {
			*out++ = *in;
		}
	}
	*out = '\0';
	return s;
}

/* ID PARENT MAJ:MIN ROOT TARGET OPTIONS [PROPAGATION]... - TYPE SOURCE SUPER */
static void mount_line(char *line)
{
	static const char *const head[] = { "id", "parent", "device", "root", "target", "options" };
	static const char *const tail[] = { "type", "source", "super" };
	char *save = NULL, *word = strtok_r(line, " \n", &save);
	json_object(NULL);
	for (int i = 0; i < 6 && word; i++, word = strtok_r(NULL, " \n", &save)) {
		if (i < 2)
			json_int(head[i], strtoll(word, NULL, 10));
		else
			json_string(head[i], unescape(word));
	}
	json_array("propagation");
	for (; word && strcmp(word, "-") != 0; word = strtok_r(NULL, " \n", &save))
		json_string(NULL, word);
	json_end();
	for (int i = 0; i < 3 && word; i++)
		if ((word = strtok_r(NULL, " \n", &save)))
			json_string(tail[i], unescape(word));
	json_end();
}

static void report_mounts(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;
	while (f && getline(&line, &size, f) > 0)
		mount_line(line);
	free(line);
	if (f)
		fclose(f);
}

static void one_fd(const char *name)
{
	char path[64];
	int fd = atoi(name), flags = fcntl(fd, F_GETFL), fd_flags = fcntl(fd, F_GETFD);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	json_object(NULL);
	json_int("fd", fd);
	link_string("target", path);
	json_string("access", (flags & O_PATH)		       ? "path" :
			      (flags & O_ACCMODE) == O_RDONLY ? "read" :
			      (flags & O_ACCMODE) == O_WRONLY ? "write" :
								"read-write");
	json_bool("cloexec", fd_flags & FD_CLOEXEC);
	json_end();
}

static void report_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	for (struct dirent *e; dir && (e = readdir(dir));)
		if (isdigit((unsigned char)e->d_name[0]) && atoi(e->d_name) != dirfd(dir))
			one_fd(e->d_name);
	if (dir)
		closedir(dir);
}

static void limit_value(const char *key, rlim_t value)
{
	if (value == RLIM_INFINITY)
		json_null(key);
	else
		json_int(key, (int64_t)value);
}

static void report_rlimits(void)
{
	static const struct {
		const char *name;
		int resource;
	} limits[] = {
		{ "as", RLIMIT_AS },	     { "core", RLIMIT_CORE },	  { "cpu", RLIMIT_CPU },
		{ "data", RLIMIT_DATA },     { "fsize", RLIMIT_FSIZE },	  { "locks", RLIMIT_LOCKS },
		{ "memlock", RLIMIT_MEMLOCK }, { "msgqueue", RLIMIT_MSGQUEUE }, { "nice", RLIMIT_NICE },
		{ "nofile", RLIMIT_NOFILE }, { "nproc", RLIMIT_NPROC },	  { "rss", RLIMIT_RSS },
		{ "rtprio", RLIMIT_RTPRIO }, { "rttime", RLIMIT_RTTIME }, { "sigpending", RLIMIT_SIGPENDING },
		{ "stack", RLIMIT_STACK },
	};
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit limit;
		getrlimit((__rlimit_resource_t)limits[i].resource, &limit);
		json_object(limits[i].name);
		limit_value("soft", limit.rlim_cur);
		limit_value("hard", limit.rlim_max);
		json_end();
	}
}

/* HIERARCHY:CONTROLLERS:PATH */
static void report_cgroup(void)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char *line = NULL;
	size_t size = 0;
	while (f && getline(&line, &size, f) > 0) {
		char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!path)
			continue;
		*controllers++ = *path++ = '\0';
		path[strcspn(path, "\n")] = '\0';
		json_object(NULL);
		json_int("hierarchy", strtoll(line, NULL, 10));
		json_string("controllers", controllers);
		json_string("path", path);
		json_end();
	}
	free(line);
	if (f)
		fclose(f);
}

static void report_host(void)
{
	struct utsname u;
	uname(&u);
	json_string("hostname", u.nodename);
	json_string("domainname", u.domainname);
	json_string("release", u.release);
}

static void report_environment(void)
{
	for (char **e = environ; e && *e; e++)
		json_string(NULL, *e);
}

static void report_session(void)
{
	json_int("sid", getsid(0));
	json_int("pgid", getpgid(0));
	json_string("stdin_tty", ttyname(0));
	json_string("stdout_tty", ttyname(1));
	json_string("stderr_tty", ttyname(2));
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	json_bool("controlling_tty", fd >= 0);
	if (fd < 0) {
		json_null("foreground_pgid");
		return;
	}
	json_int("foreground_pgid", tcgetpgrp(fd));
	close(fd);
}

static void clock_value(const char *key, clockid_t clock)
{
	struct timespec ts;
	clock_gettime(clock, &ts);
	json_int(key, (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

static void report_clocks(void)
{
	clock_value("boottime_ms", CLOCK_BOOTTIME);
	clock_value("monotonic_ms", CLOCK_MONOTONIC);
	clock_value("realtime_ms", CLOCK_REALTIME);
}

static void report_cpus(void)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	json_int("affinity", CPU_COUNT(&set));
	json_int("online", sysconf(_SC_NPROCESSORS_ONLN));
}

static const struct section {
	const char *name;
	bool array;
	void (*report)(void);
} sections[] = {
	{ "ids", false, report_ids },	      { "maps", false, report_maps },
	{ "caps", false, report_caps },	      { "process", false, report_process },
	{ "namespaces", false, report_namespaces }, { "mounts", true, report_mounts },
	{ "fds", true, report_fds },	      { "rlimits", false, report_rlimits },
	{ "cgroup", true, report_cgroup },    { "host", false, report_host },
	{ "environment", true, report_environment }, { "session", false, report_session },
	{ "clocks", false, report_clocks },   { "cpus", false, report_cpus },
	{ "writable", false, report_writable }, { "calls", false, report_calls },
};
enum { N_SECTIONS = sizeof(sections) / sizeof(sections[0]) };

static void run_section(const struct section *s)
{
	(s->array ? json_array : json_object)(s->name);
	s->report();
	json_end();
}

static const struct section *find(const char *name)
{
	for (int i = 0; i < N_SECTIONS; i++)
		if (strcmp(sections[i].name, name) == 0)
			return &sections[i];
	return NULL;
}

static int usage(const char *word)
{
	fprintf(stderr, "probe: there is no section '%s'; the sections are:", word);
	for (int i = 0; i < N_SECTIONS; i++)
		fprintf(stderr, " %s", sections[i].name);
	fputc('\n', stderr);
	return 64;
}

static void report_opens(int argc, char **argv)
{
	json_object("open");
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "open:", 5) != 0)
			continue;
		int fd = open(argv[i] + 5, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		json_errno(argv[i] + 5, fd < 0 ? errno : 0);
		if (fd >= 0)
			close(fd);
	}
	json_end();
}

int main(int argc, char **argv)
{
	bool opens = false;
	for (int i = 1; i < argc; i++) {
		bool is_open = strncmp(argv[i], "open:", 5) == 0;
		if (!is_open && !find(argv[i]))
			return usage(argv[i]);
		opens |= is_open;
	}
	json_object(NULL);
	for (int i = 0; i < N_SECTIONS && argc == 1; i++)
		run_section(&sections[i]);
	for (int i = 1; i < argc; i++)
		if (find(argv[i]))
			run_section(find(argv[i]));
	if (opens)
		report_opens(argc, argv);
	json_end();
	return json_finish();
}
