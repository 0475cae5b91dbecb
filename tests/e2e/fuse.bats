#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# features.fuse: file systems in user space inside a VE, and what one that never answers can do to vectl: make it wait a while.
load helpers

put() { v exec "$1" -- sh -c 'cat >/root/fusefs && chmod 755 /root/fusefs' <"$O/fusefs"; }

# fuse NAME HOW DIR...: a file system on each DIR in VE NAME (fusefs.c). What is seen of them is seen from outside.
fuse() {
	local name=$1 how=$2 dir
	shift 2
	put "$name"
	v exec "$name" -- sh -c 'how=$0; for d; do /root/fusefs $how $d </dev/null >/dev/null 2>&1; done' "$how" "$@"
	for dir; do grep -q " $dir .* - fuse" "/proc/$(init_pid "$name")/mountinfo"; done
}

@test "a file system in user space, and its device; without the key neither" {
	ve web1 --set features.fuse=on
	fuse web1 answer /mnt
	inside web1 cat /mnt/hello
	[ "$output" = "from a file system in user space" ]
	inside web1 stat -c '%u:%g %a %t:%T' /dev/fuse
	[ "$output" = "0:0 666 a:e5" ]
	# Nobody of the host's gets into it: his user namespace is above.
	not cat "/proc/$(init_pid web1)/root/mnt/hello"
	ok restart web1
	fuse web1 answer /mnt
	fails 79 set web1 features.fuse=off
	ok set web1 features.fuse=off --restart
	not v exec web1 -- test -e /dev/fuse
	try v exec web1 -- /root/fusefs answer /mnt
	is 1
	says '/dev/fuse'
}

@test "both features, and no other device with them" {
	ve web1 --set features.fuse=on --set features.tun=on
	v exec web1 -- test -c /dev/fuse
	v exec web1 -- test -c /dev/net/tun
	v exec web1 -- sh -c ': <>/dev/fuse; : <>/dev/net/tun; : >/dev/null'
	inside web1 sh -c 'grep -c " /dev/" /proc/self/mountinfo'
	local both=$output
	ok set web1 features.fuse=off features.tun=off --restart
	inside web1 sh -c 'grep -c " /dev/" /proc/self/mountinfo'
	[ $((both - output)) -eq 2 ]
}

@test "a jail has it" {
	local tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree/mnt" "$tree/proc" "$tree/sys" "$tree/dev"
	install -m 0755 "$O/fusefs" "$tree/fusefs"
	# It may not mount, though: no jail has SYS_ADMIN.
	try v run --rootfs "$tree" --set features.fuse=on --no-network -- /fusefs answer /mnt
	is 1
	says '/mnt: Operation not permitted'
	try v run --rootfs "$tree" --no-network -- /fusefs answer /mnt
	is 1
	says '/dev/fuse: No such file'
}

@test "one that never answers over what vectl looks at: each verb ends, and says that it waited" {
	ve web1 --set features.fuse=on
	ve web2
	fuse web1 silent /etc /root
	echo secret >"$BATS_TEST_TMPDIR/in"
	local i pids=() verbs=("exec web1 -- true" "passwd web1" "user list web1" "user add web1 ann" "push web1 $O/fusefs /etc/x" \
		"pull web1 /etc/passwd $BATS_TEST_TMPDIR/out")
	# Those that take its lock wait for it, one after another; at the same time, as the test is long enough.
	for i in "${!verbs[@]}"; do
		# shellcheck disable=SC2086
		{ v ${verbs[i]} <"$BATS_TEST_TMPDIR/in" 2>"$BATS_TEST_TMPDIR/said.$i" || echo $? >"$BATS_TEST_TMPDIR/status.$i"; } &
		pids+=($!)
	done
	# Meanwhile, and afterwards, what does not look into it has its answer.
	for i in 1 2; do
		ok status web1 --json
		json '.state == "running"'
		ok list
		[[ "$output" == *web1* ]]
		ok limits web1
		inside web2 true
		[ "$i" = 2 ] || wait "${pids[@]}"
	done
	for i in "${!verbs[@]}"; do
		echo "${verbs[i]}: $(cat "$BATS_TEST_TMPDIR/status.$i" "$BATS_TEST_TMPDIR/said.$i")"
		[[ "$(<"$BATS_TEST_TMPDIR/status.$i")" =~ ^(75|125)$ ]]
		[[ "$(<"$BATS_TEST_TMPDIR/said.$i")" == *vectl:* ]]
	done
	not test -e "$BATS_TEST_TMPDIR/out"
	ok set web1 memory.limit=200M hostname=other
	ok kill web1
	ok start web1
	inside web1 grep -c ann /etc/passwd || [ "$output" = 0 ]
}

@test "over its terminals, over its root: recover and stop come to an end" {
	ve web1 --set features.fuse=on
	fuse web1 silent /dev/pts /
	local monitor
	monitor=$(monitor_pid web1)
	kill -9 "$monitor"
	wait_until 5 gone "$monitor"
	ok recover
	wait_until 5 in_state web1 running
	ok stop web1 --timeout 1
	[ "$(state_of web1)" = stopped ]
}

@test "servers that wait for themselves, whom no signal ends: kill, stop, restart, destroy" {
	ve web1 --set features.fuse=on
	fuse web1 knot /mnt
	ok kill web1
	[ "$(state_of web1)" = stopped ]
	ok start web1
	fuse web1 knot /mnt
	ok restart web1 --timeout 0
	fuse web1 knot /mnt
	ok stop web1 --timeout 0
	ok start web1
	fuse web1 knot /mnt
	# Of another VE none is cut off.
	ve web2 --set features.fuse=on
	fuse web2 answer /mnt
	ok destroy --force web1
	inside web2 cat /mnt/hello
}
