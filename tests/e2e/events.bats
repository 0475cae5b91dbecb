#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# vectl events: each kind is made to happen, and told: once, of the right VE, with what is known.
load helpers

# events NAME KIND: how many, and the last one as $output.
events() {
	output=$(v events "$1" --json | jq -c --arg kind "$2" 'select(.event == $kind)')
	wc -l <<<"$output"
}
told() { [ "$(events "$1" "$2")" -ge "${3:-1}" ] && [ -n "$(v events "$1" --kind "$2")" ]; }
last() { v events "$1" --kind "$2" --json | tail -1; }

hog() { try v exec "$1" -- sh -c 'x=$(head -c 100000000 /dev/zero | tr "\0" x); echo ${#x}'; }
bomb() { try v exec "$1" -- sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 1000 & done'; }

@test "the life of a VE" {
	ok create web1 --image busybox
	ok start web1
	ok freeze web1
	ok thaw web1
	ok block web1 --network --reason "not paid"
	ok unblock web1
	kill -9 "$(monitor_pid web1)"
	ok recover
	ok stop web1
	ok rename web1 web2
	ok rename web2 web1
	ok start web1
	ok kill web1
	ok events web1 --json
	[ "$(jq -r .event <<<"$output" | xargs)" = "created started frozen thawed blocked unblocked recovered stopped renamed renamed started killed" ]
	[ "$(jq -r 'select(.event == "renamed") | "\(.name) \(.detail)"' <<<"$output")" = $'web2 web1\nweb1 web2' ]
	local line before=0 seq
	while read -r line; do
		"$BATS_TEST_DIRNAME/../check-json" event <<<"$line"
		seq=$(jq .seq <<<"$line")
		[ "$seq" -gt "$before" ]
		before=$seq
	done <<<"$output"
	ok events web1
	grep -q 'web1  blocked: not paid$' <<<"$output"
	local uuid
	uuid=$(uuid_of web1)
	ok destroy web1
	fails 66 events web1
	ok events --kind destroyed --json
	[ "$(tail -1 <<<"$output" | jq -r .uuid)" = "$uuid" ]
	# Who comes next under that name has a history of its own.
	ok create web1 --image busybox
	ok events web1 --json
	[ "$(jq -r .event <<<"$output")" = created ]
}

@test "crashed, rebooted" {
	ve web1 --set boot.restart=always
	v exec web1 -- reboot -f || true
	wait_until 20 told web1 rebooted
	wait_until 20 in_state web1 running
	kill -9 "$(init_pid web1)"
	wait_until 20 told web1 crashed
	wait_until 20 in_state web1 running
}

@test "oom: which process, and how much" {
	ve web1 --set memory.limit=32M --set memory.swap=0
	ve web2 --set memory.limit=32M --set memory.swap=0
	hog web1
	wait_until 20 told web1 oom
	"$BATS_TEST_DIRNAME/../check-json" event <<<"$(last web1 oom)"
	jq -e '.count >= 1 and (.processes | length) >= 1 and (.processes | length) <= .count and
		(.processes[0] | .name == "sh" and .pid > 0 and .bytes > 1048576) and
		(.detail | test("killed for lack of memory: sh"))' <<<"$(last web1 oom)"
	[ -z "$(v events web2 --kind oom)" ]
	# Counted once, however often it is looked at, and whoever looks.
	sum() { v events web1 --kind oom --json | jq -s 'map(.count) | add'; }
	same() { [ "$(sum)" = "$(v limits web1 --json | jq '.[] | select(.resource == "memory").refused')" ]; }
	wait_until 20 same
	ok stop web1
	same
	ok start web1
	hog web1
	ok kill web1 # what the monitor had no time for is told by the stop
	same
}

@test "forks-refused" {
	ve web1 --set pids.limit=12
	bomb web1
	wait_until 40 told web1 forks-refused
	jq -e '.count >= 1 and (.detail | test("pids.limit"))' <<<"$(last web1 forks-refused)"
	"$BATS_TEST_DIRNAME/../check-json" event <<<"$(last web1 forks-refused)"
}

@test "what happens without a monitor is told by the next one" {
	ve web1 --set memory.limit=32M --set memory.swap=0
	local monitor
	monitor=$(monitor_pid web1)
	kill -9 "$monitor"
	wait_until 5 gone "$monitor"
	hog web1
	[ -z "$(v events web1 --kind oom)" ]
	ok recover
	told web1 oom
	# And the new one watches.
	hog web1
	wait_until 20 told web1 oom 2
}

@test "a VE that is refused something all the time fills no log, and its monitor stays idle" {
	ve web1 --set pids.limit=12
	local monitor ticks
	bomb web1
	wait_until 40 told web1 forks-refused
	monitor=$(monitor_pid web1)
	ticks=$(awk '{ print $14 + $15 }' "/proc/$monitor/stat")
	# (A shell gives up at the first fork that fails.)
	many() { bomb web1 && [ "$(v limits web1 --json | jq '.[] | select(.resource == "pids").refused')" -gt 10 ]; }
	wait_until 40 many
	wait_until 40 told web1 forks-refused 2
	[ "$(v events web1 --kind forks-refused --json | wc -l)" -le 6 ]
	[ $(($(awk '{ print $14 + $15 }' "/proc/$monitor/stat") - ticks)) -le 20 ]
	ok kill web1
}

@test "--follow: what comes, until it is interrupted; --since: from a time on" {
	ve web1
	become_v events --follow --json >"$BATS_TEST_TMPDIR/followed" 2>&1 &
	local follower=$!
	following() { find "/proc/$follower/fd" -lname "*inotify*" | grep -q .; }
	wait_until 10 following
	ok freeze web1
	ok thaw web1
	both() { [ "$(jq -r .event "$BATS_TEST_TMPDIR/followed" | xargs)" = 'frozen thawed' ]; }
	wait_until 10 both
	# The log is turned over while it is followed.
	mv "$VECTL_ROOT/var/log/vectl/events.jsonl" "$VECTL_ROOT/var/log/vectl/events.jsonl.1"
	ok freeze web1
	three() { [ "$(jq -r .event "$BATS_TEST_TMPDIR/followed" | xargs)" = 'frozen thawed frozen' ]; }
	wait_until 10 three
	kill -INT "$follower"
	wait "$follower" || [ $? -eq 130 ]
	ok thaw web1
	ok events web1 --json
	[ "$(jq -r .event <<<"$output" | xargs)" = 'created started frozen thawed frozen thawed' ]
	[ "$(jq .seq <<<"$output" | sort -nu)" = "$(jq .seq <<<"$output")" ]
	ok events web1 --since 1h --json
	[ "$(wc -l <<<"$output")" = 6 ]
	ok events web1 --since 2000-01-01T00:00:00Z --kind started --kind frozen --json
	[ "$(jq -r .event <<<"$output" | xargs)" = 'started frozen frozen' ]
	ok events web1 --since "$(date -u -d '+1 hour' +%FT%TZ)" --json
	[ -z "$output" ]
	local bad
	for bad in yesterday 2026-01-31 2026-13-01T00:00:00Z 10x -5m ''; do fails 64 events "--since=$bad"; done
}

@test "a damaged line of the log hides no other" {
	ve web1
	printf '{"seq":1,"ti\nnot json\n[]\n\x01\xff\n' >>"$VECTL_ROOT/var/log/vectl/events.jsonl"
	ok freeze web1
	ok thaw web1
	ok events web1 --json
	[ "$(jq -r .event <<<"$output" | xargs)" = 'created started frozen thawed' ]
}
