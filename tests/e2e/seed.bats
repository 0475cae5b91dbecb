#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a VE's first boot is given from outside: cloud-init's NoCloud seed, and credentials for its init.
load helpers

SEED=/var/lib/cloud/seed/nocloud

setup_file() {
	world_up
	image debian-12
	mkdir -p "$VECTL_ROOT/etc/vectl/recipes"
	inventory >"$BATS_FILE_TMPDIR/inventory"
}
teardown() {
	for name in web1 web2 web3; do v --quiet destroy --force --if-exists "$name" || true; done
	for name in hostile elsewhere; do
		v --quiet image remove "$name" 2>/dev/null || true
		rm -f "$VECTL_ROOT/etc/vectl/recipes/$name.json"
	done
	same_as_before
}
upper_of() { echo "$VECTL_ROOT/var/lib/vectl/ve/$(uuid_of "$1")/overlay/upper"; }
seed_of() { echo "$(upper_of "$1")$SEED"; }

# Bytes of all kinds: user-data may be compressed.
user_data() { printf '#cloud-config\npassword: s3cret-of-mine\n\0\377\200end' >"$BATS_TEST_TMPDIR/user-data"; }

@test "the seed: user-data as it is, meta-data that names the VE, root's alone" {
	user_data
	changed true create web1 --image busybox --hostname shop.example --user-data "$BATS_TEST_TMPDIR/user-data"
	local seed
	seed=$(seed_of web1)
	cmp "$BATS_TEST_TMPDIR/user-data" "$seed/user-data"
	diff - "$seed/meta-data" <<<"instance-id: $(uuid_of web1)
local-hostname: shop.example"
	grep -qx 'config: disabled' "$seed/network-config"
	[ "$(stat -c '%a %u:%g' "$seed"/*)" = $'600 0:0\n600 0:0\n600 0:0' ]
	ok start web1
	inside web1 cat "$SEED/meta-data"
	ok exec web1 --user 1000 -- sh -c "! cat $SEED/user-data"
	# By nothing else is it known.
	for what in 'show web1' 'show web1 --json' 'history' 'events --json' 'status web1 --json'; do
		# shellcheck disable=SC2086
		ok $what
		[[ $output != *s3cret* ]]
	done
	not grep -rqs s3cret "$VECTL_ROOT/var/log/vectl" "$VECTL_ROOT/run/vectl"
	[ "$(grep -rls s3cret "$VECTL_ROOT/var/lib/vectl")" = "$seed/user-data" ]
}

@test "the seed: meta-data of one's own; standard input; one alone brings the other" {
	printf 'instance-id: mine-1\n' >"$BATS_TEST_TMPDIR/meta-data"
	try_stdin=$BATS_TEST_TMPDIR/meta-data ok create web1 --image busybox --meta-data -
	[ "$(cat "$(seed_of web1)/meta-data")" = 'instance-id: mine-1' ]
	[ -f "$(seed_of web1)/user-data" ] && [ ! -s "$(seed_of web1)/user-data" ]
	user_data
	try_stdin=$BATS_TEST_TMPDIR/user-data ok create web2 --image busybox --user-data - --meta-data "$BATS_TEST_TMPDIR/meta-data" --set disk.backend=dir
	cmp "$BATS_TEST_TMPDIR/user-data" "$VECTL_ROOT/var/lib/vectl/ve/$(uuid_of web2)/rootfs$SEED/user-data"
	ok create web3 --image busybox
	[ ! -e "$(upper_of web3)/var/lib/cloud" ]
}

@test "the seed: what is too much, not there, asked for twice or of the host's is refused, and nothing is made" {
	truncate -s 65536 "$BATS_TEST_TMPDIR/full"
	truncate -s 65537 "$BATS_TEST_TMPDIR/more"
	fails 64 create web1 --image busybox --user-data "$BATS_TEST_TMPDIR/more"
	says 'more than 65536 bytes'
	fails 64 create web1 --image busybox --meta-data "$BATS_TEST_TMPDIR/full"
	fails 64 create web1 --image busybox --user-data /dev/zero
	fails 66 create web1 --image busybox --user-data "$BATS_TEST_TMPDIR/nosuch"
	fails 64 create web1 --image busybox --user-data - --meta-data -
	says '--user-data and --meta-data both read standard input'
	fails 64 create web1 --image busybox --user-data - --password-stdin
	fails 64 create web1 --image busybox --ssh-key - --config -
	fails 77 --unprivileged-keys-only create web1 --image busybox --user-data /etc/shadow
	fails 66 status web1
	ok create web1 --image busybox --user-data "$BATS_TEST_TMPDIR/full"
	cmp "$BATS_TEST_TMPDIR/full" "$(seed_of web1)/user-data"
}

# An image whose tree leads out of itself, as far as its author could tell, by what stands where the seed goes.
hostile_image() {
	jq --arg up "../../../../../../../../../..$BATS_TEST_TMPDIR/host" --arg abs "$BATS_TEST_TMPDIR/host" '.description = "hostile"
		| .directories += [{"path": "/var/lib/cloud/seed/nocloud", "mode": "0755"}]
		| .links += [{"path": "/var/lib/cloud/seed/nocloud/user-data", "target": "\($abs)/user-data", "why": "x"},
			{"path": "/var/lib/cloud/seed/nocloud/meta-data", "target": "\($up)/meta-data", "why": "x"},
			{"path": "/var/lib/cloud/seed/nocloud/network-config.vectl-new", "target": "\($abs)/network-config", "why": "x"}]' \
		"$VECTL_DATADIR/recipes/busybox.json" >"$VECTL_ROOT/etc/vectl/recipes/hostile.json"
	jq --arg abs "$BATS_TEST_TMPDIR/host" '.description = "elsewhere" | .directories += [{"path": "/var/lib", "mode": "0755"}] | .links += [{"path": "/var/lib/cloud", "target": $abs, "why": "x"}]' \
		"$VECTL_DATADIR/recipes/busybox.json" >"$VECTL_ROOT/etc/vectl/recipes/elsewhere.json"
	ok image build hostile
	ok image build elsewhere
}

@test "the seed: links in an image lead it nowhere on the host" {
	mkdir "$BATS_TEST_TMPDIR/host"
	echo theirs | tee "$BATS_TEST_TMPDIR/host/user-data" >"$BATS_TEST_TMPDIR/host/meta-data"
	local before
	before=$(find "$BATS_TEST_TMPDIR/host" -printf '%p %s %T@ %C@\n')
	hostile_image
	user_data
	ok create web1 --image hostile --user-data "$BATS_TEST_TMPDIR/user-data"
	[ ! -L "$(seed_of web1)/user-data" ]
	cmp "$BATS_TEST_TMPDIR/user-data" "$(seed_of web1)/user-data"
	[ "$(stat -c '%F %a' "$(seed_of web1)/meta-data")" = 'regular file 600' ]
	# A link that leads nowhere inside is no directory.
	try v create web2 --image elsewhere --user-data "$BATS_TEST_TMPDIR/user-data"
	is 71
	says /var/lib/cloud
	fails 66 status web2
	ok create web2 --image elsewhere
	ok clone web2 web3
	[ "$(find "$BATS_TEST_TMPDIR/host" -printf '%p %s %T@ %C@\n')" = "$before" ]
}

@test "a clone does not take the seed along, and is another instance" {
	user_data
	ok create web1 --image busybox --user-data "$BATS_TEST_TMPDIR/user-data" --start
	inside web1 sh -ec "cd /var/lib/cloud; mkdir -p instances/old data; echo s3cret >instances/old/user-data.txt; ln -s instances/old instance
		echo old >data/instance-id; echo net >seed/nocloud/network-config; echo v >seed/nocloud/vendor-data; echo kept >seed/nocloud/mine"
	ok stop web1
	ok clone web1 web2
	ok start web2
	inside web2 sh -ec "cd /var/lib/cloud; [ ! -e instances ]; [ ! -L instance ]; [ ! -e data ]; cd seed/nocloud; [ -f user-data ]; [ ! -s user-data ]
		[ ! -e vendor-data ]; cat mine network-config; ! grep -r s3cret /var/lib/cloud"
	[ "$output" = $'kept\nconfig: disabled' ]
	inside web2 cat "$SEED/meta-data"
	[ "$output" = "instance-id: $(uuid_of web2)"$'\nlocal-hostname: web2' ]
	inside web2 stat -c %a "$SEED/meta-data" "$SEED/user-data"
	[ "$output" = $'600\n600' ]
	[ "$(grep -c s3cret "$(seed_of web1)/user-data")" = 1 ]
	# Of one without a seed none is made.
	ok create web3 --image busybox
	v destroy web2 --force
	ok clone web3 web2
	ok start web2
	inside web2 test ! -e /var/lib/cloud
}

@test "credentials: systemd inside lists them, and gives them to a service; kept on the host, given anew at each start" {
	printf 'open sesame' >"$BATS_TEST_TMPDIR/door"
	ok create web1 --image debian-12 --credential "door.key=$BATS_TEST_TMPDIR/door" --credential "more=-" --start --wait=300
	local kept
	kept=$VECTL_ROOT/var/lib/vectl/ve/$(uuid_of web1)/credentials
	[ "$(stat -c '%n %a %u:%g' "$kept" "$kept"/*)" = "$kept 700 0:0"$'\n'"$kept/door.key 600 0:0"$'\n'"$kept/more 600 0:0" ]
	inside web1 systemd-creds --system list
	[[ $output == *door.key* && $output == *more* ]]
	inside web1 systemd-creds --system cat door.key
	[ "$output" = 'open sesame' ]
	inside web1 systemd-run --quiet --wait --pipe -p LoadCredential=door.key:door.key sh -c 'cat "$CREDENTIALS_DIRECTORY/door.key"'
	[ "$output" = 'open sesame' ]
	ok exec web1 --user 1000 -- sh -c '! cat /run/host/credentials/door.key && ! ls /run/host/credentials'
	try v exec web1 -- sh -c 'echo x >/run/host/credentials/new'
	[ "$status" -ne 0 ]
	for what in 'show web1 --json' 'history' 'status web1 --json'; do
		# shellcheck disable=SC2086
		ok $what
		[[ $output != *sesame* && $output != *door.key* ]]
	done
	# Changed and removed by whoever is root on the host, for the next start; an editor's leavings are none.
	ok stop web1
	echo other >"$kept/door.key"
	rm "$kept/more"
	touch "$kept/.door.key.swp"
	ok start web1 --wait=300
	inside web1 systemd-creds --system cat door.key
	[ "$output" = other ]
	inside web1 ls -A /run/host/credentials
	[ "$output" = door.key ]
	ok stop web1
	ok clone web1 web2
	ok start web2
	inside web2 sh -c '[ ! -e /run/host/credentials ] && ! tr "\0" "\n" </proc/1/environ | grep CREDENTIALS'
}

@test "credentials: names and sizes that systemd would not take, and what is given twice, are refused" {
	echo x >"$BATS_TEST_TMPDIR/x"
	for id in '' . .. a/b a:b 'a b' .hidden ä; do fails 64 create web1 --image busybox --credential "$id=$BATS_TEST_TMPDIR/x"; done
	fails 64 create web1 --image busybox --credential "$BATS_TEST_TMPDIR/x"
	fails 64 create web1 --image busybox --credential "a=$BATS_TEST_TMPDIR/x" --credential "a=$BATS_TEST_TMPDIR/x"
	says 'given twice'
	truncate -s 600K "$BATS_TEST_TMPDIR/large"
	fails 64 create web1 --image busybox --credential "a=$BATS_TEST_TMPDIR/large" --credential "b=$BATS_TEST_TMPDIR/large"
	fails 64 create web1 --image busybox --credential a=/dev/zero
	fails 64 create web1 --image busybox --credential a=- --credential b=-
	fails 66 create web1 --image busybox --credential "a=$BATS_TEST_TMPDIR/nosuch"
	fails 77 --unprivileged-keys-only create web1 --image busybox --credential a=/etc/shadow
	fails 64 create web1 --image busybox --set 'command=/bin/sh' --credential "a=$BATS_TEST_TMPDIR/x"
	fails 66 status web1
	ok create web1 --image busybox --credential "a=$BATS_TEST_TMPDIR/large" --start
	ok exec web1 -- sh -c 'wc -c </run/host/credentials/a; tr "\0" "\n" </proc/1/environ | grep CREDENTIALS_DIRECTORY'
	[ "$output" = $'614400\nCREDENTIALS_DIRECTORY=/run/host/credentials' ]
}
