#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Jails: one command in a VE made for it, of which nothing stays. (teardown compares after every test.)
load helpers

jail() { try v run --image busybox --no-network "$@"; }

@test "the command's status, signals, 125, 126, 127" {
	jail -- /bin/true
	is 0
	jail -- sh -c 'exit 9'
	is 9
	jail -- sh -c 'sleep 1000 & kill -9 $!; wait $!'
	is 137
	jail -- no-such-command
	is 127
	jail -- /etc/passwd
	is 126
	try v run --image no-such-image -- true
	is 125
	try v run --rootfs /no/such/dir -- true
	is 125
}

@test "streams to the byte" {
	head -c 2000000 /dev/urandom >"$BATS_TEST_TMPDIR/in"
	v run --image busybox --no-network -- cat <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out"
	cmp "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
}

@test "the command sees itself alone" {
	jail -- sh -c 'echo $$; ls -d /proc/[0-9]*; cat /proc/net/dev'
	is 0
	[[ $output == 1$'\n'* ]]
	not grep -q eth0 <<<"$output"
}

@test "policy jail: few capabilities, no new privileges, a filter, no user namespaces" {
	jail -- cat /proc/self/status
	grep -q '^NoNewPrivs:.1' <<<"$output"
	grep -q '^Seccomp:.2' <<<"$output"
	local bounding
	bounding=$(awk '$1 == "CapBnd:" { print $2 }' <<<"$output")
	[ "$(python3 -c "print(bin(0x$bounding).count('1'))")" -le 14 ]
	jail -- unshare -U true
	[ "$status" -ne 0 ]
	jail -- cat /proc/sys/user/max_user_namespaces
	[ "$output" = 0 ]
}

@test "what it writes is gone, and the image is as before" {
	jail -- sh -c 'echo x >/root/file && rm /etc/passwd && cat /root/file'
	is 0
	jail -- sh -c 'test ! -e /root/file && test -e /etc/passwd'
	is 0
	try v image verify busybox
	is 0
}

@test "--rootfs: a directory as it is, through an idmapped mount" {
	local tree=$VECTL_ROOT/tree
	mkdir -p "$tree"/{bin,proc,sys,dev,tmp,run,etc,root}
	cp "$(command -v busybox)" "$tree/bin/busybox"
	ln -s busybox "$tree/bin/sh"
	ln -s busybox "$tree/bin/stat"
	try v run --rootfs "$tree" --no-network -- stat -c %u /bin/busybox
	is 0
	[ "$output" = 0 ]
	rm -rf "$tree"
}

@test "--env, --cwd, --user, --set" {
	jail --env A=b --cwd /tmp -- sh -c 'echo $A; pwd'
	[ "$output" = $'b\n/tmp' ]
	jail --user 1000:1000 -- sh -c 'id -u; id -g'
	[ "$output" = $'1000\n1000' ]
	jail --set memory.limit=32M --set pids.limit=8 -- sh -c 'true'
	is 0
	jail --set no.such.key=1 -- true
	[[ $status -eq 64 || $status -eq 125 ]]
}

@test "a limit holds: memory" {
	jail --set memory.limit=16M --set memory.swap=0 -- sh -c 'x=$(head -c 60000000 /dev/zero | tr "\0" x); echo ${#x}'
	[ "$status" -ne 0 ] || [ "$output" != 60000000 ]
}

@test "children that outlive the command go with the jail" {
	jail -- sh -c 'for i in 1 2 3; do setsid sleep 10000 >/dev/null 2>&1 </dev/null & done; exit 0'
	is 0
	[ -z "$(processes_of_store)" ]
}

@test "many at once leave nothing" {
	local i pids=()
	for i in {1..20}; do
		become_v run --image busybox --no-network -- sh -c "exit $i" >/dev/null 2>&1 &
		pids+=($!)
	done
	for i in {1..20}; do
		status=0
		wait "${pids[i - 1]}" || status=$?
		[ "$status" -eq "$i" ]
	done
}

@test "SIGTERM to vectl, and kill -9: the jail goes" {
	local signal
	for signal in TERM KILL; do
		become_v run --image busybox --no-network -- sleep 10000 >/dev/null 2>&1 &
		local verb=$!
		sleeping() { processes_of_store | grep -q ' sleep'; }
		wait_until 10 sleeping
		kill -$signal $verb
		wait $verb || true
		wait_until 10 not sleeping
		ok recover
	done
}

@test "with a network by default: nat" {
	try v run --image busybox -- sh -c 'ip -o addr show eth0 2>/dev/null || ifconfig eth0'
	is 0
	[[ $output == *inet* ]]
}
