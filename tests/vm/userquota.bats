#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# disk.user_quota: quotas of users and groups, set and looked at inside a VE, by Debian's tools and by hand (askquota.c). In the
# guests, whose kernels have the quota format.
load ../e2e/helpers

MIB=1048576

# with_quota NAME [CREATE-OPTION]...: a VE with a user tom, a group crew that he is in, a directory of either (4096 bytes), and askquota.
with_quota() {
	local name=$1
	shift
	ve "$name" --set network.0.type=none --set disk.backend=image --disk 64M --set disk.user_quota=on "$@"
	v exec "$name" -- sh -c 'cat >/bin/askquota && chmod 755 /bin/askquota' <"$O/askquota"
	v exec "$name" -- sh -c 'echo tom:x:1000:1000::/home/tom:/bin/sh >>/etc/passwd && echo tom:x:1000: >>/etc/group &&
		echo crew:x:2000:tom >>/etc/group && mkdir -p /home/tom /srv/crew && chown tom:tom /home/tom &&
		chgrp crew /srv/crew && chmod 2775 /srv/crew'
}

# The tools, with the libraries that they were linked with.
with_tools() {
	local tools=(/usr/sbin/setquota /usr/sbin/repquota /usr/sbin/edquota /usr/bin/quota)
	# shellcheck disable=SC2046 # names
	tar -chf - -C / "${tools[@]#/}" $(ldd "${tools[@]}" | grep -o '/lib[^ ]*' | sort -u | cut -c2-) | v exec "$1" -- tar -xf - -C /
}

# shellcheck disable=SC2016 # awk
device_of() { v exec "$1" -- awk '$2 == "/" { print $1 }' /proc/self/mounts; }
# asks NAME ANSWER ASKQUOTA-ARGUMENT...: as the VE's root; asks_as_tom: as tom.
asks() {
	local name=$1 answer=$2
	shift 2
	try v exec "$name" -- askquota "$@"
	[ "$output" = "$answer" ] || { explain "askquota $*: expected $answer"; return 1; }
}
asks_as_tom() {
	local name=$1 answer=$2
	shift 2
	try v exec --user tom "$name" -- askquota "$@"
	[ "$output" = "$answer" ] || { explain "askquota $* by tom: expected $answer"; return 1; }
}
# writes USER NAME FILE: as much as he can.
writes() { v exec --user "$1" "$2" -- dd if=/dev/zero of="$3" bs=4k count=4096 >/dev/null 2>&1; }
# The process that answers.
server_of_web1() { pgrep -x vectl-quota -P "$(monitor_pid web1)"; }

@test "the tools set, show and edit limits, which hold to the byte" {
	with_quota web1
	with_tools web1
	local dev
	dev=$(device_of web1)
	[[ $dev == /dev/loop* ]]
	inside web1 setquota -u tom 0 2048 0 0 /
	not writes tom web1 /home/tom/filler
	asks web1 "ok $((2 * MIB)) of $((2 * MIB))" get user "$dev" 1000
	inside web1 repquota -u /
	[[ $output =~ tom\ +--\ +2048\ +0\ +2048 ]]
	try v exec --user tom web1 -- quota
	[[ $output == *"$dev"*2048* ]]
	# A group, whoever writes.
	inside web1 setquota -g crew 0 1024 0 0 /
	not writes root web1 /srv/crew/filler
	asks web1 "ok $MIB of $MIB" get group "$dev" 2000
	inside web1 repquota -g /
	[[ $output =~ crew\ +--\ +1024\ +0\ +1024 ]]
	try v exec --user tom web1 -- quota -g crew
	[[ $output == *"$dev"*1024* ]]
	# By hand, as an administrator would.
	# shellcheck disable=SC2016 # its own $1
	v exec web1 -- sh -c 'printf "#!/bin/sh\nsed -i s/2048/3072/2 \$1\n" >/bin/changes && chmod 755 /bin/changes'
	ok exec web1 --env EDITOR=/bin/changes -- edquota -u tom
	asks web1 "ok $((2 * MIB)) of $((3 * MIB))" get user "$dev" 1000
	inside web1 setquota -t 3600 7200 /
	asks web1 "ok 3600" info user "$dev" 0
	# Files count, too.
	inside web1 rm /home/tom/filler
	inside web1 setquota -u tom 0 0 0 20 /
	# shellcheck disable=SC2016
	not v exec --user tom web1 -- sh -c 'i=0; while [ $i -lt 30 ]; do : >/home/tom/$i || exit 1; i=$((i + 1)); done' 2>/dev/null
	inside web1 sh -c 'find / -xdev -user tom | wc -l'
	[ "$output" = 20 ]
}

@test "who may: the VE's root; others look at themselves and their groups" {
	with_quota web1 --set features.nesting=on
	local dev
	dev=$(device_of web1)
	asks web1 ok set user "$dev" 1000 $MIB
	asks web1 ok set group "$dev" 2000 $MIB
	asks_as_tom web1 "ok 4096 of $MIB" get user "$dev" 1000
	asks_as_tom web1 "ok 4096 of $MIB" get group "$dev" 2000
	asks_as_tom web1 "ok 604800" info user "$dev" 0
	asks_as_tom web1 EPERM get user "$dev" 0
	asks_as_tom web1 EPERM get group "$dev" 0
	asks_as_tom web1 EPERM next user "$dev" 0
	asks_as_tom web1 EPERM set user "$dev" 1000
	asks_as_tom web1 EPERM set group "$dev" 2000
	asks_as_tom web1 EPERM grace user "$dev" 0 1
	# Root of a namespace further down is nobody here.
	asks web1 EPERM --nested set user "$dev" 1000
	asks web1 EPERM --nested get user "$dev" 0
	asks_as_tom web1 EPERM --nested set user "$dev" 1000
	asks web1 "ok 4096 of $MIB" get user "$dev" 1000
}

@test "what: quotas of users and groups of its own file system, and nothing else" {
	# A file system of the host's with quotas, and another VE's.
	truncate -s 64M "$BATS_TEST_TMPDIR/ext4"
	mke2fs -q -F -t ext4 -O quota,project -E quotatype=usrquota:grpquota:prjquota "$BATS_TEST_TMPDIR/ext4"
	mkdir "$BATS_TEST_TMPDIR/mnt"
	mount -o loop,usrquota,grpquota,prjquota "$BATS_TEST_TMPDIR/ext4" "$BATS_TEST_TMPDIR/mnt"
	local host dev other
	host=$(findmnt -no SOURCE "$BATS_TEST_TMPDIR/mnt")
	with_quota web1
	with_quota web2
	dev=$(device_of web1)
	other=$(device_of web2)
	[ "$dev" != "$other" ] && [ "$dev" != "$host" ]
	asks web1 "ok 4" format user "$dev" 0
	asks web1 ok sync user "$dev" 0
	asks web1 ok sync group - 0
	asks web1 ok set user "$dev" 1000 $MIB
	for d in "$host" "$other" /dev/loop99 /dev/vda / "" "$dev/" "/dev/../$dev" "${dev}0" "$(printf '%0300d' 0)"; do
		asks web1 ENODEV get user "$d" 0
		asks web1 ENODEV set user "$d" 1000 $MIB
	done
	asks web1 ENODEV get user - 0
	asks web2 "ok 4096 of 0" get user "$other" 1000
	umount "$BATS_TEST_TMPDIR/mnt"
	asks web1 EINVAL get project "$dev" 0
	asks web1 EINVAL set project "$dev" 1 $MIB
	local what
	for what in on off xfs; do asks web1 EINVAL $what user "$dev" 0; done
	asks web1 EPERM usage user "$dev" 1000 0
	asks web1 EINVAL set user "$dev" 65536 $MIB
	asks web1 EINVAL get user "$dev" 4294967295
	asks web1 EFAULT wild user "$dev" 0
	asks web1 EFAULT wild-device user "$dev" 0
	# The device is there to be looked at.
	inside web1 stat -c '%a %F' "$dev"
	[ "$output" = "0 block special file" ]
	not v exec web1 -- dd if="$dev" of=/dev/null count=1
	not v exec web1 -- chmod 666 "$dev"
	not v exec web1 -- sh -c "mknod /root/disk b 7 ${dev#/dev/loop} && cat /root/disk"
}

@test "limits stay: over stop and start, in a clone, from what init starts; switched off they are gone" {
	with_quota web1
	asks web1 ok set user "$(device_of web1)" 1000 $((2 * MIB))
	# As a service of the VE's own: not one that has joined it.
	v exec web1 -- sh -c 'mkdir -p /etc/rc.d && cat >/etc/rc.d/quota && chmod 755 /etc/rc.d/quota' <<'END'
#!/bin/sh
dev=$(awk '$2 == "/" { print $1 }' /proc/self/mounts)
askquota get user $dev 1000 >/root/told
askquota set group $dev 2000 1048576 >>/root/told
END
	ok stop web1
	ok clone web1 web2
	ok start web1
	told() { [ "$(v exec web1 -- cat /root/told)" = $'ok 4096 of 2097152\nok' ]; }
	wait_until 30 told
	not writes tom web1 /home/tom/filler
	asks web1 "ok $((2 * MIB)) of $((2 * MIB))" get user "$(device_of web1)" 1000
	ok start web2
	asks web2 "ok 4096 of $((2 * MIB))" get user "$(device_of web2)" 1000
	ok destroy web2 --force
	# The file system grows and shrinks with them.
	ok set web1 disk.size=96M
	asks web1 "ok $((2 * MIB)) of $((2 * MIB))" get user "$(device_of web1)" 1000
	ok set web1 disk.size=48M --pending
	ok restart web1
	asks web1 "ok $((2 * MIB)) of $((2 * MIB))" get user "$(device_of web1)" 1000
	fails 79 set web1 disk.user_quota=off
	ok set web1 disk.user_quota=off --pending
	ok set web1 disk.size=64M
	asks web1 "ok $((2 * MIB)) of $((2 * MIB))" get user "$(device_of web1)" 1000
	ok restart web1
	asks web1 EPERM get user "$(device_of web1)" 1000
	not v exec web1 -- test -e "$(device_of web1)"
	not server_of_web1
	v exec --user tom web1 -- dd if=/dev/zero of=/home/tom/more bs=1M count=4 2>/dev/null
	ok set web1 disk.user_quota=on --restart
	asks web1 "ok $((6 * MIB)) of 0" get user "$(device_of web1)" 1000
}

@test "who is killed while he waits for an answer harms nobody" {
	with_quota web1
	local server before
	server=$(server_of_web1)
	v exec web1 -- true
	before=$(find "/proc/$server/fd" -mindepth 1 | wc -l)
	ok exec web1 -- askquota storm "$(device_of web1)" 5
	[[ $output == "ok "* ]]
	few() { [ "$(find "/proc/$server/fd" -mindepth 1 | wc -l)" -le "$before" ]; }
	wait_until 10 few
	[ "$(server_of_web1)" = "$server" ]
}

@test "the monitor's end changes nothing; that of who answers, ENOSYS until the next start; nobody waits for ever" {
	with_quota web1
	local dev server pid
	dev=$(device_of web1)
	server=$(server_of_web1)
	pid=$(monitor_pid web1)
	kill -9 "$pid"
	wait_until 10 gone "$pid"
	asks web1 ok set user "$dev" 1000 $MIB
	ok recover web1
	asks web1 "ok 4096 of $MIB" get user "$dev" 1000
	v exec web1 -- sh -c "while askquota sync user $dev 0; do :; done >/dev/null; echo over >/root/over" &
	kill -9 "$server"
	wait_until 10 v exec web1 -- grep -q over /root/over
	asks web1 ENOSYS get user "$dev" 1000
	wait
	ok restart web1
	asks web1 "ok 4096 of $MIB" get user "$(device_of web1)" 1000
	server=$(server_of_web1)
	ok stop web1
	wait_until 10 gone "$server"
}

@test "only with a file system of its own, and the policy that lets it ask" {
	ok check --json
	json '.. | objects | select(.feature? == "user-quotas") | .present'
	local backend
	for backend in overlay dir; do
		fails 69 create web1 --image busybox --set disk.backend=$backend --set disk.user_quota=on
		says 'disk.backend=image'
	done
	local policy
	for policy in jail none; do
		fails 78 create web1 --image busybox --set disk.backend=image --disk 64M --set disk.user_quota=on --set security.seccomp=$policy
		says 'security.seccomp=vps'
	done
	fails 125 run --image busybox --set disk.user_quota=on -- true
	says 'kept in memory'
	not v status web1
}
