#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Disks with a size: disk.size and disk.inodes, the back end image, and overlay with a file system of its own. The store is on an
# ext4 without project quotas, made here, so that the tests mean the same on every host.
load helpers
load disk

setup_file() {
	world_up_on_disk 600 "" mke2fs -q -F -t ext4
}

teardown_file() { world_down_from_disk; }

OWN_IMAGE=(--set disk.backend=image --disk 48M)
OWN_UPPER=(--disk 48M)

loops() { losetup --list --noheadings --output BACK-FILE | grep -F "$VECTL_ROOT/" | grep -cF "/$1" || true; }
is_free() { [ "$(loops "$1")" = 0 ]; }
image_file() { echo "$VECTL_ROOT"/var/lib/vectl/ve/*/"$1"; }

# holds NAME MIB: it cannot write more than so many, and not much less.
holds() {
	local bytes most=$(($2 * 1048576))
	! fill "$1" /root/filler || { echo "$1 was never full" >&2; return 1; }
	bytes=$(v exec "$1" -- stat -c %s /root/filler)
	v exec "$1" -- rm /root/filler
	if [ "$bytes" -gt "$most" ] || [ "$bytes" -lt $((most * 3 / 4)) ]; then
		echo "$1 took $bytes of $most bytes" >&2
		return 1
	fi
}

@test "the size holds, df shows it, and the host gets back what is deleted" {
	local name before
	ve i1 "${OWN_IMAGE[@]}"
	ve o1 "${OWN_UPPER[@]}"
	for name in i1 o1; do
		[ "$(size_inside $name)" -le $((48 << 20)) ]
		[ "$(size_inside $name)" -ge $((36 << 20)) ]
		holds $name 48
	done
	# The same after a restart, and nothing is lost.
	v exec o1 -- sh -c 'echo kept >/root/kept'
	ok restart o1
	inside o1 cat /root/kept
	[ "$output" = kept ]
	holds o1 48
	ok destroy o1 --force
	export VE_ACCOUNT_MS=50
	ve o1 "${OWN_UPPER[@]}"
	# In blocks of 512 bytes: 20 MiB come and go.
	before=$(stat -c %b "$(image_file overlay.img)")
	v exec o1 -- dd if=/dev/zero of=/root/some bs=1M count=20 conv=fsync 2>/dev/null
	[ "$(stat -c %b "$(image_file overlay.img)")" -ge $((before + 40000)) ]
	v exec o1 -- rm /root/some
	given_back() { v exec o1 -- sync; [ "$(stat -c %b "$(image_file overlay.img)")" -lt $((before + 10000)) ]; }
	wait_until 30 given_back
}

@test "what was freed at a VE's end is given back at its next start" {
	ve o1 --disk 160M
	local before
	before=$(stat -c %b "$(image_file overlay.img)")
	v exec o1 -- sh -c 'dd if=/dev/zero of=/root/some bs=1M count=100 conv=fsync && rm /root/some' 2>/dev/null
	ok restart o1
	[ "$(stat -c %b "$(image_file overlay.img)")" -lt $((before + 20000)) ]
}

@test "full to the last block, it starts again" {
	local figure
	ve o1 "${OWN_UPPER[@]}"
	# What a file has been promised is written into, here and there: to tell its parts apart takes of what ext4 keeps back.
	v exec o1 -- fallocate -l 32M /root/promised
	not fill o1 /root/filler
	perl -e 'open(F, "+<", shift) or die; for (0..4000) { sysseek(F, 8192 * $_, 0); syswrite(F, "x" x 4096) or last }' \
		"/proc/$(init_pid o1)/root/root/promised"
	v exec o1 -- sync
	figure=$(basename "$(losetup --list --noheadings --output NAME --associated "$(image_file overlay.img)")")
	figure=/sys/fs/ext4/${figure//[[:space:]]/}/reserved_clusters
	[ "$(stat -f -c %f "/proc/$(init_pid o1)/root")" -lt $(($(cat "$figure") - 1)) ]
	for _ in 1 2; do
		not v exec o1 -- mkdir /root/directory 2>/dev/null
		ok restart o1
		# What was lent is kept back again.
		[ "$(cat "$figure")" -gt 100 ]
	done
}

@test "files are counted too" {
	ve i1 "${OWN_IMAGE[@]}" --set disk.inodes=1024
	v exec i1 -- sh -c 'i=0; mkdir /root/many; cd /root/many; while [ $i -lt 1100 ]; do touch $i 2>/dev/null || exit 0; i=$((i + 1)); done; exit 1'
	ok status i1 --json
	json '."disk.inodes" >= 1024 and ."disk.inodes" <= 2048 and ."disk.inodes_used" >= 1000'
	# Their number is fixed with the making.
	fails 79 set i1 disk.inodes=4096
	says 'disk\.inodes'
}

@test "status and list say what is in use, running and stopped" {
	local running
	ve o1 "${OWN_UPPER[@]}"
	v exec o1 -- dd if=/dev/zero of=/root/ten bs=1M count=10 conv=fsync 2>/dev/null
	ok status o1 --json
	json '."disk.size" == 50331648 and ."disk.used" > 10485760 and ."disk.used" < 25165824'
	running=$(field '."disk.used"')
	ok limits o1 --json
	json "[.[] | select(.resource == \"disk\")] == [.[] | select(.limit == 50331648 and .used == $running)]"
	json '[.[] | select(.resource == "inodes" and .used > 0 and .limit > 1000)] | length == 1'
	ok stop o1
	ok status o1 --json
	json "(.\"disk.used\" - $running) < 1048576 and (.\"disk.used\" - $running) > -1048576"
	ok list --fields name,disk.used --json
	json '.[0]["disk.used"] > 10485760'
	ok create plain --image busybox
	ok status plain --json
	json '."disk.used" == null and ."disk.size" == null'
}

# syncs INIT_PID
syncs() { grep -q '^State:.D' "/proc/$(pgrep --ns "$1" --nslist pid -x sync)/status"; }
# ask_while_it_syncs INIT_PID
ask_while_it_syncs() {
	local question pid
	echo >"/proc/$1/root/dev/shm/go"
	wait_until 30 syncs "$1" || return 1
	for question in 'status o1' 'limits o1' 'list --fields name,disk.used' capacity; do
		# shellcheck disable=SC2086
		become_v $question --json >"$BATS_TEST_TMPDIR/answer" &
		pid=$!
		wait_until 30 gone "$pid" && wait "$pid" || return 1
	done
}

@test "a VE that is written back keeps nobody waiting who asks what it uses" {
	local init
	ve o1 "${OWN_UPPER[@]}" --set volumes=data:32M:/srv
	init=$(init_pid o1)
	v exec o1 -- sh -c 'mkfifo /dev/shm/go; { read x </dev/shm/go; exec sync; } </dev/null >/dev/null 2>&1 &'
	v exec o1 -- sh -c 'for i in /root /srv; do dd if=/dev/zero of=$i/ten bs=1M count=10; done' 2>/dev/null
	# The host's disk, to which it is written back, takes nothing for now.
	fsfreeze -f "$VECTL_ROOT/var"
	ask_while_it_syncs "$init" || { fsfreeze -u "$VECTL_ROOT/var"; false; }
	fsfreeze -u "$VECTL_ROOT/var"
	ok limits o1 --json
	json '[.[] | select(.resource == "disk" or .resource == "volume.data") | .used > 10485760] == [true, true]'
}

@test "what cannot be enforced is refused, with the back end that can, and nothing is left" {
	fails 69 create d1 --image busybox --set disk.backend=dir --disk 48M
	says 'project quotas'
	says 'disk.backend=image'
	fails 69 create d1 --image busybox --set disk.inodes=1000
	fails 69 create d1 --image busybox --set disk.backend=btrfs --disk 48M
	says 'needs a store on btrfs; this is ext4'
	fails 78 create d1 --image busybox --set disk.backend=image
	says 'disk\.size'
	fails 78 create d1 --image busybox --disk 15M
	fails 78 create d1 --image busybox --disk=-1
	fails 78 create d1 --image busybox --disk 10GB
	fails 78 create d1 --image busybox --disk 99999999999G
	ok create plain --image busybox
	fails 69 set plain disk.size=48M
	says 'overlay'
	ok get plain disk.size
	[ "$output" = unlimited ]
	try v run --image busybox --set disk.size=48M -- true
	is 125
	says 'in memory'
}

@test "an image that is too large for the disk leaves nothing" {
	# busybox is small: it is made larger.
	local tree
	tree=$VECTL_ROOT/var/lib/vectl/images/busybox/current/rootfs
	head -c 40M /dev/zero | tr '\0' x >"$tree/ballast"
	try v create i1 --image busybox --set disk.backend=image --disk 24M
	rm "$tree/ballast"
	is 74
	says 'room'
	same_as_before
}

@test "sizes change: grown and shrunk while stopped, kept by the configuration" {
	ve i1 "${OWN_IMAGE[@]}"
	v exec i1 -- sh -c 'echo kept >/root/kept'
	# Smaller only while it is stopped.
	try v set i1 disk.size=32M
	is 79
	says 'stopped'
	ok get i1 disk.size
	[ "$output" = 48M ]
	ok stop i1
	ok set i1 disk.size=96M
	ok start i1
	[ "$(size_inside i1)" -gt $((72 << 20)) ]
	holds i1 96
	ok stop i1
	ok set i1 disk.size=32M
	[ "$(stat -c %s "$(image_file disk.img)")" = $((32 << 20)) ]
	ok start i1
	[ "$(size_inside i1)" -le $((32 << 20)) ]
	inside i1 cat /root/kept
	[ "$output" = kept ]
	fails 78 set i1 disk.size=default
	# Below what is in use.
	v exec i1 -- dd if=/dev/zero of=/root/some bs=1M count=16 conv=fsync 2>/dev/null
	ok stop i1
	fails 74 set i1 disk.size=17M
	says 'in use'
	ok get i1 disk.size
	[ "$output" = 32M ]
	# Written for the next start, and taken by it.
	ok start i1
	v exec i1 -- rm /root/some
	ok set i1 disk.size=24M --pending
	[ "$(size_inside i1)" -gt $((24 << 20)) ]
	ok restart i1
	[ "$(size_inside i1)" -le $((24 << 20)) ]
}

@test "it grows while the VE runs" {
	ve i1 "${OWN_IMAGE[@]}"
	ve o1 "${OWN_UPPER[@]}"
	local name
	for name in i1 o1; do
		# Somebody who may not ask the kernel for it is told so, and nothing has changed.
		try setpriv --bounding-set -sys_resource --inh-caps -sys_resource nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" set $name disk.size=96M
		is 69
		says 'CAP_SYS_RESOURCE'
		[ "$(size_inside $name)" -le $((48 << 20)) ]
		[ "$(v get $name disk.size)" = 48M ]
	done
	# The rest wants the capability, which whoever runs these tests in a container may lack.
	(($(awk '/^CapEff/ { print "0x" $2 }' /proc/self/status) & 1 << 24)) || return 0
	for name in i1 o1; do
		ok set $name disk.size=96M
		[ "$(size_inside $name)" -gt $((72 << 20)) ]
		holds $name 96
		ok restart $name
		holds $name 96
	done
}

@test "not left in order: mended at the start; damaged: not started, and said" {
	ve i1 "${OWN_IMAGE[@]}"
	v exec i1 -- sh -c 'echo kept >/root/kept; sync'
	# What a crash leaves: the file as it is while it is mounted.
	cp --sparse=always "$(image_file disk.img)" "$BATS_TEST_TMPDIR/crashed"
	ok stop i1
	wait_until 10 is_free disk.img
	cp --sparse=always "$BATS_TEST_TMPDIR/crashed" "$(image_file disk.img)"
	# Not before the host has room for what the journal holds.
	local spare=$VECTL_ROOT/var/spare before
	before=$(sha256sum <"$(image_file disk.img)")
	not dd if=/dev/zero of="$spare" bs=1M status=none
	fails 74 start i1
	says "too full to mend it"
	says "make 5 MiB of room"
	in_state i1 stopped
	[ "$(sha256sum <"$(image_file disk.img)")" = "$before" ]
	rm "$spare"
	ok start i1
	inside i1 cat /root/kept
	[ "$output" = kept ]
	ok stop i1
	e2fsck -fn "$(image_file disk.img)"
	# The superblock is gone.
	dd if=/dev/zero of="$(image_file disk.img)" bs=4096 count=1 conv=notrunc 2>/dev/null
	fails 65 start i1
	says 'damaged'
	in_state i1 stopped
	truncate -s 1M "$(image_file disk.img)"
	fails 65 start i1
	rm "$(image_file disk.img)"
	fails 65 start i1
}

@test "no loop device is free: said, and nothing is left" {
	try unshare -m sh -c 'mkdir -p "$1" && mount -t tmpfs none "$1" && cp -a /dev/null /dev/zero /dev/urandom /dev/loop-control "$1" &&
		mount --move "$1" /dev && shift && exec "$@"' sh "$BATS_TEST_TMPDIR/dev" nsenter --net="/run/netns/$HOST_NS" -- \
		"$VECTL" create i1 --image busybox "${OWN_IMAGE[@]}"
	is 74
	says 'loop device'
	says 'losetup'
	same_as_before
}

# row NAME RESOURCE FIELD
row() { v limits "$1" --json | jq --arg resource "$2" ".[] | select(.resource == \$resource).$3"; }
# times NAME RESOURCE: how often it was told.
times() { v events "$1" --kind disk-full --json | jq -s --arg resource "$2" 'map(select(.resource == $resource)) | length'; }
# again NAME: full once more, with room in between for as long as it takes to be seen.
again() { v exec "$1" -- rm /root/filler && v exec "$1" -- sync && ! fill "$1" /root/filler && [ "$(times "$1" disk)" -ge 2 ]; }

@test "a full disk is an event: whose and which, once until there is room again" {
	local monitor
	export VE_ACCOUNT_MS=50
	ve i1 "${OWN_IMAGE[@]}" --set disk.inodes=1024
	ve o1 "${OWN_UPPER[@]}" --set volumes=data:32M:/srv
	v exec i1 -- sh -c ': >/root/filler; mkdir /root/d; i=0; while [ $i -lt 2000 ] && : >/root/d/$i; do i=$((i + 1)); done' 2>/dev/null || true
	wait_until 60 told i1 'disk-full inodes'
	ok events i1 --kind disk-full --json
	"$BATS_TEST_DIRNAME/../check-json" event <<<"$output"
	json '.used == .limit and .limit >= 1024'
	# Another of the same VE's; the first is not told again.
	not fill i1 /root/filler
	wait_until 60 told i1 'disk-full inodes disk-full disk'
	ok events i1 --kind disk-full --json
	jq -es '.[1] | .limit == 50331648 and .used > 45000000 and (.detail | test("^disk: [0-9]+ of 48 MiB"))' <<<"$output"
	wait_until 60 again i1
	counted() { [ "$(row i1 disk refused) $(row i1 inodes refused)" = "$(times i1 disk) 1" ]; }
	wait_until 60 counted
	ok limits --refused --json
	json 'map("\(.name) \(.resource)") | contains(["i1 disk", "i1 inodes"])'
	json 'all(.[]; .name != "o1" or (.resource | test("disk|inodes|volume") | not))'
	# Each of its volumes; and where the monitor is another one, too.
	told o1 ''
	monitor=$(monitor_pid o1)
	kill -9 "$monitor"
	wait_until 60 gone "$monitor"
	# Nobody can tell for now; the tenant is not asked.
	ok status o1 --json
	json '."disk.used" == null and ."disk.size" == 50331648'
	ok recover
	ok status o1 --json
	json '."disk.used" > 1048576'
	not fill o1 /srv/filler
	wait_until 60 told o1 'disk-full volume.data'
	ok events o1 --kind disk-full --json
	"$BATS_TEST_DIRNAME/../check-json" event <<<"$output"
	json '.limit == 33554432'
	not fill o1 /root/filler
	wait_until 60 told o1 'disk-full volume.data disk-full disk'
	counted() { [ "$(row o1 volume.data refused) $(row o1 disk refused) $(row o1 inodes refused)" = '1 1 0' ]; }
	wait_until 60 counted
	# Who is looked at goes all the same when the VE does.
	ok stop o1
	wait_until 60 is_free overlay.img
	ok start o1
	both_again() { [ "$(times o1 disk) $(times o1 volume.data)" = '2 2' ]; }
	wait_until 60 both_again
}

@test "the host's disk is full: the VE is told, and nothing is damaged" {
	local spare=$VECTL_ROOT/var/spare
	export VE_ACCOUNT_MS=50
	fallocate -l 120M "$spare"
	ve o1 --disk 2G
	v exec o1 -- sh -c 'echo kept >/root/kept; sync'
	# More than the host has: it comes to an end, whichever way it is told.
	not v exec o1 -- dd if=/dev/zero of=/root/filler bs=1M conv=fsync
	# (And the VE's own, where its file system has given the blocks away that the host does not have.)
	told_of_host() { [[ $(full o1) == *'host-disk-full disk'* ]]; }
	wait_until 180 told_of_host
	ok events o1 --kind host-disk-full --json
	"$BATS_TEST_DIRNAME/../check-json" event <<<"$output"
	json ".path == \"$VECTL_ROOT/var/lib/vectl/ve/$(uuid_of o1)\" and .limit > 400000000 and .limit < 629145600 and .used > 0.9 * .limit"
	v kill o1
	wait_until 60 is_free overlay.img
	# Whether it could be left in order depends on where the host's last block went. If not, nobody tries to mend it
	# without room.
	try v start o1
	if [ "$status" -ne 0 ]; then
		is 74
		says 'too full to mend it'
		in_state o1 stopped
	fi
	rm "$spare"
	ok start o1
	inside o1 cat /root/kept
	[ "$output" = kept ]
	v exec o1 -- rm -f /root/filler
	# What had been written, but was never a file's, has gone back to the host.
	host_has_again() { [ "$(df --output=avail -BM "$VECTL_ROOT/var" | tr -dc 0-9)" -gt 400 ]; }
	wait_until 60 host_has_again
	ok stop o1
	wait_until 60 is_free overlay.img
	e2fsck -fn "$(image_file overlay.img)"
}

@test "the host's disk is full: events are told all the same" {
	local spare=$VECTL_ROOT/var/spare log=$VECTL_ROOT/var/log/vectl/events.jsonl i
	ve o1
	not dd if=/dev/zero of="$spare" bs=4k status=none
	not dd if=/dev/zero of="$spare.more" bs=512 status=none
	# More of them than fit into a block.
	for i in {1..30}; do
		ok freeze o1
		ok thaw o1
	done
	ok events o1 --json
	[ "$(wc -l <<<"$output")" = 62 ]
	# Where there is no room for them either, the line that does not fit is not there at all: the next one is whole.
	truncate -s "$(stat -c %s "$log")" "$log"
	not dd if=/dev/zero of="$spare.more" bs=512 oflag=append conv=notrunc status=none
	for i in {1..30}; do
		ok freeze o1
		ok thaw o1
	done
	ok events o1 --json
	[ "$(wc -l <<<"$output")" -lt 122 ]
	jq -c . "$log" >"$BATS_TEST_TMPDIR/lines"
	rm "$spare" "$spare.more"
	ok stop o1
	[ "$(v events o1 --json | tail -1 | jq -r .event)" = stopped ]
}

@test "quick restarts: one file system, one device" {
	ve i1 "${OWN_IMAGE[@]}"
	local i
	for i in 1 2 3; do
		v exec i1 -- sh -c "echo $i >>/root/log"
		ok kill i1
		ok start i1
		[ "$(loops disk.img)" = 1 ]
	done
	inside i1 cat /root/log
	[ "$output" = $'1\n2\n3' ]
	ok destroy i1 --force
	wait_until 10 is_free disk.img
}

@test "setuid, devices and ids inside are as on every root" {
	ve i1 "${OWN_IMAGE[@]}"
	inside i1 stat -c '%u:%g' /root
	[ "$output" = 0:0 ]
	v exec i1 -- sh -c 'cp /bin/busybox /root/su && chmod 4755 /root/su && chown 1000:1000 /root'
	inside i1 stat -c '%u %a' /root/su
	[ "$output" = "0 4755" ]
	# Nothing of it is mounted where the host could come across it.
	not grep -q disk.img /proc/self/mounts
	not grep -qE "^/dev/loop[0-9]+ $VECTL_ROOT/var/lib/vectl/ve" /proc/self/mounts
}

@test "quotas inside: a create is refused where check says that the kernel keeps none" {
	local image=("${OWN_IMAGE[@]}" --set disk.user_quota=on)
	ok check --json
	if grep -q true <<<"$(field '.. | objects | select(.feature? == "user-quotas") | .present')"; then
		ok create web1 --image busybox "${image[@]}"
	else
		json '.. | objects | select(.feature? == "user-quotas") | .hint | contains("quota_v2")'
		fails 69 create web1 --image busybox "${image[@]}"
		says 'CONFIG_QFMT_V2'
		ok create web1 --image busybox "${OWN_IMAGE[@]}"
		fails 69 set web1 disk.user_quota=on
		# One who has it on, from elsewhere, is not called damaged.
		jq '.disk.user_quota = true' "$(image_file config.json)" >"$BATS_TEST_TMPDIR/config" && cat "$BATS_TEST_TMPDIR/config" >"$(image_file config.json)"
		fails 69 start web1
		says 'CONFIG_QFMT_V2'
		jq '.disk.user_quota = false' "$(image_file config.json)" >"$BATS_TEST_TMPDIR/config" && cat "$BATS_TEST_TMPDIR/config" >"$(image_file config.json)"
	fi
	ok start web1
	inside web1 true
}

@test "every stage that fails or is killed leaves no device, mount or file" {
	v version --json | jq -e '.faults' >/dev/null || skip "this build has no fault switch (make D=1)"
	local stage way=("${OWN_IMAGE[@]}")
	for stage in storage disk access config plan layers maps mounts init commit record; do
		try env VE_FAULT="$stage" nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" create f1 --image busybox "${way[@]}" --start
		is 71
		same_as_before || { echo "... by VE_FAULT=$stage" >&2; return 1; }
		try env VE_FAULT="$stage:kill" nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" create f1 --image busybox "${way[@]}" --start
		is 137
		ok recover
		destroy_all
		same_as_before || { echo "... by VE_FAULT=$stage:kill" >&2; return 1; }
		if [ "${way[*]}" = "${OWN_IMAGE[*]}" ]; then way=("${OWN_UPPER[@]}"); else way=("${OWN_IMAGE[@]}"); fi
	done
	# A change whose writing down fails is taken back.
	ok create f1 --image busybox "${OWN_IMAGE[@]}"
	try env VE_FAULT=config nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" set f1 disk.size=96M
	is 71
	[ "$(v get f1 disk.size)" = 48M ]
	ok status f1 --json
	json '."disk.size" == 50331648'
	try env VE_FAULT=config:kill nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" set f1 disk.size=96M
	is 137
	ok start f1
	[ "$(size_inside f1)" -le $((48 << 20)) ]
}
