#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What happens when the host goes down and comes up: start --boot, stop --shutdown.
load helpers

# The host loses its power: every process of the store dies at once, /run is empty, groups and links are gone.
power_cut() {
	local pid
	for pid in $(processes_of_store | awk '/monitor/ { print $1 }') $(processes_of_store | awk '!/monitor/ { print $1 }'); do
		kill -9 "$pid" 2>/dev/null || true
	done
	nobody() { [ -z "$(processes_of_store)" ]; }
	wait_until 10 nobody
	groups_of_store | grep "/$BASE/[^.]" | sort -r | xargs -r rmdir 2>/dev/null || true
	no_links() { ! on_host ip -o link | grep -q ': vz'; }
	wait_until 10 no_links
	on_host ip route | grep 'dev vz' | while read -r route; do on_host ip route del "$route"; done
	rm -rf "$VECTL_ROOT/run/vectl"
}
start_time() { awk '{ print $22 }' "/proc/$(init_pid "$1")/stat"; }

@test "on, off, last: those that should run do" {
	local ve
	for ve in on-ran on-stopped off-ran last-ran last-stopped; do ok create $ve --image busybox --set boot.auto=${ve%-*}; done
	for ve in on-ran off-ran last-ran; do ok start $ve; done
	power_cut
	ok start --boot --json
	json 'length >= 3'
	ok list --names --where state=running
	[ "$output" = $'last-ran\non-ran\non-stopped' ]
}

@test "what was stopped on purpose stays stopped with last" {
	ve web1
	ok stop web1
	power_cut
	ok start --boot
	in_state web1 stopped
}

@test "order, and delay" {
	ok create second --image busybox --set boot.auto=on --set boot.order=20
	ok create first --image busybox --set boot.auto=on --set boot.order=10 --set boot.delay=1
	ok create third --image busybox --set boot.auto=on --set boot.order=30
	ok start --boot
	[ "$(start_time first)" -lt "$(start_time second)" ]
	[ "$(start_time second)" -le "$(start_time third)" ]
	[ $(($(start_time second) - $(start_time first))) -ge 100 ]
}

@test "one that cannot start does not keep the others: exit 1, and it is named" {
	ok create good --image busybox --set boot.auto=on --set boot.order=20
	ok create bad --image busybox --set boot.auto=on --set boot.order=10 --set init=/no/such/init
	try v start --boot
	is 1
	says 'bad|/no/such/init'
	in_state good running
	in_state bad stopped
}

@test "start --boot twice is harmless" {
	ok create web1 --image busybox --set boot.auto=on
	ok start --boot
	local init
	init=$(init_pid web1)
	ok start --boot
	[ "$(init_pid web1)" = "$init" ]
}

@test "stop --shutdown: nothing while the host is up; all VEs when it goes down, and last starts them again" {
	ok create a --image busybox --set boot.order=10 --start
	ok create b --image busybox --set boot.order=20 --start
	ok run --detach --name jail1 --image busybox --no-network -- sleep 1000
	ok stop --shutdown
	in_state a running
	# Under systemd the manager says that the host goes down: tests/vm/shutdown-*.bats shut one down. Here it is out of sight.
	without_systemd() {
		on_host unshare --mount sh -c '[ ! -d /run/systemd ] || mount -t tmpfs tmpfs /run/systemd; exec "$@"' - "$VECTL" "$@"
	}
	try without_systemd stop --shutdown
	is 0
	in_state a running
	RUNLEVEL=0 try without_systemd stop --shutdown
	is 0
	in_state a stopped
	in_state b stopped
	fails 66 status jail1
	ok start --boot
	in_state a running
	in_state b running
}

@test "a record of another boot is no running VE" {
	ve web1
	power_cut
	ok status web1 --json
	json '.state == "stopped" and .init_pid == null'
	ok start web1
}
