#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a VE's root finds inside, as the probe (tests/probe) reports it from there: facts, section by section. Policy vps is a
# running VE, entered; its init is looked at from the host; policy jail is a run.
load helpers

PROBE=${PROBE:-$O/probe}

setup_file() {
	world_up
	v create box --image busybox --ip 192.0.2.10 --set pids.limit=200 --set memory.limit=256M --start >/dev/null
	v exec box -- sh -c 'cat >/root/probe && chmod 755 /root/probe' <"$PROBE"
	v exec box -- /root/probe >"$BATS_FILE_TMPDIR/vps.json"
	v run --image busybox --no-network -- sh -c 'cat >/tmp/probe; chmod 755 /tmp/probe; exec /tmp/probe </dev/null' \
		<"$PROBE" >"$BATS_FILE_TMPDIR/jail.json"
	v create nest --image busybox --set features.nesting=on --start >/dev/null
	v exec nest -- sh -c 'cat >/root/probe && chmod 755 /root/probe' <"$PROBE"
	v exec nest -- /root/probe >"$BATS_FILE_TMPDIR/nest.json"
	"$PROBE" ids namespaces clocks >"$BATS_FILE_TMPDIR/host.json"
	inventory >"$BATS_FILE_TMPDIR/inventory"
}
teardown() { same_as_before; }

# vps FILTER, jail FILTER, nest FILTER: true of that report. value WHO FILTER prints.
value() { jq -r "$2" "$BATS_FILE_TMPDIR/$1.json"; }
holds() { jq -e "$2" "$BATS_FILE_TMPDIR/$1.json" >/dev/null || { echo "$1: not true: $2" >&2; value "$1" "${2%%|*}" >&2; return 1; }; }
vps() { holds vps "$1"; }
jail() { holds jail "$1"; }
nest() { holds nest "$1"; }
everybody() { vps "$1" && jail "$1" && nest "$1"; }
open_answer() { v exec box -- /root/probe "open:$1" | jq -r ".open[\"$1\"]"; }

@test "ids: root inside, a range of 65,536 of its own outside" {
	everybody '.ids | [.uid, .euid, .suid, .fsuid, .gid, .egid, .sgid, .fsgid] | all(. == 0)'
	everybody '.ids.groups - [0] == []'
	everybody '.maps.uid | length == 1 and .[0].inside == 0 and .[0].outside >= 100000 and .[0].count == 65536'
	everybody '.maps.uid == .maps.gid'
	[ "$(value vps '.maps.uid[0].outside')" != "$(value nest '.maps.uid[0].outside')" ]
}

@test "ids: the range is clear of subuid and subgid" {
	local first count start
	first=$(value vps '.maps.uid[0].outside')
	while IFS=: read -r _ start count; do
		[[ $((start + count)) -le $first || $start -ge $((first + 65536)) ]]
	done < <(cat /etc/subuid /etc/subgid 2>/dev/null)
}

@test "the user namespace belongs to the first id of the range" {
	local pid
	pid=$(init_pid box)
	[ "$(stat -c %u "/proc/$pid")" = "$(value vps '.maps.uid[0].outside')" ]
	# NS_GET_OWNER_UID = _IO(0xb7, 4)
	[ "$(python3 -c 'import fcntl, struct, sys
fd = open("/proc/" + sys.argv[1] + "/ns/user")
b = bytearray(4); fcntl.ioctl(fd, 0xb704, b); print(struct.unpack("I", b)[0])' "$pid")" = "$(value vps '.maps.uid[0].outside')" ]
}

@test "eight namespaces, none of them the host's, none shared between VEs" {
	local n
	for n in user mnt pid net ipc uts cgroup time; do
		# The jail has ended, and the kernel gives its numbers again: it is compared with what lived then.
		[ "$(printf '%s\n' "$(value host ".namespaces.$n")" "$(value vps ".namespaces.$n")" "$(value jail ".namespaces.$n")" |
			sort -u | wc -l)" -eq 3 ] || { echo "$n is shared" >&2; return 1; }
		[ "$(printf '%s\n' "$(value host ".namespaces.$n")" "$(value vps ".namespaces.$n")" "$(value nest ".namespaces.$n")" |
			sort -u | wc -l)" -eq 3 ] || { echo "$n is shared" >&2; return 1; }
	done
}

@test "init is in the same namespaces as what enters" {
	local n
	for n in user mnt pid net ipc uts cgroup time; do
		[ "$(stat -L -c %i "/proc/$(init_pid box)/ns/$n")" = "$(value vps ".namespaces.$n")" ] || { echo "$n differs" >&2; return 1; }
	done
}

@test "capabilities: what only reaches the host is not there" {
	local never='["sys_module","sys_rawio","sys_time","mac_admin","mac_override","audit_control","audit_read","wake_alarm","block_suspend","syslog","perfmon","bpf"]'
	everybody ".caps.bounding - (.caps.bounding - $never) == []"
	everybody '.caps.effective - .caps.bounding == []'
	everybody '.caps.inheritable == [] and .caps.ambient == []'
	vps '.caps.bounding | length >= 25'
	vps '.caps.bounding | index("sys_resource") == null'
	nest '.caps.bounding | index("sys_resource") != null'
	jail '.caps.bounding | length <= 14'
	vps '.caps.bounding | index("sys_admin") != null and index("net_admin") != null'
	jail '.caps.bounding | index("sys_admin") == null'
}

@test "seccomp is on for everybody; no new privileges for jails" {
	everybody '.process.seccomp == 2 and .process.seccomp_filters >= 1'
	vps '.process.no_new_privs == 0'
	jail '.process.no_new_privs == 1'
}

@test "three descriptors, and none leads out" {
	everybody '.fds | map(.fd) - [0, 1, 2] == []'
	# What is handed in by exec and run is the caller's; init's own is the console.
	local pid
	pid=$(init_pid box)
	not grep -vE '^(/dev/(console|null|pts/[0-9]+)|socket:\[|pipe:\[|anon_inode:)' <(find "/proc/$pid/fd" -type l -printf '%l\n')
}

@test "the environment carries nothing of the host's" {
	everybody '.environment | map(split("=")[0]) - ["PATH", "HOME", "USER", "SHELL", "LOGNAME", "TERM", "LANG", "PWD", "SHLVL", "container", "container_uuid", "OLDPWD", "_"] == []'
	[ "$(tr '\0' '\n' <"/proc/$(init_pid box)/environ" | grep -c '^container=vectl$')" -eq 1 ]
}

@test "mounts: the host's are gone, /sys is a read-only superblock, /proc is not masked" {
	everybody '[.mounts[] | select(.source != null and (.source | test("/var/tmp|/dev/vd|/dev/sd")) and .target == "/")] == []'
	not grep -q "$VECTL_ROOT" <(value vps '.mounts[].target')
	everybody '[.mounts[] | select(.type == "sysfs")] | length >= 1 and all(.super | split(",") | index("ro") != null)'
	everybody '[.mounts[] | select(.target | test("^/proc/"))] == []'
	everybody '[.mounts[] | select(.target == "/proc")][0].type == "proc"'
	everybody '[.mounts[] | select(.propagation | any(test("^master:")))] == []'
	vps '[.mounts[] | select(.target == "/")][0] | (.type == "overlay") and (.options | split(",") | index("rw") != null)'
	# setuid works inside: the flags of the store's bind are cleared on the VE's own clone.
	vps '[.mounts[] | select(.target == "/")][0].options | split(",") | index("nosuid") == null'
}

@test "/proc and /sys: what the VE's root can open for writing is on the reviewed list" {
	local who extra
	vps '.writable.visited > 500'
	vps '.writable.sys | length == 0 or all(startswith("/sys/fs/cgroup/"))'
	for who in vps jail nest; do
		extra=$(value $who '.writable.proc[]' | sort -u | grep -vxEf <(grep -v '^#' "$tests_top/tests/data/proc-writable.txt" | grep .) || true)
		[ -z "$extra" ] || { printf 'not reviewed (%s):\n%s\n' $who "$extra" >&2; return 1; }
	done
}

@test "a remount of /sys, and a fresh one, stay read-only" {
	try v exec box -- sh -c 'mount -o remount,rw /sys'
	[ "$status" -ne 0 ]
	try v exec box -- sh -c 'mkdir -p /tmp/s && mount -t sysfs s /tmp/s && echo x >/tmp/s/power/state'
	[ "$status" -ne 0 ]
}

@test "nested: a fresh /proc inside is allowed where nesting is" {
	try v exec nest -- unshare -Urpfm sh -c 'mount -t proc p /proc && cat /proc/1/comm'
	[ "$status" -eq 0 ] || { explain "rootless nested /proc"; return 1; }
	try v exec box -- unshare -U true
	[ "$status" -ne 0 ]
}

@test "rlimits: counted ones are set, nothing is unlimited that counts for the host" {
	everybody '.rlimits | [.nproc.hard, .memlock.hard, .msgqueue.hard, .sigpending.hard] | all(. != null)'
	vps '.rlimits.nproc.hard > 200'
	if grep -q '^|' /proc/sys/kernel/core_pattern; then
		everybody '.rlimits.core.hard == 1'
	fi
}

@test "no tenant starts a host program by crashing" {
	# core_pattern is the kernel's own, not a namespace's: the rule is looked at in the source of truth, the limit.
	if grep -q '^|' /proc/sys/kernel/core_pattern; then
		v exec box -- sh -c 'ulimit -c unlimited; ulimit -c' && false
	fi
	try v exec box -- sh -c 'echo "|/bin/sh" >/proc/sys/kernel/core_pattern'
	[ "$status" -ne 0 ]
}

@test "clocks: its own from the start" {
	vps '.clocks.boottime_ms < 300000'
	jail '.clocks.boottime_ms < 60000'
	[ $(($(value host .clocks.realtime_ms) - $(value vps .clocks.realtime_ms))) -lt 120000 ]
}

@test "the host name is its own" {
	vps '.host.hostname == "box"'
	v exec box -- hostname changed-inside
	[ "$(hostname)" != changed-inside ]
	v exec box -- hostname box
}

@test "cgroups: it sees its own root only, and cannot leave it" {
	vps '.cgroup | all(.path | test("^/(guest)?$") or . == "/")' || vps '[.cgroup[] | select(.controllers == "")] | all(.path == "/")'
	local mount
	mount=$(value vps '[.mounts[] | select(.type == "cgroup2")][0].target // empty')
	[ -n "$mount" ]
	try v exec box -- sh -c "echo max >$mount/pids.max || echo 1 >$mount/cgroup.freeze && cat $mount/cgroup.controllers"
	v exec box -- sh -c "mkdir $mount/mine && echo \$\$ >$mount/mine/cgroup.procs; echo \$\$ >$mount/cgroup.procs; rmdir $mount/mine"
	[ "$(group_file box pids.max)" = 200 ]
}

@test "devices: mknod is refused, and a node that lies in the tree does not open" {
	local dir
	dir=$(find "$VECTL_ROOT/var/lib/vectl/ve/$(uuid_of box)" -maxdepth 3 -type d \( -name upper -o -name rootfs \) | head -1)
	[ -n "$dir" ]
	mknod -m 666 "$dir/planted-vda" b 254 0
	mknod -m 666 "$dir/planted-kmsg" c 1 11
	mknod -m 666 "$dir/planted-loop" b 7 0
	mknod -m 666 "$dir/planted-null" c 1 3
	[ "$(open_answer /planted-vda)" = EPERM ]
	[ "$(open_answer /planted-kmsg)" = EPERM ]
	[ "$(open_answer /planted-loop)" = EPERM ]
	rm "$dir"/planted-*
	try v exec box -- mknod /root/n c 1 11
	[ "$status" -ne 0 ]
	local ok
	for ok in null zero full random urandom tty ptmx; do
		inside box test -c "/dev/$ok"
	done
	for ok in null zero urandom; do [ "$(open_answer /dev/$ok)" = 0 ] || [ "$(open_answer /dev/$ok)" = null ] || [ "$(open_answer /dev/$ok)" = ok ]; done
	for ok in mem kmsg port sda vda loop0 kvm fuse net/tun; do
		try v exec box -- test -e "/dev/$ok"
		[ "$status" -eq 1 ] || { echo "/dev/$ok is there" >&2; return 1; }
	done
}

@test "the device filter holds after remounting without nodev" {
	local dir
	dir=$(find "$VECTL_ROOT/var/lib/vectl/ve/$(uuid_of box)" -maxdepth 3 -type d \( -name upper -o -name rootfs \) | head -1)
	mknod -m 666 "$dir/planted" b 7 0
	v exec box -- mount -o remount,dev / 2>/dev/null || true
	[ "$(open_answer /planted)" = EPERM ]
	rm "$dir/planted"
}

@test "system calls: what must be refused is, what a whole system needs is not" {
	vps '.calls | type == "object" and length >= 10'
	local call
	for call in io_uring_setup io_uring_enter kexec_load kexec_file_load add_key request_key keyctl x32_getpid i386_io_uring_setup; do
		vps ".calls.$call == \"ENOSYS\""
	done
	for call in open_by_handle_at swapon swapoff acct perf_event_open bpf init_module finit_module delete_module iopl quotactl \
		umount2_force userfaultfd ioctl_TIOCSTI ioctl_TIOCSTI_high ioctl_TIOCLINUX ioctl_TIOCLINUX_high; do
		vps ".calls.$call == \"EPERM\""
	done
	for call in socket_alg socket_vsock socket_key; do vps ".calls.$call == \"EAFNOSUPPORT\""; done
	for call in getpid unshare_mnt unshare_net chroot socket_inet socket_netlink_route i386_getpid i386_socket_unix mount_tmpfs \
		mount_proc mount_bind mknod_fifo; do
		vps ".calls.$call == \"ok\""
	done
	vps '.calls.unshare_user != "ok" and .calls.clone_user != "ok" and .calls.mount_ext4 != "ok" and .calls.mount_debugfs != "ok"'
	vps '.calls.mknod_b_7_0 != "ok" and .calls.remount_sys_rw != "ok" and .calls.syslog != "ok"'
	nest '.calls.unshare_user == "ok" and .calls.clone_user == "ok"'
	jail '.calls.unshare_user != "ok" and .calls.unshare_mnt != "ok" and .calls.unshare_net != "ok" and .calls.mount_tmpfs != "ok" and .calls.ptrace != "ok"'
	for call in io_uring_setup bpf perf_event_open keyctl kexec_load init_module; do
		jail ".calls.$call == \"ENOSYS\" or .calls.$call == \"EPERM\""
	done
}

@test "the host's signals, processes and memory are out of reach" {
	inside box sh -c 'ls -d /proc/[0-9]* | wc -l'
	[ "$output" -lt 30 ]
	local monitor
	monitor=$(monitor_pid box)
	try v exec box -- kill -0 "$monitor"
	[ "$status" -ne 0 ]
	# And the other way: nothing of the VE's root reaches the store.
	[ "$(stat -c %a "$VECTL_ROOT/var/lib/vectl/ve")" = 700 ]
}

@test "files on disk are unshifted" {
	inside box sh -c 'touch /root/of-root; touch /root/of-joe; chown 1001:1002 /root/of-joe'
	local dir
	dir=$(dirname "$(find "$VECTL_ROOT/var/lib/vectl/ve/$(uuid_of box)" -name of-root)")
	[ "$(stat -c %u:%g "$dir/of-root")" = 0:0 ]
	[ "$(stat -c %u:%g "$dir/of-joe")" = 1001:1002 ]
	inside box rm /root/of-root /root/of-joe
}

@test "setuid inside gives the VE's root, and no more" {
	inside box sh -c 'cp /bin/busybox /root/su-id; chmod 4755 /root/su-id'
	try v exec box --user 1000 -- /root/su-id id
	inside box rm /root/su-id
	[ "$status" -eq 0 ] || [ "$status" -eq 126 ]
}

@test "an image's directory can be renamed" {
	inside box sh -c 'mv /etc /etc2 && mv /etc2 /etc && test -e /etc/passwd'
}

@test "symlinks in the VE's tree lead nowhere on the host" {
	ok create evil --image busybox
	ok start evil
	inside evil sh -c 'mv /etc/resolv.conf /etc/resolv.old 2>/dev/null; ln -sf /../../../../../../etc/hostname.vectl-test /etc/resolv.conf
		rm -rf /etc/hostname; ln -s ../../../../../../../../../tmp/vectl-escape /etc/hostname'
	ok restart evil
	[ ! -e /tmp/vectl-escape ]
	[ ! -e /etc/hostname.vectl-test ]
	echo 'new password' >"$BATS_TEST_TMPDIR/password"
	inside evil sh -c 'mv /etc/shadow /etc/shadow.real; ln -s /../../../etc/shadow.real /etc/shadow' || true
	local before
	before=$(md5sum /etc/shadow)
	try_stdin=$BATS_TEST_TMPDIR/password try v passwd evil
	[ "$(md5sum /etc/shadow)" = "$before" ]
	ok destroy evil --force
}
