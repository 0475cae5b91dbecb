/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/livemount.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "run/join.h"
#include "run/rootplan.h"

struct operation {
	const char *text;
	bool add;
};

/* First what goes, the last one first: it may be inside another. */
static unsigned difference(const json_t *from, const json_t *to, struct operation ret[2 * BINDMOUNTS_MAX])
{
	unsigned n = 0;
	for (size_t i = json_array_size(from); i-- > 0;) {
		const char *text = json_string_value(json_array_get(from, i));
		if (!config_list_has(to, text))
			ret[n++] = (struct operation){ text, false };
	}
	for (size_t i = 0; i < json_array_size(to); i++) {
		const char *text = json_string_value(json_array_get(to, i));
		if (!config_list_has(from, text))
			ret[n++] = (struct operation){ text, true };
	}
	return n;
}

static int join_with(struct ve *v, struct blobber *b, const struct blob_mount *m, ve_error **ret_error)
{
	b->head.mounts = blobber_vec(b, m, 1, sizeof(*m));
	return join_work(v, b, ret_error);
}

static int add(struct ve *v, const struct bindmount *spec, ve_error **ret_error)
{
	struct hostmount h = { .spec = *spec, .fd = -1 };
	_cleanup_blobber_ struct blobber b = { 0 };
	_cleanup_close_ int userns = handle_open_ns(v, "user", ret_error);
	int r = userns < 0 ? userns : hostmount_open(v->ctx->store, &h, ret_error);
	if (r < 0)
		return r;
	_cleanup_close_ int mount = h.fd;
	blobber_init(&b, MON_JOIN);
	b.head.fd_userns = blobber_fd(&b, userns);
	const struct blob_mount m = rootplan_bind(&b, &h);
	return join_with(v, &b, &m, ret_error);
}

static int take_away(struct ve *v, const struct bindmount *spec, ve_error **ret_error)
{
	_cleanup_blobber_ struct blobber b = { 0 };
	_cleanup_close_ int source = open(spec->source, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (source < 0) {
		int r = err_make(ret_error, VE_ERR_STATE, errno, "mounts", "cannot tell which mount in '%s' is that of '%s'", v->name,
				 spec->source);
		err_hint(ret_error, "--pending writes it down, and a restart takes it away");
		return r;
	}
	blobber_init(&b, MON_JOIN);
	const struct blob_mount m = { .kind = BM_UNBIND, .target = blobber_str(&b, spec->target + 1), .fd = blobber_fd(&b, source) };
	return join_with(v, &b, &m, ret_error);
}

static int operate(struct ve *v, const char *text, bool is_new, ve_error **ret_error)
{
	struct bindmount spec;
	int r = bindmount_parse(text, &spec, ret_error);
	if (r < 0)
		return r;
	return is_new ? add(v, &spec, ret_error) : take_away(v, &spec, ret_error);
}

int livemount_change(struct ve *v, const struct config *from, const struct config *to, ve_error **ret_error)
{
	struct operation all[2 * BINDMOUNTS_MAX];
	unsigned n = difference(config_list(from, "mounts"), config_list(to, "mounts"), all), i = 0;
	/* What joins it would be frozen, too. */
	if (n > 0 && handle_has_mark(v, "frozen"))
		return err_plain(ret_error, VE_ERR_STATE, EBUSY, "mounts", "cannot change mounts while '%s' is frozen", v->name);
	int r = 0;
	for (; r == 0 && i < n; i++)
		r = operate(v, all[i].text, all[i].add, ret_error);
	for (unsigned done = r < 0 ? i - 1 : 0; done-- > 0;)
		if (operate(v, all[done].text, !all[done].add, NULL) < 0)
			ctx_warn(v->ctx, "could not take back the change of '%s' in '%s'", all[done].text, v->name);
	return r;
}
