/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/fault.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

const char *const fault_stages[] = {
	"claim", "storage", "config", "access", "plan", "disk", "volumes", "network-check", "control-groups", "device-filter", "limits",
	"run-files", "spawn", "network", "record",
	/* the monitor's steps */
	"groups", "clone", "maps", "layers", "timens", "links", "init", "commit",
	/* the child's stages; those of what joins bear the same names */
	"identity", "cgroup", "clocks", "root", "mounts", "nesting", "terminal", "pivot", "shed", "settings", "files", "users", "copy", "account",
	"confine", "seccomp", "user", "exec", NULL,
};

#ifdef VE_FAULTS
/* Splits VE_FAULT. ERRNUM 0: kill. */
static bool wanted(char stage[32], int *ret_errnum)
{
	const char *text = secure_getenv("VE_FAULT");
	size_t n = text ? strcspn(text, ":") : 0;
	if (!n || n >= 32)
		return false;
	memcpy(stage, text, n);
	stage[n] = '\0';
	if (!text[n])
		*ret_errnum = EIO;
	else
		*ret_errnum = strcmp(text + n + 1, "kill") == 0 ? 0 : atoi(text + n + 1);
	return true;
}
#endif

int fault_point(const char *stage, ve_error **ret_error)
{
#ifdef VE_FAULTS
	char name[32];
	int errnum;
	if (!wanted(name, &errnum) || strcmp(name, stage) != 0)
		return 0;
	if (errnum == 0)
		raise(SIGKILL);
	return err_make(ret_error, VE_ERR_KERNEL, errnum, "fault", "fault injected at stage '%s'", stage);
#else
	(void)stage;
	(void)ret_error;
	return 0;
#endif
}

void fault_forward(struct blobber *b)
{
#ifdef VE_FAULTS
	char name[32];
	int errnum;
	if (!wanted(name, &errnum))
		return;
	b->head.fault = blobber_str(b, name);
	b->head.fault_errno = errnum;
#else
	(void)b;
#endif
}
