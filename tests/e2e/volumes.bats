#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The key volumes: further disks of a VE, each a file system of its own with a size that holds. On a file system made here, so that the
# tests mean the same on every host.
load helpers
load disk

setup_file() {
	world_up_on_disk 600 "" mke2fs -q -F -t ext4
}

teardown_file() { world_down_from_disk; }

teardown() {
	destroy_all
	# shellcheck disable=SC2119
	same_as_before
}

# The file of volume NAME of the one VE that there is.
file_of() { echo "$VECTL_ROOT"/var/lib/vectl/ve/*/volumes/"$1".img; }
loops() { losetup --list --noheadings --output BACK-FILE | grep -cF "/volumes/$1.img" || true; }
is_released() { [ "$(loops "$1")" = 0 ]; }
released() { wait_until 10 is_released "$1"; }
# Bytes that df shows of the place PATH in NAME.
size_at() { v exec "$1" -- df -k "$2" | awk 'END { print $(NF - 4) * 1024 }'; }
faults_built() { v version --json | jq -e '.faults' >/dev/null; }

@test "a disk of its own: as large as was said, root's, and kept over restarts" {
	ve web1 --set volumes=data:48M:/srv/data/deep
	inside web1 stat -c '%u:%g %a' /srv/data/deep
	[ "$output" = "0:0 755" ]
	inside web1 grep ' /srv/data/deep ' /proc/self/mountinfo
	[[ $output == *nodev* && $output != *nosuid* && $output == *ext4* ]]
	[ "$(size_at web1 /srv/data/deep)" -le $((48 << 20)) ]
	[ "$(size_at web1 /srv/data/deep)" -ge $((36 << 20)) ]
	# The limit is hard, and does not count for the root's.
	not fill web1 /srv/data/deep/filler
	[ "$(v exec web1 -- stat -c %s /srv/data/deep/filler)" -ge $((36 << 20)) ]
	[ "$(v exec web1 -- stat -c %s /srv/data/deep/filler)" -le $((48 << 20)) ]
	v exec web1 -- dd if=/dev/zero of=/root/some bs=1M count=1 2>/dev/null
	v exec web1 -- rm /srv/data/deep/filler
	v exec web1 -- sh -c 'cp /bin/busybox /srv/data/deep/su && chown 33:33 /srv/data/deep/su && chmod 4755 /srv/data/deep/su'
	ok restart web1
	inside web1 stat -c '%u:%g %a' /srv/data/deep/su
	[ "$output" = "33:33 4755" ]
	# Whose it is on the host nobody there can use: it is mounted nowhere.
	not grep -q /srv/data/deep /proc/self/mountinfo
	ok stop web1
	ok rename web1 web2
	ok start web2
	v exec web2 -- test -e /srv/data/deep/su
	ok destroy web2 --force
	released data
}

@test "a second one below the first, and one in the place of what the image has" {
	ve web1 --set volumes=inner:16M:/srv/a/b,home:16M:/root,outer:32M:/srv/a
	ok get web1 volumes
	[ "$output" = inner:16M:/srv/a/b,home:16M:/root,outer:32M:/srv/a ]
	inside web1 grep -c ' /srv/a\| /srv/a/b\| /root ' /proc/self/mountinfo
	[ "$output" = 3 ]
	[ "$(size_at web1 /srv/a)" -gt "$(size_at web1 /srv/a/b)" ]
	# The VE's root may do without one, until the next start.
	v exec web1 -- umount /srv/a/b
	ok restart web1
	[ "$(size_at web1 /srv/a)" -gt "$(size_at web1 /srv/a/b)" ]
}

@test "what works on a stopped VE's files finds them on their disks" {
	ssh-keygen -q -t ed25519 -N '' -f "$BATS_TEST_TMPDIR/key"
	ok create web1 --image busybox --set volumes=home:16M:/root,srv:16M:/srv --ssh-key "$BATS_TEST_TMPDIR/key.pub"
	echo text >"$BATS_TEST_TMPDIR/text"
	ok push web1 "$BATS_TEST_TMPDIR/text" /srv/text
	ok start web1
	inside web1 cat /root/.ssh/authorized_keys
	[ "$output" = "$(cat "$BATS_TEST_TMPDIR/key.pub")" ]
	inside web1 cat /srv/text
	[ "$output" = text ]
	ok stop web1
	ok pull web1 /srv/text "$BATS_TEST_TMPDIR/back"
	cmp "$BATS_TEST_TMPDIR/text" "$BATS_TEST_TMPDIR/back"
}

@test "one more, another size, another place" {
	ve web1 --set volumes=data:32M:/data
	v exec web1 -- sh -c 'echo kept >/data/kept'
	# What is new, and what moves, wants a restart; nothing has changed before.
	fails 79 set web1 volumes+=more:16M:/more
	says 'volumes'
	fails 79 set web1 volumes+=data:32M:/elsewhere
	fails 79 set web1 volumes+=data:16M:/data
	[ ! -e "$(file_of more)" ]
	ok set web1 volumes+=more:16M:/more --pending
	[ -e "$(file_of more)" ]
	ok status web1 --json
	json '.pending == ["volumes"]'
	ok set web1 volumes+=data:48M:/elsewhere --restart
	inside web1 cat /elsewhere/kept
	[ "$output" = kept ]
	[ "$(size_at web1 /elsewhere)" -gt $((32 << 20)) ]
	[ "$(size_at web1 /more)" -le $((16 << 20)) ]
	# Of the place it had the VE keeps the directory.
	v exec web1 -- rmdir /data
	ok stop web1
	# Smaller, down to what is in use.
	ok set web1 volumes+=data:24M:/elsewhere
	ok start web1
	inside web1 cat /elsewhere/kept
	[ "$output" = kept ]
	[ "$(size_at web1 /elsewhere)" -le $((24 << 20)) ]
	v exec web1 -- dd if=/dev/zero of=/elsewhere/much bs=1M count=14 conv=fsync 2>/dev/null
	ok stop web1
	fails 74 set web1 volumes+=data:16M:/elsewhere
	says 'in use'
	ok get web1 volumes
	[ "$output" = data:24M:/elsewhere,more:16M:/more ]
	# All of it or nothing: the second cannot, so the first is not made.
	fails 74 set web1 volumes+=third:16M:/third volumes+=data:16M:/elsewhere
	[ ! -e "$(file_of third)" ]
	fails 69 set web1 volumes+=data:48M:/elsewhere disk.size=48M
	[ "$(stat -c %s "$(file_of data)")" = $((24 << 20)) ]
}

@test "it grows while the VE runs" {
	ve web1 --set volumes=data:32M:/data
	v exec web1 -- sh -c 'echo kept >/data/kept'
	try setpriv --bounding-set -sys_resource --inh-caps -sys_resource nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" set web1 \
		volumes+=data:64M:/data
	is 69
	says 'CAP_SYS_RESOURCE'
	[ "$(v get web1 volumes)" = data:32M:/data ]
	# The rest wants the capability, which whoever runs these tests in a container may lack.
	(($(awk '/^CapEff/ { print "0x" $2 }' /proc/self/status) & 1 << 24)) || return 0
	ok set web1 volumes+=data:64M:/data
	[ "$(size_at web1 /data)" -gt $((44 << 20)) ]
	ok status web1 --json
	json '.pending == []'
	inside web1 cat /data/kept
	[ "$output" = kept ]
	ok restart web1
	[ "$(size_at web1 /data)" -gt $((44 << 20)) ]
}

@test "one goes when that is said, and then with all that is in it" {
	ve web1 --set volumes=data:16M:/data,more:16M:/more
	v exec web1 -- sh -c 'echo kept >/data/kept'
	# Not by another list, nor by the lack of one.
	for change in volumes=more:16M:/more volumes=default volumes=new:16M:/data; do
		fails 79 set web1 "$change" --pending
		says "'(data|more)' would go"
		says 'volumes-='
	done
	ok set web1 volumes-=data --dry-run
	says "'data' of 'web1' goes"
	# Written for the next start it stays until then, and so does what is in it where it is taken back.
	ok set web1 volumes-=data --pending
	says "'data' of 'web1' goes"
	inside web1 cat /data/kept
	[ "$output" = kept ]
	ok set web1 volumes+=data:16M:/data --pending
	ok restart web1
	inside web1 cat /data/kept
	[ "$output" = kept ]
	ok set web1 volumes-=data --pending
	[ -e "$(file_of data)" ]
	ok restart web1
	[ ! -e "$(file_of data)" ]
	[ -e "$(file_of more)" ]
	v exec web1 -- rmdir /data
	changed false set web1 volumes-=data
	ok stop web1
	ok set web1 volumes-=more:16M:/more
	[ ! -e "$(file_of more)" ]
	ok get web1 volumes
	[ -z "$output" ]
	# The same name is another disk then.
	ok set web1 volumes+=data:16M:/data
	ok start web1
	not v exec web1 -- test -e /data/kept
}

@test "a configuration of before is put back: a disk that it does not have is nobody's to remove" {
	ok create web1 --image busybox
	local config
	config=$VECTL_ROOT/var/lib/vectl/ve/$(uuid_of web1)/config.json
	cp "$config" "$BATS_TEST_TMPDIR/config.json"
	ok set web1 volumes+=data:16M:/data
	ok start web1
	v exec web1 -- sh -c 'echo kept >/data/kept'
	ok stop web1
	cp "$BATS_TEST_TMPDIR/config.json" "$config"
	ok start web1
	ok recover
	[ -e "$(file_of data)" ]
	ok stop web1
	ok set web1 volumes+=data:16M:/data
	ok start web1
	inside web1 cat /data/kept
	[ "$output" = kept ]
}

@test "a clone has copies; a template and a document have the list" {
	ok create web1 --image busybox --set volumes=data:32M:/data,tmp:16M:/scratch
	ok start web1
	v exec web1 -- sh -c 'echo one >/data/who; dd if=/dev/zero of=/data/much bs=1M count=18 2>/dev/null'
	ok stop web1
	ok clone web1 web2
	ok start web2
	inside web2 cat /data/who
	[ "$output" = one ]
	v exec web2 -- sh -c 'echo two >/data/who'
	ok start web1
	inside web1 cat /data/who
	[ "$output" = one ]
	ok destroy web2 --force
	ok stop web1
	fails 74 clone web1 web2 --set volumes=data:16M:/data
	says 'in use'
	not v status web2
	ok clone web1 web2 --set volumes=data:48M:/elsewhere,new:16M:/new
	ok start web2
	inside web2 cat /elsewhere/who
	[ "$output" = one ]
	v exec web2 -- test -d /new/lost+found
	ok show web1 --json
	echo "$output" >"$BATS_TEST_TMPDIR/web3.json"
	ok create web3 --config "$BATS_TEST_TMPDIR/web3.json" --start
	v exec web3 -- test -d /scratch/lost+found
	not v exec web3 -- test -e /data/who
	mkdir -p "$VECTL_ROOT/etc/vectl/templates"
	echo '{"schema": 1, "description": "x", "keys": {"volumes": ["t:16M:/t"]}}' >"$VECTL_ROOT/etc/vectl/templates/disks.json"
	ok create web4 --image busybox --template disks --start
	v exec web4 -- test -d /t/lost+found
	# What it would take away it does not.
	fails 79 apply web1 disks
	says "would go"
	rm -r "$VECTL_ROOT/etc/vectl/templates"
}

@test "what was sold, and what is used of it" {
	ve web1 --set volumes=data:32M:/data
	v exec web1 -- dd if=/dev/zero of=/data/some bs=1M count=12 conv=fsync 2>/dev/null
	ok limits web1 --json
	"$BATS_TEST_DIRNAME/../check-json" limits <<<"$output"
	json '[.[] | select(.resource == "volume.data")][0] | .limit == 33554432 and .used > 12582912 and .used < 25165824 and .unit == "bytes"'
	ok capacity --json
	json '.total.disk.sold == 33554432 and .total.disk.used > 12582912'
	ok stop web1
	ok limits web1 --json
	json '[.[] | select(.resource == "volume.data" and .limit == 33554432 and .used > 12582912)] | length == 1'
}

@test "the tenant's links lead a volume no further than its own tree" {
	local outside=$BATS_TEST_TMPDIR/outside
	mkdir "$outside"
	ve web1 --set volumes=data:16M:/srv/data
	v exec web1 -- umount /srv/data
	v exec web1 -- sh -c "mkdir -p '$outside'; rm -r /srv; ln -s ../../../../../..$outside /srv"
	ok restart web1
	v exec web1 -- test -d "$outside/data/lost+found"
	[ -z "$(ls "$outside")" ]
	v exec web1 -- sh -c 'rm /srv; echo >/srv'
	fails 71 restart web1
	in_state web1 stopped
	released data
}

@test "not left in order: mended at the start; damaged: not started, and said" {
	ve web1 --set volumes=data:16M:/data
	v exec web1 -- sh -c 'echo kept >/data/kept; sync'
	cp --sparse=always "$(file_of data)" "$BATS_TEST_TMPDIR/crashed"
	ok stop web1
	released data
	cp --sparse=always "$BATS_TEST_TMPDIR/crashed" "$(file_of data)"
	ok start web1
	inside web1 cat /data/kept
	[ "$output" = kept ]
	ok stop web1
	released data
	dd if=/dev/zero of="$(file_of data)" bs=4096 count=1 conv=notrunc 2>/dev/null
	fails 65 start web1
	says "'data.img' is damaged"
	in_state web1 stopped
	# One that is lost is not made anew in silence, by a change of something else neither.
	rm "$(file_of data)"
	ok set web1 memory.limit=64M
	fails 65 start web1
	says "data.img"
}

@test "no loop device is free: said, and nothing is left" {
	try unshare -m sh -c 'mkdir -p "$1" && mount -t tmpfs none "$1" && cp -a /dev/null /dev/zero /dev/urandom /dev/loop-control "$1" &&
		mount --move "$1" /dev && shift && exec "$@"' sh "$BATS_TEST_TMPDIR/dev" nsenter --net="/run/netns/$HOST_NS" -- \
		"$VECTL" create web1 --image busybox --set volumes=data:16M:/data
	is 74
	says 'loop device'
}

@test "what is no volume" {
	local bad
	for bad in data data:16M 16M:/data data:16M:data data::/data :16M:/data data:16M: data:16M:/ data:16M:/a/../b data:16M:/a//b data:16M:/a/ \
		data:16M:/proc data:16M:/proc/x data:16M:/dev/shm data:16M:/sys data:16M:/run data:16M:/run/host/x data:16M:/a:ro \
		data:15M:/data data:16MB:/data data:-1:/data data:unlimited:/data Data:16M:/data ../x:16M:/data a/b:16M:/data -a:16M:/data; do
		fails 78 create web1 --image busybox --set "volumes=$bad"
		says 'volumes'
	done
	fails 78 create web1 --image busybox --set volumes=a:16M:/data,b:16M:/data
	says 'twice'
	install -d -m 0700 "$BATS_TEST_TMPDIR/private" && mkdir "$BATS_TEST_TMPDIR/private/x"
	for bad in /data /data/below; do
		fails 78 create web1 --image busybox --set "volumes=a:16M:$bad" --set "mounts=$BATS_TEST_TMPDIR/private/x:/data"
		says 'hidden'
	done
	fails 78 create web1 --image busybox --set "volumes=$(printf 'v%d:16M:/v%d,' {1..9}{,} | tr -s ,)"
	fails 125 run --image busybox --set volumes=data:16M:/data -- true
	says 'volumes is not for run'
	not v status web1
	ok create web1 --image busybox
	fails 78 set web1 'volumes-=a/b'
	# The other way round is no trouble: a mount of the host's on a volume.
	ok set web1 volumes=a:16M:/data "mounts=$BATS_TEST_TMPDIR/private/x:/data/x"
	ok start web1
	v exec web1 -- touch /data/x/here
	[ -e "$BATS_TEST_TMPDIR/private/x/here" ]
}

@test "every back end has them" {
	local backend
	for backend in overlay dir image; do
		ve web1 --set disk.backend=$backend --set volumes=data:16M:/data $([ $backend != image ] || echo --disk 48M)
		v exec web1 -- touch /data/here
		ok restart web1
		v exec web1 -- test -e /data/here
		ok destroy web1 --force
	done
}

@test "a verb that fails or is killed leaves no device, mount or file" {
	faults_built || skip "this build has no fault switch (make D=1)"
	local stage way fault
	for stage in storage volumes access config plan layers mounts init record; do
		for way in "" :kill; do
			try env VE_FAULT="$stage$way" nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" create f1 --image busybox \
				--set volumes=data:16M:/data --start
			is "$([ -n "$way" ] && echo 137 || echo 71)"
			[ -z "$way" ] || { ok recover; destroy_all; }
			same_as_before || { echo "... by VE_FAULT=$stage$way" >&2; return 1; }
		done
	done
	ok create f1 --image busybox --set volumes=data:16M:/data
	local before=$BATS_TEST_TMPDIR/before
	inventory >"$before"
	for fault in volumes config volumes:kill config:kill; do
		try env VE_FAULT=$fault nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" set f1 volumes+=more:16M:/more volumes+=data:32M:/data
		[[ $status = 71 || $status = 137 ]]
		[ "$(v get f1 volumes)" = data:16M:/data ]
		ok recover
		same_as_before "$before" || { echo "... by VE_FAULT=$fault" >&2; return 1; }
		try env VE_FAULT=$fault nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" set f1 volumes-=data
		[ -e "$(file_of data)" ]
	done
	ok start f1
	[ "$(size_at f1 /data)" -le $((16 << 20)) ]
}
