#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# vectl top, and pressure wherever it is shown.
load helpers

is_a() { "$BATS_TEST_DIRNAME/../check-json" "$1" <<<"$2"; }

@test "the busiest first; stopped ones not at all" {
	ve idle
	ve busy --set cpu.limit=0.5
	ok create off --image busybox
	v exec busy -- sh -c 'while :; do :; done' &
	local burner=$!
	burns() { [ "$(v list busy --json --fields cpu.used | jq '.[0]."cpu.used"')" -gt 500000000 ]; }
	wait_until 20 burns
	ok top -n 1 --interval 1 --json
	is_a top "$output"
	json '[.ves[].name] == ["busy", "idle"] and .ves[0].cpu > .ves[1].cpu and .ves[0].cpu > 0 and .ves[0].memory > 0'
	ok top 'i*' -n 1 --interval 1 --json
	json '[.ves[].name] == ["idle"]'
	ok top -n 2 --interval 1
	[ "$(grep -c '^NAME' <<<"$output")" = 2 ]
	[ "$(grep -cE '^(busy|idle) ' <<<"$output")" = 4 ]
	[[ $output != *$'\033'* ]]
	fails 64 top --sort colour
	ok kill busy
	wait "$burner" || true
}

@test "pressure: somebody waits for a CPU, and it is seen" {
	ve web1 --set cpu.limit=0.2
	[ -e /proc/pressure/cpu ] # every kernel that vectl is tried on has it
	v exec web1 -- sh -c 'while :; do :; done' &
	local burner=$!
	waits() { jq -e '."pressure.cpu" > 0' <<<"$(v status web1 --json)"; }
	wait_until 30 waits
	ok status web1 --json
	is_a status "$output"
	json 'has("pressure.memory") and has("pressure.io")'
	ok list --json --fields name,pressure.cpu,pressure.memory,pressure.io,io.read,io.write
	json '.[0]."pressure.cpu" > 0 and .[0]."io.read" >= 0'
	ok status web1
	grep -q '^pressure.cpu: ' <<<"$output"
	ok kill web1
	wait "$burner" || true
}
