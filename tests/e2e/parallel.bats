#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Twenty VEs created, started, rebooted and destroyed at once, three rounds: nothing stays (teardown compares, too).
load helpers

# all COMMAND [ARGUMENT]...: vectl COMMAND for each of the twenty at once; all must succeed. {} is the number.
all() {
	local command=$1 i pids=() failed=0
	shift
	for i in {1..20}; do
		become_v "$command" "p$i" "${@//\{\}/$i}" >/dev/null 2>"$BATS_TEST_TMPDIR/p$i" &
		pids+=($!)
	done
	for i in {1..20}; do
		wait "${pids[i - 1]}" || { echo "$command p$i: $(cat "$BATS_TEST_TMPDIR/p$i")" >&2; failed=1; }
	done
	return $failed
}

round() {
	all create --image busybox --ip '192.0.2.1{}' || return 1
	all start || return 1
	local i before=()
	for i in {1..20}; do before[i]=$(init_pid "p$i"); done
	for i in {1..20}; do v exec "p$i" -- reboot -f >/dev/null 2>&1 & done
	wait
	rebooted() { local now; now=$(init_pid "p$1"); [ "$now" != null ] && [ "$now" != "${before[$1]}" ]; }
	for i in {1..20}; do wait_until 60 rebooted "$i" || return 1; done
	for i in {1..20}; do wait_until 60 in_state "p$i" running || return 1; done
	for i in {1..20}; do on_host ping -c1 -W5 "192.0.2.1$i" >/dev/null || { echo "p$i does not answer" >&2; return 1; }; done
	all destroy --force || return 1
	same_as_before
}

@test "twenty at once, first round" { round; }
@test "twenty at once, second round" { round; }
@test "twenty at once, third round" { round; }
