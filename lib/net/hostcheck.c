/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The network's rows of `vectl check`. Reads only, and goes on where one row cannot be told. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "net/fastpath.h"
#include "net/priv.h"

#define UNTOLD "cannot be told without root"

struct rows {
	const char *data_dir;
	bool fastpath; /* the host's configuration wants it */
	net_check_fn fn;
	void *data;
	unsigned n_rows; /* of forward-policy */
};

/* DETAIL is stolen; NULL: out of memory, or nothing to say. */
static void row(struct rows *rows, const char *feature, bool present, char *detail, const char *hint)
{
	rows->fn(feature, present, detail ?: "", present ? NULL : hint, rows->data);
	free(detail);
}

/* Asks for an interface that cannot be (an MTU of 1): with the type known the kernel refuses the number, else the
 * type. */
static void row_veth(struct rows *rows, struct nl *nl)
{
	static const unsigned char mac[6] = { 2, 0, 0, 0, 0, 1 };
	struct net_veth v = { "vz-check", "vz-check", mac, mac, 1, -1 };
	int errnum;
	link_put_veth(nl, &v);
	nl_result_into(nl, &errnum);
	nl_commit(nl, NULL);
	row(rows, "veth", errnum != EOPNOTSUPP,
	    str_printf("%s", errnum == EOPNOTSUPP ? LACK_VETH
			     : errnum == EPERM    ? UNTOLD
						  : "interface pairs"),
	    LACK_VETH_HINT);
}

static void row_uplinks(struct rows *rows, struct nl *nl)
{
	struct uplinks u;
	if (uplink_find(nl, NULL, &u, NULL) < 0)
		return;
	bool any = u.v4.index > 0 || u.v6.index > 0;
	row(rows, "uplink", any,
	    any ? str_printf("IPv4: %s, IPv6: %s", u.v4.index ? u.v4.name : "none",
			     u.v6.index ? u.v6.name : "none")
		: str_printf("the host has no default route: VEs and host reach one another only"),
	    "give the host a default route, or name the interface: vectl host set uplink=NAME");
	int all = sysctl_get("ipv4/conf/all/rp_filter");
	int own = u.v4.index ? sysctl_get("ipv4/conf/%s/rp_filter", u.v4.name) : 0;
	int filter = own > all ? own : all; /* the kernel takes the greater one */
	row(rows, "rp_filter", true,
	    str_printf("%s on the uplink", filter == 1	 ? "strict (answers must leave by where questions enter)"
					   : filter == 2 ? "loose"
							 : "off"),
	    NULL);
}

static void row_fastpath(struct rows *rows, struct nl *nl)
{
	struct uplinks u;
	if (uplink_find(nl, NULL, &u, NULL) < 0)
		return;
	char *state = fastpath_tell(nl, &u, rows->data_dir, rows->fastpath);
	row(rows, "fastpath", true, state ?: str_printf("%s", UNTOLD), NULL);
}

static void row_forwarding(struct rows *rows)
{
	int v4 = sysctl_get("ipv4/ip_forward"), v6 = sysctl_get("ipv6/conf/all/forwarding");
	row(rows, "ipv4-forwarding", v4 >= 0,
	    str_printf("%s", v4 < 0 ? "net.ipv4.ip_forward cannot be read"
			     : v4   ? "on"
				    : "off; the first VE that needs it switches it on"),
	    "mount /proc with the host's network settings");
	row(rows, "ipv6-forwarding", v6 >= 0,
	    str_printf("%s", v6 < 0 ? LACK_IPV6
			     : v6   ? "on"
				    : "off; the first VE that needs it switches it on"),
	    LACK_IPV6_HINT);
}

static void row_nft(struct rows *rows)
{
	_cleanup_err_ ve_error *error = NULL;
	const char *program = nft_program();
	row(rows, "nft", program != NULL, str_printf("%s", program ?: LACK_NFT), LACK_NFT_HINT);
	int r = nft_probe(&error);
	row(rows, "nftables", r == 0 || r == -EPERM,
	    str_printf("%s", r == 0        ? "masquerading for VEs of type nat"
			     : r == -EPERM ? UNTOLD
					   : ve_error_message(error)),
	    ve_error_hint(error));
}

static void row_rates(struct rows *rows)
{
	_cleanup_err_ ve_error *error = NULL;
	bool lacks;
	int r = rate_probe(&lacks, &error);
	row(rows, "rates", r == 0 || r == -EPERM,
	    str_printf("%s", r == 0 ? "network.N.rate_in and rate_out: ifb, tbf, clsact, u32, mirred"
			     : r == -EPERM ? UNTOLD
			     : lacks       ? LACK_RATES
					   : ve_error_message(error)),
	    ve_error_hint(error));
}

/* VEs' interfaces on the host, and those of them that the sets do not know. */
static void count_links(unsigned *ret_n, unsigned *ret_unknown)
{
	_cleanup_nl_ struct nl *nl = NULL;
	*ret_n = *ret_unknown = 0;
	struct if_nameindex *all = if_nameindex();
	if (all && nl_open(NETLINK_NETFILTER, &nl, NULL) == 0) {
		for (struct if_nameindex *i = all; i->if_index != 0; i++) {
			if (!str_starts(i->if_name, "vz"))
				continue;
			++*ret_n;
			*ret_unknown += heal_link_known(nl, i->if_name) == 0;
		}
	}
	if (all)
		if_freenameindex(all);
}

/* Without its rules a VE may send what it likes; without its elements it can send nothing. */
static char *faults_of_rules(const struct compared *c, bool loaded, unsigned n, unsigned unknown)
{
	if (!loaded && n > 0)
		return str_printf("rules of the nftables tables 'vectl' are missing while VEs run: their %u interfaces can send from "
				  "any address",
				  n);
	if (c->n_different > 0)
		return str_printf("%u chains are not as the installed files have them; one is %s", c->n_different, c->first);
	if (unknown > 0)
		return str_printf("%u of %u interfaces of VEs are not in the sets and can send nothing", unknown, n);
	return NULL;
}

static void row_rules(struct rows *rows)
{
	_cleanup_err_ ve_error *error = NULL;
	unsigned n, unknown;
	struct compared c;
	int loaded = nft_rules_loaded(&error);
	int r = loaded < 0 ? loaded : nft_compare(rows->data_dir, &c, &error);
	if (r < 0) {
		row(rows, "firewall-rules", r == -EPERM, str_printf("%s", r == -EPERM ? UNTOLD : ve_error_message(error)),
		    ve_error_hint(error));
		return;
	}
	count_links(&n, &unknown);
	char *faults = faults_of_rules(&c, loaded == 1, n, unknown);
	if (faults)
		row(rows, "firewall-rules", false, faults, "vectl recover puts them back");
	else if (c.n_loaded == 0)
		row(rows, "firewall-rules", true, str_printf("not loaded; the first VE that needs them loads them"), NULL);
	else
		row(rows, "firewall-rules", true, str_printf("loaded, %u interfaces of VEs", n), NULL);
}

/* What lets VEs through, as the administrator would type it. */
static char *blocker_hint(const struct net_blocker *b)
{
	const char *program = strcmp(b->family, "ip6") == 0 ? "ip6tables-legacy" : "iptables-legacy";
	if (b->legacy)
		return str_printf("allow the VEs' interfaces: %s -I %s -i vz+ -j ACCEPT; %s -I %s -o vz+ -j ACCEPT", program,
				  b->chain, program, b->chain);
	return str_printf("allow the VEs' interfaces: nft insert rule %s %s %s iifname \"vz*\" accept; "
			  "nft insert rule %s %s %s oifname \"vz*\" accept",
			  b->family, b->table, b->chain, b->family, b->table, b->chain);
}

static void row_blocker(const struct net_blocker *b, void *data)
{
	struct rows *rows = data;
	const char *what = strcmp(b->family, "ip") == 0    ? "IPv4 packets"
			   : strcmp(b->family, "ip6") == 0 ? "IPv6 packets"
							   : "packets";
	_cleanup_free_ char *hint = blocker_hint(b);
	rows->n_rows++;
	row(rows, "forward-policy", b->knows_us,
	    str_printf("the chain '%s' of the table '%s %s'%s drops forwarded %s%s", b->chain, b->family, b->table,
		       b->legacy ? " (iptables-legacy)" : "", what,
		       b->knows_us ? ", and has rules for vz* interfaces" : " that no rule of it accepts"),
	    hint);
}

static void row_forward_policy(struct rows *rows)
{
	_cleanup_err_ ve_error *error = NULL;
	int r = nft_each_blocker(row_blocker, rows, &error);
	if (r == 0)
		r = xtables_each_blocker(row_blocker, rows, &error);
	if (r < 0)
		row(rows, "forward-policy", r == -EPERM,
		    str_printf("%s", r == -EPERM ? UNTOLD : ve_error_message(error)), ve_error_hint(error));
	else if (rows->n_rows == 0)
		row(rows, "forward-policy", true, str_printf("no other firewall drops what is forwarded"), NULL);
}

static void row_br_netfilter(struct rows *rows)
{
	int on = sysctl_get("bridge/bridge-nf-call-iptables");
	row(rows, "br_netfilter", true,
	    str_printf("%s", on == 1 ? "active: the host's IP rules also see what passes bridges" : "not active"),
	    NULL);
}

/* What is missing here VEs lack, not vectl: rows that name modules come last. */
static void row_modules(struct rows *rows)
{
	_cleanup_free_ char *list = str_printf("%s/modules/vectl.conf", rows->data_dir);
	if (list)
		modules_check(list, "/lib/modules", rows->fn, rows->data);
}

void net_host_check(const char *data_dir, bool fastpath, net_check_fn fn, void *data)
{
	struct rows rows = { .data_dir = data_dir, .fastpath = fastpath, .fn = fn, .data = data };
	_cleanup_nl_ struct nl *nl = NULL;
	_cleanup_err_ ve_error *error = NULL;
	if (nl_open(NETLINK_ROUTE, &nl, &error) < 0) {
		row(&rows, "netlink", false, str_printf("%s", ve_error_message(error)), NULL);
		return;
	}
	row_veth(&rows, nl);
	row_uplinks(&rows, nl);
	row_forwarding(&rows);
	row_fastpath(&rows, nl);
	row_nft(&rows);
	row_rates(&rows);
	row_rules(&rows);
	row_forward_policy(&rows);
	row_br_netfilter(&rows);
	row_modules(&rows);
}
