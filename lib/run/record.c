/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/record.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#include "base/bootid.h"
#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"

enum { BEHIND_NAME = 2, START_TIME = 22 }; /* fields of /proc/PID/stat: proc_pid_stat(5) */

/* Field 22 of /proc/PID/stat, counted behind the ')' that ends the name. 0: no such process, or it is dead (a zombie). */
static uint64_t start_time(pid_t pid)
{
	char path[32], text[1024];
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (pid <= 0 || file_read_line(AT_FDCWD, path, text, sizeof(text)) < 0)
		return 0;
	const char *p = strrchr(text, ')');
	if (!p || p[1] != ' ' || p[2] == 'Z' || p[2] == 'X')
		return 0;
	for (int field = BEHIND_NAME; p && field < START_TIME; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p, NULL, 10) : 0;
}

int record_make(pid_t init_pid, pid_t monitor_pid, struct record *ret_record, ve_error **ret_error)
{
	struct record r = { .init_pid = init_pid, .monitor_pid = monitor_pid };
	r.init_start = start_time(init_pid);
	r.monitor_start = start_time(monitor_pid);
	r.started_at = time(NULL);
	const char *id;
	int e = boot_id(&id);
	if (e < 0)
		return err_sys(ret_error, -e, "record", "cannot read the host's boot id");
	snprintf(r.boot_id, sizeof(r.boot_id), "%s", id);
	*ret_record = r;
	return 0;
}

int record_write(int run_fd, const struct record *r, ve_error **ret_error)
{
	char text[320];
	int n = snprintf(text, sizeof(text),
			 "{\"boot_id\":\"%s\",\"init_pid\":%d,\"init_start\":%llu,\"monitor_pid\":%d,"
			 "\"monitor_start\":%llu,\"started_at\":%lld}\n",
			 r->boot_id, (int)r->init_pid, (unsigned long long)r->init_start, (int)r->monitor_pid,
			 (unsigned long long)r->monitor_start, (long long)r->started_at);
	int e = file_replace(run_fd, "record.json", text, (size_t)n, 0600, false);
	return e < 0 ? err_sys(ret_error, -e, "record", "cannot write the running record") : 0;
}

int record_read(int run_fd, struct record *ret_record, ve_error **ret_error)
{
	_cleanup_free_ char *text = NULL;
	int e = run_fd < 0 ? -ENOENT : file_read(run_fd, "record.json", 4096, &text, NULL);
	if (e == -ENOENT)
		return e;
	if (e < 0)
		return err_sys(ret_error, -e, "record", "cannot read the running record");
	json_error_t je;
	json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, &je);
	struct record r = { 0 };
	const char *id = NULL;
	json_int_t init_pid, init_start, monitor_pid, monitor_start, started_at;
	e = !j || json_unpack(j, "{s:s,s:I,s:I,s:I,s:I,s:I}", "boot_id", &id, "init_pid", &init_pid, "init_start",
			      &init_start, "monitor_pid", &monitor_pid, "monitor_start", &monitor_start, "started_at",
			      &started_at) < 0;
	if (e == 0) {
		r = (struct record){ (pid_t)init_pid,	      (pid_t)monitor_pid, (uint64_t)init_start,
				     (uint64_t)monitor_start, "",		  started_at };
		snprintf(r.boot_id, sizeof(r.boot_id), "%s", id);
		*ret_record = r;
	}
	json_decref(j);
	return e ? err_plain(ret_error, VE_ERR_DATA, EBADMSG, "record", "the running record is damaged") : 0;
}

static bool alive(const struct record *r, pid_t pid, uint64_t start)
{
	const char *now;
	return start && boot_id(&now) == 0 && str_eq(now, r->boot_id) && start_time(pid) == start;
}

bool record_init_alive(const struct record *r)
{
	return alive(r, r->init_pid, r->init_start);
}

bool record_monitor_alive(const struct record *r)
{
	return alive(r, r->monitor_pid, r->monitor_start);
}

int record_init(const struct record *r)
{
	/* The pidfd first: then the process that is looked at cannot become another one. */
	_cleanup_close_ int fd = pidfd_open(r->init_pid, 0);
	if (fd < 0)
		return -errno;
	return record_init_alive(r) ? steal_fd(&fd) : -ESRCH;
}
