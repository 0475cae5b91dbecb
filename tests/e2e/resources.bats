#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The table of resources: each key reaches its controller file and the VE, live, all of a command or nothing; what this
# host cannot hold is refused or said. (What a tenant does about limits: limits.bats.)
load helpers

# Whether memory's controller is on cgroup v2 here; hybrid hosts have theirs on v1.
on_v2() { grep -qw memory /sys/fs/cgroup/cgroup.controllers 2>/dev/null; }

# The whole disk below the store, MAJ:MIN.
disk() {
	local device
	device=$(findmnt -no SOURCE -T "$VECTL_ROOT")
	device=$(lsblk -ndo PKNAME,KNAME "$device" | awk '{ print $1 }')
	cat "/sys/class/block/$device/dev"
}

# io_line NAME v1-FILE v2-WORD: the limit of the disk as the kernel has it, or nothing.
io_line() {
	if on_v2; then
		group_file "$1" io.max | awk -v disk="$(disk)" -v word="$3" '$1 == disk { for (i = 2; i <= NF; i++) if (split($i, p, "=") && p[1] == word && p[2] != "max") print p[2] }'
	else
		group_file "$1" "blkio.throttle.$2" | awk -v disk="$(disk)" '$1 == disk { print $2 }'
	fi
}

# nproc is what the suite itself may use, which may be less.
host_cpus() { grep -c ^processor /proc/cpuinfo; }

@test "cpu.set: pinned, with cpu.cores of them, live, and back" {
	[ "$(host_cpus)" -ge 2 ] || skip "the host has one CPU"
	ve web1 --set cpu.cores=unlimited --set cpu.set=1
	inside web1 sh -c 'nproc; grep Cpus_allowed_list /proc/self/status'
	[ "$output" = $'1\nCpus_allowed_list:\t1' ]
	ok set web1 cpu.set=0-1
	inside web1 nproc
	[ "$output" = 2 ]
	ok set web1 cpu.cores=1
	inside web1 nproc
	[ "$output" = 1 ]
	ok set web1 cpu.set=0
	inside web1 grep Cpus_allowed_list /proc/self/status
	[ "$output" = $'Cpus_allowed_list:\t0' ]
	fails 78 set web1 pids.limit=99 cpu.set=8000
	says "the host's CPUs are 0"
	[ "$(group_file web1 pids.max)" != 99 ]
	ok set web1 cpu.set=default cpu.cores=default
	inside web1 nproc
	[ "$output" = "$(host_cpus)" ]
	local bad
	for bad in '' a 1- 3-1 0,,1 9999 0-8192 -1 '1 2'; do fails 78 set web1 "cpu.set=$bad"; done
}

@test "cpu.burst goes with cpu.limit, whichever way both move" {
	burst() { group_file web1 cpu.max.burst cpu.cfs_burst_us; }
	ve web1 --set cpu.limit=0.5 --set cpu.burst=0.2
	[ "$(burst)" = 20000 ]
	ok set web1 cpu.limit=0.1 cpu.burst=0.1
	[ "$(burst)" = 10000 ]
	ok set web1 cpu.limit=2 cpu.burst=1.5
	[ "$(burst)" = 150000 ]
	ok set web1 cpu.burst=default
	[ "$(burst)" = 0 ]
	fails 78 set web1 cpu.burst=3
	says 'above cpu.limit'
	ok set web1 cpu.burst=0.5
	fails 78 set web1 cpu.limit=unlimited
	says 'cpu.burst needs'
	ok set web1 cpu.limit=default cpu.burst=default
	[ "$(burst)" = 0 ]
}

@test "memory.high and memory.guarantee: held on v2, refused on v1 whether the VE runs or not" {
	local key
	ve web1 --set memory.limit=200M
	if on_v2; then
		ok set web1 memory.high=100M memory.guarantee=50M
		[ "$(group_file web1 memory.high)" = $((100 << 20)) ]
		[ "$(group_file web1 memory.low)" = $((50 << 20)) ]
		fails 78 set web1 memory.guarantee=300M
		ok set web1 memory.high=default memory.guarantee=default
		[ "$(group_file web1 memory.high) $(group_file web1 memory.low)" = 'max 0' ]
		return
	fi
	for key in memory.high memory.guarantee; do
		fails 69 set web1 pids.limit=99 "$key=100M"
		says "$key.*v1"
		[ "$(group_file web1 pids.max)" != 99 ]
		fails 69 create web2 --image busybox --set "$key=100M"
	done
	ok stop web1
	fails 69 set web1 memory.high=100M
	ok get web1 memory.high
	[ "$output" = unlimited ]
}

@test "limits above the host's are taken, and said" {
	ve web1
	ok set web1 memory.limit=512T --json
	json '.warnings[0] | test("memory.limit.*the host has")'
	ok set web1 cpu.limit=5000 --json
	json '.warnings[0] | test("cpu.limit.*CPUs")'
	ok set web1 cpu.weight=200 --json
	json '.warnings == []'
}

@test "io limits: a line of the disk's, live, one taken away leaves the others" {
	ve web1 --set io.write_bps=2M
	[ "$(io_line web1 write_bps_device wbps)" = $((2 << 20)) ]
	ok set web1 io.read_bps=30M io.read_iops=100 io.write_iops=50
	[ "$(io_line web1 read_bps_device rbps)" = $((30 << 20)) ]
	[ "$(io_line web1 read_iops_device riops) $(io_line web1 write_iops_device wiops)" = '100 50' ]
	[ "$(io_line web1 write_bps_device wbps)" = $((2 << 20)) ]
	ok set web1 io.read_bps=unlimited io.read_iops=default
	[ -z "$(io_line web1 read_bps_device rbps)$(io_line web1 read_iops_device riops)" ]
	[ "$(io_line web1 write_iops_device wiops)" = 50 ]
	local bad
	for bad in 0 -1 1X 99999999999999999999 1MB; do fails 78 set web1 "io.write_bps=$bad"; done
	ok restart web1
	[ "$(io_line web1 write_bps_device wbps)" = $((2 << 20)) ]
}

@test "io.write_bps holds what is written through to the disk" {
	ve web1 --set io.write_bps=1M
	local begun=$EPOCHREALTIME
	inside web1 dd if=/dev/zero of=/file bs=65536 count=48 conv=fsync
	# Three times what a second may have; a slower machine takes longer.
	[ $((${EPOCHREALTIME/./} - ${begun/./})) -ge 2000000 ]
}

@test "io.write_bps: what v1 cannot hold is said" {
	ve web1
	ok set web1 io.write_bps=5M --json
	if on_v2; then
		json '.warnings == []'
	else
		json '.warnings | length == 1 and (.[0] | test("direct and synchronous writing only"))'
	fi
	ok set web1 io.read_bps=5M --json
	json '.warnings == []'
}

@test "io.weight: written where the kernel has it, and said where no disk heeds it" {
	ve web1
	try v set web1 io.weight=300 --json
	if [ "$status" = 69 ]; then
		says 'io.weight.*neither BFQ nor io.cost'
		return
	fi
	is 0
	[[ $(group_file web1 io.weight blkio.bfq.weight io.bfq.weight) == *300 ]]
	[[ $(<"/sys/dev/block/$(disk)/queue/scheduler") == *'[bfq]'* ]] || json '.warnings[0] | test("no effect")'
	ok set web1 io.weight=default
	[[ $(group_file web1 io.weight blkio.bfq.weight io.bfq.weight) == *100 ]]
}

@test "io limits of a VE whose files are on no disk: refused" {
	local root
	root=$(mktemp -d /var/tmp/vectl-e2e-tmpfs.XXXXXX)
	mount -t tmpfs -o mode=755 tmpfs "$root"
	mkdir -p "$root/var/lib/vectl"
	cp -a "$VECTL_ROOT/var/lib/vectl/images" "$root/var/lib/vectl/"
	try v --root "$root" create web1 --image busybox --set io.read_bps=1M
	local code=$status said=$stderr
	umount -R "$root/var/lib/vectl" 2>/dev/null || true
	umount -R "$root"
	rmdir "$root"
	[ "$code" = 69 ] || { echo "$code $said"; return 1; }
	grep -q 'on no disk' <<<"$said"
}

# bats test_tags=host-only
@test "all or nothing: what was written before a refused value is taken back" {
	local quota
	# On v1 a group may not have more CPU time than the group above it: the last write is refused by the kernel itself.
	ve web1 --set memory.limit=100M --set memory.swap=10M --set pids.limit=50 --set cpu.set=0-1 --set cpu.limit=0.4 \
		--set cpu.burst=0.1 --set io.write_bps=7M
	quota=$(find /sys/fs/cgroup -path "*/$BASE/cpu.cfs_quota_us")
	files() {
		group_file web1 memory.limit_in_bytes && group_file web1 memory.memsw.limit_in_bytes && group_file web1 pids.max &&
			group_file web1 cpuset.cpus && group_file web1 cpu.cfs_quota_us && group_file web1 cpu.cfs_burst_us &&
			io_line web1 write_bps_device
	}
	local before config=("$VECTL_ROOT"/var/lib/vectl/ve/*/config.json) sum
	before=$(files) sum=$(md5sum "${config[@]}")
	echo 50000 >"$quota"
	try v set web1 memory.limit=60M memory.swap=5M pids.limit=60 cpu.set=0 io.write_bps=9M cpu.limit=2
	local code=$status
	echo -1 >"$quota"
	[ "$code" = 71 ] || { explain "expected 71"; return 1; }
	says 'cpu.limit.*refused'
	[ "$(files)" = "$before" ] || { files; return 1; }
	[ "$(md5sum "${config[@]}")" = "$sum" ]
}

# bats test_tags=host-only
@test "a controller that is not there: refused, and nothing else is done" {
	ve web1
	local hidden key
	for hidden in blkio:io.weight=200 blkio:io.read_bps=1M pids:pids.limit=50 cpu:cpu.limit=1 cpuset:cpu.set=0 memory:memory.limit=50M; do
		key=${hidden#*:}
		try unshare -m sh -c 'umount /sys/fs/cgroup/"$1"; shift; exec nsenter --net="$@"' sh "${hidden%%:*}" "/run/netns/$HOST_NS" \
			"$VECTL" set web1 cpu.weight=300 "$key"
		is 69
		says "no cgroup controller"
		[[ $hidden == cpu:* ]] || [ "$(group_file web1 cpu.shares)" = 1024 ]
	done
	ok get web1 cpu.weight
	[ "$output" = 100 ]
}

@test "rlimits, live: init and what comes after it, not what runs" {
	ve web1
	inside web1 sh -c 'setsid sleep 1000 >/dev/null 2>&1 & echo'
	old() { pgrep -P "$(init_pid web1)" sleep; }
	wait_until 5 old
	local init before
	init=$(init_pid web1)
	before=$(grep 'open files' "/proc/$(old)/limits")
	if ! (((0x$(awk '/^CapEff/ { print $2 }' /proc/self/status) >> 24) & 1)); then # a host's root that may not: a container's, say
		fails 77 set web1 pids.limit=99 rlimits.nofile=2048:4096
		says 'SYS_RESOURCE'
		[ "$(group_file web1 pids.max)" != 99 ]
		grep -qF "$before" "/proc/$init/limits"
		return
	fi
	changed true set web1 rlimits.nofile=2048:4096 rlimits.stack=1048576
	json '.pending == [] and (.warnings[0] | test("keeps its own"))'
	[ "$(init_pid web1)" = "$init" ]
	grep -qE 'open files +2048 +4096' "/proc/$init/limits"
	grep -qE 'stack size +1048576 +1048576' "/proc/$init/limits"
	[ "$(grep 'open files' "/proc/$(old)/limits")" = "$before" ]
	inside web1 sh -c 'ulimit -n; ulimit -Hn'
	[ "$output" = $'2048\n4096' ]
	# With one that is counted for the whole VE it needs a restart, all of it.
	fails 79 set web1 rlimits.nofile=100 rlimits.memlock=65536
	says 'rlimits.memlock'
	grep -qE 'open files +2048 +4096' "/proc/$init/limits"
	ok set web1 rlimits.nofile=default rlimits.stack=default
	grep -qF "$before" "/proc/$init/limits"
}
