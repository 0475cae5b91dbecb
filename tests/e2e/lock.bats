#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What keeps a VE from being changed: somebody's lock, and protection.
load helpers

setup() { export VECTL_ACTOR=anna; }
as() { VECTL_ACTOR=$1 "${@:2}"; }

@test "a lock holds off whoever else changes the VE: who, since when and why; not looking, and not its owner" {
	ve web1
	changed true lock web1 --reason 'moving its database'
	changed false lock web1 --reason 'moving its database'
	ok status web1 --json
	"$BATS_TEST_DIRNAME/../check-json" status <<<"$output"
	json '.locked.by == "anna" and .locked.reason == "moving its database" and (.locked.at | startswith("20")) and .locked.until == null'
	ok list --where locked=anna --names
	[ "$output" = web1 ]
	local verb
	for verb in stop start restart kill freeze thaw block unblock destroy 'destroy --force' 'set memory.limit=50M' unlock 'lock --reason mine'; do
		# shellcheck disable=SC2086 # words
		set -- $verb
		as otto fails 75 "$1" web1 "${@:2}"
		says 'locked by anna since 20.*: moving its database'
	done
	try_stdin=/dev/stdin as otto fails 75 passwd web1 <<<secret
	in_state web1 running
	as otto inside web1 true
	as otto ok show web1
	as otto ok recover
	ok set web1 memory.limit=50M
	ok stop web1
	changed true unlock web1
	changed false unlock web1
	as otto ok start web1
}

@test "--actor says who, before VECTL_ACTOR; --force takes somebody else's away" {
	ok create web1 --image busybox
	ok lock web1 --actor panel --reason 'order 4711'
	fails 75 set web1 memory.limit=50M
	says 'locked by panel'
	as otto ok set web1 memory.limit=50M --actor panel
	changed true unlock web1 --force
	ok set web1 memory.limit=60M
}

@test "without a name it is the one who logged in" {
	local who
	ok create web1 --image busybox
	unset VECTL_ACTOR
	ok lock web1 --reason test
	ok status web1 --json
	who=$(id -nu "$(sed s/4294967295// /proc/self/loginuid 2>/dev/null)" 2>/dev/null || id -nu)
	[ "$(field .locked.by)" = "$who" ] || [ "$(field .locked.by)" = "$(id -nu)" ]
	as "somebody-else" fails 75 destroy web1
	ok unlock web1
}

@test "--for ends by itself; a lock outlives a reboot of the host; its VE still comes up" {
	ve web1 --set boot.auto=on
	ok lock web1 --reason short --for 1
	changed true lock web1 --reason longer --for 2h
	ok status web1 --json
	json '.locked.until > .locked.at'
	ok kill web1
	# As after a boot: nothing below /run is left.
	rm -rf "$VECTL_ROOT/run/vectl"
	as otto fails 75 start web1
	as otto ok start --boot
	in_state web1 running
	ok lock web1 --reason short --for 1
	wait_until 30 as otto v set web1 hostname=other
	ok status web1 --json
	json '.locked == null'
}

@test "a lock that was damaged holds; the VE goes with its lock" {
	ok create web1 --image busybox
	ok lock web1 --reason test
	echo '{' >"$VECTL_ROOT/var/lib/vectl/ve/$(uuid_of web1)/locked.json"
	fails 75 set web1 memory.limit=50M
	ok unlock web1 --force
	ok lock web1 --reason test
	ok destroy web1
}

@test "protect: not destroyed, stopped or changed, by anybody; it may be taken away, and the host may go down" {
	ve web1
	changed true set web1 protect=on
	local verb
	for verb in stop restart kill freeze block destroy 'destroy --force' 'set memory.limit=50M' 'set memory.limit=50M --pending'; do
		# shellcheck disable=SC2086
		set -- $verb
		fails 79 "$1" web1 "${@:2}"
		says "'web1': it is protected"
		says 'vectl set web1 protect=off'
	done
	in_state web1 running
	ok get web1 memory.limit
	[ "$output" != 50M ]
	changed false start web1
	changed false set web1 protect=on
	ok list --where protect=true --names
	[ "$output" = web1 ]
	RUNLEVEL=0 ok stop --shutdown
	# (Under systemd it is systemd that says whether the host goes down.)
	if [ ! -d /run/systemd/system ]; then
		in_state web1 stopped
		changed false stop web1
	fi
	fails 79 destroy web1
	changed true set web1 protect=off memory.limit=50M
	ok destroy web1 --force
}

@test "bad input" {
	ok create web1 --image busybox
	fails 64 lock web1
	fails 64 lock web1 --reason x --for 0
	fails 64 lock web1 --reason x --for tomorrow
	fails 66 lock nobody --reason x
	fails 66 unlock nobody
	fails 78 lock web1 --reason $'two\nlines'
	fails 78 lock web1 --reason x --actor $'an\e[31mna'
	ok status web1 --json
	json '.locked == null'
}
