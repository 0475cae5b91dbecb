#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Project quotas: disk.size and disk.inodes of the back ends overlay and dir, live, on ext4; and a file system of a VE's own
# that grows while the VE runs. In the guests, whose kernels have the quota format, on a file system made here.
load ../e2e/helpers
load ../e2e/disk

setup_file() {
	modprobe -q loop || true
	modprobe -q quota_v2 || true
	world_up_on_disk 600 ,prjquota mke2fs -q -F -t ext4 -O project,quota -E quotatype=prjquota
}

teardown_file() { world_down_from_disk; }

# holds NAME MIB: to the block: what it can write, with what it has, is the limit.
holds() {
	local used
	not fill "$1" /root/filler
	ok status "$1" --json
	used=$(field '."disk.used"')
	v exec "$1" -- rm /root/filler
	if [ "$used" -gt $(($2 << 20)) ] || [ "$used" -le $((($2 << 20) - 131072)) ]; then
		echo "$1 used $used bytes of $2 MiB" >&2
		return 1
	fi
}

@test "overlay and dir: the size holds to the block, live, and df shows it" {
	local backend name
	for backend in overlay dir; do
		name=q-$backend
		ve $name --set disk.backend=$backend --disk 32M
		[ "$(size_inside $name)" = $((32 << 20)) ]
		holds $name 32
		ok set $name disk.size=48M
		[ "$(size_inside $name)" = $((48 << 20)) ]
		holds $name 48
		v exec $name -- dd if=/dev/zero of=/root/some bs=1M count=20 conv=fsync 2>/dev/null
		fails 74 set $name disk.size=16M
		says 'in use'
		[ "$(size_inside $name)" = $((48 << 20)) ]
		ok set $name disk.size=24M
		ok restart $name
		[ "$(size_inside $name)" = $((24 << 20)) ]
		ok set $name disk.size=unlimited
		[ "$(size_inside $name)" -gt $((300 << 20)) ]
		# No file system of its own was made for it.
		not ls "$VECTL_ROOT"/var/lib/vectl/ve/*/*.img
	done
	ok destroy q-overlay --force
	ok destroy q-dir --force
}

@test "a clone has a project of its own, with the same size" {
	local backend
	for backend in overlay dir; do
		ve q1 --set disk.backend=$backend --disk 32M
		v exec q1 -- dd if=/dev/zero of=/root/some bs=1M count=8 conv=fsync 2>/dev/null
		ok stop q1
		ok clone q1 q2
		ok status q2 --json
		json '."disk.size" == 33554432 and ."disk.used" >= 8388608'
		ok start q2
		holds q2 32
		v exec q2 -- rm /root/some
		ok status q1 --json
		json '."disk.used" >= 8388608'
		# What does not fit is found out, and nothing is left of it.
		ok start q1
		v exec q1 -- dd if=/dev/zero of=/root/more bs=1M count=12 conv=fsync 2>/dev/null
		ok stop q1
		fails 74 clone q1 q3 --set disk.size=16M --set memory.limit=64M
		not v status q3
		ok destroy q1
		ok destroy q2 --force
	done
}

@test "a size alone limits the number of files, as a file system of its own would" {
	ve q1 --disk 16M
	ok status q1 --json
	json '."disk.inodes" == 4096'
	# shellcheck disable=SC2016
	not v exec q1 -- sh -c 'mkdir /root/m; cd /root/m; for d in $(seq 200); do mkdir $d && (cd $d && touch $(seq 100)) || exit 1; done'
	ok status q1 --json
	json '."disk.inodes_used" == 4096 and ."disk.used" < 16777216'
	ok restart q1
	ok set q1 disk.size=1G
	ok status q1 --json
	json '."disk.inodes" == 65536'
	ok set q1 disk.size=unlimited
	ok status q1 --json
	json '."disk.inodes" == null'
}

@test "the number of files holds, live" {
	ve q1 --set disk.inodes=200
	# shellcheck disable=SC2016
	not v exec q1 -- sh -c 'i=0; mkdir /root/m; cd /root/m; while [ $i -lt 300 ]; do touch $i 2>/dev/null || exit 1; i=$((i + 1)); done'
	ok status q1 --json
	json '."disk.inodes_used" == 200 and ."disk.inodes" == 200'
	fails 74 set q1 disk.inodes=100
	ok set q1 disk.inodes=1000
	# shellcheck disable=SC2016
	v exec q1 -- sh -c 'i=0; mkdir /root/n; cd /root/n; while [ $i -lt 300 ]; do touch $i || exit 1; i=$((i + 1)); done'
}

@test "a quota that is used up is an event of that VE's; a full file system is one of each" {
	export VE_ACCOUNT_MS=50
	local spare=$VECTL_ROOT/var/spare
	ve q1 --disk 32M --set disk.inodes=1000
	ve q2
	not fill q1 /root/filler
	wait_until 60 told q1 'disk-full disk'
	ok events q1 --kind disk-full --json
	json '.limit == 33554432 and .used > 33000000'
	v exec q1 -- sh -c 'rm /root/filler; i=0; while [ $i -lt 2000 ] && : >/root/$i; do i=$((i + 1)); done' 2>/dev/null || true
	wait_until 60 told q1 'disk-full disk disk-full inodes'
	# (What the host keeps for its root cannot be had by VEs; 2 MiB less than the others may have. What q1 has removed may come back
	# later, and is taken then.)
	: >"$spare"
	take_the_rest() {
		local left=$(($(stat -f -c '%a * %S' "$VECTL_ROOT/var") - 2097152))
		[ "$left" -le 0 ] || fallocate -l $(($(stat -c %s "$spare") + left)) "$spare"
	}
	host_is_told() { take_the_rest && told q1 'disk-full disk disk-full inodes host-disk-full disk'; }
	wait_until 60 host_is_told
	wait_until 60 told q2 'host-disk-full disk'
	rm "$spare"
	ok destroy q1 --force
	ok destroy q2 --force
}

@test "used up to the last block, or file, it starts again" {
	local backend
	for backend in overlay dir; do
		ve q1 --set disk.backend=$backend --disk 24M --set disk.inodes=1000
		not fill q1 /root/filler
		not v exec q1 -- mkdir /root/directory
		ok restart q1
		v exec q1 -- sh -c 'rm /root/filler; i=0; while : >/root/$i; do i=$((i + 1)); done' 2>/dev/null || true
		not v exec q1 -- touch /root/one-more
		ok restart q1
		not v exec q1 -- touch /root/one-more
		ok destroy q1 --force
	done
}

@test "one VE's files do not count for another, and a destroyed VE's number is free" {
	ve q1 --disk 24M
	ve q2 --disk 24M
	v exec q1 -- mkdir /root/d
	not fill q1 /root/filler
	holds q2 24
	# A VE without a size is counted, and can be given one.
	ve q3
	ok status q3 --json
	json '."disk.used" > 0 and ."disk.size" == null'
	ok set q3 disk.size=24M
	holds q3 24
	# What the VE's root asks of the kernel does not get it out of its project.
	inside q1 sh -c 'mv /root/filler /root/d/; cp /root/d/filler /root/e 2>/dev/null; ls /root/d/filler'
	ok status q1 --json
	json '."disk.used" <= 25165824'
	ok destroy q1 --force
	ok destroy q2 --force
	ok destroy q3 --force
	# Nothing is left set for any number: repquota would list it.
	[ "$(find "$VECTL_ROOT/var/lib/vectl/ve" -mindepth 1 | wc -l)" = 0 ]
}

@test "a file system of its own grows while the VE runs" {
	ve i1 --set disk.backend=image --disk 48M
	holds_about() { fill i1 /root/filler || true; local b; b=$(v exec i1 -- stat -c %s /root/filler); v exec i1 -- rm /root/filler; [ "$b" -gt "$1" ]; }
	v exec i1 -- sh -c 'echo kept >/root/kept'
	ok set i1 disk.size=96M
	[ "$(size_inside i1)" -gt $((72 << 20)) ]
	holds_about $((70 << 20))
	fails 79 set i1 disk.size=64M
	ok set i1 disk.size=300M
	[ "$(size_inside i1)" -gt $((250 << 20)) ]
	ok restart i1
	[ "$(size_inside i1)" -gt $((250 << 20)) ]
	inside i1 cat /root/kept
	[ "$output" = kept ]
	ok destroy i1 --force
}

@test "xfs: the same, on a store of its own" {
	local ext4_root=$VECTL_ROOT backend name
	modprobe xfs
	truncate -s 400M "$BATS_TEST_TMPDIR/xfs.img"
	mkfs.xfs -q "$BATS_TEST_TMPDIR/xfs.img"
	export VECTL_ROOT=/var/tmp/vectl-quota-xfs
	mkdir -p "$VECTL_ROOT/var"
	mount -o loop,prjquota "$BATS_TEST_TMPDIR/xfs.img" "$VECTL_ROOT/var"
	ok image build busybox
	export VE_ACCOUNT_MS=50
	for backend in overlay dir; do
		name=x-$backend
		ve $name --set network.0.type=none --set disk.backend=$backend --disk 32M --set disk.inodes=2000
		[ "$(size_inside $name)" = $((32 << 20)) ]
		not fill $name /root/filler
		wait_until 60 told $name 'disk-full disk'
		ok status $name --json
		json '."disk.used" <= 33554432 and ."disk.used" > 31457280 and ."disk.inodes" == 2000'
		v exec $name -- rm /root/filler
		ok set $name disk.size=48M
		[ "$(size_inside $name)" = $((48 << 20)) ]
		ok destroy $name --force
	done
	umount "$VECTL_ROOT/var/lib/vectl"
	wait_until 20 umount "$VECTL_ROOT/var"
	rm -rf --one-file-system "$VECTL_ROOT"
	VECTL_ROOT=$ext4_root
}
