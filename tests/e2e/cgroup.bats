#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The cgroups room alone: its program (cgroup_test.c) places, limits, freezes, kills and fences real processes.
# Needs root.

@test "groups, limits, freezer, kill, device filter, delegation, discovery" {
	cd "$BATS_TEST_DIRNAME/../.."
	program=$(realpath "${O:-build}/tests/e2e/cgroup_test")
	[ -x "$program" ] # built with the tests; its lack is a failure
	run "$program"
	echo "$output"
	[ "$status" -eq 0 ]
}
