#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A VE made from another one: the same files and limits, and nothing by which it could pass for it.
load helpers

faults_built() { v version --json | jq -e '.faults' >/dev/null; }
store_of() { echo "$VECTL_ROOT/var/lib/vectl/ve/$(uuid_of "$1")"; }
key_of() { v get "$1" "$2"; }

# pattern [CREATE-OPTION]...: web1, stopped, with files of all kinds in it, some of the image's changed or gone.
pattern() {
	ve web1 "$@"
	inside web1 sh -ec '
		mkdir -p /data/deep/er /etc/ssh /var/lib/systemd /var/lib/dbus
		echo mine >/data/file
		chown 1234:2345 /data/file
		cp /bin/busybox /data/suid && chmod 4755 /data/suid
		ln /data/file /data/hard
		ln -s /etc/shadow /data/link
		mkfifo /data/fifo
		truncate -s 1073741824 /data/sparse
		dd if=/dev/zero of=/data/suid.more bs=1k count=1 2>/dev/null
		rm /etc/profile || rm /etc/group
		mv /root /root.moved && mkdir -m 0700 /root
		echo old >/etc/ssh/ssh_host_rsa_key
		echo old >/etc/ssh/ssh_host_ed25519_key.pub
		echo 0123456789abcdef0123456789abcdef >/etc/machine-id
		ln -s ../../../etc/machine-id /var/lib/dbus/machine-id
		echo other >/etc/hostname
		echo seed >/var/lib/systemd/random-seed'
	ok stop web1
}
# What is in the VE $1, but for what a clone makes anew.
look() {
	v exec "$1" -- sh -c 'cd / && find bin data etc home root root.moved usr var -xdev ! -path "etc/ssh*" ! -path "etc/host*" \
		! -path etc/resolv.conf ! -path etc/machine-id ! -path "var/lib/*" ! -path "var/log*" | sort | while read -r f; do
		stat -c "%n %F %a %u:%g %h %s" "$f"; done; md5sum /data/file /data/suid; readlink /data/link' | sed 's/directory \([0-9]* [0-9:]*\) .*/directory \1/'
}

# same_files_and_another_machine: web2, a clone of web1.
same_files_and_another_machine() {
	local key
	ok start web1
	ok start web2
	diff <(look web1) <(look web2)
	[ "$(v exec web2 -- hostname)" = web2 ]
	inside web2 sh -c '[ ! -e /etc/ssh/ssh_host_rsa_key ] && [ ! -e /etc/ssh/ssh_host_ed25519_key.pub ] && [ ! -e /var/lib/systemd/random-seed ] &&
		[ -f /etc/machine-id ] && [ ! -s /etc/machine-id ] && [ ! -s /etc/hostname ] && [ ! -e /var/lib/dbus/machine-id ]'
	inside web1 sh -c 'grep -q old /etc/ssh/ssh_host_rsa_key && grep -q 0123 /etc/machine-id && grep -q other /etc/hostname'
	for key in uuid network.0.mac; do [ "$(key_of web1 $key)" != "$(key_of web2 $key)" ] || [ -z "$(key_of web1 $key)" ]; done
	[ "$(v exec web1 -- cat /sys/class/net/eth0/address)" != "$(v exec web2 -- cat /sys/class/net/eth0/address)" ]
	[ "$(cat /proc/"$(init_pid web1)"/uid_map)" != "$(cat /proc/"$(init_pid web2)"/uid_map)" ]
	# Neither sees what the other one writes.
	inside web2 sh -c 'echo theirs >/data/file; rm /data/fifo'
	[ "$(v exec web1 -- cat /data/file)" = mine ]
	inside web1 test -p /data/fifo
}

@test "overlay: the same files, and another machine" {
	pattern
	changed true clone web1 web2
	json '.name == "web2" and .state == "stopped" and (.addresses | length) == 1'
	same_files_and_another_machine
	ok events web2 --json
	jq -es 'any(.[]; .event == "created" and .detail == "cloned from web1")' <<<"$output"
	ok history web2 --json
	json '.[0].verb == "clone" and .[0].result == "ok" and any(.[0].changes[]; .key == "name" and .new == "web2")'
	ok destroy web1 --force
	inside web2 test -e /data/suid
}

@test "dir: the same files, and another machine" {
	pattern --set disk.backend=dir
	ok clone web1 web2
	same_files_and_another_machine
	[ "$(du -k "$(store_of web2)/rootfs/data/sparse" | cut -f1)" -lt 1024 ]
}

@test "image: the same files, another machine, and a size of its own" {
	pattern --set disk.backend=image --disk 128M
	ok clone web1 web2 --set disk.size=160M
	[ "$(key_of web2 disk.size)" = 160M ]
	same_files_and_another_machine
	ok status web2 --json
	json '."disk.size" == 167772160'
	# A quota image below an overlay, likewise.
	ok destroy web1 --force
	ok destroy web2 --force
	ve web1 --disk 64M
	inside web1 sh -c 'echo mine >/file; rm /etc/group'
	ok stop web1
	ok clone web1 web2
	[ "$(key_of web2 disk.size)" = 64M ]
	ok start web2
	inside web2 sh -c 'grep -q mine /file && [ ! -e /etc/group ]'
}

@test "what is copied of its configuration, and what is not" {
	ok create web1 --image busybox --ip 192.0.2.10 --hostname shop.example --set memory.limit=64M --set owner=C7 --set labels.tier=gold \
		--set aliases=shop --set notes=text --set protect=on --set network.0.mac=02:00:00:12:34:56 --set network.0.rate_out=8M
	ok clone web1 web2
	[ "$(key_of web2 memory.limit) $(key_of web2 owner) $(key_of web2 labels.tier) $(key_of web2 notes)" = '64M C7 gold text' ]
	[ "$(key_of web2 network.0.type) $(key_of web2 network.0.rate_out)" = 'nat 8M' ]
	[ -z "$(key_of web2 hostname)$(key_of web2 aliases)$(key_of web2 network.0.ips)$(key_of web2 network.0.mac)" ]
	[ "$(key_of web2 protect) $(key_of web1 protect)" = 'off on' ]
	[ "$(key_of web1 network.0.ips)" = 192.0.2.10 ]
	ok clone web1 web3 --ip 192.0.2.11 --hostname other.example --set memory.limit=32M --set owner=C8
	[ "$(key_of web3 network.0.type) $(key_of web3 network.0.ips) $(key_of web3 hostname)" = 'routed 192.0.2.11 other.example' ]
	[ "$(key_of web3 memory.limit) $(key_of web3 owner)" = '32M C8' ]
	ok start web3
	on_host ping -c1 -W5 192.0.2.11 >/dev/null
	ok show web1 --json
	json '.revision == 1'
	# A private address with forwards: both are web1's alone.
	ok create nat1 --image busybox --set network.0.forwards=tcp:8080:80
	ok clone nat1 nat2
	[ -z "$(key_of nat2 network.0.forwards)" ]
	ok start nat1
	ok start nat2
	[ "$(v list nat1 --fields addresses --no-header)" != "$(v list nat2 --fields addresses --no-header)" ]
}

@test "what is refused" {
	ve web1 --ip 192.0.2.10
	fails 79 clone web1 web2
	says 'vectl stop web1'
	ok stop web1
	fails 64 clone web1 Web2
	fails 66 clone none web2
	fails 73 clone web1 web1
	fails 73 clone web1 web2 --ip 192.0.2.10
	fails 64 clone web1 web2 --set disk.backend=dir
	fails 78 clone web1 web2 --set network.0.type=routed
	fails 64 clone web1
	not v status web2
	# A VE that is closed can be copied; the copy is open.
	ok block web1
	ok clone web1 web2
	ok start web2
	try v --unprivileged-keys-only clone web1 web3
	is 0
	ok set web1 features.tun=on
	try v --unprivileged-keys-only clone web1 web4
	is 77
}

@test "a hostile tree: links, FIFOs and directories where files are renewed lead nowhere" {
	ve web1
	inside web1 sh -ec '
		mkdir -p /etc/ssh/ssh_host_rsa_key/x /var/lib/systemd /outside
		echo 1 >/outside/file
		ln -sf /outside/file /etc/machine-id
		mkfifo /etc/hostname.new && mv /etc/hostname.new /etc/hostname
		ln -s /etc/ssh /etc/ssh/ssh_host_dsa_key
		rm -rf /var/lib/systemd && ln -s /proc/self/root/../../../../outside /var/lib/systemd
		ln -s loop /var/lib/dbus && ln -s dbus /var/lib/loop
		d=/deep; for i in $(seq 1 200); do d=$d/0123456789; done; mkdir -p $d && echo bottom >$d/file'
	ok stop web1
	mkdir "$BATS_TEST_TMPDIR/host"
	ln -s "$BATS_TEST_TMPDIR/host" "$(store_of web1)/overlay/upper/host-link"
	echo secret >"$BATS_TEST_TMPDIR/host/file"
	ok clone web1 web2
	[ "$(readlink "$(store_of web2)/overlay/upper/host-link")" = "$BATS_TEST_TMPDIR/host" ]
	[ "$(cat "$BATS_TEST_TMPDIR/host/file")" = secret ]
	ok start web2
	inside web2 sh -c '[ -f /etc/machine-id ] && [ ! -L /etc/machine-id ] && [ ! -s /etc/machine-id ] && grep -q 1 /outside/file &&
		[ ! -p /etc/hostname ] && [ -d /etc/ssh/ssh_host_rsa_key/x ] && [ ! -L /etc/ssh/ssh_host_dsa_key ]'
	[ "$(v exec web2 -- find /deep -name file | wc -l)" = 1 ]
}

@test "each stage fails, or is where it is killed: nothing is left, or recover leaves nothing" {
	faults_built || skip "this build has no fault switch (make D=1)"
	local stage
	ve web1
	inside web1 sh -c 'echo mine >/file'
	ok stop web1
	inventory >"$BATS_TEST_TMPDIR/before"
	for stage in claim storage access config disk layers clone files; do
		try env VE_FAULT="$stage" nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" clone web1 web2 --ip 192.0.2.12
		[ "$status" -eq 71 ] || { explain "VE_FAULT=$stage"; return 1; }
		same_as_before "$BATS_TEST_TMPDIR/before" || { echo "... by VE_FAULT=$stage" >&2; return 1; }
		try env VE_FAULT="$stage:kill" nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" clone web1 web2 --ip 192.0.2.12
		[ "$status" -eq 137 ] || { explain "VE_FAULT=$stage:kill"; return 1; }
		ok recover
		same_as_before "$BATS_TEST_TMPDIR/before" || { echo "... by VE_FAULT=$stage:kill" >&2; return 1; }
	done
	ok clone web1 web2 --ip 192.0.2.12
	ok start web2
	[ "$(v exec web2 -- cat /file)" = mine ]
}

@test "interrupted while it copies: nothing is left, and web1 is as it was" {
	local verb
	ok create web1 --image busybox --set disk.backend=dir
	# More than a disk writes in a moment; it is looked for in the half that is being made.
	head -c 400M /dev/urandom >"$(store_of web1)/rootfs/big"
	# What the test before has killed is gone soon.
	idle() { [ -z "$(processes_of_store)" ]; }
	wait_until 20 idle
	inventory >"$BATS_TEST_TMPDIR/before"
	become_v clone web1 web2 >"$BATS_TEST_TMPDIR/said" 2>&1 &
	verb=$!
	copied() { compgen -G "$VECTL_ROOT/var/lib/vectl/ve/*/rootfs" | grep -qv "$(uuid_of web1)"; }
	wait_until 20 copied || true
	kill -INT $verb
	status=0
	wait $verb || status=$?
	# A disk may be faster than that.
	[ "$status" -eq 130 ] || { [ "$status" -eq 0 ] && ok destroy web2; }
	same_as_before "$BATS_TEST_TMPDIR/before"
}

@test "a Debian: its clone makes host keys and machine id of its own, and lets the same people in" {
	local key id
	image debian-12 || return 1
	ok create deb1 --image debian-12 --start --wait
	id=$(v exec deb1 -- cat /etc/machine-id)
	wait_until 60 v exec deb1 -- test -s /etc/ssh/ssh_host_ed25519_key.pub
	key=$(v exec deb1 -- cat /etc/ssh/ssh_host_ed25519_key.pub)
	inside deb1 useradd --create-home anna
	ok stop deb1
	ok clone deb1 deb2
	ok start deb2 --wait
	wait_until 60 v exec deb2 -- test -s /etc/ssh/ssh_host_ed25519_key.pub
	[ "$(v exec deb2 -- cat /etc/ssh/ssh_host_ed25519_key.pub)" != "$key" ]
	[ "$(v exec deb2 -- cat /etc/machine-id)" != "$id" ]
	[ "$(v exec deb2 -- hostname)" = deb2 ]
	inside deb2 id anna
	rm -rf "$VECTL_ROOT/var/lib/vectl/images/debian-12"
}
