#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Jails that last, and process 1 of those that have one of vectl's. (run.bats has those that are over with their command;
# teardown compares after every test.)
# shellcheck disable=SC2030,SC2031 # status and output are set in the test that reads them
load helpers

jail() { try v run --image busybox --no-network "$@"; }
is_gone() { ! v status "$1" >/dev/null 2>&1; }
logged() { grep -qE "$2" <<<"$(v logs "$1")"; }

@test "a web server: published, read-only, detached; list, logs, stop" {
	ok run --detach --name www --publish 8080:80 --read-only --image busybox -- \
		sh -c 'mkdir /tmp/www && echo "from a jail" >/tmp/www/index.html && echo serving && exec httpd -f -p 80 -h /tmp/www'
	[ "$output" = www ]
	served() { [ "$(in_world busybox wget -qO- http://192.0.2.2:8080/)" = "from a jail" ]; }
	wait_until 15 served
	in_state www running
	ok list --names
	[ "$output" = www ]
	wait_until 10 logged www serving
	ok get www network.0.forwards
	[ "$output" = tcp:8080:80 ]
	# What is taken, is taken.
	fails 73 run --detach --name www --no-network --image busybox -- true
	fails 73 run --detach --name www2 --publish 8080-8081:80 --image busybox -- true
	served
	ok stop www
	is_gone www
	not served
	ok list --names
	[ -z "$output" ]
}

@test "--publish: protocol, ranges, and what makes no sense" {
	ok run --detach --name www --publish 8080:80 --publish udp:5000-5009:6000 --image busybox -- sleep 1000
	ok get www network.0.forwards
	[ "$output" = "tcp:8080:80,udp:5000-5009:6000" ]
	fails 64 run --no-network --publish 80:80 --image busybox -- true
	fails 78 run --detach --publish 80 --image busybox -- true
	fails 64 run --detach --tty --image busybox -- true
	fails 64 run --keep --rootfs / -- true
	fails 64 run --detach --name 'No such' --image busybox -- true
}

@test "--mount: a directory of the host's, in one that is read-only too" {
	local private=$VECTL_ROOT/private
	mkdir -m 0700 "$private"
	mkdir "$private/data"
	echo 'from the host' >"$private/data/file"
	jail --mount "$private/data:/data:ro" --read-only -- sh -c 'cat /data/file; touch /data/new || touch /data.new || echo sealed'
	local read=$output
	jail --mount "$private/data:/data" --read-only -- touch /data/new
	local written
	written=$(stat -c %u "$private/data/new")
	try v run --unprivileged-keys-only --detach --mount "$private/data:/data" --image busybox --no-network -- true
	rm -r "$private"
	[ "$read" = $'from the host\nsealed' ]
	[ "$written" = 0 ]
	is 77
}

@test "detached: it goes with its command, by itself, by stop, by kill, by destroy" {
	ok run -d --name once --image busybox --no-network -- true
	wait_until 10 is_gone once
	ok run -d --image busybox --no-network -- sleep 1000
	[[ $output =~ ^run-[0-9a-f]{8}$ ]]
	local name=$output
	fails 79 restart "$name"
	ok kill "$name"
	is_gone "$name"
	ok run -d --name jail1 --image busybox --no-network -- sleep 1000
	fails 79 destroy jail1
	ok destroy jail1 --force
	is_gone jail1
	ok run -d --name jail2 --image busybox --no-network --json -- sleep 1000
	json '.name == "jail2" and .changed == true and .state == "running"'
		ok stop jail2
	is_gone jail2
	ok history jail2
	grep -q run <<<"$output"
}

@test "detached: a command that is not there, and one that fails" {
	fails 127 run -d --name jail1 --image busybox --no-network -- no-such-command
	is_gone jail1
	fails 126 run -d --name jail1 --image busybox --no-network -- /etc/passwd
	fails 66 run -d --image no-such-image -- true
	ok run -d --name jail1 --image busybox --no-network -- false
	wait_until 10 is_gone jail1
}

@test "detached: --user, --env, --cwd, a limit; and its console" {
	ok run -d --name jail1 --user 1000:1001 --env 'A=b c' --cwd /tmp --set pids.limit=16 --image busybox --no-network -- \
		sh -c 'echo "$(id -u):$(id -g) $A $PWD"; read -r line; echo "heard $line"; exec sleep 1000'
	wait_until 10 logged jail1 '^1000:1001 b c /tmp'
	become_v console jail1 <<<'a word' >/dev/null 2>&1 &
	local verb=$!
	wait_until 10 logged jail1 '^heard a word'
	kill $verb
	wait $verb || true
	ok get jail1 pids.limit
	[ "$output" = 16 ]
}

@test "a monitor that is killed: recover, and the jail still goes when it ends" {
	ok run -d --name jail1 --image busybox --no-network -- sh -c 'while [ ! -e /tmp/end ]; do sleep 0.1; done'
	kill -9 "$(monitor_pid jail1)"
	ok recover
	in_state jail1 running
	ok exec jail1 -- touch /tmp/end
	wait_until 10 is_gone jail1
}

# ---- process 1 ------------------------------------------------------------------------------------------------

@test "init: the command's status, and signals that end it" {
	jail --init -- true
	is 0
	jail --init -- sh -c 'exit 9'
	is 9
	# shellcheck disable=SC2016 # the jail's shell
	jail --init -- sh -c 'kill -TERM $$; sleep 1000'
	is 143
	# shellcheck disable=SC2016
	jail --init -- sh -c 'kill -KILL $$'
	is 137
	jail --init -- no-such-command
	is 127
	jail --init -- /etc/passwd
	is 126
	jail --init -- sh -c 'setsid sleep 10000 >/dev/null 2>&1 </dev/null & exit 4'
	is 4
	[ -z "$(processes_of_store)" ]
	head -c 300000 /dev/urandom >"$BATS_TEST_TMPDIR/in"
	v run --init --image busybox --no-network -- cat <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out"
	cmp "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/in"
}

@test "init: what vectl is sent is the command's" {
	local signal verb status k=40
	for signal in TERM INT HUP QUIT USR1 USR2; do
		k=$((k + 1))
		: >"$BATS_TEST_TMPDIR/out"
		become_v run --init --image busybox --no-network -- \
			sh -c "trap 'exit $k' $signal; echo ready; while :; do sleep 1000 & wait; done" >"$BATS_TEST_TMPDIR/out" 2>&1 &
		verb=$!
		wait_until 10 grep -q ready "$BATS_TEST_TMPDIR/out"
		kill -"$signal" $verb
		status=0
		wait $verb || status=$?
		[ "$status" -eq $k ] || { echo "$signal: $status" >&2; return 1; }
	done
	# Nothing is trapped.
	become_v run --init --image busybox --no-network -- sh -c 'echo ready; exec sleep 1000' >"$BATS_TEST_TMPDIR/out" 2>&1 &
	verb=$!
	wait_until 10 grep -q ready "$BATS_TEST_TMPDIR/out"
	kill -TERM $verb
	status=0
	wait $verb || status=$?
	[ "$status" -eq 143 ]
}

@test "init: hands on what it gets, whoever the command has become" {
	# shellcheck disable=SC2016
	ok run -d --name jail1 --user 1000 --image busybox --no-network -- \
		sh -c 'for s in TERM INT HUP QUIT USR1 USR2 WINCH; do trap "echo got $s" $s; done; echo ready; while :; do sleep 1000 & wait; done'
	wait_until 10 logged jail1 ready
	local signal
	for signal in TERM INT HUP QUIT USR1 USR2 WINCH; do
		kill -"$signal" "$(init_pid jail1)"
		wait_until 10 logged jail1 "got $signal"
	done
	# From inside as well; but nobody there ends it.
	inside jail1 sh -c 'kill -KILL 1; kill -STOP 1; kill -USR1 1'
	more() { [ "$(v logs jail1 | grep -c 'got USR1')" -eq 2 ]; }
	wait_until 10 more
	in_state jail1 running
	ok stop jail1 --timeout 1
}

@test "init: reaps what others leave" {
	# shellcheck disable=SC2016
	ok run -d --name jail1 --image busybox --no-network -- sh -c 'for i in $(seq 60); do (sh -c : &); done; echo made; exec sleep 1000'
	wait_until 10 logged jail1 made
	two_left() { [ "$(status_field jail1 processes)" -eq 2 ]; }
	wait_until 10 two_left
	inside jail1 sh -c 'cat /proc/[0-9]*/stat'
	not grep -q ') Z' <<<"$output"
	# shellcheck disable=SC2016
	inside jail1 sh -c 'cat /proc/1/comm; readlink /proc/2/exe'
	[ "$output" = $'vectl-init\n/bin/busybox' ]
}

# looks NAME: what the VE's root sees of process 1 is what is everyone's.
looks() {
	local file
	for file in exe cwd root fd/0 ns/mnt; do
		try v exec "$1" -- readlink "/proc/1/$file"
		[ "$status" -ne 0 ] || { explain "/proc/1/$file can be read"; return 1; }
	done
	for file in environ mem maps auxv io; do
		try v exec "$1" -- cat "/proc/1/$file"
		[ "$status" -ne 0 ] || { explain "/proc/1/$file can be read"; return 1; }
	done
	inside "$1" cat /proc/1/cmdline
	[[ $output != */* ]]
	inside "$1" cat /proc/1/status
	grep -qE '^CapEff:.0000000000000020$' <<<"$output"
	grep -qE '^CapPrm:.0000000000000020$' <<<"$output"
	grep -qE '^Seccomp:.2$' <<<"$output"
	# Nothing is open, for whoever waits for the end of a pipe.
	[ -z "$(ls "/proc/$(init_pid "$1")/fd")" ]
}

@test "init: nothing of the host's can be reached through it" {
	ok run -d --name jail1 --image busybox --no-network -- sleep 1000
	looks jail1
	# A root with every capability that a VE can have, and the filter of a whole system.
	ok create web1 --image busybox --set 'command=sleep 1000' --set security.seccomp=vps --set features.nesting=on --start
	looks web1
	ok stop web1
	[ -z "$stderr" ]
}

@test "init: a command's end of file is seen though its jail goes on" {
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	become_v run --init --image busybox --no-network -- sh -c 'echo last words; exec >/dev/null 2>&1; exec sleep 1000' \
		>"$BATS_TEST_TMPDIR/pipe" 2>/dev/null &
	local verb=$! text
	# vectl itself has the pipe open as long as it waits: its own copy is none of the jail's.
	text=$(head -n 1 "$BATS_TEST_TMPDIR/pipe")
	[ "$text" = "last words" ]
	kill -TERM $verb
	wait $verb || true
}

@test "init: on a terminal the keys are the command's, once" {
	cat >"$BATS_TEST_TMPDIR/typist" <<-'END'
		import os, pty, sys, select, time
		pid, fd = pty.fork()
		if pid == 0:
		    os.execvp(sys.argv[1], sys.argv[1:])
		seen = b""
		typed = 0
		end = time.time() + 30
		while time.time() < end:
		    if select.select([fd], [], [], 0.2)[0]:
		        try:
		            data = os.read(fd, 4096)
		        except OSError:
		            break
		        if not data:
		            break
		        seen += data
		    if typed == 0 and b"ready" in seen:
		        os.write(fd, b"\x03"); typed = 1
		    if typed == 1 and b"got INT" in seen:
		        os.write(fd, b"end\r"); typed = 2
		print(seen.decode(errors="replace"))
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	END
	try on_host python3 "$BATS_TEST_TMPDIR/typist" "$VECTL" run --init --tty --image busybox --no-network -- \
		sh -c 'trap "echo got INT" INT; echo ready; while ! read -r line; do :; done; echo "line $line"; tty; exit 5'
	is 5
	[ "$(grep -c 'got INT' <<<"$output")" -eq 1 ]
	grep -q 'line end' <<<"$output"
	grep -q '/dev/pts/0' <<<"$output"
}

# ---- read-only ------------------------------------------------------------------------------------------------

@test "--read-only: nothing can be changed, but what is said" {
	local place
	for place in / /etc /bin /root /var /usr /home; do
		try v run --read-only --image busybox --no-network -- touch "$place/new"
		[ "$status" -ne 0 ] || { explain "$place can be written"; return 1; }
	done
	jail --read-only -- sh -c 'echo x >/etc/passwd'
	[ "$status" -ne 0 ]
	grep -q 'Read-only' <<<"$stderr"
	jail --read-only -- sh -c 'for d in /tmp /run /dev/shm; do echo x >$d/new && cat $d/new; done'
	is 0
	[ "$output" = $'x\nx\nx' ]
	jail --read-only --user 1000 -- sh -c 'echo x >/tmp/new && cat /tmp/new'
	is 0
	# Root of the jail cannot take it back.
	jail --read-only -- sh -c 'mount -o remount,rw / || mount -o remount,rw,bind / || echo x >/new'
	[ "$status" -ne 0 ]
	jail --read-only -- sh -c 'umount /tmp || echo still'
	[ "$output" = still ]
	# Nor is it lost in a network's files, and who joins.
	try v run --read-only --image busybox -- cat /etc/resolv.conf
	is 0
	ok run -d --name jail1 --read-only --image busybox --no-network -- sleep 1000
	try v exec jail1 -- touch /new
	[ "$status" -ne 0 ]
	ok exec jail1 -- touch /tmp/new
}

@test "run.* are keys of a VE with a command" {
	ok create web1 --image busybox --set 'command=["/bin/sh","-c","id -u; pwd; touch /new || echo sealed; exec sleep 1000"]' \
		--set run.user=1000 --set run.cwd=/tmp --set run.read_only=on --start
	wait_until 10 logged web1 sealed
	wait_until 10 logged web1 '^1000'
	logged web1 '^/tmp'
	for a in run.user=1000 run.cwd=/tmp run.read_only=on; do fails 78 create web2 --image busybox --set "$a"; done
	fails 78 create web2 --image busybox --set command=true --set run.cwd=tmp
}

# ---- kept -----------------------------------------------------------------------------------------------------

@test "--keep: a stopped VE is left, which start runs again" {
	# shellcheck disable=SC2016
	try v run --keep --name job --env A=1 --user 1000 --cwd /tmp --image busybox --no-network -- \
		sh -c 'echo "$A $(id -u) $PWD"; echo x >>/tmp/count; echo "count $(wc -l </tmp/count)"; exit 3'
	is 3
	[ "$output" = $'1 1000 /tmp\ncount 1' ]
	[ -z "$stderr" ]
	in_state job stopped
	ok status job --json
	json '.last_exit.status == 3'
	ok get job run.user run.cwd environment
	[[ $output == *1000* && $output == */tmp* && $output == *A=1* ]]
	ok start job
	again() { in_state job stopped && logged job 'count 2'; }
	wait_until 10 again
	logged job '^1 1000 /tmp'
	fails 125 run --name job --image busybox --no-network -- true
	ok history job
	grep -q run <<<"$output"
	ok destroy job
	is_gone job
}

@test "--keep: without a name it is told; with --detach; stopped from outside" {
	jail --keep -- true
	is 0
	local name
	name=$(grep -oE 'run-[0-9a-f]{8}' <<<"$stderr" | head -1)
	in_state "$name" stopped
	ok run -d --keep --name job --image busybox --no-network -- sh -c 'echo here; exec sleep 1000'
	[ "$output" = job ]
	wait_until 10 logged job here
	ok stop job
	[ -z "$stderr" ]
	in_state job stopped
	logged job here
	ok start job
	in_state job running
	# One that somebody waits for.
	become_v run --keep --name job2 --image busybox --no-network -- sleep 1000 >/dev/null 2>&1 &
	local verb=$! status=0
	runs() { in_state job2 running; }
	wait_until 10 runs
	ok stop job2
	wait $verb || status=$?
	[ "$status" -eq 143 ]
	in_state job2 stopped
}

@test "--keep: a start that fails leaves nothing" {
	try v run --keep --name job --image busybox --no-network -- no-such-command
	is 127
	is_gone job
	fails 127 run -d --keep --name job --image busybox --no-network -- no-such-command
	is_gone job
}

# ---- killed ---------------------------------------------------------------------------------------------------

@test "kill -9 of a vectl that waits: nothing is left, or a stopped VE" {
	local how verb
	for how in --init --keep; do
		become_v run $how --name job --image busybox --no-network -- sleep 10000 >/dev/null 2>&1 &
		verb=$!
		runs() { in_state job running; }
		wait_until 10 runs
		kill -9 $verb
		wait $verb || true
		if [ $how = --keep ]; then
			stopped() { in_state job stopped; }
			wait_until 10 stopped
			ok destroy job
		else
			wait_until 10 is_gone job
		fi
		same_as_before
	done
}

@test "kill -9 of a vectl that detaches, at each point: recover leaves nothing" {
	ok version --json
	json '.faults | type == "array"' || skip "needs a test build (make D=1)"
	local stage
	for stage in control-groups spawn record process seal exec commit; do
		VE_FAULT=$stage:kill try v run -d --name job --image busybox --no-network -- sleep 1000
		is 137
		ok recover
		is_gone job
		same_as_before
	done
	for stage in process seal; do
		VE_FAULT=$stage try v run -d --name job --image busybox --no-network -- sleep 1000
		is 71
		is_gone job
	done
}
