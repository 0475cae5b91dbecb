#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The back end btrfs: subvolumes and quota groups, on a file system made here.
load helpers
load disk

setup_file() {
	world_up_on_disk 700 "" mkfs.btrfs -q || return 1
	FSID=$(blkid -o value -s UUID "$HOLDER")
	export FSID
}

teardown_file() { world_down_from_disk; }

ON_BTRFS=(--set disk.backend=btrfs)
root_of() { echo "$VECTL_ROOT/var/lib/vectl/ve/$(uuid_of "$1")/rootfs"; }
used() { v status "$1" --json | jq '."disk.used"'; }
# Quota groups of VEs, and subvolumes.
groups_of_ves() { find "/sys/fs/btrfs/$FSID/qgroups" -maxdepth 1 -name '1_*' 2>/dev/null | wc -l; }
subvolumes() { btrfs subvolume list "$VECTL_ROOT/var" | wc -l; }
nothing_left() { [ "$(groups_of_ves)" = 0 ] && [ "$(subvolumes)" = 0 ]; }

@test "nothing is counted before the first size; then it holds, live" {
	ve b0 "${ON_BTRFS[@]}"
	ok status b0 --json
	json '."disk.used" == null and ."disk.size" == null'
	[ ! -e "/sys/fs/btrfs/$FSID/qgroups" ]
	ve b1 "${ON_BTRFS[@]}" --disk 48M
	ok status b1 --json
	json '."disk.size" == 50331648'
	not fill b1 /root/filler
	btrfs filesystem sync "$VECTL_ROOT/var"
	[ "$(used b1)" -le 50331648 ]
	[ "$(used b1)" -ge 41943040 ]
	# Half of it must be in use, or the smaller size would do.
	fails 74 set b1 disk.size=16M
	says 'in use'
	[ "$(v get b1 disk.size)" = 48M ]
	ok set b1 disk.size=80M
	v exec b1 -- dd if=/dev/zero of=/root/more bs=1M count=20 conv=fsync 2>/dev/null
	ok restart b1
	not fill b1 /root/filler2
	btrfs filesystem sync "$VECTL_ROOT/var"
	[ "$(used b1)" -le 83886080 ]
	v exec b1 -- rm /root/filler /root/filler2
	ok set b1 disk.size=unlimited
	v exec b1 -- dd if=/dev/zero of=/root/large bs=1M count=120 conv=fsync 2>/dev/null
	# The one from before the counting is refused a size.
	fails 69 set b0 disk.size=48M
	says 'before'
	fails 69 create b2 --image busybox "${ON_BTRFS[@]}" --set disk.inodes=100
	ok destroy b1 --force
	ok destroy b0 --force
	wait_until 10 nothing_left
}

@test "a full one is an event" {
	local monitor
	export VE_ACCOUNT_MS=50
	ve b1 "${ON_BTRFS[@]}" --disk 48M
	not fill b1 /root/filler
	# What is in use is known when it is on the disk, which may take the kernel half a minute.
	btrfs filesystem sync "$VECTL_ROOT/var"
	wait_until 20 told b1 'disk-full disk'
	ok events b1 --kind disk-full --json
	json '.limit == 50331648'
	ok set b1 disk.size=96M
	# The monitor that takes over knows what to look at.
	monitor=$(monitor_pid b1)
	kill -9 "$monitor"
	wait_until 20 gone "$monitor"
	ok recover
	not fill b1 /root/filler2
	btrfs filesystem sync "$VECTL_ROOT/var"
	wait_until 20 told b1 'disk-full disk disk-full disk'
	ok destroy b1 --force
	wait_until 10 nothing_left
}

@test "files are the image's until they change: what is shared is not counted" {
	ve b1 "${ON_BTRFS[@]}" --disk 48M
	btrfs filesystem sync "$VECTL_ROOT/var"
	[ "$(used b1)" -lt 1048576 ]
}

@test "a VE can make no subvolume, with or without a quota group's name" {
	local request
	ve b1 "${ON_BTRFS[@]}" --disk 48M
	ve b2 "${ON_BTRFS[@]}" --disk 48M --set security.seccomp=none
	calls_in() { v exec "$1" -- sh -c 'cat >/root/probe && chmod 755 /root/probe' <"$O/probe"; v exec "$1" -- sh -c '/root/probe </root' >"$BATS_TEST_TMPDIR/$1"; }
	calls_in b1
	calls_in b2
	for request in SNAP_CREATE SUBVOL_CREATE SNAP_CREATE_V2 SUBVOL_CREATE_V2; do
		[ "$(jq -r ".calls.ioctl_$request" "$BATS_TEST_TMPDIR/b1")" = ENOTTY ]
		# Without the policy the kernel would have looked at it.
		[ "$(jq -r ".calls.ioctl_$request" "$BATS_TEST_TMPDIR/b2")" = EFAULT ]
	done
}

# Simple quotas, of kernels from 6.7 on, hand the group down; in full ones it would be the maker's to say.
# bats test_tags=host-only
@test "subvolumes inside count for the VE, and go with it" {
	ve b1 "${ON_BTRFS[@]}" --disk 48M
	local root
	root=$(root_of b1)
	# As a VE with security.seccomp=none would.
	btrfs subvolume create "$root/one" >/dev/null
	btrfs subvolume create "$root/one/two" >/dev/null
	mkdir -p "$root/one/two/dir"
	btrfs subvolume create "$root/one/two/dir/three" >/dev/null
	btrfs subvolume snapshot "$root/one" "$root/four" >/dev/null
	not fill b1 /one/two/dir/three/filler
	btrfs filesystem sync "$VECTL_ROOT/var"
	[ "$(du -sb "$root/one" | cut -f1)" -le 50331648 ]
	[ "$(used b1)" -le 50331648 ]
	[ "$(used b1)" -ge 41943040 ]
	ok destroy b1 --force
	wait_until 10 nothing_left
}

@test "every stage that fails or is killed leaves no subvolume and no quota group" {
	v version --json | jq -e '.faults' >/dev/null || skip "this build has no fault switch (make D=1)"
	local stage
	for stage in storage disk access config layers commit; do
		try env VE_FAULT="$stage" nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" create f1 --image busybox "${ON_BTRFS[@]}" --disk 48M --start
		is 71
		wait_until 10 nothing_left
		same_as_before || { echo "... by VE_FAULT=$stage" >&2; return 1; }
		try env VE_FAULT="$stage:kill" nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" create f1 --image busybox "${ON_BTRFS[@]}" --disk 48M --start
		is 137
		ok recover
		destroy_all
		wait_until 10 nothing_left
		same_as_before || { echo "... by VE_FAULT=$stage:kill" >&2; return 1; }
	done
}

@test "full quotas that the host has switched on are used" {
	btrfs quota disable "$VECTL_ROOT/var"
	btrfs quota enable "$VECTL_ROOT/var"
	ve b1 "${ON_BTRFS[@]}" --disk 48M
	not fill b1 /root/filler
	btrfs filesystem sync "$VECTL_ROOT/var"
	[ "$(v exec b1 -- stat -c %s /root/filler)" -le 50331648 ]
	[ "$(used b1)" -ge 41943040 ]
	ok destroy b1 --force
	btrfs quota disable "$VECTL_ROOT/var"
}

@test "a clone is a snapshot: nothing is written, what the two write later is counted for each" {
	ve b1 "${ON_BTRFS[@]}" --disk 64M
	inside b1 dd if=/dev/urandom of=/data bs=1M count=24
	ok stop b1
	btrfs filesystem sync "$VECTL_ROOT/var"
	local before after
	before=$(btrfs filesystem usage -b "$VECTL_ROOT/var" | awk '/Used:/ { print $2; exit }')
	ok clone b1 b2
	btrfs filesystem sync "$VECTL_ROOT/var"
	after=$(btrfs filesystem usage -b "$VECTL_ROOT/var" | awk '/Used:/ { print $2; exit }')
	[ $((after - before)) -lt $((8 << 20)) ]
	cmp "$(root_of b1)/data" "$(root_of b2)/data"
	[ "$(groups_of_ves)" = 2 ]
	ok status b2 --json
	json '."disk.size" == 67108864'
	ok start b2
	not fill b2 /filler
	btrfs filesystem sync "$VECTL_ROOT/var"
	[ "$(used b2)" -le 67108864 ]
	ok start b1
	inside b1 sh -c 'rm /data; echo still writable >/file'
	inside b2 test -s /data
	ok destroy b1 --force
	inside b2 sh -c 'rm /filler && echo too >/file'
	ok destroy b2 --force
	wait_until 20 nothing_left
}

@test "register: files from elsewhere become a subvolume, a snapshot where they are one" {
	local dir
	ve b1 "${ON_BTRFS[@]}" --disk 48M
	inside b1 sh -c 'echo mine >/file; chown 1234 /file'
	ok stop b1
	dir=$VECTL_ROOT/var/lib/vectl/ve/$(uuid_of b1)
	cp -a "$dir" "$BATS_TEST_TMPDIR/copied"
	ok register "$BATS_TEST_TMPDIR/copied" --name b2 --new-uuid
	mkdir -m 0700 "$VECTL_ROOT/var/carried"
	cp -a "$dir/config.json" "$dir/state.json" "$VECTL_ROOT/var/carried"
	btrfs subvolume snapshot "$dir/rootfs" "$VECTL_ROOT/var/carried/rootfs"
	ok register "$VECTL_ROOT/var/carried" --name b3 --new-uuid
	for name in b2 b3; do
		[ "$(stat -c %i "$(root_of $name)")" = 256 ]
		ok start $name
		[ "$(v exec $name -- sh -c 'cat /file; stat -c %u /file')" = $'mine\n1234' ]
		not fill $name /root/filler
		ok status $name --json
		json '."disk.size" == 50331648'
	done
	btrfs subvolume delete "$VECTL_ROOT/var/carried/rootfs"
	rm -r "$VECTL_ROOT/var/carried"
	ok destroy b1
	ok destroy b2 --force
	ok destroy b3 --force
	wait_until 10 nothing_left
}
