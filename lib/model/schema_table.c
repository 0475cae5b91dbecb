/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table itself. Order is the order of `vectl keys`, of differences and of the man page.
 *
 * A row without BUILT is a key whose meaning is fixed but whose machinery this version lacks: it is known by name,
 * so that nobody gives it another meaning, and refused everywhere (69). A default of NULL is "unset": the doc
 * says what happens then.
 */
#include "model/checks.h"
#include "model/firewall.h"
#include "model/schema.h"
#include "model/useraccount.h"
#include "model/volume.h"

#define LIVE SCHEMA_LIVE
#define BUILT SCHEMA_BUILT
#define UNLIMITED SCHEMA_UNLIMITED
#define IDENTITY SCHEMA_IDENTITY
#define PRIVILEGED SCHEMA_PRIVILEGED

#define MIB (INT64_C(1) << 20)
#define PIB (INT64_C(1) << 50)
enum { DAY = 86400, CPUS_MAX = 8192, PIDS_MAX = 4194304 /* the kernel's PID_MAX_LIMIT */ };

#define HOOK(name, what) \
	{ .key = "hooks." name, .type = SCHEMA_STRING, .flags = LIVE | BUILT | PRIVILEGED, .check = check_path, .doc = what }
#define STR(name, ...) { .key = name, .type = SCHEMA_STRING, __VA_ARGS__ }
#define INT(name, u, least, most, ...) \
	{ .key = name, .type = SCHEMA_INT, .unit = u, .min = least, .max = most, __VA_ARGS__ }
#define BOOLEAN(name, ...) { .key = name, .type = SCHEMA_BOOL, __VA_ARGS__ }
#define ENUM(name, list, ...) { .key = name, .type = SCHEMA_ENUM, .words = list, __VA_ARGS__ }
#define LIST(name, ...) { .key = name, .type = SCHEMA_LIST, __VA_ARGS__ }

const struct schema_key schema_keys[] = {
	/* ---- what it is */
	STR("name", .flags = BUILT | IDENTITY, .check = check_name, .doc = "What the VE is called."),
	STR("uuid", .flags = BUILT | IDENTITY, .doc = "The VE's own number, made at create and never changed."),
	LIST("aliases", .flags = LIVE | BUILT, .check = check_alias,
	     .doc = "Further names, as unique on the host as its name, and good wherever that is."),
	STR("owner", .flags = LIVE | BUILT, .check = check_text, .doc = "Whom it belongs to; vectl only stores it."),
	STR("labels.*", .flags = LIVE | BUILT, .check = check_text,
	    .doc = "Words of the provider's own, for filters: labels.tier=gold. vectl only stores them."),
	STR("notes", .flags = LIVE | BUILT, .check = check_argument, .doc = "Free text. vectl only stores it."),
	BOOLEAN("protect", .flags = LIVE | BUILT, .def = "off",
		.doc = "Refuse to destroy, stop or change it, but for this key."),
	STR("hostname", .flags = LIVE | BUILT, .check = check_hostname,
	    .doc = "The host name inside. Unset: the VE's name."),
	STR("image", .flags = BUILT | IDENTITY, .check = check_image,
	    .doc = "The image it was made from. Unset at create: the template's, else the host's default.image."),
	STR("template", .flags = BUILT | IDENTITY, .check = check_name,
	    .doc = "The template that was copied into it at create."),
	STR("init", .flags = BUILT, .check = check_path,
	    .doc = "The program started as process 1. Unset: what the image says."),
	LIST("command", .flags = BUILT | SCHEMA_WORDS, .check = check_argument,
	     .doc = "A jail's command, run instead of an init: program and arguments. A JSON array where an argument "
		    "has blanks in it."),
	LIST("environment", .flags = BUILT | SCHEMA_KEYED | SCHEMA_SECRET, .check = check_environment,
	     .doc = "Variables of the first process, NAME=VALUE each."),
	STR("run.user", .flags = BUILT, .check = check_text,
	    .doc = "Whom 'command' runs as: a user of its own files, or uid[:gid]. Unset: root."),
	STR("run.cwd", .flags = BUILT, .check = check_path, .doc = "The directory that 'command' runs in. Unset: its user's home."),
	BOOLEAN("run.read_only", .flags = BUILT, .def = "off",
		.doc = "With 'command': nothing in its tree can be changed, but for /tmp, /var/tmp and /run, which are empty at "
		       "each start and kept in its memory, and /dev/shm."),
	STR("timezone", .flags = BUILT, .check = check_timezone,
	    .doc = "The time zone inside, as Europe/Berlin, which its own zoneinfo must have. Unset: left as it is. See DISTRIBUTIONS "
		   "in vectl-config(5)."),
	STR("locale", .flags = BUILT, .check = check_locale,
	    .doc = "The language inside, as de_DE.UTF-8 or C.UTF-8, which its system must have (locale-gen, langpacks); of a 'command' the "
		   "variable LANG. Unset: left as it is. See DISTRIBUTIONS in vectl-config(5)."),
	LIST("users", .flags = BUILT | SCHEMA_KEYED | SCHEMA_RULES | SCHEMA_SECRET, .canonical = useraccount_canonical,
	     .masked = useraccount_masked,
	     .doc = "Accounts that are made at its first start, before its init runs, and only then: 'ann groups=sudo,www-data "
		    "shell=/bin/zsh; ftp home=/srv/ftp locked'. See vectl-config(5)."),

	/* ---- cpu */
	INT("cpu.cores", UNIT_NONE, 1, CPUS_MAX, .flags = LIVE | BUILT | UNLIMITED, .def = "unlimited",
	    .doc = "How many CPUs the VE sees and at most uses; 'unlimited' is all of the host's."),
	INT("cpu.limit", UNIT_MILLICORES, 10, CPUS_MAX * INT64_C(1000), .flags = LIVE | BUILT | UNLIMITED,
	    .def = "unlimited",
	    .doc = "How much CPU time it gets at most: 1.5 is one and a half cores, 150% the same."),
	INT("cpu.weight", UNIT_NONE, 1, 10000, .flags = LIVE | BUILT, .def = "100",
	    .doc = "Its share of the CPUs when they are all busy, relative to other VEs."),
	STR("cpu.set", .flags = LIVE | BUILT, .check = check_cpus,
	    .doc = "The host's CPUs it is pinned to, as 0-3,8; cpu.cores then says how many of them. Unset: all."),
	INT("cpu.burst", UNIT_MILLICORES, 0, CPUS_MAX * INT64_C(1000), .flags = LIVE | BUILT, .def = "0",
	    .doc = "CPU time that it may save up while it uses less than cpu.limit, to use it besides: 0.5 is half a core more "
		   "in a tenth of a second. At most cpu.limit."),

	/* ---- memory */
	INT("memory.limit", UNIT_BYTES, 4 * MIB, PIB, .flags = LIVE | BUILT | UNLIMITED, .def = "unlimited",
	    .doc = "How much memory it uses at most, page cache included, swap not."),
	INT("memory.swap", UNIT_BYTES, 0, PIB, .flags = LIVE | BUILT | UNLIMITED, .def = "unlimited",
	    .doc = "How much swap it uses at most, memory not included; 0 is none."),
	INT("memory.guarantee", UNIT_BYTES, 0, PIB, .flags = LIVE | BUILT, .def = "0",
	    .doc = "Memory that is not taken from it while others have some to give. Needs cgroup v2."),
	INT("memory.high", UNIT_BYTES, 0, PIB, .flags = LIVE | BUILT | UNLIMITED, .def = "unlimited",
	    .doc = "From how much memory on it is slowed down, and pages are taken from it. Needs cgroup v2."),
	INT("memory.hugepages", UNIT_BYTES, 0, PIB, .flags = LIVE | BUILT | UNLIMITED, .def = "0",
	    .doc = "Huge pages that it may take of those the host has set aside, of each size; besides memory.limit."),

	/* ---- processes and their limits */
	INT("pids.limit", UNIT_NONE, 4, PIDS_MAX, .flags = LIVE | BUILT | UNLIMITED, .def = "unlimited",
	    .doc = "How many processes and threads it has at most."),
	STR("rlimits.*", .flags = LIVE | BUILT, .check = check_rlimit,
	    .words = "as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime "
		     "sigpending stack",
	    .restart = "core memlock msgqueue nproc sigpending",
	    .doc = "Resource limits of the first process, SOFT or SOFT:HARD in setrlimit(2)'s units. nproc, "
		   "memlock, msgqueue and sigpending count for the whole VE; these, and core, need a restart. The others "
		   "change for the first process and what is started from then on: what runs already keeps its own."),

	STR("pool", .flags = BUILT, .check = check_name,
	    .doc = "The pool whose limits it shares with other VEs (vectl pool set), besides its own. Unset: none."),

	/* ---- disk */
	ENUM("disk.backend", "overlay dir btrfs image", .flags = BUILT | IDENTITY,
	     .doc = "How its root tree is stored: overlay (over the image, nothing copied), dir (a full copy), btrfs (a "
		    "subvolume) or image (a full copy in a file system of its own). Unset at create: the host's default.backend. See "
		    "vectl-storage(7)."),
	INT("disk.size", UNIT_BYTES, 16 * MIB, PIB, .flags = LIVE | BUILT | UNLIMITED, .def = "unlimited",
	    .doc = "How much disk it uses at most. What cannot be enforced is refused."),
	INT("disk.inodes", UNIT_NONE, 16, UINT32_MAX, .flags = LIVE | BUILT | UNLIMITED, .def = "unlimited",
	    .doc = "How many files it has at most. Unset, with a disk.size: what a file system of that size has, one for each 16K (below "
		   "512M one for each 4K); on btrfs it is not counted."),
	BOOLEAN("disk.user_quota", .flags = BUILT, .def = "off",
		.doc = "User and group quotas inside (setquota, repquota), with disk.backend=image and security.seccomp=vps. Switched "
		       "off, the limits are forgotten. See vectl-storage(7)."),
	LIST("volumes", .flags = BUILT | SCHEMA_KEYED, .check = volume_check_name, .canonical = volume_canonical, .live = volume_grows_only,
	     .doc = "Further disks, NAME:SIZE:TARGET each: data:10G:/srv/data. One that is there grows while the VE runs; the rest needs a "
		    "restart. Only volumes-=NAME takes one away, with all that is in it. See vectl-storage(7)."),
	INT("io.weight", UNIT_NONE, 1, 10000, .flags = LIVE | BUILT, .def = "100",
	    .doc = "Its share of the disks when they are busy, relative to other VEs. Disks scheduled by BFQ (which knows 1 to "
		   "1000), or on cgroup v2 with io.cost switched on, have such shares."),
	INT("io.read_bps", UNIT_BYTES_PER_S, 1, PIB, .flags = LIVE | BUILT | UNLIMITED, .def = "unlimited",
	    .doc = "Bytes a second it reads from disk at most. What the page cache has costs nothing."),
	INT("io.write_bps", UNIT_BYTES_PER_S, 1, PIB, .flags = LIVE | BUILT | UNLIMITED, .def = "unlimited",
	    .doc = "Bytes a second it writes to disk at most. On cgroup v1, and on filesystems without cgroup writeback, this "
		   "holds direct and synchronous writing only."),
	INT("io.read_iops", UNIT_NONE, 1, INT32_MAX, .flags = LIVE | BUILT | UNLIMITED, .def = "unlimited",
	    .doc = "Reads a second at most."),
	INT("io.write_iops", UNIT_NONE, 1, INT32_MAX, .flags = LIVE | BUILT | UNLIMITED, .def = "unlimited",
	    .doc = "Writes a second at most, as with io.write_bps."),

	/* ---- network. N is a label from 0 to 99; the VE's interface is ethN */
	ENUM("network.N.type", "routed nat bridged none", .flags = BUILT,
	     .doc = "routed: the addresses of network.N.ips; nat: a private address behind the host's; bridged: in the "
		    "bridge network.N.bridge; none. Unset: "
		    "routed where addresses are given, else nat."),
	{ .key = "network.N.ips", .type = SCHEMA_ADDRESS_LIST, .flags = LIVE | BUILT,
	  .doc = "Its addresses, IPv4 and IPv6, ADDR or ADDR/LEN each." },
	STR("network.N.mac", .flags = BUILT, .check = check_mac,
	    .doc = "The MAC address of its interface. Unset: made from the uuid."),
	INT("network.N.mtu", UNIT_NONE, 1280, 65535, .flags = BUILT, .doc = "The MTU. Unset: the uplink's."),
	STR("network.N.bridge", .flags = BUILT, .check = check_bridge,
	    .doc = "For bridged: the host's bridge it is in. Unset: vectl0, which vectl makes and removes."),
	INT("network.N.vlan", UNIT_NONE, 1, 4094, .flags = BUILT,
	    .doc = "For bridged: the VLAN it is in, alone and untagged. The bridge must filter VLANs."),
	LIST("network.N.gateway", .flags = BUILT, .check = check_gateway,
	     .doc = "For bridged: its gateways, one IPv4 and one IPv6 at the most. The others have the host."),
	INT("network.N.rate_in", UNIT_BITS_PER_S, 8000, INT64_C(1000000000000), .flags = LIVE | BUILT | UNLIMITED,
	    .def = "unlimited", .doc = "Bits a second towards it at most. What is too much waits a moment in a queue."),
	INT("network.N.rate_out", UNIT_BITS_PER_S, 8000, INT64_C(1000000000000), .flags = LIVE | BUILT | UNLIMITED,
	    .def = "unlimited", .doc = "Bits a second from it at most."),
	LIST("network.N.forwards", .flags = LIVE | BUILT, .check = check_forward,
	     .doc = "For nat: ports of the host's that lead to it. tcp:8080:80 is one; udp:5000-5009:6000 leads 5000 to 6000, "
		    "5001 to 6001 and so on."),
	INT("network.N.quota", UNIT_BYTES, 1, PIB, .flags = LIVE | BUILT | UNLIMITED, .def = "unlimited",
	    .doc = "Traffic a month, both ways together, after which network.N.quota_action is taken."),
	ENUM("network.N.quota_action", "warn throttle block", .flags = LIVE | BUILT, .def = "warn",
	     .doc = "What happens when the quota is used up: warn (an event), throttle (to network.N.quota_rate) or "
		    "block (from everything but the host). It ends on the billing day, or when the quota is raised."),
	INT("network.N.quota_rate", UNIT_BITS_PER_S, 8000, INT64_C(1000000000000), .flags = LIVE | BUILT,
	    .def = "1M", .doc = "Bits a second, each way, that are left when the quota is used up."),
	INT("network.N.quota_day", UNIT_NONE, 1, 28, .flags = LIVE | BUILT, .def = "1",
	    .doc = "The day of the month on which the quota begins anew, at midnight UTC."),
	LIST("firewall.in", .flags = LIVE | BUILT | SCHEMA_RULES, .canonical = firewall_canonical_in,
	     .doc = "Rules for what reaches it, the first that matches decides: 'allow tcp 22,443 from 192.0.2.0/24; "
		    "deny all'. See vectl-network(7)."),
	LIST("firewall.out", .flags = LIVE | BUILT | SCHEMA_RULES, .canonical = firewall_canonical_out,
	     .doc = "Rules for what leaves it: 'deny tcp 25; allow all'."),
	LIST("firewall.preset", .flags = LIVE | BUILT, .check = check_firewall_preset,
	     .doc = "Ready-made rules behind its own: web (in: ssh, http, https, icmp and nothing else), mail-blocked "
		    "(out: no tcp 25), none."),
	INT("firewall.connections", UNIT_NONE, 1, 1048576, .flags = LIVE | BUILT | UNLIMITED, .def = "unlimited",
	    .doc = "Connections at a time, at most: as many towards it, and as many from it."),
	INT("firewall.packet_rate", UNIT_NONE, 10, 100000000, .flags = LIVE | BUILT | UNLIMITED, .def = "unlimited",
	    .doc = "Packets a second, at most: as many towards it, and as many from it."),
	LIST("dns.servers", .flags = BUILT | SCHEMA_INHERIT, .check = check_resolver, .def = "inherit",
	     .doc = "Its resolvers; 'inherit': those the host uses."),
	LIST("dns.search", .flags = BUILT, .check = check_domain,
	     .doc = "Domains in which short names are looked up."),

	/* ---- what it may */
	LIST("mounts", .flags = LIVE | BUILT | PRIVILEGED, .check = check_mount,
	     .doc = "Directories and files of the host's that it has too, SOURCE:TARGET or SOURCE:TARGET:ro each: root inside owns there "
		    "what root owns on the host. See vectl-storage(7)."),
	LIST("devices", .flags = BUILT | PRIVILEGED, .check = check_device,
	     .doc = "Devices of the host's that it has too, PATH, PATH:rw or PATH:r each, below /dev: /dev/ttyUSB0. See vectl-security(7)."),
	BOOLEAN("features.nesting", .flags = BUILT | PRIVILEGED, .def = "off",
		.doc = "Containers inside (Docker, podman): user namespaces and SYS_RESOURCE are left to it."),
	BOOLEAN("features.fuse", .flags = BUILT | PRIVILEGED, .def = "off",
		.doc = "File systems in user space inside, /dev/fuse (sshfs, rclone, AppImage)."),
	BOOLEAN("features.tun", .flags = BUILT | PRIVILEGED, .def = "off",
		.doc = "TUN and TAP interfaces inside, /dev/net/tun (OpenVPN). WireGuard does not need it."),
	ENUM("security.seccomp", "vps jail none", .flags = BUILT | PRIVILEGED, .def = "vps",
	     .doc = "The system call policy: vps (a whole system), jail (one application) or none."),
	LIST("security.capabilities", .flags = BUILT | PRIVILEGED, .check = check_capability,
	     .doc = "Changes to the bounding set: +net_raw gives, -net_admin takes. What only reaches the host "
		    "cannot be given."),

	/* ---- boot and stop */
	ENUM("boot.auto", "on off last", .flags = LIVE | BUILT, .def = "last",
	     .doc = "Started with the host: on, off, or last (if it ran when the host went down)."),
	INT("boot.order", UNIT_NONE, 0, 9999, .flags = LIVE | BUILT, .def = "100",
	    .doc = "Lower numbers are started first, and stopped last."),
	INT("boot.delay", UNIT_SECONDS, 0, 3600, .flags = LIVE | BUILT, .def = "0",
	    .doc = "How long to wait after its start before higher numbers are started."),
	ENUM("boot.restart", "no on-failure always", .flags = LIVE | BUILT, .def = "no",
	     .doc = "Whether it is started again when its init ends by itself. reboot inside always restarts."),
	STR("stop.signal", .flags = LIVE | BUILT, .check = check_signal,
	    .doc = "What asks its init to stop. Unset: what the image says."),
	INT("stop.timeout", UNIT_SECONDS, 1, DAY, .flags = LIVE | BUILT,
	    .doc = "How long stop waits before it kills. Unset: the host's stop.timeout."),

	/* ---- hooks: one row each, as each says what its failure means */
	HOOK("create", "A program of the host's that is run when everything of a new VE is made but its configuration file. If it fails, "
		       "nothing is created. See vectl-hooks(7)."),
	HOOK("before_start", "A program that is run before each start, when nothing is made for it yet. If it fails, the VE is not started."),
	HOOK("started", "A program that is run after each start, when the VE's init runs. If it fails, that is a warning and an event."),
	HOOK("stopping", "A program that is run before a VE is asked to stop. If it fails, that is a warning and an event."),
	HOOK("stopped", "A program that is run when a VE has ended, however, and also when its start failed after hooks.before_start. If it "
			"fails, that is a warning and an event."),
	HOOK("destroyed", "A program that is run when a VE and all that is its own are gone. If it fails, that is a warning and an event."),
	INT("hooks.timeout", UNIT_SECONDS, 1, 3600, .flags = LIVE | BUILT | PRIVILEGED, .def = "30s",
	    .doc = "How long each of its hooks may take. After that it is killed, with its whole process group, and has failed."),
	{ .key = NULL },
};
