/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs of the room: attach, detach and change walk over the plan's interfaces and the table of types. */
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "net/elements.h"
#include "net/fastpath.h"
#include "net/priv.h"

/* The rows say what a type is. */
const struct net_type_ops net_types[NET_TYPE_COUNT] = {
	[NET_NONE] = { .name = "none" }, /* the VE's init finds lo, which the child brings up itself */
	[NET_ROUTED] = {
		.name = "routed",
		.forwarded = true,
		.proxied = true,
		.attach = routed_attach,
		.detach = routed_detach,
		.change = routed_change,
		.look = routed_look,
		.mend = routed_mend,
	},
	[NET_NAT] = {
		.name = "nat",
		.forwarded = true,
		.masqueraded = true,
		.attach = routed_attach,
		.detach = routed_detach,
		.change = routed_change,
		.look = routed_look,
		.mend = routed_mend,
	},
	[NET_BRIDGED] = {
		.name = "bridged",
		.on_bridge = true,
		.check = bridged_check,
		.attach = bridged_attach,
		.detach = bridged_detach,
		.change = bridged_change,
		.look = bridged_look,
		.mend = bridged_mend,
	},
};

/* What the interfaces of a plan need of the host together. */
struct needs {
	bool anything, v4, v6, proxies, masquerading; /* anything: the rules too */
};

static struct needs needs_of(const struct net_plan *plan)
{
	struct needs n = { 0 };
	for (unsigned k = 0; k < plan->n_ifs; k++) {
		const struct net_if *i = &plan->ifs[k];
		const struct net_type_ops *t = &net_types[i->type];
		n.anything |= t->attach != NULL;
		n.v4 |= t->forwarded && net_if_has(i, AF_INET);
		n.v6 |= t->forwarded && net_if_has(i, AF_INET6);
		n.proxies |= t->proxied;
		n.masquerading |= t->masqueraded;
	}
	return n;
}

bool net_plan_attaches(const struct net_plan *plan)
{
	return needs_of(plan).anything;
}

/* Everything that is switched on once for all VEs. 1: the rules were not there. */
static int prepare_host(struct net_job *j, const struct needs *n, ve_error **ret_error)
{
	int r = nl_open(NETLINK_ROUTE, &j->host, ret_error);
	if (r == 0)
		r = uplink_find_for(j, ret_error);
	/* What may well fail comes first: none of this is ever undone. */
	int loaded = r == 0 ? nft_ensure_rules(j->plan->data_dir, ret_error) : r;
	if (loaded < 0)
		return loaded;
	r = blocked_ensure_rules(j->plan, ret_error);
	if (r == 0 && n->masquerading)
		r = nft_ensure_nat(j->plan->data_dir, j->plan->nat_range, ret_error);
	if (r == 0)
		r = forward_enable(j->host, n->v4, n->v6, ret_error);
	return r < 0 ? r : loaded;
}

static void job_done(struct net_job *j)
{
	nl_close(j->host);
	nl_close(j->guest);
}
#define _cleanup_job_ __attribute__((cleanup(job_done)))

int net_attach(const struct net_plan *plan, int netns_fd, struct undo *undo, ve_error **ret_error)
{
	_cleanup_fastpath_ struct fastpath_maps fastpath = FASTPATH_CLOSED;
	_cleanup_job_ struct net_job j = { .plan = plan, .netns_fd = netns_fd, .fastpath = &fastpath };
	struct needs needs = needs_of(plan);
	if (!needs.anything)
		return 0;
	int loaded = prepare_host(&j, &needs, ret_error);
	if (loaded < 0)
		return loaded;
	int r = nl_open_in(NETLINK_ROUTE, netns_fd, &j.guest, ret_error);
	/* Before there is an interface: what is not in the sets does not pass. */
	if (r == 0)
		r = elements_attach(plan, undo, ret_error);
	if (r == 0)
		r = fastpath_begin(j.host, &j.uplinks, plan, undo, &fastpath, ret_error);
	for (unsigned k = 0; k < plan->n_ifs && r == 0; k++) {
		if (!net_types[plan->ifs[k].type].attach)
			continue;
		r = net_types[plan->ifs[k].type].attach(&j, &plan->ifs[k], undo, ret_error);
		if (r == 0)
			r = rate_attach(j.host, plan, &plan->ifs[k], undo, ret_error);
	}
	if (r == 0)
		fastpath_end(&fastpath);
	for (unsigned k = 0; k < plan->n_ifs && r == 0; k++)
		announce_addresses(&j.answering, NULL, &plan->ifs[k]);
	return r < 0 ? r : loaded;
}

int net_detach(const struct net_plan *plan, ve_error **ret_error)
{
	_cleanup_job_ struct net_job j = { .plan = plan, .netns_fd = -1 };
	struct needs needs = needs_of(plan);
	if (!needs.anything)
		return 0;
	int r = nl_open(NETLINK_ROUTE, &j.host, ret_error);
	if (r < 0)
		return r;
	if (needs.proxies)
		uplink_find_for(&j, NULL); /* one that is gone has taken its entries along */
	for (unsigned k = 0; k < plan->n_ifs; k++) {
		const struct net_type_ops *t = &net_types[plan->ifs[k].type];
		rate_put_detach(j.host, plan, &plan->ifs[k]); /* goes with the link, in one batch */
		int r2 = t->detach ? t->detach(&j, &plan->ifs[k], r == 0 ? ret_error : NULL) : 0;
		if (r == 0)
			r = r2;
	}
	/* Behind the links: a VE that still ran would not be seen by the rules that its elements lead to. */
	int r2 = elements_write(NFT_DEL, plan, r == 0 ? ret_error : NULL);
	fastpath_detach(plan);
	return r < 0 ? r : r2;
}

static const struct net_if *find_if(const struct net_plan *plan, unsigned label)
{
	for (unsigned k = 0; k < plan->n_ifs; k++)
		if (plan->ifs[k].label == label)
			return &plan->ifs[k];
	return NULL;
}

static bool same_addresses(const struct net_if *a, const struct net_if *b)
{
	if (a->n_addrs != b->n_addrs)
		return false;
	for (unsigned k = 0; k < a->n_addrs; k++)
		if (!net_addr_equal(&a->addrs[k], &b->addrs[k]))
			return false;
	return true;
}

static bool same_rates(const struct net_if *a, const struct net_if *b)
{
	return a->rate_in == b->rate_in && a->rate_out == b->rate_out;
}

static bool same_forwards(const struct net_if *a, const struct net_if *b)
{
	return a->n_forwards == b->n_forwards &&
	       (a->n_forwards == 0 ||
		memcmp(a->forwards, b->forwards, a->n_forwards * sizeof(a->forwards[0])) == 0);
}

/* Checks that nothing but addresses, rates and forwards differs. RET_ANY: something does. */
static int compare_plans(const struct net_plan *from, const struct net_plan *to, bool *ret_any,
			 ve_error **ret_error)
{
	*ret_any = false;
	bool same = from->n_ifs == to->n_ifs && from->link_id == to->link_id;
	for (unsigned k = 0; k < to->n_ifs && same; k++) {
		const struct net_if *i = &to->ifs[k], *old = find_if(from, i->label);
		same = old && old->type == i->type && memcmp(old->mac, i->mac, sizeof(i->mac)) == 0;
		*ret_any |= same && !(same_addresses(old, i) && same_rates(old, i) && same_forwards(old, i) &&
				      old->blocked == i->blocked);
	}
	return same ? 0
		    : err_plain(ret_error, VE_ERR_STATE, EINVAL, "network",
				"only addresses, rates and forwards of an interface can be changed while the VE runs");
}

/* Adds what the interfaces of TO have in the firewall and those of FROM have not (NFT_ADD), or removes what only FROM has. */
static int change_elements(enum nft_op op, const struct net_plan *from, const struct net_plan *to, ve_error **ret_error)
{
	_cleanup_nfb_ struct nfb *b = nfb_new(NFNL_SUBSYS_NFTABLES);
	if (!b)
		return err_nomem(ret_error);
	const struct net_plan *has = op == NFT_ADD ? to : from, *lacks = op == NFT_ADD ? from : to;
	int r = 0;
	for (unsigned k = 0; k < has->n_ifs && r == 0; k++)
		if (net_types[has->ifs[k].type].attach)
			r = antispoof_put_surplus(b, op, has, &has->ifs[k], lacks, find_if(lacks, has->ifs[k].label),
						  ret_error);
	return r < 0 ? r : nfb_commit(b, ret_error);
}

/* A port that leads elsewhere afterwards does so from one packet to the next. */
static int change_forwards(const struct net_plan *from, const struct net_plan *to, ve_error **ret_error)
{
	_cleanup_nfb_ struct nfb *b = nfb_new(NFNL_SUBSYS_NFTABLES);
	if (!b)
		return err_nomem(ret_error);
	for (unsigned k = 0; k < to->n_ifs; k++)
		if (net_types[to->ifs[k].type].masqueraded)
			forwards_put_change(b, find_if(from, to->ifs[k].label), &to->ifs[k]);
	return nfb_commit(b, ret_error);
}

/* One interface, all of it or nothing: its addresses, then its rates. */
static int change_if(struct net_job *j, const struct net_if *from, const struct net_if *to, ve_error **ret_error)
{
	bool addresses = net_types[to->type].change && !same_addresses(from, to);
	int r = addresses ? net_types[to->type].change(j, from, to, ret_error) : 0;
	if (r == 0 && !same_rates(from, to))
		r = rate_bring(j->host, j->plan, to, ret_error);
	else if (r < 0)
		return r;
	if (r < 0) {
		rate_bring(j->host, j->plan, from, NULL);
		if (addresses)
			net_types[to->type].change(j, to, from, NULL);
	} else if (addresses) {
		announce_addresses(&j->answering, from, to);
	}
	return r;
}

/* How far a change has come: each step is whole, or has changed nothing. */
struct progress {
	bool elements, forwards, blocked;
	unsigned n_ifs;
};

static bool any_blocked(const struct net_plan *plan)
{
	for (unsigned k = 0; k < plan->n_ifs; k++)
		if (plan->ifs[k].blocked)
			return true;
	return false;
}

/* The rules are FROM's still, see net_change_firewall(). */
static int change_blocked(const struct net_plan *from, const struct net_plan *to, ve_error **ret_error)
{
	struct net_plan as_ruled = *to;
	as_ruled.firewall = from->firewall;
	return net_bring_blocked(from, &as_ruled, ret_error);
}

/* What is new may pass before an interface has it, and what is old until none has it any more. */
static int change_steps(struct net_job *j, const struct net_plan *from, const struct net_plan *to, struct progress *done,
			ve_error **ret_error)
{
	int r = change_elements(NFT_ADD, from, to, ret_error);
	done->elements = r == 0;
	if (r == 0)
		r = change_forwards(from, to, ret_error);
	done->forwards = r == 0;
	while (r == 0 && done->n_ifs < to->n_ifs) {
		const struct net_if *i = &to->ifs[done->n_ifs];
		r = change_if(j, find_if(from, i->label), i, ret_error);
		done->n_ifs += r == 0;
	}
	if (r == 0 && (any_blocked(from) || any_blocked(to))) {
		r = change_blocked(from, to, ret_error);
		done->blocked = r == 0;
	}
	return r == 0 ? change_elements(NFT_DEL, from, to, ret_error) : r;
}

/* The way back; a step that fails keeps no other from being tried. */
static void change_back(struct net_job *j, const struct net_plan *from, const struct net_plan *to, const struct progress *done)
{
	if (done->blocked)
		net_bring_blocked(to, from, NULL);
	for (unsigned k = done->n_ifs; k-- > 0;)
		change_if(j, &to->ifs[k], find_if(from, to->ifs[k].label), NULL);
	if (done->forwards)
		change_forwards(to, from, NULL);
	if (done->elements)
		change_elements(NFT_DEL, to, from, NULL);
}

int net_change(const struct net_plan *plan_old, const struct net_plan *plan_new, int netns_fd,
	       ve_error **ret_error)
{
	_cleanup_job_ struct net_job j = { .plan = plan_new, .netns_fd = netns_fd };
	bool any;
	int r = compare_plans(plan_old, plan_new, &any, ret_error);
	if (r < 0 || !any)
		return r;
	struct needs needs = needs_of(plan_new);
	bool mended;
	int loaded = prepare_host(&j, &needs, ret_error);
	r = loaded > 0 ? net_heal(plan_old, &mended, ret_error) : loaded;
	if (r == 0)
		r = nl_open_in(NETLINK_ROUTE, netns_fd, &j.guest, ret_error);
	if (r < 0)
		return r;
	struct progress done = { 0 };
	r = change_steps(&j, plan_old, plan_new, &done, ret_error);
	if (r < 0)
		change_back(&j, plan_old, plan_new, &done);
	fastpath_settle(r < 0 ? plan_old : plan_new);
	return r < 0 ? r : loaded;
}
