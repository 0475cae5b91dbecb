#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A VE's life: the verbs, what they answer, and what they refuse.
load helpers

@test "create makes a stopped VE that list and status show" {
	changed true create web1 --image busybox
	json '.name == "web1" and .state == "stopped" and (.uuid | length == 36)'
	ok list --json
	json 'length == 1 and .[0].name == "web1" and .[0].state == "stopped"'
	ok status web1 --json
	json '.state == "stopped" and .init_pid == null and .monitor_pid == null and .started_at == null'
	json '.image | tostring | startswith("busybox")'
}

@test "create copies nothing of the image" {
	ok create web1 --image busybox
	[ "$(du -sk "$VECTL_ROOT/var/lib/vectl/ve" | cut -f1)" -lt 200 ]
}

@test "a VE is found by name and by uuid" {
	ok create web1 --image busybox
	local uuid
	uuid=$(v status web1 --json | jq -r .uuid)
	ok status "$uuid" --json
	json '.name == "web1"'
}

@test "its directory is root's alone" {
	ok create web1 --image busybox
	[ "$(stat -c %a:%u "$VECTL_ROOT"/var/lib/vectl/ve/*)" = 700:0 ]
}

@test "start runs init as the VE's own root, and says so once" {
	ok create web1 --image busybox
	changed true start web1
	json '.state == "running"'
	changed false start web1
	ok status web1 --json
	json '.state == "running" and (.init_pid > 1) and (.monitor_pid > 1) and (.boot_id == "'"$(cat /proc/sys/kernel/random/boot_id)"'")'
	json '.started_at | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$")'
	json '.last_exit == null'
	[ "$(stat -c %u "/proc/$(field .init_pid)")" -ge 100000 ]
}

@test "create --start is one verb" {
	changed true create web1 --image busybox --start
	json '.state == "running"'
}

@test "stop asks init, and the VE is stopped" {
	ve web1
	changed true stop web1
	json '.state == "stopped" and .warnings == []'
	changed false stop web1
	ok status web1 --json
	json '.state == "stopped" and .last_exit.reason != null and (.last_exit.time | test("Z$"))'
}

@test "stop kills an init that does not listen, and says so" {
	ve deaf --set stop.signal=SIGURG
	changed true stop deaf --timeout 1
	json '.state == "stopped" and (.warnings | length == 1)'
}

@test "kill is power off, at once" {
	ve web1
	local pid
	pid=$(init_pid web1)
	changed true kill web1
	json '.state == "stopped"'
	gone "$pid"
	changed false kill web1
}

@test "restart: another init, the same VE" {
	ve web1
	inside web1 sh -c 'echo kept >/root/file'
	local before uuid
	before=$(init_pid web1) uuid=$(v status web1 --json | jq -r .uuid)
	changed true restart web1
	json ".state == \"running\" and .uuid == \"$uuid\""
	[ "$(init_pid web1)" != "$before" ]
	inside web1 cat /root/file
	[ "$output" = kept ]
}

@test "restart of a stopped VE starts it" {
	ok create web1 --image busybox
	changed true restart web1
	json '.state == "running"'
}

@test "freeze stops every process, thaw lets it go on" {
	ve web1
	ok exec web1 -- sh -c 'while :; do echo >>/root/ticks; done >/dev/null 2>&1 &'
	wait_until 10 v exec web1 -- test -s /root/ticks
	changed true freeze web1
	json '.state == "frozen"'
	changed false freeze web1
	in_state web1 frozen
	# What is frozen uses no time: two looks at the counter are equal.
	local used file
	file=$(find "$VECTL_ROOT/var/lib/vectl/ve" -name ticks)
	used=$(stat -c %s "$file")
	[ "$(stat -c %s "$file")" = "$used" ]
	changed true thaw web1
	json '.state == "running"'
	grew() { [ "$(stat -c %s "$file")" != "$used" ]; }
	wait_until 10 grew
	changed false thaw web1
}

@test "a frozen VE is stopped and killed like any other" {
	ve web1
	ok freeze web1
	changed true stop web1
	ok start web1
	ok freeze web1
	changed true kill web1
	json '.state == "stopped"'
}

@test "destroy takes a stopped VE, and a running one with --force only" {
	ve web1
	fails 79 destroy web1
	says 'destroy --force web1'
	in_state web1 running
	changed true destroy web1 --force
	fails 66 status web1
	ok create web1 --image busybox
	ok destroy web1
	fails 66 destroy web1
	ok destroy web1 --if-exists
}

@test "wrong states are refused with 79, and nothing changes" {
	ok create web1 --image busybox
	local verb
	for verb in freeze thaw console; do
		fails 79 "$verb" web1
		says 'stopped'
	done
	in_state web1 stopped
	try v exec web1 -- true
	is 125
	says 'stopped'
	ok start web1
	ok freeze web1
	fails 79 start web1
	says 'thaw'
	fails 79 destroy web1
	try v exec web1 -- true
	is 125
	in_state web1 frozen
}

@test "verbs on a VE that does not exist: 66, with the nearest name" {
	ok create webserver --image busybox
	local verb
	for verb in start stop restart kill freeze thaw destroy status show console logs; do
		fails 66 "$verb" webserer
		says 'webserver'
	done
	fails 66 get webserer memory.limit
	fails 66 set webserer memory.limit=64M
	try v exec webserer -- true
	is 125
}

@test "create of an existing VE: 73, or success with --if-missing" {
	ok create web1 --image busybox
	local uuid
	uuid=$(v status web1 --json | jq -r .uuid)
	fails 73 create web1 --image busybox
	says "'web1'"
	changed false create web1 --image busybox --if-missing
	json ".uuid == \"$uuid\""
}

@test "a name used again inherits nothing" {
	ve web1
	inside web1 touch /root/mark
	local uuid
	uuid=$(v status web1 --json | jq -r .uuid)
	ok destroy web1 --force
	ve web1
	[ "$(v status web1 --json | jq -r .uuid)" != "$uuid" ]
	try v exec web1 -- test -e /root/mark
	is 1
	ok logs web1
	[[ $output != *"$uuid"* ]]
}

@test "images and templates that are missing, or the other of the two" {
	fails 66 create web1 --image no-such-image
	fails 66 create web1 --image busybox --template no-such-template
	try v create web1 --template busybox
	[ "$status" -ne 0 ]
	says '--image busybox'
	try v create web1 --image vps-small
	[ "$status" -ne 0 ]
	says '--template vps-small'
	ok list --names
	[ -z "$output" ]
}

@test "a failed create --start leaves nothing, unless --keep" {
	fails 66 create web1 --image busybox --set init=/no/such/init --start || fails 71 create web1 --image busybox --set init=/no/such/init --start
	says '/no/such/init'
	fails 66 status web1
	try v create web1 --image busybox --set init=/no/such/init --start --keep
	[ "$status" -ne 0 ]
	in_state web1 stopped
}

@test "init that dies at once: the error carries the console's last lines" {
	ok create web1 --image busybox --start
	inside web1 sh -c 'printf "#!/bin/sh\necho dying words >/dev/console\nexit 3\n" >/sbin/dies; chmod 755 /sbin/dies'
	ok stop web1
	ok set web1 init=/sbin/dies
	try v start web1 --wait=5
	[ "$status" -ne 0 ]
	says 'dying words'
	ok wait web1 --state stopped
}

@test "wait returns when the state is there, and 75 at its deadline" {
	ve web1
	ok wait web1 --state running
	fails 75 wait web1 --timeout 1
	ok stop web1
	ok wait web1 --state stopped
}

@test "list: natural order, patterns, filters, fields, sorting, names" {
	local n
	for n in 101 9 10 web1; do ok create $n --image busybox --set network.0.type=none; done
	ok start 10
	ok list --names
	[ "$output" = $'9\n10\n101\nweb1' ]
	ok list --names '1*'
	[ "$output" = $'10\n101' ]
	ok list --names --where state=running
	[ "$output" = 10 ]
	ok list --names --where 'state!=running' --where 'name=*1'
	[ "$output" = $'101\nweb1' ]
	ok list --fields name,state --no-header --sort -name
	[ "$(awk '{ print $1 }' <<<"$output")" = $'web1\n101\n10\n9' ]
	ok list --fields name,state --json
	json 'map(keys == ["name", "state"]) | all'
	fails 64 list --fields nonsense
	ok list
	[[ ${output%%$'\n'*} =~ ^NAME ]]
}

@test "words of other tools answer with ours, and abbreviations are none: 64" {
	local pair
	for pair in rm:destroy ls:list delete:destroy reboot:restart shutdown:stop; do
		fails 64 "${pair%:*}" web1
		says "${pair#*:}"
	done
	fails 64 sta web1
	fails 64 stop
	fails 64 start web1 --no-such-option
	fails 64
}

@test "without privilege: 77" {
	ok create web1 --image busybox
	chmod 0755 "$VECTL_ROOT"
	local verb
	for verb in start stop destroy; do
		try on_host setpriv --reuid 65534 --regid 65534 --clear-groups "$VECTL" $verb web1
		[ "$status" -eq 77 ] || { explain "$verb without privilege"; return 1; }
	done
	in_state web1 stopped
}

@test "SIGINT in the middle of a stop undoes nothing that counts" {
	ve deaf --set stop.signal=SIGURG
	become_v stop deaf --timeout 60 >/dev/null 2>&1 &
	local verb=$!
	wait_until 5 grep -q stop "$(run_dir deaf)/lock"
	kill -INT $verb
	status=0
	wait $verb || status=$?
	is 130
	ok kill deaf
}

@test "the groups that VEs share go with recover where no VE is left, and come again" {
	ve web1
	ok recover
	[ -n "$(groups_of_store)" ]
	ok destroy --force web1
	ok recover --json
	json '. == []'
	[ -z "$(groups_of_store)" ]
	ve web2
	group_file web2 cgroup.procs
}
