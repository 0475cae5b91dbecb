#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The compiler of seccomp policies, on pairs: bad/NAME.policy must fail with the words of bad/NAME.err and leave no output.

load build-tree.bash

setup() {
	data=$BATS_TEST_DIRNAME/../data/policy
	out=$BATS_TEST_TMPDIR/out.bpf
	policyc=$O/policyc
	[ -x "$policyc" ]
}

@test "what is wrong in a policy is named with its line" {
	local n=0 p
	for p in "$data"/bad/*.policy; do
		run "$policyc" "$p" "$out"
		[ "$status" -eq 65 ] || { echo "$p: status $status: $output"; return 1; }
		[[ $output == "policyc: $p:"*"$(cat "${p%.policy}.err")"* ]] || { echo "$p: $output"; return 1; }
		[ ! -e "$out" ] && [ ! -e "$out.tmp" ] || { echo "$p: left output behind"; return 1; }
		n=$((n + 1))
	done
	[ "$n" -ge 20 ]
}

@test "good policies compile" {
	local p
	for p in "$data"/good/*.policy; do
		run "$policyc" "$p" "$out"
		[ "$status" -eq 0 ] || { echo "$p: $output"; return 1; }
		[ "$(head -c 5 "$out")" = VBPF1 ]
		rm "$out"
	done
}

@test "every rule that is shipped has its reason, and no policy is empty" {
	local p
	for p in "$BATS_TEST_DIRNAME"/../../templates/seccomp/*.policy; do
		run "$policyc" "$p" "$out"
		[ "$status" -eq 0 ] || { echo "$p: $output"; return 1; }
	done
}

@test "a policy that does not exist, a directory that cannot be written, no arguments" {
	run "$policyc" /nonexistent/a.policy "$out"
	[ "$status" -eq 65 ]
	[[ $output == *"/nonexistent/a.policy"*"No such file"* ]]
	run "$policyc" "$data/good/whole.policy" /nonexistent/out.bpf
	[ "$status" -eq 65 ]
	[[ $output == *"/nonexistent/out.bpf"* ]]
	run "$policyc"
	[ "$status" -eq 64 ]
}
