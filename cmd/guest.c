/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest.h"

#include <unistd.h>

#include "report.h"
#include "util.h"

bool guest_terminal(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* Nothing else of the caller's environment is anyone's business inside. */
void guest_environment(const struct strings *env, bool tty, struct strings *ret_env)
{
	const char *term = tty ? getenv("TERM") : NULL;

	if (term && *term)
		strings_add(ret_env, x_printf("TERM=%s", term));
	for (size_t i = 0; i < env->n; i++)
		strings_add(ret_env, x_strdup(env->items[i]));
}

int guest_end(struct call *call, int r, int status, ve_error *e)
{
	if (r < 0)
		return report_failure(call, r, e);
	report_warnings(call);
	return status;
}
