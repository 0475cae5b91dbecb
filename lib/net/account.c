/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the firewall's tables know of an interface beside its addresses: its counters. sys/counters.h reads them. */
#include "net/priv.h"

#include <linux/netfilter.h>

#include "base/guard.h"

unsigned net_table_family(const struct net_if *i)
{
	(void)i;
	return NFPROTO_INET;
}

int net_restrict(const struct net_plan *plan, ve_error **ret_error)
{
	_cleanup_nl_ struct nl *nl = NULL;
	int r = nl_open(NETLINK_ROUTE, &nl, ret_error);
	for (unsigned k = 0; k < plan->n_ifs && r == 0; k++)
		r = rate_bring(nl, plan, &plan->ifs[k], ret_error);
	return r;
}
