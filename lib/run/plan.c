/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/plan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/units.h"
#include "run/account.h"
#include "run/block.h"
#include "run/disk.h"
#include "run/tenantpool.h"
#include "sec/caps.h"
#include "sys/disk.h"

void plan_limits(const struct config *c, struct cg_limits *ret_limits)
{
	struct cg_limits l;
	cg_limits_init(&l);
	const struct {
		const char *key;
		int64_t *field;
	} keys[] = {
		{ "memory.limit", &l.memory_bytes },
		{ "memory.swap", &l.swap_bytes },
		{ "memory.guarantee", &l.memory_guarantee_bytes },
		{ "memory.high", &l.memory_high_bytes },
		{ "memory.hugepages", &l.hugepages_bytes },
		{ "pids.limit", &l.pids },
		{ "cpu.cores", &l.cpu_cores },
		{ "cpu.limit", &l.cpu_limit_mc },
		{ "cpu.burst", &l.cpu_burst_mc },
		{ "cpu.weight", &l.cpu_weight },
		{ "io.weight", &l.io_weight },
		{ "io.read_bps", &l.io_read_bps },
		{ "io.write_bps", &l.io_write_bps },
		{ "io.read_iops", &l.io_read_iops },
		{ "io.write_iops", &l.io_write_iops },
	};
	/* What is not set stays unset: the kernel's defaults are ours. Two have a meaning for the rlimits, too; and huge pages are
	 * the host's own, who set them aside for somebody. */
	l.memory_bytes = config_int(c, "memory.limit");
	l.pids = config_int(c, "pids.limit");
	l.hugepages_bytes = config_int(c, "memory.hugepages");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (config_raw(c, keys[i].key))
			*keys[i].field = config_int(c, keys[i].key);
	l.cpu_set = config_raw(c, "cpu.set") ? config_string(c, "cpu.set") : NULL;
	*ret_limits = l;
}

void plan_disks(struct cg_limits *l, const int *fds, unsigned n_fds)
{
	l->n_disks = 0;
	for (unsigned i = 0; i < n_fds; i++) {
		dev_t disk;
		if (fds[i] < 0 || disk_of(fds[i], &disk) < 0 || l->n_disks == CG_DISKS_MAX)
			continue;
		l->disks_unaccounted |= !disk_writeback_is_accounted(fds[i]);
		bool known = false;
		for (unsigned k = 0; k < l->n_disks; k++)
			known = known || l->disks[k] == disk;
		if (!known)
			l->disks[l->n_disks++] = disk;
	}
}

bool plan_limits_disks(const struct config *c)
{
	return config_raw(c, "io") != NULL;
}

bool plan_binds_cpus(const struct config *c)
{
	return config_raw(c, "cpu.cores") || config_raw(c, "cpu.set");
}

void plan_limits_of(struct ve *v, const struct config *c, struct cg_limits *ret_limits)
{
	plan_limits(c, ret_limits);
	if (plan_limits_disks(c))
		plan_disks(ret_limits, (const int[]){ v->dir_fd, v->ctx->store->images_fd }, 2);
}

static char **list_strv(const json_t *list)
{
	char **v = calloc(1, sizeof(char *));
	size_t i;
	json_t *e;
	json_array_foreach((json_t *)list, i, e)
	{
		if (v && json_is_string(e) && strv_add(&v, json_string_value(e)) < 0) {
			strv_free(v);
			return NULL;
		}
	}
	return v;
}

/* ---- network ---- */

static int type_of(const struct config *c, unsigned label, const json_t *ips, enum net_type *ret_type)
{
	static const char *const names[NET_TYPE_COUNT] = { [NET_NONE] = "none", [NET_ROUTED] = "routed", [NET_NAT] = "nat",
						   [NET_BRIDGED] = "bridged" };
	_cleanup_free_ char *key = str_printf("network.%u.type", label);
	if (!key)
		return -ENOMEM;
	const char *type = config_raw(c, key) ? config_string(c, key) : NULL;
	if (!type) {
		*ret_type = json_array_size(ips) ? NET_ROUTED : NET_NAT;
		return 0;
	}
	for (int t = 0; t < NET_TYPE_COUNT; t++) {
		if (!str_eq(type, names[t]))
			continue;
		*ret_type = (enum net_type)t;
		return 0;
	}
	return -EINVAL;
}

static int add_address(struct net_if *nif, const char *text, ve_error **ret_error)
{
	struct net_addr *more = reallocarray(nif->addrs, nif->n_addrs + 1, sizeof(*more));
	if (!more)
		return err_nomem(ret_error);
	nif->addrs = more;
	int r = net_addr_parse(text, &more[nif->n_addrs], ret_error);
	if (r == 0)
		nif->n_addrs++;
	return r;
}

static int parse_mac(const char *text, unsigned char mac[6])
{
	unsigned b[6];
	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) != 6)
		return -EINVAL;
	for (int i = 0; i < 6; i++)
		mac[i] = (unsigned char)b[i];
	return 0;
}

/* Bits a second, 0: not limited. */
static uint64_t rate_of(const struct config *c, unsigned label, const char *which)
{
	char key[32];
	snprintf(key, sizeof(key), "network.%u.rate_%s", label, which);
	int64_t rate = config_int(c, key);
	return rate == UNITS_UNLIMITED ? 0 : (uint64_t)rate;
}

/* A key of the interface LABEL; the caller frees nothing: it is short. */
struct key {
	char s[48];
};
static struct key key_of(unsigned label, const char *what)
{
	struct key k;
	snprintf(k.s, sizeof(k.s), "network.%u.%s", label, what);
	return k;
}

static int plan_gateways(const struct config *c, struct net_if *nif, ve_error **ret_error)
{
	struct key key = key_of(nif->label, "gateway");
	size_t k;
	json_t *e;
	json_array_foreach(config_list(c, key.s), k, e)
	{
		struct net_addr a = { .family = strchr(json_string_value(e), ':') ? AF_INET6 : AF_INET };
		struct net_addr *where = &nif->gateway[a.family == AF_INET6];
		if (inet_pton(a.family, json_string_value(e), &a.v6) != 1 || where->family != 0)
			return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "network",
					 "%s: one IPv4 and one IPv6 gateway at the most", key.s);
		a.prefix = a.family == AF_INET ? 32 : 128;
		*where = a;
	}
	return 0;
}

static int plan_bridged(const struct config *c, struct net_if *nif, ve_error **ret_error)
{
	struct key bridge = key_of(nif->label, "bridge"), vlan = key_of(nif->label, "vlan");
	if (config_raw(c, bridge.s))
		nif->bridge = config_string(c, bridge.s);
	if (config_raw(c, vlan.s))
		nif->vlan = (unsigned)config_int(c, vlan.s);
	return plan_gateways(c, nif, ret_error);
}

static int plan_forwards(const struct config *c, struct net_if *nif, ve_error **ret_error)
{
	struct key key = key_of(nif->label, "forwards");
	json_t *list = config_list(c, key.s), *e;
	size_t k;
	uint16_t port;
	nif->forwards = calloc(json_array_size(list) + 1, sizeof(*nif->forwards));
	if (!nif->forwards)
		return err_nomem(ret_error);
	json_array_foreach(list, k, e)
	{
		struct portforward *f = &nif->forwards[nif->n_forwards];
		int r = portforward_parse(json_string_value(e), f, ret_error);
		if (r < 0)
			return r;
		for (unsigned i = 0; i < nif->n_forwards; i++)
			if (portforward_overlap(f, &nif->forwards[i], &port))
				return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "network",
						 "%s has the port %s %u twice", key.s, portforward_protocol(f), port);
		nif->n_forwards++;
	}
	return 0;
}

static int plan_interface(const struct config *c, unsigned label, struct net_if *nif, ve_error **ret_error)
{
	_cleanup_free_ char *ips_key = str_printf("network.%u.ips", label), *mtu_key = str_printf("network.%u.mtu", label);
	_cleanup_free_ char *mac_key = str_printf("network.%u.mac", label), *nat = str_printf("nat_address_%u", label);
	if (!ips_key || !mtu_key || !mac_key || !nat)
		return err_nomem(ret_error);
	json_t *ips = config_list(c, ips_key), *e;
	size_t i;
	*nif = (struct net_if){ .label = label, .rate_in = rate_of(c, label, "in"), .rate_out = rate_of(c, label, "out") };
	if (type_of(c, label, ips, &nif->type) < 0)
		return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "network", "network.%u.type is not known", label);
	if (config_raw(c, mtu_key))
		nif->mtu = (unsigned)config_int(c, mtu_key);
	const char *mac = config_raw(c, mac_key) ? config_string(c, mac_key) : NULL;
	if (!mac || parse_mac(mac, nif->mac) < 0)
		net_mac(config_uuid(c), label, nif->mac);
	const char *private = nif->type == NET_NAT ? config_identity_string(c, nat) : NULL;
	int r = private ? add_address(nif, private, ret_error) : 0;
	json_array_foreach(ips, i, e)
	{
		if (r == 0 && (nif->type == NET_ROUTED || nif->type == NET_BRIDGED))
			r = add_address(nif, json_string_value(e), ret_error);
	}
	if (r == 0 && nif->type == NET_BRIDGED)
		r = plan_bridged(c, nif, ret_error);
	return r == 0 && nif->type == NET_NAT ? plan_forwards(c, nif, ret_error) : r;
}

void plan_network_done(struct net_plan *net)
{
	for (unsigned i = 0; i < net->n_ifs; i++) {
		free(net->ifs[i].addrs);
		free(net->ifs[i].forwards);
	}
	net->n_ifs = 0;
	for (int way = 0; way < FIREWALL_WAYS; way++)
		firewall_list_done(&net->firewall.ways[way]);
}

static int plan_firewall(const struct config *c, struct net_firewall *fw, ve_error **ret_error)
{
	static const char *const keys[FIREWALL_WAYS] = { [FIREWALL_IN] = "firewall.in", [FIREWALL_OUT] = "firewall.out" };
	int64_t connections = config_int(c, "firewall.connections"), rate = config_int(c, "firewall.packet_rate");
	const json_t *presets = config_list(c, "firewall.preset");
	fw->connections = connections == UNITS_UNLIMITED ? 0 : (uint32_t)connections;
	fw->packet_rate = rate == UNITS_UNLIMITED ? 0 : (uint64_t)rate;
	int r = 0;
	for (int way = 0; way < FIREWALL_WAYS && r == 0; way++)
		r = firewall_list_make(config_list(c, keys[way]), presets, (enum firewall_way)way, &fw->ways[way], ret_error);
	return r;
}

int plan_network(struct ve_ctx *ctx, const struct config *c, struct net_if ifs[PLAN_MAX_IFS], struct net_plan *ret_net,
		 ve_error **ret_error)
{
	unsigned labels[PLAN_MAX_IFS];
	int n = config_networks(c, labels, PLAN_MAX_IFS);
	bool cut_off = block_cuts_network(ctx->store, config_uuid(c));
	*ret_net = (struct net_plan){
		.link_id = (uint32_t)config_identity_int(c, "link_id"),
		.uuid = config_uuid(c),
		.uplink = ctx->host->uplink,
		.fastpath = ctx->host->fastpath,
		.answers4 = host_proxies(ctx->host, "ipv4"),
		.answers6 = host_proxies(ctx->host, "ipv6"),
		.nat_range = ctx->host->nat_range,
		.data_dir = store_data_dir(),
		.ifs = ifs,
	};
	for (int i = 0; i < n; i++) {
		int r = plan_interface(c, labels[i], &ifs[ret_net->n_ifs], ret_error);
		ret_net->n_ifs++; /* also a failed one, for its addresses to be freed */
		if (r < 0) {
			plan_network_done(ret_net);
			return r;
		}
		account_restrict(ctx->store, c, &ifs[ret_net->n_ifs - 1]);
		if (cut_off)
			ifs[ret_net->n_ifs - 1].blocked = true;
		if (ifs[ret_net->n_ifs - 1].type == NET_NONE)
			ret_net->n_ifs--; /* only lo, which the child brings up itself */
	}
	int r = plan_firewall(c, &ret_net->firewall, ret_error);
	if (r < 0)
		plan_network_done(ret_net);
	return r;
}

static bool has_network(const struct plan *p)
{
	return p->net.n_ifs > 0;
}

static int plan_resolv_conf(struct plan *p, ve_error **ret_error)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	_cleanup_strv_ char **servers = NULL, **search = NULL;
	int r;
	if (config_raw(p->config, "dns.servers") && json_is_array(config_raw(p->config, "dns.servers"))) {
		servers = list_strv(config_list(p->config, "dns.servers"));
		search = list_strv(config_list(p->config, "dns.search"));
	} else if (p->ve->ctx->host->dns) {
		servers = list_strv(p->ve->ctx->host->dns);
	} else if ((r = net_host_resolvers(&servers, &search, ret_error)) < 0) {
		return r;
	}
	strbuf_add(&b, "# Written by vectl at each start of the VE: set dns.servers and dns.search.\n");
	for (char **s = search; s && *s; s++)
		strbuf_addf(&b, "%s%s", s == search ? "search " : " ", *s);
	if (search && *search)
		strbuf_add(&b, "\n");
	for (char **s = servers; s && *s; s++)
		strbuf_addf(&b, "nameserver %s\n", *s);
	p->resolv_conf = strbuf_steal(&b);
	return p->resolv_conf ? 0 : err_nomem(ret_error);
}

/* ---- security ---- */

int plan_rlimits(struct plan *p, ve_error **ret_error)
{
	const json_t *set = config_raw(p->config, "rlimits");
	_cleanup_strv_ char **overrides = calloc(1, sizeof(char *));
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)set, name, value)
	{
		if (!overrides || strv_add(&overrides, name) < 0 || strv_add(&overrides, json_string_value(value)) < 0)
			return err_nomem(ret_error);
	}
	p->n_rlimits = rlimits_plan(p->limits.pids, p->limits.memory_bytes, (const char *const *)overrides, p->rlimits,
				    ret_error);
	return p->n_rlimits < 0 ? p->n_rlimits : 0;
}

int plan_security(struct plan *p, ve_error **ret_error)
{
	const char *policy = config_string(p->config, "security.seccomp");
	_cleanup_free_ char *dir = str_printf("%s/seccomp", store_data_dir());
	_cleanup_strv_ char **extra = list_strv(config_list(p->config, "security.capabilities"));
	if (!dir || !extra)
		return err_nomem(ret_error);
	bool quota = config_bool(p->config, "disk.user_quota");
	int r = disk_check_quota(p->config, ret_error);
	if (r < 0)
		return r;
	r = seccomp_policy_load(dir, quota ? "vps-quota" : policy, &p->policy, ret_error);
	if (r < 0)
		return r;
	r = caps_bounding_set(str_eq(policy, "jail") ? CAPS_JAIL : CAPS_VPS, config_bool(p->config, "features.nesting"),
			      (const char *const *)extra, &p->caps, ret_error);
	if (r == 0)
		r = plan_rlimits(p, ret_error);
	/* The limit of 1 that keeps core_pattern's helper away must not be lowered to 0 from inside. */
	if (r == 0 && rlimits_core_is_fenced(p->rlimits, p->n_rlimits))
		r = seccomp_policy_add(dir, "core", &p->policy, ret_error);
	return r;
}

int plan_check_limits(struct ve *v, const struct cg_limits *l, ve_error **ret_error)
{
	int r = ctx_cgroups(v->ctx, ret_error);
	return r < 0 ? r : cg_check_limits(v->ctx->cg, v->name, l, ret_error);
}

/* A default that is spelt out, as `show` does it, asks for nothing. */
static int check_run(const struct config *c, ve_error **ret_error)
{
	bool asked = config_string(c, "run.user") || config_string(c, "run.cwd") || config_bool(c, "run.read_only");
	if (!asked || config_is_jail(c))
		return 0;
	return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config", "run.*: how a jail's command runs, and there is no 'command'");
}

int plan_check(struct ve *v, const struct config *c, ve_error **ret_error)
{
	_cleanup_plan_ struct plan p = { .ve = v, .config = c, .storage = { .image_fd = -1, .writable_fd = -1 } };
	plan_limits_of(v, c, &p.limits);
	int r = check_run(c, ret_error);
	if (r == 0)
		r = disk_check_host(c, ret_error);
	if (r == 0)
		r = plan_security(&p, ret_error);
	if (r == 0)
		r = tenantpool_check(v->ctx, c, ret_error);
	return r < 0 ? r : plan_check_limits(v, &p.limits, ret_error);
}

void plan_freeze_security(struct blobber *b, const struct plan *p)
{
	struct blob_rlimit limits[RLIMITS_MAX];
	struct blob_vec programs[SECCOMP_MAX_PROGRAMS];
	for (int i = 0; i < p->n_rlimits; i++)
		limits[i] = (struct blob_rlimit){ (uint32_t)p->rlimits[i].resource, 0, p->rlimits[i].limit.rlim_cur,
						  p->rlimits[i].limit.rlim_max };
	for (unsigned i = 0; i < p->policy.n_programs; i++)
		programs[i] = blobber_vec(b, p->policy.programs[i].filter, p->policy.programs[i].len,
					  sizeof(struct sock_filter));
	b->head.rlimits = blobber_vec(b, limits, (size_t)p->n_rlimits, sizeof(limits[0]));
	b->head.programs = blobber_vec(b, programs, p->policy.n_programs, sizeof(programs[0]));
	b->head.cap_bounding = p->caps;
	if (p->policy.no_new_privs)
		b->head.flags |= BLOB_NO_NEW_PRIVS;
	if (config_bool(p->config, "disk.user_quota"))
		b->head.flags |= BLOB_USER_QUOTA;
	if (config_bool(p->config, "features.nesting"))
		b->head.flags |= BLOB_NESTING;
	if (!str_eq(config_string(p->config, "security.seccomp"), "jail"))
		b->head.flags |= BLOB_NAMESPACES;
}

/* ---- root tree ---- */

int plan_image(const struct ve *v, const struct config *c, struct image **ret_image, ve_error **ret_error)
{
	const char *name = config_string(c, "image"), *digest = config_identity_string(c, "image_digest");
	_cleanup_free_ char *reference = str_printf("%s@%s", name ? name : "", digest ? digest : "");
	return reference ? image_open(v->ctx->store->images_fd, reference, ret_image, ret_error) : err_nomem(ret_error);
}

const char *const plan_plain_names[PLAN_N_PLAIN + 1] = { "docker", "containers", "containerd", NULL };

static int plan_root(struct plan *p, int rootfs_fd, ve_error **ret_error)
{
	_cleanup_close_ int image_fd = rootfs_fd;
	int r = 0;
	if (image_fd < 0) {
		p->image = steal_ptr(&p->ve->image);
		if (!p->image)
			r = plan_image(p->ve, p->config, &p->image, ret_error);
		if (r == 0)
			r = image_open_rootfs(p->ve->ctx->store->images_fd, p->image, &image_fd, ret_error);
		if (r < 0)
			return r;
		p->notify = !p->jail && str_eq(p->image->init_system, "systemd");
	}
	if (!config_identity_int(p->config, "ephemeral")) {
		r = disk_open(p->ve, p->config, steal_fd(&image_fd), &p->storage, ret_error);
		p->plain = r == 0 && p->storage.layered && config_bool(p->config, "features.nesting");
		if (p->plain)
			r = storage_make_plain(&p->storage, plan_plain_names, ret_error);
		return r < 0 ? r : volumes_open(p->ve, p->config, &p->volumes, ret_error);
	}
	/* What a jail writes is kept in memory, and gone with it. */
	p->storage = (struct storage){ .layered = true, .image_fd = steal_fd(&image_fd), .writable_fd = -1 };
	return 0;
}

int plan_make(struct ve *v, const struct config *c, int rootfs_fd, struct plan *ret_plan, ve_error **ret_error)
{
	_cleanup_plan_ struct plan p = {
		.ve = v,
		.config = c,
		.jail = config_is_jail(c),
		.read_only = config_bool(c, "run.read_only"),
		.id_base = (uint32_t)config_identity_int(c, "id_base"),
		.storage = { .image_fd = -1, .writable_fd = -1 },
	};
	int r = ctx_host(v->ctx, ret_error);
	if (r < 0) {
		if (rootfs_fd >= 0)
			close(rootfs_fd);
		return r;
	}
	plan_limits(c, &p.limits);
	r = plan_root(&p, rootfs_fd, ret_error);
	if (r == 0)
		r = check_run(c, ret_error);
	if (r == 0 && plan_limits_disks(c))
		plan_disks(&p.limits, (const int[]){ p.storage.image_fd, p.storage.writable_fd }, 2);
	if (r == 0)
		r = plan_security(&p, ret_error);
	if (r == 0)
		r = plan_network(v->ctx, c, p.ifs, &p.net, ret_error);
	if (r == 0 && has_network(&p))
		r = plan_resolv_conf(&p, ret_error);
	if (r < 0)
		return r;
	*ret_plan = p;
	ret_plan->net.ifs = ret_plan->ifs; /* the array moved with the struct */
	p = (struct plan){ .storage = { .image_fd = -1, .writable_fd = -1 } };
	return 0;
}

void plan_done(struct plan *p)
{
	if (p->net.ifs)
		p->net.ifs = p->ifs;
	plan_network_done(&p->net);
	image_free(p->image);
	storage_close(&p->storage);
	volumes_close(&p->volumes);
	seccomp_policy_done(&p->policy);
	free(p->resolv_conf);
	*p = (struct plan){ .storage = { .image_fd = -1, .writable_fd = -1 } };
}
