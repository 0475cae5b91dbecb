#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A VE is brought to what a template says: plans that go on from one another, and what a plan never touches.
load helpers

setup_file() {
	world_up
	mkdir -p "$VECTL_ROOT/etc/vectl/templates"
	plan small '"schema": 1, "keys": { "memory": { "limit": "64M", "swap": 0 }, "pids": { "limit": 100 } }'
	plan medium '"schema": 1, "description": "twice as much", "extends": "small", "keys": { "memory": { "limit": "128M" }, "cpu": { "weight": 200 } }'
	inventory >"$BATS_FILE_TMPDIR/inventory"
}
plan() { echo "{ $2 }" >"$VECTL_ROOT/etc/vectl/templates/$1.json"; }
value() { v get "$1" "$2"; }

@test "extends: its keys, and the other's below them; in create, show and list" {
	ok template show medium --json
	"$BATS_TEST_DIRNAME/../check-json" template <<<"$output"
	json '.extends == "small" and .keys.memory.limit == 134217728 and .keys.memory.swap == 0 and .keys.pids.limit == 100'
	ok template check medium
	ok create web1 --image busybox --template medium
	[ "$(value web1 memory.limit) $(value web1 pids.limit) $(value web1 cpu.weight)" = '128M 100 200' ]
}

@test "a circle, a template that is not there, an unknown key: 78 and 66, and which file it is" {
	plan around '"schema": 1, "extends": "about", "keys": {}'
	plan about '"schema": 1, "extends": "around", "keys": {}'
	plan lost '"schema": 1, "extends": "nowhere", "keys": {}'
	plan wrong '"schema": 1, "keys": { "memory": { "limt": "1G" } }'
	plan onwrong '"schema": 1, "extends": "wrong", "keys": {}'
	fails 78 create web1 --image busybox --template around
	says "circle"
	fails 66 template check lost
	says 'lost.json.*nowhere'
	fails 78 template show onwrong
	says 'wrong.json:.*limt'
	ok create web1 --image busybox --template small
	fails 78 apply web1 around
	fails 66 apply web1 nowhere
	fails 66 apply nobody small
	[ "$(value web1 memory.limit) $(value web1 template)" = '64M small' ]
	rm "$VECTL_ROOT"/etc/vectl/templates/{around,about,lost,wrong,onwrong}.json
}

@test "another plan, while it runs: the keys that it names, nothing else, and the VE is of that plan then" {
	ve web1 --template small --set pids.limit=77 --set boot.order=5
	local init
	init=$(init_pid web1)
	ok apply web1 medium --dry-run --json
	"$BATS_TEST_DIRNAME/../check-json" difference <<<"$output"
	json 'map({key, new}) | any(. == {key: "memory.limit", new: "128M"}) and any(. == {key: "template", new: "medium"})'
	[ "$(value web1 memory.limit)" = 64M ]
	ok apply web1 medium
	grep -q 'web1: memory.limit: 64M -> 128M' <<<"$output"
	[ "$(value web1 memory.limit) $(value web1 pids.limit) $(value web1 boot.order) $(value web1 template)" = '128M 100 5 medium' ]
	[ "$(group_file web1 memory.max memory.limit_in_bytes)" = 134217728 ]
	[ "$(init_pid web1)" = "$init" ]
	ok status web1 --json
	json '.pending == []'
	changed false apply web1
	ok list --names --where template=medium
	[ "$output" = web1 ]
	ok history web1 --json
	json '.[-1].verb == "apply" and any(.[-1].changes[]; .key == "template" and .old == "small" and .new == "medium")'
}

@test "who it is stays, even if the template says otherwise" {
	plan greedy '"schema": 1, "keys": { "hostname": "stolen", "owner": "mallory", "labels": { "tier": "x" }, "protect": true,
		"disk": { "backend": "dir" }, "network": { "0": { "ips": ["192.0.2.99"], "mac": "02:00:00:00:00:01" } }, "cpu": { "weight": 50 } }'
	ok create web1 --image busybox --template small --ip 192.0.2.10 --set owner=C42 --set hostname=mine
	ok apply web1 greedy
	[ "$(value web1 hostname) $(value web1 owner) $(value web1 network.0.ips) $(value web1 cpu.weight)" = 'mine C42 192.0.2.10 50' ]
	[ "$(value web1 labels.tier)$(value web1 network.0.mac)" = '' ]
	[ "$(value web1 protect) $(value web1 disk.backend)" = 'off overlay' ]
	rm "$VECTL_ROOT/etc/vectl/templates/greedy.json"
}

@test "a key that needs a restart: refused whole, --pending, --restart" {
	plan nested '"schema": 1, "extends": "medium", "keys": { "features": { "nesting": true } }'
	ve web1 --template small
	fails 79 apply web1 nested
	says features.nesting
	[ "$(value web1 memory.limit) $(value web1 template)" = '64M small' ]
	changed true apply web1 nested --pending
	json '.pending == ["features.nesting"] or (.pending | index("features.nesting")) != null'
	ok restart web1
	ok status web1 --json
	json '.pending == []'
	rm "$VECTL_ROOT/etc/vectl/templates/nested.json"
}

@test "a plan that changes, for all VEs of it" {
	local n
	for n in 1 2 3; do ok create web$n --image busybox --template small; done
	ok apply web3 medium
	plan small '"schema": 1, "keys": { "memory": { "limit": "80M", "swap": 0 }, "pids": { "limit": 100 } }'
	ok apply --where template=small --dry-run
	[ "$(sort <<<"$output")" = $'web1: memory.limit: 64M -> 80M\nweb2: memory.limit: 64M -> 80M' ]
	ok apply --all --where template=small --parallel 2 --json
	json 'length == 2 and all(.[]; .changed)'
	[ "$(value web1 memory.limit) $(value web2 memory.limit) $(value web3 memory.limit)" = '80M 80M 128M' ]
	plan small '"schema": 1, "keys": { "memory": { "limit": "64M", "swap": 0 }, "pids": { "limit": 100 } }'
	ok apply --where template=medium small
	[ "$(value web3 memory.limit) $(value web3 template)" = '64M small' ]
	ok set web1 protect=on
	fails 79 apply web1 medium
	ok set web1 protect=off
}
