#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# vectl limits: what is used, the most of it, the limits, and how often more was refused; over restarts of everything.
load helpers

# row NAME RESOURCE FIELD
row() { v limits "$1" --json | jq -r --arg resource "$2" ".[] | select(.resource == \$resource) | .$3"; }

# Ends in the shell's being killed: it wants more memory than there is.
hog() { try v exec "$1" -- sh -c 'x=$(head -c 100000000 /dev/zero | tr "\0" x); echo ${#x}'; }
# So many forks that some fail.
bomb() { try v exec "$1" -- sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 1000 & done'; }
end_sleeps() { try v exec "$1" -- killall sleep; }

@test "used, peak and limit of each resource" {
	ve web1 --set memory.limit=64M --set memory.swap=0 --set pids.limit=30 --set cpu.limit=0.5 --set io.write_bps=20M
	inside web1 sh -c 'dd if=/dev/zero of=/file bs=65536 count=16 conv=fsync 2>/dev/null; i=0; while [ $i -lt 30000 ]; do i=$((i + 1)); done'
	ok limits web1 --json
	"$BATS_TEST_DIRNAME/../check-json" limits <<<"$output"
	json 'map(.resource) == ["cpu", "memory", "swap", "hugepages", "pids", "cgroups", "io.read", "io.write", "io.reads", "io.writes", "disk", "inodes", "transfer"]'
	json 'map({ (.resource): . }) | add | .memory.used > 0 and .memory.peak >= .memory.used and .memory.limit == 67108864 and
		.swap.limit == 0 and .pids.used > 0 and .pids.limit == 30 and .cpu.used > 0 and .cpu.limit == 500 and
		.cgroups.limit > 0 and ."io.write".limit == 20971520 and .memory.refused == 0 and .pids.refused == 0'
	json 'map({ (.resource): . }) | add | ."io.write".used >= 1048576 and ."io.writes".used > 0'
	ok limits web1
	grep -qE '^memory +[0-9.]+[KM] +[0-9.]+[KM] +- +64M +0$' <<<"$output"
	grep -qE '^cpu +.* 0.5 ' <<<"$output"
	# A live change is seen, a pending one is not.
	ok set web1 pids.limit=40
	[ "$(row web1 pids limit)" = 40 ]
	ok set web1 --pending pids.limit=50
	[ "$(row web1 pids limit)" = 40 ]
}

@test "refused memory and forks are counted, and whoever was refused nothing is not" {
	ve web1 --set memory.limit=32M --set memory.swap=0 --set pids.limit=12
	ve web2
	hog web1
	[ "$(row web1 memory refused)" -ge 1 ]
	bomb web1
	[ "$(row web1 pids refused)" -ge 1 ]
	ok limits --refused --json
	json 'length >= 2 and all(.[]; .name == "web1" and .refused > 0)'
	ok limits --refused
	[[ $output == *web1*memory* && $output != *web2* ]]
	# The page cache that fills a VE up is no refusal.
	local before
	before=$(row web1 memory refused)
	ok restart web1
	inside web1 sh -c 'head -c 60000000 /dev/zero >/tmp/file; cat /tmp/file >/dev/null'
	[ "$(row web1 memory refused)" = "$before" ]
}

@test "cpu: periods in which it had to wait" {
	ve web1 --set cpu.limit=0.1
	try v exec web1 -- timeout 1 sh -c 'while :; do :; done'
	[ "$(row web1 cpu refused)" -ge 1 ]
}

@test "counters survive restarts of the VE, its monitor and its reboots, and are counted once" {
	ve web1 --set memory.limit=32M --set memory.swap=0 --set pids.limit=12 --set boot.restart=always
	hog web1
	bomb web1
	end_sleeps web1
	local kills forks peak cpu
	kills=$(row web1 memory refused) forks=$(row web1 pids refused) peak=$(row web1 memory peak) cpu=$(row web1 cpu used)
	[[ $kills -ge 1 && $forks -ge 1 ]]
	same() { [ "$(row web1 memory refused) $(row web1 pids refused)" = "$kills $forks" ] && [ "$(row web1 memory peak)" -ge "$peak" ] && [ "$(row web1 cpu used)" -ge "$cpu" ]; }
	ok stop web1
	same
	[ "$(row web1 memory used)" = null ]
	ok start web1
	same
	ok restart web1
	same
	local init
	init=$(init_pid web1)
	v exec web1 -- reboot -f || true
	other() { [ "$(init_pid web1)" != "$init" ] && in_state web1 running; }
	wait_until 20 other
	same
	kill -9 "$(monitor_pid web1)"
	ok recover
	same
	ok kill web1
	ok kill web1
	same
	hog web1 || true
	ok start web1
	hog web1
	[ "$(row web1 memory refused)" -gt "$kills" ]
	# One of the same name that comes later has none of it.
	ok destroy --force web1
	ve web1
	[ "$(row web1 memory refused) $(row web1 pids refused)" = '0 0' ]
}
