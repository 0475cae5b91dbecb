/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The calling thread's effective capabilities. */
#include "sys/privilege.h"

#include <sys/capability.h>

static const cap_value_t capabilities[PRIVILEGE_COUNT] = {
	[PRIVILEGE_ADMIN] = CAP_SYS_ADMIN,
	[PRIVILEGE_RESOURCE] = CAP_SYS_RESOURCE,
};

bool privilege_held(enum privilege p)
{
	cap_flag_value_t value = CAP_CLEAR;
	cap_t caps = cap_get_proc();
	bool held = caps && cap_get_flag(caps, capabilities[p], CAP_EFFECTIVE, &value) == 0 && value == CAP_SET;
	cap_free(caps);
	return held;
}
