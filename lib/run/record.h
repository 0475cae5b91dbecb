/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The running record, run/vectl/UUID/record.json: which processes are the VE's init and its monitor. A process is
 * known by pid, start time and boot id together, so that a record survives neither a reboot of the host nor the reuse of a pid.
 */
#ifndef RUN_RECORD_H
#define RUN_RECORD_H

#include <stdint.h>
#include <sys/types.h>

#include "base/bootid.h"
#include "base/error.h"

struct record {
	pid_t init_pid, monitor_pid;
	uint64_t init_start, monitor_start; /* clock ticks since boot, /proc/PID/stat field 22 */
	char boot_id[BOOT_ID_SIZE];
	int64_t started_at; /* seconds since 1970 */
};

/* Fills start times and boot id for the two processes. */
int record_make(pid_t init_pid, pid_t monitor_pid, struct record *ret_record, ve_error **ret_error);
int record_write(int run_fd, const struct record *r, ve_error **ret_error);
/* -ENOENT without message where there is none; a damaged one is VE_ERR_DATA. */
int record_read(int run_fd, struct record *ret_record, ve_error **ret_error);
/* A pidfd of init if it is alive and the one recorded, else -ESRCH. */
int record_init(const struct record *r);
bool record_monitor_alive(const struct record *r);
bool record_init_alive(const struct record *r);

#endif
