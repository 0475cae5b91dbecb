/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fast path: packets like one that has just passed all rules and found its way leave the same way at once, by two programs in
 * the kernel (bpf/fastpath.bpf.c says how) at the uplink and at the VEs' host ends. What nftables and routing have decided is so
 * remembered for a second, and not decided again; what was counted there, they count (sys/fastpath.h).
 *
 * The interfaces share two blocks of filters, so that a VE costs one qdisc, and no program. (The newer way, tcx, has the kernel wait
 * for two grace periods at each.) Who has another clsact at the uplink keeps it, and the fast path stays away.
 *
 * Not on it: types but routed; interfaces whose rate_out is limited, as they go through a queue of their own by the same qdisc
 * (rate.c); VEs with a limit of packets a second, which would not see them. All others take the long way, and so do all of them
 * where the kernel, or libbpf, lacks what it takes.
 */
#include "net/fastpath.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"
#include "net/priv.h"
#include "sys/fastpath.h"

static bool takes_part(const struct net_plan *plan, const struct net_if *i)
{
	const struct net_type_ops *t = &net_types[i->type];
	return t->forwarded && !t->masqueraded && i->rate_out == 0 && plan->firewall.packet_rate == 0;
}

static bool any_takes_part(const struct net_plan *plan)
{
	bool any = false;
	for (unsigned k = 0; k < plan->n_ifs; k++)
		any |= takes_part(plan, &plan->ifs[k]);
	return any;
}

/* ---- blocks ---------------------------------------------------------------------------------------------- */

static struct nlmsghdr *put_clsact(struct nl *nl, uint16_t type, uint16_t flags, const struct net_link *link)
{
	struct nlmsghdr *m = nl_add(nl, type, flags, "lead the packets of '%s' to the fast path", link->name);
	struct tcmsg *t = mnl_nlmsg_put_extra_header(m, sizeof(*t));
	t->tcm_ifindex = link->index;
	t->tcm_parent = TC_H_CLSACT;
	t->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	return m;
}

/* *RESULT: 0, EEXIST where it has such a qdisc, ours or not. */
static void put_join(struct nl *nl, const struct net_link *link, int *result)
{
	struct nlmsghdr *m = put_clsact(nl, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, link);
	mnl_attr_put_strz(m, TCA_KIND, "clsact");
	mnl_attr_put_u32(m, TCA_INGRESS_BLOCK, FASTPATH_BLOCK_IN);
	mnl_attr_put_u32(m, TCA_EGRESS_BLOCK, FASTPATH_BLOCK_OUT);
	nl_result_into(nl, result);
}

enum clsact { NONE, SOMEBODYS, OURS };

static void read_qdisc(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;
	enum clsact *what = data;
	*what = SOMEBODYS;
	mnl_attr_for_each(attr, nlh, sizeof(struct tcmsg))
		if (mnl_attr_get_type(attr) == TCA_INGRESS_BLOCK && mnl_attr_get_u32(attr) == FASTPATH_BLOCK_IN)
			*what = OURS;
}

static enum clsact clsact_at(struct nl *nl, const struct net_link *link)
{
	enum clsact what = NONE;
	int absent;
	if (link->index == 0)
		return NONE;
	put_clsact(nl, RTM_GETQDISC, NLM_F_ECHO, link); /* without it the kernel answers those only who listen to all */
	nl_on_reply(nl, read_qdisc, &what);
	nl_result_into(nl, &absent);
	return nl_commit(nl, NULL) == 0 ? what : NONE;
}

void fastpath_leave(struct nl *nl, const struct net_link *link)
{
	int gone;
	if (clsact_at(nl, link) != OURS)
		return;
	put_clsact(nl, RTM_DELQDISC, 0, link);
	nl_result_into(nl, &gone);
	nl_commit(nl, NULL);
}

/* ---- the uplinks ------------------------------------------------------------------------------------------ */

/* The programs know frames of Ethernet. */
static bool fits(const struct net_link *uplink)
{
	return uplink->index > 0 && uplink->type == ARPHRD_ETHER;
}

static bool join_uplinks(struct nl *nl, const struct uplinks *u)
{
	int r4 = ENODEV, r6 = ENODEV;
	if (fits(&u->v4))
		put_join(nl, &u->v4, &r4);
	if (fits(&u->v6) && u->v6.index != u->v4.index)
		put_join(nl, &u->v6, &r6);
	return nl_commit(nl, NULL) == 0 && (r4 == 0 || r6 == 0);
}

static void leave_uplinks(struct nl *nl, const struct uplinks *u)
{
	fastpath_leave(nl, &u->v4);
	if (u->v6.index != u->v4.index)
		fastpath_leave(nl, &u->v6);
}

/* Connection tracking sees one packet a second of a connection, and would take it for one out of its window. What it knows of
 * acknowledgements it then does not bring up to date: behind 2 GiB each RST would be an invalid one, which a firewall drops, and
 * the connection stay for five days. */
static bool relax_tracking(bool first)
{
	static const char *const settings[] = { "netfilter/nf_conntrack_tcp_be_liberal", "netfilter/nf_conntrack_tcp_ignore_invalid_rst" };
	bool relaxed = true;
	/* Where it is not in the kernel yet, somebody's rule may bring it later, with a setting that nobody corrects. */
	if (first && sysctl_get("%s", settings[0]) == -ENOENT)
		firewall_load_tracking();
	for (unsigned k = 0; k < ARRAY_SIZE(settings) && relaxed; k++) {
		int r = sysctl_set(1, NULL, "%s", settings[k]);
		relaxed = r == 0 || r == -ENOENT;
	}
	return relaxed;
}

/* The uplinks are led to programs that are not there: they did not come into the kernel. It stays so, so that nobody tries again at
 * each start, until fastpath_heal(). */
static bool has_failed(struct nl *nl, const struct uplinks *u)
{
	return clsact_at(nl, &u->v4) == OURS || clsact_at(nl, &u->v6) == OURS;
}

/* Once in a host's life: with a lock, as two first starts may meet. */
static int load_once(struct nl *nl, const struct uplinks *u, const char *data_dir, struct fastpath_maps *ret)
{
	if (has_failed(nl, u))
		return -ENOENT;
	_cleanup_close_ int lock = bridge_lock(NULL);
	int r = lock < 0 ? lock : fastpath_open(ret);
	if (r != -ENOENT)
		return r;
	if (relax_tracking(true) && join_uplinks(nl, u))
		r = fastpath_load(nl, data_dir, NULL, NULL);
	return r == 0 ? fastpath_open(ret) : r;
}

/* ---- a VE's interfaces ------------------------------------------------------------------------------------ */

/* Who is not counted does not take part. */
static bool add_link(const struct fastpath_maps *m, const struct net_link *link)
{
	struct fastpath_link fresh = { 0 };
	char name[FASTPATH_NAME] = { 0 };
	uint32_t index = (uint32_t)link->index, before;
	memcpy(name, link->name, strnlen(link->name, sizeof(name) - 1));
	if (fastpath_get(m->names, name, &before) == 0 && before != index)
		fastpath_delete(m->links, &before);
	if (getrandom(&fresh.generation, sizeof(fresh.generation), 0) != (ssize_t)sizeof(fresh.generation))
		return false;
	fresh.generation |= 1; /* 0 is none */
	int r = fastpath_set(m->links, &index, &fresh, true);
	return (r == 0 || r == -EEXIST) && fastpath_set(m->names, name, &index, false) == 0;
}

static bool find_link(struct nl *nl, const struct net_plan *plan, const struct net_if *i, struct net_link *ret)
{
	char name[IFNAMSIZ];
	int absent;
	net_if_name(plan->link_id, i->label, name);
	link_put_get(nl, name, 0, ret, &absent);
	return nl_commit(nl, NULL) == 0 && absent == 0;
}

static void bring_if(struct nl *nl, const struct fastpath_maps *m, const struct net_plan *plan, const struct net_if *i)
{
	struct net_link link;
	int there;
	if (!find_link(nl, plan, i, &link))
		return;
	if (!takes_part(plan, i) || !add_link(m, &link)) {
		fastpath_leave(nl, &link);
		return;
	}
	put_join(nl, &link, &there);
	nl_commit(nl, NULL);
}

/* A random one, as two may forget at once. */
static void change_epoch(const struct fastpath_maps *m)
{
	const uint32_t zero = 0;
	uint64_t epoch;
	if (getrandom(&epoch, sizeof(epoch), 0) == (ssize_t)sizeof(epoch))
		fastpath_set(m->epoch, &zero, &epoch, false);
}

/* The programs are there, and the uplinks' packets come to them. */
static bool prepare(struct nl *nl, const struct uplinks *u, const struct net_plan *plan, struct fastpath_maps *ret)
{
	int r = fastpath_open(ret);
	if (r == -ENOENT && any_takes_part(plan) && (fits(&u->v4) || fits(&u->v6)))
		r = load_once(nl, u, plan->data_dir, ret);
	if (r < 0 || !relax_tracking(false))
		return false;
	join_uplinks(nl, u);
	return true;
}

void fastpath_settle(const struct net_plan *plan)
{
	_cleanup_nl_ struct nl *nl = NULL;
	_cleanup_fastpath_ struct fastpath_maps m = FASTPATH_CLOSED;
	struct uplinks uplinks;
	if (plan->fastpath && net_plan_attaches(plan) && nl_open(NETLINK_ROUTE, &nl, NULL) == 0 &&
	    uplink_find(nl, plan->uplink, &uplinks, NULL) == 0 && prepare(nl, &uplinks, plan, &m)) {
		for (unsigned k = 0; k < plan->n_ifs; k++)
			bring_if(nl, &m, plan, &plan->ifs[k]);
		change_epoch(&m);
	} else {
		fastpath_forget();
	}
}

/* ---- leaving ---------------------------------------------------------------------------------------------- */

static void forget_link(const struct fastpath_maps *m, uint32_t link_id, unsigned label)
{
	char name[FASTPATH_NAME] = { 0 };
	uint32_t index;
	net_if_name(link_id, label, name);
	if (fastpath_get(m->names, name, &index) < 0)
		return;
	fastpath_delete(m->links, &index);
	fastpath_delete(m->names, name);
}

void fastpath_forget(void)
{
	_cleanup_fastpath_ struct fastpath_maps m;
	if (fastpath_open(&m) == 0)
		change_epoch(&m);
}

struct labels {
	uint32_t link_id;
	unsigned n, of[];
};

static void undo_links(void *data)
{
	const struct labels *l = data;
	_cleanup_fastpath_ struct fastpath_maps m;
	if (fastpath_open(&m) == 0) {
		for (unsigned k = 0; k < l->n; k++)
			forget_link(&m, l->link_id, l->of[k]);
		change_epoch(&m);
	}
	free(data);
}

int fastpath_begin(struct nl *nl, const struct uplinks *u, const struct net_plan *plan, struct undo *undo, struct fastpath_maps *ret,
		   ve_error **ret_error)
{
	*ret = FASTPATH_CLOSED;
	if (!plan->fastpath || !prepare(nl, u, plan, ret))
		return 0;
	struct labels *l = malloc(sizeof(*l) + plan->n_ifs * sizeof(l->of[0]));
	if (!l)
		return err_nomem(ret_error);
	*l = (struct labels){ .link_id = plan->link_id, .n = plan->n_ifs };
	for (unsigned k = 0; k < plan->n_ifs; k++)
		l->of[k] = plan->ifs[k].label;
	return undo_push_owned(undo, undo_links, free, l) < 0 ? err_nomem(ret_error) : 0;
}

void fastpath_put_join(struct nl *nl, const struct fastpath_maps *m, const struct net_plan *plan, const struct net_if *i,
		       const struct net_link *link, int *result)
{
	if (m->links >= 0 && takes_part(plan, i) && add_link(m, link))
		put_join(nl, link, result);
}

void fastpath_end(const struct fastpath_maps *m)
{
	if (m->epoch >= 0)
		change_epoch(m);
}

void fastpath_detach(const struct net_plan *plan)
{
	_cleanup_fastpath_ struct fastpath_maps m;
	if (fastpath_open(&m) < 0)
		return;
	for (unsigned k = 0; k < plan->n_ifs; k++)
		forget_link(&m, plan->link_id, plan->ifs[k].label);
	change_epoch(&m);
}

/* ---- `vectl recover` ---------------------------------------------------------------------------------------- */

int fastpath_heal(const char *data_dir, const char *uplink, bool wanted)
{
	_cleanup_nl_ struct nl *nl = NULL;
	_cleanup_fastpath_ struct fastpath_maps m;
	struct uplinks uplinks;
	int there = fastpath_open(&m);
	if (nl_open(NETLINK_ROUTE, &nl, NULL) < 0)
		return 0;
	wanted &= there < 0 || !fastpath_is_empty(m.links);
	if (there == 0 && wanted)
		return fastpath_is_current(nl, data_dir) == 0 && fastpath_load(nl, data_dir, &m, NULL) == 0;
	if ((!wanted || there == -ENOENT) && uplink_find(nl, uplink, &uplinks, NULL) == 0)
		leave_uplinks(nl, &uplinks);
	return 0;
}

void fastpath_heal_links(const struct net_plan *plan)
{
	_cleanup_nl_ struct nl *nl = NULL;
	struct net_link link;
	if (plan->fastpath) {
		fastpath_settle(plan);
		return;
	}
	if (nl_open(NETLINK_ROUTE, &nl, NULL) < 0)
		return;
	for (unsigned k = 0; k < plan->n_ifs; k++)
		if (find_link(nl, plan, &plan->ifs[k], &link))
			fastpath_leave(nl, &link);
}

/* ---- `vectl check` ---------------------------------------------------------------------------------------- */

char *fastpath_tell(struct nl *nl, const struct uplinks *u, const char *data_dir, bool wanted)
{
	_cleanup_fastpath_ struct fastpath_maps m;
	const struct net_link *uplink = u->v4.index ? &u->v4 : &u->v6;
	int r = fastpath_open(&m);
	enum clsact there = clsact_at(nl, uplink);
	if (r == -EPERM)
		return NULL;
	if (r == 0 && there == OURS && fastpath_is_current(nl, data_dir) == 0)
		return str_printf("in use, but not with the installed programs: vectl recover changes them");
	if (r == 0 && there == OURS)
		return str_printf("in use: of a flow that has passed, the rules see a packet a second");
	if (!wanted)
		return str_printf("off");
	if (uplink->index > 0 && !fits(uplink))
		return str_printf("not in use: frames on the uplink %s are not Ethernet's", uplink->name);
	if (there == SOMEBODYS)
		return str_printf("not in use: the uplink %s has a clsact qdisc of somebody else's", uplink->name);
	if (!fastpath_has_library())
		return str_printf("not in use: there is no libbpf, or an old one: apt install libbpf1, then vectl recover");
	if (there == OURS)
		return str_printf("not in use: the kernel lacks what it takes");
	return str_printf("not in use; the next VE of type routed that starts loads it");
}
