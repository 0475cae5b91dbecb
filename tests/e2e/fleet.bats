#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# One verb on several VEs: names, --all, --where; all of them found before the first is touched; one line or one element each.
load helpers

three() {
	local n
	for n in 1 2 10; do ok create web$n --image busybox --set owner=C42; done
}
results() { "$BATS_TEST_DIRNAME/../check-json" boot <<<"$output"; }

@test "several names: a line each, an array with --json; one name alone is one document" {
	three
	ok start web1 web10 "$(uuid_of web1)"
	[ "$(sort <<<"$output" | sed 's/ (.*//')" = $'started web1\nstarted web10' ]
	in_state web2 stopped
	ok start web1 web2 --json
	results
	json 'length == 2 and .[0].name == "web1" and .[0].changed == false and .[1].name == "web2" and .[1].changed and .[1].state == "running"'
	ok stop web1 --timeout 0 --json
	json 'type == "object"'
}

@test "a name that there is not: nothing is touched" {
	three
	fails 66 start web1 nosuch web2
	in_state web1 stopped
	in_state web2 stopped
	fails 66 set web1 nosuch memory.limit=50M
	ok get web1 memory.limit
	[ "$output" != 50M ]
}

@test "--all and --where, several at a time; none that matches is success" {
	three
	ok create db1 --image busybox
	ok start --where 'name=web*' --parallel 3
	[ "$(v list --names --where state=running)" = $'web1\nweb2\nweb10' ]
	ok freeze --where state=running --json
	results
	json '[.[].name] == ["web1", "web2", "web10"] and all(.[]; .changed and .state == "frozen")'
	ok thaw --where 'name=web*' --where 'name!=web1'
	[ "$(v list --names --where state=running)" = $'web2\nweb10' ]
	ok kill --all --parallel 8
	[ -z "$(v list --names --where state!=stopped)" ]
	ok stop --where name=nosuch --json
	json '. == []'
	ok stop --where name=nosuch
	says 'nothing is done'
	ok lock --all --reason maintenance --actor anna
	[ "$(v list --names --where locked=anna | wc -l)" = 4 ]
	ok unlock --all --actor anna
	ok block --where name=db1 --reason 'invoice 1'
	ok unblock --where blocked=stop
	in_state db1 stopped
}

@test "one that fails does not keep the others from it: 1, and each says why" {
	three
	ok lock web2 --actor anna --reason 'is hers'
	try v start web1 web2 web10
	is 1
	says "'web2': it is locked by anna"
	says '1 of 3 failed'
	in_state web1 running
	in_state web10 running
	try v stop --all --json --timeout 0
	is 1
	results
	json '.[1].name == "web2" and .[1].error.category == "busy" and (.[1].error.message | test("is hers")) and .[1].changed == false'
	json '.[0].state == "stopped" and .[2].state == "stopped"'
	ok unlock web2 --actor anna
}

@test "set: the words before the first KEY=VALUE are names" {
	three
	ok set web1 web2 memory.limit=50M memory.swap=0
	[ "$(v list --where memory.limit=52428800 --names)" = $'web1\nweb2' ]
	ok set --where owner=C42 memory.limit=60M --dry-run
	grep -q 'web1: memory.limit: 50M -> 60M' <<<"$output"
	ok set --all memory.limit=60M --dry-run --json
	results
	json 'length == 3 and .[0].difference[0].new == "60M"'
	ok set --all memory.limit=60M
	[ "$(v list --where memory.limit=62914560 --names | wc -l)" = 3 ]
	fails 64 set --all
	fails 64 set web1 web2
	fails 64 set web1 --all memory.limit=60M
}

@test "destroy of several asks on a terminal, and elsewhere needs --yes" {
	three
	fails 64 destroy web1 web2
	says 'with --yes only'
	fails 64 destroy --all --force
	[ "$(v list --names | wc -l)" = 3 ]
	printf 'n\n' >"$BATS_TEST_TMPDIR/no"
	try script -qec "nsenter --net=/run/netns/$HOST_NS $VECTL destroy web1 web2" /dev/null <"$BATS_TEST_TMPDIR/no"
	is 1
	[[ $output == *'Destroy 2 VEs and all that is theirs: web1 web2? [y/N]'*'nothing is destroyed'* ]]
	[ "$(v list --names | wc -l)" = 3 ]
	ok start web1
	try v destroy web1 web2 --yes
	is 1
	[ "$(v list --names)" = $'web1\nweb10' ]
	ok destroy web1 gone1 web10 --yes --force --if-exists --json
	results
	json 'length == 3 and .[1].name == "gone1" and .[1].changed == false and .[1].state == null and .[0].state == null'
	[ -z "$(v list --names)" ]
}

@test "an interrupt reaches all of them; what has not begun is left alone" {
	local n verb
	# Their init does not hear of being asked to stop, so that each is waited for.
	for n in 1 2 3; do ve web$n --set stop.signal=SIGWINCH; done
	become_v stop --all --timeout 600 --parallel 2 >"$BATS_TEST_TMPDIR/said" 2>&1 &
	verb=$!
	wait_until 30 in_state web1 stopping
	wait_until 30 in_state web2 stopping
	in_state web3 running
	kill -TERM $verb
	status=0
	wait $verb || status=$?
	is 143
	for n in 1 2 3; do in_state web$n running; done
}

@test "bad input" {
	three
	fails 64 start web1 --all
	fails 64 start --all --boot web1
	fails 64 start --where nosuchfield=1
	fails 64 start --where nonsense
	fails 64 start --all --parallel 0x
	fails 64 start --all --parallel 1000
}
