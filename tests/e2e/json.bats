#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every document that concerns a VE, against its schema, in each state that changes what is in it. (Those that need no VE
# are in cli.bats.)
load helpers

is_a() { "$BATS_TEST_DIRNAME/../check-json" "$1" <<<"$2"; }

# document SCHEMA VECTL-ARGUMENT...: standard output is one document of that schema, standard error is empty.
document() {
	local schema=$1
	shift
	ok "$@" --json
	is_a "$schema" "$output" || { explain "vectl $* --json"; return 1; }
	[ -z "$stderr" ] || { explain "vectl $* --json: expected nothing on standard error"; return 1; }
}
# error CODE VECTL-ARGUMENT...
error() {
	fails "$1" --json "${@:2}"
	is_a error "$stderr" || { explain "vectl --json ${*:2}"; return 1; }
}

@test "what every verb answers" {
	document result create web1 --image busybox
	json '.changed and .state == "stopped"'
	document result create web1 --image busybox --if-missing
	json '.changed == false'
	document result start web1
	json '.changed and .state == "running" and (.addresses | length) == 1'
	document result start web1
	json '.changed == false'
	document result set web1 memory.limit=100M
	document result set web1 features.nesting=on --pending
	json '.pending == ["features.nesting"]'
	document difference set web1 features.nesting=off --dry-run
	json '.[0].key == "features.nesting" and .[0].live == false'
	document result freeze web1
	json '.state == "frozen"'
	document result thaw web1
	document result wait web1 --state running
	document result restart web1
	json '.pending == []'
	document result stop web1
	document result kill web1
	document result destroy web1
	json '.changed and .state == null'
	document result destroy web1 --if-exists
}

@test "create --start is one document" {
	document result create web1 --image busybox --start
	json '.state == "running"'
}

@test "status: made, running, frozen, stopped" {
	ok create web1 --image busybox
	document status status web1
	json '.init_pid == null and .started_at == null and .last_exit == null'
	ok start web1
	document status status web1
	json '.init_pid > 0 and .monitor_pid > 0 and .supervised and (.addresses | length) == 1'
	# One figure has one name, wherever it stands.
	json '."memory.used" > 0 and ."memory.peak" >= ."memory.used" and ."cpu.used" > 0 and .processes > 0'
	ok list --json --fields memory.used,cpu.used,processes
	json '.[0] | ."memory.used" > 0 and ."cpu.used" > 0 and .processes > 0'
	ok status web1
	grep -qE '^memory\.used: +[0-9.]+ ?[KMG]' <<<"$output"
	grep -qE '^cpu\.used: +[0-9.]+ ?[mn]?s' <<<"$output"
	ok freeze web1
	document status status web1
	ok thaw web1
	ok stop web1
	document status status web1
	json '.last_exit.reason | length > 0'
}

@test "list: the default fields, all of them, keys" {
	ve web1
	ok create web2 --image busybox
	document list list
	json 'length == 2 and .[0].name == "web1" and .[0].state == "running"'
	document list list --fields "$(v list --fields help --json | jq -r 'map(.field) | join(",")')"
	json '.[0] | has("uuid") and has("started_at")'
	document list list --fields name,memory.limit
	json '.[0] | keys == ["memory.limit", "name"]'
}

@test "show and get have values of the key's type" {
	ok create web1 --image busybox --set memory.limit=64M --ip 192.0.2.10
	document show show web1
	json '.memory.limit == 67108864 and .network["0"].ips == ["192.0.2.10"]'
	document get get web1 memory.limit network.0.ips hostname
	json '.["memory.limit"] == 67108864 and .["network.0.ips"] == ["192.0.2.10"] and has("hostname")'
	ok get web1 memory.limit
	[ "$output" = 64M ]
}

@test "images" {
	document image image show busybox
	document image-list image list
	document valid image verify busybox
}

@test "what was mended" {
	ve web1
	local monitor
	monitor=$(monitor_pid web1)
	kill -9 "$monitor"
	wait_until 5 gone "$monitor"
	document recover recover
	json 'any(.[]; .name == "web1")'
	document recover recover
	json '. == []'
}

@test "start --boot" {
	ok create web1 --image busybox --set boot.auto=on
	document boot start --boot
	json 'any(.[]; .name == "web1" and .changed)'
}

@test "errors of verbs" {
	error 66 start nosuch
	ok create web1 --image busybox
	error 73 create web1 --image busybox
	error 79 freeze web1
	error 69 set web1 disk.user_quota=on
	error 78 set web1 no.such.key=1
	error 66 get web1 no.such.key
	error 66 image show nosuch
	error 125 exec web1 true
	ok start web1
	error 79 destroy web1
	error 75 wait web1 --timeout 0
	error 127 exec web1 no-such-command
	error 126 exec web1 /etc/passwd
}

@test "human words and documents do not mix" {
	ok create web1 --image busybox
	[ "$output" = "created web1 ($(v status web1 --json | jq -r '.addresses[0]'))" ]
	ok start web1 --quiet
	[ -z "$output$stderr" ]
	ok stop web1
	[ "$output" = 'stopped web1' ]
	ok stop web1
	[ "$output" = 'web1 is stopped already' ]
}

@test "who made a VE with an ssh server and no way in is told" {
	local sshd=$VECTL_ROOT/var/lib/vectl/images/busybox/current/rootfs/usr/sbin/sshd
	ok create web1 --image busybox
	[[ $output != *passwd* ]]
	install -D /dev/null "$sshd"
	ok create web2 --image busybox
	[[ $output == *"no key or password was given: vectl passwd web2, or vectl enter web2" ]]
	document result create web3 --image busybox
	ok create web4 --image busybox --quiet
	[ -z "$output" ]
	echo secret >"$BATS_TEST_TMPDIR/password"
	try_stdin=$BATS_TEST_TMPDIR/password ok create web5 --image busybox --password-stdin
	[[ $output != *passwd* ]]
	document image image show busybox
	json .sshd
	ok create web2 --image busybox --if-missing
	[[ $output != *passwd* ]]
	rm "$sshd"
}
