#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# tune: what is low is told with a reason, set, kept for the next boot, and taken back. What is changed here is a setting of
# the whole host that nothing but databases asks for, raised and put back.
load helpers

ASKED=fs.aio-max-nr
now() { cat /proc/sys/fs/aio-max-nr; }
conf() { echo "$VECTL_ROOT/etc/sysctl.d/60-vectl.conf"; }

setup_file() {
	world_up || return 1
	now >"$BATS_FILE_TMPDIR/aio"
	# Directories that the first --apply makes.
	v --quiet tune --ves 2000 --apply "$ASKED" && v --quiet tune --revert && inventory >"$BATS_FILE_TMPDIR/inventory"
}
teardown() {
	v --quiet tune --revert
	echo "$(<"$BATS_FILE_TMPDIR/aio")" >/proc/sys/fs/aio-max-nr
	destroy_all
	# shellcheck disable=SC2119
	same_as_before
}

@test "looking: what is low, why, for how many; and nothing changes" {
	local before
	before=$(now)
	ok tune --ves 3000 --json
	"$BATS_TEST_DIRNAME/../check-json" tune <<<"$output"
	json '.ves == 3000 and .changed == false'
	json '.settings[] | select(.setting == "fs.aio-max-nr") | .low and .wanted == 1048576 + 3000 * 16384 and .before == null'
	json 'all(.settings[]; (.reason | length) > 10)'
	ok tune --ves 3000
	grep -qE "^fs.aio-max-nr: $before -> 50200576  \(.*databases" <<<"$output"
	[ "$(now)" = "$before" ]
	[ ! -e "$(conf)" ]
	# The number of VEs is what is configured, running or not.
	ok create web1 --image busybox
	ok create web2 --image busybox
	ok tune --json
	json '.ves == 2'
	ok check
	[ "$(now)" = "$before" ]
}

@test "applied, for the next boot too, and taken back to what it was before the first time" {
	local before
	before=$(now)
	ok tune --ves 1000 --apply "$ASKED"
	[ "$(now)" = $((1048576 + 1000 * 16384)) ]
	grep -qx "fs.aio-max-nr = $((1048576 + 1000 * 16384))" "$(conf)"
	[ "$(grep -c ' = ' "$(conf)")" = 1 ]
	ok tune --ves 1000 --apply "$ASKED" --json
	json '.changed == false'
	# More VEs; fewer make nothing smaller.
	ok tune --ves 2000 --apply "$ASKED" --json
	json '.changed and (.settings | length == 1) and .settings[0].before == '"$before"
	ok tune --ves 10 --apply "$ASKED"
	[ "$(now)" = $((1048576 + 2000 * 16384)) ]
	grep -qx "fs.aio-max-nr = $((1048576 + 2000 * 16384))" "$(conf)"
	ok tune --revert
	[ "$(now)" = "$before" ]
	[ ! -e "$(conf)" ]
	[ ! -e "$VECTL_ROOT/var/lib/vectl/tune.json" ]
	ok tune --revert --json
	json '.changed == false'
	ok history --json
	json '[.[] | select(.verb == "tune --apply")][-1].changes[0].key == "fs.aio-max-nr"'
}

@test "what somebody else has set since is left alone, and said" {
	ok tune --ves 1000 --apply "$ASKED"
	echo 77777777 >/proc/sys/fs/aio-max-nr
	ok tune --revert
	says 'fs.aio-max-nr is 77777777 and not the'
	[ "$(now)" = 77777777 ]
	[ ! -e "$(conf)" ]
}

@test "all or none: what the kernel refuses takes the others back" {
	local before
	before=$(now)
	# A /proc/sys of this test's own, where one of the two is read-only.
	cat >"$BATS_TEST_TMPDIR/try" <<'END'
mount --bind /proc/sys/kernel/pty/max /proc/sys/kernel/pty/max && mount -o remount,bind,ro /proc/sys/kernel/pty/max &&
	exec "$@"
END
	try on_host unshare -m sh "$BATS_TEST_TMPDIR/try" "$VECTL" tune --ves 3000 --apply fs.aio-max-nr kernel.pty.max
	[ "$status" -ne 0 ]
	says 'cannot set kernel.pty.max'
	[ "$(now)" = "$before" ]
	[ ! -e "$(conf)" ]
	[ ! -e "$VECTL_ROOT/var/lib/vectl/tune.json" ]
}

@test "bad input" {
	fails 64 tune fs.nosuch
	says "is no setting that VEs share"
	fails 64 tune --apply --revert
	fails 64 tune --ves -1
	fails 64 tune --ves many
	echo '[' >"$VECTL_ROOT/var/lib/vectl/tune.json"
	fails 65 tune --apply "$ASKED"
	rm "$VECTL_ROOT/var/lib/vectl/tune.json"
}
