#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Containers inside: what features.nesting gives a VE for their file systems.
load helpers
load disk

setup_file() {
	world_up_on_disk 400 "" mke2fs -q -F -t ext4
}

teardown_file() { world_down_from_disk; }

# takes_upper NAME DIRECTORY: another overlay's upper layer can be there.
takes_upper() {
	v exec "$1" -- sh -c "mkdir -p '$2/u' '$2/w' /mnt/o && mount -t overlay overlay -o lowerdir=/bin,upperdir='$2/u',workdir='$2/w' /mnt/o &&
		touch /mnt/o/here && rm /mnt/o/sh && umount /mnt/o && test -e '$2/u/here'" 2>/dev/null
}

@test "an overlay's upper layer can be where containers are kept, and nowhere else" {
	ve web1 --set features.nesting=on
	local name
	for name in docker containers containerd; do
		inside web1 stat -c %u:%g "/var/lib/$name"
		[ "$output" = 0:0 ]
		takes_upper web1 /var/lib/$name
	done
	not takes_upper web1 /root
	# It stays, and is the VE's alone.
	ok restart web1
	v exec web1 -- test -e /var/lib/docker/u/here
	v exec web1 -- test -c /var/lib/docker/u/sh
	ve web2 --set features.nesting=on
	not v exec web2 -- test -e /var/lib/docker/u
	# Nothing of it without the feature, and all of it with it again.
	ok set web1 features.nesting=off --restart
	not v exec web1 -- test -e /var/lib/docker/u
	ok set web1 features.nesting=on --restart
	v exec web1 -- test -e /var/lib/docker/u/here
}

@test "it counts for the VE's disk.size" {
	ve web1 --set features.nesting=on --disk 48M
	takes_upper web1 /var/lib/docker
	not fill web1 /var/lib/docker/filler
	[ "$(v exec web1 -- stat -c %s /var/lib/docker/filler)" -le $((48 << 20)) ]
	[ "$(v exec web1 -- stat -c %s /var/lib/docker/filler)" -ge $((30 << 20)) ]
	not v exec web1 -- dd if=/dev/zero of=/root/more bs=1M count=8 conv=fsync
	ok status web1 --json
	json '."disk.used" > 31457280'
}

@test "a clone has it, too" {
	ve web1 --set features.nesting=on
	takes_upper web1 /var/lib/docker
	v exec web1 -- sh -c 'echo mine >/var/lib/docker/engine-id'
	ok stop web1
	ok clone web1 web2
	ok start web2
	not v exec web2 -- test -e /var/lib/docker/engine-id
	v exec web2 -- test -e /var/lib/docker/u/here
	inside web2 stat -c '%F' /var/lib/docker/u/sh
	[ "$output" = "character special file" ]
	ok start web1
	v exec web1 -- rm /var/lib/docker/u/here /var/lib/docker/engine-id
	v exec web2 -- test -e /var/lib/docker/u/here
}

@test "what the tenant makes of these places is its own affair" {
	local outside=$BATS_TEST_TMPDIR/outside
	mkdir "$outside"
	ve web1 --set features.nesting=on
	v exec web1 -- sh -c "umount /var/lib/docker /var/lib/containers; rmdir /var/lib/docker /var/lib/containers
		ln -s ../../../../..$outside /var/lib/docker; echo >/var/lib/containers"
	ok restart web1
	[ -z "$(ls "$outside")" ]
	takes_upper web1 /var/lib/containerd
	# A volume goes before.
	ok set web1 volumes=docker:16M:/var/lib/containerd --restart
	v exec web1 -- test -d /var/lib/containerd/lost+found
	takes_upper web1 /var/lib/containerd
}

@test "the other back ends are plain anyway" {
	local backend
	for backend in dir image; do
		ve web1 --set features.nesting=on --set disk.backend=$backend $([ $backend != image ] || echo --disk 48M)
		takes_upper web1 /var/lib/docker
		ok destroy web1 --force
	done
}
