#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Changing a VE: live keys are seen inside at once; all or nothing; pending, restart, dry run; what is refused.
load helpers

@test "hostname, live" {
	ve web1
	changed true set web1 hostname=other
	inside web1 hostname
	[ "$output" = other ]
	changed false set web1 hostname=other
	ok restart web1
	inside web1 hostname
	[ "$output" = other ]
	ok set web1 hostname=default
	ok get web1 hostname
	inside web1 hostname
	[ "$output" = web1 ]
}

@test "memory.limit, live" {
	ve web1
	ok set web1 memory.limit=48M
	ok get web1 memory.limit
	[ "$output" = 48M ]
	[ "$(group_file web1 memory.max memory.limit_in_bytes)" = $((48 * 1024 * 1024)) ]
	ok set web1 memory.limit=64MiB
	[ "$(group_file web1 memory.max memory.limit_in_bytes)" = $((64 * 1024 * 1024)) ]
	ok show web1 --json
	json '[.. | .limit? // empty] | any(. == 67108864)'
}

@test "memory.limit below what is used is refused, and stays as it was" {
	ve web1 --set memory.limit=256M --set memory.swap=0
	inside web1 sh -c 'mkdir -p /tmp/t; mount -t tmpfs t /tmp/t; head -c 60000000 /dev/zero >/tmp/t/file'
	fails 79 set web1 pids.limit=77 memory.limit=16M
	says 'cannot lower memory.limit.*in use'
	[ "$(group_file web1 pids.max)" != 77 ]
	ok get web1 memory.limit
	[ "$output" = 256M ]
	[ "$(group_file web1 memory.max memory.limit_in_bytes)" = $((256 * 1024 * 1024)) ]
}

@test "memory.swap, live" {
	ve web1 --set memory.limit=64M
	try v set web1 memory.swap=0
	# A kernel without swap accounting: the key is refused by name, or taken with a warning; never in silence.
	[ "$status" -eq 0 ] || says 'swap'
}

@test "cpu.cores, live: nproc follows" {
	ve web1
	ok set web1 cpu.cores=1
	inside web1 nproc
	[ "$output" = 1 ]
	ok set web1 cpu.cores=unlimited
	inside web1 nproc
	# Not nproc: where this runs may be bound to some of them.
	[ "$output" = "$(getconf _NPROCESSORS_ONLN)" ]
}

@test "cpu.limit and cpu.weight, live" {
	ve web1
	ok set web1 cpu.limit=50%
	ok get web1 cpu.limit
	[ "$output" = 0.5 ] || [ "$output" = 50% ]
	local quota
	quota=$(group_file web1 cpu.max cpu.cfs_quota_us)
	[ "$(cut -d' ' -f1 <<<"$quota")" -gt 0 ]
	ok set web1 cpu.weight=200
	ok get web1 cpu.weight
	[ "$output" = 200 ]
	ok set web1 cpu.limit=unlimited
	[[ $(group_file web1 cpu.max cpu.cfs_quota_us) =~ ^(max|-1) ]]
}

@test "pids.limit, live" {
	ve web1
	ok set web1 pids.limit=20
	[ "$(group_file web1 pids.max)" = 20 ]
	try v exec web1 -- sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22; do sleep 60 & done; wait'
	[ "$status" -ne 0 ]
	v exec web1 -- sh -c 'kill -9 -1' || true
}

@test "network.0.ips, live: += and -=, and what stays is not touched" {
	ve web1 --ip 192.0.2.10
	changed true set web1 network.0.ips+=192.0.2.11
	inside web1 ip -o addr show eth0
	[[ $output == *192.0.2.10/* && $output == *192.0.2.11/* ]]
	on_host ping -c1 -W5 192.0.2.11
	changed false set web1 network.0.ips+=192.0.2.11
	changed true set web1 network.0.ips-=192.0.2.10
	changed false set web1 network.0.ips-=192.0.2.10
	inside web1 ip -o addr show eth0
	[[ $output != *192.0.2.10/* && $output == *192.0.2.11/* ]]
	not grep -q 192.0.2.10 <(on_host ip route)
	ok get web1 network.0.ips
	[[ $output == 192.0.2.11* ]]
	ok status web1 --json
	json '.addresses | tostring | contains("192.0.2.11")'
}

@test "boot.* and stop.timeout, live" {
	ve web1
	ok set web1 boot.auto=on boot.order=7 boot.restart=always stop.timeout=1m
	ok get web1 boot.auto boot.order boot.restart stop.timeout
	[ "$output" = $'on\n7\nalways\n1m' ]
}

@test "default unsets" {
	ve web1
	local before
	before=$(v get web1 boot.order)
	ok set web1 boot.order=5
	ok set web1 boot.order=default
	ok get web1 boot.order
	[ "$output" = 100 ] || [ "$output" = "$before" ]
}

@test "all or nothing: one bad assignment, and none is applied" {
	ve web1 --set memory.limit=64M
	local revision
	revision=$(md5sum "$VECTL_ROOT"/var/lib/vectl/ve/*/config.json)
	fails 78 set web1 memory.limit=32M cpu.weight=99999
	fails 78 set web1 hostname=other no.such.key=1
	fails 69 set web1 hostname=other disk.user_quota=on
	fails 79 set web1 hostname=other rlimits.nproc=20480
	[ "$(md5sum "$VECTL_ROOT"/var/lib/vectl/ve/*/config.json)" = "$revision" ]
	inside web1 hostname
	[ "$output" = web1 ]
	[ "$(group_file web1 memory.max memory.limit_in_bytes)" = $((64 * 1024 * 1024)) ]
}

@test "a key that needs a restart: 79, --pending, --restart" {
	ve web1
	fails 79 set web1 rlimits.nproc=20480:40960
	says 'rlimits.nproc'
	changed true set web1 rlimits.nproc=20480:40960 --pending
	json '.pending | tostring | contains("rlimits.nproc")'
	ok status web1 --json
	json '.pending | tostring | contains("rlimits.nproc")'
	ok list
	[[ $output == *rlimits.nproc* ]]
	try v exec web1 -- grep 'Max processes' /proc/self/limits
	[[ $output != *\ 20480\ * ]]
	ok restart web1
	try v exec web1 -- grep 'Max processes' /proc/self/limits
	[[ $output =~ \ 20480\ +40960\  ]] || { explain 'expected 20480 and 40960'; return 1; }
	ok status web1 --json
	json '.pending == [] or .pending == null or .pending == false'
	local init
	init=$(init_pid web1)
	changed true set web1 rlimits.nproc=10240:10240 --restart
	[ "$(init_pid web1)" != "$init" ]
	try v exec web1 -- grep 'Max processes' /proc/self/limits
	[[ $output == *\ 10240\ * ]]
	init=$(init_pid web1)
	ok set web1 boot.order=3 --restart
	[ "$(init_pid web1)" = "$init" ]
}

@test "--dry-run prints the difference and changes nothing" {
	ve web1 --set memory.limit=64M
	ok set web1 memory.limit=32M --dry-run --json
	[[ $output == *memory.limit* ]]
	ok set web1 memory.limit=32M --dry-run
	[[ $output == *64M*32M* ]]
	ok get web1 memory.limit
	[ "$output" = 64M ]
}

@test "on a stopped VE everything is taken at the next start" {
	ok create web1 --image busybox
	ok set web1 rlimits.nofile=2048:2048 memory.limit=40M hostname=later
	ok start web1
	inside web1 sh -c 'ulimit -n; hostname'
	[ "$output" = $'2048\nlater' ]
	[ "$(group_file web1 memory.max memory.limit_in_bytes)" = $((40 * 1024 * 1024)) ]
}

@test "what is refused: fixed keys, unknown keys, unbuilt keys, bad values" {
	ve web1
	local a
	for a in uuid=01234567-89ab-cdef-0123-456789abcdef image=busybox disk.backend=dir; do
		try v set web1 "$a"
		[[ $status -eq 79 || $status -eq 64 || $status -eq 78 ]] || { explain "set $a"; return 1; }
		says "${a%%=*}"
	done
	fails 69 set web1 disk.user_quota=on
	says 'disk.backend=image'
	fails 78 set web1 memory.limt=1G
	says 'memory\.limit'
	fails 78 set web1 memory.limit=64MB
	says '64M'
	fails 64 set web1 memory.limit
	fails 64 set web1
	fails 66 get web1 no.such.key || fails 64 get web1 no.such.key
	# What only a start would find out is found out now.
	fails 78 set web1 --pending security.capabilities=+sys_rawio
	says sys_rawio
	fails 78 set web1 --pending rlimits.nofile=10:5
}

@test "keys: the schema, with units and defaults" {
	ok keys --json
	json 'map(.key) | (index("memory.limit") != null) and (index("boot.auto") != null)'
	ok keys 'memory.*' --json
	json 'all(.[]; .key | startswith("memory."))'
}

@test "a damaged config.json: 78, with file, line and key; other VEs are not concerned" {
	ok create web1 --image busybox
	ok create web2 --image busybox
	local file
	file=$VECTL_ROOT/var/lib/vectl/ve/$(uuid_of web1)/config.json
	cp "$file" "$BATS_TEST_TMPDIR/good"
	jq '.memory.limt = 1' "$BATS_TEST_TMPDIR/good" >"$file"
	fails 78 start web1
	says 'config.json'
	says 'limt'
	says 'memory.limit'
	ok start web2
	echo '{' >"$file"
	fails 78 show web1
	says 'line|:[0-9]+'
	ok list --names
	[[ $output == *web2* ]]
	cp "$BATS_TEST_TMPDIR/good" "$file"
}
