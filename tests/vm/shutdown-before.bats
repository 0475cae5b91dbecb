#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A host goes down and comes up. Here: what it is before. guest-suite then reboots the guest without a word to vectl,
# and shutdown-after.bats looks at what became of it.
load helpers

# The VEs are what the next boot looks at.
teardown_file() { :; }

@test "VEs of every boot.auto, running and stopped" {
	# A store that no other test has used: the events are compared.
	destroy_all
	rm -f /var/log/vectl/events.jsonl
	[ -d /var/lib/vectl/images/busybox ] || ok image build busybox

	# Its hooks run when the host goes down, and when it comes up.
	# shellcheck disable=SC2016
	printf '#!/bin/sh\necho "$VECTL_HOOK" >>/var/lib/vectl-hooks.log\n' >/var/lib/vectl-test-hook
	chmod 0755 /var/lib/vectl-test-hook
	rm -f /var/lib/vectl-hooks.log
	quiet_ve first --set boot.order=10
	ok set first hooks.stopping=/var/lib/vectl-test-hook hooks.stopped=/var/lib/vectl-test-hook \
		hooks.before_start=/var/lib/vectl-test-hook hooks.started=/var/lib/vectl-test-hook
	quiet_ve second --set boot.order=20
	quiet_ve third --set boot.order=30
	quiet_ve off-ran --set boot.auto=off --set boot.order=40
	quiet_ve last-stopped --set boot.order=40
	ok stop last-stopped
	ok create on-stopped --image busybox --set network.0.type=none --set boot.auto=on --set boot.order=40
	systemctl is-enabled vectl.service
}

@test "one that does not listen when it is asked to stop" {
	quiet_ve deaf --set boot.order=50 --set stop.timeout=3s \
		--set 'command=["/bin/sh", "-c", "trap \"\" TERM INT HUP USR1 USR2 PWR; while :; do sleep 1000; done"]'
	ok list --names --where state=running
	[ "$output" = $'deaf\nfirst\noff-ran\nsecond\nthird' ]
}
