/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/lacking.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "sys/probe.h"

struct search {
	bool overlay;
	char feature[64]; /* the first that is absent; "" where none is */
};

static void look(const char *feature, enum probe_answer answer, bool required, const char *needed_by,
		 const char *detail, const char *hint, void *data)
{
	struct search *s = data;
	bool needed = required || (s->overlay && needed_by && str_eq(needed_by, "disk.backend=overlay"));
	if (answer != PROBE_PRESENT && needed && !s->feature[0])
		snprintf(s->feature, sizeof(s->feature), "%s", feature);
}

/* What the command itself did wrong, or a test injected, is no lack of the host's. */
static bool may_be_lack(const ve_error *e)
{
	enum ve_category c = ve_error_category(e);
	const char *stage = ve_error_stage(e);
	return (c == VE_ERR_KERNEL || c == VE_ERR_UNSUPPORTED || c == VE_ERR_NO_ROOM) && !str_eq(stage, "exec") &&
	       !str_eq(stage, "fault");
}

int lacking_explain(struct ve_ctx *ctx, const char *backend, int tree_fd, int r, ve_error **error)
{
	struct search s = { .overlay = str_eq(backend, "overlay") };
	if (r >= 0 || !error || !*error || !may_be_lack(*error))
		return r;
	_cleanup_close_ int fd = openat(tree_fd >= 0 ? tree_fd : ctx->store->lib_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	probe_all(fd, look, &s);
	if (!s.feature[0])
		return r;
	_cleanup_err_ ve_error *words = NULL;
	int lack = probe_one(s.feature, fd, &words);
	if (lack == 0)
		return r;
	ve_error_free(*error);
	*error = steal_ptr(&words);
	return lack;
}
