#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The fault switch (make D=1): VE_FAULT=STAGE[:ERRNO] fails each stage of create, start and run in turn, VE_FAULT=STAGE:kill kills
# vectl there. The first must leave everything as it was; after the second, recover must.
load helpers

setup_file() {
	world_up
	faults_built || return 0
	# What exists before a start is made by none of the stages under test.
	v create base --image busybox >/dev/null
	inventory >"$BATS_FILE_TMPDIR/with-base"
	v destroy base >/dev/null
	ssh-keygen -q -t ed25519 -N '' -f "$BATS_FILE_TMPDIR/key"
}

faults_built() { v version --json | jq -e '.faults' >/dev/null; }
need_faults() { faults_built || skip "this build has no fault switch (make D=1)"; }

# A stage a line: libve's own, then the monitor's.
stages() { v version --json | jq -r '.faults | if type == "array" then .[] else empty end'; "${VECTL_LIBEXECDIR:-$O}/vectl-monitor" --stages; }
all_stages() { stages | awk '!seen[$0]++'; }

NO_VE() { v list --names | grep -q . && return 1; return 0; }

@test "the switch knows the stages of libve and of the monitor" {
	need_faults
	local n
	n=$(all_stages | wc -l)
	[ "$n" -ge 20 ]
	all_stages | grep -qx seccomp
	all_stages | grep -qx storage
}

@test "every stage of create --start fails: message, exit code, nothing left" {
	need_faults
	local stage hit=0
	for stage in $(all_stages); do
		try env VE_FAULT="$stage" nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" create f1 --image busybox \
			--ip 192.0.2.10 --ssh-key "$BATS_FILE_TMPDIR/key.pub" --start --json
		[ "$status" -eq 71 ] || { explain "VE_FAULT=$stage create --start: expected 71"; return 1; }
		jq -e '.error.category == "kernel" and .error.errno == 5 and (.error.stage | length > 0)' <<<"$stderr" >/dev/null ||
			{ explain "VE_FAULT=$stage: not the error document"; return 1; }
		[[ $stderr == *"$stage"* ]] || { explain "VE_FAULT=$stage: the stage is not named"; return 1; }
		NO_VE || { explain "VE_FAULT=$stage left the VE"; return 1; }
		same_as_before || { echo "... by VE_FAULT=$stage" >&2; return 1; }
		hit=$((hit + 1))
	done
	[ "$hit" -ge 20 ]
}

@test "other errnos are told in the kernel's words and by their category" {
	need_faults
	try env VE_FAULT=mounts:28 nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" create f1 --image busybox --start
	is 74
	says 'No space left'
}

@test "every stage of start fails: the VE stays stopped, and starts afterwards" {
	need_faults
	ve f1 --ip 192.0.2.10
	ok stop f1
	inventory >"$BATS_TEST_TMPDIR/before"
	local stage failed=0
	for stage in $(all_stages); do
		try env VE_FAULT="$stage" nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" start f1
		if [ "$status" -eq 0 ]; then
			# A stage of create's alone.
			ok stop f1
		else
			[ "$status" -eq 71 ] || { explain "VE_FAULT=$stage start"; return 1; }
			failed=$((failed + 1))
		fi
		in_state f1 stopped || { echo "VE_FAULT=$stage: not stopped" >&2; return 1; }
		same_as_before "$BATS_TEST_TMPDIR/before" || { echo "... by VE_FAULT=$stage" >&2; return 1; }
	done
	[ "$failed" -ge 18 ]
	ok start f1
}

@test "every stage of run fails: 125 or 126, nothing left" {
	need_faults
	local stage
	for stage in $(all_stages); do
		try env VE_FAULT="$stage" nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" run --image busybox -- true
		[[ $status -eq 0 || $status -eq 125 || $status -eq 126 ]] || { explain "VE_FAULT=$stage run"; return 1; }
		same_as_before || { echo "... by VE_FAULT=$stage" >&2; return 1; }
	done
}

@test "killed in every stage of start: recover, then start works, and nothing is left over" {
	need_faults
	ve f1 --ip 192.0.2.10
	ok stop f1
	inventory >"$BATS_TEST_TMPDIR/before"
	local stage killed=0
	for stage in $(all_stages); do
		try env VE_FAULT="$stage:kill" nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" start f1
		[ "$status" -ne 137 ] || killed=$((killed + 1))
		[[ $status -eq 137 || $status -eq 0 ]] || { explain "VE_FAULT=$stage:kill start"; return 1; }
		ok recover
		ok start f1
		in_state f1 running
		inside f1 true
		on_host ping -c1 -W5 192.0.2.10 >/dev/null
		ok stop f1
		same_as_before "$BATS_TEST_TMPDIR/before" || { echo "... by VE_FAULT=$stage:kill" >&2; return 1; }
	done
	[ "$killed" -ge 18 ]
}

@test "killed in every stage of create: recover, then create works, and nothing is left over" {
	need_faults
	local stage
	for stage in $(all_stages); do
		try env VE_FAULT="$stage:kill" nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" create f1 --image busybox \
			--ip 192.0.2.10 --ssh-key "$BATS_FILE_TMPDIR/key.pub"
		[[ $status -eq 137 || $status -eq 0 ]] || { explain "VE_FAULT=$stage:kill create"; return 1; }
		ok recover
		ok create f1 --image busybox --ip 192.0.2.10 --if-missing
		ok start f1
		ok destroy f1 --force
		same_as_before || { echo "... by VE_FAULT=$stage:kill" >&2; return 1; }
	done
}

@test "killed in every stage of run: recover leaves nothing" {
	need_faults
	local stage
	for stage in $(all_stages); do
		try env VE_FAULT="$stage:kill" nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" run --image busybox -- true
		[[ $status -eq 137 || $status -eq 0 ]] || { explain "VE_FAULT=$stage:kill run"; return 1; }
		ok recover
		NO_VE
		same_as_before || { echo "... by VE_FAULT=$stage:kill" >&2; return 1; }
	done
}

@test "SIGINT in the middle of start: undone or done, never half" {
	ve f1
	ok stop f1
	inventory >"$BATS_TEST_TMPDIR/before"
	local i verb
	for i in {1..15}; do
		become_v start f1 >"$BATS_TEST_TMPDIR/said" 2>&1 &
		verb=$!
		# Somewhere in its few milliseconds: later in each round.
		read -rt "0.00$i" <> <(:) || true
		kill -INT $verb 2>/dev/null || true
		status=0
		wait $verb || status=$?
		case $status in
		0) ok stop f1 ;;
		130) in_state f1 stopped ;;
		*) echo "start ended with $status: $(cat "$BATS_TEST_TMPDIR/said")" >&2; return 1 ;;
		esac
		same_as_before "$BATS_TEST_TMPDIR/before"
	done
}

@test "kill -9 in the middle of start: recover, then start works" {
	ve f1
	ok stop f1
	inventory >"$BATS_TEST_TMPDIR/before"
	local i verb
	for i in {1..15}; do
		become_v start f1 >/dev/null 2>&1 &
		verb=$!
		read -rt "0.00$i" <> <(:) || true
		kill -9 $verb 2>/dev/null || true
		wait $verb 2>/dev/null || true
		ok recover
		ok start f1
		ok stop f1
		same_as_before "$BATS_TEST_TMPDIR/before"
	done
}
