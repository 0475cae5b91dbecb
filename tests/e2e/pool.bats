#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Pools: limits that several VEs share, however many there are, live, over restarts and crashes; and nobody else's VE feels them.
load helpers

setup_file() {
	# A pool's file has a directory that comes and goes with it; the store's lock is made with the first.
	world_up && v --quiet pool set warm memory.limit=1G && v --quiet pool remove warm && inventory >"$BATS_FILE_TMPDIR/inventory"
}
teardown() {
	local pool
	destroy_all
	for pool in $(v pool list --names); do v --quiet pool remove "$pool"; done
	# shellcheck disable=SC2119
	same_as_before
}

on_v2() { grep -qw "$1" /sys/fs/cgroup/cgroup.controllers 2>/dev/null; }
of_pool() { v pool show "$1" --json | jq -r ".resources[] | select(.resource == \"$2\") | .$3"; }

# many NAME N: N processes that sleep in the VE, of which as many come about as there is room for.
many() { v exec "$1" -- sh -c "for i in \$(seq $2); do sleep 1000 & done" >/dev/null 2>&1 || true; }
has_no_group() { not grep -qF -- "$1" <(groups_of_store); }
pids_of() { group_file "$1" pids.current; }

@test "two VEs share what a third one beside them does not feel" {
	ok pool set gold pids.limit=30
	ve web1 --set pids.limit=60 --set pool=gold
	ve web2 --set pids.limit=60 --set pool=gold
	ve web3 --set pids.limit=60
	many web1 50
	# The shell that was refused has ended, which leaves room for one or two.
	[ "$(pids_of '@gold')" -le 30 ]
	[ "$(pids_of '@gold')" -ge 25 ]
	# Full is full for the other one too.
	try v exec web2 -- sh -c 'for i in 1 2 3 4 5 6; do sleep 10 & done; wait'
	[ "$status" -ne 0 ]
	inside web3 sh -c 'for i in $(seq 40); do sleep 1000 & done; echo fine'
	[ "$output" = fine ]
	[ "$(of_pool gold pids used)" -ge 25 ]
	[ "$(of_pool gold pids limit)" = 30 ]
	[ "$(of_pool gold pids refused)" -ge 1 ]
	ok limits web3 --json
	json '.[] | select(.resource == "pids") | .refused == 0'
	# Looked at and entered from the host all the same.
	ok list --fields name,pool,processes
	grep -qE '^web1 +gold' <<<"$output"
	inside web1 true
}

@test "a change holds at once, for all of its keys or none" {
	ok pool set gold pids.limit=30 memory.limit=256M
	ve web1 --set pool=gold
	[ "$(group_file @gold pids.max)" = 30 ]
	ok pool set gold pids.limit=40 cpu.limit=0.5
	[ "$(group_file @gold pids.max)" = 40 ]
	[ "$(group_file @gold cpu.cfs_quota_us cpu.max)" = 50000 ] || [ "$(group_file @gold cpu.max)" = '50000 100000' ]
	# The last one is refused by the kernel, as so much is in use: the first one is as it was.
	inside web1 sh -c 'head -c 60000000 /dev/zero >/dev/shm/big'
	fails 79 pool set gold pids.limit=50 memory.limit=8M
	says "cannot change the pool 'gold': cannot lower memory.limit"
	[ "$(group_file @gold pids.max)" = 40 ]
	ok pool show gold --json
	json '.limits.pids.limit == 40 and .limits.memory.limit == 268435456 and .ves == ["web1"]'
	ok pool set gold pids.limit=default
	[ "$(group_file @gold pids.max)" = max ]
	ok pool set gold memory.limit=default
	ok pool show gold --json
	json '.limits == {"cpu": {"limit": 500}}'
}

@test "memory: what they have together ends at the pool's limit" {
	ok pool set gold memory.limit=64M memory.swap=0
	ve web1 --set pool=gold --set memory.limit=60M --set memory.swap=0
	ve web2 --set pool=gold --set memory.limit=60M --set memory.swap=0
	inside web1 sh -c 'head -c 40000000 /dev/zero >/dev/shm/big'
	try v exec web2 -- sh -c 'x=$(head -c 45000000 /dev/zero | tr "\0" x); echo ${#x}'
	[ "$status" -ne 0 ]
	[ "$(of_pool gold memory used)" -le $((64 << 20)) ]
	[ "$(of_pool gold memory refused)" -ge 1 ]
	in_state web1 running
}

@test "into a pool and out of it: with a restart, or written for the next start" {
	ok pool set gold pids.limit=100
	ve web1
	[ -n "$(group_file web1 pids.max)" ]
	fails 79 set web1 pool=gold
	says 'cannot change pool while'
	ok set web1 pool=gold --pending
	[ -n "$(group_file web1 pids.max)" ]
	# It runs where it was; a change of its own still finds it there.
	ok set web1 pids.limit=77
	[ "$(group_file web1 pids.max)" = 77 ]
	ok restart web1
	[ "$(group_file @gold/web1 pids.max)" = 77 ]
	not group_file web1 pids.max
	inside web1 true
	ok set web1 pids.limit=78
	[ "$(group_file @gold/web1 pids.max)" = 78 ]
	ok freeze web1
	in_state web1 frozen
	ok thaw web1
	# While it runs there the pool is needed, whatever its file says.
	ok set web1 pool=default --pending
	fails 79 pool remove gold
	says "'web1' in it"
	ok restart web1
	[ "$(group_file web1 pids.max)" = 78 ]
	ok pool remove gold
	ok set web1 notes=moved
}

@test "a pool that is named stays, and one that is not there cannot be named" {
	fails 66 create web1 --image busybox --set pool=gold
	says "there is no pool 'gold'"
	ok pool set gold pids.limit=100
	ok create web1 --image busybox --set pool=gold
	fails 66 set web1 pool=glod
	says "did you mean 'gold'"
	fails 79 pool remove gold
	ok list --where pool=gold --names
	[ "$output" = web1 ]
	# Taken away by hand: said, and nothing begins.
	rm -r "$VECTL_ROOT/etc/vectl/pools"
	fails 66 start web1
	in_state web1 stopped
	ok set web1 pool=default
	ok start web1
	ok recover
	has_no_group @gold
}

@test "a reboot inside, a killed monitor and a killed start leave it in its pool" {
	ok pool set gold pids.limit=100
	ve web1 --set pool=gold
	local pid
	pid=$(init_pid web1)
	v exec web1 -- reboot -f >/dev/null 2>&1 || true
	rebooted() { [ "$(init_pid web1)" != "$pid" ] && in_state web1 running; }
	wait_until 20 rebooted
	[ -n "$(group_file @gold/web1 pids.max)" ]
	kill -9 "$(monitor_pid web1)"
	wait_until 5 in_state web1 running
	ok recover web1
	inside web1 true
	ok stop web1
	has_no_group web1
	# Killed when its groups were there and its record was not; then it goes elsewhere.
	try env VE_FAULT=record:kill nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" start web1
	[ "$status" -ne 0 ]
	ok set web1 pool=default
	ok start web1
	has_no_group @gold/
	[ -n "$(group_file web1 pids.max)" ]
}

@test "a jail may be in a pool" {
	ok pool set gold pids.limit=20
	try v run --image busybox --no-network --set pool=gold -- sh -c 'for i in $(seq 30); do sleep 100 & done; echo not reached'
	[ "$status" -ne 0 ]
	[ -z "$output" ]
	ok run --image busybox --no-network --set pool=gold -- echo hello
	[ "$output" = hello ]
	has_no_group @gold/
}

@test "what v1 cannot share is refused, or holds on v2" {
	if on_v2 io; then
		ok pool set gold io.read_bps=10M
		ve web1 --set pool=gold
		group_file @gold io.max | grep -q rbps=10485760
	else
		fails 69 pool set gold io.read_bps=10M
		says 'VEs cannot share it'
		[ -z "$(v pool list --names)" ]
	fi
	ok pool set gold cpu.limit=0.5
	ve web2 --set pool=gold --set cpu.limit=0.2
	on_v2 cpu || {
		fails 78 set web2 cpu.limit=2
		says 'its pool has less'
		fails 79 pool set gold cpu.limit=0.1
		says 'one of its VEs has more'
	}
	[ "$(v get web2 cpu.limit)" = 0.2 ]
}

@test "bad input: names, keys and values" {
	local bad
	for bad in '' .. A @gold a/b; do fails 64 pool set "$bad" pids.limit=9; done
	for bad in disk.size=1G cpu.cores=1 hostname=x pids.limit=-1 memory.limit=1MB nosuch=1; do
		fails 78 pool set gold "$bad"
	done
	fails 66 pool show gold
	fails 66 pool remove gold
	fails 64 pool set gold
	fails 64 pool set gold pids.limit
	[ -z "$(v pool list --names)" ]
	ok pool set gold pids.limit=9 memory.limit=1G
	echo '{"schema":1,"hostname":"x"}' >"$VECTL_ROOT/etc/vectl/pools/gold.json"
	fails 78 pool show gold
	ok pool list
	says 'gold.json'
	ok pool remove gold
}

@test "documents and tables" {
	document() { "$BATS_TEST_DIRNAME/../check-json" "$1" <<<"$output"; }
	ok pool set gold pids.limit=100 memory.limit=1G cpu.limit=1.5 --json
	document pool
	ok create web1 --image busybox --set pool=gold
	ok pool list --json
	document pool-list
	json '.[0].ves == ["web1"]'
	ok pool list
	grep -qE '^gold +1G +1.5 +100 +web1$' <<<"$output"
	ok pool show gold
	[[ $output == "1 VE: web1"* ]]
	grep -qE '^memory .* 1G +-$' <<<"$output"
	# A second time changes nothing; who did what is written down.
	ok pool set gold pids.limit=100
	[ "$output" = 'gold: is so already' ]
	ok history --json
	json '[.[] | select(.verb == "pool set")] | length == 2 or .[-1].name == "gold"'
	ok destroy web1
	ok pool remove gold --json
	document pool-change
}
