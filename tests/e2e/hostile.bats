#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A VE's root who means harm: what it leaves in its tree for the next start, what it does to those who enter, and to its
# monitor.
load helpers

setup_file() {
	world_up
	echo secret >"$BATS_FILE_TMPDIR/secret"
	v create foe --image busybox --start >/dev/null && v stop foe
	inventory >"$BATS_FILE_TMPDIR/inventory"
}
setup() { UPPER=$VECTL_ROOT/var/lib/vectl/ve/$(uuid_of foe)/overlay/upper; }
teardown() {
	v --quiet kill foe || true
	find "$UPPER" -mindepth 1 -delete
	same_as_before
}

kill_monitor() {
	local pid
	pid=$(monitor_pid foe)
	kill -9 "$pid"
	wait_until 5 gone "$pid"
}

# ---- the tree ----

@test "links that lead /proc elsewhere once /sys is mounted do not lead the ban on user namespaces away" {
	# When procfs is mounted the path is /a/fake; afterwards it is /fake, a directory of the tenant's.
	mkdir -p "$UPPER"/a/b/c "$UPPER"/a/fake "$UPPER"/fake/sys/user "$UPPER"/sys
	ln -s /a/b/c "$UPPER/sys/kernel"
	ln -s /sys/kernel/../../fake "$UPPER/proc"
	echo untouched >"$UPPER/fake/sys/user/max_user_namespaces"
	ok start foe
	try v exec foe -- unshare -U true
	[ "$status" -ne 0 ]
	[ "$(cat "$UPPER/fake/sys/user/max_user_namespaces")" = untouched ]
}

@test "the console's pty is the VE's own wherever /dev leads" {
	# Inside, /etc/../dev is /x/dev; for who stands in the host's root it is the host's /dev.
	mkdir -p "$UPPER"/x/y "$UPPER"/x/dev
	ln -s x/y "$UPPER/etc"
	ln -s /etc/../dev "$UPPER/dev"
	ok start foe
	inside foe sh -c 'ls -l /dev/pts/'
	[[ $output == *' 0'$'\n'* || $output == *' 0' ]]
	[ "$(readlink "/proc/$(init_pid foe)/fd/0")" != "" ]
}

@test "who renames all the time does not keep a VE with .. in its links from starting" {
	mkdir -p "$UPPER"/x/y "$UPPER"/dev.d
	ln -s x/../x/../x/y/../../x/y/../../x/y/../../dev.d "$UPPER/dev"
	mkdir "$BATS_TEST_TMPDIR/a"
	(cd "$BATS_TEST_TMPDIR" && exec python3 -c '
import os
while True:
    os.rename("a", "b")
    os.rename("b", "a")') 3>&- &
	local renamer=$! _
	wait_until 10 test -e "$BATS_TEST_TMPDIR/b"
	for _ in {1..20}; do
		try v start foe
		[ "$status" -eq 0 ] || break
		v --quiet kill foe
	done
	kill "$renamer"
	is 0
}

@test "trees that cannot be a VE's: an error that names the place, and nothing left" {
	local how
	for how in 'echo file >proc' 'ln -s proc proc' 'ln -s /nowhere sys' 'echo file >dev' 'ln -s ../../../../nowhere dev'; do
		(cd "$UPPER" && eval "$how")
		fails 71 start foe
		says "'(proc|sys|dev)'"
		in_state foe stopped
		find "$UPPER" -mindepth 1 -delete
	done
}

@test "what the VE's root mounts on what is the host's is mounted there only, where the host's own mounts are shared" {
	mount --bind "$VECTL_ROOT/run" "$VECTL_ROOT/run"
	mount --make-shared "$VECTL_ROOT/run"
	local seen
	ve mole
	try v exec mole -- mount -t tmpfs none /run/host/notify
	seen=$(grep -F "$VECTL_ROOT/run/vectl" /proc/self/mountinfo || true)
	v --quiet destroy mole --force
	umount -R "$VECTL_ROOT/run"
	is 0
	[ -z "$seen" ] || { echo "on the host: $seen"; return 1; }
}

@test "links up and out of the tree stay in it" {
	local before
	before=$(find /etc -maxdepth 1 | sort | cksum)
	ln -s ../../../../../../../etc "$UPPER/dev"
	ln -s /../../mnt "$UPPER/run"
	ok start foe
	[ "$(find /etc -maxdepth 1 | sort | cksum)" = "$before" ]
}

@test "passwd, group and shadow that are pipes, links, loops or larger than anything: no wait, no belief" {
	local how
	for how in 'mkfifo' 'truncate -s 10G' 'ln -s /proc/kmsg' 'ln -s /proc/self/mem' 'ln -s /dev/zero'; do
		mkdir -p "$UPPER/etc"
		(cd "$UPPER/etc" && for f in passwd group shadow resolv.conf; do $how $f; done)
		ok start foe
		inside foe true
		try_stdin=$BATS_FILE_TMPDIR/secret fails 71 passwd foe
		v --quiet kill foe
		find "$UPPER" -mindepth 1 -delete
	done
}

@test "init is root without groups, whatever its files say" {
	mkdir -p "$UPPER/etc"
	echo 'root:x:0:4242::/root:/bin/sh' >"$UPPER/etc/passwd"
	printf 'a:x:4242:\nb:x:4243:root\n' >"$UPPER/etc/group"
	ok start foe
	grep -qE $'^Groups:\t *$' "/proc/$(init_pid foe)/status"
	[ "$(awk '$1 == "Gid:" { print $2 }' "/proc/$(init_pid foe)/status")" = "$(awk '$1 == "Uid:" { print $2 }' "/proc/$(init_pid foe)/status")" ]
	inside foe id -G
	[ "$output" = '4242 4243' ]
}

# ---- those who enter ----

# signal_all SIGNAL: a process inside sends it to every other one, all the time.
signal_all() { v exec foe -- sh -c "setsid sh -c 'while :; do kill -$1 -1; done' >/dev/null 2>&1 </dev/null &"; }

# Some get through between two kills; what is said of each must be true. Until one of each verb was hit.
@test "what enters is killed before it runs: said so, not taken for success" {
	ok start foe
	signal_all 9
	entering_is_hit() {
		try v exec foe -- echo through
		if [ "$status" = 0 ]; then [ "$output" = through ] || lies+=" exec"; return 1; fi
		[[ $status -eq 125 || $status -eq 137 ]] || lies+=" exec:$status"
	}
	setting_is_hit() {
		try_stdin=$BATS_FILE_TMPDIR/secret try v passwd foe
		[ "$status" != 0 ] || { grep -q '^root:\$' "$UPPER/etc/shadow" || lies+=" passwd"; return 1; }
	}
	local lies=
	wait_until 60 entering_is_hit
	wait_until 60 setting_is_hit
	[ -z "$lies" ]
}

@test "what enters is stopped: recover is not held up, and the new monitor watches" {
	ok start foe
	signal_all 19
	kill_monitor
	ok recover foe
	[ "$(monitor_pid foe)" -gt 1 ]
	changed true kill foe
}

@test "an unsupervised VE with a covered devpts is adopted all the same" {
	ok start foe
	inside foe sh -c 'mount -t tmpfs t /dev/pts && mkfifo /dev/pts/ptmx && umount -l /dev/console && ln -sf /etc /dev/console'
	kill_monitor
	ok recover foe
	[ "$(monitor_pid foe)" -gt 1 ]
	fails 125 exec foe --tty -- true
	inside foe true
}

# ---- the monitor ----

@test "what others than init say on the notify socket is not believed" {
	ok start foe
	if [ -S "$(run_dir foe)/notify/socket" ]; then
		python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendto(b"READY=1\nX_SYSTEMD_SHUTDOWN=reboot\n", sys.argv[1])' "$(run_dir foe)/notify/socket"
		inside foe true
		[ ! -e "$(run_dir foe)/reboot" ]
		[ ! -e "$(run_dir foe)/ready" ]
	fi
}

# ignoring SIGNAL COMMAND: also one that the C library keeps for itself, 32 or 33, and that no shell can ignore.
ignoring() {
	python3 - "$@" <<-'PYTHON'
		import ctypes, os, sys
		ignore = (ctypes.c_ulong * 4)(1)
		rt_sigaction = 13
		assert ctypes.CDLL(None).syscall(rt_sigaction, int(sys.argv[1]), ignore, None, 8) == 0
		os.execvp(sys.argv[2], sys.argv[2:])
	PYTHON
}

@test "nothing of the caller's stays: signals that it ignores" {
	ok start foe
	local signal
	for signal in 10 32 33; do
		try ignoring $signal nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" exec foe -- grep SigIgn /proc/self/status
		is 0
		[[ $output == SigIgn:*0000000000000000 ]] || { explain "signal $signal"; return 1; }
	done
}

@test "nothing of the caller's stays: nice, affinity, OOM preference, limits" {
	echo 300 >/proc/$BASHPID/oom_score_adj
	ulimit -n 512
	renice -n 7 -p $BASHPID >/dev/null
	ok start foe
	local pid
	pid=$(init_pid foe)
	[ "$(awk '{ print $19 }' "/proc/$pid/stat")" = 0 ]
	[ "$(cat "/proc/$pid/oom_score_adj")" = 0 ]
	inside foe sh -c 'cat /proc/self/oom_score_adj; awk "{ print \$19 }" /proc/self/stat'
	[ "$output" = $'0\n0' ]
}
