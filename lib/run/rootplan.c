/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/rootplan.h"

#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/guard.h"
#include "base/str.h"
#include "run/adapters.h"
#include "run/credentials.h"
#include "run/managers.h"

enum where { EVERYWHERE, VPS_ONLY, READ_ONLY };

/* In order. Nothing in /proc is masked: a mask that the VE cannot remove forbids every fresh /proc inside, one
 * that it can is no mask; procfs' own ownership is the fence. /sys is a read-only superblock, so that no remount
 * makes it writable. */
static const struct {
	enum where where;
	enum blob_mount_kind kind;
	const char *target, *fstype, *options, *source;
	unsigned attrs, mode, optional;
} table[] = {
#define KERNEL_FS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
	{ EVERYWHERE, BM_FS, "proc", "proc", NULL, NULL, KERNEL_FS, 0555, 0 },
	{ EVERYWHERE, BM_FS, "sys", "sysfs", "ro", NULL, KERNEL_FS | MOUNT_ATTR_RDONLY, 0555, 0 },
	{ VPS_ONLY, BM_FS, "sys/fs/cgroup", "cgroup2", NULL, NULL, KERNEL_FS, 0, 1 },
	{ EVERYWHERE, BM_FS, "dev", "tmpfs", "mode=0755,size=4m,nr_inodes=64k", NULL, MOUNT_ATTR_NOSUID, 0755, 0 },
	/* gid 5 is tty on every distribution. max= stops programs that go wrong, and users; it is no fence: the VE's root can
	 * remount. */
	{ EVERYWHERE, BM_FS, "dev/pts", "devpts", "newinstance,ptmxmode=0666,mode=0620,gid=5,max=1024", NULL,
	  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0755, 0 },
	{ EVERYWHERE, BM_FS, "dev/shm", "tmpfs", "mode=1777", NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0755, 0 },
	{ VPS_ONLY, BM_FS, "dev/mqueue", "mqueue", NULL, NULL, KERNEL_FS, 0755, 1 },
	{ VPS_ONLY, BM_FS, "run", "tmpfs", "mode=0755", NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0755, 0 },
	{ VPS_ONLY, BM_DIR, "run/host", NULL, NULL, NULL, 0, 0755, 0 },
	/* What programs write where nothing is theirs to write. An image without one of them has no use for it. */
	{ READ_ONLY, BM_FS, "run", "tmpfs", "mode=0755", NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0755, 0 },
	{ READ_ONLY, BM_FS, "tmp", "tmpfs", "mode=1777", NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 01777, 0 },
	{ READ_ONLY, BM_FS, "var/tmp", "tmpfs", "mode=1777", NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0, 1 },
	/* Bound from the host: mknod(2) is refused in a user namespace. */
	{ EVERYWHERE, BM_DEVICE, "dev/null", NULL, NULL, "/dev/null", 0, 0, 0 },
	{ EVERYWHERE, BM_DEVICE, "dev/zero", NULL, NULL, "/dev/zero", 0, 0, 0 },
	{ EVERYWHERE, BM_DEVICE, "dev/full", NULL, NULL, "/dev/full", 0, 0, 0 },
	{ EVERYWHERE, BM_DEVICE, "dev/random", NULL, NULL, "/dev/random", 0, 0, 0 },
	{ EVERYWHERE, BM_DEVICE, "dev/urandom", NULL, NULL, "/dev/urandom", 0, 0, 0 },
	{ EVERYWHERE, BM_DEVICE, "dev/tty", NULL, NULL, "/dev/tty", 0, 0, 0 },
	{ EVERYWHERE, BM_LINK, "dev/ptmx", NULL, NULL, "pts/ptmx", 0, 0, 0 },
	{ EVERYWHERE, BM_LINK, "dev/fd", NULL, NULL, "/proc/self/fd", 0, 0, 0 },
	{ EVERYWHERE, BM_LINK, "dev/stdin", NULL, NULL, "/proc/self/fd/0", 0, 0, 0 },
	{ EVERYWHERE, BM_LINK, "dev/stdout", NULL, NULL, "/proc/self/fd/1", 0, 0, 0 },
	{ EVERYWHERE, BM_LINK, "dev/stderr", NULL, NULL, "/proc/self/fd/2", 0, 0, 0 },
};

static bool is_wanted(enum where where, const struct plan *p)
{
	return where == EVERYWHERE || (where == VPS_ONLY ? !p->jail : p->read_only);
}

_Static_assert(BINDMOUNTS_MAX <= (int)BLOB_MAX_BINDS && VOLUMES_MAX + PLAN_N_PLAIN <= (int)BLOB_MAX_VOLUMES,
	       "what a configuration may have, a blob can");

static unsigned add_detached(struct blobber *b, const struct rootplan_extra *extra, struct blob_mount *m)
{
	const struct {
		const char *target;
		int mount;
	} detached[] = { { "run/host/notify", extra->notify }, { &CREDENTIALS_PLACE[1], extra->credentials } };
	unsigned n = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(detached); i++)
		if (detached[i].mount >= 0)
			m[n++] = (struct blob_mount){ .kind = BM_FD, .target = blobber_str(b, detached[i].target), .mode = 0755,
						      .fd = blobber_fd(b, detached[i].mount) };
	return n;
}

static blob_str add_path(struct blobber *b, const char *directory, const char *name)
{
	_cleanup_free_ char *path = str_printf("%s/%s", directory, name);
	b->failed = b->failed || !path;
	return blobber_str(b, path);
}

/* What the VE itself has made of these places is its own affair: one that cannot be mounted is no reason not to start. */
static unsigned add_plain(struct blobber *b, struct blob_mount *m)
{
	for (unsigned i = 0; i < PLAN_N_PLAIN; i++)
		m[i] = (struct blob_mount){ .kind = BM_PLAIN, .target = add_path(b, "var/lib", plan_plain_names[i]),
					    .source = add_path(b, STORAGE_PLAIN, plan_plain_names[i]), .mode = S_IFDIR | 0710, .fd = -1,
					    .optional = 1 };
	return PLAN_N_PLAIN;
}

/* Where somebody wants a volume in the place of one of the others, that is what is seen. */
static unsigned add_disks(struct blobber *b, const struct plan *p, struct blob_mount *m)
{
	unsigned n = p->plain ? add_plain(b, m) : 0;
	for (unsigned i = 0; i < p->volumes.n; i++)
		m[n++] = (struct blob_mount){ .kind = BM_VOLUME, .target = blobber_str(b, p->volumes.of[i].target + 1),
					      .mode = S_IFDIR | 0755, .fd = blobber_fd(b, p->volumes.fds[i]) };
	return n;
}

void rootplan_work_mounts(struct blobber *b, const struct plan *p)
{
	struct blob_mount m[BLOB_MAX_VOLUMES];
	unsigned n = add_disks(b, p, m);
	b->head.mounts = blobber_vec(b, m, n, sizeof(m[0]));
}

/* After the nodes that are bound from the host's /dev, which they cover. */
static unsigned add_nodes(struct blobber *b, const struct devnodes *d, struct blob_mount *m)
{
	if (d->n == 0)
		return 0;
	m[0] = (struct blob_mount){ .kind = BM_NODES, .fd = blobber_fd(b, d->mount) };
	for (unsigned i = 0; i < d->n; i++)
		m[1 + i] = (struct blob_mount){ .kind = BM_NODE, .target = blobber_str(b, d->paths[i] + 1),
						.source = blobber_str(b, d->paths[i]), .fd = -1 };
	return 1 + d->n;
}

struct blob_mount rootplan_bind(struct blobber *b, const struct hostmount *h)
{
	return (struct blob_mount){
		.kind = BM_BIND,
		.target = blobber_str(b, h->spec.target + 1),
		.source = blobber_str(b, h->spec.source),
		.attrs = h->spec.readonly ? MOUNT_ATTR_RDONLY : 0,
		.mode = h->is_dir ? S_IFDIR | 0755 : S_IFREG | 0644,
		.fd = blobber_fd(b, h->fd),
	};
}

void rootplan_mounts(struct blobber *b, const struct plan *p, const struct rootplan_extra *extra, const struct devnodes *nodes,
		     const struct hostmounts *mounts)
{
	struct blob_mount m[ARRAY_SIZE(table) + 2 + BLOB_MAX_VOLUMES + 1 + DEVNODES_MAX + BINDMOUNTS_MAX];
	unsigned n = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
		if (!is_wanted(table[i].where, p))
			continue;
		m[n++] = (struct blob_mount){
			.kind = table[i].kind,
			.target = blobber_str(b, table[i].target),
			.fstype = blobber_str(b, table[i].fstype),
			.options = blobber_str(b, table[i].options),
			.source = blobber_str(b, table[i].source),
			.attrs = table[i].attrs,
			.mode = table[i].mode,
			.fd = -1,
			.optional = table[i].optional,
		};
	}
	n += add_detached(b, extra, m + n);
	n += add_disks(b, p, m + n);
	n += add_nodes(b, nodes, m + n);
	for (unsigned i = 0; i < mounts->n; i++)
		m[n++] = rootplan_bind(b, &mounts->of[i]);
	b->head.mounts = blobber_vec(b, m, n, sizeof(m[0]));
}

static struct blob_file file(struct blobber *b, enum blob_file_kind kind, const char *path, const char *data,
			     unsigned mode, bool optional)
{
	return (struct blob_file){
		.kind = kind,
		.path = blobber_str(b, path),
		/* With its NUL, which is not counted: a password's hash is read as a string. */
		.data = { blobber_str(b, data), (uint32_t)strlen(data) },
		.mode = mode,
		.optional = optional,
	};
}

enum { MAX_CHANGES = 32 };

static struct blob_file changed(struct blobber *b, const struct file_change *c)
{
	struct blob_file f = file(b, c->kind, c->path, c->n_data ? "" : c->data, c->mode, false);
	if (c->n_data)
		f.data = blobber_vec(b, c->data, c->n_data, 1);
	f.only_with = blobber_str(b, c->only_with);
	return f;
}

/* The VE's own name is resolved without a name server: to its first address, or as Debian has it. */
static unsigned add_hosts(struct blobber *b, const struct plan *p, struct blob_file *f, unsigned k)
{
	const char *hostname = config_string(p->config, "hostname");
	const struct net_if *first = p->net.n_ifs > 0 && p->net.ifs[0].n_addrs > 0 ? &p->net.ifs[0] : NULL;
	_cleanup_free_ char *address = first ? net_addr_format(&first->addrs[0], false) : NULL;
	_cleanup_free_ char *line = str_printf("%s\t%s\t" BLOB_HOSTS_TAG "\n", address ? address : "127.0.1.1",
					       hostname ? hostname : p->ve->name);
	if (!line) {
		b->failed = true;
		return k;
	}
	f[k] = file(b, BF_HOSTS, "/etc/hosts", line, 0644, true);
	return k + 1;
}

static unsigned add_managers(struct blobber *b, const struct plan *p, struct blob_file *f, unsigned k)
{
	struct manager_file m[MANAGERS_MAX];
	int n = managers_files(&p->net, m);
	if (n < 0) {
		b->failed = true;
		return k;
	}
	for (int i = 0; i < n; i++, k++) {
		f[k] = file(b, BF_REPLACE, m[i].path, m[i].text, 0644, true);
		f[k].only_with = blobber_str(b, m[i].only_with);
	}
	managers_done(m, n);
	return k;
}

static unsigned add_adapters(struct blobber *b, const struct plan *p, struct blob_file *f, unsigned k)
{
	struct adapter_file a[ADAPTERS_MAX];
	int n = adapters_files(p, a);
	if (n < 0) {
		b->failed = true;
		return k;
	}
	for (int i = 0; i < n; i++, k++) {
		f[k] = file(b, a[i].kind, a[i].path, a[i].text, 0644, true);
		f[k].only_with = blobber_str(b, a[i].only_with);
		f[k].families = a[i].families;
	}
	adapters_done(a, n);
	return k;
}

/* systemd's container interface: who manages us, and which container this is. */
static unsigned add_systemd(struct blobber *b, const struct plan *p, struct blob_file *f, unsigned k)
{
	f[k++] = file(b, BF_REPLACE, "/run/host/container-manager", "vectl\n", 0444, true);
	_cleanup_free_ char *uuid = NULL;
	if (asprintf(&uuid, "%s\n", p->ve->uuid) > 0)
		f[k++] = file(b, BF_REPLACE, "/run/host/container-uuid", uuid, 0444, true);
	if (config_bool(p->config, "features.nesting"))
		return k;
	/* A service that asks for a user namespace, as Debian's redis-server, does not start where there are none. What a drop-in
	 * for all services says, one for a service still overrides. */
	f[k] = file(b, BF_REPLACE, "/run/systemd/system/service.d/zz-vectl.conf",
		    "# Written by vectl at each start: the VE has no user namespaces (features.nesting).\n[Service]\nPrivateUsers=no\n", 0644, true);
	f[k++].only_with = blobber_str(b, "/usr/share/dbus-1/system-services/org.freedesktop.systemd1.service");
	return k;
}

void rootplan_files(struct blobber *b, const struct plan *p, const struct file_change *changes, unsigned n)
{
	struct blob_file f[MAX_CHANGES + 6 + MANAGERS_MAX + ADAPTERS_MAX];
	unsigned k = 0;
	if (p->resolv_conf && !changes)
		f[k++] = file(b, BF_REPLACE, "/etc/resolv.conf", p->resolv_conf, 0644, true);
	if (!p->jail && !changes) {
		k = add_systemd(b, p, f, k);
		k = add_hosts(b, p, f, k);
		k = add_managers(b, p, f, k);
	}
	if (!changes)
		k = add_adapters(b, p, f, k);
	if (n > MAX_CHANGES)
		b->failed = true;
	for (unsigned i = 0; i < n && i < MAX_CHANGES; i++)
		f[k++] = changed(b, &changes[i]);
	b->head.files = blobber_vec(b, f, k, sizeof(f[0]));
}
