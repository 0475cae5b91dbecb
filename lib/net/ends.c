/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two ends of an interface, whatever its type: a veth pair, born with its guest's end in the VE. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "net/priv.h"

static void delete_link(const char *name)
{
	_cleanup_nl_ struct nl *nl = NULL;
	if (nl_open(NETLINK_ROUTE, &nl, NULL) < 0)
		return;
	link_put_delete(nl, name);
	nl_commit(nl, NULL);
}

static void undo_link(void *data)
{
	delete_link(data);
	free(data);
}

static int push_link(struct undo *undo, const char *name, ve_error **ret_error)
{
	char *copy = strdup(name);
	if (!copy) {
		delete_link(name);
		return err_nomem(ret_error);
	}
	return undo_push_owned(undo, undo_link, free, copy) < 0 ? err_nomem(ret_error) : 0;
}

void ends_put_guest_address(struct net_job *j, const struct ends *e, const struct net_addr *a)
{
	link_put_address(j->guest, e->host.peer_index, e->guest_name, a, RT_SCOPE_UNIVERSE);
}

/* The host must not believe the VE's router advertisements. Without addresses the end is as good as without IPv6
 * (link_put_no_own_ipv6()), and what the VE says there anti-spoofing drops; to switch IPv6 off on one interface the kernel would
 * walk through all the routes that the host has. */
int ends_settle_ipv6(const struct net_link *host, bool wanted, ve_error **ret_error)
{
	if (!wanted) {
		int r = sysctl_try_set(0, "ipv6/conf/%s/accept_ra", host->name);
		return r < 0 && r != -ENOENT
			       ? err_sys(ret_error, -r, "network", "cannot settle IPv6 on '%s'", host->name)
			       : 0;
	}
	int r = sysctl_set(0, ret_error, "ipv6/conf/%s/accept_ra", host->name);
	return r < 0 ? r : sysctl_set(0, ret_error, "ipv6/conf/%s/disable_ipv6", host->name);
}

/* Of a start that was killed before it had written anything down: its namespace goes with its last process, the interfaces in
 * there when the kernel comes to it. By its MAC no other interface has V's name. */
static bool remove_leftover(struct nl *nl, const struct net_veth *v)
{
	struct net_link there;
	int absent;
	link_put_get(nl, v->host_name, 0, &there, &absent);
	if (nl_commit(nl, NULL) < 0)
		return false;
	if (absent == 0 && memcmp(there.mac, v->host_mac, sizeof(there.mac)) != 0)
		return false;
	link_put_delete(nl, v->host_name);
	return nl_commit(nl, NULL) == 0;
}

static int try_veth(struct nl *nl, const struct net_veth *v, ve_error **ret_error)
{
	link_put_veth(nl, v);
	return nl_commit(nl, ret_error);
}

static int add_veth(struct nl *nl, const struct net_veth *v, ve_error **ret_error)
{
	_cleanup_err_ ve_error *error = NULL;
	int r = try_veth(nl, v, &error);
	if (r == -EEXIST && remove_leftover(nl, v)) {
		ve_error_free(error);
		error = NULL;
		r = try_veth(nl, v, &error);
	}
	if (r == -EOPNOTSUPP) {
		r = err_plain(ret_error, VE_ERR_UNSUPPORTED, EOPNOTSUPP, "network",
			      "cannot make the interface '%s': " LACK_VETH, v->host_name);
		err_hint(ret_error, LACK_VETH_HINT);
	} else {
		err_propagate(ret_error, &error);
	}
	return r;
}

int ends_make(struct net_job *j, const struct net_if *i, unsigned mtu, struct undo *undo, struct ends *ret,
	      ve_error **ret_error)
{
	char name[IFNAMSIZ];
	unsigned char host_mac[6];
	net_if_name(j->plan->link_id, i->label, name);
	snprintf(ret->guest_name, sizeof(ret->guest_name), "eth%u", i->label);
	memcpy(host_mac, i->mac, 6);
	host_mac[0] = i->mac[0] == 0xfe ? 0xfa : 0xfe; /* the VE's, but for this; both locally administered */
	struct net_veth v = {
		.host_name = name,
		.guest_name = ret->guest_name,
		.host_mac = host_mac,
		.guest_mac = i->mac,
		.mtu = i->mtu ? i->mtu : mtu,
		.netns_fd = j->netns_fd,
	};
	int r = add_veth(j->host, &v, ret_error);
	if (r == 0)
		r = push_link(undo, name, ret_error);
	if (r < 0)
		return r;
	link_put_get(j->host, name, 0, &ret->host, NULL);
	return nl_commit(j->host, ret_error);
}

bool net_if_contains(const struct net_if *i, const struct net_addr *a,
		     bool (*same)(const struct net_addr *, const struct net_addr *))
{
	for (unsigned k = 0; k < i->n_addrs; k++)
		if (same(&i->addrs[k], a))
			return true;
	return false;
}

int ends_find(struct net_job *j, const struct net_if *i, struct ends *ret, ve_error **ret_error)
{
	char name[IFNAMSIZ];
	int missing;
	net_if_name(j->plan->link_id, i->label, name);
	snprintf(ret->guest_name, sizeof(ret->guest_name), "eth%u", i->label);
	link_put_get(j->host, name, 0, &ret->host, &missing);
	int r = nl_commit(j->host, ret_error);
	if (r == 0 && missing != 0) {
		r = err_plain(ret_error, VE_ERR_STATE, missing, "network",
			      "cannot change the addresses of '%s': its host end '%s' is gone", ret->guest_name,
			      name);
		err_hint(ret_error, "the VE's root has removed the interface; a restart of the VE makes it anew");
	}
	return r;
}
