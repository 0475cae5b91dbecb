#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The key mounts: directories and files of the host's in a VE, with its ids, and flags that its root cannot change.
load helpers

# OPEN is where everybody on the host gets, on a file system without nosuid; PRIVATE is not.
setup() {
	PRIVATE=$BATS_TEST_TMPDIR/private OPEN=$(mktemp -d /var/tmp/vectl-mounts.XXXXXX)
	install -d -m 0700 "$PRIVATE"
	install -d -m 0755 "$PRIVATE/data" "$PRIVATE/data/inner" "$OPEN/data"
	chmod 0755 "$OPEN"
	echo one >"$PRIVATE/data/one"
	echo two >"$OPEN/data/two"
}
teardown() {
	destroy_all
	rm -rf "$OPEN"
	# shellcheck disable=SC2119
	same_as_before
}

@test "a directory to write in: root inside is root there, and what it makes stays" {
	ve web1 --set "mounts=$PRIVATE/data:/srv/www/data"
	inside web1 cat /srv/www/data/one
	[ "$output" = one ]
	inside web1 stat -c '%u:%g' /srv/www/data/one
	[ "$output" = 0:0 ]
	v exec web1 -- sh -c 'echo mine >/srv/www/data/mine; chown 33:33 /srv/www/data/mine'
	[ "$(stat -c '%u:%g' "$PRIVATE/data/mine")" = 33:33 ]
	ok restart web1
	inside web1 cat /srv/www/data/mine
	[ "$output" = mine ]
	# Of the VE's own disk there is the place, and nothing that was mounted.
	ok set web1 mounts=default --restart
	inside web1 ls -A /srv/www/data
	[ -z "$output" ]
	[ "$(cat "$PRIVATE/data/mine")" = mine ]
}

@test "read-only, nosuid and nodev hold against the VE's root" {
	ve web1 --set "mounts=$OPEN/data:/data:ro,$PRIVATE/data:/work"
	inside web1 cat /data/two
	[ "$output" = two ]
	not v exec web1 -- touch /data/three
	not v exec web1 -- mount -o remount,bind,rw /data
	not v exec web1 -- mount -o remount,rw /data
	# A bind mount of it is no way round, in a new namespace neither.
	not v exec web1 -- unshare -m sh -c 'mount --bind /data /mnt && mount -o remount,bind,rw /mnt && touch /mnt/three'
	not v exec web1 -- mount -o remount,bind,suid,dev /work
	inside web1 grep ' /work ' /proc/self/mountinfo
	[[ "$output" == *nosuid*nodev* || "$output" == *nodev*nosuid* ]]
	[ ! -e "$OPEN/data/three" ]
	# It may do without it.
	v exec web1 -- umount /data
	not v exec web1 -- cat /data/two
}

@test "a file; a mount inside another; 16 of them and no more" {
	ve web1 --set "mounts=$OPEN/data/two:/etc/two:ro,$PRIVATE/data:/a,$PRIVATE/data/inner:/a/b/c"
	inside web1 cat /etc/two
	[ "$output" = two ]
	v exec web1 -- touch /a/b/c/here
	[ -e "$PRIVATE/data/inner/here" ]
	local all=() i
	for i in {1..17}; do all+=("$PRIVATE/data:/m$i"); done
	fails 78 set web1 "mounts=$(IFS=,; echo "${all[*]}")" --restart
	ok set web1 "mounts=$(IFS=,; echo "${all[*]:1}")" --restart
	inside web1 cat /m17/one
	[ "$output" = one ]
}

@test "a file system that takes no id map" {
	fails 69 create web1 --image busybox --set "mounts=/proc/sys:/data:ro" --start
	says "'/proc/sys'.*id map"
	not v status web1
}

@test "a jail has them too, for as long as it lives" {
	try v run --image busybox --no-network --set "mounts=$OPEN/data:/data:ro" -- cat /data/two
	is 0
	[ "$output" = two ]
	try v run --image busybox --no-network --set "mounts=$PRIVATE/data:/data" -- sh -c 'echo three >/data/three'
	is 0
	[ "$(cat "$PRIVATE/data/three")" = three ]
}

@test "where others reach it, it is given to write in only if the host mounts it nosuid" {
	fails 78 create web1 --image busybox --set "mounts=$OPEN/data:/data"
	says 'setuid'
	says 'nosuid'
	mount --bind "$OPEN/data" "$OPEN/data"
	mount -o remount,bind,nosuid "$OPEN/data"
	try v create web1 --image busybox --set "mounts=$OPEN/data:/data" --start
	umount "$OPEN/data"
	is 0
	v exec web1 -- touch /data/three
	[ -e "$OPEN/data/three" ]
}

@test "what cannot be given: links, devices, what is not there, the store and what is above it" {
	ln -s "$PRIVATE/data" "$OPEN/link"
	ln -s "$PRIVATE" "$OPEN/way"
	mkfifo "$OPEN/pipe"
	for source in "$OPEN/link" "$OPEN/way/data"; do
		fails 78 create web1 --image busybox --set "mounts=$source:/data:ro"
		says 'symbolic link'
	done
	fails 78 create web1 --image busybox --set "mounts=$OPEN/pipe:/data:ro"
	says 'neither a directory nor a file'
	fails 66 create web1 --image busybox --set "mounts=$OPEN/none:/data:ro"
	says "'none'"
	for source in "$VECTL_ROOT/var/lib/vectl/ve" "$VECTL_ROOT/var/lib/vectl" "$VECTL_ROOT/run/vectl" "$VECTL_ROOT/var" "$VECTL_ROOT" /; do
		fails 78 create web1 --image busybox --set "mounts=$source:/data:ro"
		says "vectl's own directories"
	done
	for bad in /srv srv:/srv /srv:srv /srv: :/srv /srv:/ "/srv:/srv:rw" "/srv/../etc:/srv" "/srv:/a/./b" "/srv//a:/b" "/srv/:/b" "/srv:/proc/x" \
		"/srv:/dev" "/srv:/run/host/x"; do
		fails 78 create web1 --image busybox --set "mounts=$bad"
	done
	fails 78 create web1 --image busybox --set "mounts=$PRIVATE/data:/a,$OPEN/data:/a:ro"
	says 'twice'
	not v status web1
	# It goes away while the VE is stopped: the start is refused, the VE is whole.
	ok create web1 --image busybox --set "mounts=$PRIVATE/data:/data"
	mv "$PRIVATE/data" "$PRIVATE/moved"
	fails 66 start web1
	says "$PRIVATE/data"
	# What has nothing to do with it goes on.
	ok set web1 memory.limit=64M
	echo secret >"$BATS_TEST_TMPDIR/in"
	try_stdin=$BATS_TEST_TMPDIR/in ok passwd web1
	fails 66 set web1 "mounts+=$PRIVATE/data/inner:/inner"
	mv "$PRIVATE/moved" "$PRIVATE/data"
	ok start web1
}

@test "the tenant's links lead a mount no further than its own tree" {
	ve web1 --set "mounts=$PRIVATE/data:/srv/data"
	v exec web1 -- umount /srv/data
	v exec web1 -- sh -c "mkdir -p '$OPEN'; rm -r /srv; ln -s ../../../../../..$OPEN /srv"
	ok restart web1
	inside web1 cat "$OPEN/data/one"
	[ "$output" = one ]
	[ "$(ls "$OPEN/data")" = two ]
	v exec web1 -- sh -c 'rm /srv; echo >/srv'
	fails 71 restart web1
	json_state() { ok status web1 --json && jq -r .state <<<"$output"; }
	[ "$(json_state)" = stopped ]
}

@test "given to a running VE and taken back: at once, with the same flags, and written down" {
	ve web1
	local init
	init=$(init_pid web1)
	changed true set web1 "mounts+=$PRIVATE/data:/srv/data" "mounts+=$OPEN/data:/ro:ro"
	inside web1 cat /srv/data/one /ro/two
	[ "$output" = $'one\ntwo' ]
	v exec web1 -- sh -c 'echo mine >/srv/data/mine; chown 33:33 /srv/data/mine'
	[ "$(stat -c '%u:%g' "$PRIVATE/data/mine")" = 33:33 ]
	# What holds for those of a start holds for them.
	not v exec web1 -- touch /ro/three
	not v exec web1 -- mount -o remount,bind,rw /ro
	not v exec web1 -- mount -o remount,rw /ro
	not v exec web1 -- sh -c 'mount --bind /ro /mnt && mount -o remount,bind,rw /mnt && touch /mnt/three'
	not v exec web1 -- unshare -m sh -c 'mount -o remount,bind,rw /ro && touch /ro/three'
	not v exec web1 -- mount -o remount,bind,suid,dev /srv/data
	[ ! -e "$OPEN/data/three" ]
	v exec web1 -- sh -c 'umount /mnt || :'
	changed false set web1 "mounts+=$OPEN/data:/ro:ro"
	changed true set web1 "mounts-=$OPEN/data:/ro:ro"
	inside web1 ls -A /ro
	[ -z "$output" ]
	not v exec web1 -- grep ' /ro ' /proc/self/mountinfo
	inside web1 cat /srv/data/one
	# Another source at the same place.
	ok set web1 "mounts=$PRIVATE/data/inner:/srv/data"
	not v exec web1 -- test -e /srv/data/one
	v exec web1 -- touch /srv/data/here
	[ -e "$PRIVATE/data/inner/here" ]
	[ "$(init_pid web1)" = "$init" ]
	ok restart web1
	inside web1 ls /srv/data
	[ "$output" = here ]
	# One of its start, and a file.
	ok set web1 "mounts=$OPEN/data/two:/etc/two:ro"
	inside web1 cat /etc/two
	[ "$output" = two ]
	[ "$(v exec web1 -- grep -c "$PRIVATE" /proc/self/mountinfo)" = 0 ]
	ok set web1 mounts=default
	inside web1 stat -c %s /etc/two
	[ "$output" = 0 ]
}

@test "all or none of it, and none where the file cannot be written" {
	ve web1 --set "mounts=$PRIVATE/data:/a"
	fails 66 set web1 "mounts+=$PRIVATE/data:/b" "mounts+=$OPEN/none:/c:ro"
	not v exec web1 -- test -e /b
	# The second one has no place: the first, and what went, are as they were.
	v exec web1 -- touch /plain
	fails 71 set web1 "mounts=$PRIVATE/data/inner:/b,$OPEN/data:/plain:ro"
	[ "$(v exec web1 -- grep -c -e ' /b ' -e ' /plain ' /proc/self/mountinfo)" = 0 ]
	inside web1 cat /a/one
	ok get web1 mounts
	[ "$output" = "$PRIVATE/data:/a" ]
	VE_FAULT=config fails 71 set web1 "mounts+=$PRIVATE/data:/b" "mounts-=$PRIVATE/data:/a"
	not v exec web1 -- grep ' /b ' /proc/self/mountinfo
	inside web1 cat /a/one
	VE_FAULT=mounts fails 71 set web1 "mounts+=$PRIVATE/data:/b"
	not v exec web1 -- grep ' /b ' /proc/self/mountinfo
	# Killed when it was made, and not yet written down: the next one that makes it, and takes it away, leaves none.
	VE_FAULT=config:kill try v set web1 "mounts+=$PRIVATE/data:/b"
	is 137
	ok get web1 mounts
	[ "$output" = "$PRIVATE/data:/a" ]
	ok set web1 "mounts+=$PRIVATE/data:/b"
	ok set web1 "mounts-=$PRIVATE/data:/b"
	not v exec web1 -- grep ' /b ' /proc/self/mountinfo
	ok freeze web1
	fails 79 set web1 mounts=default
	says frozen
	ok thaw web1
}

@test "what the VE does with one that is to go: in use, unmounted, covered, renamed" {
	ve web1 --set "mounts=$PRIVATE/data:/srv/data"
	v exec web1 -- sh -c 'cd /srv/data; sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >/root/pid'
	fails 75 set web1 mounts=default
	says "'/srv/data' in the VE: it is in use"
	inside web1 cat /srv/data/one
	inside web1 sh -c 'kill -9 $(cat /root/pid)'
	wait_until 5 v set web1 mounts=default
	ok set web1 "mounts=$PRIVATE/data:/srv/data"
	v exec web1 -- umount /srv/data
	ok set web1 mounts=default
	ok set web1 "mounts=$PRIVATE/data:/srv/data"
	v exec web1 -- mount -t tmpfs none /srv/data
	fails 75 set web1 mounts=default
	says 'something else is mounted'
	v exec web1 -- grep -q ' /srv/data .* tmpfs ' /proc/self/mountinfo
	v exec web1 -- umount /srv/data
	mv "$PRIVATE/data" "$PRIVATE/moved"
	fails 79 set web1 mounts=default
	says "which mount"
	ok set web1 mounts=default --pending
	ok restart web1
	not v exec web1 -- grep ' /srv/data ' /proc/self/mountinfo
}

@test "where mounts propagate, as systemd has it: to the services and away from them" {
	ve web1
	v exec web1 -- mount --make-rshared /
	v exec web1 -- sh -c 'unshare -m --propagation slave sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >/root/pid'
	wait_until 5 v exec web1 -- sh -c '[ "$(readlink /proc/$(cat /root/pid)/ns/mnt)" != "$(readlink /proc/1/ns/mnt)" ] &&
		grep -q sleep /proc/$(cat /root/pid)/comm'
	ok set web1 "mounts=$OPEN/data:/data:ro"
	inside web1 sh -c 'cat /proc/$(cat /root/pid)/root/data/two'
	[ "$output" = two ]
	not v exec web1 -- sh -c 'nsenter -t $(cat /root/pid) -m mount -o remount,bind,rw /data'
	ok set web1 mounts=default
	not v exec web1 -- sh -c 'grep " /data " /proc/$(cat /root/pid)/mountinfo'
	# Nothing of it is on the host.
	not grep -q " /data " /proc/self/mountinfo
}

@test "the tenant's links lead a mount that comes later no further than its own tree" {
	ve web1
	v exec web1 -- sh -c "mkdir -p '$OPEN'; ln -s ../../../../../..$OPEN /link; ln -s '$OPEN' /abs; ln -s /proc/1/root /magic"
	ok set web1 "mounts=$PRIVATE/data:/link/x,$PRIVATE/data/inner:/abs/y"
	inside web1 cat "$OPEN/x/one"
	[ "$output" = one ]
	[ "$(ls "$OPEN")" = data ]
	ok set web1 mounts=default
	fails 71 set web1 "mounts=$PRIVATE/data:/magic/z"
	[ "$(ls "$OPEN")" = data ]
}

@test "other callers than the host's admin do not give it" {
	fails 77 --unprivileged-keys-only create web1 --image busybox --set "mounts=$OPEN/data:/data:ro"
	ok keys mounts
	[[ "$output" == *host* ]]
}
