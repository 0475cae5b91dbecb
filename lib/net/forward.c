/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Forwarding: switched on with the first VE that needs it, and never off again (others may have come to need it).
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "net/priv.h"

/* A host that forwards IPv6 ignores router advertisements, and forgets the routes it has from them, unless
 * accept_ra is 2: it would lose its own default route. An accept_ra of 0 is left: then a daemon reads the
 * advertisements. */
static void keep_router(const struct route_default *d, void *data)
{
	char name[IFNAMSIZ];
	int *r = data;
	if (d->protocol != RTPROT_RA || !if_indextoname((unsigned)d->index, name))
		return;
	if (sysctl_get("ipv6/conf/%s/accept_ra", name) == 1 && *r == 0)
		*r = sysctl_try_set(2, "ipv6/conf/%s/accept_ra", name);
}

static int enable_ipv6(struct nl *nl, ve_error **ret_error)
{
	int on = sysctl_get("ipv6/conf/all/forwarding"), failed = 0;
	if (on == -ENOENT) {
		int r = err_plain(ret_error, VE_ERR_UNSUPPORTED, EAFNOSUPPORT, "network",
				  "cannot give the VE IPv6 addresses: " LACK_IPV6);
		err_hint(ret_error, LACK_IPV6_HINT);
		return r;
	}
	if (on == 1)
		return 0;
	int r = route_each_default(nl, AF_INET6, keep_router, &failed, ret_error);
	if (r < 0)
		return r;
	if (failed < 0) {
		return err_sys(ret_error, -failed, "network",
			       "cannot keep the host's IPv6 default route (accept_ra) before IPv6 forwarding");
	}
	return sysctl_set(1, ret_error, "ipv6/conf/all/forwarding");
}

int forward_enable(struct nl *nl, bool v4, bool v6, ve_error **ret_error)
{
	/* All interfaces, not the uplink alone: a VE reaches what the host reaches, also by its other interfaces,
	 * and forwarding is asked of the interface that an answer comes in by. */
	int r = v4 ? sysctl_set(1, ret_error, "ipv4/ip_forward") : 0;
	return r == 0 && v6 ? enable_ipv6(nl, ret_error) : r;
}
