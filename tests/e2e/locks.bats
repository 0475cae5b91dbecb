#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Two verbs on one VE at once: one waits, and says who holds it if it waits in vain.
load helpers

# A stop that takes until its timeout: init ignores the signal.
slow_stop() {
	become_v stop slow --timeout "$1" >/dev/null 2>&1 &
	slow=$!
	wait_until 5 grep -q stop "$(run_dir slow)/lock"
}

@test "who waits in vain gets 75 and hears who holds it" {
	ve slow --set stop.signal=SIGURG
	slow_stop 60
	fails 75 kill slow --lock-timeout 1
	says 'stop'
	says "$slow"
	fails 75 set slow cpu.weight=50 --lock-timeout 1
	kill -INT $slow
	wait $slow || true
	ok kill slow
}

@test "who waits long enough gets its turn" {
	ve slow --set stop.signal=SIGURG
	slow_stop 2
	ok start slow
	wait $slow
	in_state slow running
}

@test "looking takes no lock" {
	ve slow --set stop.signal=SIGURG
	slow_stop 60
	ok status slow --lock-timeout 0
	ok list
	ok show slow
	ok logs slow
	kill -INT $slow
	wait $slow || true
	ok kill slow
}

@test "a killed holder holds nothing" {
	ve slow --set stop.signal=SIGURG
	slow_stop 60
	kill -9 $slow
	wait $slow || true
	ok kill slow --lock-timeout 1
}

@test "verbs on different VEs do not wait for each other" {
	ve slow --set stop.signal=SIGURG
	slow_stop 60
	ok create other --image busybox --lock-timeout 1
	ok start other --lock-timeout 1
	ok stop other --lock-timeout 1
	kill -INT $slow
	wait $slow || true
	ok kill slow
}

@test "ten starts of one VE at once: all succeed, one init" {
	ok create web1 --image busybox
	local i pids=()
	for i in {1..10}; do
		become_v start web1 --json >"$BATS_TEST_TMPDIR/start$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	[ "$(cat "$BATS_TEST_TMPDIR"/start* | jq -s 'map(select(.changed)) | length')" -eq 1 ]
	[ "$(processes_of_store | grep -c vectl-monitor)" -eq 1 ]
}

@test "ten creates of one name at once: one succeeds, the others say 73" {
	local i pids=() made=0
	for i in {1..10}; do
		become_v create web1 --image busybox >/dev/null 2>&1 &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		status=0
		wait "$i" || status=$?
		[[ $status -eq 0 || $status -eq 73 ]]
		[ "$status" -ne 0 ] || made=$((made + 1))
	done
	[ "$made" -eq 1 ]
	ok list --names
	[ "$output" = web1 ]
}

@test "two VEs never get the same address or ids" {
	local i pids=()
	for i in {1..8}; do
		become_v create "v$i" --image busybox --ip 192.0.2.77 >/dev/null 2>&1 &
		pids+=($!)
	done
	local made=0
	for i in "${pids[@]}"; do if wait "$i"; then made=$((made + 1)); fi; done
	[ "$made" -eq 1 ]
	pids=()
	for i in {11..18}; do
		become_v create "v$i" --image busybox --start >/dev/null &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	[ "$(for i in {11..18}; do awk '{ print $2 }' "/proc/$(init_pid "v$i")/uid_map"; done | sort -u | wc -l)" -eq 8 ]
	[ "$(for i in {11..18}; do v status "v$i" --json | jq -r '.addresses[0]'; done | sort -u | wc -l)" -eq 8 ]
}
