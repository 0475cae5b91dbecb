/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/schema.h"
#include "model/units.h"
#include "run/account.h"
#include "run/heal.h"
#include "run/join.h"
#include "run/livemount.h"
#include "run/plan.h"

static int apply_limits(struct ve *v, const struct config *from, const struct config *to, ve_error **ret_error)
{
	struct cg_limits a, b, change;
	struct cg *cg = NULL;
	plan_limits(from, &a);
	plan_limits_of(v, to, &b);
	if (!cg_limits_change(&a, &b, &change))
		return 0;
	/* Also where a limit of disks is taken away: they are the VE's own. */
	if (change.n_disks == 0 && plan_limits_disks(from))
		plan_disks(&change, (const int[]){ v->dir_fd, v->ctx->store->images_fd }, 2);
	int r = ctx_cgroups(v->ctx, ret_error);
	if (r == 0)
		r = cg_open(v->ctx->cg, handle_place(v).path, &cg, ret_error);
	if (r == 0)
		r = cg_apply(cg, &change, ctx_warn_sentence, v->ctx, ret_error);
	cg_free(cg);
	return r;
}

static int rlimits_of(struct ve *v, const struct config *c, struct plan *ret_plan, ve_error **ret_error)
{
	*ret_plan = (struct plan){ .ve = v, .config = c };
	plan_limits(c, &ret_plan->limits);
	return plan_rlimits(ret_plan, ret_error);
}

static int refuse_rlimits(const struct ve *v, int errnum, ve_error **ret_error)
{
	int r = err_make(ret_error, errnum == EPERM ? VE_ERR_PERMISSION : VE_ERR_KERNEL, errnum, "set",
			 "cannot set the resource limits of the first process of '%s'", v->name);
	if (errnum == EPERM)
		err_hint(ret_error, "this process lacks the capability SYS_RESOURCE; --pending writes them for the next start");
	return r;
}

static bool same_rlimit(const struct rlimit *a, const struct rlimit *b)
{
	return a->rlim_cur == b->rlim_cur && a->rlim_max == b->rlim_max;
}

static int change_rlimits(struct ve *v, pid_t init, const struct plan *a, const struct plan *b, ve_error **ret_error)
{
	struct rlimit old[RLIMITS_MAX];
	bool changed[RLIMITS_MAX] = { false };
	for (int i = 0; i < b->n_rlimits; i++) {
		const struct rlimit_value *to = &b->rlimits[i];
		/* What does not change stays as init itself may have set it. */
		if (rlimits_is_frozen(to->resource) || same_rlimit(&a->rlimits[i].limit, &to->limit))
			continue;
		changed[i] = prlimit(init, (__rlimit_resource_t)to->resource, &to->limit, &old[i]) == 0;
		if (changed[i])
			continue;
		int r = refuse_rlimits(v, errno, ret_error);
		while (--i >= 0)
			if (changed[i])
				prlimit(init, (__rlimit_resource_t)b->rlimits[i].resource, &old[i], NULL);
		return r;
	}
	return 0;
}

/* Init has them at once, and hands them on; a process that runs already keeps its own. */
static int apply_rlimits(struct ve *v, const struct config *from, const struct config *to, ve_error **ret_error)
{
	struct plan a, b;
	struct record rec;
	const json_t *old = config_raw(from, "rlimits"), *fresh = config_raw(to, "rlimits");
	if (old == fresh || json_equal(old, fresh))
		return 0;
	int r = rlimits_of(v, from, &a, ret_error);
	if (r == 0)
		r = rlimits_of(v, to, &b, ret_error);
	if (r == 0)
		r = record_read(v->run_fd, &rec, ret_error);
	if (r < 0)
		return r;
	/* Held, so that the number stays this process' own for as long as it lives. */
	_cleanup_close_ int init = record_init(&rec);
	if (init < 0)
		return err_plain(ret_error, VE_ERR_STATE, ESRCH, "set", "'%s' has just stopped", v->name);
	r = change_rlimits(v, rec.init_pid, &a, &b, ret_error);
	if (r == 0)
		ctx_warn(v->ctx, "rlimits of '%s': its first process has them, and what is started from now on; what runs already "
				 "keeps its own", v->name);
	return r;
}

static int apply_network(struct ve *v, const struct config *from, const struct config *to, ve_error **ret_error)
{
	struct net_plan old_net = { 0 }, new_net = { 0 };
	struct net_if old_ifs[PLAN_MAX_IFS], new_ifs[PLAN_MAX_IFS];
	if (json_equal(config_raw(from, "network"), config_raw(to, "network")))
		return 0;
	int r = plan_network(v->ctx, from, old_ifs, &old_net, ret_error);
	if (r == 0)
		r = plan_network(v->ctx, to, new_ifs, &new_net, ret_error);
	if (r == 0)
		r = net_check(&new_net, ret_error);
	_cleanup_close_ int netns = r == 0 ? handle_open_ns(v, "net", ret_error) : -1;
	if (r == 0)
		r = netns < 0 ? netns : net_change(&old_net, &new_net, netns, ret_error);
	if (r > 0) {
		heal_others(v);
		r = 0;
	}
	plan_network_done(&old_net);
	plan_network_done(&new_net);
	return r;
}

static int apply_firewall(struct ve *v, const struct config *from, const struct config *to, ve_error **ret_error)
{
	struct net_plan old_net = { 0 }, new_net = { 0 };
	struct net_if old_ifs[PLAN_MAX_IFS], new_ifs[PLAN_MAX_IFS];
	if (json_equal(config_raw(from, "firewall"), config_raw(to, "firewall")))
		return 0;
	int r = plan_network(v->ctx, from, old_ifs, &old_net, ret_error);
	if (r == 0)
		r = plan_network(v->ctx, to, new_ifs, &new_net, ret_error);
	if (r == 0 && new_net.n_ifs > 0)
		r = net_check(&new_net, ret_error);
	if (r == 0)
		r = net_change_firewall(&old_net, &new_net, ret_error);
	plan_network_done(&old_net);
	plan_network_done(&new_net);
	return r;
}

/* The quotas that stand in the ledger, and events of what has come of them. */
static int apply_quotas(struct ve *v, const struct config *from, const struct config *to, ve_error **ret_error)
{
	struct net_plan net;
	struct net_if ifs[PLAN_MAX_IFS];
	if (json_equal(config_raw(from, "network"), config_raw(to, "network")))
		return 0;
	int r = plan_network(v->ctx, to, ifs, &net, ret_error);
	if (r < 0)
		return r;
	r = account_watch(v, to, &net, NULL, ret_error);
	plan_network_done(&net);
	return r;
}

/* A joiner in the VE's uts namespace, with nothing to run. */
static int apply_hostname(struct ve *v, const struct config *from, const struct config *to, ve_error **ret_error)
{
	const char *a = config_string(from, "hostname"), *b = config_string(to, "hostname");
	if (str_eq(a, b))
		return 0;
	_cleanup_blobber_ struct blobber plan = { 0 };
	blobber_init(&plan, MON_JOIN);
	plan.head.hostname = blobber_str(&plan, b ? b : v->name);
	return join_work(v, &plan, ret_error);
}

static int (*const appliers[])(struct ve *, const struct config *, const struct config *, ve_error **) = {
	apply_limits,
	apply_rlimits,
	apply_network,
	apply_firewall,
	apply_quotas,
	apply_hostname,
	livemount_change,
};

/* An interface that is new to C comes with the next start, and its keys with it. */
static bool has_interface_of(const struct config *running, const char *key)
{
	char object[16];
	snprintf(object, sizeof(object), "%.*s", (int)(strcspn(key + strlen("network."), ".") + strlen("network.")), key);
	return config_raw(running, object) != NULL;
}

static int take_live(const char *key, json_t *old_value, json_t *new_value, void *data)
{
	struct config *out = data;
	const struct schema_key *row = schema_find(key);
	if (!row || !(row->flags & SCHEMA_BUILT) || !schema_change_is_live(row, key, old_value, new_value) ||
	    (str_starts(key, "network.") && !has_interface_of(out, key)))
		return 0;
	return config_put(out, key, json_incref(new_value));
}

/* What C may bring now: the running configuration with C's live keys. Keys that wait for a restart keep the value
 * that the VE runs with. */
static int live_part(const struct config *running, const struct config *c, struct config **ret_config, ve_error **ret_error)
{
	_cleanup_config_ struct config *out = NULL;
	int r = config_copy(running, &out, ret_error);
	if (r == 0)
		r = config_diff(running, c, take_live, out, ret_error);
	if (r == 0)
		*ret_config = steal_ptr(&out);
	return r;
}

static void forget(struct applied *a)
{
	config_free(a->before);
	config_free(a->after);
	*a = (struct applied){ 0 };
}

void apply_revert(struct applied *a)
{
	while (a->n_done > 0) {
		a->n_done--;
		appliers[a->n_done](a->ve, a->after, a->before, NULL);
	}
	forget(a);
}

int apply_live(struct ve *v, const struct config *c, struct applied *ret_applied, ve_error **ret_error)
{
	struct applied a = { .ve = v };
	int r = handle_running_config(v, &a.before, ret_error);
	if (r < 0)
		return r == -ENOENT ? err_plain(ret_error, VE_ERR_DATA, ENOENT, "set", "running.json of '%s' is missing", v->name) : r;
	r = live_part(a.before, c, &a.after, ret_error);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(appliers); i++) {
		r = appliers[i](v, a.before, a.after, ret_error);
		if (r == 0)
			a.n_done++;
	}
	if (r < 0) {
		apply_revert(&a);
		return r;
	}
	*ret_applied = a;
	return 0;
}

int apply_take(struct applied *a, const char *key, const struct config *c, ve_error **ret_error)
{
	if (!a->ve)
		return 0;
	return config_put(a->after, key, json_incref(config_raw(c, key))) < 0 ? err_nomem(ret_error) : 0;
}

void apply_keep(struct applied *a)
{
	if (!a->ve)
		return;
	char *text = json_dumps(a->after->root, JSON_COMPACT);
	if (text)
		file_replace(a->ve->run_fd, "running.json", text, strlen(text), 0600, false);
	free(text);
	forget(a);
}
