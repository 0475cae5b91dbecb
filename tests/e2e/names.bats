#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a VE may not be called: each bad name gets 64, and nothing is made for it.
load helpers

long() { head -c "$1" /dev/zero | tr '\0' a; }

# refused NAME: by create, with the name safely quoted, and by verbs that only look it up.
refused() {
	try v create --image busybox -- "$1"
	[ "$status" -eq 64 ] || { explain "create '$1'"; return 1; }
	[[ $stderr == vectl:* ]]
	# Control characters of the name never reach the terminal.
	[ "$(LC_ALL=C tr -d '[:print:]\n\200-\377' <<<"$stderr" | wc -c)" -eq 0 ]
	same_as_before
}

@test "path-like names" {
	local name
	for name in .. . a/b /etc ../x a/../b; do refused "$name"; done
}

@test "names that look like options" {
	local name
	for name in -rf -x --force -; do refused "$name"; done
	# Without the --, too: an unknown option is a usage error as well.
	fails 64 create -rf --image busybox
}

@test "the empty name" { refused ''; }

@test "control characters" {
	local name
	for name in $'a\nb' $'a\n' $'\na' $'a\tb' $'\e[31mred' $'a\rb' $'\x7f'; do refused "$name"; done
}

@test "blanks, capitals, dots, underscores, quotes, glob characters, other alphabets" {
	local name
	for name in 'a b' ' a' 'a ' Web1 web.1 web_1 'a"b' "a'b" 'a*' 'a?' '[a]' 'a%n' 'a$b' 'a;b' 'ä' '网'; do refused "$name"; done
}

@test "dashes at the ends" {
	local name
	for name in a- web1-; do refused "$name"; done
}

@test "64 characters are too many, 63 are fine" {
	refused "$(long 64)"
	refused "$(long 5000)"
	ok create "$(long 63)" --image busybox --start
	ok status "$(long 63)"
}

@test "the shape of a UUID" {
	refused 01234567-89ab-cdef-0123-456789abcdef
	ok create 01234567-89ab-cdef-0123-456789abcde --image busybox
}

@test "numbers are names" {
	ok create 101 --image busybox
	ok start 101
	ok list --names
	[ "$output" = 101 ]
}

@test "verbs that look a bad name up never leave the store" {
	local name
	for name in .. ../.. a/b ''; do
		for verb in start destroy status; do
			try v $verb -- "$name"
			[[ $status -eq 64 || $status -eq 66 ]] || { explain "$verb '$name'"; return 1; }
		done
	done
	same_as_before
}

@test "bad names for images and templates" {
	local name
	for name in .. ../../../etc a/b $'a\nb'; do
		try v create web1 --image "$name"
		[[ $status -eq 64 || $status -eq 66 ]] || { explain "--image '$name'"; return 1; }
		try v create web1 --image busybox --template "$name"
		[[ $status -eq 64 || $status -eq 66 ]] || { explain "--template '$name'"; return 1; }
		try v image build "$name"
		[[ $status -eq 64 || $status -eq 66 ]] || { explain "image build '$name'"; return 1; }
	done
	same_as_before
}

@test "bad values at create: the code says what is wrong, and nothing is left" {
	fails 78 create web1 --image busybox --ip not-an-address
	fails 78 create web1 --image busybox --ip 127.0.0.1
	fails 78 create web1 --image busybox --set memory.limit=64MB
	says 'MiB'
	says 'M'
	local assignment
	for assignment in no.such.key=1 memory.limt=64M memory.limit=-1 memory.limit=x cpu.weight=10001 pids.limit=0 boot.auto=maybe; do
		fails 78 create web1 --image busybox --set "$assignment"
		says "${assignment%%=*}"
	done
	try v create web1 --image busybox --set memory.limt=64M
	says 'memory\.limit'
	fails 69 create web1 --image busybox --set disk.user_quota=on
	same_as_before
}
