#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# bats file_tags=host-only
# README.md, as a newcomer types it: each of its command blocks is run, one after the other, from `make quickstart`
# to `make quickstart-clean`, after which nothing is left.
#
# The newcomer's machine is this one with a store of its own, the network of helpers.bash, and in a mount namespace
# with overlays over what quickstart writes to: /usr/local, /etc, /var/lib, root's home. systemd is hidden there: it
# would not know of units in those overlays. relay.py leads to the machine's own package mirror.
load helpers

# One test for each section that has commands; the first and the last test see to the rest.
SECTIONS=("Two commands" "The first quarter of an hour" "Scripting")

root_home() { getent passwd 0 | cut -d: -f6; }

# Never on the real one: quickstart installs.
on_machine() {
	local holder
	holder=$(<"$BATS_FILE_TMPDIR/holder")
	if [ "$(readlink "/proc/$holder/ns/mnt")" = "$(readlink /proc/self/ns/mnt)" ]; then return 99; fi
	nsenter --target "$holder" --mount --net -- "$@"
}

# As a root shell in the source directory; the output is shown where a test fails.
type_in() {
	on_machine env -u VECTL_DATADIR -u VECTL_LIBEXECDIR -u VECTL \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin VECTL_ROOT="$VECTL_ROOT" O="$O/quickstart" SHELL=/bin/bash MAKEFLAGS= \
		bash -c "cd '$tests_top' && set -xeuo pipefail && $1" </dev/null
}

# Runs on the inside of the new mount namespace.
make_machine() {
	local dir=$1 home=$2 place name
	for place in /usr/local /etc /var/lib "$home"; do
		name=$dir/$(tr / _ <<<"$place")
		mkdir -p "$name/upper" "$name/work"
		if [ "$place" = /etc ]; then
			# What container managers mount there is not seen through the overlay.
			for f in hosts hostname; do cat "/etc/$f" >"$name/upper/$f"; done
			echo "nameserver 198.51.100.1" >"$name/upper/resolv.conf"
		fi
		mount -t overlay -o "lowerdir=$place,upperdir=$name/upper,workdir=$name/work" overlay "$place" ||
			return 1
	done
	rm -rf "$home/.ssh"
	# Where README.md says the store is.
	mkdir -p /var/lib/vectl && mount --bind "$VECTL_ROOT/var/lib/vectl" /var/lib/vectl || return 1
	mkdir -p /run/systemd
	mount -t tmpfs tmpfs /run/systemd
}

setup_file() {
	VECTL_ROOT=$(mktemp -d /var/tmp/vectl-e2e.XXXXXX)
	chmod 0755 "$VECTL_ROOT"
	HOST_NS=ve2eh-${VECTL_ROOT##*.} WORLD_NS=ve2ew-${VECTL_ROOT##*.}
	BASE=$(store_base)
	export VECTL_ROOT HOST_NS WORLD_NS BASE
	mkdir -p "$VECTL_ROOT"/{etc,run,var/lib,var/log}
	make_network
	has_fe80() { on_host ip -o addr show dev up0 | grep -q fe80; }
	wait_until 10 has_fe80
	in_world ip addr add 198.51.100.1/24 dev lo
	inventory >"$BATS_FILE_TMPDIR/inventory"
	image debian-12
	export -f make_machine
	mkfifo "$BATS_FILE_TMPDIR/ready"
	# Its pid is the process that has the namespaces: every step is an exec.
	local dir=$BATS_FILE_TMPDIR
	(exec nsenter --net="/run/netns/$HOST_NS" -- unshare --mount --propagation private bash -c \
		"make_machine '$dir' '$(root_home)' && echo ready >'$dir/ready' && exec sleep infinity") \
		</dev/null >"$dir/holder.log" 2>&1 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/holder"
	read -rt 30 _ <>"$BATS_FILE_TMPDIR/ready" || { cat "$BATS_FILE_TMPDIR/holder.log" >&2; return 1; }
	"$tests_top/tests/e2e/relay.py" "/run/netns/$WORLD_NS" </dev/null >"$dir/ready" 2>"$dir/relay.log" 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/relay"
	read -rt 30 _ <>"$BATS_FILE_TMPDIR/ready" || { cat "$BATS_FILE_TMPDIR/relay.log" >&2; return 1; }
}

teardown() { :; } # what one test makes, the next one uses

teardown_file() {
	rm -f /tmp/ve-example
	kill "$(<"$BATS_FILE_TMPDIR/relay")"
	v recover >/dev/null 2>&1 || true
	world_down
	kill "$(<"$BATS_FILE_TMPDIR/holder")"
}

# Every block of a section; the output of all is in $output.
section() {
	local number title
	output=
	while IFS=$'\t' read -r number title; do
		[ "$title" = "$1" ] || continue
		output+=$(type_in "$("$tests_top/tests/readme-blocks" "$tests_top/README.md" "$number")" 2>&1) || {
			printf '%s\n' "block $number of README.md failed:" "$output" >&2
			return 1
		}
		output+=$'\n'
	done < <("$tests_top/tests/readme-blocks" "$tests_top/README.md")
}

shows() { grep -qE -- "$1" <<<"$output" || { printf '%s\n' "expected to see: $1" "$output" >&2; return 1; }; }

@test "README.md: every section that has commands is run below" {
	"$tests_top/tests/readme-blocks" "$tests_top/README.md" --check "${SECTIONS[@]}"
}

@test "two commands: quickstart says what it changes, and ends with a VE that has booted" {
	section "Two commands"
	shows '^This is what quickstart changes'
	shows '^It runs\. What to type next'
	# First it says, then it does.
	line_of() { grep -nm1 "$1" <<<"$output" | cut -d: -f1; }
	[ "$(line_of '^This is what quickstart')" -lt "$(line_of '^== ')" ]
	ok list --json --fields name,state,addresses
	json '.[0].name == "web1" and .[0].state == "running" and (.[0].addresses | length == 1)'
}

@test "quickstart: a second run is harmless" {
	local before
	before=$(init_pid web1)
	output=$(type_in "make quickstart" 2>&1) || { echo "$output" >&2; false; }
	shows '^quickstart has been here'
	[ "$(init_pid web1)" = "$before" ]
}

@test "the first quarter of an hour" {
	section "The first quarter of an hour"
	shows 'Welcome to nginx'
	# memory.limit takes effect at once, in both directions
	[ "$(grep -xE '0|838860800' <<<"$output" | tail -n 2 | xargs)" = "0 838860800" ]
	shows '^2G$'
	shows '^it said 3$'
	shows 'uid=0\(root\)'
}

@test "scripting" {
	section "Scripting"
	shows '^exit status 66$'
	shows '^web1$'
	shows '"category":"not-found"'
	# the program in C, built with the installed header: born, alive, and gone
	shows '^hello from example, process [0-9]+$'
	shows '^it ended with status 0$'
	shows '^memory.limit is 256M$'
	shows '^and gone$'
	ok list --names
	[ "$output" = web1 ]
}

@test "what README.md says of /proc" {
	# The host's figures, and the VE's own.
	[ "$(v exec web1 -- grep MemTotal /proc/meminfo)" = "$(grep MemTotal /proc/meminfo)" ]
	[ "$(v exec web1 -- grep -c ^processor /proc/cpuinfo)" = "$(grep -c ^processor /proc/cpuinfo)" ]
	[ "$(v exec web1 -- cat /sys/devices/system/cpu/online)" = "$(cat /sys/devices/system/cpu/online)" ]
	[ "$(v exec web1 -- nproc)" = 1 ]
	[ "$(v exec web1 -- cut -d. -f1 /proc/uptime)" -lt "$(cut -d. -f1 /proc/uptime)" ]
}

@test "README.md promises no command that is not there, and denies none that is" {
	local command
	while read -r command; do
		ok "$command" --help
	done < <(grep -oE '`vectl [a-z]+' "$tests_top/README.md" | cut -d' ' -f2 | sort -u)
	local denied
	denied=$(sed -n 's/^- No \(`[^;]*\);.*/\1/p' "$tests_top/README.md" | grep -o '`[^`]*`' | tr -d '`')
	[ -n "$denied" ]
	while read -r command; do
		read -ra words <<<"$command"
		fails 69 "${words[@]}" x
		says 'not in this version'
	done <<<"$denied"
}

@test "quickstart-clean: refuses while there is another VE" {
	type_in "vectl create other" >/dev/null
	local status=0
	type_in "make quickstart-clean" >"$BATS_TEST_TMPDIR/out" 2>&1 || status=$?
	[ "$status" -ne 0 ]
	grep -q 'did not make: other' "$BATS_TEST_TMPDIR/out"
	in_state web1 running
	type_in "vectl destroy other" >/dev/null
}

@test "quickstart-clean: takes everything away" {
	local place
	output=$(type_in "make quickstart-clean" 2>&1) || { echo "$output" >&2; false; }
	same_as_before
	for place in /usr/local /etc "$(root_home)"; do
		place=$BATS_FILE_TMPDIR/$(tr / _ <<<"$place")/upper
		# Not counted: empty directories of the system's own layout, the loader's cache, what make_machine wrote.
		find "$place" ! -type d ! -type c ! -name ld.so.cache ! -name resolv.conf ! -name hosts \
			! -name hostname >"$BATS_TEST_TMPDIR/left"
		[ ! -s "$BATS_TEST_TMPDIR/left" ] || { cat "$BATS_TEST_TMPDIR/left" >&2; false; }
	done
	output=$(type_in "make quickstart-clean" 2>&1)
	shows "nothing of quickstart's here"
}
