/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rates. Both are token buckets with a queue (tbf), on the host's side, where the VE's root has nothing to say:
 *
 *   in    on the host's end of the veth, vzID.N, as everything that leaves it
 *   out   what comes in there is sent through an ifb, vsID.N, and queued on that; then it goes on as if it came from
 *         vzID.N, so that the firewall sees and counts what has passed
 *
 * nftables' limit needs no second link, but polices: without a queue one TCP connection measured a third more than
 * was asked, and over real distances it gets much less. A bucket counts frames: of 100 Mbit/s TCP has some 96.
 *
 * A change is made in the bucket that is there, with its queue; no packet is lost by it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "net/fastpath.h"
#include "net/priv.h"

enum {
	BURST_MS = 10,
	BURST_MIN = 16 * 1024,
	BURST_MAX = 32 << 20,
	QUEUE_MS = 50,
	QUEUE_MIN = 32 * 1024,
	FRAME = 64, /* what a frame may have beyond its MTU */
};

struct rate_bucket rate_bucket(uint64_t bits_per_s, unsigned mtu)
{
	struct rate_bucket b = { .bytes_per_s = bits_per_s / 8 };
	uint64_t burst = b.bytes_per_s / 1000 * BURST_MS, queue = b.bytes_per_s / 1000 * QUEUE_MS;
	burst = burst < BURST_MIN ? BURST_MIN : burst > BURST_MAX ? BURST_MAX : burst;
	/* A frame larger than the bucket would never pass. */
	if (burst < mtu + FRAME)
		burst = mtu + FRAME;
	queue = queue < QUEUE_MIN ? QUEUE_MIN : queue > INT32_MAX ? INT32_MAX : queue;
	b.burst = (uint32_t)burst;
	b.queue = (uint32_t)(queue + burst);
	return b;
}

static void shaper_name(const struct net_plan *plan, const struct net_if *i, char name[IFNAMSIZ])
{
	net_if_name(plan->link_id, i->label, name);
	name[1] = 's'; /* not vz*: the firewall's rules are for the VEs' own links */
}

/* ---- requests ------------------------------------------------------------------------------------ */

static struct tcmsg *put_tcmsg(struct nlmsghdr *m, int index, uint32_t parent, uint32_t handle)
{
	struct tcmsg *t = mnl_nlmsg_put_extra_header(m, sizeof(*t));
	t->tcm_ifindex = index;
	t->tcm_parent = parent;
	t->tcm_handle = handle;
	return t;
}

static void put_bucket(struct nl *nl, int index, const char *name, uint64_t rate, unsigned mtu)
{
	struct rate_bucket b = rate_bucket(rate, mtu);
	struct tc_tbf_qopt o = {
		.rate = { .linklayer = TC_LINKLAYER_ETHERNET,
			  .rate = b.bytes_per_s > UINT32_MAX ? UINT32_MAX : (uint32_t)b.bytes_per_s },
		.limit = b.queue,
	};
	struct nlmsghdr *m = nl_add(nl, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, "set the rate of '%s'", name);
	put_tcmsg(m, index, TC_H_ROOT, TC_H_MAKE(1 << 16, 0));
	mnl_attr_put_strz(m, TCA_KIND, "tbf");
	struct nlattr *options = mnl_attr_nest_start(m, TCA_OPTIONS);
	mnl_attr_put(m, TCA_TBF_PARMS, sizeof(o), &o);
	mnl_attr_put_u32(m, TCA_TBF_BURST, b.burst);
	if (b.bytes_per_s > UINT32_MAX)
		mnl_attr_put_u64(m, TCA_TBF_RATE64, b.bytes_per_s);
	mnl_attr_nest_end(m, options);
}

static void put_no_qdisc(struct nl *nl, int index, const char *name, uint32_t parent)
{
	put_tcmsg(nl_add(nl, RTM_DELQDISC, 0, "remove the rate of '%s'", name), index, parent, 0);
	nl_tolerate(nl, ENOENT); /* there was none */
	nl_tolerate(nl, EINVAL);
	nl_tolerate(nl, ENODEV);
}

static void put_shaper(struct nl *nl, const char *name)
{
	struct nlmsghdr *m = nl_add(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "make the interface '%s'", name);
	mnl_nlmsg_put_extra_header(m, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(m, IFLA_IFNAME, name);
	struct nlattr *info = mnl_attr_nest_start(m, IFLA_LINKINFO);
	mnl_attr_put_strz(m, IFLA_INFO_KIND, "ifb");
	mnl_attr_nest_end(m, info);
	nl_tolerate(nl, EEXIST);
}

static void put_ingress(struct nl *nl, int index, const char *name)
{
	struct nlmsghdr *m = nl_add(nl, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, "set the rate of '%s'", name);
	put_tcmsg(m, index, TC_H_CLSACT, TC_H_MAKE(TC_H_CLSACT, 0));
	mnl_attr_put_strz(m, TCA_KIND, "clsact");
	nl_tolerate(nl, EEXIST);
}

/* Everything that comes in on INDEX leaves by the queue of SHAPER. u32 with a key that always matches, as kernels
 * without matchall exist. Its handle is fixed: what is there already is
 * replaced, as it may lead to a shaper that is gone. */
static void put_redirect(struct nl *nl, int index, const char *name, int shaper)
{
	struct {
		struct tc_u32_sel sel;
		struct tc_u32_key key;
	} all = { .sel = { .flags = TC_U32_TERMINAL, .nkeys = 1 } };
	struct tc_mirred to = { .action = TC_ACT_STOLEN, .eaction = TCA_EGRESS_REDIR, .ifindex = (uint32_t)shaper };
	struct nlmsghdr *m = nl_add(nl, RTM_NEWTFILTER, NLM_F_CREATE, "set the rate of '%s'", name);
	struct tcmsg *t =
		put_tcmsg(m, index, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS), UINT32_C(0x800) << 20 | 0x800);
	t->tcm_info = TC_H_MAKE(1U << 16, htons(ETH_P_ALL));
	mnl_attr_put_strz(m, TCA_KIND, "u32");
	struct nlattr *options = mnl_attr_nest_start(m, TCA_OPTIONS);
	mnl_attr_put(m, TCA_U32_SEL, sizeof(all), &all);
	struct nlattr *actions = mnl_attr_nest_start(m, TCA_U32_ACT);
	struct nlattr *first = mnl_attr_nest_start(m, 1);
	mnl_attr_put_strz(m, TCA_ACT_KIND, "mirred");
	struct nlattr *parms = mnl_attr_nest_start(m, TCA_ACT_OPTIONS);
	mnl_attr_put(m, TCA_MIRRED_PARMS, sizeof(to), &to);
	mnl_attr_nest_end(m, parms);
	mnl_attr_nest_end(m, first);
	mnl_attr_nest_end(m, actions);
	mnl_attr_nest_end(m, options);
}

/* ---- one interface ------------------------------------------------------------------------------- */

static int commit(struct nl *nl, const char *name, ve_error **ret_error)
{
	_cleanup_err_ ve_error *error = NULL;
	int r = nl_commit(nl, &error);
	/* Unknown kinds: of a link EOPNOTSUPP, of a qdisc, a filter or an action ENOENT. */
	if (r == -EOPNOTSUPP || r == -ENOENT) {
		r = err_plain(ret_error, VE_ERR_UNSUPPORTED, -r, "network", "cannot set the rate of '%s': " LACK_RATES,
			      name);
		err_hint(ret_error, LACK_RATES_HINT);
	} else {
		err_propagate(ret_error, &error);
	}
	return r;
}

static void undo_shaper(void *name)
{
	_cleanup_nl_ struct nl *nl = NULL;
	if (nl_open(NETLINK_ROUTE, &nl, NULL) == 0) {
		link_put_delete(nl, name);
		nl_commit(nl, NULL);
	}
	free(name);
}

/* The queue is there and open before anything is sent into it. */
static int shape_out(struct nl *nl, const struct net_link *link, const char *shaper, uint64_t rate,
		     ve_error **ret_error)
{
	struct net_link ifb;
	put_shaper(nl, shaper);
	int r = commit(nl, link->name, ret_error);
	if (r < 0)
		return r;
	link_put_get(nl, shaper, 0, &ifb, NULL);
	r = commit(nl, link->name, ret_error);
	if (r < 0)
		return r;
	put_bucket(nl, ifb.index, link->name, rate, link->mtu);
	link_put_no_own_ipv6(nl, ifb.index, shaper); /* nobody is to be reached there */
	link_put_up(nl, ifb.index, shaper);
	r = commit(nl, link->name, ret_error);
	if (r < 0)
		return r;
	fastpath_leave(nl, link);
	put_ingress(nl, link->index, link->name);
	put_redirect(nl, link->index, link->name, ifb.index);
	return commit(nl, link->name, ret_error);
}

static int unshape_out(struct nl *nl, const struct net_link *link, const char *shaper, ve_error **ret_error)
{
	/* First the way around the queue, then the queue. */
	put_no_qdisc(nl, link->index, link->name, TC_H_CLSACT);
	link_put_delete(nl, shaper);
	return nl_commit(nl, ret_error);
}

static int find_link(struct nl *nl, const struct net_plan *plan, const struct net_if *i, struct net_link *ret,
		     ve_error **ret_error)
{
	char name[IFNAMSIZ];
	net_if_name(plan->link_id, i->label, name);
	link_put_get(nl, name, 0, ret, NULL);
	return nl_commit(nl, ret_error);
}

int rate_attach(struct nl *nl, const struct net_plan *plan, const struct net_if *i, struct undo *undo,
		ve_error **ret_error)
{
	char shaper[IFNAMSIZ];
	struct net_link link;
	if (!i->rate_in && !i->rate_out)
		return 0;
	int r = find_link(nl, plan, i, &link, ret_error);
	if (r < 0)
		return r;
	if (i->rate_in) {
		put_bucket(nl, link.index, link.name, i->rate_in, link.mtu);
		r = commit(nl, link.name, ret_error);
	}
	if (r < 0 || !i->rate_out)
		return r;
	shaper_name(plan, i, shaper);
	char *name = strdup(shaper);
	if (!name || undo_push_owned(undo, undo_shaper, free, name) < 0)
		return err_nomem(ret_error);
	return shape_out(nl, &link, shaper, i->rate_out, ret_error);
}

void rate_put_detach(struct nl *nl, const struct net_plan *plan, const struct net_if *i)
{
	char shaper[IFNAMSIZ];
	shaper_name(plan, i, shaper);
	link_put_delete(nl, shaper); /* the rest goes with the link */
}

int rate_bring(struct nl *nl, const struct net_plan *plan, const struct net_if *i, ve_error **ret_error)
{
	char shaper[IFNAMSIZ];
	struct net_link link;
	shaper_name(plan, i, shaper);
	int r = find_link(nl, plan, i, &link, ret_error);
	if (r < 0)
		return r;
	if (i->rate_in)
		put_bucket(nl, link.index, link.name, i->rate_in, link.mtu);
	else
		put_no_qdisc(nl, link.index, link.name, TC_H_ROOT);
	r = commit(nl, link.name, ret_error);
	if (r < 0)
		return r;
	return i->rate_out ? shape_out(nl, &link, shaper, i->rate_out, ret_error)
			   : unshape_out(nl, &link, shaper, ret_error);
}

/* Tried, where it is nobody's. */
int rate_probe(bool *ret_lacks, ve_error **ret_error)
{
	_cleanup_close_ int netns_fd = -1;
	_cleanup_nl_ struct nl *nl = NULL;
	struct net_link lo;
	*ret_lacks = false;
	int r = nl_new_namespace(&netns_fd, ret_error);
	if (r == 0)
		r = nl_open_in(NETLINK_ROUTE, netns_fd, &nl, ret_error);
	if (r < 0)
		return r;
	link_put_get(nl, "lo", 0, &lo, NULL);
	r = nl_commit(nl, ret_error);
	if (r < 0)
		return r;
	r = shape_out(nl, &lo, "vs-check", 1000000, ret_error);
	*ret_lacks = r == -EOPNOTSUPP || r == -ENOENT;
	return r;
}
