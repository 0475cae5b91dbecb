#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Storms: one VE takes all it can get of what the kernel has for everybody, and its neighbour notices nothing: a hundred each of
# processes, terminals, inotify instances and files are there for it, nothing was refused to it, and the host lists and enters
# both meanwhile.
#
# The storms end at the VE's own limits, or at a number that no host is hurt by.
load helpers

put() { v exec "$1" -- sh -c 'cat >/root/storm && chmod 755 /root/storm' <"$O/storm"; }

two() {
	ve hog --set memory.limit=96M --set memory.swap=0 --set pids.limit=200 --set cpu.limit=1 "$@"
	ve calm --set memory.limit=128M --set pids.limit=200
	put hog && put calm
}

# storm KIND MOST: begins it; its words are in $words once it has all.
said() { [ -s "$BATS_TEST_TMPDIR/words" ]; }
storm() {
	: >"$BATS_TEST_TMPDIR/words"
	v exec hog -- /root/storm "$1" "$2" >"$BATS_TEST_TMPDIR/words" 2>"$BATS_TEST_TMPDIR/why" &
	STORM=$!
	wait_until 60 said_or_over
	words=$(<"$BATS_TEST_TMPDIR/words")
}
said_or_over() { said || not kill -0 "$STORM"; }
# over: what the storm took is given back.
over() {
	v exec hog -- sh -c 'kill -9 -1' >/dev/null 2>&1 || true
	wait "$STORM" || true
}

# calm_goes_on WHAT: a hundred of each for the neighbour, nothing refused to it, and the host can look and enter.
calm_goes_on() {
	ok exec calm -- /root/storm calm
	[ "$output" = fine ] || { explain "$1: the neighbour was refused something"; return 1; }
	ok limits calm --json
	json 'all(.[]; (.refused // 0) == 0)'
	ok list --fields name,state,memory.used,processes
	grep -qE '^calm +running' <<<"$output"
	ok exec calm -- true
}

# while_storm KIND MOST PATTERN: what the storm says, held while the neighbour goes on.
while_storm() {
	storm "$1" "$2"
	grep -qE -- "$3" <<<"$words" || { echo "$1: it said '$words' $(<"$BATS_TEST_TMPDIR/why")" >&2; return 1; }
	calm_goes_on "$1"
	ok exec hog -- true
	over
}

@test "processes: a bomb, and a thousand children" {
	two
	while_storm processes 1000 '^1[0-9][0-9] refused: Resource temporarily'
	storm bomb 1
	calm_goes_on bomb
	ok exec hog -- true
	over
	ok limits hog --json
	json '.[] | select(.resource == "pids") | .refused >= 1 and .used <= 201'
}

@test "memory: anonymous, shared, in tmpfs, page tables; who takes too much is killed" {
	two
	local kind
	for kind in memory segments tables; do
		storm "$kind" 100000
		[ -z "$words" ] # killed, before it could say anything
		calm_goes_on "$kind"
		over
		in_state hog running || ok start hog
	done
	# What nobody has is nobody's to be killed for: the VE itself may go.
	storm tmpfs 100000
	calm_goes_on tmpfs
	try v kill hog
	wait "$STORM" || true
	ok limits hog --json
	json '.[] | select(.resource == "memory") | .refused >= 3 and .peak <= 96 * 1048576'
}

@test "disk and inodes: its own end, not the host's" {
	two --disk 48M
	while_storm disk 1000 '^[0-9]+ refused: (No space left|Disk quota)'
	v exec hog -- rm /root/filler
	while_storm inodes 1000000 '^[0-9]+ refused: (No space left|Disk quota)'
}

@test "terminals, inotify instances, open files, queues, signals, locked memory" {
	two
	while_storm ptys 5000 '^10[0-9][0-9] refused: No space left'
	while_storm inotify 5000 '^[0-9]+ refused: Too many open files'
	# Half a million of them are allowed, and more than its memory holds: then it is killed.
	storm files 1000000
	grep -qE '^[0-9]+ refused: |^$' <<<"$words"
	calm_goes_on files
	over
	in_state hog running || ok start hog
	while_storm queues 5000 '^[0-9]+ refused: '
	while_storm signals 1000000 '^[0-9]+ refused: Resource temporarily'
	# Where RLIMIT_MEMLOCK is above its memory.limit it is killed for that.
	storm locked 1000
	grep -qE '^[0-9]+ refused: |^$' <<<"$words"
	calm_goes_on locked
	over
}

@test "keys, namespaces and mounts" {
	two
	while_storm keys 1000 '^0 refused: Function not implemented'
	while_storm networks 400 '^2[0-9][0-9] refused: No space left'
	while_storm ipcs 2000 '^10[0-9][0-9] refused: No space left'
	while_storm utss 2000 '^10[0-9][0-9] refused: No space left'
	while_storm mounts 1000 '^[0-9]+'
	try v exec hog -- unshare -U true
	[ "$status" -ne 0 ]
}

HUGE=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages

# with_huge_pages COMMAND...: while the host has eight more set aside.
with_huge_pages() {
	local before result=0
	before=$(<"$HUGE")
	echo $((before + 8)) >"$HUGE"
	[ "$(<"$HUGE")" = $((before + 8)) ] && "$@" || result=$?
	echo "$before" >"$HUGE"
	return "$result"
}
figure() { v limits "$1" --json | jq -c '.[] | select(.resource == "hugepages") | [.used, .limit, .refused > 0]'; }
takes_what_it_was_given() {
	while_storm hugepages 8 '^0 refused: Cannot allocate memory' || return
	ok set hog memory.hugepages=6M || return
	storm hugepages 8
	[ "$words" = "3 refused: Cannot allocate memory" ] || { explain "it said '$words'"; return 1; }
	[ "$(figure hog) $(figure calm)" = '[6291456,6291456,true] [0,0,false]' ] || { explain "$(figure hog) $(figure calm)"; return 1; }
	fails 79 set hog memory.hugepages=2M || return
	says '6 MiB are in use' || return
	over
	ok set hog memory.hugepages=default || return
	while_storm hugepages 8 '^0 refused'
}

@test "huge pages that the host has set aside: those alone who were given some take them" {
	two
	with_huge_pages takes_what_it_was_given
	ok limits hog --refused --json
	json 'map(.resource) | contains(["hugepages"])'
}
