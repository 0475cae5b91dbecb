#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# user add, remove, list, lock, unlock: the accounts inside a VE, running or stopped, from outside; files that mean harm.
load helpers

setup_file() {
	world_up
	v create web1 --image busybox --start >/dev/null && v stop web1
	image debian-12
	ssh-keygen -q -t ed25519 -N '' -f "$BATS_FILE_TMPDIR/key"
	printf '#!/bin/sh\necho "correct horse"\n' >"$BATS_FILE_TMPDIR/askpass"
	chmod 755 "$BATS_FILE_TMPDIR/askpass"
	mkdir -p "$VECTL_ROOT/etc/vectl/templates"
	inventory >"$BATS_FILE_TMPDIR/inventory"
}
setup() {
	OTHER=
	UPPER=$VECTL_ROOT/var/lib/vectl/ve/$(uuid_of web1)/overlay/upper
	mkdir -p "$UPPER/etc"
	printf 'root:x:0:0:root:/root:/bin/sh\nwww:x:33:33::/srv:/bin/false\n' >"$UPPER/etc/passwd"
	printf 'root:x:0:\nsudo:x:27:\nwww:x:33:\nadm:x:4:www\n' >"$UPPER/etc/group"
	printf 'root:*:19000:0:99999:7:::\nwww:!:19000::::::\n' >"$UPPER/etc/shadow"
	printf 'root:*::\nsudo:*::\nwww:!::\nadm:*::www\n' >"$UPPER/etc/gshadow"
	chmod 0640 "$UPPER/etc/shadow" "$UPPER/etc/gshadow"
	ok start web1
}
teardown() {
	for name in deb web2 web3 web4; do v --quiet destroy --force --if-exists $name || true; done
	v --quiet kill web1 || true
	rm -f "$VECTL_ROOT/etc/vectl/templates/staff.json"
	find "$UPPER" -mindepth 1 -delete
	same_as_before
}
etc() { grep "^$2:" "${OTHER:-$UPPER}/etc/$1" || echo none; }
sums() { (cd "$UPPER/etc" && for f in passwd group shadow gshadow; do [ ! -f "$f" ] || [ "$(stat -c %s "$f")" -gt 100000 ] || cksum "$f"; done); }
row() { ok user list web1 --json && jq -c ".[] | select(.name == \"$1\")" <<<"$output"; }
nothing_half() { [ -z "$(find "$UPPER/etc" -name '.*.vectl')" ]; }

login() { on_host ssh -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=10 "$@"; }
by_key() { login -o BatchMode=yes -i "$BATS_FILE_TMPDIR/key" ann@192.0.2.50 "$@"; }
by_password() {
	SSH_ASKPASS=$BATS_FILE_TMPDIR/askpass SSH_ASKPASS_REQUIRE=force login -o PubkeyAuthentication=no \
		-o PreferredAuthentications=password -o NumberOfPasswordPrompts=1 ann@192.0.2.50 "$@"
}

# hold_lock NAME: as lckpwdf(3), until descriptor 4 is closed. (A lock on a file below an overlay is none of the overlay's.)
hold_lock() {
	mkfifo "$BATS_TEST_TMPDIR/hold"
	v exec "$1" -- perl -e 'use Fcntl; open F, "+>", "/etc/.pwd.lock" or die; my $l = pack("s s l! l! i", F_WRLCK, 0, 0, 0, 0);
		fcntl(F, F_SETLK, $l) or die;
		$| = 1; print "held\n"; <STDIN>' <"$BATS_TEST_TMPDIR/hold" >"$BATS_TEST_TMPDIR/holder" 3>&- &
	exec 4>"$BATS_TEST_TMPDIR/hold"
	wait_until 10 grep -q held "$BATS_TEST_TMPDIR/holder"
}

whole_life() {
	echo 'correct horse' >"$BATS_TEST_TMPDIR/password"
	try_stdin=$BATS_TEST_TMPDIR/password changed true user add web1 ann --groups sudo,adm --shell /bin/ash \
		--ssh-key "$BATS_FILE_TMPDIR/key.pub" --password-stdin
	[ "$(etc passwd ann)" = ann:x:1000:1000::/home/ann:/bin/ash ]
	[ "$(etc group ann)" = ann:x:1000: ]
	[ "$(etc group sudo)" = sudo:x:27:ann ]
	[ "$(etc group adm)" = adm:x:4:www,ann ]
	[ "$(etc gshadow adm)" = 'adm:*::www,ann' ]
	[ "$(etc gshadow ann)" = 'ann:!::' ]
	[[ $(etc shadow ann) =~ ^ann:\$[^:]+:[0-9]{5}:0:99999:7:::$ ]]
	[ "$(stat -c '%a %u:%g' "$UPPER/etc/shadow" "$UPPER/home/ann" "$UPPER/home/ann/.ssh" "$UPPER/home/ann/.ssh/authorized_keys")" = \
		$'640 0:0\n700 1000:1000\n700 1000:1000\n600 1000:1000' ]
	cmp "$BATS_FILE_TMPDIR/key.pub" "$UPPER/home/ann/.ssh/authorized_keys"
	row ann | jq -e '.uid == 1000 and .password and (.locked | not) and .groups == ["sudo", "adm", "ann"]'
	fails 73 user add web1 ann
	local before
	before=$(etc shadow ann)
	changed true user lock web1 ann
	changed false user lock web1 ann
	[[ $(etc shadow ann) =~ ^ann:!\$[^:]+:[0-9]+:0:99999:7::1:$ ]]
	row ann | jq -e '.locked and (.password | not)'
	changed true user unlock web1 ann
	changed false user unlock web1 ann
	[ "$(etc shadow ann)" = "$before" ]
	changed true user remove web1 ann
	[ "$(etc passwd ann)$(etc group ann)$(etc shadow ann)$(etc gshadow ann)" = nonenonenonenone ]
	[ "$(etc group adm)" = adm:x:4:www ]
	[ "$(etc group sudo)" = sudo:x:27: ]
	fails 66 user remove web1 ann
	[ -d "$UPPER/home/ann" ]
	rm -rf "${UPPER:?}/home"
	nothing_half
}
@test "a user's whole life in a running VE" { whole_life; }
@test "and in a stopped one" {
	ok stop web1
	whole_life
}

@test "what is listed cannot speak to the terminal" {
	printf 'b\033[2Jad:x:90:root\nc\303\251sar:x:91:root\n' >>"$UPPER/etc/group"
	printf 'root:x:0:0:root:/root\033]0;x\007:/bin/sh\n' >"$UPPER/etc/passwd"
	ok user list web1
	[[ "$output" == *root* ]]
	[ "$(LC_ALL=C tr -d '\033\007' <<<"$output")" = "$output" ]
}

@test "numbers, homes, groups: what is free, what is taken, what is not there" {
	ok user add web1 bob --uid 33333 --home /srv/bob --ssh-key "$BATS_FILE_TMPDIR/key.pub"
	[ "$(etc passwd bob | cut -d: -f3,4,6)" = 33333:33333:/srv/bob ]
	[[ $(etc shadow bob) == 'bob:*:'* ]]
	inside web1 id -u bob
	[ "$output" = 33333 ]
	ok exec web1 --user bob -- id -un
	[ "$output" = bob ]
	fails 73 user add web1 carl --uid 33
	fails 73 user add web1 sudo
	fails 66 user add web1 carl --groups sudo,nosuch
	says nosuch
	fails 66 user lock web1 nobody-here
	fails 66 user add nosuch carl
	for name in Ann 'a b' '' -x 1st ../x a:b 'toolongtoolongtoolongtoolongtoolong'; do fails 64 user add web1 -- "$name"; done
	fails 64 user add web1 carl --uid 65534
	fails 64 user add web1 carl --home ../x
	fails 64 user add web1 carl --home /
	fails 64 user add web1 carl --shell 'x:y'
	fails 64 user remove web1 root
	[ "$(etc passwd carl)" = none ]
	[ ! -e "$UPPER/home/carl" ]
}

@test "an existing home stays; its links lead no further than the user himself gets" {
	inside web1 sh -c 'mkdir -p /home/eve /root && chown 1000:1000 /home/eve && ln -s /root /home/eve/.ssh && echo mine >/home/eve/file'
	fails 71 user add web1 eve --ssh-key "$BATS_FILE_TMPDIR/key.pub"
	inside web1 test ! -e /root/authorized_keys
	[ "$(etc passwd eve)" = none ]
	ok user add web1 eve
	inside web1 cat /home/eve/file
	[ "$output" = mine ]
}

@test "accounts that are links, pipes, devices, huge or not there: an error, nothing changed, no wait" {
	local how file before
	ok stop web1 # what lies below a mounted overlay is not to be changed
	for file in passwd group shadow gshadow; do
		for how in mkfifo 'truncate -s 10G' 'ln -s /etc/hostname' 'ln -s /dev/zero' mkdir; do
			mv "$UPPER/etc/$file" "$BATS_TEST_TMPDIR/kept"
			(cd "$UPPER/etc" && $how "$file")
			before=$(sums)
			fails 71 user add web1 ann
			says "/etc/$file"
			fails 71 user lock web1 www
			[ "$(sums)" = "$before" ]
			nothing_half
			[ ! -e "$UPPER/home/ann" ]
			rm -rf "${UPPER:?}/etc/$file"
			mv "$BATS_TEST_TMPDIR/kept" "$UPPER/etc/$file"
		done
	done
	rm "$UPPER/etc/gshadow"
	ok user add web1 ann
	[ ! -e "$UPPER/etc/gshadow" ]
}

@test "lines that are none are kept as they are, and believed by nobody" {
	ok stop web1
	printf 'junk\n:::::::\nx:x:99999999999:1::/:/bin/sh\n\xff\xfe:x:7:7::/:/bin/sh\nlast:x:1000:1000::/:/bin/sh' >>"$UPPER/etc/passwd"
	local before
	before=$(cat "$UPPER/etc/passwd")
	ok user add web1 ann
	[ "$(head -n -1 "$UPPER/etc/passwd")" = "$before" ]
	[ "$(etc passwd ann | cut -d: -f3)" = 1001 ]
	ok start web1
	ok user list web1
	ok user list web1 --json
	json 'any(.[]; .name == "last") and all(.[]; .name | length > 0)'
	"$tests_top/tests/check-json" user-list <<<"$output"
}

@test "Debian: in by key and by password, locked out, let in again; its own tools agree, and their lock is kept" {
	ok create deb --image debian-12 --ip 192.0.2.50 --start --wait=180
	echo 'correct horse' >"$BATS_TEST_TMPDIR/password"
	try_stdin=$BATS_TEST_TMPDIR/password ok user add deb ann --groups sudo --ssh-key "$BATS_FILE_TMPDIR/key.pub" --password-stdin
	wait_until 30 by_key true
	[ "$(by_key id -Gn)" = 'ann sudo' ]
	[ "$(by_password id -un)" = ann ]
	inside deb test -f /home/ann/.bashrc
	inside deb grpck -r
	try v exec deb -- pwck -r
	[[ $output$stderr != *ann* ]]
	ok user lock deb ann
	by_key true && return 1
	by_password true && return 1
	ok user unlock deb ann
	by_key true
	by_password true
	hold_lock deb
	fails 75 user remove deb ann
	says pwd.lock
	exec 4>&-
	ok user remove deb ann
	inside deb useradd -m ann2
	ok user list deb --json
	json 'any(.[]; .name == "ann2" and .uid == 1000) and all(.[]; .name != "ann")'
	ok destroy --force deb
}

@test "secrets are in no argument, no history and no document" {
	echo 'correct horse' >"$BATS_TEST_TMPDIR/password"
	try_stdin=$BATS_TEST_TMPDIR/password ok user add web1 ann --password-stdin
	ok history web1 --json
	json 'any(.[]; .verb == "user add" and .changes[0].key == "user ann" and .changes[0].new == null)'
	[[ $output != *horse* && $output != *'$y$'* ]]
	ok user list web1 --json
	[[ $output != *'$y$'* ]]
}

@test "a file that holds no key is not quoted: sudo may lend a reader root's eyes" {
	printf '# root:\nroot:hunter2:0\n' >"$BATS_TEST_TMPDIR/secret"
	fails 64 user add web1 eve --ssh-key "$BATS_TEST_TMPDIR/secret"
	says 'of what is given as public ssh keys number 1 is none'
	not grep -q hunter2 <<<"$stderr"
}

# The accounts of a configuration. HASH is of 'correct horse'.
pattern() {
	HASH=$(printf 'correct horse' | openssl passwd -6 -salt abcdefgh -stdin)
	jq -n --arg hash "$HASH" --arg key "$(cat "$BATS_FILE_TMPDIR/key.pub")" '{schema: 1, users: [
		"ann groups=www,adm shell=/bin/ash password=\($hash) ssh-key=\u0027\($key)\u0027",
		"ftp  home=/srv/ftp uid=2000 \"shell=/bin/false\" locked password=\($hash)", "www locked", "bob"]}' >"$BATS_TEST_TMPDIR/users.json"
}
# made NAME [CREATE-OPTION]...: web1's accounts under it, and the configuration's users; not started.
made() {
	pattern
	ok create "$1" --image busybox --config "$BATS_TEST_TMPDIR/users.json" "${@:2}"
	OTHER=$VECTL_ROOT/var/lib/vectl/ve/$(uuid_of "$1")/overlay/upper
	mkdir -p "$OTHER/etc"
	cp -p "$UPPER"/etc/{passwd,group,shadow,gshadow} "$OTHER/etc/"
}

@test "users of a configuration: made at the first start, and only then" {
	made web2
	[ "$(etc passwd ann)" = none ]
	ok start web2
	says "user 'www' is in 'web2' already, and stays as it is, but locked"
	[ "$(etc passwd ann)" = ann:x:1000:1000::/home/ann:/bin/ash ]
	[ "$(etc group adm)" = adm:x:4:www,ann ]
	[[ $(etc shadow ann) == "ann:$HASH:"* ]]
	cmp "$BATS_FILE_TMPDIR/key.pub" "$OTHER/home/ann/.ssh/authorized_keys"
	[ "$(etc passwd ftp)" = ftp:x:2000:2000::/srv/ftp:/bin/false ]
	[[ $(etc shadow ftp) == "ftp:!$HASH:"*:1: ]]
	[[ $(etc shadow www) == 'www:!:'*:1: ]]
	[ "$(etc passwd bob | cut -d: -f3)" = 1001 ]
	ok user list web2 --json
	json '([.[] | select(.locked) | .name] | sort) == ["ftp", "www"]'
	ok user unlock web2 ftp
	[[ $(etc shadow ftp) == "ftp:$HASH:"*:: ]]
	# What became of them is the VE's own affair.
	ok user remove web2 ann
	ok restart web2
	[ "$(etc passwd ann)" = none ]
	[[ $stderr != *already* ]]
	fails 79 set web2 'users+=carl' --restart
	says 'those of .web2. are made'
	fails 79 set web2 'users-=bob' --pending
	# A clone has them among its files.
	ok stop web2
	ok clone web2 web3
	ok get web3 users
	[ -z "$output" ]
	ok start web3
	[[ $stderr != *already* ]]
	ok user list web3 --json
	json 'any(.[]; .name == "bob") and all(.[]; .name != "ann")'
	changed true set web2 users=default
}

@test "users: a clone of what was never started has yet to make them; apply leaves them when they are" {
	made web2
	ok clone web2 web3
	ok start web3
	ok user list web3 --json
	json 'any(.[]; .name == "bob")'
	echo '{"schema": 1, "description": "x", "keys": {"users": ["carl"], "pids": {"limit": 77}}}' >"$VECTL_ROOT/etc/vectl/templates/staff.json"
	ok apply web3 staff
	[ "$(v get web3 pids.limit)" = 77 ]
	ok get web3 users
	[[ $output == *bob* && $output != *carl* ]]
	ok create web4 --image busybox --template staff
	changed true set web4 'users+=dave groups=adm' 'users+=carl locked'
	[ "$(v get web4 users)" = 'carl locked; dave groups=adm' ]
	changed true set web4 'users-=dave'
	ok start web4
	ok user list web4 --json
	json 'any(.[]; .name == "carl" and .locked) and all(.[]; .name != "dave")'
}

@test "users: one that cannot be made refuses the start, and create --start leaves nothing" {
	fails 66 create web2 --image busybox --start --set 'users=ann groups=nosuch'
	says "users: cannot make 'ann'"
	says "no group 'nosuch'"
	fails 66 status web2
	ok create web2 --image busybox --set 'users=zoe; ann groups=nosuch'
	fails 66 start web2
	says 'vectl edit web2'
	in_state web2 stopped
	changed true set web2 'users+=ann locked'
	ok start web2
	says "user 'zoe' is in 'web2' already"
	ok user list web2 --json
	json 'any(.[]; .name == "ann" and .locked) and any(.[]; .name == "zoe" and (.locked | not))'
	fails 125 run --image busybox --no-network --set users=ann -- true
}

@test "users: hashes are shown nowhere, taken from no argument, and a plain password never" {
	made web2
	for what in 'show web2' 'show web2 --json' 'get web2 users' 'list --fields name,users' 'list --json --fields users' 'history web2 --json' 'history'; do
		# shellcheck disable=SC2086
		ok $what
		not grep -qF "${HASH:0:20}" <<<"$output$stderr" || { explain "$what shows a hash"; return 1; }
	done
	ok get web2 users
	[[ $output == *'password=hidden'*'ftp uid=2000 home=/srv/ftp shell=/bin/false password=hidden locked'* ]]
	ok show web2 --json
	# Nor is what stands for one taken as one.
	echo "$output" >"$BATS_TEST_TMPDIR/shown.json"
	fails 78 create web3 --image busybox --config "$BATS_TEST_TMPDIR/shown.json"
	says "user 'ann': password=hidden"
	fails 64 set web2 "users+=eve password=$HASH"
	fails 64 create web3 --image busybox --set "users=eve password=$HASH"
	echo '{"schema": 1, "users": ["eve password=hunter2hunter2"]}' >"$BATS_TEST_TMPDIR/plain.json"
	fails 78 create web3 --image busybox --config "$BATS_TEST_TMPDIR/plain.json"
	says 'never the password itself'
	not grep -q hunter2 <<<"$stderr"
	ok set web2 'users-=ftp' --dry-run
	not grep -qF "${HASH:0:20}" <<<"$output"
	ok start web2
	ok events --json
	not grep -qF "${HASH:0:20}" <<<"$output"
	not grep -rqF "${HASH:0:20}" "$VECTL_ROOT/var/log/vectl"
}

@test "killed in the middle: the accounts are whole, and the next one works" {
	v version --json | jq -e .faults >/dev/null || skip "this build has no fault switch (make D=1)"
	local before
	before=$(sums)
	try env VE_FAULT=users nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" user add web1 ann
	is 71
	try env VE_FAULT=users:kill nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" user add web1 ann
	is 137
	ok recover
	try v user add web1 ann
	[[ $status -eq 0 || $status -eq 73 ]]
	ok user remove web1 ann
	[ "$(sums | cut -d' ' -f2-)" = "$(cut -d' ' -f2- <<<"$before")" ]
	nothing_half
}
