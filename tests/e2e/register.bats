#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A VE's directory that comes from another host, which is a second store here: the same VE, or nothing at all.
load helpers

setup_file() {
	world_up || return 1
	OTHER=$(mktemp -d /var/tmp/vectl-e2e-other.XXXXXX)
	export OTHER
	chmod 0755 "$OTHER"
	mkdir -p "$OTHER/var/lib/vectl"
	cp -a "$VECTL_ROOT/var/lib/vectl/images" "$OTHER/var/lib/vectl/"
	# The store's lock comes with the first pool.
	v --quiet pool set warm memory.limit=1G && v --quiet pool remove warm
	inventory >"$BATS_FILE_TMPDIR/inventory"
	# Its ids, private addresses and links begin elsewhere.
	other create spare --image busybox
}

teardown_file() {
	local name
	for name in $(other list --names); do other --quiet destroy --force "$name"; done
	# Its last VE has gone, and the groups that they shared go with this.
	other --quiet recover
	umount "$OTHER/var/lib/vectl"
	rm -rf --one-file-system "$OTHER"
	world_down
}

teardown() {
	local name
	for name in $(other list --names | grep -vx spare); do other --quiet destroy --force "$name"; done
	destroy_all
	# shellcheck disable=SC2119
	same_as_before
}

faults_built() { v version --json | jq -e '.faults' >/dev/null; }
other() { on_host "$VECTL" --root "$OTHER" "$@"; }
other_dir() { echo "$OTHER/var/lib/vectl/ve/$(other status "$1" --json | jq -r .uuid)"; }
store_of() { echo "$VECTL_ROOT/var/lib/vectl/ve/$(uuid_of "$1")"; }

# elsewhere NAME [CREATE-OPTION]...: a VE of the other host, which has run, stopped, with files of all kinds.
elsewhere() {
	local name=$1
	shift
	other create "$name" --image busybox --start "$@"
	other exec "$name" -- sh -ec 'mkdir -p /data /etc/ssh; echo mine >/data/file; chown 1234:2345 /data/file; ln /data/file /data/hard
		cp /bin/busybox /data/suid; chmod 4755 /data/suid; ln -s /etc/shadow /data/link; mkfifo /data/fifo; rm /etc/profile || rm /etc/group
		truncate -s 1073741824 /data/sparse; mv /root /root.moved; echo key >/etc/ssh/ssh_host_rsa_key; echo 0123 >/etc/machine-id'
	other stop "$name"
}
# carry NAME: its directory comes here, as the manual says, and is in $DIR.
carry() {
	DIR=$BATS_TEST_TMPDIR/$1
	rsync -aHAXS --numeric-ids "$(other_dir "$1")/" "$DIR/"
}
files_of() { # VECTL NAME
	"$1" exec "$2" -- sh -c 'cd / && find data etc home root* -xdev ! -path "etc/host*" ! -path etc/resolv.conf | sort | while read -r f; do
		stat -c "%n %F %a %u:%g %h" "$f"; done; md5sum /data/file /data/suid; readlink /data/link; ls /etc/profile /etc/group 2>/dev/null; true'
}

# the_same_here NAME: it is what it was there, with the ids of this host.
the_same_here() {
	local there
	other start "$1"
	there=$(files_of other "$1")
	other stop "$1"
	ok start "$1"
	diff <(echo "$there") <(files_of v "$1")
	inside "$1" sh -c '[ "$(stat -c %u:%g /data/file)" = 1234:2345 ] && grep -q key /etc/ssh/ssh_host_rsa_key && grep -q 0123 /etc/machine-id'
}

@test "overlay: the same VE, with its uuid, addresses, users, keys and files" {
	elsewhere web1 --ip 192.0.2.10 --set memory.limit=64M --set owner=C7 --set labels.tier=gold --set aliases=shop --set hostname=shop.example \
		--set network.0.mac=02:00:00:12:34:56 --credential token=<(echo secret)
	carry web1
	changed true register "$DIR"
	json '.name == "web1" and .state == "stopped" and .addresses == ["192.0.2.10"] and .warnings == []'
	[ "$(uuid_of web1)" = "$(other status web1 --json | jq -r .uuid)" ]
	diff <(other show web1 --json | jq 'del(.identity, .revision)') <(v show web1 --json | jq 'del(.identity, .revision)')
	the_same_here web1
	[ "$(v exec web1 -- cat /run/host/credentials/token)" = secret ]
	[ "$(v exec web1 -- cat /sys/class/net/eth0/address)" = 02:00:00:12:34:56 ]
	on_host ping -c1 -W5 192.0.2.10 >/dev/null
	# What came from there is as it was, and nobody's.
	[ -s "$DIR/config.json" ]
	rm -rf "$DIR"
	[ "$(v exec shop -- cat /data/file)" = mine ]
	ok history web1 --json
	json '.[0].verb == "register" and .[0].result == "ok" and any(.[0].changes[]; .key == "name" and .new == "web1")'
	ok events web1 --json
	jq -es 'any(.[]; .event == "created" and (.detail | startswith("registered from")))' <<<"$output"
}

@test "private addresses and ids are this host's, whatever the file says of them" {
	elsewhere nat1
	carry nat1
	jq '.identity += {id_base: 65536, link_id: 1, nat_address_0: "192.0.2.1", ephemeral: 1, detached: 1, stop_signal: 9, init_system: "systemd"}' \
		"$DIR/config.json" >"$DIR/config.new"
	mv "$DIR/config.new" "$DIR/config.json"
	ve first
	ok register "$DIR"
	ok start nat1
	[ "$(v list nat1 --fields addresses --no-header)" != "$(v list first --fields addresses --no-header)" ]
	[ "$(cat /proc/"$(init_pid nat1)"/uid_map)" != "$(cat /proc/"$(init_pid first)"/uid_map)" ]
	v show nat1 --json | jq -e '.identity | .id_base != 65536 and .nat_address_0 != "192.0.2.1" and .init_system == "busybox" and
		(has("ephemeral") or has("detached") | not)'
	ok stop nat1
	[ "$(v show first --json | jq .identity.stop_signal)" = "$(v show nat1 --json | jq .identity.stop_signal)" ]
}

@test "dir, image, a quota below an overlay, volumes: the same VE" {
	local name
	elsewhere dir1 --set disk.backend=dir
	elsewhere img1 --set disk.backend=image --disk 64M
	elsewhere ovl1 --disk 64M
	elsewhere vol1 --set volumes=data:16M:/data,more:16M:/data/more
	for name in dir1 img1 ovl1 vol1; do
		carry $name
		ok register "$DIR"
		the_same_here $name
	done
	ok status img1 --json
	json '."disk.size" == 67108864'
}

@test "its users are made once, and a block comes along" {
	other create web1 --image busybox --set users=ann
	carry web1
	ok register "$DIR"
	ok start web1
	inside web1 id ann
	ok stop web1
	elsewhere web2 --set users=bob
	other exec web2 -- true 2>/dev/null || other start web2
	other user remove web2 bob
	other block web2 --reason 'invoice 4711'
	carry web2
	ok register "$DIR"
	in_state web2 blocked
	fails 79 start web2
	says 'invoice 4711'
	ok unblock web2
	ok start web2
	not v exec web2 -- id bob
}

@test "copied while it ran: that is said" {
	elsewhere web1
	other start web1
	carry web1
	ok register "$DIR"
	says 'warning: .*was running when it was copied'
	other stop web1
}

@test "its name, its uuid or an address is taken: 73, and how it goes" {
	elsewhere web1 --ip 192.0.2.10
	carry web1
	ok create web1 --image busybox
	fails 73 register "$DIR"
	says "a VE called 'web1' exists already"
	says '--name'
	ok create shop --image busybox --ip 192.0.2.10
	fails 73 register "$DIR" --name web2
	says "192.0.2.10.*'shop'"
	ok set shop network.0.ips=192.0.2.11 --pending
	ok register "$DIR" --name web2
	fails 73 register "$DIR" --name web3
	says 'a VE with the uuid .* exists already'
	says '--new-uuid'
	ok set web2 network.0.ips=192.0.2.12 --pending
	ok register "$DIR" --name web3 --new-uuid
	[ "$(uuid_of web2)" != "$(uuid_of web3)" ]
	fails 64 register "$DIR" --name Web3 --new-uuid
	# A directory of this store's own.
	fails 73 register "$(store_of web2)" --name web4 --new-uuid
	says clone
	# Somebody beyond the uplink has it.
	ok destroy web3
	in_world ip addr add 192.0.2.10/32 dev up0
	try v register "$DIR" --name web3 --new-uuid
	in_world ip addr del 192.0.2.10/32 dev up0
	is 73
}

@test "its image, pool or hook is not here: which, and what to do" {
	other pool set acme memory.limit=256M
	elsewhere web1 --set pool=acme
	carry web1
	other destroy web1
	other pool remove acme
	fails 66 register "$DIR"
	says acme
	ok pool set acme memory.limit=256M
	jq '.identity.image_digest |= sub("^.{8}"; "00000000")' "$DIR/config.json" >"$DIR/config.new"
	cp "$DIR/config.json" "$DIR/config.old" && mv "$DIR/config.new" "$DIR/config.json"
	fails 66 register "$DIR"
	says 'busybox@00000000|00000000'
	says 'images/busybox/00000000'
	mv "$DIR/config.old" "$DIR/config.json"
	ok register "$DIR"
	ok destroy web1
	ok pool remove acme
}

@test "an image that is missing is copied as the manual says" {
	local third digest
	third=$(mktemp -d /var/tmp/vectl-e2e-third.XXXXXX)
	chmod 0755 "$third"
	third() { on_host "$VECTL" --root "$third" "$@"; }
	elsewhere web1
	carry web1
	digest=$(other status web1 --json | jq -r .image_digest)
	# A store without this image, but with images.
	third host set default.image=none
	try third register "$DIR"
	is 66
	rsync -aHAXS --numeric-ids "$OTHER/var/lib/vectl/images/busybox/$digest" "$third/var/lib/vectl/images/busybox/"
	try third image verify "busybox@$digest"
	is 0
	try third register "$DIR"
	is 0
	try third start web1
	is 0
	[ "$(third exec web1 -- cat /data/file)" = mine ]
	third destroy --force web1
	third recover
	umount "$third/var/lib/vectl"
	rm -rf --one-file-system "$third"
}

@test "keys that give power over the host: named, or refused" {
	elsewhere web1 --set features.tun=on
	carry web1
	try v --unprivileged-keys-only register "$DIR"
	is 77
	says features.tun
	ok register "$DIR"
	says 'warning: .*power over the host: features.tun'
	elsewhere web2
	carry web2
	try v --unprivileged-keys-only register "$DIR"
	is 0
}

# bad EXIT PATTERN: the directory is refused, with these words.
bad() {
	inventory >"$BATS_TEST_TMPDIR/before"
	fails "$1" register "$DIR"
	says "$2" || return 1
	same_as_before "$BATS_TEST_TMPDIR/before"
}
# with_config FILTER EXIT PATTERN
with_config() {
	cp "$DIR/config.json" "$DIR/config.old"
	jq "$1" "$DIR/config.old" >"$DIR/config.json"
	bad "$2" "$3" || return 1
	mv "$DIR/config.old" "$DIR/config.json"
}

@test "a configuration that asks for more than a new one may is refused" {
	elsewhere web1
	carry web1
	with_config '.memory.limit = "lots"' 78 memory.limit
	with_config '.memory.limit = 1' 78 memory.limit
	with_config '.nonsense = 1' 78 nonsense
	with_config '.name = "../x"' 78 'name'
	with_config '.uuid = "../../../../etc"' 78 uuid
	with_config '.network."0" = {type: "routed"}' 78 network
	with_config '.hooks.create = "/tmp/evil"' 66 hooks.create
	with_config '.disk.size = 1073741824' 69 disk.size
	with_config '.image = "../../etc"' 78 image
	with_config 'del(.identity)' 65 image
	with_config '.schema = 2' 78 schema
	truncate -s 10G "$DIR/config.big" && mv "$DIR/config.json" "$DIR/config.keep" && mv "$DIR/config.big" "$DIR/config.json"
	bad 78 larger
	rm "$DIR/config.json" && mkfifo "$DIR/config.json"
	bad 78 'no regular file'
	rm "$DIR/config.json" && ln -s config.keep "$DIR/config.json"
	bad 78 'no regular file'
	rm "$DIR/config.json"
	bad 66 config.json
	mv "$DIR/config.keep" "$DIR/config.json"
	ok register "$DIR"
}

@test "a directory with what no VE has made is refused" {
	local upper
	elsewhere web1
	carry web1
	upper=$DIR/overlay/upper
	echo secret >"$BATS_TEST_TMPDIR/secret"
	ln "$BATS_TEST_TMPDIR/secret" "$upper/data/stolen"
	bad 65 'name outside'
	rm "$upper/data/stolen"
	mknod "$upper/data/disk" b 7 0
	bad 65 "upper/data/disk' is a device"
	rm "$upper/data/disk"
	mount -t tmpfs none "$upper/data"
	try v register "$DIR"
	umount "$upper/data"
	is 65
	says 'another file system'
	mv "$DIR/overlay" "$DIR/other" && ln -s other "$DIR/overlay"
	bad 65 overlay
	rm "$DIR/overlay"
	bad 65 overlay
	mkfifo "$DIR/overlay"
	bad 65 overlay
	rm "$DIR/overlay" && mv "$DIR/other" "$DIR/overlay"
	mv "$upper" "$upper.x" && ln -s /etc "$upper"
	bad 65 upper
	rm "$upper" && mv "$upper.x" "$upper"
	ln -s "$DIR" "$DIR.link"
	fails 64 register "$DIR.link"
	says 'Not a directory'
	fails 66 register "$DIR.none"
	chmod 0755 "$DIR"
	bad 77 'chmod 0700'
	chmod 0700 "$DIR"
	chown 1000 "$DIR"
	bad 77 'chown root'
	chown 0 "$DIR"
	# What is told by FIFOs and links besides is passed over, or does not lead anywhere.
	rm -f "$DIR/traffic" && mkfifo "$DIR/state.json.x" "$DIR/traffic"
	ln -sf /etc/passwd "$DIR/locked.json"
	ok register "$DIR"
	ok start web1
}

@test "a file system in a file is checked before it is mounted" {
	elsewhere img1 --set disk.backend=image --disk 64M
	carry img1
	cp --sparse=always "$DIR/disk.img" "$DIR/good"
	# Its superblock says that all is well; the table of the first inodes is gone.
	dd if=/dev/urandom of="$DIR/disk.img" bs=4096 seek=1 count=200 conv=notrunc status=none
	bad 65 'disk.img.*damaged'
	cp --sparse=always "$DIR/good" "$DIR/disk.img"
	truncate -s 1T "$DIR/disk.img"
	bad 65 'disk.img.*may have 64 MiB'
	: >"$DIR/disk.img"
	bad 65 'too short'
	rm "$DIR/disk.img" && ln -s good "$DIR/disk.img"
	bad 65 disk.img
	rm "$DIR/disk.img" && cp --sparse=always "$DIR/good" "$DIR/disk.img"
	mkdir "$BATS_TEST_TMPDIR/mnt"
	mount -o loop "$DIR/disk.img" "$BATS_TEST_TMPDIR/mnt"
	mknod "$BATS_TEST_TMPDIR/mnt/data/disk" b 7 0
	umount "$BATS_TEST_TMPDIR/mnt"
	bad 65 "data/disk' is a device"
	cp --sparse=always "$DIR/good" "$DIR/disk.img"
	ok register "$DIR"
	ok start img1
	elsewhere vol1 --set volumes=data:16M:/data
	carry vol1
	dd if=/dev/urandom of="$DIR/volumes/data.img" bs=4096 seek=1 count=200 conv=notrunc status=none
	bad 65 'data.img.*damaged'
	rm "$DIR/volumes/data.img" && ln -s /etc/shadow "$DIR/volumes/data.img"
	bad 65 data.img
	rm -r "$DIR/volumes" && ln -s /etc "$DIR/volumes"
	bad 65 data.img
}

@test "each stage fails, or is where it is killed: nothing is left, or recover leaves nothing" {
	faults_built || skip "this build has no fault switch (make D=1)"
	local stage
	elsewhere web1 --ip 192.0.2.12
	carry web1
	inventory >"$BATS_TEST_TMPDIR/before"
	for stage in claim storage access config disk layers clone; do
		try env VE_FAULT="$stage" nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" register "$DIR"
		[ "$status" -eq 71 ] || { explain "VE_FAULT=$stage"; return 1; }
		same_as_before "$BATS_TEST_TMPDIR/before" || { echo "... by VE_FAULT=$stage" >&2; return 1; }
		try env VE_FAULT="$stage:kill" nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" register "$DIR"
		[ "$status" -eq 137 ] || { explain "VE_FAULT=$stage:kill"; return 1; }
		ok recover
		same_as_before "$BATS_TEST_TMPDIR/before" || { echo "... by VE_FAULT=$stage:kill" >&2; return 1; }
	done
	ok register "$DIR"
	ok start web1
	[ "$(v exec web1 -- cat /data/file)" = mine ]
}

@test "two at once: one of them has it, and it is whole" {
	local a b
	elsewhere web1
	carry web1
	v register "$DIR" >"$BATS_TEST_TMPDIR/a" 2>&1 &
	a=$!
	v register "$DIR" >"$BATS_TEST_TMPDIR/b" 2>&1 &
	b=$!
	local codes=()
	for a in $a $b; do status=0; wait "$a" || status=$?; codes+=("$status"); done
	[[ " ${codes[*]} " == *" 0 "* && " ${codes[*]} " == *" 73 "* ]] || { cat "$BATS_TEST_TMPDIR"/[ab]; echo "${codes[*]}"; return 1; }
	ok start web1
	[ "$(v exec web1 -- cat /data/file)" = mine ]
}
