/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pressure: how much of the time some of a VE's processes stood and waited for a resource. Every cgroup2 group measures
 * it, with controllers or without; a kernel without PSI, or booted with psi=0, does not.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/guard.h"
#include "cg/backend.h"

double cg_host_pressure(struct cg_host *h, const char *name, const char *resource)
{
	char file[32], path[CG_FILE_MAX], text[256];
	double some;
	if (h->v2 < 0 || cg_base(h, &h->hierarchies[h->v2], false, NULL) < 0)
		return -1;
	snprintf(file, sizeof(file), "%s.pressure", resource);
	cg_file_name(name, file, path);
	_cleanup_close_ int fd = openat(h->hierarchies[h->v2].base_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	/* Where it is switched off the file is there, and cannot be read. */
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	return sscanf(text, "some avg10=%lf", &some) == 1 ? some : -1;
}
