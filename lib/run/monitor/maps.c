/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the monitor writes below /proc/PID of the child: id maps and the offsets of its clocks. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "base/file.h"
#include "mon.h"

static int write_proc(pid_t pid, const char *file, const char *text, struct failure *f)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	errno = -file_poke(AT_FDCWD, path, text);
	return errno ? fail(f, "write", file) : 0;
}

int maps_write(struct mon *m, struct failure *f)
{
	char map[64];
	snprintf(map, sizeof(map), "0 %u %u\n", m->blob->id_base, m->blob->id_count);
	if (write_proc(m->child, "uid_map", map, f) < 0)
		return -1;
	return write_proc(m->child, "gid_map", map, f);
}

/* The VE's clocks start at zero now. Written by the monitor: the child may not while it is non-dumpable. */
int timens_write(struct mon *m, struct failure *f)
{
	struct timespec mono, boot;
	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	char text[128];
	snprintf(text, sizeof(text), "monotonic %lld 0\nboottime %lld 0\n", -(long long)mono.tv_sec,
		 -(long long)boot.tv_sec);
	return write_proc(m->child, "timens_offsets", text, f);
}
