#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a VE is called: rename, aliases; owner, labels and notes as columns and filters.
load helpers

claims() { (cd "$VECTL_ROOT/var/lib/vectl/claims/name" && echo *); }

@test "rename keeps all but the name, and what follows from it" {
	ve web1 --ip 192.0.2.10
	local uuid ids
	uuid=$(uuid_of web1)
	ids=$(v show web1 --json | jq -c .identity)
	fails 79 rename web1 shop1
	says 'vectl stop web1'
	ok stop web1
	changed true rename web1 shop1
	json '.name == "shop1"'
	changed false rename shop1 shop1
	fails 66 status web1
	[ "$(uuid_of shop1)" = "$uuid" ]
	[ "$(v show shop1 --json | jq -c .identity)" = "$ids" ]
	[ "$(claims)" = shop1 ]
	ok start shop1
	inside shop1 hostname
	[ "$output" = shop1 ]
	on_host ping -c1 -W5 192.0.2.10
	ok create web1 --image busybox
	ok history shop1 --json
	json 'any(.[]; .verb == "rename" and .changes[0].old == "web1" and .changes[0].new == "shop1") and any(.[]; .verb == "create")'
}

@test "--keep-alias: the old name is good, and nobody else's" {
	ok create web1 --image busybox
	changed true rename web1 shop1 --keep-alias
	[ "$(uuid_of web1)" = "$(uuid_of shop1)" ]
	ok get web1 aliases
	[ "$output" = web1 ]
	fails 73 create web1 --image busybox
	# An alias that becomes the name is no alias any more.
	changed true rename shop1 web1
	ok get web1 aliases
	[ -z "$output" ]
	[ "$(claims)" = web1 ]
}

@test "aliases: unique, live, in every place of NAME, given back one by one and with the VE" {
	ve web1
	ok create web2 --image busybox --set aliases=two,zwei
	ok set web1 aliases=one,uno
	inside uno true
	ok list --names 'u*'
	[ "$output" = web1 ]
	ok list --names --where aliases=zwei
	[ "$output" = web2 ]
	json_pending=$(v status web1 --json | jq -c .pending)
	[ "$json_pending" = '[]' ]
	fails 73 set web1 aliases+=three,two
	# None, not the first of them.
	[ "$(claims)" = 'one two uno web1 web2 zwei' ]
	fails 73 create web3 --image busybox --set aliases=uno
	fails 73 create one --image busybox
	fails 73 rename web2 uno
	fails 78 set web1 aliases+=Not_a_name
	ok set web1 aliases-=uno
	fails 66 status uno
	ok destroy zwei
	[ "$(claims)" = 'one web1' ]
	ok stop one
}

@test "killed in the middle of a rename: recover leaves one name, and no claim too many" {
	v version --json | jq -e .faults >/dev/null || skip "this build has no fault switch (make D=1)"
	local stage
	ok create web1 --image busybox
	for stage in claim config; do
		try env VE_FAULT=$stage nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" rename web1 shop1
		is 71
		[ "$(claims)" = web1 ]
		try env VE_FAULT=$stage:kill nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" rename web1 shop1
		is 137
		ok recover
		[ "$(claims)" = web1 ]
		ok status web1
	done
	# Killed between the file and the old name: as somebody else's claim would look.
	ln -s "$(uuid_of web1)" "$VECTL_ROOT/var/lib/vectl/claims/name/stale1"
	ok recover
	[ "$(claims)" = web1 ]
}

@test "owner, labels and notes: set, shown, columns, filters, sort keys" {
	ok create web1 --image busybox --set owner=C42 --set labels.tier=gold
	ok create web2 --image busybox --set owner=C7 --set labels.tier=silver
	ve web3
	ok set web3 owner=C42 labels.tier=gold notes='moved here in spring'
	ok list --names --where owner=C42 --where labels.tier=gold
	[ "$output" = $'web1\nweb3' ]
	ok list --names --where 'labels.tier!=gold'
	[ "$output" = web2 ]
	ok list --no-header --fields name,owner,labels.tier --sort -labels.tier
	[ "$(awk '{ print $1 }' <<<"$output" | head -1)" = web2 ]
	ok list --json --fields labels.tier,notes --where name=web3
	json '.[0] == {"labels.tier": "gold", "notes": "moved here in spring"}'
	ok status web3 --json
	json '.pending == []'
	ok set web3 labels.tier=default
	ok get web3 labels.tier
	[ -z "$output" ]
	fails 78 set web3 owner=$'two\nlines'
}

@test "rename: bad input" {
	ok create web1 --image busybox
	ok create web2 --image busybox
	fails 73 rename web1 web2
	fails 64 rename web1 Not_a_name
	fails 64 rename web1 "$(uuid_of web2)"
	fails 66 rename nobody shop1
	fails 64 rename web1
	ok set web1 protect=on
	fails 79 rename web1 shop1
	ok set web1 protect=off
	[ "$(claims)" = 'web1 web2' ]
}
