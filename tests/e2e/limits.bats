#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Limits hold: what a tenant does to get more ends inside the VE, and the VE lives on.
load helpers

alive() { inside web1 true; in_state web1 running; }

@test "memory: the VE's own processes are killed, nothing else" {
	ve web1 --set memory.limit=32M --set memory.swap=0
	try v exec web1 -- sh -c 'x=$(head -c 100000000 /dev/zero | tr "\0" x); echo ${#x}'
	[ "$status" -ne 0 ]
	alive
}

@test "memory: tmpfs counts" {
	ve web1 --set memory.limit=32M --set memory.swap=0
	ok exec web1 -- sh -c 'head -c 16000000 /dev/zero >/dev/shm/big'
	[ "$(group_file web1 memory.current memory.usage_in_bytes)" -ge 16000000 ]
	alive
	ok exec web1 -- sh -c 'rm -f /dev/shm/big'
	# More than there is. No process holds such memory, so that the kernel may well end with killing init: the VE's own loss.
	try v exec web1 -- sh -c 'head -c 100000000 /dev/zero >/dev/shm/big'
	[ "$status" -ne 0 ]
}

@test "pids: a fork bomb stays inside, and can be ended from outside" {
	ve web1 --set pids.limit=50
	v exec web1 -- sh -c 'b() { b | b & }; b' >/dev/null 2>&1 &
	full() { [ "$(group_file web1 pids.current)" -ge 45 ]; }
	wait_until 10 full || true
	[ "$(group_file web1 pids.current)" -le 60 ]
	inside web1 true
	ok kill web1
	wait
	in_state web1 stopped
}

@test "cpu.limit: half a core is half a core" {
	ve web1 --set cpu.limit=0.5
	# Two seconds of wall clock, and what was used in them; the machine may give less, never more.
	inside web1 sh -c 'timeout 2 sh -c "while :; do :; done"; awk "{ print \$14 + \$15 + \$16 + \$17 }" /proc/$$/stat'
	[ "$output" -le 140 ]
}

@test "cpu.cores: nproc and the affinity" {
	ve web1 --set cpu.cores=1
	inside web1 sh -c 'nproc; grep Cpus_allowed_list /proc/self/status'
	[[ $output == 1$'\n'* ]]
	not grep -q '[,-]' <<<"${output#*:}"
	fails 78 set web1 cpu.cores=0
}

@test "rlimits: those given, and the four counted ones always set" {
	ve web1 --set rlimits.nofile=100:200 --set pids.limit=20 --set rlimits.nproc=400
	inside web1 sh -c 'ulimit -n; ulimit -Hn; cat /proc/self/limits'
	[[ $output == $'100\n200\n'* ]]
	local name
	for name in 'Max processes' 'Max locked memory' 'Max pending signals' 'Max msgqueue size'; do
		not grep -q "^$name *unlimited" <<<"$output"
	done
}

@test "rlimits: nproc at or below pids.limit is refused, for a full VE must be entered" {
	fails 78 create web1 --image busybox --set pids.limit=40 --set rlimits.nproc=40
	says 'pids.limit'
}

@test "limits stay over a restart and a reboot inside" {
	ve web1 --set pids.limit=33
	local init
	init=$(init_pid web1)
	v exec web1 -- reboot -f || true
	other() { [ "$(init_pid web1)" != "$init" ] && in_state web1 running; }
	wait_until 20 other
	[ "$(group_file web1 pids.max)" = 33 ]
	ok restart web1
	[ "$(group_file web1 pids.max)" = 33 ]
}

@test "the tenant cannot raise its own limits: the delegated group bounds nothing" {
	ve web1 --set memory.limit=64M --set pids.limit=40
	inside web1 sh -c 'find /sys/fs/cgroup -name memory.max -o -name pids.max -o -name memory.limit_in_bytes | while read f; do
		echo max >"$f" 2>/dev/null; echo -1 >"$f" 2>/dev/null; done; echo $$ >/sys/fs/cgroup/../cgroup.procs 2>/dev/null; true'
	[ "$(group_file web1 memory.max memory.limit_in_bytes)" = $((64 * 1024 * 1024)) ]
	[ "$(group_file web1 pids.max)" = 40 ]
}

@test "cgroups: depth and number of a tenant's own groups are bounded" {
	ve web1
	try v exec web1 -- sh -c 'd=/sys/fs/cgroup; [ -w $d ] || exit 0; i=0; while [ $i -lt 5000 ]; do mkdir $d/g$i 2>/dev/null || exit 7; i=$((i+1)); done'
	[[ $status -eq 7 || $status -eq 0 ]]
	[ "$(find /sys/fs/cgroup -path "*/$BASE/web1/*" -type d | wc -l)" -lt 4000 ]
}

@test "inotify, user namespaces and keys are the VE's own or none" {
	ve web1
	try v exec web1 -- unshare -U true
	[ "$status" -ne 0 ]
	inside web1 cat /proc/sys/user/max_user_namespaces
	[ "$output" = 0 ]
	ve nest --set features.nesting=on
	inside nest unshare -U true
}
