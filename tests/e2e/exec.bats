#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Commands in a running VE: status, streams, terminal, identity; and getting in when the VE is full.
load helpers

setup_file() {
	world_up
	v create box --image busybox --start >/dev/null
	# The box lives as long as the file: it is part of what was there before.
	inventory >"$BATS_FILE_TMPDIR/inventory"
}
teardown() { same_as_before; }

# status_of EXPECTED VECTL-EXEC-ARGUMENT...
status_of() {
	local expected=$1
	shift
	try v exec "$@"
	[ "$status" -eq "$expected" ] || { explain "exec $*: expected $expected"; return 1; }
}

@test "the command's status is ours" {
	status_of 0 box -- true
	status_of 1 box -- false
	status_of 42 box -- sh -c 'exit 42'
	status_of 255 box -- sh -c 'exit 255'
}

@test "a signal's death is 128 + its number" {
	status_of 137 box -- sh -c 'kill -9 $$'
	status_of 143 box -- sh -c 'kill -TERM $$'
	status_of 134 box -- sh -c 'kill -ABRT $$'
}

@test "127 not found, 126 not to be run, 125 vectl's own failure" {
	status_of 127 box -- no-such-command
	says 'no-such-command'
	status_of 127 box -- /no/such/command
	status_of 126 box -- /etc/passwd
	says '/etc/passwd'
	status_of 126 box -- /etc
	status_of 125 no-such-ve -- true
	status_of 125 box --user no-such-user -- true
	says 'no-such-user'
	status_of 125 box --cwd /no/such/dir -- true
	says '/no/such/dir'
}

@test "no shell is involved, and words stay words" {
	status_of 0 box -- echo 'a  b' '$HOME' '*' ''
	[ "$output" = 'a  b $HOME * ' ]
	status_of 0 box echo --json -x
	[ "$output" = '--json -x' ]
	status_of 64 box
}

@test "standard input and output are passed through to the byte" {
	head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/in"
	v exec box -- cat <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out"
	cmp "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
}

@test "standard error is apart" {
	status_of 0 box -- sh -c 'echo out; echo err >&2'
	[ "$output" = out ]
	[ "$stderr" = err ]
}

@test "end of file reaches the command, and a closed reader does not hang it" {
	status_of 0 box -- cat
	v exec box -- sh -c 'while echo x; do :; done' 2>/dev/null | head -1
}

@test "a background process does not keep exec" {
	status_of 0 box -- sh -c 'sleep 1000 >/dev/null 2>&1 </dev/null & echo $! >/tmp/pid'
	status_of 0 box -- sh -c 'kill -9 $(cat /tmp/pid)'
}

@test "the environment is clean but for what is given" {
	LEAK=1 status_of 0 box --env A=1 --env 'B=x y' -- env
	grep -qx A=1 <<<"$output"
	grep -qx 'B=x y' <<<"$output"
	grep -qx HOME=/root <<<"$output"
	grep -qx USER=root <<<"$output"
	grep -q ^PATH= <<<"$output"
	not grep -qE '^(LEAK|VECTL|BATS|O)' <<<"$output"
	status_of 64 box --env novalue -- true
}

@test "--user: name, number, number:group; groups exact" {
	inside box sh -c 'grep -q ^joe: /etc/passwd || {
		echo "joe:x:1001:1002::/home/joe:/bin/sh" >>/etc/passwd
		echo "joe:x:1002:" >>/etc/group
		echo "extra:x:1003:joe" >>/etc/group
		mkdir -p /home/joe; chown 1001:1002 /home/joe; }'
	status_of 0 box --user joe -- sh -c 'id -u; id -g; id -G; pwd; echo $HOME'
	[ "$output" = $'1001\n1002\n1002 1003\n/home/joe\n/home/joe' ]
	status_of 0 box --user 1234 -- sh -c 'id -u'
	[ "$output" = 1234 ]
	status_of 0 box --user 1234:55 -- sh -c 'id -u; id -g; id -G'
	[ "$output" = $'1234\n55\n55' ]
	status_of 0 box -- sh -c 'id -u; id -g; id -G'
	[ "$output" = $'0\n0\n0' ]
	status_of 0 box --user joe -- grep -E '^Cap(Eff|Prm|Inh|Amb)' /proc/self/status
	[ "$(awk '{ print $2 }' <<<"$output" | sort -u)" = 0000000000000000 ]
}

@test "--cwd" {
	status_of 0 box --cwd /usr/../tmp -- pwd
	[ "$output" = /tmp ]
	status_of 0 box -- pwd
	[ "$output" = /root ]
}

@test "the command is init's equal: namespaces, capabilities, seccomp, group, limits" {
	status_of 0 box -- sh -c 'for n in user mnt pid net ipc uts cgroup time; do
		[ "$(readlink /proc/self/ns/$n)" = "$(readlink /proc/1/ns/$n)" ] || echo $n; done
		for f in CapBnd Seccomp: Seccomp_filters NoNewPrivs; do
			[ "$(grep $f /proc/self/status)" = "$(grep $f /proc/1/status)" ] || echo $f; done
		cmp /proc/self/limits /proc/1/limits; cmp /proc/self/cgroup /proc/1/cgroup'
	[ -z "$output" ] || { explain "different from init"; return 1; }
}

@test "no descriptor leaks in" {
	exec 9</etc/hostname
	status_of 0 box -- sh -c 'sleep 1000 & ls -l /proc/$!/fd; kill $!'
	exec 9<&-
	[ "$(grep -c -- '->' <<<"$output")" -eq 3 ] || { explain "more than three descriptors"; return 1; }
}

@test "a terminal: the VE's own, of the caller's size, with the caller's job control" {
	run -0 script -qec "stty rows 33 cols 77; nsenter --net=/run/netns/$HOST_NS -- $VECTL exec box --tty -- sh -c 'tty; stty size; test -t 0 && test -t 1 && echo terminal'" /dev/null </dev/null
	[[ $output == *"/dev/pts/"* ]]
	[[ $output == *"33 77"* ]] || { echo "$output" >&2; return 1; }
	[[ $output == *terminal* ]]
}

@test "a terminal passes the status and what is typed" {
	# script(1) reads its pty to the end before it leaves; socat leaves with its child.
	run -7 script -qec "nsenter --net=/run/netns/$HOST_NS -- $VECTL exec box --tty -- sh" /dev/null <<<$'echo typed $((6*7))\nexit 7'
	[[ $output == *"typed 42"* ]] || { echo "$output" >&2; return 1; }
}

@test "without a terminal, --tty is refused or works on pipes, but does not hang" {
	try timeout 20 nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" exec box --tty -- echo x
	[ "$status" -ne 124 ]
}

@test "enter is a login shell with the status of its last command" {
	try_stdin=<(echo 'echo $((40+2)); exit 5') try v enter box
	is 5
	[[ $output == *42* ]]
}

@test "a full VE can be entered: pids limit" {
	ok create full --image busybox --set pids.limit=64 --start
	v exec full -- sh -c 'i=0; while [ $i -lt 80 ]; do sleep 1000 >/dev/null 2>&1 & i=$((i+1)); done' 2>/dev/null || true
	# The group is full: the VE itself cannot fork (a shell's built-in kill takes them away).
	full() { [ "$(cat "$(find /sys/fs/cgroup -path "*/$BASE/full/pids.current" | head -1)")" -ge 60 ]; }
	wait_until 10 full
	status_of 0 full -- sh -c 'echo in'
	[ "$output" = in ]
	v exec full -- sh -c 'kill -9 -1' || true
	status_of 0 full -- true
	ok destroy full --force
}

@test "a joiner that the VE stops does not hold the VE's lock" {
	become_v exec box -- sh -c 'kill -STOP $$' >/dev/null 2>&1 &
	local verb=$!
	stopped() { v exec box -- sh -c 'grep -l "^State:.T" /proc/[0-9]*/status'; }
	wait_until 10 stopped
	ok status box
	ok set box cpu.weight=90
	ok set box cpu.weight=default
	v exec box -- sh -c 'for s in /proc/[0-9]*/status; do grep -q "^State:.T" $s && p=${s#/proc/} && kill -9 ${p%/status}; done; true'
	status=0
	wait $verb || status=$?
	is 137
}

@test "SIGINT and SIGTERM to vectl end the command" {
	local signal
	for signal in INT TERM; do
		become_v exec box -- sleep 5000 >/dev/null 2>&1 &
		local verb=$!
		has_sleep() { v exec box -- sh -c 'grep -qs 5000 /proc/[0-9]*/cmdline && for c in /proc/[0-9]*/comm; do grep -q ^sleep $c && exit 0; done; exit 1'; }
		wait_until 10 has_sleep
		kill -$signal $verb
		wait $verb || true
		wait_until 10 not has_sleep
	done
}
