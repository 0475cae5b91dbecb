/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/hostcheck.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"
#include "cg/cgroup.h"
#include "fs/storage.h"
#include "model/state.h"
#include "net/net.h"
#include "run/heal.h"
#include "sys/probe.h"

static void add_answer(json_t *rows, const char *feature, enum probe_answer answer, bool required, const char *needed_by,
		       const char *detail, const char *hint)
{
	static const char *const words[] = {
		[PROBE_ABSENT] = "absent", [PROBE_LOW] = "low", [PROBE_PRESENT] = "present"
	};
	bool present = answer == PROBE_PRESENT;
	json_array_append_new(rows, json_pack("{s:s,s:s,s:b,s:b,s:s,s:s,s:s?}", "feature", feature, "state",
					      words[answer], "present", present, "required", required, "needed_by",
					      needed_by ? needed_by : "", "detail", detail ? detail : "", "hint",
					      present ? NULL : hint));
}

static void add(json_t *rows, const char *feature, bool present, bool required, const char *needed_by, const char *detail,
		const char *hint)
{
	add_answer(rows, feature, present ? PROBE_PRESENT : PROBE_ABSENT, required, needed_by, detail, hint);
}

static void probe_row(const char *feature, enum probe_answer answer, bool required, const char *needed_by,
		      const char *detail, const char *hint, void *rows)
{
	add_answer(rows, feature, answer, required, needed_by, detail, hint);
}

static void cg_row(const char *feature, bool present, const char *detail, const char *hint, void *rows)
{
	/* Without a place in the tree or a device filter no VE is started; a missing controller only weakens limits. */
	bool required = str_eq(feature, "cgroups") || str_eq(feature, "device filter");
	add(rows, feature, present, required, required ? "every VE" : "limits", detail, hint);
}

static void net_row(const char *feature, bool present, const char *detail, const char *hint, void *rows)
{
	add(rows, feature, present, false, "network", detail, hint);
}

/* What somebody has taken away from VEs that run: heal.c puts it back. */
static void ve_networks_row(struct ve_ctx *ctx, json_t *rows)
{
	_cleanup_strv_ char **uuids = NULL;
	_cleanup_free_ char *fault = NULL;
	unsigned n = 0, n_faulty = 0;
	if (ctx_open(ctx, false, NULL) < 0 || store_uuids(ctx->store, &uuids, NULL) < 0)
		return;
	for (char **u = uuids; u && *u; u++) {
		_cleanup_ve_ struct ve *v = NULL;
		struct net_missing missing;
		if (handle_open_uuid(ctx, *u, &v, NULL) < 0)
			continue;
		enum ve_state s = handle_state(v, NULL);
		if ((s != STATE_RUNNING && s != STATE_FROZEN) || heal_look(v, &missing, NULL) < 0)
			continue;
		n++;
		if (missing.n > 0 && n_faulty++ == 0)
			fault = str_printf("of '%s' is missing: %s", v->name, missing.first);
	}
	_cleanup_free_ char *detail =
		n_faulty > 1 ? str_printf("%s; of %u more VEs, too", fault ? fault : "", n_faulty - 1) :
		n_faulty     ? str_printf("%s", fault ? fault : "") :
			       str_printf("whole, %u running VEs", n);
	add(rows, "ve-networks", n_faulty == 0, false, "network", detail, "vectl recover puts it back");
}

/* No VE may need it, so that a word for those who would is enough. */
static void user_quota_row(json_t *rows)
{
	_cleanup_err_ ve_error *e = NULL;
	bool has = storage_check_user_quotas(&e) == 0;
	add(rows, "user-quotas", has, false, "disk.user_quota", has ? "ext4 keeps them" : ve_error_message(e), ve_error_hint(e));
}

static void program_row(json_t *rows, const char *program, const char *needed_by, const char *hint)
{
	static const char *const dirs[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/bin", "/usr/local/sbin" };
	char path[128];
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s", dirs[i], program);
		if (access(path, X_OK) == 0) {
			add(rows, program, true, false, needed_by, path, NULL);
			return;
		}
	}
	add(rows, program, false, false, needed_by, "not found", hint);
}

/* Where the VEs' files are, or will be: the nearest directory that is there. */
static int open_store_place(const struct ve_ctx *ctx)
{
	_cleanup_free_ char *lib = str_printf("%s/var/lib/vectl", str_eq(ctx->root, "/") ? "" : ctx->root);
	int fd = lib ? open(lib, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd < 0)
		fd = open(ctx->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A host without a store has the defaults. */
static bool wants_fastpath(struct ve_ctx *ctx)
{
	return ctx_open(ctx, false, NULL) < 0 || ctx_host(ctx, NULL) < 0 || ctx->host->fastpath;
}

int hostcheck(struct ve_ctx *ctx, json_t **ret_doc, ve_error **ret_error)
{
	int r = ctx_need_root(ret_error);
	if (r < 0)
		return r;
	json_t *rows = json_array();
	if (!rows)
		return err_nomem(ret_error);
	_cleanup_close_ int place = open_store_place(ctx);
	probe_all(place, probe_row, rows);
	cg_host_check(cg_row, rows);
	net_host_check(store_data_dir(), wants_fastpath(ctx), net_row, rows);
	user_quota_row(rows);
	ve_networks_row(ctx, rows);
	program_row(rows, "mmdebstrap", "image build debian-*", "apt install mmdebstrap");
	program_row(rows, "busybox", "image build busybox", "apt install busybox-static");
	*ret_doc = rows;
	return 0;
}
