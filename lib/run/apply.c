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
#include "run/plan.h"

static int apply_limits(struct ve *v, const struct config *from, const struct config *to, ve_error **ret_error)
{
	struct cg_limits a, b;
	struct cg *cg = NULL;
	plan_limits(from, &a);
	plan_limits(to, &b);
	if (memcmp(&a, &b, sizeof(a)) == 0)
		return 0;
	/* What is no longer set goes back to the kernel's default: no limit. */
	if (b.swap_bytes == CG_UNSET && a.swap_bytes != CG_UNSET)
		b.swap_bytes = UNITS_UNLIMITED;
	if (b.cpu_cores == CG_UNSET && a.cpu_cores != CG_UNSET)
		b.cpu_cores = UNITS_UNLIMITED;
	if (b.cpu_limit_mc == CG_UNSET && a.cpu_limit_mc != CG_UNSET)
		b.cpu_limit_mc = UNITS_UNLIMITED;
	int r = ctx_cgroups(v->ctx, ret_error);
	if (r == 0)
		r = cg_open(v->ctx->cg, v->name, &cg, ret_error);
	if (r == 0)
		r = cg_apply(cg, &b, ctx_warn_sentence, v->ctx, ret_error);
	cg_free(cg);
	return r;
}

static int apply_network(struct ve *v, const struct config *from, const struct config *to, ve_error **ret_error)
{
	struct net_plan old_net = { 0 }, new_net = { 0 };
	struct net_if old_ifs[PLAN_MAX_IFS], new_ifs[PLAN_MAX_IFS];
	struct record rec;
	char path[48];
	if (json_equal(config_raw(from, "network"), config_raw(to, "network")))
		return 0;
	int r = plan_network(v->ctx, from, old_ifs, &old_net, ret_error);
	if (r == 0)
		r = plan_network(v->ctx, to, new_ifs, &new_net, ret_error);
	if (r == 0)
		r = net_check(&new_net, ret_error);
	if (r == 0)
		r = record_read(v->run_fd, &rec, ret_error);
	if (r == 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)rec.init_pid);
		_cleanup_close_ int netns = open(path, O_RDONLY | O_CLOEXEC);
		if (netns < 0 || !record_init_alive(&rec))
			r = err_plain(ret_error, VE_ERR_STATE, ESRCH, "set", "'%s' has just stopped", v->name);
		else
			r = net_change(&old_net, &new_net, netns, ret_error);
		if (r > 0) {
			heal_others(v);
			r = 0;
		}
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
	struct spawn s = { .control = -1 };
	struct msg ended;
	blobber_init(&plan, MON_JOIN);
	plan.head.hostname = blobber_str(&plan, b ? b : v->name);
	int r = join_spawn(v, &plan, &s, ret_error);
	if (r < 0)
		return r;
	r = spawn_expect(&s, MSG_STARTED, 20000, NULL, NULL, NULL, ret_error);
	if (r == 0)
		r = spawn_expect(&s, MSG_ENDED, 20000, &ended, NULL, NULL, ret_error);
	spawn_close(&s);
	return r;
}

static int (*const appliers[])(struct ve *, const struct config *, const struct config *, ve_error **) = {
	apply_limits,
	apply_network,
	apply_firewall,
	apply_quotas,
	apply_hostname,
};

/* The live keys of one interface, as the schema says which are. */
static int take_live_network(struct config *out, const struct config *c, unsigned label)
{
	static const char prefix[] = "network.N.";
	int r = 0;
	for (const struct schema_key *k = schema_keys; r == 0 && k->key; k++) {
		if (!str_starts(k->key, prefix) || !(k->flags & SCHEMA_LIVE) || !(k->flags & SCHEMA_BUILT))
			continue;
		_cleanup_free_ char *key = str_printf("network.%u.%s", label, k->key + strlen(prefix));
		r = key ? config_put(out, key, json_incref(config_raw(c, key))) : -ENOMEM;
	}
	return r;
}

/* What C may bring now: the running configuration with C's live keys. Keys that wait for a restart keep the value
 * that the VE runs with. */
static int live_part(const struct config *running, const struct config *c, struct config **ret_config, ve_error **ret_error)
{
	static const char *const live[] = { "template", "aliases", "owner", "labels", "notes", "protect", "hostname", "memory.limit", "memory.swap", "cpu.cores", "cpu.limit", "cpu.weight",
					    "pids.limit", "boot", "stop", "firewall" };
	_cleanup_config_ struct config *out = NULL;
	unsigned labels[PLAN_MAX_IFS];
	int r = config_copy(running, &out, ret_error);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(live); i++)
		r = config_put(out, live[i], json_incref(config_raw(c, live[i])));
	int n = config_networks(running, labels, PLAN_MAX_IFS);
	for (int i = 0; r == 0 && i < n; i++)
		r = take_live_network(out, c, labels[i]);
	if (r < 0)
		return ret_error && *ret_error ? r : err_nomem(ret_error);
	*ret_config = steal_ptr(&out);
	return 0;
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
