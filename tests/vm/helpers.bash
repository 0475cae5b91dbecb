# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For tests that need the whole machine: systemd as pid 1, and nothing but cgroup2. They run in the guest only
# (guest-suite), against the vectl that is installed there, on the machine's own store and network. The words are those
# of the end-to-end tests: ok, json, wait_until, init_pid, ...

VECTL=/usr/local/bin/vectl
unset VECTL_ROOT
load ../e2e/helpers

v() { "$VECTL" "$@"; }

# Where VEs live.
# shellcheck disable=SC2034
GUESTS=/sys/fs/cgroup/system.slice/vectl-guests.service/vectl

# The VEs of a file outlive its tests: each test does something to the machine and looks whether they are still there.
setup_file() { :; }
teardown_file() { destroy_all; }
teardown() { :; }

# quiet_ve NAME [CREATE-OPTION]...: a running busybox VE without network.
quiet_ve() {
	local name=$1
	shift
	ok create "$name" --image busybox --set network.0.type=none --start "$@"
}

# Which init it is: its pid may come back, its pid with its start time cannot.
identity() {
	local pid
	pid=$(init_pid "$1")
	echo "$pid $(awk '{ print $22 }' "/proc/$pid/stat")"
}
