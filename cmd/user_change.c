/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "user_change.h"

#include "call.h"
#include "report.h"
#include "util.h"

int user_change(struct call *call, int (*change)(ve *v, const char *user, ve_error **e), const char *done, const char *already)
{
	const char *user = call->operands[1];
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	int code = call_open_ve(call, &v);
	if (code)
		return code;
	int r = change(v, user, &e);
	if (r < 0)
		return report_failure(call, r, e);
	_cleanup_free_ char *sentence = x_printf("%s the user %s in", done, user);
	return report_change_plain(call, v, r, sentence, already);
}
