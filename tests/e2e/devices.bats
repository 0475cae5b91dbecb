#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The key devices: devices of the host's in a VE, and those that no VE gets.
load helpers

# Three that hosts usually have, and that do nothing when they are opened.
setup() {
	DEVICES=()
	local device
	for device in /dev/cpu_dma_latency /dev/cpu/0/cpuid /dev/vga_arbiter /dev/hwrng /dev/ppp /dev/rfkill /dev/udmabuf; do
		if [ -c "$device" ] && on_host sh -c ": <'$device'" 2>/dev/null; then DEVICES+=("$device"); fi
	done
	[ "${#DEVICES[@]}" -ge 2 ] || skip "this host has no devices to try it with"
}

# opens NAME HOW PATH: "<" to read, ">>" to write.
opens() { v exec "$1" -- sh -c ": $2'$3'" 2>"$BATS_TEST_TMPDIR/said"; }
# refused NAME HOW PATH: it is there, and the device filter does not have it.
refused() { not opens "$@" && grep -q 'not permitted' "$BATS_TEST_TMPDIR/said"; }

@test "a device is where it is on the host, root inside owns it, and with another it is not" {
	local a=${DEVICES[0]} b=${DEVICES[1]}
	ve web1 --set "devices=$a"
	ve web2
	opens web1 '<' "$a"
	inside web1 stat -c '%u:%g %t:%T' "$a"
	[ "$output" = "0:0 $(stat -c %t:%T "$a")" ]
	inside web1 stat -c %a "$a"
	[ "$output" = "$(printf %o $((0$(stat -c %a "$a") & 0666)))" ]
	# Its root gives it to whom he likes.
	v exec web1 -- sh -c "chown 0:20 '$a' && chmod 0660 '$a'"
	not v exec web2 -- test -e "$a"
	not v exec web1 -- test -e "$b"
	# Neither makes nodes, and of the same name as the host's it would be no other.
	not v exec web2 -- mknod /root/node c 1 11
	fails 79 set web1 "devices+=$b"
	says 'devices'
	ok set web1 "devices+=$b" --restart
	opens web1 '<' "$a"
	opens web1 '<' "$b"
	ok set web1 "devices-=$a" --restart
	not v exec web1 -- test -e "$a"
	opens web1 '<' "$b"
	ok set web1 devices=default --restart
	not v exec web1 -- test -e "$b"
}

@test "to read alone: the filter refuses the rest, whatever its mode is" {
	local device tried=0
	for device in "${DEVICES[@]}"; do
		on_host sh -c ": >>'$device'" 2>/dev/null || continue
		tried=1
		ve web1 --set "devices=$device:r"
		v exec web1 -- chmod 0666 "$device"
		opens web1 '<' "$device"
		refused web1 '>>' "$device"
		ok set web1 "devices=$device:rw" --restart
		opens web1 '>>' "$device"
		break
	done
	[ "$tried" = 1 ] || skip "this host has no device that can be opened to write"
}

@test "with features.*, in a jail, after a reboot from inside" {
	ve web1 --set "devices=${DEVICES[0]}" --set features.fuse=on --set features.tun=on
	local path
	for path in "${DEVICES[0]}" /dev/fuse /dev/net/tun /dev/null; do opens web1 '<' "$path"; done
	# The host's /dev, which the nodes covered for a moment, is not there.
	inside web1 sh -c 'ls /dev'
	[[ "$output" != *kmsg* && "$output" != *loop* ]]
	try v run --image busybox --no-network --set "devices=${DEVICES[1]}" -- sh -c ": <${DEVICES[1]}"
	is 0
}

@test "what hands the host over is refused, with the reason" {
	local row device
	ok create web1 --image busybox
	for row in '/dev/mem 1 1 memory' '/dev/port 1 4 ports' '/dev/kmsg 1 11 log' '/dev/null 1 3 every.VE' '/dev/tty 5 0 every.VE' \
		'/dev/console 5 1 console' '/dev/tty1 4 1 terminal' '/dev/vcs1 7 1 terminals' '/dev/fuse 10 229 features.fuse' \
		'/dev/net/tun 10 200 features.tun' '/dev/loop-control 10 237 disks' '/dev/btrfs-control 10 234 file.systems' \
		'/dev/userfaultfd - - page.faults'; do
		read -r device major minor why <<<"$row"
		[ -e "$device" ] || continue
		[ "$major" = - ] || [ "$(stat -Lc '%Hr %Lr' "$device")" = "$major $minor" ]
		fails 78 set web1 "devices=$device"
		says "$device.*$why"
		echo "$device" >>"$BATS_TEST_TMPDIR/tried"
	done
	[ "$(wc -l <"$BATS_TEST_TMPDIR/tried")" -ge 4 ]
	# By its number, whatever it is called.
	ln -s /dev/kmsg "/dev/vectl-test-$$"
	try v set web1 "devices=/dev/vectl-test-$$"
	rm "/dev/vectl-test-$$"
	is 78
	says 'kernel log'
	fails 66 set web1 devices=/dev/vectl-test-none
	says 'not there'
	fails 78 set web1 devices=/dev/shm/x
	fails 78 set web1 devices=/etc/passwd
	fails 78 set web1 "devices=${DEVICES[0]}:rwm"
	says 'making nodes'
	fails 78 set web1 "devices=${DEVICES[0]},${DEVICES[0]}:r"
	says 'twice'
	fails 77 --unprivileged-keys-only set web1 "devices=${DEVICES[0]}"
	ok get web1 devices
	[ -z "$output" ]
}

@test "a disk that the host uses is refused, and one that it does not use is given" {
	local device free='' held=$BATS_TEST_TMPDIR/held
	compgen -G '/dev/zram*' >/dev/null || modprobe -q brd rd_nr=1 rd_size=64 2>/dev/null || :
	for device in /dev/zram* /dev/ram[0-9]* /dev/nbd*; do
		if [ -b "$device" ] && dd if="$device" of=/dev/null count=0 2>/dev/null; then free=$device; fi
	done
	[ -n "$free" ] || skip "this host has no disk to spare"
	ok create web1 --image busybox
	# As mount(2), swapon(2) and the device mapper have theirs.
	mkfifo "$held"
	python3 -c 'import os, sys; os.open(sys.argv[1], os.O_RDONLY | os.O_EXCL); open(sys.argv[2], "w").close(); open(sys.argv[2]).read()' "$free" "$held" &
	local holder=$!
	read -r < "$held" || :
	fails 75 set web1 "devices=$free"
	says "$free.*host uses it"
	echo >"$held"
	wait "$holder"
	ok set web1 "devices=$free:r"
	ok start web1
	inside web1 stat -c '%F %t:%T' "$free"
	[ "$output" = "block special file $(stat -c %t:%T "$free")" ]
	opens web1 '<' "$free"
	refused web1 '>>' "$free"
}

@test "a device that went away: the start says so and leaves nothing, the rest of the configuration can be changed" {
	local device=/dev/vectl-test-$$
	read -r major minor < <(stat -Lc '%Hr %Lr' "${DEVICES[0]}")
	mknod "$device" c "$major" "$minor"
	try v create web1 --image busybox --set "devices=$device" --start
	rm "$device"
	is 0
	opens web1 '<' "$device"
	fails 66 restart web1
	says "$device"
	[ "$(state_of web1)" = stopped ]
	ok set web1 memory.limit=64M
	fails 66 set web1 "devices+=/dev/vectl-test-none"
	ok set web1 devices=default
	ok start web1
}
