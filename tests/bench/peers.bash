# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whom vectl is held against: crun, runc, LXC, each with what a jail has.

# The same tree for everybody, once owned by root, once by the ids of those who do not shift.
trees() {
	mkdir -p "$work/root"/{bin,dev,etc,proc,root,run,sbin,sys,tmp,usr/sbin}
	cp "$(command -v busybox)" "$work/root/bin/busybox"
	local applet
	for applet in true sh sleep; do ln -s busybox "$work/root/bin/$applet"; done
	cp -a "$work/root" "$work/shifted"
	chown -hR $ids:$ids "$work/shifted"
}

# bundle DIR ARG...: an OCI bundle with what a jail has: namespaces, cgroup limits, 14 capabilities, a deny list. (The
# time namespace is unknown to these versions.)
bundle() {
	local dir=$1
	shift
	mkdir -p "$dir"
	jq -n --arg root "$work/shifted" --argjson ids $ids '
	def caps: ["CHOWN","DAC_OVERRIDE","FSETID","FOWNER","MKNOD","NET_RAW","SETGID","SETUID","SETFCAP","SETPCAP",
		"NET_BIND_SERVICE","SYS_CHROOT","KILL","AUDIT_WRITE"] | map("CAP_" + .);
	{ ociVersion: "1.0.2", hostname: "peer", root: {path: $root},
	  process: {user: {uid: 0, gid: 0}, args: $ARGS.positional, env: ["PATH=/bin"], cwd: "/", noNewPrivileges: true,
		capabilities: {bounding: caps, effective: caps, permitted: caps}},
	  mounts: [
		{destination: "/proc", type: "proc", source: "proc"},
		{destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755", "size=64k"]},
		{destination: "/dev/pts", type: "devpts", source: "devpts", options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666"]},
		{destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"]}],
	  linux: {
		namespaces: ["pid", "network", "ipc", "uts", "mount", "cgroup", "user"] | map({type: .}),
		uidMappings: [{containerID: 0, hostID: $ids, size: 65536}],
		gidMappings: [{containerID: 0, hostID: $ids, size: 65536}],
		cgroupsPath: "/vectl-bench",
		resources: {memory: {limit: 268435456}, pids: {limit: 512}, cpu: {shares: 1024}, devices: [{allow: false, access: "rwm"}]},
		seccomp: {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], syscalls: [{
			names: ["kexec_load", "kexec_file_load", "add_key", "request_key", "keyctl", "io_uring_setup", "io_uring_enter",
				"io_uring_register", "init_module", "finit_module", "delete_module", "open_by_handle_at", "swapon",
				"swapoff", "acct", "iopl", "ioperm", "perf_event_open", "quotactl", "bpf", "userfaultfd"],
			action: "SCMP_ACT_ERRNO", errnoRet: 1}]}}
	}' --args "$@" >"$dir/config.json"
}

lxc_config() {
	cat <<END
lxc.rootfs.path = dir:$work/shifted
lxc.uts.name = peer
lxc.idmap = u 0 $ids 65536
lxc.idmap = g 0 $ids 65536
lxc.net.0.type = empty
lxc.mount.auto = proc sys
lxc.cgroup.memory.limit_in_bytes = 268435456
lxc.cgroup.pids.max = 512
lxc.seccomp.profile = /usr/share/lxc/config/common.seccomp
lxc.init.cmd = /bin/sleep 100000
END
}

# crun and runc refuse a hybrid host, LXC's newuidmap wants a line in subuid: a mount namespace in which both is settled.
peers_start() {
	trees
	bundle "$work/true" /bin/true
	bundle "$work/sleep" /bin/sleep 100000
	sed -i 's,"/vectl-bench","/vectl-bench-sleep",' "$work/sleep/config.json"
	lxc_config >"$work/lxc.conf"
	echo "root:$ids:65536" >"$work/subid"
	touch "$work/ready"
	# shellcheck disable=SC2016
	WORK=$work unshare --mount --propagation private bash -c '
		if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
		[ ! -e /etc/subuid ] || mount --bind "$WORK/subid" /etc/subuid
		[ ! -e /etc/subgid ] || mount --bind "$WORK/subid" /etc/subgid
		rm "$WORK/ready"
		exec sleep infinity' </dev/null >/dev/null &
	peers_pid=$!
	while [ -e "$work/ready" ]; do kill -0 $peers_pid || die "no namespace for the peers"; done
}
in_peers() { nsenter --mount="/proc/$peers_pid/ns/mnt" "$@"; }
peers_stop() {
	[ -n "$peers_pid" ] || return 0
	in_peers crun --root "$work/state/crun" delete -f sleep 2>/dev/null
	local d
	for d in "$work"/lxc/*/; do
		[ ! -d "$d" ] || in_peers lxc-stop -k -P "$work/lxc" -n "$(basename "$d")" 2>/dev/null
	done
}
# What is told of crun and runc: pointed at cgroupfs, since no systemd need run here.
crun=(crun --root "$work/state/crun" --cgroup-manager=cgroupfs)
runc=(runc --root "$work/state/runc")
mkdir -p "$work/state/crun" "$work/state/runc" "$work/lxc"
