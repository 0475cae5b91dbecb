#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# After the reboot: what shutdown-before.bats left was stopped in order and within its time, and is back as it was.
load helpers

EVENTS=/var/log/vectl/events.jsonl

# when EVENT NAME: the number of the line that tells of the first such event.
when() { jq -r --arg e "$1" --arg n "$2" 'select(.event == $e and .name == $n) | input_line_number' $EVENTS | head -n 1; }

# What the manager of the boot before this one logged about UNIT.
last_boot() { journalctl --quiet --no-pager --boot=-1 --output=cat "$@"; }

@test "the host waited until vectl had stopped everything" {
	local log
	log=$(last_boot -u vectl-guests.service)
	echo "$log"
	[[ $log == *"Deactivated successfully"* ]]
	[[ ! ${log,,} =~ timed.out|failed|killing ]]
}

@test "nobody killed them: vectl asked each init, in the reverse of boot.order" {
	cat $EVENTS
	for ve in first second third off-ran; do [ -n "$(when stopped $ve)" ]; done
	[ "$(when stopped off-ran)" -lt "$(when stopped third)" ]
	[ "$(when stopped third)" -lt "$(when stopped second)" ]
	[ "$(when stopped second)" -lt "$(when stopped first)" ]
}

@test "the one that did not listen was killed after its stop.timeout, and did not hold up the host" {
	cat $EVENTS
	[ -n "$(when killed deaf)" ]
	# From the unit's stop to its end: 3 s for the deaf one, and some for the others, but no default of a minute.
	local began ended
	began=$(last_boot -u vectl-guests.service --output=json | jq -r 'select(.MESSAGE | startswith("Stopping")) | .__REALTIME_TIMESTAMP' | tail -n 1)
	ended=$(last_boot -u vectl-guests.service --output=json | jq -r 'select(.MESSAGE | startswith("Stopped")) | .__REALTIME_TIMESTAMP' | tail -n 1)
	echo "took $(((ended - began) / 1000)) ms"
	[ $((ended - began)) -ge 3000000 ]
	[ $((ended - began)) -lt 60000000 ]
}

@test "those that ran run again, those that did not do not, on and off as they say" {
	[ "$(systemctl is-active vectl.service)" = active ]
	ok list --names --where state=running
	[ "$output" = $'deaf\nfirst\non-stopped\nsecond\nthird' ]
	local ve
	for ve in $output; do inside "$ve" true; done
}

@test "its hooks ran when the host went down, and when it came up" {
	[ "$(tr '\n' ' ' </var/lib/vectl-hooks.log)" = 'stopping stopped before_start started ' ]
}

@test "no record of the last boot is taken for a running VE" {
	ok status off-ran --json
	json '.state == "stopped" and .init_pid == null'
	ok destroy off-ran
}
