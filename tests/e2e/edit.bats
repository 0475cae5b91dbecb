#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A VE's configuration in an editor: verified, shown, done whole or not at all; and what show prints, taken by create.
load helpers

setup() {
	export TMPDIR=$BATS_TEST_TMPDIR/copies
	mkdir "$TMPDIR"
}
nothing_left() { [ -z "$(ls -A "$TMPDIR")" ]; }
key_of() { v get web1 "$1"; }

# editor SCRIPT: a program that gets the file as $1.
editor() {
	{ echo '#!/bin/bash -e'; echo "$1"; } >"$BATS_TEST_TMPDIR/editor"
	chmod +x "$BATS_TEST_TMPDIR/editor"
	export EDITOR=$BATS_TEST_TMPDIR/editor
	unset VISUAL
}

@test "what is edited is done: changed, added and taken out" {
	ve web1 --set memory.limit=64M --set labels.tier=gold --set owner=C7 --set network.0.rate_out=8M
	editor 'cp "$1" "$0.seen"; stat -c "%a %U" "$1" "$(dirname "$1")" >"$0.mode"
		jq ".memory.limit = \"128M\" | del(.labels) | .owner = \"C8\" | .notes = \"new\"" "$1" >"$1.new"; mv "$1.new" "$1"'
	ok edit web1
	[ "$(sort <<<"$output")" = "$(sort <<-EOF
		web1: owner: C7 -> C8
		web1: labels.tier: gold -> default
		web1: notes: default -> new
		web1: memory.limit: 64M -> 128M
	EOF
	)" ]
	[ "$(key_of memory.limit) $(key_of owner) $(key_of notes) $(key_of labels.tier) $(key_of network.0.rate_out)" = '128M C8 new  8M' ]
	[ "$(cat "$EDITOR.mode")" = $'600 root\n700 root' ]
	jq -e '.memory.limit == "64M" and .network["0"].rate_out == "8M" and (has("name") or has("uuid") or has("identity") or has("image") | not)' \
		"$EDITOR.seen"
	[ "$(group_file web1 memory.max memory.limit_in_bytes)" = 134217728 ]
	nothing_left
	ok history web1 --json
	json '.[-1].verb == "edit" and (.[-1].changes | any(.key == "memory.limit" and .new == "128M"))'
	editor 'true'
	ok edit web1
	[ "$output" = 'web1: nothing changes' ]
	changed false edit web1
	VISUAL='sed -i s/128M/96M/' EDITOR=false ok edit web1
	[ "$(key_of memory.limit)" = 96M ]
}

@test "mistakes are told with line and column, and nothing is changed" {
	ok create web1 --image busybox --set memory.limit=64M
	ok show web1 --json
	local before=$output
	editor 'sed -i "s/\"limit\": \"64M\"/\"limit\": \"64X\"/" "$1"'
	fails 78 edit web1
	says 'web1.json:[0-9]+:[0-9]+: memory.limit'
	editor 'echo "{ nonsense" >"$1"'
	fails 78 edit web1
	says 'web1.json:1:'
	editor 'sed -i "s/\"memory\"/\"memroy\"/" "$1"'
	fails 78 edit web1
	says "did you mean"
	editor 'jq ".image = \"debian-12\"" "$1" >"$1.new"; mv "$1.new" "$1"'
	fails 79 edit web1
	says 'image: is fixed'
	editor 'rm "$1"'
	fails 66 edit web1
	editor 'exit 3'
	fails 64 edit web1
	says 'nothing was changed'
	editor 'head -c 2000000 /dev/zero | tr "\0" " " >"$1"'
	fails 65 edit web1
	EDITOR=/no/such/editor fails 64 edit web1
	EDITOR=true fails 77 --unprivileged-keys-only edit web1
	ok show web1 --json
	[ "$output" = "$before" ]
	nothing_left
}

@test "--dry-run changes nothing; who was faster is told; a key that needs a restart is refused or pending" {
	ve web1 --set memory.limit=64M
	editor 'sed -i "s/64M/80M/" "$1"'
	ok edit web1 --dry-run
	[ "$output" = 'web1: memory.limit: 64M -> 80M' ]
	ok edit web1 --dry-run --json
	"$BATS_TEST_DIRNAME/../check-json" difference <<<"$output"
	[ "$(key_of memory.limit)" = 64M ]
	editor "\"$VECTL\" set web1 owner=other >/dev/null; sed -i s/64M/80M/ \"\$1\""
	fails 75 edit web1
	says 'changed by somebody else meanwhile'
	[ "$(key_of memory.limit)" = 64M ]
	editor 'jq ".features.tun = true" "$1" >"$1.new"; mv "$1.new" "$1"'
	fails 79 edit web1
	says features.tun
	changed true edit web1 --pending
	json '.pending == ["features.tun"]'
	ok set web1 protect=on
	editor 'sed -i "s/64M/80M/" "$1"'
	fails 79 edit web1
	ok set web1 protect=off
	nothing_left
}

@test "create --config takes what show prints, and leaves who it was" {
	ve web1 --ip 192.0.2.10 --set memory.limit=64M --set cpu.weight=300 --set owner=C7 --set labels.tier=gold --set hostname=shop.example \
		--set aliases=shop --set network.0.rate_out=8M --set firewall.in='allow tcp 22'
	v show web1 --json >"$BATS_TEST_TMPDIR/web1.json"
	ok create web2 --config "$BATS_TEST_TMPDIR/web1.json" --set cpu.weight=200
	[ "$(v get web2 memory.limit cpu.weight network.0.rate_out network.0.type firewall.in | tr '\n' ' ')" = '64M 200 8M nat allow tcp 22 ' ]
	[ -z "$(v get web2 owner labels.tier hostname aliases network.0.ips | tr -d '\n')" ]
	[ "$(v get web2 image template)" = "$(v get web1 image template)" ]
	[ "$(uuid_of web1)" != "$(uuid_of web2)" ]
	ok start web2
	try_stdin=$BATS_TEST_TMPDIR/web1.json ok create web3 --config - --ip 192.0.2.11
	[ "$(v get web3 network.0.type network.0.ips | tr '\n' ' ')" = 'routed 192.0.2.11 ' ]
	echo '{ "schema": 1, "memory": { "limit": "lots" } }' >"$BATS_TEST_TMPDIR/bad.json"
	fails 78 create web4 --config "$BATS_TEST_TMPDIR/bad.json"
	says 'bad.json:1:37: memory.limit'
	echo '{ "schema": 1, "memory": { "limit": "48M" } }' >"$BATS_TEST_TMPDIR/part.json"
	ok create web4 --config "$BATS_TEST_TMPDIR/part.json" --image busybox
	[ "$(v get web4 memory.limit)" = 48M ]
	fails 66 create web5 --config "$BATS_TEST_TMPDIR/none.json"
	fails 65 create web5 --config /dev/zero
	fails 64 create web5 --config - --password-stdin
	fails 77 --unprivileged-keys-only create web5 --config /etc/shadow
	[[ $stderr != *root:* ]]
}
