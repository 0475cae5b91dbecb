#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# push and pull: files and trees into a VE and out of it, running or stopped, and what a VE's root can make of it.
load helpers

setup_file() {
	world_up
	HERE=$(mktemp -d /var/tmp/vectl-push.XXXXXX) # what a VE's links are led to: no tmpfs
	export HERE
	v create web1 --image busybox --start >/dev/null && v stop web1
	make_site "$HERE/site"
	inventory >"$BATS_FILE_TMPDIR/inventory"
}
teardown_file() {
	rm -rf "$HERE"
	world_down
}
setup() {
	UPPER=$VECTL_ROOT/var/lib/vectl/ve/$(uuid_of web1)/overlay/upper
	OUT=$BATS_TEST_TMPDIR/out
	mkdir "$OUT"
	ok start web1
}
teardown() {
	v --quiet thaw web1 || true
	v --quiet kill web1 || true
	find "$UPPER" -mindepth 1 -delete
	same_as_before
}

# make_site DIRECTORY: of each kind something, with times and modes that cp would not give by chance.
make_site() {
	mkdir -p "$1/sub/deeper" "$1/empty"
	echo hello >"$1/index.html"
	printf 'no newline' >"$1/sub/private"
	: >"$1/sub/nothing"
	echo run >"$1/sub/deeper/script"
	ln -s ../index.html "$1/sub/link"
	ln -s /etc/shadow "$1/outside"
	truncate -s 10G "$1/sparse"
	printf end | dd of="$1/sparse" bs=1 seek=5G conv=notrunc status=none
	chmod 0640 "$1/sub/private"
	chmod 6755 "$1/sub/deeper/script"
	chmod 1770 "$1/sub"
	touch -h -d 2001-02-03T04:05:06.789 "$1/index.html" "$1/sub/link" "$1/empty"
}

# listing DIRECTORY: kind, bits, size, time and target of all that is in it.
listing() { (cd "$1" && find . -mindepth 1 ! -type d -printf '%y %m %s %T@ %p %l\n' -o -type d -printf '%y %m %T@ %p\n' | sort -k5); }
no_left_over() { [ -z "$(find "$OUT" "$UPPER" -name '.*.vectl-new')" ]; }
stopped_and_running() {
	"$@"
	ok stop web1
	"$@"
}

# ---- as it should be ----

round_trip() {
	changed true push web1 "$HERE/site" /data
	ok pull web1 /data "$OUT/back"
	# But for the bits that are not copied.
	chmod 0755 "$HERE/site/sub/deeper/script"
	diff <(listing "$HERE/site") <(listing "$OUT/back")
	chmod 6755 "$HERE/site/sub/deeper/script"
	cmp "$HERE/site/index.html" "$OUT/back/index.html"
	[ "$(dd if="$OUT/back/sparse" bs=1 skip=5G count=3 status=none)" = end ]
	[ "$(stat -c %b "$OUT/back/sparse")" -lt 1000 ]
	[ "$(stat -c %b "$UPPER/data/sparse")" -lt 1000 ]
	# Root's there, and the caller's here.
	[ "$(stat -c %u:%g "$UPPER/data/sub/private")" = 0:0 ]
	[ "$(stat -c %u:%g "$OUT/back/sub/private")" = "$(id -u):$(id -g)" ]
	rm -rf "$OUT/back"
	no_left_over
	if in_state web1 running; then inside web1 rm -rf /data; else rm -rf "$UPPER/data"; fi
}
@test "a tree goes in and comes out as it was, in a running VE and in a stopped one" { stopped_and_running round_trip; }

@test "where it goes: into a directory, under a new name, in the place of a file, in that of a directory only if asked" {
	inside web1 mkdir -p /data/dir
	ok push web1 "$HERE/site/index.html" /data
	ok push web1 "$HERE/site/index.html" /data/dir/
	ok push web1 "$HERE/site/index.html" data/new.html
	ok push web1 "$HERE/site/sub/" /data/sub2
	inside web1 sh -c 'cd /data && echo old >link-to && ln -s link-to link && cat index.html dir/index.html new.html && ls sub2'
	[ "$output" = $'hello\nhello\nhello\ndeeper\nlink\nnothing\nprivate' ]
	# A link is replaced, and what it leads to stays.
	ok push web1 "$HERE/site/index.html" /data/link
	inside web1 sh -c 'cat /data/link /data/link-to; test ! -L /data/link'
	[ "$output" = $'hello\nold' ]
	ok push web1 "$HERE/site/sub/link" /data/dir/new
	inside web1 readlink /data/dir/new
	[ "$output" = ../index.html ]
	fails 66 push web1 "$HERE/site/index.html" /data/nowhere/
	fails 66 push web1 "$HERE/site/index.html" /data/nowhere/x
	fails 66 push web1 "$HERE/site/index.html" /data/new.html/
	ok push web1 "$HERE/site/sub" /data
	fails 73 push web1 "$HERE/site/sub" /data
	says replace
	inside web1 touch /data/sub/of-old
	ok push web1 "$HERE/site/sub" /data --replace
	inside web1 test ! -e /data/sub/of-old
	# A file does not take a directory's place, nor a directory a file's.
	inside web1 mkdir /data/dir/private
	fails 73 push web1 "$HERE/site/sub/private" /data/dir
	fails 66 push web1 "$HERE/site/sub" /data/new.html
	no_left_over
}

@test "standard input and output, modes, owners" {
	echo key >"$BATS_TEST_TMPDIR/key"
	try_stdin=$BATS_TEST_TMPDIR/key ok push web1 - /data.key --mode 0600
	inside web1 stat -c '%a %u:%g' /data.key
	[ "$output" = '600 0:0' ]
	ok push web1 "$HERE/site/sub" /data --owner 33:44
	inside web1 stat -c '%u:%g' /data /data/private /data/link
	[ "$output" = $'33:44\n33:44\n33:44' ]
	ok pull web1 /data.key -
	[ "$output" = key ]
	# By its link, which leads nowhere on the host.
	inside web1 ln -s /data.key /tmp/link
	ok pull web1 /tmp/link -
	[ "$output" = key ]
	ok pull web1 /data "$OUT" --owner keep
	[ "$(stat -c %u:%g "$OUT/data/private")" = 33:44 ]
	ok push web1 "$OUT/data" /tmp/again --owner keep
	inside web1 stat -c %u:%g /tmp/again/private
	[ "$output" = 33:44 ]
	fails 71 push web1 "$HERE/site/index.html" /tmp/x --owner 70000
	fails 64 push web1 "$HERE/site/index.html" /tmp/x --owner ann
	fails 64 push web1 "$HERE/site/index.html" /tmp/x --mode 0600
	fails 64 push web1 - /tmp/
	fails 64 pull web1 /data.key - --json
	inside web1 rm /data.key
	no_left_over
}

@test "bad input: a sentence, the right status, nothing left" {
	fails 66 push web1 "$HERE/nowhere" /tmp
	fails 66 pull web1 /nowhere "$OUT"
	fails 66 pull web1 /etc/passwd "$OUT/a/b"
	fails 66 push nobody "$HERE/site" /tmp
	fails 64 pull web1 /etc/.. "$OUT"
	fails 69 pull web1 /dev/null "$OUT"
	fails 69 pull web1 /dev/null -
	fails 73 pull web1 /etc -
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	fails 69 push web1 "$BATS_TEST_TMPDIR/fifo" /tmp
	mkdir -p "$OUT/etc"
	fails 73 pull web1 /etc "$OUT"
	ok freeze web1
	fails 79 push web1 "$HERE/site" /tmp
	fails 79 pull web1 /etc/passwd -
	ok thaw web1
	[ "$(find "$OUT" | wc -l)" = 2 ]
	no_left_over
}

@test "it is written down who copied what into a VE; somebody's lock holds it off" {
	ok push web1 "$HERE/site/index.html" /tmp/audited
	ok history web1 --json
	json 'any(.[]; .verb == "push" and .changes[0].new == "/tmp/audited")'
	ok lock web1 --reason mine --actor ann
	fails 75 push web1 "$HERE/site/index.html" /tmp --actor bob
	ok unlock web1 --actor ann
}

# ---- what is in a tree ----

@test "devices, FIFOs, sockets and mounts are left out, and said" {
	inside web1 sh -c 'mkdir -p /data/m && cd /data && mkfifo f && echo x >file && ln -s file l && mount -t tmpfs t m && echo secret >m/s'
	ok pull web1 /data "$OUT"
	says 'left out 2'
	[ "$(listing "$OUT/data" | cut -d' ' -f1 | sort | tr -d '\n')" = dfl ]
	[ -z "$(ls -A "$OUT/data/m")" ]
	inside web1 umount /data/m
	# Set-user-ID files of a tenant's would be the host's root's.
	inside web1 sh -c 'cp /bin/busybox /data/su && chmod 6755 /data/su'
	ok pull web1 /data/su "$OUT/su"
	[ "$(stat -c %a "$OUT/su")" = 755 ]
}

@test "a deep tree and a long name end in an error, not in half a copy" {
	inside web1 sh -c 'mkdir /data && cd /data && for i in $(seq 200); do mkdir d && cd d || exit; done; echo x >x'
	fails 65 pull web1 /data "$OUT"
	[ -z "$(ls -A "$OUT")" ]
	ok stop web1
	fails 65 pull web1 /data "$OUT"
	[ -z "$(ls -A "$OUT")" ]
}

# ---- who means harm ----

# Inside, without end: the parent of the target is a directory, then a link that leads to the host's HERE/trap.
swap_parent() {
	inside web1 sh -c "mkdir -p /data/real $HERE/trap && ln -s ../../../../../../..$HERE/trap /data/trap"
	v exec web1 -- sh -c 'cd /data; setsid sh -c "while :; do mv -T real parent; mv -T parent real; mv -T trap parent; mv -T parent trap; done" \
		>/dev/null 2>&1 </dev/null &'
}

@test "a push to a path whose parent is being swapped for a link: nothing outside the VE is written" {
	mkdir "$HERE/trap"
	swap_parent
	local i landed=0
	for i in {1..40}; do
		try v push web1 "$HERE/site/sub" "/data/parent/$i"
		[[ $status -eq 0 || $status -eq 66 || $status -eq 71 ]] || { explain "push $i"; return 1; }
		[ "$status" -ne 0 ] || landed=$((landed + 1))
		[ -z "$(ls -A "$HERE/trap")" ] || { echo "it wrote to the host" >&2; return 1; }
	done
	[ "$landed" -gt 0 ]
	rmdir "$HERE/trap"
}

@test "links out of a stopped VE's tree lead to its own" {
	mkdir "$HERE/trap"
	ok stop web1
	mkdir -p "$UPPER/data"
	ln -s "../../../../../../../../../../../../../..$HERE/trap" "$UPPER/data/a"
	ln -s "$HERE/trap" "$UPPER/data/b"
	fails 66 push web1 "$HERE/site/index.html" /data/a/x
	fails 66 push web1 "$HERE/site/index.html" /data/b/x
	fails 66 pull web1 /data/a/x "$OUT"
	ok push web1 "$HERE/site/index.html" /data/a
	[ ! -L "$UPPER/data/a" ]
	[ -z "$(ls -A "$HERE/trap")" ]
	echo host >"$HERE/trap/secret"
	fails 66 pull web1 "/data/b/secret" -
	fails 66 pull web1 "/data/b/" "$OUT"
	rm -r "$HERE/trap"
}

@test "a tree that changes all the time while it is read: nothing outside, no hang, nothing half" {
	mkdir "$HERE/trap"
	inside web1 sh -c "mkdir -p /data/t/d /data/x && echo a >/data/t/d/f && ln -s $HERE/trap /data/x/l && mkfifo /data/x/p && echo b >/data/x/f"
	v exec web1 -- sh -c 'cd /data; setsid sh -c "while :; do mv -T t/d x/d; mv x/l t/d; mv t/d x/l; mv x/p t/d; mv t/d x/p; mv -T x/d t/d; mv x/f t/g; mv t/g x/f; done" \
		>/dev/null 2>&1 </dev/null &'
	local i
	for i in {1..40}; do
		try v pull web1 /data/t "$OUT/$i"
		[ "$status" -eq 0 ] || { explain "pull $i"; return 1; }
		[ -z "$(ls -A "$HERE/trap")" ]
		[ -z "$(find "$OUT/$i" ! -type d ! -type f ! -type l)" ]
	done
	rmdir "$HERE/trap"
}

@test "a left-over of somebody else's making at the temporary name is no way out" {
	mkdir "$HERE/trap"
	echo precious >"$HERE/trap/file"
	ok stop web1
	mkdir -p "$UPPER/data"
	ln -s "$HERE/trap" "$UPPER/data/.site.vectl-new"
	ln -s "$HERE/trap" "$OUT/.etc.vectl-new"
	ok push web1 "$HERE/site" /data
	ok pull web1 /etc "$OUT"
	mkfifo "$OUT/.passwd.vectl-new"
	ok pull web1 /etc/passwd "$OUT"
	[ "$(cat "$HERE/trap/file")" = precious ]
	[ "$(ls -A "$HERE/trap")" = file ]
	rm -r "$HERE/trap"
	no_left_over
}

# ---- broken off ----

into_from_fifo() { # starts a push whose input never ends; sets pid
	mkfifo "$BATS_TEST_TMPDIR/input"
	become_v push web1 - /tmp/half <"$BATS_TEST_TMPDIR/input" 2>/dev/null 3>&- &
	pid=$!
	exec 4>"$BATS_TEST_TMPDIR/input"
	head -c 1M /dev/zero >&4
	wait_until 10 v exec web1 -- test -s /tmp/.half.vectl-new
}
let_go() {
	exec 4>&-
	rm "$BATS_TEST_TMPDIR/input"
}

@test "a push that is killed leaves nothing; one that is interrupted neither, and says so" {
	local pid code=0 signal
	for signal in KILL INT; do
		into_from_fifo
		kill "-$signal" "$pid"
		wait "$pid" || code=$?
		[ "$code" -gt 128 ]
		wait_until 20 v exec web1 -- test ! -e /tmp/.half.vectl-new
		inside web1 test ! -e /tmp/half
		let_go
	done
}

@test "who holds a copy up is named; its place is nobody else's meanwhile" {
	local pid
	into_from_fifo
	echo other >"$BATS_TEST_TMPDIR/other"
	fails 75 push web1 "$BATS_TEST_TMPDIR/other" /tmp/half
	# The VE's root kills the end inside, which is not taken for success.
	v exec web1 -- sh -c 'kill -9 -1' || true
	wait "$pid" && return 1
	inside web1 test ! -e /tmp/half
	let_go
	ok push web1 "$BATS_TEST_TMPDIR/other" /tmp/half
	inside web1 sh -c 'cat /tmp/half; ls -A /tmp'
	[ "$output" = $'other\nhalf' ]
}

@test "a pull that is killed leaves nothing under the name, and the next one clears up" {
	inside web1 sh -c 'mkdir /data && cd /data && for i in $(seq 1500); do echo $i >f$i; done'
	local pid caught=
	for _ in {1..30}; do
		become_v pull web1 /data "$OUT" 2>/dev/null 3>&- &
		pid=$!
		until [ -e "$OUT/.data.vectl-new" ] || gone "$pid"; do :; done
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" || true
		[ ! -e "$OUT/.data.vectl-new" ] || { caught=1; break; }
		rm -rf "$OUT/data"
	done
	[ "$caught" ]
	[ ! -e "$OUT/data" ]
	ok pull web1 /data "$OUT"
	[ "$(find "$OUT/data" -type f | wc -l)" = 1500 ]
	no_left_over
}

@test "a stopped VE is locked while it is copied into, and no longer" {
	ok stop web1
	mkfifo "$BATS_TEST_TMPDIR/input"
	become_v push web1 - /tmp/half <"$BATS_TEST_TMPDIR/input" 3>&- &
	local pid=$!
	exec 4>"$BATS_TEST_TMPDIR/input"
	head -c 1M /dev/zero >&4
	wait_until 10 test -e "$UPPER/tmp/.half.vectl-new"
	fails 75 start web1 --lock-timeout 1
	exec 4>&-
	wait "$pid"
	[ "$(stat -c %s "$UPPER/tmp/half")" = 1048576 ]
	ok start web1
}

@test "no room: 74, and nothing left" {
	inside web1 sh -c 'mkdir -p /data && mount -t tmpfs -o size=1m t /data'
	head -c 4M /dev/urandom >"$BATS_TEST_TMPDIR/big"
	fails 74 push web1 "$BATS_TEST_TMPDIR/big" /data
	inside web1 ls -A /data
	[ -z "$output" ]
	inside web1 umount /data
}

@test "what takes longer than a second tells how far it is" {
	mkfifo "$BATS_TEST_TMPDIR/input"
	become_v push web1 - /tmp/slow <"$BATS_TEST_TMPDIR/input" 2>"$BATS_TEST_TMPDIR/said" 3>&- &
	local pid=$!
	exec 4>"$BATS_TEST_TMPDIR/input"
	feed() { echo x >&4; grep -q 'copying standard input' "$BATS_TEST_TMPDIR/said"; }
	wait_until 20 feed
	exec 4>&-
	wait "$pid"
}
